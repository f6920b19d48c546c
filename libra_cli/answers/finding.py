"""What a comparison that knows one kind of answer has found about a pair."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """The verdict of a comparison that no later one may overrule; a comparison of another kind finds nothing (None)."""

    equal: bool | None
    """None if both are of the kind, but nobody can say."""
    reason: str | None = None
    """Why nobody can say."""
