"""Judgments: one vote of a judge as rows carry it, with the reason if no verdict can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from libra_cli.engines.openai.retry import Trouble
from libra_cli.sampling.judge_prompts import LIST, PAIR, JudgePlan, JudgePrompt
from libra_cli.stream.jobs import Answer
from libra_cli.stream.rows import RowError
from libra_cli.tasks.rank import preferred, swapped
from libra_cli.tasks.task import Outcome
from libra_cli.tasks.verdicts import OUT_OF_RANGE

Vote = Outcome | float | None
"""An outcome or a reward model's number, in the order shown or the record's own; None if there is none."""


ANSWERED_ON_ANOTHER_TRY = frozenset({"no_result", *(trouble.value for trouble in Trouble)})
"""Kinds of errors of requests that the same command may get answered later: the server or the batch was at fault."""


def judgment(plan: JudgePlan, prompt: JudgePrompt, verdict: Vote, reason: str | None, **more: Any) -> dict[str, Any]:
    """A vote as it is written: its outcome in the record's own order, how it was shown, and `more`.

    `reason` says why there is no verdict. Values of None are left out of `more`, except its `text`.
    """
    outcome = in_own_order(plan, prompt, verdict)
    if outcome is None:
        reason = reason or OUT_OF_RANGE
    as_shown = {"said": verdict} if verdict is not None and verdict != outcome else {}
    given = {name: value for name, value in more.items() if value is not None or name == "text"}
    why = {"reason": reason} if outcome is None else {}
    return {"outcome": outcome, **why, "vote": prompt.vote, **order_fields(plan, prompt), **as_shown, **given}


def failed_judgment(plan: JudgePlan, prompt: JudgePrompt, error: RowError, **more: Any) -> dict[str, Any]:
    """A vote whose request failed."""
    return judgment(plan, prompt, None, error.kind, error=str(error), **more)


def raise_failures(answers: Sequence[Answer]) -> None:
    """Raises any error that concerns the whole run, and the error of a row whose verdict would lack votes.

    A request that the same command may get answered later is such an error, and so are the requests of a row that all
    failed. A request that never succeeds (too long, refused) is a vote without a verdict beside the others.
    """
    for answer in answers:
        if isinstance(answer, Exception) and not isinstance(answer, RowError):
            raise answer
    for answer in answers:
        if isinstance(answer, RowError) and answer.kind in ANSWERED_ON_ANOTHER_TRY:
            raise answer
    if answers and all(isinstance(answer, RowError) for answer in answers):
        raise answers[0]


def pair_of(plan: JudgePlan, prompt: JudgePrompt) -> tuple[int, int]:
    """The comparison that a prompt belongs to, in the record's own order."""
    first, second = prompt.order
    return (first, second) if (first, second) in plan.pairs else (second, first)


def in_own_order(plan: JudgePlan, prompt: JudgePrompt, verdict: Vote) -> Vote:
    """Turns a verdict on responses as shown into one in the record's own order.

    None for the number of a response that was not shown.
    """
    if plan.shows == PAIR and isinstance(verdict, str):
        return verdict if pair_of(plan, prompt) == prompt.order else swapped(verdict)
    if plan.shows == LIST and isinstance(verdict, int):  # responses are numbered from 1
        return prompt.order[verdict - 1] + 1 if 1 <= verdict <= len(prompt.order) else None
    return verdict


def order_fields(plan: JudgePlan, prompt: JudgePrompt) -> dict[str, Any]:
    """The fields of a judgment that say which responses were shown, and in which order."""
    several = len(plan.item.responses) > 1
    if plan.shows == PAIR:
        pair = pair_of(plan, prompt)
        named = {"pair": list(pair)} if len(plan.item.responses) > 2 else {}
        return {**named, "order": "AB" if pair == prompt.order else "BA"}
    if plan.shows == LIST:
        return {"order": list(prompt.order)}
    return {"response": prompt.order[0]} if several else {}


def prompt_of(plan: JudgePlan, judgment: Mapping[str, Any]) -> JudgePrompt:
    """The prompt that a judgment answers, from its `order_fields`; raises RowError if they do not fit the plan."""
    try:
        if plan.shows == PAIR:
            first, second = judgment.get("pair", plan.pairs[0])
            order = {"AB": (first, second), "BA": (second, first)}[judgment["order"]]
        else:
            order = tuple(judgment["order"]) if plan.shows == LIST else (judgment.get("response", 0),)
        if not all(type(index) is int and 0 <= index < len(plan.item.responses) for index in order):
            raise ValueError(order)
        return JudgePrompt(judgment["vote"], order)
    except (KeyError, TypeError, ValueError):
        cure = "judge the row again, or leave its judgments as libra judge wrote them"
        raise RowError(
            "bad_judgments", f"a judgment does not say which responses of the row it is about; {cure}"
        ) from None


def ordered_verdicts(judgments: Sequence[Any]) -> Iterator[tuple[tuple[Any, ...], str, int, int]]:
    """The verdicts of a judged row on pairs, for `metrics.position_bias`.

    Yields the comparison, the order (`AB` or `BA`), and the sign of the verdict as shown and in the record's own order.
    """
    for judgment in judgments:
        if not isinstance(judgment, dict) or judgment.get("order") not in ("AB", "BA"):
            continue
        outcome = judgment.get("outcome")
        own, as_shown = preferred(outcome), preferred(judgment.get("said", outcome))
        if own is not None and as_shown is not None:
            comparison = (judgment.get("vote"), *judgment.get("pair", ()))
            yield comparison, judgment["order"], as_shown, own
