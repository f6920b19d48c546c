"""The model card of a trained folder: `README.md` in the form of the Hugging Face hub. Needs no torch.

A card ends with the hash of what stands above it. Only a card whose hash is right is replaced: any other one is the
user's.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from libra_cli import __version__
from libra_cli.stream.files import replace_file
from libra_cli.stream.resume import command_line, content_digest
from libra_cli.stream.rows import parse
from libra_cli.stream.sinks import is_plain_file
from libra_cli.training.settings import TrainSettings

NAME = "README.md"
_KINDS = {
    "sft": ("trained on conversations", "text-generation"),
    "dpo": ("trained on preferences", "text-generation"),
    "train-rm": ("a reward model with a scalar head", "text-classification"),
    "grpo": ("trained by reinforcement learning on verifiable rewards", "text-generation"),
}
"""What each trainer makes: in words, and the task under which the hub lists it."""
_SEAL = re.compile(r"\n<!-- libra: ([0-9a-f]{64}) -->\n\Z")
_ON_HUB = re.compile(r"[\w.-]+/[\w.-]+")
_HASHED = 4 << 30
"""Bytes of a file up to which its content is hashed for the card."""


class ModelCard:
    """What a card says of a run; `step` is that of the saved model, `samples` the digest of what it learned from."""

    def __init__(self, settings: TrainSettings, stage: str, step: int, samples: str, events: Path):
        self._settings, self._stage, self._step, self._samples = settings, stage, step, samples
        self._score, self._held_out = self._measured(events)

    def write(self, folder: Path) -> bool:
        """Writes the card, unless one is there that libra did not write, or that was edited since. Raises Fatal(74)."""
        path = folder / NAME
        if os.path.lexists(path) and not is_own(path):
            return False
        text = self.text(folder.resolve().name)
        seal = hashlib.sha256(text.encode()).hexdigest()
        replace_file(str(path), f"{text}\n<!-- libra: {seal} -->\n".encode(), begun=True)
        return True

    def text(self, name: str) -> str:
        """The card of a model that is called `name`."""
        import yaml

        front = yaml.safe_dump(self._front(name), sort_keys=False, allow_unicode=True)
        what = f"{_KINDS[self._stage][0]} by `libra {self._stage}` (libra {__version__})"
        lines = ["---", front + "---", "", f"# {name}", "", f"{_short(self._settings.model.model)}, {what}.", ""]
        lines += ["## Data", "", "| file | bytes | SHA-256 |", "|---|---|---|"]
        lines += [self._file_row(path) for path in self._settings.data.inputs]
        lines += ["", f"Fingerprint of the samples, as tokens: `{self._samples}`.", ""]
        if scores := self._scores():
            lines += ["## Scores", "", "| measured on | figure | value |", "|---|---|---|", *scores, ""]
        settings = {key: value for key, value in self._settings.recorded.items() if value not in (None, [], {}, "")}
        settings["model"] = _short(str(settings["model"]))
        lines += ["## Settings", "", f"The model is that of step {self._step}.", "", "```yaml"]
        lines += [yaml.safe_dump(settings, sort_keys=False, allow_unicode=True).rstrip("\n"), "```", ""]
        return "\n".join([*lines, "The command:", "", "```sh", shlex.join(command_line()), "```", ""])

    def _front(self, name: str) -> dict[str, Any]:
        """The metadata, by the names that the hub gives them."""
        tags = ["libra", self._stage, *(["lora"] if self._settings.model.lora_rank else [])]
        tags += ["reward-model"] if self._stage == "train-rm" else []
        base = self._base_model()
        front: dict[str, Any] = {"base_model": base} if base else {}
        front |= {"library_name": "transformers", "pipeline_tag": _KINDS[self._stage][1], "tags": tags}
        if self._score is not None:
            benchmark = " + ".join(map(os.path.basename, self._settings.save.score))
            result = {
                "task": {"type": _KINDS[self._stage][1]},
                "dataset": {"name": benchmark, "type": benchmark},
                "metrics": [{"type": "accuracy", "value": self._score["accuracy"]}],
            }
            front["model-index"] = [{"name": name, "results": [result]}]
        return front

    def _base_model(self) -> str | None:
        """The name of the model on a hub; of a folder, the one that its own card names."""
        model = self._settings.model.model
        if not os.path.isdir(model):
            return model if _ON_HUB.fullmatch(model) else None
        import yaml

        try:
            _, front, _ = (Path(model) / NAME).read_text(encoding="utf-8").split("---\n", 2)
            base = yaml.safe_load(front).get("base_model")
        except (OSError, ValueError, AttributeError, yaml.YAMLError):
            return None
        return base if isinstance(base, str) else None

    def _file_row(self, path: str) -> str:
        """The row of a file of the input."""
        if path == "-":
            return "| standard input |  |  |"
        if not is_plain_file(path):
            return f"| `{os.path.basename(path)}` |  |  |"
        size = os.path.getsize(path)
        digest = content_digest([path]) if size <= _HASHED else None
        return f"| `{os.path.basename(path)}` | {size:,} | {digest['sha256'] if digest else 'not hashed'} |"

    def _measured(self, events: Path) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
        """The last score and evaluation of the saved model among the events of the run."""
        score = held_out = None
        if not events.is_file():
            return None, None
        with open(events, "rb") as file:
            for line in file:
                if b'"event":"score"' not in line and b'"event":"eval"' not in line:
                    continue
                event = parse(line.strip())
                if event["event"] == "score" and event.get("model_step") == self._step:
                    score = event if event.get("accuracy") is not None else None
                elif event["event"] == "eval" and event.get("step") == self._step:
                    held_out = event
        return score, held_out

    def _scores(self) -> list[str]:
        """The rows of the table of scores."""
        rows = []
        if self._score is not None:
            accuracy, low, high = self._score["accuracy"], self._score.get("low"), self._score.get("high")
            interval = "" if low is None or high is None else f" [{100 * low:.1f}, {100 * high:.1f}]"
            where = f"{_names(self._settings.save.score)}, {self._score['n']:,} rows"
            rows.append(f"| {where} | accuracy as a judge, % | {100 * accuracy:.1f}{interval} |")
        if self._held_out is not None:
            where = _names(self._settings.data.eval_data)
            for name, value in self._held_out.items():
                if type(value) in (int, float) and name not in ("step", "samples"):
                    rows.append(f"| {where} | {name} | {value:.6g} |")
        return rows


def _names(paths: Sequence[str]) -> str:
    """Files without the folders above them."""
    return ", ".join(f"`{os.path.basename(path)}`" for path in paths)


def is_own(path: Path) -> bool:
    """Whether the card is one of libra's that nobody has edited."""
    if path.is_symlink() or not path.is_file():
        return False
    try:
        text = path.read_bytes().decode()
    except (OSError, ValueError):
        return False
    seal = _SEAL.search(text)
    return seal is not None and hashlib.sha256(text[: seal.start()].encode()).hexdigest() == seal[1]


def _short(model: str) -> str:
    """The name of a model, without the folders above it."""
    is_folder = os.path.isdir(model) or model.startswith(("/", ".", "~"))
    return os.path.basename(os.path.normpath(model)) if is_folder else model
