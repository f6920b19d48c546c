"""Reads the option that a list of verdicts leaves, one line for each: `A: incorrect` above `B: correct`."""

from __future__ import annotations

import re
from collections.abc import Collection

from libra_cli.answers.sentences import options
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

FEWEST = 3
"""Options that such a list judges."""
_RIGHT = words.table("correct true right yes")
_WRONG = words.table("incorrect false wrong no \u00d7 not")
_ASKS_WRONG = words.table(
    "not incorrect false except wrong untrue least cannot isn't aren't doesn't never invalid inaccurate"
)
_ODD_ONE = ("odd one", "odd man", "odd-one", "one out", "out of place", "different from the o", "differs from the o")
_ANSWERS = words.table("yes no not")
"""Verdicts that, at the end of a line, are of what the line says: `A. invertible: no`."""
_ARROWS = ("\u2192", "\u21d2", "\u27f9", "=>", "->")
_DENIED = lazy_pattern(r"^[A-J]\b.*[\s-](?:no|false|wrong|incorrect|not)$")
_LETTER = lazy_pattern(r"\b[A-J]\b")
_NEXT = lazy_pattern(r"(?<=[.,;]) (?=[A-J]: )")
_NEXT_MARKED = lazy_pattern(r"(?<=\S) (?=\(?[A-J][.):] )")
_SMALL = lazy_pattern(
    r"(?:[.!?;:\u2192] ?|(?:^|[\s,;:])(?:(?i:it|that|answer)['\u2019]?s|is|be|pick|choose|chose|say|with|so|thus"
    r"|hence|therefore|answer"
    r"|option|choice|guess)[: ]+)\(?(?P<letter>[a-hj])\)?[.!]*$"
)
"""A small letter at the end of a text: so it's c."""
_OPEN = words.table("not never neither nor or maybe perhaps could might may can't cannot isn't wouldn't if unless")
_CLAUSE = lazy_pattern(r"[,;.!?\n] ?|\b(?:so|but|hence|thus|therefore)\b")
_TICKS, _CROSSES = frozenset("\u2713\u2714\u2705\u2611"), frozenset("\u2717\u2718\u274c\u2716")
_LISTED = lazy_pattern(r"[A-J](?: ?[.):][*_]{0,2}| [-\u2013\u2014])(?=\s)")
_MARKUP = " \t*_`-\u2022>|()[].:,;\u2013\u2014"


def right(text: str, question: str | None, count: int = 1) -> str | None:
    """The options that the list at the end of a text calls right, or what stands behind its last arrow.

    `count` is how many are asked for. None if the text has no such list, "" if its marks may mean several things.
    """
    line = text.rstrip().rpartition("\n")[2].rstrip(" .*)$")
    letter = line[-1:]
    before = line[:-1].rstrip(" (*$")
    if "A" <= letter <= "J" and before.endswith(_ARROWS):
        return None if set(_LETTER.findall(before)) - {letter} else letter  # A + B -> C is a reaction
    listed = options.of_question(question) if question else {}
    small = _in_small_letter(text, listed, question) if listed and question else None
    if small is not None:
        return small
    marked = _marked(text, count, asks_wrong=asks_wrong(question or ""))
    return _only(text, asks_wrong=asks_wrong(question or "")) if marked is None else marked


def asks_wrong(question: str) -> bool:
    """Whether a question asks which option is wrong, or unlike the others."""
    is_odd_one = any(map(question.lower().__contains__, _ODD_ONE))
    return is_odd_one or not _ASKS_WRONG.isdisjoint(word.lower() for word in words.split(question))


def _in_small_letter(text: str, listed: Collection[str], question: str) -> str | None:
    """The option whose small letter ends a text, unless the question has a variable of that name: so it's c."""
    end = text.rstrip(" *\n")
    found = _SMALL.search(end) if end[-1:] in ".!)" or not end[-2:-1].isalnum() else None
    if found is None or found["letter"].upper() not in listed:
        return None
    clause = _CLAUSE.split(end[: found.start("letter")])[-1]
    is_open = not _OPEN.isdisjoint(word.lower().replace("\u2019", "'") for word in words.split(clause))
    is_variable = re.search(rf"(?<![A-Za-z(]){found['letter']}(?![A-Za-z).])", question) is not None
    is_variable = is_variable and found["letter"] != "a"
    return None if is_open or is_variable else found["letter"].upper()


def denied_lines(text: str) -> set[str]:
    """The options that the lines at the end of a text call wrong, each beginning with its letter: B: no."""
    denied = set[str]()
    for line in reversed([line.strip(_MARKUP) for line in text.split("\n") if line.strip()]):
        if _verdict(line) is not False and not _DENIED.search(line):
            break
        denied.add(line[0])
    return denied


def _marked(text: str, count: int, *, asks_wrong: bool) -> str | None:
    """The options that the ticks and crosses of a list choose; None if it has no marks, "" if they may mean others.

    One tick or cross is on the option that is chosen, or on the one that has the property of the question; where the
    question asks what lacks a property, only the last option without a tick is certain.
    """
    if (_TICKS | _CROSSES).isdisjoint(text):
        return None
    lines = [line for line in text.rstrip().split("\n") if line.strip()]
    if len(parts := _NEXT_MARKED.split(lines[-1])) >= FEWEST:  # A. 3 \u2713 B. 4 C. 5 \u2713
        if lines[-1].strip()[0] in _TICKS | _CROSSES:
            return ""
        lines = parts
    marks: dict[str, bool | None] = {}
    for line in reversed(lines):
        bare = line.strip(_MARKUP + "\ufe0f")
        ends = {bare[:1], bare[-1:]}
        bare = bare.strip("".join(_TICKS | _CROSSES)).strip(_MARKUP + "\ufe0f")
        label = _LISTED.match(bare)
        is_option = label or (len(bare) == 1 and "A" <= bare <= "J")
        ends |= {bare[label.end() :].lstrip(_MARKUP)[:1]} if label else set()  # A) \u2713 6 is even
        if not is_option or bare[0] in marks:
            break
        marks[bare[0]] = True if ends & _TICKS else False if ends & _CROSSES else None
    ticked, crossed, plain = ([letter for letter in marks if marks[letter] is mark] for mark in (True, False, None))
    if len(marks) < FEWEST or len(plain) == len(marks):
        return None
    if asks_wrong:
        found = crossed or plain
        is_certain = len(found) == 1 == count and (len(ticked) > 1 or (found == crossed and not ticked))
    else:
        found = ticked or plain
        is_certain = len(found) == count and (bool(ticked) or count == 1)
    return ", ".join(sorted(found)) if is_certain else ""


def _only(text: str, *, asks_wrong: bool) -> str | None:
    """The only option that a list calls right; where the question asks for a wrong one, the only one called wrong."""
    verdicts: dict[str, bool] = {}
    lines = text.rstrip().split("\n")
    if lines[-1].count(":") >= FEWEST:  # A: no. B: yes. C: no.
        lines = _NEXT.split(lines[-1])
    for line in reversed(lines):
        if not line.strip():
            continue
        bare = line.strip(_MARKUP)
        verdict = _verdict(bare)
        if verdict is None or bare[0] in verdicts:
            break
        verdicts[bare[0]] = verdict
    found = [letter for letter, is_right in verdicts.items() if is_right is not asks_wrong]
    return found[0] if len(found) == 1 and len(verdicts) >= FEWEST else None


def _verdict(line: str) -> bool | None:
    """Whether a line calls the option right with whose letter it begins; None if it does neither."""
    if not "A" <= line[:1] <= "J" or line[1:2].isalnum():
        return None
    heard = [word.strip(_MARKUP).lower() for word in line[1:].split()]
    heard = [word for word in heard if word]
    last = [word for word in heard[-1:] if word not in _ANSWERS]
    for word in heard[:1] + last:
        if word in _RIGHT:
            return True
        if word in _WRONG:
            return False
    return None
