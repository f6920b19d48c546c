"""Reads numbers and fractions in words of European languages: zweiundvierzig, tre quarti, minus fünf."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from libra_cli.answers import languages, numeral_words

_DENOMINATORS = {
    word: value
    for value, words in {
        2: "halbe mezzo mezzi medio medios meio meios demi половина вторых вторая",
        3: "drittel terzo terzi tercio tercios tiers terço terços трети треть третям третьих derde trzecie trzecia",
        4: "viertel quarto quarti cuarto cuartos quart quarts quartos четверти четверть четвертям четвертых kwart "
        "czwarte czwartych czwarta",
        5: "fünftel quinto quinti quintos cinquième cinquièmes пятых пятая piąte piątych",
        6: "sechstel sesto sesti sexto sextos sixième sixièmes шестых",
        8: "achtel ottavo ottavi octavo octavos huitième huitièmes восьмых ósme ósmych",
        10: "zehntel decimo decimi décimo décimos dixième dixièmes десятых dziesiąte dziesiątych",
    }.items()
    for word in words.split()
}
_HALVES = (
    *("einhalb", "y media", "y medio", "et demi", "et demie", "e mezzo", "e mezza", "e meio", "e meia"),
    *("с половиной", "ënhalf", "ëneenhalf", "i pół"),
)
"""What adds one half to the numeral before it: zweieinhalb, tres y medio."""
_MINUS = frozenset(("minus", "menos", "moins", "meno", "минус", "min"))
_ONE = frozenset(("un", "une", "una", "uno", "um", "uma", "ein", "eine", "один", "одна", "een"))
_MILLIONS = frozenset(("million", "millón", "milhão", "milione", "миллион", "miljoen"))
MAX_NUMERAL = 7
MAX_WORDS = 30
"""Words of the longest sentence in which a numeral is searched."""
_ENGLISH = languages.ENGLISH - {"a"}
"""Words that tell an English sentence; "a" is French as well: il y a."""
_LATIN = ("de", "es", "fr", "it", "nl", "pt")
_NOT_FOREIGN = frozenset(
    ("once", "seize", "elf", "due", "cent", "to", "en", "tie", "sei", "dice", "mil", "un", "une", "una", "ein", "eine")
)
"""Words that are numbers of a language and mean something else in another."""


def numeral_in(sentence: str) -> str | None:
    """The only number in words of a sentence in another European language; None if it is English or has several."""
    if any(map(str.isdigit, sentence)):
        return None
    heard = _heard(sentence)
    if len(heard) > MAX_WORDS or not _ENGLISH.isdisjoint(heard):
        return None
    values: list[Fraction] = []
    at = 0
    while at < len(heard):
        length, value = _longest_numeral(heard[at : at + MAX_NUMERAL])
        values += [value] if value is not None else []
        at += length
    return str(values[0]) if len(values) == 1 else None


def _heard(sentence: str) -> list[str]:
    return [part.strip(" .,;:!?").lower() for part in sentence.split()]


def is_abroad(sentence: str) -> bool:
    """Whether a sentence is in another language than English: by its letters, or by its most frequent words."""
    heard = _heard(sentence)
    if not _ENGLISH.isdisjoint(heard):
        return False
    return any(char >= "\u0400" and char.isalpha() for char in sentence) or not languages.FREQUENT.isdisjoint(heard)


def _longest_numeral(heard: list[str]) -> tuple[int, Fraction | None]:
    """Number of words of the longest numeral or fraction in words that begins `heard`, and its value."""
    for length in range(len(heard), 0, -1):
        value = spelled_fraction(" ".join(heard[:length])) if heard[0] else None
        if value is not None:
            return length, value
    return 1, None


@lru_cache(1 << 10)
def spelled_fraction(text: str, language: str = "") -> Fraction | None:
    """A number or a fraction in words of a European language: drei Viertel, tre quarti, minus f\u00fcnf; else None.

    If `language` is known, the words are read in that one only.
    """
    text = text.lower().replace("\u0451", "\u0435")
    first, _, rest = text.partition(" ")
    if first in _MINUS and rest:
        value = spelled_fraction(rest, language)
        return None if value is None else -value
    half = next((half for half in _HALVES if text.endswith(half)), None)
    if half and (whole := spelled_number(text.removesuffix(half).strip(), language)) is not None:
        return whole + Fraction(1, 2)
    before, _, last = text.rpartition(" ")
    if last in _DENOMINATORS and before:
        top = 1 if before in _ONE else spelled_number(before, language)
        return None if top is None else Fraction(top, _DENOMINATORS[last])
    if last in _MILLIONS and (before in _ONE or not before):
        return Fraction(10**6) if before else None
    number = spelled_number(text, language)
    return None if number is None else Fraction(number)


def is_denominator(word: str) -> bool:
    """Whether a word is the denominator of a fraction that `spelled_fraction` reads."""
    return word in _DENOMINATORS


def has_numeral(text: str) -> bool:
    """Whether one of several words is a number of a European language."""
    words = text.lower().split()
    return len(words) < 8 and any(spelled_number(word) is not None for word in words)


@lru_cache(1 << 10)
def spelled_number(text: str, language: str = "") -> int | None:
    """A number in words of `language`, or of a European language if all that know the words agree; else None."""
    words = text.lower().replace("-", " ").split() if len(text) > 1 else []
    is_other = not language and text.lower() in _NOT_FOREIGN
    if not words or len(text) > 80 or is_other or not all(map(str.isalpha, words)):
        return None
    for name in (language,) if language in numeral_words.TABLES else ("ru", "pl") if not language else ():
        if (value := numeral_words.value(words, name)) is not None:
            return value
    if language in numeral_words.TABLES:
        return None
    from text_to_num import text2num

    found = set()
    for name in (language,) if language else _LATIN:
        try:
            found.add(text2num(text.lower(), name))
        except (ValueError, KeyError, IndexError, AttributeError):
            continue
    return found.pop() if len(found) == 1 else None
