"""Supervised fine-tuning (section 4 of the paper): one run, from its settings to a folder with the trained model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from libra_cli.exits import Exit, Fatal, ReaderGone
from libra_cli.stream import stdio
from libra_cli.stream.console import Console
from libra_cli.stream.error_log import ErrorLog
from libra_cli.stream.lock import Lock
from libra_cli.stream.monitor import Monitor
from libra_cli.stream.signals import StopRequest
from libra_cli.stream.sinks import write_all
from libra_cli.training import preflight
from libra_cli.training.data.chat_format import Chat
from libra_cli.training.data.packing import Cost, SampleOrder
from libra_cli.training.data.prepare import chat_of, prepare
from libra_cli.training.data.token_store import TokenStore
from libra_cli.training.data.tokenization import Encoder
from libra_cli.training.distributed.deepspeed_engine import Engine
from libra_cli.training.distributed.world import SaidElsewhere, World
from libra_cli.training.model import attention, policy, self_check
from libra_cli.training.model.export import Export
from libra_cli.training.monitoring.flops import Shape
from libra_cli.training.monitoring.judge_eval import Scoring
from libra_cli.training.monitoring.telemetry import Telemetry
from libra_cli.training.run_dir import SAMPLES, SCORED, RunFolder, versions
from libra_cli.training.schedule import Schedule
from libra_cli.training.settings import SftSettings
from libra_cli.training.trainer import Data, Stopped, Trainer


def run(settings: SftSettings, records: int | None = None) -> Exit:
    """Trains and gives the exit status; called by every rank. Raises Fatal.

    `records` is the descriptor for the lines of the steps; None: standard output.
    """
    records = stdio.reserve_stdout() if records is None else records
    policy.quiet_libraries()
    stop = StopRequest("sft", settings.grace, settings.grace, says=os.environ["RANK"] == "0")
    with ExitStack() as stack:
        stack.enter_context(stop)
        world = stack.enter_context(World(settings.engine.sequence_parallel))
        watch = settings.watch
        console = Console("sft", quiet=watch.quiet or not world.is_first, as_json=watch.log_format == "json")
        stack.callback(Monitor(stop, lambda: None).close)
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
        self._log: ErrorLog | None = None
        self._refused = 0
        """Rows that could not be learned from."""

    def go(self, stack: ExitStack) -> Exit:
        """All of it. Samples come before the model: what is wrong with a row is known before anything slow begins."""
        settings, world = self._settings, self._world
        world.together(lambda: self._claim(stack), only_first=True)
        tokenizer, config, chat = world.together(self._read_model)
        plan = world.together(lambda: preflight.plan(settings, world, policy.dtype_of(settings.model.dtype)))
        stores = self._samples(chat)
        world.together(lambda: preflight.refuse_unfit(stores, config, settings.batch.epochs))
        if (finished := self._finished(stores[0].digest)) is not None:
            return finished
        engine, packed = self._engine(config, plan, max(int(store.lengths.max()) for store in stores))
        export = Export(tokenizer, chat.closing, policy.DTYPES.get(settings.save.save_dtype), world)
        passes = self._passes(tokenizer, config, packed)
        trainer = self._trainer(stack, engine, passes, stores, self._scoring(export), config)
        try:
            step = self._train(trainer)
        except Stopped as stopped:
            self._console.note(f"stopped after step {trainer.step}; the same command continues")
            return stopped.status
        export.write(self._folder.path, engine)
        world.together(lambda: self._folder.finish(trainer.step, stores[0].digest, self._refused), only_first=True)
        of = "" if step == trainer.step else f", the best of which was step {step}"
        self._console.note(f"{trainer.step} steps{of}; the model is in {self._folder.path}")
        return Exit.SOME_ERRORS if self._refused else Exit.DONE

    def _train(self, trainer: Trainer) -> int:
        """All steps that are left; gives the one whose model is left in the end. Raises Stopped."""
        if (step := trainer.resume()) is not None:
            self._console.note(f"continues after step {step}")
        self._world.together(lambda: self._folder.write_manifest("running"), only_first=True)
        trainer.run()
        return trainer.conclude(self._settings.save.final == "best")

    def _finished(self, samples: str) -> Exit | None:
        """The status of this very run where it is finished, which the digest of its samples tells."""
        world = self._world
        status = world.told(world.together(lambda: self._folder.refuse_other_samples(samples), only_first=True))
        if status is not None:
            self._console.note(f"{self._folder.path} is finished; --overwrite trains it anew")
        return status

    def _claim(self, stack: ExitStack) -> None:
        """Makes the folder this run's alone."""
        stack.callback(Lock(str(self._folder.path / "run")).release)
        stack.callback(self._folder.clear_finished)
        stack.callback(lambda: self._log.close() if self._log else None)
        self._folder.begin()

    # -- the parts ----------------------------------------------------------------------------------------------------

    def _read_model(self) -> tuple[Any, Any, Chat]:
        """What is known of the model without its weights."""
        tokenizer = policy.load_tokenizer(self._settings.model)
        return tokenizer, policy.load_config(self._settings.model), chat_of(self._settings.data, tokenizer)

    def _samples(self, chat: Chat) -> list[TokenStore]:
        """Those to learn from and, where there are any, those held out."""
        data = self._settings.data
        encoder = Encoder(chat, learn=data.learn, assistant=data.assistant)
        named = {"train": data.inputs, "eval": data.eval_data}
        return [self._store(name, paths, encoder) for name, paths in named.items() if paths]

    def _store(self, name: str, paths: tuple[str, ...], encoder: Encoder) -> TokenStore:
        folder = str(self._folder.path / SAMPLES / name)
        made, refused = prepare(
            folder, paths, encoder, self._settings.data, self._world, self._console, self._error_log, self._stop
        )
        self._refused += refused
        return made

    def _error_log(self) -> ErrorLog:
        """One for all files; begun when the first is read."""
        if self._log is None:
            self._log = ErrorLog(self._settings.data.errors, "sft", self._console)
        return self._log

    def _engine(self, config: Any, plan: Mapping[str, Any], longest: int) -> tuple[Engine, bool]:
        """The model on its engine, and whether documents are packed: where it can, unless options say otherwise."""
        wanted = self._settings.model.packing
        must = wanted or self._world.sequence_parallel > 1
        if must or wanted is None:
            try:
                return self._packed_engine(config, plan, longest), True
            except self_check.CannotPack as reason:
                if must:
                    cure = "leave out --packing and --sequence-parallel"
                    raise Fatal(Exit.USAGE, f"documents cannot be packed in this model: {reason}; {cure}") from None
                self._console.note(f"documents are not packed: {reason}")
        return self._checked(policy.load(self._settings.model, config, None, plan), plan, packed=False), False

    def _packed_engine(self, config: Any, plan: Mapping[str, Any], longest: int) -> Engine:
        window = self_check.window_of(config)
        if window is not None and window < longest:
            raise self_check.CannotPack(f"it sees {window} tokens back, and a sample has {longest}")
        try:
            lm = policy.load(self._settings.model, config, attention.NAME, plan)
        except ValueError as error:
            raise self_check.CannotPack(str(error).split("\n")[0]) from None
        return self._checked(lm, plan, packed=True)

    def _checked(self, lm: Any, plan: Mapping[str, Any], packed: bool) -> Engine:
        """The engine, which gives this model's losses."""
        world = self._world
        mpu = _sequence_parallel(lm, world) if world.sequence_parallel > 1 else None
        if plan["zero_optimization"]["stage"] < 3 or self._settings.model.from_scratch:
            lm = lm.to(world.device)
        engine = Engine(policy.Learner(lm, packed), plan, self._settings.optimizer, world, mpu)
        self_check.check_ways(engine, world, self._console)
        return engine

    def _passes(self, tokenizer: Any, config: Any, packed: bool) -> tuple[Cost, int]:
        """What a forward pass may hold, and what fills its gaps."""
        batch = self._settings.batch
        # A pair of tokens costs about 1 / (6 width) of what a token costs in the matrices of a layer.
        quadratic = 1 / (6 * config.get_text_config().hidden_size)
        fillers = (tokenizer.pad_token_id, tokenizer.eos_token_id, 0)
        pad_id = next(each for each in fillers if each is not None)
        return Cost(batch.pass_tokens, quadratic, padded=not packed), pad_id

    def _trainer(self, stack: ExitStack, engine: Engine, passes: tuple[Cost, int], stores: Sequence[TokenStore],
                 scoring: Scoring | None, config: Any) -> Trainer:  # fmt: skip
        settings, world = self._settings, self._world
        batch, optimizer, (train, *held_out) = settings.batch, settings.optimizer, stores
        order = SampleOrder(len(train), batch.batch_size, batch.epochs, batch.seed, batch.shuffle)
        steps = min(order.steps, batch.max_steps or order.steps)
        schedule = Schedule(optimizer.lr, optimizer.floor, steps, optimizer.warmup, optimizer.schedule)
        layout = {"ranks": world.size, "zero": engine.stage, "sequence_parallel": world.sequence_parallel}
        self._console.note(
            f"{len(train):,} samples, {int(train.lengths.sum()):,} tokens; {steps:,} steps of {order.batch_size}; "
            f"{world.size} {'process' if world.size == 1 else 'processes'}, ZeRO {engine.stage}, {engine.precision}"
        )
        marker = {"run": {**settings.shaping, "data": train.digest}, "layout": layout, "versions": versions()}
        evaluation = Data(held_out[0], *passes) if held_out else None
        shape = Shape.of(config) if world.on_gpu else None
        return Trainer(engine, Data(train, *passes), order, schedule, settings.save, world, self._stop,
                       self._telemetry(stack, steps), marker, shape, evaluation, scoring)  # fmt: skip

    def _scoring(self, export: Export) -> Scoring | None:
        save = self._settings.save
        if not save.score:
            return None
        folder = self._folder.path / SCORED
        return Scoring(folder, save.score, save.score_with, export, self._console, self._stop)

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


def _sequence_parallel(lm: Any, world: World) -> Any:
    """Ulysses: ranks of a group have a stretch of the row each, and in attention some heads of all of it."""
    from deepspeed.runtime.sequence_parallel.ulysses_sp import UlyssesSPAttentionHF

    if not hasattr(lm.config.get_text_config(), "num_key_value_heads"):
        raise Fatal(Exit.USAGE, "--sequence-parallel: this model does not say how many heads its keys have")
    return UlyssesSPAttentionHF.register_with_transformers(
        lm, attention.NAME, sequence_parallel_size=world.sequence_parallel, micro_batch_size=1
    )
