"""Rows of presets that have fields of libra's own, or odd values: nothing false comes of them."""

from __future__ import annotations

from typing import Any

import pytest

from libra_cli.engines.openai.end_words import cure
from libra_cli.records import conversations, evaluation_logs, step_data
from libra_cli.records import preference_data as data
from libra_cli.records.conversations import OtherForm
from libra_cli.records.training_rows import conversation_turns
from libra_cli.stages.collect.presets import PRESETS
from libra_cli.stream.common_names import empty_field
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


@pytest.mark.parametrize(
    ("preset", "row"),
    [
        ("summarize-feedback", {"info": {"post": "p"}, "summaries": [{"text": "a"}], "choice": 0}),
        ("summarize-feedback", {"info": "p", "summaries": [{"text": "a"}, {"text": "b"}], "choice": 0}),
        ("summarize-feedback", {"info": {"post": "p"}, "summaries": [{"text": "a"}, {"text": None}], "choice": 0}),
        ("ultrafeedback", {"instruction": "q", "completions": [{"response": "a", "annotations": ["x"]}]}),
        ("ultrafeedback", {"instruction": "q", "completions": ["a"]}),
        ("prm800k", {"question": {"problem": "q"}, "label": {"steps": ["a"]}}),
        ("prm800k", {"question": {"problem": "q"}, "label": {"steps": [{"human_completion": "a"}]}}),
        ("helpsteer3", {"context": "q", "response1": "a", "response2": None, "overall_preference": 1}),
    ],
)
def test_an_odd_row_is_refused(preset: str, row: dict[str, Any]) -> None:
    with pytest.raises(RowError, match=f"not a row of --preset {preset}: .+"):
        PRESETS[preset].apply(row, 0)


def test_a_preference_that_is_null_is_named() -> None:
    texts = {"response_0": "a", "response_1": "b"}
    for value in (None, "x", [1]):
        with pytest.raises(OtherForm, match='"better_response_id" is '):
            data.SAFE_RLHF({"prompt": "q", **texts, "better_response_id": value}, 0)
    with pytest.raises(OtherForm, match='"overall_preference" is missing or null'):
        data.HELPSTEER3({"context": "q", "response1": "a", "response2": "b", "overall_preference": None}, 0)


def test_the_system_of_the_row_stays_before_whole_conversations() -> None:
    pair = data.chosen_pair_of({**SIDES, "prompt": "q", "system": "Be brief."}, 0)
    assert pair["prompt"] == [{"role": "system", "content": "Be brief."}, *talk("q")]


@pytest.mark.parametrize("prompt", ["other", talk("other")])
def test_a_prompt_that_contradicts_the_conversations_is_refused(prompt: Any) -> None:
    with pytest.raises(OtherForm, match='"prompt" is not what "chosen" answers'):
        data.chosen_pair_of({**SIDES, "prompt": prompt}, 0)
    longer = {name: [*talk("q", "a"), *talk("more", name)] for name in SIDES}
    for asked in ("q", "more", talk("q", "a", "more"), "\n\nHuman: q\n\nAssistant: a\n\nHuman: more\n\nAssistant:"):
        assert data.chosen_pair_of({**longer, "prompt": asked}, 0)["prompt"] == talk("q", "a", "more")


@pytest.mark.parametrize(
    ("form", "row"),
    [
        (data.chosen_pair_of, {**SIDES, "rejected": SIDES["chosen"]}),
        (data.chosen_pair_of, {**SIDES, "score_chosen": 5.0, "score_rejected": 5}),
        (conversations.chosen_pair, {**SIDES, "rejected": SIDES["chosen"]}),
        (conversations.rated_pair, {"prompt": "q", "response_1": "a", "response_2": "a", "preference_strength": 2}),
        (data.SAFE_RLHF, {"prompt": "q", "response_0": "a", "response_1": "a", "better_response_id": 1}),
    ],
)
def test_equal_responses_and_ratings_are_ties(form: Any, row: dict[str, Any]) -> None:
    assert form(row, 0)["preference"] == "A=B"


def test_presets_of_pairs_leave_ties_out() -> None:
    assert all(
        "preference != 'A=B'" in str(PRESETS[name].where) for name in ("preference", "skywork-preference", "shp")
    )


def test_a_null_label_beside_a_response_is_no_empty_reference() -> None:
    assert empty_field({"question": "q", "response": "r", "label": None}, "reference") is None
    assert empty_field({"question": "q", "label": None}, "reference") == "label"


def test_an_answer_in_words_beside_choices_is_learned() -> None:
    row = {"question": "Which? x or yes", "choices": ["x", "yes"]}
    assert conversation_turns({**row, "answer": "It is yes."}, [])[-1]["content"] == "It is yes."
    for place in (1, "B", "(b)"):
        with pytest.raises(RowError, match="multiple choice"):
            conversation_turns({**row, "answer": place}, [])


def test_the_cure_of_an_unknown_end_is_quoted_for_the_shell() -> None:
    assert cure("<end>") == "--finish-reason '<end>=stop' takes them as whole"
