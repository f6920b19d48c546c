"""Which problems are there already: the same text up to notation, or nearly the same words.

In one pass, and hashes are kept, never texts: about 180 bytes a problem for exact duplicates, and for near ones 370
more where a problem has 60 words. The first of several stays, so which one that is follows the input; whether two are
duplicates does not.
"""

from __future__ import annotations

import hashlib
import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from libra_cli.records.shingles import canonical, shingles, words
from libra_cli.stream.rows import Filtered, Row, RowError

SHINGLE_WORDS = 5
SCANNED_MEMBERS = 32
"""A group of near duplicates to be is looked through one by one up to this size, and by index beyond it."""

PARTS = (
    "question", "response", "response_a", "response_b", "response_1", "response_2", "chosen", "rejected", "responses",
    "model", "sample",
)  # fmt: skip
"""What makes two rows the same: two responses to one problem are two rows."""
GOLDEN = ("reference", "preference")


def key_of(record: Mapping[str, Any]) -> int:
    """64 bits that are equal for rows that are the same up to white space, case and LaTeX spacing.

    A model may give one response twice, so those are told apart by their index, too.
    """
    return _hash([*_canonical(record, PARTS), str(record["index"]) if record.get("response") is not None else ""])


def golden_of(record: Mapping[str, Any]) -> int:
    """64 bits of what the row says is right."""
    return _hash(_canonical(record, GOLDEN))


def _canonical(record: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    return [canonical(str(record[name])) if record.get(name) is not None else "" for name in names]


def _hash(parts: Sequence[str]) -> int:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


class Duplicates:
    """Finds rows that were there before; `near` is the least Jaccard similarity of near duplicates, None for none."""

    def __init__(self, near: float | None):
        self._seen: dict[int, int] = {}
        self._golden, self._lines, self._file_of = array("Q"), array("Q"), array("L")
        self._files: dict[str, int] = {}
        self._ids: dict[int, int] = {}
        self._near = None if near is None else NearDuplicates(near)

    def check(self, row: Row, record: Mapping[str, Any], names_itself: bool) -> None:
        """Raises Filtered (`duplicate`, `near_duplicate`) or RowError (`conflicting_reference`, `id_taken`).

        `names_itself` says that the row came with its id, which another problem may have too.
        """
        key, golden = key_of(record), golden_of(record)
        before = self._seen.setdefault(key, len(self._seen))
        if before < len(self._golden):
            if self._golden[before] != golden:
                reason = f"{self._place(before)} is the same with another answer"
                cure = "keep the right one, or both with --keep-duplicates"
                raise RowError("conflicting_reference", f"{reason}; {cure}")
            raise Filtered("duplicate")
        self._note(row, golden)
        if all(record.get(name) is None for name in PARTS[1:]):
            if names_itself:
                self._check_id(str(record["id"]), before)
            if self._near is not None and self._near.seen(str(record["question"]), golden):
                raise Filtered("near_duplicate")

    def _note(self, row: Row, golden: int) -> None:
        self._golden.append(golden)
        self._lines.append(row.line)
        self._file_of.append(self._files.setdefault(row.file, len(self._files)))

    def _place(self, number: int) -> str:
        return f"{list(self._files)[self._file_of[number]]}:{self._lines[number]}"

    def _check_id(self, name: str, number: int) -> None:
        """Every later stage takes two rows with one id for one problem."""
        before = self._ids.setdefault(_hash([name]), number)
        if before != number:
            cure = "let collect make the ids: --map id=index"
            raise RowError("id_taken", f"another problem has its id {name}: {self._place(before)}; {cure}")


class NearDuplicates:
    """Problems that share most of their runs of five words, by Jaccard similarity, exactly.

    Two problems of one template that differ in a number or in the answer are different problems: only those with the
    same numbers and the same answer are compared.
    """

    def __init__(self, threshold: float):
        self._threshold = threshold
        self._shingles, self._ends = array("I"), array("Q", [0])
        self._groups: dict[int, int | _Group] = {}

    def seen(self, question: str, golden: int) -> bool:
        """Whether an earlier problem is nearly `question`; if not, it is one of them from now on."""
        parts = words(question)
        numbers = sorted(Counter(part for part in parts if part[0].isdecimal()).items())
        group = _hash([str(golden), str(numbers)])
        own = shingles(parts, SHINGLE_WORDS)
        if any(self._similar(own, other) for other in self._candidates(group, own)):
            return True
        self._add(group, own)
        return False

    def _candidates(self, group: int, own: list[int]) -> Iterator[int]:
        members = self._groups.get(group)
        if members is None:
            return iter(())
        return iter((members,)) if isinstance(members, int) else members.candidates(self._prefix(own))

    def _similar(self, own: Sequence[int], other: int) -> bool:
        theirs = self._of(other)
        if min(len(own), len(theirs)) < self._threshold * max(len(own), len(theirs)):
            return False
        common = len(set(own).intersection(theirs))
        return common >= self._threshold * (len(own) + len(theirs) - common)

    def _add(self, group: int, own: list[int]) -> None:
        number = len(self._ends) - 1
        self._shingles.extend(own)
        self._ends.append(len(self._shingles))
        members = self._groups.get(group)
        if members is None:
            self._groups[group] = number  # most are alone: an int is a tenth of a group
            return
        if isinstance(members, int):
            members = self._groups[group] = _Group(members)
        members.add(number, lambda member: self._prefix(self._of(member)))

    def _of(self, number: int) -> Sequence[int]:
        return self._shingles[self._ends[number] : self._ends[number + 1]]

    def _prefix(self, own: Sequence[int]) -> Sequence[int]:
        """The smallest hashes, of which two sets that are similar enough must share one (prefix filtering)."""
        return own[: len(own) - math.ceil(self._threshold * len(own) - 1e-9) + 1]


class _Group:
    """Problems with the same numbers and answer."""

    __slots__ = ("_index", "_members")

    def __init__(self, first: int):
        self._members = [first]
        self._index: dict[int, list[int]] | None = None

    def add(self, number: int, prefix_of: Any) -> None:
        self._members.append(number)
        if self._index is not None:
            self._enter(number, prefix_of)
        elif len(self._members) > SCANNED_MEMBERS:
            self._index = {}
            for member in self._members:
                self._enter(member, prefix_of)

    def _enter(self, number: int, prefix_of: Any) -> None:
        assert self._index is not None
        for shingle in prefix_of(number):
            self._index.setdefault(shingle, []).append(number)

    def candidates(self, prefix: Sequence[int]) -> Iterator[int]:
        if self._index is None:
            return iter(self._members)
        return iter(dict.fromkeys(number for shingle in prefix for number in self._index.get(shingle, ())))
