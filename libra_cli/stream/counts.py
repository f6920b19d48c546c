"""The counts of a run: every row read is written, refused, left out or was done before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class RequestCount(NamedTuple):
    """How many requests the rows of a run stand for, for each model."""

    total: int
    done: int = 0
    """Those of rows read so far that an earlier run wrote, of all models."""
    bound: str = ""
    """What goes before the number in words if that is not exact: `at least ` or `up to `."""
    may_be_more: bool = False
    """Whether the output has further rows, which rows to come or another input may have made."""


@dataclass
class Counts:
    """Rows, or jobs if a row makes several: in the end `read` must equal out + errors + filtered + done."""

    read: int = 0
    out: int = 0
    errors: int = 0
    done: int = 0
    blank: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    error_kinds: Counter[str] = field(default_factory=Counter)

    @property
    def missing(self) -> int:
        """Rows read whose outcome is not known (yet)."""
        return self.read - self.out - self.errors - self.done - sum(self.filtered.values())

    def tally(self) -> dict[str, Any]:
        """`in`, `out`, `errors`, `filtered` by reason, `done` and, if any, `error_kinds`, for manifests and logs."""
        named = {"in": self.read, "out": self.out, "errors": self.errors}
        kinds = {"error_kinds": dict(self.error_kinds)} if self.error_kinds else {}
        return {**named, "filtered": dict(self.filtered), "done": self.done, **kinds}

    def refuse(self, kind: str) -> None:
        """Counts a row that is refused for an error of this class."""
        self.errors += 1
        self.error_kinds[kind] += 1

    def summary(self) -> str:
        """The last line of a run, for people."""
        text = f"{self.read} in = {self.out} out + {self.errors} errors"
        text += f" + {sum(self.filtered.values())} filtered{_details(self.filtered)} + {self.done} already done"
        if self.missing:
            text += f" + {self.missing} not finished"
        if self.error_kinds:
            text += f"; errors{_details(self.error_kinds)}"
        if self.blank:
            text += f"; {self.blank} blank lines skipped"
        return text


def _details(counts: Mapping[str, int]) -> str:
    return " (" + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) + ")" if counts else ""
