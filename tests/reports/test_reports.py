"""The reports of libra score as text: which figures stand where, and that a name is only ever a name."""

from __future__ import annotations

import io
import re

import pytest
from reports_samples import HOSTILE, correlation, everything, pairwise, pointwise, published, reasoning
from rich.console import Console

from libra_cli.reports import latex, markdown, page_charts, table
from libra_cli.reports.layout import ReportPart, Table
from libra_cli.reports.parts import parts


def drawn(reports, width=80, on_terminal=False):
    text = io.StringIO()
    colours = {"force_terminal": True, "color_system": "truecolor"} if on_terminal else {"color_system": None}
    table.render(parts(reports), Console(file=text, width=width, legacy_windows=False, **colours))
    return text.getvalue()


def one(report):
    return {"reports": [report], "comparisons": []}


def part_named(found: list[ReportPart], start: str) -> ReportPart:
    return next(part for part in found if part.title.startswith(start))


def cells(part: ReportPart, title: str) -> dict[str, tuple[str, ...]]:
    """The lines of a table by their first name."""
    (found,) = [each for each in part.tables if each.title == title]
    about = next(at for at, column in enumerate(found.columns) if not column.is_number)
    return {line.cells[about]: line.cells for line in found.lines}


# -- what stands where ------------------------------------------------------------------------------------------------


def test_sections_have_size_null_value_interval_and_figures_by_label():
    (part,) = parts(one(pointwise()))
    found = cells(part, "Sections")
    assert found["MATH-500"] == ("MATH-500", "100", "1", "80.0", "[78.0, 83.0]", "90.0", "70.0")
    assert found["mean"] == ("mean", "300", "3", "78.0", "[75.0, 81.0]", "90.0", "70.0")


def test_facts_of_pointwise_judging():
    facts = dict(parts(one(pointwise()))[0].facts)
    assert facts["items"] == "300; among them 3 without a verdict (no_verdict 2, truncated 1)"
    assert facts["threshold"] == "2 (fixed): a score above it means correct"
    assert facts["macro F1"] == "0.779 [0.750, 0.800]"
    of_sections = "70.0% of the incorrect responses judged right, mean of the sections (no interval)"
    assert facts["incorrect"] == f"{of_sections}; pooled 75.7%"
    assert facts["calibration"] == "Brier 0.162, ECE 0.073, ROC AUC 0.857, PR AUC 0.862"
    assert facts["intervals"] == "95%, bootstrap over 194 problems (1,000 resamples, seed 0)"


def test_verdicts_that_are_left_out_are_said_to_be():
    facts = dict(parts(one(pointwise(null="exclude")))[0].facts)
    assert facts["items"].startswith("300; left out 3 without a verdict")


def test_a_threshold_of_the_rows_is_none_of_ours():
    facts = dict(parts(one(pointwise(threshold=None, threshold_how="given")))[0].facts)
    assert facts["threshold"] == "none: the rows have predictions of their own"


def test_confusion_has_labels_down_and_verdicts_across():
    found = cells(parts(one(pointwise()))[0], "Confusion matrix (counts)")
    assert found["correct"] == ("correct", "1,341", "12", "2")
    assert found["incorrect"] == ("incorrect", "35", "112", "1")


def test_thresholds_are_compared():
    found = cells(parts(one(pointwise()))[0], "Thresholds")
    assert found["searched on these rows"][1:] == ("3", "79.0", "-")
    assert found["cross-fitted"][1:] == ("2 to 3", "78.5", "+0.5")


def test_pairs_have_flips_position_bias_and_ties():
    facts = dict(parts(one(pairwise()))[0].facts)
    assert facts["flip rate"] == "21.3% of the comparisons turn with the order [20.0, 23.0]"
    assert facts["position bias"] == "preferred: 57.0% the one shown first, 40.0% the one shown second, 3.0% neither"
    assert facts["ties"] == "12"


def test_several_samples_have_a_line_for_each_k():
    found = cells(parts(one(reasoning()))[0], "Several samples")
    assert list(found) == ["pass@1", "pass@8", "mean@8", "maj@8"]
    assert found["pass@8"] == ("pass@8", "60", "70.0", "[60.0, 70.0]")


def test_comparisons_say_what_the_set_could_detect():
    (line,) = cells(part_named(parts(everything()), "Comparisons"), "Differences").values()
    assert line[2:] == ("300", "+4.1", "[2.2, 6.1]", "0.002", "<0.001", "1.9")


def test_published_rows_come_once_and_yours_where_it_belongs():
    rows = published("mine", 0.6) + published("other", 0.9)
    (part,) = parts({"reports": [], "published": rows})
    lines = part.tables[0].lines
    assert [line.cells[:2] for line in lines] == [
        ("1", "other (yours)"),
        ("2", "Paper-1"),
        ("3", "mine (yours)"),
        ("4", "Paper-2"),
    ]
    assert [line.stands_out for line in lines] == [True, False, True, False]


def test_two_reports_of_one_judge_are_told_apart_by_their_files():
    found = parts({"reports": [pointwise(file="a.jsonl"), pointwise(file="b.jsonl")]})
    assert list(cells(found[0], "Judges")) == ["Judge-A (a.jsonl)", "Judge-A (b.jsonl)"]


def test_figures_that_are_not_defined_are_never_zero():
    report = {
        "benchmark": "pointwise",
        "judge": "m",
        "n": 4,
        "n_null": 4,
        "overall": None,
        "overall_is": "mean",
        "interval": None,
        "sections": {"all": {"n": 0, "n_null": 4, "value": None, "interval": None}},
    }
    (part,) = parts(one(report))
    assert cells(part, "Sections")["all"] == ("all", "0", "4", "-", "-")


@pytest.mark.parametrize(("factor", "name", "value"), [(1, "judge accuracy %", "60.0"), (5, "judge accuracy", "3")])
def test_only_shares_are_in_percent(factor, name, value):
    found = correlation()
    found |= {"x": "judge_accuracy", "points": [{"name": "A", "x": factor * 0.6, "y": 0.5}]}
    table = next(table for table in parts({"correlation": found})[0].tables if table.title == "Points")
    assert name in [column.name for column in table.columns]
    assert value in table.lines[0].cells


def test_correlation_has_its_coefficients_and_points():
    (part,) = parts({"correlation": correlation()})
    assert cells(part, "Correlation")["Pearson"] == ("Pearson", "4", "0.912", "[0.100, 0.990]", "-", "[0.700, 0.950]")
    resampled = parts({"correlation": {**correlation(), "bootstrap": {"resamples": 10}}})[0]
    assert cells(resampled, "Correlation")["Pearson"][4] == "n too small"
    assert cells(part, "Points")["A"] == ("A", "55.1", "42.0")


# -- on a terminal and in a pipe --------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("on_terminal", [True, False])
def test_lines_fit_and_no_figure_is_cut(width, on_terminal):
    text = re.sub("\x1b\\[[0-9;]*m", "", drawn(everything(), width, on_terminal))
    assert max(map(len, text.splitlines())) <= width
    for figure in ("[78.0, 83.0]", "1,341", "0.779", "2 to 3", "[2.2, 6.1]", "[0.100, 0.990]"):
        assert figure in text
    titles = [head.name for part in parts(everything()) for each in part.tables for head in each.columns]
    assert "…" not in text, titles


def test_what_has_no_room_is_named():
    assert "No room for: MATH-500, AIME 2024, AIME 2025." in drawn(everything(), 80)
    assert "No room for" not in drawn(one(pointwise()), 200)


def test_a_narrow_window_keeps_the_names_and_the_figures():
    text = drawn(one(pointwise()), 60)
    assert "MATH-500   100     1        80.0  [78.0, 83.0]" in text
    assert "No room for: correct %, incorrect %." in text
    assert max(map(len, text.splitlines())) <= 60


def test_a_pipe_gets_plain_ascii_without_blanks_at_the_ends():
    text = drawn(one(pointwise()))
    assert text.isascii()
    assert "\x1b" not in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_a_terminal_gets_bold_text_and_no_colour():
    codes = set(re.findall("\x1b\\[([0-9;]*)m", drawn(everything(), 100, on_terminal=True)))
    assert codes == {"0", "1", "2"}


def test_names_are_neither_markup_nor_terminal_codes():
    for on_terminal in (True, False):
        text = drawn(one(pointwise(HOSTILE)), 200, on_terminal)
        assert "\x1b[31m" not in text
        assert r"[bold red]x[/]\x1b[31m$&_#%{}|`*" in text


# -- Markdown and LaTeX -----------------------------------------------------------------------------------------------


def markdown_rows(text):
    """The rows of all tables, split at the bars that are not escaped."""
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("|")]


def test_markdown_has_the_same_cells():
    rows = [[cell.strip().strip("*") for cell in row] for row in markdown_rows(markdown.render(one(pointwise())))]
    (part,) = parts(one(pointwise()))
    for found in part.tables:
        for line in found.lines:
            assert [re.sub(r"\\(.)", r"\1", cell) for cell in rows[_place(rows, found, line)]] == list(line.cells)


def _place(rows, found: Table, line) -> int:
    bare = [[re.sub(r"\\(.)", r"\1", cell) for cell in row] for row in rows]
    return bare.index(list(line.cells))


def test_markdown_rows_are_as_long_as_their_heads_whatever_names_hold():
    text = markdown.render(everything())
    blocks = re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)
    assert len(blocks) > 8
    for block in blocks:
        assert len({len(row) for row in markdown_rows(block)}) == 1
    assert re.search(r"(?<!\\)<", text) is None


def test_latex_rows_are_as_long_as_their_heads_whatever_names_hold():
    text = latex.render(everything())
    shapes = re.findall(r"\\begin\{tabular\}\{([lr]+)\}\n(.*?)\\end\{tabular\}", text, re.DOTALL)
    assert len(shapes) > 8
    for shape, body in shapes:
        rows = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {len(shape)}
        assert body.count("\\toprule") == body.count("\\bottomrule") == 1


def test_latex_says_names_as_they_are():
    text = latex.render(one(pointwise("a_b & 50% $x$ #1 {y} ~ ^ \\input{z} <t>")))
    expected = r"a\_b \& 50\% \$x\$ \#1 \{y\} \textasciitilde{} \textasciicircum{} \textbackslash{}input\{z\} "
    assert expected + r"\textless{}t\textgreater{}" in text


def test_latex_comments_cannot_be_left():
    text = latex.render(one(pointwise("first\nsecond \\end{document}")))
    assert [line for line in text.splitlines() if line.startswith("second")] == []


def test_a_curve_of_equal_scores_is_drawn_as_a_point():
    assert "circle" in page_charts.risk_and_coverage([[1.0, 0.4]])
    assert "circle" not in page_charts.risk_and_coverage([[0.5, 0.1], [1.0, 0.4]])


def test_policies_are_not_called_judges():
    sampled = {**pointwise(), "pass@k": {"1": {"value": 0.5}}}
    assert parts({"reports": [sampled, sampled]})[0].title.endswith("2 policies")
    assert parts({"reports": [pointwise(), pointwise()]})[0].title.endswith("2 judges")
