"""From files to samples on disk: rank 0 reads, encodes and writes them once; all ranks open them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from libra_cli.exits import Exit, Fatal
from libra_cli.plural import counted
from libra_cli.stream.common_names import respelled
from libra_cli.stream.console import Console
from libra_cli.stream.counts import Counts
from libra_cli.stream.error_log import ErrorLog
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import BadLine, read_rows
from libra_cli.stream.rows import Row
from libra_cli.stream.signals import StopRequest
from libra_cli.training.data import origin, overlap, token_store
from libra_cli.training.data.chat_format import TrainingChat, template_text
from libra_cli.training.data.left_out import KEPT, RowLengths
from libra_cli.training.data.sources import StepBatch, mean_over_targets
from libra_cli.training.data.tokenization import RowEncoder
from libra_cli.training.monitoring.phase import Phase, same_command
from libra_cli.training.settings import DataSettings

if TYPE_CHECKING:
    from libra_cli.training.distributed.world import World  # imports torch, which rewards of saved rollouts do not need


class TrainingData(Protocol):
    """What a run trains on or is evaluated on: samples, or prompts to sample from."""

    digest: str
    """Identifies the content."""

    def __len__(self) -> int: ...

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence that the model will see."""

    @property
    def problems(self) -> np.ndarray:
        """uint64: which problems it is about, as `overlap.problem_key` has them."""

    @property
    def largest_id(self) -> int:
        """The largest token id."""

    def summary(self) -> str:
        """What it is, for people."""


class Prepared(NamedTuple):
    """The data of a run."""

    train: TrainingData
    refused: int
    """Rows that cannot be used."""
    held_out: TrainingData | None = None
    evaluation: StepBatch | Callable[[], StepBatch] | None = None
    """What an evaluation measures of `held_out`, or makes it on all ranks whenever an evaluation is due."""
    overlap: overlap.SharedRows | None = None
    """What of `held_out` is trained on, too."""


@dataclass(frozen=True)
class Preparation:
    """What a trainer prepares its data with; every rank has one."""

    settings: DataSettings
    chat: TrainingChat
    config: Any
    """The model's configuration."""
    folder: Path
    """Where prepared data are kept until the run is finished."""
    world: World
    console: Console
    error_log: Callable[[], ErrorLog]
    """Opens the error log, once for all files."""
    stop: StopRequest
    phase: Phase

    def samples(self, encoder: RowEncoder) -> Prepared:
        """Rows as samples of tokens: those to train on, and the held-out ones, of which all targets count alike."""
        train, refused = self._store("train", self.settings.inputs, encoder)
        if not self.settings.eval_data:
            return Prepared(train, refused)
        held_out, refused_too = self._store("eval", self.settings.eval_data, encoder)
        found = self.world.on_rank0(lambda: tell_overlap(train, held_out, encoder, self.settings, self.console))
        evaluation = mean_over_targets(held_out, range(len(held_out)))
        return Prepared(train, refused + refused_too, held_out, evaluation, found)

    def _store(self, name: str, paths: Sequence[str], encoder: RowEncoder) -> tuple[token_store.TokenStore, int]:
        folder, settings = str(self.folder / name), self.settings
        world, console = self.world, self.console
        return prepare(folder, paths, encoder, settings, world, console, self.error_log, self.stop, self.phase)


def tell_overlap(
    train: token_store.TokenStore,
    held_out: token_store.TokenStore,
    encoder: RowEncoder,
    settings: DataSettings,
    console: Console,
) -> overlap.SharedRows | None:
    """What of the held-out rows is trained on, too, which it says if there is anything."""
    noun = {True: "pair", False: "response", None: "row"}[encoder.about.get("pairs")]
    found = overlap.of_held_out(train, held_out, 2 if noun == "pair" else 1, noun)
    if found is not None:
        overlap.tell(console, settings.eval_data, found)
    return found


def chat_format_of(settings: DataSettings, tokenizer: Any, console: Console | None = None) -> TrainingChat:
    """The chat format with the tokenizer's own template, or with the one given, which is then saved with the model.

    Says on `console` where conversations begin otherwise than plain text does.
    """
    given = settings.chat_template
    if given:
        tokenizer.chat_template = template_text(given, tokenizer)
    chat = TrainingChat(tokenizer, tokenizer.chat_template if given else None, dict(settings.chat_template_arg))
    if console is not None and (bos := chat.left_out_bos) is not None:
        what = f"the tokenizer begins plain text with {bos}, which the chat template does not write"
        cure = "a --chat-template that begins with {{ bos_token }} writes it"
        console.note(f"{what}: conversations are learned, and asked later, without it; {cure}", event="bos")
    return chat


def prepare(
    folder: str,
    paths: Sequence[str],
    encoder: RowEncoder,
    settings: DataSettings,
    world: World,
    console: Console,
    log: Callable[[], ErrorLog],
    stop: StopRequest | None = None,
    phase: Phase | None = None,
) -> tuple[token_store.TokenStore, int]:
    """The samples of `paths`, as all ranks see them, and how many rows were refused; encoded again if these changed.

    A row that cannot be learned from ends the run before it begins, unless `settings.errors` names a file for it.
    """
    made_from = _origin(paths, encoder, settings)
    refused = world.broadcast(None if "-" in paths else origin.refused_before(folder, made_from, settings.errors))
    if refused is None:
        refused = world.on_rank0(lambda: _build(folder, encoder, settings, made_from, console, log(), stop, phase))
    return token_store.TokenStore(folder), refused


def _build(
    folder: str,
    encoder: RowEncoder,
    settings: DataSettings,
    made_from: dict[str, Any],
    console: Console,
    log: ErrorLog,
    stop: StopRequest | None,
    phase: Phase | None,
) -> int:
    """Writes the folder; returns the number of refused rows."""
    paths, counts, lengths = made_from["files"], Counts(), RowLengths()
    if phase is not None:
        phase.begin("reading the samples", counts)
    origin.forget(folder)
    token_store.build(
        folder,
        readable_rows(paths, stop, counts, log),
        encoder,
        max_length=settings.max_length,
        too_long=settings.too_long,
        errors=log,
        counts=counts,
        lengths=lengths,
        workers=settings.workers,
        config=made_from["encoding"],
    )
    console.note(f"{', '.join(paths)}: {counts.summary()}")
    for form in encoder.forms.take_notes():
        console.note(f"{', '.join(paths)}: {form}", event="form")
    if settings.too_long == "drop" and (left_out := lengths.beyond(settings.max_length)):
        what = f"--max-length {settings.max_length} leaves out {left_out.share()}"
        cure = f"{left_out.sufficient} would keep {KEPT} %"
        console.say(f"{', '.join(paths)}: {what}; {cure}", event="too_long", **left_out._asdict())
    refuse_bad_rows(paths, counts, settings, log)
    if encoder.about.get("pairs") is False:  # labelled responses
        values = token_store.TokenStore(folder).values
        if values is not None and len(values) > 1 and len(labels := {int(value >= 0.5) for value in values}) == 1:
            label = labels.pop()
            what = f"all {len(values):,} responses have the label {label}"
            console.note(f"{', '.join(paths)}: {what}; add some with {1 - label} beside them", event="one_label")
    origin.note(folder, made_from, counts.errors)
    return counts.errors


def refuse_bad_rows(paths: Sequence[str], counts: Counts, settings: DataSettings, log: ErrorLog) -> None:
    """Raises Fatal if rows were refused without a file for them, or nothing is left to learn from (2)."""
    if counts.errors and settings.errors is None:
        cure = "mend them, or leave them out: --errors FILE takes them"
        raise Fatal(
            Exit.USAGE, f"{counted(counts.errors, 'row')} cannot be learned from, and nothing was trained; {cure}"
        )
    if not counts.out:
        where = f"; {log.path} says why, row by row" if counts.errors and log.path else ""
        raise Fatal(Exit.USAGE, f"{', '.join(paths)}: there is nothing to learn from{where}")


def readable_rows(paths: Sequence[str], stop: StopRequest | None, counts: Counts, log: ErrorLog) -> Iterator[Row]:
    """The rows of the files, with their fields under plain names, too; lines that are no rows are refused.

    Raises Fatal if asked to stop meanwhile.
    """
    with closing(read_rows(InputFiles(paths, wake_fd=stop.wake_fd if stop else None), counts, stop)) as entries:
        for entry in entries:
            if isinstance(entry, BadLine):
                counts.read += 1
                counts.refuse(entry.error.kind)
                log.add(entry.error, entry.raw, entry.place, None)
            else:
                entry.fields |= respelled(entry.fields)
                yield entry
    if stop and stop.status:
        raise Fatal(stop.status, f"stopped before the first step; {same_command(paths)}")


def _origin(paths: Sequence[str], encoder: RowEncoder, settings: DataSettings) -> dict[str, Any]:
    """What samples are made from. A file that does not exist is reported when it is read."""
    return {
        **origin.of_files(paths),
        "encoding": {
            "tokenizer": origin.of_tokenizer(encoder.chat.tokenizer),
            "template": encoder.chat.template_sha256,
            "template_args": list(map(list, settings.chat_template_arg)),
            **encoder.about,
        },
        "max_length": settings.max_length,
        "too_long": settings.too_long,
    }
