"""The interface of a reward-model benchmark: which rows it recognises, their points, and how points add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Fields = Mapping[str, Any]
Floats = NDArray[np.float64]

ProtocolName = Literal["official", "paper"]
"""The benchmark's own rule, or that of the Libra paper (arXiv 2507.21645) if it differs."""


class BenchmarkPoint(NamedTuple):
    """One verdict, as it counts in the mean of its group."""

    group: str
    cluster: str
    """The problem. Its points are not independent, so the bootstrap draws them together."""
    value: float | None
    """In [0, 1], also for an unreadable verdict (by the benchmark's rule, with a reason).

    None: left out of the mean, because there is nothing to compare the verdict with.
    """
    reason: str | None = None
    """Why the verdict cannot be read or, without a value, why there is nothing to compare it with."""


class BenchmarkPart(NamedTuple):
    """The part of one row in points that several rows make together; `Benchmark.join` gets all parts."""

    cluster: str
    role: str
    numbers: tuple[float, ...] | None
    """None: the verdict cannot be read, for `reason`."""
    reason: str | None = None


class Benchmark:
    """A benchmark whose sections are the means of its groups, and whose overall figure is their plain mean.

    A section without rows is nan, and so is an overall figure that needs it: a mean of the other sections could not be
    compared with published figures.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    groups: ClassVar[tuple[str, ...] | None] = None
    """All groups; None: the groups that occur."""
    overall_is: ClassVar[Literal["mean", "pooled"]] = "mean"
    """What the overall figure is, and is called: a mean of sections, or one over all rows or problems, pooled."""
    derived: ClassVar[frozenset[str]] = frozenset()
    """Groups whose points derive from the verdicts of other groups."""

    def recognises(self, fields: Fields) -> bool:
        """Whether a row belongs to this benchmark."""
        raise NotImplementedError

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterable[BenchmarkPoint | BenchmarkPart]:
        """The points of a judged row; raises ValueError naming what the row lacks.

        None for responses judged one by one: their verdicts need a threshold, which depends on all rows.
        """
        return ()

    def join(self, parts: Iterable[BenchmarkPart], protocol: ProtocolName) -> Iterable[BenchmarkPoint]:
        """The points that several rows make together."""
        return ()

    def sections_of(self, group: str) -> tuple[str, ...]:
        """The sections whose size a group counts in."""
        return (group,)

    def missing(self, groups: Sequence[str]) -> dict[str, list[str]]:
        """The groups missing from each section of which `groups` are only a part."""
        return {}

    def sections(
        self, means: Floats, groups: Sequence[str], ns: Floats, protocol: ProtocolName
    ) -> tuple[list[str], Floats]:
        """Names and values (..., S) of the sections, from the means (..., G) and sizes `ns` (..., G) of `groups`."""
        if self.groups is None:
            return list(groups), means
        return list(self.groups), pick(means, groups, self.groups)

    def overall(self, sections: Floats, names: Sequence[str], ns: Floats, protocol: ProtocolName) -> Floats:
        """The overall figure (...), from the sections (..., S) and their sizes `ns` (..., S)."""
        return plain_mean(sections)


def missing_group_notes(missing: Mapping[str, Sequence[str]]) -> list[str]:
    """A note on each section that lacks groups."""
    return [
        f"{section} without {', '.join(groups)}: its figure is that of the subsets that are there"
        for section, groups in missing.items()
    ]


def pick(means: Floats, groups: Sequence[str], wanted: Sequence[str]) -> Floats:
    """Selects the columns `wanted` (..., W) from the means (..., G) of `groups`; nan for an absent group."""
    column = {group: index for index, group in enumerate(groups)}
    absent = np.full((*means.shape[:-1], 1), np.nan)
    return np.concatenate([means, absent], axis=-1)[..., [column.get(name, means.shape[-1]) for name in wanted]]


def plain_mean(values: Floats) -> Floats:
    """The mean (...) over the last axis (..., V); nan if a value is nan or there is none."""
    if values.shape[-1] == 0:
        return np.full(values.shape[:-1], np.nan)
    return np.asarray(values.mean(axis=-1))


def weighted_mean(values: Floats, weights: Sequence[float] | Floats) -> Floats:
    """The weighted mean (...) over the last axis of `values` (..., V), without its nan values; nan if none is left."""
    weights_V = np.where(np.isnan(values), 0.0, np.asarray(weights, dtype=float))
    total, weight = (np.nan_to_num(values) * weights_V).sum(axis=-1), weights_V.sum(axis=-1)
    return np.divide(total, weight, out=np.full(np.shape(total), np.nan), where=weight > 0)


def required(fields: Fields, name: str) -> Any:
    """Returns a field of the benchmark's own file; raises ValueError if it is missing."""
    value = fields.get(name)
    if value is None:
        raise ValueError(f'no "{name}": keep the fields of the benchmark')
    return value


def cluster_of(fields: Fields, *names: str) -> str:
    """Identifies the problem of a row: the text or id in the first of `names` that it has."""
    for name in (*names, "question", "prompt", "problem", "id"):
        value = fields.get(name)
        if value is not None:
            return value if isinstance(value, str) else repr(value)
    return f"{fields.get('subset', '')}:{fields.get('index', '')}"
