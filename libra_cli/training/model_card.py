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
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from libra_cli import __version__
from libra_cli.plural import counted
from libra_cli.stream.files import replace_file
from libra_cli.stream.resume import command_line, content_digest
from libra_cli.stream.rows import parse
from libra_cli.stream.sinks import is_plain_file
from libra_cli.training.data.overlap import SharedRows
from libra_cli.training.monitoring.eval_history import ACCURACY
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


@dataclass(frozen=True)
class TrainedModel:
    """The model that a run saves."""

    step: int
    """Whose weights these are."""
    steps: int
    """Of the run."""
    samples: str
    """Digest of what it learned from."""
    chosen_by: str | None = None
    """The figure that chose the step; None: it is the last."""
    has_gain: bool = True
    """Unless the model before training was better."""
    shared: Mapping[str, SharedRows] = field(default_factory=dict)
    """What of the `held_out` rows and of the `benchmark` was trained on, too."""


class ModelCard:
    """What a card says of a run, of which `events` is the file."""

    def __init__(self, settings: TrainSettings, stage: str, model: TrainedModel, events: Path):
        self._settings, self._stage, self._model = settings, stage, model
        self._events = _Events.of(events, model.step)
        self._score = self._events.scores.get(model.step)

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
        lines += ["", f"Fingerprint of the samples, as tokens: `{self._model.samples}`.", ""]
        lines += ["## Training", "", self._training(), ""]
        if scores := self._scores():
            lines += ["## Scores", "", *scores, "", *self._caveats()]
        settings = {key: value for key, value in self._settings.recorded.items() if value not in (None, [], {}, "")}
        settings["model"] = _short(str(settings["model"]))
        lines += ["## Settings", "", "```yaml"]
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

    def _training(self) -> str:
        """Which step the model is of, and what it had learned from by then."""
        model, batch, seen = self._model, self._settings.batch, self._events.seen
        text = f"The model is that of step {model.step:,} of {model.steps:,}"
        if model.chosen_by is not None:
            by_accuracy = model.chosen_by == ACCURACY
            on = _names(self._settings.save.score if by_accuracy else self._settings.data.eval_data)
            n = len((self._events.scores if by_accuracy else self._events.evaluations).keys() - {0})
            text += f", the best by {model.chosen_by} on {on} of the {n:,} that were measured"
        if not seen.sequences:
            return f"{text}."
        tokens = f"{seen.tokens:,} tokens"
        learned = f", of which it learned {seen.learned:,}" if seen.learned != seen.tokens else ""
        passes = f"{seen.passes:.3g} pass{'' if seen.passes == 1 else 'es'} over the data"
        text += f". By then it had seen {passes}: {counted(seen.sequences, 'sequence')} with {tokens} in all{learned}."
        if batch.max_steps is not None and model.steps >= batch.max_steps and self._events.passes < batch.epochs:
            epochs = f"{batch.epochs:g} epoch{'' if batch.epochs == 1 else 's'}"
            text += f" `--max-steps {batch.max_steps}` ended the run, not the {epochs} of the settings."
        return text

    def _scores(self) -> list[str]:
        """The table of scores, with those before training if there are any; empty without scores."""
        figures: list[tuple[str, str, str, str]] = []
        start, step = (self._events.scores.get(step) for step in (0, self._model.step))
        if step is not None:
            refused = f", {step['refused']:,} more refused" if step.get("refused") else ""
            where = f"{_names(self._settings.save.score)}, {counted(step['n'], 'row')}{refused}"
            figures.append((where, "accuracy as a judge, %", _accuracy(start), _accuracy(step)))
        start, step = (self._events.evaluations.get(step) for step in (0, self._model.step))
        where = _names(self._settings.data.eval_data)
        for name, value in (step or {}).items():
            if type(value) in (int, float) and name not in ("step", "samples"):
                before = (start or {}).get(name)
                figures.append((where, name, "" if before is None else f"{before:.6g}", f"{value:.6g}"))
        if not figures:
            return []
        if not any(before for _, _, before, _ in figures):
            rows = [f"| {where} | {name} | {value} |" for where, name, _, value in figures]
            return ["| measured on | figure | value |", "|---|---|---|", *rows]
        rows = [f"| {' | '.join(row)} |" for row in figures]
        return ["| measured on | figure | before training | value |", "|---|---|---|---|", *rows]

    def _caveats(self) -> list[str]:
        """Why a figure may flatter the model."""
        lines, by = [], self._model.chosen_by
        if by is not None:
            what = f"The step was chosen by the {by} in this table, which is therefore optimistic"
            lines += [f"{what}: expect a worse one on other rows.", ""]
        if not self._model.has_gain:
            lines += ["No step was better than the model before training.", ""]
        settings = self._settings
        for name, paths in (("held_out", settings.data.eval_data), ("benchmark", settings.save.score)):
            if name in self._model.shared:
                lines += [f"Of {_names(paths)}, {self._model.shared[name].sentence()}, which flatters the figures.", ""]
        return lines


class _Seen(NamedTuple):
    """What a model has learned from."""

    passes: float
    """Over the data."""
    sequences: int
    tokens: int
    learned: int


@dataclass(frozen=True)
class _Events:
    """What the events of a run say: figures by step, 0 for those before training."""

    scores: dict[int, dict[str, Any]]
    evaluations: dict[int, dict[str, Any]]
    seen: _Seen
    """At the step of the model."""
    passes: float
    """At the last step."""

    @classmethod
    def of(cls, path: Path, step: int) -> _Events:
        """Reads the file; of a step that a run took twice, the last time counts."""
        found: dict[str, dict[int, dict[str, Any]]] = {"score": {}, "eval": {}, "step": {}}
        with open(path, "rb") if path.is_file() else nullcontext(()) as lines:
            for event in map(parse, filter(None, map(bytes.strip, lines))):
                if event["event"] in found:
                    found[event["event"]][int(event.get("model_step") or event["step"])] = event
        scores = {at: event for at, event in found["score"].items() if event.get("accuracy") is not None}
        steps = found["step"]
        taken = [event for at, event in steps.items() if at <= step]
        sums = (sum(event.get(name, 0) for event in taken) for name in ("samples", "tokens", "learned"))
        seen = _Seen(steps.get(step, {}).get("epoch", 0.0), *sums)
        return cls(scores, found["eval"], seen, max((event.get("epoch", 0.0) for event in steps.values()), default=0.0))


def _accuracy(score: Mapping[str, Any] | None) -> str:
    """In per cent, with its interval; empty for None."""
    if score is None:
        return ""
    low, high = score.get("low"), score.get("high")
    interval = "" if low is None or high is None else f" [{100 * low:.1f}, {100 * high:.1f}]"
    return f"{100 * score['accuracy']:.1f}{interval}"


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
