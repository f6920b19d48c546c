"""The rules of the benchmarks of pairs, on rows small enough to count by hand."""

from __future__ import annotations

from math import isclose, isnan, nan

import numpy as np
import pytest
from benchmark_figures import figures, points_of

from libra_cli.rm_benchmarks import BENCHMARKS, benchmark_of
from libra_cli.rm_benchmarks.rewardbench import PRIOR, SECTIONS

RANK = {"judge_task": "rank"}
UNREAD = {"unjudged": "truncated", "prediction": None}


def only(name, row, protocol="official"):
    """The one point of a row as (group, value, reason)."""
    (point,) = points_of(name, [row], protocol)
    return point.group, point.value, point.reason


# -- RewardBench ----------------------------------------------------------------------------------------------------

REFUSAL = {"prompt": "p", "chosen": "x", "rejected": "y", "subset": "refusals-dangerous"}


@pytest.mark.parametrize(
    ("verdict", "value", "reason"),
    [
        ({"judge_task": "scalar", "scores": [0.2, 0.1]}, 1.0, None),
        ({"judge_task": "scalar", "scores": [0.1, 0.2]}, 0.0, None),
        ({"judge_task": "scalar", "scores": [0.1, 0.1]}, 0.0, None),  # a reward head's tie is wrong
        ({"scores_chosen": 2, "scores_rejected": 1}, 1.0, None),  # a result file of the benchmark
        ({"scores_chosen": [1.0], "scores_rejected": [1.0]}, 0.0, None),
        ({"judge_task": "score", "scores": [3, 3]}, 0.5, None),  # a judge's is half right
        ({"judge_task": "rate", "scores": [9, 4]}, 1.0, None),
        ({"judge_task": "rate", "scores": [9, None], "unjudged": "truncated"}, 0.5, "truncated"),
        ({**RANK, "prediction": "A>>B"}, 1.0, None),
        ({**RANK, "prediction": "B>A"}, 0.0, None),
        ({**RANK, "prediction": "A=B"}, 0.5, None),
        ({**RANK, **UNREAD}, 0.5, "truncated"),
        ({"judge_task": "best", "prediction": 0}, 1.0, None),
        ({"judge_task": "best", "prediction": 1}, 0.0, None),
    ],
)
def test_rewardbench_counts_a_pair(verdict, value, reason):
    assert only("rewardbench", {**REFUSAL, **verdict}) == ("refusals-dangerous", value, reason)


def rewardbench(values, protocol):
    """Sections and overall figure of RewardBench from the means of its subsets."""
    rows = [{**REFUSAL, "subset": subset, **RANK, "prediction": "A>B" if value else "B>A"} for subset, value in values]
    return figures("rewardbench", rows, protocol)


def test_rewardbench_weighs_subsets_by_its_own_counts_whatever_rows_are_given():
    every = [
        (subset, subset in ("math-prm", "mt-bench-hard", "mt-bench-easy")) for s in SECTIONS.values() for subset in s
    ]
    sections, overall = rewardbench(every, "paper")
    # 984 for math-prm, which has 447 rows: as much as six languages of 164 rows.
    assert sections == {"Chat": 28 / 358, "Chat Hard": 37 / 456, "Safety": 0.0, "Reasoning": 0.5}
    assert isclose(overall, (28 / 358 + 37 / 456 + 0.5) / 4)


def test_rewardbench_has_the_published_numbers_of_rows():
    totals = {section: sum(weights.values()) for section, weights in SECTIONS.items()}
    assert totals == {"Chat": 358, "Chat Hard": 456, "Safety": 740, "Reasoning": 984 + 6 * 164}
    assert sum(totals.values()) - 984 + 447 == 2985


@pytest.mark.parametrize("protocol", ["official", "paper"])
@pytest.mark.parametrize(
    ("refuse", "respond", "others", "published"),
    [(147, 243, 282, 0.9058437346437346), (146, 235, 299, 0.9199634959634959)],
)
def test_rewardbench_gives_the_published_figures_of_safety(refuse, respond, others, published, protocol):
    """Of Skywork-Reward-Llama-3.1-8B and -Gemma-2-27B in allenai/reward-bench issue 169, from their only counts."""
    hits = {"xstest-should-refuse": (refuse, 154), "xstest-should-respond": (respond, 250)}
    for subset, rows in [("refusals-dangerous", 100), ("refusals-offensive", 100), ("donotanswer", 136)]:
        hits[subset] = (min(others, rows), rows)
        others -= hits[subset][0]
    values = [(subset, i < right) for subset, (right, rows) in hits.items() for i in range(rows)]
    assert isclose(rewardbench(values, protocol)[0]["Safety"], published, rel_tol=0, abs_tol=1e-15)


def test_the_leaderboard_adds_the_prior_sets_at_half_weight():
    four = [(next(iter(subsets)), section != "Safety") for section, subsets in SECTIONS.items()]
    sections, overall = rewardbench([*four, (PRIOR[0], True), (PRIOR[2], False)], "official")
    assert sections["Prior"] == 0.5  # of those that are there
    assert isclose(overall, (2 + 2 + 0 + 2 + 0.5) / 9)
    assert isclose(rewardbench(four, "official")[1], 3 / 4)  # without them, the four sections alone


@pytest.mark.parametrize("protocol", ["official", "paper"])
def test_a_missing_section_leaves_no_overall_figure(protocol):
    sections, overall = rewardbench([("donotanswer", True), (PRIOR[0], True)], protocol)
    assert sections["Safety"] == 1.0
    assert isnan(sections["Chat"])
    assert isnan(overall)


# -- Preference Proxy Evaluations -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("winner", "prediction", "value", "reason"),
    [
        ("model_a", "A>B", 1.0, None),
        ("model_b", "B>>A", 1.0, None),
        ("model_b", "A>B", 0.0, None),
        ("model_a", "A=B", 0.0, None),
        ("model_a", None, 0.0, "no_verdict"),
        ("tie", "A=B", None, "no_preference"),
        ("tie (bothbad)", "A>B", None, "no_preference"),
    ],
)
def test_ppe_preference(winner, prediction, value, reason):
    row = {"prompt": "p", "response_1": "x", "response_2": "y", "winner": winner, **RANK, "prediction": prediction}
    assert only("ppe-preference", row) == ("PPE Preference", value, reason)


def correctness(subset, scores, **verdict):
    sampled = {"correct": [True, False, True], "sampled_conflict_pairs": [[0, 1], [1, 2], [2, 1]]}
    return {"question_id": "q", "subset": subset, "response_1": "x", **sampled, "scores": scores, **verdict}


def test_ppe_correctness_counts_every_sampled_pair_strictly():
    # right is 0 or 2, wrong is 1: 0.9 > 0.5, 0.5 = 0.5 twice.
    points = points_of("ppe-correctness", [correctness("GPQA", [0.9, 0.5, 0.5])])
    assert [(point.group, point.value) for point in points] == [("GPQA", 1.0), ("GPQA", 0.0), ("GPQA", 0.0)]
    assert len({point.cluster for point in points}) == 1
    unread = points_of("ppe-correctness", [correctness("GPQA", [0.9, None, 0.5], unjudged="truncated")])
    assert [(point.value, point.reason) for point in unread] == [(0.0, "truncated")] * 3


@pytest.mark.parametrize("named", ["MMLU-Pro", "mmlu_pro", "PPE-MMLU-Pro-Best-of-K", "mmlu_pro_best_of_k"])
def test_ppe_correctness_knows_its_benchmarks_by_any_of_their_names(named):
    assert points_of("ppe-correctness", [correctness(named, [1, 0, 1])])[0].group == "MMLU-Pro"


def test_ppe_correctness_by_pair_verdicts():
    judgments = [
        {"pair": [0, 1], "outcome": "A>B"},
        {"pair": [1, 2], "outcome": "A>B"},
        {"pair": [2, 1], "outcome": None},
    ]
    row = correctness("MATH", None, **RANK, judgments=judgments)
    assert [point.value for point in points_of("ppe-correctness", [row])] == [1.0, 0.0, 0.0]


def test_ppe_correctness_without_one_of_the_five_has_no_overall_figure():
    rows = [correctness(subset, [1, 0, 1]) for subset in ("MATH", "GPQA", "IFEval", "MMLU-Pro")]
    assert isnan(figures("ppe-correctness", rows)[1])
    assert figures("ppe-correctness", [*rows, correctness("MBPP-Plus", [0, 1, 1])])[1] == pytest.approx(4 / 5)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"sampled_conflict_pairs": [[0, 1]], "correct": [True, False]}, "--set subset=GPQA"),
        ({"sampled_conflict_pairs": [[0, 1]], "subset": "GPQA", "scores": [0.1, 0.2]}, "--map scores=correct"),
    ],
)
def test_ppe_correctness_says_what_is_missing(row, said):
    with pytest.raises(ValueError, match=said):
        points_of("ppe-correctness", [row])


# -- JudgeBench -----------------------------------------------------------------------------------------------------

PAIR = {"pair_id": "1", "source": "livebench-math", "label": "B>A"}


@pytest.mark.parametrize(
    ("first", "second", "value", "reason"),
    [
        # each as said of the responses as shown: the second time they are swapped
        ("B>A", "A>B", 1.0, None),
        ("B>>A", "A>>B", 1.0, None),
        ("A>B", "B>A", 0.0, None),
        ("B>A", "B>A", 0.0, None),  # one right and one wrong
        ("B>A", "A=B", 1.0, None),  # one right and one tie
        ("A=B", "B>A", 0.0, None),
        ("A=B", "A=B", 0.0, None),
        ("B>A", None, 1.0, None),  # one right and one that cannot be read: a verdict all the same
        (None, None, 0.0, "no_verdict"),
    ],
)
def test_judgebench_adds_up_both_orders(first, second, value, reason):
    texts = [{"text": f"My verdict: [[{said}]]" if said else "I cannot say."} for said in (first, second)]
    assert only("judgebench", {**PAIR, "judgments": texts}) == ("math", value, reason)
    swapped = {"A>B": "B>A", "B>A": "A>B", "A>>B": "B>>A", "B>>A": "A>>B"}.get(second, second)
    judged = [{"outcome": first, "order": "AB"}, {"outcome": swapped, "order": "BA"}]
    assert only("judgebench", {**PAIR, **RANK, "judgments": judged, "prediction": "A>B"}) == ("math", value, reason)


@pytest.mark.parametrize(
    ("scores", "value"),
    [([[1, 2], [2, 1]], 1.0), ([[2, 1], [1, 2]], 0.0), ([[1, 1], [1, 1]], 0.0), ([[1, 1], [2, 1]], 1.0)],
)
def test_judgebench_reads_published_scores_in_the_order_shown(scores, value):
    row = {**PAIR, "judgments": [{"scores": shown} for shown in scores]}
    assert only("judgebench", row) == ("math", value, None)


@pytest.mark.parametrize(("scores", "value"), [([1.0, 2.0], 1.0), ([2.0, 1.0], 0.0), ([1.0, 1.0], 0.0)])
def test_judgebench_of_responses_judged_one_by_one(scores, value):
    row = {
        **PAIR,
        "judge_task": "scalar",
        "scores": scores,
        "judgments": [{"outcome": s, "response": 0} for s in scores],
    }
    assert only("judgebench", row) == ("math", value, None)


def test_judgebench_is_pooled_over_all_pairs():
    right, wrong = ({**PAIR, "judgments": [{"scores": shown}] * 1} for shown in ([1, 2], [2, 1]))
    rows = [right, wrong, wrong, {**right, "source": "mmlu-pro-law"}, {**right, "source": "livecodebench"}]
    sections, overall = figures("judgebench", rows)
    assert sections == pytest.approx({"knowledge": 1, "reasoning": nan, "math": 1 / 3, "coding": 1}, nan_ok=True)
    assert overall == pytest.approx(3 / 5)


def test_judgebench_needs_its_own_fields():
    with pytest.raises(ValueError, match='"source" and "label"'):
        points_of("judgebench", [{"pair_id": "1", "label": "A>B", "source": "elsewhere"}])


# -- any pairs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "value", "reason"),
    [
        ({"preference": "A>B", "prediction": "A>>B"}, 1.0, None),
        ({"preference": "B>A", "prediction": "A>B"}, 0.0, None),
        ({"preference": "A>B", "prediction": "A=B"}, 0.0, None),
        ({"preference": "A=B", "prediction": "A=B"}, 1.0, None),
        ({"preference": "A>B", **UNREAD}, 0.0, "truncated"),
        ({"chosen": "x", "rejected": "y", "prediction": "A>B"}, 1.0, None),
        ({"chosen": ["a"], "rejected": ["b", "c"], "scores": [2, 1, 1]}, 1.0, None),
        ({"chosen": ["a"], "rejected": ["b", "c"], "scores": [2, 1, 2]}, 0.0, None),
        ({"chosen": ["a"], "rejected": ["b", "c"], "scores": [2, 1, None]}, 0.0, "no_verdict"),
        ({"chosen": [{"role": "user"}], "rejected": [{"role": "user"}], "scores": [2, 1]}, 1.0, None),
    ],
)
def test_any_pairs(row, value, reason):
    assert only("pairs", row) == ("all", value, reason)


def test_any_pairs_are_grouped_by_subset():
    rows = [
        {"preference": "A>B", "prediction": said, "subset": subset} for said, subset in [("A>B", "x"), ("B>A", "y")]
    ]
    assert figures("pairs", [*rows, rows[0]]) == ({"x": 1.0, "y": 0.0}, 0.5)


def test_pairs_without_a_preference_are_refused():
    with pytest.raises(ValueError, match='no "preference"'):
        points_of("pairs", [{"response_a": "x", "response_b": "y", "prediction": "A>B"}])


# -- all ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BENCHMARKS)
@pytest.mark.parametrize("protocol", ["official", "paper"])
def test_sections_are_computed_for_all_resamples_at_once(name, protocol):
    benchmark, draw = BENCHMARKS[name], np.random.default_rng(0)
    groups = list(benchmark.groups or ("x", "y"))
    means, ns = draw.random((5, len(groups))), np.full((5, len(groups)), 7.0)
    names, values = benchmark.sections(means, groups, ns, protocol)
    counts = np.full(values.shape, 7.0)
    overall = benchmark.overall(values, names, counts, protocol)
    assert values.shape == (5, len(names))
    assert overall.shape == (5,)
    for at in range(5):
        same, one = benchmark.sections(means[at], groups, ns[at], protocol)
        assert same == names
        assert one == pytest.approx(values[at])
        assert float(benchmark.overall(one, names, counts[at], protocol)) == pytest.approx(overall[at])


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({**PAIR, "judgments": []}, "judgebench"),
        ({"category_path": "Pairwise_set/Harmlessness/S1", "pair_uid": "1"}, "rmb"),
        (correctness("GPQA", [1, 0, 1]), "ppe-correctness"),
        ({"winner": "tie", "response_1": "x"}, "ppe-preference"),
        ({"problem": "p", "solution_reference": "human_to_GPT-4", "score": 1}, "rewardmath"),
        ({"score_chosen": [1, 2, 3], "score_rejected": [1, 2, 3], "domain": "code"}, "rm-bench"),
        ({"chosen": ["a"], "num_correct": 1, "subset": "Precise IF"}, "rewardbench2"),
        ({"prompt": "p", "subset": "shp", "scores": [1, 2]}, "rewardbench"),
        ({"label": 1, "prediction": 0, "subset": "MATH-500"}, "libra-bench"),
        ({"preference": "A>B", "subset": "mine"}, "pairs"),
        ({"question": "p", "response": "r", "score": 3}, None),
    ],
)
def test_a_row_is_recognised(row, name):
    found = benchmark_of(row)
    assert (found.name if found else None) == name
