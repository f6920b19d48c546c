"""Contamination: does a text contain a problem of a benchmark? Compares n-grams of words, notation removed.

An n-gram that occurs in several different benchmark problems ("where m and n are relatively prime positive integers")
is a phrase and proves nothing; a contaminated text has at least DEFAULT_OVERLAP of the other n-grams of one problem.
(Among the 194 problems of AIME 2024, AIME 2025 and MATH-500 level 5, one n-gram in common would call 16 contaminated by
another; this rule finds two, which share the drawing of one figure.) A benchmark problem shorter than n words must
occur whole: anywhere in the text if it has MIN_CONTAINED words, otherwise as the whole text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from libra_cli.records.shingles import words

DEFAULT_NGRAM = 13
"""The choice of GPT-3 (Brown et al. 2020, appendix C)."""
DEFAULT_OVERLAP = 0.1
MIN_CONTAINED = 8
SAME_PROBLEM = 0.5
"""Two benchmark problems that share this part of the smaller one's n-grams are versions of the same problem."""


@dataclass(frozen=True)
class Overlap:
    """What a text shares with a benchmark problem."""

    against: str
    """FILE:LINE of the benchmark problem."""
    shared: str
    """The longest run of words in common."""
    share: float
    """Part of the benchmark problem's n-grams that the text has, from 0 to 1."""


@dataclass
class _Problem:
    place: str
    size: int  # words in one of its n-grams
    grams: int  # n-grams that no different problem has


class BenchmarkProblems:
    """The problems that must not be in the data. Call `add` for all of them, then `finish`, then `find`."""

    def __init__(self, ngram: int = DEFAULT_NGRAM, overlap: float = DEFAULT_OVERLAP):
        self._ngram, self._overlap = ngram, overlap
        self._problems: list[_Problem] = []
        self._whole: dict[tuple[str, ...], int] = {}
        self._owners: dict[int, int | list[int]] = {}  # hash of an n-gram: the problem, or all problems, that have it
        self._sizes: list[int] = []

    def add(self, question: str, place: str) -> None:
        """Adds a benchmark problem, unless its words are those of an earlier one."""
        parts = tuple(words(question))
        if parts in self._whole:
            return
        number = self._whole[parts] = len(self._problems)
        size = min(self._ngram, len(parts))
        grams = set(_grams(parts, size)) if size >= min(MIN_CONTAINED, self._ngram) else set()
        self._problems.append(_Problem(place, size, len(grams)))
        for gram in grams:
            owners = self._owners.get(gram)
            if isinstance(owners, list):
                owners.append(number)
            else:
                self._owners[gram] = number if owners is None else [owners, number]

    def finish(self) -> None:
        """Drops the phrases: n-grams of several different problems."""
        shared = [owners for owners in self._owners.values() if isinstance(owners, list)]
        version_of = self._versions(shared)
        for gram, owners in list(self._owners.items()):
            if isinstance(owners, list):
                if len({version_of[owner] for owner in owners}) > 1:
                    del self._owners[gram]
                    for owner in owners:
                        self._problems[owner].grams -= 1
                else:
                    self._owners[gram] = owners[0]
                    for owner in owners[1:]:
                        self._problems[owner].grams -= 1
        self._sizes = sorted({problem.size for problem in self._problems if problem.grams})

    def _versions(self, shared: Sequence[list[int]]) -> list[int]:
        """For each problem the number of the first problem that it is a version of."""
        common = Counter((owners[0], other) for owners in shared for other in owners[1:])
        version_of = list(range(len(self._problems)))
        for (first, other), count in sorted(common.items()):
            fewest = min(self._problems[first].grams, self._problems[other].grams)
            if count >= SAME_PROBLEM * fewest:
                version_of[other] = version_of[first]
        return version_of

    def __len__(self) -> int:
        return len(self._problems)

    def find(self, question: str) -> Overlap | None:
        """Returns the overlap with the benchmark problem that `question` shares most of; None if it is clean."""
        parts = words(question)
        whole = self._whole.get(tuple(parts))
        if whole is not None:
            return Overlap(self._problems[whole].place, " ".join(parts), 1.0)
        starts_of: dict[int, list[int]] = {}
        for size in self._sizes:
            for start, gram in enumerate(_grams(parts, size)):
                owner = self._owners.get(gram)
                if isinstance(owner, int) and self._problems[owner].size == size:
                    starts_of.setdefault(owner, []).append(start)
        shares = {owner: self._share(parts, owner, starts) for owner, starts in starts_of.items()}
        owner = max(shares, key=lambda number: (shares[number], -number), default=None)
        if owner is None or shares[owner] < self._overlap:
            return None
        begin, end = max(_runs(starts_of[owner]), key=lambda run: (run[1] - run[0], -run[0]))
        problem = self._problems[owner]
        return Overlap(problem.place, " ".join(parts[begin : end + problem.size]), round(shares[owner], 4))

    def _share(self, parts: Sequence[str], owner: int, starts: Sequence[int]) -> float:
        problem = self._problems[owner]
        return len({tuple(parts[start : start + problem.size]) for start in starts}) / problem.grams


def _grams(parts: Sequence[str], size: int) -> Iterator[int]:
    # Hashes are valid in this process only; none is written anywhere.
    return (hash(tuple(parts[start : start + size])) for start in range(len(parts) - size + 1))


def _runs(starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last number of each run of consecutive numbers."""
    begin = last = starts[0]
    for start in starts[1:]:
        if start != last + 1:
            yield begin, last
            begin = start
        last = start
    yield begin, last
