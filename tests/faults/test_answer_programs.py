"""Random programs of the answer grammar: none breaks what reads, compares or prints answers, and none takes long."""

from __future__ import annotations

import random

import pytest
from processor_time import processor_time

from libra_cli.answers.comparison.equal import Decision, decide_quickly, is_readable
from libra_cli.answers.extraction.extract import final_answer
from libra_cli.answers.text import formula
from libra_cli.answers.values import structure

GRAMMAR = r"""
lg cis \cis \ns 21to \sqrt \frac12 \binom { } ( ) [ ] ^ _ - + * / x y 1 2 3.5 , \cup \in \begin{matrix} \end{matrix}
& \\ = < > \leq \pm \text{ km /h % $ \$ \boxed{ ! | \left( \right) \infty \log_ ln \circ or and : ~ \pi e i \sin C
mod . \overline{ dozen to \{ \} if a) Part(a) ; \mid ** the answer is
"""
PIECES = GRAMMAR.split()
SECONDS = 5.0
"""Of processor time for one program; most take a millisecond."""


def programs(seed: int, n: int):
    """`n` texts: half are pieces by chance, half a few pieces that are repeated up to the longest answer."""
    chance = random.Random(seed)
    for _ in range(n):
        space = chance.choice(("", " "))
        if chance.random() < 0.5:
            yield space.join(chance.choices(PIECES, k=chance.randrange(1, 60)))
        else:
            head, unit = (space.join(chance.choices(PIECES, k=k)) for k in (2, chance.randrange(1, 4)))
            yield head + f"{space}{unit}" * (500 // (len(unit) + len(space)))


def check(text: str) -> None:
    """Reads, hashes, compares and prints what `text` may be."""
    for other in ("x", "(1,2)", text[::-1], text):
        decision = decide_quickly(other, text)
        assert decision is None or isinstance(decision, Decision)
        assert decision is None or (decision.equal is None) == (decision.reason is not None)
    assert is_readable(text) in (True, False)
    for response in (text, text * 3, f"so {text}\\boxed{{1}}{text[:60]}\\boxed{{2}}"):
        assert isinstance(final_answer(response), (str, type(None)))
    for tree in formula.readings(text):
        assert hash(tree) == hash(tree)
        assert repr(tree)
    assert repr(structure.parse(text))


def run(seed: int, n: int) -> None:
    for text in programs(seed, n):
        try:
            with processor_time(SECONDS):
                check(text)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} on {text[:200]!r}") from error


def test_programs_of_the_grammar():
    run(1, 300)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_many_programs_of_the_grammar(seed):
    run(100 + seed, 1000)


@pytest.mark.parametrize(
    "text",
    [
        "lg " * 160, r"\ns" * 160, "21to" * 120, "cis " * 40, "cis " * 120, r"\cis" * 120, "2^" * 200 + "2", "-" * 500,
        "(" * 250 + ")" * 250, "{" * 250 + "}" * 250, r"\sqrt" * 100 + "2", "x+" * 200 + "1", "x " * 200, "|" * 500,
        r"\left(" * 80, "2!" * 200, r"\frac" * 100, r"\text{" * 70 + "}" * 70, "a_{" * 160 + "}" * 160, "x=" * 200,
        "1," * 200, r"\pm" * 150, r"\cup" * 120, "1/" * 200 + "2", "e^{" * 150 + "1" + "}" * 150,
    ],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_repetitions_are_answers_like_others(text):
    with processor_time(SECONDS):
        check(text)
        check(f"\\boxed{{{text}}}")


@pytest.mark.parametrize(
    "text",
    ["$" * 80_000 + r"\boxed", r"\boxed{1}" + "if ,if x" * 30 + r"\boxed{2}",
     r"\boxed{1} " + "a) b) " * 100 + r"\boxed{2}",
     r"\boxed{1}" + "maybe, or perhaps " * 500 + r"z\boxed{2}", r"\boxed" * 20_000, r"\boxed{" * 20_000,
     " " * 200_000 + "**x**", "answer is " * 20_000, "<|" * 50_000, r"\boxed{}" + " $" * 40_000],
    ids=lambda text: text[-12:],
)  # fmt: skip
def test_long_responses_take_no_longer_than_they_are_long(text):
    with processor_time(SECONDS):
        assert isinstance(final_answer(text), (str, type(None)))
