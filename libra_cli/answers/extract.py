"""From the text after the thinking to the final answer that it gives.

The last complete `\\boxed{...}` or `\\fbox{...}` is the answer. Boxes with nothing between them but "and", "or",
"alternatively", commas, a condition, the number of a part, or a name and "=" answer together (`\\boxed{1} and
\\boxed{2}` is the list 1, 2), so that two different boxes for a question with one answer are a hedge, which is wrong. A
box with other words before the next one was corrected by it, and one that the words right behind it call wrong is none.
A text without a box is read as `prose` says.
"""

from __future__ import annotations

import re

from libra_cli.answers import latex, prose

MAX_BOXES = 64
MAX_UNCLOSED = 8
"""Boxes without an end that are passed over; a text with more of them costs no more time."""
MAX_GAP = 80
MAX_NEAR = MAX_GAP + 512
"""How far before a box one may begin that belongs to it."""

_GAP_PIECE = re.compile(
    r"(?:[\s$,;/?&*.:-]+|\\[()\[\]]|\\quad|\\qquad|\\text\{\s*(?:and|or)\s*\}|\\\\"
    r"|\b(?i:and|or|alternatively|maybe|perhaps|possibly|otherwise|else)\b"
    r"|\b(?i:vs|versus|(?:it|this|the answer) (?:might|may|could) (?:also )?be)\b"
    r"|\b(?i:if|when)\b[^.\n\\]{1,40}(?=[,:.;\n\\$])"
    r"|(?<!\w)\(?(?:[a-h]|[ivx]{1,3}|\d)[).](?=\s)|\b(?i:part|case|question|problem)\s*\(?[a-h\d]\)?"
    r"|[A-Za-z](?:_\{?\w\}?)?\s*=)"
)
"""One word or sign that may stand between boxes that answer together."""
_DOUBTS = ("wrong", "incorrect", "not", "mistake")
_RETRACTED = re.compile(
    r"[\s$.*\\)\]]*(?:(?:is|was|would be)|(?:but|no|wait),?\s+(?:that|this|it)(?:'s| is| was))"
    r"\s+(?:actually\s+)?(?:wrong|incorrect|not|a mistake)\b",
    re.IGNORECASE,
)
_BRACE = re.compile(r"\\(?:boxed|fbox)\s*\{")
_BARE = re.compile(r"\\boxed\s*([A-Za-z0-9]|\\[A-Za-z]+)")
_EMPTY_BOX = re.compile(r"\\boxed\s*\{\s*\}")
_INNER = re.compile(r"\\boxed\s*\{([^{}]*)\}")

Box = tuple[int, str, int]
"""Where a box begins, what it holds, and where it ends."""


def final_answer(text: str) -> str | None:
    """The final answer that `text` (what follows the thinking) gives; None where it gives none."""
    if "box" not in text:
        return prose.said_answer(text)
    boxed = boxed_answer(text)
    if boxed is not None and not _is_retracted(text):
        return boxed
    if boxed is not None or "\\boxed" in text:
        text = text[text.rfind("\\boxed") :] if boxed is not None else _without_empty_boxes(text)
    return prose.said_answer(text)


def boxed_answer(text: str) -> str | None:
    """What the last complete box holds, or the boxes that answer together; None where no box is complete.

    Searches backwards from the end, so that its cost does not depend on the length of the text.
    """
    start = text.rfind("\\boxed{")
    end = text.find("}", start)
    content = text[start + len("\\boxed{") : end]
    if start >= 0 and _is_plain(content) and _stands_alone(text, start, end):
        return content.strip() or None
    box = _box_before(text, len(text))
    if box is None:
        return None
    first, content = _outermost(text, box)
    contents = [content]
    while len(contents) < MAX_BOXES and _may_be_joined(text, first):
        box = _box_before(text, first)
        if box is None or not (box[2] <= first <= box[2] + MAX_GAP and _is_gap(text, box[2], first)):
            break
        first = box[0]
        contents.insert(0, box[1])
    return ", ".join(dict.fromkeys(content for content in contents if content)) or None


def _is_gap(text: str, start: int, end: int) -> bool:
    """Whether only joining words and signs stand between `start` and `end`: linear, since no piece is reconsidered."""
    while start < end:
        piece = _GAP_PIECE.match(text, start, end)
        if piece is None:
            return False
        start = piece.end()
    return True


def _without_empty_boxes(text: str) -> str:
    """`text` without `\\boxed{}` and the dollar signs around it."""
    first, *others = _EMPTY_BOX.split(text)
    kept = [first]
    for part in others:
        kept[-1] = kept[-1].rstrip("$")
        kept.append(part.lstrip("$"))
    return "".join(kept)


def _is_retracted(text: str) -> bool:
    """Whether the words right behind the last box say that it is wrong."""
    tail = text[text.rfind("\\boxed") :]
    if not any(map(tail.__contains__, _DOUBTS)):
        return False
    box = _box_before(text, len(text))
    return box is not None and _RETRACTED.match(text, box[2]) is not None


def _is_plain(content: str) -> bool:
    """Whether what stands before the first `}` is all that its box holds, as it is in most."""
    return "{" not in content and not content.endswith("\\")


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no other box begins where it could belong to the one from `start` to `end`, nor anywhere behind."""
    return text.find("box", max(0, start - MAX_NEAR), start) < 0 and end > 0 and text.find("box", end) < 0


def _outermost(text: str, box: Box) -> tuple[int, str]:
    """Start and content of the box around `box`, if there is one; boxes inside it are opened."""
    first, content, _ = box
    around = text.rfind("\\boxed{", max(0, first - MAX_GAP), first)
    end = latex.group_end(text, around + len("\\boxed")) if around >= 0 else -1
    if end <= first:
        return first, content
    return around, _INNER.sub(r"\1", text[around + len("\\boxed{") : end - 1]).strip()


def _may_be_joined(text: str, first: int) -> bool:
    """A quick look whether another box may end right before the one at `first`."""
    start = max(0, first - MAX_GAP)
    closed = text.rfind("}", start, first)
    if closed >= 0 and _is_gap(text, closed + 1, first):
        return True
    return text.find("\\boxed", start, first) >= 0  # one without braces


def _box_before(text: str, end: int) -> Box | None:
    """The last complete box that begins before `end`."""
    for _ in range(MAX_UNCLOSED):
        start = text.rfind("\\boxed", 0, end)
        start = max(start, text.rfind("\\fbox", start + 1, end))
        if start < 0:
            return None
        brace = _BRACE.match(text, start)
        closed = latex.group_end(text, brace.end() - 1) if brace else -1
        if brace and closed > 0:
            return start, text[brace.end() : closed - 1].strip(), closed
        bare = _BARE.match(text, start)
        if bare:
            return start, bare.group(1), bare.end()
        end = start
    return None
