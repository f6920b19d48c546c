"""Compares the answers to the blanks of a question in their order: 29；155 for a₁₀=____，S₁₀=____."""

from __future__ import annotations

from libra_cli.lazy_pattern import lazy_pattern

_BLANK = lazy_pattern(r"_{2,}|\\underline\{(?:\\hspace\{[^{}]*\}|\\q?quad|\s)*\}|\uff08\s+\uff09|\(\s{2,}\)")
_SEPARATORS = ("\uff1b", ";", "\uff0c", "\u3001", ", ", ",")
"""What stands between the answers to several blanks, the strongest first."""


def in_order(reference: str, answer: str, question: str) -> tuple[str, str]:
    """The answers to several blanks as tuples; both as they are if one has not as many as there are blanks."""
    blanks = len(_BLANK.findall(question))
    if blanks < 2:
        return reference, answer
    wanted, given = _parts(reference, blanks), _parts(answer, blanks)
    return (wanted, given) if wanted and given else (reference, answer)


def _parts(text: str, count: int) -> str | None:
    bare = text.strip(" $.\u3002")
    for separator in _SEPARATORS:
        parts = [part.strip(" $") for part in bare.split(separator)]
        if len(parts) == count and all(parts) and "(" not in bare:
            return f"({', '.join(part.rpartition('=')[2].strip() for part in parts)})"
    return None
