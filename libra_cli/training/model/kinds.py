"""Which models a trainer can begin with; needs no torch, so that the command refuses others at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libra_cli.engines.architectures import cannot_write, drops_head, has_head, unread_head
from libra_cli.exits import Exit, Fatal
from libra_cli.training.settings import TrainSettings

_TO_WRITE = "name a causal language model"
_MADE_OF = "name the language model that it was made of (libra train-rm trains it further, libra judge asks it)"
_TO_SCORE = "begin with a language model, or with a reward model whose class ends in ForSequenceClassification"


def refuse_other_kind(settings: TrainSettings, option: str, config: Mapping[str, Any]) -> None:
    """Raises Fatal(2) for a model of `option` (--model or --reference) whose head would be dropped without a word.

    `config`: the content of its config.json. Weights that --from-scratch leaves unread may have any head.
    """
    if option == "--model" and settings.model.from_scratch:
        return
    model, scores = settings.models[option], option == "--model" and settings.trains_scores
    unread = unread_head(model, config) if scores or cannot_write(config) is None else None
    if unread is not None:
        raise Fatal(Exit.USAGE, f"{option} {model}: {unread}")
    if scores:
        reason, cure = drops_head(config), _TO_SCORE
    else:
        reason, cure = cannot_write(config), _MADE_OF if has_head(config) else _TO_WRITE
    if reason is not None:
        raise Fatal(Exit.USAGE, f"{option} {model}: {reason}; {cure}")
