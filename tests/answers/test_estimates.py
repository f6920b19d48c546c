"""What floating point says of two formulas is what many digits say, with nothing said where it may be wrong."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from libra_cli.answers.text import formula
from libra_cli.answers.values import estimates, numeric

POINT = {"x": Fraction(7, 3), "y": Fraction(-11, 4)}


def same(one: str, other: str) -> bool | None:
    return estimates.same(*(formula.readings(text)[0] for text in (one, other)), POINT)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (r"\sqrt{12}", r"2\sqrt{3}", True),
        (r"\sqrt{12}", r"2\sqrt{3}+\frac{1}{1000000}", False),
        (r"(x+1)^2", r"x^2+2x+1", True),
        (r"(x+1)^2", r"x^2+2x+2", False),
        (r"\frac{\pi}{4}", r"\frac{\pi}{5}", False),
        (r"\sqrt{2}", r"\sqrt{2}+10^{-10}", None),  # neither close nor apart for certain
        (r"\sqrt{y}", r"\sqrt{y}+1", None),  # no real value
        (r"10^{17}+1-10^{17}", "2", None),  # cancellation leaves no digit
        (r"(\sqrt{2}-\sqrt{2}+10^{-14})\cdot 10^{14}", "1.1", None),
        (r"\frac{1}{x-x}", "2", None),
        (r"2^{x}", r"2^{x}+1", False),
        (r"10^{400}", "3", None),
    ],
)
def test_of_two_formulas(one, other, expected):
    assert same(one, other) is expected


def drawn(draw: random.Random, depth: int) -> formula.Tree:
    """A tree of numbers, two variables, and functions whose error is bounded."""
    if depth == 0 or draw.random() < 0.2:
        return draw.choice(
            [("symbol", "x"), ("symbol", "y"), ("constant", "pi"), (formula.NUMBER, Fraction(draw.randrange(1, 9)))]
        )
    kind = draw.choice(["+", "+", "*", "/", "-", "sqrt", "^", "sin", "ln"])
    if kind == "^":
        return ("^", drawn(draw, depth - 1), (formula.NUMBER, Fraction(draw.choice([2, 3, -1]))))
    return (kind, *(drawn(draw, depth - 1) for _ in range(2 if kind in "+*/" else 1)))


def test_values_lie_within_their_errors():
    draw, seen = random.Random(3), 0
    for _ in range(3000):
        tree = drawn(draw, 5)
        exact = numeric.value_of(tree, POINT)
        try:
            found = estimates._estimate(tree, POINT)
        except (estimates._OpenError, ArithmeticError, ValueError):
            continue
        assert exact is not None
        assert abs(exact - found.value) <= found.error
        seen += 1
    assert seen > 1000


@pytest.mark.parametrize(("places", "expected"), [(2, False), (6, True)])
def test_constants_that_are_apart(places, expected):
    trees = [formula.readings(text)[0] for text in (r"\sqrt{2}", "1.4142")]
    assert estimates.are_apart(*trees, 2 * 10.0**-places) is expected
