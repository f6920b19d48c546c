"""The charts of the page: bars with intervals, confusion, reliability, risk and coverage, differences, correlation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from libra_cli.reports.figures import axis_of, decimals, interval, percent, points
from libra_cli.reports.layout import Report, metric_of, names_of, overall_name, overall_of, section_names
from libra_cli.reports.page_svg import (
    SERIES,
    ChartAxes,
    line,
    spread,
    square,
    strip,
    whisker,
    word,
    x_of,
)
from libra_cli.reports.page_text import text

BAR = 38
"""Pixels from one bar to the next."""
Bar = tuple[str, Mapping[str, Any], int]
"""A name, {value, interval}, and the number of its colour."""


def of_report(report: Report) -> Iterator[str]:
    """Yields all charts that a report has figures for."""
    sections = [(name, figures, 0) for name, figures in (report.get("sections") or {}).items()]
    if sections:
        yield _bars(f"{metric_of(report)}, %", [*sections, (overall_name(report), overall_of(report), 1)])
    for key in ("pass@k", "maj@k"):
        if report.get(key):
            yield _bars(f"{key}, %", [(f"k = {k}", figure, 0) for k, figure in report[key].items()])
    if report.get("confusion"):
        yield confusion(report["confusion"])
    calibration = report.get("calibration") or {}
    if calibration.get("reliability"):
        yield reliability(calibration["reliability"], calibration.get("ece"))
    if calibration.get("risk_coverage"):
        yield risk_and_coverage(calibration["risk_coverage"])


def of_several(reports: Sequence[Report]) -> Iterator[str]:
    """Yields a chart of the overall figures of several judges, and one for each section."""
    metric, judges = metric_of(reports[0]), names_of(reports)
    charts = {f"{overall_name(reports[0])} {metric}, %": [overall_of(report) for report in reports]}
    for name in section_names(reports):
        charts[f"{name}: {metric}, %"] = [report["sections"].get(name, {}) for report in reports]
    for caption, figures in charts.items():
        yield _bars(caption, list(zip(judges, figures, range(len(judges)), strict=True)))


def _bars(caption: str, bars: Sequence[Bar]) -> str:
    """Bars from 0 to 100%, each with its interval and its figure in words."""
    drawn, words = "", []
    for number, (name, figure, series) in enumerate(bars):
        y, value, ends = number * BAR, figure.get("value"), figure.get("interval")
        words.append(f"{name} {percent(value)} {interval(ends)}".removesuffix(" -"))
        drawn += word(0, y + 13, name) + word("100%", y + 13, percent(value), "value", "end")
        drawn += f'<rect x="0" y="{y + 18}" width="100%" height="12" class="track"/>'
        if value is not None:
            drawn += f'<rect x="0" y="{y + 18}" width="{x_of(value)}" height="12" class="bar s{series % SERIES}"/>'
        if ends is not None and None not in ends:
            drawn += whisker(ends[0], ends[1], y + 24)
    return strip(caption, f"{caption}: {'; '.join(words)}", drawn, len(bars) * BAR)


def differences(compared: Sequence[Report]) -> str:
    """Each difference with its interval, on a strip whose middle is 0."""
    known = [comparison for comparison in compared if comparison.get("difference") is not None]
    ends = [end for one in known for end in (one["difference"], *(one.get("interval") or ()))]
    reach = max([0.01, *map(abs, ends)]) * 1.1
    drawn, words = "", []
    for number, one in enumerate(known):
        y, span, difference = number * 56, one.get("interval"), one["difference"]
        words.append(f"{one['a']} less {one['b']} {points(difference)} {interval(span)}")
        drawn += word(0, y + 13, str(one["a"])) + word("100%", y + 13, points(difference), "value", "end")
        drawn += word(0, y + 29, f"less {one['b']}", "tick")
        drawn += line("50%", y + 34, "50%", y + 50, "zero")
        if span is not None:
            drawn += whisker(0.5 + span[0] / reach / 2, 0.5 + span[1] / reach / 2, y + 42)
        drawn += f'<circle cx="{x_of(0.5 + difference / reach / 2)}" cy="{y + 42}" r="5" class="dot s0"/>'
    caption = f"Difference in percentage points, with its 95% interval; from {points(-reach)} to {points(reach)}"
    return strip(caption, f"{caption}: {'; '.join(words)}", drawn, len(known) * 56)


def confusion(cells: Mapping[str, int]) -> str:
    """Counts and shares of the responses with the same label; the shares shade the cells."""
    drawn, words = "", []
    for row, (label, keys) in enumerate({"correct": ("tp", "fn"), "incorrect": ("fp", "tn")}.items()):
        total = sum(cells.get(key, 0) for key in keys)
        drawn += word(84, 112 + row * 104, label, "", "end")
        for column, (judged, key) in enumerate(zip(("correct", "incorrect"), keys, strict=True)):
            share, x, y = cells.get(key, 0) / total if total else 0.0, 92 + column * 108, 52 + row * 104
            words.append(f"{label} judged {judged} {cells.get(key, 0):,} ({percent(share)}%)")
            opacity = f"{0.06 + 0.44 * share:.2f}"
            drawn += f'<rect x="{x}" y="{y}" width="104" height="100" class="cell" fill-opacity="{opacity}"/>'
            drawn += word(x + 52, y + 50, f"{cells.get(key, 0):,}", "value", "middle")
            drawn += word(x + 52, y + 70, f"{percent(share)}%", "tick", "middle")
    heads = word(144, 42, "correct", "", "middle") + word(252, 42, "incorrect", "", "middle")
    names = word(84, 42, "label", "tick", "end") + word(198, 20, "judged", "tick", "middle")
    return square("Confusion matrix", "; ".join(words), heads + names + drawn)


def reliability(bins: Sequence[Report], ece: float | None) -> str:
    """Mean score and accuracy of each bin; the area of a dot grows with the number of responses."""
    full = [one for one in bins if one["n"] and one["mean_score"] is not None]
    most = max((one["n"] for one in full), default=1)
    axes = ChartAxes((0.0, 1.0), (0.0, 1.0))
    dots = [(one["mean_score"], one["accuracy"]) for one in full]
    drawn = axes.drawn("score, as a probability", "share that is correct", lambda tick: f"{tick:g}")
    drawn += axes.path([(0, 0), (1, 1)], "ideal") + axes.path(dots, "curve c0")
    for one, (x, y) in zip(full, (axes.place(*dot) for dot in dots), strict=True):
        radius = 2.5 + 5.5 * (one["n"] / most) ** 0.5
        drawn += f'<circle cx="{x}" cy="{y}" r="{radius:.1f}" class="dot s0"/>'
    words = [f"score {decimals(x)}: {percent(y)}% of {one['n']:,}" for one, (x, y) in zip(full, dots, strict=True)]
    return square(f"Reliability (ECE {decimals(ece)})", f"Reliability: {'; '.join(words)}", drawn)


def risk_and_coverage(curve: Sequence[Sequence[float]]) -> str:
    """The share of wrong verdicts among the most confident ones."""
    top = max(0.05, *(risk for _, risk in curve)) * 1.1
    axes = ChartAxes((0.0, 1.0), (0.0, top))
    drawn = axes.drawn("coverage, %", "wrong verdicts, %", lambda tick: f"{100 * tick:g}")
    drawn += axes.path([(coverage, risk) for coverage, risk in curve], "curve c0")
    if len(curve) == 1:  # all scores are equal
        x, y = axes.place(*curve[0])
        drawn += f'<circle cx="{x}" cy="{y}" r="5" class="dot s0"/>'
    ends = [f"{percent(risk)}% wrong at a coverage of {percent(coverage)}%" for coverage, risk in (curve[0], curve[-1])]
    return square("Risk and coverage", f"Risk and coverage: from {ends[0]} to {ends[1]}", drawn)


def scatter(correlation: Report) -> str:
    """A numbered dot for each point, with a key to the numbers and, if there are groups, to the colours."""
    points = correlation["points"]
    x_axis, y_axis = (axis_of(point[axis] for point in points) for axis in ("x", "y"))
    pairs = [(x_axis.factor * float(point["x"]), y_axis.factor * float(point["y"])) for point in points]
    names = list(dict.fromkeys(str(point["name"]) for point in points))
    groups = list(dict.fromkeys(point.get("group") for point in points))
    axes = ChartAxes(spread([x for x, _ in pairs]), spread([y for _, y in pairs]))
    x_name, y_name = (str(correlation.get(axis, axis)).replace("_", " ") for axis in ("x", "y"))
    drawn = axes.drawn(x_axis.named(x_name), y_axis.named(y_name), lambda tick: f"{tick:g}")
    for point, pair in zip(points, pairs, strict=True):
        x, y = axes.place(*pair)
        drawn += f'<circle cx="{x}" cy="{y}" r="4.5" class="dot s{groups.index(point.get("group")) % SERIES}"/>'
        drawn += word(x + 7, y + 4, str(names.index(str(point["name"])) + 1), "tick")
    words = [f"{point['name']}: {x_axis.shown(point['x'])}, {y_axis.shown(point['y'])}" for point in points]
    key = f'<ol class="key">{"".join(f"<li>{text(name)}</li>" for name in names)}</ol>'
    if len(groups) > 1:
        swatch = '<svg width="10" height="10" aria-hidden="true"><circle cx="5" cy="5" r="5" class="s{}"/></svg>'
        keys = (f"<span>{swatch.format(number % SERIES)} {text(group)}</span>" for number, group in enumerate(groups))
        key += f'<p class="groups">{"".join(keys)}</p>'
    return square(f"{y_name} against {x_name}", "; ".join(words), drawn, key)
