"""Reads which symbol or genotype a sentence gives: "It is Na, from natrium", "Aa is heterozygous"."""

from __future__ import annotations

from libra_cli.answers.text import words
from libra_cli.answers.values import science
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 6
_SYMBOL = 3
_CHARGES = ("+", "-", "\u2212", "\u207a", "\u207b", "}")
_GENOTYPE = lazy_pattern(r"(?<![A-Za-z])(?:([A-Z])(?i:\1)|([a-z])\2)(?![A-Za-z])")
_GIVEN = lazy_pattern(
    r"(?:\b(?:is|are|s[yi\u00ed]mbo{1,2}l[eo]?|be|as|by|use|called|written|escribe"
    r"|representa con|ist|lautet|est|es|\u00e9|\u00e8"
    r"|\u00e4r|jest)|\u2014)"
    r"(?: the (?:symbol|letters?|element))?[: ]+[*\"'`\u201c]*"
    r"(?P<symbol>[A-Z][A-Za-z]?|[a-z][A-Z])[*\"'`\u201d]*(?=[.,;!)]|$| \("
    r"| (?:from|because|which|since|as|for|and not|not|after)\b)"
)
_ASKS_FOR_ELEMENT = lazy_pattern(r"\b(?i:which|what) (?:[a-z]+ )?(?:element|metal|nonmetal|gas|halogen)s?\b")
_SAYS_ELEMENT = lazy_pattern(
    r"(?:So |Thus,? |Hence,? )?[Tt]he (?:element|metal|nonmetal|gas|halogen|atom) is \**[A-Za-z]{3,13}\**[.!]?$"
)
_GIVEN_NAME = lazy_pattern(
    r"(?:\b(?:is|are|was|be)(?: the element| metallic| elemental)? |^)\**(?P<name>[A-Za-z]{3,13})\**(?=[.,;!]|$)"
)
_WHOLE = lazy_pattern(r"[*$]*(?P<symbol>[A-Z][A-Za-z]?)[*$]* ?(?:\([^()]*\)|[,\u2014\u2013-] [^.]*)?[.!]?")
"""A symbol, and what explains it: Co (cobalt)."""
_ION = lazy_pattern(
    r"(?<![A-Za-z\d])\(?(?:[A-Z][a-z]?[\u2080-\u2089\d]*){1,4}\)?(?:[\u00b2\u00b3\u2074]?[\u207a\u207b]|\^\{?\d?[+-]\}?"
    r"|\d?[+\u2212-](?![\w+-]| ?[A-Z\d]))"
)
_SUBJECT = lazy_pattern(r"^[*\"'`\u201c]*(?P<symbol>[A-Z][a-z]?)[*\"'`\u201d]* (?:is|stands|denotes|represents)\b")
_WORDS = frozenset(("It", "He", "So", "As", "No", "In", "At", "Be", "I", "Am", "Os"))
_DENIED = lazy_pattern(r",? (?:and )?(?:not|rather than|instead of|unlike) (?:the )?[A-Za-z]{1,2}\b")
_DOUBTS = words.table(
    "or maybe perhaps possibly not never cannot isn't neither nor either if oder nicht kein ou pas n\u00e3o non"
    " \u0438\u043b\u0438 \u043d\u0435"
)


def said(sentence: str, reference: str, question: str | None = None) -> str | None:
    """The only symbol of an element, ion or genotype that a sentence gives; None if that is not certain."""
    if reference[-1:] in _CHARGES:
        ions = {match[0] for match in _ION.finditer(sentence)} if _ION.fullmatch(reference) else set[str]()
        heard = {word.lower() for word in words.split(sentence)}
        return ions.pop() if len(ions) == 1 and _DOUBTS.isdisjoint(heard) else None
    is_unit = (
        len(reference) == _SYMBOL - 1 and reference.isascii() and reference.isalpha() and reference != reference.title()
    )
    is_unit = is_unit and reference != reference.lower()
    if is_unit:  # CO, mW
        sentence = _DENIED.sub("", sentence)
        found = {match["symbol"] for match in _GIVEN.finditer(sentence)}
        heard = {word.lower() for word in words.split(sentence)}
        is_alike = {symbol.lower() for symbol in found} == {reference.lower()}
        return found.pop() if len(found) == 1 and is_alike and _DOUBTS.isdisjoint(heard) else None
    is_genotype = 1 < len(reference) < MAX_CHARS and _GENOTYPE.fullmatch(reference) is not None
    if not is_genotype and not (
        len(reference) < _SYMBOL
        and reference.isalpha()
        and reference == reference.title()
        and science.element(reference)
    ):
        return None
    sentence = _DENIED.sub("", sentence)
    if not _DOUBTS.isdisjoint(word.lower() for word in words.split(sentence)):
        return None
    if is_genotype:
        found = {match[0] for match in _GENOTYPE.finditer(sentence)}
    else:
        found = {match["symbol"] for match in _GIVEN.finditer(sentence)}
        subject = None if found else _SUBJECT.match(sentence) or _WHOLE.fullmatch(sentence.strip())
        found = {subject["symbol"]} - _WORDS if subject else found
        if not found and (_ASKS_FOR_ELEMENT.search(question) if question else _SAYS_ELEMENT.match(sentence)):
            found = _named(sentence)
    return found.pop() if len(found) == 1 else None


def _named(sentence: str) -> set[str]:
    """The symbol of the element that a sentence gives by its name: The metal is cobalt."""
    found = {science.symbol(match["name"].lower()) for match in _GIVEN_NAME.finditer(sentence)}
    return {one for one in found if one}
