"""Which response is next: those that nobody has seen, then those that were skipped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from libra_cli.stages.review.items import ReviewItem, ReviewItems
from libra_cli.stages.review.labels import LabelFile


class Queue:
    """The responses that have no label yet, in the order in which they are shown, and the one that is shown now.

    Every action is one line of the labels file, and `undo` takes the last line back, whichever session wrote it.
    """

    def __init__(self, items: ReviewItems, labels: LabelFile, reviewer: str):
        self._items, self._labels, self._reviewer = items, labels, reviewer
        self._numbers = {place.named: number for number, place in enumerate(items.places)}
        fresh = [number for number, place in enumerate(items.places) if labels.get(place.named) is None]
        self._order = [*fresh, *self._skipped()]
        self._at = 0

    @property
    def number(self) -> int | None:
        """Position in `items` of what is shown; None at the end."""
        return self._order[self._at] if self._at < len(self._order) else None

    @property
    def total(self) -> int:
        """Responses that there are."""
        return len(self._items)

    @property
    def labelled(self) -> int:
        """Responses with a label."""
        return sum(self._labels.is_labelled(place.named) for place in self._items.places)

    @property
    def skipped(self) -> int:
        """Responses that were seen and left without a label."""
        return len(set(self._skipped()) - {self.number})

    @property
    def counts(self) -> dict[int, int]:
        """Responses labelled 1 and 0."""
        lines = (self._labels.get(place.named) for place in self._items.places)
        found = [line["label"] for line in lines if line is not None]
        return {label: found.count(label) for label in (1, 0)}

    def note(self, item: ReviewItem) -> str:
        """What was noted on a response."""
        line = self._labels.get(item.named)
        return str(line.get("note") or "") if line is not None else ""

    def settle(self, item: ReviewItem, label: int | None) -> None:
        """Labels what is shown, or skips it (None), and goes on to the next."""
        self._labels.add(item.named, self._line(item, label, self.note(item)))
        self._at += 1

    def write_note(self, item: ReviewItem, note: str) -> None:
        """Keeps a note on what is shown."""
        if note != self.note(item):
            self._labels.add(item.named, self._line(item, None, note))

    def undo(self) -> str:
        """Takes the last line back and shows what it was about; says so, or why not."""
        last = self._labels.last
        if last is None:
            return "there is nothing to undo"
        if last not in self._numbers:
            return f"the last line of {self._labels.path} is about a row that is not here; it stays"
        line = self._labels.undo()
        self._bring(self._numbers[last])
        what = {1: "correct", 0: "wrong", None: "a note" if line.get("note") else "a skip"}[line["label"]]
        return f"taken back: {what}"

    def again(self) -> None:
        """At the end: shows what was skipped once more."""
        self._order[self._at :] = self._skipped()

    def _skipped(self) -> list[int]:
        seen = ((number, self._labels.get(place.named)) for number, place in enumerate(self._items.places))
        return [number for number, line in seen if line is not None and line["label"] is None]

    def _bring(self, number: int) -> None:
        """Makes a response the one that is shown, wherever it was in the order."""
        if number in self._order:
            at = self._order.index(number)
            self._at -= at < self._at
            del self._order[at]
        self._order.insert(self._at, number)

    def _line(self, item: ReviewItem, label: int | None, note: str) -> Mapping[str, Any]:
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        noted = {"note": note} if note else {}
        return {**item.identity, "label": label, **noted, "reviewer": self._reviewer, "time": now}
