"""Reads the answer that a sentence asserts: the formula, the number or the few words of its main clause.

A sentence is cut into clauses. Reasons, conditions, approximations and remarks in brackets are no answers. Of what is
left, the clause that draws a total or else the last one with a verb counts; in it what follows "is" counts, or else the
only number that does not belong to another word ("for 3 people"). Where this leaves several, the answer is unclear.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from libra_cli.answers import plain, units, vocabulary
from libra_cli.answers.plain import Span
from libra_cli.answers.spans import listed, value, with_units
from libra_cli.lazy_pattern import lazy_pattern

_CALCULATION = lazy_pattern(r"<<[^<>\n]{0,80}>>")
_TOGETHER = lazy_pattern(r"(?<=[\d}$]) (?:et|und|y|e|и|en) (?=[-$\\\d])")
"""The word "and" of other languages between numbers."""
_NOTHING = lazy_pattern(r"\bno (?:real |integer |such |valid )*(?:solutions?|roots?|values?)\b", re.IGNORECASE)


class Asserted(NamedTuple):
    """What a sentence asserts."""

    answer: str | None
    unclear: bool = False
    """The sentence has several numbers, and none is the answer for certain."""
    measured: str | None = None
    """The answer with its unit, or a quantity in several: 2 hours 30 minutes."""


class Group(NamedTuple):
    """A formula or number, or several that are joined, and the words before it in its clause."""

    text: str
    is_name: bool
    relation: bool
    before: tuple[str, ...]
    goes_on: bool = False
    """Another one is added to it: 8 cats and 9 dogs."""
    measured: str | None = None
    """The same with its unit."""
    several: bool = False
    """Its parts are in several units: 2 hours and 30 minutes."""


class Clause(NamedTuple):
    """A part of a sentence: the word that begins it, all its words, and its groups."""

    opener: str
    words: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def is_of_letters(self) -> bool:
        """Whether it only relates letters to each other."""
        return all(group.relation and not any(map(str.isdigit, group.text)) for group in self.groups)


def without_calculations(sentence: str) -> str:
    """`sentence` without the marks of a calculator: <<6*7=42>>."""
    return _CALCULATION.sub("", sentence) if "<<" in sentence else sentence


def denies(text: str) -> bool:
    """Whether a word of `text` denies what the others say."""
    return not vocabulary.DENIES.isdisjoint(text.lower().split())


def is_aside(sentence: str) -> bool:
    """Whether a sentence only checks the one before it, or stands in brackets."""
    sentence = sentence.strip()
    if sentence.lower().startswith(("that is", "this is", "that's", "which is")) and sentence.endswith("answer."):
        return True
    first, colon, _ = sentence.partition(":")
    return (bool(colon) and first.lower() in vocabulary.CHECKS) or (sentence.startswith("(") and sentence.endswith(")"))


def asserted(sentence: str) -> Asserted:
    """Read what a sentence asserts."""
    sentence = _TOGETHER.sub(" and ", without_calculations(sentence).strip())
    if "no " in sentence.lower() and _NOTHING.search(sentence):
        return Asserted("no solution")
    clauses = [clause for clause in _clauses(plain.Reader(sentence)) if clause.words or clause.groups]
    main = _main(clauses)
    if main is None or main.opener == "not":
        return Asserted(None)
    if any(is_open(clause) for clause in clauses) or _is_outdone(main, clauses):
        return Asserted(None, unclear=True)
    is_condition = main.opener in vocabulary.BEGINS_ASIDE - vocabulary.ADJUNCTS - vocabulary.ABOUT
    if main.groups and (is_condition or not vocabulary.IMPERATIVES.isdisjoint(main.words[:1])):
        return Asserted(None, unclear=True)
    return _of_clause(main)


def _is_outdone(main: Clause, clauses: Sequence[Clause]) -> bool:
    """Whether an amount is stated before the main clause, which only goes on: "the number is 8; 3 + 4 = 7"."""
    if main.opener in vocabulary.BEGINS_CLAUSE or not vocabulary.IS.isdisjoint(main.words):
        return False
    before = clauses[: next((at for at, clause in enumerate(clauses) if clause is main), 0)]
    return any(
        clause.groups
        and clause.opener not in vocabulary.BEGINS_ASIDE
        and not vocabulary.AMOUNTS.isdisjoint(clause.words)
        and any(_follows_is(group.before) for group in clause.groups)
        for clause in before
    )


def is_open(clause: Clause) -> bool:
    """Whether a clause only says what the answer could be: "it could be 12 or 14", "2 or 3, depending on a"."""
    return clause.opener == "depending" or any(
        group.before[-2:] in (("could", "be"), ("might", "be"), ("may", "be")) for group in clause.groups
    )


def _main(clauses: Sequence[Clause]) -> Clause | None:
    """The clause that holds the answer; one without groups if none has any."""
    with_groups = [clause for clause in clauses if clause.groups and clause.opener not in vocabulary.BEGINS_ASIDE]
    with_groups = [one for one in with_groups if vocabulary.NOTES.isdisjoint(one.words[:1])] or with_groups
    if not with_groups:
        weak = [
            clause for clause in clauses if clause.groups and clause.opener in vocabulary.ADJUNCTS | vocabulary.ABOUT
        ]
        return next(iter(weak[-1:] or clauses[-1:]), None)
    totals = [
        clause
        for clause in clauses
        if clause.groups
        and not vocabulary.TOTALS.isdisjoint(clause.words)
        and (clause.opener not in vocabulary.BEGINS_ASIDE or clause.words[:3] == ("for", "a", "total"))
    ]
    if totals:
        return totals[-1]
    asserting = [
        clause
        for clause in with_groups
        if not vocabulary.VERBS.isdisjoint(clause.words)
        or not vocabulary.SUBJECTS.isdisjoint(clause.words[:1])
        or clause.opener in vocabulary.BEGINS_CLAUSE
        or any(group.relation for group in clause.groups)
    ]
    at = next((at for at, clause in enumerate(clauses) if clause.opener == ":"), len(clauses))
    parts = [clause for clause in clauses[at:] if vocabulary.VERBS.isdisjoint(clause.words)]
    told = [clause for clause in asserting if clause not in parts]
    if told and any(one.groups for one in parts) and told[-1].is_of_letters:  # we need x > y: (3, 2)
        told = [one for one in parts if one.groups]
    elif not any(clause.words[:1] == ("there",) for clause in told):  # there are 2 extrema: one at 1, one at -1
        told = asserting
    return (told or with_groups)[-1]


def _of_clause(clause: Clause) -> Asserted:
    groups = clause.groups
    named = [group for group in groups if group.is_name]
    groups = tuple(group for group in groups if not group.is_name) or groups
    if not groups or all(group.is_name and group.text.isalpha() and clause.words for group in groups):
        return Asserted(None)
    if len(groups) > 1:
        where = [group for group in groups if group.before[-1:] == ("for",) and vocabulary.has_bound(group.text)]
        if where and where[-1] is groups[-1] and not vocabulary.HOLDING.isdisjoint(clause.words):
            return Asserted(" or ".join(value(group.text) for group in where))
        after_is = [group for group in groups if _follows_is(group.before)]
        free = [group for group in without_subject(groups) if not _belongs_to_another_word(group.before)]
        related = [group for group in groups if group.relation]
        chosen = next((some for some in (after_is, related, free) if len(some) == 1), None)
        if chosen is None or "from" in clause.words or chosen[0].goes_on:
            return Asserted(None, unclear=True)
        groups = tuple(chosen)
    return _bounded(groups[0], named, clause)


def without_subject(groups: Sequence[Group]) -> Sequence[Group]:
    """`groups` without the first one if it is the subject of what the others say: 12 leaves a remainder of 4."""
    behind = groups[1].before[len(groups[0].before) :]
    return groups[1:] if not vocabulary.VERBS.isdisjoint(behind[:1]) and not groups[0].before else groups


def _belongs_to_another_word(before: Sequence[str]) -> bool:
    """Whether a preposition before a number makes it a part of what another word says: for 3, of the 20."""
    words = list(before)
    while words and words[-1] in vocabulary.DETERMINERS:
        words.pop()
    if words[-1:] == ["of"]:  # 15 of the 20, an album of 50, but a total of 50
        return len(words) < len(before) or vocabulary.AMOUNTS.isdisjoint(words[-2:])
    return bool(words) and words[-1] in vocabulary.ADJUNCTS


def _follows_is(before: Sequence[str]) -> bool:
    words = list(before)
    while words and words[-1] in vocabulary.AFTER_IS and words[-1] not in vocabulary.IS:
        words.pop()
    return bool(words) and words[-1] in vocabulary.IS


def _bounded(group: Group, named: Sequence[Group], clause: Clause) -> Asserted:
    """The answer in a group, unless the words before it deny it; a bound of a variable becomes a relation."""
    if "except" in group.before[-6:] or group.before[-2:] == ("other", "than"):
        return _excepted(group, clause)
    near = group.before[-5:]
    if "between" in near and named:
        ends = group.text.split(", ") if "strictly" in near and len(named) == 1 else []
        return Asserted(f"{ends[0]}<{value(named[0].text)}<{ends[1]}" if len(ends) == 2 else None, not ends)
    denied = max((index for index, word in enumerate(near) if word in vocabulary.DENIES), default=-1)
    if denied >= 0 and near[denied + 1 : denied + 2] not in (("is",), ("are",)):  # the number who do not is 18
        return Asserted(None)
    at = next((index for index, word in enumerate(near) if word == "than"), None)
    sign = vocabulary.BOUNDS.get(near[at - 1]) if at else vocabulary.SIGNS.get(near[-1]) if near else None
    sign = vocabulary.or_equal(sign, near) if at else vocabulary.LIMITS.get(near[-2:]) or sign
    if sign or near[-1:] in (("over",), ("under",)):
        if len(named) == 1 and sign and named[0].text not in group.text:
            return Asserted(f"{named[0].text}{sign}{group.text}")
        return Asserted(None, unclear=bool(named))
    if group.several:
        return Asserted(None, True, group.measured)
    return Asserted(group.text, measured=group.measured)


def _excepted(group: Group, clause: Clause) -> Asserted:
    """All real numbers but those of a group; unclear if the sentence is about other things."""
    of_reals = "all" in clause.words and not vocabulary.REALS.isdisjoint(clause.words)
    excluded = group.text.rpartition("=")[2].strip()
    return Asserted(f"\\mathbb{{R}}\\setminus\\{{{excluded}\\}}" if of_reals else None, not of_reals)


# -- clauses ----------------------------------------------------------------------------------------------------------


class _Builder:
    """Collects the clauses of a sentence."""

    def __init__(self, chances: bool) -> None:
        self._chances = chances
        """The sentence is about chances, so that 3 in 5 is a fraction."""
        self.clauses: list[Clause] = []
        self._opener = ""
        self._words: list[str] = []
        self._groups: list[tuple[list[Span], tuple[str, ...]]] = []
        self._either: set[int] = set()
        """Groups of inequalities of which one holds: x < 1 or x > 3."""
        self._going_on: set[int] = set()
        """Groups to which another one is added."""
        self._pending: list[str] = []
        """Words and marks since the last span."""

    @property
    def is_at_start(self) -> bool:
        """Whether its clause is still empty."""
        return not self._words and not self._groups

    @property
    def is_over(self) -> bool:
        """Whether its clause is a condition with a verb of its own, which the verb of the subject before it ends."""
        subject = self.clauses[-1] if self.clauses else None
        return (
            self._opener in vocabulary.BEGINS_ASIDE - vocabulary.CHECKS
            and not vocabulary.IS.isdisjoint(self._words)
            and subject is not None
            and bool(subject.words)
            and vocabulary.VERBS.isdisjoint(subject.words)
        )

    @property
    def is_check(self) -> bool:
        """Whether its clause only announces a check."""
        return len(self._words) == 1 and self._words[0] in vocabulary.CHECKS

    @property
    def has_groups(self) -> bool:
        """Whether its clause has a formula or number."""
        return bool(self._groups)

    @property
    def is_adjunct(self) -> bool:
        """Whether a preposition began its clause, and it has a number: From 2 pm to 4 pm she ..."""
        return bool(self._groups) and not vocabulary.ADJUNCTS.isdisjoint((self._opener, *self._words[:1]))

    @property
    def is_means(self) -> bool:
        """Whether its clause says by what means: Using the mirror equation we find ..."""
        return self._opener == "using"

    def word(self, word: str) -> None:
        self._words.append(word)
        self._pending.append(word)

    def mark(self, mark: str) -> None:
        self._pending.append(mark)

    def span(self, span: Span) -> None:
        joined = self._groups and self._pending and all(word in vocabulary.JOINS for word in self._pending)
        last = self._groups[-1][0] if self._groups else []
        is_sum = joined and last[-1].unit == span.unit and bool(span.unit) and "are" not in self._words[-2:]
        if joined and not is_sum and not (last[-1].is_number != span.is_number and last[-1].relation != span.relation):
            last.append(span)
            if "or" in self._pending and all(map(vocabulary.has_bound, (one.text for one in last))):
                self._either.add(len(self._groups) - 1)
        elif self._pending == ["="] and last:  # the result of a calculation with units: 5 m + 3 m = 8 m
            self._groups[-1] = ([span._replace(relation=True)], self._groups[-1][1])
        elif self._is_fraction() and last and last[-1].is_number and span.is_number:
            last[-1] = last[-1]._replace(text=f"{last[-1].text}/{span.text}")
        else:
            if self._pending[-1:] in (["and"], ["or"]) and self._groups:
                self._going_on.add(len(self._groups) - 1)
            self._groups.append(([span], tuple(word for word in self._words if word not in vocabulary.MODIFIERS)))
        self._pending = []

    def _is_fraction(self) -> bool:
        return self._pending == ["out", "of"] or (self._chances and self._pending == ["in"])

    def cut(self, opener: str = "") -> None:
        """End the clause; `opener` begins the next one."""
        groups = tuple(
            Group(
                listed(spans, index in self._either),
                len(spans) == 1 and spans[0].is_name,
                any(span.relation for span in spans),
                before,
                index in self._going_on,
                with_units(spans),
                len({span.unit for span in spans if span.unit}) > 1,
            )
            for index, (spans, before) in enumerate(self._groups)
        )
        self.clauses.append(Clause(self._opener, tuple(self._words), groups))
        self._opener, self._words, self._groups, self._pending = opener, [], [], []
        self._going_on, self._either = set(), set()


def _clauses(reader: plain.Reader) -> list[Clause]:
    chances = any(word in reader.sentence for word in ("chance", "odds", "robability"))
    builder, spans = _Builder(chances), {span.start: span for span in reader.spans}
    skipped = 0
    tokens = [token for token in reader.tokens if not any(a <= token.start < b for a, b in reader.asides)]
    for index, token in enumerate(tokens):
        if token.start < skipped:
            continue
        span = spans.get(token.start)
        if span is not None:
            skipped = span.end
            behind = next((other.text for other in tokens[index:] if other.start >= skipped), "")
            is_count = span.is_number and not span.unit and units.is_counted(behind) and behind not in vocabulary.VERBS
            builder.span(span._replace(counted=behind) if is_count else span)
            continue
        word = token.text.lower()
        following = tokens[index + 1].text.lower() if index + 1 < len(tokens) else ""
        if word == ":" and builder.is_check:
            builder.cut("check")
        elif word == ":":
            builder.cut(word)
        elif word in (";", "\u2014", "\u2013") or (word == "," and not _goes_on(tokens, index, spans)):
            builder.cut()
        elif (
            (word == "in" and following in vocabulary.SUMS_UP)
            or word in vocabulary.CHECKS
            or (word == "not" and following in vocabulary.IS)
        ):
            builder.word(word)
        elif word in vocabulary.IS and builder.is_over:
            builder.cut()
            builder.word(word)
        elif following == "which" and word in vocabulary.ADJUNCTS:
            builder.cut("where")
            skipped = tokens[index + 1].end
        elif word == "to" and builder.has_groups and is_purpose(tokens, index, spans):
            builder.cut("after")
        elif (word in vocabulary.PEOPLE and builder.is_adjunct) or (word == "we" and builder.is_means):
            builder.cut()
            builder.word(word)
        elif word in vocabulary.BEGINS_CLAUSE or (
            word in vocabulary.BEGINS_ASIDE and (word not in vocabulary.ADJUNCTS or builder.is_at_start)
        ):
            builder.cut(word)
            if word in vocabulary.ADJUNCTS:
                builder.word(word)
        elif word == "and" and following in vocabulary.SUBJECTS:
            builder.cut()
        elif token.kind == "word":
            builder.word(word)
        else:
            builder.mark(word)
    builder.cut()
    return builder.clauses


def is_purpose(tokens: Sequence[plain.Token], at: int, spans: dict[int, Span]) -> bool:
    """Whether the "to" at token `at` begins what something is for: 5 hours to travel 300 miles."""
    following = next(iter(tokens[at + 1 : at + 2]), None)
    return (
        following is not None
        and following.kind == "word"
        and following.start not in spans
        and following.text.lower() not in vocabulary.RESULTS | vocabulary.DETERMINERS
    )


def _goes_on(tokens: Sequence[plain.Token], at: int, spans: dict[int, Span]) -> bool:
    """Whether a list goes on after the comma at token `at`: 3, 5, and 7."""
    rest = [token for token in tokens[at + 1 : at + 3] if token.text.lower() not in ("and", "or")]
    before = tokens[at - 1] if at else None
    return bool(rest) and rest[0].start in spans and before is not None and before.kind != "word"
