"""The account of a run: every row read is written, refused, left out or done before, and the end says how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Counts:
    """Rows, or jobs where a row makes several: `read` must equal out + errors + filtered + done at the end."""

    read: int = 0
    out: int = 0
    errors: int = 0
    done: int = 0
    blank: int = 0
    filtered: Counter[str] = field(default_factory=Counter)

    @property
    def missing(self) -> int:
        """Rows read of which nobody knows what became of them (yet)."""
        return self.read - self.out - self.errors - self.done - sum(self.filtered.values())

    def tally(self) -> dict[str, Any]:
        """For manifests and logs: `in`, `out`, `errors`, `filtered` by reason, `done`."""
        named = {"in": self.read, "out": self.out, "errors": self.errors}
        return {**named, "filtered": dict(self.filtered), "done": self.done}

    def summary(self, error_kinds: Mapping[str, int]) -> str:
        """The last line of a run, for people."""
        text = f"{self.read} in = {self.out} out + {self.errors} errors"
        text += f" + {sum(self.filtered.values())} filtered{_details(self.filtered)} + {self.done} already done"
        if self.missing:
            text += f" + {self.missing} not finished"
        if error_kinds:
            text += f"; errors{_details(error_kinds)}"
        if self.blank:
            text += f"; {self.blank} blank lines skipped"
        return text


def _details(counts: Mapping[str, int]) -> str:
    return " (" + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) + ")" if counts else ""
