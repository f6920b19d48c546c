"""Verdicts on a pair of answers: of the whole cascade, and of a comparison that knows one kind of answer."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """The verdict of a comparison that no later one may overrule; a comparison of another kind finds nothing (None)."""

    equal: bool | None
    """None if both are of the kind, but nobody can say."""
    reason: str | None = None
    """Why nobody can say."""


class Decision(NamedTuple):
    """Verdict on a pair of answers and the level of the cascade that gave it."""

    equal: bool | None
    """None if undecided, which is never the same as False."""
    by: str
    reason: str | None = None
    """Why the pair is undecided; None if it is decided."""
