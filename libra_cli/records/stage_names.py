"""What each stage adds to rows that lack its own names."""

from __future__ import annotations

from collections.abc import Callable

from libra_cli.records.items import ResponseNames
from libra_cli.records.messages import begins_with_system, is_conversational, own_system
from libra_cli.records.own_names import OwnNames, asks_itself
from libra_cli.records.own_verdicts import OwnVerdicts
from libra_cli.stream.common_names import QUESTION, REFERENCE, RESPONSE
from libra_cli.stream.rows import Row
from libra_cli.tasks.labels import LABEL, VERDICTS

Note = Callable[..., None]
Adapter = Callable[[Row], Row]


class SystemPrompts:
    """Notes once what becomes of the system prompts of rows; `adapter` does the rest.

    `given` (--system) takes the place of a row's own, be it a field or the first turn of the prompt.
    """

    def __init__(self, adapter: Adapter, note: Note, given: str | None = None):
        self._adapter, self._note, self._given, self._is_said = adapter, note, given, False

    def __call__(self, row: Row) -> Row:
        """The row as `adapter` gives it."""
        if not self._is_said:
            name, system = own_system(row.fields)
            if self._given is None and system is not None:
                self._say(f'rows are read with "{name}" as the system turn before the question')
            elif self._given is not None and (system is not None or _asks_with_system(row)):
                done = "takes the place of" if self._given else "leaves out"
                self._say(f"--system {done} the system prompts of the rows")
        return self._adapter(row)

    def _say(self, text: str) -> None:
        self._is_said = True
        self._note(text, event="form")


def _asks_with_system(row: Row) -> bool:
    return is_conversational(row.fields) and begins_with_system(row.fields["prompt"])


def _in_turn(first: Adapter, second: Adapter) -> Adapter:
    return lambda row: second(first(row))


_ADAPTERS: dict[str, Callable[[Note], Adapter]] = {
    "balance": lambda note: _in_turn(
        OwnNames([QUESTION, REFERENCE, RESPONSE], note), OwnVerdicts([LABEL, "model", "subset"], note)
    ),
    "judge": lambda note: SystemPrompts(ResponseNames(note), note),
    "rs-filter": lambda note: ResponseNames(note, asks_itself),
    "dpo-pairs": lambda note: ResponseNames(note, asks_itself, VERDICTS),
}
"""Stages that add fields to their rows before they read them."""


def asking_adapter(note: Note, system: str | None) -> Adapter:
    """What gives a row the form that a stage asks a model with; `system` takes the place of the rows' own."""
    return SystemPrompts(OwnNames([QUESTION, REFERENCE], note), note, system)


def adapter_of(stage: str, note: Note) -> Adapter | None:
    """What gives a row the form that `stage` reads; None if the stage takes rows as they are. `note` is told once."""
    make = _ADAPTERS.get(stage)
    return None if make is None else make(note)
