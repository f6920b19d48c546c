"""Tells the question of a row from the instructions of its prompt: reason step by step, put the answer into a box."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from libra_cli.lazy_pattern import lazy_pattern

_MARKS = (
    *("boxed", "tep by step", "tep-by-step", "final answer", "of the form", "Answer:", "your reasoning"),
    *("逐步", "一步一步", "最终答案", "最後の答え", "段階的"),
)
_INSTRUCTION = lazy_pattern(
    r"\\?boxed\b|\bstep[ -]by[ -]step\b|\b(?:put|write|give|place|present|provide|enclose|output|state"
    r"|return|box|format)\b[^.?!]{0,40}\b(?:final answer|your answer|the answer)\b"
    r"|\bfinal answer\b[^.?!]{0,40}\b(?:in|within|inside|after|with)\b"
    r"|\blast line of your response\b|\byour reasoning\b|of the form ['\"\u201c]?Answer:|on its own line after"
    r"|逐步|一步一步|最终答案|最後の答え|段階的",
)
"""A sentence that says how to answer."""
_OF_FORM = lazy_pattern(
    r"\d|\bin (?!\\?boxed|an?\b|the\b|your\b|this\b|one\b|following)[a-z]{2,}"
    r"|\b(?:round|simpl|fraction|decimal|nearest|unit|percent|exact|terms|letter|option|choice|integer"
    r"|form \$?(?:[a-z]\b|\\)|express|reduced|lowest|degree|radian|dollar|order|separated|list|tuple|interval|set"
    r"|yes|no|true|false)\w*"
    r"|\b(?:what|which|how|find|who|when|where|solve|compute|evaluate|determine|calculate|prove)\b"
    r"|[小分整约]数|单位|约|百分",
)
"""What a sentence says of the answer itself, or asks."""
_PROBLEM = lazy_pattern(
    r"\b(?:solve|answer) (?:the|this) (?:following |given |below )?(?:math(?:s|ematics|ematical)? )?"
    r"(?:problem|question|exercise)"
    r"|\bis the answer to the (?:problem|question)",
)
_ENDS = lazy_pattern(r"(?<=[.?!:。？！：])\s+|(?<=[。？！])|\n+")


@lru_cache(1 << 8)
def without(question: str) -> str:
    """`question` without the sentences before and behind it that only say how to answer."""
    if not any(map(question.__contains__, _MARKS)):
        return question
    ends = [0, *(end.end() for end in _ENDS.finditer(question)), len(question)]
    pieces = [question[start:end] for start, end in pairwise(ends)]
    first, last = 0, len(pieces)
    while first < last and (_is_instruction(pieces[first]) or not pieces[first].strip()):
        first += 1
    while last > first and (_is_instruction(pieces[last - 1]) or not pieces[last - 1].strip()):
        last -= 1
    return "".join(pieces[first:last]).strip() if first < last else question


def _is_instruction(sentence: str) -> bool:
    """Whether a sentence says how to answer, and nothing of the answer itself."""
    bare = _PROBLEM.sub("", sentence.lower().replace("\\boxed{}", "\\boxed"))
    return _INSTRUCTION.search(bare) is not None and not _OF_FORM.search(bare)
