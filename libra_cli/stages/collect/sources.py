"""Sources of problems: JSONL, CSV and Parquet files, and data sets of a hub, one after another."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.collect.presets import Hub, Preset
from libra_cli.stream.line_batch import LineBatch, LineSource
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.tables import TableRecords, TableRows, needing, one_line, parquet_rows

_COMPRESSED = re.compile(r"\.(gz|zst|bz2|xz)$")
_EXTENSION = re.compile(r"\.(jsonl|ndjson|json|csv|tsv|parquet|xlsx|xlsm|xlsb|xls|ods)$")
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
    sheet: str | None = None
    """Name of the sheet of a workbook."""
    split: str | None = None
    revision: str | None = None
    max_line_bytes: int = 64 << 20
    stall_timeout: float = 0.0
    padded: Sequence[str] = ()
    """Paths of fields of tables that --map gives a name among `tables.PADDED`."""
    taken: Mapping[str, str] = field(default_factory=dict)
    """Field -> the name that --map gives it."""


def file_origin(path: str, preset: Preset | None = None) -> Origin:
    """The origin for a file, or for standard input."""
    return Origin("<stdin>" if path == "-" else path, path=path, preset=preset)


def hub_origin(hub: Hub, preset: Preset | None = None) -> Origin:
    """The origin for a data set of a hub."""
    return Origin(f"{hub.name}:{hub.config}" if hub.config else hub.name, hub=hub, preset=preset)


def preset_origin(preset: Preset) -> Origin:
    """The origin for the data set of a preset; raises Fatal(2) for one whose files must be named."""
    if preset.files:
        raise Fatal(Exit.USAGE, f"--preset {preset.name} is on no hub; name its files: {preset.files}")
    return hub_origin(preset.hub, preset) if preset.hub is not None else file_origin(str(preset.file), preset)


class SourceChain:
    """Reads several origins one after another; opens each in its turn, but checks all files at the start."""

    def __init__(self, origins: Sequence[Origin], options: ReadOptions, wake_fd: int | None = None):
        if options.sheet is not None and options.format is not None:
            raise Fatal(
                Exit.USAGE, f"--sheet is for a workbook, not for {options.format}; leave out --format or --sheet"
            )
        for origin in origins:
            if origin.hub is not None and options.sheet is not None:
                reason = "is a data set of a hub; --sheet is for a workbook (.xlsx, .xls, .ods); leave --sheet out"
                raise Fatal(Exit.USAGE, f"{origin.place}: {reason}")
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
    """The format `given`, or by the name (.csv, .tsv, .parquet, also before .gz and the like), or else JSONL."""
    return given or _SUFFIXES.get(os.path.splitext(_COMPRESSED.sub("", path.lower()))[1], "jsonl")


def _open(origin: Origin, options: ReadOptions, wake_fd: int | None) -> LineSource:
    if origin.hub is not None:
        return TableRows(origin.place, _hub_rows(origin, options), options.padded)
    path = str(origin.path)
    if options.sheet is not None:
        return _sheet(path, options.sheet, options.taken)
    kind = format_of(path, options.format)
    if kind == "parquet":
        return TableRows(path, parquet_rows(path), options.padded)
    csv = False if kind == "jsonl" else options.delimiter or ("\t" if kind == "tsv" else True)
    return InputFiles([path], options.max_line_bytes, wake_fd, options.stall_timeout, csv, options.taken)


def _sheet(path: str, name: str, taken: Mapping[str, str]) -> LineSource:
    """The rows of a sheet; raises Fatal(2) for a file that is no workbook."""
    from libra_cli.stream.workbooks import is_workbook, workbook_rows

    if path == "-" or not os.path.isfile(path) or not is_workbook(path):
        raise Fatal(Exit.USAGE, f"{path}: is no workbook (.xlsx, .xls, .ods), which --sheet is for; leave --sheet out")
    return TableRows(path, workbook_rows(path, name, taken))


def _hub_rows(origin: Origin, options: ReadOptions) -> TableRecords:
    assert origin.hub is not None
    hub = replace(origin.hub, split=options.split or origin.hub.split)
    with needing(f"{hub.name}: a data set of a hub"):
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
        raise Fatal(Exit.USAGE, f"{hub.name}: {one_line(error)}; choose with --hub NAME:CONFIG and --split") from None
    except Exception as error:  # noqa: BLE001 -- every layer below (HTTP, file systems, Arrow) has exceptions of its own
        why = "HF_HUB_OFFLINE is set, and it was not downloaded before" if _offline() else one_line(error)
        reason = f"{hub.name}: could not be reached ({why})"
        raise Fatal(Exit.BACKEND, f"{reason}; copy a file of it here: {local}") from None


def parse_hub_name(text: str) -> Hub:
    """Reads `NAME[:CONFIG]`."""
    name, _, config = text.partition(":")
    return Hub(name, config or None)
