"""Compares answers in words: numbers that are spelled out, phrases with their synonyms, names."""

from __future__ import annotations

from fractions import Fraction

from libra_cli.answers.languages import amounts, names, numerals, terms
from libra_cli.answers.sentences import ordinals
from libra_cli.answers.text import words
from libra_cli.answers.values import science
from libra_cli.answers.values.structure import Answer, Leaf
from libra_cli.lazy_pattern import lazy_pattern

_THOUSANDS = lazy_pattern(r"(\d{1,4}(?:\.\d{1,2})?)[kK]")

_SYMBOLS = {"\\emptyset": "nothing", "\\infty": "infinity"}
_POSITIONS = {"\\parallel": "parallel", "\\perp": "perpendicular"}
_TRUTH_LETTERS = {"T": "yes", "F": "no"}
_NO_VALUE = frozenset(("nothing", "undefined", "yes", "no"))
_INDEFINITE = frozenset(("infinity", "pi", "once", "twice", "thrice"))

_DENIAL = lazy_pattern(
    r"(?:it )?(?:(?:does|do|did|will|is|are|was|were|has|have) not|(?:does|do|did|is|are|was|were|has|have)n['\u2019]t)"
    r" (?P<said>[a-z]{4,20})"
)
_ENDING = lazy_pattern(r"(?<=[a-z]{3})(?:ing|es|ed|s|d|e)$")
_ELIDED = ("l'", "d'")
"""French and Italian articles that are joined to their noun."""
_QUANTITIES = words.table("half third quarter dozen dozens couple few several percent handful score pair pairs hundred")
"""Words of phrases that say a number, which may be another one than any number beside them."""


def same(reference: Leaf, answer: Leaf) -> bool | None:
    """Whether two answers of which one is in words mean the same; None if that is not certain."""
    for spelled, figure in ((reference, answer), (answer, reference)):
        value = amounts.spelled(spelled.text) if figure.number and not spelled.number else None
        if value is not None and figure.number:
            return figure.number.value == value
        if figure.number and not spelled.number and numerals.has_numeral(spelled.text):
            return None  # drei Viertel
        if figure.number and (ordinal := ordinals.VALUES.get(spelled.text.lower().removeprefix("the "))):
            is_ordinal = figure.text.rstrip("}").endswith(("st", "nd", "rd", "th"))
            return figure.number.value == ordinal if is_ordinal else None
        thousands = _THOUSANDS.fullmatch(spelled.text) if figure.number and not spelled.number else None
        if thousands and figure.number and Fraction(thousands[1]) * 1000 == figure.number.value:
            return True  # 50k
    if terms.may_both_hold(reference.text, answer.text):
        return None
    for compare in (science.same, terms.same, ordinals.same):
        if (meant := compare(reference.text, answer.text)) is not None:
            return meant
    wanted, given = _phrase(reference), _phrase(answer)
    for phrase, symbols in ((wanted, answer.text), (given, reference.text)):
        position = _position(symbols)
        if position and phrase in _POSITIONS.values():
            return phrase == position  # l \parallel \alpha
    if wanted in ("yes", "no") and answer.text in _TRUTH_LETTERS and reference.text.lower() in ("true", "false"):
        given = _TRUTH_LETTERS[answer.text]
    elif given in ("yes", "no") and reference.text in _TRUTH_LETTERS and answer.text.lower() in ("true", "false"):
        wanted = _TRUTH_LETTERS[reference.text]
    if wanted and given:
        if wanted == given or {wanted, given} == {"infinity", "infinitely many"}:
            return True
        if "impossible" in (wanted, given) and not _NO_VALUE.isdisjoint((wanted, given)):
            return None
        if {wanted, given} <= words.DISTINCT or f"not {wanted}" == given or f"not {given}" == wanted:
            return False
        if _denied(wanted) == _stem(given) or _denied(given) == _stem(wanted):
            return False
        verdict = names.same(reference.text, answer.text)
        if verdict is not None:
            return verdict
        short, long = sorted((wanted, given), key=len)
        # Phrases, plurals and products of letters (abc is cba) may mean the same, and so may words of two languages:
        # water, água.
        similar = long.startswith(short) or sorted(wanted) == sorted(given) or wanted.isascii() != given.isascii()
        are_of_two_languages = (wanted[:2] in _ELIDED) is not (given[:2] in _ELIDED)  # money, l'argent
        return None if " " in wanted + given or similar or are_of_two_languages else False
    if not (reference.number or answer.number) and (verdict := names.same(reference.text, answer.text)) is not None:
        return verdict
    phrase, other = (wanted, answer) if wanted else (given, reference)
    is_other = phrase in _NO_VALUE or (phrase and other.number and phrase not in _INDEFINITE)
    return False if is_other else None


def _denied(phrase: str) -> str:
    """The stem of the verb or the adjective that is all that a phrase denies: does not increase; else nothing."""
    found = _DENIAL.fullmatch(phrase)
    return _stem(found["said"]) if found else "-"


def _stem(phrase: str) -> str:
    return _ENDING.sub("", phrase.removeprefix("it "))


def _position(text: str) -> str | None:
    """How two lines or planes lie, as the only relation of a formula says: l \\perp \\alpha."""
    found = [word for sign, word in _POSITIONS.items() for _ in range(text.count(sign))]
    is_denied = any(map(text.__contains__, ("\\not", "\\n", "=", ",")))
    return found[0] if len(found) == 1 and not is_denied else None


def _phrase(leaf: Leaf) -> str | None:
    """Phrase of an answer in words of three letters or more; `\\emptyset` and `\\infty` count as words."""
    if leaf.text in _SYMBOLS:
        return _SYMBOLS[leaf.text]
    return words.phrase(leaf.text) if leaf.words else None


def may_be_number(number: Answer, phrase: Answer) -> bool:
    """Whether a phrase says a number in a way that nothing here reads, and the other answer is a number."""
    if not (isinstance(number, Leaf) and isinstance(phrase, Leaf)) or not number.number or phrase.number:
        return False
    is_none = number.number.value == 0 and words.phrase(phrase.text) == "nothing"  # 0, if a count is asked for
    return is_none or any(word.lower() in _QUANTITIES for word in words.split(phrase.text))
