"""One form for every problem: renaming, setting, references as text, ids."""

from __future__ import annotations

import pytest

from libra_cli.stages.collect import mapping
from libra_cli.stream.rows import RowError, record_id


def renamed(fields: dict, *texts: str) -> dict:
    return mapping.rename(fields, mapping.parse_renames(texts))


def test_fields_are_renamed_and_what_they_leave_empty_goes():
    assert renamed({"problem": "a?", "x": 1}, "problem=question") == {"x": 1, "question": "a?"}
    assert renamed({"m": {"a": {"b": 1}}}, "m.a.b=reference") == {"reference": 1}
    assert renamed({"m": {"a": {"b": 1}, "c": 2}}, "m.a.b=reference") == {"m": {"c": 2}, "reference": 1}
    assert renamed({"a.b": 1, "a": {"b": 2}}, "a.b=c") == {"a": {"b": 2}, "c": 1}
    assert renamed({"a=b": 1}, "a=b=c") == {"c": 1}
    assert renamed({"m": {"a": None}}, "m.a=b") == {"b": None}


def test_what_lies_in_a_list_is_copied():
    prompt = [{"role": "user", "content": "a?"}]
    assert renamed({"prompt": prompt}, "prompt.0.content=question") == {
        "prompt": [{"role": "user", "content": "a?"}],
        "question": "a?",
    }


def test_two_fields_may_change_places_and_a_missing_one_changes_nothing():
    assert renamed({"question": "short", "problem": "long"}, "problem=question", "question=title") == {
        "question": "long",
        "title": "short",
    }
    for path in ("b", "a.b", "a.0", "l.1", "l.x"):
        assert renamed({"a": 1, "l": [1]}, f"{path}=c") == {"a": 1, "l": [1]}


def test_a_field_and_a_part_of_it_may_both_get_names():
    body = {"status": 200, "body": {"text": "4"}}
    whole = {"raw": body, "response": "4"}
    assert renamed({"response": body}, "response=raw", "response.body.text=response") == whole
    assert renamed({"response": body}, "response.body.text=response", "response=raw") == whole
    assert renamed({"answer": "4"}, "answer=reference", "answer=gold") == {"reference": "4", "gold": "4"}
    with pytest.raises(RowError, match="--map response=OTHER"):
        renamed({"response": body}, "response.body.text=response")


def test_a_field_is_never_overwritten_in_silence():
    with pytest.raises(RowError, match="--map reference=OTHER") as raised:
        renamed({"answer": "1", "reference": "2"}, "answer=reference")
    assert raised.value.kind == "field_exists"


@pytest.mark.parametrize("texts", [["a"], ["=b"], ["a="], ["a=c", "b=c"]])
def test_a_rename_that_says_nothing_is_refused(texts):
    with pytest.raises(ValueError, match=r"FROM=TO|two fields"):
        mapping.parse_renames(texts)


def test_settings_are_json_or_text():
    found = mapping.parse_settings(["a=5", "b=x y", 'c="5"', "d=null", "e=[1,2]", "f=", "g=a=b", "h=NaN", "i=1}"])
    assert found == {"a": 5, "b": "x y", "c": "5", "d": None, "e": [1, 2], "f": "", "g": "a=b", "h": "NaN", "i": "1}"}
    with pytest.raises(ValueError, match="FIELD=VALUE"):
        mapping.parse_settings(["a"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (204, "204"),
        (204.0, "204"),
        (-0.5, "-0.5"),
        (1e300, "1e+300"),
        (" 7 ", "7"),
        ("025", "025"),
        (0, "0"),
        (True, "True"),
        (12345678901234567890123, "12345678901234567890123"),
    ],
)
def test_a_reference_is_text(value, text):
    assert mapping.reference_text(value) == text


@pytest.mark.parametrize("value", [["1"], {"a": 1}])
def test_a_reference_that_is_no_answer_is_refused(value):
    with pytest.raises(RowError, match="--map FIELD=reference"):
        mapping.reference_text(value)


def test_the_record_begins_with_its_own_fields_and_keeps_the_others():
    record = mapping.problem_record({"level": 5, "reference": 7, "question": "a?", "subset": None}, "file", True)
    assert list(record) == ["id", "index", "question", "reference", "subset", "level"]
    assert record["index"] == record["id"] == record_id({"question": "a?", "reference": "7"})
    assert record["subset"] == "file"
    assert (
        mapping.problem_record({"question": "a?", "reference": "7", "subset": "own"}, "file", True)["subset"] == "own"
    )
    assert mapping.problem_record({"question": "a?", "reference": "7", "id": 3}, None, True)["id"] == "3"


def test_a_pair_needs_no_reference():
    pair = {"question": "a?", "response_a": "x", "response_b": "y", "preference": "A>B"}
    assert mapping.problem_record(dict(pair), None, True)["preference"] == "A>B"
    with pytest.raises(RowError, match='no "reference"'):
        mapping.problem_record({**pair, "preference": None}, None, True)


def test_a_number_that_becomes_a_text_is_one_and_any_other_stays():
    renames = mapping.parse_renames(["said=response", "q=question", "stars=score"])
    row = mapping.rename({"said": 4, "q": 5, "stars": 3, "seen": True}, renames)
    assert row == {"response": "4", "question": "5", "score": 3, "seen": True}
    record = mapping.problem_record({"question": 7, "response_a": 1.5, "response": True, "reference": 4}, None, True)
    assert {name: record[name] for name in ("question", "response_a", "response", "reference")} == {
        "question": "7",
        "response_a": "1.5",
        "response": True,
        "reference": "4",
    }
