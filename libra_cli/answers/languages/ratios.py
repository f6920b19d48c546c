"""Writes ratios in words with a colon: 5 to 2, im Verhältnis 2 zu 3, 一比二, 3対2, 3 대 2."""

from __future__ import annotations

import re

from libra_cli.answers.languages import signs
from libra_cli.answers.text import words
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
_TERM = r"(\d[\d.,]*(?<=\d)|[a-z]{3,9})"
_IN_WORDS = {
    joined: lazy_pattern(rf"(?<!from )(?<!between )(?<![\w.,:/]){_TERM} {joined} {_TERM}(?! ?[:/^*%]|[\w])")
    for joined in _NOUNS
}
_HAN = "一二三四五六七八九十百两"
_IN_SIGNS = lazy_pattern(rf"(?<![\d.{_HAN}])([\d.]+|[{_HAN}]+) ?(?:比|対|對|对|대) ?([\d.]+|[{_HAN}]+)(?![\d.{_HAN}])")
_NOUNS_IN_SIGNS = ("之比", "比是", "比为", "比為", "比例", "比值", "比は", "比が", "比率", "비는", "비가", "비율")
_EXPLAINED = lazy_pattern(r"(?<=\d:\d), (?:that is|i\.e\.|in other words|which means|meaning)[ ,][^.;]*[.]?$")
"""What a ratio means in words: 4:1, that is, A is four times B."""
_BOXED = lazy_pattern(rf"\s*{_TERM}\s*(?:\\text\s*\{{\s*to\s*\}}|to)\s*{_TERM}\s*")
_RATIO = lazy_pattern(r"\\[dt]?frac|/|:|^-?[\d.]+$")
"""What a reference has that a ratio may equal."""


def in_figures(text: str, reference: str) -> str:
    """`text` with a colon between the terms of the ratios that its last sentence has in words."""
    start = len(text) - len(words.sentences(text)[-1])
    last = text[start:]
    if not last.isascii() and any(map(last.__contains__, _NOUNS_IN_SIGNS)) and _is_ratio(reference):
        return text[:start] + _IN_SIGNS.sub(_with_colon, last)
    for joined, nouns in _NOUNS.items():
        if f" {joined} " in last and any(map(last.__contains__, nouns)) and _is_ratio(reference):
            return text[:start] + _EXPLAINED.sub(".", _IN_WORDS[joined].sub(_with_colon, last))
    return text


def of_answer(answer: str, reference: str) -> str:
    """An answer that is a ratio in words with a colon, if the reference may be its value: 5 \\text{ to } 2."""
    found = _BOXED.fullmatch(answer) if _is_ratio(reference) else None
    return _with_colon(found) if found else answer


def _is_ratio(reference: str) -> bool:
    return _RATIO.search(reference.strip(" $")) is not None


def _with_colon(ratio: re.Match[str]) -> str:
    terms = [_figure(term) for term in ratio.groups()]
    return ":".join(terms) if all(terms) else ratio[0]


def _figure(term: str) -> str:
    if term[0].isdigit():
        return term
    value = signs.number_of(term) if not term.isascii() else words.number(term)
    return "" if value is None else str(value)
