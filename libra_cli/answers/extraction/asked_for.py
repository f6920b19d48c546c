"""What a text is read for: its reference, its question, and whether it was cut off."""

from __future__ import annotations

from typing import NamedTuple


class AskedFor(NamedTuple):
    """A text and what is asked for."""

    text: str
    reference: str
    """Empty if it is unknown."""
    cut: bool
    question: str
    """Empty if it is unknown."""
