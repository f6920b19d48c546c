"""Compares selections of numbered statements: `①③④`, `I and III only`, `(ii), (iii)`."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from libra_cli.answers.values import normalize
from libra_cli.lazy_pattern import lazy_pattern

_ROMAN = {name: value for value, name in enumerate("I II III IV V VI VII VIII IX X".split(), 1)}  # noqa: SIM905
_CIRCLED = frozenset(map(chr, range(0x2460, 0x2474)))
_INTRODUCTIONS = ("正确的是", "正确的有", "正确的序号是", "正确的序号为", "答案是", "答案为", "故选", "应选", "选")
"""Behind which selected statements stand: 综上，正确的是①④."""
_OPENERS = ("综上", "所以", "因此", "故", "其中")
_FILLERS = frozenset(("AND", "ONLY", "STATEMENTS", "STATEMENT", "&"))


_ITEM = r"\(?(?:[IVX]{1,5}|[\u2460-\u2473]|[ivx]{1,5}\))(?![A-Za-z])"
_JOIN = (
    r"(?: ?[,\u3001\uff0c] ?(?:and )?| and | ?& ?| ?[\u548c\u4e0e\u3068] ?|(?<=[\u2460-\u2473])(?=[\u2460-\u2473])"
    r"| \u0438 | et | und )"
)
_LIST = lazy_pattern(rf"(?<![A-Za-z0-9(])(?:only )?{_ITEM}(?:{_JOIN}{_ITEM})*(?: only)?")
"""A list of the numerals of statements: only I and III."""
_ASSERTS = lazy_pattern(
    r"\b(?i:holds?|true|correct|right|valid|satisfied|answer|only|chosen?|select)\b|[\u6b63\u6210\u5bf9\u9009]|\u6b63\u3057\u3044"
)
"""What a sentence says of the statements that it selects."""
_DENIES = lazy_pattern(
    r"\b(?i:not|fails?|false|wrong|incorrect|invalid|untrue|or|if|unless|except|but|neither|nor|maybe|whether|cannot|can't"
    r"|eliminated?|discard(?:ed)?|exclude[sd]?|reject(?:ed)?|rules? out|ruled|contradicts?)\b|n['\u2019]t\b"
    r"|[\u4e0d\u9519\u8bef\u5047\u9664\u975e]|\u8aa4"
)

_IN_BRACKETS = lazy_pattern(r"\(\d{1,2}\)(?: ?\(\d{1,2}\)){1,8}")
"""Numbers of statements side by side: (1)(3)."""
_FIGURES = lazy_pattern(r"\d+")


_FAILS = (
    r"(?:fails?|(?:is|are) (?:both )?(?:false|wrong|incorrect|untrue|invalid|not (?:true|correct|valid))"
    r"|do(?:es)?(?: not|n['\u2019]t)(?: hold)?)"
)
_REJECTED = lazy_pattern(
    rf"(?:,|;|,? (?:and|but|while|whereas)) (?:statements? )?{_ITEM}(?:{_JOIN}{_ITEM})* {_FAILS}(?=[.,;]|$)"
    rf"|^(?:statements? )?{_ITEM}(?:{_JOIN}{_ITEM})* {_FAILS}[,;] (?:so |and |but |while |hence |thus )?",
    re.IGNORECASE,
)
"""A clause about the statements that do not hold: and II is false."""


class Selection(NamedTuple):
    """Numbers of the selected statements, and how they are written."""

    numbers: frozenset[int]
    script: str


def same(reference: str, answer: str) -> bool | None:
    """Whether two answers select the same statements; None unless both are selections."""
    wanted = _selection(reference)
    if wanted is None and not _CIRCLED.isdisjoint(answer) and reference.isascii():  # (1), (4)
        wanted = _selection(reference, "circled")
    if wanted is None:
        return None
    given = _selection(answer, wanted.script)
    return None if given is None else wanted.numbers == given.numbers


def stated(sentence: str, reference: str, question: str = "") -> str | None:
    """The only selection that a sentence names, for a reference that is one; None if it may be about others.

    What it says of the statements that do not hold does not count, unless the `question` asks for these.
    """
    if _selection(reference) is None and not (
        reference.isascii() and not _CIRCLED.isdisjoint(sentence) and _selection(reference, "circled")
    ):
        return None
    others = [one[0] for rejected in _REJECTED.findall(sentence) for one in _LIST.finditer(rejected)]
    if others and not _DENIES.search(question) and not any(same(reference, f"{one} only") for one in others):
        sentence = _REJECTED.sub("", sentence)
    found = [one[0] for one in _LIST.finditer(sentence) if one[0] != "I"]  # I think
    found = found[:1] if all(same(found[0], one) for one in found[1:]) else found
    is_asserted = _ASSERTS.search(sentence) is not None and not _DENIES.search(sentence)
    return found[0] if len(found) == 1 and is_asserted else None


def _selection(text: str, script: str = "") -> Selection | None:
    """The selection in a text; with the `script` of the reference also plain numbers, and a single Roman one."""
    if _IN_BRACKETS.fullmatch(text):
        return Selection(frozenset(map(int, _FIGURES.findall(text))), script or "plain")
    if len(text) > normalize.MAX_CHARS or not (script or "I" in text or "i" in text or not text.isascii()):
        return None
    circled = not _CIRCLED.isdisjoint(text)
    if not circled and not script and not text.isascii():
        return None
    for wrapper in (
        "\\text",
        "\\mathrm",
        "{",
        "}",
        "(",
        ")",
        "$",
        ",",
        "\\ ",
        "\u3001",
        "\uff0c",
        "\u548c",
        "\u4e0e",
        "\u3068",
    ):
        text = text.replace(wrapper, " ")
    names = text.strip(" .\u3002").upper().split()
    if circled:
        figures = "".join(names)
        if script:
            figures = _without_introduction(figures)
        if not all(figure in _CIRCLED for figure in figures):
            return None
        return Selection(frozenset(int(unicodedata.numeric(figure)) for figure in figures), "circled")
    kept = [name for name in names if name not in _FILLERS]
    if not kept:
        return None
    is_list = len(kept) > 1 and any(len(name) > 1 for name in kept)  # no "x, i"
    if all(name in _ROMAN for name in kept) and (is_list or "ONLY" in names or script):
        return Selection(frozenset(map(_ROMAN.__getitem__, kept)), "roman")
    are_figures = script and all(name.isascii() and name.isdecimal() and len(name) < 3 for name in kept)
    if are_figures and script == "plain" and len(kept) == 1 and kept[0] == "".join(sorted({*kept[0]})):
        return Selection(frozenset(map(int, kept[0])), "plain")  # 13 for (1)(3)
    if are_figures and len(kept) > 1:
        return Selection(frozenset(map(int, kept)), "plain")
    return None


def _without_introduction(text: str) -> str:
    """A text without the words that introduce a selection, if it has no others."""
    before = text.rstrip("".join(_CIRCLED))
    words = before.strip(":\uff1a")
    for opener in _OPENERS:
        words = words.removeprefix(opener)
    return text[len(before) :] if words in _INTRODUCTIONS or not words else text
