"""From the votes on one response, pair or list to one number or one choice. Pure; null votes are never a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from libra_cli.choices import REDUCTIONS
from libra_cli.tasks.rank import STRENGTH, verdict_of
from libra_cli.tasks.task import Outcome

MEAN, MEDIAN, MAJORITY, BEST = REDUCTIONS

VALUES: dict[str, int] = {**STRENGTH, "correct": 1, "wrong": 0}
"""Verdicts in words as numbers."""


def values(outcomes: Iterable[Outcome | float | None]) -> list[float]:
    """The votes that can be read, as numbers."""
    return [VALUES[said] if isinstance(said, str) else said for said in outcomes if said is not None]


def reduced(votes: Sequence[float], how: str) -> float | None:
    """One number from the votes of a judge; None without votes.

    `mean`; `median` (of an even count: the mean of the two in the middle); `majority`: the most frequent number, and
    where several are, their mean; `best`: the highest.
    """
    if not votes:
        return None
    if how == MEDIAN:
        return plain(median(votes))
    if how == BEST:
        return plain(max(votes))
    chosen = _most_frequent(votes) if how == MAJORITY else votes
    return plain(sum(chosen) / len(chosen))


def compared(votes: Sequence[float], how: str) -> float | None:
    """`reduced` for comparisons: `majority` counts A, B and tie, however strong, and a tie of these is a tie."""
    if how == BEST:
        raise ValueError("a comparison has no best vote")
    if how != MAJORITY:
        return reduced(votes, how)
    leading = _most_frequent([sign(vote) for vote in votes])
    return None if not leading else int(leading[0]) if len(leading) == 1 else 0


def favourite(votes: Sequence[int]) -> int | None:
    """The response that most votes chose; None where several share the first place, or without votes."""
    leading = _most_frequent(votes)
    return int(leading[0]) if len(leading) == 1 else None


def highest(scores: Sequence[float]) -> int | None:
    """The place of the highest score; None where several share it, or without scores."""
    places = [place for place, score in enumerate(scores) if score == max(scores)]
    return places[0] if len(places) == 1 else None


def _most_frequent(votes: Sequence[float]) -> list[float]:
    counts = Counter(votes)
    return sorted(vote for vote, count in counts.items() if count == max(counts.values()))


def sign(value: float) -> int:
    """1, 0 or -1."""
    return (value > 0) - (value < 0)


def preference(value: float) -> str:
    """A comparison as a verdict: the sign says which response is better."""
    return verdict_of(sign(value))


def plain(value: float) -> float:
    """A whole number without its decimal point: the mean of one vote is that vote."""
    return int(value) if value == int(value) else value
