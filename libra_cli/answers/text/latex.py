"""Matches braces and brackets in LaTeX, and finds and splits at the words and signs of a formula."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from libra_cli.lazy_pattern import lazy_pattern

MAX_GROUP = 1 << 22

_OPEN, _CLOSE = "([{", ")]}"
_BRACE = lazy_pattern(r"\\.|[{}]", re.DOTALL)
_DEPTH = {"{": 1, "}": -1}
_SIGN = lazy_pattern(r"\\[A-Za-z]+|\\.|[A-Za-z]+|(?:[<>:]|!(?<![\d)}\0]!))?=+|[^\w\s]|\n", re.DOTALL)

_FONT = r"\\(?:text(?:rm|bf|it|normal|sf|tt|up)?|math(?:rm|bf|it|sf|tt|normal)|[mh]box|boldsymbol|operatorname\*?)\s*"
_COMMAND = lazy_pattern(r"\\([A-Za-z]+)")
_LETTER_IN_FONT = lazy_pattern(
    r"\\(?:math(?:rm|bf|it)|boldsymbol)\s+([A-Za-z])(?![A-Za-z])", one_of=("math", "boldsymbol")
)
_IN_FONT = lazy_pattern(
    rf"{_FONT}\{{([^{{}}]*)\}}", one_of=("text", "math", "mbox", "hbox", "boldsymbol", "operatorname")
)
_SETTING = lazy_pattern(
    rf"{_FONT}\{{([^{{}}]*)\}}|\\(?:q?quad|left|right|text|mathrm|boxed)(?![A-Za-z])|\\[ ,;:!()\[\]]|\*\*|\$|~",
    one_of=("\\", "$", "~", "**"),
)
_ENVIRONMENT = lazy_pattern(r"\\begin\{([A-Za-z]+)\*?\}(?:\{[lcr|]*\})?(.*)\\end\{\1\*?\}", re.DOTALL)
_MEMBER = lazy_pattern(
    r"((?:\\(?:lambda|theta|alpha|beta|mu|phi|omega|sigma|rho|tau)|[A-Za-z])"
    r"(?:_\{?\w+\}?)?|\([a-z](?:,[a-z]){1,5}\)(?=\\in ?\\\{))\\in(?![A-Za-z])"
)

COMMAS, AND, OR = frozenset(",;"), frozenset(("and", "\\land", "\\wedge")), frozenset(("or", "\\lor", "\\vee"))
JOINS = frozenset(("and", "or"))
EQUALS, UNION = frozenset("="), frozenset(("\\cup",))
BOUNDS = frozenset(("<", ">", "\\leq", "\\geq", "\\lt", "\\gt"))
RELATIONS = BOUNDS | {"=", "\\neq"}
"""Words and signs that join or relate the parts of a normalized formula."""
_QUOTIENT = lazy_pattern(
    r"(?:\\[dt]?frac\s*\{\s*|(?<![A-Za-z\\]))d ?([A-Za-z])\s*(?:\}\s*\{\s*|/)d ?([a-z])(?:\s*\}|(?![A-Za-z]))"
)


def group_end(text: str, start: int) -> int:
    """Index after the brace that closes the `{` at `start`; -1 if none does within MAX_GROUP characters.

    Escaped braces (`\\{`) do not count.
    """
    depth, limit = 0, start + MAX_GROUP
    while (closing := text.find("}", start, limit)) >= 0:
        if text[closing - 1] == "\\" or text.find("\\{", start, closing) >= 0:
            break  # most groups hold no escaped brace, and finding one character is fastest
        depth += text.count("{", start, closing) - 1
        start = closing + 1
        if depth == 0:
            return start
    for brace in _BRACE.finditer(text, start, limit):
        depth += _DEPTH.get(brace.group(), 0)
        if depth == 0:
            return brace.end()
    return -1


def depth_of(text: str) -> int:
    """Maximum nesting depth of brackets of any kind."""
    depth = deepest = 0
    for char in text:
        if char in _OPEN:
            depth += 1
            deepest = max(deepest, depth)
        elif char in _CLOSE:
            depth -= 1
    return deepest


def top_level(text: str) -> str:
    """Blank out brackets and their content, and keep the length of `text` so that indices still apply.

    Round and square brackets close each other, as in the half-open interval (3,4].
    """
    depth, kept = 0, []
    for char in text:
        if char in _CLOSE:
            depth -= 1
        kept.append(char if depth == 0 and char not in _OPEN and char not in _CLOSE else "\0")
        if char in _OPEN:
            depth += 1
    return "".join(kept)


def _places(text: str, wanted: Set[str]) -> list[re.Match[str]]:
    if not any(map(text.__contains__, wanted)):
        return []
    return [sign for sign in _SIGN.finditer(top_level(text)) if sign[0] in wanted]


def signs(text: str, wanted: Set[str]) -> list[str]:
    """The words, commands and signs among `wanted` that stand in `text` outside of all brackets."""
    return [sign[0] for sign in _places(text, wanted)]


def has(text: str, wanted: Set[str]) -> bool:
    """Whether a word, command or sign among `wanted` stands anywhere in `text`."""
    return any(map(text.__contains__, wanted)) and not wanted.isdisjoint(_SIGN.findall(text))


def split(text: str, separators: Set[str]) -> list[str]:
    """Split `text` at words, commands and signs outside of all brackets, into stripped parts without empty ones."""
    parts, start = [], 0
    for sign in _places(text, separators):
        parts.append(text[start : sign.start()])
        start = sign.end()
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]


def commands(text: str) -> list[str]:
    """The names of the commands in `text`."""
    return _COMMAND.findall(text)


def without_commands(text: str) -> str:
    """`text` without its commands."""
    return _COMMAND.sub("", text)


def without_fonts(text: str) -> str:
    """`text` with a space on both sides instead of \\text{}, \\mathrm{} and the like."""
    if "\\" not in text:
        return text
    text = _LETTER_IN_FONT.sub(r" \1 ", text) if "\\math" in text or "\\bold" in text else text
    return _IN_FONT.sub(r" \1 ", text)


def without_setting(text: str) -> str:
    """`text` in words: without fonts, spacing commands, dollar signs and bold, and with single spaces."""
    return " ".join(_SETTING.sub(r" \1 ", text).split())


def with_marks(text: str, other: str) -> str:
    """`text` with its quotients dy/dt as \\dot y, or any dy/dx as y' or y'(x), if `other` marks derivatives so."""
    if "\\dot" in other:
        return _QUOTIENT.sub(lambda found: rf"\dot{{{found[1]}}}" if found[2] == "t" else found[0], text)
    return _QUOTIENT.sub(r"\1'(\2)" if "'(" in other else r"\1'", text) if "'" in other else text


def rows_of(text: str, names: Set[str]) -> list[str] | None:
    """The rows, stripped and without empty ones, of the environment with one of `names` that is all of `text`."""
    found = _ENVIRONMENT.fullmatch(text) if text.startswith("\\begin") else None
    if found is None or found[1] not in names:
        return None
    return [row.strip() for row in found[2].split("\\\\") if row.strip()]


def members_of(text: str) -> tuple[str, str] | None:
    """The name and the set of `x \\in A`; None for anything else."""
    member = _MEMBER.match(text) if "\\in" in text else None
    return (member[1], text[member.end() :].strip()) if member else None


def enclosed(text: str, openings: Sequence[str], closings: Sequence[str]) -> tuple[str, str, str] | None:
    """(opening, inside, closing) if one pair of brackets encloses all of `text`; else None."""
    opening = next((mark for mark in openings if text.startswith(mark)), None)
    closing = next((mark for mark in closings if text.endswith(mark)), None)
    if opening is None or closing is None or len(text) < len(opening) + len(closing):
        return None
    inside = text[len(opening) : len(text) - len(closing)]
    depth = 0
    for char in inside:
        depth += (char in _OPEN) - (char in _CLOSE)
        if depth < 0:  # as in (1)(2)
            return None
    return (opening, inside, closing) if depth == 0 else None
