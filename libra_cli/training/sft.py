"""Supervised fine-tuning (section 4 of the paper): one run, from its settings to a folder with the trained model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from libra_cli.exits import Exit, Fatal, ReaderGone
from libra_cli.stream import stdio
from libra_cli.stream.attendant import Attendant
from libra_cli.stream.console import Console
from libra_cli.stream.lock import Lock
from libra_cli.stream.output import write_all
from libra_cli.stream.signals import StopRequest
from libra_cli.training import attention, check, model
from libra_cli.training.chat import Chat
from libra_cli.training.data import chat_of, prepare
from libra_cli.training.encode import Encoder
from libra_cli.training.engine import Engine, configuration
from libra_cli.training.export import export
from libra_cli.training.flops import Shape
from libra_cli.training.folder import RunFolder
from libra_cli.training.packing import Cost, SampleOrder
from libra_cli.training.schedule import Schedule
from libra_cli.training.scoring import Scoring
from libra_cli.training.settings import ModelSettings, SftSettings
from libra_cli.training.store import TokenStore
from libra_cli.training.telemetry import Telemetry
from libra_cli.training.trainer import Data, Stopped, Trainer
from libra_cli.training.world import SaidElsewhere, World


def run(settings: SftSettings, records: int | None = None) -> Exit:
    """Trains and gives the exit status; called by every rank. Raises Fatal.

    `records` is the descriptor for the lines of the steps; None: standard output.
    """
    records = stdio.reserve_stdout() if records is None else records
    model.quiet_libraries()
    stop = StopRequest("sft", settings.grace, settings.grace, says=os.environ["RANK"] == "0")
    with ExitStack() as stack:
        stack.enter_context(stop)
        world = stack.enter_context(World(settings.engine.sequence_parallel))
        watch = settings.watch
        console = Console("sft", quiet=watch.quiet or not world.is_first, as_json=watch.log_format == "json")
        stack.callback(Attendant(stop, lambda: None).close)
        try:
            return Run(settings, world, console, stop, records).go(stack)
        except SaidElsewhere as failed:
            return failed.status


class Run:
    """One run of `libra sft` on one rank."""

    def __init__(self, settings: SftSettings, world: World, console: Console, stop: StopRequest, records: int):
        self._settings, self._world, self._console, self._stop = settings, world, console, stop
        self._records = records
        self._folder = RunFolder(settings)
        self._refused = 0
        """Rows that could not be learned from."""

    def go(self, stack: ExitStack) -> Exit:
        """All of it. Samples come before the model: what is wrong with a row is known before anything slow begins."""
        world, folder = self._world, self._folder
        world.together(lambda: self._claim(stack), only_first=True)
        tokenizer, config, chat = world.together(self._read_model)
        train, held_out = self._samples(chat)
        engine, packed = self._engine(config)
        scoring = self._scoring(tokenizer, chat)
        passes = self._passes(tokenizer, config, packed)
        trainer = self._trainer(stack, engine, passes, train, held_out, scoring, config)
        try:
            if self._settings.save.resume != "never" and (step := trainer.resume()) is not None:
                self._console.note(f"continues after step {step}")
            world.together(lambda: folder.write_manifest("running"), only_first=True)
            trainer.run()
        except Stopped as stopped:
            self._console.note(f"stopped after step {trainer.step}; the same command continues")
            return stopped.status
        export(folder.path, engine, tokenizer, chat.closing, world)
        world.together(lambda: folder.finish(trainer.step), only_first=True)
        self._console.note(f"{trainer.step} steps; the model is in {folder.path}")
        return Exit.SOME_ERRORS if self._refused else Exit.DONE

    def _claim(self, stack: ExitStack) -> None:
        """Makes the folder this run's alone."""
        stack.callback(Lock(str(self._folder.path / "run")).release)
        self._folder.begin()

    # -- the parts ----------------------------------------------------------------------------------------------------

    def _read_model(self) -> tuple[Any, Any, Chat]:
        """What is known of the model without its weights."""
        tokenizer = model.load_tokenizer(self._settings.model)
        return tokenizer, model.load_config(self._settings.model), chat_of(self._settings.data, tokenizer)

    def _samples(self, chat: Chat) -> tuple[TokenStore, TokenStore | None]:
        """Those to learn from, and those held out."""
        data = self._settings.data
        encoder = Encoder(chat, learn=data.learn, assistant=data.assistant)
        train = self._store("train", data.inputs, encoder)
        return train, self._store("eval", data.eval_data, encoder) if data.eval_data else None

    def _store(self, name: str, paths: tuple[str, ...], encoder: Encoder) -> TokenStore:
        folder = str(self._folder.path / "data" / name)
        made, refused = prepare(folder, paths, encoder, self._settings.data, self._world, self._console)
        self._refused += refused
        return made

    def _engine(self, config: Any) -> tuple[Engine, bool]:
        """The model on its engine, and whether documents are packed."""
        settings, world = self._settings, self._world
        plan = configuration(settings.engine, settings.optimizer, model.dtype_of(settings.model.dtype), world)
        lm, packed = self._model(config, plan)
        mpu = _sequence_parallel(lm, world) if world.sequence_parallel > 1 else None
        engine = Engine(model.Learner(lm, packed), plan, settings.optimizer, world, mpu)
        try:
            return engine, check.choose_ways(engine, world, self._console, settings.model.packing)
        except ValueError as error:
            raise Fatal(Exit.USAGE, str(error)) from None

    def _model(self, config: Any, plan: Mapping[str, Any]) -> tuple[Any, bool]:
        """The weights where the engine wants them, and whether their attention can keep documents apart."""
        settings, world = self._settings.model, self._world
        if world.sequence_parallel > 1 and settings.packing is False:
            raise Fatal(Exit.USAGE, "--sequence-parallel needs packed rows; leave out --no-packing")
        partitioned = _partition_on_load(plan, settings)  # as long as it is there, weights are read in parts
        packed = settings.packing is not False
        try:
            lm = model.load(settings, config, attention.NAME if packed else None)
        except ValueError as error:
            if settings.packing or world.sequence_parallel > 1:
                raise Fatal(Exit.USAGE, f"this model cannot pack documents: {error}") from None
            packed, lm = False, model.load(settings, config, None)
        return lm if partitioned else lm.to(world.device), packed

    def _passes(self, tokenizer: Any, config: Any, packed: bool) -> tuple[Cost, int]:
        """What a forward pass may hold, and what fills its gaps."""
        batch = self._settings.batch
        # A pair of tokens costs about 1 / (6 width) of what a token costs in the matrices of a layer.
        quadratic = 1 / (6 * config.get_text_config().hidden_size)
        fillers = (tokenizer.pad_token_id, tokenizer.eos_token_id, 0)
        pad_id = next(each for each in fillers if each is not None)
        return Cost(batch.micro_tokens or batch.max_length, quadratic, padded=not packed), pad_id

    def _trainer(self, stack: ExitStack, engine: Engine, passes: tuple[Cost, int], train: TokenStore,
                 held_out: TokenStore | None, scoring: Scoring | None, config: Any) -> Trainer:  # fmt: skip
        settings, world = self._settings, self._world
        batch, optimizer = settings.batch, settings.optimizer
        order = SampleOrder(len(train), batch.batch_size, batch.epochs, batch.seed, batch.shuffle)
        steps = min(order.steps, batch.max_steps or order.steps)
        schedule = Schedule(optimizer.lr, optimizer.min_lr, steps, optimizer.warmup, optimizer.schedule)
        layout = {"ranks": world.size, "zero": engine.stage, "sequence_parallel": world.sequence_parallel}
        self._console.note(
            f"{len(train):,} samples, {int(train.lengths.sum()):,} tokens; {steps:,} steps of {order.batch_size}; "
            f"{world.size} {'process' if world.size == 1 else 'processes'}, ZeRO {engine.stage}, {engine.precision}"
        )
        marker = {"run": {**settings.shaping, "data": train.digest}, "layout": layout}
        evaluation = None if held_out is None else Data(held_out, *passes)
        shape = Shape.of(config) if world.on_gpu else None
        return Trainer(engine, Data(train, *passes), order, schedule, settings.save, world, self._stop,
                       self._telemetry(stack, steps), marker, shape, evaluation, scoring)  # fmt: skip

    def _scoring(self, tokenizer: Any, chat: Chat) -> Scoring | None:
        save = self._settings.save
        if not save.score:
            return None
        folder = self._folder.path / "scored"
        return Scoring(folder, save.score, save.score_with, tokenizer, chat.closing, self._world, self._console)

    def _telemetry(self, stack: ExitStack, steps: int) -> Telemetry | None:
        if not self._world.is_first:
            return None
        settings = self._settings
        telemetry = Telemetry(self._console, self._write, total_steps=steps, tensorboard=settings.watch.tensorboard,
                              wandb=settings.watch.wandb, config=settings.shaping)  # fmt: skip
        stack.callback(telemetry.close)
        return telemetry

    def _write(self, line: bytes) -> None:
        """A line on standard output; where its reader has gone, the run stops as on request."""
        try:
            write_all(self._records, line + b"\n", "standard output")
        except ReaderGone as gone:
            self._stop.status = self._stop.status or gone.status


def _partition_on_load(plan: Mapping[str, Any], settings: ModelSettings) -> Any:
    """Lets transformers read weights straight into the ranks' parts: none ever holds a whole ZeRO-3 model."""
    if plan["zero_optimization"]["stage"] < 3 or settings.from_scratch:
        return None
    from transformers.integrations import HfDeepSpeedConfig

    return HfDeepSpeedConfig(dict(plan))


def _sequence_parallel(lm: Any, world: World) -> Any:
    """Ulysses: ranks of a group have a stretch of the row each, and in attention some heads of all of it."""
    from deepspeed.runtime.sequence_parallel.ulysses_sp import UlyssesSPAttentionHF

    return UlyssesSPAttentionHF.register_with_transformers(
        lm, attention.NAME, sequence_parallel_size=world.sequence_parallel, micro_batch_size=1
    )
