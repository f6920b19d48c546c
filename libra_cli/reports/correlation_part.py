"""The part of `libra score correlate`: coefficients, points, and the coefficients without each point."""

from __future__ import annotations

from libra_cli.reports.figures import NOTHING, axis_of, bracketed, count, decimals
from libra_cli.reports.layout import Column, Line, Report, ReportPart, Table, notes_of

COEFFICIENTS = {"pearson": "Pearson", "spearman": "Spearman"}


def correlation_part(correlation: Report) -> ReportPart:
    """The part that shows a correlation, of all points and of each group."""
    x_name, y_name = (str(correlation.get(axis, axis)).replace("_", " ") for axis in ("x", "y"))
    points = correlation["points"]
    x_axis, y_axis = (axis_of(point[axis] for point in points) for axis in ("x", "y"))
    group_column = [Column("group", False)] if correlation.get("groups") else []

    coefficients = []
    groups = {f", {name}": group for name, group in (correlation.get("groups") or {}).items()}
    for suffix, group in {"": correlation, **groups}.items():
        for key, name in COEFFICIENTS.items():
            if not group.get(key):
                continue
            coefficient, left_out = group[key], (group.get("leave_one_out_range") or {}).get(key)
            intervals = (coefficient.get("interval"), coefficient.get("bootstrap"), left_out)
            why = NOTHING
            if correlation.get("bootstrap") and (value := coefficient.get("value")) is not None:
                why = "n too small" if abs(value) < 1 else "none at ±1"
            ends = [bracketed(one, decimals).strip() or why for one in intervals]
            coefficients.append(
                Line((f"{name}{suffix}", count(group.get("n")), decimals(coefficient.get("value")), *ends))
            )
    pairs = []
    for point in points:
        group_cell = [str(point.get("group"))] if group_column else []
        pairs.append(Line((str(point["name"]), *group_cell, x_axis.shown(point["x"]), y_axis.shown(point["y"]))))
    leave_one_out = [
        Line((str(one["without"]), *(decimals(one.get(key)) for key in COEFFICIENTS)))
        for one in correlation.get("leave_one_out") or ()
    ]
    coefficient_columns = (
        Column("coefficient", False),
        Column("n"),
        Column("value"),
        Column("95% (Fisher)"),
        Column("95% (bootstrap)", spare=1),
        Column("leaving one out"),
    )
    point_columns = (
        Column("name", False),
        *group_column,
        Column(x_axis.named(x_name, " ")),
        Column(y_axis.named(y_name, " ")),
    )
    tables = (
        Table("Correlation", coefficient_columns, tuple(coefficients)),
        Table("Points", point_columns, tuple(pairs)),
        Table("Leaving one out", (Column("without", False), *map(Column, COEFFICIENTS.values())), tuple(leave_one_out)),
    )
    shown = tuple(table for table in tables if table.lines)
    return ReportPart(f"{y_name} against {x_name}", tables=shown, notes=notes_of(correlation), points=points)
