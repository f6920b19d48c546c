"""One labelled response: what its row says of it, and the row that it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from libra_cli.stream import rows
from libra_cli.stream.options import FIELD_HINTS
from libra_cli.stream.rows import Row, RowError
from libra_cli.tasks import thinking

PUBLISHED = ("index", "question", "response", "label", "model", "reference", "subset", "response_with_cot")
"""The fields of the published benchmark, in its order."""

NO_SUBSET = {"subset": "add it, or name one for all rows that have none: --default-subset NAME"}


class BalanceSample(NamedTuple):
    """A response, as a benchmark has it."""

    subset: str
    model: str
    label: int | None
    response: str | None
    """What comes after the thinking; None where nothing does."""
    response_with_cot: str
    """All of it."""

    @property
    def unusable(self) -> str | None:
        """Why the response can never be part of a benchmark; None where it can."""
        if self.response is None:
            return "no_response"
        return "unlabelled" if self.label is None else None


@dataclass(frozen=True)
class BalanceFormat:
    """How rows are read and written."""

    markers: Sequence[tuple[str, str]] = tuple(thinking.MARKERS.values())
    """Pairs that may open and close the thinking."""
    default_subset: str | None = None
    published: bool = False
    """Write the fields of the published benchmark and no others."""

    def read(self, row: Row) -> BalanceSample:
        """The sample in `row`; raises RowError where a field is missing or is not what it must be."""
        subset, label = self._subset(row), row.fields["label"]
        if label not in (0, 1, None):
            raise RowError("bad_label", f'"label" is {label}; it must be 1 (correct), 0 (incorrect) or null (unknown)')
        if self.published:
            rows.require(row, {"reference": (str, int, float)}, FIELD_HINTS)
        return BalanceSample(subset, row.fields["model"], label, *self._texts(row))

    def write(self, row: Row) -> bytes:
        """The line that `row` becomes; what it has already is not touched."""
        sample = self.read(row)
        if self.published:
            # The reference is always text: a column of two types cannot be loaded.
            fields = {**row.fields, **sample._asdict(), "reference": str(row.fields["reference"])}
            fields["index"] = row.id if row.fields.get("index") is None else row.fields["index"]
            return rows.dumps({name: fields[name] for name in PUBLISHED})
        new = {name: getattr(sample, name) for name in ("subset", "response", "response_with_cot")}
        return rows.extend(row, {name: text for name, text in new.items() if row.fields.get(name) != text})

    def _subset(self, row: Row) -> str:
        if self.default_subset is not None and row.fields.get("subset") is None:
            return self.default_subset
        rows.require(row, {"subset": str}, NO_SUBSET)
        return row.fields["subset"]

    def _texts(self, row: Row) -> tuple[str | None, str]:
        """The response after the thinking, and all of it."""
        there = [name for name in ("response", "response_with_cot") if name in row.fields] or ["response"]
        rows.require(row, dict.fromkeys(there, (str, type(None))), FIELD_HINTS)
        full = row.fields.get("response_with_cot")
        text = row.fields.get("response", full)
        if text is None:  # whoever made the row knew the prompt, and found that the text ends inside the thinking
            return None, full or ""
        cut = thinking.Cut(self.markers)(text)
        response = text if cut.thinking is None else cut.response
        return (response if response and not response.isspace() else None), full or text
