"""Sources of problems: JSONL, CSV and Parquet files, and data sets of a hub, one after another."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

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
Records = Generator[Mapping[str, Any], None, None]
_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".parquet": "parquet"}


@dataclass(frozen=True)
class Origin:
    """One source: a file (`-` is standard input) or a data set of a hub."""

    place: str
    """Its name in messages, and in the `file` of its rows."""
    path: str | None = None
    hub: Hub | None = None
    preset: Preset | None = None

    @property
    def subset(self) -> str | None:
        """The subset of rows without one: the name of the file or data set; standard input has no name."""
        if self.path == "-":
            return None
        name = os.path.basename(self.hub.name if self.hub is not None else self.place)
        return _EXTENSION.sub("", _COMPRESSED.sub("", name))


@dataclass(frozen=True)
class ReadOptions:
    """How to read files and data sets."""

    format: str | None = None
    delimiter: str | None = None
    split: str | None = None
    revision: str | None = None
    max_line_bytes: int = 64 << 20
    stall_timeout: float = 0.0


def file_origin(path: str, preset: Preset | None = None) -> Origin:
    """The origin for a file, or for standard input."""
    return Origin("<stdin>" if path == "-" else path, path=path, preset=preset)


def hub_origin(hub: Hub, preset: Preset | None = None) -> Origin:
    """The origin for a data set of a hub."""
    return Origin(f"{hub.name}:{hub.config}" if hub.config else hub.name, hub=hub, preset=preset)


def preset_origin(preset: Preset) -> Origin:
    """The origin for the data set of a preset."""
    return hub_origin(preset.hub, preset) if preset.hub is not None else file_origin(str(preset.file), preset)


class SourceChain:
    """Reads several origins one after another; opens each in its turn, but checks all files at the start."""

    def __init__(self, origins: Sequence[Origin], options: ReadOptions, wake_fd: int | None = None):
        for origin in origins:
            if origin.path is None:
                continue
            InputFiles([origin.path])  # raises if it cannot be read
            if origin.path == "-" and format_of("-", options.format) == "parquet":
                reason = "Parquet cannot be read from a pipe, its index is at the end; save it to a file"
                raise Fatal(Exit.USAGE, f"-: {reason}")
        self._left = list(origins)
        self._open: LineSource | None = None
        self._options, self._wake_fd = options, wake_fd

    def read(self, wait: float | None = None) -> LineBatch | None:
        """Returns the next rows, as `LineSource.read` does."""
        while True:
            if self._open is None:
                if not self._left:
                    return None
                self._open = _open(self._left.pop(0), self._options, self._wake_fd)
            batch = self._open.read(wait)
            if batch is not None:
                return batch
            self._open = None

    def close(self) -> None:
        """Closes the origin that is open, if any; nothing is read afterwards."""
        self._left = []
        if self._open is not None:
            self._open.close()
            self._open = None


def format_of(path: str, given: str | None) -> str:
    """The format `given`, or by the name (.csv, .tsv, .parquet, also before .gz or .zst), or else JSONL."""
    return given or _SUFFIXES.get(os.path.splitext(_COMPRESSED.sub("", path.lower()))[1], "jsonl")


def _open(origin: Origin, options: ReadOptions, wake_fd: int | None) -> LineSource:
    if origin.hub is not None:
        return _Table(origin.place, _hub_rows(origin, options))
    path = str(origin.path)
    kind = format_of(path, options.format)
    if kind == "parquet":
        return _Table(path, _parquet_rows(path))
    lines = InputFiles([path], options.max_line_bytes, wake_fd, options.stall_timeout)
    if kind == "jsonl":
        return lines
    return CsvSource(lines, options.delimiter or ("\t" if kind == "tsv" else ","), options.max_line_bytes)


class _Table:
    """Serializes the dicts that a library reads, numbered from 1."""

    def __init__(self, place: str, records: Records):
        self._place, self._records, self._number = place, records, 1

    def read(self, wait: float | None = None) -> LineBatch | None:
        batch = LineBatch(self._place, self._number, [])
        for record in self._records:
            try:
                batch.lines.append(rows.dumps(_plain(record)))
            except TypeError:
                raise self._no_json(record, self._number + len(batch.lines)) from None
            except ValueError as error:  # an infinite number, in this row
                reason = f"a value is not JSON ({error}); leave its column out"
                batch.refused[len(batch.lines)] = RowError("not_json", reason)
                batch.lines.append(b"")
            if len(batch.lines) == ROWS_A_BATCH:
                break
        self._number += len(batch.lines)
        return batch if batch.lines else None

    def close(self) -> None:
        self._records.close()

    def _no_json(self, record: Mapping[str, Any], number: int) -> Fatal:
        """The error of the first column with a value that no text or number stands for; other rows have it, too."""
        for name, value in record.items():
            try:
                rows.dumps({"value": _plain(value)})
            except TypeError as error:
                what = f'the column "{name}" holds what JSON cannot ({error}, first in row {number})'
                return Fatal(Exit.USAGE, f"{self._place}: {what}; write the table without it, or as text")
            except ValueError:
                continue
        raise AssertionError("no value of the row is to blame")


def _plain(value: Any) -> Any:
    """Makes a table's value JSON: a missing number (NaN) becomes null; dates, durations, decimals and UTF-8 are text.

    Raises TypeError naming the type if nothing stands for the value.
    """
    if value is None or type(value) in (str, int, float, bool):
        return None if value != value else value
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, timedelta):
        return _duration(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Decimal):
        return None if value.is_nan() else f"{value:f}"
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise TypeError("bytes that are no text") from None
    if isinstance(value, (str, int, float)):
        return None if value != value else value
    raise TypeError(type(value).__name__)


def _duration(value: timedelta) -> str:
    """A duration in seconds by ISO 8601, such as PT90.5S; pandas has nanoseconds, too."""
    microseconds = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    nanoseconds = microseconds * 1000 + getattr(value, "nanoseconds", 0)
    seconds, rest = divmod(abs(nanoseconds), 1_000_000_000)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{'-' if nanoseconds < 0 else ''}PT{seconds}{fraction}S"


def _parquet_rows(path: str) -> Records:
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
    except ValueError as error:  # times in nanoseconds, for which pyarrow wants pandas
        cure = "install pandas, or store times in microseconds"
        raise Fatal(Exit.USAGE, f"{path}: a value cannot be read ({_one_line(error)}); {cure}") from None


@contextmanager
def _needing(what: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise Fatal(Exit.USAGE, f"{what} needs {error.name}, which is not installed: {INSTALL}") from None


def _hub_rows(origin: Origin, options: ReadOptions) -> Records:
    assert origin.hub is not None
    hub = replace(origin.hub, split=options.split or origin.hub.split)
    with _needing(f"{hub.name}: a data set of a hub"):
        import datasets
    # Progress bars and retry warnings are not for our users: an error message follows if all retries fail.
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(logging.CRITICAL)
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
    local = f"libra collect --preset {origin.preset.name} FILE" if origin.preset else "libra collect FILE"
    with _hub_errors(hub, local):
        loaded = datasets.load_dataset(
            hub.name,
            hub.config,
            data_dir=hub.data_dir,
            split=hub.split,
            revision=options.revision,
            streaming=not _offline(),  # streaming cannot read from the cache
        )
        if hub.split is None:
            if len(loaded) != 1:
                raise Fatal(Exit.USAGE, f"{hub.name}: has several splits; choose one: --split {' | '.join(loaded)}")
            loaded = next(iter(loaded.values()))
        yield from loaded


def _offline() -> bool:
    from datasets import config

    return bool(config.HF_HUB_OFFLINE)


@contextmanager
def _hub_errors(hub: Hub, local: str) -> Iterator[None]:
    """Turns errors of a hub into Fatal with one line: status 2 if the name is wrong, 6 if the hub cannot be reached."""
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
    except Exception as error:  # noqa: BLE001 -- every layer below (HTTP, file systems, Arrow) has exceptions of its own
        why = "HF_HUB_OFFLINE is set, and it was not downloaded before" if _offline() else _one_line(error)
        reason = f"{hub.name}: could not be reached ({why})"
        raise Fatal(Exit.BACKEND, f"{reason}; copy a file of it here: {local}") from None


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:197] + "..."


def parse_hub_name(text: str) -> Hub:
    """Reads `NAME[:CONFIG]`."""
    name, _, config = text.partition(":")
    return Hub(name, config or None)
