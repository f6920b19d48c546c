"""Adjusts answers that stand for others: the latter, 0 for False, VII for 7, printed lines, values "respectively"."""

from __future__ import annotations

import re
from fractions import Fraction

from libra_cli.answers.comparison import division, equal
from libra_cli.answers.extraction.asked_for import AskedFor
from libra_cli.answers.sentences.extracted import OTHER_ANSWER, UNDECIDED, Extraction
from libra_cli.answers.text import number, words
from libra_cli.answers.values import notation, structure
from libra_cli.lazy_pattern import lazy_pattern

_NEAR_END = 200
_OF_TWO = lazy_pattern(r"the (former|latter|first one|second one)|(former|latter)")
_PAIR = lazy_pattern(r"\b([\w-]+) (?:and|or) ([\w-]+)\b")
_BOUNDS = {
    "constant": "1",
    "logarithmic": "\\log n",
    "linear": "n",
    "linearithmic": "n\\log n",
    "quadratic": "n^2",
    "cubic": "n^3",
}
_OPEN = words.table(
    "not no never or neither nor unless except n't isn't aren't doesn't don't either both than unlike rather maybe "
    "perhaps possibly probably unsure if"
)
_LIST = lazy_pattern(r"(?:[Oo]ptions|[Cc]hoices)?: ((?:[\w' -]{2,40}, ){2,9}(?:or |and )?[\w' -]{2,40})[.?]?$")
"""Answers that a question lists at its end: Options: simple random, stratified, cluster."""
_EITHER = lazy_pattern(r"\b([\w-]{3,20} or [\w-]{3,20})\b[^,;.?]{0,60}\?$")
_BETWEEN = lazy_pattern(r", (?:or |and )?| or ")
_AROUND = lazy_pattern(
    r"(?<![\d.])(\d{1,9}(?:\.\d{1,6})?)\$? ?(?:\\pm|\u00b1) ?\$?(\d{1,9}(?:\.\d{1,6})?)(?![\d.]*[\d\\^*])"
)
_EXACTLY = lazy_pattern(
    r"\b(?i:precisely|exactly|exact|exakt|genau|exactamente|exactement|esattamente),?:? (\$[^$]{1,40}\$|[^\s,;)]{1,30})"
)
_BINARY = lazy_pattern(r"[01]{5,64}")
_OF_BITS = lazy_pattern(r"(?i:binary|\bbits?\b|base[ -]?(?:2|two)|complement)")
_GROUPS_OF_BITS = lazy_pattern(r"(?<![\w.,])[01]{3,8}(?: [01]{3,8}){1,15}(?![\w.])")
_OUTPUT = lazy_pattern(r"[^\W_]{1,12}|-?\d+(?:\.\d+)?")
_FIGURES = lazy_pattern(r"\d+(?:\.\d+)?")
_BITS = {"0": "False", "1": "True", "T": "True", "F": "False"}
_OF_TRUTH = lazy_pattern(r"(?i:truth[ -]value|boolean|true or false|evaluates?|true/false)")
_NUMERAL = lazy_pattern(r"(?:[A-Z][a-z]?\()?([IVX]{1,5})\)?")
_PRINTS = lazy_pattern(r"\b(?i:what)\b[^?]{0,60}\b(?:print(?:s|ed)?|display(?:s|ed)?|outputs?|return(?:s|ed)?)\b")


def of_two(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`The latter` as the second of the two names of the question; undecided if it does not name two."""
    said = _OF_TWO.fullmatch((found.answer or "").lower())
    if said is None or asked_for.reference.lower() == (found.answer or "").lower():
        return found
    pairs = _PAIR.findall(asked_for.question)
    return Extraction(pairs[0][(said[1] or said[2]) in ("latter", "second one")]) if len(pairs) == 1 else UNDECIDED


def as_printed(found: Extraction, asked_for: AskedFor) -> Extraction:
    """What a program prints in other letters, small or capital, than the reference has is not certain to be it."""
    text, reference, _, question = asked_for
    answer = found.answer or ""
    if answer.lower() != reference.lower() or reference in text or not _PRINTS.search(question):
        return found
    return UNDECIDED


def in_lines(found: Extraction, asked_for: AskedFor) -> Extraction:
    """All lines of a text that only has what a program prints, and not the last of them: 1, 3, 6, 10."""
    text, reference, _, question = asked_for
    if not _PRINTS.search(question) or "\n" in reference:
        return found
    tokens, wanted = text.split(), reference.split()
    if len(tokens) == len(wanted) > 1 and not found.answer and all(map(_OUTPUT.fullmatch, tokens)):
        return UNDECIDED if text.strip().lower() == reference.lower() else Extraction(None, OTHER_ANSWER)
    if "\n" not in text.strip():
        return found
    lines = [line.strip(" `") for line in text.split("\n") if line.strip(" `") and not line.startswith("```")]
    is_output = len(lines) > 1 and all(map(_OUTPUT.fullmatch, lines))
    return Extraction(None, OTHER_ANSWER) if is_output and found.answer == reference else found


def in_said_order(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`48 and 36, respectively` is not certain to be 36 and 48."""
    text, reference, _, _ = asked_for
    if "espectively" not in text[-_NEAR_END:] or not found.answer:
        return found
    said, wanted = (_FIGURES.findall(one) for one in (found.answer, reference))
    return UNDECIDED if said != wanted and sorted(said) == sorted(wanted) else found


def as_truth_value(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`0` and `1` as False and True, where one of them is asked for; undecided unless the question is of truth."""
    text, reference, _, question = asked_for
    value = _BITS.get(text.strip(" .`$*")) if reference.lower() in ("true", "false") else None
    if value is None or found.answer:
        return found
    return Extraction(value) if _OF_TRUTH.search(question) else UNDECIDED


def in_numerals(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`VII` and `Mn(VII)` as 7, where the question asks for an oxidation state; else it may be any number."""
    text, reference, _, question = asked_for
    numeral = _NUMERAL.fullmatch(text.strip(" .$*")) if not found.answer and len(text) < _NEAR_END else None
    if numeral is None or not structure.is_number(reference):
        return found
    value = notation.roman(numeral[1])
    return Extraction(str(value)) if value and "oxidation" in question else UNDECIDED


def as_complexity(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`quadratic` as O(n^2), where the reference is such a bound."""
    text, reference, _, _ = asked_for
    if found.answer or not reference.startswith(("O(", "\\mathcal{O}(", "\u0398(", "$O(")) or "(" in text:
        return found
    heard = {word.lower() for word in words.split(text)}
    said = [bound for name, bound in _BOUNDS.items() if name in heard]
    return Extraction(f"O({said[0]})") if len(said) == 1 and heard.isdisjoint(_OPEN) else found


def of_listed(found: Extraction, asked_for: AskedFor) -> Extraction:
    """The only one that a text names of several answers that a question lists without letters: elastic or inelastic."""
    text, reference, cut, question = asked_for
    if cut or not question or (found.answer or "").lower() == reference.lower() or not found.reason:
        return found
    listed = _listed_in(question, reference.lower())
    named = [content for content in listed if re.search(rf"(?i)(?<![\w-]){re.escape(content)}(?![\w-])", text)]
    if len(named) != 1 or not {word.lower() for word in words.split(text)}.isdisjoint(_OPEN):
        return found
    return Extraction(reference) if named[0] == reference.lower() else Extraction(None, OTHER_ANSWER)


def _listed_in(question: str, reference: str) -> list[str]:
    """The answers that a question lists at its end, in small letters, if the reference is one of them."""
    found = _LIST.search(question) or _EITHER.search(question)
    listed = [one.strip().lower() for one in _BETWEEN.split(found[1])] if found else []
    return listed if reference in listed and all(listed) and len(set(listed)) == len(listed) else []


def as_interval(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`50 \\pm 1.96` as (48.04, 51.96), where the question asks for an interval."""
    text, reference, _, question = asked_for
    around = _AROUND.search(text[-_NEAR_END:]) if "interval" in question.lower() and found.answer else None
    bounds = structure.parse(reference) if around else None
    if around is None or not isinstance(bounds, structure.Parts) or bounds.kind != "sequence":
        return found
    middle, reach = (Fraction(one) for one in around.groups())
    ends = ", ".join(map(number.written, (middle - reach, middle + reach)))
    return Extraction(f"{bounds.brackets[0]}{ends}{bounds.brackets[1]}")


def as_exact(found: Extraction, asked_for: AskedFor) -> Extraction:
    """The exact value beside an approximation, if it is the reference: V \u2248 37.70, precisely 12\\pi."""
    text, reference, _, _ = asked_for
    exact = _EXACTLY.search(text[-_NEAR_END:]) if any(map((found.answer or "").__contains__, (".", "{,}"))) else None
    if exact is None or number.is_bare(reference):
        return found
    value = exact[1].strip(" $")
    decided = equal.decide_quickly(reference, value)
    return Extraction(value) if decided is not None and decided.equal else found


def as_division(found: Extraction, asked_for: AskedFor) -> Extraction:
    """The quotient and the remainder of a text, where both are asked for."""
    text, reference, cut, _ = asked_for
    if cut or "quotient" not in reference.lower() or division.stated(reference) is None:
        return found
    said = division.stated(text)
    return Extraction(said) if said else found


def as_bits(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`1111 1011` as 11111011, where a number in base 2 is asked for."""
    text, reference, _, question = asked_for
    if not _BINARY.fullmatch(reference) or not _OF_BITS.search(question) or found.answer == reference:
        return found
    groups = _GROUPS_OF_BITS.findall(text[-_NEAR_END:])
    return Extraction(groups[-1].replace(" ", "")) if groups else found


ALL = (
    of_two,
    of_listed,
    as_complexity,
    as_printed,
    in_lines,
    in_said_order,
    as_truth_value,
    in_numerals,
    as_interval,
    as_exact,
    as_division,
    as_bits,
)
OF_INTEGERS = (in_lines, as_bits)
"""Those that may change an integer where the reference is one."""
