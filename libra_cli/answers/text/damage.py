"""Repairs texts that a program has misread: LaTeX whose backslashes are escapes, doubled or lost; a lost line break.

Pictures at the end of a line (11 \U0001f389) go as well: they say nothing.
"""

from __future__ import annotations

import html
import re

from libra_cli.lazy_pattern import lazy_pattern

_ESCAPES = {"\x07": "a", "\x08": "b", "\x09": "t", "\x0b": "v", "\x0c": "f", "\x0d": "r", "\x0a": "n"}
"""Characters that `\\a`, `\\b` and so on stand for in the strings of programs."""
_LOST = (
    "oxed bar begin beta big bigl bigr binom bmod boldsymbol bot alpha angle approx arccos arcsin arctan ast "
    "tan tanh tau text textbf textit textrm tfrac theta tilde times to top triangle varepsilon varphi vec vee vert "
    "fbox flat floor forall frac rangle rceil rfloor rho right rightarrow rm rvert nabla ne neg neq notin"
)
_COMMANDS = frozenset(_LOST.replace("oxed", "boxed").split())
_ESCAPED = lazy_pattern(r"([\x07\x08\x09\x0b\x0c\x0d])([a-z]{1,12})(?![a-z])|(\n)(abla|eg|eq|otin)(?![a-z])")
_BACKSLASHES = lazy_pattern(r"\\+")
_KNOWN = lazy_pattern(
    r"\\(?:[dtc]?frac|sqrt|boxed|text\w*|math\w+|times|cdot|pi|theta|alpha|beta|lambda|mu|sigma|omega|rho|phi|left|right"
    r"|begin|end|infty|cup|cap|in|pm|leq?|geq?|neq|circ|binom|log|ln|sin|cos|tan|sum|int|vec|overline|angle|triangle|quad)"
    r"(?![A-Za-z])|\\\$(?=\d)"
)
_ENTITY = lazy_pattern(r"&(?:[A-Za-z]{2,8}\d{0,2}|#\d{2,5}|#x[0-9A-Fa-f]{2,5});")
"""Characters that a page has escaped."""
_WIDE = lazy_pattern("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff1d\uff0b\uff0d\uff0e\uff1c\uff1e\uff5b\uff5d]")
_NARROW = {0xFEE0 + code: chr(code) for code in map(ord, "0123456789=+-.<>{}")} | {
    0xFEE0 + code: chr(code) for code in (*range(0x41, 0x5B), *range(0x61, 0x7B))
}
"""Full-width digits, letters and signs as those of ASCII; punctuation stays, which ends sentences."""
_DASH = lazy_pattern(
    r"(?:^|(?<=[=<>\u2264\u2265\u2248(\[{\u2192*])|(?<=[=<>\u2264\u2265\u2248\u2192,;:] )|(?<=\b(?:is|be|to|or) )"
    r"|(?<=\b(?:of|at|by) )|(?<=\b(?:and|get|are|was) )|(?<=\b(?:gives|equal) )|(?<=\b(?:equals|obtain|yields) ))"
    r"\u2013(?=\.?\d|[\u221a\u03c0(\\])",
    re.MULTILINE,
)
"""A dash in the place of a minus sign: \u0394H = \u2013286 kJ."""
_PICTURES = lazy_pattern(
    r"(?<=\S)[ \t]*(?:[\U0001f300-\U0001faff\u2728\u2b50\u263a\u2764\u270c\u261d][ \t]?){1,6}(?=(?:\*\*|[.!])?[ \t]*$)",
    re.MULTILINE,
)
_TICKS = lazy_pattern(r"(?<=[\w)}\]$%*.])[ \t]*[\u2713\u2714\u2705\u2611]{1,3}(?=(?:\*\*|[.!])?\s*$)")
"""What marks the last line as right; a text with crosses, or with options in lines, judges with its marks."""
_TICK = lazy_pattern("[\u2713\u2714\u2705\u2611]+")
_OPTION_LAST = lazy_pattern(r"\n[ \t*_(-]*[B-J][.):][^\n]*$")
_CROSSES = lazy_pattern("[\u2717\u2718\u274c\u2716]")
_OXED = lazy_pattern(r"(?<![A-Za-z])oxed\{")
_RAC = lazy_pattern(r"(?<![A-Za-z\\])rac\{")
_MARK = lazy_pattern(r"####(?:(?<=[^\s#]####)|(?<=[^\s#] ####)|(?<=[^\s#]  ####))(?=[ \t]*[^\s#])")
"""The mark of a final answer that has lost the line break before it: It is 4. #### 4."""
_EXPONENT_E = lazy_pattern(r"(?<=\d)\s?\\mathrm\{E\}(?=[-+]?\d)")
_TIME = lazy_pattern(r"\\time(?![A-Za-z])")
_BARE = lazy_pattern(r"(?<![A-Za-z\\])([dtc]?frac|sqrt|binom|boxed)(?=\s?\{)")


def repaired(text: str) -> str:
    """Give `text` its backslashes back; most texts return unchanged after a few searches for one character."""
    if "####" in text:
        text = _MARK.sub("\n####", text)
    if not text.isascii():
        text = _PICTURES.sub("", text.translate(_NARROW) if _WIDE.search(text) else text)
        is_judging = _CROSSES.search(text) or len(_TICK.findall(text)) > 1 or _OPTION_LAST.search(text)
        text = text if is_judging else _TICKS.sub("", text)
    if text[-1:] == "\\" or text[-2:] == "\\ ":
        text = _with_end(text)
    if "\u2013" in text:
        text = _DASH.sub("-", text)
    if "\x0c" in text or "\x08" in text or "\t" in text or "\r" in text or "\x07" in text or "\x0b" in text:
        text = _ESCAPED.sub(_restored, text)
    if "oxed{" in text and "boxed" not in text:
        text = _OXED.sub(r"\\boxed{", text)
    if "rac{" in text:
        text = _RAC.sub(r"\\frac{", text)
    if "&" in text and ";" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    return _with_single_backslashes(text) if "\\\\(" in text or "\\\\[" in text else text


def _with_end(text: str) -> str:
    """`text` whose last display has lost the bracket behind its backslash."""
    bare = text.rstrip(" \\")
    is_open = bare.count("\\[") > bare.count("\\]")
    return f"{bare} \\]" if is_open else f"{bare} \\)" if bare.count("\\(") > bare.count("\\)") else bare


def _with_single_backslashes(text: str) -> str:
    """`text` with half of its backslashes, if all of them are doubled and a known command is among them."""
    # A line break is followed by a command with a backslash of its own: \\\sqrt, but not \\sqrt.
    if all(len(run) % 2 == 0 for run in _BACKSLASHES.findall(text)) and _KNOWN.search(text):
        return _BACKSLASHES.sub(lambda run: run[0][: len(run[0]) // 2], text)
    return text


def repaired_answer(text: str) -> str:
    """Give a single answer its backslashes back, doubled ones and forgotten ones as well."""
    text = repaired(text)
    if "\n" in text:
        text = _ESCAPED.sub(_restored, text)
    if "\\\\" in text:
        text = _with_single_backslashes(text)
    if "\\AA" in text or "\\mathrm{E}" in text:
        text = _EXPONENT_E.sub("E", text.replace("\\AA", "Å"))
    if "\\time" in text:
        text = _TIME.sub(r"\\times", text)
    if " ext{" in text:  # \\text, whose \\t became a tab and then a space
        text = text.replace(" ext{", "\\text{ ")
    if "frac" in text or "sqrt" in text or "bin" in text or "box" in text:
        text = _BARE.sub(r"\\\1", text)
    return text


def _restored(escaped: re.Match[str]) -> str:
    letter, rest = _ESCAPES[escaped[1] or escaped[3]], escaped[2] or escaped[4]
    return f"\\{letter}{rest}" if letter + rest in _COMMANDS else escaped[0]
