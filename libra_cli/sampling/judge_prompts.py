"""Plans what a judge is asked about one item: which responses each prompt shows, and in which order."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.choices import ORDERS
from libra_cli.records.forms import JudgeItem
from libra_cli.stream.rows import RowError
from libra_cli.tasks import template

BOTH, FIRST, RANDOM = ORDERS
RESPONSE, PAIR, LIST = "response", "pair", "list"
"""What a task shows at once."""

Pair = tuple[int, int]
Chance = Callable[[int], random.Random]
"""The random numbers of a vote: the same whatever the shard, the order of rows, or a resume."""


@dataclass(frozen=True)
class JudgePrompt:
    """One request about an item."""

    vote: int
    order: tuple[int, ...]
    """Indices of the responses in the record, in prompt order."""


@dataclass(frozen=True)
class JudgePlan:
    """All requests about an item."""

    item: JudgeItem
    shows: str
    gates: tuple[str | None, ...]
    """Per response: what kind of non-answer it is; None if a judge is needed."""
    pairs: tuple[Pair, ...]
    """The comparisons of a task that shows two responses; else empty."""
    prompts: tuple[JudgePrompt, ...]


def make_plan(
    item: JudgeItem, shows: str, gates: Sequence[str | None], votes: int, orders: str, chance: Chance
) -> JudgePlan:
    """Plans `votes` votes on everything that the item lets the task show; gated responses are left out.

    Raises RowError if the task cannot show the item.
    """
    pairs = pairs_of(item) if shows == PAIR else ()
    live = [index for index, gate in enumerate(gates) if gate is None]
    prompts: list[JudgePrompt] = []
    if shows == RESPONSE:
        prompts = [JudgePrompt(vote, (index,)) for index in live for vote in range(votes)]
    elif shows == PAIR:
        for pair in pairs:
            for vote in range(votes if pair[0] in live and pair[1] in live else 0):
                both = pair, pair[::-1]
                prompt_orders: Sequence[Pair] = both if orders == BOTH else both[:1]
                if orders == RANDOM:
                    prompt_orders = [chance(vote).choice(both)]
                prompts += [JudgePrompt(vote, each) for each in prompt_orders]
    elif len(item.responses) == 1:
        cure = "--task score, or another task that is shown one"
        raise RowError("wrong_form", f"the task is shown several responses, this row has one: {cure}")
    else:
        for vote in range(votes if len(live) > 1 else 0):
            prompts.append(JudgePrompt(vote, _arranged(live, vote, orders, chance)))
    return JudgePlan(item, shows, tuple(gates), pairs, tuple(prompts))


def pairs_of(item: JudgeItem) -> tuple[Pair, ...]:
    """The comparisons of an item; raises RowError if it does not say which of its responses to compare."""
    n = len(item.responses)
    if n == 2:
        return ((0, 1),)
    if item.pairs:
        return item.pairs
    cure = "--task score, or another task that is shown one" if n == 1 else "--task best, or one that scores each"
    raise RowError("wrong_form", f"the task is shown two responses, this row has {n}: {cure}")


def _arranged(indices: Sequence[int], vote: int, orders: str, chance: Chance) -> tuple[int, ...]:
    """A list is rotated by one more place each vote, from a random start, so that each response stands everywhere."""
    if orders == FIRST:
        return tuple(indices)
    if orders == RANDOM:
        return tuple(chance(vote).sample(indices, len(indices)))
    start = (chance(0).randrange(len(indices)) + vote) % len(indices)
    return (*indices[start:], *indices[:start])


def slot_values(plan: JudgePlan, order: Sequence[int]) -> dict[str, Any]:
    """The record that fills the slots of a judging prompt which shows these responses in this order."""
    item, texts = plan.item, [plan.item.responses[index] for index in order]
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


def check_reference(item: JudgeItem, prompt: str) -> None:
    """Raises RowError if the template `prompt` shows a reference and the item has none."""
    if item.reference is None and "reference" in template.slots(prompt):
        cure = "which the prompt shows; add it, or use another --task or --template"
        raise RowError("missing_field", f'no "reference", {cure}')
