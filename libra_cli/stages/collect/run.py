"""What `libra collect` does with one row: map it, check it, keep it or say why not."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.collect import mapping
from libra_cli.stages.collect.contamination import Benchmarks, Overlap
from libra_cli.stages.collect.duplicates import Duplicates
from libra_cli.stages.collect.mapping import Fields, Rename
from libra_cli.stages.collect.presets import PRESETS, question_of
from libra_cli.stages.collect.sources import Chain, Origin, Reading, file_origin, preset_origin
from libra_cli.stages.collect.where import Where, parse
from libra_cli.stream import rows
from libra_cli.stream.console import Console
from libra_cli.stream.rows import Filtered, Row, RowError
from libra_cli.stream.run import Run
from libra_cli.stream.sinks import append_row, write_failed

SHOWN_CONTAMINATED = 10
"""Lines on stderr where a report has them all."""
SHOWN_CHARS = 160
NAMES_TOLD = 12


@dataclass(frozen=True)
class Plan:
    """What the options ask for."""

    renames: Sequence[Rename] = ()
    settings: Fields = field(default_factory=dict)
    subset: str | None = None
    keep: Sequence[str] | None = None
    need_reference: bool = True
    wheres: Sequence[Where] = ()
    duplicates: Duplicates | None = None
    benchmarks: Benchmarks | None = None
    seed: int = 0


class Collector:
    """Turns rows into problems, one by one; knows the problems it has seen."""

    def __init__(self, plan: Plan, origins: Iterable[Origin], report: Report):
        self._plan, self._report = plan, report
        self._origins = {origin.place: origin for origin in origins}
        self._preset_wheres = {preset.name: parse(preset.where) for preset in PRESETS.values() if preset.where}
        self._absent = {one.source for one in plan.renames}
        self._presets: set[str] = set()
        self._names: dict[str, None] = {}  # an ordered set

    def record(self, row: Row) -> Fields:
        """The problem in `row`; raises RowError, or Filtered where it is left out."""
        plan, origin = self._plan, self._origins.get(row.file)
        fields = self._mapped(dict(row.fields), origin)
        need_reference = plan.need_reference and not (origin and origin.preset and not origin.preset.has_reference)
        record = mapping.finished(fields, origin.subset if origin else None, need_reference)
        for where in plan.wheres:
            _require(where, record, "where")
        if plan.duplicates is not None:
            plan.duplicates.check(row, record, fields.get("id") is not None)
        if plan.benchmarks is not None:
            overlap = plan.benchmarks.find(record["question"])
            if overlap is not None:
                self._report.add(row, record, overlap)
                raise Filtered("contaminated")
        return record if plan.keep is None else _kept(record, plan.keep)

    def _mapped(self, fields: Fields, origin: Origin | None) -> Fields:
        plan = self._plan
        if origin is not None and origin.preset is not None:
            fields = origin.preset.apply(fields, plan.seed)
        self._names.update(dict.fromkeys(fields))
        if origin is not None and origin.preset is not None:
            where = self._preset_wheres.get(origin.preset.name)
            if where is not None:
                self._presets.add(origin.preset.name)
                _require(where, fields, "preset")
        if self._absent:
            self._absent = {path for path in self._absent if not mapping.has(fields, path)}
        fields = {**mapping.rename(fields, plan.renames), **plan.settings}
        if plan.subset is not None:
            fields["subset"] = plan.subset
        return fields

    def slips(self, preset_unknown: bool) -> list[str]:
        """At the end: fields that the options name and that no row had, most likely by a slip of the pen.

        `preset_unknown` says that a preset's condition was unknown for some rows: the file may be another data set's.
        """
        if not self._names:
            return []
        found = [f'--map: no row has "{path}"{self._instead(path)}' for path in sorted(self._absent)]
        known = {*self._names, *mapping.LEADING, *self._plan.settings, *(one.target for one in self._plan.renames)}
        asked = sorted({name for where in self._plan.wheres for name in where.names} - known)
        found += [f'--where: no row has "{name}"{self._instead(name)}' for name in asked]
        for preset in sorted(self._presets) if preset_unknown else ():
            needed = sorted(self._preset_wheres[preset].names.difference(self._names))
            found += [f'--preset {preset}: no row has "{name}"{self._instead(name)}' for name in needed]
        return found

    def _instead(self, name: str) -> str:
        close = difflib.get_close_matches(name, self._names, 1)
        return f"; did you mean {close[0]}?" if close else f"; there are: {', '.join(list(self._names)[:NAMES_TOLD])}"


def collect(run: Run, plan: Plan, origins: Sequence[Origin], report_path: str | None) -> None:
    """Writes the problems in the rows of `run`; raises Fatal (2, 74) where the report cannot be written."""
    report = Report(report_path, run.console)
    collector = Collector(plan, origins, report)
    try:
        for row in run.rows():
            try:
                line = rows.dumps(collector.record(row))
            except Filtered as reason:
                run.leave_out(str(reason))
            except RowError as error:
                run.refuse(row, error)
            else:
                run.write(line)
    finally:
        report.close()
    for slip in collector.slips(run.counts.filtered["preset_unknown"] > 0):
        run.console.note(slip)


def _require(where: Where, fields: Fields, reason: str) -> None:
    """Raises Filtered where the condition is not true; a condition that cannot be decided is counted by itself."""
    found = where.test(fields)
    if found is None:
        raise Filtered(f"{reason}_unknown")
    if not found:
        raise Filtered(reason)


def _kept(record: Fields, keep: Sequence[str]) -> Fields:
    names = {*mapping.LEADING, *mapping.PAIR, *keep}
    return {name: value for name, value in record.items() if name in names}


class Report:
    """Tells of every contaminated row: on stderr, and in FILE as JSON lines where one is given."""

    def __init__(self, path: str | None, console: Console):
        self._path, self._console, self._told = path, console, 0
        try:
            self._fd = -1 if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
        except OSError as error:
            raise write_failed(str(path), error) from None

    def add(self, row: Row, record: Fields, overlap: Overlap) -> None:
        """Notes what the row at `row.place` shares with a benchmark."""
        self._told += 1
        if self._fd >= 0:
            found = {"id": record["id"], "place": row.place, "against": overlap.against}
            line = rows.dumps({**found, "overlap": overlap.share, "shared": overlap.shared})
            append_row(self._fd, line + b"\n", str(self._path))
        if self._fd < 0 or self._told <= SHOWN_CONTAMINATED:
            self._say(row.place, overlap)
        elif self._told == SHOWN_CONTAMINATED + 1:
            self._console.note(f"more contaminated rows follow; all are in {self._path}", event="contaminated")

    def _say(self, place: str, overlap: Overlap) -> None:
        shared = overlap.shared if len(overlap.shared) <= SHOWN_CHARS else overlap.shared[: SHOWN_CHARS - 3] + "..."
        text = f'{place}: shares "{shared}" with {overlap.against} ({overlap.share:.0%} of its n-grams)'
        self._console.note(text, event="contaminated")

    def close(self) -> None:
        """Closes the file."""
        if self._fd >= 0:
            os.close(self._fd)


def benchmark_origin(name: str) -> Origin:
    """A benchmark to keep away from: a preset's name, or a file; raises Fatal(2) where it is neither."""
    if name in PRESETS:
        return preset_origin(PRESETS[name])
    if not os.path.exists(name):
        close = difflib.get_close_matches(name, PRESETS, 1)
        hint = f"did you mean {close[0]}?" if close else f"presets are {', '.join(PRESETS)}"
        raise Fatal(Exit.USAGE, f"--decontaminate {name}: no such file, and no preset; {hint}")
    return file_origin(name)


def read_benchmarks(origins: Sequence[Origin], reading: Reading, ngram: int, overlap: float) -> Benchmarks:
    """All problems of the benchmarks; raises Fatal(2) where a row has none: what is not read would not be kept away."""
    benchmarks = Benchmarks(ngram, overlap)
    for origin in origins:
        chain, before = Chain([origin], reading), len(benchmarks)
        while (batch := chain.read()) is not None:
            for number, raw in enumerate(batch.lines, batch.first):
                place = f"{batch.file}:{number}"
                try:
                    if number - batch.first in batch.refused:
                        raise batch.refused[number - batch.first]
                    question = _benchmark_question(raw.strip(b" \t\r"), origin)
                except RowError as error:
                    cure = "mend the row: a benchmark is read whole or not at all"
                    raise Fatal(Exit.USAGE, f"--decontaminate {place}: {error}; {cure}") from None
                if question is not None:
                    benchmarks.add(question, place)
        if len(benchmarks) == before:
            raise Fatal(Exit.USAGE, f"--decontaminate {origin.place}: holds no problem that is not there already")
    benchmarks.finish()
    return benchmarks


def _benchmark_question(raw: bytes, origin: Origin) -> str | None:
    """The problem on a line of a benchmark; None on a blank line and for a row that the preset leaves out."""
    if not raw:
        return None
    fields: dict[str, Any] = rows.parse(raw)
    if origin.preset is not None:
        fields = origin.preset.apply(fields, 0)
        if origin.preset.where is not None and not parse(origin.preset.where).test(fields):
            return None
    question = question_of(fields)
    if not isinstance(question, str) or not question.strip():
        raise RowError("missing_field", 'no "question", "problem" or "prompt"')
    return question
