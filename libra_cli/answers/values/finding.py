"""Verdicts on a pair of answers: of the whole cascade, and of a comparison that knows one kind of answer."""

from __future__ import annotations

from collections.abc import Callable
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


Decide = Callable[[str, str], "Decision | None"]
"""The whole cascade, as a comparison calls it for what its answers are made of."""
OTHER_UNIT = "other_unit"
"""Why a pair is undecided whose units may differ."""
INTEGERS = "integers_or_reals"
"""The same of two bounds that agree for integers, and not for real numbers: n > 2, n \\geq 3."""
OTHER_TEXT = "other_text"
"""The same of two options with the same letter and different texts."""
OTHER_PARTS = "other_parts"
"""The same of answers to several parts of a question, of which not every part can be told."""
ROUNDED = "rounded"
"""The same of an answer that is more exact than the reference, and rounds to it."""
