"""Reads a box that holds a whole sentence as prose: \\boxed{\\text{The perimeter is } 28}."""

from __future__ import annotations

from libra_cli.answers.sentences.extracted import UNDECIDED, Extraction
from libra_cli.answers.text import latex, words
from libra_cli.answers.values import bounds_said, structure
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 300
_TEXT = lazy_pattern(r"\\(?:text(?:bf|it|rm|normal)?|mbox|mathrm)\s*\{([^{}]*)\}")
_SPACE = lazy_pattern(r"\\[,;:! ]|\\quad\b|\\qquad\b|~")
_ASSIGNED = r"[A-Za-z](?:\s*=\s*[A-Za-z])?\s*=\s*[-\d./]{1,12}"
_CIRCUMSTANCE = lazy_pattern(
    r"(?:\\q?quad\s*|\\[ ,;:!]|~|\s)*\\text(?:rm|normal)?\s*\{\s*\(?"
    r"(?:for example|for instance|e\.g\.|when|at|for|with|where|attained at|reached at)(?: at| for| when)?\s*\}?\s*"
    rf"{_ASSIGNED}(?:,(?:\s|\\[ ,])*{_ASSIGNED})*\s*\)?\s*\}}?$",
    one_of=("\\text",),
)
"""Where a value in a box is reached, or an example: 16 \\text{ (for } a = 4)."""
_STATES = lazy_pattern(
    r"(?<=[\w$] )(?:is|are|was|were|equals|has|have|converges|diverges|exists|holds|increases|decreases|must be"
    r"|will be|can be|ist|sind|beträgt|lautet|est|sont|vaut|es|son|vale|è|sono|é|são|jest|wynosi"
    r"|равен|равна|равно|составляет)\b"
    r"|(?<=[\u3040-\u9fff])(?:是|为|等于|は)|(?:입니다|이다|です)"
)
"""The verb of a sentence behind its subject."""
_OF_VALUE = lazy_pattern(r"^\$[^$]+\$ (?:is|are) (?:the|our|my) ")
_NUMBERS = lazy_pattern(r"\d+(?:[.,/]\d+)*")
_RELATION = lazy_pattern(r"[=<>\u2264\u2265\u2260(\[]|\\(?:leq?|geq?|ne|neq|in|infty)\b")
_LIMITED = words.table("where if when whenever unless let otherwise")
_FEW = 2
"""Words that a sentence may have before those of its question."""


def read(content: str, reference: str, question: str | None) -> Extraction | None:
    """What the sentence in a box states; None if the box holds no sentence, or nothing is read from it."""
    if len(content) > MAX_CHARS or "\\begin" in content or (content.isascii() and " " not in content):
        return None
    if bounds_said.is_of_bound(reference) and (bound := _bound(content, reference)):
        return bound
    sentence = _sentence(content, question)
    if not sentence or _is_sentence(_sentence(reference) or reference):
        return None
    from libra_cli.answers.extraction import prose  # which loads all readers of sentences

    found = prose.read(sentence, reference, False, question)
    return found if found.answer else None


def _bound(content: str, reference: str) -> Extraction | None:
    """A box with a number and words: that it is a bound in words, or not certain; None of another box.

    A word that is not known may say which side of the number is meant.
    """
    if (signs := bounds_said.in_signs(content, reference)) != content:
        return Extraction(signs)
    bare = latex.without_setting(content)
    has_words = "\\text" in content and any(len(word) > 1 for word in words.split(bare))
    is_one_number = len(_NUMBERS.findall(bare)) == 1 and not _RELATION.search(content)
    return UNDECIDED if has_words and is_one_number else None


def without_circumstance(content: str, reference: str) -> str:
    """A formula in a box without the remark that says when it is reached, or an example: 16 (for a = b = 4)."""
    found = _CIRCUMSTANCE.search(content) if "(" not in reference else None
    head = content[: found.start()].rstrip("\\,;:! ~") if found else ""
    return head if structure.is_number(head.rpartition("=")[2].strip()) else content


def _sentence(content: str, question: str | None = None) -> str:
    """The pieces of text and the formulas of a box as one sentence; empty if they are none."""
    said, end = list[str](), 0
    for piece in _TEXT.finditer(content):
        said += [_formula(content[end : piece.start()]), piece[1].strip()]
        end = piece.end()
    if not said and (content.isascii() or "\\" in content):
        return ""
    sentence = (
        " ".join(filter(None, [*said, _formula(content[end:]) if said else content])).replace(" ,", ",").rstrip(" .")
    )
    return f"{sentence}." if _is_sentence(sentence) or (question and _answers(sentence, question)) else ""


def _answers(text: str, question: str) -> bool:
    """Whether a text begins with one or two words and goes on with those of a question: Ben won the race."""
    asked, heard = set(words.split(question.lower())), words.split(text.lower())
    new = [at for at, word in enumerate(heard) if word not in asked]
    return 0 < len(new) <= _FEW < len(heard) and new == [*range(len(new))]


def _formula(piece: str) -> str:
    bare = _SPACE.sub(" ", piece).strip(" $")
    return f"${bare}$" if any(map(str.isalnum, bare)) else bare


def _is_sentence(text: str) -> bool:
    """Whether a text has a subject and a verb, and no condition that limits what it states."""
    heard = words.split(text.lower())
    if heard[:1] != ["the"] and (not _LIMITED.isdisjoint(heard) or "such that" in text):
        return False
    return _STATES.search(text) is not None and (not text.startswith("$") or _OF_VALUE.match(text) is not None)
