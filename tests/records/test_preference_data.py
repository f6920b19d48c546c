"""Preference data as pairs: which response is the better one, whatever says so, and never by its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from libra_cli.records import preference_data as data
from libra_cli.records import preference_rows
from libra_cli.records.conversations import OtherForm
from libra_cli.records.forms import item_of
from libra_cli.rm_benchmarks import judged_rows
from libra_cli.stages.collect.presets import PRESETS
from libra_cli.stream.rows import RowError
from libra_cli.stream.wrong_rows import PUBLISHED, asks_otherwise, published

CASES = Path(__file__).parents[1] / "cases/collect"


def asked(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


WEBGPT = {"question": {"full_text": "q"}, "answer_0": "a", "answer_1": "b", "score_0": 0.0, "score_1": 0.0}


@pytest.mark.parametrize(
    ("form", "row", "field", "says"),
    [
        (data.HELPSTEER3, {"context": asked("q"), "response1": "a", "response2": "b"}, "overall_preference",
         {-3: "A>B", -1: "A>B", 0: "A=B", 1: "B>A", 3: "B>A"}),
        (data.WEBGPT, WEBGPT, "score_0", {0.5: "A>B", 0: "A=B", -0.25: "B>A"}),
        (data.SUMMARIES, {"info": {"post": "p"}, "summaries": [{"text": "a"}, {"text": "b"}]}, "choice",
         {0: "A>B", 1: "B>A"}),
        (data.SAFE_RLHF, {"prompt": "q", "response_0": "a", "response_1": "b"}, "better_response_id",
         {0: "A>B", 1: "B>A"}),
        (data.SHP, {"history": "q", "human_ref_A": "a", "human_ref_B": "b"}, "labels", {1: "A>B", 0: "B>A"}),
        (data.CHATBOT_ARENA,
         {name: [*asked("q"), {"role": "assistant", "content": text}]
          for name, text in (("conversation_a", "a"), ("conversation_b", "b"))},
         "winner", {"model_a": "A>B", "model_b": "B>A", "tie": "A=B", "tie (bothbad)": "A=B"}),
    ],
)  # fmt: skip
def test_the_sign_of_each_data_set(form: Any, row: dict[str, Any], field: str, says: dict[Any, str]) -> None:
    for value, preference in says.items():
        found = form({**row, field: value}, 0)
        assert (found["response_a"], found["response_b"], found["preference"]) == ("a", "b", preference)
    for wrong in (None, "x", {}):
        with pytest.raises(OtherForm):
            form({**row, field: wrong}, 0)


def test_what_collect_makes_of_a_chosen_response_dpo_chooses_again() -> None:
    talk = [*asked("Hi"), {"role": "assistant", "content": "Hello."}, *asked("2+2?")]
    texts = {"chosen": "4", "rejected": "5"}
    sides = {name: [*talk, {"role": "assistant", "content": text}] for name, text in texts.items()}
    for seed in range(8):
        pair = data.chosen_pair_of({**sides, "score_chosen": 1.0, "score_rejected": 9.0}, seed)
        chosen, rejected = preference_rows.preference_of(pair, [])
        assert [chosen.messages, rejected.messages] == list(sides.values())
        assert judged_rows.scores(pair) is None  # the ratings of the data set are no verdict on a and b
    assert len({data.chosen_pair_of(sides, seed)["preference"] for seed in range(8)}) == 2


def test_ratings_of_the_data_are_no_verdict_of_a_judge() -> None:
    row = {"chosen": "4", "rejected": "5", "score_chosen": 1.0, "score_rejected": 9.0}
    judged = {**row, "judge_task": "rank", "prediction": "A>B", "judgments": []}
    assert judged_rows.signs(row, [(0, 1)]) == [-1]
    assert judged_rows.signs(judged, [(0, 1)]) == [1]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_row_that_needs_a_preset_names_it_until_the_preset_has_read_it(name: str) -> None:
    """The rows of the golden case of each preset: some are refused on purpose."""
    folder = CASES / f"preset-{name}"
    if name == "opencompass":
        rows = list(json.loads((folder / "predictions.json").read_text()).values())
    else:
        rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    assert f"--preset {name} " in str(published(rows[0]))
    with pytest.raises(ValueError, match=f"--preset {name} "):
        item_of(rows[0])
    for row in rows:
        try:
            found = PRESETS[name].apply(row, 0)
        except RowError:
            continue
        assert published(found) is None


def test_a_response_to_multiple_choice_can_be_judged_and_a_question_with_its_choices_asked() -> None:
    row = {"question": "Which? A. one B. two", "choices": ["one", "two"], "answer": "B"}
    assert asks_otherwise(row) is None
    assert "multiple-choice" in str(asks_otherwise({**row, "question": "Which?"}))
    assert item_of({**row, "response": "B"}).responses == ("B",)
