"""Before the first step: does the fast way give this model's losses? Else the plain one is taken."""

from __future__ import annotations

from typing import Any

import torch

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.console import Console
from libra_cli.training.data import micro_batch
from libra_cli.training.data.tokenization import Encoded
from libra_cli.training.distributed.deepspeed_engine import Engine
from libra_cli.training.distributed.world import World

_ROUNDING = {"fp32": 1e-3, "bf16": 0.1}
"""Nats: what another order of additions may change; another temperature of the logits changes more."""
_NOISE = {"fp32": 1e-5, "bf16": 2e-2}
"""Nats: what the same additions may change beside another document; seeing it changes more."""
_LENGTHS = (7, 13)
_FAILURES = (ValueError, KeyError, TypeError, AttributeError, RuntimeError, NotImplementedError)
"""How models fail whose attention is not a choice."""


class CannotPack(Exception):
    """Documents cannot stand in one row of this model; the text says why."""


class _Probes:
    """Random documents, as a store of samples: two short ones around a longer one, and that with another end."""

    def __init__(self, vocabulary: int):
        generator = torch.Generator().manual_seed(0)
        lengths = (_LENGTHS[0], _LENGTHS[1], _LENGTHS[0])
        self._documents = [torch.randint(0, vocabulary, (n,), generator=generator).numpy() for n in lengths]
        other = self._documents[1].copy()
        other[-1] = (other[-1] + 1) % vocabulary
        self._documents.append(other)

    def sample(self, index: int) -> Encoded:
        ids = self._documents[index]
        return Encoded(ids, ids >= 0)


def window_of(config: Any) -> int | None:
    """How far back attention sees where that is not everywhere (sliding windows, chunks), in tokens."""
    text = config.get_text_config()
    kinds = getattr(text, "layer_types", None) or []
    windows = []
    if getattr(text, "use_sliding_window", True) and (not kinds or "sliding_attention" in kinds):
        windows.append(getattr(text, "sliding_window", None))
    if "chunked_attention" in kinds:
        windows.append(getattr(text, "attention_chunk_size", None))
    return min((window for window in windows if window), default=None)


def check_ways(engine: Engine, world: World, console: Console) -> None:
    """Turns off a chunked loss that is not this model's; raises CannotPack, or Fatal where it cannot be trained at all.

    A document beside another must have the losses that it has beside a third one and alone; a later token must change
    nothing; and losses made chunk by chunk must be those of the model's own logits.
    """
    if world.sequence_parallel > 1:  # one document is on all ranks at once: there is no plain way to compare with
        return
    probes = _Probes(engine.learner.vocabulary)
    engine.train(False)
    try:
        if engine.learner.packed:
            _check_packing(engine, world, probes)
        _check_causality(engine, world, probes)
        if engine.learner.fused:
            _check_head(engine, world, console, probes)
    finally:
        engine.train()


def _losses(engine: Engine, world: World, probes: _Probes, *documents: int) -> torch.Tensor:
    """[targets]: all tokens of the documents but the first of each."""
    given = micro_batch.make(probes, documents, packed=engine.learner.packed, pad_id=0, device=world.device)
    with torch.no_grad(), engine.learner.layout(given):
        return engine.losses(given)[1]


def _check_packing(engine: Engine, world: World, probes: _Probes) -> None:
    try:
        first, second = (_losses(engine, world, probes, each, 1)[-(_LENGTHS[1] - 1) :] for each in (0, 2))
        alone = _losses(engine, world, probes, 1)
    except torch.cuda.OutOfMemoryError:  # of itself no sign of anything
        raise
    except _FAILURES as error:
        raise CannotPack(str(error) or type(error).__name__) from None
    if _differ(first, second) > _NOISE[engine.precision] or _differ(first, alone) > _ROUNDING[engine.precision]:
        raise CannotPack("documents see each other in it")


def _check_causality(engine: Engine, world: World, probes: _Probes) -> None:
    one, other = (_losses(engine, world, probes, each)[:-1] for each in (1, 3))
    if _differ(one, other) > _NOISE[engine.precision]:
        if engine.learner.packed:
            raise CannotPack("tokens see later ones in it")
        raise Fatal(Exit.USAGE, "in this model tokens see later ones; it is no causal language model")


def _check_head(engine: Engine, world: World, console: Console, probes: _Probes) -> None:
    fast = _losses(engine, world, probes, 1)
    engine.learner.fused = False
    plain = _losses(engine, world, probes, 1)
    engine.learner.fused = _differ(fast, plain) <= _ROUNDING[engine.precision]
    if not engine.learner.fused:
        console.note("this model changes its logits in a way unknown here: they are made whole, which takes memory")


def _differ(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max())
