"""Reads places in an order: `third place`, `3rd`, `Quadrant III`, `the player who moves first`."""

from __future__ import annotations

from typing import NamedTuple

from libra_cli.answers.text import words

MAX_CHARS = 600
"""Length of the longest sentence that is searched."""
_WORDS = """
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
    sixteenth seventeenth eighteenth nineteenth twentieth
"""
_NAMES_OF_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
VALUES = {word: value for value, word in enumerate(_WORDS.split(), 1)}
_TENS = {word: ten for ten, word in zip(range(20, 100, 10), _NAMES_OF_TENS, strict=True)}
VALUES |= {f"{word[:-1]}ieth": ten for word, ten in _TENS.items()}
_TEN, _TEENS = 10, (11, 12, 13)
_ENDINGS = ("st", "nd", "rd", "th")
_NUMERALS = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "one": 1, "two": 2, "three": 3, "four": 4}
_NUMBERED = words.table("quadrant player")
"""Nouns that a numeral may follow: Quadrant III, Player 1."""
_NOUNS = _NUMBERED | words.table("place position term row column floor grade day person one half century prize")
_MOVES = words.table("moves goes plays starts begins moving going starting")
_STARTS = words.table("starts begins starting")
_RANKS = words.table("is was came comes finishes finished finish ranks ranked placed in the be becomes became as")
"""Words before an ordinal that says a place: came third, was the first."""
_STRIPPED = " .,;:!?*_`\"'()$\u201c\u201d"
_FILLERS = words.table("the a in on it is its he she they was came finished place at")

_AWAY = words.table("behind past above below ahead before after beyond from starts start started begins began starting")
"""Words before a place that is not the one of what is asked."""
_NEAR = 3
"""Words before a place among which these stand."""
_LOSES = words.table("lose loses lost losing loser beaten forced must cannot can't")
_WINS = words.table("win wins won winner winning strategy victory advantage")
_FEW = 3


class Ordinal(NamedTuple):
    """A place in an order."""

    value: int
    noun: str
    """What is ordered, as far as it is said: `quadrant`, `player`; else empty."""
    is_said: bool
    """Whether the place is said of something, and does not only order sentences or stand before another noun."""

    @property
    def text(self) -> str:
        """The place in words where it has one."""
        ending = "th" if self.value % 100 in _TEENS else {1: "st", 2: "nd", 3: "rd"}.get(self.value % 10, "th")
        name = next((word for word, value in VALUES.items() if value == self.value), f"{self.value}{ending}")
        return f"{name} {self.noun}".strip()

    def agrees(self, other: Ordinal) -> bool:
        """Whether both may be places in the same order."""
        return self.noun == other.noun or not (self.noun and other.noun)


def parse(text: str) -> Ordinal | None:
    """The place that a whole text is; None for others."""
    if len(text) > 60:
        return None
    plain = text.replace("\\text{", " ").replace("\\textbf{", " ").replace("}", " ")
    found, others = _read(plain)
    return found[0] if len(found) == 1 and _FILLERS.issuperset(others) else None


def stated(sentence: str, reference: str) -> str | None:
    """The only place that a sentence says, if the reference is one; None if that is not certain."""
    wanted = parse(reference) if len(sentence) <= MAX_CHARS else None
    if wanted is None:
        return None
    if wanted.noun == "player" and not _may_name_player(sentence):
        return None
    found = {(one.value, one.noun) for one in _read(sentence)[0] if one.is_said and one.agrees(wanted)}
    if len({value for value, _ in found}) != 1:
        return None
    value, noun = found.pop()
    return Ordinal(value, noun or wanted.noun, True).text


def _may_name_player(sentence: str) -> bool:
    """Whether a sentence says who wins, or hardly more than a player, and nothing of losing."""
    heard = {word.lower() for word in words.split(sentence)}
    is_short = len(heard - _FILLERS) <= _FEW
    return _LOSES.isdisjoint(heard) and (is_short or not _WINS.isdisjoint(heard))


def same(reference: str, answer: str) -> bool | None:
    """Whether two texts are the same place; None if one is none, or if they are places in different orders."""
    wanted = parse(reference)
    given = parse(answer) if wanted else None
    return wanted.value == given.value if wanted and given and wanted.agrees(given) else None


def _read(text: str) -> tuple[list[Ordinal], list[str]]:
    """The places in a text, and its other words."""
    raw = text.split()
    heard = [word.strip(_STRIPPED).lower() for word in raw]
    found: list[Ordinal] = []
    others: list[str] = []
    at = 0
    while at < len(heard):
        place, length = _at(heard, raw, at)
        if place and not _AWAY.isdisjoint(heard[max(0, at - _NEAR) : at]):
            place = place._replace(is_said=False)  # behind the first
        if place:
            found.append(place)
        elif heard[at]:
            others.append(heard[at])
        at += length
    return found, others


def _at(heard: list[str], raw: list[str], at: int) -> tuple[Ordinal | None, int]:
    """The place that begins at a word, and its number of words; None and 1 for others."""
    word, behind = heard[at], heard[at + 1] if at + 1 < len(heard) else ""
    if word.startswith("q") and word[1:] in _NUMERALS and len(word) < 5:
        return Ordinal(_NUMERALS[word[1:]], "quadrant", True), 1
    if word in _NUMBERED:
        value = int(behind) if behind.isdecimal() and len(behind) < 3 else _NUMERALS.get(behind)
        if value:
            return Ordinal(value, word, True), 2
    if word == "starting" and behind == "player":
        return Ordinal(1, "player", True), 2
    if word == "player" and behind in ("who", "that") and heard[at + 2 : at + 3] and heard[at + 2] in _MOVES:
        value = _value(heard[at + 3]) if at + 3 < len(heard) else None
        if value or heard[at + 2] in _STARTS:
            return Ordinal(value or 1, "player", True), 4 if value else 3
    value = _value(word)
    if value is None:
        return None, 1
    if behind in _NOUNS:
        return Ordinal(value, "" if behind in ("place", "position", "one") else behind, True), 2
    is_last = at + 1 == len(heard) or raw[at][-1] in ".;:!)*" or (raw[at][-1] == "," and at > 0)
    before = heard[at - 1] if at else ""
    return Ordinal(value, "", is_last or (before in _RANKS and behind in ("", "because", "with"))), 1


def _value(word: str) -> int | None:
    """The value of an ordinal in words or digits; None for other words."""
    tens, hyphen, ones = word.partition("-")
    if hyphen and tens in _TENS and 0 < VALUES.get(ones, 0) < _TEN:
        return _TENS[tens] + VALUES[ones]
    if word in VALUES:
        return VALUES[word]
    digits = word[:-2]
    return int(digits) if word.endswith(_ENDINGS) and digits.isdecimal() and len(digits) < 4 else None
