"""Leaves out what a text says behind its answer to show that it is right: it goes back to a number of the question.

It may do so under a heading (`Verify: 18/3 + 4 = 10`), in words ("doubling it gives 32, and adding 9 gives 41") or by
an equation ("and 3 * 7 + 4 = 25").
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from libra_cli.answers.text import vocabulary, words
from libra_cli.lazy_pattern import lazy_pattern

_NEAR = 200
"""Characters of the longest sentence that is left out."""
_NUMBER = lazy_pattern(r"\d+(?:[.,]\d+)*")
_AGAINST = ("\u2260", "\\ne", "!=", "\u2717", "\u2718", " not ", "n't")
_INSIDE = lazy_pattern(r"[;:] |,? (?:since|because|as|for) |, and (?=\w+ing\b|\d)| works: ")
"""Where a sentence goes on behind its answer with what shows that it is right."""
_STATES = lazy_pattern(
    r"(?:\b(?:is|are|was|were|be|equals?|had|has|have|started with|began with|get|find|obtain|length)|=)"
    r" \D{0,12}\d|^\D{0,3}\d"
)
_VERIFIES = lazy_pattern(
    r"\b(?:indeed|required|needed|desired|expected|stated|matches|correct|right|works|checks?|add up|sum|squar\w+"
    r"|doubl\w+|twice|substitut\w+|plug\w*|put\w+|add\w*|multipl\w+|tak\w+|giv\w+|subtract\w+|minus|plus|times)\b"
    r"|\u2713|\d[\d )]*[-+*\u00b7\u00d7\u2212][ \d(][^=]{0,20}=|[\u00b2\u00b3]\s*="
)
"""Words and signs of a calculation that goes back to what is given."""


_IN_EQUATION = frozenset("0123456789 .=+-*/^()\u00b7\u00d7\u00f7\u2212\u00b2\u00b3$")
_OPENER = lazy_pattern(
    r"(?:Plugging|Substituting|Putting|Inserting|Testing|Test|Checking|Check|Verifying|Verify|Proof|Verification"
    r"|(?:Quick|Sanity) check|(?:Let['\u2019]s|Let us|We(?: can)?|To) (?:double[- ]?)?(?:check|verify|test|confirm))\b",
    one_of=(*("plugging", "substituting", "putting", "inserting", "test", "check", "verif"), *("proof", "confirm")),
)
_LINK = lazy_pattern(
    r"(?P<mark>[,;:(\u2014\u2013]?)\s*(?P<words>(?:(?:and|since|because|as|for|indeed|check|checking|verify|verifying"
    r"|plugging (?:it|this|that)(?: back)?(?: in)?(?: gives)?)[:,]? *){0,3})\Z"
)
_RIGHT = lazy_pattern(r"\s*(?P<value>\d+(?:[.,]\d+)*)(?P<rest>[^\d=]{0,40})\Z")
_VALUE = lazy_pattern(r"(?<![\d.,/])(?P<value>\d+(?:[.,]\d+)?)\W{0,3}(?:[A-Za-z%\u00b0]{1,12}\W{0,2})?\Z")
_COMPARED = lazy_pattern(
    r",? (?:which|that) is (?:a (?:bit|little|tad)|slightly|just|somewhat) "
    r"(?:more|less|over|under|above|below|greater|larger|smaller|bigger) (?:than )?\d[\d.,/]*[.!]?\Z"
)
_CHEERS = words.table(
    "great correct right good nice perfect works it that is checks out ok yes so all matches done qed"
)
_AGREES = _CHEERS | words.table("confirms as required which that's given needed indeed expected this in the answer")
_MOST, _FEW = 600, 4
_CONFIRMS = ("indeed", "in fact", "and indeed", "to check", "check")
_INTEGER = lazy_pattern(r"(?<![\d.])\d{1,9}(?![\d.]*\d)")
_SUM_OR_PRODUCT = lazy_pattern(
    r"(?P<left>\d{1,9}(?:(?: ?\+ ?\d{1,9})+|(?: ?(?:[*\u00b7\u00d7]|\\(?:cdot|times)) ?\d{1,9})+))"
    r"\$? ?= ?\$?(?P<right>\d{1,9})(?![\d.]*\d)"
)
_CHECK_HEADINGS = vocabulary.CHECKS | {
    *("verify", "checking", "quick check", "sanity check", "double check", "let's check"),
}
_HEADING_ENDS = lazy_pattern("[:.\uff1a\u3002]")
_CHECK_GIVES = (
    r"(?:The check|Die Probe|Die Kontrolle|La vérification|La comprobación|La verifica|A verificação|Проверка) "
    r"(?:gives|yields|ergibt|liefert|donne|da|dà|dá|даёт|дает) "
)
_CHECK_IN_LINE = lazy_pattern(
    r"(?<=[.!$*)]) (?=(?:Let['\u2019]s|Let us|Let me|We(?: can)?) (?:double-)?(?:check|verify)\b"
    r"|(?:Quick check|Check|Verify|Checking|Verification|Verifying|As a check|To check|To verify)\b[^.]{0,20}?[:,]"
    rf"|{_CHECK_GIVES})"
)
"""Where sentences begin that check a value on the same line."""
_OF_CHECKS = ("heck", "erif", "Probe", "Kontrolle", "vérif", "comprob", "Провер")
_SUBJECTS_OF_CHECK = ("The ", "Die ", "La ", "A ", "Провер")
_FINDS_MORE = words.table(
    """
    answer solution so therefore thus hence wrong mistake actually but not should dropped forgot instead miscounted
    fails
    """
)
_GOES_FURTHER = words.table("which left leaves leaving rounding get becomes instead result results total")
_SIGNS_OF_MORE = ("\u2260", "\\ne", "!=", "\u2717", "\u2718", "\u4e0d", "\u820d")
"""What a check says that is more than a check."""
_ASKED_NAME = lazy_pattern(
    r"\b(?i:solve|solution|find|value of|what is) (?:for )?\$?([A-Za-z])\$?(?![\w^]| ?[-+*/(])|(?i:solve)\b",
    one_of=("solve", "solution", "find", "value of", "what is"),
)
_ASSIGNED = lazy_pattern(r"(?<![A-Za-z\d])[A-Za-z] ?= ?-?[\d\\]")
_SOLVED = lazy_pattern(r"(?<![A-Za-z\d])([A-Za-z]) ?= ?-?\d[\d./]{0,20}(?:[,;]|(?<=\.)| and)\s")
"""A name with its value, and something behind it."""
_EQUATION = lazy_pattern(r"(?P<left>[^\s=,;:?!$][^=,;:?!$]{0,60})=\s*\$?(?P<right>-?[\d.,/]*\d)")
"""An equation with a number on its right side, as a question gives one."""
_WORD = lazy_pattern(r"(?<![\\A-Za-z\d])[A-Za-z]{2,}")
_OPERATOR = lazy_pattern(r"\d\s*[-+*/^\u00b7\u00d7(]|\\(?:cdot|times|frac)")
_MARKS = str.maketrans("", "", "$\u2713\u2714!")
_PARTS = lazy_pattern(r",|;|\band\b|\bso\b")
_CHECKING = words.table(
    "edit check checked checking so it works and verify verified verifying indeed ok both sides are equal"
)


def in_words(text: str, start: int, question: str, reference: str) -> str:
    """`text` without what goes back from its answer to a number of the question; empty if it does not.

    The number is 16; doubling it gives 32, and adding 9 gives 41.
    """
    last = text[start:]
    numbers = _NUMBER.findall(last)
    given = _NUMBER.findall(question)
    wanted = set(_NUMBER.findall(reference))
    if not numbers or numbers[-1] not in given or numbers[-1] in wanted or len(last) > _NEAR:
        return ""
    cut = _INSIDE.search(last)
    for at in (start, start + cut.start() if cut else 0):
        before, behind = text[:at].rstrip(), text[at:].lower()
        earlier = words.sentences(before)[-1]
        stated = set(_NUMBER.findall(earlier)) - set(given)
        is_doubted = any(
            map(behind.__contains__, (*_AGAINST, "wrong", "mistake", " but ", "actually", "answer", "so "))
        )
        is_new = not wanted.isdisjoint(_NUMBER.findall(behind)) and not wanted <= stated
        if stated and not (is_doubted or is_new) and _STATES.search(earlier) and _VERIFIES.search(behind):
            return before.rstrip(",;:") + ("" if before.endswith(".") else ".")
    return ""


def by_equation(tail: str, question: str) -> str:
    """`tail` without the equation with which it ends, which checks the value before it; empty if it ends in none."""
    compares = " than " in tail[-_MOST:] or " just " in tail[-_MOST:]
    shorter = _COMPARED.sub(".", tail) if compares else tail
    if "=" not in shorter[-_MOST:]:
        return shorter if shorter != tail else ""
    kept = shorter.rstrip()
    *earlier, last = words.sentences(kept)
    cheers = [word.lower() for word in words.split(last)]
    if earlier and 0 < len(cheers) < _FEW and _CHEERS.issuperset(cheers):
        kept = kept[: -len(last)].rstrip()
        *earlier, last = earlier
    if "=" not in last or len(last) > _MOST or not kept.endswith(last):
        return shorter if shorter != tail else ""
    known = set(_NUMBER.findall(question))
    if not earlier or not _OPENER.match(last.lstrip(" *_")):
        head = _without_clause(last, known)
        return f"{kept[: -len(last)]}{head}." if head else ""
    value, at = _VALUE.search(earlier[-1].rstrip(" .!*$")), last.rfind("=")
    right = _RIGHT.match(last, at + 1)
    has_figures = any(map(str.isdigit, last[_start_of_side(last) : at]))  # unlike 6 + y = 10, so y = 4
    if not has_figures or not right or not value or not _agrees(right["rest"]):
        return ""
    is_of_value = value["value"] in _NUMBER.findall(last[:at]) or (
        right["value"] in known and value["value"] not in known
    )
    return kept[: -len(last)].rstrip() if is_of_value else ""


def _without_clause(sentence: str, known: set[str]) -> str:
    """What stands before an equation at the end that comes to a number of the question: 14, and 14 · 14 = 196."""
    at = sentence.rfind("=")
    right = _RIGHT.match(sentence, at + 1)
    if right is None or right["value"] not in known or not _agrees(right["rest"]):
        return ""
    start = _start_of_side(sentence)
    left = sentence[start:at]
    if left.count("(") > left.count(")"):
        start += left.rfind("(") + 1
    link = _LINK.search(sentence, max(start - 80, 0), start)
    if link is None or not (link["mark"] or link["words"]):
        return ""
    head = sentence[: link.start()].rstrip()
    value = _VALUE.search(head)
    is_of_value = value and value["value"] in _NUMBER.findall(sentence[start:at]) and value["value"] != right["value"]
    return head if is_of_value else ""


def _start_of_side(sentence: str) -> int:
    """Where the calculation begins that leads to the last equals sign."""
    start = sentence.rfind("=")
    while start > 0 and sentence[start - 1] in _IN_EQUATION:
        if sentence.startswith(". ", start - 1):  # 15 and 16. 15 + 16 = 31
            break
        start -= 1
    return start


def _agrees(rest: str) -> bool:
    return _AGREES.issuperset(word.lower() for word in words.split(rest))


def confirms(sentence: str, earlier: str) -> bool:
    """Whether a sentence only calculates with the values that the one before it gives: 7 and 8. Indeed, 7 * 8 = 56."""
    if not sentence.lstrip("*_ ").lower().startswith(_CONFIRMS):
        return False
    given, sums = set(_INTEGER.findall(earlier)), [*_SUM_OR_PRODUCT.finditer(sentence)]
    for one in sums:
        values = _INTEGER.findall(one["left"])
        total = sum(map(int, values)) if "+" in one["left"] else math.prod(map(int, values))
        if len(set(values)) < 2 or not given.issuperset(values) or one["right"] in given or total != int(one["right"]):
            return False
    return bool(sums) and sentence.count("=") == len(sums)


def before_check(text: str) -> tuple[str, bool]:
    """A text that ends in the middle of a formula, without a check that it ends with; whether it is cut off then."""
    lines = text.split("\n")
    at = _line_of_check(lines, vocabulary.CHECKS)
    return ("\n".join(lines[:at]).rstrip(), False) if at else (text, True)


def without_check(tail: str) -> str:
    """`tail` without the check of its answer with which it ends, unless that finds something else."""
    lines = tail.rstrip().split("\n")
    at = _line_of_check(lines, _CHECK_HEADINGS)
    may_check = any(map(tail.__contains__, _OF_CHECKS))
    in_line = None if at or not may_check else _CHECK_IN_LINE.search(lines[-1])
    if in_line is not None:  # So x = 18. Verify: 18/3 + 4 = 10.
        before, check = lines[-1][: in_line.start()], lines[-1][in_line.end() :]
        last = words.sentences(before)[-1]
        is_said = "=" in last or in_line.string.startswith(_SUBJECTS_OF_CHECK, in_line.end())
        is_value = any(map(str.isdigit, last)) and is_said and " or " not in last and " and " not in last
        says_more = not (_FINDS_MORE | _GOES_FURTHER).isdisjoint(word.lower() for word in words.split(check))
        is_open = not is_value or says_more or any(map(check.__contains__, _SIGNS_OF_MORE))
        return tail if is_open else "\n".join([*lines[:-1], before])
    if not at:
        return tail
    check = "\n".join(lines[at:])
    says_more = not _FINDS_MORE.isdisjoint(word.lower() for word in words.split(check))
    is_more = says_more or words.takes_back(check) or any(map(check.__contains__, _SIGNS_OF_MORE))
    return tail if is_more else "\n".join(lines[:at]).rstrip()


def _line_of_check(lines: Sequence[str], headings: Collection[str]) -> int:
    """The last line with text above it that begins with one of `headings` and a colon or full stop; 0 if none does."""
    for at in range(len(lines) - 1, 0, -1):
        heading = _HEADING_ENDS.split(lines[at], maxsplit=1)[0].strip(" *#_>-").lower()
        if heading in headings and any(map(str.strip, lines[:at])):
            return at
    return 0


def is_identity(sentence: str, before: str, question: str) -> bool:
    """Whether a sentence only says that both sides of the equation that was solved are equal: 23 = 23."""
    if "=" not in sentence or not _ASKED_NAME.search(question) or not _ASSIGNED.search(before):
        return False
    heard = {word.lower() for word in words.split(sentence)}
    sides = [side for part in _PARTS.split(sentence) for side in [part.split("=")] if len(side) > 1]
    if not heard <= _CHECKING or not sides:
        return False
    equations = [(_WORD.split(match["left"])[-1].strip(" $"), match["right"]) for match in _EQUATION.finditer(question)]
    wanted = [(set(_NUMBER.findall(left)), _bare(right)) for left, right in equations if len(left) > 1]  # not x = 4
    ends = [(_bare(one[0]), _bare(one[-1])) for one in sides]
    if len(ends) > 1 and len({last for _, last in ends}) == 1:  # 5*4 + 3 = 23 and 2*4 + 15 = 23
        return True
    return all(
        first == last
        or _OPERATOR.search(last) is not None
        or any(last == right and known.issubset(_NUMBER.findall(first)) for known, right in wanted)
        for first, last in ends
    )


def goes_beyond(text: str, question: str | None) -> bool:
    """Whether a text gives the unknown that a question asks for, and another equation behind it: x = 12, 12/3 = 4."""
    asked = _ASKED_NAME.search(question) if question and text.count("=") > 1 else None
    solved = {match[1] for match in _SOLVED.finditer(text)} if asked and asked[1] else set()
    return asked is not None and asked[1] in solved


def _bare(side: str) -> str:
    """A side of an equation without words, spaces and the marks around it."""
    return "".join(_WORD.sub("", side).translate(_MARKS).split()).strip(".,:*")
