"""Presets: the table is whole, pairs and conversations are mapped without a leak. Rows of each: tests/cases/collect."""

from __future__ import annotations

from pathlib import Path

import pytest

from libra_cli import choices
from libra_cli.records import conversations
from libra_cli.stages.collect.presets import PRESETS, question_of
from libra_cli.stages.collect.sources import preset_origin
from libra_cli.stream import rows, where
from libra_cli.stream.rows import RowError

CASES = Path(__file__).parents[1] / "cases/collect"


def pair(number: int) -> dict:
    def turns(answer: str) -> list[dict]:
        return [{"role": "user", "content": f"Question {number}?"}, {"role": "assistant", "content": answer}]

    return {"chosen": turns("good"), "rejected": turns("bad"), "source": "s"}


def test_the_stage_offers_every_preset_and_each_has_a_case():
    assert list(choices.PRESETS) == list(PRESETS)
    assert {f"preset-{name}" for name in PRESETS} <= {path.name for path in CASES.iterdir()}


def test_every_preset_says_where_it_is_and_its_filter_can_be_read():
    for preset in PRESETS.values():
        assert preset.about
        assert preset.files or (preset_origin(preset).hub or preset_origin(preset).path) is not None
        if preset.where is not None:
            where.parse(preset.where)


def test_the_chosen_response_is_first_or_second_by_seed_and_not_by_place():
    drawn = {seed: [conversations.chosen_pair(pair(n), seed)["preference"] for n in range(400)] for seed in (0, 1)}
    assert 150 < drawn[0].count("A>B") < 250
    assert drawn[0] != drawn[1]
    assert drawn[0][::-1] == [conversations.chosen_pair(pair(n), 0)["preference"] for n in reversed(range(400))]
    for number in range(20):
        found = conversations.chosen_pair(pair(number), 0)
        assert found[{"A>B": "response_a", "B>A": "response_b"}[found["preference"]]] == "good"


def test_the_order_of_a_pair_does_not_depend_on_names_for_its_speakers():
    for number in range(20):
        talks = [[("human", f"Question {number}?"), ("gpt", answer)] for answer in ("good", "bad")]
        chosen, rejected = ([{"from": role, "value": text} for role, text in talk] for talk in talks)
        is_second = rows.seed_for(0, rows.content_hash(talks), 0) & 1
        found = conversations.chosen_pair({"chosen": chosen, "rejected": rejected}, 0)
        assert found["preference"] == ("B>A" if is_second else "A>B")


def test_the_same_preset_maps_a_copy_with_other_names():
    aime = PRESETS["aime2024"].apply({"ID": "2024-I-1", "Problem": "a?", "Answer": 25}, 0)
    assert aime == {"index": "2024-I-1", "question": "a?", "reference": 25, "subset": "AIME 2024"}
    assert PRESETS["aime2024"].apply({"question": "a?", "answer": "025"}, 0)["reference"] == "25"


@pytest.mark.parametrize(
    ("truth", "answers"),
    [
        ('["5"]', ["5"]),
        ('["1", "2"]', ["1", "2"]),
        ("[0, 1)", ["[0, 1)"]),
        ("[0, 1]", ["[0, 1]"]),
        ("[7]", [7]),
        ("34", ["34"]),
        (34, [34]),
        (None, []),
    ],
)
def test_a_list_of_answers_is_told_from_an_interval(truth, answers):
    row = {"prompt": "a?", "reward_model": {"ground_truth": truth}}
    found = conversations.prompt_with_rule(row, 0)
    assert found.get("references", [found["reference"]] if "reference" in found else []) == answers


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("helpsteer2", {"prompt": "a?", "preference_strength": True}),
        ("helpsteer2", {"preference_strength": 1}),
        ("skywork-preference", {"chosen": [{"role": "user", "content": "a"}], "rejected": []}),
        ("dapo-math", {"prompt": [{"role": "system", "content": "a"}]}),
        ("light-r1", {"conversations": [{"from": "user"}]}),
        ("light-r1", {"conversations": []}),
        ("rmb", {"pair_uid": "1", "category_path": "Pairwise_set/Helpfulness", "chosen_reward": 1.0}),
        ("rmb", {"conversation_input": [{"role": "user", "content": "a"}], "pair_uid": "1", "chosen": {}}),
    ],
)
def test_a_row_of_another_form_is_refused_by_name(name, row):
    with pytest.raises(RowError, match=f"not a row of --preset {name}") as raised:
        PRESETS[name].apply(row, 0)
    assert raised.value.kind == "not_this_preset"


@pytest.mark.parametrize(
    "row",
    [
        {"question": "a?"},
        {"problem": "a?"},
        {"Problem": "a?"},
        {"prompt": "a?"},
        {"prompt": [{"role": "user", "content": "a?"}]},
        {"conversations": [{"from": "human", "value": "a?"}]},
    ],
)
def test_the_problem_of_a_benchmark_row_is_found_in_any_form(row):
    assert question_of(row) == "a?"


def test_a_benchmark_row_without_a_problem_has_none():
    assert question_of({"text": "a?"}) is None
