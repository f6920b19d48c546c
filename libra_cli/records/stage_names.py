"""What each stage adds to rows that lack its own names."""

from __future__ import annotations

from collections.abc import Callable

from libra_cli.records.items import ResponseNames
from libra_cli.records.own_names import OwnNames, asks_itself
from libra_cli.stream.common_names import QUESTION, REFERENCE, RESPONSE
from libra_cli.stream.rows import Row

Note = Callable[..., None]
Adapter = Callable[[Row], Row]

_ADAPTERS: dict[str, Callable[[Note], Adapter]] = {
    "rollout": lambda note: OwnNames([QUESTION, REFERENCE], note),
    "balance": lambda note: OwnNames([QUESTION, REFERENCE, RESPONSE], note),
    "judge": ResponseNames,
    "rs-filter": lambda note: ResponseNames(note, asks_itself),
    "dpo-pairs": lambda note: ResponseNames(note, asks_itself),
}
"""Stages that add fields to their rows before they read them."""


def adapter_of(stage: str, note: Note) -> Adapter | None:
    """What gives a row the form that `stage` reads; None if the stage takes rows as they are. `note` is told once."""
    make = _ADAPTERS.get(stage)
    return None if make is None else make(note)
