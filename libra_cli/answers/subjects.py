"""Finds of several values in a sentence the one that the question asks for: "12 rabbits and 23 chickens".

The sentence is cut at its commas and conjunctions. Each part with one number is about the words beside that number; the
value that is asked for is the one whose words alone are in the question.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from libra_cli.answers import abroad, comparatives, plain, vocabulary, words
from libra_cli.answers import spans as spans_of

_CUTS = words.table("and or but while whereas ; , . \u2014 \u2013")
_CONCLUDING = vocabulary.BEGINS_CLAUSE - {"but", "altogether"}
_ADJUNCTS = ("of", "out", "for", "from", "in", "at", "after", "with", "if", "since", "because", "when", "given")
"""Words with which a part begins that says no value of its own: of the 70 tickets."""
_COMPARING = words.table("than more fewer less plus minus times")
_TOTALS = vocabulary.TOTALS | words.table("combined sum together both average")
_SUMS = _TOTALS | words.table("makes make gives added adding")
_STEM = 4
MAX_PARTS = 8
_PRONOUNS = words.table("he she they it we i you this that")
_PLACES = words.table("in on for at to from by")
_NO_NOUNS = words.table("is are was were remain left have has had will still get gets got") | {""}
"""What stands behind a number without a noun."""

_EMPTY = words.table(
    """
    how many much what which who whom whose doe do did does are is was were has have had will would can could there
    the and with for from that this these those each them they their his her its you your one all any not get need
    number value find determine calculate comput left remain
    """
)
"""Stems of a question that say nothing of what it asks for."""


class Asked(NamedTuple):
    """The value that is asked for, and all that a sentence gives."""

    value: str = ""
    """Empty if it is not certain which."""
    measured: str | None = None
    """The same with its unit."""
    values: tuple[str, ...] = ()
    """Empty if the sentence does not give several, or none of them is about what is asked for."""


class _Part(NamedTuple):
    """A number and the words beside it."""

    value: str
    measured: str | None
    before: tuple[str, ...]
    behind: tuple[str, ...]


def of_several(sentence: str, question: str) -> Asked:
    """The value that is asked for of those which a sentence gives to several subjects, and all of these."""
    if sum(map(str.isdigit, sentence)) < 2 or comparatives.are_asked_for(question):
        return Asked()
    asked = words.split(comparatives.last_question(question))
    parts = _parts(sentence)
    if len(parts) < 2:
        return Asked()
    values = tuple(part.value for part in parts)
    if not question:
        is_enumeration = all(part.behind for part in parts) and not any(part.before for part in parts[1:])
        return Asked(values=values if is_enumeration else ())  # 5 cats, 7 dogs and 3 birds
    if not _TOTALS.isdisjoint(map(str.lower, asked)):
        return Asked(values=values if _SUMS.isdisjoint(map(str.lower, words.split(sentence))) else ())
    names = {_stem(word.lower()) for word in asked[1:] if word[0].isupper()}
    others = {_stem(word.lower()) for word in asked if len(word) > 2} - _EMPTY
    if not _are_parallel(parts, sentence):
        return Asked()
    found = _told_apart(parts, names) or _told_apart(parts, others)
    if len(found) == 1 and (not names or _are_named(names, sentence)):
        return Asked(found[0].value, found[0].measured, values)
    return Asked(values=values if found else ())


def _are_named(names: Collection[str], sentence: str) -> bool:
    """Whether a sentence has all names of the question; one that is missing may be meant by another word."""
    heard = {_stem(word.lower()) for word in words.split(sentence)}
    return all(name in heard for name in names)


def _are_parallel(parts: Sequence[_Part], sentence: str) -> bool:
    """Whether each part has a subject of its own: a name before its number, or a noun behind it.

    "She used 3 cups, and 7 are left" gives the noun of both only once. Other languages are not read.
    """
    if len(parts) > MAX_PARTS or abroad.language_of(sentence):
        return False
    names = {word.lower() for word in words.split(sentence) if word[0].isupper()} - _PRONOUNS
    if all(part.before and part.before[0].lower() in names for part in parts):
        return True
    if any(part.before for part in parts[1:]):
        return False
    places = {part.behind[-2:-1] for part in parts}  # 44 were for children and 26 for adults
    if len(places) == 1 and not _PLACES.isdisjoint(*places) and len({part.behind[-1:] for part in parts}) == len(parts):
        return True
    nouns = {_stem(part.behind[0].lower()) if part.behind else "" for part in parts}
    return len(nouns) == len(parts) and nouns.isdisjoint(_NO_NOUNS)


def _parts(sentence: str) -> list[_Part]:
    """The parts of the conclusion of a sentence, each with its number; none if one of them has several."""
    reader = plain.Reader(sentence)
    spans = {span.start: span for span in reader.spans}
    parts: list[_Part] = []
    said: list[str] = []
    number: plain.Span | None = None
    before, end, is_adjunct = 0, 0, False
    for token in [*reader.tokens, plain.Token("other", ".", len(sentence), len(sentence))]:
        word = token.text.lower()
        if token.start < end:
            continue
        span = spans.get(token.start)
        if span is not None and span.is_number:
            if number is not None:
                return []
            number, before, end = span, len(said), span.end
        elif is_adjunct and number is None and word in _CONCLUDING:
            said.append(word)
        elif word in _CUTS or word in _CONCLUDING or token.start == len(sentence):
            if number is not None and not is_adjunct:
                value = spans_of.value(number.text)
                measured = spans_of.with_units([number]) if number.unit else None
                parts.append(_Part(value, measured, tuple(said[:before]), tuple(said[before:])))
            said, number, is_adjunct = [], None, False
            parts = [] if word in _CONCLUDING else parts
        elif word in _COMPARING:
            return []
        elif token.kind == "word":
            is_adjunct = is_adjunct or (not said and number is None and word in _ADJUNCTS)
            said.append(word)
    return parts


def _told_apart(parts: list[_Part], wanted: Collection[str]) -> list[_Part]:
    """The parts with a word of the question that no other part has."""
    if not all(part.behind for part in parts):  # Tom has 3 apples and Ben has 5
        heard = [{*map(_stem, part.before)} for part in parts]
    elif not all(part.before for part in parts):  # there are 3 apples and 5 pears
        heard = [{*map(_stem, part.behind)} for part in parts]
    else:
        heard = [{*map(_stem, part.before + part.behind)} for part in parts]
    found = []
    for at, part in enumerate(parts):
        others = set[str]().union(*(words for index, words in enumerate(heard) if index != at))
        if not heard[at].isdisjoint(set(wanted) - others):
            found.append(part)
    return found


def _stem(word: str) -> str:
    """A word without the ending of a plural or a verb: children as child."""
    word = word.removesuffix("'s").removesuffix("\u2019s")
    for ending in ("ren", "es", "s", "ed", "ing"):
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            return word.removesuffix(ending)
    return word
