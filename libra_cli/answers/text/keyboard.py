"""Writes answers as people type and say them in the notation of formulas: +/-, 5'3", 12cm2, square root of 2."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from libra_cli.lazy_pattern import lazy_pattern

_MAX_CHARS = 200
_NUMBER = r"-?\d+(?:\.\d+)?"
_FUNCTIONS = "ln|log|sin|cos|tan|cot|sec|csc|exp|arcsin|arccos|arctan|sinh|cosh|tanh"
_MAY_BE_SPELLED = lazy_pattern(r"['\u2032\"<|\\${]|/-|[A-Za-z]{2}|\d ?m|0X")


def _abroad(name: str) -> str:
    """A pattern of a function by its name in another language, in a font or not: \\operatorname{sen} x."""
    said = rf"\\(?:operatorname|text|mathrm) ?\{{{name}\}}|\\{name}(?![A-Za-z])|(?<![A-Za-z\\]){name}"
    return rf"(?:{said})(?= ?(?:\^\{{?-?\d+\}}?)? ?(?:[\d(\\]|[a-z](?![a-z])))"


def _degrees(angle: re.Match[str]) -> str:
    """30° 15' as \\frac{121}{4}^\\circ."""
    value = Fraction(angle[1]) + Fraction(angle[2]) / 60 + Fraction(angle[3] or 0) / 3600
    return f"{value}^\\circ" if value.denominator == 1 else rf"\frac{{{value.numerator}}}{{{value.denominator}}}^\circ"


def _matrix(found: re.Match[str]) -> str:
    """\\pmatrix{1 & 2 \\cr 3 & 4} as an environment."""
    rows = found[2].rstrip().removesuffix("\\cr").rstrip()
    return rf"\begin{{{found[1]}}}{rows}\end{{{found[1]}}}"


_SPELLINGS: tuple[tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = tuple(
    (needed, lazy_pattern(pattern, one_of=tuple(one_of)), written)
    for needed, pattern, written, *one_of in (
        ("<su", r"<sup>\s*([^<>]*?)\s*</sup>", r"^{\1}"),
        ("<su", r"<sub>\s*([^<>]*?)\s*</sub>", r"_{\1}"),
        ("\\", r"(?<!\\)\\([-+=<>*])", r"\1", r"\-", r"\+", r"\=", r"\<", r"\>", r"\*"),
        ("\\", r"(?<!\\)\\\s*$", ""),
        ("\\]", r"^([(\[].*,.*)\\\]$", r"\1]"),
        ("matrix{", r"\\([pbvBV]?matrix)\s*\{(.*)\}\s*$", _matrix),
        ("\\cr", r"\\cr(?![A-Za-z])", r"\\\\"),
        ("$", r"^\$([^$]*\d)\$ ?(°|[A-Za-zΩµ%²³/]{1,8})$", r"\1 \2"),
        ("{", r"^(?:R|\u211d|\$?\\mathbb ?\{?R\}?)\$? ?(?:\\+ ?|\u2216 ?|- ?)\$?\\?\{([^{}\\]*)\\?\}\$?$",
         r"\\mathbb{R}\\setminus\\{\1\\}"),
        ("/-", r"\+ ?/ ?- ?", r"\\pm "),
        ("or minus", r"\bplus or minus\b", r"\\pm"),
        ("", rf"^({_NUMBER}) ?(?:°|\^\{{?\\circ\}}?|degrees?),? ?(?:and )?({_NUMBER}) ?(?:'|\u2032|\^\{{?\\prime\}}?"
         rf"|(?:arc)?min(?:utes?)?)(?:,? ?(?:and )?({_NUMBER}) ?(?:''|\"|\u2033|(?:arc)?sec(?:onds?)?))?$", _degrees,
         *("\u00b0", "circ", "degree")),
        ("", r"^(\d+) ?(?:'|\u2032|-?ft\.?|-?feet|-?foot)[ ,-]*(?:and )?(\d+(?:\.\d+)?) ?(?:\"|''|\u2033|in\.?"
         r"|inch(?:es)?)?$", r"\1 ft \2 in", "'", "\u2032", "ft", "feet", "foot"),
        ("|", r"\(([-\d., /]+)\|([-\d., /]+)(?:\|([-\d., /]+))?\)$",
         lambda point: f"({'; '.join(part for part in point.groups() if part)})"),
        ("m", r"(?<=\d)( ?[mckd]?m|ft|in|yd)([23])$", r"\1^\2"),
        ("brt", r"(?<![A-Za-z\\])cbrt\s*\(([^()]*)\)", r"\\sqrt[3]{\1}"),
        ("0X", r"^0X(?=[0-9A-Fa-f]+$)", "0x"),
        ("log", r"(?<![A-Za-z\\])log_?(\d{1,2})\s*\(", r"\\log_{\1}("),
        ("log base", r"(?<![A-Za-z\\])log base (\w+) of (\w+)", r"\\log_{\1} \2"),
        ("abs(", r"(?<![A-Za-z\\])abs\(([^()]*)\)", r"|\1|"),
        ("", rf"(?<![A-Za-z\\])({_FUNCTIONS})(?= ?(?:\^\{{?-?\d+\}}?)? ?(?:[\d(\\]|[a-z](?![a-z])))", r"\\\1 ",
         *("ln", "log", "sin", "cos", "tan", "cot", "sec", "csc", "exp")),
        ("sen", _abroad("sen"), r"\\sin "),
        ("tg", _abroad("tg"), r"\\tan "),
        ("root of", r"(?:the )?(?:positive |principal )?square root of (\w+)", r"\\sqrt{\1}"),
        ("root of", r"(?:the )?cube root of (\w+)", r"\\sqrt[3]{\1}"),
        ("root", r"^(\d+) (?:square )?root (\d+)$", r"\1\\sqrt{\2}"),
        ("log", r"(?:the )?natural log(?:arithm)? of (\w+)", r"\\ln \1"),
        ("factorial", r"^(\d+) factorial$", r"\1!"),
        ("choose", r"^(\d+) choose (\d+)$", r"\\binom{\1}{\2}"),
        (" ", r"^(\d+) (?:in|out of)(?: every)? (\d+)$", r"\1/\2"),
        (" times ", r"(?<=\d) times (?=\\|10\b)", r" \\times "),
        ("power", r" (?:raised )?to the power (?:of )?(-?\d+)", r"^{\1}"),
    )
)  # fmt: skip
"""Substring of every text that the pattern matches (a faster test), the pattern, and its replacement.

Words behind them are those of which every such text holds one.
"""


def in_formulas(text: str) -> str:
    """`text` in the notation of formulas; most answers return as they are."""
    if len(text) > _MAX_CHARS or not _MAY_BE_SPELLED.search(text):
        return text
    for needed, pattern, written in _SPELLINGS:
        if needed in text:
            text = pattern.sub(written, text)
    return text
