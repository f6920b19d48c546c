"""Pairs with known verdicts: a verifier that gets one of them wrong must not label anything."""

from __future__ import annotations

PAIRS: tuple[tuple[str, str, bool], ...] = (
    (r"x^2+2x+1", r"(x+1)^2", True),
    (r"x^2+2x+1", r"(x-1)^2", False),
    (r"\sqrt{12}", r"2\sqrt{3}", True),
    (r"(2,\sqrt{8})", r"(2,2\sqrt{2})", True),
    (r"(2,\sqrt{8})", r"[2,2\sqrt{2})", False),
    (r"x>\sqrt{4}", r"(2,\infty)", True),
    (r"x>\sqrt{4}", r"[2,\infty)", False),
    # The first sum, integral, limit or unit loads modules for longer than the deadline of a pair; they are loaded here.
    (r"\sum_{k=1}^{n} k", r"\frac{n(n+1)}{2}", True),
    (r"\int_0^1 x^2 dx", r"\frac{1}{3}", True),
    (r"\lim_{x \to 0} \frac{\sin x}{x}", "1", True),
    (r"\prod_{k=1}^{4} k", "24", True),
    (r"4\pi \text{ rad/s}", r"4\pi \text{ s}^{-1}", True),
)


def failure(verdicts: list[bool | None]) -> str | None:
    """Describe the first wrong verdict on PAIRS (given in order); None if all are right."""
    for (reference, answer, expected), verdict in zip(PAIRS, verdicts, strict=True):
        if verdict is not expected:
            return f"it finds {verdict} where {reference} = {answer} is {expected}"
    return None
