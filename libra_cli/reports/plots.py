"""The reports of `libra score` as figures for a paper, drawn by matplotlib: the same bytes for the same report."""

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
from libra_cli.reports.layout import Report, clipped, metric_of, names_of
from libra_cli.stream.console import printable
from libra_cli.stream.files import replace_file

UNDATED: dict[str, dict[str, None]] = {
    "png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}  # fmt: skip
"""By suffix, what would make the bytes of a file differ between two days or two machines."""
LOOK = {
    "svg.hashsalt": "libra", "text.parse_math": False, "font.family": ["DejaVu Sans"], "font.size": 9,
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True, "hatch.linewidth": 0.5,
}  # fmt: skip
"""Names are never formulas; the font is the one that matplotlib brings."""
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
"""Of Okabe and Ito, told apart by colour-blind readers; hatches and markers do the same in grey print."""
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "++")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", "--", ":", "-.")
GRID = "#dddddd"
ABREAST = 3
INCHES = (4.2, 3.4)
"""Of one panel."""


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
        """How its bars are filled, and its box in the legend."""
        return {"facecolor": self.colour, "hatch": HATCHES[self.number % len(HATCHES)], "edgecolor": "white"}


Panel = Callable[[Any], None]


def check(path: str) -> None:
    """Raises UsageError where no figure can have this name, Fatal(2) where matplotlib is missing."""
    import importlib.util

    if _suffix(path) not in UNDATED:
        raise click.UsageError(f"--plot {path}: name a file that ends in .{', .'.join(UNDATED)}")
    if importlib.util.find_spec("matplotlib") is None:
        raise Fatal(Exit.USAGE, "--plot needs matplotlib: pip install 'libra-cli[plot]'")


def write(reports: Mapping[str, Any], path: str) -> None:
    """Draws {"reports", "correlation"?} to `path`, whole or not at all; raises as `check` does, and Fatal(74)."""
    check(path)
    from matplotlib import rc_context

    with rc_context(LOOK):
        data, series = BytesIO(), _series(reports)
        _drawn(series, _panels(series, reports.get("correlation"))).savefig(
            data, format=_suffix(path), dpi=160, metadata=UNDATED[_suffix(path)]
        )
    replace_file(path, data.getvalue())


def _suffix(path: str) -> str:
    return PurePath(path).suffix.removeprefix(".").lower()


def _drawn(series: Sequence[Series], panels: Sequence[Panel]) -> Any:
    """All panels, with one legend below them where there are several series."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    across = min(len(panels), ABREAST) or 1
    down = -(-len(panels) // ABREAST) or 1
    figure = Figure(figsize=(INCHES[0] * across, INCHES[1] * down), layout="constrained")
    for number, draw in enumerate(panels, 1):
        draw(figure.add_subplot(down, across, number))
    if len(series) > 1:
        boxes = [Patch(**each.bar) for each in series]
        figure.legend(boxes, [each.name for each in series], loc="outside lower center", ncols=across, frameon=False)
    return figure


def _series(reports: Mapping[str, Any]) -> list[Series]:
    found = list(reports.get("reports") or ())
    return [
        Series(report, clipped(printable(name)), at)
        for at, (report, name) in enumerate(zip(found, names_of(found), strict=True))
    ]


def _panels(series: Sequence[Series], correlation: Report | None) -> list[Panel]:
    """What can be drawn: several judges share a panel wherever they can be told apart in it."""
    panels: list[Panel] = []
    for benchmark in dict.fromkeys(str(each.report["benchmark"]) for each in series):
        mine = [each for each in series if each.report["benchmark"] == benchmark]
        panels.append(partial(_bars, mine, benchmark))
        if any(each.report.get("pass@k") for each in mine):
            panels.append(partial(_passes, mine))
    panels += [partial(_confusion, each) for each in series if each.report.get("confusion")]
    calibrated = [each for each in series if each.report.get("calibration")]
    for draw, key in ((_reliability, "reliability"), (_risk, "risk_coverage")):
        if mine := [each for each in calibrated if each.report["calibration"].get(key)]:
            panels.append(partial(draw, mine))
    return panels + ([partial(_scatter, correlation)] if correlation else [])


def _bars(series: Sequence[Series], title: str, axes: Any) -> None:
    """Each section and the whole, a bar for each judge, with 95% intervals."""
    names = list(dict.fromkeys(name for each in series for name in each.report.get("sections") or {}))
    width = 0.8 / len(series)
    for number, each in enumerate(series):
        sections = each.report.get("sections") or {}
        whole = {"value": each.report.get("overall"), "interval": each.report.get("interval")}
        figures = [*(sections.get(name, {}) for name in names), whole]
        at = [place - 0.4 + width * (number + 0.5) for place in range(len(figures))]
        values = [_percent(figure.get("value")) for figure in figures]
        axes.bar(at, values, width * 0.92, yerr=_reach(figures), capsize=2, error_kw={"elinewidth": 0.9}, **each.bar)
    axes.set_xticks(range(len(names) + 1), [printable(name) for name in (*names, "overall")], rotation=20, ha="right")
    axes.set(ylim=(0, 100), ylabel=f"{metric_of(series[0].report)}, %", title=printable(title))
    axes.grid(axis="y", color=GRID)


def _percent(value: float | None) -> float:
    return float("nan") if value is None else 100 * value


def _reach(figures: Sequence[Report]) -> list[list[float]]:
    """How far intervals reach below and above their values, in points; nan where there is none."""
    known = [(figure.get("value"), figure.get("interval") or (None, None)) for figure in figures]
    below = [_percent(value) - _percent(ends[0]) for value, ends in known]
    above = [_percent(ends[1]) - _percent(value) for value, ends in known]
    return [[reach if isnan(reach) else max(0.0, reach) for reach in side] for side in (below, above)]


def _passes(series: Sequence[Series], axes: Any) -> None:
    """pass@k over k, with its interval."""
    for each in series:
        found = each.report.get("pass@k") or {}
        axes.errorbar([int(k) for k in found], [_percent(figure["value"]) for figure in found.values()],
                      yerr=_reach(list(found.values())), capsize=2, marker=each.marker, color=each.colour)  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set(xlabel="k", ylabel="pass@k, %", ylim=(0, 100), title="pass@k")
    axes.grid(color=GRID)


def _confusion(each: Series, axes: Any) -> None:
    """Counts, shaded by their share of the responses with the same label."""
    cells = each.report["confusion"]
    counts = [[cells["tp"], cells["fn"]], [cells["fp"], cells["tn"]]]
    shares = [[n / sum(row) if sum(row) else 0.0 for n in row] for row in counts]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row in (0, 1):
        for column in (0, 1):
            ink = "white" if shares[row][column] > 0.55 else "black"
            said = f"{counts[row][column]:,}\n{100 * shares[row][column]:.1f}%"
            axes.text(column, row, said, ha="center", va="center", color=ink)
    axes.set_xticks((0, 1), ("correct", "incorrect"))
    axes.set_yticks((0, 1), ("correct", "incorrect"), rotation=90, va="center")
    axes.set(xlabel="judged", ylabel="label")
    axes.set_title(each.name, fontsize=8)


def _reliability(series: Sequence[Series], axes: Any) -> None:
    """The share of correct responses over the mean score of each bin."""
    axes.plot((0, 1), (0, 1), linestyle="--", color="#777777", linewidth=0.9)
    for each in series:
        bins = [one for one in each.report["calibration"]["reliability"] if one["n"]]
        axes.plot([one["mean_score"] for one in bins], [one["accuracy"] for one in bins], markersize=4,
                  marker=each.marker, color=each.colour)  # fmt: skip
    said = f", ECE {decimals(series[0].report['calibration'].get('ece'))}" if len(series) == 1 else ""
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="score, as a probability",
             ylabel="share that is correct", title=f"reliability{said}")  # fmt: skip
    axes.grid(color=GRID)


def _risk(series: Sequence[Series], axes: Any) -> None:
    """The share of wrong verdicts among the most confident ones."""
    for each in series:
        coverage, risk = zip(*each.report["calibration"]["risk_coverage"], strict=True)
        axes.plot([100 * share for share in coverage], [100 * share for share in risk], color=each.colour,
                  linestyle=DASHES[each.number % len(DASHES)])  # fmt: skip
    axes.set(xlim=(0, 100), xlabel="coverage, %", ylabel="wrong verdicts, %", title="risk and coverage")
    axes.set_ylim(bottom=0)
    axes.grid(color=GRID)


def _scatter(found: Report, axes: Any) -> None:
    """A numbered point for each judge and the names beside; groups have colours and markers of their own."""
    points = found["points"]
    names = list(dict.fromkeys(printable(str(point["name"])) for point in points))
    of_x, of_y = (axis_of(point[axis] for point in points) for axis in ("x", "y"))
    for number, group in enumerate(dict.fromkeys(point.get("group") for point in points)):
        mine = [(of_x.factor * point["x"], of_y.factor * point["y"], point)
                for point in points if point.get("group") == group]  # fmt: skip
        axes.scatter([x for x, _, _ in mine], [y for _, y, _ in mine], s=24, color=COLOURS[number % len(COLOURS)],
                     marker=MARKERS[number % len(MARKERS)], label=" " + printable(str(group)))  # fmt: skip
        for x, y, point in mine:
            said = str(names.index(printable(str(point["name"]))) + 1)
            axes.annotate(said, (x, y), fontsize=7, xytext=(4, 3), textcoords="offset points")
    axes.margins(0.12)
    key = "\n".join(f"{number}  {clipped(name)}" for number, name in enumerate(names, 1))
    axes.text(1.03, 1, key, transform=axes.transAxes, va="top", fontsize=7, linespacing=1.5)
    x, y = (printable(str(found.get(axis, axis)).replace("_", " ")) for axis in ("x", "y"))
    r = (found.get("pearson") or {}).get("value")
    axes.set(xlabel=of_x.named(x), ylabel=of_y.named(y), title=f"Pearson r = {decimals(r)}")
    axes.grid(color=GRID)
    if found.get("groups"):
        axes.legend(fontsize=7)
