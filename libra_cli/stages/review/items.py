"""The responses that a person is to label: indexed once, read one by one."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from libra_cli.answers.extract import final_answer
from libra_cli.exits import Exit, Fatal
from libra_cli.records import label_votes as voting
from libra_cli.records.human_labels import NAMES, key_of, response_digest
from libra_cli.stages.review.labels import Named
from libra_cli.stages.verify.rule import Fields
from libra_cli.stream import rows
from libra_cli.stream.line_source import STDIN, InputFiles, LineBatch
from libra_cli.stream.rows import Row, RowError
from libra_cli.stream.sinks import write_all

KINDS = ("disagreement", "undecided", "all")
"""Which rows are shown: those on which annotators disagree, others without a label, or every one."""

Refuse = Callable[[RowError, bytes, str], None]
"""Told of a line that is no row: what is wrong, its bytes, and where it stood."""


class Place(NamedTuple):
    """Where a row stands, and which response it is about."""

    fd: int
    offset: int
    size: int
    where: str
    named: Named


class Item:
    """One response with everything that a reviewer sees of it."""

    def __init__(self, row: Row, fields: Fields, reference_field: str):
        self.place = row.place
        self.question = _text(row.fields.get("question"))
        self.reference = _text(row.fields.get(reference_field))
        verification = row.fields.get("verification")
        verification = verification if isinstance(verification, dict) else {}
        response = fields.response(row)
        self.answer = _text(verification.get("answer")) or final_answer(response or "") or ""
        """The final answer that the rule finds; empty where there is none."""
        self.response = response or ""
        """What follows the thinking; empty where the text ends inside it."""
        self.votes = voting.earlier(row.fields) or _rule_alone(row.fields, verification)
        self.named: Named = key_of(row.fields), response_digest(response)
        given = {name: row.fields[name] for name in NAMES if row.fields.get(name) is not None}
        self.names = " ".join([f"id {row.id}", *(f"{name} {value}" for name, value in given.items())])
        self.identity = {"id": row.id, **given, "response_sha256": self.named[1]}
        """The fields by which a label names this row, and the response that was seen."""


def _rule_alone(fields: Mapping[str, Any], verification: Mapping[str, Any]) -> list[voting.Vote]:
    """What the rule said, of a row on which nobody else was asked; nothing where it was not asked either."""
    known = isinstance(verification.get("by"), str) and fields.get("label") in (1, 0, None)
    return [voting.rule_vote({"label": fields.get("label"), "verification": verification})] if known else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


class Items:
    """The rows of some files of which `only` says that a person should see them; their texts stay on disk.

    `only` None shows those that need a person: without a label, and not for having been cut short. A response that
    stands there twice is shown once. What comes through a pipe or is compressed is copied to a temporary file.
    """

    def __init__(self, paths: Sequence[str], fields: Fields, reference_field: str, only: str | None, refuse: Refuse):
        self._fields, self._reference_field, self._only, self._refuse = fields, reference_field, only, refuse
        self._files: dict[str, int] = {STDIN: 0}
        self._spool = tempfile.TemporaryFile(prefix="libra-", buffering=0)  # noqa: SIM115 -- it lives as long as this
        self._spooled = 0
        self.left_out: Counter[str] = Counter()
        """Rows that are not shown, by why."""
        places = [place for batch in _batches(paths) for place in self._index(batch)]
        self.places = list({place.named: place for place in reversed(places)}.values())[::-1]
        self.left_out["the same response again"] = len(places) - len(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, number: int) -> Item:
        """Raises Fatal(7) where the file is not what it was."""
        place = self.places[number]
        raw = os.pread(place.fd, place.size, place.offset)
        file, _, line = place.where.rpartition(":")
        try:
            item = Item(Row(rows.parse(raw), raw, file, int(line)), self._fields, self._reference_field)
        except RowError:
            item = None
        if item is None or item.named != place.named:
            raise Fatal(Exit.INCOMPLETE, f"{place.where}: the file has changed since the review began; start it again")
        return item

    def _index(self, batch: LineBatch) -> Iterator[Place]:
        """The rows of a batch that are to be shown."""
        for number, raw in enumerate(batch.lines, batch.first):
            if not raw and number - batch.first not in batch.refused:
                continue
            where = f"{batch.file}:{number}"
            try:
                row = self._row(batch, number, raw)
                named = key_of(row.fields), response_digest(self._fields.response(row))
            except RowError as error:
                self._refuse(batch.explain(error, number), raw, where)
                continue
            if self._is_wanted(row.fields):
                yield Place(*self._span(batch, number, raw), where, named)

    def _row(self, batch: LineBatch, number: int, raw: bytes) -> Row:
        if number - batch.first in batch.refused:
            raise batch.refused[number - batch.first]
        return Row(rows.parse(raw), raw, batch.file, number)

    def _span(self, batch: LineBatch, number: int, raw: bytes) -> tuple[int, int, int]:
        """Descriptor, offset and size of a line, which is copied where its file cannot be read again."""
        span = batch.span(number)
        if span is not None:
            if batch.file not in self._files:
                self._files[batch.file] = os.open(batch.file, os.O_RDONLY | os.O_CLOEXEC)
            return self._files[batch.file], *span
        write_all(self._spool.fileno(), raw, f"a temporary file in {tempfile.gettempdir()}")
        self._spooled += len(raw)
        return self._spool.fileno(), self._spooled - len(raw), len(raw)

    def _is_wanted(self, fields: Mapping[str, Any]) -> bool:
        verification = fields.get("verification")
        reason = verification.get("reason") if isinstance(verification, dict) else None
        why = None
        if self._only != "all" and fields.get("label") is not None:
            why = "a label"
        elif self._only is None and reason == voting.TRUNCATED:
            why = "cut short"
        elif self._only in KINDS[:2] and (reason == voting.DISAGREEMENT) != (self._only == "disagreement"):
            why = "another reason"
        self.left_out.update([why] if why else [])
        return why is None


def _batches(paths: Sequence[str]) -> Iterator[LineBatch]:
    source = InputFiles(paths or ["-"])
    while (batch := source.read()) is not None:
        yield batch
