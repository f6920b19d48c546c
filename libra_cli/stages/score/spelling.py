"""Names and numbers of libra for rows that spell them otherwise, such as those of a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from libra_cli.records.own_names import in_words
from libra_cli.records.own_verdicts import verdict_columns
from libra_cli.rm_benchmarks import benchmark_of
from libra_cli.rm_benchmarks.libra_bench import LibraBench
from libra_cli.stages.score.columns import TEXTS
from libra_cli.stages.score.row_kinds import KIND_FIELDS
from libra_cli.stream.common_names import spelled_otherwise
from libra_cli.stream.wrong_rows import wrong_row
from libra_cli.tasks.labels import LABEL, VerdictReader

Fields = Mapping[str, Any]

_KNOWN = KIND_FIELDS.union(TEXTS, ("id", "index", "subset", "model", "sample", "judge", "reference", "problem"))


class FileSpelling:
    """How the rows of one file spell what is read of them; its first row says which columns stand for which fields."""

    def __init__(self) -> None:
        self._columns: dict[str, str] = {}
        self._verdicts = VerdictReader()

    def learn(self, fields: Fields) -> None:
        """Takes the columns of a row for the fields that it lacks, unless a benchmark has names of its own for them."""
        benchmark = benchmark_of(fields)
        if benchmark is None or isinstance(benchmark, LibraBench):
            spelled = spelled_otherwise(tuple(fields))
            verdicts = verdict_columns(fields)
            spelled = spelled if KIND_FIELDS.intersection(spelled) or verdicts else {}
            self._columns = {name: own for name, own in spelled.items() if name in _KNOWN} | verdicts

    def named(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields of a row under libra's names; the same object if it spells none otherwise."""
        if not self._columns:
            return fields
        return {**{name: fields[own] for name, own in self._columns.items() if own in fields}, **fields}

    def numbered(self, fields: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
        """The fields of a response with its verdicts `names` as numbers; the same object if they are.

        Raises ValueError naming a verdict that cannot be read, and the cure.
        """
        try:
            numbers = self._verdicts.numbers(fields, names)
        except ValueError as error:
            wrong = wrong_row(fields)
            raise (ValueError(f"{str(error).partition(';')[0]}: {wrong}") if wrong else error) from None
        if LABEL in numbers and type(fields[LABEL]) is str and (wrong := wrong_row(fields)):
            raise ValueError(f'"label" is not of a response: {wrong}')
        return {**fields, **numbers} if numbers else fields

    @property
    def notes(self) -> list[str]:
        """What was taken for what."""
        return [*([in_words(self._columns)] if self._columns else []), *self._verdicts.notes]
