"""One labelled response: reading it from a row, and writing the row of the benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from libra_cli.stream import rows
from libra_cli.stream.options import FIELD_HINTS
from libra_cli.stream.required_fields import require
from libra_cli.stream.rows import Row, RowError
from libra_cli.tasks import thinking
from libra_cli.tasks.labels import why_not

PUBLISHED = ("index", "question", "response", "label", "model", "reference", "subset", "response_with_cot")
"""The fields of the published benchmark, in its order."""

SUBSET_HINT = {"subset": "add it, or name one for all rows that have none: --default-subset NAME"}


class BalanceSample(NamedTuple):
    """A labelled response of a benchmark."""

    subset: str
    model: str
    label: int | None
    response: str | None
    """The text after the thinking; None if there is none."""
    response_with_cot: str
    """The whole text, thinking included."""

    @property
    def unusable(self) -> str | None:
        """Why the response cannot be part of a benchmark; None if it can."""
        if self.response is None:
            return "no_response"
        return "unlabelled" if self.label is None else None


@dataclass(frozen=True)
class BalanceFormat:
    """How rows of a benchmark are read and written."""

    markers: Sequence[tuple[str, str]] = tuple(thinking.MARKERS.values())
    """Pairs of markers that may open and close the thinking."""
    default_subset: str | None = None
    published: bool = False
    """Write only the fields of the published benchmark."""

    def read(self, row: Row) -> BalanceSample:
        """Reads the sample in `row`; raises RowError if a field is missing or has a wrong value."""
        subset, label = self._subset(row), row.fields["label"]
        if label not in (0, 1, None):
            raise RowError("bad_label", why_not("label", label))
        if self.published:
            require(row, {"reference": (str, int, float)}, FIELD_HINTS)
        return BalanceSample(subset, row.fields["model"], label, *self._texts(row))

    def write(self, row: Row) -> bytes:
        """Returns the output line of `row`; fields that it already has with the right value keep their bytes."""
        sample = self.read(row)
        if self.published:
            # The reference is always text: a column of two types cannot be loaded.
            fields = {**row.fields, **sample._asdict(), "reference": str(row.fields["reference"])}
            fields["index"] = row.id if row.fields.get("index") is None else row.fields["index"]
            return rows.dumps({name: fields[name] for name in PUBLISHED})
        fields = {name: getattr(sample, name) for name in ("subset", "response", "response_with_cot")}
        if "generation" in row.fields:  # of NeMo-Skills: the thinking is not given to a judge under another name
            kept = {name: value for name, value in row.fields.items() if name != "generation"}
            return rows.dumps({**kept, **fields})
        return rows.extend(row, {name: text for name, text in fields.items() if row.fields.get(name) != text})

    def _subset(self, row: Row) -> str:
        if self.default_subset is not None and row.fields.get("subset") is None:
            return self.default_subset
        require(row, {"subset": str}, SUBSET_HINT)
        return row.fields["subset"]

    def _texts(self, row: Row) -> tuple[str | None, str]:
        """Returns the text after the thinking, and the whole text."""
        present = [name for name in ("response", "response_with_cot") if name in row.fields] or ["response"]
        require(row, dict.fromkeys(present, (str, type(None))), FIELD_HINTS)
        full_text = row.fields.get("response_with_cot")
        text = row.fields.get("response", full_text)
        if text is None:  # rollout writes null if the text ends inside the thinking
            return None, full_text or ""
        cut = thinking.ThinkingCutter(self.markers)(text)
        response = text if cut.thinking is None else cut.response
        return (response if response and not response.isspace() else None), full_text or text
