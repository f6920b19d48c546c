"""What `libra score` makes of rows: columns, matches between judges, answers, examples, options."""

from __future__ import annotations

import json
import re
from math import isclose

import numpy as np
import pytest

from libra_cli.exits import Exit, Fatal
from libra_cli.reports.page_examples import differing
from libra_cli.reports.parts import parts
from libra_cli.rm_benchmarks.published import rank_among_published
from libra_cli.stages.score.answers import grouped_answers
from libra_cli.stages.score.columns import ProblemNames, item_keys
from libra_cli.stages.score.reading import ScoreConfig
from libra_cli.stages.score.row_hashes import RowHashes
from libra_cli.stages.score.run import score


@pytest.fixture
def scored(tmp_path):
    """`scored([row...], ...)`: the reports and comparisons of files of these rows, without resamples unless told."""

    def run(*files, **how):
        paths = [tmp_path / f"{number}.jsonl" for number in range(len(files))]
        for path, rows in zip(paths, files, strict=True):
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return score(tuple(map(str, paths)), ScoreConfig(**{"resamples": 0, **how}), lambda _: None)

    return run


def report_of(found):
    (report,) = found["reports"]
    return report


def row(question, label, score, **more):
    return {"question": question, "label": label, "score": score, "judge": "j", "judge_task": "score", **more}


# -- pointwise --------------------------------------------------------------------------------------------------------


def test_a_file_with_part_of_the_benchmark_has_no_overall_figure(scored):
    rows = [row("a", 1, 4, subset="MATH-500"), row("b", 0, 4, subset="MATH-500")]
    report = report_of(scored(rows, resamples=20))
    assert (report["overall"], report["interval"]) == (None, None)
    assert report["sections"]["MATH-500"]["value"] == 0.5
    assert list(report["sections"]) == ["MATH-500"]
    assert any("no rows of AIME 2024, AIME 2025" in note for note in report["notes"])
    assert report_of(scored(rows, kind="pointwise"))["overall"] == 0.5


def test_libra_bench_is_the_plain_mean_of_its_three_subsets(scored):
    """2 of 3, 0 of 1 and 1 of 1 are right, however many rows each has; one without a verdict is not right."""
    verdicts = [("MATH-500", 1), ("MATH-500", 1), ("MATH-500", None), ("AIME 2024", 0), ("AIME 2025", 1)]
    report = report_of(scored([row(subset, 1, None, subset=subset, prediction=said) for subset, said in verdicts]))
    assert {name: found["value"] for name, found in report["sections"].items()} == {
        "MATH-500": pytest.approx(2 / 3),
        "AIME 2024": 0.0,
        "AIME 2025": 1.0,
    }
    assert report["overall"] == pytest.approx(5 / 9)


def test_rows_of_a_problem_are_resampled_together(scored):
    rows = [row(f"q{number % 4}", 1, 4 if number % 4 < 2 else 0) for number in range(40)]
    report = report_of(scored(rows, resamples=500))
    assert report["bootstrap"] == {"resamples": 500, "seed": 0, "unit": "problem", "n_units": 4}
    assert report["interval"] == [0.0, 1.0]  # of four problems all may be the right ones


def test_bare_rows_are_resampled_one_by_one(scored):
    report = report_of(scored([{"label": 1, "prediction": number % 2} for number in range(40)], resamples=200))
    assert report["bootstrap"]["unit"] == "row"
    assert report["bootstrap"]["n_units"] == 40
    assert any("do not name their problem" in note for note in report["notes"])


def test_where_all_is_right_the_interval_is_wilsons(scored):
    report = report_of(scored([row(f"q{number}", 1, 4) for number in range(20)], resamples=50))
    low, high = report["interval"]
    assert high == 1.0
    assert isclose(low, 1 / (1 + 1.959963984540054**2 / 20))


def test_wilsons_interval_is_over_the_problems_with_such_responses(scored):
    """Of 400 problems 40 have a correct response: n / (n + z^2) is the lower end where all n are right."""
    rows = [row(f"q{number}", int(number < 40), 4 * (number < 40)) for number in range(400)]
    found = report_of(scored(rows, resamples=50))["intervals"]
    squared = 1.959963984540054**2
    assert found["accuracy_correct"] == [pytest.approx(40 / (40 + squared)), 1.0]
    assert found["accuracy_incorrect"] == [pytest.approx(360 / (360 + squared)), 1.0]
    assert found["macro_f1"] is None


def test_ratings_without_a_task_count_as_correct_above_2(scored):
    rows = [{"label": 1, "score": 3}, {"label": 0, "score": 2}, {"label": 0, "score": 0}]
    report = report_of(scored(rows))
    assert (report["threshold"], report["threshold_how"], report["overall"]) == (2.0, "fixed", 1.0)
    assert "ratings from 0 to 4" in report["notes"][1]


def test_rewards_are_cut_where_it_is_best_and_have_no_probabilities(scored):
    rows = [row(f"q{number}", number % 2, number % 2 - 7.25, judge_task="scalar") for number in range(8)]
    report = report_of(scored(rows))
    assert (report["threshold"], report["threshold_how"], report["overall"]) == (-6.75, "searched", 1.0)
    assert report["calibration"]["roc_auc"] == 1.0
    assert (report["calibration"]["brier"], report["calibration"]["reliability"]) == (None, None)


def test_rows_without_any_verdict_have_no_predictions_of_their_own(scored):
    rows = [row("a", 1, None), row("b", 0, None)]
    facts = dict(parts(scored(rows))[0].facts)
    assert facts["threshold"] == "none: no row has a verdict"
    rows[0]["prediction"] = 1
    assert dict(parts(scored(rows))[0].facts)["threshold"] == "none: the rows have predictions of their own"


def test_a_tie_of_votes_is_no_verdict(scored):
    rows = [row("a", 1, 0.5, judge_task="verify", prediction=None), row("b", 1, 1, judge_task="verify", prediction=1)]
    report = report_of(scored(rows))
    assert (report["n_null"], report["null_reasons"], report["overall"]) == (1, {"tied": 1}, 0.5)
    assert report["threshold_how"] == "given"


def test_a_gated_response_is_judged_incorrect_at_any_threshold(scored):
    rows = [row("a", 1, None, prediction=0, gate="empty"), row("a", 0, None, prediction=0, gate="empty")]
    rows += [row("b", 1, 4), row("b", 0, 1)]
    for threshold in (None, -5.0, "search"):
        report = report_of(scored(rows, threshold=threshold))
        assert report["n_null"] == 0
        assert report["confusion"]["fn"] == 1
    assert report["overall"] == 0.75


def test_a_gated_response_without_a_prediction_is_judged_incorrect_beside_predictions(scored):
    rows = [row("a", 1, None, prediction=None, gate="empty"), row("b", 1, 4, prediction=1)]
    report = report_of(scored(rows))
    assert (report["threshold_how"], report["n_null"], report["confusion"]["fn"]) == ("given", 0, 1)


@pytest.mark.parametrize("order", [1, -1])
def test_predictions_and_bare_scores_do_not_mix(scored, order):
    rows = [row("a", 1, 4, prediction=1), row("b", 0, 3)][::order]
    with pytest.raises(Fatal, match=r"0\.jsonl:2: some rows have a prediction, others only a score.*--threshold T"):
        scored(rows)
    assert report_of(scored(rows, threshold=2.0))["confusion"] == {"tp": 1, "tn": 0, "fp": 1, "fn": 0}


def test_a_row_without_a_score_is_no_tie_where_scores_are_cut(scored):
    rows = [row("a", 1, None, prediction=1), row("b", 1, 4, prediction=1)]
    assert report_of(scored(rows, threshold=2.0))["null_reasons"] == {"no_score": 1}


@pytest.mark.parametrize(("task", "surest"), [("rate", "low"), ("score", "high")])
def test_predictions_are_as_sure_as_their_score_is_far_from_where_it_is_cut(scored, task, surest):
    """Ratings are cut at 5, grades at 2: of 1 and 4 the one is farther from it, then the other."""
    rows = [row("low", 1, 1, prediction=0, judge_task=task), row("high", 1, 4, prediction=1, judge_task=task)]
    coverage, risk = report_of(scored(rows))["calibration"]["risk_coverage"][0]
    assert (coverage, risk) == (0.5, 1.0 if surest == "low" else 0.0)


def test_predictions_beside_rewards_do_not_say_how_sure_they_are(scored):
    rows = [row(f"q{n}", n, 3.5 * n - 7, prediction=n, judge_task="scalar") for n in (0, 1)]
    assert report_of(scored(rows))["calibration"]["risk_coverage"] is None


def test_every_judge_of_a_file_has_a_report(scored):
    rows = [row("a", 1, 4), row("a", 1, 0, judge="k"), row("b", 1, 4), row("b", 1, 4, judge="k")]
    found = scored(rows)
    assert [(report["judge"], report["overall"]) for report in found["reports"]] == [("j", 1.0), ("k", 0.5)]
    (comparison,) = found["comparisons"]
    assert (comparison["a"], comparison["b"], comparison["n"], comparison["difference"]) == ("j", "k", 2, 0.5)


# -- two judges -------------------------------------------------------------------------------------------------------


def test_items_are_matched_whatever_their_order(scored):
    rows = [row(f"q{number}", number % 2, number % 5, response=f"r{number}") for number in range(30)]
    found = scored(rows, rows[::-1], resamples=50)
    (comparison,) = found["comparisons"]
    assert (comparison["n"], comparison["difference"]) == (30, 0.0)
    assert comparison["mcnemar"] == {"b": 0, "c": 0, "p": 1.0}
    assert comparison["a"] == f"j ({found['reports'][0]['file']})"


def test_a_comparison_is_of_the_items_that_both_judged(scored):
    mine = [row(f"q{number}", 1, 4 if number < 6 else 0, id=f"p{number}", sample=0) for number in range(10)]
    other = [{**each, "score": 0} for each in mine[4:]]
    (comparison,) = scored(mine, other)["comparisons"]
    assert (comparison["n"], comparison["only_a"], comparison["only_b"]) == (6, 4, 0)
    assert comparison["difference"] == pytest.approx(2 / 6)
    assert comparison["mcnemar"] == {"b": 2, "c": 0, "p": 0.5}


def test_items_whose_labels_differ_are_not_compared_and_named(scored):
    mine = [row(f"q{number}", number % 2, 4, id=f"p{number}", sample=0) for number in range(10)]
    other = [{**each, "label": 1 - each["label"]} if number in (3, 7) else each for number, each in enumerate(mine)]
    found = scored(mine, other[::-1])
    (comparison,) = found["comparisons"]
    assert (comparison["n"], comparison["only_a"], comparison["only_b"]) == (8, 0, 0)
    assert comparison["difference"] == 0.0
    file = found["reports"][0]["file"]
    note = f"2 items have another label in a than in b and do not count here: {file}:4, {file}:8"
    assert note in comparison["notes"]
    assert not any("another label" in note for note in scored(mine, mine)["comparisons"][0]["notes"])


def test_a_pipe_whose_labels_differ_is_read_once(shell, tmp_path):
    """The item cannot be named, and opening the pipe again would wait for a writer that never comes."""
    rows = [row(f"q{number}", number % 2, 4, id=f"p{number}", sample=0) for number in range(6)]
    relabelled = [{**each, "label": 1} for each in rows]
    for name, written in (("a", rows), ("b", relabelled)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in written))
    ended = shell("mkfifo pipe; cat a.jsonl > pipe & libra score --resamples 0 pipe b.jsonl", timeout=60)
    assert ended.status == 0
    assert b"3 items have another label in a than in b and do not count here\n" in ended.out
    ended = shell("libra score --resamples 0 <(cat a.jsonl) b.jsonl", timeout=60)
    assert b"3 items have another label in a than in b and do not count here\n" in ended.out


def test_each_row_of_an_item_in_several_rows_is_named(scored):
    mine = [row("q", 0, 4, id=f"p{number}", sample=0) for number in (0, 0, 1, 2)]
    found = scored(mine, [{**each, "label": 1} if each["id"] == "p0" else each for each in mine])
    file = found["reports"][0]["file"]
    assert found["comparisons"][0]["notes"][0].endswith(f"do not count here: {file}:1, {file}:2")


def test_where_resamples_do_not_vary_there_is_no_interval(scored):
    """Each of these problems has one right response of two, for both judges."""
    rows = [row(f"q{number}", 1, score, response=str(score)) for number in range(6) for score in (0, 4)]
    found = scored(rows, rows, resamples=50)
    (comparison,) = found["comparisons"]
    assert (found["reports"][0]["overall"], found["reports"][0]["interval"]) == (0.5, None)
    assert any("same value in all resamples" in note for note in found["reports"][0]["notes"])
    assert [comparison[name] for name in ("interval", "p_bootstrap", "detectable_difference")] == [None] * 3
    assert comparison["notes"] == ["no interval and no bootstrap p: the difference is the same in all resamples"]


def test_points_made_of_other_points_are_no_items_of_a_test(scored):
    """The right solution is first in each problem of one judge and in none of the other: 5 of 8 problems differ."""

    def solutions(judge, n_wrong):
        right = [{"question": f"q{n}", "solution_reference": "human_to_GPT-4", "score": 5} for n in range(8)]
        wrong = [
            {"question": f"q{n}", "solution_reference": "m", "score": 9 if not k and n < n_wrong else 1}
            for n in range(8)
            for k in range(9)
        ]
        return [{**each, "judge": judge} for each in right + wrong]

    (comparison,) = scored(solutions("a", 1), solutions("b", 6))["comparisons"]
    assert (comparison["n"], comparison["only_a"], comparison["only_b"]) == (8, 0, 0)
    assert comparison["mcnemar"] == {"b": 5, "c": 0, "p": 0.0625}


def test_judges_without_common_items_are_a_note_beside_those_that_have_some(scored):
    files = [
        [row(name, 1, 4, judge=judge) for name in names] for judge, names in (("j", "ab"), ("k", "ab"), ("l", "c"))
    ]
    first, second, third = scored(*files)["comparisons"]
    assert (first["n"], first["difference"], first["notes"]) == (2, 0.0, [])
    for found in (second, third):
        assert (found["n"], found["difference"], found["interval"], found["mcnemar"]["p"]) == (0, None, None, None)
        assert "cannot be compared, they have none in common" in found["notes"][0]
    with pytest.raises(Fatal, match="j and l cannot be compared"):
        scored(files[0], files[2])


def test_a_name_that_is_unique_matches_items_of_other_texts(scored):
    mine = [row("q", 1, 4, id=number, response=f"r{number}") for number in range(3)]
    other = [{**each, "judge": "k", "response": each["response"] + " "} for each in mine]
    assert scored(mine, other)["comparisons"][0]["n"] == 3


def test_texts_tell_items_of_the_same_name_apart(scored):
    mine = [row("q", 1, score, id=1, response=f"r{score}") for score in (0, 3, 4)]
    other = [{**each, "judge": "k"} for each in mine[1:]]
    (comparison,) = scored(mine, other)["comparisons"]
    assert (comparison["n"], comparison["only_a"], comparison["difference"]) == (2, 1, 0.0)


def test_texts_tell_samples_of_the_same_name_apart(scored):
    mine = [row(f"q{n}", 1, score, id=1, sample=0) for n, score in enumerate((0, 3, 4))]
    (comparison,) = scored(mine, [{**each, "score": 4} for each in reversed(mine)])["comparisons"]
    assert (comparison["n"], comparison["mcnemar"]["b"], comparison["mcnemar"]["c"]) == (3, 0, 1)
    without_texts = [{**each, "question": None, "score": 4} for each in mine]
    assert scored(mine, without_texts)["comparisons"][0]["n"] == 3, "in their order, where texts are missing"


def test_items_that_nothing_tells_apart_are_matched_in_their_order(scored):
    pairs = [{"chosen": "a", "rejected": "b", "question": "q", "scores": [2, score]} for score in (1, 3)]
    other = [{**each, "scores": [2, 1]} for each in pairs]
    found = scored([*pairs, {**pairs[0], "question": "s"}], [*other, {**other[0], "question": "r"}], examples=True)
    (comparison,) = found["comparisons"]
    assert (comparison["n"], comparison["only_a"], comparison["only_b"]) == (2, 1, 1)
    assert comparison["differing"]["n"] == len(comparison["differing"]["rows"]) == 1


def test_items_that_one_judge_has_more_often_are_not_matched(scored):
    """Which of the two the other judge has is a guess: RewardBench 2 files of old number ten items wrongly, twice."""
    ours = [{"id": id, "subset": "s", "label": 1, "score": score} for id, score in ((0, 4), (1, 4), (2, 0), (3, 4))]
    theirs = [{**ours[0], "score": 0}, ours[1], {**ours[2], "id": 0}, ours[3]]
    (comparison,) = scored(ours, theirs)["comparisons"]
    assert (comparison["n"], comparison["only_a"], comparison["only_b"]) == (2, 2, 2)
    assert "occur more often in one" in " ".join(comparison["notes"])


def test_a_subset_and_a_model_are_no_item():
    assert item_keys({"subset": "s", "model": "m", "sample": 0, "label": 1, "score": 1}) == (0, 0)


@pytest.mark.parametrize("text", [{"text": ["q a", "q b"]}, {"texts_chosen": ["q a"], "texts_rejected": ["q b"]}])
def test_the_texts_of_published_results_tell_their_items_apart(text):
    assert item_keys({"id": 1, **text})[0] != item_keys({"id": 1, **{key: ["r"] for key in text}})[0]


def test_reports_of_different_benchmarks_are_not_compared(scored):
    pairs = [{"chosen": "a", "rejected": "b", "scores": [2, 1], "question": "q"}] * 2
    assert scored([row("a", 1, 4), row("b", 0, 4)], pairs)["comparisons"] == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"id": 1, "sample": 0, "response": "x"}, {"id": 1, "sample": 0, "response": "y"}, False),
        ({"id": 1, "sample": 0, "response": "x"}, {"id": 1, "sample": 0, "response": "x", "label": 0}, True),
        ({"id": 1, "sample": 0}, {"id": 1, "sample": 1}, False),
        ({"id": 1, "sample": 0, "model": "a"}, {"id": 1, "sample": 0, "model": "b"}, False),
        ({"id": 1, "response": "x"}, {"id": 1, "response": "y"}, False),
        ({"question": "q", "sample": 0}, {"question": "r", "sample": 0}, False),
        ({"question_id": "q", "model_name": "a"}, {"question_id": "q", "model_name": "b"}, False),
        ({"question": "q", "responses": ["a", "b"]}, {"question": "q", "responses": ["a", "b"]}, True),
    ],
)
def test_what_makes_two_rows_about_the_same_item(one, other, same):
    ours, theirs = item_keys(one), item_keys({**other, "judge": "another", "score": 3})
    assert (ours[0] == theirs[0]) is same


def test_names_are_the_same_whatever_the_texts():
    one, other = ({"id": 1, "sample": 0, "model": "m", "response": response} for response in "xy")
    assert item_keys(one)[1] == item_keys(other)[1] != 0


def test_nothing_names_a_bare_prediction():
    assert item_keys({"label": 1, "score": 2}) == (0, 0)
    problems, hashes = ProblemNames(), RowHashes(1)
    for name in ("b", None, "a", "b", None):
        hashes.add(problems.hash(name))
    assert hashes.column(0).numbers().tolist() == [0, 1, 2, 0, 3]
    assert problems.unit == "problem"


# -- reasoning --------------------------------------------------------------------------------------------------------


def test_equivalent_answers_vote_together():
    answers = ["\\frac{1}{2}", "0.5", "7", "1/2", "7.0"]
    assert grouped_answers(answers, [0, 1, 2, 3, 4, -1, 0]) == [0, 0, 1, 0, 1, -1, 0]


def test_a_truncated_sample_counts_and_is_counted(scored):
    rows = [{"question": "q", "model": "m", "label": label} for label in (1, None)]
    report = report_of(scored(rows))
    assert (report["overall"], report["n"], report["n_null"], report["null_reasons"]) == (0.5, 2, 1, {"no_label": 1})
    assert report["pass@k"]["2"]["value"] == 1.0
    assert report_of(scored(rows, null="exclude"))["overall"] == 1.0


def test_each_model_is_a_policy_of_its_own(scored):
    rows = [{"question": f"q{n}", "model": model, "label": n % 2} for n in range(4) for model in ("a", "b")]
    found = scored(rows, resamples=10)
    assert [report["judge"] for report in found["reports"]] == ["a", "b"]
    assert found["comparisons"][0]["difference"] == 0.0


# -- benchmarks of pairs ----------------------------------------------------------------------------------------------


def pair(question, first, second, **more):
    return {"question": question, "chosen": "a", "rejected": "b", "scores": [first, second], **more}


def test_pairs_are_scored_by_their_own_rule(scored):
    rows = [pair("a", 2, 1), pair("b", 1, 2), pair("c", 2, None), pair("d", 2, 1)]
    report = report_of(scored(rows))
    assert (report["benchmark"], report["n"], report["n_null"], report["overall"]) == ("pairs", 4, 1, 0.5)
    assert report_of(scored(rows, null="exclude"))["overall"] == pytest.approx(2 / 3)


def test_subsets_without_rows_are_named_also_among_published_figures(scored):
    chat = ["alpacaeval-easy", "alpacaeval-length", "alpacaeval-hard", "mt-bench-easy", "mt-bench-med"]
    report = report_of(scored([pair(name, 2, 1, subset=name) for name in [*chat, "hep-cpp", "hep-go"]]))
    assert report["missing"] == {"Reasoning": ["math-prm", "hep-java", "hep-js", "hep-python", "hep-rust"]}
    (note,) = [note for note in report["notes"] if "Reasoning without math-prm, hep-java" in note]
    (yours,) = [found for found in rank_among_published({**report, "protocol": "paper"}) if found["yours"]]
    assert yours["notes"] == [note]
    assert parts({"published": [yours]})[0].notes == (f"{report['judge']} (yours): {note}",)


def test_examples_say_what_was_wrong_with_a_pair(scored):
    rows = [pair("a", 1, 1, subset="hep-go"), pair("b", 1, 2, subset="hep-go")]
    found = {each["question"]: each["why"] for each in report_of(scored(rows, examples=True))["examples"]}
    assert found == {"a": "a tie, but one response is better", "b": "the other response was preferred"}


def test_excluded_pairs_are_not_among_those_that_count(scored):
    rows = [pair("a", 2, 1), pair("b", 1, 2), pair("c", 2, None)]
    assert [report_of(scored(rows, null=null))["n"] for null in ("rule", "exclude")] == [3, 2]


def test_pairs_note_what_is_given_twice_and_what_has_no_effect(scored):
    report = report_of(scored([pair("a", 2, 1), pair("a", 1, 2), pair("b", 2, 1)], threshold=1.0, folds=3, at=(1,)))
    assert "rows about the item of another row (with its id, model, sample and texts): 1; all count" in report["notes"]
    assert "without effect on these rows: --threshold, --folds, --at" in report["notes"]
    assert report_of(scored([pair("a", 2, 1), pair("b", 1, 2)]))["notes"] == []


def test_flips_and_positions_of_pairs_in_both_orders(scored):
    def judgment(outcome, order, said):
        return {"outcome": outcome, "order": order, "said": said, "vote": 0}

    common = {"preference": "A>B", "response_a": "x", "response_b": "y", "judge_task": "rank"}
    steady = {
        **common,
        "question": "a",
        "prediction": "A>B",
        "judgments": [judgment("A>B", "AB", "A>B"), judgment("A>B", "BA", "B>A")],
    }
    first = {
        **common,
        "question": "b",
        "prediction": "A=B",
        "judgments": [judgment("A>B", "AB", "A>B"), judgment("B>A", "BA", "A>B")],
    }
    report = report_of(scored([steady, first]))
    assert (report["flip_rate"], report["ties"], report["overall"]) == (0.5, 1, 0.5)
    assert report["position_bias"] == {"first": 0.75, "second": 0.25, "tie": 0.0}


# -- examples ---------------------------------------------------------------------------------------------------------


def test_the_examples_are_the_most_confident_wrong_verdicts(scored):
    rows = [row(f"q{n}", 0, score, response=f"r{n}") for n, score in enumerate([4, 0, 3, 1, 2, 4, 3, 0, 3])]
    rows += [row(f"p{n}", 1, score, response="r") for n, score in enumerate([4, 1])]
    report = report_of(scored(rows, examples=True))
    assert [(each["question"], each["score"]) for each in report["examples"]] == [
        ("q0", 4),
        ("q5", 4),
        ("q2", 3),
        ("q6", 3),
        ("p1", 1),
    ]
    assert report["examples"][0]["response"] == "r0"
    assert "examples" not in report_of(scored(rows))


def test_examples_name_each_text_once_and_have_the_thinking_apart(scored):
    vote = {"text": "[[score=4]]", "text_with_cot": "<think>hm</think>[[score=4]]", "outcome": 4}
    more = {"response": "r", "response_with_cot": "<think>2+2</think>r", "reference": "5", "model": "m"}
    rows = [row("q", 0, 4, judgments=[vote], sample=sample, **more) for sample in range(3)]
    (example,) = report_of(scored(rows, examples=True))["examples"]
    names = ("judgment_thinking", "judgment_text", "response_thinking", "response", "reference", "model")
    assert [example[name] for name in names] == ["hm", "[[score=4]]", "2+2", "r", "5", "m"]


def test_the_page_lists_the_rows_on_which_two_judges_differ(scored):
    mine = [row(f"q{n}", 1, 4 if n else 0, id=f"i{n}", judge="a") for n in range(4)]
    other = [row(f"q{n}", 1, 4 if n != 2 else 1, id=f"i{n}", judge="b") for n in range(4)]
    (comparison,) = scored(mine, other, examples=True)["comparisons"]
    shown = [(each["question"], each["a"], each["b"], each["right"]) for each in comparison["differing"]["rows"]]
    assert shown == [("q0", "score 0", "score 4", "b"), ("q2", "score 4", "score 1", "a")]
    assert comparison["differing"]["n"] == 2
    assert "differing" not in scored(mine, other)["comparisons"][0]


def test_the_page_shows_what_each_of_two_judges_wrote_where_they_differ(scored):
    def judged(judge, score):
        text = f"[[score={score}]]"
        vote = {"text": text, "text_with_cot": f"<think>{judge} thinks</think>{text}", "outcome": score}
        same = row("p", 1, 4, id="h", judge=judge)
        return [same, row("q", 1, score, id="i", judge=judge, judgments=[vote])]

    (comparison,) = scored(judged("a", 0), judged("b", 4), examples=True)["comparisons"]
    page = differing(comparison, "anchor")
    found = re.findall("Judgment of ([ab])(: thinking)?.*?<pre.*?>(.*?)</pre>", page, re.DOTALL)
    expected = [("a", "a thinks"), ("a", "[[score=0]]"), ("b", "b thinks"), ("b", "[[score=4]]")]
    assert [(judge, text) for judge, _, text in found] == expected


def test_memory_does_not_keep_rows(scored, tmp_path):
    import tracemalloc

    text = "x" * 20_000
    path = tmp_path / "long.jsonl"
    with path.open("w") as file:
        for number in range(2000):
            file.write(json.dumps(row(f"q{number}" + text, 1, 4, response=text)) + "\n")
    tracemalloc.start()
    score((str(path),), ScoreConfig(resamples=0, examples=True), lambda _: None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6  # of 80 MB


def test_a_damaged_file_gives_no_figure(scored, tmp_path):
    path = tmp_path / "torn.jsonl"
    path.write_text('{"label": 1, "score": 1}\n{"label": 1, "sc')
    with pytest.raises(Fatal, match=r"torn\.jsonl:2: the last line is cut off") as failed:
        score((str(path),), ScoreConfig(), lambda _: None)
    assert failed.value.status == Exit.INCOMPLETE


def test_figures_do_not_depend_on_the_order_of_rows(scored):
    rng = np.random.default_rng(0)
    rows = [row(f"q{n % 7}", int(rng.integers(2)), int(rng.integers(5)), response=f"{n}") for n in range(70)]
    plain, mixed = report_of(scored(rows)), report_of(scored([rows[at] for at in rng.permutation(70)]))
    for name in ("overall", "macro_f1", "confusion"):
        assert plain[name] == mixed[name]
