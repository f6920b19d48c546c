"""A report is set among the rows that the paper prints."""

from __future__ import annotations

import pytest

from libra_cli.rm_benchmarks.published import rank_among_published


def report(benchmark, overall, **more):
    return {"benchmark": benchmark, "judge": "mine", "protocol": "paper", "overall": overall, "sections": {}, **more}


def test_a_judge_of_libra_bench_is_ranked_in_table_2():
    rows = rank_among_published(report("libra-bench", 0.79, sections={"MATH-500": {"n": 4, "value": 0.81}}))
    assert [row["model"] for row in rows[:4]] == ["Libra-RM-32B-MATH", "Libra-RM-32B", "mine", "DeepSeek-R1"]
    assert [row["rank"] for row in rows] == list(range(1, 19))
    assert rows[2] == {
        "table": "Table 2",
        "benchmark": "libra-bench",
        "rank": 3,
        "model": "mine",
        "category": None,
        "overall": 0.79,
        "overall_is": "mean",
        "sections": {"MATH-500": 0.81},
        "yours": True,
    }
    assert rows[0]["overall"] == 0.817
    assert rows[0]["sections"] == {"MATH-500": 0.834, "AIME 2024": 0.815, "AIME 2025": 0.803}
    assert [row["yours"] for row in rows].count(True) == 1


@pytest.mark.parametrize(
    ("benchmark", "models"),
    [("rewardbench", 11), ("ppe-preference", 11), ("ppe-correctness", 10), ("rmb", 10), ("judgebench", 9)],
)
def test_table_4_has_the_models_with_a_figure(benchmark, models):
    rows = rank_among_published(report(benchmark, 0.6429))
    assert {row["table"] for row in rows} == {"Table 4"}
    assert len(rows) == models + 1
    assert all(row["overall"] is not None for row in rows)
    assert [row["overall"] for row in rows] == sorted((row["overall"] for row in rows), reverse=True)


def test_sections_are_given_where_the_paper_has_them():
    rows = {row["model"]: row["sections"] for row in rank_among_published(report("rmb", 0.7))}
    assert rows["Libra-RM-32B"]["Harmful BoN"] == 0.675
    assert rows["Nemotron-4-340B-Reward"] == {}


def test_the_paper_comes_first_at_the_same_figure_and_no_figure_last():
    assert [row["model"] for row in rank_among_published(report("judgebench", 0.771))][:2] == ["Libra-RM-32B", "mine"]
    last = rank_among_published(report("judgebench", None))[-1]
    assert (last["model"], last["rank"], last["yours"]) == ("mine", None, True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (report("rm-bench", 0.7), "no figures of rm-bench"),
        (report("rewardbench", 0.9, protocol="official"), "--protocol paper"),
    ],
)
def test_what_is_not_comparable_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        rank_among_published(given)
