"""What there is to see of one judgment: which vote on which responses, its verdict, and what the judge wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from libra_cli.stages.show.passages import Passage, as_text, cut
from libra_cli.tasks.verdicts import NO_VERDICT

Fields = Mapping[str, Any]

_NUMBERS = {"best": "best", "scalar": "reward"}
"""What the number that a judge gives is called, by task; of other tasks it is a score."""


def judgment_passages(judgment: Fields, task: str, n_votes: int, names: Sequence[str]) -> list[Passage]:
    """One judgment, headed `vote 2 of 3, response B shown first: A>B (written B>A, 90 tokens)`.

    Votes, like responses, count from 1. `names` are those of the row's responses.
    """
    parts = [_vote(judgment, n_votes), _responses(judgment, names)]
    which = ", ".join(part for part in parts if part) or "vote"
    title = f"{which}: {_verdict(judgment, task)}"
    written = next((judgment[name] for name in ("text_with_cot", "text", "error") if judgment.get(name)), None)
    if written is None and isinstance(judgment.get("steps"), list):
        written = f"rewards of the steps: {', '.join(map(as_text, judgment['steps']))}"
    if not isinstance(written, str):
        return [Passage(title, "", depth=1)]
    *thoughts, text = cut(which, written, 1)
    return [*thoughts, replace(text, title=title)]


def n_votes_of(judgments: Sequence[Fields]) -> int:
    """How many votes there are on each response, pair or list of a row."""
    return 1 + max((one["vote"] for one in judgments if type(one.get("vote")) is int), default=0)


def _vote(judgment: Fields, n_votes: int) -> str:
    vote = judgment.get("vote")
    return f"vote {vote + 1} of {n_votes}" if type(vote) is int and n_votes > 1 else ""


def _verdict(judgment: Fields, task: str) -> str:
    """The verdict, and in parentheses how it came about."""
    outcome, said, gate = (judgment.get(name) for name in ("outcome", "said", "gate"))
    reason = str(judgment.get("reason") or NO_VERDICT)
    details = [reason] if outcome is None and reason != NO_VERDICT else []
    details += [f"written {_outcome(said, task)}"] if said is not None else []
    details += [f"the judge was not asked: a response is {gate}"] if gate is not None else []
    details += [f"{judgment['n_tokens']} tokens"] if judgment.get("n_tokens") is not None else []
    finish = judgment.get("finish_reason")
    details += [f"finish_reason {finish}"] if finish not in (None, "stop") else []
    verdict = "no verdict" if outcome is None else _outcome(outcome, task)
    return f"{verdict} ({', '.join(details)})" if details else verdict


def _outcome(outcome: Any, task: str) -> str:
    """A number with the name of what it is; words as they are."""
    is_number = isinstance(outcome, (int, float)) and not isinstance(outcome, bool)
    return f"{_NUMBERS.get(task, 'score')} {as_text(outcome)}" if is_number else as_text(outcome)


def _responses(judgment: Fields, names: Sequence[str]) -> str:
    """Which responses the judge saw, and in which order, if the row has several."""
    order, pair, one = (judgment.get(name) for name in ("order", "pair", "response"))
    if isinstance(order, list):
        return f"responses in the order {' '.join(map(_number, order))}"
    if one is not None:
        return _name(one, names)
    pair = pair if isinstance(pair, list) and len(pair) == 2 else None
    shown = [f"{_name(pair[0], names)} as A, {_name(pair[1], names)} as B"] if pair else []
    if order in ("AB", "BA"):
        shown.append(f"{_name((pair or (0, 1))['AB'.index(order[0])], names)} shown first")
    return ", ".join(shown)


def _name(index: Any, names: Sequence[str]) -> str:
    return names[index] if type(index) is int and 0 <= index < len(names) else f"response {_number(index)}"


def _number(index: Any) -> str:
    return str(index + 1) if type(index) is int else as_text(index)
