"""Reads references that data sets publish as more than an answer: whole solutions, sentences, answers with remarks.

GSM8K ends a solution with `#### 5`, MATH with a box; teachers write `12, because 3 * 4 = 12`, `20 m/s (72 km/h)` or
`The area is 12 square meters.` Only what is certainly a remark is left out; any other reference stays as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache

from libra_cli.answers.text import boxes, words
from libra_cli.answers.values import normalize
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 400
"""Length of the longest reference from which remarks are taken."""
_MARK = "####"
_CLOSING = ("$", "}", ".", ")", "]")
_ABBREVIATED = lazy_pattern(r"(?:\b[A-Za-z]\. ?){2,}$|\betc\.$|\.\.\.$")
_SENTENCE = lazy_pattern(r"(?:\S+ ){4,}\S+\.$|\b(?:is|are|was|has|have|equals|because|since)\b.*\.$")
"""A reference that is a sentence, whose full stop others read."""
_LABEL = lazy_pattern(
    r"(?i:(?:final |correct |the )*(?:ans(?:wer)?|solution)(?: is)?\s*[.:]"
    r"|the (?:final |correct )?answer is:?)\s+(?=\S)"
    r"|(?:\u2248|\\approx(?![A-Za-z])) ?|(?:[A-Z]?[a-z]{3,} )+(?=\([^()]*\)\.?$)",
    one_of=("(", "\u2248", "ans", "\\approx", "solution"),
)
_REASON = lazy_pattern(
    r"\s*[,;]?\s+(?:because|since|which (?:is|can|equals|follows|was)|as (?:shown|required)"
    r"|or equivalently|(?:attained|achieved|reached|assumed) (?:at|when|for|if|only)"
    r"|(?:found|obtained) (?:by|from|using)|by (?:\w+ing|symmetry|the)|for all real)\b"
    r"|[,;]\s+(?:i\.e\.|that is|the|it|so|where we|using)\s|\s+(?:[\u2014\u2013#]|//|--?)\s+(?=[A-Za-z][a-z]{2})"
    r"|[.;]\s+(?=[A-Z][a-z]*\s+[A-Za-z]|\d+ (?:is|=))|\.?\s*\n\s*(?=[A-Z][a-z]+)"
)
"""Where a remark begins behind an answer."""
_IN_BRACKETS = lazy_pattern(
    r"^(.*\S)\s+[(\[]([^()\[\]]*(?:\([^()]*\)[^()\[\]]*)*)[)\]]\.?$", re.DOTALL, one_of=("(", "[")
)
_OF_MARKS = lazy_pattern(r"(?i:accept|\d+ (?:marks?|s\.?f|d\.?p|sig|dec)|to \d|correct to|approx|exact)")
_KEPT = words.table("mod base if when where for or and x n k except excluding any all every each up with without only")
"""Words with which brackets begin that say more of an answer."""
_STATES = lazy_pattern(
    r"(?i:the|so|thus|therefore|there|hence|its?)\s[^=<>]*?\b(?:is|are|equals?|was|has|have)\s[^=<>]+"
)
_VERDICT = lazy_pattern(
    r"(?i:(yes|no|true|false))(?:[,.;:]\s+|\s+(?:\(|[\u2014\u2013-]\s+))"
    r"(?!(?:except|but|only|if|unless|when|for)\b)(?!(?i:(?:and )?(?:yes|no|true|false))(?:[,.;]|$))(?=\S)",
    one_of=("no", "yes", "true", "false"),
)
_OPTION = lazy_pattern(
    r"\(?([A-J])\)?(?:,\s+(?:since|because|as|which|the)\b|\s+[\u2014\u2013-]\s+(?=[A-Z][A-Za-z]{2}))",
    one_of=("\u2014", "\u2013", ",", "-"),
)
_NEXT_VALUE = lazy_pattern(r"(?<=\d), so (?=[A-Za-z]\w{0,2} ?= ?[^=]+$)", one_of=(", so ",))
"""What joins the value of another name: x = 2, so y = 3."""
_LETTER = lazy_pattern(r"\(?[A-J]\)?")
_VALUE = lazy_pattern(r"\d|\\|^[^\W\d_]+(?: [^\W\d_]+){0,2}$")
_HAS_UNIT = lazy_pattern(r"\d.*[A-Za-z]")


def final(reference: str) -> str:
    """The final answer of a reference that is a whole solution or has a remark; any other reference as it is."""
    if reference.rstrip()[-1:] in _CLOSING:
        reference = _unwrapped(reference.strip())
    if _MARK in reference:
        before, _, behind = reference.rpartition(_MARK)
        return behind.strip() if before.strip() and behind.strip() else reference
    if "\\boxed{" in reference:
        box = boxes.last(reference)
        if box is not None and box.content and ("\n" in reference or _ends_in(box, reference)):
            return box.content
        if "\n" in reference:
            return reference
    if " " not in reference and "\n" not in reference and "\u2248" not in reference:
        return reference
    return reference if len(reference) > MAX_CHARS else _without_remarks(reference)


@lru_cache(1 << 12)
def _unwrapped(reference: str) -> str:
    """A reference without what encloses all of it: dollar signs, a box, a font; and without a full stop."""
    if len(reference) > MAX_CHARS or "\n" in reference or _MARK in reference:
        return reference
    if _ABBREVIATED.search(reference) or _SENTENCE.search(reference):
        return reference
    inside = normalize.unwrapped(reference)
    is_vector = inside == "0" and ("\\mathbf" in reference or "\\boldsymbol" in reference)
    return reference if not inside or "boxed" in inside or is_vector else inside


def _ends_in(box: boxes.Box, line: str) -> bool:
    """Whether words lead to the box and none follows it, as in a solution on one line."""
    places = words.places(line[: box.start])
    before = [place for place in places if len(place[0]) > 1 and line[place.start() - 1] != "\\"]  # no \sqrt
    return len(before) > 1 and not any(map(str.isalnum, line[box.end :]))


@lru_cache(1 << 12)
def _without_remarks(reference: str) -> str:
    """A reference without its label, reasons and remarks."""
    text = _LABEL.sub("", reference.strip(), count=1) if _LABEL.match(reference.strip()) else reference.strip()
    for whole in (_VERDICT, _OPTION):
        found = whole.match(text)
        if found:
            return found[1]
    text = _NEXT_VALUE.sub(", ", text)
    remark = _REASON.search(text)
    head = text[: remark.start()] if remark else ""
    if _VALUE.search(head) and _is_whole(head) and not _LETTER.fullmatch(head):
        text = head.rstrip(" ,;.")
    bracket = _IN_BRACKETS.match(text)
    if bracket and _is_whole(bracket[1]) and _is_remark(bracket[1], bracket[2]):
        text = bracket[1]
    if _STATES.fullmatch(text):
        return _stated(text) or reference
    one, _, other = text.partition(" or ")
    if other and _same(one, other):
        return one
    if text.count(" = ") == 1 and _HAS_UNIT.search(text):
        left, right = text.split(" = ")
        if _HAS_UNIT.search(left) and _same(left, right):
            return right
    if "\u2248" in text or "\\approx" in text:
        exact = text.replace("\\approx", "\u2248").partition("\u2248")[0].strip(" $")
        text = exact if exact and any(map(str.isdigit, exact)) else text
    return text


def _is_whole(text: str) -> bool:
    """Whether the brackets and dollars of a text are closed, and it does not end in the middle of a list."""
    closed = all(text.count(one) == text.count(other) for one, other in ("()", "[]", "{}"))
    return closed and text.replace("\\$", "").count("$") % 2 == 0 and text[-1:] not in ("=", "+", ":")


def _is_remark(head: str, content: str) -> bool:
    """Whether what stands in brackets behind an answer only repeats or explains it."""
    heard = [word.lower() for word in words.split(content)]
    if not heard or not _KEPT.isdisjoint(heard[:1]):
        return bool(content.strip()) and _same(head, content)
    from libra_cli.answers.sentences import phrases

    return (
        _OF_MARKS.match(content) is not None
        or (len(heard) > 1 and not _HAS_UNIT.search(content))
        or (heard[0] in phrases.REASONS or _same(head, content))
    )


def _same(one: str, other: str) -> bool:
    from libra_cli.answers.comparison import equal

    decision = equal.decide_quickly(one.strip(), other.strip())
    return decision is not None and decision.equal is True


def _stated(sentence: str) -> str | None:
    """The value that a whole sentence states; None if it states none for certain, or only words."""
    from libra_cli.answers.extraction import conclusions

    found = conclusions.concluded(sentence)
    answer = found.measured or found.answer
    return answer if answer and not found.unclear and any(map(str.isdigit, answer)) else None
