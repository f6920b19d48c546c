"""Reads by what factor something changes, where the reference says that in words: it becomes one fourth, it doubles."""

from __future__ import annotations

import re
from fractions import Fraction

from libra_cli.answers.text import number, words
from libra_cli.lazy_pattern import lazy_pattern

_VERBS = {
    **dict.fromkeys(("doubles", "doubled", "double"), Fraction(2)),
    **dict.fromkeys(("triples", "tripled", "triple", "trebled", "trebles"), Fraction(3)),
    **dict.fromkeys(("quadruples", "quadrupled", "quadruple"), Fraction(4)),
    **dict.fromkeys(("halves", "halved", "halve"), Fraction(1, 2)),
    "quartered": Fraction(1, 4),
}
_VALUE = (
    r"(?P<%s>an? [a-z]+|\d+(?:\.\d+)?(?:/\d+)?|[a-z]+(?:[- ](?:thirds?|fourths?|quarters?|fifths?|ninths?|eighths?))?)"
)
_FACTOR = lazy_pattern(
    rf"\b(?P<way>increase|rise|grow|goes up|multipl|change|decrease|reduce|drop|fall|divide|shrink"
    rf"|goes down|larger|bigger|smaller|weaker|stronger)\w*(?: in strength)?"
    rf" by (?:a factor of )?(?:about |exactly )?{_VALUE % 'by'}(?! ?%| percent)"
    rf"|\b(?:become|is|are|to|be|by|fall|drop)(?:s|es)?(?: only| exactly| reduced to)?"
    rf" {_VALUE % 'part'} (?:of|as|the|its)\b"
    rf"|\b(?:become|reduced to|drops to|falls to)s? {_VALUE % 'end'}[.!]?$"
    rf"|\b(?P<times>\d+(?:\.\d+)?|[a-z]+) times (?:as |the |its |what |(?P<more>larger|greater|bigger|stronger|higher"
    rf"|longer|faster|brighter|more)|(?P<less>smaller|weaker|less|lower|shorter|slower|fainter))"
    rf"|\b(?P<fold>[a-z]+|\d+)-?fold\b"
    r"|\b(?P<letter>[a-z]) (?:becomes|changes to|goes to|\u2192) (?P<multiple>\d+(?:/\d+)?) ?(?P=letter)\b"
)
_CONDITION = lazy_pattern(
    r"^(?:so )?(?:if|when|as|since|because|with|doubling|halving|tripling)\b[^,]*, "
    r"|[,;]? \b(?:if|when|because|since|as it|while|for)\b.*$"
)
_OPEN = words.table("not never or half-way instead unlike than wrong but unless maybe perhaps could squared cubed root")
_SAME = ("stays the same", "remains the same", "unchanged", "does not change", "doesn't change", "remains constant")
_UP, _FACTOR_ONLY = ("increase", "rise", "grow", "goes up"), " by a factor of "
_LONGEST = 12


def is_asked_for(reference: str) -> bool:
    """Whether a reference says in words by what factor something changes."""
    text = reference.lower().strip(" .")
    is_short = " " in text and len(text.split()) <= _LONGEST and "%" not in text
    return is_short and _of(text) is not None


def said(sentence: str, reference: str) -> bool | None:
    """Whether a sentence says the change of the reference; None if that is not certain."""
    wanted, given = _of(reference.lower().strip(" .")), _of(sentence.lower().strip(" *"))
    return None if wanted is None or given is None else wanted == given


def factor(sentence: str, question: str) -> str | None:
    """The factor by which a sentence says that something changes, where the question asks for that: 1/9.

    None if the question asks for no factor, or by which factor something decreases: it becomes 9 times weaker.
    """
    asked = question.lower()
    decreases = any(
        map(asked.__contains__, ("decrease", "reduc", "smaller", "less", "weaker", "shrink", "divid", "drop"))
    )
    if "factor" not in asked or " change" not in asked or decreases:
        return None
    value = _of(sentence.lower().strip(" *"))
    return None if value is None else str(value)


def _of(text: str) -> Fraction | None:
    """The only factor by which a text says that something changes; None if it says none for certain."""
    text = _CONDITION.sub("", text.replace("\u2019", "'")).strip(" .!")
    text = text.rpartition(", so ")[2] or text
    heard = words.split(text)
    is_same = any(map(text.__contains__, _SAME))
    if not is_same and not _OPEN.isdisjoint(heard):
        return None
    found = {_VERBS[word] for word in heard if word in _VERBS}
    for match in _FACTOR.finditer(text):
        value = _value(match)
        if value is None or value <= 0:
            return None
        found.add(value)
    if is_same:
        found.add(Fraction(1))
    return found.pop() if len(found) == 1 else None


def _value(match: re.Match[str]) -> Fraction | None:
    """The factor of a phrase; None if it has no number, or says by how much and not how many times."""
    groups = match.groupdict()
    said_value = next((groups[name] for name in ("by", "part", "end", "times", "fold", "multiple") if groups[name]), "")
    value = _number(said_value)
    if value is None or value == 1:  # it is one of the
        return None
    if groups["by"]:
        way, is_factor = groups["way"], _FACTOR_ONLY in match[0]
        if way.startswith(("multipl", "change")):
            return value
        if way.startswith("divide"):
            return 1 / value if value else None
        if not is_factor or not value:
            return None
        return value if way.startswith((*_UP, "larger", "bigger", "stronger")) else 1 / value if value > 1 else value
    return 1 / value if groups["less"] and value else value


def _number(text: str) -> Fraction | None:
    bare = text.removeprefix("an ").removeprefix("a ")
    parsed = number.parse(bare)
    if parsed is not None:
        return parsed.value
    named = {
        "twice": Fraction(2),
        "thrice": Fraction(3),
        "half": Fraction(1, 2),
        "third": Fraction(1, 3),
        "quarter": Fraction(1, 4),
        "fourth": Fraction(1, 4),
    }
    return named.get(bare) or words.number(text) or words.number(bare)
