"""Reads a response that is one value and nothing else: -3, 2 1/3, 5 ft 4 in, y - 5 = 2(x - 1)."""

from __future__ import annotations

from libra_cli.answers import equal, options, phrases, structure, units, words
from libra_cli.lazy_pattern import lazy_pattern

_MAX_CHARS = 80
_WORDS = lazy_pattern(r"\\[A-Za-z]+|[^\W\d_]{2,}")
_FUNCTIONS = words.table("sin cos tan cot sec csc ln log exp sqrt cbrt cis pi mod oo inf infinity union det gcd lcm")
_BULLET = lazy_pattern(r"[-*+\u2022] ")
_NOT_IN_VALUE = ("$", "\u27f9", "\u21d2", "\u2192", "?", "<<")


def value(text: str, reference: str) -> str | None:
    """The whole of `text`, if it is one line without a word of prose; None if the readers of sentences read it.

    It is what `reference` is, or another value of its kind for certain.
    """
    if len(text) > 2 * _MAX_CHARS:
        return None
    line = text.strip().strip("`*").rstrip(".").strip()
    if (
        not line
        or len(line) > _MAX_CHARS
        or "\n" in line
        or line.isalnum()
        or any(map(line.__contains__, _NOT_IN_VALUE))
    ):
        return None
    if not any(map(str.isdigit, line)) or options.parse(reference) or phrases.are_asked_for(reference):
        return None
    if _BULLET.match(line) and not reference.startswith("-"):
        return None
    heard = [word for word in _WORDS.findall(line) if not word.startswith("\\")]
    if any(word.lower() not in _FUNCTIONS and units.end_of(f"1 {word}", 1) < len(word) + 2 for word in heard):
        return None
    found = equal.decide_quickly(reference, line)
    if found is None or found.equal is None:
        return None
    return line if found.equal or _is_of_its_kind(*map(structure.parse, (reference, line))) else None


def _is_of_its_kind(reference: structure.Answer, answer: structure.Answer) -> bool:
    """Whether two answers are both numbers, with units or without, both ordered or both sets or lists."""
    if isinstance(reference, structure.Equation) and isinstance(answer, structure.Equation):
        return True
    if isinstance(reference, structure.Leaf) and isinstance(answer, structure.Leaf):
        return reference.number is not None and answer.number is not None
    both = (reference, answer)
    return all(isinstance(one, structure.Parts) and one.kind == "sequence" for one in both) or all(
        isinstance(one, structure.Matrix) for one in both
    )
