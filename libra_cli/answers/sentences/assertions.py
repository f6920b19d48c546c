"""Reads the answer that a sentence asserts: the formula, the number or the few words of its main clause.

A sentence is cut into clauses. Reasons, conditions, approximations and remarks in brackets are no answers. Of what is
left, the clause that draws a total or else the last one with a verb counts; in it what follows "is" counts, or else the
only number that does not belong to another word ("for 3 people"). Where this leaves several, the answer is unclear.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from libra_cli.answers.languages import answer_forms
from libra_cli.answers.sentences import comparatives, equations, plain
from libra_cli.answers.sentences.clauses import Clause, Group, clauses_of, is_only_first
from libra_cli.answers.sentences.spans import value
from libra_cli.answers.text import vocabulary
from libra_cli.lazy_pattern import lazy_pattern

_CALCULATION = lazy_pattern(r"<<[^<>\n]{0,80}>>")
_SHORT = 40
_BEFORE_RESULT = vocabulary.AMOUNTS | vocabulary.AFTER_IS - {"to"} | {"of", "us", "you", "him", "her", "them", "final"}
"""Words between a verb of results and the number: an average of."""
_TOLD_BEFORE = lazy_pattern(
    r"(?:I|My) (?:first|initial(?:ly)?|originally|earlier|previous(?:ly)?)\b.*\b(?:wrong|incorrect|mistaken)\.?$",
    one_of=("first", "initial", "earlier", "previous", "original"),
)
"""A remark about an answer that was given before: I first said 54, which was wrong."""
_SUPPOSED = lazy_pattern(r"^[^,.;]{1,60} would have (?:given|been|made|left|meant|led|produced|yielded|resulted)\b")
"""A remark about what is not so: A flat 20% would have given 16,000."""
_BUT = ("less", "more", "greater", "smaller", "larger", "at")
"""What a second bound begins with behind "but"."""
_RELATED = frozenset(("multiple", "multiples", "divisor", "divisors", "power", "powers", "root"))
"""Nouns of numbers that are named by another one: a multiple of 7."""
_POSSIBLE = frozenset(("could", "might", "may"))
_NOTHING = lazy_pattern(r"\bno (?:real |integer |such |valid )*(?:solutions?|roots?|values?)\b", re.IGNORECASE)


class Asserted(NamedTuple):
    """What a sentence asserts."""

    answer: str | None
    unclear: bool = False
    """The sentence has several numbers, and none is the answer for certain."""
    measured: str | None = None
    """The answer with its unit, or a quantity in several: 2 hours 30 minutes."""
    of_limit: bool = False
    """The answer is a relation made of words that may as well state its bound, the least or the greatest value."""
    compares: bool = False
    """The answer is a difference or a ratio: 3 more than Ben, 3 times as many."""


def without_calculations(sentence: str) -> str:
    """`sentence` without the marks of a calculator: <<6*7=42>>."""
    return _CALCULATION.sub("", sentence) if "<<" in sentence else sentence


def denies(text: str) -> bool:
    """Whether a word of `text` denies what the others say."""
    return not vocabulary.DENIES.isdisjoint(text.lower().split())


def is_aside(sentence: str) -> bool:
    """Whether a sentence only checks the one before it, denies another value, or stands in brackets."""
    sentence = sentence.strip()
    if sentence.lower().startswith(("that is", "this is", "that's", "which is")) and sentence.endswith("answer."):
        return True
    is_denial = sentence.startswith(("Not ", "not ")) and len(sentence) < _SHORT  # Not 180 meters.
    if is_denial or _TOLD_BEFORE.match(sentence) or _SUPPOSED.search(sentence):
        return True
    first, colon, _ = sentence.partition(":")
    return (bool(colon) and first.lower() in vocabulary.CHECKS) or (sentence.startswith("(") and sentence.endswith(")"))


def asserted(sentence: str) -> Asserted:
    """Read what a sentence asserts."""
    for but in _BUT:
        sentence = sentence.replace(f" but {but} ", f" and {but} ")
    sentence = equations.inferred(answer_forms.with_english_joins(without_calculations(sentence).strip()))
    nothing = _NOTHING.search(sentence) if "no " in sentence.lower() else None
    if nothing and not _is_condition_for(sentence[nothing.end() :]):
        return Asserted("no solution")
    clauses = [clause for clause in clauses_of(plain.Reader(sentence)) if clause.words or clause.groups]
    main = _main(clauses)
    if main is None or main.opener == "not":
        return Asserted(None)
    if (
        any(is_open(clause) for clause in clauses)
        or _is_outdone(main, clauses)
        or _is_rest(main, clauses)
        or is_only_first(main, clauses)
    ):
        return Asserted(None, unclear=True)
    is_condition = main.opener not in vocabulary.ADJUNCTS | vocabulary.ABOUT and _is_aside(main)
    if not main.groups and clauses[0].groups and clauses[0].opener in vocabulary.CONDITIONS:
        return Asserted(None, unclear=True)
    is_only = main.opener in ("namely", "i.e.") and not any(one.groups for one in clauses if one is not main)
    if is_only or (is_condition and _is_equivalent(main, clauses)):
        return _of_clause(main)
    if main.groups and (is_condition or not vocabulary.IMPERATIVES.isdisjoint(main.words[:1])):
        return Asserted(None, unclear=True)
    return _of_clause(main)


def _is_condition_for(behind: str) -> bool:
    """Whether what a sentence says last is a relation that it infers: no real roots iff 4 + 4m < 0, hence m < -1."""
    heard = [word.strip(",.:") for word in behind.split()]
    return not vocabulary.BEGINS_CLAUSE.isdisjoint(heard) and vocabulary.has_relation(behind)


def _is_equivalent(main: Clause, clauses: Sequence[Clause]) -> bool:
    """Whether a condition is all that a sentence says: the inequality holds when, this is so exactly if."""
    if main.opener not in ("when", "if", "for", "where") or [one.opener for one in clauses].count(main.opener) > 1:
        return False
    before = {word for clause in clauses if clause is not main for word in clause.words}
    others = [clause for clause in clauses if clause is not main and clause.groups]
    return not others and not before.isdisjoint(vocabulary.EQUIVALENT) and vocabulary.DENIES.isdisjoint(before)


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


def _is_rest(main: Clause, clauses: Sequence[Clause]) -> bool:
    """Whether the main clause only says what is left out: all but 2."""
    before = next((one for one, following in pairwise(clauses) if following is main), None)
    return main.opener == "but" and before is not None and before.words[-1:] in (("all",), ("everyone",), ("every",))


def is_open(clause: Clause) -> bool:
    """Whether a clause only says what the answer could be: "it could be 12 or 14", "2 or 3, depending on a"."""
    return clause.opener == "depending" or any(
        group.before[-1:] == ("be",) and not _POSSIBLE.isdisjoint(group.before[-3:-1]) for group in clause.groups
    )


def _main(clauses: Sequence[Clause]) -> Clause | None:
    """The clause that holds the answer; one without groups if none has any."""
    with_groups = [clause for clause in clauses if clause.groups and not _is_aside(clause)]
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
    last = with_groups[-1]
    if len(with_groups) > 1 and last.opener == "which" and comparatives.compares(last.groups[0].after):
        with_groups.pop()  # 4 stickers, which is 5 less than a row
    goes_on = with_groups[-1].opener == "which" or with_groups[-1].opener in vocabulary.BEGINS_CLAUSE
    if totals and not (_is_of_sentence(totals[-1]) and with_groups[-1] is not totals[-1] and goes_on):
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
    asserting = [clause for clause in asserting if not _is_relative(clause, clauses)]
    told = [clause for clause in asserting if clause not in parts]
    if told and any(one.groups for one in parts) and told[-1].is_of_letters:  # we need x > y: (3, 2)
        told = [one for one in parts if one.groups]
    elif not any(clause.words[:1] == ("there",) for clause in told):  # there are 2 extrema: one at 1, one at -1
        told = asserting
    return (told or with_groups)[-1]


def _is_relative(clause: Clause, clauses: Sequence[Clause]) -> bool:
    """Whether a clause stands between a subject without a number and its verb: the tank, which lost 4, held 9."""
    if clause.opener not in ("which", "who", "that") or not vocabulary.IS.isdisjoint(clause.words[:1]):
        return False
    at = next(at for at, one in enumerate(clauses) if one is clause)
    before, behind = clauses[:at], next(iter(clauses[at + 1 :]), None)
    is_subject = bool(before) and not before[-1].groups and vocabulary.VERBS.isdisjoint(before[-1].words)
    goes_on = behind is not None and behind.opener == "" and bool(behind.groups) and bool(behind.groups[0].before)
    return is_subject and goes_on and behind is not None and not behind.words[0].endswith("ing")


def _is_aside(clause: Clause) -> bool:
    """Whether a clause is a reason, a condition or a remark, and does not say an amount: 3x^2, whose value is 12."""
    says_amount = clause.opener == "whose" and not vocabulary.AMOUNTS.isdisjoint(clause.words[:1])
    says_amount = says_amount or (clause.opener == "namely" and not vocabulary.LEADS.isdisjoint(clause.words[:2]))
    is_place = len(clause.groups) == 1 and clause.groups[0].before[-2:] in _OF_BOTH  # 4, midway between 3 and 5
    return is_place or (clause.opener in vocabulary.BEGINS_ASIDE and not says_amount)


def _is_of_sentence(clause: Clause) -> bool:
    """Whether its only word for a total begins its sentence: Overall the train covers 280 km, which is 56 per hour."""
    return not vocabulary.TOTALS.isdisjoint(clause.words[:2]) and vocabulary.TOTALS.isdisjoint(clause.words[2:])


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
        related = [group for group in groups if group.relation and group.before[-1:] != ("for",)]
        result = result_of(groups)
        if result is not None and len(after_is) != 1 and result not in named:
            return _bounded(result, named, clause)
        if any(group.before[-2:] in _DESCRIBING for group in groups[1:]):  # (x+3)^2 - 7 with vertex (-3, -7)
            return Asserted(None, unclear=True)
        chosen = next((some for some in (after_is, related, free) if len(some) == 1), None)
        ends = [0, *(len(group.before) for group in groups)]
        signs = [_sign(group.before[ends[at] :][-5:]) for at, group in enumerate(groups)]
        if all(signs) and len(named) < 2:
            return _within(groups, [str(sign) for sign in signs], named)
        bounds = len(signs) - signs.count(None)
        if groups[-1].before[-1:] == ("means",) and groups[-1].relation:  # |x| < 2 means -2 < x < 2
            return _bounded(groups[-1], named, clause)
        led = [group for group in groups if group.before[-1:] in (("give",), ("gives",))]  # x + y = 5 gives (3, 2)
        is_led_to = chosen is related and led and led[-1] is groups[-1] and chosen[0] not in led
        is_range = "from" in clause.words and "to" in clause.words and len(after_is) != 1
        if chosen is None or is_led_to or is_range or chosen[0].goes_on or bounds > 1:
            return Asserted(None, unclear=True)
        groups = tuple(chosen)
    return _bounded(groups[0], named, clause)


def _within(groups: Sequence[Group], signs: Sequence[str], named: Sequence[Group]) -> Asserted:
    """Two bounds of one variable: at least 0 and less than 5, less than 1 or more than 3."""
    name = value(named[0].text) if named else "x"
    said = [" ".join(high.before[len(low.before) :]) for low, high in pairwise(groups)]
    between = {word for one in said for word in one.replace("or equal", "").split()}
    told = (f"{name}{sign}{value(group.text)}" for group, sign in zip(groups, signs, strict=True))
    return Asserted((" or " if "or" in between else " and ").join(told), of_limit=True)


def without_subject(groups: Sequence[Group]) -> Sequence[Group]:
    """`groups` without those of the subject of what the others say: 12 leaves a remainder of 4, 4 spiders have 32."""
    said = [group for group in groups if not vocabulary.VERBS.isdisjoint(group.before) and not _is_later(group.before)]
    return said if said and not groups[0].before and len(said) < len(groups) else groups


def _is_later(before: Sequence[str]) -> bool:
    """Whether the words before a number say behind their verb when it is so: 43 remain after giving away 17."""
    verb = max(at for at, word in enumerate(before) if word in vocabulary.VERBS)
    return "after" in before[verb:]


def _belongs_to_another_word(before: Sequence[str]) -> bool:
    """Whether a preposition before a number makes it a part of what another word says: for 3, of the 20."""
    words = list(before)
    while words and words[-1] in vocabulary.DETERMINERS:
        words.pop()
    if words[-1:] == ["of"]:  # 15 of the 20, an album of 50, but a total of 50
        return len(words) < len(before) or vocabulary.AMOUNTS.isdisjoint(words[-2:])
    return bool(words) and words[-1] in vocabulary.ADJUNCTS


def result_of(groups: Sequence[Group]) -> Group | None:
    """The last group behind a verb of results, if those behind it belong to other words: works out to 56 over 280."""
    for at in range(len(groups) - 1, -1, -1):
        since = groups[at].before[len(groups[at - 1].before) if at else 0 :]
        if _is_led(groups[at].before):  # but not the 50 of 3 euros 50
            return None if groups[at].goes_on or not since else groups[at]
        if not _belongs_to_another_word(since):
            return None
    return None


def _is_led(before: Sequence[str]) -> bool:
    """Whether the words before a number end in a verb of results: comes to, is left with, gives a total of."""
    words = list(before)
    while words and words[-1] in _BEFORE_RESULT:
        words.pop()
    if words[-1:] == ["to"] and words[-2:-1] == ["from"]:  # it drops from 60 to 43
        return not vocabulary.LEADS_TO.isdisjoint(words[-5:-2])
    if words and words[-1] in vocabulary.SOLUTIONS:
        while words and words[-1] in vocabulary.SOLUTIONS | vocabulary.AFTER_IS:
            words.pop()
        return words[-1:] in (["has"], ["have"]) or not vocabulary.LEADS.isdisjoint(words[-1:])
    return words[-1:] != [] and (words[-1] in vocabulary.LEADS or vocabulary.leads(words))


_DESCRIBING = frozenset(
    ("with", noun)
    for noun in ("vertex", "centre", "center", "radius", "slope", "discriminant", "domain", "range", "axis")
)
"""Words between a formula and one of its properties, of which either may be asked for."""
_OF_BOTH = frozenset((way, "between") for way in ("halfway", "midway", "half-way", "mid-way"))
"""Words between a value and the two numbers that it lies between."""


def _follows_is(before: Sequence[str]) -> bool:
    words = list(before[:-2] if before[-2:] == ("in", "total") else before)
    while words and words[-1] in vocabulary.AFTER_IS and words[-1] not in vocabulary.IS:
        words.pop()
    return bool(words) and words[-1] in vocabulary.IS


def _bounded(group: Group, named: Sequence[Group], clause: Clause) -> Asserted:
    """The answer in a group, unless the words before it deny it; a bound of a variable becomes a relation."""
    if "except" in group.before[-6:] or group.before[-2:] == ("other", "than"):
        return _excepted(group, clause)
    near = group.before[-5:]
    is_related = near[-1:] == ("of",) and not _RELATED.isdisjoint(near[-2:-1]) and group.text.isdecimal()
    if near[-1:] == ("outside",) or is_related or near[-2:] in _OF_BOTH:
        return Asserted(None, unclear=True)
    if "between" in near and named:
        between = "<" if "strictly" in near else "\\leq " if not vocabulary.INCLUSIVE.isdisjoint(clause.words) else ""
        ends = group.text.split(", ") if between and len(named) == 1 else []
        return Asserted(
            f"{ends[0]}{between}{value(named[0].text)}{between}{ends[1]}" if len(ends) == 2 else None, not ends
        )
    denied = max((index for index, word in enumerate(near) if word in vocabulary.DENIES), default=-1)
    if denied >= 0 and near[denied + 1 : denied + 2] not in (("is",), ("are",)):  # the number who do not is 18
        return Asserted(None)
    sign = _sign(near)
    if sign or near[-1:] in (("over",), ("under",)):
        if len(named) == 1 and sign and named[0].text not in group.text:
            return Asserted(f"{named[0].text}{sign}{group.text}", of_limit=near[-2:] in vocabulary.LIMITS)
        return Asserted(None, unclear=bool(named))
    if group.several:
        return Asserted(None, True, group.measured)
    return Asserted(group.text, measured=group.measured, compares=comparatives.compares(group.after))


def _sign(near: tuple[str, ...]) -> str | None:
    """The relation that the words before a number say: greater than, at least; None if they say none."""
    at = next((index for index, word in enumerate(near) if word == "than"), None)
    if at:
        return vocabulary.or_equal(vocabulary.BOUNDS.get(near[at - 1]), near)
    return vocabulary.LIMITS.get(near[-2:]) or vocabulary.SIGNS.get(near[-1] if near else "")


def _excepted(group: Group, clause: Clause) -> Asserted:
    """All real numbers but those of a group; unclear if the sentence is about other things."""
    of_reals = "all" in clause.words and not vocabulary.REALS.isdisjoint(clause.words)
    excluded = group.text.rpartition("=")[2].strip()
    return Asserted(f"\\mathbb{{R}}\\setminus\\{{{excluded}\\}}" if of_reals else None, not of_reals)
