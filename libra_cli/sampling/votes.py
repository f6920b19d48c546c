"""From the votes on one response, pair or list to one number or one choice. Pure; a vote of null is never a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from libra_cli.choices import REDUCTIONS
from libra_cli.tasks.rank import STRENGTH, verdict_of
from libra_cli.tasks.task import Outcome

MEAN, MEDIAN, MAJORITY, MAX = REDUCTIONS

VALUES: dict[str, int] = {**STRENGTH, "correct": 1, "wrong": 0}
"""Verdicts in words as numbers."""


def values(outcomes: Iterable[Outcome | float | None]) -> list[float]:
    """The outcomes of the votes with a verdict, as numbers."""
    return [VALUES[outcome] if isinstance(outcome, str) else outcome for outcome in outcomes if outcome is not None]


def reduced(votes: Sequence[float], reduction: str) -> float | None:
    """One number from the votes of a judge; None without votes.

    `mean`; `median` (of an even count: the mean of the two in the middle); `majority`: the most frequent number, or the
    mean of several such numbers; `max`: the highest.
    """
    if not votes:
        return None
    if reduction == MEDIAN:
        return plain(median(votes))
    if reduction == MAX:
        return plain(max(votes))
    chosen = _most_frequent(votes) if reduction == MAJORITY else votes
    return plain(sum(chosen) / len(chosen))


def compared(votes: Sequence[float], reduction: str) -> float | None:
    """`reduced` for comparisons: `majority` counts A, B and tie, however strong, and a tie of these is a tie."""
    if reduction == MAX:
        raise ValueError("a comparison has no highest vote")
    if reduction != MAJORITY:
        return reduced(votes, reduction)
    leading = _most_frequent([sign(vote) for vote in votes])
    return None if not leading else int(leading[0]) if len(leading) == 1 else 0


def favourite(votes: Sequence[int]) -> int | None:
    """The response that most votes chose; None if several share the first place, or without votes."""
    leading = _most_frequent(votes)
    return int(leading[0]) if len(leading) == 1 else None


def highest(scores: Sequence[float]) -> int | None:
    """The index of the highest score; None if several share it, or without scores."""
    indices = [index for index, score in enumerate(scores) if score == max(scores)]
    return indices[0] if len(indices) == 1 else None


def _most_frequent(votes: Sequence[float]) -> list[float]:
    counts = Counter(votes)
    return sorted(vote for vote, count in counts.items() if count == max(counts.values()))


def sign(value: float) -> int:
    """1, 0 or -1."""
    return (value > 0) - (value < 0)


def preference(margin: float) -> str:
    """A comparison as a verdict: the sign of its margin says which response is better."""
    return verdict_of(sign(margin))


def plain(value: float) -> float:
    """A whole number without its decimal point: the mean of one vote is that vote."""
    return int(value) if value == int(value) else value
