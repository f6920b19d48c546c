"""The words of a problem for the search for contamination: what carries it, what can be renamed, what is format.

Notation is left out (`\\frac{1}{2}`, `1/2` and `½` are the words 1 and 2). Letters of variables and points, and
names of people can be exchanged without making another problem; a number that differs makes another version of it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

_GREEK_LETTERS = "alpha beta gamma delta epsilon theta lambda mu nu rho sigma tau phi psi omega"
_GREEK = frozenset(_GREEK_LETTERS.split())
_FORMAT_COMMANDS = """
    frac dfrac tfrac cfrac left right big Big bigg Bigg displaystyle textstyle limits quad qquad cdot times div le ge
    leq geq leqslant geqslant lt gt ne neq ldots cdots dots hspace vspace mbox begin end overline boxed
"""
_FORMAT = frozenset(_FORMAT_COMMANDS.split())
"""LaTeX commands that are notation only; others, such as `\\sin`, are words."""
_SYMBOLS = str.maketrans({"√": " \\sqrt ", "∠": " \\angle ", "△": " \\triangle ", "π": " \\pi ", "∞": " \\infty "})
_TOKEN = re.compile(r"\\[A-Za-z]+|[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W\d_]+(?:'[a-z]+)?|\d+(?:\.\d+)?")
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{\w{1,20}\*?\}")
_DRAWING, _END_OF_DRAWING = "[asy]", "[/asy]"
_GROUPED = re.compile(r"(?<=\d)(?:\{,\}|,|\\,)(?=\d{3}(?!\d))")
_NAME_IN_SENTENCE = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+")
_SMALL_NUMBERS = "two three four five six seven eight nine ten"
_NUMBERS = {word: str(value) for value, word in enumerate(_SMALL_NUMBERS.split(), 2)}
_COMMON_WORDS = """
    a about above after all also an and any are as at be because been before below between both but by can cannot could
    do does down each either every exactly exist exists for from given has have having he her here his how i if in into
    is it its itself just let make many may more most much must my no not note now of on one only or other our out over
    own respectively same shall she should show so some such suppose take than that the their them then there these they
    this those through to together too under until up upon us use using very was way we were what when where whether
    which while who whose why will with would you your

    answer answers box boxed calculate compute coprime decimal denote determine divisible evaluate example expressed
    express expression final find following form format fraction given give integer integers least lowest natural
    nearest nonnegative number numbers positive possible prime problem question rational real relatively remainder
    represented round rounded simplest solve square squarefree sum terms value values written write negative nonzero
    step please consider different distinct equal exact largest smallest maximum minimum common total
"""
_COMMON = frozenset(_COMMON_WORDS.split())
"""Function words, and words that pose a problem or say how to answer it."""


class Word(NamedTuple):
    """One word of a problem."""

    text: str
    """In lower case."""
    role: str
    """The text, or the sign that stands for what can be exchanged: `#` a number, `x` a letter, `N` a name."""
    weight: float
    """How much of the problem it carries: 0 for letters and common words."""


def problem_words(text: str) -> list[Word]:
    """The words of a problem in order."""
    if _DRAWING in text:
        before, *drawings = text.split(_DRAWING)
        text = " ".join([before, *(drawing.partition(_END_OF_DRAWING)[2] for drawing in drawings)])
    text = _ENVIRONMENT.sub(" ", unicodedata.normalize("NFKC", _apart(text)))
    text = _GROUPED.sub("", text)
    found = [_word(token) for token in _TOKEN.findall(text)]
    names = {name.casefold() for name in _NAME_IN_SENTENCE.findall(text)}
    return [_as_name(word) if word.text in names and word.weight else word for word in found if word is not None]


def _apart(text: str) -> str:
    """Keeps raised, lowered and vulgar digits from running into the digits before them."""
    if text.isascii():
        return text
    text = text.translate(_SYMBOLS)
    return "".join(f" {char} " if unicodedata.category(char) == "No" else char for char in text)


@lru_cache(1 << 14)
def _word(token: str) -> Word | None:
    """The word for a token; None if it is a command that is notation only."""
    name = token.lstrip("\\")
    if name != token and (name in _FORMAT or name.startswith(("text", "math"))):
        return None
    lower = name.casefold()
    lower = _NUMBERS.get(lower, lower)
    if lower[0].isdecimal():
        return Word(lower, "#", 1.0 if len(lower) == 1 else 2.0)
    is_label = (len(lower) == 1 and lower.isascii()) or (token.isupper() and len(token) <= 4) or lower in _GREEK
    if is_label:
        return Word(lower, lower if lower in ("a", "i") else "x", 0.0)
    return Word(lower, lower, 0.0 if lower in _COMMON else 1.0)


@lru_cache(1 << 12)
def _as_name(word: Word) -> Word:
    return Word(word.text, "N", 0.5)
