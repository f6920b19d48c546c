"""Compares the weights that a sampler computes with, by their digests, with those in training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch

from libra_cli.engines.weight_digest import HeldWeight, digest

Workers = Sequence[Sequence[HeldWeight]]
"""What each worker of an engine holds."""


class WeightProof:
    """Remembers what it has said of weights that cannot be compared."""

    def __init__(self, module: Any, note: Callable[[str], None]):
        """`module`: the model in training, in whose names a tied head has a second one."""
        self._note: Callable[[str], None] | None = note
        names: dict[int, str] = {}
        named = module.named_parameters(remove_duplicate=False)
        self._first_names = {name: names.setdefault(id(parameter), name) for name, parameter in named}

    def differing(self, held: Mapping[str, Workers], named: Iterable[tuple[str, torch.Tensor]]) -> str | None:
        """The first weight that an engine (by its name for people) holds and that is not the one in `named`."""
        first = self._first_names
        engines = {
            engine: [[each._replace(names=[first.get(name, name) for name in each.names]) for each in worker]
                     for worker in workers]
            for engine, workers in held.items()
        }  # fmt: skip
        wanted: dict[str, set[tuple[str, tuple[int, ...] | None]]] = {}
        for each in (each for workers in engines.values() for worker in workers for each in worker):
            for name in each.names:
                wanted.setdefault(name, set()).add(_part(each))
        expected: dict[tuple[str, Any], int] = {}
        lacking: list[str] = []
        count = 0
        for name, tensor in named:
            count += 1
            lacking += [] if name in wanted else [name]
            for dtype, columns in wanted.get(name, ()):
                values = tensor if columns is None else tensor[:, columns[0] :: columns[1]]
                expected[name, (dtype, columns)] = digest(values.to(getattr(torch, dtype)))
        if lacking and self._note is not None:
            what = f"{len(lacking)} of {count} weights cannot be read in the sampler ({lacking[0]}, ...)"
            self._note(f"{what}: only log-probabilities prove them")
            self._note = None
        for engine, workers in engines.items():
            if (found := _first_difference(workers, expected)) is not None:
                return f"{engine}: {found}" if engine else found
        return None


def _part(held: HeldWeight) -> tuple[str, tuple[int, ...] | None]:
    return held.dtype, None if held.columns is None else tuple(held.columns)


def _first_difference(workers: Workers, expected: Mapping[tuple[str, Any], int]) -> str | None:
    """The first weight of which the workers together hold no whole copy, nor each one of its own."""
    shares: dict[tuple[tuple[str, ...], Any], list[int]] = {}
    for each in (each for worker in workers for each in worker):
        shares.setdefault((tuple(each.names), _part(each)), []).append(each.digest)
    for (names, part), digests in shares.items():
        if any((name, part) not in expected for name in names):
            continue  # the trainer has another name for it, and has said so
        whole = sum(expected[name, part] for name in names) % (1 << 64)
        if sum(digests) % (1 << 64) != whole and any(each != whole for each in digests):
            return names[0]
    return None
