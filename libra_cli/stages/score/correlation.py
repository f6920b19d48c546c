"""Correlation of judges' accuracy with the accuracy of policies trained against them (`libra score correlate`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from libra_cli.exits import Exit, Fatal
from libra_cli.metrics import bootstrap, correlate
from libra_cli.records.row_types import is_number
from libra_cli.stages.score.judged_items import number
from libra_cli.stages.score.reading import rows_of_file
from libra_cli.stages.score.report import Correlation

Floats = NDArray[np.float64]

MIN_JUDGES = 10
"""With fewer judges the report warns that a correlation is hardly known."""
HIGHEST_GRADE = 10
"""Values from 0 to 100 are percent if one of them is above this grade."""
NAMES = ("judge", "model", "name", "id")
"""Fields that may name a point."""
COEFFICIENTS = {"pearson": correlate.pearson, "spearman": correlate.spearman}


@dataclass(frozen=True)
class CorrelationPoint:
    """One judge; `group` is empty without --group."""

    name: str
    x: float
    y: float
    group: str


@dataclass(frozen=True)
class CorrelationAxes:
    """The fields of a row that hold a point, and the settings of the bootstrap."""

    x: str
    y: str
    group: str | None
    resamples: int
    seed: int


def correlation(paths: tuple[str, ...], axes: CorrelationAxes) -> Correlation:
    """Reports on the points in the files; raises Fatal on a row without a point, or if there are fewer than three."""
    points = [point for path in paths or ("-",) for point in _read_points(path, axes)]
    points, notes = _percent_to_fractions(points, axes)
    groups = list(dict.fromkeys(point.group for point in points))
    of_group = {name: [point for point in points if point.group == name] for name in groups}
    too_small = next((name for name in groups if len(of_group[name]) < 3), None)
    if not points or too_small is not None:
        where = f" of {axes.group} {too_small!r}" if len(groups) > 1 else ""
        n = len(of_group[too_small]) if too_small is not None else 0
        names = ", ".join(paths) or "standard input"
        raise Fatal(Exit.USAGE, f"{names}: a correlation needs three points{where}, there are {n}: add rows")
    report = _report(points, axes)
    if len(groups) > 1:
        report["groups"] = {name: _report(members, axes) for name, members in of_group.items()}
        report["notes"].insert(0, f"each point is taken from the means of its {axes.group}")
    report["notes"] += notes
    report["file"] = ", ".join(paths) or "-"
    return report


def _read_points(path: str, axes: CorrelationAxes) -> Iterator[CorrelationPoint]:
    with closing(rows_of_file(path)) as rows:
        for row in rows:
            fields, place = row.fields, row.place
            for name in (axes.x, axes.y):
                if not is_number(fields.get(name)):
                    numbers = ", ".join(key for key, value in fields.items() if is_number(value)) or "none"
                    reason = f'no number "{name}": --x and --y name fields with numbers (here: {numbers})'
                    raise Fatal(Exit.USAGE, f"{place}: {reason}")
            if axes.group is not None and fields.get(axes.group) is None:
                raise Fatal(Exit.USAGE, f'{place}: no "{axes.group}": --group names the field that tells groups apart')
            name = next((str(fields[name]) for name in NAMES if fields.get(name) is not None), f"row {row.line}")
            group = "" if axes.group is None else str(fields[axes.group])
            yield CorrelationPoint(name, float(fields[axes.x]), float(fields[axes.y]), group)


def _percent_to_fractions(
    points: list[CorrelationPoint], axes: CorrelationAxes
) -> tuple[list[CorrelationPoint], list[str]]:
    """Turns an axis in percent into fractions, with a note; leaves other axes, such as grades, as they are."""
    notes = []
    for axis, name in (("x", axes.x), ("y", axes.y)):
        values = [getattr(point, axis) for point in points]
        if values and min(values) >= 0 and HIGHEST_GRADE < max(values) <= 100:
            points = [replace(point, **{axis: round(getattr(point, axis) / 100, 12)}) for point in points]
            notes.append(f"{name} is taken for percent")
    return points, notes


def _report(points: list[CorrelationPoint], axes: CorrelationAxes) -> Correlation:
    x, y = _deviations(points, "x"), _deviations(points, "y")
    n_groups = len({point.group for point in points})
    coefficients: dict[str, dict[str, Any]] = {}
    for name, of in COEFFICIENTS.items():
        value = float(of(x, y))
        drawn = correlate.bootstrap_interval(x, y, of, axes.resamples, axes.seed) if axes.resamples else None
        # Each further group costs a degree of freedom, because its mean is taken out.
        interval = correlate.fisher_interval(value, len(x) - n_groups + 1, name == "spearman")
        coefficients[name] = {"value": number(value), "interval": interval, "bootstrap": drawn}

    leave_one_out: list[dict[str, Any]] = []
    for left_out in points:
        rest = [point for point in points if point is not left_out]
        rest_x, rest_y = _deviations(rest, "x"), _deviations(rest, "y")
        label = f"{left_out.name} ({left_out.group})" if left_out.group else left_out.name
        values = {name: number(float(of(rest_x, rest_y))) for name, of in COEFFICIENTS.items()}
        leave_one_out.append({"without": label, **values})
    ranges: dict[str, list[float] | None] = {}
    for name in COEFFICIENTS:
        of_rest = [one[name] for one in leave_one_out]
        ranges[name] = None if None in of_rest else [min(of_rest), max(of_rest)]
    return Correlation(
        x=axes.x,
        y=axes.y,
        n=len(points),
        points=[
            {"name": point.name, "x": point.x, "y": point.y, **({"group": point.group} if axes.group else {})}
            for point in points
        ],
        pearson=coefficients["pearson"],
        spearman=coefficients["spearman"],
        leave_one_out=leave_one_out,
        leave_one_out_range=ranges,
        bootstrap=bootstrap.described(axes.resamples, axes.seed, "point", len(points)),
        notes=_notes(points, coefficients),
    )


def _deviations(points: list[CorrelationPoint], axis: str) -> Floats:
    """The values of an axis minus the means of their groups, whose differences would look like a correlation."""
    values = np.array([getattr(point, axis) for point in points])
    names = np.array([point.group for point in points])
    for name in np.unique(names) if len(np.unique(names)) > 1 else ():
        values[names == name] -= values[names == name].mean()
    return values


def _notes(points: list[CorrelationPoint], coefficients: Mapping[str, Any]) -> list[str]:
    notes, n_judges = [], len({point.name for point in points})
    if n_judges < MIN_JUDGES:
        warning = f"with fewer than {MIN_JUDGES} a correlation is hardly known: a single one can make it"
        notes.append(f"only {n_judges} judges: {warning}")
    if n_judges < len(points):
        notes.append("points of the same judge are not independent: the intervals are too narrow")
    if any(coefficient["value"] is None for coefficient in coefficients.values()):
        notes.append("a correlation is not defined: one of the axes does not vary")
    return notes
