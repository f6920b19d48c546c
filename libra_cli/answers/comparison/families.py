"""Compares families of numbers with an integer parameter: `\\frac{\\pi}{4} + k\\pi`, `7k + 3`, `x \\equiv 3 \\pmod 7`.

A family is a set of arithmetic progressions, so that its first member does not count: `7k + 3` is `7k - 4`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from libra_cli.answers.comparison import residues
from libra_cli.answers.text import formula, latex, words
from libra_cli.answers.values import normalize, numeric
from libra_cli.answers.values.finding import Finding
from libra_cli.lazy_pattern import lazy_pattern

MAX_PROGRESSIONS, MAX_RATIO = 256, 60
CLOSE = 1e-9
_NEEDED = lazy_pattern(r"mod|integer|\\in\s*(?:\\mathbb|Z)|(?<![A-Za-z\\])\d*k")
_MODULUS = lazy_pattern(r"\(?\\?[pb]?mod ?\{?(?P<modulus>[1-9]\d{0,8})\}?\)?$")
_PARITY = lazy_pattern(r"(?:the )?(?:set of )?(?:all )?(?:the )?(even|odd) integers\.?", one_of=("even", "odd"))
_SIDES = frozenset(("\\equiv", "=", ":=", "\\in"))
_PARAMETERS = ("k", "n", "m")


class Progression(NamedTuple):
    """All numbers that differ from `start` by a multiple of `step`."""

    start: float
    step: float


class Family(NamedTuple):
    """Progressions, and whether the text says that its letter is an integer."""

    progressions: tuple[Progression, ...]
    declared: bool
    letter: str


def same(reference: str, answer: str) -> Finding | None:
    """Compare two raw answers as families; None if they are none.

    If neither says that its letter is an integer, 7k + 3 and 7k - 4 may be two formulas.
    """
    if not (_NEEDED.search(reference) or _NEEDED.search(answer)):
        return None
    try:
        wanted, given = _family(reference), _family(answer)
    except (OverflowError, TypeError, ValueError):  # a value that is too large or not real
        return None
    if wanted is None or given is None:
        other = wanted or given
        # (-1)^k \pi/6 + k\pi is a family, but no progression.
        both = other is not None and all(residues.undeclared(text)[1] for text in (reference, answer))
        return Finding(None, "family") if both else None
    if "" in (wanted.letter, given.letter):  # a congruence: the letter of the other is its parameter
        wanted, given = wanted._replace(declared=True), given._replace(declared=True)
    equal = _covers(wanted.progressions, given.progressions)
    if wanted.declared and given.declared:
        return None if equal is None else Finding(equal)
    of_angles = "\\pi" in reference or "\\circ" in reference or "°" in reference
    if equal and not wanted.declared and not given.declared and wanted.letter != given.letter:
        return Finding(True) if of_angles else Finding(None, "formula_or_family")
    if not equal or (not (wanted.declared or given.declared) and wanted.progressions == given.progressions):
        return None
    if wanted.declared or given.declared or (of_angles and wanted.letter == given.letter):
        return Finding(True)
    return Finding(None, "formula_or_family") if wanted.letter == given.letter == "k" else None


@lru_cache(1 << 10)
def _family(raw: str) -> Family | None:
    if len(raw) > normalize.MAX_CHARS:
        return None
    raw = raw if raw.isascii() else normalize.in_ascii(raw)
    text = " ".join(latex.without_fonts(normalize.unwrapped(raw)).replace("$", "").replace("\\ ", " ").split())
    if "multiples of" in text:
        return _of_multiples(text)
    if parity := _PARITY.fullmatch(text):
        return Family((Progression(0.0 if parity[1] == "even" else 1.0, 2.0),), True, "")
    text, letter = residues.undeclared(text)
    text = normalize.normalized(text.removesuffix("\\}")).removeprefix("\\{")
    if "mod" in text:
        return _of_residues(latex.split(text, latex.COMMAS | latex.JOINS))
    return _with_parameter(_terms(text), letter)


def stated(tail: str, reference: str) -> str | None:
    """The set of integers or the family that the last sentence states; None if there is none, "" if that is unsure."""
    said = residues.stated(tail, reference)
    if said is not None:
        return said
    if not _NEEDED.search(reference) or (wanted := _family(reference)) is None or not wanted.declared:
        return None
    sentence = words.sentences(tail)[-1].strip(" .*\u3002")
    for text in residues.suffixes(sentence):
        found = _family(text) if len(text) < normalize.MAX_CHARS else None
        if found and found.declared:
            return text
    return None


def _of_multiples(text: str) -> Family | None:
    """All integer multiples of \\pi; odd multiples of \\pi/2."""
    before, _, behind = text.rpartition("multiples of")
    size = _constant(normalized) if (normalized := normalize.normalized(behind.rpartition("i.e. of")[2])) else None
    kinds = residues.FILLERS.union(("odd", "even"))
    heard = [word.strip("(),:").lower() for word in before.split()]
    if not size or not kinds.issuperset(word for word in heard if word not in ("the", "x", "=")):
        return None
    step = abs(size)
    if "odd" in heard:
        return Family((Progression(step, 2 * step),), True, "")
    return Family((Progression(0.0, 2 * step if "even" in heard else step),), True, "")


def _of_residues(parts: Sequence[str]) -> Family | None:
    """x \\equiv 1, 3 \\pmod 8: a modulus holds for the residues before it too."""
    progressions, step = [], 0.0
    for part in reversed(parts):
        modulus = _MODULUS.search(part)
        step = float(modulus["modulus"]) if modulus else step
        for term in _terms(part[: modulus.start()] if modulus else part):
            residue = _constant(term)
            if residue is None or not step:
                return None
            progressions.append(Progression(residue, step))
    return Family(tuple(progressions), True, "") if progressions else None


def _terms(text: str) -> list[str]:
    """Values of a text without names: x = 2k\\pi or x = \\pm 1 + 2k\\pi has three."""
    sides = (latex.split(part, _SIDES) for part in latex.split(text, latex.COMMAS | latex.JOINS))
    terms = [of_one[-1] for of_one in sides if of_one]
    signs = [(term.replace("\\pm", sign, 1) for sign in ("+", "-")) if "\\pm" in term else (term,) for term in terms]
    return [term.removeprefix("+") for both in signs for term in both]


def _constant(text: str) -> float | None:
    trees = formula.readings(text)[:1]
    value = None if not trees or formula.symbols(trees[0]) else numeric.rational(trees[0])
    return None if value is None else float(value)


def _with_parameter(terms: Sequence[str], letter: str) -> Family | None:
    progressions = []
    for term in terms:
        trees = formula.readings(term)[:1]
        names = formula.symbols(trees[0]) if trees else frozenset()
        if len(names) != 1 or (letter and names != {letter}) or not (letter or names <= set(_PARAMETERS)):
            return None
        (name,) = names
        found = _progressions(trees[0], name)
        if not found:
            return None
        progressions += found
    return Family(tuple(progressions), bool(letter), name) if progressions else None


def _progressions(tree: formula.Tree, name: str) -> list[Progression]:
    """The progression that a formula runs through, or the two of its even and odd parameters; empty for others."""
    for period in (1, 2):  # (-1)^n \\pi/6 + n\\pi
        found = [_progression(tree, name, first, period) for first in range(period)]
        if None not in found:
            return [one for one in found if one]
    return []


def _progression(tree: formula.Tree, name: str, first: int, period: int) -> Progression | None:
    """The values of a formula where its parameter is `first` modulo `period`; None if they are not evenly spaced."""
    values = [numeric.value_of(tree, {name: Fraction(first + period * point)}) for point in (0, 1, 2, 5)]
    if any(value is None for value in values):
        return None
    start, step = float(values[0]), float(values[1] - values[0])
    expected = (start + 2 * step, start + 5 * step)
    off = max(abs(float(value) - line) for value, line in zip(values[2:], expected, strict=True))
    return None if not step or off > CLOSE * max(map(abs, expected)) else Progression(start, abs(step))


def _covers(wanted: Sequence[Progression], given: Sequence[Progression]) -> bool | None:
    """Whether both have the same members, compared within one common period; None if there is none that is short."""
    steps = [progression.step for progression in (*wanted, *given)]
    ratios = [Fraction(step / steps[0]).limit_denominator(MAX_RATIO) for step in steps]
    if any(abs(float(ratio) * steps[0] - step) > CLOSE * step for ratio, step in zip(ratios, steps, strict=True)):
        return None if len({*wanted} | {*given}) > 2 else False
    period = Fraction(
        math.lcm(*(ratio.numerator for ratio in ratios)), math.gcd(*(ratio.denominator for ratio in ratios))
    )
    if any(period / ratio > MAX_PROGRESSIONS for ratio in ratios):
        return None
    there, here = (_distinct(sorted(_members(family, float(period) * steps[0]))) for family in (wanted, given))
    return len(there) == len(here) and all(abs(a - b) < 10 * CLOSE for a, b in zip(there, here, strict=True))


def _members(family: Sequence[Progression], period: float) -> Iterator[float]:
    """Members in one period, as shares of it."""
    for start, step in family:
        for index in range(round(period / step)):
            share = ((start + index * step) / period) % 1
            yield 0.0 if share > 1 - CLOSE else share


def _distinct(members: Sequence[float]) -> list[float]:
    return [member for index, member in enumerate(members) if not index or member - members[index - 1] > CLOSE]
