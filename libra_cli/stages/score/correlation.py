"""A judge's accuracy against what came of training with it: the report of `libra score correlate`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from libra_cli.exits import Exit, Fatal
from libra_cli.metrics import bootstrap, correlate
from libra_cli.stages.score.reading import rows_of_file
from libra_cli.stages.score.report import Correlation
from libra_cli.stages.score.verdicts import number

Floats = NDArray[np.float64]

FEW = 10
"""Judges below which a correlation is hardly known."""
HIGHEST_GRADE = 10
"""Up to it a number is taken as it is; values that are all from 0 to 100, and some above this, are percent."""
NAMES = ("judge", "model", "name", "id")
"""What a point is called."""
COEFFICIENTS = {"pearson": correlate.pearson, "spearman": correlate.spearman}


@dataclass(frozen=True)
class CorrelationPoint:
    """One judge: `group` says with what it was used."""

    name: str
    x: float
    y: float
    group: str


@dataclass(frozen=True)
class CorrelationAxes:
    """The fields of a row that hold a point, and how intervals are made."""

    x: str
    y: str
    group: str | None
    resamples: int
    seed: int


def correlation(paths: tuple[str, ...], axes: CorrelationAxes) -> Correlation:
    """The report on the points in the files; raises Fatal for a row that has none, and for fewer than three."""
    points, notes = _as_fractions([point for path in paths or ("-",) for point in _points(path, axes)], axes)
    groups = list(dict.fromkeys(point.group for point in points))
    of_group = {name: [point for point in points if point.group == name] for name in groups}
    few = next((name for name in groups if len(of_group[name]) < 3), None)
    if not points or few is not None:
        where = f" of {axes.group} {few!r}" if len(groups) > 1 else ""
        n = len(of_group[few]) if few is not None else 0
        raise Fatal(Exit.USAGE, f"{', '.join(paths) or 'standard input'}: a correlation needs three points{where}, "
                                f"there are {n}: add rows")  # fmt: skip
    whole = _reported(points, axes)
    if len(groups) > 1:
        whole["groups"] = {name: _reported(found, axes) for name, found in of_group.items()}
        whole["notes"].insert(0, f"each point is taken from the means of its {axes.group}")
    whole["notes"] += notes
    whole["file"] = ", ".join(paths) or "-"
    return whole


def _points(path: str, axes: CorrelationAxes) -> Iterator[CorrelationPoint]:
    for row in rows_of_file(path):
        fields, place = row.fields, row.place
        x, y = (_number(fields, name, place) for name in (axes.x, axes.y))
        if axes.group is not None and fields.get(axes.group) is None:
            raise Fatal(Exit.USAGE, f'{place}: no "{axes.group}": --group names the field that tells groups apart')
        name = next((str(fields[name]) for name in NAMES if fields.get(name) is not None), f"row {row.line}")
        yield CorrelationPoint(name, x, y, "" if axes.group is None else str(fields[axes.group]))


def _as_fractions(points: list[CorrelationPoint], axes: CorrelationAxes) -> tuple[list[CorrelationPoint], list[str]]:
    """The points with an axis in percent as fractions, and a note of it; grades and the like stay as they are."""
    notes = []
    for axis, name in (("x", axes.x), ("y", axes.y)):
        values = [getattr(point, axis) for point in points]
        if values and min(values) >= 0 and HIGHEST_GRADE < max(values) <= 100:
            points = [replace(point, **{axis: round(getattr(point, axis) / 100, 12)}) for point in points]
            notes.append(f"{name} is taken for percent")
    return points, notes


def _number(fields: Mapping[str, Any], name: str, place: str) -> float:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        has = ", ".join(key for key, found in fields.items() if isinstance(found, (int, float))) or "none"
        raise Fatal(Exit.USAGE, f'{place}: no number "{name}": --x and --y name fields with numbers (here: {has})')
    return float(value)


def _reported(points: list[CorrelationPoint], axes: CorrelationAxes) -> Correlation:
    x, y = _deviations(points, "x"), _deviations(points, "y")
    left = [_without(points, x, y, at) for at in range(len(points))]
    named = [{"name": point.name, "x": point.x, "y": point.y, **({"group": point.group} if axes.group else {})}
             for point in points]  # fmt: skip
    found = {name: _coefficient(name, x, y, len({point.group for point in points}), axes) for name in COEFFICIENTS}
    return Correlation(
        x=axes.x, y=axes.y, n=len(points), points=named, pearson=found["pearson"], spearman=found["spearman"],
        leave_one_out=left, leave_one_out_range={name: _range(left, name) for name in COEFFICIENTS},
        bootstrap=bootstrap.described(axes.resamples, axes.seed, "point", len(points)), notes=_notes(points, found),
    )  # fmt: skip


def _deviations(points: list[CorrelationPoint], axis: str) -> Floats:
    """The values of an axis less the mean of their group: groups of different level would pass for a correlation."""
    values = np.array([getattr(point, axis) for point in points])
    names = np.array([point.group for point in points])
    for name in np.unique(names) if len(np.unique(names)) > 1 else ():
        values[names == name] -= values[names == name].mean()
    return values


def _coefficient(name: str, x: Floats, y: Floats, n_groups: int, axes: CorrelationAxes) -> dict[str, Any]:
    """Each further group has taken a mean of its own, and with it a degree of freedom."""
    of = COEFFICIENTS[name]
    value = float(of(x, y))
    drawn = correlate.bootstrap_interval(x, y, of, axes.resamples, axes.seed) if axes.resamples else None
    fisher = correlate.fisher_interval(value, len(x) - n_groups + 1, name == "spearman")
    return {"value": number(value), "interval": fisher, "bootstrap": drawn}


def _without(points: list[CorrelationPoint], x: Floats, y: Floats, at: int) -> dict[str, Any]:
    rest = [point for place, point in enumerate(points) if place != at]
    x, y = _deviations(rest, "x"), _deviations(rest, "y")
    shown = f"{points[at].name} ({points[at].group})" if points[at].group else points[at].name
    return {"without": shown, **{name: number(float(of(x, y))) for name, of in COEFFICIENTS.items()}}


def _range(left: list[dict[str, Any]], name: str) -> list[float] | None:
    values = [found[name] for found in left]
    return None if None in values else [min(values), max(values)]


def _notes(points: list[CorrelationPoint], found: Mapping[str, Any]) -> list[str]:
    notes, n_judges = [], len({point.name for point in points})
    if n_judges < FEW:
        notes.append(f"only {n_judges} judges: with fewer than {FEW} a correlation is hardly known, one can make it")
    if n_judges < len(points):
        notes.append("points of the same judge are not independent: the intervals are too narrow")
    if any(coefficient["value"] is None for coefficient in found.values()):
        notes.append("a correlation is not defined: one of the axes does not vary")
    return notes
