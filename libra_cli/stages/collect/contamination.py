"""Contamination: does a text contain a problem of a benchmark?

Words that two problems have in common prove little: "can be written as m/n, where m and n are relatively prime positive
integers" stands in a hundred of them. So three things decide. A word counts only inside a run of `ngram` words that
both texts have, in order. A run that several different problems of the benchmark have, or several different rows of
the data, is a phrase and counts nothing. And the words weigh differently: a number counts twice, a word that only poses
a problem or says how to answer it counts nothing (`problem_words`). The share of a benchmark problem's weight that a
text has must reach `overlap`.

Runs are compared as they are written, and once more with letters, names and numbers exchanged for signs, so that a
problem about Ann and x is found again as one about Bob and t; a number that differs counts as missing. A benchmark
problem that is in the text whole is found whatever its words weigh: anywhere if it has MIN_CONTAINED words, otherwise
as all of it. One of at most SHORT words has to be there whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from libra_cli.records.shingles import words as plain_words
from libra_cli.stages.collect.problem_words import Word, problem_words

DEFAULT_NGRAM = 4
DEFAULT_OVERLAP = 0.5
SHORT = 13
MIN_CONTAINED = 8
MIN_WEIGHT = 4.0
"""A benchmark problem whose words weigh less has to be in the text whole, as a short one."""
SAME_PROBLEM = 0.5
"""Two benchmark problems that share this part of the smaller one's runs are versions of the same problem."""
PHRASE_ROWS = 5
"""A run that this many different rows have, each beside words of its own, is a phrase of the data."""
OWN_WORDS = 5
"""A row with fewer words that the benchmark problem lacks is a copy of it, which makes nothing a phrase."""


@dataclass(frozen=True)
class Overlap:
    """What a text shares with a benchmark problem."""

    against: str
    """FILE:LINE of the benchmark problem."""
    problem: str
    """Its text."""
    shared: str
    """The longest run of words in common."""
    share: float
    """Part of the benchmark problem's weight that the text has, from 0 to 1."""


@dataclass
class _Problem:
    place: str
    question: str
    words: list[Word] = field(default_factory=list)
    """Empty for a problem that only counts as a whole."""
    weights: list[float] = field(default_factory=list)
    """Weight of each word; 0 for the words of phrases. Empty if only the whole counts."""

    @property
    def numbers(self) -> list[str]:
        return sorted(word.text for word in self.words if word.role == "#")


class _WholeTexts:
    """Finds texts by all of their words and signs: equal ones, and inside others if they have MIN_CONTAINED words."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}
        self._beginning_with: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        """The texts that begin with MIN_CONTAINED words."""

    def add(self, words: Sequence[str], number: int) -> bool:
        """Whether the text is a new one."""
        text = tuple(words)
        if self._numbers.setdefault(text, number) != number:
            return False
        if len(text) >= MIN_CONTAINED:
            self._beginning_with.setdefault(text[:MIN_CONTAINED], []).append(text)
        return True

    def find(self, words: Sequence[str]) -> int | None:
        """Number of the text that `words` are or have inside."""
        number = self._numbers.get(tuple(words))
        for start in range(len(words) - MIN_CONTAINED + 1) if number is None else ():
            for text in self._beginning_with.get(tuple(words[start : start + MIN_CONTAINED]), ()):
                if tuple(words[start : start + len(text)]) == text:
                    return self._numbers[text]
        return number


Place = tuple[int, int]
"""Number of a problem, and of the word in it with which a run begins."""


class BenchmarkProblems:
    """The problems that must not be in the data. Call `add` for all of them, then `finish`, then `find`.

    Between `finish` and `find`, `learn_phrases` may show it the data.
    """

    def __init__(self, ngram: int = DEFAULT_NGRAM, overlap: float = DEFAULT_OVERLAP):
        self._ngram, self._overlap = ngram, overlap
        self._problems: list[_Problem] = []
        self._whole = _WholeTexts()
        self._runs: dict[int, list[Place]] = {}
        """Hash of a run, as it is written or with signs: where it begins."""

    def add(self, question: str, place: str) -> None:
        """Adds a benchmark problem, unless its words are those of an earlier one."""
        number, written = len(self._problems), plain_words(question)
        if not self._whole.add(written, number):
            return
        words = problem_words(question)
        if len(words) <= max(SHORT, self._ngram) or sum(word.weight for word in words) < MIN_WEIGHT:
            words = []
        self._problems.append(_Problem(place, question, words))
        for run, start in self._runs_of(words):
            self._runs.setdefault(run, []).append((number, start))

    def __len__(self) -> int:
        return len(self._problems)

    def finish(self) -> None:
        """Drops the phrases: runs of several different problems."""
        version_of = self._versions()
        for run, places in list(self._runs.items()):
            if len({version_of[number] for number, _ in places}) > 1:
                del self._runs[run]
        self._weigh()

    def learn_phrases(self, questions: Iterable[str]) -> None:
        """Drops the runs that are phrases of the data, whose `questions` are read once for that.

        A row that has little beside the benchmark problem is a copy of it, and so are rows that have the same words
        beside it: they make nothing a phrase, however many there are.
        """
        others_of: dict[int, set[int]] = {}
        for question in questions:
            words = problem_words(question)
            texts = {word.text for word in words if word.role not in ("#", "x")}
            own_words: dict[int, int | None] = {}
            for run, _ in self._runs_of(words):
                if run not in self._runs:
                    continue
                number = self._runs[run][0][0]
                if number not in own_words:
                    own = texts.difference(word.text for word in self._problems[number].words)
                    own_words[number] = hash(frozenset(own)) if len(own) >= OWN_WORDS else None
                of_this = own_words[number]
                if of_this is not None and len(others := others_of.setdefault(run, set())) < PHRASE_ROWS:
                    others.add(of_this)
        for run, others in others_of.items():
            if len(others) >= PHRASE_ROWS:
                del self._runs[run]
        self._weigh()

    def find(self, question: str) -> Overlap | None:
        """Returns the overlap with the benchmark problem that `question` shares most of; None if it is clean."""
        written = plain_words(question)
        whole = self._whole.find(written)
        if whole is not None:
            problem = self._problems[whole]
            return Overlap(problem.place, problem.question, " ".join(plain_words(problem.question)), 1.0)
        covered = self._covered(problem_words(question))
        shares = {number: self._share(number, places) for number, places in covered.items()}
        best = max(shares, key=lambda number: (shares[number], -number), default=None)
        if best is None or shares[best] < self._overlap or not shares[best]:
            return None
        problem = self._problems[best]
        begin, end = max(_stretches(sorted(covered[best])), key=lambda stretch: (stretch[1] - stretch[0], -stretch[0]))
        shared = " ".join(word.text for word in problem.words[begin : end + 1])
        return Overlap(problem.place, problem.question, shared, round(shares[best], 4))

    def _covered(self, words: Sequence[Word]) -> dict[int, set[int]]:
        """For each benchmark problem, which of its words stand, as written, in a run that `words` have too."""
        covered: dict[int, set[int]] = {}
        for run, start in self._runs_of(words):
            for number, begin in self._runs.get(run, ()):
                there = self._problems[number].words
                same = [
                    begin + step for step in range(self._ngram) if there[begin + step].text == words[start + step].text
                ]
                covered.setdefault(number, set()).update(same)
        return covered

    def _share(self, number: int, covered: set[int]) -> float:
        """Part of the weight of a problem in `covered`, from 0 to 1."""
        weights = self._problems[number].weights
        return sum(weights[at] for at in covered) / sum(weights) if weights else 0.0

    def _weigh(self) -> None:
        """A word whose every run is a phrase weighs nothing; a problem made of phrases counts only as a whole."""
        for problem in self._problems:
            kept = [False] * len(problem.words)
            for run, start in self._runs_of(problem.words, with_signs=False):
                if run in self._runs:
                    kept[start : start + self._ngram] = [True] * self._ngram
            weights = [word.weight if keep else 0.0 for word, keep in zip(problem.words, kept, strict=True)]
            problem.weights = weights if sum(weights) >= MIN_WEIGHT else []

    def _runs_of(self, words: Sequence[Word], with_signs: bool = True) -> Iterator[tuple[int, int]]:
        """Hash and start of each run: as it is written, and with signs in place of what can be exchanged."""
        # Hashes are valid in this process only; none is written anywhere.
        texts, roles = [word.text for word in words], [word.role for word in words]
        size = self._ngram
        for start in range(len(words) - size + 1):
            written = hash(tuple(texts[start : start + size]))
            yield written, start
            if with_signs:
                signed = hash(tuple(roles[start : start + size]))
                if signed != written:
                    yield signed, start

    def _versions(self) -> list[int]:
        """For each problem the number of the first problem that it is a version of: most runs, and all numbers."""
        pairs = Counter(
            (numbers[0], other)
            for places in self._runs.values()
            for numbers in [sorted({number for number, _ in places})]
            for other in numbers[1:]
        )
        runs = [sum(1 for _ in self._runs_of(problem.words)) for problem in self._problems]
        version_of = list(range(len(self._problems)))
        for (first, other), count in sorted(pairs.items()):
            one, two = self._problems[first], self._problems[other]
            if count >= SAME_PROBLEM * min(runs[first], runs[other]) and one.numbers == two.numbers:
                version_of[other] = version_of[first]
        return version_of


def _stretches(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last number of each run of consecutive numbers."""
    begin = last = places[0]
    for place in places[1:]:
        if place != last + 1:
            yield begin, last
            begin = place
        last = place
    yield begin, last
