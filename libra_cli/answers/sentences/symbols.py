"""Reads which symbol or genotype a sentence gives: "It is Na, from natrium", "Aa is heterozygous"."""

from __future__ import annotations

from libra_cli.answers.languages import abroad
from libra_cli.answers.text import words
from libra_cli.answers.values import science
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 3
_GENOTYPE = lazy_pattern(r"(?<![A-Za-z])(?:([A-Z])(?i:\1)|([a-z])\2)(?![A-Za-z])")
_GIVEN = lazy_pattern(
    r"\b(?:is|are|s[yi\u00ed]mbol[eo]?|\u0441\u0438\u043c\u0432\u043e\u043b|be|as|by|use|called|written)"
    r"(?: the (?:symbol|letters?|element))?[: ]+[*\"'`\u201c]*"
    r"(?P<symbol>[A-Z][a-z]?)[*\"'`\u201d]*(?=[.,;!)]|$| \(| (?:from|because|which|since|as|for|and not|not|after)\b)"
)
_SUBJECT = lazy_pattern(r"^[*\"'`\u201c]*(?P<symbol>[A-Z][a-z]?)[*\"'`\u201d]* (?:is|stands|denotes|represents)\b")
_DENIED = lazy_pattern(r",? (?:and )?(?:not|rather than|instead of|unlike) (?:the )?[A-Za-z]{1,2}\b")
_DOUBTS = words.table("or maybe perhaps possibly not isn't neither nor either if")


def said(sentence: str, reference: str) -> str | None:
    """The only symbol of an element, or the only genotype, that a sentence gives; None if that is not certain."""
    is_genotype = len(reference) > 1 and _GENOTYPE.fullmatch(reference) is not None
    if not is_genotype and not (reference.isalpha() and reference == reference.title() and science.element(reference)):
        return None
    sentence = _DENIED.sub("", abroad.glossed(sentence))
    if not _DOUBTS.isdisjoint(word.lower() for word in words.split(sentence)):
        return None
    if is_genotype:
        found = {match[0] for match in _GENOTYPE.finditer(sentence)}
    else:
        found = {match["symbol"] for match in _GIVEN.finditer(sentence)}
        subject = None if found else _SUBJECT.match(sentence)
        found = {subject["symbol"]} - {"It", "He", "So", "As"} if subject else found
    return found.pop() if len(found) == 1 else None
