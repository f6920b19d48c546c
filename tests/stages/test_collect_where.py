"""`--where`: what is true, false and unknown, where an error is shown, and that no row or pattern can hold it up."""

from __future__ import annotations

import signal
import threading

import pytest

from libra_cli.stream import patterns, where
from libra_cli.stream.rows import RowError

ROW = {
    "level": 5,
    "share": 0.5,
    "text": "7",
    "subset": "AIME 2024",
    "nothing": None,
    "solved": True,
    "odd name": 1,
    "meta": {"a": {"b-c": 2}},
    "tags": ["geometry", 3],
    "prompt": [{"content": "Find $x$"}],
    "empty": "",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("level == 5", True),
        ("level != 5", False),
        ("level >= 5.0", True),
        ("3 < level <= 5", True),
        ("3 < level < 5", False),
        ("subset == 'AIME 2024'", True),
        ('subset < "B"', True),
        ("solved", True),
        ("not solved", False),
        ("solved == true", True),
        ("level + 1 == 6 and share * 2 == 1", True),
        ("-level < -4", True),
        ("level % 2 == 1", True),
        ("10 - 2 - 3 == level", True),
        ("2 + 3 * 2 == 8", True),
        ("(2 + 3) * 2 == 10", True),
        ("subset + '!' == 'AIME 2024!'", True),
        ("'AIME' in subset", True),
        ("'geometry' in tags", True),
        ("'x' in tags", None),
        ("level in [4, 5]", True),
        ("level not in [4, 5]", False),
        ("level in []", False),
        ("len(subset) == 9 and len(tags) == 2", True),
        ("lower(subset) == 'aime 2024'", True),
        ("number(text) == 7", True),
        ("number(subset) == 7", None),
        ("matches(subset, '^AIME \\d{4}$')", True),
        ("matches(subset, 'MATH')", False),
        ("field('odd name') == 1", True),
        ("meta.a.'b-c' == 2", True),
        ("prompt.0.content == 'Find $x$'", True),
        ("prompt.1.content == null", True),
        ("not not level == 5", True),
        ("level == 4 or solved", True),
        ("empty == ''", True),
    ],
)
def test_values(text, expected):
    assert where.parse(text).test(ROW) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("missing > 3", None),
        ("not missing > 3", None),
        ("nothing == 'x'", None),
        ("nothing != 'x'", None),
        ("level == '5'", None),
        ("level != '5'", None),
        ("text > 6", None),
        ("solved == 1", None),
        ("level", None),
        ("missing > 3 or level == 5", True),
        ("missing > 3 and level == 4", False),
        ("missing > 3 and level == 5", None),
        ("missing > 3 or level == 4", None),
        ("missing == null", True),
        ("null != missing", False),
        ("level != null", True),
        ("level / 0 > 1", None),
        ("missing + 1 > 1", None),
        ("matches(level, '5')", None),
        ("missing in [1]", None),
        ("1 in missing", None),
        ("len(level) == 1", None),
        ("tags < 3", None),
    ],
)
def test_what_cannot_be_compared_is_unknown_and_not_false(text, expected):
    assert where.parse(text).test(ROW) is expected


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("level = 5", 6, "== compares"),
        ("level > 3 && solved", 10, "write and"),
        ("a || b", 2, "write or"),
        ("!solved", 0, "write not"),
        ("level >", 7, "missing"),
        ("(level > 3", 10, "')' is missing"),
        ("level > 3)", 9, "not expected"),
        ("", 0, "missing"),
        ("open('x')", 0, "there is no function open"),
        ("subset == 'AIME", 10, "quote is not closed"),
        ("a b", 2, "not expected"),
        ("matches(subset, '(')", 16, "not a regular expression"),
        ("matches(subset, level)", 16, "in quotes is missing"),
        ("a.", 2, "name is missing after the dot"),
        ("[1, 2", 5, "is missing"),
        ("level ; 1", 6, "means nothing"),
        ("__import__('os').system('x')", 0, "there is no function"),
        ("lambda: 1", 6, "means nothing"),
        ("and", 0, "missing"),
        ("(" * 60 + "1" + ")" * 60, 50, "nested"),
        ("[" * 60, 50, "nested"),
        ("x" * 10_001, 0, "longer than"),
    ],
)
def test_an_error_says_where(text, column, reason):
    with pytest.raises(where.WhereError) as raised:
        where.parse(text)
    assert raised.value.column == column
    assert reason in raised.value.reason
    shown = raised.value.shown().split("\n")
    assert shown[1].startswith(" " * column + "^ ")


def test_long_expressions_are_not_deep():
    assert where.parse("+".join(["1"] * 4000) + " == 4000").test({}) is True
    assert where.parse(" and ".join(["1 == 1"] * 900)).test({}) is True
    assert where.parse("not " * 2000 + "1 == 1").test({}) is True


def test_the_fields_that_are_asked_for_are_known():
    assert where.parse("a.b > 1 and field('c d') in [e, null] and lower(f) == 'x'").names == {"a", "c d", "e", "f"}


def test_a_pattern_that_backtracks_for_ever_refuses_the_row(monkeypatch):
    monkeypatch.setattr(patterns, "SECONDS", 0.05)
    slow = where.parse("matches(text, '(?:a|aa)+!')")
    with pytest.raises(RowError, match="avoid a repeat inside a repeat") as raised:
        slow.test({"text": "a" * 100})
    assert raised.value.kind == "slow_pattern"
    assert slow.test({"text": "aaa!"}) is True


def test_the_limit_holds_in_any_thread_and_with_signals_blocked(monkeypatch):
    monkeypatch.setattr(patterns, "SECONDS", 0.05)
    slow = where.parse("matches(text, '(?:a|aa)+!')")
    kinds = []

    def search():
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        with pytest.raises(RowError) as raised:
            slow.test({"text": "a" * 100})
        kinds.append(raised.value.kind)

    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
    assert kinds == ["slow_pattern"]
