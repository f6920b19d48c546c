"""The folder of a run: whose it is, whether it is finished, and what must be right before anything slow begins."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from libra_cli import __version__, miniature
from libra_cli.exits import Exit, Fatal
from libra_cli.stream.files import replace_file
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.sinks import write_failed
from libra_cli.training.distributed import deepspeed_config
from libra_cli.training.monitoring.telemetry import check_trackers
from libra_cli.training.settings import SftSettings

MANIFEST = "libra.json"
SAMPLES, SCORED = ".samples", ".scored"
OF_A_RUN = ("checkpoints", SAMPLES, SCORED, MANIFEST)
_END_BYTES = 1 << 16
OF_A_MODEL = ("config.json", "*.safetensors", "tokenizer*", "*.jinja")


class RunFolder:
    """`--output` of a trainer. Nothing here needs torch: the command looks before it starts its ranks."""

    def __init__(self, settings: SftSettings):
        self._settings, self.path = settings, Path(settings.save.output)
        self._anew = settings.save.overwrite or settings.save.resume == "never"
        self._seen: dict[str, Any] = {}

    def check(self) -> Exit | None:
        """The status of this very run where it is finished; raises Fatal where it can never be done as it is told.

        What comes through a pipe, or from files that were touched, has to be read first (`refuse_other_samples`).
        """
        self.check_named()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_failed(str(self.path), error) from None
        before = self._manifest()
        if before is None or self._anew:
            return None
        refuse_difference(str(self.path), before.get("config", {}), self._config())
        if before.get("status") != "complete":
            return None
        if before.get("model") != self._model():
            raise self._finished("with another --model or --tokenizer")
        if self._is_left(before):
            same = "-" not in self._settings.data.inputs and before.get("files") == self._files()
            return _status(before) if same else None
        if not (self.path / "checkpoints" / f"step-{before.get('steps')}" / MANIFEST).exists():
            raise self._finished("and no checkpoint of its last step")
        return None  # it goes on from its last step, and only what is left of it is made again

    def _finished(self, what: str) -> Fatal:
        cure = "--overwrite trains anew, or use another -o"
        return Fatal(Exit.USAGE, f"{self.path} holds a run that is finished, {what}; {cure}")

    def check_named(self) -> None:
        """Raises Fatal where something that options name is not there."""
        settings = self._settings
        read = (*settings.data.inputs, *settings.data.eval_data, *settings.save.score)
        InputFiles([path for path in read if path != "-"])
        check_trackers(settings.watch.tensorboard, settings.watch.wandb)
        self._check_model()
        if settings.save.score:
            _check_judge(settings.save.score_with)

    def _check_model(self) -> None:
        name = self._settings.model.model
        if miniature.is_misspelt(name):
            raise Fatal(Exit.USAGE, f"--model {name}: the embedded models are {', '.join(miniature.MODELS)}")
        is_path = name.startswith((".", "/", "~")) or os.path.isdir(name)
        if is_path and not os.path.isfile(os.path.join(name, "config.json")):
            raise Fatal(Exit.USAGE, f"--model {name}: there is no config.json; name the folder of a model")
        if os.path.isdir(name) and self.path.exists() and os.path.samefile(name, self.path):
            raise Fatal(Exit.USAGE, f"-o {self.path}: this is --model itself; use another folder")

    def _config(self) -> dict[str, Any]:
        """What decides the steps."""
        own = deepspeed_config.read(self._settings.engine.deepspeed).get("optimizer")
        return {**self._settings.shaping, **({"deepspeed_optimizer": own} if own else {})}

    def _left(self) -> dict[str, Any]:
        """What decides, beside the steps, which model is left in the end, and what is said of it."""
        save, held_out = self._settings.save, seen(self._settings.data.eval_data)
        return {"final": save.final, "save_dtype": save.save_dtype, "eval_data": held_out, "score": seen(save.score)}

    def _is_left(self, manifest: Mapping[str, Any]) -> bool:
        """Whether a finished run has left what is asked for now; it may have been scored on more."""
        had, wanted = dict(manifest.get("left", {})), self._left()
        scored = had.pop("score", [])
        return all(each in scored for each in wanted.pop("score")) and had == wanted

    def _files(self) -> list[list[Any]]:
        """The files that samples are made of."""
        template = self._settings.data.chat_template
        return seen([*self._settings.data.inputs, *([template] if template and os.path.isfile(template) else [])])

    def _model(self) -> list[list[Any]]:
        """The model and the tokenizer, where they are folders: by content, since folders are copied about."""
        folders = filter(None, (self._settings.model.model, self._settings.model.tokenizer))
        found = (path for folder in folders for pattern in OF_A_MODEL for path in sorted(Path(folder).glob(pattern)))
        return [[path.name, path.stat().st_size, _fingerprint(path)] for path in found]

    def refuse_other_samples(self, samples: str) -> Exit | None:
        """`check` where the samples, whose digest this is, are known."""
        before = self._manifest() or {}
        if before.get("status") != "complete" or self._anew:
            return None
        if before.get("samples") != samples:
            raise self._finished("on other samples")
        return _status(before) if self._is_left(before) else None

    def begin(self) -> None:
        """Takes away what is given up, and looks at what will be learned from."""
        for name in OF_A_RUN if self._anew else ():
            self.remove(name)
        self._seen = {"files": self._files(), "model": self._model(), "left": self._left()}

    def remove(self, name: str) -> None:
        """A file or folder in it."""
        path = self.path / name
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            os.unlink(path)

    def finish(self, steps: int, samples: str, refused: int) -> None:
        """The model is in place: beside it only the checkpoints stay. `samples` is their digest."""
        self.write_manifest("complete", steps=steps, samples=samples, refused=refused, **self._seen)

    def clear_finished(self) -> None:
        """Takes away what only a run that goes on needs, where it is finished."""
        if (self._manifest() or {}).get("status") != "complete":
            return
        for name in (SAMPLES, SCORED):
            self.remove(name)

    def write_manifest(self, status: str, **more: Any) -> None:
        """`running` or `complete`, with the settings."""
        content = {"stage": "sft", "status": status, "config": self._config(), **more, "versions": versions()}
        replace_file(str(self.path / MANIFEST), json.dumps(content, indent=1).encode() + b"\n")

    def _manifest(self) -> dict[str, Any] | None:
        try:
            manifest: dict[str, Any] = json.loads((self.path / MANIFEST).read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise Fatal(Exit.USAGE, f"{self.path / MANIFEST}: not a manifest of libra; use another -o") from None
        return manifest


def seen(paths: Sequence[str]) -> list[list[Any]]:
    """Files as far as a look at them tells; what comes through a pipe has none."""
    stats = [(path, os.stat(path)) for path in paths if path != "-"]
    return [[os.path.basename(path), each.st_size, each.st_mtime_ns] for path, each in stats]


def _fingerprint(path: Path) -> str:
    """A hash of both ends of a file: weights that were trained differ at the last of them."""
    with open(path, "rb") as file:
        ends = file.read(_END_BYTES)
        file.seek(max(0, os.fstat(file.fileno()).st_size - _END_BYTES))
        return hashlib.sha256(ends + file.read(_END_BYTES)).hexdigest()[:16]


def _status(manifest: Mapping[str, Any]) -> Exit:
    """That with which a finished run has ended."""
    return Exit.SOME_ERRORS if manifest.get("refused") else Exit.DONE


def versions() -> dict[str, str]:
    """Of what decides a run's numbers."""
    packages = {name: version(name) for name in ("torch", "transformers", "deepspeed")}
    return {"libra": __version__, **packages}


def _check_judge(options: str) -> None:
    """Has `libra judge` look at its options now, not when the first benchmark is due."""
    try:
        words = shlex.split(options)
    except ValueError as error:
        raise Fatal(Exit.USAGE, f"--score-with {options}: {error}") from None
    line = [sys.executable, "-m", "libra_cli", "judge", *words, "--print-config"]
    looked = subprocess.run(line, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if looked.returncode:
        raise Fatal(Exit.USAGE, f"--score-with {options}: {looked.stderr.strip()}")


def refuse_difference(where: str, before: Mapping[str, Any], now: Mapping[str, Any],
                      cure: str = "begin anew with --overwrite, or use another -o") -> None:  # fmt: skip
    """Raises Fatal(2) where a run would go on with other settings than it began with."""
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            what = f"{name} was {before.get(name)}, now it is {now.get(name)}"
            raise Fatal(Exit.USAGE, f"{where} holds a run with other settings: {what}; {cure}")
