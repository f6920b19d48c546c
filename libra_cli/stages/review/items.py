"""The responses to review: indexed once, read one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from libra_cli.answers.extraction.extract import final_answer
from libra_cli.answers.time_limit import limited
from libra_cli.choices import REVIEW_ROWS
from libra_cli.exits import Fatal
from libra_cli.records import label_votes as voting
from libra_cli.records.human_labels import NAMES, key_of, response_digest
from libra_cli.records.responses import ResponseFields, question_of
from libra_cli.stages.review.labels import ResponseKey
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import BadLine, read_rows
from libra_cli.stream.row_store import RowLocation, RowStore
from libra_cli.stream.rows import Row, RowError

DISAGREEMENT, UNDECIDED, ALL_ROWS = REVIEW_ROWS
"""Rows to show: annotators disagree, otherwise without a label, or all."""

Refuse = Callable[[RowError, bytes, str], None]
"""Called with a bad line: the error, its bytes, and its place."""


class ItemPlace(NamedTuple):
    """Where to read a row again, and which response it holds."""

    location: RowLocation
    place: str
    """FILE:LINE."""
    response_key: ResponseKey


class ReviewItem:
    """One response, with everything that a reviewer sees of it."""

    def __init__(self, row: Row, fields: ResponseFields):
        self.place = row.place
        self.question = question_of(row.fields) or ""
        self.reference = _text(fields.reference(row))
        verification = row.fields.get("verification")
        verification = verification if isinstance(verification, dict) else {}
        response = fields.response(row)
        self.answer = _text(verification.get("answer")) or limited(None, final_answer, response or "") or ""
        """The final answer that the rule extracts; empty if there is none."""
        self.response = response or ""
        """The text after the thinking; empty if the text ends inside it."""
        self.votes = voting.earlier(row.fields)
        label = row.fields.get("label")
        if not self.votes and isinstance(verification.get("by"), str) and label in (1, 0, None):
            # A row that had no panel has the verdict of the rule.
            self.votes = [voting.rule_vote({"label": label, "verification": verification})]
        self.key: ResponseKey = key_of(row.fields), response_digest(response)
        names = {name: row.fields[name] for name in NAMES if row.fields.get(name) is not None}
        self.names = " ".join([f"id {row.id}", *(f"{name} {value}" for name, value in names.items())])
        self.identity = {"id": row.id, **names, "response_sha256": self.key[1]}
        """The fields of a label that identify this row and the response that was seen."""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


class ReviewItems:
    """The rows to review; their texts stay on disk.

    `only` selects rows as in REVIEW_ROWS; None selects those that need a person: without a label, unless they were cut
    short. Equal responses to the same row are shown once. Rows from a pipe or a compressed file go to a temporary file.
    """

    def __init__(self, paths: Sequence[str], fields: ResponseFields, only: str | None, refuse: Refuse):
        self._fields, self._only, self._refuse = fields, only, refuse
        self._store = RowStore()
        self.left_out: Counter[str] = Counter()
        """Rows that are not shown, by reason."""
        places = list(self._index(paths))
        self.places = list({place.response_key: place for place in reversed(places)}.values())[::-1]
        self.left_out["the same response again"] = len(places) - len(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, number: int) -> ReviewItem:
        """Reads a row again; raises Fatal(7) if its file has changed."""
        item_place = self.places[number]
        try:
            row = self._store.row(item_place.location)
        except Fatal as error:
            what = "the file has changed since the review began; start it again"
            raise Fatal(error.status, f"{item_place.place}: {what}") from None
        row.line = int(item_place.place.rpartition(":")[2])
        return ReviewItem(row, self._fields)

    def _index(self, paths: Sequence[str]) -> Iterator[ItemPlace]:
        """Reads all rows and yields the places of those to show."""
        with closing(read_rows(InputFiles(paths or ["-"]))) as entries:
            for entry in entries:
                if isinstance(entry, BadLine):
                    self._refuse(entry.error, entry.raw, entry.place)
                    continue
                try:
                    response_key = key_of(entry.fields), response_digest(self._fields.response(entry))
                except RowError as error:
                    self._refuse(error, entry.raw, entry.place)
                    continue
                if self._is_wanted(entry.fields):
                    yield ItemPlace(self._store.keep(entry), entry.place, response_key)

    def _is_wanted(self, fields: Mapping[str, Any]) -> bool:
        verification = fields.get("verification")
        reason = verification.get("reason") if isinstance(verification, dict) else None
        left_out = None
        if self._only != ALL_ROWS and fields.get("label") is not None:
            left_out = "a label"
        elif self._only is None and reason == voting.TRUNCATED:
            left_out = "truncated"
        elif self._only == (UNDECIDED if reason == voting.DISAGREEMENT else DISAGREEMENT):
            left_out = "another reason"
        self.left_out.update([left_out] if left_out else [])
        return left_out is None
