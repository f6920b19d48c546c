"""Reads integers in words of European languages: zweiundvierzig, cento venti, двадцать один."""

from __future__ import annotations

from functools import lru_cache

from libra_cli.answers.languages import answer_forms, numeral_words

MAX_NUMERAL = 7
_LATIN = ("de", "es", "fr", "it", "nl", "pt")
NOT_FOREIGN = frozenset(
    ("once", "seize", "elf", "due", "cent", "to", "en", "tie", "sei", "dice", "mil", "un", "une", "una", "ein", "eine")
)
"""Words that are numbers of a language and mean something else in another."""


def heard(sentence: str) -> list[str]:
    """The words of a sentence in small letters."""
    return [part.strip(" .,;:!?").lower() for part in sentence.split()]


def is_abroad(sentence: str) -> bool:
    """Whether a sentence is in another language than English: by its letters, or by its most frequent words."""
    said = heard(sentence)
    if not (answer_forms.ENGLISH - {"a"}).isdisjoint(said):
        return False
    return any(char >= "\u0400" and char.isalpha() for char in sentence) or not answer_forms.FREQUENT.isdisjoint(said)


def has_numeral(text: str) -> bool:
    """Whether one of several words is a number of a European language."""
    words = text.lower().split()
    return len(words) < 8 and any(spelled_number(word) is not None for word in words)


@lru_cache(1 << 10)
def spelled_number(text: str, language: str = "") -> int | None:
    """A number in words of `language`, or of a European language if all that know the words agree; else None."""
    words = text.lower().replace("-", " ").split() if len(text) > 1 else []
    is_other = not language and text.lower() in NOT_FOREIGN
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
