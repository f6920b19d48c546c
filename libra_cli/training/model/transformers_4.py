"""What readers on transformers 4 look for in a model's folder, which 5 writes under other names or not at all.

Many builds of vLLM and other trainers run on it. Without these names they take the default for the base of the rotary
embedding, silently, and cannot load the tokenizer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_IN_ROPE = ("rope_theta", "partial_rotary_factor")


def with_older_names(config: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
    """A config.json of transformers 5 with the names of 4 beside its own, in its parts too.

    `source` is that of the model from which training began. Its names are kept as they are, but for what
    `rope_parameters` says for all layers alike.
    """
    kept = {
        name: value
        for name, value in source.items()
        if name not in config and ("rope" in name or name in (*_IN_ROPE, "torch_dtype"))
    }
    parts = {
        name: with_older_names(part, source[name] if isinstance(source.get(name), dict) else {})
        for name, part in config.items()
        if isinstance(part, dict)
    }
    rope, said = config.get("rope_parameters"), dict[str, Any]()
    if isinstance(rope, dict) and not any(isinstance(value, dict) for value in rope.values()):
        said = {name: rope[name] for name in _IN_ROPE if name in rope}
        if rope.get("rope_type", "default") != "default" and not kept.get("rope_scaling"):
            said["rope_scaling"] = {name: value for name, value in rope.items() if name not in _IN_ROPE}
    return {**kept, **config, **parts, **said}


def with_older_tokenizer(config: Mapping[str, Any], input_names: list[str]) -> dict[str, Any]:
    """A tokenizer_config.json of transformers 5 in the names that 4 and 5 read; `input_names` are what it makes."""
    changed = dict(config)
    if isinstance(changed.get("extra_special_tokens"), list):
        changed["additional_special_tokens"] = changed.pop("extra_special_tokens")
    if changed.get("tokenizer_class") == "TokenizersBackend":
        changed["tokenizer_class"] = "PreTrainedTokenizerFast"
        changed.setdefault("model_input_names", input_names)
    return changed
