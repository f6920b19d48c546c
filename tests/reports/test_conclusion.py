"""What a comparison of judges comes to is said by one rule, in every form of a report."""

from __future__ import annotations

import json

import pytest

from libra_cli.metrics.paired import holm
from libra_cli.reports.conclusion import findings
from tests.helpers.reports_samples import comparison


def judged(judge, n, n_right):
    rows = [{"question": f"q{number}", "response": "r", "label": number % 2, "judge": judge} for number in range(n)]
    return "".join(
        json.dumps({**row, "prediction": row["label"] ^ (at >= n_right)}) + "\n" for at, row in enumerate(rows)
    )


FORMS = {
    "": "{}",
    "--markdown": "{}",
    "--latex": "% {}",
    "--html page.html": '<p class="lead">{}</p>',
}


@pytest.mark.parametrize(("form", "line"), FORMS.items())
@pytest.mark.parametrize(
    ("n_right", "finding"),
    [
        # 4 of 120 rows differ, all the same way: the interval excludes 0, McNemar's p (0.125) does not.
        ((120, 116), "No difference between a and b that this set can show: +3.3 points"),
        # 7 rows: both p are below 0.05, and the difference is smaller than what such a set mostly reveals.
        ((120, 113), "a is probably better than b: +5.8 points"),
        ((120, 80), "a is better than b: +33.3 points"),
        ((120, 120), "a and b are equal on the 120 items"),
    ],
)
def test_each_form_begins_with_the_same_finding(shell, tmp_path, n_right, finding, form, line):
    for judge, n in zip("ab", n_right, strict=True):
        (tmp_path / f"{judge}.jsonl").write_text(judged(judge, 120, n))
    ended = shell(f"COLUMNS=200 libra score {form} a.jsonl b.jsonl; cat page.html 2> /dev/null", timeout=60)
    text = ended.out.decode().replace("\\", "")
    start, end = line.split("{}")
    found = [one for one in text.splitlines() if one.startswith(start + finding) and one.endswith(end)]
    assert len(found) == 1, text


def test_a_p_of_several_comparisons_is_adjusted(shell, tmp_path):
    """Six rows of one sign give McNemar's p of 0.031, which is above 0.05 as the smallest of three."""
    for judge, n in (("a", 120), ("b", 114), ("c", 118)):
        (tmp_path / f"{judge}.jsonl").write_text(judged(judge, 120, n))
    two = json.loads(shell("libra score --json a.jsonl b.jsonl", timeout=60).out)["comparisons"]
    three = json.loads(shell("libra score --json a.jsonl b.jsonl c.jsonl", timeout=60).out)["comparisons"]
    assert [one["better"] for one in two] == ["a"]
    assert [one["better"] for one in three] == [None] * 3
    assert two[0]["p_adjusted"] == pytest.approx(2 / 64)
    assert three[0]["p_adjusted"] == pytest.approx(3 * 2 / 64)
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_tests_that_point_in_different_directions_show_nothing(scored_comparison):
    """The mean of sections favours b, which is right on both rows of a small one; the pooled rows favour a."""
    sections = [("s", 1, 0, 60), ("s", 1, 1, 60), ("t", 0, 1, 12)]
    found = scored_comparison(sections)
    assert (found["difference"] < 0, found["mcnemar"]["b"] > found["mcnemar"]["c"]) == (True, True)
    assert (found["p_adjusted"], found["better"]) == (1.0, None)


@pytest.fixture
def scored_comparison(shell, tmp_path):
    """The comparison of two judges from (section, a is right, b is right, rows)."""

    def scored(sections):
        for judge in (0, 1):
            rows = [
                {"question": f"{section}{at}{right}", "response": "r", "label": at % 2, "subset": section}
                | {"judge": "ab"[judge], "prediction": at % 2 ^ (not right[judge])}
                for section, *right, n in sections
                for at in range(n)
            ]
            (tmp_path / f"{judge}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return json.loads(shell("libra score --json 0.jsonl 1.jsonl", timeout=60).out)["comparisons"][0]

    return scored


def test_without_an_interval_nothing_is_concluded():
    (said,) = findings([{**comparison("A", "B"), "interval": None, "p_adjusted": None, "better": None}])
    assert (
        said
        == "A and B differ by +4.1 points on the 300 items that both have; without an interval, that may be chance."
    )
