"""Readers of sets that a sentence says in words: the empty set, and all real numbers."""

from __future__ import annotations

import re

from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.sentences import assertions
from libra_cli.answers.sentences.extracted import Extraction
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_IF = lazy_pattern(r"\b(?i:if|when|might|would|think|unless|except|but|course not)\b|\b[Ff]or \$?[a-z] ?[<>=]")
"""What makes an empty set that of a case, or a thought."""
_IS_EMPTY = lazy_pattern(
    r"\b(?:(?:is|are|be|get|have|gives|equals|:|=) (?:just |simply |therefore |thus |hence |then |also )?"
    r"(?:the (?:empty|null) set|empty\b)(?! (?:set|if|when|unless))"
    r"|(?:the|an) empty set[.!*$ ]*$)"
)
_NONE_SATISFIES = lazy_pattern(
    r"\b(?:nothing|no (?:real |such )?(?:numbers?|values?|\$?[a-z]\$?)) (?:at all )?"
    r"(?:satisf(?:y|ies)|works?|solves?|will do)\b",
    re.IGNORECASE,
)
_ALL_REALS = (
    "all real",
    "every real",
    "\\mathbb{r}",
    "\\mathbb r",
    "\u211d",
    "(-\\infty, \\infty)",
    "(-\\infty,\\infty)",
)
"""How references for all real numbers begin, in lower case."""
_REALS = (
    r"(?:reals?(?: (?:numbers?|values?|x))?(?: (?:of )?\$?[a-z]\$?)?"
    r"|\$?[a-z]\$? (?:in|\u2208) \$?(?:R|\u211d|\\mathbb\{R\})\$?)"
)
_IS_ALL = lazy_pattern(
    rf"\b(?:holds?|true|satisfied|works?|valid)(?: always)? for (?:all|every|any|each) {_REALS}"
    r"(?=[.,;!]|$| (?:because|since|as)\b)"
    rf"|\b(?:every|any|each) {_REALS} (?:works|satisfies|is a solution|solves|will do)\b"
    rf"|\ball {_REALS} (?:work|satisfy|are solutions|solve)\b"
    r"|(?<![A-Za-z])\$?[a-z]\$? (?:can|may) be (?:anything|any (?:real )?(?:number|value))\b"
    r"|\bsolution set is (?:therefore |thus |then )?(?:all of )?\$?(?:R|\u211d|\\mathbb\{R\})\$?(?=[.,;!]|$)",
    re.IGNORECASE,
)
_EXCEPT = words.table("except but unless if when not nonzero positive negative other cannot no never only")
_FIRSTS = words.table("first second third one former latter above below over under between")
"""Words of a sentence that is of one condition of several, or of a part of the numbers."""
_REASON = lazy_pattern(r",? \b(?:because|since|as) ")
_GOES_ON = lazy_pattern(r"[<>=\u2264\u2265\d]|\\[gl]e")
_ONLY_EXCEPT = frozenset(("except", "but", "other", "\\setminus", "\\cup", "\\"))
"""Parts of a reference that leaves some numbers out."""


def empty_set(prose: Prose) -> Extraction | None:
    """`So the solution set is empty`, where a set or an interval is asked for."""
    sentence = prose.sentences[-1]
    is_whole = prose.reference.lower().startswith(_ALL_REALS)
    says_none = "no" in sentence.lower() and prose.reference[:2] in ("\\e", "\u2205", "\\v", "$\\")
    none = _NONE_SATISFIES.search(sentence) if says_none and "mpty" in prose.reference else None
    if none and not _IF.search(sentence) and not any(map(str.isdigit, sentence[none.end() :])):
        return None if "first" in sentence else Extraction("\\emptyset")
    if "empty" not in sentence or not prose.reference or (prose.reference[0] not in "\\{\u2205[(e$" and not is_whole):
        return None
    if is_whole and "olution" not in sentence:  # the set of exceptions
        return None
    is_denied = (assertions.denies(sentence) and "never" not in sentence) or _IF.search(sentence) is not None
    found = None if is_denied else _IS_EMPTY.search(sentence)
    is_said = found is not None and "{" not in sentence[found.end() :]  # the empty set, {a} and {b}
    return Extraction("\\emptyset") if is_said and "\\text" not in prose.reference else None


def all_reals(prose: Prose) -> Extraction | None:
    """`Every real number works`, `It holds for all real x`, where all real numbers are asked for."""
    sentence = prose.sentences[-1]
    is_whole = prose.reference.lower().startswith(_ALL_REALS) and _ONLY_EXCEPT.isdisjoint(prose.reference.split())
    if prose.cut or not is_whole:
        return None
    found = _IS_ALL.search(sentence)
    said = _REASON.split(sentence)[0]
    heard = {word.lower() for word in words.split(said)}
    goes_on = found is not None and _GOES_ON.search(said, found.end()) is not None
    return Extraction(prose.reference) if found and not goes_on and (_EXCEPT | _FIRSTS).isdisjoint(heard) else None
