"""Compares equations and inequalities by the numbers that satisfy them.

Two inequalities are compared at the ends of their intervals, next to them and between them, and at fixed points far
away. Two equations are compared by the ratio of their differences of sides at sampled points.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from libra_cli.answers.text import exclusions, formula, latex, words
from libra_cli.answers.text.formula import Tree
from libra_cli.answers.values import numeric
from libra_cli.lazy_pattern import lazy_pattern

MAX_ENDS = 24
MEMBERS, REACH = 60, 10
"""Range of the integer parameter of a family around zero, and the largest absolute value of compared members."""
CLOSE = 1e-20
"""Relative difference below which two values are equal; ends have 30 digits."""
_RISING = {"<": ">", "\\leq": "\\geq"}
_SIGNS = {"\\lt": "<", "\\gt": ">"}
_STRICTNESS = {"<": (False, True), ">": (True, True), "\\leq": (False, False), "\\geq": (True, False)}
"""Whether the left side is the larger one, and never equal."""
_EVERY = lazy_pattern(
    r"(?:(?:all|every|any|for all)(?: real)?(?: numbers?| values? of)? ?(?=[a-z][<>\\]))",
    one_of=("any", "all", "every"),
)
_NAMED_VALUE = lazy_pattern(r"[A-Za-z](?:_\{?\w+\}?)?(?:\([^()]*\))?=|\|[A-Z]\|=")
_CALL = lazy_pattern(r"(?<![A-Za-z\\])[fghF]\([a-z]\)(?=[<>=\\])", one_of=("(",))
_COORDINATES = frozenset("xyz")
_BUILDER = lazy_pattern(
    r"\\\{([A-Za-z])(?:\\in ?(?:\\mathbb ?\{?R\}?|R))?(?:\\mid|:|\||\\vert) ?(.*)\\\}", re.DOTALL, one_of=("\\{",)
)
_REALS = frozenset(("\\mathbb{R}", "\\mathbb R", "(-\\infty,\\infty)", "R"))
_FAMILY = lazy_pattern(
    r"\\\{(?P<term>.+?)(?:\\mid|\\?\||:) ?(?P<letter>[a-z])"
    r"\\in\\mathbb\{?(?P<integers>[ZN])\}?(?P<positive>\^\{?\+\}?|)\\\}",
    one_of=("\\in\\mathbb",),
)
_WITHOUT = lazy_pattern(
    r"(?:\\setminus|\\backslash|-)\\\{(.*)\\\}|(?: ?except(?: for)? )(?:[a-z]=)?(.+)",
    one_of=("-\\{", "except ", "setminus", "backslash"),
)
_INFINITE = ("\\infty", "-\\infty")

_HOLDS: dict[str, Callable[[Any, Any, bool], bool]] = {
    "<": lambda a, b, equal: not equal and a < b,
    ">": lambda a, b, equal: not equal and a > b,
    "\\leq": lambda a, b, equal: equal or a < b,
    "\\geq": lambda a, b, equal: equal or a > b,
    "\\neq": lambda _a, _b, equal: not equal,
    "=": lambda _a, _b, equal: equal,
}


class Numbers(NamedTuple):
    """A set of real numbers."""

    holds: Callable[[Fraction], bool]
    """Whether the set contains a number."""
    ends: tuple[Fraction, ...]
    """Numbers at which an interval of the set may begin or end."""
    variable: str | None = None
    by_relation: bool = True
    """Whether the text has relations, and not only brackets."""
    has_all_ends: bool = True


def same_numbers(reference: str, answer: str) -> bool | None:
    """Whether two normalized texts are the same set of numbers; None if neither has a relation, or if uncertain."""
    if bool(_CALL.search(reference)) is not bool(_CALL.search(answer)):  # f(x) > 2 and y > 2
        reference, answer = _CALL.sub("y", reference), _CALL.sub("y", answer)
    wanted, given = numbers(reference), numbers(answer)
    if wanted is None or given is None or not (wanted.by_relation or given.by_relation):
        return None
    if wanted.variable and given.variable and wanted.variable.lower() != given.variable.lower():
        return False
    ends = sorted({*wanted.ends, *given.ends})
    if len(ends) > MAX_ENDS:
        return None
    offset = Fraction(1, 10**9)
    points = [Fraction(n, 7) for n in (-7000003, -9001, -401, -52, -19, -5, -1, 1, 3, 11, 38, 401, 9001, 7000003)]
    for end in ends:
        points += [end, end - offset, end + offset]
    points += [(low + high) / 2 for low, high in pairwise(ends)]
    if any(wanted.holds(point) != given.holds(point) for point in points):
        return False
    return True if wanted.has_all_ends or given.has_all_ends else None


def same_order(reference: str, answer: str) -> bool | None:
    """Whether two chains of inequalities put the same terms in one order: a>b>c is c<b<a; None for anything else."""
    wanted, given = _order(reference), _order(answer)
    if wanted is None or given is None or sorted(wanted[0]) != sorted(given[0]) or len(set(wanted[0])) < len(wanted[0]):
        return None
    if wanted == given:
        return True
    strict = all(sign == "<" for sign in (*wanted[1], *given[1]))
    return False if strict and wanted[0] != given[0] else None


def _order(text: str) -> tuple[list[str], list[str]] | None:
    """The terms of a chain from the least to the greatest, and the signs between them; None if it is no chain."""
    signs = [_SIGNS.get(sign, sign) for sign in latex.signs(text, latex.BOUNDS)]
    terms = latex.split(text, latex.BOUNDS)
    if len(signs) < 2 or len(terms) != len(signs) + 1 or any(mark in text for mark in "=,;"):
        return None
    if all(sign in _RISING for sign in signs):
        return terms, signs
    if all(sign in _RISING.values() for sign in signs):
        rising = {falling: rise for rise, falling in _RISING.items()}
        return terms[::-1], [rising[sign] for sign in signs[::-1]]
    return None


@lru_cache(1 << 10)
def numbers(text: str) -> Numbers | None:
    """Parse a normalized text as a set: an inequality, an interval, a union of them, or the real numbers."""
    if "\\neq" in text:
        text = exclusions.one_by_one(text)
    builder = _BUILDER.fullmatch(text)
    if builder:
        condition = _condition(builder[2], with_equations=True)
        is_of_letter = condition is not None and condition.variable in (None, builder[1])
        return condition._replace(variable=None) if condition is not None and is_of_letter else None
    member = latex.members_of(text)
    if member:
        return numbers(member[1])
    every = _EVERY.match(text)
    if every:
        return numbers(text[every.end() :])
    without = _WITHOUT.search(text)
    if without and ((before := text[: without.start()]) in _REALS or words.phrase(before) == "all reals"):
        excluded = [_constant(part) for part in exclusions.values_of(without[1] or without[2])]
        if any(value is None for value in excluded):
            return None
        points = tuple(value for value in excluded if value is not None)
        return Numbers(lambda x: not any(_close(x, point) for point in points), points)
    if text in _REALS:
        return Numbers(lambda _x: True, (), by_relation=False)
    parts = latex.split(text, latex.UNION)
    if len(parts) > 1:
        return _joined([numbers(part) for part in parts], any)
    return _finite(text) or _interval(text) or _condition(text)


def where(text: str) -> Numbers | None:
    """The numbers for which a condition holds, which may be an equation: x > 0, x = 0."""
    return numbers(text) or _condition(text, with_equations=True)


def _joined(parts: Sequence[Numbers | None], how: Callable[[list[bool]], bool]) -> Numbers | None:
    sets = [part for part in parts if part is not None]
    variables = {part.variable for part in sets if part.variable}
    if len(sets) < len(parts) or not sets or len(variables) > 1:
        return None

    return Numbers(
        lambda point: how([part.holds(point) for part in sets]),
        tuple({end for part in sets for end in part.ends}),
        next(iter(variables), None),
        any(part.by_relation for part in sets),
        all(part.has_all_ends for part in sets),
    )


def _finite(text: str) -> Numbers | None:
    """Parse a finite set such as `{1, 2}`."""
    braces = latex.enclosed(text, ("\\{",), ("\\}",))
    constants = [_constant(part) for part in latex.split(braces[1], latex.COMMAS)] if braces else []
    if not constants or None in constants:
        return None
    points = tuple(point for point in constants if point is not None)
    return Numbers(lambda x: any(_close(x, point) for point in points), points, by_relation=False)


def _interval(text: str) -> Numbers | None:
    brackets = latex.enclosed(text, ("(", "["), (")", "]"))
    sides = latex.split(brackets[1], latex.COMMAS) if brackets else []
    if brackets is None or len(sides) != 2:
        return None
    low, high = (None if side in _INFINITE else _constant(side) for side in sides)
    if (low is None and sides[0] != "-\\infty") or (high is None and sides[1] != "\\infty"):
        return None
    from_low = _HOLDS["\\geq" if brackets[0] == "[" else ">"]
    to_high = _HOLDS["\\leq" if brackets[2] == "]" else "<"]

    def holds(point: Fraction) -> bool:
        above = low is None or from_low(point, low, _close(point, low))
        return above and (high is None or to_high(point, high, _close(point, high)))

    return Numbers(holds, tuple(end for end in (low, high) if end is not None), by_relation=False)


def _condition(text: str, with_equations: bool = False) -> Numbers | None:
    """Parse inequalities joined by "and", commas or "or"."""
    for separator, how in ((latex.OR, any), (latex.AND, all), (latex.COMMAS, all)):
        parts = latex.split(text, separator)
        if len(parts) > 1:
            return _joined([_condition(part, with_equations) for part in parts], how)
    return _chain(text, with_equations)


def _chain(text: str, with_equations: bool) -> Numbers | None:
    """Parse a chain of relations in one variable, such as `1 < x \\leq 5`."""
    signs = [_SIGNS.get(sign, sign) for sign in latex.signs(text, latex.RELATIONS)]
    if not signs or (set(signs) == {"="} and not with_equations):
        return None
    written = _sides(text)
    # An infinite end bounds nothing: -\infty < x < 1 is x < 1.
    if len(written) > 2 and written[0] == "-\\infty" and signs[0] in ("<", "\\leq"):
        written, signs = written[1:], signs[1:]
    if len(written) > 2 and written[-1] == "\\infty" and signs[-1] in ("<", "\\leq"):
        written, signs = written[:-1], signs[:-1]
    sides = [formula.readings(side)[:1] for side in written]
    if len(sides) != len(signs) + 1 or not all(sides):
        return None
    trees = [side[0] for side in sides]
    variables = frozenset().union(*map(formula.symbols, trees))
    if len(variables) != 1:
        return None
    variable = next(iter(variables))
    ends = tuple(value for tree in trees if not formula.symbols(tree) and (value := numeric.rational(tree)) is not None)

    def holds(point: Fraction) -> bool:
        values = [numeric.value_of(tree, {variable: point}) for tree in trees]
        if any(value is None for value in values):
            return False  # a relation fails if a side has no value
        return all(_HOLDS[sign](a, b, _close(a, b)) for sign, (a, b) in zip(signs, pairwise(values), strict=True))

    is_bare = all(not formula.symbols(tree) or tree == (formula.SYMBOL, variable) for tree in trees)
    return Numbers(holds, ends, variable, has_all_ends=is_bare)


def _close(a: Any, b: Any) -> bool:
    return bool(abs(a - b) <= CLOSE * max(abs(a), abs(b), 1))


def _sides(text: str) -> list[str]:
    return latex.split(text, latex.RELATIONS)


def _constant(text: str) -> Fraction | None:
    """Value of an end: exact if rational, else to 30 digits."""
    for tree in formula.readings(text)[:1]:
        return numeric.rational(tree)
    return None


def is_readable(text: str) -> bool:
    """Whether a text is a set of numbers, a family or an equation that this module compares."""
    return numbers(text) is not None or _family(text) is not None or _difference(text) is not None


# -- families ---------------------------------------------------------------------------------------------------------


def same_families(reference: str, answer: str) -> bool | None:
    """Whether two families such as `{2n+1 | n in Z}` have the same members near zero; None for other texts."""
    wanted, given = _family(reference), _family(answer)
    return None if wanted is None or given is None else wanted == given


@lru_cache(1 << 8)
def _family(text: str) -> frozenset[Fraction] | None:
    """Members of a family from -REACH to REACH."""
    family = _FAMILY.fullmatch(text)
    trees = formula.readings(family["term"])[:1] if family else ()
    if family is None or not trees or formula.symbols(trees[0]) != {family["letter"]}:
        return None
    first = {"Z": -MEMBERS, "N": 0}[family["integers"]] if not family["positive"] else 1
    values = [numeric.value_of(trees[0], {family["letter"]: Fraction(n)}) for n in range(first, MEMBERS + 1)]
    if None in values:
        return None
    return frozenset(round(Fraction(str(value)), 12) for value in values if abs(value) <= REACH)


# -- equations --------------------------------------------------------------------------------------------------------


def same_as_value(reference: str, answer: str) -> bool | None:
    """Compare a value with `2+3 = 5` or `> 5`: a true equation equals its value, a false one or a bound does not."""
    for value, other in ((reference, answer), (answer, reference)):
        if latex.has(value, latex.RELATIONS) or not formula.readings(value):
            continue
        if other.startswith(tuple(latex.BOUNDS)):
            return False
        sides = [formula.readings(side)[:1] for side in _sides(other)]
        if set(latex.signs(other, latex.RELATIONS)) == {"="} and len(sides) > 1 and all(sides):
            trees = [side[0] for side in sides]
            if not any(map(formula.symbols, trees)):
                return all(numeric.same_trees(tree, formula.readings(value)[0]) for tree in trees)
            if not is_condition(value) and all(numeric.same_trees(trees[0], tree) for tree in trees[1:]):  # an identity
                return numeric.same_trees(formula.readings(value)[0], trees[-1])
    return None


def is_condition(text: str) -> bool:
    """Whether a text is an equation in one variable, or of a curve, whose left side is more than a name: x^2 = 4."""
    sides = [formula.readings(side)[:1] for side in _sides(text)]
    if set(latex.signs(text, latex.RELATIONS)) != {"="} or len(sides) != 2 or not all(sides):
        return False
    names = formula.symbols(sides[0][0])
    is_curve = len(names) > 1 and names <= _COORDINATES and not _is_polynomial(sides[0][0])
    return (len(names) == 1 or is_curve) and not _NAMED_VALUE.match(text)


def same_equations(reference: str, answer: str) -> bool | None:
    """Whether one equation is a constant multiple of the other; None if uncertain.

    Proportional equations have the same solutions. Polynomials that are not proportional differ; only computer algebra
    decides the rest (xy = 1 is y = 1/x).
    """
    wanted, given = _difference(reference), _difference(answer)
    if wanted is None or given is None:
        return None
    ratios = _ratios(wanted, given)
    if ratios is None:
        return None
    if all(_close(ratio, ratios[0]) for ratio in ratios):
        return True
    return False if _is_polynomial(wanted) and _is_polynomial(given) else None


def same_inequalities(reference: str, answer: str) -> bool | None:
    """Whether two inequalities in several variables are one times a positive constant; None if uncertain."""
    signs = [_STRICTNESS.get(_SIGNS.get(sign, sign)) for sign in map(_only_relation, (reference, answer))]
    if None in signs:
        return None
    wanted, given = (_difference(text, _only_relation(text)) for text in (reference, answer))
    ratios = _ratios(wanted, given) if wanted is not None and given is not None else None
    if ratios is None or not all(_close(ratio, ratios[0]) for ratio in ratios):
        return None
    (is_more, strict), (is_also_more, also_strict) = signs  # type: ignore[misc]
    return strict == also_strict and (ratios[0] > 0) == (is_more == is_also_more)


def _only_relation(text: str) -> str:
    found = latex.signs(text, latex.RELATIONS)
    return found[0] if len(found) == 1 else ""


def _ratios(wanted: Tree, given: Tree) -> list[Any] | None:
    """Ratios of two formulas with the same variables at enough points; None if there are too few."""
    names = sorted(formula.symbols(wanted) | formula.symbols(given))
    if not names or formula.symbols(wanted) != formula.symbols(given):
        return None
    pieces = any(map(numeric.is_in_pieces, (wanted, given)))
    ratios, enough = [], numeric.PIECES_POINTS if pieces else numeric.POINTS
    for point in numeric.points(names, pieces):
        a, b = numeric.value_of(wanted, point), numeric.value_of(given, point)
        if a is None or b is None or not a or not b:
            continue
        ratios.append(a / b)
        if len(ratios) >= enough and not pieces:
            break
    return ratios if len(ratios) >= enough else None


def _difference(text: str, sign: str = "=") -> Tree | None:
    """Tree of `a - b` for the equation `a = b`, or for another relation `sign`."""
    sides = latex.split(text, latex.RELATIONS)
    if latex.signs(text, latex.RELATIONS) != [sign] or len(sides) != 2:
        return None
    trees = [formula.readings(side)[:1] for side in sides]
    return ("+", trees[0][0], ("-", trees[1][0])) if all(trees) else None


def _is_polynomial(tree: Tree) -> bool:
    """Whether an equation is one of lines and planes, which only its multiples equal."""
    kind = tree[0]
    if kind in (formula.NUMBER, formula.SYMBOL, formula.CONSTANT):
        return True
    if kind in ("+", "-"):
        return all(map(_is_polynomial, tree[1:]))
    if kind == "*":
        return all(map(_is_polynomial, tree[1:])) and sum(bool(formula.symbols(part)) for part in tree[1:]) < 2
    return kind == "/" and _is_polynomial(tree[1]) and not formula.symbols(tree[2])


COMPARISONS = (same_order, same_as_value, same_numbers, same_families, same_equations, same_inequalities)
"""In the order in which they are asked."""
