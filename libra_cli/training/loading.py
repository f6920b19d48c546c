"""Puts the model of a run on its engine, with packed documents if the model allows that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.console import Console
from libra_cli.training.data.packing import PackBudget
from libra_cli.training.distributed.deepspeed_engine import TrainEngine
from libra_cli.training.distributed.ulysses import register_ulysses
from libra_cli.training.distributed.world import World
from libra_cli.training.model import attention, policy, self_check
from libra_cli.training.settings import TrainSettings
from libra_cli.training.trainer import TrainBatches


@dataclass(frozen=True)
class LoadedModel:
    """The model on its engine, and how its batches are split."""

    engine: TrainEngine
    batches: TrainBatches
    config: Any


class ModelLoader:
    """Loads a model of `kind` on this rank; all ranks do so together."""

    def __init__(self, settings: TrainSettings, kind: policy.ModelKind, world: World, console: Console):
        self._settings, self._kind, self._world, self._console = settings, kind, world, console

    def load(self, config: Any, tokenizer: Any, ds_config: Mapping[str, Any], longest: int) -> LoadedModel:
        """Packs documents if the model allows it, unless options decide."""
        settings = self._settings
        wanted = settings.model.packing
        must_pack = wanted or self._world.sp_size > 1
        engine = None
        if must_pack or wanted is None:
            try:
                engine = self._packed_engine(config, ds_config, longest)
            except self_check.CannotPack as reason:
                if must_pack:
                    cure = "leave out --packing and --sequence-parallel"
                    raise Fatal(Exit.USAGE, f"documents cannot be packed in this model: {reason}; {cure}") from None
                self._console.note(f"documents are not packed: {reason}")
        packed = engine is not None
        if engine is None:
            engine = self._checked_engine(self._load_weights(config, None, ds_config), ds_config, packed=False)
        # A pair of tokens costs about 1 / (6 width) of what a token costs in the matrices of a layer.
        quadratic = 1 / (6 * config.get_text_config().hidden_size)
        budget = PackBudget(settings.batch.micro_batch_tokens, quadratic, padded=not packed)
        fillers = (tokenizer.pad_token_id, tokenizer.eos_token_id, 0)
        return LoadedModel(engine, TrainBatches(budget, next(id for id in fillers if id is not None)), config)

    def _load_weights(self, config: Any, attention_name: str | None, ds_config: Mapping[str, Any]) -> Any:
        return policy.load(self._settings.model, config, attention_name, ds_config, self._kind)

    def _packed_engine(self, config: Any, ds_config: Mapping[str, Any], longest: int) -> TrainEngine:
        """Raises CannotPack if the model does not allow packing."""
        window = self_check.window_of(config)
        if window is not None and window < longest:
            raise self_check.CannotPack(f"it sees {window} tokens back, and a sample has {longest}")
        try:
            lm = self._load_weights(config, attention.NAME, ds_config)
        except ValueError as error:
            raise self_check.CannotPack(str(error).split("\n")[0]) from None
        return self._checked_engine(lm, ds_config, packed=True)

    def _checked_engine(self, lm: Any, ds_config: Mapping[str, Any], packed: bool) -> TrainEngine:
        """The engine, once it is known to compute this model's log-probabilities."""
        world = self._world
        mpu = register_ulysses(lm, world) if world.sp_size > 1 else None
        if ds_config["zero_optimization"]["stage"] < 3 or self._settings.model.from_scratch:
            lm = lm.to(world.device)
        engine = TrainEngine(self._kind.wrap(lm, packed), ds_config, self._settings.optimizer, world, mpu)
        self_check.check_engine(engine, world, self._console)
        return engine
