"""Labels by people, which `libra review` writes and `libra verify --labels` lets decide.

One JSON object a line: `id`, `model` and `sample` (those that the row has), `response_sha256` of the text that the
reviewer saw, `label` 1 or 0, and optionally `note`, `reviewer` and `time`. The last line for a row counts. A `label` of
null is no label: the person has skipped the row, or only noted something on it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.stream import rows
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import BadLine, read_rows
from libra_cli.tasks.labels import label_or_none

NAMES = ("model", "sample")
VERDICTS = {1: "correct", 0: "wrong"}
HUMAN = "human"
"""The annotator of a label that names no reviewer."""
_MEND = "mend the line (libra review writes such files)"
MAX_NAMED = 10
"""Labels that a message names one by one; the rest is counted."""

Key = tuple[str, ...]


def response_digest(response: str | None) -> str:
    """16 hex digits of the SHA-256 of the text after the thinking, which tell a label what its reviewer saw."""
    return hashlib.sha256((response or "").encode("utf-8", "surrogatepass")).hexdigest()[:16]


def is_about(vote: Mapping[str, Any], response: str | None) -> bool:
    """Whether the reviewer whose vote a row carries saw this response."""
    return bool(vote.get("response_sha256") == response_digest(response))


def key_of(fields: Mapping[str, Any]) -> Key:
    """Identifies a row: its id, and its model and sample if it has them."""
    named = (f"{name}={fields[name]}" for name in NAMES if fields.get(name) is not None)
    return (rows.record_id(fields), *named)


@dataclass
class Label:
    """One line of a labels file."""

    place: str
    key: Key
    fields: Mapping[str, Any]
    used: bool = False

    @property
    def vote(self) -> dict[str, Any]:
        """The label as a vote, with its note, time and digest."""
        vote = {"annotator": self.fields.get("reviewer") or HUMAN, "verdict": VERDICTS[self.fields["label"]]}
        kept = ("response_sha256", "note", "time")
        return {**vote, "reason": None, **{name: self.fields[name] for name in kept if self.fields.get(name)}}


class Labels:
    """All labels of some files, by row."""

    def __init__(self, paths: Sequence[str]):
        self._labels: dict[Key, dict[str, Label]] = {}
        self._seen: dict[Key, str] = {}
        """Places of rows whose label is about another response."""
        for path in paths:
            for label in _read(path):
                known = self._labels.setdefault(label.key, {})
                known[label.fields["response_sha256"]] = label
                if label.fields["label"] is None:
                    del known[label.fields["response_sha256"]]

    def __len__(self) -> int:
        return sum(len(labels) for labels in self._labels.values())

    def find(self, fields: Mapping[str, Any], response: str | None, place: str) -> dict[str, Any] | None:
        """The label of a row as a vote; None if there is none for this response."""
        labels = self._labels.get(key_of(fields)) if self._labels else None
        if labels is None:
            return None
        label = labels.get(response_digest(response))
        if label is None:
            self._seen[key_of(fields)] = place
            return None
        label.used = True
        return label.vote

    def account(self) -> list[str]:
        """Lines for people: how many labels were merged, and which were not, and why."""
        labels = [label for group in self._labels.values() for label in group.values()]
        refused = [label for label in labels if not label.used and label.key in self._seen]
        unmatched = [label for label in labels if not label.used and label.key not in self._seen]
        merged = sum(label.used for label in labels)
        lines = [f"human labels: {merged} merged, {len(refused)} refused, {len(unmatched)} for rows that are not here"]
        for label in refused[:MAX_NAMED]:
            what = f"{self._seen[label.key]} has another response than the reviewer saw"
            lines.append(f"{label.place}: refused: {what}; review it again")
        lines += [f"{label.place}: no such row ({' '.join(label.key)})" for label in unmatched[:MAX_NAMED]]
        hidden = len(refused[MAX_NAMED:]) + len(unmatched[MAX_NAMED:])
        return [*lines, f"and {hidden} more labels like these"] if hidden else lines


def _read(path: str) -> Iterator[Label]:
    """The labels of one file; raises Fatal(2) at a line that is no label, and for a file that is none on the disk."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise Fatal(Exit.USAGE, f"--labels {path}: labels are read more than once; write them to a file and name that")
    with closing(read_rows(InputFiles([path]))) as entries:
        for entry in entries:
            if isinstance(entry, BadLine) and entry.error.kind == "truncated_line":
                cure = "libra review cuts it off and goes on"
                raise Fatal(Exit.USAGE, f"{entry.place}: the last line is cut off; {cure} (-o {path})")
            if isinstance(entry, BadLine):
                raise Fatal(Exit.USAGE, f"{entry.place}: {entry.error}; {_MEND}")
            yield _label(f"{entry.file}:{entry.line}", entry.fields)


def label_of(place: str, line: bytes) -> Label:
    """The label on one line of a file; raises Fatal(2) that names its `place` if it is no label."""
    try:
        fields = rows.parse(line)
    except rows.RowError as error:
        raise Fatal(Exit.USAGE, f"{place}: {error}; {_MEND}") from None
    return _label(place, fields)


def _label(place: str, fields: rows.Fields) -> Label:
    if fields.get("id") is None:
        raise Fatal(Exit.USAGE, f'{place}: no "id", so nobody knows whose label it is; add the id of its row')
    label = fields.get("label", "")
    if isinstance(label, str) and (read := label_or_none(label)) is not None:  # the cell of a table
        label, fields = read, {**fields, "label": read}
    if label is not None and (type(label) is not int or label not in VERDICTS):
        what = '"label" is neither 1 (correct) nor 0 (incorrect) nor null (skipped)'
        raise Fatal(Exit.USAGE, f"{place}: {what}; correct it")
    if not isinstance(fields.get("response_sha256"), str):
        cure = "label the row with libra review, which writes it"
        raise Fatal(Exit.USAGE, f'{place}: no "response_sha256", so nobody knows which response was seen; {cure}')
    return Label(place, key_of(fields), fields)
