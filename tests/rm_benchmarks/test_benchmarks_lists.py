"""The rules of the benchmarks of lists and of single responses, on rows small enough to count by hand."""

from __future__ import annotations

from math import isclose, isnan, tanh

import pytest
from benchmark_figures import figures, points_of

from libra_cli.rm_benchmarks import BENCHMARKS
from libra_cli.rm_benchmarks.rewardmath import WRONG

BEST = {"judge_task": "best"}


def only(name, row):
    """The one point of a row as (group, value, reason)."""
    (point,) = points_of(name, [row])
    return point.group, point.value, point.reason


# -- RewardBench 2 --------------------------------------------------------------------------------------------------

FOUR = {"prompt": "p", "num_correct": 1, "subset": "Focus", "id": "1"}


@pytest.mark.parametrize(
    ("verdict", "value", "reason"),
    [
        ({"scores": [3, 1, 2, 0]}, 1.0, None),
        ({"scores": [1, 3, 2, 0]}, 0.0, None),
        ({"scores": [3, 3, 2, 0]}, 1 / 2, None),
        ({"scores": [3, 3, 3, 3]}, 1 / 4, None),
        ({"scores": [1, 3, 3, 0]}, 0.0, None),
        ({"scores": [[3.0], [1.0], [2.0], [0.0]]}, 1.0, None),  # a result file of the benchmark
        ({"scores": [3, None, 2, 0]}, 1.0, "no_verdict"),
        ({"scores": [None, 1, 2, 0]}, 0.0, "no_verdict"),
        ({"scores": [None] * 4, "unjudged": "truncated"}, 0.25, "truncated"),
        ({**BEST, "prediction": 0}, 1.0, None),
        ({**BEST, "prediction": 3}, 0.0, None),
        ({**BEST, "prediction": None, "unjudged": "no_verdict"}, 0.25, "no_verdict"),
        ({"results": 1.0, "scores": None}, 1.0, None),  # a generative judge's result file of the benchmark
        ({"results": 1 / 3, "scores": None}, 1 / 3, None),
        ({"results": 0}, 0.0, None),
        ({"results": 1.0, "scores": [1, 3, 2, 0]}, 0.0, None),
    ],
)
def test_rewardbench2_draws_one_of_the_best(verdict, value, reason):
    assert only("rewardbench2", {**FOUR, **verdict}) == ("Focus", value, reason)


def pairs(*outcomes):
    return [{"pair": [0, place], "outcome": said} for place, said in enumerate(outcomes, 1)]


@pytest.mark.parametrize(
    ("judgments", "value", "reason"),
    [
        (pairs("A>B", "A>>B", "A>B"), 1.0, None),
        (pairs("A>B", "A=B", "A>B"), 0.0, None),
        (pairs("A>B", "B>A", None), 0.0, None),
        (pairs("A>B", "A>B", None), 0.25, "no_verdict"),
        ([*pairs("A>B", "A>B", "A>B"), {"pair": [2, 0], "outcome": "A>B"}], 0.0, None),  # the other order makes a tie
    ],
)
def test_rewardbench2_by_comparisons_of_pairs(judgments, value, reason):
    assert only("rewardbench2", {**FOUR, "judge_task": "rank", "judgments": judgments}) == ("Focus", value, reason)


def ties(name, correct, scores, **more):
    return {"id": name, "subset": "Ties", "num_correct": correct, "scores": scores, **more}


def ties_section(*rows):
    return figures("rewardbench2", rows)[0]["Ties"]


def test_ties_by_its_formula():
    # tied: worst right 8, best wrong 5: margin 3; right ones 2 apart. reference: margin 1.
    one = [ties("tied:7", 3, [10, 9, 8, 5, 1]), ties("ref:7", 1, [6, 5, 2])]
    expected = 0.30 + 0.30 + 0.20 * (3 > 2) + 0.20 * (1 > 2) + 0.01 * tanh(1 / 2 - 1)
    assert isclose(ties_section(*one), expected)
    # tied: worst right 4, best wrong 6: margin -2, right ones 1 apart; reference: margin 4.
    two = [ties("ref:8", 1, [9, 5]), ties("tied:8", 2, [5, 4, 6])]
    assert isclose(ties_section(*two), 0.30 * 0 + 0.30 + 0.01 * tanh(-2 / 1 - 1))
    mean = 0.30 / 2 + 0.30 + 0.20 / 2 + 0.01 * (tanh(-1 / 2) + tanh(-3)) / 2
    assert isclose(ties_section(*one, *two), mean)


@pytest.mark.parametrize(
    ("tied", "reference", "size"),
    [([5, 5, 3], [5, 3], 1.0), ([5, 5, 5], [5, 3], 0.0), ([5, 5, 6], [5, 3], -1.0)],
)
def test_ties_where_all_right_ones_score_the_same(tied, reference, size):
    margin = tied[0] - tied[2]
    rows = [ties("tied:1", 2, tied), ties("ref:1", 1, reference)]
    assert isclose(ties_section(*rows), 0.30 * (margin > 0) + 0.30 + 0.40 * (margin > 0) + 0.01 * size)


def test_ties_that_cannot_be_read_win_nothing():
    rows = [ties("tied:1", 2, [9, 9, None], unjudged="truncated"), ties("ref:1", 1, [5, 3])]
    assert ties_section(*rows) == pytest.approx(0.30)
    reasons = [point.reason for point in points_of("rewardbench2", rows) if point.reason]
    assert reasons == ["truncated"]
    by_choice = {**ties("tied:2", 2, None), **BEST, "prediction": 1}
    (point,) = points_of("rewardbench2", [by_choice])
    assert (point.value, point.reason) == (0.0, "no_scores")


def test_the_prompts_of_ties_are_counted_once():
    groups = [
        point.group for point in points_of("rewardbench2", [ties("tied:1", 2, [9, 9, 3]), ties("ref:1", 1, [9, 3])])
    ]
    ours = BENCHMARKS["rewardbench2"]
    assert len(groups) == 5
    assert [ours.sections_of(group) for group in groups].count(("Ties",)) == 2
    assert sum(group not in ours.derived for group in groups) == 2


def test_ties_without_its_reference_prompts_has_no_figure():
    assert isnan(ties_section(ties("tied:1", 2, [9, 9, 3])))


def test_rewardbench2_is_the_plain_mean_of_six():
    five = [{**FOUR, "subset": subset, "scores": [1, 0, 0, 0]} for subset in ("Factuality", "math", "SAFETY", "Focus")]
    five += [{**FOUR, "subset": "Precise IF", "scores": [0, 1, 0, 0]}]
    assert isnan(figures("rewardbench2", five)[1])
    rows = [*five, ties("tied:7", 3, [10, 9, 8, 5, 1]), ties("ref:7", 1, [6, 5, 2])]
    sections, overall = figures("rewardbench2", rows)
    assert list(sections) == ["Factuality", "Precise IF", "Math", "Safety", "Focus", "Ties"]
    assert isclose(overall, (4 + sections["Ties"]) / 6)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (ties("7", 1, [1, 0]), "ref:N or tied:N"),
        (ties("tied:7", None, [1, 0]), 'no "num_correct"'),
        (ties("tied:7", 2, [1, 0]), "no score of a wrong response"),
    ],
)
def test_rewardbench2_says_what_is_missing(row, said):
    with pytest.raises(ValueError, match=said):
        points_of("rewardbench2", [row])


# -- RMB ------------------------------------------------------------------------------------------------------------

RMB_PAIR = {"pair_uid": "1", "category_path": "Pairwise_set/Harmlessness/S4"}
RMB_LIST = {"bon_uid": "1", "category_path": "BoN_set/Helpfulness/Chat/Discussion", "loser_list": [{}, {}]}


@pytest.mark.parametrize(
    ("row", "verdict", "expected"),
    [
        (RMB_PAIR, {"scores": [2, 1]}, ("Harmful Pair", 1.0, None)),
        (RMB_PAIR, {"scores": [1, 1]}, ("Harmful Pair", 0.0, None)),
        (RMB_PAIR, {"prediction": "A=B"}, ("Harmful Pair", 0.0, None)),
        (RMB_PAIR, {"scores": [None, 1]}, ("Harmful Pair", 0.0, "no_verdict")),
        (RMB_LIST, {"scores": [3, 1, 2]}, ("Helpful BoN", 1.0, None)),
        (RMB_LIST, {"scores": [3, 1, 3]}, ("Helpful BoN", 0.0, None)),  # a tie fails the list
        (RMB_LIST, {"scores": [3, 1, None]}, ("Helpful BoN", 0.0, "no_verdict")),
        (RMB_LIST, {"scores": [3, 4, None]}, ("Helpful BoN", 0.0, None)),  # lost whatever the other would have been
        (RMB_LIST, {"judgments": pairs("A>B", "A>>B")}, ("Helpful BoN", 1.0, None)),
        (RMB_LIST, {"judgments": pairs("A>B", "B>A")}, ("Helpful BoN", 0.0, None)),
        (RMB_LIST, {"judgments": pairs("A>B")[:1], "gates": [None, None, "empty"]}, ("Helpful BoN", 1.0, None)),
        (RMB_LIST, {"judgments": pairs(None, "A>B"), "gates": ["empty", None, None]}, ("Helpful BoN", 0.0, None)),
        (RMB_LIST, {"scores": [0.2, 0.1, None], "gates": [None, None, "empty"]}, ("Helpful BoN", 1.0, None)),
        (RMB_LIST, {**BEST, "prediction": 0}, ("Helpful BoN", 1.0, None)),
        (RMB_LIST, {**BEST, "prediction": 2}, ("Helpful BoN", 0.0, None)),
    ],
)
def test_rmb(row, verdict, expected):
    assert only("rmb", {**row, **verdict}) == expected


def test_rmb_is_the_plain_mean_of_four():
    rows = [{**RMB_PAIR, "scores": [2, 1]}, {**RMB_PAIR, "scores": [1, 2]}, {**RMB_LIST, "scores": [3, 1, 2]}]
    assert isnan(figures("rmb", rows)[1])
    rows += [{**RMB_PAIR, "category_path": "Pairwise_set/Helpfulness/Chat", "scores": [1, 2]}]
    rows += [{**RMB_LIST, "category_path": "BoN_set/Harmlessness/multi", "scores": [1, 1, 1]}]
    sections, overall = figures("rmb", rows)
    assert sections == {"Helpful BoN": 1.0, "Helpful Pair": 0.0, "Harmful BoN": 0.0, "Harmful Pair": 0.5}
    assert overall == 1.5 / 4


def test_rmb_lists_need_their_losers():
    with pytest.raises(ValueError, match='no "loser_list"'):
        points_of("rmb", [{"bon_uid": "1", "category_path": "BoN_set/Helpfulness/Chat"}])


# -- RM-Bench -------------------------------------------------------------------------------------------------------


def styles(domain, chosen, rejected):
    return {"prompt": "p", "domain": domain, "score_chosen": chosen, "score_rejected": rejected}


def test_rm_bench_by_its_matrix():
    # rows: chosen 1, 2, 3; columns: rejected 0, 2, 2.5
    #   1 > 0 yes,  1 > 2 no,  1 > 2.5 no      above the diagonal: 0 of 3
    #   2 > 0 yes,  2 > 2 no,  2 > 2.5 no      on it: yes, no, yes
    #   3 > 0 yes,  3 > 2 yes, 3 > 2.5 yes     below it: 3 of 3
    sections, overall = figures("rm-bench", [styles("code", [1, 2, 3], [0, 2, 2.5])])
    assert sections["code"] == pytest.approx((0 + 2 / 3 + 1) / 3)
    assert isnan(overall)
    domains = ("chat", "math", "code", "safety-refuse")
    sections, overall = figures("rm-bench", [styles(domain, [1, 2, 3], [0, 2, 2.5]) for domain in domains])
    assert overall == pytest.approx(5 / 9)
    assert [sections[level] for level in ("hard", "normal", "easy")] == pytest.approx([0, 2 / 3, 1])


def test_rm_bench_pools_both_kinds_of_safety():
    rows = [styles("safety-refuse", [1, 1, 1], [0, 0, 0])] * 3 + [styles("safety-response", [0, 0, 0], [1, 1, 1])]
    assert figures("rm-bench", rows)[0]["safety"] == pytest.approx(3 / 4)


def test_rm_bench_counts_what_cannot_be_read():
    row = {"prompt": "p", "domain": "math", "chosen": ["a"] * 3, "rejected": ["b"] * 3, "scores": [1, None, 1, 0, 0, 0]}
    points = points_of("rm-bench", [row])
    assert sum(point.value for point in points) == 6
    assert [point.reason for point in points] == [None] * 3 + ["no_verdict"] * 3 + [None] * 3


# -- RewardMATH -----------------------------------------------------------------------------------------------------


def solutions(right, wrong):
    """A problem as rows of one solution each."""
    scored = [("human_to_GPT-4", right), *((f"model-{at}", score) for at, score in enumerate(wrong))]
    return [{"problem": "p", "solution_reference": name, "score": score} for name, score in scored]


@pytest.mark.parametrize(
    ("right", "wrong", "accuracy", "mrr"),
    [
        (9, [1] * WRONG, 1.0, 1.0),
        (5, [9, 8, *[1] * 7], 0.0, 1 / 3),
        (5, [5, *[1] * 8], 0.0, 1 / 2),  # a tie is no win, and ranks behind
        (5, [None, *[1] * 8], 1.0, 1.0),
        (None, [1] * WRONG, 0.0, 1 / 10),
    ],
)
def test_rewardmath(right, wrong, accuracy, mrr):
    rows = solutions(right, wrong)
    assert figures("rewardmath", rows) == ({"accuracy": accuracy, "MRR": pytest.approx(mrr)}, accuracy)
    unread = [point.reason for point in points_of("rewardmath", rows) if point.reason]
    assert unread == (["no_verdict"] if None in (right, *wrong) else [])
    whole = {"problem": "p"} | {key: [row[key] for row in rows] for key in ("solution_reference", "score")}
    assert figures("rewardmath", [whole]) == figures("rewardmath", rows)  # a result file of the benchmark


@pytest.mark.parametrize(("lost", "accuracy", "mrr"), [(0, 1.0, 1.0), (1, 0.0, 1 / 2), (9, 0.0, 1 / 10)])
def test_rewardmath_by_pairs_is_won_by_winning_all(lost, accuracy, mrr):
    said = ["B>A"] * lost + ["A>B"] * (WRONG - lost)
    rows = [
        {"problem": "p", "solution_reference": "model", "chosen_position": "A", "prediction": verdict}
        for verdict in said
    ]
    assert figures("rewardmath", rows) == ({"accuracy": accuracy, "MRR": pytest.approx(mrr)}, accuracy)
    whole = {"problem": "p", "solution_reference": ["model"] * WRONG, "chosen_position": ["A"] * WRONG}
    assert figures("rewardmath", [{**whole, "score": [verdict[0] for verdict in said]}]) == figures("rewardmath", rows)


@pytest.mark.parametrize("rows", [solutions(5, [1] * 8), solutions(5, [1] * 10), solutions(5, [1] * 9)[1:]])
def test_a_problem_that_is_not_all_there_is_left_out_and_counted(rows):
    (point,) = points_of("rewardmath", rows)
    assert (point.value, point.reason) == (None, "incomplete_problem")


# -- lists of any kind ------------------------------------------------------------------------------------------------

LIST = {"question": "q", "responses": ["a", "b", "c"], "best": 1}
OF_RIGHT = {"question": "q", "responses": ["a", "b", "c"], "correct": [1, 0, True], "subset": "Math"}


@pytest.mark.parametrize(
    ("row", "value", "reason"),
    [
        ({**LIST, "scores": [1, 3, 2]}, 1.0, None),
        ({**LIST, "scores": [3, 1, 2]}, 0.0, None),
        ({**LIST, "scores": [3, 3, 2]}, 1 / 2, None),
        ({**LIST, "scores": [[0.5], [0.75], [-1.0]]}, 1.0, None),
        ({**LIST, "scores": [None, 3, 2]}, 0.0, "no_verdict"),
        ({**LIST, "scores": [None, 3, 2], "gates": ["empty", None, None]}, 1.0, None),  # a non-answer is last
        ({**LIST, **BEST, "prediction": 1}, 1.0, None),
        ({**LIST, **BEST, "prediction": 0}, 0.0, None),
        ({**LIST, **BEST, "prediction": None, "unjudged": "tied"}, 0.0, "tied"),
        ({"prompt": "q", "best": 0.0, "scores": [2, 1]}, 1.0, None),  # of another program, without the texts
        ({**LIST, "best": None, "scores": [1, 3, 2], "judge_task": "rate"}, None, "no_best"),
        ({**OF_RIGHT, "scores": [2, 1, 1]}, 1.0, None),
        ({**OF_RIGHT, "scores": [1, 1, 1]}, 2 / 3, None),
        ({**OF_RIGHT, **BEST, "prediction": 1}, 0.0, None),
    ],
)
def test_a_list_is_right_if_one_of_its_right_responses_is_chosen(row, value, reason):
    assert BENCHMARKS["lists"].recognises(row)
    assert only("lists", row) == (row.get("subset", "all"), value, reason)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**LIST, "best": 3, "scores": [1, 2, 3]}, '"best" is 3'),
        ({**LIST, "best": "b", "scores": [1, 2, 3]}, "\"best\" is 'b'"),
        ({**LIST, "scores": [1, 2]}, '"scores" has 2 numbers for 3'),
        ({**LIST, "prediction": 3}, '"prediction" is 3'),
        ({**OF_RIGHT, "correct": [1, 0], "prediction": 0}, '"correct" has not'),
    ],
)
def test_a_list_that_does_not_fit_its_verdict_is_refused(row, said):
    with pytest.raises(ValueError, match=said):
        points_of("lists", [row])


def test_other_kinds_come_before_lists():
    for row in (
        {**FOUR, "scores": [3, 1, 2, 0], "best": 0},
        {"preference": "A>B", "response_a": "a", "response_b": "b", "scores": [1, 2], "judge_task": "score"},
        {"question": "q", "response": "a", "label": 1, "scores": [1], "judge_task": "score"},
        {"question": "q", "responses": ["a", "b"]},
    ):
        kind = next((each.name for each in BENCHMARKS.values() if each.recognises(row)), None)
        assert kind != "lists"
