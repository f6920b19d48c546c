"""The samples of problems: hashes in memory while rows are read, everything else on disk, problem by problem later."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from libra_cli.stream.hash_numbers import DiskLog, HashNumbers

Ints = NDArray[np.int64]

_HASH = (1 << 64) - 1
_CHUNK = 1 << 16
"""Samples, or problems, that are in memory at a time."""
_SAMPLE, _PROBLEM = struct.Struct("<IbdQi"), struct.Struct("<iqQI")
_SAMPLE_COLUMNS = np.dtype(
    [("problem", "<u4"), ("right", "i1"), ("score", "<f8"), ("answer_begin", "<u8"), ("answer_size", "<i4")]
)
"""`answer_size` is -1 for a sample without an answer."""
_PROBLEM_COLUMNS = np.dtype([("group", "<i4"), ("key", "<i8"), ("name_begin", "<u8"), ("name_size", "<u4")])


@dataclass(frozen=True)
class SampleChunk:
    """All samples of some consecutive problems (P), in the order of their rows."""

    first: int
    """Position of the first problem among all that have samples."""
    begins: Ints
    """Where the samples of each problem begin (P + 1, so the next one's end them)."""
    right: NDArray[np.int8]
    """1 for a sample (S) that is correct, else 0."""
    score: NDArray[np.float64]
    """The score of each sample (S); nan without one."""
    texts: list[str | None]
    """The answer of each sample (S); empty if they were not asked for."""

    def answers(self, begin: int, end: int) -> tuple[list[str], list[int]]:
        """The different answers of the samples from `begin` to `end`, and the index of each sample's; -1 for none."""
        texts = self.texts[begin:end]
        index = {text: at for at, text in enumerate(dict.fromkeys(text for text in texts if text is not None))}
        return list(index), [-1 if text is None else index[text] for text in texts]


class SampleTable:
    """All samples of one judge or model: `add` row by row, then `finish` once, then `chunks` problem by problem."""

    def __init__(self) -> None:
        self._problems, self._seen = HashNumbers(), HashNumbers()
        self._problem_log, self._sample_log = DiskLog(), DiskLog()
        self._names, self._answers = DiskLog(), DiskLog()
        self._numbers: NDArray[np.uint32] = np.empty(0, np.uint32)
        self._begins: Ints = np.zeros(1, np.int64)
        self._order: NDArray[np.uint32] | None = None
        self.lowest_score = np.inf
        self.n_samples = 0
        self.has_answers = False
        """Whether any sample has an answer."""

    def problem(self, name: str, group: int, short_name: str) -> int:
        """The number of the problem that `name` identifies within a group; messages call it `short_name`."""
        known = len(self._problems)
        number = self._problems.number(hash((name, group)) & _HASH)
        if number == known:
            text = short_name.encode("utf-8", "surrogatepass")
            self._problem_log.append(_PROBLEM.pack(group, hash(name), len(self._names), len(text)))
            self._names.append(text)
        return number

    def is_new(self, problem: int, sample: Any) -> bool:
        """Whether the problem has had no such sample before; remembers it."""
        known = len(self._seen)
        return self._seen.number(hash((problem, sample)) & _HASH) == known

    def add(self, problem: int, right: int, score: float, answer: str | None) -> None:
        """Adds a sample of a problem; `score` is nan without one."""
        begin, size = len(self._answers), -1
        if answer is not None:
            text = answer.encode("utf-8", "surrogatepass")
            self._answers.append(text)
            self.has_answers, size = True, len(text)
        if score < self.lowest_score:
            self.lowest_score = score
        self._sample_log.append(_SAMPLE.pack(problem, right, score, begin, size))

    def name(self, problem: int) -> str:
        """What messages call the problem with this number."""
        one = np.frombuffer(self._problem_log.read(problem * _PROBLEM.size, _PROBLEM.size), _PROBLEM_COLUMNS)[0]
        return self._names.read(int(one["name_begin"]), int(one["name_size"])).decode("utf-8", "surrogatepass")

    def group(self, position: int) -> int:
        """The group of the problem at `position` among those that have samples."""
        return int(self.problem_column("group")[position])

    def finish(self) -> None:
        """Forgets the hashes and finds the samples of each problem; no sample comes any more."""
        n_problems = len(self._problems)
        self._problems, self._seen = HashNumbers(), HashNumbers()
        sizes, last, in_order = np.zeros(n_problems, np.int32), 0, True
        for some in self._samples():
            problems = some["problem"]
            np.add.at(sizes, problems, np.ones(len(problems), np.int32))
            in_order = in_order and problems[0] >= last and bool((problems[1:] >= problems[:-1]).all())
            last = problems[-1]
        self._numbers = np.flatnonzero(sizes).astype(np.uint32)
        self._begins = np.zeros(len(self._numbers) + 1, np.int64)
        np.cumsum(sizes[sizes > 0], out=self._begins[1:])
        self.n_samples = int(self._begins[-1])
        if not in_order:
            problem_of = np.concatenate([some["problem"] for some in self._samples()])
            self._order = np.argsort(problem_of, kind="stable").astype(np.uint32)

    def _samples(self) -> Iterator[NDArray[Any]]:
        """The samples in the order of their rows, in chunks."""
        size = _CHUNK * _SAMPLE.size
        for begin in range(0, len(self._sample_log), size):
            data = self._sample_log.read(begin, min(size, len(self._sample_log) - begin))
            yield np.frombuffer(data, _SAMPLE_COLUMNS)

    def __len__(self) -> int:
        """Number of problems that have samples."""
        return len(self._numbers)

    @property
    def sizes(self) -> Ints:
        """Number of samples of each problem that has any (P)."""
        return np.diff(self._begins)

    def number(self, position: int) -> int:
        """The number of the problem at a position among those that have samples."""
        return int(self._numbers[position])

    def samples_of_groups(self, groups: NDArray[np.int32], n_groups: int) -> NDArray[np.float64]:
        """Number of samples (G) of the problems (P) of each group."""
        counts = np.zeros(n_groups)
        for begin in range(0, len(groups), _CHUNK):
            sizes = np.diff(self._begins[begin : begin + _CHUNK + 1])
            counts += np.bincount(groups[begin : begin + _CHUNK], weights=sizes, minlength=n_groups)
        return counts

    def problem_column(self, name: str) -> NDArray[Any]:
        """The `group` (int32) or `key` (int64: a hash of what identifies it) of each problem that has samples (P)."""
        whole = np.empty(len(self._problem_log) // _PROBLEM.size, _PROBLEM_COLUMNS[name])
        for begin in range(0, len(whole), _CHUNK):
            size = min(_CHUNK, len(whole) - begin) * _PROBLEM.size
            some = np.frombuffer(self._problem_log.read(begin * _PROBLEM.size, size), _PROBLEM_COLUMNS)
            whole[begin : begin + _CHUNK] = some[name]
        return whole if len(whole) == len(self) else whole[self._numbers]

    def chunks(self, with_answers: bool) -> Iterator[SampleChunk]:
        """The problems that have samples, in order of appearance, about _CHUNK samples at a time."""
        mixed = None
        if self._order is not None:
            mixed = np.frombuffer(self._sample_log.read(0, len(self._sample_log)), _SAMPLE_COLUMNS)
        first = 0
        while first < len(self):
            begin = int(self._begins[first])
            after = max(first + 1, int(np.searchsorted(self._begins, begin + _CHUNK, side="right")) - 1)
            begins = self._begins[first : after + 1]
            end = int(begins[-1])
            if mixed is not None and self._order is not None:
                some = mixed[self._order[begin:end]]
            else:
                data = self._sample_log.read(begin * _SAMPLE.size, (end - begin) * _SAMPLE.size)
                some = np.frombuffer(data, _SAMPLE_COLUMNS)
            texts = self._texts(some) if with_answers else []
            yield SampleChunk(first, begins - begin, some["right"], some["score"].copy(), texts)
            first = after

    def _texts(self, samples: NDArray[Any]) -> list[str | None]:
        """The answers of samples; at once if they lie together."""
        begins, sizes = samples["answer_begin"].astype(np.int64), samples["answer_size"].astype(np.int64)
        low, high, held = int(begins.min()), int((begins + sizes).max()) + 1, None
        if high - low <= 2 * (int(np.maximum(sizes, 0).sum()) + _CHUNK):
            held = self._answers.read(low, min(high, len(self._answers)) - low)
        texts: list[str | None] = []
        for begin, size in zip(begins.tolist(), sizes.tolist(), strict=True):
            if size < 0:
                texts.append(None)
                continue
            data = self._answers.read(begin, size) if held is None else held[begin - low : begin - low + size]
            texts.append(data.decode("utf-8", "surrogatepass"))
        return texts
