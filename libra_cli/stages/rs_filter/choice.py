"""Chooses among the correct samples. Each sample is held as a few numbers, sorted on disk.

Everything is ordered by keyed hashes of prompts and texts: another seed gives another choice, another order of the
input does not.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from libra_cli.choices import PREFERENCES
from libra_cli.stages.rs_filter.samples import GradedSample
from libra_cli.stream.row_store import RowLocation
from libra_cli.stream.sorted_records import SortedRecords

DECIDED = struct.Struct(">QQB")
"""A sample that is known to be correct or wrong: hashes of its prompt and of the whole sample, and which of the two."""
_CORRECT = struct.Struct(">QQIIIIIIQQ")
"""A Candidate."""
_PROMPT, _TEXT, _CELL = slice(0, 8), slice(8, 16), slice(24, 28)
"""Parts of one."""
_RATE, _LENGTH = struct.Struct(">d"), struct.Struct(">I")
_LABEL = struct.Struct(">II")
"""Number of a label, and rank within a prompt."""

UNKNOWN = (1 << 32) - 1
"""Tokens of a sample of unknown length."""
BINS = 10
SHORTEST, LONGEST, RANDOM, DIVERSE = PREFERENCES

Spread = Callable[[list["Candidate"], int], list[int]]
"""Orders samples of one prompt, by their index, so that the first so many differ as much as possible."""
Cell = tuple[str, str, str]
"""Task, label and model."""


class Candidate(NamedTuple):
    """A sample that may be kept. Its bytes sort as its numbers do, so that those of a prompt stand together."""

    prompt: int
    text: int
    """The hashes of its prompt and text."""
    check: int
    number: int
    """Its number in its row."""
    cell: int
    tokens: int
    chars: int
    file: int
    offset: int
    size: int

    @property
    def location(self) -> RowLocation:
        """Where to read its row again."""
        return RowLocation(self.check, self.file, self.offset, self.size)


@dataclass(frozen=True)
class SampleLimits:
    """Which of the correct samples are kept."""

    pass_rate: tuple[float, float] | None = None
    """Minimum and maximum share of correct samples among the decided samples of a prompt."""
    per_prompt: int | None = None
    prefer: str = RANDOM
    even: bool = False
    """Keep as many samples of each label, by task."""


class PassRate(NamedTuple):
    """The decided samples of a prompt, and the correct ones among them."""

    prompt: int
    samples: int
    correct: int

    @property
    def share(self) -> float:
        """The pass rate."""
        return self.correct / self.samples


class SampleIndex:
    """The samples of a run, as the numbers that a choice needs."""

    def __init__(self, seed: int, folder: str | None = None):
        self._key, self.folder = hashlib.blake2b(str(seed).encode()).digest(), folder
        self._decided = SortedRecords(DECIDED.size, folder)
        self._candidates = SortedRecords(_CORRECT.size, folder)
        self.cells: dict[Cell, int] = {}
        self.in_tokens = True
        """The lengths of all samples are known in tokens; else they are compared by characters."""

    def count_decided(self, sample: GradedSample) -> tuple[int, int]:
        """Counts a sample that is known to be correct or wrong; returns the hashes of its prompt and of its text."""
        prompt, text = self.hashes(sample)
        self.add_decided(prompt, self._hash(f"{text}\0{sample.model}\0{sample.name}"), bool(sample.correct))
        return prompt, text

    def add_decided(self, prompt: int, sample: int, is_correct: bool) -> None:
        """Counts a sample by the hashes of its prompt and of all that tells it from others."""
        self._decided.add(DECIDED.pack(prompt, sample, is_correct))

    def hashes(self, sample: GradedSample) -> tuple[int, int]:
        """The hashes of the prompt and the text of a sample."""
        prompt = self._hash(sample.prompt)
        return prompt, self._hash(f"{prompt}\0{sample.text}")

    def add(self, sample: GradedSample, hashes: tuple[int, int], n_tokens: int | None, location: RowLocation) -> None:
        """Adds a sample that may be kept; `location` is where to read it again."""
        cell = self.cells.setdefault((sample.task, sample.label, sample.model), len(self.cells))
        tokens = UNKNOWN if n_tokens is None else min(n_tokens, UNKNOWN - 1)
        check, *place = location
        self.add_candidate(
            Candidate(*hashes, check, sample.number, cell, tokens, min(len(sample.text), UNKNOWN), *place)
        )

    def add_candidate(self, candidate: Candidate) -> None:
        """Adds a sample that may be kept."""
        self.in_tokens = self.in_tokens and candidate.tokens != UNKNOWN
        self._candidates.add(_CORRECT.pack(*candidate))

    def candidates(self) -> Iterator[bytes]:
        """All samples that may be kept: by prompt, then by text."""
        return iter(self._candidates)

    def rates(self) -> Iterator[PassRate]:
        """The pass rate of each prompt that has one; the same sample counts once."""
        for prompt, of_prompt in groupby(map(DECIDED.unpack, self._decided), key=itemgetter(0)):
            n_samples = n_correct = 0
            for _, same in groupby(of_prompt, key=itemgetter(1)):
                n_samples += 1
                n_correct += next(same)[2]
            yield PassRate(prompt, n_samples, n_correct)

    def _hash(self, text: str) -> int:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "little")


@dataclass
class Tenths:
    """Prompts and samples by the share of correct samples among the decided ones of a prompt; the last includes 1."""

    prompts: list[int] = field(default_factory=lambda: [0] * BINS)
    decided: list[int] = field(default_factory=lambda: [0] * BINS)
    correct: list[int] = field(default_factory=lambda: [0] * BINS)
    kept: list[int] = field(default_factory=lambda: [0] * BINS)

    def add_prompt(self, rate: PassRate) -> None:
        """Counts a prompt."""
        tenth = self._of(rate.share)
        self.prompts[tenth] += 1
        self.decided[tenth] += rate.samples
        self.correct[tenth] += rate.correct

    def add_kept(self, share: float) -> None:
        """Counts a sample that is kept, unless its prompt has no pass rate (nan)."""
        if share == share:
            self.kept[self._of(share)] += 1

    @staticmethod
    def _of(share: float) -> int:
        return min(int(share * BINS + 1e-9), BINS - 1)  # what rounding takes from a whole tenth does not count


class Chosen:
    """The outcome of a choice."""

    def __init__(self, folder: str | None):
        self._kept = SortedRecords(_CORRECT.size + _RATE.size, folder)
        self.of_cell: Counter[int] = Counter()
        """Kept samples by cell."""
        self.dropped: dict[str, Counter[int]] = {}
        """The others by reason and cell."""
        self.tenths = Tenths()

    def keep(self, record: bytes) -> None:
        """Keeps a sample with the pass rate of its prompt; they are read back in the order of their texts."""
        self._kept.add(record[_TEXT] + record[_PROMPT] + record[16:])
        self.of_cell[_cell_of(record)] += 1
        self.tenths.add_kept(*_RATE.unpack(record[_CORRECT.size :]))

    def drop(self, record: bytes, reason: str) -> None:
        """Counts a sample that is not kept."""
        self.dropped[reason][_cell_of(record)] += 1

    def __iter__(self) -> Iterator[tuple[Candidate, float]]:
        """The samples in output order with the pass rates of their prompts; NaN for one without decided samples."""
        for record in self._kept:
            text, prompt, *rest = _CORRECT.unpack_from(record)
            yield Candidate(prompt, text, *rest), _RATE.unpack_from(record, _CORRECT.size)[0]


def choose(index: SampleIndex, limits: SampleLimits, spread: Spread) -> Chosen:
    """Chooses the samples to keep; `spread` orders those of a prompt if they are to be diverse."""
    chosen = Chosen(index.folder)
    wanted = {"duplicate": True, "pass_rate": limits.pass_rate, "per_prompt": limits.per_prompt, "uneven": limits.even}
    chosen.dropped = {reason: Counter() for reason, limit in wanted.items() if limit not in (None, False)}
    ranked = _by_preference(_with_rates(index, limits, chosen), index, limits, spread)
    if limits.per_prompt is not None:
        ranked = _best(ranked, limits.per_prompt, chosen)
    kept = _even(ranked, list(index.cells), index.folder, chosen) if limits.even else (record for _, record in ranked)
    for record in kept:
        chosen.keep(record)
    return chosen


def _with_rates(index: SampleIndex, limits: SampleLimits, chosen: Chosen) -> Iterator[bytes]:
    """The different samples of prompts within the limits, in order, each followed by the pass rate of its prompt."""
    rates = index.rates()
    low, high = limits.pass_rate or (0.0, 1.0)
    ended = PassRate(1 << 64, 1, 0)
    rate = next(rates, ended)
    last_prompt, last_text, share, packed = b"", b"", math.nan, b""
    for record in index.candidates():
        if record[_PROMPT] != last_prompt:
            last_prompt, last_text = record[_PROMPT], b""
            prompt = int.from_bytes(last_prompt, "big")
            while rate.prompt < prompt:
                chosen.tenths.add_prompt(rate)
                rate = next(rates, ended)
            share = rate.share if rate.prompt == prompt else math.nan
            packed = _RATE.pack(share)
        if record[_TEXT] == last_text:
            chosen.drop(record, "duplicate")
            continue
        last_text = record[_TEXT]
        if limits.pass_rate is not None and not (math.isnan(share) or low <= share <= high):
            chosen.drop(record, "pass_rate")
        else:
            yield record + packed
    while rate is not ended:
        chosen.tenths.add_prompt(rate)
        rate = next(rates, ended)


def _by_preference(
    records: Iterable[bytes], index: SampleIndex, limits: SampleLimits, spread: Spread
) -> Iterator[tuple[int, bytes]]:
    """The samples prompt by prompt, the preferred ones first, each with its rank within its prompt."""
    if limits.prefer in (SHORTEST, LONGEST):
        records = _by_length(records, index, limits.prefer == LONGEST)
    for _, group in groupby(records, key=itemgetter(_PROMPT)):
        if limits.prefer != DIVERSE or limits.per_prompt is None:
            yield from enumerate(group)
            continue
        of_prompt = list(group)
        if len(of_prompt) > limits.per_prompt:
            order = spread([Candidate(*_CORRECT.unpack_from(record)) for record in of_prompt], limits.per_prompt)
            of_prompt = [of_prompt[at] for at in order]
        yield from enumerate(of_prompt)


def _by_length(records: Iterable[bytes], index: SampleIndex, is_longest_first: bool) -> Iterator[bytes]:
    """The samples of each prompt by length, then by text."""
    by_length = SortedRecords(8 + _LENGTH.size + _CORRECT.size + _RATE.size, index.folder)
    for record in records:
        candidate = Candidate(*_CORRECT.unpack_from(record))
        length = candidate.tokens if index.in_tokens else candidate.chars
        by_length.add(record[_PROMPT] + _LENGTH.pack(UNKNOWN - length if is_longest_first else length) + record)
    return (record[8 + _LENGTH.size :] for record in by_length)


def _best(ranked: Iterable[tuple[int, bytes]], per_prompt: int, chosen: Chosen) -> Iterator[tuple[int, bytes]]:
    """The first `per_prompt` samples of each prompt."""
    for rank, record in ranked:
        if rank < per_prompt:
            yield rank, record
        else:
            chosen.drop(record, "per_prompt")


def _even(
    ranked: Iterable[tuple[int, bytes]], cells: list[Cell], folder: str | None, chosen: Chosen
) -> Iterator[bytes]:
    """As many samples of each label; first samples of all prompts go before second ones."""
    groups = _label_groups(cells)
    labels = [label for group in groups for label in group]
    label_of_cell = {cell: number for number, label in enumerate(labels) for cell in label}
    by_label = SortedRecords(_LABEL.size + 8 + _CORRECT.size + _RATE.size, folder)
    n_of_label = [0] * len(labels)
    for rank, record in ranked:
        label = label_of_cell.get(_cell_of(record))
        if label is None:
            yield record
        else:
            n_of_label[label] += 1
            by_label.add(_LABEL.pack(label, rank) + record[_TEXT] + record)
    least: list[int] = []
    for group in groups:
        of_group = n_of_label[len(least) : len(least) + len(group)]
        least += [min(of_group)] * len(group)
    for sorted_record in by_label:
        label, record = _LABEL.unpack_from(sorted_record)[0], sorted_record[_LABEL.size + 8 :]
        if least[label]:
            least[label] -= 1
            yield record
        else:
            chosen.drop(record, "uneven")


def _cell_of(record: bytes) -> int:
    return int.from_bytes(record[_CELL], "big")


def _label_groups(cells: Sequence[Cell]) -> list[list[list[int]]]:
    """Groups of labels to make even, each label as the numbers of its cells.

    Ratings, verdicts and comparisons have two labels (ties stay as they are), and lists have one for each place.
    Samples without a label (`reason`, `general`) stay as they are.
    """
    groups = {}
    for task, label, _ in cells:
        n_places = int(label.partition("/")[2] or 0)
        if label in ("0", "1"):
            groups[task] = [(task, one) for one in ("0", "1")]
        elif label in ("A", "B"):
            groups[task] = [(task, one) for one in ("A", "B")]
        elif n_places:
            groups[f"{task} {n_places}"] = [(task, f"{place}/{n_places}") for place in range(1, n_places + 1)]
    numbered = list(enumerate(cells))
    return [
        [[number for number, cell in numbered if cell[:2] == one] for one in groups[name]] for name in sorted(groups)
    ]
