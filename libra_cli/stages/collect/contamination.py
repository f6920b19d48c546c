"""Which rows hold a problem of a benchmark: runs of n words in common, after taking notation away.

A run that stands in several different benchmark problems ("where m and n are relatively prime positive integers") is
a phrase and proves nothing; of the other runs of one problem a row must have DEFAULT_OVERLAP. (Each of the 194 problems
of AIME 2024, AIME 2025 and MATH-500 level 5 against the other 193: a single run in common would call 16 of them
contaminated, this rule two, which share the drawing of one figure.) A benchmark problem shorter than n words is looked
for whole: inside a row's text down to MIN_CONTAINED words, below that only as the whole of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from libra_cli.records.shingles import words

DEFAULT_NGRAM = 13
"""As GPT-3's authors chose it (Brown et al. 2020, appendix C)."""
DEFAULT_OVERLAP = 0.1
MIN_CONTAINED = 8
SAME_PROBLEM = 0.5
"""Two benchmark problems that share this part of the shorter one's n-grams are versions of one problem."""


@dataclass(frozen=True)
class Overlap:
    """What a text shares with one benchmark problem."""

    against: str
    """Where the benchmark problem stands."""
    shared: str
    """The longest run of words in common."""
    share: float
    """How much of the benchmark problem's n-grams the text has, from 0 to 1."""


@dataclass
class _Problem:
    place: str
    size: int  # words in one of its n-grams
    grams: int  # how many of those tell it from other problems


class Benchmarks:
    """The problems that must not be in the data; `add` them all, then `finish`, then `find`."""

    def __init__(self, ngram: int = DEFAULT_NGRAM, overlap: float = DEFAULT_OVERLAP):
        self._ngram, self._overlap = ngram, overlap
        self._problems: list[_Problem] = []
        self._whole: dict[tuple[str, ...], int] = {}
        self._owners: dict[int, int | list[int]] = {}  # hash of an n-gram: the problem, or all problems, that have it
        self._sizes: list[int] = []

    def add(self, question: str, place: str) -> None:
        """Takes in a benchmark problem; one that is there already is the same problem again."""
        parts = tuple(words(question))
        if parts in self._whole:
            return
        number = self._whole[parts] = len(self._problems)
        size = min(self._ngram, len(parts))
        grams = set(_grams(parts, size)) if size >= min(MIN_CONTAINED, self._ngram) else set()
        self._problems.append(_Problem(place, size, len(grams)))
        for gram in grams:
            self._enter(gram, number)

    def _enter(self, gram: int, number: int) -> None:
        before = self._owners.get(gram)
        if isinstance(before, list):
            before.append(number)
        else:
            self._owners[gram] = number if before is None else [before, number]

    def finish(self) -> None:
        """Forgets the phrases: n-grams of several different problems."""
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
        """For each problem the first of those that it is a version of."""
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
        """The benchmark problem that `question` has most of; None where it has none."""
        parts = words(question)
        whole = self._whole.get(tuple(parts))
        if whole is not None:
            return Overlap(self._problems[whole].place, " ".join(parts), 1.0)
        found: dict[int, list[int]] = {}
        for size in self._sizes:
            for at, gram in enumerate(_grams(parts, size)):
                owner = self._owners.get(gram)
                if isinstance(owner, int) and self._problems[owner].size == size:
                    found.setdefault(owner, []).append(at)
        shares = {owner: self._share(parts, owner, starts) for owner, starts in found.items()}
        owner = max(shares, key=lambda number: (shares[number], -number), default=None)
        if owner is None or shares[owner] < self._overlap:
            return None
        return self._told(parts, owner, found[owner], shares[owner])

    def _share(self, parts: Sequence[str], owner: int, starts: Sequence[int]) -> float:
        problem = self._problems[owner]
        return len({tuple(parts[at : at + problem.size]) for at in starts}) / problem.grams

    def _told(self, parts: Sequence[str], owner: int, starts: Sequence[int], share: float) -> Overlap:
        begin, end = max(_runs(starts), key=lambda run: (run[1] - run[0], -run[0]))
        problem = self._problems[owner]
        return Overlap(problem.place, " ".join(parts[begin : end + problem.size]), round(share, 4))


def _grams(parts: Sequence[str], size: int) -> Iterator[int]:
    # Hashes of this process only: nothing of them is written anywhere.
    return (hash(tuple(parts[at : at + size])) for at in range(len(parts) - size + 1))


def _runs(starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of consecutive numbers."""
    begin = last = starts[0]
    for start in starts[1:]:
        if start != last + 1:
            yield begin, last
            begin = start
        last = start
    yield begin, last
