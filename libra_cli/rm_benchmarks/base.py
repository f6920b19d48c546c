"""What every reward-model benchmark answers: which rows are its own, what each is worth, how that adds up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Fields = Mapping[str, Any]
Floats = NDArray[np.float64]

ProtocolName = Literal["official", "paper"]
"""The benchmark's own rule, or the one of the Libra paper (arXiv 2507.21645), where they differ."""


class BenchmarkPoint(NamedTuple):
    """One verdict: what it adds to the mean of its group."""

    group: str
    cluster: str
    """The problem: points of one are not independent, so the bootstrap draws them together."""
    value: float | None
    """In [0, 1], and by the benchmark's rule also where no verdict can be read (then with its reason).

    None: left out of the mean, because there is no truth to compare the verdict with.
    """
    reason: str | None = None
    """Why no verdict can be read or, without a value, why there is nothing to compare."""


class BenchmarkPart(NamedTuple):
    """What one row gives to points that several rows make together: `Benchmark.join` gets all of them."""

    cluster: str
    role: str
    numbers: tuple[float, ...] | None
    """None: no verdict can be read, for `reason`."""
    reason: str | None = None


class Benchmark:
    """A benchmark whose sections are the means of its groups, and whose overall figure is their plain mean.

    A section without rows is nan, and so is the overall figure that would need it: the mean of what is left is not
    comparable with anybody's figure.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    groups: ClassVar[tuple[str, ...] | None] = None
    """All its groups; None: those that occur."""
    derived: ClassVar[frozenset[str]] = frozenset()
    """Groups whose points are made of the verdicts of other groups, and are no verdicts of their own."""

    def recognises(self, fields: Fields) -> bool:
        """Whether a row is of this benchmark."""
        raise NotImplementedError

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterable[BenchmarkPoint | BenchmarkPart]:
        """What a judged row is worth; raises ValueError naming what it lacks.

        Nothing where responses are judged one by one: these verdicts wait for a threshold, which takes all rows.
        """
        return ()

    def join(self, parts: Iterable[BenchmarkPart], protocol: ProtocolName) -> Iterable[BenchmarkPoint]:
        """The points of the rows that only count together."""
        return ()

    def sections_of(self, group: str) -> tuple[str, ...]:
        """The sections that a group counts in (their `n`)."""
        return (group,)

    def missing(self, groups: Sequence[str]) -> dict[str, list[str]]:
        """Of each section that `groups` are only a part of: the groups that its value lacks."""
        return {}

    def sections(
        self, means: Floats, groups: Sequence[str], ns: Floats, protocol: ProtocolName
    ) -> tuple[list[str], Floats]:
        """Names and values (..., S) of the sections, from the means (..., G) of `groups` of `ns` (..., G) points."""
        if self.groups is None:
            return list(groups), means
        return list(self.groups), pick(means, groups, self.groups)

    def overall(self, sections: Floats, names: Sequence[str], ns: Floats, protocol: ProtocolName) -> Floats:
        """The one figure (...) from the sections (..., S) of `ns` (..., S) points."""
        return plain_mean(sections)


def missing_group_notes(missing: Mapping[str, Sequence[str]]) -> list[str]:
    """A note for each section that lacks groups."""
    return [
        f"{section} without {', '.join(groups)}: its figure is that of the subsets that are there"
        for section, groups in missing.items()
    ]


def pick(means: Floats, groups: Sequence[str], wanted: Sequence[str]) -> Floats:
    """The columns `wanted` (..., W) of the means (..., G) of `groups`; nan for a group that is not there."""
    at = {group: index for index, group in enumerate(groups)}
    absent = np.full((*means.shape[:-1], 1), np.nan)
    return np.concatenate([means, absent], axis=-1)[..., [at.get(name, means.shape[-1]) for name in wanted]]


def plain_mean(values: Floats) -> Floats:
    """The mean (...) over the last axis (..., V); nan where one is nan, or where there is none."""
    if values.shape[-1] == 0:
        return np.full(values.shape[:-1], np.nan)
    return np.asarray(values.mean(axis=-1))


def weighted_mean(values: Floats, weights: Sequence[float] | Floats) -> Floats:
    """The mean (...) over the last axis of the `values` (..., V) that are there, by `weights` (..., V), or nan."""
    weights_V = np.where(np.isnan(values), 0.0, np.asarray(weights, dtype=float))
    total, weight = (np.nan_to_num(values) * weights_V).sum(axis=-1), weights_V.sum(axis=-1)
    return np.divide(total, weight, out=np.full(np.shape(total), np.nan), where=weight > 0)


def kept(fields: Fields, name: str) -> Any:
    """A field of the benchmark's own file; raises ValueError where it is gone."""
    value = fields.get(name)
    if value is None:
        raise ValueError(f'no "{name}": keep the fields of the benchmark')
    return value


def cluster_of(fields: Fields, *names: str) -> str:
    """The problem that a row is about, as the text or the id in the first of `names` that it has."""
    for name in (*names, "question", "prompt", "problem", "id"):
        value = fields.get(name)
        if value is not None:
            return value if isinstance(value, str) else repr(value)
    return f"{fields.get('subset', '')}:{fields.get('index', '')}"
