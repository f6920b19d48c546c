"""The responses that a person is to label: indexed once, read one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from libra_cli.answers.extract import final_answer
from libra_cli.exits import Fatal
from libra_cli.records import label_votes as voting
from libra_cli.records.human_labels import NAMES, key_of, response_digest
from libra_cli.stages.review.labels import Named
from libra_cli.stages.verify.rule import Fields
from libra_cli.stream.counts import Counts
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import Refusal, read_rows
from libra_cli.stream.row_store import RowLocation, RowStore
from libra_cli.stream.rows import Row, RowError

KINDS = ("disagreement", "undecided", "all")
"""Which rows are shown: those on which annotators disagree, others without a label, or every one."""

Refuse = Callable[[RowError, bytes, str], None]
"""Told of a line that is no row: what is wrong, its bytes, and where it stood."""


class ItemPlace(NamedTuple):
    """Where a row stands, and which response it is about."""

    location: RowLocation
    where: str
    """`FILE:LINE`."""
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
        self._store = RowStore()
        self.left_out: Counter[str] = Counter()
        """Rows that are not shown, by why."""
        places = list(self._index(paths))
        self.places = list({place.named: place for place in reversed(places)}.values())[::-1]
        self.left_out["the same response again"] = len(places) - len(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, number: int) -> Item:
        """Raises Fatal(7) where the file is not what it was."""
        place = self.places[number]
        try:
            row = self._store.row(place.location)
        except Fatal as error:
            what = "the file has changed since the review began; start it again"
            raise Fatal(error.status, f"{place.where}: {what}") from None
        row.line = int(place.where.rpartition(":")[2])
        item = Item(row, self._fields, self._reference_field)
        return item

    def _index(self, paths: Sequence[str]) -> Iterator[ItemPlace]:
        """Reads all rows and yields the places of those that are to be shown."""
        for entry in read_rows(InputFiles(paths or ["-"]), Counts()):
            if isinstance(entry, Refusal):
                self._refuse(entry.error, entry.raw, entry.place)
                continue
            try:
                named = key_of(entry.fields), response_digest(self._fields.response(entry))
            except RowError as error:
                self._refuse(error, entry.raw, entry.place)
                continue
            if self._is_wanted(entry.fields):
                yield ItemPlace(self._store.keep(entry), entry.place, named)

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
