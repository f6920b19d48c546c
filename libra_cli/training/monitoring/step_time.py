"""Predicts how long a rollout and its training take, from the arithmetic, the bytes and the calls that they need.

Sampling reads all weights for every token of the running sequences, or computes, whichever takes longer, and their keys
and values likewise (Pope et al. 2022, Efficiently Scaling Transformer Inference). Learning is arithmetic, the bytes
that the optimizer touches, and those that devices send one another, as if nothing else went on meanwhile.
`benchmarks/step_time` checks on a CPU how the seconds of each phase follow from shapes, lengths and devices. What a
device reaches of its published peaks is another matter: for GPUs that is assumed, until `calibration` takes it from a
run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from libra_cli.training.monitoring.flops import ModelShape

DEVICES_OF_A_NODE = 8
OPTIMIZER_BYTES = 40
"""Of memory that an update reads and writes for each weight: gradient, fp32 weight and two moments, clipping."""
LOGIT_PASSES = 6
"""Over the float32 logits of a token, to draw from them and to report its log-probability."""
_QUANTILES = 32
PHASES = ("sync", "sample", "log_probs", "train")
"""Of a rollout with its steps, as events name their seconds; grading is not predicted, nor is a judge."""


@dataclass(frozen=True)
class Accelerator:
    """One device, by its published figures."""

    name: str
    flops: float
    """Operations a second in the dtype of training, dense."""
    bandwidth: float
    """Bytes a second of its memory."""
    memory: float
    """Bytes."""
    link: float
    """Bytes a second to another device of its node."""
    network: float
    """Bytes a second to a device of another node."""


H100 = Accelerator("H100 80 GB", 989e12, 3.35e12, 80e9, link=450e9, network=50e9)


@dataclass(frozen=True)
class Efficiency:
    """What software makes of a device: shares of its peaks, and seconds that it takes beside the device's work."""

    training: float = 0.35
    """Of the arithmetic, in a forward or backward pass."""
    prefill: float = 0.5
    """Of the arithmetic, where prompts are read or tokens sampled."""
    bandwidth: float = 0.6
    link: float = 0.6
    token_step: float = 0.005
    """Seconds for a token of all running sequences."""
    token_step_layer: float = 0.0
    """The same for each layer."""
    token: float = 0.0
    """Seconds for the token of one sequence."""
    micro_batch: float = 0.01
    """Seconds for a forward and a backward pass; a third of it for a forward pass alone."""
    micro_batch_layer: float = 5e-4
    """The same for each layer."""
    hand_over_layer: float = 0.002
    """Seconds in which the weights of a layer are handed over, whatever their size."""
    overlap: bool = True
    """A device reads the weights of a product while it computes: it takes the longer time, not the sum."""
    factors: Mapping[str, float] = field(default_factory=dict)
    """Measured over predicted seconds of a phase, where a run was measured."""


ASSUMED = Efficiency()
"""Of vLLM and DeepSpeed on a GPU: round figures that nobody has checked on one."""


@dataclass(frozen=True)
class RolloutWork:
    """What one rollout asks for."""

    prompts: int
    samples: int
    """Responses to each prompt."""
    prompt_tokens: float
    """Mean length of a prompt."""
    mean_tokens: float
    longest: float
    """Of a response, at most."""
    updates: int
    """Steps that learn from it."""
    micro_tokens: int
    """Of a forward pass, on each device."""
    zero: int
    """ZeRO stage."""
    log_prob_passes: int
    """Forward passes before the steps: of the reference, and of the trainer if ratios start from its own."""
    recompute: bool
    """Activation checkpointing."""
    frozen: bool
    """Only adapters are trained."""
    bytes: int = 2
    """Of a weight in training."""

    @property
    def responses(self) -> int:
        return self.prompts * self.samples

    @property
    def lengths(self) -> list[float]:
        """Evenly spaced quantiles of the lengths of responses, M q^k with M the longest.

        k fits the mean: 0 for equal lengths, 1 for lengths that spread evenly up to the longest, more for a long tail.
        """
        power = self.longest / self.mean_tokens - 1
        found = [self.longest * ((i + 0.5) / _QUANTILES) ** power for i in range(_QUANTILES)]
        scale = self.mean_tokens / (sum(found) / _QUANTILES)
        return [scale * length for length in found]


@dataclass(frozen=True)
class SamplerPlan:
    """How a model is held for sampling: over `tensor_parallel` devices, with `share` of their memory."""

    tensor_parallel: int
    share: float
    bytes: int = 2
    """Of a weight, and of an element of the cache."""
    at_once: int | None = None
    """Sequences that an engine runs at once, where not its memory says so."""
    has_copy: bool = True
    """It needs the weights handed over; without, it samples with the trained module itself."""


def kv_bytes(config: Any, bytes_each: int = 2) -> int:
    """Bytes of the keys and values of one token in all layers."""
    text = config.get_text_config()
    heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    return int(2 * text.num_hidden_layers * heads * size * bytes_each)


def cache_tokens(shape: ModelShape, kv: int, plan: SamplerPlan, device: Accelerator) -> int:
    """Tokens whose keys and values fit beside the weights of one engine; 0 if not even the weights do."""
    room = plan.share * device.memory * plan.tensor_parallel - shape.parameters * plan.bytes
    return max(0, int(room / kv))


@dataclass(frozen=True)
class StepTime:
    """Predicts the phases of a rollout of `work` by a model of `shape` on devices of one kind.

    kv: bytes of the keys and values of one token (`kv_bytes`).
    """

    shape: ModelShape
    kv: int
    work: RolloutWork
    plan: SamplerPlan
    device: Accelerator = H100
    efficiency: Efficiency = ASSUMED

    def predict(self, devices: int) -> dict[str, float] | None:
        """Seconds of each of PHASES, and their sum as `rollout`; None if no engine can hold a sequence."""
        if devices < self.plan.tensor_parallel or self._running(devices) < 1:
            return None
        seconds = {
            "sync": self._sync(devices),
            "sample": self._sample(devices),
            "log_probs": self._log_probs(devices),
            "train": self._train(devices),
        }
        phases = {phase: seconds[phase] * self.efficiency.factors.get(phase, 1.0) for phase in PHASES}
        return {**phases, "rollout": sum(phases.values())}

    def table(self, devices: Sequence[int]) -> dict[str, dict[str, float] | None]:
        """`predict` for several numbers of devices; seconds to three digits."""
        predicted = {str(n): self.predict(n) for n in devices}
        return {
            n: phases and {name: float(f"{seconds:.3g}") for name, seconds in phases.items()}
            for n, phases in predicted.items()
        }

    # -- sampling -----------------------------------------------------------------------------------------------------

    def _engine_responses(self, devices: int) -> float:
        """Responses of one engine; prompts are shared out whole."""
        engines = max(1, devices // self.plan.tensor_parallel)
        return -(-self.work.prompts // engines) * self.work.samples

    def _running(self, devices: int) -> int:
        """Sequences that an engine runs at once."""
        sequence = self.work.prompt_tokens + self.work.mean_tokens
        room = int(cache_tokens(self.shape, self.kv, self.plan, self.device) / sequence)
        return int(min(self._engine_responses(devices), room, self.plan.at_once or room))

    def _token_step(self, sequences: float, context: float) -> float:
        """Seconds for the next token of `sequences` that are `context` tokens long on average."""
        shape, plan, efficiency, device = self.shape, self.plan, self.efficiency, self.device
        bandwidth = efficiency.bandwidth * device.bandwidth * plan.tensor_parallel
        compute = efficiency.prefill * device.flops * plan.tensor_parallel
        together = max if efficiency.overlap else lambda *seconds: sum(seconds)
        weights = 2 * (shape.layer_weights + shape.head_weights) * sequences
        attended = sum(2 * (layer.query_width + layer.value_width) for layer in shape.attention) * context * sequences
        products = together(shape.parameters * plan.bytes / bandwidth, weights / compute)
        attention = together(sequences * context * self.kv / bandwidth, attended / compute)
        logits = sequences * shape.vocabulary * 4 * LOGIT_PASSES / bandwidth
        calls = efficiency.token_step + efficiency.token_step_layer * len(shape.attention)
        return products + attention + logits + calls + efficiency.token * sequences

    def _sample(self, devices: int) -> float:
        work, lengths = self.work, self.work.lengths
        responses, running = self._engine_responses(devices), self._running(devices)
        # While sequences wait, a finished one makes room for the next; the longest of the last ones ends alone.
        steps = work.longest + (responses - running) * work.mean_tokens / running
        mean_running = responses * work.mean_tokens / steps
        context = work.prompt_tokens + sum(length**2 for length in lengths) / (2 * sum(lengths))
        prompts = responses / work.samples  # responses to one prompt share its keys and values
        compute = self.efficiency.prefill * self.device.flops * self.plan.tensor_parallel
        prefill = prompts * self.shape.forward([round(work.prompt_tokens)]) / compute
        return steps * self._token_step(mean_running, context) + prefill

    def _sync(self, devices: int) -> float:
        """An engine reads all weights and writes its own; under ZeRO-3 they are gathered first."""
        if not self.plan.has_copy:
            return 0.0
        weights = self.shape.parameters * self.work.bytes
        copied = 2 * weights / self.plan.tensor_parallel / (self.efficiency.bandwidth * self.device.bandwidth)
        calls = self.efficiency.hand_over_layer * len(self.shape.attention)
        return copied + calls + (self._transfer(weights, devices) if self.work.zero == 3 else 0.0)

    # -- learning -----------------------------------------------------------------------------------------------------

    def _transfer(self, n_bytes: float, devices: int) -> float:
        """Seconds in which all devices gather, or reduce and scatter, so many bytes, without anything beside it."""
        if devices == 1:
            return 0.0
        rate = self.device.link if devices <= DEVICES_OF_A_NODE else self.device.network
        return n_bytes * (devices - 1) / devices / (self.efficiency.link * rate)

    def _passes(self, devices: int) -> float:
        """Micro-batches of each device in one update."""
        work = self.work
        tokens = work.responses * (work.prompt_tokens + work.mean_tokens) / work.updates
        return float(-(-tokens // (devices * work.micro_tokens)))

    def _sequences(self) -> list[int]:
        """Lengths of prompts with their responses."""
        return [round(self.work.prompt_tokens + length) for length in self.work.lengths]

    def _pass_calls(self) -> float:
        """Seconds that a forward and a backward pass take beside the device's work."""
        return self.efficiency.micro_batch + self.efficiency.micro_batch_layer * len(self.shape.attention)

    def _compute(self, devices: int) -> float:
        return self.efficiency.training * self.device.flops * devices

    def _log_probs(self, devices: int) -> float:
        """Forward passes over the whole rollout."""
        work = self.work
        if not work.log_prob_passes:
            return 0.0
        head = 2 * self.shape.head_weights * sum(work.lengths)
        operations = (self.shape.forward(self._sequences()) + head) * work.responses / _QUANTILES
        passes = work.updates * self._passes(devices)
        gathered = self.shape.parameters * work.bytes if work.zero == 3 else 0
        overhead = passes * (self._pass_calls() / 3 + self._transfer(gathered, devices))
        return work.log_prob_passes * (operations / self._compute(devices) + overhead)

    def _train(self, devices: int) -> float:
        """Forward and backward over the whole rollout, in which the head computes its logits twice, and the updates."""
        work, shape = self.work, self.shape
        targets = sum(work.lengths)
        needed = shape.training(self._sequences(), round(targets), recompute=work.recompute, frozen=work.frozen)
        operations = (needed.hardware + 2 * shape.head_weights * targets) * work.responses / _QUANTILES
        weights = 0 if work.frozen else shape.parameters  # adapters are small
        touched = OPTIMIZER_BYTES * weights / (devices if work.zero else 1)
        update = touched / (self.efficiency.bandwidth * self.device.bandwidth)
        update += 2 * self._transfer(weights * work.bytes, devices)  # gradients there, weights back
        passed = self._pass_calls()
        if work.zero == 3:  # weights are gathered for the forward pass and again for the backward pass
            passed += 2 * self._transfer(shape.parameters * work.bytes, devices)
        overhead = work.updates * (update + self._passes(devices) * passed)
        return operations / self._compute(devices) + overhead
