"""One training run, whatever the trainer: claim the folder, load, build the engine, train, export the model."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from libra_cli.engines import template_sandbox
from libra_cli.exits import Exit, Fatal, ReaderGone
from libra_cli.stream import stdio
from libra_cli.stream.console import Console, printable
from libra_cli.stream.error_log import ErrorLog
from libra_cli.stream.lock import Lock
from libra_cli.stream.monitor import Monitor
from libra_cli.stream.signals import StopRequest
from libra_cli.stream.sinks import write_all
from libra_cli.training import preflight
from libra_cli.training.data.chat_format import TrainingChat
from libra_cli.training.data.overlap import SharedRows, of_benchmark, tell
from libra_cli.training.data.prepare import Preparation, Prepared, TrainingData, chat_format_of
from libra_cli.training.data.sources import StepSource
from libra_cli.training.distributed.deepspeed_engine import TrainEngine
from libra_cli.training.distributed.rank_watch import RankWatch
from libra_cli.training.distributed.world import ReportedByRank0, World
from libra_cli.training.loading import LoadedModel, ModelLoader
from libra_cli.training.model import policy
from libra_cli.training.model.export import Export
from libra_cli.training.model.kinds import refuse_other_kind
from libra_cli.training.model_card import NAME, ModelCard, TrainedModel
from libra_cli.training.monitoring.eval_history import ACCURACY, EvalHistory
from libra_cli.training.monitoring.event_lines import EventLines
from libra_cli.training.monitoring.flops import ModelShape
from libra_cli.training.monitoring.judge_eval import JudgeEval
from libra_cli.training.monitoring.phase import Phase, same_command
from libra_cli.training.monitoring.telemetry import Telemetry
from libra_cli.training.objectives.base import Objective
from libra_cli.training.own_folder import MANIFEST
from libra_cli.training.run_dir import EVENTS, SAMPLES, SCORED, RunDir
from libra_cli.training.schedule import Schedule, how_many, n_steps
from libra_cli.training.settings import TrainSettings
from libra_cli.training.trainer import Stopped, Trainer


@dataclass(frozen=True)
class SourceParts:
    """What the batches of a run may be made from."""

    settings: TrainSettings
    data: TrainingData
    model: LoadedModel
    chat: TrainingChat
    world: World
    stop: StopRequest
    console: Console
    folder: Path
    """The run's own folder."""
    record: Callable[..., None]
    """Reports an event (`Telemetry.record`); does nothing on ranks that do not report."""
    stack: ExitStack
    """Closed at the end of the run."""
    phase: Phase


class ReadyRun(NamedTuple):
    """A run that can take its next step."""

    trainer: Trainer
    engine: TrainEngine
    export: Export
    samples: str
    """Digest of the samples to train on."""


class TrainingMethod(Protocol):
    """What one trainer adds to a run: how rows become data, what a step learns from, and the loss."""

    stage: str
    """The subcommand, for messages and manifests."""
    objective: Objective
    metric: str
    """The figure of the objective that chooses the best step on held-out samples (see --final)."""
    higher_is_better: bool
    model_kind: policy.ModelKind
    """What is trained: a language model, or a reward model with a scalar head."""

    def prepare(self, preparation: Preparation) -> Prepared:
        """The data of the run, as all ranks see them."""

    def source(self, parts: SourceParts) -> StepSource:
        """The batches of the steps."""


def run(settings: TrainSettings, method: TrainingMethod, records: int | None = None) -> Exit:
    """Trains, and returns the exit status; every rank calls it. Raises Fatal.

    `records`: file descriptor for the JSON lines of the steps; None: standard output.
    """
    records = stdio.reserve_stdout() if records is None else records
    policy.quiet_libraries()
    stop = StopRequest(method.stage, settings.grace, settings.grace, says=os.environ["RANK"] == "0")
    with ExitStack() as stack:
        stack.enter_context(stop)
        world = World(settings.engine.sequence_parallel)
        watch = settings.watch
        quiet = watch.quiet or not world.is_rank0
        console = Console(method.stage, quiet=quiet, as_json=watch.log_format == "json")
        phase = Phase(console, same_command(settings.data.inputs))
        stack.callback(Monitor(stop, phase.show).close)
        training = TrainingRun(settings, method, world, console, stop, records, phase)
        try:
            return training.go(stack)
        except ReportedByRank0 as failure:
            return failure.status
        except RuntimeError as error:
            cause = training.watch.cause_of(error)
            if isinstance(cause, ReportedByRank0):
                return cause.status
            raise


class TrainingRun:
    """One run on one rank."""

    def __init__(
        self,
        settings: TrainSettings,
        method: TrainingMethod,
        world: World,
        console: Console,
        stop: StopRequest,
        records: int,
        phase: Phase,
    ):
        self._settings, self._method, self._world = settings, method, world
        self._console, self._stop, self._records, self._phase = console, stop, records, phase
        self.watch = RankWatch(world.rank, world.size, method.stage)
        self._dir = RunDir(settings, method.stage)
        self._log: ErrorLog | None = None
        self._refused = 0
        """Rows that cannot be learned from."""
        self._shared: dict[str, SharedRows] = {}
        """What the model is measured on that is trained on, too: of `held_out` samples, and of the `benchmark`."""

    def go(self, stack: ExitStack) -> Exit:
        """The whole run; a request to stop ends the preparation at once."""
        ready = self._phase.unless_stopped(self._stop, self._world, lambda: self._prepared(stack))
        if ready is None:
            return self._stop.status or Exit.STOPPED
        return ready if isinstance(ready, Exit) else self._train(*ready)

    def _prepared(self, stack: ExitStack) -> ReadyRun | Exit:
        """All that comes before the next step; the exit status if there is none left.

        Samples come before the model, so that bad rows are found before anything slow begins.
        """
        settings, world, phase = self._settings, self._world, self._phase

        def claim() -> None:
            stack.callback(Lock(str(self._dir.path / "run")).release)
            stack.callback(self._dir.clear_finished)
            stack.callback(self._dir.clear_unbegun)
            stack.push(self._close_log)
            self._dir.begin()
            if (place := self._dir.restored_from) is not None:
                self._console.note(f"{self._dir.path / MANIFEST} was damaged; {place} says what the run is")

        def read_model() -> tuple[Any, Any, TrainingChat]:
            tokenizer, config = policy.load_tokenizer(settings.model), policy.load_config(settings.model)
            refuse_other_kind(settings, "--model", config.to_dict())
            return tokenizer, config, chat_format_of(settings.data, tokenizer, self._console)

        phase.begin("connecting the processes" if world.size > 1 else "starting DeepSpeed")
        stack.enter_context(self.watch)  # a rank may be lost while the others connect
        stack.enter_context(world)
        self.watch.connected()
        phase.begin(f"loading the tokenizer of {settings.model.model}")
        world.on_rank0(claim)
        stack.enter_context(template_sandbox.clock_at(world.broadcast(self._dir.begun)))
        tokenizer, config, chat = world.on_all_ranks(read_model)
        dtype = policy.dtype_of(settings.model.dtype)
        ds_config = world.on_all_ranks(lambda: preflight.deepspeed_config_for(settings, world, dtype))
        phase.begin("reading the samples")
        prepared = self._samples(chat, config)
        train = prepared.train
        given = [data for data in (train, prepared.held_out) if data is not None]
        if settings.save.score:
            world.on_rank0(lambda: self._compare_benchmark(train))
        world.on_all_ranks(lambda: preflight.refuse_unfit(given, config, settings.batch.epochs))
        if (finished := world.on_rank0(lambda: self._dir.refuse_other_samples(train.digest))) is not None:
            self._console.note(f"{self._dir.path} is finished; --overwrite trains it anew")
            return finished
        phase.begin(f"loading {settings.model.model}")
        loader = ModelLoader(settings, self._method.model_kind, world, self._console)
        model = loader.load(config, tokenizer, ds_config, max(data.longest for data in given))
        save_dtype, source = policy.DTYPES.get(settings.save.save_dtype), policy.config_file(settings.model)
        export = Export(tokenizer, chat.closing, save_dtype, world, source)
        phase.begin("preparing the first step")
        trainer = self._trainer(stack, model, chat, prepared, export)
        phase.begin("loading the last checkpoint")
        if (step := trainer.resume()) is not None:
            before = trainer.resharded_from
            saved = f", which was saved {before}" if before else ""
            self._console.note(f"continues after step {step}{saved}; earlier steps are in {self._dir.path / EVENTS}")
        world.on_rank0(lambda: self._dir.write_manifest("running"))
        phase.begin(f"step {trainer.step + 1}")
        return ReadyRun(trainer, model.engine, export, train.digest)

    def _train(self, trainer: Trainer, engine: TrainEngine, export: Export, samples: str) -> Exit:
        """Takes the steps that are left, and writes the model."""
        settings, world = self._settings, self._world
        try:
            trainer.run()
            step = trainer.conclude(settings.save.final == "best")
        except Stopped as stopped:
            self._console.note(f"stopped after step {trainer.step}; {self._phase.cure}")
            return stopped.status
        export.write(self._dir.path, engine, self._dir.claim)
        world.on_rank0(lambda: self._write_card(step, trainer, samples))
        world.on_rank0(lambda: self._dir.finish(trainer.step, samples, self._refused))
        self._console.note(f"{n_steps(trainer.step)}{self._choice(step, trainer)}; the model is in {self._dir.path}")
        if why := trainer.history.without_gain:
            self._console.say(f"{why}; try another --lr, or keep {settings.model.model}", event="no_gain")
        return Exit.SOME_ERRORS if self._refused else Exit.DONE

    def _choice(self, step: int, trainer: Trainer) -> str:
        """Why the model is that of `step`, for --final best."""
        best = trainer.history.best
        if self._settings.save.final != "best":
            return ""
        if best is None:
            return ", none of which could be measured: the last is taken"
        which = "the last" if step == trainer.step else f"step {step:,}"
        return f", the best of which was {which} ({trainer.history.describe(best[trainer.history.metric])})"

    def _write_card(self, step: int, trainer: Trainer, samples: str) -> None:
        """Describes the model, which is that of `step`; keeps a card that is the user's."""
        is_chosen = self._settings.save.final == "best" and trainer.history.best is not None
        metric = trainer.history.metric if is_chosen else None
        has_gain = trainer.history.without_gain is None
        model = TrainedModel(step, trainer.step, samples, metric, has_gain, self._shared)
        card = ModelCard(self._settings, self._method.stage, model, self._dir.path / EVENTS)
        if not card.write(self._dir.path):
            self._console.note(f"{self._dir.path / NAME}: was not written by libra, or edited since; it is kept")

    def _close_log(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Ends the error file; a run that ends with status 2 and has refused no row leaves that of an earlier one."""
        if self._log is not None:
            is_refused = isinstance(error, Fatal) and error.status == Exit.USAGE
            self._log.close(refused=is_refused and not self._log.kinds)

    # -- samples ------------------------------------------------------------------------------------------------------

    def _samples(self, chat: TrainingChat, config: Any) -> Prepared:
        """The data to train on, and the held-out data if there are any."""
        settings = self._settings

        def error_log() -> ErrorLog:  # one for all files, opened when the first is read
            if self._log is None:
                self._log = ErrorLog(settings.data.errors, self._method.stage, self._console)
            return self._log

        folder = self._dir.path / SAMPLES
        prepared = self._method.prepare(
            Preparation(
                settings.data, chat, config, folder, self._world, self._console, error_log, self._stop, self._phase
            )
        )
        self._refused = prepared.refused
        if prepared.overlap is not None:
            self._shared["held_out"] = prepared.overlap
        return prepared

    def _compare_benchmark(self, train: TrainingData) -> None:
        """Says, on rank 0, which rows of the benchmark are about problems of training rows."""
        paths = self._settings.save.score
        found = of_benchmark(train.problems, paths)
        if found is not None:
            self._shared["benchmark"] = found
            tell(self._console, paths, found)

    # -- the trainer --------------------------------------------------------------------------------------------------

    def _trainer(
        self,
        stack: ExitStack,
        model: LoadedModel,
        chat: TrainingChat,
        prepared: Prepared,
        export: Export,
    ) -> Trainer:
        settings, method, world, engine = self._settings, self._method, self._world, model.engine
        train = prepared.train
        optimizer, save = settings.optimizer, settings.save
        reports: list[Telemetry] = []

        def record(event: str, step: int, **figures: Any) -> None:
            for telemetry in reports:
                telemetry.record(event, step, **figures)

        folder, phase = self._dir.path, self._phase
        source = method.source(
            SourceParts(settings, train, model, chat, world, self._stop, self._console, folder, record, stack, phase)
        )
        steps = min(source.steps, settings.batch.max_steps or source.steps)
        schedule = Schedule(optimizer.lr, optimizer.final_lr, steps, optimizer.warmup, optimizer.schedule)
        self._console.note(
            f"{train.summary()}; {how_many(steps, settings.batch.epochs, settings.batch.max_steps)}, "
            f"batch size {source.batch_size}; "
            f"{world.size} {'process' if world.size == 1 else 'processes'}, ZeRO {engine.stage}, {engine.precision}"
        )
        telemetry = self._telemetry(stack, steps, prepared.evaluation is not None)
        reports += [telemetry] if telemetry is not None else []
        judge_eval = None
        if save.score:
            scored = self._dir.path / SCORED
            judge_eval = JudgeEval(scored, save.score, save.score_with, export, self._console, self._stop)
        by_accuracy = save.final == "best" and save.score_every is not None
        history = EvalHistory(
            ACCURACY if by_accuracy else method.metric,
            by_accuracy or method.higher_is_better,
            prepared.held_out.digest if prepared.held_out else None,
            world.broadcast(judge_eval.key if judge_eval else None),
        )
        marker = {**self._dir.marker(train.digest), "layout": engine.layout}
        return Trainer(
            engine,
            method.objective,
            source,
            model.batches,
            schedule,
            save,
            settings.batch.seed,
            world,
            self._stop,
            telemetry,
            marker,
            history,
            ModelShape.of(model.config) if world.on_gpu else None,
            prepared.evaluation,
            judge_eval,
        )

    def _telemetry(self, stack: ExitStack, steps: int, evaluates: bool) -> Telemetry | None:
        """Rank 0 reports; the others do not."""
        if not self._world.is_rank0:
            return None

        events = stack.enter_context(self._dir.open_events())
        is_output = os.path.samestat(os.fstat(events), os.fstat(self._records))

        watch, save = self._settings.watch, self._settings.save
        for_people = os.isatty(self._records) and watch.log_format != "json"

        def write(line: bytes) -> None:
            self._phase.end()
            if not is_output:
                write_all(events, line + b"\n", str(self._dir.path / EVENTS))
            if not for_people:
                put_out(line)

        def put_out(line: bytes) -> None:
            try:
                write_all(self._records, line + b"\n", "standard output")
            except ReaderGone as gone:  # the run stops as if it had been asked to
                self._stop.status = self._stop.status or gone.status

        def tell(text: str) -> None:
            self._console.clear()  # the progress line, which may be on the same terminal
            put_out(printable(text).encode())

        evaluations = {"eval": save.eval_every or steps} if evaluates else {}
        if save.score:
            evaluations["score"] = save.score_every or steps
        telemetry = Telemetry(
            self._console,
            write,
            total_steps=steps,
            tensorboard=watch.tensorboard,
            wandb=watch.wandb,
            run_id=self._dir.run_id,
            config=self._settings.recorded,
            evaluations=evaluations,
            people=EventLines(steps, tell) if for_people else None,
        )
        stack.callback(telemetry.close)
        return telemetry
