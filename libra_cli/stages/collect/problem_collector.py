"""One row to one problem: preset, renames, settings, filters, duplicates and contamination, in this order."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from libra_cli.exits import Exit, Fatal
from libra_cli.records.own_names import QUESTION, REFERENCE, OwnNames
from libra_cli.similar import nearest_name
from libra_cli.stages.collect import mapping
from libra_cli.stages.collect.contamination import BenchmarkProblems
from libra_cli.stages.collect.duplicates import Duplicates, has_answer
from libra_cli.stages.collect.mapping import Fields, Rename
from libra_cli.stages.collect.presets import PRESETS
from libra_cli.stages.collect.report import ContaminationReport
from libra_cli.stages.collect.sources import Origin, file_origin
from libra_cli.stream.counts import Counts
from libra_cli.stream.field_paths import MISSING, beside, value_at
from libra_cli.stream.hash_numbers import HashNumbers
from libra_cli.stream.rows import Filtered, Row, RowError, content_hash
from libra_cli.stream.where import Where, no_row_has, parse


@dataclass(frozen=True)
class CollectPlan:
    """What the options of `libra collect` ask for."""

    renames: Sequence[Rename] = ()
    settings: Fields = field(default_factory=dict)
    subset: str | None = None
    keep_fields: Sequence[str] | None = None
    need_reference: bool = True
    wheres: Sequence[Where] = ()
    duplicates: Duplicates | None = None
    benchmarks: BenchmarkProblems | None = None
    seed: int = 0


class ProblemCollector:
    """Turns rows into problems, one by one; remembers the problems and field names it has seen."""

    def __init__(
        self, plan: CollectPlan, origins: Iterable[Origin], report: ContaminationReport, note: Callable[..., None]
    ):
        self._plan, self._report, self._note = plan, report, note
        self._own_names = OwnNames((QUESTION, REFERENCE), note)
        self._origins = {origin.place: origin for origin in origins}
        self._files = FilesOfProblems(list(self._origins)) if len(self._origins) > 1 else None
        self._preset_wheres = {preset.name: parse(preset.where) for preset in PRESETS.values() if preset.where}
        self._presets: set[str] = set()
        self._absent = {rename.source for rename in plan.renames}
        """Fields of --map that no row has had."""
        self._beside: dict[str, dict[str, None]] = {path: {} for path in self._absent}
        """What rows have where those are missing, in order."""
        self._said: set[str] = set()
        """Those of them of which it was said which one is meant."""
        self._names: dict[str, None] = {}  # an ordered set

    def record(self, row: Row) -> Fields:
        """Returns the problem in `row`; raises Filtered if it is left out, RowError if it is bad."""
        plan, origin = self._plan, self._origins.get(row.file)
        preset = origin.preset if origin is not None else None
        fields = dict(row.fields)
        if preset is not None:
            fields = preset.apply(fields, plan.seed)
        self._names.update(dict.fromkeys(fields))
        if preset is not None and preset.name in self._preset_wheres:
            self._presets.add(preset.name)
            _require(self._preset_wheres[preset.name], fields, "preset")
        if self._absent:
            self._absent = {path for path in self._absent if value_at(fields, path) is MISSING}
            for path in self._absent:
                self._beside[path].update(dict.fromkeys(beside(fields, path)))
        fields = {**mapping.rename(fields, plan.renames), **plan.settings}
        fields = mapping.with_final_answer(fields, plan.renames)
        if preset is None:
            fields = self._own_names.renamed(fields)
        if plan.subset is not None:
            fields["subset"] = plan.subset

        need_reference = plan.need_reference and (preset is None or preset.has_reference)
        try:
            record = mapping.problem_record(fields, origin.subset if origin else None, need_reference, plan.renames)
        except RowError:
            self._note_mistyped(row.place)
            raise
        for where in plan.wheres:
            _require(where, record, "where")
        if plan.duplicates is not None:
            plan.duplicates.check(row, record, fields)
        if self._files is not None and fields.get("subset") is None and has_answer(record):
            self._note_files(row.file, record["question"])
        if plan.benchmarks is not None:
            overlap = plan.benchmarks.find(record["question"])
            if overlap is not None:
                self._report.add(row, record, overlap)
                raise Filtered("contaminated")
        if plan.keep_fields is None:
            return record
        kept = {*mapping.LEADING, *mapping.PAIR, *plan.keep_fields}
        return {name: value for name, value in record.items() if name in kept}

    def note_unknown_fields(self, counts: Counts, is_whole: bool) -> None:
        """Says which fields the options name and no row had; call it after the last row.

        Raises Fatal(2) for what can only be a slip: a field of --map that resembles one of the rows, or a field of
        --where that kept no row. `is_whole`: the run reads all rows, of which others might have the field.
        """
        if not self._names:
            return
        slips: list[str] = []
        notes: list[str] = []
        for path in sorted(self._absent - self._said):
            is_slip = nearest_name(path, self._beside[path]) is not None
            (slips if is_slip else notes).append(f"--map: {no_row_has(path, self._beside[path])}")
        known = {*self._names, *mapping.LEADING, *self._plan.settings, *(one.target for one in self._plan.renames)}
        unknown = sorted({name for where in self._plan.wheres for name in where.names} - known)
        is_slip = bool(counts.filtered["where_unknown"]) and not counts.out
        (slips if is_slip else notes).extend(f"--where: {no_row_has(name, self._names)}" for name in unknown)
        # Where rows lack what a preset's condition asks for, the file may be of another data set.
        for preset in sorted(self._presets) if counts.filtered["preset_unknown"] else ():
            unknown = sorted(self._preset_wheres[preset].names.difference(self._names))
            notes += [f"--preset {preset}: {no_row_has(name, self._names)}" for name in unknown]
        for note in notes:
            self._note(note)
        if slips and not is_whole:
            for slip in slips:
                self._note(slip)
        elif slips:
            raise Fatal(Exit.USAGE, " ".join(slips))

    def _note_files(self, file: str, question: str) -> None:
        """Says once that two files have samples of one problem: by their subsets, later stages see two problems."""
        assert self._files is not None
        other = self._files.other(file, question)
        if other is not None:
            self._files = None
            subsets = {file_origin(path).subset for path in (other, file)}
            what = f"{other} and {file} have responses to the same problem, each in a subset named for the file"
            cure = "if the files are runs of one model, --subset NAME keeps the samples of a problem together"
            if len(subsets) == 1:
                what = f"{other} and {file} have responses to the same problem, both in the subset {subsets.pop()}"
                cure = (
                    "these count as samples of one model; if they are of two, collect each file with its own --subset"
                )
            self._note(f"{what}; {cure}", event="files_of_problem")

    def _note_mistyped(self, place: str) -> None:
        """Says of each field of --map that no row had so far which one is meant, before the row is refused for it."""
        for path in sorted(self._absent - self._said):
            if close := nearest_name(path, self._beside[path]):
                self._said.add(path)
                self._note(f'--map: no row up to {place} has "{path}"; did you mean {close}?')


class FilesOfProblems:
    """Remembers in which of the `files` each problem was seen first."""

    def __init__(self, files: Sequence[str]):
        self._names, self._numbers = files, {name: number for number, name in enumerate(files)}
        self._problems, self._first = HashNumbers(), array("I")

    def other(self, file: str, question: str) -> str | None:
        """The file that had the problem first, if that is not `file`."""
        number = self._problems.number(int(content_hash(question), 16))
        if number == len(self._first):
            self._first.append(self._numbers[file])
        first = self._names[self._first[number]]
        return None if first == file else first


def _require(where: Where, fields: Fields, reason: str) -> None:
    """Raises Filtered unless the condition is true; an unknown result has a reason of its own."""
    result = where.test(fields)
    if result is None:
        raise Filtered(f"{reason}_unknown")
    if not result:
        raise Filtered(reason)
