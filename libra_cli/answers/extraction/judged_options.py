"""Reads which options a text chooses that names no letter as its choice: it judges them, or rules out all but one.

Options may combine statements of the question ("I and III"), which the text judges one by one or names by their texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from libra_cli.answers.comparison import chemistry, compounds
from libra_cli.answers.extraction import left_over
from libra_cli.answers.languages import names
from libra_cli.answers.sentences import assertions, judgements, negation, option_checks, word_lists
from libra_cli.answers.sentences.negation import DOUBTS, NEGATORS
from libra_cli.answers.text import words
from libra_cli.answers.values import normalize, science
from libra_cli.lazy_pattern import in_small_letters, lazy_pattern

_PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
_AT_PLACE = lazy_pattern(
    r"\b(?:(?:answer|choice|option|alternative|statement|one)\b[^.,;]{0,30}? (?:is|was|be)\b"
    r"(?: therefore| thus| hence| then| clearly| indeed)?|(?P<picks>choose|pick|select|take|go with"
    r"|it is|it['\u2019]s))"
    r" (?:simply )?the (?P<place>first|second|third|fourth|fifth|last)"
    r"(?P<noun> one| option| choice| answer| statement| alternative)?"
    r"(?: on the list| in the list| listed| given)?[.!* ]*$",
    re.IGNORECASE,
)
"""The correct choice is therefore the first."""
_LED = lazy_pattern(
    r"\W*(?P<letters>\(?[A-J]\)?(?:(?:,? and |, ?| ?& ?)\(?[A-J]\)?)+)"
    r"(?=[,;:.] | ?[\u2013\u2014-] | (?:are|is|because|since|as|both|hold)\b|[.!]?$)"
)
"""(c) and (a), both in group 17."""
_LED_TO = lazy_pattern(
    r"(?:\u2192|\u21d2|->|=>) ?(?P<letters>\(?[A-J]\)?(?:(?:, and | and |, ?| ?& ?)\(?[A-J]\)?)+)[.*]?$"
)
_STATEMENTS = (
    ("I II III IV V", r"(?<![A-Za-z])\(?(?P<name>I{1,3}|IV|V)[.):]\s*(?=\S)"),
    ("i ii iii iv v", r"(?<![A-Za-z])\(?(?P<name>i{1,3}|iv|v)[.)]\s*(?=\S)"),
    ("1 2 3 4 5", r"(?<![\w.])\(?(?P<name>[1-5])[.)]\s*(?=[^\d\s])"),
)
"""How a question numbers its statements."""
_ALL = lazy_pattern(r"(?:all|both)(?: of)?(?: the| these| them)?(?: two| three| four| five| above)?(?: statements)?")
_NONE = lazy_pattern(r"(?:none|neither)(?: of (?:the|these|them)(?: above| statements)?)?")
_CLAUSES = lazy_pattern(r"; | but |,? while |,? whereas |, (?=not )|: |,? though |,? although |,? unlike |\. ")
_COPULA = lazy_pattern(r"\b(?:are|is|include|be)\b:?|:")
_JOINS = lazy_pattern(r",? and |, ?| & ")
_FEW = 3


def chosen(text: str, most: int, listed: Mapping[str, str], question: str) -> str | None:
    """The letters, at most `most`, that a text chooses; None if it says nothing of them, "" if that is not certain."""
    last = words.sentences(text.rstrip())[-1]
    found = next(filter(None, _readings(text, last, most, listed, question)), set[str]())
    if not found and most > 1 and _are_formulas(listed) and any(_names(last, content) for content in listed.values()):
        return ""
    return ", ".join(sorted(found)) if found and (len(found) == 1 or most > 1) else None


def _readings(text: str, last: str, most: int, listed: Mapping[str, str], question: str) -> Iterator[set[str]]:
    """The options that a text with a `last` sentence chooses, in one way after another in which it may say so."""
    asks_wrong = option_checks.asks_wrong(question)
    judged = judgements.of_each(text, "ABCDEFGHIJ")
    every = {*listed} or {*"ABCDEFGHIJ"[: max(len(judged), judgements.FEWEST)]}
    yield {letter for letter, is_right in judged.items() if is_right is not asks_wrong and {*judged} == every}
    if listed:
        letter = _at_place(last, listed)
        yield {letter} if letter else _by_statements(text, listed, question, asks_wrong=asks_wrong)
        named = {} if asks_wrong else _told_apart(last, listed)
        yield {letter for letter, is_right in named.items() if is_right}
    if most > 1:
        yield _members(last, listed)
        yield _led(text)
    elif _are_formulas(listed):  # so fluorine wins
        clause = last.rpartition(", so ")[2]
        is_short = len(words.split(clause)) <= _FEW and not negation.is_open(clause)
        yield {letter for letter, content in listed.items() if is_short and _names(clause, content)}


def _members(sentence: str, listed: Mapping[str, str]) -> set[str]:
    """The options whose texts are all that a sentence lists: the primes are 2, 11 and 23."""
    if not listed or assertions.denies(sentence):
        return set()
    members = [part.strip(" *$").lower() for part in _JOINS.split(_COPULA.split(sentence.strip(" .!*"))[-1])]
    letters = {content.lower(): letter for letter, content in listed.items()}
    return {letters[member] for member in members} if len(members) > 1 and letters.keys() >= {*members} else set()


def _led(text: str) -> set[str]:
    """The letters to which an arrow leads at the end, or that begin a text which has no others: (c) and (a)."""
    ends = _LED_TO.search(text.rstrip())
    led = ends or _LED.match(text)
    found = {*re.findall("[A-J]", led["letters"])} if led else set()
    return found if ends or {match["name"] for match in left_over.LETTER.finditer(text)} == found else set()


def _are_formulas(listed: Mapping[str, str]) -> bool:
    return all(science.element(content) or chemistry.atoms_of(content) for content in listed.values())


def _at_place(sentence: str, listed: Mapping[str, str]) -> str | None:
    """The option that a sentence chooses by its place among all: the correct choice is the first."""
    said = _AT_PLACE.search(sentence)
    if said is None or (said["picks"] and not said["noun"]) or assertions.denies(sentence):
        return None
    place = in_small_letters(said["place"])
    is_text = any(place in content.lower().split() for content in listed.values())
    return None if is_text or _PLACES[place] >= len(listed) else [*listed][_PLACES[place]]


def _by_statements(text: str, listed: Mapping[str, str], question: str, *, asks_wrong: bool) -> set[str]:
    """The option that combines just the statements that a text calls right, or names and does not deny."""
    statements = _statements_of(question)
    meant = {letter: _combined(content, statements) for letter, content in listed.items()}
    if not statements or None in meant.values():
        return set()
    judged = judgements.of_each(text, statements)
    if {*judged} != {*statements}:
        judged = _told_apart(words.sentences(text.rstrip())[-1], statements)
    right = {name for name, is_right in judged.items() if is_right is not asks_wrong}
    found = {letter for letter, combined in meant.items() if combined == right}
    return found if judged and len(found) == 1 else set()


def _statements_of(question: str) -> dict[str, str]:
    """The numbered statements of a question, by their numerals; empty if it has none."""
    for numerals, pattern in _STATEMENTS:
        wanted, marks = numerals.split(), list[re.Match[str]]()
        for mark in re.finditer(pattern, question):
            if len(marks) < len(wanted) and mark["name"] == wanted[len(marks)]:
                marks.append(mark)
        if len(marks) > 1:
            ends = [*(mark.start() for mark in marks[1:]), len(question)]
            texts = (question[mark.end() : end] for mark, end in zip(marks, ends, strict=True))
            bare = [re.split(r"\n|\s\(?[Aa][.)] ", text)[0].strip(" ,;.") for text in texts]
            return dict(zip((mark["name"] for mark in marks), bare, strict=True))
    return {}


def _combined(content: str, statements: Mapping[str, str]) -> frozenset[str] | None:
    """The statements that an option combines: I and III; None if it is anything else."""
    plain = content.lower().strip(" .")
    if _ALL.fullmatch(plain):
        return frozenset(statements)
    if _NONE.fullmatch(plain):
        return frozenset()
    parts = re.split(r"[\s,()&]+", re.sub(r"\b(?:and|only|statements?|both|just)\b", " ", plain).strip())
    by_name = {name.lower(): name for name in statements}
    return frozenset(by_name[part] for part in parts) if by_name.keys() >= {*parts} else None


def _told_apart(sentence: str, texts: Mapping[str, str]) -> dict[str, bool]:
    """Whether a sentence affirms or denies each of several things by its text; empty if it does not speak of all.

    A sentence that is nothing but a list affirms its members, and denies the others.
    """
    found = dict[str, bool]()
    for clause in _CLAUSES.split(sentence):
        heard = [word.lower().replace("\u2019", "'") for word in words.split(clause)]
        denied = sum(word in NEGATORS or word.endswith("n't") for word in heard)
        held = [name for name, content in texts.items() if _names(clause, content)]
        if held and (denied > 1 or not (DOUBTS | {"or", "if"}).isdisjoint(heard) or not found.keys().isdisjoint(held)):
            return {}
        found.update(dict.fromkeys(held, not denied))
    members = word_lists.members(sentence.rstrip(" .!"))
    if found and len(members) == len(found) and all(found.values()):
        return {name: found.get(name, False) for name in texts}
    return found if found.keys() == texts.keys() and True in found.values() else {}


def _names(clause: str, content: str) -> bool:
    """Whether a clause has the text of an option, or the name of the element or compound whose formula it is."""
    heard = names.tokens(clause)
    sought = names.tokens(content)
    if sought and len(content) >= _FEW and (content.isalpha() or " " in content):
        return words.stand_in(sought, heard)
    own = [word.strip(".,;:()") for word in normalize.in_ascii(clause).split()]
    rows = own + [" ".join(pair) for pair in pairwise(own)]
    if content in own and content[:1].isalpha():
        return True
    element = science.element(content)
    if element is not None:
        return any(science.element(word) == element for word in own)
    atoms = chemistry.atoms_of(content)
    if atoms and any(chemistry.atoms_of(word) == atoms for word in own if len(word) > 1):
        return True
    return any(compounds.same(content, row.lower()) is True for row in rows if row)
