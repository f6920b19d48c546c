"""Reward modelling: what `libra train-rm` adds to a training run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libra_cli.exits import Exit
from libra_cli.training import run as training_run
from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.data.packing import SampleOrder
from libra_cli.training.data.preferences import PreferenceStore
from libra_cli.training.data.prepare import Preparation, Prepared, TrainingData
from libra_cli.training.data.scored import RewardEncoder
from libra_cli.training.data.sources import Annotations, StepBatch, StepSource
from libra_cli.training.data.token_store import TokenStore
from libra_cli.training.model.policy import REWARD_MODEL
from libra_cli.training.objectives.base import Objective
from libra_cli.training.objectives.reward import RewardObjective
from libra_cli.training.preference_settings import RewardSettings
from libra_cli.training.run import SourceParts


class RewardMethod:
    """Pairs or labelled responses; a step learns from the scores of their last tokens."""

    stage = "train-rm"
    metric = "loss"
    higher_is_better = False
    model_kind = REWARD_MODEL

    def __init__(self, settings: RewardSettings):
        self._settings = settings
        self.objective: Objective = RewardObjective(settings.loss)

    def encoder(self, chat: TrainingChat) -> RewardEncoder:
        """Whole conversations, scored at their end."""
        return RewardEncoder(chat, self._settings.loss.on_pairs)

    def prepare(self, preparation: Preparation) -> Prepared:
        """The samples of pairs, or of labelled responses."""
        prepared = preparation.samples(self.encoder(preparation.chat))
        train, held_out = self._store(prepared.train), prepared.held_out
        if held_out is None:
            return prepared._replace(train=train)
        measured = self._store(held_out)
        evaluation = unit_batch(measured, range(measured.n_units))
        return prepared._replace(train=train, held_out=measured, evaluation=evaluation)

    def _store(self, data: TrainingData) -> PreferenceStore:
        assert isinstance(data, TokenStore)
        return PreferenceStore(data.folder, self._settings.loss.on_pairs)

    def source(self, parts: SourceParts) -> StepSource:
        """Each pair or labelled response once per epoch."""
        assert isinstance(parts.data, PreferenceStore)
        batch = self._settings.batch
        order = SampleOrder(parts.data.n_units, batch.batch_size, batch.epochs, batch.seed, batch.shuffle)
        return UnitSource(parts.data, order)


def unit_batch(store: PreferenceStore, numbers: Sequence[int]) -> StepBatch:
    """Units of the same weight, with their labels or margins."""
    units = [store.unit(number) for number in numbers]
    indices = [index for unit in units for index in unit]
    values = {} if store.values is None else {index: float(store.values[index]) for index in indices}
    weight: dict[int, Any] = dict.fromkeys(indices, 1 / len(units))
    if store.unit_size == 2:
        return StepBatch(store, units, Annotations(weight, baseline=values))
    return StepBatch(store, units, Annotations(weight, label=values))


class UnitSource:
    """Pairs or labelled responses in the order of epochs; the loss of a step is the mean over them."""

    def __init__(self, store: PreferenceStore, order: SampleOrder):
        self._store, self._order = store, order
        self.batch_size, self.steps = order.batch_size, order.steps

    def batch(self, step: int) -> StepBatch:
        return unit_batch(self._store, self._order.batch(step))

    def epoch(self, step: int) -> float:
        order = self._order
        return min(step * order.batch_size, order.total) / order.samples

    def state(self) -> dict[str, Any]:
        return {}

    def resume(self, step: int, state: Any) -> None:
        """Does nothing: the step alone determines the batch."""


def run(settings: RewardSettings, records: int | None = None) -> Exit:
    """Trains on this rank; see `training.run.run`."""
    return training_run.run(settings, RewardMethod(settings), records)
