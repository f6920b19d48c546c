"""The charts of training runs: the curves of all runs in one chart for each figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from libra_cli.reports.figures import number
from libra_cli.reports.layout import Report
from libra_cli.reports.page_svg import SERIES, ChartAxes, line, spread, square
from libra_cli.reports.page_text import text
from libra_cli.reports.runs_part import shown_figures

MOST_POINTS = 200
"""Of a curve; the points of a longer one are means over equally many events."""

FEW_POINTS = 20
"""So many are drawn as dots, with their intervals."""

Curve = Sequence[Sequence[float]]
"""Points: step, value and, if it has an interval, the ends of that."""


def charts(runs: Sequence[Report]) -> Iterator[str]:
    """Yields a chart for each figure that any of the runs has more than once; the tables have the others."""
    names = [str(run["run"]) for run in runs]
    for figure, (name, _) in shown_figures(runs).items():
        factor = 100 if name.endswith("%") else 1
        curves = {
            n: [(step, *(factor * value for value in values)) for step, *values in thinned(run["curves"][figure])]
            for n, run in enumerate(runs)
            if figure in run["curves"]
        }
        if max(map(len, curves.values())) > 1:
            yield _chart(name, curves, names)


def thinned(curve: Curve) -> Curve:
    """The curve itself, or means of its steps and values over neighbouring points."""
    if len(curve) <= MOST_POINTS:
        return curve
    size = -(-len(curve) // MOST_POINTS)
    groups = [curve[begin : begin + size] for begin in range(0, len(curve), size)]
    return [[sum(point[at] for point in group) / len(group) for at in (0, 1)] for group in groups]


def _chart(name: str, curves: Mapping[int, Curve], names: Sequence[str]) -> str:
    steps = [point[0] for curve in curves.values() for point in curve]
    values = [value for curve in curves.values() for point in curve for value in point[1:]]
    first, last = min(steps), max(steps)
    axes = ChartAxes((first, last if last > first else first + 1), spread(values))
    drawn, words = axes.drawn("step", "", lambda tick: f"{tick:g}"), []
    for n, curve in curves.items():
        drawn += axes.path([(point[0], point[1]) for point in curve], f"curve c{n % SERIES}")
        for step, value, *ends in curve if len(curve) <= FEW_POINTS else ():
            x, y = axes.place(step, value)
            if ends:
                drawn += line(x, axes.place(step, ends[0])[1], x, axes.place(step, ends[1])[1], f"range c{n % SERIES}")
            drawn += f'<circle cx="{x}" cy="{y}" r="3" class="dot s{n % SERIES}"/>'
        words.append(f"{names[n]}: from {number(curve[0][1])} to {number(curve[-1][1])}")
    key = ""
    if len(names) > 1:
        swatch = '<svg width="10" height="10" aria-hidden="true"><circle cx="5" cy="5" r="5" class="s{}"/></svg>'
        keys = "".join(f"<span>{swatch.format(n % SERIES)} {text(names[n])}</span>" for n in curves)
        key = f'<p class="groups">{keys}</p>'
    return square(name, f"{name}: {'; '.join(words)}", drawn, key)
