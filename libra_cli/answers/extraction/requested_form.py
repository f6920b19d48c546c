"""Says whether an answer is in another form than its question asks for: expanded, factored, in lowest terms."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import gcd, isqrt
from typing import NamedTuple

from libra_cli.answers.text import formula, undelimited
from libra_cli.answers.text.formula import NUMBER, Tree
from libra_cli.answers.values import normalize
from libra_cli.lazy_pattern import lazy_pattern

_IMPERATIVE = r"(?:^|[.?!:;,]\s+|\b(?:completely|fully|please|then|and)\s+)"
_FRACTION = lazy_pattern(r"-?(?:\\frac\{(\d{1,18})\}\{(\d{1,18})\}|(\d{1,18})/(\d{1,18}))")
_DECIMAL = lazy_pattern(r"-?\d+\.\d+")
_SCIENTIFIC = lazy_pattern(
    r"(-?\d+(?:\.\d+)?)(?:\\times|\\cdot|\*)10\^(?:\{-?\d+\}|-?\d+)|(-?\d+(?:\.\d+)?)[eE][+-]?\d+"
)
_PLAIN_NUMBER = lazy_pattern(r"-?\d+(?:\.\d+)?")
_RADICAND = lazy_pattern(r"-?\d*\\sqrt\{(\d{1,12})\}")
_FORMULA = lazy_pattern(r"\$([^$\n]{1,200})\$|\\\(([^\n]{1,200}?)\\\)")
_WORDS = lazy_pattern(r"(?<![\w^*/().+-])[\w^*/().+-]{0,40}[\d^/(][\w^*/().+ -]{0,120}")
"""What may be a formula without dollar signs, or several words around one."""
_MOST_FACTORS = 60
_LONGEST = 4000
_SIGNALS = (
    *("expand", "multiply out", "factor", "lowest", "simpl", "reduce", "scientific", "standard form", "rational"),
    *("decimal", "as a ", "as an ", "nearest", "signific", " d.p", "places", "prime"),
)
_REWRITES = lazy_pattern(
    _IMPERATIVE
    + r"(?:(?:simplify|reduce|expand|multiply out|factor(?:i[sz]e)?|rationali[sz]e)\b(?! (?:your|the) answer)"
    r"|(?:write|express|convert|rewrite)\b(?! (?:your|the) (?:final )?answer)"
    r".{1,120}?\b(?:as (?:a|an)|in (?:lowest|simplest|scientific|standard))\b)"
)
"""A question that gives a formula and asks for another form of it."""
_WRITE = r"\b(?:write|express|convert|give|answer|expressed|written)\b.{0,120}?\b"
_EXPAND = lazy_pattern(_IMPERATIVE + r"(?:expand|multiply out)\b", one_of=("expand", "multiply out"))
_FACTOR = lazy_pattern(
    _IMPERATIVE + r"factor(?:i[sz]e)?\b(?! of)|\bfactor(?:i[sz]ed?|ed)? (?:completely|fully|form)", one_of=("factor",)
)
_LOWEST = lazy_pattern(
    r"\b(?:lowest terms|simplest (?:form|terms)|reduced (?:form|fraction)|simplified fraction|irreducible fraction)"
    rf"|{_IMPERATIVE}(?:simplify|reduce)\b(?! (?:the|its|their|our|your) [a-z]+ (?:of|by|to)\b)",
    one_of=("reduce", "simplif", "lowest", "simplest", "irreducible"),
)
_RADICAL = lazy_pattern(
    rf"\bsimplest (?:radical )?form|{_IMPERATIVE}simplify\b|\bsimplified radical",
    one_of=("simplify", "simplest", "simplified"),
)
_STANDARD = lazy_pattern(
    _WRITE + r"(?:scientific notation|standard form)", one_of=("standard form", "scientific notation")
)
_RATIONAL = lazy_pattern(_IMPERATIVE + r"rationali[sz]e\b", one_of=("rationalise", "rationalize"))
_AS_DECIMAL = lazy_pattern(
    _WRITE + r"(?:as a (?:terminating |exact )?decimal|(?:in|to) (?:a )?decimal (?:form|notation))", one_of=("decimal",)
)
_PRIMES = lazy_pattern(
    r"\bprime factori[sz]ation|\bproduct of (?:powers of )?(?:its |the )?prime(?:s|\b)|\bprime decomposition",
    one_of=("prime",),
)
_LARGEST_BASE = 10**9
_COUNTS = ("no", "one", "two", "three", "four", "five", "six")
_PLACES_OF = {"tenth": 1, "hundredth": 2, "cent": 2, "penny": 2, "thousandth": 3, "ten-thousandth": 4}
_PLACES = lazy_pattern(
    r"\bnearest (?P<unit>tenth|hundredth|cent|penny|thousandth|ten-thousandth)\b"
    r"|\b(?P<count>[1-6]|one|two|three|four|five|six) (?:(?:decimal(?: place| digit)?|places|place|d\.p)"
    r"|(?P<figures>significant))"
)
"""To how many places a question asks to round."""
_PLAIN_DECIMAL = lazy_pattern(
    r"(?:[^=]{0,20}(?:=|\\approx))?\s*\\?\$?-?[\d,]*\.(?P<places>\d+)(?:\\?%|\s*\\text\{[^{}]{0,20}\}.{0,8})?"
)
_NOT_ASKED = lazy_pattern(r"\b(?:not|without|needn't|unless|instead|rather|no need|if possible)\b|n't\b")
_NEAR = 40


def is_another(answer: str, reference: str, question: str) -> bool:
    """Whether `answer` is not in the form that `question` asks for, and `reference` is, or is what it asks to rewrite.

    Both may have the same value: 6/8 is no answer to "Write 6/8 in lowest terms".
    """
    if len(question) > _LONGEST:
        return False
    asked = question.lower()
    if not any(map(asked.__contains__, _SIGNALS)):
        return False
    given, wanted = normalize.normalized(answer), normalize.normalized(reference)
    if given == wanted:
        return False
    for form in _FORMS:
        if form.asks(asked) and form.has(wanted) and form.lacks(given, wanted):
            return True
    if _has_more_places(given, wanted, asked):
        return True
    if given in wanted or given.rpartition("=")[2] == wanted.rpartition("=")[2]:  # the name or the unit is missing
        return False
    return _is_asked(_REWRITES)(asked) and given in _formulas_of(question)


class _Form(NamedTuple):
    """A form of answers."""

    asks: Callable[[str], object]
    """Whether a question, in lower case, asks for the form."""
    has: Callable[[str], bool]
    """Whether a reference is in the form."""
    lacks: Callable[[str, str], bool]
    """Whether an answer, beside such a reference, is not in the form for certain."""


def _has_more_places(given: str, wanted: str, asked: str) -> bool:
    """Whether a decimal has more places than a question asks for, and than the reference: 3.142 for 3.14."""
    found = _PLACES.search(asked) if "." in given and "." in wanted else None
    if found is None or "at least" in asked or not _is_asked(_PLACES)(asked):
        return False
    told, due = _PLAIN_DECIMAL.fullmatch(given), _PLAIN_DECIMAL.fullmatch(wanted)
    if told is None or due is None or len(told["places"].rstrip("0")) <= len(due["places"]):
        return False
    if found["figures"]:
        return True
    unit, count = found["unit"], found["count"]
    places = _PLACES_OF[unit] if unit else int(count) if count.isdigit() else _COUNTS.index(count)
    return len(due["places"]) == places


def _is_asked(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    """Whether a question asks for a form by `pattern`: not in "do not simplify", nor in "a fraction or a decimal"."""

    def asks(asked: str) -> bool:
        found = pattern.search(asked)
        if found is None:
            return False
        begin = max(found.start() - _NEAR, 0)
        is_open = " or " in asked[begin : found.end() + _NEAR]
        return not is_open and _NOT_ASKED.search(asked[begin : found.end() + _NEAR]) is None

    return asks


def _formulas_of(question: str) -> set[str]:
    """The formulas of a question, normalized."""
    found = [next(filter(None, match.groups())) for match in _FORMULA.finditer(question)]
    found += [run[0] for run in undelimited.RUN.finditer(question)]
    found += [piece for match in _WORDS.finditer(question) for piece in (match[0], *match[0].split())]
    return {normalize.normalized(text.strip(" .,?")) for text in found}


def _readings(text: str, test: Callable[[Tree], bool]) -> bool:
    """Whether each reading of a formula passes a test; False if it has none."""
    trees = formula.readings(text)
    return bool(trees) and all(map(test, trees))


def _parts(tree: Tree) -> list[Tree]:
    return [part for part in tree[1:] if isinstance(part, tuple)]


def _is_sum(tree: Tree) -> bool:
    return tree[0] == "+" and bool(formula.symbols(tree))


def _has_brackets(tree: Tree) -> bool:
    """Whether a formula has a product or a power of a sum with a variable."""
    times_sum = tree[0] == "*" and any(map(_is_sum, _parts(tree)))
    to_power = tree[0] == "^" and _is_sum(tree[1]) and tree[2][0] == NUMBER and tree[2][1] > 1
    return times_sum or to_power or any(map(_has_brackets, _parts(tree)))


def _factors(tree: Tree) -> int:
    """The number of factors with a variable, each as often as it occurs; of a sum 1."""
    if tree[0] == "-":
        return _factors(tree[1])
    if tree[0] == "*":
        return _factors(tree[1]) + _factors(tree[2])
    if tree[0] == "/" and not formula.symbols(tree[2]):
        return _factors(tree[1])
    if tree[0] == "^" and tree[2][0] == NUMBER and tree[2][1].denominator == 1 and 0 < tree[2][1] <= _MOST_FACTORS:
        return _factors(tree[1]) * int(tree[2][1])
    return 1 if formula.symbols(tree) else 0


def _factor_counts(text: str) -> list[int]:
    return [_factors(tree) for tree in formula.readings(text)]


def _is_factored(text: str) -> bool:
    return min(_factor_counts(text), default=0) > 1


def _has_fewer_factors(given: str, wanted: str) -> bool:
    return max(_factor_counts(given), default=_MOST_FACTORS) < min(_factor_counts(wanted))


def _bases(tree: Tree) -> list[int]:
    """The numbers that a product has as factors, or as the bases of their powers; none if it has anything else."""
    if tree[0] == "*":
        both = [_bases(part) for part in _parts(tree)]
        return [base for one in both for base in one] if all(both) else []
    base = tree[1] if tree[0] == "^" and tree[2][0] == NUMBER else tree
    is_natural = base[0] == NUMBER and base[1].denominator == 1 and 1 < base[1] <= _LARGEST_BASE
    return [int(base[1])] if is_natural else []


def _is_prime(base: int) -> bool:
    return all(base % factor for factor in range(2, isqrt(base) + 1))


def _is_of_primes(text: str) -> bool:
    """Whether a number is written as a product of primes: 2^3 \\cdot 253 is not."""
    found = [_bases(tree) for tree in formula.readings(text.rpartition("=")[2])]
    return any(bases and all(map(_is_prime, bases)) for bases in found)


def _is_of_others(given: str, _: str) -> bool:
    found = [_bases(tree) for tree in formula.readings(given.rpartition("=")[2])]
    return bool(found) and all(found) and not _is_of_primes(given)


def _terms_of_fraction(text: str) -> tuple[int, int] | None:
    found = _FRACTION.fullmatch(text)
    if found is None:
        return None
    above, below = (int(part) for part in found.groups() if part)
    return above, below


def _is_reduced(text: str) -> bool:
    terms = _terms_of_fraction(text)
    return gcd(*terms) == 1 if terms else _PLAIN_NUMBER.fullmatch(text) is not None


def _can_be_reduced(given: str, _: str) -> bool:
    terms = _terms_of_fraction(given)
    return terms is not None and gcd(*terms) > 1


def _has_square_in_root(text: str) -> bool:
    """Whether a multiple of a root has a square as a factor in the root: 3\\sqrt{8}."""
    found = _RADICAND.fullmatch(text)
    radicand = int(found[1]) if found else 0
    return any(radicand % (root * root) == 0 for root in range(2, min(isqrt(radicand), 1000) + 1))


def _has_root_below(tree: Tree) -> bool:
    below = tree[0] == "/" and _has_root(tree[2])
    return below or any(map(_has_root_below, _parts(tree)))


def _has_root(tree: Tree) -> bool:
    fractional = (tree[0] == "^" and tree[2][0] == "/") or tree[0] == "sqrt"
    return fractional or any(map(_has_root, _parts(tree)))


def _is_scientific(text: str) -> bool:
    found = _SCIENTIFIC.fullmatch(text)
    return found is not None and 1 <= abs(float(found[1] or found[2])) < 10


def _is_other_number(given: str, _: str) -> bool:
    is_number = _SCIENTIFIC.fullmatch(given) or _PLAIN_NUMBER.fullmatch(given.replace(",", ""))
    return is_number is not None and not _is_scientific(given)


_FORMS = (
    _Form(
        _is_asked(_EXPAND),
        lambda wanted: not _readings(wanted, _has_brackets),
        lambda given, _: _readings(given, _has_brackets),
    ),
    _Form(_is_asked(_FACTOR), _is_factored, _has_fewer_factors),
    _Form(_is_asked(_PRIMES), _is_of_primes, _is_of_others),
    _Form(_is_asked(_LOWEST), _is_reduced, _can_be_reduced),
    _Form(
        _is_asked(_RADICAL), lambda wanted: not _has_square_in_root(wanted), lambda given, _: _has_square_in_root(given)
    ),
    _Form(
        _is_asked(_RATIONAL),
        lambda wanted: not _readings(wanted, _has_root_below),
        lambda given, _: _readings(given, _has_root_below),
    ),
    _Form(_is_asked(_STANDARD), _is_scientific, _is_other_number),
    _Form(
        _is_asked(_AS_DECIMAL),
        lambda wanted: _DECIMAL.fullmatch(wanted) is not None,
        lambda given, _: _terms_of_fraction(given) is not None,
    ),
)
