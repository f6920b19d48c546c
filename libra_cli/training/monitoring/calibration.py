"""Compares the seconds that a run of `libra grpo` took with those that `step_time` predicts for it, phase by phase."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.training.monitoring.flops import peak_bandwidth, peak_flops
from libra_cli.training.monitoring.run_events import Event, read_events
from libra_cli.training.monitoring.step_time import H100, PHASES, Accelerator, Efficiency, RolloutWork, StepTime
from libra_cli.training.own_folder import MANIFEST

CPU = Accelerator("CPU", flops=1e11, bandwidth=1.2e10, memory=8e9, link=1e9, network=1e9)
"""A core of a processor, in round figures."""
ON_CPU = Efficiency(
    training=0.7,
    prefill=0.7,
    bandwidth=1.0,
    token_step=2e-4,
    token_step_layer=2e-4,
    token=1e-5,
    micro_batch=5e-4,
    micro_batch_layer=7e-4,
    overlap=False,
)
"""Of transformers and DeepSpeed there, as `benchmarks/step_time` found it."""
_NEEDED = ("devices", "device", "device_gb", "sampler", "engines", "tokens", "length_mean", "length_max")
"""Fields of a rollout that say what was done, and on what; events of earlier versions lack the first."""
_SETTINGS = ("model", "revision", "samples", "kl", "old_log_probs", "lora_rank")
"""Those that determine how much work a rollout is, and of which model."""


@dataclass(frozen=True)
class MeasuredRollout:
    """One rollout of a run, with its steps."""

    devices: int
    """That train."""
    device: str
    device_gb: float
    sampler: str
    engines: int
    """That sample."""
    responses: int
    """Sampled."""
    mean_tokens: float
    longest: int
    learned_responses: int
    """With a forward pass: without KL, those of advantage 0 have none."""
    learned_tokens: float
    """Mean length of these."""
    prompt_tokens: float
    updates: int
    seconds: Mapping[str, float]
    """Of each of PHASES."""

    @property
    def accelerator(self) -> Accelerator:
        """By the published figures of the device; a GPU that is not known counts as an H100 with its own memory."""
        if self.device == "CPU":
            return replace(CPU, memory=self.device_gb * 1e9 / self.devices)
        flops, bandwidth = peak_flops(self.device), peak_bandwidth(self.device)
        known = {"flops": flops, "bandwidth": bandwidth} if flops and bandwidth else {}
        return replace(H100, name=self.device, memory=self.device_gb * 1e9, **known)

    def work(self, planned: RolloutWork, samples: int) -> RolloutWork:
        """What it sampled, as far as events say so, else what is planned; `samples`: responses to a prompt."""
        return replace(
            planned,
            prompts=max(1, round(self.responses / samples)),
            samples=samples,
            prompt_tokens=self.prompt_tokens,
            mean_tokens=self.mean_tokens,
            longest=self.longest,
            updates=self.updates,
        )

    def learned(self, work: RolloutWork) -> RolloutWork:
        """What its steps learned from, whatever was sampled."""
        longest = max(float(self.longest), self.learned_tokens)
        return replace(
            work, prompts=self.learned_responses, samples=1, mean_tokens=self.learned_tokens, longest=longest
        )


def measured_rollouts(run: str) -> list[MeasuredRollout]:
    """The whole rollouts of a run: of its folder, or of its standard output in a file.

    The first one is left out if there are more: it includes what an engine does once. Raises Fatal(2) if there is none.
    """
    latest: dict[tuple[str, int], Event] = {}
    for event in read_events(run):
        latest[event["event"], event["step"]] = event
    begins = sorted(step for kind, step in latest if kind == "rollout")
    if not begins:
        raise Fatal(Exit.USAGE, f"{run}: has no rollouts; name a run of libra grpo that took some steps")
    found: list[MeasuredRollout] = []
    for begin, end in zip(begins, [*begins[1:], None], strict=True):
        rollout = latest["rollout", begin]
        if missing := [name for name in _NEEDED if rollout.get(name) is None]:
            what = f"its rollouts do not say {', '.join(missing)}"
            raise Fatal(Exit.USAGE, f"{run}: {what}; take a run of this version of libra")
        steps = [event for (kind, step), event in sorted(latest.items(), key=lambda item: item[0][1])
                 if kind == "step" and begin < step and (end is None or step <= end)]  # fmt: skip
        if steps and "seconds_ahead" not in rollout:
            found.append(_measured(begin, rollout, steps))
    full = [each for each in found if each.updates == max(other.updates for other in found)]
    if not full:
        cure = "take one that samples in the training processes and finished a rollout"
        raise Fatal(Exit.USAGE, f"{run}: no rollout and its steps can be timed; {cure}")
    return full[1:] or full


def _measured(begin: int, rollout: Event, steps: Sequence[Event]) -> MeasuredRollout:
    in_first = sum(value for name, value in rollout.items() if name.startswith("seconds_"))
    learned = sum(step["samples"] for step in steps)
    targets, tokens = (sum(step[name] for step in steps) for name in ("learned", "tokens"))
    seconds = {phase: float(rollout.get(f"seconds_{phase}", 0.0)) for phase in PHASES}
    # The seconds of the first step include those of the rollout that was made for it.
    seconds["train"] = sum(step["seconds"] for step in steps) - (in_first if steps[0]["step"] == begin + 1 else 0.0)
    return MeasuredRollout(
        rollout["devices"],
        rollout["device"],
        rollout["device_gb"],
        rollout["sampler"],
        rollout["engines"],
        round(rollout["tokens"] / rollout["length_mean"]) if rollout["length_mean"] else 0,
        max(1.0, rollout["length_mean"]),
        max(1, rollout["length_max"]),
        learned,
        max(1.0, targets / learned),
        (tokens - targets) / learned,
        len(steps),
        seconds,
    )


Predict = Callable[[MeasuredRollout], StepTime]
"""What is predicted for a rollout that was measured, without any factor."""


def factors(rollouts: Sequence[MeasuredRollout], predict: Predict) -> dict[str, float]:
    """Measured over predicted seconds of each phase that took any: medians over the rollouts."""
    ratios: dict[str, list[float]] = {}
    for rollout in rollouts:
        step_time = predict(rollout)
        sampled = step_time.predict(rollout.devices)
        learned = replace(step_time, work=rollout.learned(step_time.work)).predict(rollout.devices)
        if sampled is None or learned is None:
            continue
        for phase in PHASES:
            expected = (learned if phase == "train" else sampled)[phase]
            if expected > 0 and rollout.seconds[phase] > 0:
                ratios.setdefault(phase, []).append(rollout.seconds[phase] / expected)
    return {phase: statistics.median(values) for phase, values in ratios.items()}


def settings_of(run: str) -> dict[str, Any]:
    """The settings of a run that predictions need, from its folder. Raises Fatal(2) if that has none."""
    path = Path(run, MANIFEST)
    try:
        manifest = json.loads(path.read_bytes())
        if manifest["stage"] != "grpo":
            raise ValueError
        return {name: manifest["config"][name] for name in _SETTINGS}
    except (OSError, ValueError, LookupError, TypeError):
        cure = "name the -o of a run of libra grpo"
        raise Fatal(Exit.USAGE, f"{run}: {MANIFEST} is not that of libra grpo; {cure}") from None
