"""Writes the formulas of a text in one form: `\\(x\\)`, `$ x $` and a display within a sentence as `$x$`."""

from __future__ import annotations

import re

from libra_cli.lazy_pattern import lazy_pattern

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
    r"[ \t]*(?:\n[ \t]*)?"
    r"(?:[a-z,;:%\u00b0\u2013\u2014\u3001-\u3003\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff0c]|\.(?!\d)"
    r"|[A-Za-z]{1,3}(?:/[a-z]+)?[.,;]?(?:\s|$))"
)
"""What stands behind a display whose sentence goes on."""
_NEAR, _END = 80, 160
"""Characters behind a display that tell whether its sentence goes on, and of the end of a text with its box."""
_DOLLAR = lazy_pattern(r"(?<![\\$])\$(?!\$)")
_LETTERS = lazy_pattern(r"[^\W\d_]{2}")


def in_one_form(text: str) -> str:
    """`text` with single spaces, and with its formulas between single dollar signs, where they stand in a sentence.

    A text whose only box ends it, as most do, stays as it is: its answer is read from the box.
    """
    if _ends_in_its_box(text):
        return text
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


def _ends_in_its_box(text: str) -> bool:
    """Whether the only box of a text ends it, so that the answer is read from it alone."""
    start = text.rfind("\\boxed{", -_END)
    if start < 0 or "\\boxed{" in text[:start]:
        return False
    box = text[start:].rstrip(" .$\\)]*\n")
    return box[-1:] == "}" and box.count("{") == box.count("}") and not box.endswith("\\boxed{}")


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
