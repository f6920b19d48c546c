"""Extracts the final answer from the text after the thinking.

The last complete `\\boxed{...}` or `\\fbox{...}` holds the answer. Boxes separated only by "and", "or",
"alternatively", commas, a condition, the number of a part, or a name and "=" answer together (`\\boxed{1} and
\\boxed{2}` is the list 1, 2), so two different boxes for a question with one answer are a hedge, which is wrong. Other
words between two boxes mean that the later box corrects the earlier one. A box that the words right after it call
wrong does not count. `prose` extracts the answer of a text without a box.
"""

from __future__ import annotations

import re

from libra_cli.answers import damage, languages, latex, prose

MAX_BOXES = 64
MAX_UNCLOSED = 8
"""Maximum number of unclosed boxes to skip, which bounds the time of a search."""
MAX_GAP = 80
MAX_NEAR = MAX_GAP + 512
"""How far before a box another one that answers together with it may begin."""

_GAP_PIECE = re.compile(
    r"(?:[\s$,;/?&*.:-]+|\\[()\[\]]|\\quad|\\qquad|\\text\{\s*(?:and|or)\s*\}|\\\\"
    r"|\b(?i:and|or|alternatively|maybe|perhaps|possibly|otherwise|else)\b"
    r"|\b(?i:vs|versus|(?:it|this|the answer) (?:might|may|could) (?:also )?be)\b"
    r"|\b(?i:if|when)\b[^.\n\\]{1,40}(?=[,:.;\n\\$])"
    r"|(?<!\w)\(?(?:[a-h]|[ivx]{1,3}|\d)[).](?=\s)|\b(?i:part|case|question|problem)\s*\(?[a-h\d]\)?"
    r"|[A-Za-z](?:_\{?\w\}?)?\s*=)"
)
"""One word or sign that may separate boxes that answer together."""
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
"""Start, content and end of a box."""


def final_answer(text: str) -> str | None:
    """Extract the final answer from `text`, which follows the thinking; None if it has none."""
    text = damage.repaired(text)
    answer = _final_answer(text)
    return languages.with_decimal_point(answer, text) if answer and "," in answer else answer


def _final_answer(text: str) -> str | None:
    if "box" not in text:
        return prose.prose_answer(text)
    boxed = boxed_answer(text)
    if boxed is None:
        first, *others = _EMPTY_BOX.split(text)
        kept = [first]
        for part in others:  # \boxed{} goes together with the dollar signs around it
            kept[-1] = kept[-1].rstrip("$")
            kept.append(part.lstrip("$"))
        return prose.prose_answer("".join(kept))
    tail = text[text.rfind("\\boxed") :]
    if "wrong" in tail or "incorrect" in tail or "not" in tail or "mistake" in tail:
        box = _box_before(text, len(text))
        if box is not None and _RETRACTED.match(text, box[2]):
            return prose.prose_answer(tail)
    return boxed


def boxed_answer(text: str) -> str | None:
    """Content of the last complete box, or of the boxes that answer together; None if no box is complete.

    Searches backwards from the end, so that the cost does not depend on the length of the text.
    """
    start = text.rfind("\\boxed{")
    end = text.find("}", start) + 1
    content = text[start + len("\\boxed{") : end - 1]
    is_plain = "{" not in content and not content.endswith("\\")
    if not is_plain and start >= 0:
        end = latex.group_end(text, start + len("\\boxed"))
        content = text[start + len("\\boxed{") : end - 1]
    is_last = start >= 0 and end > 0 and text.find("box", end) < 0
    is_alone = is_last and text.find("box", max(0, start - MAX_NEAR), start) < 0
    if is_alone and (is_plain or not ("box" in content or _may_be_joined(text, start))):
        return content.strip() or None  # most texts end in one box, with no other nearby
    box = _box_before(text, len(text))
    if box is None:
        return None
    first, content, _ = box
    around = text.rfind("\\boxed{", max(0, first - MAX_GAP), first)
    end = latex.group_end(text, around + len("\\boxed")) if around >= 0 else -1
    if end > first:  # the box is inside another one
        first, content = around, _INNER.sub(r"\1", text[around + len("\\boxed{") : end - 1]).strip()
    contents = [content]
    while len(contents) < MAX_BOXES and _may_be_joined(text, first):
        box = _box_before(text, first)
        if box is None or not (box[2] <= first <= box[2] + MAX_GAP and _is_gap(text, box[2], first)):
            break
        first = box[0]
        contents.insert(0, box[1])
    return ", ".join(dict.fromkeys(content for content in contents if content)) or None


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
            return start, text[brace.end() : closed - 1].strip(), closed
        bare = _BARE.match(text, start)
        if bare:
            return start, bare.group(1), bare.end()
        end = start
    return None
