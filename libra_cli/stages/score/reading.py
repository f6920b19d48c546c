"""Reading rows for `libra score`: a collector for each judge of each file.

A row that cannot be scored ends the run: figures that silently lack rows would be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Protocol

from libra_cli.exits import Exit, Fatal
from libra_cli.plural import counted
from libra_cli.records.row_types import check_types
from libra_cli.rm_benchmarks.result_files import judged_rows_of
from libra_cli.stages.score.judged_items import ScoredJudge
from libra_cli.stages.score.row_kinds import RowKind, kind_of
from libra_cli.stages.score.spelling import FileSpelling
from libra_cli.stream.line_source import STDIN, InputFiles
from libra_cli.stream.reader import BadLine, read_rows
from libra_cli.stream.rows import Row, RowError, dumps

Fields = dict[str, Any]


@dataclass(frozen=True)
class ScoreConfig:
    """What the options of `libra score` ask for; the same for every judge."""

    kind: str | None = None
    """Kind of the rows; None: detected from the first row of each file."""
    protocol: str = "official"
    null: str = "rule"
    threshold: float | str | None = None
    """A number, "search", "cross-fit", or None: by the judge task of the rows."""
    folds: int = 5
    at: tuple[int, ...] = ()
    allow_short: bool = False
    resamples: int = 1000
    seed: int = 0
    examples: bool = False

    def no_effect_notes(self, *names: str) -> list[str]:
        """A note on those of the options `names` that are set; for kinds of rows that they do not apply to."""
        given = [f"--{name}" for name in names if getattr(self, name) != getattr(type(self), name)]
        return [f"without effect on these rows: {', '.join(given)}"] if given else []


class RowCollector(Protocol):
    """Collects the rows of one judge, then makes its report."""

    file: str

    def add(self, fields: Fields, raw: bytes) -> None:
        """Adds a row; raises ValueError naming what it lacks and what to do."""

    def scored(self) -> ScoredJudge:
        """Makes the report after the last row; raises ValueError if there can be none."""


def read(
    paths: tuple[str, ...],
    config: ScoreConfig,
    make: Callable[[RowKind, ScoreConfig, str, str], RowCollector],
    progress: Callable[[str], None],
) -> tuple[list[RowCollector], dict[str, list[str]]]:
    """Reads all files; returns a collector, made by `make`, for each judge of each file in order of appearance.

    With them come notes on each file: which columns and words were taken for what.
    Raises Fatal if a file cannot be read or a row cannot be scored, for instance because it is of another kind than
    those before it.
    """
    collectors: list[RowCollector] = []
    notes: dict[str, list[str]] = {}
    for path in paths or ("-",):
        file = STDIN if path == "-" else path
        kind: RowKind | None = None
        reads_judgments, spelling = True, FileSpelling()
        of_judge: dict[str, RowCollector] = {}
        with closing(read_rows(InputFiles([path]))) as rows:
            for n_rows, row in enumerate(rows, 1):
                if isinstance(row, BadLine):  # checked here, not in `rows_of_file`: a generator more costs every row
                    raise no_row(row)
                try:
                    published = judged_rows_of(row.fields)
                    for fields in published or (row.fields,):
                        check_types(fields, reads_judgments)
                        if kind is None:
                            spelling.learn(fields)
                            kind = kind_of(spelling.named(fields), config.kind)
                            reads_judgments = not kind.is_pointwise
                        own, fields = fields, spelling.named(fields)
                        if kind.verdicts:
                            fields = spelling.numbered(fields, kind.verdicts)
                        if not kind.accepts(fields):
                            raise ValueError(kind.why_not(fields))
                        judge = kind.judge_of(fields)
                        collector = of_judge.get(judge)
                        if collector is None:
                            name = judge or (file if file == STDIN else PurePath(file).name)
                            collector = of_judge[judge] = make(kind, config, name, file)
                        collector.add(fields, row.raw if published is None and fields is own else dumps(fields))
                except KeyError as error:
                    raise Fatal(Exit.USAGE, f"{row.place}: no {error}: keep the fields of the benchmark") from None
                except (RowError, ValueError, TypeError) as error:
                    raise Fatal(Exit.USAGE, f"{row.place}: {error}") from None
                if not n_rows & 0xFF:
                    progress(f"{counted(n_rows, 'row')} of {file}")
        if not of_judge:
            raise Fatal(Exit.INCOMPLETE, f"{file}: there are no rows; run the stage before this one again")
        collectors += of_judge.values()
        notes[file] = spelling.notes
    return collectors, notes


def rows_of_file(path: str) -> Generator[Row, None, None]:
    """Reads the rows of a file; raises Fatal on a line that is no row, with status 7 if the file is cut off there."""
    with closing(read_rows(InputFiles([path]))) as entries:
        for entry in entries:
            if isinstance(entry, BadLine):
                raise no_row(entry)
            yield entry


def no_row(line: BadLine) -> Fatal:
    """The error of a line that is no row."""
    status = Exit.INCOMPLETE if line.error.kind == "truncated_line" else Exit.USAGE
    return Fatal(status, f"{line.place}: {line.error}")


def by_frequency(counts: Mapping[str, int]) -> dict[str, int]:
    """Sorts counts, the highest first, then by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
