"""Duplicate problems: the same text up to notation, or nearly the same words. And answers that are logged twice.

One pass that keeps hashes, never texts: 10 to 16 bytes a problem for exact duplicates, as many for those with an id of
their own, and as many for near ones; what is looked up for a duplicate only is on disk. The first of several duplicates
stays, so the order of the input decides which one; it does not decide whether two problems are duplicates.

A row with a response is a sample, and a model may give the same answer twice: such a row is a duplicate only of a row
of its own file that has all its fields, among them the same `sample`. Samples take 10 to 16 bytes more.
"""

from __future__ import annotations

import hashlib
import math
import struct
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from libra_cli.answers.time_limit import limited
from libra_cli.records.evaluation_logs import FilterLines
from libra_cli.records.shingles import canonical, shingles, words
from libra_cli.stream.common_names import COMMON_NAMES, RESPONSE, plain_name
from libra_cli.stream.hash_numbers import DiskLog, HashNumbers
from libra_cli.stream.rows import Filtered, Row, RowError, content_hash

SHINGLE_WORDS = 5
SCANNED_MEMBERS = 32
"""Groups up to this size are scanned for near duplicates; larger ones have an index."""

PARTS = (
    "question",
    "response",
    "response_with_cot",
    "response_a",
    "response_b",
    "response_1",
    "response_2",
    "chosen",
    "rejected",
    "responses",
    *COMMON_NAMES[RESPONSE],
    "model",
    "sample",
)
"""Fields that duplicates share, however they are spelled; two responses to one problem are different rows."""
OF_A_SAMPLE = (RESPONSE, "response_with_cot", *COMMON_NAMES[RESPONSE])
"""Fields of which a sample has one."""
GOLDEN = ("reference", "preference")
_COMPARED_AS_TEXT = frozenset((*PARTS, *GOLDEN))
_PROBLEM = struct.Struct("<QQIQI")
_NUMBER = struct.Struct("<Q")
_EXTENT = struct.Struct("<QI")


def key_of(record: Mapping[str, Any]) -> int:
    """Hashes a row to 64 bits, ignoring white space, case and LaTeX spacing.

    The index is part of it for responses, because a model may give the same response twice.
    """
    parts = _parts(record)
    return _hash([*_canonical(parts, PARTS), str(record["index"]) if parts.get("response") is not None else ""])


def _parts(record: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its fields under plain names, too, as `Output` stands for a response wherever rows are read."""
    return {**{plain_name(name): value for name, value in record.items()}, **record}


def has_answer(record: Mapping[str, Any]) -> bool:
    """Whether a row is a sample: what a model answered in one run."""
    parts = _parts(record)
    return any(parts.get(name) is not None for name in OF_A_SAMPLE)


def golden_of(record: Mapping[str, Any]) -> int:
    """Hashes the golden answer or preference of a row to 64 bits."""
    return _hash(_canonical(record, GOLDEN))


def _golden_text(record: Mapping[str, Any]) -> bytes:
    """The preference of a row and its reference as it is written."""
    preference = _canonical(record, ("preference",))[0]
    reference = record.get("reference")
    return f"{preference}\0{'' if reference is None else reference}".encode("utf-8", "surrogatepass")


def _are_equal(one: str, other: str) -> bool:
    """Whether each of two references is for certain right where the other is asked for."""
    from libra_cli.answers.comparison.equal import decide_quickly  # it takes long to load, and is seldom needed

    decisions = (limited(None, decide_quickly, *pair) for pair in ((one, other), (other, one)))
    return all(decision is not None and decision.equal is True for decision in decisions)


def _canonical(record: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    return [canonical(str(record[name])) if record.get(name) is not None else "" for name in names]


def _hash(parts: Sequence[str]) -> int:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


class Duplicates:
    """Finds duplicates; `near` is the Jaccard similarity from which problems are near duplicates, None: exact only.

    `drop_samples`: a sample that nothing tells from another one of its file is a duplicate, even if none has a number.
    """

    def __init__(self, near: float | None, drop_samples: bool = False):
        self._seen, self._ids = HashNumbers(), HashNumbers()
        self._problems, self._goldens, self._numbers_of_ids = DiskLog(), DiskLog(), DiskLog()
        self._files: dict[str, int] = {}
        self._near = None if near is None else NearDuplicates(near)
        self._samples, self._filter_lines = HashNumbers(), FilterLines()
        self._drop_samples = drop_samples
        self.dropped_samples = self.kept_samples = 0
        """Samples that nothing tells from another one of their file."""

    @classmethod
    def wanted(cls, which: str, near: float) -> Duplicates | None:
        """Those that --duplicates leaves out, by --near-duplicates; None if it leaves out none."""
        return None if which == "keep" else cls(near or None, which == "all")

    def check(self, row: Row, record: Mapping[str, Any], own: Mapping[str, Any]) -> None:
        """Raises Filtered (`duplicate`, `near_duplicate`, `other_filter`) or RowError.

        The errors are `conflicting_reference` and `id_taken`. `own` has the fields that the row came with, under the
        names that they have in `record`.
        """
        key, golden = key_of(record), golden_of(record)
        parts = _parts(record)
        is_sample = has_answer(record)
        if is_sample and self._filter_lines.repeats(own, row.file, [parts.get(name) for name in OF_A_SAMPLE]):
            raise Filtered("other_filter")
        is_other_sample = is_sample and self._is_new_sample(row.file, key, own)
        known = len(self._seen)
        before = self._seen.number(key)
        if before < known:
            if self._problem(before)[0] != golden and not self._has_equal_golden(before, record):
                reason = f"{self._place(before)} is the same with another answer"
                hint = "keep the right one, or both with --duplicates keep"
                raise RowError("conflicting_reference", f"{reason}; {hint}")
            if is_other_sample:
                return
            if is_sample and parts.get("sample") is None and not self._drop_samples:
                self.kept_samples += 1
                return
            self.dropped_samples += is_sample
            raise Filtered("duplicate")
        file = self._files.setdefault(row.file, len(self._files))
        text = _golden_text(record)
        self._problems.append(_PROBLEM.pack(golden, row.line, file, len(self._goldens), len(text)))
        self._goldens.append(text)
        if all(parts.get(name) is None for name in PARTS[1:]):
            if own.get("id") is not None:
                self._check_id(str(record["id"]), before)
            if self._near is not None and self._near.seen(str(record["question"]), golden):
                raise Filtered("near_duplicate")

    def _is_new_sample(self, file: str, key: int, own: Mapping[str, Any]) -> bool:
        """Whether no earlier sample of `file` has the same `key` and other fields."""
        others = {name: value for name, value in own.items() if plain_name(name) not in _COMPARED_AS_TEXT}
        known = len(self._samples)
        return self._samples.number(_hash([file, str(key), content_hash(others)])) == known

    def _problem(self, number: int) -> tuple[int, int, int, int, int]:
        """The hash of the golden answer of a problem, its line, the number of its file, and where the answer is."""
        golden, line, file, begin, size = _PROBLEM.unpack(self._problems.read(number * _PROBLEM.size, _PROBLEM.size))
        return golden, line, file, begin, size

    def _has_equal_golden(self, number: int, record: Mapping[str, Any]) -> bool:
        """Whether a problem has the preference of `record`, and for certain an equal reference, however written."""
        before = self._goldens.read(*self._problem(number)[3:]).decode("utf-8", "surrogatepass").partition("\0")
        now = _golden_text(record).decode("utf-8", "surrogatepass").partition("\0")
        return before[0] == now[0] and _are_equal(before[2], now[2])

    def _place(self, number: int) -> str:
        _, line, file, *_ = self._problem(number)
        return f"{list(self._files)[file]}:{line}"

    def _check_id(self, name: str, number: int) -> None:
        """Raises RowError if another problem has the id: later stages would take the two for one."""
        known = len(self._ids)
        id_number = self._ids.number(_hash([name]))
        if id_number == known:
            self._numbers_of_ids.append(_NUMBER.pack(number))
        else:
            (before,) = _NUMBER.unpack(self._numbers_of_ids.read(id_number * _NUMBER.size, _NUMBER.size))
            hint = "let collect make the ids: --map id=index"
            raise RowError("id_taken", f"another problem has its id {name}: {self._place(before)}; {hint}")


class NearDuplicates:
    """Finds problems that share most of their 5-word shingles, by exact Jaccard similarity.

    Two problems of one template that differ in a number or the answer are different problems, so only problems with the
    same numbers and the same answer are compared.
    """

    def __init__(self, threshold: float):
        self._threshold = threshold
        self._shingles, self._begins = DiskLog(), DiskLog()
        self._groups, self._firsts = HashNumbers(), DiskLog()
        self._of_several: dict[int, _Group] = {}
        """Group number -> the group, if it has more than the member that `_firsts` names, as few have."""

    def seen(self, question: str, golden: int) -> bool:
        """Whether `question` is a near duplicate of an earlier problem; if not, remembers it."""
        parts = words(question)
        numbers = sorted(Counter(part for part in parts if part[0].isdecimal()).items())
        known = len(self._groups)
        group = self._groups.number(_hash([str(golden), str(numbers)]))
        own = shingles(parts, SHINGLE_WORDS)
        is_new = group == known
        if not is_new and any(self._similar(own, other) for other in self._candidates(group, own)):
            return True
        self._add(group, own, is_new)
        return False

    def _candidates(self, group: int, own: list[int]) -> Iterator[int]:
        members = self._of_several.get(group)
        return iter((self._first(group),)) if members is None else members.candidates(self._prefix(own))

    def _first(self, group: int) -> int:
        """The first member of a group."""
        (member,) = _NUMBER.unpack(self._firsts.read(group * _NUMBER.size, _NUMBER.size))
        return int(member)

    def _similar(self, own: Sequence[int], other: int) -> bool:
        theirs = self._of(other)
        if min(len(own), len(theirs)) < self._threshold * max(len(own), len(theirs)):
            return False
        common = len(set(own).intersection(theirs))
        return common >= self._threshold * (len(own) + len(theirs) - common)

    def _add(self, group: int, own: list[int], is_new: bool) -> None:
        number = len(self._begins) // _EXTENT.size
        self._begins.append(_EXTENT.pack(len(self._shingles), len(own)))
        self._shingles.append(array("I", own).tobytes())
        if is_new:
            self._firsts.append(_NUMBER.pack(number))
            return
        members = self._of_several.get(group)
        if members is None:
            members = self._of_several[group] = _Group(self._first(group))
        members.add(number, lambda member: self._prefix(self._of(member)))

    def _of(self, number: int) -> Sequence[int]:
        begin, count = _EXTENT.unpack(self._begins.read(number * _EXTENT.size, _EXTENT.size))
        return array("I", self._shingles.read(begin, 4 * count))

    def _prefix(self, own: Sequence[int]) -> Sequence[int]:
        """The smallest hashes of a set: two sets that are similar enough share one of them (prefix filtering)."""
        return own[: len(own) - math.ceil(self._threshold * len(own) - 1e-9) + 1]


class _Group:
    """The problems with the same numbers and answer."""

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
