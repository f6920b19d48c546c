"""Reads an amount in words and digits of a European language: zwei und eine halbe Stunde, 2.5 Millionen, tre quarti."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from libra_cli.answers.languages import amount_words, answer_forms, numerals, units_abroad
from libra_cli.answers.languages.amount_words import (
    AVOS,
    DOZENS,
    JOINED_HALVES,
    JOINED_QUARTERS,
    MINUS,
    OF,
    ONES,
    PARTS,
    SCALES,
)
from libra_cli.answers.text import words
from libra_cli.answers.text.number import written

ENDS = ".,;:!?)*"
"""Marks that end a word."""
_MAX_WORDS = 12
MAX_WORDS = 30
"""Words of the longest sentence in which a numeral is searched."""
_ENGLISH = answer_forms.ENGLISH - {"a", "is"}
"""Words that tell an English sentence; "a" is French as well (il y a), and "is" is Dutch."""
_POINTS = frozenset("virgule komma coma vírgula virgola przecinek".split())  # noqa: SIM905
"""Words for the comma before decimal places."""
_HALF = Fraction(1, 2)


class AmountInWords(NamedTuple):
    """A number among words."""

    length: int
    """Its words, with what it counts if a half stands behind that; 0 if no number begins here."""
    value: Fraction
    is_percent: bool = False
    counted: tuple[str, ...] = ()
    """What stands between the number and its half: kilos in dos kilos y medio."""

    @property
    def text(self) -> str:
        """In digits: 2.5, 5/7, 20%."""
        return written(self.value) + ("%" if self.is_percent else "")


NONE = AmountInWords(0, Fraction(0))


def amount_at(heard: Sequence[str], at: int, language: str) -> AmountInWords:
    """The amount that begins at word `at`: a numeral with its scale, its fraction and the half behind it."""
    row = _bare(heard[at : at + _MAX_WORDS])
    if not row:
        return NONE
    if row[0] in MINUS and len(row) > 1:
        found = _amount(row[1:], language)
        return found._replace(length=found.length + 1, value=-found.value) if found.length else NONE
    return _amount(row, language)


def _bare(heard: Sequence[str]) -> list[str]:
    """Words in small letters up to the first one that a mark ends."""
    row: list[str] = []
    for word in heard:
        bare = word.rstrip(ENDS)
        if not bare:
            break
        row.append(bare.lower().replace("ё", "е"))
        if bare != word:
            break
    return row


def _amount(row: list[str], language: str) -> AmountInWords:
    words = amount_words.of(language)
    at, value, is_whole = _base(row, words, language)
    if not at:
        return NONE
    denominator = words.denominators.get(row[at]) if at < len(row) else None
    if is_whole and denominator:
        at, value = at + 1, value / denominator
        at += at < len(row) and row[at] in PARTS
    elif is_whole and row[at : at + 1] and row[at] in amount_words.WHOLES:
        at, value = _with_fraction(row, at, value, words, language)
    elif is_whole and row[at : at + 1] and row[at] in _POINTS:
        at, value = _with_decimals(row, at, value, words, language)
    elif is_whole and (avos := _avos(row, at, language)):
        at, value = avos[0], value / avos[1]
    one = Fraction(SCALES.get(row[at - 1], 1)) if is_whole and not row[0][0].isdigit() else Fraction(1)
    if one > value:  # mille: the scale is the numeral
        one = Fraction(1)
    if one == 1 and (half := _row_at(row, at, words.and_a_half)):
        at, value = at + half, value + _HALF
    if one == 1 and at < len(row) and (scale := SCALES.get(row[at]) or DOZENS.get(row[at])):
        at, one, value = at + 1, Fraction(scale), value * scale
    if one > 1 and (half := _row_at(row, at, words.and_a_half)):  # un millón y medio
        at, value = at + half, value + _HALF * one
    return _with_unit(row, at, value, one, words)


def _with_unit(row: list[str], at: int, value: Fraction, one: Fraction, words: amount_words.Words) -> AmountInWords:
    """An amount with what stands behind it: percent, a noun with a half behind, a preposition before a unit."""
    following = tuple(row[at : at + 2])
    for length in (2, 1):
        if len(following) >= length and units_abroad.units().get(following[:length]) == "percent":
            return AmountInWords(at + length, value, is_percent=True)
    half = _row_at(row, at + 1, words.and_a_half) if one == 1 and value.denominator == 1 else 0
    behind = row[at + 1 + half : at + 2 + half]
    is_of_next = bool(behind) and (behind[0] in DOZENS or (behind[0],) in units_abroad.units())
    if half and row[at].isalpha() and not is_of_next:
        return AmountInWords(at + 1 + half, value + _HALF, counted=(row[at],))
    is_measured = len(following) == 2 and following[0] in OF and following[1:] in units_abroad.units()
    return AmountInWords(at + is_measured, value)


def _base(row: list[str], words: amount_words.Words, language: str) -> tuple[int, Fraction, bool]:
    """The words of the numeral that begins a row, its value, and whether it may have a denominator behind it."""
    first = row[0]
    if first[0].isdigit():
        is_number = (
            first.replace(".", "", 1).replace("/", "", 1).isdecimal() and first.count("/") + first.count(".") < 2
        )
        is_number = is_number and first.isascii() and first[-1].isdecimal() and not first.endswith("/0")
        return (1, Fraction(first), first.isdecimal()) if is_number and first.strip("0/") else (0, Fraction(0), False)
    if first in words.one_and_a_half:
        return 1, Fraction(3, 2), False
    if first in JOINED_QUARTERS:
        return 1, Fraction(*JOINED_QUARTERS[first]), False
    if length := _row_at(row, 0, words.half):
        behind = row[length : length + 1]
        is_measure = bool(behind) and ((behind[0],) in units_abroad.units() or behind[0] in {**SCALES, **DOZENS})
        return (length, _HALF, False) if is_measure else (0, Fraction(0), False)
    for half in JOINED_HALVES.get(language, ()):
        if first.endswith(half) and (whole := numerals.spelled_number(first.removesuffix(half), language)) is not None:
            return 1, whole + _HALF, False
    return _numeral(row, words, language)


def _numeral(row: list[str], words: amount_words.Words, language: str) -> tuple[int, Fraction, bool]:
    """The longest numeral in words that begins a row; "one" alone is an article, unless it counts what is a number."""
    for length in range(min(numerals.MAX_NUMERAL, len(row)), 0, -1):
        said = row[:length]
        if any(not word.replace("-", "").isalpha() for word in said):
            continue
        if length == 1 and said[0] in ONES:
            behind = row[1:2]
            counts = _row_at(row, 1, words.and_a_half) > 0
            counts = counts or (
                bool(behind) and (behind[0] in SCALES or behind[0] in DOZENS or behind[0] in words.denominators)
            )
            return (1, Fraction(1), True) if counts else (0, Fraction(0), False)
        value = numerals.spelled_number(" ".join(said), language)
        if value is not None:
            return length, Fraction(value), True
    return 0, Fraction(0), False


def _with_fraction(
    row: list[str], at: int, whole: Fraction, words: amount_words.Words, language: str
) -> tuple[int, Fraction]:
    """The end of an integer and a fraction in words, and their sum: две целых пять десятых."""
    start = at + 1 + (row[at + 1 : at + 2] in (["и"], ["i"]))
    length, top, is_whole = _base(row[start:], words, language) if start < len(row) else (0, whole, False)
    bottom = words.denominators.get(row[start + length]) if length and start + length < len(row) else None
    return (start + length + 1, whole + top / bottom) if bottom and is_whole else (at, whole)


def _with_decimals(
    row: list[str], at: int, whole: Fraction, words: amount_words.Words, language: str
) -> tuple[int, Fraction]:
    """The end of an integer with decimal places in words, and the number: deux virgule cinq, zwei Komma null fünf."""
    places, end = "", at + 1
    while end < len(row):
        length, digits, is_whole = (1, Fraction(1), True) if row[end] in ONES else _base(row[end:], words, language)
        if length > 1 and _base(row[end : end + 1], words, language)[1] == 0:  # null fünf
            length, digits = 1, Fraction(0)
        if not (length and is_whole):
            break
        places, end = places + str(digits), end + length
    return (end, whole + Fraction(f"0.{places}")) if places else (at, whole)


def _avos(row: list[str], at: int, language: str) -> tuple[int, int] | None:
    """The end of a denominator of Portuguese and its value: doze avos; None if none stands here."""
    if row[at + 1 : at + 2] and row[at + 1] in AVOS:
        bottom = int(row[at]) if row[at].isdecimal() else numerals.spelled_number(row[at], language)
        return (at + 2, bottom) if bottom else None
    return None


def _row_at(row: list[str], at: int, rows: Sequence[Sequence[str]]) -> int:
    """The length of the row of words that stands at `at`; 0 if none does."""
    return next((len(one) for one in rows if row[at : at + len(one)] == [*one]), 0)


@lru_cache(1 << 10)
def spelled(text: str, language: str = "") -> Fraction | None:
    """A number or a fraction in words: drei Viertel, tre quarti, minus f\u00fcnf; None for any other text.

    If no `language` is given, all that know the words must agree.
    """
    row = text.lower().split()
    if not all(word.replace("-", "").isalpha() for word in row):
        return None
    if not row or len(row) > _MAX_WORDS or (not language and text.lower() in numerals.NOT_FOREIGN):
        return None
    found = set()
    for name in (language,) if language else amount_words.languages_with_fractions():
        amount = amount_at(row, 0, name)
        if amount.length == len(row) and not amount.counted:
            found.add(amount.value / 100 if amount.is_percent else amount.value)
    return found.pop() if len(found) == 1 else None


def may_be_numeral(phrase: str) -> bool:
    """Whether words in no known phrase may say a number in a language whose numerals nothing here reads."""
    is_phrase = phrase.replace(" ", "").replace("-", "").isalpha() and words.phrase(phrase) in (None, phrase.lower())
    return is_phrase and words.number(phrase) is None and spelled(phrase) is None


def number_in(sentence: str) -> str | None:
    """The only number in words of a sentence in another European language; None if it is English or has several."""
    heard = numerals.heard(sentence)
    if any(map(str.isdigit, sentence)) or len(heard) > MAX_WORDS or not _ENGLISH.isdisjoint(heard):
        return None
    readings = [_numbers(heard, name) for name in amount_words.languages_with_fractions()]
    most = max(length for length, _ in readings)
    found = {values for length, values in readings if values and length == most}
    only = found.pop() if len(found) == 1 else ()
    return written(only[0]) if len(only) == 1 and only[0] is not None else None


def _numbers(heard: list[str], language: str) -> tuple[int, tuple[Fraction | None, ...]]:
    """How many words are numbers in one language, and these; None for a word that changes one and was not read."""
    values, at, length = list[Fraction | None](), 0, 0
    rest: list[str] = []
    while at < len(heard):
        found = amount_at(heard, at, language) if heard[at] else NONE
        is_told = found.length > 1 or heard[at] not in numerals.NOT_FOREIGN
        values += [found.value] if found.length and is_told else []
        length += found.length if is_told else 0
        rest.append("1" if found.length else heard[at])
        at += max(found.length, 1)
    return length, (*values, None) if values and is_unread(rest, language) else tuple(values)


def is_unread(heard: Sequence[str], language: str) -> bool:
    """Whether words that were read still hold one that changes a number: a half, a dozen, sevenths."""
    words = amount_words.of(language)
    row = [word.rstrip(ENDS).lower() for word in heard]
    if any(word in DOZENS or word in amount_words.VAGUE or word in words.one_and_a_half for word in row):
        return True
    numbers = [at for at, word in enumerate(row) if word[:1].isdigit()]
    if any(row[at + 1 : at + 2] and row[at + 1] in words.denominators for at in numbers):
        return True
    return bool(numbers) and any(_row_at(row, at, words.and_a_half) for at in range(numbers[0], len(row)))


def are_in_dozens(heard: Sequence[str], question: Sequence[str]) -> bool:
    """Whether words count in dozens, and a question asks for dozens."""
    return all(any(word.rstrip(ENDS).lower() in DOZENS for word in row) for row in (heard, question))
