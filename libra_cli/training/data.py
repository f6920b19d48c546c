"""From files to the samples of a run: read, encoded and written once, by rank 0; opened by all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import orjson

from libra_cli.exits import Exit, Fatal
from libra_cli.stream import rows
from libra_cli.stream.account import Counts
from libra_cli.stream.console import Console
from libra_cli.stream.errors import ErrorLog
from libra_cli.stream.lines import Source
from libra_cli.stream.output import replace_file
from libra_cli.training import store
from libra_cli.training.encode import Encoder
from libra_cli.training.world import World


_SOURCES = "sources.json"
"""Which files a folder of samples was made from."""


@dataclass(frozen=True)
class DataSettings:
    """Which rows are learned from, and what of them."""

    inputs: tuple[str, ...] = ()
    eval_data: tuple[str, ...] = ()
    chat_template: str | None = None
    assistant: Literal["template", "verbatim"] = "template"
    learn: Literal["last", "all"] = "last"
    too_long: Literal["drop", "refuse"] = "drop"
    max_length: int = 32_768
    errors: str | None = None
    workers: int = 1


def prepare(folder: str, paths: Sequence[str], encoder: Encoder, settings: DataSettings, world: World,
            console: Console) -> store.TokenStore:  # fmt: skip
    """The samples of `paths`, as all ranks see them; encoded already where the files have not changed since.

    A row that cannot be learned from ends the run before it begins, unless `settings.errors` names a file for it.
    """
    failed: Fatal | None = None
    if world.is_first and not _is_there(folder, paths):
        try:
            _build(folder, paths, encoder, settings, console)
        except Fatal as error:
            failed = error
    told = world.told(failed and (int(failed.status), str(failed)))
    if told is not None:
        raise Fatal(Exit(told[0]), told[1])
    return store.TokenStore(folder)


def _build(folder: str, paths: Sequence[str], encoder: Encoder, settings: DataSettings, console: Console) -> None:
    counts, log = Counts(), ErrorLog(settings.errors, "sft", console)
    sources = _sources(paths)
    try:
        made = store.build(folder, rows_of(paths, counts, log), encoder, max_length=settings.max_length,
                           too_long=settings.too_long, errors=log, counts=counts, workers=settings.workers,
                           config={})  # fmt: skip
    finally:
        log.close()
    console.note(f"{', '.join(paths)}: {counts.summary(log.kinds)}")
    if counts.errors and settings.errors is None:
        cure = "mend them, or name a file to leave them in: --errors FILE"
        raise Fatal(Exit.SOME_ERRORS, f"{counts.errors} rows cannot be learned from, and nothing was trained; {cure}")
    if not len(made):
        raise Fatal(Exit.USAGE, f"{', '.join(paths)}: there is no sample to learn from")
    replace_file(os.path.join(folder, _SOURCES), sources)


def _is_there(folder: str, paths: Sequence[str]) -> bool:
    """Whether these very files were encoded by an earlier part of the run, whose settings have been compared."""
    try:
        with open(os.path.join(folder, _SOURCES), "rb") as file:
            return "-" not in paths and file.read() == _sources(paths)
    except OSError:
        return False


def _sources(paths: Sequence[str]) -> bytes:
    """What tells whether files have changed; what cannot be looked at is found missing when it is read."""
    stats = [os.stat(path) for path in paths if path != "-" and os.path.exists(path)]
    return orjson.dumps([[*paths], [[each.st_size, each.st_mtime_ns] for each in stats]])


def rows_of(paths: Sequence[str], counts: Counts, log: ErrorLog) -> Iterator[rows.Row]:
    """The rows that can be read; the others are refused."""
    source = Source(paths)
    while (batch := source.read()) is not None:
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
