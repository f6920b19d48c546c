"""Supervised fine-tuning (section 4 of the paper): one run, from its settings to a folder with the trained model."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from libra_cli import __version__
from libra_cli.exits import Exit, Fatal, ReaderGone
from libra_cli.stream import stdio
from libra_cli.stream.attendant import Attendant
from libra_cli.stream.console import Console
from libra_cli.stream.lock import Lock
from libra_cli.stream.output import replace_file, write_all
from libra_cli.stream.signals import StopRequest
from libra_cli.training import attention, check, model
from libra_cli.training.chat import Chat, template_text
from libra_cli.training.data import DataSettings, prepare
from libra_cli.training.encode import Encoder
from libra_cli.training.engine import Engine, configuration
from libra_cli.training.export import export
from libra_cli.training.flops import Shape
from libra_cli.training.packing import Cost, SampleOrder
from libra_cli.training.schedule import Schedule
from libra_cli.training.settings import BatchSettings, EngineSettings, ModelSettings, OptimizerSettings, SaveSettings
from libra_cli.training.telemetry import Telemetry
from libra_cli.training.trainer import Data, Stopped, Trainer
from libra_cli.training.world import World

MANIFEST = "libra.json"


@dataclass(frozen=True)
class Settings:
    """Everything that `libra sft` is told."""

    model: ModelSettings
    data: DataSettings
    batch: BatchSettings
    optimizer: OptimizerSettings
    engine: EngineSettings
    save: SaveSettings
    grace: float = 30.0
    overwrite: bool = False
    quiet: bool = False
    log_format: str = "text"
    tensorboard: str | None = None
    wandb: str | None = None

    @property
    def shaping(self) -> dict[str, Any]:
        """What decides the weights: a run that goes on must have the same."""
        batch = {name: value for name, value in asdict(self.batch).items() if name not in ("micro_tokens",)}
        data = {name: getattr(self.data, name) for name in ("chat_template", "assistant", "learn", "max_length")}
        lm = {name: value for name, value in asdict(self.model).items()
              if name not in ("packing", "activation_checkpointing", "liger", "trust_remote_code")}  # fmt: skip
        return {**lm, **data, **batch, **asdict(self.optimizer)}


def run(settings: Settings, records: int | None = None) -> Exit:
    """Trains and gives the exit status; called by every rank. Raises Fatal.

    `records` is the descriptor for the lines of the steps; None: standard output.
    """
    records = stdio.reserve_stdout() if records is None else records
    model.quiet_libraries()
    stop = StopRequest("sft", settings.grace, settings.grace)
    with ExitStack() as stack:
        stack.enter_context(stop)
        world = stack.enter_context(World(settings.engine.sequence_parallel))
        console = Console("sft", quiet=settings.quiet or not world.is_first, as_json=settings.log_format == "json")
        stack.callback(Attendant(stop, lambda: None).close)
        return Run(settings, world, console, stop, records).go(stack)


class Run:
    """One run of `libra sft` on one rank."""

    def __init__(self, settings: Settings, world: World, console: Console, stop: StopRequest, records: int):
        self._settings, self._world, self._console, self._stop = settings, world, console, stop
        self._records = records
        self._folder = Path(settings.save.output)

    def go(self, stack: ExitStack) -> Exit:
        """All of it."""
        self._claim(stack)
        if self._is_finished():
            self._console.note(f"{self._folder} is finished; --overwrite trains it anew")
            return Exit.DONE
        trainer, engine, tokenizer, chat = self._prepare(stack)
        try:
            self._resume(trainer)
            trainer.run()
        except Stopped as stopped:
            self._console.note(f"stopped after step {trainer.step}; the same command continues")
            return stopped.status
        except ReaderGone:
            raise
        export(self._folder, engine, tokenizer, chat.closing, self._world)
        self._finish(trainer)
        return Exit.DONE

    # -- begin and end ------------------------------------------------------------------------------------------------

    def _claim(self, stack: ExitStack) -> None:
        """Makes the folder this run's; what is in it is another's, or an earlier part of this run."""
        problem = None
        if self._world.is_first:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                stack.callback(Lock(str(self._folder / "run")).release)
                if self._settings.overwrite:
                    for name in ("checkpoints", "data", MANIFEST):
                        _remove(self._folder / name)
            except OSError as error:
                problem = (
                    int(Exit.USAGE),
                    f"{self._folder}: cannot be written ({error.strerror}); check the name and the folder",
                )
            except Fatal as error:
                problem = (int(error.status), str(error))
        self._raise_together(problem)

    def _raise_together(self, problem: tuple[int, str] | None) -> None:
        told = self._world.told(problem)
        if told is not None:
            raise Fatal(Exit(told[0]), told[1])

    def _is_finished(self) -> bool:
        """Whether the folder holds the end of this very run; refuses another's."""
        problem, finished = None, False
        if self._world.is_first:
            before = _manifest(self._folder)
            finished = before is not None and before.get("status") == "complete"
            if before is not None:
                problem = _difference(self._folder, before.get("config", {}), self._config())
        self._raise_together(problem)
        return bool(self._world.told(finished))

    def _config(self) -> dict[str, Any]:
        return json.loads(json.dumps(self._settings.shaping))

    def _write_manifest(self, status: str, **more: Any) -> None:
        if self._world.is_first:
            packages = {name: version(name) for name in ("torch", "transformers", "deepspeed")}
            content = {"stage": "sft", "status": status, "config": self._config(), **more,
                       "versions": {"libra": __version__, **packages}}  # fmt: skip
            replace_file(str(self._folder / MANIFEST), json.dumps(content, indent=1).encode() + b"\n")

    def _finish(self, trainer: Trainer) -> None:
        self._write_manifest("complete", steps=trainer.step)
        if self._world.is_first:
            _remove(self._folder / "data")
        self._console.note(f"{trainer.step} steps; the model is in {self._folder}")

    def _resume(self, trainer: Trainer) -> None:
        if self._settings.save.resume != "never" and (step := trainer.resume()) is not None:
            self._console.note(f"continues after step {step}")
        self._write_manifest("running")

    # -- the parts ----------------------------------------------------------------------------------------------------

    def _prepare(self, stack: ExitStack) -> tuple[Trainer, Engine, Any, Chat]:
        """Samples first, then the model: what is wrong with the rows is known before anything slow begins."""
        settings = self._settings
        tokenizer = model.load_tokenizer(settings.model)
        template = settings.data.chat_template and template_text(settings.data.chat_template)
        chat = Chat(tokenizer, template)
        encoder = Encoder(chat, learn=settings.data.learn, assistant=settings.data.assistant)
        train = self._store("train", settings.data.inputs, encoder)
        held_out = self._store("eval", settings.data.eval_data, encoder) if settings.data.eval_data else None
        config = model.load_config(settings.model)
        engine, packed = self._engine(config)
        shape = Shape.of(config) if self._world.on_gpu else None
        limit = settings.batch.micro_tokens or settings.batch.max_length
        cost = Cost(limit, _quadratic(config), padded=not packed)
        pad_id = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else (tokenizer.eos_token_id or 0)
        order = SampleOrder(len(train), settings.batch.batch_size, settings.batch.epochs, settings.batch.seed,
                            settings.batch.shuffle)  # fmt: skip
        steps = min(order.steps, settings.batch.max_steps or order.steps)
        optimizer = settings.optimizer
        schedule = Schedule(optimizer.lr, optimizer.min_lr, steps, optimizer.warmup, optimizer.schedule)
        marker = {"run": {**self._config(), "data": train.digest},
                  "layout": {"ranks": self._world.size, "zero": engine.stage,
                             "sequence_parallel": self._world.sequence_parallel}}  # fmt: skip
        telemetry = self._telemetry(stack, steps)
        self._console.note(f"{len(train)} samples, {int(train.lengths.sum()):,} tokens; {steps} steps of {order.batch_size}, "
                           f"ZeRO {engine.stage} on {self._world.size} ranks, {engine.precision}")  # fmt: skip
        evaluation = Data(held_out, cost, pad_id) if held_out is not None else None
        trainer = Trainer(engine, Data(train, cost, pad_id), order, schedule, settings.save, self._world, self._stop,
                          telemetry, marker, shape, evaluation)  # fmt: skip
        return trainer, engine, tokenizer, chat

    def _store(self, name: str, paths: tuple[str, ...], encoder: Encoder) -> Any:
        return prepare(
            str(self._folder / "data" / name), paths, encoder, self._settings.data, self._world, self._console
        )

    def _engine(self, config: Any) -> tuple[Engine, bool]:
        """The model on its engine, and whether documents are packed."""
        settings, world = self._settings, self._world
        dtype = model.dtype_of(settings.model.dtype)
        plan = configuration(settings.engine, settings.optimizer, dtype, world)
        keep = _partition_on_load(plan, settings.model)
        packing = settings.model.packing is not False
        if world.sequence_parallel > 1 and not packing:
            raise Fatal(Exit.USAGE, "--sequence-parallel needs packed rows; leave out --no-packing")
        try:
            lm = model.load(settings.model, config, attention.NAME if packing else None)
        except ValueError as error:  # an architecture that has no choice of attention
            if settings.model.packing:
                raise Fatal(Exit.USAGE, f"--packing: {error}") from None
            packing, lm = False, model.load(settings.model, config, None)
        del keep
        mpu = _sequence_parallel(lm, world) if world.sequence_parallel > 1 else None
        engine = Engine(model.Learner(lm.to(world.device) if engine_holds(plan) else lm, packing), plan, settings.optimizer,
                        world, mpu)  # fmt: skip
        try:
            packed = check.choose_ways(engine, world, self._console, settings.model.packing)
        except ValueError as error:
            raise Fatal(Exit.USAGE, str(error)) from None
        return engine, packed

    def _telemetry(self, stack: ExitStack, steps: int) -> Telemetry | None:
        if not self._world.is_first:
            return None
        settings = self._settings
        telemetry = Telemetry(self._console, self._write, total_steps=steps, tensorboard=settings.tensorboard,
                              wandb=settings.wandb, config=self._config())  # fmt: skip
        stack.callback(telemetry.close)
        return telemetry

    def _write(self, line: bytes) -> None:
        """A line on standard output; where its reader has gone, the run stops as on request."""
        try:
            write_all(self._records, line + b"\n", "standard output")
        except ReaderGone as gone:
            self._stop.status = self._stop.status or gone.status


def engine_holds(plan: Mapping[str, Any]) -> bool:
    """Whether weights have to be on the device before the engine gets them; ZeRO-3 brings them there itself."""
    return bool(plan["zero_optimization"]["stage"] < 3)


def _partition_on_load(plan: Mapping[str, Any], settings: ModelSettings) -> Any:
    """Lets transformers read weights straight into the ranks' parts of them: no rank ever holds a whole ZeRO-3 model."""
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


def _quadratic(config: Any) -> float:
    """Work of a pair of tokens in attention beside that of a token in the rest of a layer: about width / weights."""
    text = config.get_text_config()
    width = text.hidden_size
    return 1 / (6 * width)


def _manifest(folder: Path) -> dict[str, Any] | None:
    try:
        return json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise Fatal(Exit.USAGE, f"{folder / MANIFEST}: not a manifest of libra; move the folder away") from None


def _difference(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[int, str] | None:
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            what = f"{name} was {before.get(name)}, now it is {now.get(name)}"
            cure = "begin anew with --overwrite, or use another -o"
            return int(Exit.USAGE), f"{folder} holds a run with other settings: {what}; {cure}"
    return None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        os.unlink(path)
