"""Reads the sentence behind "Answer:" in another language: 答：总共需要12万元, Antwort: Es spielen sechs Kinder mit."""

from __future__ import annotations

from libra_cli.answers.languages import abroad, answer_forms, signs
from libra_cli.answers.sentences import assertions, claims_in_signs, statements
from libra_cli.lazy_pattern import lazy_pattern

_SIDE = r"\d[\d.]*(?: ?[a-z\u20ac%]{1,3})?"
_CALCULATION = lazy_pattern(rf"{_SIDE}(?: ?[:\u00b7\u00d7*/\u00f7+\u2212-] ?{_SIDE}){{1,6}} ?= ?(?=[*\d])")
"""A calculation of numbers before its result."""
_FEW_WORDS, _FEW_SIGNS = 2, 3
"""What stands behind a number as its unit."""


def told(stated: str, text: str, question: str | None) -> assertions.Asserted:
    """What `stated`, which a text labels its answer, asserts; unclear where its number is only a bound."""
    language = abroad.language_of(text) or abroad.language_of(stated)
    read = abroad.in_digits(stated, language) if language and "\\" not in stated else stated
    if calculation := _CALCULATION.match(read):  # 300 : 2.5 = **112 km/h**
        read = read[calculation.end() :]
    asserted = statements.tidy(read)
    if any(map(str.isdigit, read)) and not any(map(read.__contains__, "=$(")):
        in_signs = language in abroad.WITHOUT_SPACES
        if in_signs and sum(map(signs.is_letter, read)) > 1:
            claimed = claims_in_signs.answer(read, question) if question else None
            said = assertions.Asserted(claimed.answer) if claimed and claimed.answer else _in_signs(read)
            asserted = said or asserted
        elif not in_signs and read[0].isalpha() and len(read.split()) > _FEW_WORDS:
            found = assertions.asserted(read)
            asserted = found if found.answer or found.unclear else asserted
    if asserted.answer and abroad.may_say_more(stated, question, asserted.answer):
        return assertions.Asserted(None, unclear=True)
    return asserted if asserted.answer or asserted.unclear else statements.tidy(stated)


def _in_signs(read: str) -> assertions.Asserted | None:
    """What a sentence in Chinese, Japanese or Korean asserts, or its only number."""
    asserted = assertions.asserted(abroad.with_small_words(read))
    counted = None if asserted.answer else answer_forms.only_number(read)
    is_sentence = sum(map(signs.is_letter, read)) > _FEW_SIGNS
    return asserted if asserted.answer else assertions.Asserted(counted) if counted and is_sentence else None
