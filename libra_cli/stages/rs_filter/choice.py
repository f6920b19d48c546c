"""Chooses among the correct samples. Each sample is held as a few numbers.

Everything is ordered by keyed hashes of prompts and texts: another seed gives another choice, another order of the
input does not.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from libra_cli.choices import PREFERENCES
from libra_cli.stages.rs_filter.samples import GradedSample
from libra_cli.stream.row_store import RowLocation

DECIDED = np.dtype([("prompt", "<u8"), ("sample", "<u8"), ("correct", "u1")])
"""A sample that is known to be correct or wrong: hashes of its prompt and of the whole sample."""
CORRECT = np.dtype(
    [("prompt", "<u8"), ("text", "<u8"), ("tokens", "<u4"), ("chars", "<u4"), ("cell", "<u4"), ("number", "<u4"),
     ("check", "<u4"), ("file", "<u4"), ("offset", "<u8"), ("size", "<u8")]
)  # fmt: skip
"""A sample that may be kept: hashes of its prompt and text, its lengths, its Cell, and its RowLocation."""
_DECIDED, _CORRECT = struct.Struct("<QQB"), struct.Struct("<QQIIIIIIQQ")

UNKNOWN = (1 << 32) - 1
"""Tokens of a sample of unknown length."""
BINS = 10
SHORTEST, LONGEST, RANDOM, DIVERSE = PREFERENCES

Column = np.ndarray
Spread = Callable[[Column, int], Column]
"""Orders samples of one prompt so that the first so many differ as much as possible."""
Cell = tuple[str, str, str]
"""Task, label and model."""


@dataclass(frozen=True)
class SampleLimits:
    """Which of the correct samples are kept."""

    pass_rate: tuple[float, float] | None = None
    """Minimum and maximum share of correct samples among the decided samples of a prompt."""
    per_prompt: int | None = None
    prefer: str = RANDOM
    even: bool = False
    """Keep as many samples of each label, by task."""


@dataclass
class Chosen:
    """The outcome of a choice."""

    numbers: Column
    """Record numbers of the kept samples, in output order."""
    rates: Column
    """Pass rates of their prompts; NaN for a prompt without decided samples."""
    dropped: dict[str, Column]
    """Record numbers of the others, by reason."""


class SampleIndex:
    """The samples of a run, as the numbers that a choice needs."""

    def __init__(self, seed: int):
        self._key = hashlib.blake2b(str(seed).encode()).digest()
        self._decided, self._correct = bytearray(), bytearray()
        self.cells: dict[Cell, int] = {}

    def count_decided(self, sample: GradedSample) -> tuple[int, int]:
        """Counts a sample that is known to be correct or wrong; reranks the hashes of its prompt and of its text."""
        prompt = self._hash(sample.prompt)
        text = self._hash(f"{prompt}\0{sample.text}")
        whole = self._hash(f"{text}\0{sample.model}\0{sample.name}")
        self._decided += _DECIDED.pack(prompt, whole, bool(sample.correct))
        return prompt, text

    def hashes(self, sample: GradedSample) -> tuple[int, int]:
        """The hashes of the prompt and the text of a sample that no rule decides."""
        prompt = self._hash(sample.prompt)
        return prompt, self._hash(f"{prompt}\0{sample.text}")

    def add(self, sample: GradedSample, hashes: tuple[int, int], n_tokens: int | None, location: RowLocation) -> None:
        """Adds a sample that may be kept; `location` is where to read it again."""
        cell = self.cells.setdefault((sample.task, sample.label, sample.model), len(self.cells))
        tokens = UNKNOWN if n_tokens is None else min(n_tokens, UNKNOWN - 1)
        chars = min(len(sample.text), UNKNOWN)
        self._correct += _CORRECT.pack(*hashes, tokens, chars, cell, sample.number, *location)

    def _hash(self, text: str) -> int:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "little")

    def records(self) -> np.ndarray:
        """All samples that may be kept."""
        return np.frombuffer(self._correct, CORRECT)

    def rates(self) -> PassRates:
        """The pass rate of each prompt."""
        return PassRates(np.frombuffer(self._decided, DECIDED))


class PassRates:
    """The share of correct samples among the decided ones of each prompt; the same sample counts once."""

    def __init__(self, decided: np.ndarray):
        order = np.lexsort((decided["correct"], decided["sample"], decided["prompt"]))
        prompts, samples = decided["prompt"][order], decided["sample"][order]
        first = _starts(prompts) | _starts(samples)
        prompts, correct = prompts[first], decided["correct"][order][first]
        starts = np.flatnonzero(_starts(prompts))
        self.prompts: Column = prompts[starts]
        self.samples: Column = np.diff(np.append(starts, len(prompts)))
        self.correct: Column = np.add.reduceat(correct, starts, dtype=np.int64) if len(starts) else self.samples
        self.shares: Column = self.correct / np.maximum(self.samples, 1)

    def of(self, prompts: Column) -> Column:
        """The pass rates of prompts; NaN for a prompt without decided samples."""
        if not len(self.prompts):
            return np.full(len(prompts), np.nan)
        at = np.minimum(np.searchsorted(self.prompts, prompts), len(self.prompts) - 1)
        return np.where(self.prompts[at] == prompts, self.shares[at], np.nan)


def choose(records: np.ndarray, rates: PassRates, cells: list[Cell], limits: SampleLimits, spread: Spread) -> Chosen:
    """Chooses the samples to keep; `spread` orders those of a prompt if they are to be diverse."""
    dropped: dict[str, Column] = {}
    numbers = np.lexsort((records["number"], records["check"], records["text"], records["prompt"]))

    def keep(wanted: Column, reason: str) -> None:
        nonlocal numbers
        dropped[reason], numbers = numbers[~wanted], numbers[wanted]

    keep(_starts(records["prompt"][numbers]) | _starts(records["text"][numbers]), "duplicate")
    if limits.pass_rate is not None:
        low, high = limits.pass_rate
        shares = rates.of(records["prompt"][numbers])
        keep(np.isnan(shares) | ((shares >= low) & (shares <= high)), "pass_rate")
    numbers, ranks = _by_preference(records, numbers, limits, spread)
    if limits.per_prompt is not None:
        within = ranks < limits.per_prompt
        ranks = ranks[within]
        keep(within, "per_prompt")
    if limits.even:
        keep(_even(records, numbers, ranks, cells), "uneven")
    numbers = numbers[np.lexsort((records["prompt"][numbers], records["text"][numbers]))]
    return Chosen(numbers, rates.of(records["prompt"][numbers]), dropped)


def uses_tokens(records: np.ndarray) -> bool:
    """Whether the lengths of all samples are known in tokens; else they are compared by characters."""
    return not bool((records["tokens"] == UNKNOWN).any())


def _by_preference(records: np.ndarray, numbers: Column, limits: SampleLimits, spread: Spread) -> tuple[Column, Column]:
    """The samples prompt by prompt, the preferred ones first, and the rank of each within its prompt."""
    prompts, texts = records["prompt"][numbers], records["text"][numbers]
    if limits.prefer in (SHORTEST, LONGEST):
        lengths = records["tokens" if uses_tokens(records) else "chars"][numbers].astype(np.int64)
        order = np.lexsort((texts, lengths if limits.prefer == SHORTEST else -lengths, prompts))
        numbers, prompts = numbers[order], prompts[order]
    starts = np.flatnonzero(_starts(prompts))
    sizes = np.diff(np.append(starts, len(prompts)))
    if limits.prefer == DIVERSE and limits.per_prompt is not None:
        for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
            if size > limits.per_prompt:
                group = numbers[start : start + size]
                numbers[start : start + size] = spread(group, limits.per_prompt)
    return numbers, np.arange(len(prompts)) - np.repeat(starts, sizes)


def _even(records: np.ndarray, numbers: Column, ranks: Column, cells: list[Cell]) -> Column:
    """A mask that leaves as many samples of each label; first samples of all prompts go before second ones."""
    of_record = records["cell"][numbers]
    wanted = np.ones(len(numbers), bool)
    for labels in _label_groups(cells):
        members = [np.flatnonzero(np.isin(of_record, own)) for own in labels]
        least = min(map(len, members))
        for member in members:
            order = np.lexsort((records["text"][numbers[member]], ranks[member]))
            wanted[member[order[least:]]] = False
    return wanted


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


def _starts(values: Column) -> Column:
    """A mask of the first element of each run of equal values."""
    mask = np.ones(len(values), bool)
    mask[1:] = values[1:] != values[:-1]
    return mask
