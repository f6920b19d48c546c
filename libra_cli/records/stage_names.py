"""What each stage adds to rows that lack its own names: the id of a row is that of its form with these fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from libra_cli.records.common_names import QUESTION, RESPONSE, CommonNames, asks_itself
from libra_cli.records.items import ResponseNames
from libra_cli.stream.rows import Row

Note = Callable[..., None]
Adapter = Callable[[Row], Row]

_ADAPTERS: dict[str, Callable[[Note], Adapter]] = {
    "rollout": lambda note: CommonNames([QUESTION], note),
    "balance": lambda note: CommonNames([QUESTION, RESPONSE], note),
    "judge": ResponseNames,
    "rs-filter": lambda note: ResponseNames(note, asks_itself),
    "dpo-pairs": lambda note: ResponseNames(note, asks_itself),
}
"""Stages that add fields to their rows before they take the id."""


def _silent(*_: Any, **__: Any) -> None:
    """Notes nothing."""


def adapter_of(stage: str, note: Note = _silent) -> Adapter | None:
    """What gives a row the form that `stage` reads; None if the stage takes rows as they are. `note` is told once."""
    make = _ADAPTERS.get(stage)
    return None if make is None else make(note)


def all_adapters() -> Iterator[Adapter]:
    """The adapters of all stages, as each is silent."""
    return (make(_silent) for make in _ADAPTERS.values())
