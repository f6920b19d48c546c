"""What a recording answers: rows are told apart by their texts where their names do not, and never taken by chance."""

from __future__ import annotations

import json

import pytest

from libra_cli.engines.base import Request, RequestError
from libra_cli.sampling.recordings import Recording, judged_keys, judgment_key

SHOWS = judgment_key({"vote": 0, "response": 0})


@pytest.fixture
def recording(tmp_path):
    def write(*rows):
        path = tmp_path / "recorded.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return Recording([str(path)])

    return write


def row(response, **fields):
    return {"id": "a", "model": "m", "sample": 0, "question": "1 + 1?", "response": response, **fields}


def judged(text, response="2", **fields):
    return row(response, judge="j", judgments=[{"vote": 0, "response": 0, "text": text}], **fields)


def vote(recording, response, name="a/m/0", question="1 + 1?"):
    keys = judged_keys(name, {"question": question, "response": response})
    return recording.find(Request([], 0, name, 0, shows=SHOWS, record_keys=keys), "j").text


def answer(recording, question="1 + 1?", name="a"):
    return recording.find(Request([], 0, name, 0, record_keys=(f"question\0{question}",)), "m").text


def test_judged_rows_of_one_name_are_told_apart_by_their_texts(recording):
    recorded = recording(judged("4", "2"), judged("0", "3"), judged("1", "2", question="2 + 2?"))
    assert [vote(recorded, "2"), vote(recorded, "3"), vote(recorded, "2", question="2 + 2?")] == ["4", "0", "1"]
    with pytest.raises(RequestError, match="has no sample 0 of j"):
        vote(recorded, "another")


def test_names_that_are_written_alike_are_not_one(recording):
    recorded = recording(judged("4", "2", id="a/b", model="c"), judged("0", "3", id="a", model="b/c"))
    assert [vote(recorded, "2", "a/b/c/0"), vote(recorded, "3", "a/b/c/0")] == ["4", "0"]


def test_a_judged_row_under_another_id_is_found_by_its_texts(recording):
    assert vote(recording(judged("4"), judged("0", "3")), "3", "another/m/0") == "0"


def test_samples_with_one_text_have_votes_of_their_own(recording):
    recorded = recording(judged("4"), judged("3", sample=1))
    assert [vote(recorded, "2", f"a/m/{sample}") for sample in range(2)] == ["4", "3"]
    with pytest.raises(RequestError, match="more than one sample 0 of j"):
        vote(recorded, "2", "another/m/0")


def test_two_answers_of_one_name_are_none(recording):
    with pytest.raises(RequestError, match="more than one sample 0 of m for this row; give each row an id of its own"):
        answer(recording(row("2"), row("3")))


def test_an_id_of_two_questions_is_found_by_the_question(recording):
    recorded = recording(row("2"), row("4", question="2 + 2?"))
    assert [answer(recorded), answer(recorded, "2 + 2?")] == ["2", "4"]


def test_a_row_that_comes_again_is_one(recording):
    assert answer(recording(row("2"), row("2", extra=1))) == "2"
    assert vote(recording(judged("4"), judged("4")), "2") == "4"


def test_a_row_without_a_text_gives_way_to_one_that_has_it(recording):
    for rows in ([row(None), row("2")], [row("2"), row(None)]):
        assert answer(recording(*rows)) == "2"
    with pytest.raises(RequestError, match="the recorded row has no text"):
        answer(recording(row(None), row(None)))
