"""Rows of presets that have fields of libra's own, or odd values: nothing false comes of them."""

from __future__ import annotations

from typing import Any

import pytest

from libra_cli.records import conversations, evaluation_logs, step_data
from libra_cli.records import preference_data as data
from libra_cli.records.conversations import OtherForm
from libra_cli.stages.collect.presets import PRESETS
from libra_cli.stream.rows import RowError


def talk(*texts: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)]


SIDES = {"chosen": talk("q", "good"), "rejected": talk("q", "bad")}
OWN = {"question": "own", "response_a": "own", "response_b": "own", "preference": "own", "responses": ["own"]}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("preset", ["preference", "skywork-preference"])
def test_fields_of_the_row_do_not_replace_the_pair(preset: str, seed: int) -> None:
    row = {**SIDES, **OWN, "question": "q", "prompt": "q", "id": "kept"}
    pair = PRESETS[preset].apply(dict(row), seed)
    better = "response_a" if pair["preference"] == "A>B" else "response_b"
    assert (pair["question"], pair[better], pair["id"]) == ("q", "good", "kept")
    assert {pair["response_a"], pair["response_b"]} == {"good", "bad"}


def test_fields_of_the_row_replace_neither_lists_nor_solutions() -> None:
    completions = [{"response": text, "annotations": {"x": {"Rating": "3"}}} for text in "ab"]
    found = data.ULTRAFEEDBACK({"instruction": "q", "completions": completions, **OWN, "best": 1, "prompt": "own"}, 0)
    assert (found["question"], sorted(found["responses"]), "best" in found) == ("q", ["a", "b"], False)
    own = {"question": "own", "response": "own", "label": 0, "step_labels": "own"}
    found = step_data.stepwise({**own, "prompt": "q", "completions": ["s"], "labels": [True]}, 0)
    assert found == {"question": "q", "response": "s", "label": 1, "step_labels": [1]}
    rated = {"prompt": "q", "response_1": "a", "response_2": "b", "preference_strength": -1, "preference": "B>A"}
    assert conversations.rated_pair(rated, 0)["preference"] == "A>B"
    logged = {"input": "q", "target": "4", "sample_score": {"score": {"prediction": "5"}}, "response": "own"}
    assert evaluation_logs.evalscope(logged, 0)["response"] == "5"


LETTERS = "q\n(A) x\n(B) y\n(C) 1"


@pytest.mark.parametrize(
    ("target", "choices", "prompt", "reference"),
    [
        ("4", None, "q", "4"),
        (4, None, "q", "4"),
        (["4"], None, "q", "4"),
        ("['4']", None, "q", "4"),
        ("[0, 1)", None, "q", "[0, 1)"),
        ("[1, 2]", None, "q", "[1, 2]"),
        ("{1, 2}", None, "q", "{1, 2}"),
        (["a", "b"], None, "q", OtherForm),
        ("['a', 'b']", None, "q", OtherForm),
        ({"a": 1}, None, "q", OtherForm),
        ("{'a': 1}", None, "q", OtherForm),
        (True, None, "q", OtherForm),
        (1, ["x", "y"], "q", "y"),
        ("1", ["x", "y"], "q", "y"),
        (1, ["x", "y", "z"], LETTERS, "B"),
        ("B", ["x", "y", "z"], LETTERS, "B"),
        (1, {"text": ["x", "y"], "label": ["A", "B"]}, "q", "y"),
        (5, ["x", "y"], "q", OtherForm),
        ("1", ["1", "2"], "q", OtherForm),
        ("7", ["7", "8"], "q", "7"),
    ],
)
def test_the_target_of_a_log_is_the_reference(target: Any, choices: Any, prompt: str, reference: Any) -> None:
    doc = {"question": "q"} if choices is None else {"question": "q", "choices": choices}
    row = {"doc": doc, "arguments": {"gen_args_0": {"arg_0": prompt}}, "resps": [["r"]], "target": target}
    if reference is OtherForm:
        with pytest.raises(OtherForm):
            evaluation_logs.lm_eval(row, 0)
    else:
        assert evaluation_logs.lm_eval(row, 0)["reference"] == reference


MC = {"question": "q", "choices": ["x", "y"], "answer": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"question": None},
        {"question": " "},
        {"choices": ["x", None]},
        {"choices": None},
        {"choices": {"text": ["x", "y"], "label": ["A", "B", "C"]}, "answer": "C"},
        {"choices": ["x", "x"], "answer": "x"},
        {"answer": True},
    ],
)
def test_multiple_choice_without_question_or_choices_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RowError, match="not a row of --preset multiple-choice"):
        PRESETS["multiple-choice"].apply({**MC, **change}, 0)


def test_multiple_choice_takes_the_text_of_a_choice() -> None:
    assert evaluation_logs.multiple_choice({**MC, "answer": "y"}, 0)["reference"] == "B"
