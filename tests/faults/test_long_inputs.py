"""Rows, files and options that are long or crafted: each costs time in proportion to its length, and ends as it must.

The time limit of a command is dozens of times what it takes; what grew with the square of the length took minutes.
"""

from __future__ import annotations

import json

import pytest

SECONDS = 30
HEAD = b"question,reference\n"


@pytest.mark.parametrize(
    ("rest", "n_rows", "kind"),
    [
        (b'"never closed,1\n' + b'x",a"b,"c\n' * 32_000, 0, b"never closed"),  # each line closes and opens it again
        (b'"never closed,1\n' + b"plain,2\n" * 40_000, 0, b"never closed"),
        (b'"closed too early,1\na"b"c,2\nfine,3\n', 1, b"not CSV"),
        (b'"one ""two""\nthree",1\nfine,2\n"four\nfive ""x""\nsix",3\n', 3, b""),
        (b'a"b,"c\nd"\nfine,2\n', 2, b""),
    ],
    ids=["reopened", "open", "error", "fine", "quotes-inside"],
)
def test_a_quote_that_is_not_closed(shell, tmp_path, rest, n_rows, kind):
    (tmp_path / "in.csv").write_bytes(HEAD + rest)
    ended = shell("libra collect --format csv in.csv", timeout=SECONDS)
    assert (len(ended.out.splitlines()), ended.status) == (n_rows, 3 if kind else 0), ended.err[-500:]
    assert kind in ended.err


def test_a_table_with_many_columns(shell, tmp_path):
    names = ",".join(["question", *(f"c{n}" for n in range(30_000))])
    (tmp_path / "in.csv").write_text(f"{names}\n{',' * 30_000}4\n")
    assert shell("libra collect --format csv in.csv", timeout=SECONDS).status == 3
    (tmp_path / "in.csv").write_text(f"{names},c7\n{',' * 30_001}\n")
    ended = shell("libra collect --format csv in.csv", timeout=SECONDS)
    assert (ended.status, b'two columns are named "c7"' in ended.err) == (2, True)


@pytest.mark.parametrize(
    "expression", ["level == " + "1" * 5000, "level == 1." + "0" * 5000, "level." + "1" * 5000 + " == 1"]
)
def test_a_condition_with_many_digits(shell, tmp_path, expression):
    (tmp_path / "in.jsonl").write_text(json.dumps({"question": "a", "reference": "1", "level": [1]}) + "\n")
    ended = shell(["libra", "collect", "--where", expression, "in.jsonl"], timeout=SECONDS)
    assert ended.status in (0, 2)
    assert b"internal error" not in ended.err
