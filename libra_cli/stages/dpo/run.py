"""Preference optimisation (paper, section 7): what `libra dpo` adds to a training run."""

from __future__ import annotations

from libra_cli.exits import Exit
from libra_cli.training import run as training_run
from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.data.preferences import PreferenceEncoder, PreferenceStore
from libra_cli.training.data.prepare import Preparation, Prepared, TrainingData
from libra_cli.training.data.sources import StepBatch, StepSource
from libra_cli.training.data.token_store import TokenStore
from libra_cli.training.model.policy import LANGUAGE_MODEL
from libra_cli.training.objectives.base import Objective
from libra_cli.training.objectives.preference import PreferenceObjective
from libra_cli.training.preference_settings import PreferenceSettings
from libra_cli.training.preference_source import PreferenceSource
from libra_cli.training.run import SourceParts


class PreferenceMethod:
    """Pairs or labelled responses; a step learns from the difference to the reference."""

    stage = "dpo"
    metric = "loss"
    higher_is_better = False
    model_kind = LANGUAGE_MODEL

    def __init__(self, settings: PreferenceSettings):
        self._settings = settings
        self._held_out: PreferenceStore | None = None
        self._source: PreferenceSource | None = None
        self.objective: Objective = PreferenceObjective(settings.loss)

    def encoder(self, chat: TrainingChat) -> PreferenceEncoder:
        """All that the assistant says after the prompt is learned from."""
        return PreferenceEncoder(chat, self._settings.loss, self._settings.data.assistant)

    def prepare(self, preparation: Preparation) -> Prepared:
        """The samples of pairs, or of labelled responses."""
        prepared = preparation.samples(self.encoder(preparation.chat))
        train, held_out = self._store(prepared.train), prepared.held_out
        self._held_out = None if held_out is None else self._store(held_out)
        evaluation = self._evaluation if self._held_out else None
        return prepared._replace(train=train, held_out=self._held_out, evaluation=evaluation)

    def _store(self, data: TrainingData) -> PreferenceStore:
        assert isinstance(data, TokenStore)
        return PreferenceStore(data.folder, self._settings.loss.on_pairs)

    def _evaluation(self) -> StepBatch:
        assert self._source is not None
        return self._source.evaluation()

    def source(self, parts: SourceParts) -> StepSource:
        """Each pair or labelled response once per epoch."""
        self._source = PreferenceSource(parts, self._held_out)
        return self._source


def run(settings: PreferenceSettings, records: int | None = None) -> Exit:
    """Trains on this rank; see `training.run.run`."""
    return training_run.run(settings, PreferenceMethod(settings), records)
