"""Reports as figures for a paper, by matplotlib: equal reports give equal bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from math import isnan
from pathlib import PurePath
from typing import Any

import click

from libra_cli.exits import Exit, Fatal
from libra_cli.reports.figures import axis_of, decimals
from libra_cli.reports.layout import Report, clipped, metric_of, names_of, overall_name, overall_of, section_names
from libra_cli.reports.runs_part import shown_figures
from libra_cli.stream.console import printable
from libra_cli.stream.files import replace_file

UNDATED: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}
"""By suffix, metadata to leave out because they differ between days or machines."""
STYLE = {
    "svg.hashsalt": "libra",
    "text.parse_math": False,  # a name is never a formula
    "font.family": ["DejaVu Sans"],  # comes with matplotlib
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "hatch.linewidth": 0.5,
}
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
"""The palette of Okabe and Ito, which colour-blind readers can tell apart; hatches and markers serve grey print."""
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "++")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", "--", ":", "-.")
GRID = "#dddddd"
MAX_ABREAST = 3
PANEL_INCHES = (4.2, 3.4)


@dataclass(frozen=True)
class Series:
    """A report, and what tells it apart in every panel."""

    report: Report
    name: str
    number: int

    @property
    def colour(self) -> str:
        return COLOURS[self.number % len(COLOURS)]

    @property
    def marker(self) -> str:
        return MARKERS[self.number % len(MARKERS)]

    @property
    def bar(self) -> dict[str, Any]:
        """The style of its bars, and of its box in the legend."""
        return {"facecolor": self.colour, "hatch": HATCHES[self.number % len(HATCHES)], "edgecolor": "white"}


Panel = Callable[[Any], None]
"""Draws on the axes of matplotlib that it gets."""


def check(path: str) -> None:
    """Raises UsageError if no figure can have this name, Fatal(2) if matplotlib is missing."""
    import importlib.util

    if _suffix(path) not in UNDATED:
        raise click.UsageError(f"--plot {path}: name a file that ends in .{', .'.join(UNDATED)}")
    if importlib.util.find_spec("matplotlib") is None:
        raise Fatal(Exit.USAGE, "--plot needs matplotlib: pip install 'libra-cli[plot]'")


def write(reports: Mapping[str, Any], path: str) -> None:
    """Draws reports, a correlation or runs to `path`, all or nothing; raises as `check` does, and Fatal(74)."""
    check(path)
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    of_judges = list(reports.get("reports") or ())
    series = [
        Series(report, clipped(printable(name)), number)
        for number, (report, name) in enumerate(zip(of_judges, names_of(of_judges), strict=True))
    ]
    panels = [*panels_of(series, reports.get("correlation")), *run_panels(reports.get("runs") or ())]
    data = BytesIO()
    with rc_context(STYLE):
        n_columns = min(len(panels), MAX_ABREAST) or 1
        n_rows = -(-len(panels) // MAX_ABREAST) or 1
        figure = Figure(figsize=(PANEL_INCHES[0] * n_columns, PANEL_INCHES[1] * n_rows), layout="constrained")
        for number, draw in enumerate(panels, 1):
            draw(figure.add_subplot(n_rows, n_columns, number))
        if len(series) > 1:
            boxes, names = [Patch(**one.bar) for one in series], [one.name for one in series]
            figure.legend(boxes, names, loc="outside lower center", ncols=n_columns, frameon=False)
        figure.savefig(data, format=_suffix(path), dpi=160, metadata=UNDATED[_suffix(path)])
    replace_file(path, data.getvalue())


def _suffix(path: str) -> str:
    return PurePath(path).suffix.removeprefix(".").lower()


def panels_of(series: Sequence[Series], correlation: Report | None) -> list[Panel]:
    """All panels that the reports have figures for; judges share a panel if it can tell them apart."""
    panels: list[Panel] = []
    for benchmark in dict.fromkeys(str(one.report["benchmark"]) for one in series):
        of_benchmark = [one for one in series if one.report["benchmark"] == benchmark]
        panels.append(partial(section_bars, of_benchmark, benchmark))
        if any(one.report.get("pass@k") for one in of_benchmark):
            panels.append(partial(pass_at_k, of_benchmark))
    panels += [partial(confusion, one) for one in series if one.report.get("confusion")]
    calibrated = [one for one in series if one.report.get("calibration")]
    for draw, key in ((reliability, "reliability"), (risk_and_coverage, "risk_coverage")):
        if with_curve := [one for one in calibrated if one.report["calibration"].get(key)]:
            panels.append(partial(draw, with_curve))
    return panels + ([partial(scatter, correlation)] if correlation else [])


def run_panels(runs: Sequence[Report]) -> list[Panel]:
    """A panel for each figure of training runs, with the curves of all runs."""
    return [
        partial(curves, runs, figure, name, 100 if name.endswith("%") else 1)
        for figure, (name, _) in shown_figures(runs).items()
    ]


def curves(runs: Sequence[Report], figure: str, name: str, factor: int, axes: Any) -> None:
    """A figure over the steps of each run; accuracies with their intervals."""
    for number, run in enumerate(runs):
        points = run["curves"].get(figure, ())
        style = {"color": COLOURS[number % len(COLOURS)], "linestyle": DASHES[number % len(DASHES)]}
        label = clipped(printable(str(run["run"])))
        axes.plot([point[0] for point in points], [factor * point[1] for point in points], label=label, **style)
        known = [point for point in points if len(point) == 4]
        below, above = [factor * point[2] for point in known], [factor * point[3] for point in known]
        axes.fill_between([point[0] for point in known], below, above, color=style["color"], alpha=0.15, linewidth=0)
    axes.set(xlabel="step", title=name)
    axes.grid(color=GRID)
    if len(runs) > 1:
        axes.legend(fontsize=7)


def section_bars(series: Sequence[Series], title: str, axes: Any) -> None:
    """A bar for each judge in each section and over all of them, with 95% intervals."""
    names = section_names(one.report for one in series)
    width = 0.8 / len(series)
    for number, one in enumerate(series):
        sections = one.report.get("sections") or {}
        figures = [*(sections.get(name, {}) for name in names), overall_of(one.report)]
        positions = [group - 0.4 + width * (number + 0.5) for group in range(len(figures))]
        values = [_percent(figure.get("value")) for figure in figures]
        errors = {"yerr": _error_bars(figures), "capsize": 2, "error_kw": {"elinewidth": 0.9}}
        axes.bar(positions, values, width * 0.92, **errors, **one.bar)
    shown = [printable(name) for name in (*names, overall_name(series[0].report))]
    axes.set_xticks(range(len(shown)), shown, rotation=20, ha="right")
    axes.set(ylim=(0, 100), ylabel=f"{metric_of(series[0].report)}, %", title=printable(title))
    axes.grid(axis="y", color=GRID)


def _percent(value: float | None) -> float:
    return float("nan") if value is None else 100 * value


def _error_bars(figures: Sequence[Report]) -> list[list[float]]:
    """Lengths of the intervals below and above their values, in points; nan without an interval."""
    known = [(figure.get("value"), figure.get("interval") or (None, None)) for figure in figures]
    below = [_percent(value) - _percent(ends[0]) for value, ends in known]
    above = [_percent(ends[1]) - _percent(value) for value, ends in known]
    return [[length if isnan(length) else max(0.0, length) for length in side] for side in (below, above)]


def pass_at_k(series: Sequence[Series], axes: Any) -> None:
    """pass@k over k, with intervals."""
    for one in series:
        figures = one.report.get("pass@k") or {}
        values = [_percent(figure["value"]) for figure in figures.values()]
        errors = {"yerr": _error_bars(list(figures.values())), "capsize": 2}
        axes.errorbar([int(k) for k in figures], values, **errors, marker=one.marker, color=one.colour, clip_on=False)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set(xlabel="k", ylabel="pass@k, %", ylim=(0, 100), title="pass@k")
    axes.grid(color=GRID)


def confusion(one: Series, axes: Any) -> None:
    """Counts, shaded by their share of the responses with the same label."""
    cells = one.report["confusion"]
    counts = [[cells["tp"], cells["fn"]], [cells["fp"], cells["tn"]]]
    shares = [[n / sum(row) if sum(row) else 0.0 for n in row] for row in counts]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row in (0, 1):
        for column in (0, 1):
            ink = "white" if shares[row][column] > 0.55 else "black"
            words = f"{counts[row][column]:,}\n{100 * shares[row][column]:.1f}%"
            axes.text(column, row, words, ha="center", va="center", color=ink)
    axes.set_xticks((0, 1), ("correct", "incorrect"))
    axes.set_yticks((0, 1), ("correct", "incorrect"), rotation=90, va="center")
    axes.set(xlabel="judged", ylabel="label")
    axes.set_title(one.name, fontsize=8)


def reliability(series: Sequence[Series], axes: Any) -> None:
    """Accuracy over the mean score of each bin."""
    axes.plot((0, 1), (0, 1), linestyle="--", color="#777777", linewidth=0.9)
    for one in series:
        bins = [of_bin for of_bin in one.report["calibration"]["reliability"] if of_bin["n"]]
        scores, accuracies = [of_bin["mean_score"] for of_bin in bins], [of_bin["accuracy"] for of_bin in bins]
        axes.plot(scores, accuracies, markersize=4, marker=one.marker, color=one.colour, clip_on=False)
    ece = f", ECE {decimals(series[0].report['calibration'].get('ece'))}" if len(series) == 1 else ""
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title=f"reliability{ece}")
    axes.set(xlabel="score, as a probability", ylabel="share that is correct")
    axes.grid(color=GRID)


def risk_and_coverage(series: Sequence[Series], axes: Any) -> None:
    """The share of wrong verdicts among the most confident ones."""
    for one in series:
        coverage, risk = zip(*one.report["calibration"]["risk_coverage"], strict=True)
        style: dict[str, Any] = {"color": one.colour, "linestyle": DASHES[one.number % len(DASHES)]}
        if len(coverage) == 1:  # all scores are equal
            style |= {"marker": one.marker, "clip_on": False}
        axes.plot([100 * share for share in coverage], [100 * share for share in risk], **style)
    axes.set(xlim=(0, 100), xlabel="coverage, %", ylabel="wrong verdicts, %", title="risk and coverage")
    axes.set_ylim(bottom=0)
    axes.grid(color=GRID)


def scatter(correlation: Report, axes: Any) -> None:
    """A numbered point for each judge and a key to the numbers; groups have their own colours and markers."""
    points = correlation["points"]
    names = list(dict.fromkeys(printable(str(point["name"])) for point in points))
    x_axis, y_axis = (axis_of(point[axis] for point in points) for axis in ("x", "y"))
    for number, group in enumerate(dict.fromkeys(point.get("group") for point in points)):
        members = [point for point in points if point.get("group") == group]
        xs = [x_axis.factor * point["x"] for point in members]
        ys = [y_axis.factor * point["y"] for point in members]
        style = {
            "s": 24,
            "color": COLOURS[number % len(COLOURS)],
            "marker": MARKERS[number % len(MARKERS)],
            "clip_on": False,
        }
        axes.scatter(xs, ys, label=" " + printable(str(group)), **style)
        for x, y, point in zip(xs, ys, members, strict=True):
            label = str(names.index(printable(str(point["name"]))) + 1)
            axes.annotate(label, (x, y), fontsize=7, xytext=(4, 3), textcoords="offset points")
    axes.margins(0.12)
    key = "\n".join(f"{number}  {clipped(name)}" for number, name in enumerate(names, 1))
    axes.text(1.03, 1, key, transform=axes.transAxes, va="top", fontsize=7, linespacing=1.5)
    x_name, y_name = (printable(str(correlation.get(axis, axis)).replace("_", " ")) for axis in ("x", "y"))
    r = (correlation.get("pearson") or {}).get("value")
    axes.set(xlabel=x_axis.named(x_name), ylabel=y_axis.named(y_name), title=f"Pearson r = {decimals(r)}")
    axes.grid(color=GRID)
    if correlation.get("groups"):
        axes.legend(fontsize=7)
