"""Reads the claim at the end of a text that a question asks for, or that all of them are about something else."""

from __future__ import annotations

from collections.abc import Sequence

from libra_cli.answers.languages import abroad
from libra_cli.answers.sentences import asking, claims, claims_in_signs
from libra_cli.answers.sentences.extracted import OTHER_ANSWER, UNDECIDED, Extraction
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_NUMBER = lazy_pattern(r"\d[\d.,/]*")
_EITHER_UNIT = lazy_pattern(r"(?<![\d.,])(\d[\d.,]*) ?([^\W\d]{1,12}|°[CF]) or \1 ?([^\W\d]{1,12}|°[CF])(?!\w)")
"""One number with either of two units: 212 K or 212 °F."""
_MOST_SENTENCES = 3
_OTHERWISE = Extraction(None, OTHER_ANSWER)


def answer(text: str, question: str, with_unit: bool) -> Extraction | None:
    """The value of the claim that is asked for, or that the text answers something else; None if neither is certain."""
    said = words.sentences(text.rstrip().rpartition("\n")[2])
    if abroad.language_of(said[-1]) in abroad.WITHOUT_SPACES:
        return claims_in_signs.answer(said[-1], question)
    if not any(map(str.isdigit, said[-1])):
        return None
    asked = asking.of(question)
    if asked.compares:
        return None
    either = _EITHER_UNIT.search(said[-1])
    if either and either[2] != either[3]:
        return UNDECIDED
    later: claims.Claim | None = None
    is_other = False
    for sentence in reversed(said[-_MOST_SENTENCES:]):
        found = claims.read(sentence, asked)
        told = [claim for claim in found or () if not claim.compares]
        if not found or (later is not None and not told):
            break
        if not told:
            return _OTHERWISE
        if len(told) > 1 and claims.in_several_units(told):
            return None
        one = _total(told) if asked.is_total and len(told) > 1 else claims.chosen(told, asked)
        if one is None:
            is_open = asked.is_total or claims.are_about_unnamed(told, asked) or claims.are_all_asked(told, asked)
            return UNDECIDED if is_open else None
        if later is not None and (asked.names.isdisjoint(one.words) or (not is_other and one.noun != later.noun)):
            break
        if claims.is_about_another(one, asked):
            is_other = True
        elif later is not None or not claims.may_be_another(one, asked):
            has_others = len(found) > 1 or (
                len(_NUMBER.findall(sentence)) > 1 and not asked.stems.isdisjoint(one.words)
            )
            said_so = later is not None or has_others or one.value == "0"
            return Extraction(f"{one.value} {one.unit}" if with_unit else one.value) if said_so else None
        later = one
    return _OTHERWISE if is_other else None


def _total(told: list[claims.Claim]) -> claims.Claim | None:
    """The only claim that says a total."""
    found = [claim for claim in told if not asking.TOTALS.isdisjoint(claim.text)]
    return found[0] if len(found) == 1 else None


def is_enumeration(sentence: str) -> bool:
    """Whether a sentence only counts several things, as in 5 cats, 7 dogs and 3 birds."""
    found = claims.read(sentence, asking.of("")) if sum(map(str.isdigit, sentence)) > 1 else None
    nouns = [claim.text[claim.at : claim.at + 1] for claim in found or ()]
    if found and (claims.in_several_units(found) or _has_parts(found, sentence)):
        return False
    return len(nouns) > 1 and all(nouns) and not any(claim.at for claim in (found or ())[1:])


def _has_parts(found: Sequence[claims.Claim], sentence: str) -> bool:
    """Whether the first of several values is the whole of which the others are parts: 60 km, 30 km of it uphill."""
    whole, *parts = (float(claim.value) if claim.value.replace(".", "", 1).isdecimal() else 0.0 for claim in found)
    return sum(parts) == whole or (sum(parts) < whole and (" of it " in sentence or " of them " in sentence))
