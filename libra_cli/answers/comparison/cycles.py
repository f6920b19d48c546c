"""Compares permutations as products of disjoint cycles: `(1\\,2\\,3)` and `(2 3 1)` are one."""

from __future__ import annotations

_SPACES = ("\\,", "\\ ", "\\;", "\\:", "\\!", "~", "$", "\\left", "\\right")


def same(reference: str, answer: str) -> bool | None:
    """Whether two products of cycles are the same permutation; None unless both are such products."""
    wanted = _images(reference)
    given = _images(answer) if wanted else None
    return None if wanted is None or given is None else wanted == given


def _images(text: str) -> dict[str, str] | None:
    """The image of each number that moves; None unless `text` is a product of disjoint cycles of numbers."""
    for space in _SPACES:
        text = text.replace(space, " ")
    text = text.rpartition("=")[2].strip()
    if not (text.startswith("(") and text.endswith(")")) or "," in text:
        return None
    images: dict[str, str] = {}
    for cycle in text[1:-1].split(")"):
        numbers = cycle.strip().removeprefix("(").split()
        if len(numbers) < 2 or not all(map(str.isdecimal, numbers)):
            return None
        if len(set(numbers)) < len(numbers) or not images.keys().isdisjoint(numbers):
            return None
        images |= zip(numbers, [*numbers[1:], numbers[0]], strict=True)
    return images
