"""Repairs texts that a program has misread: LaTeX whose backslashes are escapes, doubled or lost; a lost line break."""

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
_OXED = lazy_pattern(r"(?<![A-Za-z])oxed\{")
_RAC = lazy_pattern(r"(?<![A-Za-z\\])rac\{")
_MARK = lazy_pattern(r"####(?:(?<=[^\s#]####)|(?<=[^\s#] ####)|(?<=[^\s#]  ####))(?=[ \t]*[^\s#])")
"""The mark of a final answer that has lost the line break before it: It is 4. #### 4."""
_SPACES = lazy_pattern(r" (?<=\S ) +(?=\S)|\u00a0(?:(?<=[^\W\d]\u00a0)|(?=[^\W\d=]))")
_WHERE = lazy_pattern(
    r"\\text ?\{,? ?(?:with|where|for|mit|wobei|avec|o\u00f9|con|com) ?\}\s*(?=[A-Za-z]\s*\\in(?![A-Za-z]))"
)
"""Before the letters of a formula that may be any number: kx, k \\in R."""
_PARENTHESES = lazy_pattern(r"(?<!\\)\\\(((?:[^$\n\\]|\\(?![()]))*)\\\)")
"""A formula between backslashes with parentheses, which is read as one between dollar signs."""
_DISPLAY = lazy_pattern(
    r"\$\$\s{0,20}(?P<dollars>[^$\n]*[^$\n\s\\])\s{0,20}\$\$(?!\$)"
    r"|\\\[\s{0,20}(?P<brackets>(?:[^$\n\\]|\\(?![\[\]\\]))*[^$\n\s\\])\s{0,20}\\\]"
)
"""A display of one row."""
_GOES_ON = lazy_pattern(
    r"[ \t]*\n?[ \t]*(?:[a-z,;:%\u00b0\u2013\u2014\u3001-\u3003\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff0c]|\.(?!\d)"
    r"|[A-Za-z]{1,3}(?:/[a-z]+)?[.,;]?(?:\s|$))"
)
"""What stands behind a display whose sentence goes on."""
_NEAR, _END = 80, 160
"""Characters behind a display that tell whether its sentence goes on, and of the end of a text with its box."""
_DOLLAR = lazy_pattern(r"(?<![\\$])\$(?!\$)")
_LETTERS = lazy_pattern(r"[^\W\d_]{2}")
_BARE = lazy_pattern(r"(?<![A-Za-z\\])([dtc]?frac|sqrt|binom|boxed)(?=\s?\{)")


def repaired(text: str) -> str:
    """Give `text` its backslashes back; most texts return unchanged after a few searches for one character."""
    if "####" in text:
        text = _MARK.sub("\n####", text)
    if not text.isascii() and _WIDE.search(text):
        text = text.translate(_NARROW)
    if not _ends_in_its_box(text):  # which most texts do
        text = _in_one_form(text)
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


def _ends_in_its_box(text: str) -> bool:
    """Whether the only box of a text ends it, so that the answer is read from it alone."""
    start = text.rfind("\\boxed{", -_END)
    if start < 0 or "\\boxed{" in text[:start]:
        return False
    box = text[start:].rstrip(" .$\\)]*\n")
    return box[-1:] == "}" and box.count("{") == box.count("}") and not box.endswith("\\boxed{}")


def _in_one_form(text: str) -> str:
    """`text` with single spaces, and with its formulas between single dollar signs, where they stand in a sentence."""
    if "  " in text or "\u00a0" in text:
        text = _SPACES.sub(" ", text)
    if "\\text" in text and ("\\in " in text or "\\in\\" in text):
        text = _WHERE.sub(", ", text)
    if "\\(" in text:
        text = _PARENTHESES.sub(lambda formula: f"${formula[1].strip()}$" if formula[1].strip() else formula[0], text)
    if "$$" in text or "\\[" in text:
        text = _with_formulas_in_line(text)
    if "$ " in text:
        text = _without_padding(text)
    return text


def _with_formulas_in_line(text: str) -> str:
    """`text` with each display of one row in its line, if it is all of the text, or its sentence begins or goes on."""
    pieces, end = list[str](), 0
    for display in _DISPLAY.finditer(text):
        formula = (display["dollars"] or display["brackets"]).strip()
        before, behind = text[end : display.start()], text[display.end() : display.end() + _NEAR]
        goes_on = _GOES_ON.match(behind) is not None
        if "\\begin" in formula or not (goes_on or _is_in_sentence(display, before, behind)):
            pieces.append(text[end : display.end()])
            end = display.end()
            continue
        is_joined = "\n" in display[0] and before.strip() and not before.endswith("\n\n")
        pieces += [f"{before.rstrip()} " if is_joined else before, f"${formula}$"]
        end = display.end()
        if goes_on and behind[:1] == "\n":
            rest = behind.lstrip()
            pieces.append("" if rest[:1] in ".,;:" else " ")
            end += len(behind) - len(rest)
    return "".join([*pieces, text[end:]])


def _is_in_sentence(display: re.Match[str], before: str, behind: str) -> bool:
    """Whether a display is all of its text, has words beside it, or stands below a line that ends no sentence."""
    line = before.rpartition("\n")[2].strip()
    if "\n" not in display[0] and (line or behind.partition("\n")[0].strip()):
        return True
    if not before.strip() and display.start() == len(before) and not behind.strip():
        return True
    above = before.rstrip(" \t").removesuffix("\n").rpartition("\n")[2].rstrip()
    return "\n" in display[0] and not line and above[-1:] not in ("", ".", "!", "?")


def _without_padding(text: str) -> str:
    """`text` without the spaces inside the dollar signs of its formulas: $ x = 5 $."""
    parts = _DOLLAR.split(text)
    if len(parts) % 2 == 0:  # one of them is money
        return text
    for at in range(1, len(parts), 2):
        if "\n\n" not in parts[at] and ("\\" in parts[at] or not _LETTERS.search(parts[at])):
            parts[at] = parts[at].strip() or parts[at]
    return "$".join(parts)


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
    if " ext{" in text:  # \\text, whose \\t became a tab and then a space
        text = text.replace(" ext{", "\\text{ ")
    if "frac" in text or "sqrt" in text or "bin" in text or "box" in text:
        text = _BARE.sub(r"\\\1", text)
    return text


def _restored(escaped: re.Match[str]) -> str:
    letter, rest = _ESCAPES[escaped[1] or escaped[3]], escaped[2] or escaped[4]
    return f"\\{letter}{rest}" if letter + rest in _COMMANDS else escaped[0]
