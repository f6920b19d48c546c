"""Writes ratios in words with a colon: 5 to 2, im Verhältnis 2 zu 3, 一比二, 3対2, 3 대 2."""

from __future__ import annotations

import re
from functools import partial

from libra_cli.answers.languages import signs
from libra_cli.answers.text import latex, words
from libra_cli.lazy_pattern import lazy_pattern

_NOUNS = {
    "to": ("ratio", "quotient", "proportion"),
    "zu": ("erhältnis",),
    "à": ("rapport", "ratio", "proportion"),
    "pour": ("rapport", "ratio", "proportion"),
    "a": ("razón", "proporción", "relación", "rapporto", "razão", "proporção"),
    "para": ("razão", "proporção", "relação"),
    "op": ("erhouding",),
    "к": ("тношени", "опорци"),
    "do": ("stosun",),
    "till": ("örhållande",),
}
"""What stands between the terms of a ratio, and the nouns by which a sentence is about one."""
_VERBS = {
    "to": ("odds", "implest form", "mixed", "mix ", "divided", "shared", "split", "combined", " are as ", " stand as "),
    "zu": ("verhalten sich", "verhält sich", "gemischt", "geteilt"),
    "к": ("тносятся как", "тносится как"),
    "a": ("stanno", "están como"),
}
"""Verbs of sentences that are about a ratio, if the reference is one."""
_INVERSE = lazy_pattern(r"\b(?i:inverse(?:ly)?|umgekehrt|squared|обратн\w+|inversement|inversamente)\b")
_ENDS_CLAUSE = lazy_pattern(r" ?[.,;:!)*]| ?$| (?:by|ratio|in|with|and|so|respectively|zu|nach|im)\b")
_TERM = r"(\d[\d.,]*(?<=\d)|[a-z]{3,9})"
_SHORT_TERM = r"\$?(?:\d[\d.,]{0,9}(?<=\d)|[a-z]{3,9})\$?"
_IN_WORDS = {
    joined: lazy_pattern(
        rf"(?<!from )(?<!into )(?<!between )(?<![\w.,:/$]){_SHORT_TERM}(?: (?:is )?{joined} {_SHORT_TERM}){{1,4}}"
        r"(?! ?[:/^*%]|[\w])"
    )
    for joined in _NOUNS
}
_HAN = "一二三四五六七八九十百两"
_IN_SIGNS = lazy_pattern(rf"(?<![\d.{_HAN}])([\d.]+|[{_HAN}]+) ?(?:比|対|對|对|대) ?([\d.]+|[{_HAN}]+)(?![\d.{_HAN}])")
_NOUNS_IN_SIGNS = ("之比", "比是", "比为", "比為", "比例", "比值", "比は", "比が", "比率", "비는", "비가", "비율")
_SPACED = lazy_pattern(r"(?<=\d) : (?=\d)")
_STAND_AS = lazy_pattern(r"\b(?:are|stand)(?: to each other)? as (?=\$?\d+:\d)")
"""What leads to a ratio: the parts are as 2:3."""
_POWERS = lazy_pattern(
    r"(?<![\w.^}])(?P<open>\$?)(\d{1,3})(?:\^\{?([23])\}?|([\u00b2\u00b3]))(?: : |:)"
    r"(\d{1,3})(?:\^\{?([23])\}?|([\u00b2\u00b3]))(?P=open)(?![\w^{:=+*-])"
)
"""A ratio of two powers: 2^3:3^3."""
_RAISED = {"\u00b2": 2, "\u00b3": 3}
_EXPLAINED = lazy_pattern(r"(?<=\d:\d), (?:that is|i\.e\.|in other words|which means|meaning)[ ,][^.;]*[.]?$")
"""What a ratio means in words: 4:1, that is, A is four times B."""
_BOXED = lazy_pattern(rf"\s*{_TERM}\s*(?:\\text\s*\{{\s*to\s*\}}|to)\s*{_TERM}\s*")
_CHANCE = lazy_pattern(rf"\s*{_TERM}\s*(?:\\text\s*\{{\s*(?:in|out of)\s*\}}|in|out of)\s*{_TERM}\s*")
_RATIO = lazy_pattern(r"\\[dt]?frac|/|:|^-?[\d.]+$")
"""What a reference has that a ratio may equal."""


def in_figures(text: str, reference: str) -> str:
    """`text` with a colon between the terms of the ratios that its last sentence has in words."""
    start = len(text) - len(words.sentences(text)[-1])
    last = _POWERS.sub(_multiplied_out, text[start:]) if ":" in reference and ":" in text[start:] else text[start:]
    text = text[:start] + last
    if not last.isascii() and any(map(last.__contains__, _NOUNS_IN_SIGNS)) and _is_ratio(reference):
        return text[:start] + _IN_SIGNS.sub(_with_colon, last)
    for joined, nouns in _NOUNS.items():
        of_ratio = nouns + _VERBS.get(joined, ()) if ":" in reference else nouns
        if (
            f" {joined} " in last
            and not _INVERSE.search(last)
            and any(map(last.__contains__, of_ratio))
            and _is_ratio(reference)
        ):
            is_of_noun = any(map(last.__contains__, nouns))
            written = _IN_WORDS[joined].sub(partial(_joined, joined, is_of_noun=is_of_noun), _SPACED.sub(":", last))
            return text[:start] + _EXPLAINED.sub(".", _STAND_AS.sub("are ", written))
    return text


def _multiplied_out(ratio: re.Match[str]) -> str:
    _, first, typed, raised, second, typed_too, raised_too = ratio.groups()
    powers = [int(typed or _RAISED[raised]), int(typed_too or _RAISED[raised_too])]
    return f"{int(first) ** powers[0]}:{int(second) ** powers[1]}"


def from_words(text: str, other: str) -> str:
    """A ratio or a chance in words with a colon, if the other answer may be its value: 5 to 2, 1 in 52."""
    if text.count("to") > 1 and ":" in other:
        return _joined("to", latex.without_setting(text))
    found = _BOXED.fullmatch(text) or _CHANCE.fullmatch(text) if _is_ratio(other) else None
    return _with_colon(found) if found else text


def _is_ratio(reference: str) -> bool:
    return _RATIO.search(reference.strip(" $")) is not None


def _joined(joined: str, said: re.Match[str] | str, is_of_noun: bool = True) -> str:
    """A ratio of two terms or more with colons; as it is if one of its terms is no number.

    Where only a verb says that a sentence is about one, it ends a clause: mixed 2 to 3, but not for 2 to 3 minutes.
    """
    ratio = said if isinstance(said, str) else said[0]
    if not isinstance(said, str) and not is_of_noun and not _ENDS_CLAUSE.match(said.string, said.end()):
        return ratio
    terms = [_figure(term.strip("$ ")) for term in ratio.replace(f" is {joined} ", f" {joined} ").split(f" {joined} ")]
    return ":".join(terms) if all(terms) else ratio


def _with_colon(ratio: re.Match[str]) -> str:
    terms = [_figure(term) for term in ratio.groups()]
    return ":".join(terms) if all(terms) else ratio[0]


def _figure(term: str) -> str:
    if term[:1].isdigit():
        return term
    value = signs.number_of(term) if not term.isascii() else words.number(term)
    return "" if value is None else str(value)
