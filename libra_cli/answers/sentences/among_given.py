"""Reads the only number of a last clause that is no circumstance: "27 pencils out of the original 36".

The other numbers of the clause stand behind a preposition, and the question or the text before has them.
"""

from __future__ import annotations

import re

from libra_cli.answers.text import number, vocabulary, words
from libra_cli.lazy_pattern import lazy_pattern

_MAX_CHARS = 400
_NUMBER = lazy_pattern(
    r"(?<![\w.,/^])[$\u20ac\u00a3]?(?P<figure>\d+(?:,\d{3})*(?:\.\d+)?)(?![\d/^*]|[.,]\d| ?[-+=\u00d7*] ?\d)"
)
_CALCULATION = lazy_pattern(
    r"(?<![\w.,])[$\u20ac\u00a3]?\d[\d.,]*(?: ?[-+*/x\u00d7\u00f7\u2212\u00b7] ?[$\u20ac\u00a3]?\d[\d.,]*)+"
    r" ?= ?(?=[$\u20ac\u00a3]?\d)"
)
"""What leads to the result of a calculation: 3 x 12 =."""
_RESULT = lazy_pattern(
    r" (?:(?:which|that|this) )?(?:works? out (?:to|at)|comes? (?:out )?to|amounts? to|averages? out (?:to"
    r"|at)|means(?: that)?"
    r"|ends? up with|for a total of|adds up to) ",
    one_of=(*("work", "come", "amount", "average", "means", "end up", "ends up"), *("for a total of", "adds up to")),
)
"""Verbs behind which the result stands."""
_LEAVES = lazy_pattern(
    r"(?:,? (?:leaving|which leaves)|(?<=\d) leaves|(?<=[a-z]) leaves) (?:[A-Za-z]+ ){0,2}?with ",
    one_of=(" leaves", "leaving"),
)
_CLAUSES = lazy_pattern(
    r"; |, (?:so|and|which|then|but|thus|hence|therefore|meaning|leaving|giving|making)\b"
    r"| so (?=[a-z]+ [a-z]+ \d)|, (?=[a-z]+ )"
)
_BOUND = lazy_pattern(
    r"(?:^|\s)(?P<noun>[a-z]+ )?(?P<word>of|in|for|from|after|at|every|per|over|by|with|than|until|to|on"
    r"|during|among|between|within"
    r"|each|into|before|and|both|when|if|as|a|an)"
    r"(?: (?:the|his|her|its|their|all|original|first|last|other|remaining|initial|every|those|these|each"
    r"|of)){0,3} $",
    re.IGNORECASE,
)
"""A preposition before a number, which belongs to another word."""
_DOING = lazy_pattern(r"\b[a-z]{2,}ing(?: [a-z]+)? [$]?$")
"""What somebody does with a number that is no result: after giving away 9."""
_FEW = 4
_OPENERS = words.table("for after in")
_UNSURE = words.table(
    """
    except without minus less fewer more half twice double dozen if not or than nearly almost maybe would could should
    may might no none cannot another extra additional too about short over squared cubed percent false wrong
    thirds quarters
    """
)
_REASON = lazy_pattern(
    r",? \b(?:because|since|as|given that|considering)\b.*$",
    one_of=("as", "since", "because", "given that", "considering"),
)
_ANY = lazy_pattern(r"\d+(?:[.,]\d+)*")


def answer(sentence: str, question: str, is_unclear: bool) -> str | None:
    """The number; None if it is not certain, or if what the sentence asserts `is_unclear` no more than elsewhere."""
    if len(sentence) > _MAX_CHARS:
        return None
    sentence = _CALCULATION.sub("", _REASON.sub("", sentence))
    results = [*_RESULT.finditer(sentence), *_LEAVES.finditer(sentence)]
    start = max((found.end() for found in results), default=0)
    if not start and not is_unclear:
        return None
    begin = start
    for cut in _CLAUSES.finditer(sentence, start):
        if any(map(str.isdigit, sentence[cut.end() :])):
            begin = cut.end()
    clause = sentence[begin:]
    first = clause.split(" ", 1)[0].lower()
    if ";" in sentence or (begin > start and first in vocabulary.BEGINS_ASIDE | vocabulary.ADJUNCTS - _OPENERS):
        return None
    if not _UNSURE.isdisjoint(word.lower() for word in words.split(clause)) or "=" in clause or "%" in clause:
        return None
    known = _values(question) | _values(sentence[:begin]) | {"1"}
    free = set[str]()
    numbers = [*_NUMBER.finditer(clause)]
    if len(numbers) != sum(1 for _ in _ANY.finditer(clause)):
        return None
    is_result = 0 < start == begin and bool(numbers) and clause[: numbers[0].start()].count(" ") < _FEW
    for found in numbers:
        before = clause[: found.start()]
        bound = _BOUND.search(before)
        amount = (bound["noun"] or "").strip() if bound and bound["word"].lower() == "of" else ""
        if amount in vocabulary.AMOUNTS and amount not in question and amount not in vocabulary.TOTALS:
            return None
        if (bound is None and _DOING.search(before) is None) or amount in vocabulary.AMOUNTS:
            free.add(found["figure"])
        elif found["figure"] not in known and not is_result:
            return None
    value = free.pop() if len(free) == 1 else None
    return None if value is None or (value in _values(question) and not is_result) else value


def _values(text: str) -> set[str]:
    """The numbers of a text, those in words too."""
    spelled = (words.number(word.lower()) for word in words.split(text) if len(word) > 2)
    return {*_ANY.findall(text), *(number.written(value) for value in spelled if value is not None)}
