"""The realised mixture: rows, share and epochs of each set and of its tasks, as numbers and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from libra_cli.stream.text_table import render_table


def figures(
    names: Sequence[str],
    available: Sequence[Mapping[int, int]],
    realised: Sequence[Mapping[int, int]],
    tasks: Sequence[str | None],
) -> dict[str, Any]:
    """Rows, share of all rows, and epochs of each set and of its tasks.

    `available` and `realised` count the rows of each set by the number of their task in `tasks`.
    """
    total = sum(sum(counts.values()) for counts in realised)
    sets = []
    for name, present, taken in zip(names, available, realised, strict=True):
        by_task = [{"task": tasks[task], **_size(present[task], taken.get(task, 0), total)} for task in present]
        has_tasks = any(task["task"] is not None for task in by_task)
        whole = _size(sum(present.values()), sum(taken.values()), total)
        sets.append({"source": name, **whole, "tasks": by_task if has_tasks else []})
    return {"rows": total, "sources": sets}


def _size(available: int, rows: int, total: int) -> dict[str, Any]:
    """`epochs` is None if the set is empty, `share` if the mixture is."""
    epochs = rows / available if available else None
    return {"available": available, "rows": rows, "share": rows / total if total else None, "epochs": epochs}


def table(mixture: Mapping[str, Any]) -> str:
    """The figures as a text table."""
    lines: list[list[str] | None] = []
    for source in mixture["sources"]:
        lines.append([source["source"], *_cells(source)])
        lines += [["  " + (task["task"] or "no task"), *_cells(task)] for task in source["tasks"]]
    available = sum(source["available"] for source in mixture["sources"])
    whole = _size(available, mixture["rows"], mixture["rows"])
    return render_table(
        ("source, task", "available", "rows", "share", "epochs"), [*lines, None, ["all", *_cells(whole)]]
    )


def _cells(size: Mapping[str, Any]) -> list[str]:
    share = "-" if size["share"] is None else f"{size['share']:.1%}"
    epochs = "-" if size["epochs"] is None else f"{size['epochs']:.2f}"
    return [f"{size['available']:,}", f"{size['rows']:,}", share, epochs]
