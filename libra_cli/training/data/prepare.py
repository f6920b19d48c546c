"""From files to samples on disk: rank 0 reads, encodes and writes them once; all ranks open them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import orjson

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.console import Console
from libra_cli.stream.counts import Counts
from libra_cli.stream.error_log import ErrorLog
from libra_cli.stream.files import replace_file
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import BadLine, read_rows
from libra_cli.stream.rows import Row, content_hash
from libra_cli.stream.signals import StopRequest
from libra_cli.stream.sinks import write_failed
from libra_cli.training.data import token_store
from libra_cli.training.data.chat_format import TrainingChat, template_text
from libra_cli.training.data.tokenization import Encoder
from libra_cli.training.distributed.world import World
from libra_cli.training.settings import DataSettings


class TrainingData(Protocol):
    """What a run trains on or is evaluated on: samples, or prompts to sample from."""

    digest: str
    """Identifies the content."""

    def __len__(self) -> int: ...

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence that the model will see."""

    @property
    def largest_id(self) -> int:
        """The largest token id."""

    def summary(self) -> str:
        """What it is, for people."""


class Prepared(NamedTuple):
    """The data of a run."""

    train: TrainingData
    held_out: TrainingData | None
    refused: int
    """Rows that cannot be used."""


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

    def samples(self, encoder: Encoder) -> Prepared:
        """Rows as samples of tokens: those to train on, and the held-out ones."""
        held_out, refused_too = None, 0
        train, refused = self._store("train", self.settings.inputs, encoder)
        if self.settings.eval_data:
            held_out, refused_too = self._store("eval", self.settings.eval_data, encoder)
        return Prepared(train, held_out, refused + refused_too)

    def _store(self, name: str, paths: Sequence[str], encoder: Encoder) -> tuple[token_store.TokenStore, int]:
        folder, settings = str(self.folder / name), self.settings
        return prepare(folder, paths, encoder, settings, self.world, self.console, self.error_log, self.stop)


_ORIGIN = "origin.json"
"""What a folder of samples was made from."""


def chat_format_of(settings: DataSettings, tokenizer: Any) -> TrainingChat:
    """The chat format with the tokenizer's own template, or with the one given, which is then saved with the model."""
    given = settings.chat_template
    if given:
        tokenizer.chat_template = template_text(given)
    return TrainingChat(tokenizer, tokenizer.chat_template if given else None, dict(settings.chat_template_arg))


def prepare(
    folder: str,
    paths: Sequence[str],
    encoder: Encoder,
    settings: DataSettings,
    world: World,
    console: Console,
    log: Callable[[], ErrorLog],
    stop: StopRequest | None = None,
) -> tuple[token_store.TokenStore, int]:
    """The samples of `paths`, as all ranks see them, and how many rows were refused; encoded again if these changed.

    A row that cannot be learned from ends the run before it begins, unless `settings.errors` names a file for it.
    """
    origin = _origin(paths, encoder, settings)
    refused = world.broadcast(None if "-" in paths else _refused_before(folder, origin))
    if refused is None:
        world.on_rank0(lambda: _build(folder, encoder, settings, origin, console, log(), stop))
        refused = world.broadcast(_refused_before(folder, origin))
    return token_store.TokenStore(folder), refused


def _build(
    folder: str,
    encoder: Encoder,
    settings: DataSettings,
    origin: dict[str, Any],
    console: Console,
    log: ErrorLog,
    stop: StopRequest | None,
) -> None:
    paths, counts, kinds_before = origin["files"], Counts(), log.kinds.copy()
    try:
        os.unlink(os.path.join(folder, _ORIGIN))  # until the new samples are written, it would be wrong
    except FileNotFoundError:
        pass  # these are the first
    except OSError as error:
        raise write_failed(os.path.join(folder, _ORIGIN), error, begun=True) from None
    store = token_store.build(
        folder,
        readable_rows(paths, stop, counts, log),
        encoder,
        max_length=settings.max_length,
        too_long=settings.too_long,
        errors=log,
        counts=counts,
        workers=settings.workers,
        config=origin["encoding"],
    )
    console.note(f"{', '.join(paths)}: {counts.summary(log.kinds - kinds_before)}")
    if counts.errors and settings.errors is None:
        cure = "mend them, or name a file to leave them in: --errors FILE"
        raise Fatal(Exit.SOME_ERRORS, f"{counts.errors} rows cannot be learned from, and nothing was trained; {cure}")
    if not len(store):
        raise Fatal(Exit.USAGE, f"{', '.join(paths)}: there is no sample to learn from")
    replace_file(os.path.join(folder, _ORIGIN), orjson.dumps({**origin, "refused": counts.errors}))


def readable_rows(paths: Sequence[str], stop: StopRequest | None, counts: Counts, log: ErrorLog) -> Iterator[Row]:
    """The rows of the files; lines that are no rows are refused. Raises Fatal if asked to stop meanwhile."""
    for entry in read_rows(InputFiles(paths, wake_fd=stop.wake_fd if stop else None), counts, stop):
        if isinstance(entry, BadLine):
            counts.read += 1
            counts.errors += 1
            log.add(entry.error, entry.raw, entry.place, None)
        else:
            yield entry
    if stop and stop.status:
        raise Fatal(stop.status, "stopped before the first step; the same command begins anew")


def _origin(paths: Sequence[str], encoder: Encoder, settings: DataSettings) -> dict[str, Any]:
    """What samples are made from. A file that does not exist is reported when it is read."""
    stats = [os.stat(path) for path in paths if path != "-" and os.path.exists(path)]
    tokenizer = encoder.chat.tokenizer
    backend = getattr(tokenizer, "backend_tokenizer", None)
    whole_tokenizer = backend.to_str() if backend is not None else json.dumps(sorted(tokenizer.get_vocab().items()))
    return {
        "files": [*paths],
        "seen": [[stat.st_size, stat.st_mtime_ns] for stat in stats],
        "encoding": {
            "tokenizer": content_hash(whole_tokenizer),
            "template": encoder.chat.template_sha256,
            "template_args": list(map(list, settings.chat_template_arg)),
            "learn": encoder.learn,
            "assistant": encoder.assistant,
        },
        "max_length": settings.max_length,
        "too_long": settings.too_long,
    }


def _refused_before(folder: str, origin: dict[str, Any]) -> int | None:
    """How many rows were refused when the folder was made from `origin`; None if it was made from something else."""
    try:
        with open(os.path.join(folder, _ORIGIN), "rb") as file:
            made_from = orjson.loads(file.read())
    except (OSError, ValueError):
        return None
    refused = made_from.pop("refused", 0) if isinstance(made_from, dict) else None
    return refused if type(refused) is int and made_from == origin else None
