"""Which rows are shown: by number, id, condition, chance, or because judges differ."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from libra_cli.choices import DIFFERENCES
from libra_cli.exits import Exit, Fatal
from libra_cli.records.forms import item_of
from libra_cli.records.human_labels import response_digest
from libra_cli.records.row_verdict import golden_verdict, is_judged, verdict_of
from libra_cli.records.short_ids import only_one, written_out
from libra_cli.rm_benchmarks.result_files import judged_rows_of
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import BadLine, read_rows
from libra_cli.stream.rows import RowError, record_id
from libra_cli.stream.where import Where

BETWEEN_JUDGES, FROM_LABEL = DIFFERENCES
Fields = Mapping[str, Any]


class FoundRow(NamedTuple):
    """A row to show."""

    place: str
    number: int
    """From 1, over all files."""
    fields: Fields


@dataclass
class Tally:
    """What was met on the way, for the line at the end."""

    lines: int = 0
    """Lines of the input that were read, rows or not."""
    rows: int = 0
    bad: list[BadLine] = field(default_factory=list)
    responses: int = 0
    """Responses that --diff looked at."""
    differing: int = 0
    is_whole: bool = False
    """Whether --diff looked at all responses; whoever closes the pager ends it before."""
    unknown: int = 0
    """Rows for which --where is neither true nor false."""
    names: dict[str, None] = field(default_factory=dict)
    """Fields of the rows that --where looked at, in the order in which they came."""
    found_ids: set[str] = field(default_factory=set)
    """Those of --id that a row has."""
    missing_ids: tuple[str, ...] = ()
    """Those that no row has, known at the end of the input."""


@dataclass(frozen=True)
class RowSelection:
    """The conditions of the command line; all of them hold of a row that is shown."""

    first: int = 1
    last: int | None = None
    ids: tuple[str, ...] = ()
    wheres: tuple[Where, ...] = ()
    head: int | None = None
    sample: int | None = None
    seed: int = 0
    diff: str | None = None

    def shown(self, paths: Sequence[str], tally: Tally) -> Iterator[tuple[str, list[Fields]]]:
        """Yields the place and the fields of each row; those of all its judges if --diff compares judges.

        --diff counts: what comes after the first `head` is not shown, but counted in `tally`.
        """
        rows: Iterable[FoundRow] = self._rows(paths, tally)
        groups = (
            self._differing(rows, tally) if self.diff == BETWEEN_JUDGES else ([row] for row in self._wrong(rows, tally))
        )
        if self.sample is not None:
            groups = iter(self._sampled(groups))
        for number, group in enumerate(groups):
            if self.head is None or number < self.head:
                yield ", ".join(row.place for row in group), [row.fields for row in group]
            elif self.diff is None:
                return
        tally.is_whole = True

    def _rows(self, paths: Sequence[str], tally: Tally) -> Iterator[FoundRow]:
        """The rows that number, ids and conditions choose; reads no further than it has to."""
        number, begun = 0, dict[str, dict[str, list[FoundRow]]]()
        with closing(read_rows(InputFiles(list(paths) or ["-"]))) as entries:
            for entry in entries:
                number += 1
                tally.lines = number
                if self.last is not None and number > self.last:
                    break
                if number < self.first:
                    continue
                if isinstance(entry, BadLine):
                    tally.bad.append(entry)
                    continue
                published = judged_rows_of(entry.fields)
                for fields in published or (entry.fields,):
                    tally.rows += 1
                    row = FoundRow(entry.place, number, fields)
                    if self._is_named(row, begun, tally) and self._holds(entry.place, fields, tally):
                        yield row
        yield from (row for row in self._begun(begun, tally) if self._holds(row.place, row.fields, tally))

    def _is_named(self, row: FoundRow, begun: dict[str, dict[str, list[FoundRow]]], tally: Tally) -> bool:
        """Whether --id names a row; one of whose id it gives the beginning may be meant, and is kept in `begun`."""
        if not self.ids:
            return True
        names = _names(row.fields)
        named = names & {*self.ids}
        tally.found_ids |= named
        own = record_id(dict(row.fields))
        for name in self.ids if not named else ():
            if (full := written_out(name, own)) in names:
                begun.setdefault(name, {}).setdefault(full, []).append(row)
        return bool(named)

    def _begun(self, begun: Mapping[str, Mapping[str, list[FoundRow]]], tally: Tally) -> Iterator[FoundRow]:
        """The rows of ids of which only the beginning is given; raises Fatal(2) where several begin so."""
        for name in self.ids:
            if name not in tally.found_ids and name in begun:
                yield from begun[name][only_one(name, begun[name])]
        tally.missing_ids = tuple(name for name in self.ids if name not in tally.found_ids and name not in begun)

    def _holds(self, place: str, fields: Fields, tally: Tally) -> bool:
        try:
            results = [where.test(fields) for where in self.wheres]
        except RowError as error:  # a pattern that takes for ever
            raise Fatal(Exit.USAGE, f"{place}: {error}") from None
        if self.wheres:
            tally.names.update(dict.fromkeys(fields))
        if False not in results and None in results:
            tally.unknown += 1
        return all(result is True for result in results)

    def _wrong(self, rows: Iterable[FoundRow], tally: Tally) -> Iterator[FoundRow]:
        """All rows, or with --diff label those whose verdict contradicts the label."""
        for row in rows:
            if self.diff is None:
                yield row
                continue
            n_responses = _responses(row.fields)
            verdict, golden = verdict_of(row.fields, n_responses), golden_verdict(row.fields, n_responses)
            tally.responses += verdict is not None and golden is not None
            if verdict is not None and golden is not None and verdict != golden:
                tally.differing += 1
                yield row

    def _differing(self, rows: Iterable[FoundRow], tally: Tally) -> Iterator[list[FoundRow]]:
        """The rows of each response on which judges differ; a verdict that cannot be read differs from one that can."""
        groups: dict[tuple[Any, ...], dict[str, FoundRow]] = {}
        for row in rows:
            if is_judged(row.fields):
                judge = str(row.fields.get("judge", row.place.rpartition(":")[0]))
                groups.setdefault(_response_key(row.fields), {}).setdefault(judge, row)
        for judges in groups.values():
            if len(judges) < 2:
                continue
            tally.responses += 1
            if len({_opinion(row.fields) for row in judges.values()}) > 1:
                tally.differing += 1
                yield [*judges.values()]

    def _sampled(self, groups: Iterable[list[FoundRow]]) -> list[list[FoundRow]]:
        """`sample` of the groups, each as likely as any other, in their own order."""
        chance = random.Random(self.seed)
        kept: list[list[FoundRow]] = []
        for at, group in enumerate(groups):
            if len(kept) < (self.sample or 0):
                kept.append(group)
            elif (place := chance.randrange(at + 1)) < len(kept):
                kept[place] = group
        return sorted(kept, key=lambda group: group[0].number)


def _names(fields: Fields) -> set[str]:
    """What --id may call a row: its id, and ID/MODEL/SAMPLE."""
    own = record_id(dict(fields))
    parts = [str(fields[name]) for name in ("model", "sample") if fields.get(name) is not None]
    return {own, "/".join([own, *parts])}


def _responses(fields: Fields) -> int:
    try:
        return len(item_of(fields, fields["response"] if isinstance(fields.get("response"), str) else None).responses)
    except ValueError:
        return 1


def _opinion(fields: Fields) -> str | None:
    """What a judge says: its verdict, or the score if that has no threshold."""
    return verdict_of(fields, _responses(fields)) or (repr(fields["score"]) if "score" in fields else None)


def _response_key(fields: Fields) -> tuple[Any, ...]:
    """Identifies what was judged, whoever judged it."""
    response = fields.get("response")
    digest = response_digest(response) if isinstance(response, str) else ""
    names = (str(fields.get(name, "")) for name in ("model", "sample", "probe"))
    return (record_id(dict(fields)), *names, digest)
