"""How a benchmark ends: its figures beside their targets, one line of JSON, and status 1 where a target is missed."""

from __future__ import annotations

import json
import operator
import os
import platform
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

_MET = {">=": operator.ge, "<=": operator.le, "<": operator.lt}


class Figure(NamedTuple):
    """A measured value; `sign` and `target` say what it has to be, where there is a target."""

    name: str
    value: float
    sign: str = ""
    target: float | None = None

    @property
    def is_met(self) -> bool | None:
        """None without a target."""
        return None if self.target is None else bool(_MET[self.sign](self.value, self.target))

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Name, value, target and verdict, as text."""
        wanted = "" if self.target is None else f"{self.sign} {_short(self.target)}"
        return self.name, _short(self.value), wanted, {None: "", True: "met", False: "MISSED"}[self.is_met]


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Prints rows of texts in columns; the first of them are the names of the columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(), flush=True)


def conclude(figures: Sequence[Figure], **more: Any) -> NoReturn:
    """Prints the figures and ends the benchmark. `more` goes into its line of JSON, beside the machine."""
    print()
    print_table([("figure", "found", "target", ""), *(figure.cells for figure in figures)])
    machine = {"machine": platform.machine(), "cpus": os.cpu_count(), "python": platform.python_version()}
    rows = [{**figure._asdict(), "met": figure.is_met} for figure in figures]
    print(json.dumps({"figures": rows, **more, **machine}))
    sys.exit(1 if any(figure.is_met is False for figure in figures) else 0)
