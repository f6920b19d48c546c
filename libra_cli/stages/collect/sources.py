"""Where problems are read from: files of rows, CSV, Parquet, and data sets of a hub, one after another."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.collect.csv_rows import CsvSource
from libra_cli.stages.collect.presets import Hub, Preset
from libra_cli.stream import rows
from libra_cli.stream.line_source import InputFiles, LineBatch, LineSource
from libra_cli.stream.rows import RowError

ROWS_A_BATCH = 256
INSTALL = "pip install 'libra-cli[data]'"
_COMPRESSED = re.compile(r"\.(gz|zst)$")
_EXTENSION = re.compile(r"\.(jsonl|ndjson|json|csv|tsv|parquet)$")
_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".parquet": "parquet"}


@dataclass(frozen=True)
class Origin:
    """One thing to read: a file (`-` is standard input), or a data set of a hub."""

    place: str
    """What messages call it, as the rows' `file` does."""
    path: str | None = None
    hub: Hub | None = None
    preset: Preset | None = None

    @property
    def subset(self) -> str | None:
        """What a row's subset is called where nobody says: as the file or data set is; standard input has no name."""
        if self.path == "-":
            return None
        name = os.path.basename(self.hub.name if self.hub is not None else self.place)
        return _EXTENSION.sub("", _COMPRESSED.sub("", name))


@dataclass(frozen=True)
class Reading:
    """How files and data sets are read."""

    format: str | None = None
    delimiter: str | None = None
    split: str | None = None
    revision: str | None = None
    max_line_bytes: int = 64 << 20


def file_origin(path: str, preset: Preset | None = None) -> Origin:
    """A file, or standard input."""
    return Origin("<stdin>" if path == "-" else path, path=path, preset=preset)


def hub_origin(hub: Hub, preset: Preset | None = None) -> Origin:
    """A data set of a hub."""
    return Origin(f"{hub.name}:{hub.config}" if hub.config else hub.name, hub=hub, preset=preset)


def preset_origin(preset: Preset) -> Origin:
    """Where a preset's data set is."""
    return hub_origin(preset.hub, preset) if preset.hub is not None else file_origin(str(preset.file), preset)


class Chain:
    """Several origins one after another, each opened when its turn comes; a file that cannot be read fails at once."""

    def __init__(self, origins: Sequence[Origin], reading: Reading, wake_fd: int | None = None):
        for origin in origins:
            _check(origin, reading)
        self._left = list(origins)
        self._open: LineSource | None = None
        self._reading, self._wake_fd = reading, wake_fd

    def read(self, wait: float | None = None) -> LineBatch | None:
        """The next rows, as `Source.read` gives them."""
        while True:
            if self._open is None:
                if not self._left:
                    return None
                self._open = _opened(self._left.pop(0), self._reading, self._wake_fd)
            batch = self._open.read(wait)
            if batch is not None:
                return batch
            self._open = None


def format_of(path: str, given: str | None) -> str:
    """`given`, else what the name says: .csv, .tsv, .parquet, also before .gz or .zst; anything else is JSONL."""
    return given or _SUFFIXES.get(os.path.splitext(_COMPRESSED.sub("", path.lower()))[1], "jsonl")


def _check(origin: Origin, reading: Reading) -> None:
    if origin.path is None:
        return
    InputFiles([origin.path])  # raises where it cannot be read
    if origin.path == "-" and format_of("-", reading.format) == "parquet":
        raise Fatal(Exit.USAGE, "-: Parquet cannot be read from a pipe, its index is at the end; save it to a file")


def _opened(origin: Origin, reading: Reading, wake_fd: int | None) -> LineSource:
    if origin.hub is not None:
        return _Table(origin.place, _hub_rows(origin.hub, reading, _local_command(origin)))
    path = str(origin.path)
    kind = format_of(path, reading.format)
    if kind == "parquet":
        return _Table(path, _parquet_rows(path))
    lines = InputFiles([path], reading.max_line_bytes, wake_fd)
    if kind == "jsonl":
        return lines
    return CsvSource(lines, reading.delimiter or ("\t" if kind == "tsv" else ","), reading.max_line_bytes)


class _Table:
    """Rows that a library gives as dicts, numbered from 1."""

    def __init__(self, place: str, records: Iterator[Mapping[str, Any]]):
        self._place, self._records, self._number = place, records, 1

    def read(self, wait: float | None = None) -> LineBatch | None:
        batch = LineBatch(self._place, self._number, [])
        for record in self._records:
            try:
                batch.lines.append(rows.dumps(_plain(record)))
            except (TypeError, ValueError) as error:
                reason = f"a value is not JSON ({error}); leave its column out"
                batch.refused[len(batch.lines)] = RowError("not_json", reason)
                batch.lines.append(b"")
            if len(batch.lines) == ROWS_A_BATCH:
                break
        self._number += len(batch.lines)
        return batch if batch.lines else None


def _plain(value: Any) -> Any:
    """What a table may hold and JSON does not: NaN, which is how tables write a missing number, and dates."""
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, bytes):
        raise TypeError("bytes")
    return value


def _parquet_rows(path: str) -> Iterator[Mapping[str, Any]]:
    with _needing(f"{path}: Parquet"):
        import pyarrow
        import pyarrow.parquet
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(ROWS_A_BATCH):
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        reason = f"{path}: is not whole or not Parquet ({_one_line(error)}); copy it again, or say --format"
        raise Fatal(Exit.INCOMPLETE, reason) from None


@contextmanager
def _needing(what: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise Fatal(Exit.USAGE, f"{what} needs {error.name}, which is not installed: {INSTALL}") from None


def _local_command(origin: Origin) -> str:
    return f"libra collect --preset {origin.preset.name} FILE" if origin.preset else "libra collect FILE"


def _hub_rows(hub: Hub, reading: Reading, instead: str) -> Iterator[Mapping[str, Any]]:
    with _needing(f"{hub.name}: a data set of a hub"):
        import datasets
    _quieten(datasets)
    wanted = replace(hub, split=reading.split or hub.split)
    with _reaching(wanted, instead):
        loaded = datasets.load_dataset(
            wanted.name, wanted.config, data_dir=wanted.data_dir, split=wanted.split, revision=reading.revision,
            # Offline only what was downloaded before can be read, which is not how streaming works.
            streaming=not _offline(),
        )  # fmt: skip
        yield from _one_split(wanted, loaded)


def _offline() -> bool:
    from datasets import config

    return bool(config.HF_HUB_OFFLINE)


def _one_split(hub: Hub, loaded: Any) -> Iterable[Mapping[str, Any]]:
    if hub.split is not None:
        return loaded
    if len(loaded) == 1:
        return next(iter(loaded.values()))
    raise Fatal(Exit.USAGE, f"{hub.name}: has several splits; choose one: --split {' | '.join(loaded)}")


def _quieten(datasets: Any) -> None:
    """Progress bars and retry warnings are not ours to show; what fails is said once."""
    import logging

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(logging.CRITICAL)
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)


@contextmanager
def _reaching(hub: Hub, instead: str) -> Iterator[None]:
    """Turns what goes wrong on the way to a hub into one line: 2 where the name is at fault, 6 where the way is."""
    from datasets.exceptions import DatasetNotFoundError

    try:
        yield
    except Fatal:
        raise
    except DatasetNotFoundError:
        reason = "is not on the hub, or not open to you; check the name, or log in (hf auth login)"
        raise Fatal(Exit.USAGE, f"{hub.name}: {reason}") from None
    except ValueError as error:
        raise Fatal(Exit.USAGE, f"{hub.name}: {_one_line(error)}; choose with --hub NAME:CONFIG and --split") from None
    except Exception as error:  # noqa: BLE001 -- every layer below (HTTP, file systems, Arrow) has its own exceptions
        why = "HF_HUB_OFFLINE is set, and it was not downloaded before" if _offline() else _one_line(error)
        reason = f"{hub.name}: could not be reached ({why})"
        raise Fatal(Exit.BACKEND, f"{reason}; copy a file of it here: {instead}") from None


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:197] + "..."


def hub_named(text: str) -> Hub:
    """From `NAME[:CONFIG]`."""
    name, _, config = text.partition(":")
    return Hub(name, config or None)
