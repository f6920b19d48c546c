"""Tells words with which an answer begins ("Solution:", "Let's think step by step") from words that may be an answer.

Markup, numbering, marks and letters that look like others go first. What is left is compared with the phrases of
`openers.txt`, with sentences made of the words in `opener_words.txt`, and with three kinds of English sentence.
"""

from __future__ import annotations

import html
import itertools
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import NamedTuple

DRESS = " *_`#>~|-"
"""Characters that only set text in Markdown."""
_MARKUP = re.compile(
    r"</?[a-z][a-z0-9-]{0,20}(?:\s[^<>\n]{0,200})?/?>|(?<=\])\([^()\s]{0,200}\)"
    r"|\\(?:sub){0,2}(?:section|paragraph|chapter|part|title|emph|underline|uline|centerline|m?box|item|noindent|par"
    r"|(?:small|med|big)skip|(?:foot|script)?note(?:size)?|large|huge|normalsize|small|bf|it|bfseries|itshape|em|sc|rm|sf)"
    r"(?![a-z])\*?",
    re.IGNORECASE,
)
"""HTML tags, targets of Markdown links, and LaTeX commands that only set text."""
_NUMBERING = re.compile(r"^[ \t*_#>(\[-]*([0-9]{1,2})(?=[.)\]:、．][\s*_.)\]:、]*[^\W\d_])", re.MULTILINE)
"""The number of a list's item or of a heading, with words behind it."""

_APOSTROPHES, _ASCII_WORD = re.compile("['’ʼ`]"), re.compile("[a-z0-9]+")
_PHRASE = re.compile(r"([^\n.:!?。：！？；؟…।]+)([.:!?。：！？；؟…।]?)")
_COMMA = re.compile("[,、，،]")
_NUMBER = re.compile("[0-9]+")
_COLONS, _STOPS = (":", "："), (".", "。", ":", "：")
_LEADS = ("ok", "okay", "alright", "all right", "sure", "certainly", "absolutely", "of course", "great", "well", "so",
          "now", "first", "firstly", "hmm", "yes", "therefore", "thus", "hence", "finally", "in conclusion",
          "in summary", "to conclude", "to sum up")  # fmt: skip
"""Words that may stand before an opener; alone they can be an answer, if openers.txt does not say otherwise."""
_LEAD = rf"(?:(?:{'|'.join(_LEADS)}) )*"
_THING = r"(?:problem|question|task|exercise|equation|puzzle|challenge|solution|answer)s?"
_PROCESS = r"(?:(?:thought|thinking|reasoning|solution)(?: process)?|chain of thought)"
_VERB = (
    r"(?:solv|think|tackl|approach|analyz|analys|break|work|reason|figur|address|answer|begin|start|see|look|consider"
    r"|understand|examin|explor|go|walk|find|follow|determin|do)(?:e|ing)?"
)
_FILLER = (
    rf"(?: (?:this|that|it|the|these|through|out|down|into|about|at|on|given|math|mathematical|following|{_THING}"
    r"|steps?|by|one|a|time|in|detail|order|carefully|together|systematically|logically|slowly|first|now|and|then|for|of"
    r"|find|solve|follow|use|what|we|i|can|will|know|have|need|to|do|here|is|are|being|asked|how|with))*"
)
_PLAN = rf"(?: first| now| just| try to| begin to| start to)* {_VERB}{_FILLER}"
_ENGLISH = re.compile(
    rf"{_LEAD}(?:(?:lets|let us|let me){_PLAN}"
    rf"|(?=.* (?:this|that|these|the|by) (?:{_THING}|steps?)\b)"
    rf"(?:(?:we|i)(?: will| can| need to| should| must| have to)|well|ill|to|by){_PLAN}"
    r"|(?:here is|heres|here are|this is|below is) (?:my|the|a|an|your)(?: detailed| complete| full| step by step)*"
    rf" (?:solution|answer|explanation|reasoning|response|{_PROCESS}){_FILLER}"
    rf"|(?:the|my|our) {_PROCESS}(?: is)?(?: as follows)?"
    rf"|(?:the|my|our)(?: final| correct| right)* (?:answer|solution|result)(?: (?:to|of|for) (?:the|this) {_THING})?"
    r"(?: is| would be| equals| will be)?(?: as follows| the following)?)"
)
"""A plan ("let's think about it step by step"), a presentation ("here is the solution"), or "the answer is"."""

_LOOKALIKES = (
    "АВЕЅІЈКМНОРСТУХԚԜҺ" "аеѕіјкмнорстухԁԛԝһьпгв" "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" "αβεικνορτυχηω" "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ"
    "ıɑɡɩօսոհաց",
    "abesijkmhopctyxqwh" "aesijkmhopctyxdqwhbnrb" "abezhikmnoptyx" "abeiknoptyxnw" "abcdefghijklmnoprstuvwyz"
    "iagiounhwg",
)  # fmt: skip
_LATIN = str.maketrans(*_LOOKALIKES)
"""Cyrillic, Greek, Armenian and small capital letters that look like Latin ones; the published table is UTS 39's."""
_DIGITS_IN_WORD = re.compile("(?<=[a-z])[01]+")


def is_opener(text: str, is_sign: Callable[[str], bool]) -> bool:
    """Whether every phrase is an opener, or leads to one; a phrase after the last opener may be the answer.

    `is_sign` says whether a text without letters and digits can be an answer.
    """
    numbers = itertools.count(1)
    text = _MARKUP.sub(" ", html.unescape(text))
    text = _NUMBERING.sub(lambda found: " " if int(found[1]) == next(numbers) else found[0], text)
    opened = answered = False
    for words, end in _PHRASE.findall(text):
        for phrase in [words] if _opens(words, end) else _COMMA.split(words):
            plain = _plain(phrase)
            if _opens(phrase, end):
                opened, answered = True, False
            elif plain in _LEADS or (not plain and is_sign(phrase.strip(DRESS))):
                answered = opened
            elif plain:
                return False
    return opened and not answered


def _opens(words: str, end: str) -> bool:
    """Whether a phrase that ends with the mark `end` is an opener."""
    phrase = _plain(words)
    if _is_listed(phrase, words, end) or _is_sentence(words):
        return True
    latin = phrase if words.isascii() else _plain(words.translate(_LATIN))
    latin = _DIGITS_IN_WORD.sub(lambda digits: digits[0].replace("0", "o").replace("1", "l"), latin)
    return (latin != phrase and _is_listed(latin, words, end)) or _ENGLISH.fullmatch(latin) is not None


def _is_listed(phrase: str, words: str, end: str) -> bool:
    always, before_colon, before_stop = _openers()
    squeezed = phrase.replace(" ", "")
    if squeezed in always or (end in _STOPS and squeezed in before_stop):
        return True
    return end in _COLONS and "(" not in words and _NUMBER.sub("1", squeezed) in before_colon


def _is_sentence(words: str) -> bool:
    """Whether a phrase consists of the words of one language with which answers are announced."""
    parts = _plain(_APOSTROPHES.sub(" ", words)).split()
    text = "".join(parts)
    text = text[: (text + text).find(text, 1)]  # once only if it is repeated
    for vocabulary in _vocabularies():
        if vocabulary.unspaced:
            if vocabulary.spells(text):
                return True
        elif len(set(parts)) > 1 and not vocabulary.plans.isdisjoint(parts) and vocabulary.words.issuperset(parts):
            return True
    return False


class _Vocabulary(NamedTuple):
    """The words of sentences that announce an answer in one language."""

    plans: frozenset[str]
    words: frozenset[str]
    """Plans and all others."""
    unspaced: bool
    longest: int

    def spells(self, text: str) -> bool:
        """Whether `text` is a sequence of two or more words with a plan among them."""
        reached: list[set[tuple[bool, bool]]] = [{(False, False)}] + [set() for _ in text]
        for end in range(1, len(text) + 1):
            for start in range(max(0, end - self.longest), end):
                if reached[start] and (word := text[start:end]) in self.words:
                    reached[end] |= {(start > 0, planned or word in self.plans) for _, planned in reached[start]}
        return (True, True) in reached[-1]


@cache
def _openers() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The phrases of openers.txt without blanks: those that count always, before a colon, and before a full stop."""
    found: dict[str, set[str]] = {"": set(), ":": set(), ".": set()}
    for line in _lines("openers.txt"):
        mark = line[-1] if line[-1] in ":." else ""
        found[mark].add(_plain(line).replace(" ", ""))
    return frozenset(found[""]), frozenset(found[":"]), frozenset(found["."])


@cache
def _vocabularies() -> tuple[_Vocabulary, ...]:
    """The languages of opener_words.txt."""
    found: list[tuple[bool, dict[str, set[str]]]] = []
    for line in _lines("opener_words.txt"):
        if line.startswith("["):
            found.append((line.endswith("unspaced"), {"plan": set(), "with": set()}))
        else:
            kind, *words = line.split()
            found[-1][1][kind].update(part for word in words for part in _plain(_APOSTROPHES.sub(" ", word)).split())
    return tuple(
        _Vocabulary(
            frozenset(words["plan"]),
            frozenset(words["plan"] | words["with"]),
            unspaced,
            max(map(len, words["plan"] | words["with"])),
        )
        for unspaced, words in found
    )


def _lines(name: str) -> list[str]:
    text = resources.files("libra_cli.records").joinpath(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _plain(phrase: str) -> str:
    """The words in lower case, separated by one blank, without accents, apostrophes and marks."""
    text = _APOSTROPHES.sub("", phrase.casefold())
    if text.isascii():  # the same, and most phrases are
        return " ".join(_ASCII_WORD.findall(text))
    parts = unicodedata.normalize("NFKD", text)
    kinds = ((one, unicodedata.category(one)) for one in parts)
    kept = (one if one.isalnum() or kind == "Mc" else " " for one, kind in kinds if kind not in ("Mn", "Me"))
    return " ".join("".join(kept).split())
