"""The realised mixture: what came of each set and of its tasks, as numbers and as a table."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from libra_cli.stream.console import printable

WIDTH = 80


def figures(
    names: Sequence[str],
    available: Sequence[Mapping[int, int]],
    realised: Sequence[Mapping[int, int]],
    tasks: Sequence[str | None],
) -> dict[str, Any]:
    """Rows, share of all rows, and epochs of each set and of its tasks, from rows by the number of their task."""
    total = sum(sum(counts.values()) for counts in realised)
    sets = []
    for name, had, taken in zip(names, available, realised, strict=True):
        by_task = [{"task": tasks[task], **_size(had[task], taken.get(task, 0), total)} for task in had]
        named = any(task["task"] is not None for task in by_task)
        whole = _size(sum(had.values()), sum(taken.values()), total)
        sets.append({"source": name, **whole, "tasks": by_task if named else []})
    return {"rows": total, "sources": sets}


def _size(available: int, rows: int, total: int) -> dict[str, Any]:
    """`epochs` is null where there was nothing to take."""
    epochs = rows / available if available else None
    return {"available": available, "rows": rows, "share": rows / total if total else None, "epochs": epochs}


def table(mixture: Mapping[str, Any]) -> str:
    """The figures as text of at most WIDTH columns; a long name goes on in the next line."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=SIMPLE, pad_edge=False, show_edge=False)
    grid.add_column("source, task", overflow="fold")
    for name in ("available", "rows", "share", "epochs"):
        grid.add_column(name, justify="right", no_wrap=True)
    for source in mixture["sources"]:
        grid.add_row(Text(printable(source["source"])), *_numbers(source))
        for task in source["tasks"]:
            name = "no task" if task["task"] is None else printable(task["task"])
            grid.add_row(Text("  " + name), *_numbers(task))
    grid.add_section()
    available = sum(source["available"] for source in mixture["sources"])
    grid.add_row("all", *_numbers(_size(available, mixture["rows"], mixture["rows"])))
    text = io.StringIO()
    Console(file=text, width=WIDTH, color_system=None).print(grid)
    return "".join(line.rstrip() + "\n" for line in text.getvalue().splitlines())


def _numbers(size: Mapping[str, Any]) -> list[str]:
    share = "-" if size["share"] is None else f"{size['share']:.1%}"
    epochs = "-" if size["epochs"] is None else f"{size['epochs']:.2f}"
    return [f"{size['available']:,}", f"{size['rows']:,}", share, epochs]
