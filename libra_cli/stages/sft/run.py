"""Supervised fine-tuning (paper, section 4): what `libra sft` adds to a training run."""

from __future__ import annotations

from typing import cast

from libra_cli.exits import Exit
from libra_cli.training import run as training_run
from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.data.packing import SampleOrder
from libra_cli.training.data.prepare import Preparation, Prepared
from libra_cli.training.data.sources import EpochSource, StepSource
from libra_cli.training.data.token_store import TokenStore
from libra_cli.training.data.tokenization import Encoder
from libra_cli.training.model.policy import LANGUAGE_MODEL
from libra_cli.training.objectives.base import Objective
from libra_cli.training.objectives.sft import SftObjective
from libra_cli.training.run import SourceParts
from libra_cli.training.settings import SftSettings


class SftMethod:
    """Conversations as samples; the loss of a step is the mean negative log-likelihood of its targets."""

    stage = "sft"
    metric = "loss"
    higher_is_better = False
    model_kind = LANGUAGE_MODEL

    def __init__(self, settings: SftSettings):
        self._settings = settings
        self.objective: Objective = SftObjective()

    def encoder(self, chat: TrainingChat) -> Encoder:
        """The assistant's last turn or all of them, as --learn says."""
        settings = self._settings
        return Encoder(chat, learn=settings.learn, assistant=settings.data.assistant, last_only="use --learn last")

    def prepare(self, preparation: Preparation) -> Prepared:
        """Samples of tokens."""
        return preparation.samples(self.encoder(preparation.chat))

    def source(self, parts: SourceParts) -> StepSource:
        """Each sample once per epoch."""
        batch, samples = self._settings.batch, cast(TokenStore, parts.data)
        return EpochSource(
            samples, SampleOrder(len(samples), batch.batch_size, batch.epochs, batch.seed, batch.shuffle)
        )


def run(settings: SftSettings, records: int | None = None) -> Exit:
    """Trains on this rank; see `training.run.run`."""
    return training_run.run(settings, SftMethod(settings), records)
