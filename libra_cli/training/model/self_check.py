"""Before the first step: checks that packing and the chunked head give this model's own log-probabilities."""

from __future__ import annotations

from typing import Any

import torch

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.console import Console
from libra_cli.training.data.micro_batch import make_micro_batch
from libra_cli.training.data.tokenization import Encoded
from libra_cli.training.distributed.deepspeed_engine import TrainEngine
from libra_cli.training.distributed.world import World

_ROUNDING = {"fp32": 1e-3, "bf16": 0.1}
"""Nats by which another order of additions may change a result; another scale of the logits changes it more."""
_NOISE = {"fp32": 1e-5, "bf16": 2e-2}
"""Nats by which another neighbour in the row may change a result; attending to the neighbour changes it more."""
_LENGTHS = (7, 13)
_FAILURES = (ValueError, KeyError, TypeError, AttributeError, RuntimeError, NotImplementedError)
"""How models fail that do not support our attention."""


class CannotPack(Exception):
    """The model does not allow several documents in one row; the message says why."""


class _ProbeDocuments:
    """Random documents as samples: 0 and 2 are short neighbours, 1 is longer, 3 is 1 with another last token."""

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
    """How many tokens back attention sees (sliding windows, chunks); None: all of them."""
    text = config.get_text_config()
    kinds = getattr(text, "layer_types", None) or []
    windows = []
    if getattr(text, "use_sliding_window", True) and (not kinds or "sliding_attention" in kinds):
        windows.append(getattr(text, "sliding_window", None))
    if "chunked_attention" in kinds:
        windows.append(getattr(text, "attention_chunk_size", None))
    return min((window for window in windows if window), default=None)


def check_engine(engine: TrainEngine, world: World, console: Console) -> None:
    """Turns off the chunked head if it changes the log-probabilities of this model.

    A document must have the same log-probabilities next to either neighbour and alone, a later token must change
    nothing, and the chunked head must agree with the model's own logits. Raises CannotPack if packing is at fault, and
    Fatal if the model is not causal at all.
    """
    if world.sp_size > 1:  # one document is spread over all ranks: there is no plain forward pass to compare with
        return
    policy, noise, rounding = engine.policy, _NOISE[engine.precision], _ROUNDING[engine.precision]
    probes = _ProbeDocuments(policy.vocabulary)

    def log_probs(*documents: int) -> torch.Tensor:
        """All tokens of the documents but the first of each."""
        return engine.log_probs(
            make_micro_batch(probes, documents, packed=policy.packed, pad_id=0, device=world.device)
        )

    engine.train(False)
    try:
        if policy.packed:
            try:
                first, second = (log_probs(neighbour, 1)[-(_LENGTHS[1] - 1) :] for neighbour in (0, 2))
                alone = log_probs(1)
            except torch.cuda.OutOfMemoryError:  # says nothing about packing
                raise
            except _FAILURES as error:
                raise CannotPack(str(error) or type(error).__name__) from None
            if _difference(first, second) > noise or _difference(first, alone) > rounding:
                raise CannotPack("documents see each other in it")
        if _difference(log_probs(1)[:-1], log_probs(3)[:-1]) > noise:
            if policy.packed:
                raise CannotPack("tokens see later ones in it")
            raise Fatal(Exit.USAGE, "in this model tokens see later ones; it is no causal language model")
        if policy.chunked_head:
            chunked = log_probs(1)
            policy.chunked_head = False
            policy.chunked_head = _difference(chunked, log_probs(1)) <= rounding
            if not policy.chunked_head:
                what = "this model changes its logits in a way unknown here"
                console.note(f"{what}: they are computed for all tokens at once, which takes memory")
    finally:
        engine.train()


def _difference(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max())
