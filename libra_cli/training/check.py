"""Before the first step: does the fast way give this model's losses? Else the plain one is taken."""

from __future__ import annotations

import torch

from libra_cli.stream.console import Console
from libra_cli.training import batch
from libra_cli.training.encode import Encoded
from libra_cli.training.engine import Engine
from libra_cli.training.world import World

_ROUNDING = {"fp32": 1e-3, "bf16": 0.1}
"""Nats: what another order of additions may change; another temperature of the logits changes more."""
_NOISE = {"fp32": 1e-5, "bf16": 2e-2}
"""Nats: what the same additions may change beside another document; seeing it changes more."""
_LENGTHS = (7, 13)


class _Probes:
    """Random documents, as a store of samples."""

    def __init__(self, vocabulary: int, seed: int):
        generator = torch.Generator().manual_seed(seed)
        self._documents = [
            torch.randint(0, vocabulary, (n,), generator=generator).numpy() for n in (*_LENGTHS, _LENGTHS[0])
        ]

    def sample(self, index: int) -> Encoded:
        ids = self._documents[index]
        return Encoded(ids, ids >= 0)


def choose_ways(engine: Engine, world: World, console: Console, packing_wanted: bool | None) -> bool:
    """Turns off what this model cannot do; gives whether documents are packed, or raises ValueError where they must be.

    A document beside another must have the losses that it has beside a third one and alone, and losses made chunk by
    chunk must be those of the model's own logits.
    """
    if world.sequence_parallel > 1:  # one document is on all ranks at once: there is no plain way to compare with
        return True
    probes = _Probes(engine.learner.vocabulary, seed=0)
    engine.train(False)
    try:
        _check_head(engine, world, console, probes)
        packed = engine.learner.packed and _can_pack(engine, world, console, probes, packing_wanted)
    finally:
        engine.train()
    if engine.learner.packed and not packed:
        engine.learner.unpack()
    return packed


def _losses(engine: Engine, world: World, probes: _Probes, documents: list[int], packed: bool) -> torch.Tensor:
    """[targets]: all tokens of the documents but the first of each."""
    given = batch.make(probes, documents, packed=packed, pad_id=0, device=world.device)
    with torch.no_grad(), engine.learner.layout(given):
        return engine.losses(given)[1]


def _check_head(engine: Engine, world: World, console: Console, probes: _Probes) -> None:
    if not engine.learner.fused:
        return
    fast = _losses(engine, world, probes, [1], engine.learner.packed)
    engine.learner.fused = False
    plain = _losses(engine, world, probes, [1], engine.learner.packed)
    engine.learner.fused = _differ(fast, plain) <= _ROUNDING[engine.precision]
    if not engine.learner.fused:
        console.note(
            "this model changes its logits in a way that is not known here: they are made whole, which takes memory"
        )


def _can_pack(engine: Engine, world: World, console: Console, probes: _Probes, wanted: bool | None) -> bool:
    try:
        first, second = (_losses(engine, world, probes, [each, 1], True)[-(_LENGTHS[1] - 1) :] for each in (0, 2))
        alone = _losses(engine, world, probes, [1], True)
        seen = _differ(first, second) > _NOISE[engine.precision] or _differ(first, alone) > _ROUNDING[engine.precision]
        reason = "documents see each other in it" if seen else None
    except ValueError as error:
        reason = str(error)
    if reason is not None and wanted:
        raise ValueError(f"--packing: this model cannot ({reason}); leave the option out")
    if reason is not None:
        console.note(f"documents are not packed: {reason}")
    return reason is None


def _differ(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max())
