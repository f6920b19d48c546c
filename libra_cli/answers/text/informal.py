"""Writes words of chats and short messages in full: `9 bc it appears most` as `9 because it appears most`."""

from __future__ import annotations

import math
import re

from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_WORDS = """
    because: bc b/c bcuz bcoz bcos bcs cuz coz becuz becasue becuase
    there is: theres | that is: thats | it is: its
    isn't: isnt | aren't: arent | doesn't: doesnt | don't: dont | didn't: didnt | wasn't: wasnt | can't: cant
"""
_IN_FULL = {
    word: full.strip()
    for entry in _WORDS.replace("\n", "|").split("|")
    for full, _, short in [entry.partition(":")]
    for word in short.split()
}
_SHORT = lazy_pattern(
    r"(?<![\w/\\$^_-])(?:(?P<because>bc|b/c|bcuz|bcoz|bcos|bcs|cuz|coz|becuz|becasue|becuase)(?= [a-z\d])"
    r"|(?P<its>[Ii]ts)(?= \$?-?\d| an? )"
    r"|(?P<other>[Tt]heres|[Tt]hats|isnt|arent|doesnt|dont|didnt|wasnt|cant)(?![\w'-]))",
    one_of=(
        *("bc", "b/c", "coz", "its", "cuz", "isnt", "dont", "cant", "wasnt", "thats", "didnt"),
        *("arent", "doesnt", "theres", "becuase", "becasue"),
    ),
)
_AND = lazy_pattern(r"(?<=\d) n (?=[a-z] ?=|-?\d)")
_INDEX = lazy_pattern(r"(?<![A-Za-z\d_])(x)([1-4])(?= ?=)")
_EQUALS = lazy_pattern(r"(?<![A-Za-z\\])([a-z]) equals (?=-?[\d\\])")
_IT_IS = lazy_pattern(r"(?:(?<=[.!?\n] )|(?<=\n)|\A)((?:So )?)(\$?[^.!?\n]{0,20}\d\$?) it is[.!]?\s*\Z")
_MUST_BE = lazy_pattern(r"(?:(?<=[Ii]t)['\u2019]s| (?:has|have)) (?:got )?to be ")
"""It's got to be B."""
_BLANK = lazy_pattern(
    r"\b[Tt]he blank (?:(?:should|must|can|has to|is to|needs to) be|is) (?:filled|completed)(?: in)? (?:with|by)"
    r"(?: the (?:word|term))?(?= )"
)
_EXCLAIMED = lazy_pattern(r"(?<=\d)!(?=\*{0,2}(?:\s+[A-Z*#]|\s*$))")
_SHOUTED = lazy_pattern(r"(?<=[^\W\d_])!{2,5}(?=\s|$)")
_WORKED = lazy_pattern(
    r"(?<![\d.,])(?P<value>-?\d{1,9}) "
    r"\((?P<one>\d{1,6}) ?(?P<sign>[-+*x\u00d7/\u2212]) ?(?P<other>\d{1,6})\)(?=[.!]?\s*$)"
)
"""A number and how it comes about: 12 (16-4)."""
_FACTOR = r"(?:(?P<%s>two|three|four|five|six|seven|eight|nine|ten) )?"
_OVER = lazy_pattern(
    rf"(?<=(?<![A-Za-z])[A-Za-z] )(?:equals|is) {_FACTOR % 'times'}(?P<above>\d?[A-Za-z]{{1,2}}) (?:over|divided by)"
    rf" {_FACTOR % 'by'}(?P<below>\d?[A-Za-z]{{1,2}}|\d+)(?=[.,;!]|$)"
)
_LAST_DIGITS = lazy_pattern(r"(?<!\d)\d{1,18}$")
_FACTORIAL = lazy_pattern(r"[\w)]!(?!\s|$)|\d! ?[-+*/=\u00d7\u00f7.,)]")
_OF_FACTORIALS = ("factorial", "ways", "arrang", "permut", "order", "shuffl", "seat")
_NEAR_END, _FEW = 12, 3
_MOST = 400
"""Characters of the end of a text in which a number is exclaimed."""
_LARGEST = 20
"""The largest number whose factorial anybody gives in digits."""
_SIGNS = ("bc", "b/c", "cuz", "coz", "bco", "ecas", "ecua", "ts ", "heres", "nt")


def in_full(text: str) -> str:
    """`text` with such words in full; most texts return as they are."""
    if "\u2234" in text:
        text = text.replace("\u2234", "Therefore ")
    if " it is" in text[-_NEAR_END:]:  # 10 it is
        text = _IT_IS.sub(lambda found: f"{'So it' if found[1] else 'It'} is {found[2]}.", text)
    if " to be " in text:
        text = _MUST_BE.sub(" is ", text)
    if text.endswith((" after all", " after all.")):
        text = f"{text.rpartition(' after all')[0]}."
    if "he blank " in text:
        text = _BLANK.sub("The missing word is", text)
    if " over " in text or "ivided by" in text:
        text = _OVER.sub(_as_fraction, text)
    worked = _WORKED.search(text) if ")" in text[-_FEW:] else None
    if worked is not None:
        value, one, other = (int(worked[name]) for name in ("value", "one", "other"))
        results = {"+": one + other, "-": one - other, "\u2212": one - other, "/": one / other if other else None}
        if results.get(worked["sign"], one * other) == value:
            text = text[: worked.end("value")] + text[worked.end() :]
    if " n " in text or "x1" in text or " equals " in text:
        text = _INDEX.sub(r"\1_\2", _AND.sub(" and ", _EQUALS.sub(r"\1 = ", text)))
    return _SHORT.sub(_full, text) if any(map(text.__contains__, _SIGNS)) else text


def _as_fraction(said: re.Match[str]) -> str:
    """A fraction that is told in words, in signs: three F over m."""
    factors = [words.number(said[name].lower()) if said[name] else None for name in ("times", "by")]
    if any(said[name] and factor is None for name, factor in zip(("times", "by"), factors, strict=True)):
        return said[0]
    above, below = (f"{factor or ''}{said[name]}" for factor, name in zip(factors, ("above", "below"), strict=True))
    return f"= {above}/({below})"


def _full(word: re.Match[str]) -> str:
    full = _IN_FULL[word[0].lower()]
    return full.capitalize() if word[0][0].isupper() else full


def without_exclamations(text: str, reference: str, question: str = "") -> str:
    """`text` without the exclamation marks behind its last numbers: `it must be 30!`, where nothing is a factorial."""
    if "!!" in text and "!!" not in reference:
        text = _SHOUTED.sub(".", text)
    end = text[-_MOST:]
    found = [*_EXCLAIMED.finditer(end)]
    if not found or "!" in reference or "!" in question or _FACTORIAL.search(text):
        return text
    digits = _LAST_DIGITS.search(end[: found[-1].start()])
    value = int(digits[0]) if digits else None
    if value is None or (value <= _LARGEST and reference.replace(",", "") == str(math.factorial(value))):
        return text
    told = f"{text} {question}".lower()
    return text if any(map(told.__contains__, _OF_FACTORIALS)) else text[:-_MOST] + _EXCLAIMED.sub(".", end)
