"""Compares numbers and formulas by their units: whether these agree, and whether a conversion makes them equal."""

from __future__ import annotations

from collections.abc import Sequence

from libra_cli.answers.text import latex, number
from libra_cli.answers.values import conversions, normalize, notation, structure, units
from libra_cli.answers.values.structure import Leaf
from libra_cli.lazy_pattern import lazy_pattern

_NUMBER_AND_LETTERS = lazy_pattern(
    r"(?P<value>-?\d[\d.,]*(?:[eE][-+]?\d+|(?:\\times|\\cdot)10\^\{?-?\d+\}?)?)"
    r" ?(?P<letters>[A-Za-z]{1,2}(?:\^\{?[23]\}?)?)"
)

_SYMBOLS = lazy_pattern(r"[A-Za-z]{1,3}(?:\^-?\d)?(?: [A-Za-z]{1,3}(?:\^-?\d)?)*")
"""Units that may be products of letters: C V^2, ML^2."""


def with_units(reference: structure.Answer, answer: structure.Answer) -> tuple[structure.Answer, structure.Answer]:
    """Read the letters of `7 m` as a unit, and not as a factor, if the other answer has a unit."""
    if isinstance(reference, Leaf) and isinstance(answer, structure.Equation):
        value = answer.value
        if not isinstance(value, Leaf) or bool(value.unit) is bool(reference.unit):
            return reference, answer
        return with_units(reference, value)
    if not isinstance(reference, Leaf) or not isinstance(answer, Leaf):
        return reference, answer
    if not (reference.unit or answer.unit or reference.number or answer.number):
        return _both_with_units(reference, answer)
    if bool(reference.unit) is bool(answer.unit):
        return reference, answer
    product = _NUMBER_AND_LETTERS.fullmatch((answer if reference.unit else reference).text)
    if product is None:
        return _as_factors(reference, answer) if reference.unit else _as_factors(answer, reference)[::-1]
    measured = structure.parse(f"{product['value']}\\text{{ {product['letters']}}}")
    return (reference, measured) if reference.unit else (measured, answer)


def _as_factors(measured: Leaf, formula: Leaf) -> tuple[structure.Answer, structure.Answer]:
    """Read the unit of one answer as factors, if they are letters of the other, which is a formula: \\frac12 C V^2."""
    symbols = _SYMBOLS.fullmatch(measured.unit or "")
    letters = set(filter(str.isalpha, measured.unit or ""))
    if symbols is None or formula.number or not letters <= set(latex.without_commands(formula.text)):
        return measured, formula
    factors = " ".join((measured.unit or "").replace(" ", "")).replace(" ^", "^").replace("^ ", "^").replace("- ", "-")
    return Leaf(f"{measured.text} {factors}"), formula


def _both_with_units(reference: Leaf, answer: Leaf) -> tuple[structure.Answer, structure.Answer]:
    """Read the letters of two products as units, if one converts to the other: 7200 s and 2 h."""
    products = [_NUMBER_AND_LETTERS.fullmatch(leaf.text) for leaf in (reference, answer)]
    measured = [structure.parse(f"{one['value']}\\text{{ {one['letters']}}}") for one in products if one]
    if len(measured) < 2 or not all(isinstance(one, Leaf) for one in measured):
        return reference, answer
    wanted, given = (one.unit for one in measured if isinstance(one, Leaf))
    converts = wanted and given and wanted != given and conversions.between(given, wanted)
    return (measured[0], measured[1]) if converts else (reference, answer)


def with_minutes(text: str, other: str) -> str:
    """2h30 as 2 h 30 min, unless `other` is a time of day."""
    parts = text.split("h")
    is_duration = len(parts) == 2 and all(map(str.isdecimal, parts)) and len(parts[1]) == 2
    is_time = is_duration and notation.clock(other) is not None and "h" not in other
    return f"{parts[0]} h {parts[1]} min" if is_duration and not is_time else text


def may_have_unit(leaf: Leaf) -> bool:
    """Whether a leaf is a number before one or two letters, which may have a power: 500 g, 3 m^2."""
    return _NUMBER_AND_LETTERS.fullmatch(leaf.text) is not None


def measured(text: str) -> str | None:
    """`62.5 L` as a quantity, 62.5\\text{ L}, if its letters are a unit; None for any other text."""
    if text.startswith("$") and text.count("$") == 2:  # $4.5 \\times 10^{-7}$ m
        text = text.replace("$", "")
    product = _NUMBER_AND_LETTERS.fullmatch(normalize.normalized(text))
    found = f"{product['value']}\\text{{ {product['letters']}}}" if product else ""
    return found if product and units.end_of(f" {product['letters']}", 0) > len(product["letters"]) else None


def is_quantity(text: str) -> bool:
    """Whether an answer has a unit, or letters that may be one."""
    return any(leaf.unit or may_have_unit(leaf) for leaf in structure.leaves(structure.parse(text)))


def units_may_agree(reference: Leaf, answer: Leaf) -> bool:
    """Whether the units differ in writing and may still mean the same."""
    found = conversions.between(answer.unit, reference.unit)
    if found and reference.number and answer.number and conversions.IDENTITY not in found:
        return converted(reference, answer, found) is None
    return found is None


def may_convert(reference: Leaf, answer: Leaf) -> bool:
    """Whether one of two different units is a symbol that is not known, which may be a multiple of the other."""
    if not reference.unit or not answer.unit or conversions.between(answer.unit, reference.unit) is not None:
        return False
    return any(_SYMBOLS.fullmatch(unit) and not conversions.is_measure(unit) for unit in (reference.unit, answer.unit))


def converted(reference: Leaf, answer: Leaf, found: Sequence[conversions.Conversion]) -> bool | None:
    """Whether the answer is the reference after one of the conversions; None if it may be so after rounding."""
    if reference.number is None or answer.number is None:
        return None
    verdicts = [conversions.same(reference.number.value, answer.number.value, one) for one in found]
    values = [answer.number.value * one.factor + one.plus for one in found if not one.pi and one.factor]
    if True not in verdicts and any(
        number.rounds(value, reference.number) for value in values if reference.number.places
    ):
        return None  # 500 s are 8.3 minutes
    return True if True in verdicts else None if None in verdicts else False


def letter_may_be_unit(reference: Leaf, answer: Leaf) -> bool:
    """Whether one is a number and the other the same number before a letter: 5 m is a length or a product."""
    for one, other in ((reference, answer), (answer, reference)):
        value = units.before_letter(one.text) if other.number and not one.unit else None
        counted = number.parse(value) if value else None
        if counted and other.number and counted.value == other.number.value:
            return True
    return False
