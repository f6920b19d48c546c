"""The samples of problems in columns: about 40 bytes a sample and as many a problem, and each answer's text once."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from libra_cli.stages.score.columns import NameNumbers
from libra_cli.stream.hash_numbers import DiskLog, HashNumbers

_HASH = (1 << 64) - 1


class ProblemSamples:
    """The samples of one problem, in the order of their rows."""

    __slots__ = ("_begin", "_end", "_table", "number")

    def __init__(self, table: SampleTable, number: int, begin: int, end: int):
        self._table, self.number, self._begin, self._end = table, number, begin, end

    @property
    def name(self) -> str:
        """What messages call the problem."""
        return self._table.name(self.number)

    @property
    def group(self) -> int:
        """The number of its subset."""
        return self._table.group(self.number)

    @property
    def key(self) -> int:
        """A hash of what identifies the problem."""
        return self._table.key(self.number)

    @property
    def right(self) -> list[int]:
        """1 for each sample that is correct, else 0."""
        return self._table.right[self._begin : self._end].tolist()

    @property
    def score(self) -> list[float]:
        """The score of each sample; nan without one."""
        return self._table.score[self._begin : self._end].tolist()

    @property
    def correct(self) -> list[bool]:
        """Whether each sample is correct."""
        return [bool(right) for right in self.right]

    @property
    def answers(self) -> tuple[list[str], list[int]]:
        """The different answers in order of appearance, and the index among them of each sample's; -1 for none."""
        numbers = self._table.answer[self._begin : self._end].tolist()
        index = {number: at for at, number in enumerate(dict.fromkeys(number for number in numbers if number >= 0))}
        return [self._table.texts[number] for number in index], [index.get(number, -1) for number in numbers]


class SampleTable:
    """All samples of one judge or model, row by row; `problems` gives them back problem by problem."""

    def __init__(self) -> None:
        self._problems, self._samples, self._answers = HashNumbers(), HashNumbers(), NameNumbers()
        self._names, self._name_ends = DiskLog(), array("Q", [0])
        self._group, self._key = array("i"), array("q")
        self._problem, self._answer = array("I"), array("i")
        self._right, self._score = array("b"), array("d")
        self.right: NDArray[np.int8] = np.empty(0, np.int8)
        self.score: NDArray[np.float64] = np.empty(0)
        self.answer: NDArray[np.int32] = np.empty(0, np.int32)
        self.texts: list[str] = []

    def problem(self, name: str, group: int, short_name: str) -> int:
        """The number of the problem that `name` identifies within a group; messages call it `short_name`."""
        known = len(self._problems)
        number = self._problems.number(hash((name, group)) & _HASH)
        if number == known:
            self._names.append(short_name.encode("utf-8", "surrogatepass"))
            self._name_ends.append(len(self._names))
            self._group.append(group)
            self._key.append(hash(name))
        return number

    def is_new(self, problem: int, sample: Any) -> bool:
        """Whether the problem has had no such sample before; remembers it."""
        known = len(self._samples)
        return self._samples.number(hash((problem, sample)) & _HASH) == known

    def add(self, problem: int, right: int, score: float, answer: str | None) -> None:
        """Adds a sample of a problem."""
        self._problem.append(problem)
        self._right.append(right)
        self._score.append(score)
        self._answer.append(-1 if answer is None else self._answers.number(answer))

    def name(self, problem: int) -> str:
        """What messages call a problem."""
        begin, end = self._name_ends[problem], self._name_ends[problem + 1]
        return self._names.read(begin, end - begin).decode("utf-8", "surrogatepass")

    def group(self, problem: int) -> int:
        """The number of a problem's group."""
        return self._group[problem]

    def key(self, problem: int) -> int:
        """A hash of what identifies a problem."""
        return self._key[problem]

    @property
    def has_answers(self) -> bool:
        """Whether any sample has an answer."""
        return len(self._answers) > 0

    def problems(self) -> list[ProblemSamples]:
        """The problems that have samples, in order of appearance. Call it once, after the last sample."""
        problem_of = np.frombuffer(self._problem, np.uint32) if self._problem else np.empty(0, np.uint32)
        columns = [
            np.frombuffer(column, column.typecode) for column in (self._right, self._score, self._answer) if column
        ]
        if columns and (problem_of[1:] < problem_of[:-1]).any():
            order = np.argsort(problem_of, kind="stable")
            columns = [column[order] for column in columns]
        if columns:
            self.right, self.score, self.answer = columns
        self.texts = self._answers.all()
        ends = np.cumsum(np.bincount(problem_of, minlength=len(self._problems))).tolist()
        begins = [0, *ends[:-1]]
        extents = enumerate(zip(begins, ends, strict=False))
        return [ProblemSamples(self, number, begin, end) for number, (begin, end) in extents if end > begin]
