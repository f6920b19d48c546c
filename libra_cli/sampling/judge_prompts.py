"""What a judge is asked about one item: which responses each request shows, and in which order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.choices import ORDERS
from libra_cli.records.forms import Item
from libra_cli.stream.rows import RowError
from libra_cli.tasks import template

BOTH, FIRST, RANDOM = ORDERS
RESPONSE, PAIR, LIST = "response", "pair", "list"
"""What a task shows at once."""

Pair = tuple[int, int]
Chance = Callable[[int], random.Random]
"""Chance for one vote: the same whatever the shard, order or resume."""


@dataclass(frozen=True)
class Ask:
    """One request about an item."""

    vote: int
    shown: tuple[int, ...]
    """Places of the responses in the record, in the order in which they are shown."""


@dataclass(frozen=True)
class Plan:
    """All requests about an item, and what is known of its responses without any."""

    item: Item
    shows: str
    gates: tuple[str | None, ...]
    """Per response: why it is no answer at all, by rule; None where a judge is needed."""
    pairs: tuple[Pair, ...]
    """The comparisons that a task which shows two is asked for; else empty."""
    asks: tuple[Ask, ...]


def plan(item: Item, shows: str, gates: Sequence[str | None], votes: int, orders: str, chance: Chance) -> Plan:
    """Raises RowError where the task cannot show what the item has."""
    pairs = pairs_of(item) if shows == PAIR else ()
    live = [place for place, gate in enumerate(gates) if gate is None]
    if shows == RESPONSE:
        asks = [Ask(vote, (place,)) for place in live for vote in range(votes)]
    elif shows == PAIR:
        asked = [pair for pair in pairs if pair[0] in live and pair[1] in live]
        asks = [Ask(vote, shown) for pair in asked for vote in range(votes)
                for shown in _both_orders(pair, orders, chance(vote))]  # fmt: skip
    else:
        _check_list(item)
        asks = [Ask(vote, _arranged(live, vote, orders, chance)) for vote in range(votes if len(live) > 1 else 0)]
    return Plan(item, shows, tuple(gates), pairs, tuple(asks))


def pairs_of(item: Item) -> tuple[Pair, ...]:
    """The comparisons of an item; raises RowError where nobody knows which of its responses are to be compared."""
    n = len(item.responses)
    if n == 2:
        return ((0, 1),)
    if item.pairs:
        return item.pairs
    cure = "--task score, or another task that is shown one" if n == 1 else "--task best, or one that scores each"
    raise RowError("wrong_form", f"the task is shown two responses, this row has {n}: {cure}")


def _check_list(item: Item) -> None:
    if len(item.responses) == 1:
        cure = "--task score, or another task that is shown one"
        raise RowError("wrong_form", f"the task is shown several responses, this row has one: {cure}")


def _both_orders(pair: Pair, orders: str, chance: random.Random) -> Iterator[tuple[int, ...]]:
    swapped = pair[::-1]
    if orders == RANDOM:
        yield chance.choice((pair, swapped))
    else:
        yield pair
        if orders == BOTH:
            yield swapped


def _arranged(places: Sequence[int], vote: int, orders: str, chance: Chance) -> tuple[int, ...]:
    """A list is rotated by one more place each vote, from a place by chance: so each response stands everywhere."""
    if orders == FIRST:
        return tuple(places)
    if orders == RANDOM:
        return tuple(chance(vote).sample(places, len(places)))
    start = (chance(0).randrange(len(places)) + vote) % len(places)
    return (*places[start:], *places[:start])


def slot_values(plan: Plan, shown: Sequence[int]) -> dict[str, Any]:
    """What fills the slots of a judging prompt that shows these responses, in this order."""
    item, texts = plan.item, [plan.item.responses[place] for place in shown]
    values: dict[str, Any] = {"question": item.question}
    if item.reference is not None:
        values["reference"] = item.reference
    if plan.shows == RESPONSE:
        values["response"] = texts[0]
    elif plan.shows == PAIR:
        values["response_a"], values["response_b"] = texts
    else:
        values["responses"] = texts
    return values


def check_reference(item: Item, prompt: str) -> None:
    """Raises RowError where the template `prompt` shows a reference, and the item has none."""
    if item.reference is None and "reference" in template.slots(prompt):
        cure = "which the prompt shows; add it, or use another --task or --template"
        raise RowError("missing_field", f'no "reference", {cure}')
