"""Reads a term and its abbreviation, one of them in brackets: deoxyribonucleic acid (DNA)."""

from __future__ import annotations

from libra_cli.answers.languages import names
from libra_cli.lazy_pattern import lazy_pattern

_LEAD = r"(?:(?:(?:It|This|That|The answer)(?: is|['\u2019]s)|So|Answer:) )?(?i:the |an? )?"
_TERM = r"[A-Za-z][A-Za-z-]*(?: [A-Za-z-]+){0,7}"
_ABBREVIATED = lazy_pattern(
    rf"{_LEAD}(?P<term>{_TERM})(?: \(|, (?:or|i\.e\.|abbreviated|also called) )"
    r"(?P<short>[A-Z][A-Za-z]?[A-Z]{1,5})\)?[.!]?"
)
_EXPLAINED = lazy_pattern(
    rf"{_LEAD}(?P<short>[A-Z][A-Za-z]?[A-Z]{{1,5}}) \((?:short for |i\.e\. )?(?P<term>{_TERM})\)[.!]?"
)


def said(sentence: str, reference: str) -> str | None:
    """The abbreviation of a sentence that is a term with its abbreviation; the `reference` where that is the term."""
    if sentence.rstrip(".!")[-1:] != ")" and ", or " not in sentence:
        return None
    found = _ABBREVIATED.fullmatch(sentence.strip()) or _EXPLAINED.fullmatch(sentence.strip())
    if found is None or not _is_short_for(found["short"], found["term"]):
        return None
    if reference.isupper():
        return found["short"]
    return reference if names.tokens(found["term"]) == names.tokens(reference) else None


def _is_short_for(short: str, term: str) -> bool:
    """Whether the letters of an abbreviation stand in a term in their order, the first one at its beginning."""
    rest = iter(term.lower())
    return term[0].lower() == short[0].lower() and all(letter in rest for letter in short.lower())
