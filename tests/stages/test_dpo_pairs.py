"""`libra dpo-pairs`: which pairs are made, of what, and that nothing else is."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_cli.stages.dpo_pairs.opinions import MOST_JUDGES
from libra_cli.stages.dpo_pairs.pairing import PairRule, pairs_of
from libra_cli.stages.dpo_pairs.report import flips_of, pair_flips, read_confusion

VALUES = st.lists(st.sampled_from([0.0, 1.0]), max_size=9)


def lengths_for(values: list[float], data: st.DataObject) -> list[int]:
    return data.draw(st.lists(st.integers(0, 9), min_size=len(values), max_size=len(values)))


@given(values=VALUES, data=st.data(), matching=st.sampled_from(["random", "length"]))
def test_as_many_pairs_as_the_scarcer_kind_each_of_both_kinds_and_none_used_twice(values, data, matching) -> None:
    pairs = pairs_of(values, lengths_for(values, data), PairRule(matching=matching))
    assert len(pairs) == min(values.count(1.0), values.count(0.0))
    assert all((values[better], values[worse]) == (1.0, 0.0) for better, worse in pairs)
    assert len({n for pair in pairs for n in pair}) == 2 * len(pairs)


@given(values=st.lists(st.sampled_from([0.0, 1.0]), max_size=7), data=st.data())
def test_lengths_are_matched_as_closely_as_can_be(values, data) -> None:
    lengths = lengths_for(values, data)
    better, worse = ([n for n, value in enumerate(values) if value == wanted] for wanted in (1.0, 0.0))
    pairs = pairs_of(values, lengths, PairRule(matching="length"))
    few, many = sorted((better, worse), key=len)
    choices = itertools.permutations(many, len(few))
    least = min(sum(abs(lengths[a] - lengths[b]) for a, b in zip(few, one, strict=True)) for one in choices)
    distances = [abs(lengths[a] - lengths[b]) for a, b in pairs]
    assert sum(distances) == least
    assert distances == sorted(distances)  # so that --per-query keeps the closest


@given(values=st.lists(st.sampled_from([0.0, 1.0, 2.0, 2.5, 4.0]), max_size=9), margin=st.sampled_from([0.0, 1.0, 2.0]))
def test_by_score_the_outermost_meet(values, margin) -> None:
    pairs = pairs_of(values, [0] * len(values), PairRule(by_score=True, margin=margin))
    distances = [values[a] - values[b] for a, b in pairs]
    assert all(distance >= max(margin, 1e-9) for distance in distances)
    assert distances == sorted(distances, reverse=True)
    assert len({n for pair in pairs for n in pair}) == 2 * len(pairs)
    ordered = sorted(values)
    outermost = [high - low for low, high in zip(ordered, reversed(ordered), strict=True)][: len(values) // 2]
    assert distances == [distance for distance in outermost if distance >= margin and distance > 0]


def test_a_limit_of_a_query_keeps_the_first() -> None:
    values = [1.0, 0.0, 1.0, 0.0]
    whole = pairs_of(values, [5, 9, 5, 6], PairRule(matching="length"))
    assert pairs_of(values, [5, 9, 5, 6], PairRule(matching="length", per_query=1)) == whole[:1] == [(0, 3)]


# -- the command ------------------------------------------------------------------------------------------------------


def judged(query: int, sample: int, prediction: int | None, judge: str = "j", **more: Any) -> dict[str, Any]:
    row = {"id": f"q{query}", "question": f"What is {query}?", "model": "m", "sample": sample, "n_tokens": sample,
           "response_with_cot": f"<think>t</think>It is {sample}.", "response": f"It is {sample}.", "judge": judge,
           "judge_task": "score", "score": None if prediction is None else 4 * prediction, "prediction": prediction,
           "judgments": []}  # fmt: skip
    return {**row, **more}


def run(shell, tmp_path: Path, rows: list[dict[str, Any]], *options: str, status: int = 0) -> tuple[list[Any], str]:
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ended = shell(["libra", "dpo-pairs", *options, "in.jsonl"])
    assert ended.status == status, ended.err
    return [json.loads(line) for line in ended.out.splitlines()], ended.err.decode()


SIX = [judged(1, n, label) for n, label in enumerate([1, 1, 1, 0, 0, None])]


def test_pairs_are_conversations_and_every_row_is_accounted_for(shell, tmp_path) -> None:
    pairs, said = run(shell, tmp_path, [*SIX, judged(2, 0, 1), {**SIX[0], "sample": 9}])
    assert "8 in = 2 out + 0 errors + 6 filtered (duplicate 1, null 1, second_of_pair 2, unpaired 2)" in said
    for pair in pairs:
        assert list(pair) == ["id", "prompt", "chosen", "rejected", "chosen_model", "rejected_model", "chosen_value",
                              "rejected_value", "source"]  # fmt: skip
        (asked,) = pair["prompt"]
        assert asked["content"].startswith("What is 1?")
        assert [turn["role"] for turn in (*pair["chosen"], *pair["rejected"])] == ["assistant"] * 2
        assert pair["chosen"][0]["content"] in {SIX[n]["response_with_cot"] for n in (0, 1, 2)}
        assert pair["rejected"][0]["content"] in {SIX[n]["response_with_cot"] for n in (3, 4)}
        assert (pair["chosen_value"], pair["rejected_value"]) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("task", "options", "decided"),
    [
        ("score", [], {0.5: 0, 2: 0, 2.5: 1, 4: 1}),
        ("rate", [], {2.5: 0, 5: 0, 5.5: 1}),
        ("score", ["--threshold", "0.5"], {0: 0, 0.5: 0, 1: 1}),
        ("scalar", [], {0.5: None, 2: None}),
        ("scalar", ["--threshold", "-1"], {-2: 0, -1: 0, 0.5: 1}),
        ("verify", [], {}),
    ],
)
def test_a_score_without_a_verdict_is_read_by_a_threshold(shell, tmp_path, task, options, decided) -> None:
    scores = [*decided, None]
    rows = [judged(1, n, None) | {"score": score, "judge_task": task} for n, score in enumerate(scores)]
    rows.append(judged(1, len(rows), 1) | {"score": -9, "judge_task": task})  # a verdict stands
    made, said = run(shell, tmp_path, rows, "--unpaired", *options)
    known = {n: bool(value) for n, value in enumerate(decided.values()) if value is not None}
    found = {int(row["completion"][0]["content"].split()[-1][:-1]): row["label"] for row in made}
    assert found == known | {len(scores): True}
    unread = sum(value is None for value in decided.values())
    assert (f"{unread} rows have a score and no verdict: --threshold X makes one of it" in said) == (unread > 0)


def test_the_same_bytes_whatever_the_order_and_others_with_another_seed(shell, tmp_path) -> None:
    rows = [judged(query, n, (n + query) % 2) for query in range(9) for n in range(6)]
    once, _ = run(shell, tmp_path, rows)
    assert run(shell, tmp_path, rows[::-1])[0] == once
    other, _ = run(shell, tmp_path, rows, "--seed", "1")
    assert sorted(pair["id"] for pair in other) == sorted(pair["id"] for pair in once)
    assert other != once


@pytest.mark.parametrize(
    ("consensus", "votes", "value"),
    [
        ("all", (1, 1, 1), 1), ("all", (1, 1, 0), None), ("all", (1, 1, None), None),
        ("majority", (1, 1, 0), 1), ("majority", (0, 0, None), 0), ("majority", (1, 0, None), None),
        ("majority", (1, None, None), None),
    ],
)  # fmt: skip
def test_several_judges_decide_together(shell, tmp_path, consensus, votes, value) -> None:
    rows = [judged(1, 0, vote, judge) for judge, vote in zip("abc", votes, strict=True)]
    rows += [judged(1, 1, 1, judge) for judge in "abc"] + [judged(1, 2, 0, judge) for judge in "abc"]
    lines, _ = run(shell, tmp_path, rows, "--consensus", consensus, "--unpaired")
    labels = {line["completion"][0]["content"][-2]: line["label"] for line in lines}
    assert labels == {"1": True, "2": False, **({} if value is None else {"0": bool(value)})}


def test_scores_of_several_judges_are_averaged_and_a_missing_one_is_no_score(shell, tmp_path) -> None:
    scores = {0: (4, 2), 1: (1, 1), 2: (4, None)}
    rows = [
        judged(1, n, None, judge, score=score)
        for n, of in scores.items()
        for judge, score in zip("ab", of, strict=True)
    ]
    (pair,), said = run(shell, tmp_path, rows, "--by", "score")
    assert (pair["chosen_value"], pair["rejected_value"]) == (3.0, 1.0)
    assert "null 2" in said
    assert run(shell, tmp_path, rows, "--by", "score", "--margin", "2.5")[0] == []


def test_a_response_that_not_all_judges_saw_is_no_agreement(shell, tmp_path) -> None:
    rows = [
        judged(1, 0, 1, "a"),
        judged(1, 0, 1, "b"),
        judged(1, 1, 0, "a"),
        judged(1, 2, 0, "a"),
        judged(1, 2, 0, "b"),
    ]
    pairs, said = run(shell, tmp_path, rows)
    assert [pair["source"] for pair in pairs] == ["q1/m/0 > q1/m/2"]
    assert "missing_judge 1" in said


def test_names_of_judges_that_are_none_are_refused(shell, tmp_path) -> None:
    rows = [judged(1, n, n % 2, f"judge of row {n}") for n in range(MOST_JUDGES + 2)]
    _, said = run(shell, tmp_path, rows, "--consensus", "majority", status=3)
    assert 'more than 256 judges; "judge" names who judged the row' in said
    assert "errors (too_many_judges 2)" in said


def test_a_judge_that_contradicts_itself_has_no_say(shell, tmp_path) -> None:
    rows = [judged(1, 0, 1), judged(1, 0, 0), judged(1, 1, 0)]
    pairs, said = run(shell, tmp_path, rows)
    assert (pairs, "contradictory 2" in said) == ([], True)


def test_by_label_no_judge_is_needed_and_a_null_is_left_out(shell, tmp_path) -> None:
    rows = [{k: v for k, v in judged(1, n, None).items() if k not in ("judge", "judge_task", "prediction", "score",
            "judgments")} | {"label": label} for n, label in enumerate([1, 0, None])]  # fmt: skip
    pairs, said = run(shell, tmp_path, rows, "--by", "label")
    assert (len(pairs), "null 1" in said) == (1, True)
    pairs, said = run(shell, tmp_path, rows, status=3)
    assert pairs == []
    assert 'no "prediction": run libra judge first, or --by label' in said


def test_datasets_reads_the_output_as_it_is(shell, tmp_path) -> None:
    datasets = pytest.importorskip("datasets")
    for name, options in (("pairs", []), ("single", ["--unpaired"])):
        lines, _ = run(shell, tmp_path, SIX, *options)
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        table = datasets.load_dataset("json", data_files=str(tmp_path / f"{name}.jsonl"), split="train",
                                      cache_dir=str(tmp_path / "cache"))  # fmt: skip
        wanted = {"prompt", "completion", "label"} if options else {"prompt", "chosen", "rejected"}
        assert wanted <= set(table.column_names)
        assert len(table) == len(lines)


def test_the_report_tells_the_length_bias_and_the_flips(shell, tmp_path) -> None:
    (tmp_path / "score.json").write_text(json.dumps({"confusion": {"tp": 80, "fn": 20, "fp": 10, "tn": 90}}))
    rows = [judged(1, n, label, n_tokens=tokens) for n, (label, tokens) in enumerate([(1, 30), (0, 10), (1, 50)])]
    run(shell, tmp_path, rows, "--report", "r.json", "--confusion", "score.json", "--match", "length")
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["length"] == {"unit": "tokens", "chosen": 30.0, "rejected": 10.0, "chosen_is_longer": 1.0}
    base_rate = (2 / 3 - 0.1) / 0.7
    assert report["flips"] == pytest.approx(
        {"tpr": 0.8, "fpr": 0.1, "base_rate": base_rate, **pair_flips(0.8, 0.1, base_rate)}
    )


# -- flips ------------------------------------------------------------------------------------------------------------


def test_flips_are_those_of_the_worked_example() -> None:
    expected = {"ppv": 0.888889, "npv": 0.818182, "right": 0.727273, "flipped": 0.020202, "tied": 0.252525,
                "label_smoothing": 0.027027}  # fmt: skip
    assert pair_flips(0.8, 0.1, 0.5) == pytest.approx(expected, abs=1e-6)


def test_flips_are_the_shares_that_are_counted() -> None:
    """Every pair of a response that is called correct and one that is called incorrect, in a world of 200 responses."""
    cells = {"tp": 80, "fn": 20, "fp": 10, "tn": 90}
    positive = [1] * cells["tp"] + [0] * cells["fp"]
    negative = [1] * cells["fn"] + [0] * cells["tn"]
    counted = Counter((a > b) - (a < b) for a in positive for b in negative)
    total = len(positive) * len(negative)
    found = flips_of(cells, len(positive) / 200)
    assert found["base_rate"] == pytest.approx(0.5)
    assert [found["right"], found["flipped"], found["tied"]] == pytest.approx(
        [counted[1] / total, counted[-1] / total, counted[0] / total]
    )


def test_a_judge_that_tells_nothing_apart_has_no_flips() -> None:
    assert flips_of({"tp": 1, "fn": 1, "fp": 1, "tn": 1}, 0.5)["base_rate"] is None
    assert set(pair_flips(1.0, 1.0, 0.5).values()) == {None}


NO_REPORTS = (
    "", "[]", "{}", "[" * 5000, '{"confusion": {"tp": 1}}', '{"confusion": {"tp": 1, "fn": 1, "fp": 0, "tn": 0}}',
    '{"confusion": {"tp": -1, "fn": 1, "fp": 1, "tn": 1}}',
)  # fmt: skip


@pytest.mark.parametrize("text", NO_REPORTS)
def test_what_is_no_report_of_score_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ValueError, match=r"is not JSON|has no \"confusion\"|of one label only"):
        read_confusion(str(tmp_path / "r.json"))
