"""What one answer of a judge says: a judgment, with the reason where no verdict can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from libra_cli.sampling.judge_prompts import LIST, PAIR, Ask, Plan
from libra_cli.stream.jobs import Answer
from libra_cli.stream.rows import RowError
from libra_cli.tasks.rank import swapped
from libra_cli.tasks.task import Outcome
from libra_cli.tasks.verdicts import OUT_OF_RANGE

Said = Outcome | float | None
"""A verdict, as it was said or in the record's own order."""


def judgment(plan: Plan, ask: Ask, said: Said, reason: str | None, **more: Any) -> dict[str, Any]:
    """A vote as it is written: the outcome in terms of the record's own order, and what else is known of it.

    `reason` says why nothing was `said`; what is None of `more` is left out, but for its `text`.
    """
    outcome = in_own_order(plan, ask, said)
    if outcome is None:
        reason = reason or OUT_OF_RANGE
    shown = {"said": said} if said is not None and said != outcome else {}
    known = {name: value for name, value in more.items() if value is not None or name == "text"}
    why = {"reason": reason} if outcome is None else {}
    return {"outcome": outcome, **why, "vote": ask.vote, **place(plan, ask), **shown, **known}


def failed(plan: Plan, ask: Ask, error: RowError, **more: Any) -> dict[str, Any]:
    """A vote that the engine could not give."""
    return judgment(plan, ask, None, error.kind, error=str(error), **more)


def check(answers: Sequence[Answer]) -> None:
    """Raises the error of a row that has no vote at all, or one that is no row's own."""
    for answer in answers:
        if isinstance(answer, Exception) and not isinstance(answer, RowError):
            raise answer
    if answers and all(isinstance(answer, RowError) for answer in answers):
        raise answers[0]


def pair_of(plan: Plan, ask: Ask) -> tuple[int, int]:
    """The comparison that a request belongs to, in the record's own order."""
    first, second = ask.shown
    return (first, second) if (first, second) in plan.pairs else (second, first)


def in_own_order(plan: Plan, ask: Ask, said: Said) -> Said:
    """What was said as it would be of the record's own order; None for the number of a response that was not shown."""
    if plan.shows == PAIR and isinstance(said, str):
        return said if pair_of(plan, ask) == ask.shown else swapped(said)
    if plan.shows == LIST and isinstance(said, int):  # responses are numbered from 1
        return ask.shown[said - 1] + 1 if 1 <= said <= len(ask.shown) else None
    return said


def place(plan: Plan, ask: Ask) -> dict[str, Any]:
    """Which responses were shown, and in which order."""
    several = len(plan.item.responses) > 1
    if plan.shows == PAIR:
        pair = pair_of(plan, ask)
        named = {"pair": list(pair)} if len(plan.item.responses) > 2 else {}
        return {**named, "order": "AB" if pair == ask.shown else "BA"}
    if plan.shows == LIST:
        return {"order": list(ask.shown)}
    return {"response": ask.shown[0]} if several else {}


def asked(plan: Plan, judgment: Mapping[str, Any]) -> Ask:
    """The request that a judgment answers, from what `place` wrote of it; raises RowError where that fits no plan."""
    try:
        if plan.shows == PAIR:
            first, second = judgment.get("pair", plan.pairs[0])
            shown = {"AB": (first, second), "BA": (second, first)}[judgment["order"]]
        else:
            shown = tuple(judgment["order"]) if plan.shows == LIST else (judgment.get("response", 0),)
        if not all(type(at) is int and 0 <= at < len(plan.item.responses) for at in shown):
            raise ValueError(shown)
        return Ask(judgment["vote"], shown)
    except (KeyError, TypeError, ValueError):
        cure = "judge the row again, or leave its judgments as libra judge wrote them"
        raise RowError(
            "bad_judgments", f"a judgment does not say which responses of the row it is about; {cure}"
        ) from None
