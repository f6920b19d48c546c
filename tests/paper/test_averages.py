"""Every average that the paper prints in Tables 2, 4, 6, 7 and 8, from its parts, by the rules of `libra score`."""

from __future__ import annotations

import numpy as np
import pytest

from libra_cli.rm_benchmarks import BENCHMARKS
from libra_cli.rm_benchmarks.base import plain_mean
from libra_cli.rm_benchmarks.published import tables

ROUNDING = 0.05 + 1e-9
"""Half of the last printed digit: what a mean may be from its printed value, on the line itself included."""

TABLES = {"table2": "libra-bench", "table6": "rmb", "table7": "ppe-correctness", "table8": "rewardbench"}


def rows():
    return [
        pytest.param(name, row, id=f"{table}-{row['model']}")
        for table, name in TABLES.items()
        for row in tables()[table]
    ]


@pytest.mark.parametrize(("name", "row"), rows())
def test_an_overall_figure_is_the_one_of_its_sections(name, row):
    benchmark, names = BENCHMARKS[name], list(row["sections"])
    values = np.array(list(row["sections"].values()))
    overall = float(benchmark.overall(values, names, np.ones(len(names)), "paper"))
    assert abs(overall - row["overall"]) <= ROUNDING


@pytest.mark.parametrize("name", BENCHMARKS)
def test_an_overall_figure_is_called_pooled_where_the_sizes_of_sections_weigh_and_else_mean(name):
    benchmark = BENCHMARKS[name]
    groups = benchmark.groups or ("a", "b")
    ns = np.arange(1.0, len(groups) + 1)
    names, values = benchmark.sections(ns / len(ns), groups, np.ones(len(groups)), "official")
    sizes = np.arange(1.0, len(names) + 1)
    overall, weighed = (float(benchmark.overall(values, names, n, "official")) for n in (np.ones(len(names)), sizes))
    is_pooled = overall != weighed or name == "rewardmath"  # whose sections are two measures of the same problems
    assert benchmark.overall_is == ("pooled" if is_pooled else "mean")


@pytest.mark.parametrize("name", ["libra-bench", "rmb", "ppe-correctness"])
def test_the_sections_of_the_tables_are_those_of_the_benchmark(name):
    table = next(table for table, benchmark in TABLES.items() if benchmark == name)
    assert all(set(row["sections"]) == set(BENCHMARKS[name].groups) for row in tables()[table])


@pytest.mark.parametrize("row", [pytest.param(row, id=row["model"]) for row in tables()["table4"]])
def test_table_4_is_the_plain_mean_of_its_five_benchmarks(row):
    figures = np.array([np.nan if value is None else value for value in row["overall"].values()])
    average = float(plain_mean(figures))
    assert (row["average"] is None) == np.isnan(average)  # the paper leaves it out, too, where one is missing
    if row["average"] is not None:
        assert abs(average - row["average"]) <= ROUNDING


@pytest.mark.parametrize(
    ("table", "name"), [("table6", "rmb"), ("table7", "ppe-correctness"), ("table8", "rewardbench")]
)
def test_the_details_end_in_the_figures_of_table_4(table, name):
    columns = {row["model"]: row["overall"][name] for row in tables()["table4"]}
    assert {row["model"]: row["overall"] for row in tables()[table]}.items() <= columns.items()


def test_table_2_and_table_3_are_of_one_set():
    counts = {(row["tp"] + row["fn"], row["tn"] + row["fp"]) for row in tables()["table3"]}
    assert counts == {(1870, 1870)}  # 5 models x (134 + 120 + 120) of each label
