"""Reads the option that a list of verdicts leaves, one line for each: `A: incorrect` above `B: correct`."""

from __future__ import annotations

import re
from collections.abc import Collection

from libra_cli.answers.sentences import options
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

FEWEST = 3
"""Options that such a list judges."""
_RIGHT = words.table("correct true right yes \u2713 \u2714 \u2714\ufe0f \u2705")
_WRONG = words.table("incorrect false wrong no \u2717 \u2718 \u274c \u00d7 not")
_ASKS_WRONG = words.table(
    "not incorrect false except wrong untrue least cannot isn't aren't doesn't never invalid inaccurate"
)
_ANSWERS = words.table("yes no not")
"""Verdicts that, at the end of a line, are of what the line says: `A. invertible: no`."""
_ARROWS = ("\u2192", "\u21d2", "\u27f9", "=>", "->")
_DENIED = lazy_pattern(r"^[A-J]\b.*[\s-](?:no|false|wrong|incorrect|not)$")
_LETTER = lazy_pattern(r"\b[A-J]\b")
_NEXT = lazy_pattern(r"(?<=[.,;]) (?=[A-J]: )")
_SMALL = lazy_pattern(
    r"(?:[.!?;:\u2192] ?|(?:^|[\s,;:])(?:(?i:it|that|answer)['\u2019]?s|is|be|pick|choose|chose|say|with|so|thus"
    r"|hence|therefore|answer"
    r"|option|choice|guess)[: ]+)\(?(?P<letter>[a-hj])\)?[.!]*$"
)
"""A small letter at the end of a text: so it's c."""
_OPEN = words.table("not never neither nor or maybe perhaps could might may can't cannot isn't wouldn't if unless")
_CLAUSE = lazy_pattern(r"[,;.!?\n] ?|\b(?:so|but|hence|thus|therefore)\b")
_MARKUP = " \t*_`-\u2022>|()[].:,;\u2013\u2014"


def right(text: str, question: str | None) -> str | None:
    """The only option that the list at the end of a text calls right, or what stands behind its last arrow."""
    line = text.rstrip().rpartition("\n")[2].rstrip(" .*)$")
    letter = line[-1:]
    before = line[:-1].rstrip(" (*$")
    if "A" <= letter <= "J" and before.endswith(_ARROWS):
        return None if set(_LETTER.findall(before)) - {letter} else letter  # A + B -> C is a reaction
    listed = options.of_question(question) if question else {}
    small = _in_small_letter(text, listed, question) if listed and question else None
    if small is not None:
        return small
    return _only(text, asks_wrong=asks_wrong(question or ""))


def asks_wrong(question: str) -> bool:
    """Whether a question asks which option is wrong."""
    return not _ASKS_WRONG.isdisjoint(word.lower() for word in words.split(question))


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
