"""Writes words of chats and short messages in full: `9 bc it appears most` as `9 because it appears most`."""

from __future__ import annotations

import re

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
    r"|(?P<other>[Tt]heres|[Tt]hats|isnt|arent|doesnt|dont|didnt|wasnt|cant)(?![\w'-]))"
)
_AND = lazy_pattern(r"(?<=\d) n (?=[a-z] ?=|-?\d)")
_INDEX = lazy_pattern(r"(?<![A-Za-z\d_])(x)([1-4])(?= ?=)")
_EQUALS = lazy_pattern(r"(?<![A-Za-z\\])([a-z]) equals (?=-?[\d\\])")
_SIGNS = ("bc", "b/c", "cuz", "coz", "bco", "ecas", "ecua", "ts ", "heres", "nt")


def in_full(text: str) -> str:
    """`text` with such words in full; most texts return as they are."""
    if "\u2234" in text:
        text = text.replace("\u2234", "Therefore ")
    if " n " in text or "x1" in text or " equals " in text:
        text = _INDEX.sub(r"\1_\2", _AND.sub(" and ", _EQUALS.sub(r"\1 = ", text)))
    return _SHORT.sub(_full, text) if any(map(text.__contains__, _SIGNS)) else text


def _full(word: re.Match[str]) -> str:
    full = _IN_FULL[word[0].lower()]
    return full.capitalize() if word[0][0].isupper() else full
