"""Finds the name that a mistyped one may be meant to be."""

from __future__ import annotations

from collections.abc import Iterable

ALIKE = 0.6
"""Ratio of difflib, from 0 to 1, from which two names are alike."""


def nearest_name(word: str, names: Iterable[str], least: float = ALIKE) -> str | None:
    """The one of `names` that is most like `word`; None if none is alike."""
    import difflib  # few runs need it

    return next(iter(difflib.get_close_matches(word, list(names), 1, least)), None)
