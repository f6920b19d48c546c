"""Finds the boxes of a text, `\\boxed{...}` or `\\fbox{...}`, from its end.

Boxes separated only by "and", "or", "alternatively", commas, a condition, the number of a part, or a name and "="
answer together (`\\boxed{1} and \\boxed{2}` is the list 1, 2), so two different boxes for a question with one answer
are a hedge, which is wrong. Other words between two boxes mean that the later box corrects the earlier one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from libra_cli.answers.text import latex
from libra_cli.lazy_pattern import lazy_pattern

MAX_BOXES = 64
MAX_UNCLOSED = 8
"""Maximum number of unclosed boxes to skip, which bounds the time of a search."""
MAX_GAP = 80
MAX_NEAR = MAX_GAP + 512
"""How far before a box another one that answers together with it may begin."""

PLACEHOLDERS = frozenset(
    f"{opening}{text}"
    for opening in ("", "\\text{", "\\textbf{", "\\mathrm{")
    for text in ("answer", "your answer", "your answer here", "final answer", "the answer", "answer here")
)
"""What stands in a box for the answer that is not filled in."""
_HALF_OPEN = lazy_pattern(
    r"\\left[(\[](?P<inside>[^()\[\]]+)\\right\s?\.?|\\left\s?\.(?P<behind>[^()\[\]]+)\\right[)\]]"
)
"""A formula in brackets of which one is missing: \\left( x \\right."""
_GAP_PIECE = lazy_pattern(
    r"(?:[\s$,;/?&*.:-]+|\\[()\[\]]|\\quad|\\qquad|\\text\{\s*(?:and|or)\s*\}|\\\\"
    r"|\b(?i:and|or|alternatively|maybe|perhaps|possibly|otherwise|else)\b"
    r"|\b(?i:vs|versus|(?:it|this|the answer) (?:might|may|could) (?:also )?be)\b"
    r"|\b(?i:if|when)\b[^.\n\\]{1,40}(?=[,:.;\n\\$])"
    r"|(?<!\w)\(?(?:[a-h]|[ivx]{1,3}|\d)[).](?=\s)|\b(?i:part|case|question|problem)\s*\(?[a-h\d]\)?"
    r"|[A-Za-z](?:_\{?\w\}?)?\s*=)"
)
"""One word or sign that may separate boxes that answer together."""
_GROUP = re.compile(r"([^{}\\]*(?:(?:\\[^{}]|\{[^{}\\]*(?:(?:\\[^{}]|\{[^{}\\]*\})[^{}\\]*)*\})[^{}\\]*)*)\}")
"""The rest of a group of at most three levels, without escaped braces."""
_BRACE = lazy_pattern(r"\\(?:boxed|fbox)\s*\{")
_BARE = lazy_pattern(
    r"\\boxed\s*(?![A-Za-z]{2})((?:[^\s${}\\,;]|\\%|,\d{3}){1,40}"
    r"|\\[dt]?frac\s*\{[^{}]{1,40}\}\s*\{[^{}]{1,40}\}|\\[A-Za-z]+)"
)
"""A box without braces: \\boxed 56."""
_OPEN_ENDS = ("{", "\\f", "\\s", "\\t", "\\c", "\\p")
"""What goes on with a formula of which only the beginning would be in the box."""
_EMPTY = lazy_pattern(r"\\boxed\s*\{\s*\}")
_POINTS_TO_EMPTY = lazy_pattern(
    r"(?<=[.!?\n])\s*[A-Z][^.!?\n\d\\]{0,60}\b(?:in|into|inside)(?: the| a)? \$?\\boxed\s*\{\s*\}[$.!\s]*\Z"
)
"""The answer goes in \\boxed{}."""
_INNER = lazy_pattern(r"\\boxed\s*\{([^{}]*)\}")


_LAYOUT = (
    r"(?:\s|~|\\[,;:!> ]|\\q?quad(?![A-Za-z])|\\(?:displaystyle|textstyle|[lL]arge|LARGE|[hH]uge|bf|rm|it)(?![A-Za-z]))"
)
_BEFORE = lazy_pattern(rf"{_LAYOUT}+")
_LAST = lazy_pattern(rf"(?:{_LAYOUT}|(?<!\.)\.)\Z")
"""What stands around the answer in a box: spaces, sizes, a full stop."""
_MOST, _LONGEST = 12, 16
"""Spaces and sizes at the end of a box, and characters of one."""


class Box(NamedTuple):
    """A complete box, or all the boxes that answer together."""

    start: int
    content: str
    end: int


_box: Callable[[tuple[int, str, int]], Box] = partial(tuple.__new__, Box)
"""Makes a Box in half the time that Box(...) takes."""


def with_backslashes(text: str) -> str:
    """`text` with the backslash that `boxed{42}` lacks, if it has no box with one."""
    is_whole = text.rfind("\\boxed") >= 0 or "boxed{" not in text
    return text if is_whole else text.replace("boxed{", "\\boxed{")


def without_empty(text: str) -> str:
    """`text` without empty boxes, the dollar signs around them, and a last sentence that only points to one."""
    text = _POINTS_TO_EMPTY.sub("", text)
    first, *others = _EMPTY.split(text)
    kept = [first]
    for part in others:
        kept[-1] = kept[-1].rstrip("$")
        kept.append(part.lstrip("$"))
    return "".join(kept)


def left_open(text: str) -> str | None:
    """What follows a box that begins on the last line and is not closed; None if there is none."""
    start = text.rfind("\\boxed{")
    if start < 0 or text.find("\n", start, len(text.rstrip())) >= 0:
        return None
    inside = start + len("\\boxed{")
    return text[inside:].strip() if latex.group_end(text, inside - 1) < 0 else None


def last(text: str) -> Box | None:
    """The last complete box with the boxes that answer together with it; None if no box is complete.

    Searches backwards from the end, so that the cost does not depend on the length of the text.
    """
    start = text.rfind("\\boxed{")
    group = _GROUP.match(text, start + len("\\boxed{")) if start >= 0 else None
    if group is not None and text.find("box", group.end()) < 0:
        content = group[1]
        is_alone = text.find("box", start - MAX_NEAR if start > MAX_NEAR else 0, start) < 0
        if is_alone and "box" not in content:
            return _box((start, content.strip(), group.end()))  # most texts end in one box, with no other nearby
    box = _box_before(text, len(text))
    if box is None:
        return None
    first, content, last_end = box
    around = _box_around(text, first)
    if around is not None:
        first, content, last_end = around
    contents = [content]
    while len(contents) < MAX_BOXES and _may_be_joined(text, first):
        box = _box_before(text, first)
        if box is None or not (box.end <= first <= box.end + MAX_GAP and _is_gap(text, box.end, first)):
            break
        first = box.start
        contents.insert(0, box.content)
    return Box(first, ", ".join(dict.fromkeys(content for content in contents if content.strip(". \u2026"))), last_end)


def _box_around(text: str, inner: int) -> Box | None:
    """The box that the one at `inner` is inside of, without the boxes in it; None if it is in none."""
    start = inner
    for _ in range(MAX_UNCLOSED):
        start = text.rfind("\\boxed{", max(0, inner - MAX_GAP), start)
        if start < 0:
            return None
        end = latex.group_end(text, start + len("\\boxed"))
        if end > inner:
            return Box(start, _INNER.sub(r"\1", text[start + len("\\boxed{") : end - 1]).strip(), end)
    return None


def _is_gap(text: str, start: int, end: int) -> bool:
    """Whether only joining words and signs separate `start` from `end`; linear, because no piece is matched twice."""
    while start < end:
        piece = _GAP_PIECE.match(text, start, end)
        if piece is None:
            return False
        start = piece.end()
    return True


def _may_be_joined(text: str, first: int) -> bool:
    """Check quickly whether another box may end right before the one at `first`."""
    start = max(0, first - MAX_GAP)
    closed = text.rfind("}", start, first)
    if closed >= 0 and _is_gap(text, closed + 1, first):
        return True
    return text.find("\\boxed", start, first) >= 0  # a box without braces


def _box_before(text: str, end: int) -> Box | None:
    """Find the last complete box that begins before `end`."""
    for _ in range(MAX_UNCLOSED):
        start = text.rfind("\\boxed", 0, end)
        start = max(start, text.rfind("\\fbox", start + 1, end))
        if start < 0:
            return None
        brace = _BRACE.match(text, start)
        closed = latex.group_end(text, brace.end() - 1) if brace else -1
        if brace and closed > 0:
            return Box(start, text[brace.end() : closed - 1].strip(), closed)
        bare = _BARE.match(text, start)
        if bare and not text.startswith(_OPEN_ENDS, bare.end()):
            return Box(start, bare[1].rstrip(".:!?"), bare.end())
        end = start
    return None


def bare(content: str) -> str:
    """The content of a box without the spaces, sizes, dollar signs and the full stop around it."""
    if content.isalnum():
        return content
    inside = content
    if (start := _BEFORE.match(inside)) is not None and start.end() < len(inside):
        inside = inside[start.end() :]
    for _ in range(_MOST):
        last = _LAST.search(inside, max(len(inside) - _LONGEST, 0))
        if last is None:
            break
        inside = inside[: last.start()]
    for opening, closing in (("$", "$"), ("\\(", "\\)")):
        if inside.startswith(opening) and inside.endswith(closing) and len(inside) > len(opening + closing):
            within = inside[len(opening) : -len(closing)]
            inside = within.strip() if opening not in within else inside
    half = _HALF_OPEN.fullmatch(inside) if "\\right" in inside else None
    return (half["inside"] or half["behind"]).strip() if half else inside or content
