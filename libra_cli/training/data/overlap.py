"""Rows that a model is measured on and trained on as well: what it is measured on should be new to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import NamedTuple, Protocol

import numpy as np

from libra_cli.plural import counted
from libra_cli.stream.console import Console
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import BadLine, read_rows

_OF_CONTENT = re.compile(r"[0-9a-f]{16}")
"""An id that is a hash of the problem, and so the same in every file; a number may count another file's rows."""


class Keyed(Protocol):
    """Samples with hashes (uint64 [N], 0 for nothing) of what they are, of their prompt and of their problem."""

    keys: np.ndarray | None
    """uint64 [3, N]; None of samples that an earlier version prepared."""


class SharedRows(NamedTuple):
    """How many of `of` rows that a model is measured on are training rows, or about the problem of one."""

    same: int
    related: int
    """Others, with the prompt or the problem of a training row."""
    of: int
    noun: str = "row"

    def sentence(self) -> str:
        """Both in words, with their share."""
        are_same, are_related = ("is" if n == 1 else "are" for n in (self.same, self.related))
        total = f"of {counted(self.of, self.noun)}"
        if not self.same:
            return f"{self.related:,} {total} {are_related} about problems of training rows"
        text = f"{self.same:,} {total} {are_same} among the training rows"
        return f"{text}, {self.related:,} more {are_related} about their problems" if self.related else text


def problem_key(id: str) -> int:
    """The problem of a row by its id; 0 if that may be another one's in another file."""
    return int(id, 16) if _OF_CONTENT.fullmatch(id) else 0


def of_held_out(train: Keyed, held_out: Keyed, unit: int, noun: str) -> SharedRows | None:
    """The overlap of samples, of which `unit` neighbours are one row; None if there is none."""
    if train.keys is None or held_out.keys is None:
        return None
    (rows, prompts, problems), ours = (keys.reshape(3, -1, unit) for keys in (train.keys, held_out.keys))
    same = np.isin(_joint(ours[0]), _joint(rows))
    related = _known(ours[1, :, 0], prompts[:, 0]) | _known(ours[2, :, 0], problems[:, 0])
    found = SharedRows(int(same.sum()), int((related & ~same).sum()), len(same), noun)
    return found if found.same or found.related else None


def of_benchmark(problems: np.ndarray, paths: Sequence[str]) -> SharedRows | None:
    """The rows of benchmark files about `problems` (uint64) of training rows; None if there are none."""
    asked = np.array([problem_key(id) for id in _ids(paths)], np.uint64)
    related = int(_known(asked, problems).sum())
    return SharedRows(0, related, len(asked)) if related else None


def tell(console: Console, paths: Sequence[str], overlap: SharedRows) -> None:
    """Says what is not new to the model, and the cure."""
    why = "which flatters the figures; leave them out of one of the two"
    text = f"{', '.join(paths)}: {overlap.sentence()}, {why}"
    console.say(text, event="overlap", same=overlap.same, related=overlap.related, of=overlap.of)


def _ids(paths: Sequence[str]) -> Iterator[str]:
    with closing(read_rows(InputFiles(paths))) as entries:
        yield from (entry.id for entry in entries if not isinstance(entry, BadLine))


def _joint(keys: np.ndarray) -> np.ndarray:
    """One key for each row of several samples, whose order counts."""
    joint = keys[:, 0].copy()
    for column in keys.T[1:]:
        joint = joint * np.uint64(0x9E3779B97F4A7C15) + column
    return joint


def _known(keys: np.ndarray, among: np.ndarray) -> np.ndarray:
    return (keys != 0) & np.isin(keys, among)
