"""Decides whether two answers are equal, at the cheapest level that is certain.

`Decision.by` names the level that decided. The levels, in order:

`exact`       the same text
`normal`      the same text after normalization of wrappers, spacing and spelling
`choice`      the letter of a multiple-choice option
`number`      exact rational arithmetic on two numbers, and their units
`text`        words against words, or words against a number
`structure`   typed comparison, part by part: tuples, sets, lists, intervals, unions, matrices, equations
`numeric`     the values of two formulas, exact or to 50 digits, at several points
`symbolic`    computer algebra in a separate process with a deadline

If no level is certain, `equal` is None and `reason` says why. None is never the same as False.
"""

from __future__ import annotations

import re
from functools import lru_cache

from libra_cli.answers.comparison import (
    approximations,
    integer_bounds,
    kinds,
    matchings,
    one_form,
    parts,
    percent,
    restated,
    wordings,
)
from libra_cli.answers.sentences import options
from libra_cli.answers.text import number, words
from libra_cli.answers.values import conversions, dates, guard, normalize, notation, quantities, structure
from libra_cli.answers.values.finding import INTEGERS, OTHER_PARTS, OTHER_TEXT, OTHER_UNIT, ROUNDED, Decision
from libra_cli.answers.values.normalize import MAX_CHARS
from libra_cli.answers.values.structure import Leaf
from libra_cli.lazy_pattern import lazy_pattern

MEMO = 1 << 15
"""Number of pairs whose decision is cached."""

_FIGURES = lazy_pattern(r"-?(?:\d{1,3}(?:,\d{3})+|\d{1,40})(?:\.\d{1,40})?", re.ASCII)
_HAS_CONTENT = lazy_pattern(r"[^\W_]|\\[A-Za-z]|[^\x00-\x7f]|[{}]")
_INFINITE = (r"\infty", r"-\infty")
_NO_NUMBER = lazy_pattern(
    r"(?i:not|at (?:most|least)|(?:more|less|greater|fewer|larger|smaller) than|up to|over|under)\b"
    r"|(?:\.\.\.|\\[lc]?dots)$|-?[\d.]+ ?\\to(?![A-Za-z])",
    one_of=("not", "at most", "at least", " than", "up to", "over", "under", "...", "dots", "\\to"),
)

_IS_TERM = lazy_pattern(
    r"(?:[0-9+*/^(){}. -]|(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])|\\(?:frac|sqrt|pi|cdot|times)(?![A-Za-z]))*"
)
"""A term, which has no relation, pieces or sets."""


def decide_quickly(reference: str, answer: str) -> Decision | None:
    """Decide without computer algebra; None if the levels before it are not certain."""
    integers = reference.isdecimal() and answer.isdecimal() and reference.isascii() and answer.isascii()
    if integers and reference == answer:  # most pairs are two integers
        return Decision(True, "exact")
    if len(reference) > MAX_CHARS or len(answer) > MAX_CHARS:  # neither parsed nor cached
        if reference.strip() == answer.strip():
            return Decision(True, "exact")
        whole, _, places = answer.partition(".")  # 8 and 0.333..., on and on
        are_decimals = all(map(str.isdecimal, (reference, whole, places))) and len(whole) <= MAX_CHARS >= len(reference)
        if are_decimals and abs(int(whole) - int(reference)) > 1:
            return Decision(False, "number")
        return Decision(None, "exact", "reference_too_long" if len(reference) > MAX_CHARS else "answer_too_long")
    if integers:
        return Decision(reference.lstrip("0") == answer.lstrip("0"), "number")
    if reference != answer and _FIGURES.fullmatch(reference) and _FIGURES.fullmatch(answer):
        decision = _compare_figures(reference, answer)
        if decision is not None:
            return decision
    try:
        return _decide(reference, answer)
    except RecursionError:
        return Decision(None, "symbolic", "too_complex")


@lru_cache(MEMO)
def _decide(reference: str, answer: str) -> Decision | None:
    if not reference.strip():
        return Decision(None, "exact", "unparsable_reference")
    if reference.strip() == answer.strip():
        return Decision(True, "exact")
    reference, answer = normalize.both_plain(reference, answer)
    if " and " in answer or " and " in reference:
        reference, answer = words.with_mixed(reference), words.with_mixed(answer)
    if (matched := matchings.same(reference, answer)) is not None:
        return Decision(matched, "structure")
    wanted = options.parse(reference)
    chosen = options.parse(answer) or options.parse_small(answer) if wanted else None
    is_order = wanted and answer.startswith("(") and options.are_unsorted(reference)
    if wanted and chosen and not is_order:
        return _compare_options(wanted, chosen)
    if wanted and wanted.text:
        return _decide(wanted.text, answer)
    answer = restated.alone(answer, reference, _decide)
    if approximations.is_said(answer) and not approximations.is_said(reference):
        decision = approximations.same(reference, answer, _decide)
        if decision is not None:
            return decision
    reference, answer = one_form.in_one_form(reference, answer)
    decision = kinds.compare(reference, answer, _decide)
    if decision is not None:
        return decision
    if not _HAS_CONTENT.search(answer):
        return Decision(False, "text")
    parsed = quantities.with_units(structure.parse(reference), structure.parse(answer))
    verdict = parts.same(*parsed, compare=compare_plainly)
    if verdict is False and any(wordings.may_be_number(one, other) for one, other in (parsed, parsed[::-1])):
        return Decision(None, "text", "unparsable_answer")
    if verdict is not None:
        return Decision(verdict, _level(*parsed, verdict))
    leaves = _leaves(*parsed)
    if len(leaves) == 2 and quantities.units_may_agree(*leaves):
        return Decision(None, _level(*parsed, False), OTHER_UNIT)
    if len(leaves) == 2 and percent.may_agree(*leaves):
        return Decision(None, "number", percent.OTHER_PERCENT)
    if len(leaves) == 2 and _rounds_to_reference(*leaves):
        return Decision(None, "number", ROUNDED)
    if len(leaves) == 2 and quantities.letter_may_be_unit(*leaves):
        return Decision(None, "number", OTHER_UNIT)
    verdict = parts.same(*parsed, compare=compare_values)
    if verdict is False and integer_bounds.may_agree(reference, answer):
        return Decision(None, "numeric", INTEGERS)
    if verdict is False and _is_one_of_names(*parsed):
        return Decision(None, "structure", OTHER_PARTS)
    if verdict is not None:
        return Decision(verdict, "numeric")
    if any(dates.is_date(leaf.text) for leaf in leaves) and all(dates.dates(leaf.text) for leaf in leaves):
        return Decision(None, "text", "another_date")  # day and month in another order, or one of them left out
    if len(leaves) == 2:
        from libra_cli.answers.comparison import relation

        # Of x^2 = 4 and a value: that value may be the value of the left side, or a solution.
        if sum(relation.is_condition(leaf.text) for leaf in leaves) == 1:
            return Decision(None, "symbolic", "equation_or_value")
    refused = guard.refusal(reference, answer)
    return Decision(None, "symbolic", refused) if refused else None


def _leaves(reference: structure.Answer, answer: structure.Answer) -> list[Leaf]:
    """Those of two answers that are leaves; of h = 20.41 m its value, where a value is asked for, as 20.4 m."""
    is_value = isinstance(reference, Leaf) and "=" not in reference.text
    told = answer.value if is_value and isinstance(answer, structure.Equation) else answer
    return [one for one in (reference, told) if isinstance(one, Leaf)]


def _compare_figures(reference: str, answer: str) -> Decision | None:
    """Compare two numbers in plain digits, which have no other reading; None if one may be the other one rounded."""
    wanted, given = number.parse(reference), number.parse(answer)
    if wanted is None or given is None:
        return None
    equal = number.same(wanted, given)
    return Decision(equal, "number") if equal or not number.may_be_rounded(wanted, given) else None


def _compare_options(wanted: options.Option, chosen: options.Option) -> Decision:
    """Compare two options by their letters; undecided if the letters agree and the texts do not."""
    if wanted.letters == chosen.letters and wanted.text and chosen.text:
        texts = _decide(wanted.text, chosen.text)
        if texts is not None and texts.equal is False:
            return Decision(None, "choice", OTHER_TEXT)
    return Decision(wanted.letters == chosen.letters, "choice")


def is_readable(reference: str) -> bool:
    """Whether an answer in another notation could be found equal to `reference`."""
    if not reference.strip() or len(reference) > MAX_CHARS:
        return False
    if reference.isdecimal() and reference.isascii():  # most are integers
        return True
    try:
        return all(map(_is_readable_leaf, structure.leaves(structure.parse(reference))))
    except RecursionError:
        return False


def _is_readable_leaf(leaf: Leaf) -> bool:
    if leaf.number or leaf.words or options.parse(leaf.text) or notation.is_noted(leaf.text):
        return True
    from libra_cli.answers.comparison import relation
    from libra_cli.answers.text import formula

    if formula.readings(leaf.text) or relation.is_readable(leaf.text):
        return True
    # Computer algebra reads sums, limits and the like.
    return "\\" in leaf.text and leaf.text.count("{") == leaf.text.count("}") and guard.is_formula(leaf.text)


def _is_one_of_names(reference: structure.Answer, answer: structure.Answer) -> bool:
    """Whether an answer gives values to several names, one of which is the single reference: omega = ..., T = ..."""
    if not isinstance(answer, structure.Parts) or not isinstance(reference, (Leaf, structure.Equation)):
        return False
    wanted = reference.value if isinstance(reference, structure.Equation) else reference
    equations = [part for part in answer.parts if isinstance(part, structure.Equation)]
    names = {part.name for part in equations}
    if len(equations) < len(answer.parts) or len(names) < max(2, len(equations)):
        return False
    return any(parts.same(wanted, part.value, compare=compare_values) for part in equations)


def _level(reference: structure.Answer, answer: structure.Answer, verdict: bool) -> str:
    if verdict and reference.text == answer.text:
        return "normal"
    if isinstance(reference, Leaf) and isinstance(answer, Leaf):
        return "number" if reference.number and answer.number else "text"
    return "structure"


def _rounds_to_reference(reference: Leaf, answer: Leaf) -> bool:
    """Whether a decimal reference may be the rounded answer: 12.35 of 12.3472, 0.667 of 2/3, 1.41 of \\sqrt{2}."""
    if reference.number is None or not (reference.unit or number.can_be_rounded(reference.number)):
        return False
    if answer.number is not None:
        return number.may_be_rounded(reference.number, answer.number, bool(reference.unit))
    from libra_cli.answers.values import numeric

    is_exact = number.can_be_rounded(reference.number) and guard.is_formula(answer.text)
    return is_exact and numeric.rounds(one_form.in_radians(answer, reference), reference.number)


def compare_plainly(reference: Leaf, answer: Leaf) -> bool | None:
    """Compare two leaves as texts, numbers and words; None if they are formulas with different texts."""
    found = conversions.between(answer.unit, reference.unit)
    if found == ():
        return False
    if found and conversions.IDENTITY not in found:
        return quantities.converted(reference, answer, found)
    if reference.number and answer.number:
        same = number.same if reference.unit or answer.unit else percent.same
        equal = same(reference.number, answer.number)
        if not equal and (
            number.may_be_rounded(reference.number, answer.number, bool(reference.unit))
            or quantities.may_convert(reference, answer)
        ):
            return None
        return None if equal and quantities.units_may_agree(reference, answer) else equal
    if reference.text == answer.text:
        return None if quantities.units_may_agree(reference, answer) else True
    ordered_pairs = ((reference, answer), (answer, reference))
    for one, other in ordered_pairs:
        if one.text in _INFINITE and (other.number or other.text in _INFINITE):
            return False
    verdict = notation.same(reference.text, answer.text, (reference.number, answer.number))
    if verdict is not None:
        return verdict
    wanted, given = notation.based(reference.text), notation.based(answer.text)
    if wanted:  # the answer may leave the base out, or convert to base 10
        if wanted.base == 10:
            return answer.number.value == wanted.value if answer.number else None
        if answer.number is None or answer.number.value == wanted.value:
            return None
        return answer.text.lstrip("0") == wanted.digits
    if given:  # a plain reference may be in the base that the answer names
        if reference.number is None or (reference.text == given.digits and given.base != 10):
            return True if reference.number is None and reference.text.upper() == given.digits.upper() else None
        return reference.number.value == given.value
    if any(one.number and _NO_NUMBER.match(other.text) for one, other in ordered_pairs):
        return False
    return wordings.same(reference, answer)


def compare_values(reference: Leaf, answer: Leaf) -> bool | None:
    """Compare two leaves like `compare_plainly`, and formulas by their values; None if that is not certain."""
    verdict: bool | None = compare_plainly(reference, answer)
    if verdict is not None or quantities.units_may_agree(reference, answer) or percent.may_agree(reference, answer):
        return verdict
    found = conversions.between(answer.unit, reference.unit) or ()
    if found and conversions.IDENTITY not in found:
        if (reference.number and answer.number) or conversions.LOOSE in found:
            return None
        converted = [
            compare_values(Leaf(reference.text, reference.number), Leaf(conversions.applied(one, answer.text)))
            for one in found
        ]
        return True if True in converted else None if None in converted else False
    if any(
        notation.is_range(leaf.text) or notation.based(leaf.text) or dates.is_date(leaf.text)
        for leaf in (reference, answer)
    ):
        return None
    has_constant = any(map(reference.text.__contains__, "CK"))  # C e^{2x} is a family of functions
    if has_constant or not (_IS_TERM.fullmatch(reference.text) and _IS_TERM.fullmatch(answer.text)):
        from libra_cli.answers.comparison import arbitrary, piecewise, relation

        for compare in (arbitrary.same_families, piecewise.same, *relation.COMPARISONS):
            verdict = compare(reference.text, answer.text)
            if verdict is not None:
                return verdict
    reference, answer = one_form.spelled_like(reference, answer), one_form.spelled_like(answer, reference)
    if not (guard.is_formula(reference.text) and guard.is_formula(answer.text)):
        return None

    from libra_cli.answers.values import numeric  # with the parser of formulas

    answer = one_form.with_constant_of(reference, answer)
    decimal = reference.number or answer.number
    places = decimal.places if decimal and number.is_approximation(decimal) else None
    return numeric.same(one_form.in_radians(reference, answer), one_form.in_radians(answer, reference), places)
