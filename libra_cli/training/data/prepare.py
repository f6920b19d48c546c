"""From files to the samples of a run: read, encoded and written once, by rank 0; opened by all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import orjson

from libra_cli.exits import Exit, Fatal
from libra_cli.stream import rows
from libra_cli.stream.console import Console
from libra_cli.stream.counts import Counts
from libra_cli.stream.error_log import ErrorLog
from libra_cli.stream.files import replace_file
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.signals import StopRequest
from libra_cli.training.data import token_store
from libra_cli.training.data.chat_format import Chat, template_text
from libra_cli.training.data.tokenization import Encoder
from libra_cli.training.distributed.world import World
from libra_cli.training.settings import DataSettings

_ORIGIN = "origin.json"
"""What a folder of samples was made from."""


def chat_of(settings: DataSettings, tokenizer: Any) -> Chat:
    """The tokenizer's own template, or the one that is given, which becomes its own."""
    given = settings.chat_template
    if given:
        tokenizer.chat_template = template_text(given)  # and so it is saved with the model
    return Chat(tokenizer, tokenizer.chat_template if given else None, dict(settings.chat_template_arg))


def prepare(
    folder: str, paths: Sequence[str], encoder: Encoder, settings: DataSettings, world: World, console: Console,
    log: Callable[[], ErrorLog], stop: StopRequest | None = None,
) -> tuple[token_store.TokenStore, int]:  # fmt: skip
    """The samples of `paths`, as all ranks see them, and how many rows were refused; encoded anew where these changed.

    A row that cannot be learned from ends the run before it begins, unless `settings.errors` names a file for it.
    """
    origin = _origin(paths, encoder, settings)
    refused = world.told(None if "-" in paths else _refused_before(folder, origin))
    if refused is None:
        rows_read = partial(rows_of, paths, stop)
        world.together(lambda: _build(folder, rows_read, encoder, settings, origin, console, log()), only_first=True)
        refused = world.told(_refused_before(folder, origin))
    return token_store.TokenStore(folder), refused


def _build(folder: str, rows_read: Callable[[Counts, ErrorLog], Iterator[rows.Row]], encoder: Encoder,
           settings: DataSettings, origin: dict[str, Any], console: Console, log: ErrorLog) -> None:  # fmt: skip
    paths, counts, before = origin["files"], Counts(), log.kinds.copy()
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(folder, _ORIGIN))  # what is made now is no longer what it says
    made = token_store.build(folder, rows_read(counts, log), encoder, max_length=settings.max_length,
                       too_long=settings.too_long, errors=log, counts=counts, workers=settings.workers,
                       config=origin["encoding"])  # fmt: skip
    console.note(f"{', '.join(paths)}: {counts.summary(log.kinds - before)}")
    if counts.errors and settings.errors is None:
        cure = "mend them, or name a file to leave them in: --errors FILE"
        raise Fatal(Exit.SOME_ERRORS, f"{counts.errors} rows cannot be learned from, and nothing was trained; {cure}")
    if not len(made):
        raise Fatal(Exit.USAGE, f"{', '.join(paths)}: there is no sample to learn from")
    replace_file(os.path.join(folder, _ORIGIN), orjson.dumps({**origin, "refused": counts.errors}))


def _origin(paths: Sequence[str], encoder: Encoder, settings: DataSettings) -> dict[str, Any]:
    """What samples are made from; a file that cannot be looked at is found missing when it is read."""
    stats = [os.stat(path) for path in paths if path != "-" and os.path.exists(path)]
    encoding = {"tokenizer": _identity(encoder.chat.tokenizer), "template": encoder.chat.template_sha256,
                "template_args": list(map(list, settings.chat_template_arg)), "learn": settings.learn,
                "assistant": settings.assistant}  # fmt: skip
    limits = {"max_length": settings.max_length, "too_long": settings.too_long}
    return {
        "files": [*paths],
        "seen": [[each.st_size, each.st_mtime_ns] for each in stats],
        "encoding": encoding,
        **limits,
    }


def _identity(tokenizer: Any) -> str:
    """A hash of all that a tokenizer is."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    whole = backend.to_str() if backend is not None else json.dumps(sorted(tokenizer.get_vocab().items()))
    return rows.content_hash(whole)


def _refused_before(folder: str, origin: dict[str, Any]) -> int | None:
    """How many rows were refused when the folder was made of just this; None where it has to be made."""
    try:
        with open(os.path.join(folder, _ORIGIN), "rb") as file:
            made: dict[str, Any] = orjson.loads(file.read())
    except (OSError, ValueError):
        return None
    refused: int = made.pop("refused", 0)
    return refused if made == origin else None


def rows_of(paths: Sequence[str], stop: StopRequest | None, counts: Counts, log: ErrorLog) -> Iterator[rows.Row]:
    """The rows that can be read; the others are refused. Raises Fatal where somebody asks to stop meanwhile."""
    source = InputFiles(paths, wake_fd=stop.wake_fd if stop else None)
    while (batch := source.read()) is not None:
        if stop and stop.status:
            raise Fatal(stop.status, "stopped before the first step; the same command begins anew")
        for number, raw in enumerate(batch.lines, batch.first):
            raw = raw.strip(b" \t\r")
            refused = batch.refused.get(number - batch.first)
            if not raw and refused is None:
                counts.blank += 1
                continue
            try:
                if refused is not None:
                    raise refused
                row = rows.Row(rows.parse(raw), raw, batch.file, number)
            except rows.RowError as error:
                counts.read += 1
                counts.errors += 1
                log.add(batch.explain(error, number), raw, f"{batch.file}:{number}", None)
            else:
                yield row
