"""The user's own DeepSpeed configuration: used as it is, except for keys that options of the run determine."""

from __future__ import annotations

import json
from typing import Any

from libra_cli.exits import Exit, Fatal

OURS = {
    "train_batch_size": "--batch-size",
    "train_micro_batch_size_per_gpu": "--micro-tokens",
    "gradient_accumulation_steps": "--batch-size and --micro-tokens",
    "gradient_clipping": "--clip",
    "scheduler": "--schedule, --lr, --min-lr and --warmup",
}
"""Keys that must be left out or "auto", and the options that determine them."""
_NEUTRAL = {
    "activation_checkpointing", "aio", "autotuning", "checkpoint", "comet", "comms_logger", "csv_monitor", "dump_state",
    "flops_profiler", "memory_breakdown", "nebula", "steps_per_print", "tensorboard", "wall_clock_breakdown", "wandb",
    "zero_allow_untested_optimizer", "zero_force_ds_cpu_optimizer", "zero_optimization",
}  # fmt: skip
"""Keys that say where and how fast something is computed, or what is reported of it, not what comes out."""
_GIVEN = {"eps": "epsilon", "weight_decay": "weight_decay"}


def read(path: str | None) -> dict[str, Any]:
    """The keys of the file, without those set to "auto". Raises Fatal(2) if the file cannot be used."""
    if path is None:
        return {}
    try:
        with open(path, encoding="utf-8-sig") as file:
            given = json.load(file)
    except OSError as error:
        raise Fatal(Exit.USAGE, f"--deepspeed {path}: cannot be read ({error.strerror}); check the name") from None
    except ValueError as error:
        raise Fatal(Exit.USAGE, f"--deepspeed {path}: not JSON ({error})") from None
    if not isinstance(given, dict):
        raise Fatal(Exit.USAGE, f"--deepspeed {path}: write one JSON object")
    if '"auto"' in json.dumps(given.get("scheduler")):  # with any "auto", our schedule replaces it as a whole
        del given["scheduler"]
    own: dict[str, Any] = _without_auto(given)
    for key in OURS:
        if key in own:
            raise Fatal(Exit.USAGE, f"--deepspeed {path}: {key} cannot be set here; leave it out, use {OURS[key]}")
    if "lr" in own.get("optimizer", {}).get("params", {}):
        raise Fatal(Exit.USAGE, f"--deepspeed {path}: the optimizer's lr cannot be set here; leave it out, use --lr")
    if own.pop("fp16", {}).get("enabled"):
        raise Fatal(Exit.USAGE, f"--deepspeed {path}: fp16 is not supported; use --dtype bf16 or fp32")
    if "zero_optimization" in own:
        own["zero_optimization"].setdefault("stage", 0)
    return own


def _without_auto(value: Any) -> Any:
    """The entries with a value, at any depth."""
    if not isinstance(value, dict):
        return value
    return {key: _without_auto(inner) for key, inner in value.items() if inner != "auto"}


def fill_optimizer(own: dict[str, Any], options: dict[str, Any]) -> None:
    """Fills in what the file's optimizer leaves open, from options by their names."""
    if "optimizer" in own:
        params = own["optimizer"].setdefault("params", {})
        params["lr"] = options["lr"]
        if "adam" in str(own["optimizer"].get("type", "")).lower():  # others have other parameters
            for name in _GIVEN:
                params.setdefault(name, options[_GIVEN[name]])
            params.setdefault("betas", [options["beta1"], options["beta2"]])


def shaping(path: str | None) -> dict[str, Any]:
    """What of the file determines the weights, so that a run can be continued only with the same. Raises Fatal(2)."""
    own = read(path)
    known = {name: value for name, value in own.items() if name not in _NEUTRAL}
    if bf16 := {name: value for name, value in known.pop("bf16", {}).items() if name != "enabled"}:  # as --dtype says
        known["bf16"] = bf16
    zero = own.get("zero_optimization", {})
    if quantized := {name: value for name, value in zero.items() if name.startswith("zero_quantized")}:
        known["zero_optimization"] = quantized
    return known
