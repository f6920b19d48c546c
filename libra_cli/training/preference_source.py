"""Batches of preference learning: pairs or labelled responses by epochs, with what their loss compares them with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from libra_cli.choices import LABELLED_LOSSES
from libra_cli.exits import Exit, Fatal
from libra_cli.stream.rows import content_hash
from libra_cli.training.data.packing import SampleOrder
from libra_cli.training.data.preferences import OtherResponses, PreferenceStore
from libra_cli.training.data.sources import Annotations, Samples, SourceStopped, StepBatch
from libra_cli.training.log_probs import LogProbModel, measured_log_probs
from libra_cli.training.model import policy
from libra_cli.training.model.kinds import refuse_other_kind
from libra_cli.training.model.reference import AdapterReference, FrozenReference
from libra_cli.training.preference_settings import PreferenceSettings
from libra_cli.training.reference_log_probs import HELD_OUT, HELD_OUT_OTHERS, OTHERS, TRAIN, ReferenceLogProbs
from libra_cli.training.run import SourceParts
from libra_cli.training.run_dir import SAMPLES, model_stamps

_KTO, _BCO, _ = LABELLED_LOSSES


class PreferenceSource:
    """Each pair, or labelled response, once per epoch; the loss of a step is the mean over them.

    Log-probabilities under the reference are computed before the first step and kept with the samples of the run.
    """

    def __init__(self, parts: SourceParts, held_out: PreferenceStore | None):
        settings = cast(PreferenceSettings, parts.settings)
        self._parts, self._settings, self._loss = parts, settings, settings.loss
        self._store, self._held_out = cast(PreferenceStore, parts.data), held_out
        batch = settings.batch
        self._order = SampleOrder(self._store.n_units, batch.batch_size, batch.epochs, batch.seed, batch.shuffle)
        self.batch_size, self.steps = self._order.batch_size, self._order.steps
        self._moments: dict[int, tuple[float, int]] = {0: (0.0, 0)}
        """Step -> sum and number of all rewards before it: of BCO, the last two steps."""
        self._measure_reference()

    # -- the reference ------------------------------------------------------------------------------------------------

    def _measure_reference(self) -> None:
        """Log-probabilities under the reference of all samples that any step or evaluation needs."""
        parts, settings = self._parts, self._settings
        reference = ReferenceLogProbs(parts, parts.folder / SAMPLES / "reference", self._fingerprint(), self._reference)
        self._ref_logp = _PerSample(self._store, reference.of(TRAIN, self._store, self._store.digest))
        if self._held_out is not None:
            values = reference.of(HELD_OUT, self._held_out, self._held_out.digest)
            self._held_out_ref_logp = _PerSample(self._held_out, values)
        if self._loss.loss == _KTO:
            steps = min(self.steps, settings.batch.max_steps or self.steps)
            batches = [self._indices(step) for step in range(steps)]
            longest = settings.batch.max_length
            self._others = OtherResponses(self._store, batches, longest)
            digest = content_hash([self._store.digest, batches, longest, OtherResponses.RULE], 64)
            self._others_ref_logp = reference.of(OTHERS, self._others, digest, "sums")
            if self._held_out is not None:
                everything = [list(range(len(self._held_out)))]
                self._held_out_others = OtherResponses(self._held_out, everything, longest)
                digest = content_hash([self._held_out.digest, longest, OtherResponses.RULE], 64)
                self._held_out_others_ref_logp = reference.of(HELD_OUT_OTHERS, self._held_out_others, digest, "sums")
        reference.release()

    def _fingerprint(self) -> dict[str, Any]:
        """Identifies the weights of the reference."""
        model, name = self._settings.model, self._settings.reference or self._settings.model.model
        begun = {} if self._settings.reference else {"from_scratch": model.from_scratch, "seed": model.seed}
        commit = None if self._settings.reference else getattr(self._parts.model.config, "_commit_hash", None)
        files = model_stamps(policy.path_of(name))
        return {
            "model": name,
            "revision": model.revision,
            "commit": commit,
            "files": files,
            "dtype": model.dtype,
            **begun,
        }

    def _reference(self) -> LogProbModel | None:
        """The reference on all ranks: the starting weights (without adapters), or the model that --reference names."""
        parts, name = self._parts, self._settings.reference
        if name is None:
            return AdapterReference(parts.model.engine) if self._settings.model.lora_rank is not None else None
        settings = replace(self._settings.model, model=name, revision=None, from_scratch=False, lora_rank=None)

        def read_config() -> Any:
            config = policy.load_config(settings)
            refuse_other_kind(self._settings, "--reference", config.to_dict())
            largest, known = self._store.largest_id, config.get_text_config().vocab_size
            if largest >= known:
                what = f"a sample has the token {largest}, and this model knows {known}"
                raise Fatal(Exit.USAGE, f"--reference {name}: {what}; use one with the tokenizer of --model")
            return config

        config = parts.world.on_all_ranks(read_config)
        return FrozenReference(settings, config, parts.model.engine, parts.world, 1.0)

    # -- steps --------------------------------------------------------------------------------------------------------

    def _indices(self, step: int) -> list[int]:
        """Samples of the batch of `step`, unit by unit."""
        return [index for number in self._order.batch(step) for index in self._store.unit(number)]

    def batch(self, step: int) -> StepBatch:
        units = [self._store.unit(number) for number in self._order.batch(step)]
        batch = self._unit_batch(self._store, units, self._ref_logp)
        if self._loss.loss == _KTO:
            baseline = self._divergence(self._others, self._others.of_batch(step), self._others_ref_logp)
        elif self._loss.loss == _BCO:
            baseline = self._shift(step, batch)
        else:
            return batch
        return _with_baseline(batch, baseline)

    def evaluation(self) -> StepBatch:
        """All held-out pairs or responses; a collective, which may run the model."""
        held_out = self._held_out
        assert held_out is not None
        units = [held_out.unit(number) for number in range(held_out.n_units)]
        batch = self._unit_batch(held_out, units, self._held_out_ref_logp)
        if self._loss.loss == _KTO:
            others = self._held_out_others
            return _with_baseline(batch, self._divergence(others, range(len(others)), self._held_out_others_ref_logp))
        if self._loss.loss == _BCO:
            total, n = self._moments[max(self._moments)]
            return _with_baseline(batch, total / n if n else 0.0)
        return batch

    def _unit_batch(self, store: PreferenceStore, units: Sequence[Sequence[int]], ref_logp: _PerSample) -> StepBatch:
        """Units of the same weight, with what is known of their samples."""
        indices = [index for unit in units for index in unit]
        label = None if store.values is None else {index: float(store.values[index]) for index in indices}
        weight = dict.fromkeys(indices, 1 / len(units))
        known = Annotations(weight, ref_logp={index: ref_logp[index] for index in indices}, label=label)
        return StepBatch(store, units, known)

    def _divergence(self, others: OtherResponses, indices: range, ref_logp: np.ndarray) -> float:
        """KTO's k as a reward: beta max(0, mean of s over responses to other prompts); 0 if there are none."""
        if not len(indices):
            return 0.0
        found = self._log_probs(others, indices)
        ratios = [found[index].sum(dtype=np.float64) - ref_logp[index] for index in indices]
        return self._loss.beta * max(0.0, float(np.mean(ratios)))

    def _shift(self, step: int, batch: StepBatch) -> float:
        """BCO's shift: the mean reward of all responses so far, those of this step included."""
        found = self._log_probs(batch.samples, batch.indices)
        rewards = [
            self._loss.beta * (found[index] - self._ref_logp[index]).sum(dtype=np.float64) for index in batch.indices
        ]
        total, n = self._moments[step]
        after = total + float(np.sum(rewards)), n + len(rewards)
        self._moments = {step: (total, n), step + 1: after}
        return after[0] / after[1]

    def _log_probs(self, samples: Samples, indices: Sequence[int]) -> dict[int, np.ndarray]:
        """Log-probabilities under the model as it is now. Raises SourceStopped on all ranks."""
        parts = self._parts
        batch = StepBatch(samples, [(index,) for index in indices], Annotations(dict.fromkeys(indices, 0.0)))
        return measured_log_probs(
            parts.model.engine, parts.model.batches, batch, parts.world, stop_if_asked=self._stop_if_asked
        )

    def _stop_if_asked(self) -> None:
        if self._parts.world.all_max([float(self._parts.stop.status or 0)])[0]:
            raise SourceStopped

    def epoch(self, step: int) -> float:
        order = self._order
        return min(step * order.batch_size, order.total) / order.samples

    def state(self) -> dict[str, Any]:
        if self._loss.loss != _BCO:
            return {}
        return {"moments": {str(step): list(moments) for step, moments in self._moments.items()}}

    def resume(self, step: int, state: Mapping[str, Any]) -> None:
        """Continues BCO's mean with the rewards before `step`."""
        if "moments" in state:
            total, n = state["moments"][str(step)]
            self._moments = {step: (float(total), int(n))}


class _PerSample:
    """Values of all targets of a store, by sample."""

    def __init__(self, samples: Samples, values: np.ndarray):
        self._values, self._ends = values, np.concatenate([[0], np.cumsum(samples.n_targets)])

    def __getitem__(self, index: int) -> np.ndarray:
        return np.asarray(self._values[self._ends[index] : self._ends[index + 1]])


def _with_baseline(batch: StepBatch, baseline: float) -> StepBatch:
    return replace(batch, annotations=replace(batch.annotations, baseline=dict.fromkeys(batch.indices, baseline)))
