"""The output folder of a run: whose it is, whether it is finished, and what must hold before anything slow begins."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from libra_cli import __version__
from libra_cli.engines.architectures import config_of
from libra_cli.engines.damage import is_at_hand, no_model
from libra_cli.exits import Exit, Fatal
from libra_cli.masking import without_secrets
from libra_cli.stream.files import replace_file
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.module_path import libra_command
from libra_cli.stream.sinks import failed_below, write_failed
from libra_cli.training import own_folder, run_manifest
from libra_cli.training.data import origin
from libra_cli.training.distributed import deepspeed_config
from libra_cli.training.model.kinds import refuse_other_kind
from libra_cli.training.monitoring.trackers import check_trackers
from libra_cli.training.own_folder import MANIFEST
from libra_cli.training.run_manifest import has_work
from libra_cli.training.settings import TrainSettings

SAMPLES, SCORED, ROLLOUTS = ".samples", ".scored", ".rollouts"
EVENTS = "events.jsonl"
"""The events of the run, as on standard output; a run that continues adds to them."""
CHECKPOINTS = "checkpoints"
MODEL_FILES = ("config.json", "*.safetensors", "tokenizer*", "*.jinja")
"""What identifies a model's folder."""
ENCODING_FILES = ("tokenizer", "chat_template")
"""With these begin the names of the files that make tokens of text."""
_LENGTH = {"max_steps", "epochs"}
"""Settings that say how many steps a run has, over which its learning rate goes."""
_PREPARED = "prepared"
"""Status of a run that has not begun to train: no settings bind the next one."""
_END_BYTES = 1 << 16


class RunDir:
    """`--output` of a trainer. Needs no torch: the command looks at it before it starts its ranks.

    `stage` is the trainer's subcommand.
    """

    def __init__(self, settings: TrainSettings, stage: str):
        self._settings, self._stage, self.path = settings, stage, Path(settings.save.output)
        self._anew = settings.save.overwrite or settings.save.resume == "never"
        self._inputs: dict[str, Any] = {}
        self._written: set[str] = set()
        self._run: str | None = None
        self._made: list[Path] = []
        """The folders that `check` made, the innermost first."""
        self._is_new = False
        """Whether nothing was in the folder when the run claimed it."""
        self.restored_from: Path | None = None
        """The checkpoint that says what the run was, where its manifest is damaged."""
        self.begun = _now()
        """When the run was first prepared, for a template that writes the date; known on rank 0 after `begin`."""

    def check(self) -> Exit | None:
        """The exit status of this very run if it is finished already. Raises Fatal if it cannot be done.

        Inputs from a pipe, or from files with another time stamp, have to be read first (`refuse_other_samples`).
        """
        self._refuse_model_itself()
        before = self._manifest()
        if self.restored_from is not None and (names := own_folder.unlisted(self.path, before or {})):
            what = f"is damaged, and no longer says that {', '.join(names)} are of this run"
            cure = f"move those away, and the same command makes them again from {self.restored_from}"
            raise Fatal(Exit.USAGE, f"{self.path / MANIFEST}: {what}; {cure}")
        own_folder.check(self.path, before, self._own_outputs())
        self.check_named()
        try:
            self._made = [path for path in (self.path, *self.path.parents) if not path.exists()]
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.remove_made()
            raise write_failed(str(self.path), error) from None
        if before is None or self._anew or self._binds_nobody(before):
            return None
        self._refuse_other_run(before)
        if before.get("status") != "complete":
            return None
        if before.get("model") != self._model_files():
            raise self._finished("with another --model or --tokenizer")
        if self._has_results(before):
            same = "-" not in self._settings.data.inputs and before.get("files") == self._sample_files()
            return _exit_status(before) if same else None
        if not (self.path / CHECKPOINTS / f"step-{before.get('steps')}" / MANIFEST).exists():
            raise self._finished("and no checkpoint of its last step")
        return None  # continues after its last step, and makes only what is missing

    def _binds_nobody(self, before: Mapping[str, Any]) -> bool:
        """Whether the run in the folder has come to nothing that another one, with other settings, would lose."""
        status = before.get("status")
        return status == _PREPARED or (
            status == "running" and not self._is_same_run(before) and not has_work(self.path)
        )

    def _is_same_run(self, before: Mapping[str, Any]) -> bool:
        is_same = without_secrets(run_manifest.config_of(before, self._deepspeed)) == without_secrets(self._config())
        return is_same and before.get("stage", self._stage) == self._stage

    def _refuse_other_run(self, before: Mapping[str, Any]) -> None:
        """Raises Fatal(2) if the run in the folder is of another trainer, or has other settings than this one."""
        stage, cure = before.get("stage", self._stage), "begin anew with --overwrite, or use another -o"
        if self._is_same_run(before):
            return
        for option, name in self._settings.models.items():
            if not is_at_hand(name):  # the first error of the two: another -o would not help
                missing = "there is no such folder here, nor a model of that name in the cache of the hub"
                raise Fatal(Exit.USAGE, f"{option} {name}: {missing}; besides, {self.path} holds another run")
        if stage != self._stage:
            raise Fatal(Exit.USAGE, f"{self.path} holds a run of libra {stage}; {cure}")
        old, new = run_manifest.config_of(before, self._deepspeed), self._config()
        if {name for name in {*old, *new} if old.get(name) != new.get(name)} <= _LENGTH:
            further = f"train its model further with --model {self.path} and another -o"
            on = further if before.get("status") == "complete" else "go on with as many steps as it began with"
            cure = f"the learning rate's schedule is over all steps; {on}, or begin anew with --overwrite"
        run_manifest.refuse_difference(str(self.path), old, new, cure)

    def remove_made(self) -> None:
        """Removes the folders that `check` made, if a run that failed has left them empty."""
        with suppress(OSError):  # something is in it, or the disk is broken, which was said
            for path in self._made:
                path.rmdir()

    def _own_outputs(self) -> list[str]:
        """What this very run writes besides; it may lie in the folder."""
        outputs = [self._settings.data.errors, self._settings.watch.tensorboard]
        return [name for name in outputs if name is not None]

    def _finished(self, what: str) -> Fatal:
        cure = "--overwrite trains anew, or use another -o"
        return Fatal(Exit.USAGE, f"{self.path} holds a run that is finished, {what}; {cure}")

    def check_named(self) -> None:
        """Raises Fatal if an option names something that is not there."""
        settings = self._settings
        inputs = (*settings.data.inputs, *settings.data.eval_data, *settings.save.score)
        InputFiles([path for path in inputs if path != "-"])
        check_trackers(settings.watch.tensorboard, settings.watch.wandb)
        for option, name in settings.models.items():
            if why := no_model(name):
                raise Fatal(Exit.USAGE, f"{option} {name}: {why}")
            if os.path.isdir(name):
                refuse_other_kind(settings, option, config_of(name, None))
        self._refuse_model_itself()
        if settings.save.score:
            _check_judge_options(settings.save.score_with)

    def _refuse_model_itself(self) -> None:
        for option, name in self._settings.models.items():
            if os.path.isdir(name) and self.path.exists() and os.path.samefile(name, self.path):
                raise Fatal(Exit.USAGE, f"-o {self.path}: this is {option} itself; use another folder")

    def _config(self) -> dict[str, Any]:
        """What determines the steps."""
        return {**self._settings.recorded, "deepspeed": self._deepspeed}

    @cached_property
    def _deepspeed(self) -> dict[str, Any]:
        return deepspeed_config.shaping(self._settings.engine.deepspeed)

    def _results(self) -> dict[str, Any]:
        """What determines, besides the steps, which model is exported and how it is evaluated."""
        save = self._settings.save
        held_out = file_stamps(self._settings.data.eval_data)
        return {
            "final": save.final,
            "save_dtype": save.save_dtype,
            "eval_data": held_out,
            "score": file_stamps(save.score),
        }

    def _has_results(self, manifest: Mapping[str, Any]) -> bool:
        """A finished run has all results that are asked for now; it may have been scored on more benchmarks."""
        results, wanted = dict(manifest.get("left", {})), self._results()
        scored = results.pop("score", [])
        return all(benchmark in scored for benchmark in wanted.pop("score")) and results == wanted

    def _sample_files(self) -> list[list[Any]]:
        """Stamps of the files that samples are made of."""
        template = self._settings.data.chat_template
        is_file = template and os.path.isfile(template)
        return file_stamps([*self._settings.data.inputs, *([template] if template and is_file else [])])

    def _model_files(self) -> list[list[Any]]:
        """Files of the models and tokenizer, if they are folders."""
        folders = [*self._settings.models.values(), self._settings.model.tokenizer]
        return [stamp for folder in folders if folder for stamp in model_stamps(folder)]

    def marker(self, data: str) -> dict[str, Any]:
        """What a checkpoint says of the run that saves it, whose samples have the digest `data`; for rank 0."""
        encoding = [stamp for stamp in self._inputs.get("model", []) if str(stamp[0]).startswith(ENCODING_FILES)]
        of = {"stage": self._stage, "run": self._run, "begun": self.begun}
        return {
            "run": {**self._config(), "data": data},
            "of": of,
            "versions": versions(),
            "encoding": encoding,
        }

    def refuse_other_samples(self, samples: str) -> Exit | None:
        """`check`, once the digest of the samples is known."""
        before = self._manifest() or {}
        if before.get("status") != "complete" or self._anew:
            return None
        if before.get("samples") != samples:
            raise self._finished("on other samples")
        return _exit_status(before) if self._has_results(before) else None

    @property
    def run_id(self) -> str | None:
        """The name of the run in this folder, which it keeps when it goes on; None for a run of an earlier version."""
        return self._run

    def begin(self) -> None:
        """Marks the folder as libra's, removes an earlier run if it is to be overwritten, notes stamps of the inputs.

        A model that lies there stays until the new one takes its place.
        """
        before = self._manifest()
        self._written = {*own_folder.written(self.path, before), *own_folder.KEPT}
        self._is_new = before is None
        self._run = uuid.uuid4().hex if before is None else before.get("run")
        if before is not None and not self._anew:
            self.begun = before.get("begun", self.begun)
        if before is None or self._anew or self._binds_nobody(before):
            self.restored_from = None
            self._replace_manifest({"stage": self._stage, "status": _PREPARED})
        elif self.restored_from is not None:
            self.write_manifest("running")
        if self._anew:
            with _removing(self.path / CHECKPOINTS):
                own_folder.remove_checkpoints(self.path / CHECKPOINTS)
            for name in (SAMPLES, SCORED, ROLLOUTS, EVENTS):
                self.remove(name)
            with _removing(self.path / own_folder.ROLLOUTS):
                own_folder.remove_rollouts(self.path, self._run)
            self._run = uuid.uuid4().hex  # not before: a run that is killed meanwhile still knows what is its own
            self._replace_manifest({"stage": self._stage, "status": _PREPARED})
        self._inputs = {"files": self._sample_files(), "model": self._model_files(), "left": self._results()}

    @contextmanager
    def open_events(self) -> Iterator[int]:
        """A descriptor that adds to the file of events, after its last whole line. Raises Fatal(74)."""
        path = str(self.path / EVENTS)
        try:
            events = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise write_failed(path, error, begun=True) from None
        with open(events, "rb+", buffering=0) as file:
            size = os.fstat(events).st_size
            end = os.pread(events, _END_BYTES, max(0, size - _END_BYTES))
            os.ftruncate(events, size - len(end) + end.rfind(b"\n") + 1)
            yield file.fileno()

    def claim(self, names: Sequence[str]) -> set[str]:
        """Notes, before they are written, that the files `names` of the model are libra's; returns all that are.

        Raises Fatal(74) if one of them is there that libra did not write.
        """
        for name in names:
            if name not in self._written and os.path.lexists(self.path / name):
                cure = "move it away and run again, which goes on from the last checkpoint"
                raise Fatal(Exit.WRITE_FAILED, f"{self.path / name}: was not written by this run; {cure}")
        self._written.update(names)
        self.write_manifest("running")
        return self._written

    def remove(self, name: str) -> None:
        """Removes a file or folder in it; raises Fatal(74) if that fails."""
        with _removing(self.path / name):
            own_folder.remove(self.path / name)

    def finish(self, steps: int, samples: str, refused: int) -> None:
        """Marks the run as complete; `samples` is their digest."""
        self.write_manifest("complete", steps=steps, samples=samples, refused=refused, **self._inputs)

    def clear_finished(self) -> None:
        """Removes what only an unfinished run needs, if the run is complete."""
        if (self._manifest() or {}).get("status") != "complete":
            return
        for name in (SAMPLES, SCORED, ROLLOUTS):
            self.remove(name)

    def clear_unbegun(self) -> None:
        """Removes what a new run has left in the folder, if it has not begun to train.

        Samples that are ready stay: the same command need not make them again.
        """
        with suppress(OSError, Fatal):  # whatever ended the run was said
            status = (self._manifest() or {}).get("status")
            if not self._is_new or status != _PREPARED or any((self.path / SAMPLES).rglob(origin.NAME)):
                return
            for name in (SAMPLES, SCORED, ROLLOUTS, MANIFEST):
                self.remove(name)
            if (self.path / EVENTS).stat().st_size == 0:
                self.remove(EVENTS)

    def write_manifest(self, status: str, **more: Any) -> None:
        """Writes the status (`running` or `complete`) and the settings."""
        self._replace_manifest({"stage": self._stage, "status": status, "config": self._config(), **more})

    def _replace_manifest(self, content: Mapping[str, Any]) -> None:
        run = {"run": self._run} if self._run else {}  # a run that an earlier version began stays without a name
        content = {**content, **run, "begun": self.begun, "written": sorted(self._written), "versions": versions()}
        replace_file(str(self.path / MANIFEST), json.dumps(content, indent=1).encode() + b"\n", begun=True)

    def _manifest(self) -> dict[str, Any] | None:
        manifest = run_manifest.read(self.path)
        if manifest is None and (known := run_manifest.restored(self.path)) is not None:
            self.restored_from, manifest = known
        return manifest


@contextmanager
def _removing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise failed_below(str(path), error) from None


def model_stamps(folder: str) -> list[list[Any]]:
    """The files of a model's folder by content, since folders are copied about; none for a name on a hub."""
    paths = [path for pattern in MODEL_FILES for path in sorted(Path(folder).glob(pattern))]
    return [[path.name, path.stat().st_size, _fingerprint(path)] for path in paths]


def file_stamps(paths: Sequence[str]) -> list[list[Any]]:
    """Name, size and modification time of each file; standard input has none."""
    stats = [(path, os.stat(path)) for path in paths if path != "-"]
    return [[os.path.basename(path), stat.st_size, stat.st_mtime_ns] for path, stat in stats]


def versions() -> dict[str, str]:
    """Versions of the packages that determine a run's numbers."""
    return {"libra": __version__, **{name: version(name) for name in ("torch", "transformers", "deepspeed")}}


def _fingerprint(path: Path) -> str:
    """A hash of both ends of a file: weights from different training differ at the end at the latest."""
    with open(path, "rb") as file:
        ends = file.read(_END_BYTES)
        file.seek(max(0, os.fstat(file.fileno()).st_size - _END_BYTES))
        return hashlib.sha256(ends + file.read(_END_BYTES)).hexdigest()[:16]


def _now() -> str:
    return datetime.now().isoformat(timespec="seconds")


def _exit_status(manifest: Mapping[str, Any]) -> Exit:
    """The status that a finished run ended with."""
    return Exit.SOME_ERRORS if manifest.get("refused") else Exit.DONE


def _check_judge_options(options: str) -> None:
    """Has `libra judge` check its options now, not when the first benchmark is due."""
    try:
        words = shlex.split(options)
    except ValueError as error:
        raise Fatal(Exit.USAGE, f"--score-with {options}: {error}") from None
    command = libra_command("judge", *words, "--print-config")
    checked = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if checked.returncode:
        raise Fatal(Exit.USAGE, f"--score-with {options}: {checked.stderr.strip()}")
