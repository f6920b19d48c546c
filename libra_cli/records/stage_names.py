"""What each stage adds to rows that lack its own names."""

from __future__ import annotations

from collections.abc import Callable

from libra_cli.records.items import ResponseNames
from libra_cli.records.messages import own_system
from libra_cli.records.own_names import OwnNames, asks_itself
from libra_cli.stream.common_names import QUESTION, REFERENCE, RESPONSE
from libra_cli.stream.rows import Row

Note = Callable[..., None]
Adapter = Callable[[Row], Row]


class SystemLeftOut:
    """Notes once that rows have a system prompt that the stage does not read; `adapter` does the rest."""

    def __init__(self, adapter: Adapter, note: Note, cure: str):
        self._adapter, self._note, self._cure, self._is_said = adapter, note, cure, False

    def __call__(self, row: Row) -> Row:
        """The row as `adapter` gives it."""
        name, system = own_system(row.fields)
        if isinstance(system, str) and not self._is_said:
            self._is_said = True
            self._note(f'"{name}" of the rows is left out: {self._cure}', event="form")
        return self._adapter(row)


_ASKED_WITH = '--system TEXT asks all rows with one, a system turn in "prompt" a row with its own'
_SHOWN = "a judge is shown the question only; libra collect --preset preference puts both into that of a pair"
_ADAPTERS: dict[str, Callable[[Note], Adapter]] = {
    "rollout": lambda note: SystemLeftOut(OwnNames([QUESTION, REFERENCE], note), note, _ASKED_WITH),
    "balance": lambda note: OwnNames([QUESTION, REFERENCE, RESPONSE], note),
    "judge": lambda note: SystemLeftOut(ResponseNames(note), note, _SHOWN),
    "rs-filter": lambda note: ResponseNames(note, asks_itself),
    "dpo-pairs": lambda note: ResponseNames(note, asks_itself),
}
"""Stages that add fields to their rows before they read them."""


def adapter_of(stage: str, note: Note) -> Adapter | None:
    """What gives a row the form that `stage` reads; None if the stage takes rows as they are. `note` is told once."""
    make = _ADAPTERS.get(stage)
    return None if make is None else make(note)
