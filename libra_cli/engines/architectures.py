"""What a model is by its config.json and the names of its weights: one that writes, one that scores, or another."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from libra_cli.engines.base import LocalModel
from libra_cli.exits import Exit, Fatal

_SCALAR = re.compile(r"ForSequenceClassification|Regression|Reward")
"""In the name of a reward model's class; outside the transformers library the name carries the purpose."""
_OTHER_PURPOSE = re.compile(
    r"For\w*(Classification|QuestionAnswering|MaskedLM|MultipleChoice|NextSentencePrediction|PreTraining|Retrieval|CTC)"
)
"""In the name of a class whose head does not write the next token."""
_HEAD_FILES = ("value_head.safetensors", "value_head.bin")
"""Beside a model: the head that other trainers of reward models save in a file of its own."""
_HEAD_WEIGHTS = re.compile(r"(v_head|value_head|reward_head|regression_head|score)\.")
"""Begins the names of a reward head's weights."""
_LONGEST_HEADER = 100_000_000
"""Bytes of a safetensors file's header, by its format."""


def has_head(config: Mapping[str, Any]) -> bool:
    """Whether a config.json names the class of a reward model."""
    return any(_SCALAR.search(str(name)) for name in config.get("architectures") or [])


def config_of(model: str, revision: str | None) -> Mapping[str, Any]:
    """The config.json of a model; {} if its directory has none (the engine will report that).

    Raises Fatal if it cannot be read, or if no hub has such a model.
    """
    path = os.path.join(os.path.expanduser(model), "config.json")
    if not os.path.isdir(os.path.dirname(path)):
        try:
            from transformers import PretrainedConfig
        except ImportError:
            return {}  # the engine reports what is missing
        from libra_cli.engines.chat_template import cannot_load, silence_libraries

        silence_libraries()
        try:
            return dict(PretrainedConfig.get_config_dict(model, revision=revision)[0])
        except (OSError, ValueError) as error:
            raise cannot_load(LocalModel(model, model), error) from None
    try:
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Fatal(Exit.USAGE, f"{path}: cannot be read ({error}); is the model whole?") from None
    return config if isinstance(config, dict) else {}


def cannot_write(config: Mapping[str, Any]) -> str | None:
    """Why a model with this config.json is no causal language model; None if it may be one.

    The transformers library would load such a model as one all the same: without its own head, and with another that is
    random, or that is the embedding. A class whose name says no purpose may be one, and so may a config without any.
    """
    names = [str(name) for name in config.get("architectures") or []]
    listed = ", ".join(names)
    if has_head(config):
        return f"its config.json names {listed}, a reward model, which gives a number and writes no text"
    if config.get("is_encoder_decoder") and not any("ForCausalLM" in name for name in names):
        return f"its config.json describes an encoder-decoder ({listed or 'of no class'})"
    if names and all(_OTHER_PURPOSE.search(name) for name in names):
        return f"its config.json names {listed}, which writes no text"
    return None


def unread_head(path: str, config: Mapping[str, Any]) -> str | None:
    """Which reward head in the folder of a model its class does not read, and the cure; None if none is seen.

    The head would be left out without a word. Reads names only; a class that comes with the model may read any.
    """
    folder = os.path.expanduser(path)
    names, scores = map(str, config.get("architectures") or []), has_head(config)
    if config.get("auto_map") or any("Reward" in name for name in names) or not os.path.isdir(folder):
        return None
    held = _weight_names(folder)
    if scores and (not held or any(name.startswith(("score.", "classifier.")) for name in held)):
        return None
    files = [name for name in _HEAD_FILES if os.path.exists(os.path.join(folder, name))]
    weights = [name for name in held if _HEAD_WEIGHTS.match(name)]
    if not files and not weights:
        return None
    what = f"the file {files[0]} holds" if files else f"the weight {max(weights)} is"
    cure = "save it as score.weight of a model whose class ends in ForSequenceClassification"
    cure += "" if scores else ", or remove it to use the model as one that writes"
    return f"{what} a reward head that libra does not read; {cure}"


def _weight_names(folder: str) -> set[str]:
    """The names of a model's weights, by its index or the header of its one file; empty if neither can be read."""
    try:
        with open(os.path.join(folder, "model.safetensors.index.json"), "rb") as file:
            return set(json.load(file)["weight_map"])
    except FileNotFoundError:
        pass
    except (OSError, ValueError, LookupError, TypeError):
        return set()  # the engine reports the damage
    try:
        with open(os.path.join(folder, "model.safetensors"), "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            return set(json.loads(file.read(min(length, _LONGEST_HEADER))))
    except (OSError, ValueError, TypeError):
        return set()


def check_writes(model: LocalModel, cure: str | None = None) -> None:
    """Raises Fatal(2), before any weights are read, for a model that is certainly no causal language model."""
    config = config_of(model.path, model.revision)
    if (reason := cannot_write(config)) is None:
        if unread := unread_head(model.path, config):
            raise Fatal(Exit.USAGE, f"{model.name}: {unread}")
        return
    if cure is None:
        other = "libra judge asks it (without --generative), other stages need a causal language model"
        cure = other if has_head(config) else "name a causal language model"
    raise Fatal(Exit.USAGE, f"{model.name}: {reason}; {cure}")


def drops_head(config: Mapping[str, Any]) -> str | None:
    """Why a new head with one output would take the place of a head that the model has; None if it need not."""
    names = [str(name) for name in config.get("architectures") or []]
    if not names or any("ForSequenceClassification" in name for name in names):
        return None
    if all(_SCALAR.search(name) or _OTHER_PURPOSE.search(name) for name in names):
        return f"its config.json names {', '.join(names)}, whose own head would be lost"
    return None
