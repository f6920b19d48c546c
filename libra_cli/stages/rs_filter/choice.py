"""Which of the correct samples are kept. Of each sample only numbers are held; no choice depends on their order.

Everything goes by keyed hashes of prompts and texts: another seed gives another choice, another order of the
input does not.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from libra_cli.stages.rs_filter.samples import Sample
from libra_cli.stream.row_store import RowLocation

DECIDED = np.dtype([("prompt", "<u8"), ("sample", "<u8"), ("correct", "u1")])
"""A sample of which it is known whether it is correct: hashes of its prompt and of all that it is."""
CORRECT = np.dtype(
    [("prompt", "<u8"), ("text", "<u8"), ("tokens", "<u4"), ("chars", "<u4"), ("cell", "<u4"), ("number", "<u4"),
     ("check", "<u4"), ("file", "<u4"), ("offset", "<u8"), ("size", "<u8")]
)  # fmt: skip
"""A sample that may be kept: its prompt and text (hashes), its lengths, its Cell, and where it is."""
_DECIDED, _CORRECT = struct.Struct("<QQB"), struct.Struct("<QQIIIIIIQQ")

UNKNOWN = (1 << 32) - 1
"""Tokens of a sample of which nobody knows them."""
BINS = 10
SHORTEST, LONGEST, RANDOM, DIVERSE = "shortest", "longest", "random", "diverse"
PREFERENCES = (SHORTEST, LONGEST, RANDOM, DIVERSE)

Column = np.ndarray
Spread = Callable[[Column, int], Column]
"""From numbers of samples of one prompt, so many of them that differ as much as they can."""
Cell = tuple[str, str, str]
"""Task, label and model."""


@dataclass(frozen=True)
class Limits:
    """What is kept of the correct samples."""

    pass_rate: tuple[float, float] | None = None
    """The least and the greatest share of correct samples among a prompt's decided ones."""
    per_prompt: int | None = None
    prefer: str = RANDOM
    even: bool = False
    """As many samples of one label as of the other, by task."""


@dataclass
class Chosen:
    """The outcome of a choice."""

    numbers: Column
    """Of the kept samples, in the order in which they are written."""
    rates: Column
    """Their prompts' pass rates; NaN where none of a prompt's samples was decided."""
    dropped: dict[str, Column]
    """By reason, the numbers of those that are not kept."""


class Index:
    """The samples of a run, as numbers."""

    def __init__(self, seed: int):
        self._key = hashlib.blake2b(str(seed).encode()).digest()
        self._decided, self._correct = bytearray(), bytearray()
        self.cells: dict[Cell, int] = {}

    def decide(self, sample: Sample) -> tuple[int, int]:
        """Takes a sample of which it is known whether it is correct; the hashes of its prompt and of its text."""
        prompt = self._hash(sample.prompt)
        text = self._hash(f"{prompt}\0{sample.text}")
        whole = self._hash(f"{text}\0{sample.model}\0{sample.name}")
        self._decided += _DECIDED.pack(prompt, whole, bool(sample.correct))
        return prompt, text

    def hashes(self, sample: Sample) -> tuple[int, int]:
        """The hashes of a sample that no rule decides."""
        prompt = self._hash(sample.prompt)
        return prompt, self._hash(f"{prompt}\0{sample.text}")

    def add(self, sample: Sample, hashes: tuple[int, int], n_tokens: int | None, location: RowLocation) -> None:
        """Takes a sample that may be kept, which can be read again at `location`."""
        cell = self.cells.setdefault((sample.task, sample.label, sample.model), len(self.cells))
        tokens = UNKNOWN if n_tokens is None else min(n_tokens, UNKNOWN - 1)
        self._correct += _CORRECT.pack(
            *hashes, tokens, min(len(sample.text), UNKNOWN), cell, sample.number, *location
        )  # fmt: skip

    def _hash(self, text: str) -> int:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "little")

    def records(self) -> np.ndarray:
        """All samples that may be kept."""
        return np.frombuffer(self._correct, CORRECT)

    def rates(self) -> Rates:
        """The pass rate of each prompt."""
        return Rates(np.frombuffer(self._decided, DECIDED))


class Rates:
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
        """The pass rates of prompts; NaN for one of which no sample was decided."""
        if not len(self.prompts):
            return np.full(len(prompts), np.nan)
        at = np.minimum(np.searchsorted(self.prompts, prompts), len(self.prompts) - 1)
        return np.where(self.prompts[at] == prompts, self.shares[at], np.nan)


def choose(records: np.ndarray, rates: Rates, cells: list[Cell], limits: Limits, spread: Spread) -> Chosen:
    """The samples that are kept; `spread` is asked where they shall be diverse."""
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
    numbers, turns = _turns(records, numbers, limits, spread)
    if limits.per_prompt is not None:
        within = turns < limits.per_prompt
        turns = turns[within]
        keep(within, "per_prompt")
    if limits.even:
        keep(_even(records, numbers, turns, cells), "uneven")
    numbers = numbers[np.lexsort((records["prompt"][numbers], records["text"][numbers]))]
    return Chosen(numbers, rates.of(records["prompt"][numbers]), dropped)


def uses_tokens(records: np.ndarray) -> bool:
    """Whether the lengths of all samples are known in tokens; else they are compared by characters."""
    return not bool((records["tokens"] == UNKNOWN).any())


def _turns(records: np.ndarray, numbers: Column, limits: Limits, spread: Spread) -> tuple[Column, Column]:
    """The samples of each prompt in the order in which they are preferred, and the place of each in that."""
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


def _even(records: np.ndarray, numbers: Column, turns: Column, cells: list[Cell]) -> Column:
    """Which samples to keep for as many of each label; the first ones of all prompts come before the second ones."""
    of_record = records["cell"][numbers]
    wanted = np.ones(len(numbers), bool)
    for labels in _evened(cells):
        members = [np.flatnonzero(np.isin(of_record, own)) for own in labels]
        least = min(map(len, members))
        for member in members:
            order = np.lexsort((records["text"][numbers[member]], turns[member]))
            wanted[member[order[least:]]] = False
    return wanted


def _evened(cells: Sequence[Cell]) -> list[list[list[int]]]:
    """Groups of labels that are to be even, each label as the numbers of its cells.

    Ratings and verdicts have two labels, comparisons too (ties are left as they are), and lists one for each place.
    What has no label (`reason`, `general`) is left as it is.
    """
    groups = {}
    for task, label, _ in cells:
        shown = int(label.partition("/")[2] or 0)
        if label in ("0", "1"):
            groups[task] = [(task, one) for one in ("0", "1")]
        elif label in ("A", "B"):
            groups[task] = [(task, one) for one in ("A", "B")]
        elif shown:
            groups[f"{task} {shown}"] = [(task, f"{place}/{shown}") for place in range(1, shown + 1)]
    numbered = list(enumerate(cells))
    return [
        [[number for number, cell in numbered if cell[:2] == one] for one in groups[name]] for name in sorted(groups)
    ]


def _starts(values: Column) -> Column:
    """Where a sorted column has another value than before."""
    found = np.ones(len(values), bool)
    found[1:] = values[1:] != values[:-1]
    return found
