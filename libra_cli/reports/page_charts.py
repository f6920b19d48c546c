"""The charts of the page: bars with intervals, confusion, reliability, risk and coverage, differences, correlation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from libra_cli.reports.figures import axis_of, decimals, interval, percent, points
from libra_cli.reports.layout import Report, metric_of, names_of
from libra_cli.reports.page_svg import (
    SERIES,
    ChartAxes,
    at,
    line,
    spread,
    square,
    strip,
    whisker,
    word,
)
from libra_cli.reports.page_text import text

BAR = 38
"""Pixels from one bar to the next."""
Bar = tuple[str, Mapping[str, Any], int]
"""A name, {value, interval}, and the number of its colour."""


def of_report(report: Report) -> Iterator[str]:
    """All charts that a report has figures for."""
    whole = {"value": report.get("overall"), "interval": report.get("interval")}
    sections = [(name, figures, 0) for name, figures in (report.get("sections") or {}).items()]
    if sections:
        yield _bars(f"{metric_of(report)}, %", [*sections, ("overall", whole, 1)])
    for key in ("pass@k", "maj@k"):
        if report.get(key):
            yield _bars(f"{key}, %", [(f"k = {k}", figure, 0) for k, figure in report[key].items()])
    if report.get("confusion"):
        yield _confusion(report["confusion"])
    calibration = report.get("calibration") or {}
    if calibration.get("reliability"):
        yield _reliability(calibration["reliability"], calibration.get("ece"))
    if calibration.get("risk_coverage"):
        yield _risk(calibration["risk_coverage"])


def of_several(reports: Sequence[Report]) -> Iterator[str]:
    """The overall figures of several judges, and those of each section."""
    metric = metric_of(reports[0])
    names = list(dict.fromkeys(name for report in reports for name in report.get("sections") or {}))
    whole = [{"value": report.get("overall"), "interval": report.get("interval")} for report in reports]
    yield _bars(f"overall {metric}, %", _by_judge(reports, whole))
    for name in names:
        yield _bars(
            f"{name}: {metric}, %", _by_judge(reports, [report["sections"].get(name, {}) for report in reports])
        )


def _by_judge(reports: Sequence[Report], figures: Sequence[Mapping[str, Any]]) -> list[Bar]:
    return [
        (name, figure, number) for number, (name, figure) in enumerate(zip(names_of(reports), figures, strict=True))
    ]


def _bars(caption: str, bars: Sequence[Bar]) -> str:
    """From 0 to 100%, each with its interval and its figure in words."""
    drawn, said = "", []
    for number, (name, figure, series) in enumerate(bars):
        y, value, ends = number * BAR, figure.get("value"), figure.get("interval")
        said.append(f"{name} {percent(value)} {interval(ends)}".removesuffix(" -"))
        drawn += word(0, y + 13, name) + word("100%", y + 13, percent(value), "value", "end")
        drawn += f'<rect x="0" y="{y + 18}" width="100%" height="12" class="track"/>'
        if value is not None:
            drawn += f'<rect x="0" y="{y + 18}" width="{at(value)}" height="12" class="bar s{series % SERIES}"/>'
        if ends is not None and None not in ends:
            drawn += whisker(ends[0], ends[1], y + 24)
    return strip(caption, f"{caption}: {'; '.join(said)}", drawn, len(bars) * BAR)


def differences(compared: Sequence[Report]) -> str:
    """Each difference with its interval, around nothing."""
    known = [each for each in compared if each.get("difference") is not None]
    ends = [end for each in known for end in (each["difference"], *(each.get("interval") or ()))]
    reach = max([0.01, *map(abs, ends)]) * 1.1
    drawn, said = "", []
    for number, each in enumerate(known):
        y, span = number * 56, each.get("interval")
        said.append(f"{each['a']} less {each['b']} {points(each['difference'])} {interval(span)}")
        drawn += word(0, y + 13, str(each["a"])) + word("100%", y + 13, points(each["difference"]), "value", "end")
        drawn += word(0, y + 29, f"less {each['b']}", "tick")
        drawn += line("50%", y + 34, "50%", y + 50, "zero")
        if span is not None:
            drawn += whisker(0.5 + span[0] / reach / 2, 0.5 + span[1] / reach / 2, y + 42)
        drawn += f'<circle cx="{at(0.5 + each["difference"] / reach / 2)}" cy="{y + 42}" r="5" class="dot s0"/>'
    caption = f"Difference in percentage points, with its 95% interval; from {points(-reach)} to {points(reach)}"
    return strip(caption, f"{caption}: {'; '.join(said)}", drawn, len(known) * 56)


def _confusion(cells: Mapping[str, int]) -> str:
    """Counts, and shares of the responses with the same label, which shade the cell."""
    drawn, said = "", []
    for row, (label, keys) in enumerate({"correct": ("tp", "fn"), "incorrect": ("fp", "tn")}.items()):
        total = sum(cells.get(key, 0) for key in keys)
        drawn += word(84, 112 + row * 104, label, "", "end")
        for column, (judged, key) in enumerate(zip(("correct", "incorrect"), keys, strict=True)):
            share, x, y = cells.get(key, 0) / total if total else 0.0, 92 + column * 108, 52 + row * 104
            said.append(f"{label} judged {judged} {cells.get(key, 0):,} ({percent(share)}%)")
            opacity = f"{0.06 + 0.44 * share:.2f}"
            drawn += f'<rect x="{x}" y="{y}" width="104" height="100" class="cell" fill-opacity="{opacity}"/>'
            drawn += word(x + 52, y + 50, f"{cells.get(key, 0):,}", "value", "middle")
            drawn += word(x + 52, y + 70, f"{percent(share)}%", "tick", "middle")
    heads = word(144, 42, "correct", "", "middle") + word(252, 42, "incorrect", "", "middle")
    names = word(84, 42, "label", "tick", "end") + word(198, 20, "judged", "tick", "middle")
    return square("Confusion matrix", "; ".join(said), heads + names + drawn)


def _reliability(bins: Sequence[Report], ece: float | None) -> str:
    """Mean score and share of correct responses of each bin; the larger a dot, the more responses."""
    full = [each for each in bins if each["n"] and each["mean_score"] is not None]
    most = max((each["n"] for each in full), default=1)
    axes = ChartAxes((0.0, 1.0), (0.0, 1.0))
    dots = [(each["mean_score"], each["accuracy"]) for each in full]
    drawn = axes.drawn("score, as a probability", "share that is correct", lambda tick: f"{tick:g}")
    drawn += axes.path([(0, 0), (1, 1)], "ideal") + axes.path(dots, "curve c0")
    for each, (x, y) in zip(full, (axes.place(*dot) for dot in dots), strict=True):
        radius = 2.5 + 5.5 * (each["n"] / most) ** 0.5
        drawn += f'<circle cx="{x}" cy="{y}" r="{radius:.1f}" class="dot s0"/>'
    said = "; ".join(
        f"score {decimals(x)}: {percent(y)}% of {each['n']:,}" for each, (x, y) in zip(full, dots, strict=True)
    )
    return square(f"Reliability (ECE {decimals(ece)})", f"Reliability: {said}", drawn)


def _risk(curve: Sequence[Sequence[float]]) -> str:
    """The share of wrong verdicts among the most confident ones."""
    top = max(0.05, *(risk for _, risk in curve)) * 1.1
    axes = ChartAxes((0.0, 1.0), (0.0, top))
    drawn = axes.drawn("coverage, %", "wrong verdicts, %", lambda tick: f"{100 * tick:g}")
    drawn += axes.path([(coverage, risk) for coverage, risk in curve], "curve c0")
    ends = [f"{percent(risk)}% wrong at a coverage of {percent(coverage)}%" for coverage, risk in (curve[0], curve[-1])]
    return square("Risk and coverage", f"Risk and coverage: from {ends[0]} to {ends[1]}", drawn)


def scatter(found: Report) -> str:
    """A numbered dot for each point, with a key to the numbers, and to the colours where there are groups."""
    points_found = found["points"]
    of_x, of_y = (axis_of(point[axis] for point in points_found) for axis in ("x", "y"))
    pairs = [(of_x.factor * float(point["x"]), of_y.factor * float(point["y"])) for point in points_found]
    names = list(dict.fromkeys(str(point["name"]) for point in points_found))
    groups = list(dict.fromkeys(point.get("group") for point in points_found))
    axes = ChartAxes(spread([x for x, _ in pairs]), spread([y for _, y in pairs]))
    x_name, y_name = (str(found.get(axis, axis)).replace("_", " ") for axis in ("x", "y"))
    drawn = axes.drawn(of_x.named(x_name), of_y.named(y_name), lambda tick: f"{tick:g}")
    for point, pair in zip(points_found, pairs, strict=True):
        x, y = axes.place(*pair)
        drawn += f'<circle cx="{x}" cy="{y}" r="4.5" class="dot s{groups.index(point.get("group")) % SERIES}"/>'
        drawn += word(x + 7, y + 4, str(names.index(str(point["name"])) + 1), "tick")
    said = "; ".join(f"{point['name']}: {of_x.shown(point['x'])}, {of_y.shown(point['y'])}" for point in points_found)
    return square(f"{y_name} against {x_name}", said, drawn, _key(names) + _groups(groups))


def _key(names: Sequence[str]) -> str:
    return f'<ol class="key">{"".join(f"<li>{text(name)}</li>" for name in names)}</ol>'


def _groups(groups: Sequence[object]) -> str:
    """Which colour is whose; nothing where there is one."""
    if len(groups) < 2:
        return ""
    swatch = '<svg width="10" height="10" aria-hidden="true"><circle cx="5" cy="5" r="5" class="s{}"/></svg>'
    keys = (f"<span>{swatch.format(number % SERIES)} {text(group)}</span>" for number, group in enumerate(groups))
    return f'<p class="groups">{"".join(keys)}</p>'
