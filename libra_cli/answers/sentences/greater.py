"""Reads which of two values a text calls the greater or the smaller, where the question asks for one: 9.9 > 9.11."""

from __future__ import annotations

from libra_cli.answers.sentences import assertions
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_GREATER = words.table("bigger larger greater higher more biggest largest greatest highest most maximum")
_SMALLER = words.table("smaller less lower lesser fewer smallest least lowest minimum")
_ASKING = ("which", "what", "who")
_SIGN = lazy_pattern(r"\\(?:gt|lt)(?![A-Za-z])|[<>]")
_NO_RELATION = ("\\le", "\\ge", "\u2264", "\u2265", ">=", "<=", "->", "=>", "<<", ">>", "\\ne", "|")
SIGNS = ("<", ">", "\\gt", "\\lt")
_VALUE = r"\$?(?P<{}>-?(?:\d[\d.,/]*\d|\d)(?:\s?[\u00b2\u00b3])?)\$?"
_FIGURE = lazy_pattern(r"-?(?:\d[\d.,/]*\d|\d)(?:\s?[\u00b2\u00b3])?")
_DENIES = words.table("false wrong untrue incorrect not if would seem seems looks think thought claim claims but")
"""Words with which a sentence denies a comparison, or doubts it."""
_SAID = lazy_pattern(rf"{_VALUE.format('first')} is (?P<word>[a-z]+) than {_VALUE.format('second')}")


def side(relation: str, reference: str, question: str) -> str | None:
    """The side of `9.9 > 9.11` that a question asks for; None for another question or answer."""
    wants = _wanted(question)
    signs = [sign[0] for sign in _SIGN.finditer(relation)]
    if wants is None or len(signs) != 1 or any(map(relation.__contains__, _NO_RELATION)) or _SIGN.search(reference):
        return None
    left, right = (part.strip(" $") for part in _SIGN.split(relation))
    is_left = (signs[0] in (">", "\\gt")) is wants
    chosen = left.partition("=")[0] if is_left else right.rpartition("=")[2]
    return chosen.strip(" $") or None


def said(sentence: str, question: str) -> str | None:
    """The value that a sentence calls the one that a question asks for: 9.9 is bigger than 9.11."""
    wants, said_so = _wanted(question), [*_SAID.finditer(sentence)]
    if (
        wants is None
        or len(said_so) != 1
        or assertions.denies(sentence)
        or not _DENIES.isdisjoint(words.split(sentence.lower()))
    ):
        return None
    found, asked = said_so[0], _FIGURE.findall(question)
    is_of_question = found["first"] in asked and found["second"] in asked
    if found["word"] not in _GREATER | _SMALLER or not is_of_question or sentence[found.end() :].startswith(" by "):
        return None
    return found["first" if (found["word"] in _GREATER) is wants else "second"]


def _wanted(question: str) -> bool | None:
    """Whether a question asks which of two values is the greater one; None if it does not, or asks for the smaller."""
    last = words.sentences(question)[-1].lower()
    heard = words.split(last)
    if not any(word in heard for word in _ASKING) or not (" or " in last or "," in last):
        return None
    is_greater, is_smaller = not _GREATER.isdisjoint(heard), not _SMALLER.isdisjoint(heard)
    return None if is_greater is is_smaller else is_greater
