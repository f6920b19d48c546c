"""Rows of a file into the columns of each judge; any row that cannot be scored ends the run: no figure without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Protocol

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.score.row_kinds import RowKind, kind_of
from libra_cli.stages.score.verdicts import ScoredJudge
from libra_cli.stream.line_source import STDIN, InputFiles
from libra_cli.stream.reader import BadLine, read_rows
from libra_cli.stream.rows import Row

Fields = dict[str, Any]


@dataclass(frozen=True)
class ScoreConfig:
    """What is asked of the figures, the same for every judge."""

    kind: str | None = None
    """None: found out from the first row of each file."""
    protocol: str = "official"
    null: str = "rule"
    threshold: float | str | None = None
    """A number, "search", "cross-fit", or None: as the rows' judge task has it."""
    folds: int = 5
    at: tuple[int, ...] = ()
    allow_short: bool = False
    resamples: int = 1000
    seed: int = 0
    examples: bool = False

    def without_effect(self, *names: str) -> list[str]:
        """A note of those of the options `names` that are given, to a kind of rows that they say nothing to."""
        given = [f"--{name}" for name in names if getattr(self, name) != getattr(type(self), name)]
        return [f"without effect on these rows: {', '.join(given)}"] if given else []


class RowCollector(Protocol):
    """The rows of one judge while they come in, and its figures afterwards."""

    file: str

    def add(self, fields: Fields, raw: bytes) -> None:
        """Takes a row; raises ValueError naming what it lacks and the cure."""

    def scored(self) -> ScoredJudge:
        """Its figures, once all rows are in; raises ValueError where there can be none."""


def read(paths: tuple[str, ...], how: ScoreConfig, make: Callable[[RowKind, ScoreConfig, str, str], RowCollector],
         progress: Callable[[str], None]) -> list[RowCollector]:  # fmt: skip
    """A collector for each judge of each file, in the order in which they come.

    Raises Fatal for a file that cannot be read, a line that is no row, a row that is not of the kind of the others.
    """
    found: list[RowCollector] = []
    for path in paths or ("-",):
        found += _File(path, how, make).collectors(progress)
    return found


class _File:
    """One input: what kind of rows it has, and its judges."""

    def __init__(self, path: str, how: ScoreConfig, make: Callable[[RowKind, ScoreConfig, str, str], RowCollector]):
        self._name, self._how, self._make = STDIN if path == "-" else path, how, make
        self._path = path
        self._kind: RowKind | None = None
        self._judges: dict[str, RowCollector] = {}

    def collectors(self, progress: Callable[[str], None]) -> list[RowCollector]:
        for n_rows, row in enumerate(rows_of_file(self._path), 1):
            try:
                self._add(row.fields, row.raw)
            except (ValueError, TypeError, KeyError) as error:
                raise Fatal(Exit.USAGE, f"{row.place}: {_said(error)}") from None
            if not n_rows & 0xFFF:
                progress(f"{n_rows:,} rows of {self._name}")
        if not self._judges:
            raise Fatal(Exit.INCOMPLETE, f"{self._name}: there are no rows; run the stage before this one again")
        return list(self._judges.values())

    def _add(self, fields: Fields, raw: bytes) -> None:
        kind = self._kind
        if kind is None:
            kind = self._kind = kind_of(fields, self._how.kind)
        if not kind.accepts(fields):
            raise ValueError(kind.why_not(fields))
        name = kind.judge_of(fields)
        collector = self._judges.get(name)
        if collector is None:
            shown = name or (self._name if self._name == STDIN else PurePath(self._name).name)
            collector = self._judges[name] = self._make(kind, self._how, shown, self._name)
        collector.add(fields, raw)


def rows_of_file(path: str) -> Iterator[Row]:
    """The rows of a file; raises Fatal for a line that is no row, with status 7 if the file was cut off there."""
    for entry in read_rows(InputFiles([path])):
        if isinstance(entry, BadLine):
            status = Exit.INCOMPLETE if entry.error.kind == "truncated_line" else Exit.USAGE
            raise Fatal(status, f"{entry.place}: {entry.error}")
        yield entry


def _said(error: Exception) -> str:
    return f"no {error}: keep the fields of the benchmark" if isinstance(error, KeyError) else str(error)


def reasons(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by reason, the most frequent first."""
    return dict(sorted(counts.items(), key=lambda found: (-found[1], found[0])))
