"""The order of a review: responses without a line in the labels file, then those that were skipped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from libra_cli.stages.review.items import ReviewItem, ReviewItems
from libra_cli.stages.review.labels import LabelFile


class ReviewQueue:
    """The responses without a label in the order of the review, and the current one.

    Every action is one line of the labels file; `undo` removes the last line, whichever session wrote it.
    """

    def __init__(self, items: ReviewItems, labels: LabelFile, reviewer: str):
        self._items, self._labels, self._reviewer = items, labels, reviewer
        self._numbers = {place.response_key: number for number, place in enumerate(items.places)}
        fresh = [number for number, place in enumerate(items.places) if labels.get(place.response_key) is None]
        self._order = [*fresh, *self._skipped()]
        self._position = 0

    @property
    def number(self) -> int | None:
        """Index in `items` of the current response; None at the end."""
        return self._order[self._position] if self._position < len(self._order) else None

    @property
    def total(self) -> int:
        """Number of responses."""
        return len(self._items)

    @property
    def labelled(self) -> int:
        """Number of responses with a label."""
        return sum(self._labels.is_labelled(place.response_key) for place in self._items.places)

    @property
    def skipped(self) -> int:
        """Number of responses that were seen and left without a label."""
        return len(set(self._skipped()) - {self.number})

    @property
    def counts(self) -> dict[int, int]:
        """Number of responses labelled 1 and 0."""
        lines = (self._labels.get(place.response_key) for place in self._items.places)
        labels = [line["label"] for line in lines if line is not None]
        return {label: labels.count(label) for label in (1, 0)}

    def note(self, item: ReviewItem) -> str:
        """The note on a response; empty if there is none."""
        line = self._labels.get(item.key)
        return str(line.get("note") or "") if line is not None else ""

    def settle(self, item: ReviewItem, label: int | None) -> None:
        """Labels the current response, or skips it (None), and moves to the next."""
        self._labels.add(item.key, self._line(item, label, self.note(item)))
        self._position += 1

    def write_note(self, item: ReviewItem, note: str) -> None:
        """Saves a note on the current response."""
        if note != self.note(item):
            self._labels.add(item.key, self._line(item, None, note))

    def undo(self) -> str:
        """Removes the last line and moves to its response; returns a message that says so, or why not."""
        last = self._labels.last
        if last is None:
            return "there is nothing to undo"
        if last not in self._numbers:
            return f"the last line of {self._labels.path} is about a row that is not here; it stays"
        line = self._labels.undo()
        self._move_to(self._numbers[last])
        what = {1: "correct", 0: "incorrect", None: "a note" if line.get("note") else "a skip"}[line["label"]]
        return f"taken back: {what}"

    def again(self) -> None:
        """At the end: shows the skipped responses again."""
        self._order[self._position :] = self._skipped()

    def _skipped(self) -> list[int]:
        seen = ((number, self._labels.get(place.response_key)) for number, place in enumerate(self._items.places))
        return [number for number, line in seen if line is not None and line["label"] is None]

    def _move_to(self, number: int) -> None:
        """Makes a response the current one, wherever it is in the order."""
        if number in self._order:
            index = self._order.index(number)
            self._position -= index < self._position
            del self._order[index]
        self._order.insert(self._position, number)

    def _line(self, item: ReviewItem, label: int | None, note: str) -> Mapping[str, Any]:
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        with_note = {"note": note} if note else {}
        return {**item.identity, "label": label, **with_note, "reviewer": self._reviewer, "time": now}
