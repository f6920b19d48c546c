"""Reads yes or no where a question asks whether something is possible or exists: "It is impossible"."""

from __future__ import annotations

from libra_cli.answers.sentences import comparatives
from libra_cli.answers.text import words

_POSSIBLE = ("is it possible", "is this possible", "is that possible", "can ")
_EXISTS = ("does there exist", "do there exist", "is there", "are there", "do any", "does any")
_DENIED = ("not possible", "impossible", "isn't possible", "can't be done", "cannot be done", "never possible")
_NOT_IMPOSSIBLE = ("not impossible", "n't impossible")
_NONE = ("no such ", "there is no ", "there are no ", "does not exist", "do not exist", "doesn't exist", "don't exist")
_NO_SUCH = ("no such ", "there is no way", "does not exist", "do not exist", "doesn't exist", "don't exist")
_CANNOT = (
    *(
        "cannot exist",
        "can't exist",
        "cannot be formed",
        "can't be formed",
        "it can't, ",
        "it cannot, ",
        "they can't, ",
    ),
    *("they cannot, ", "it can't because", "it cannot because", "it can't since", "it cannot since"),
    *("cannot form a ", "can't form a ", "do not form a ", "don't form a ", "does not form a ", "could not exist"),
)
_SOME = ("there exists", "there exist ", "there is such", "there are such", "such a ", "do exist", "does exist")
_OPEN = words.table("or if whether unless maybe perhaps might but except only question prove suppose assume")


def verdict(sentence: str, question: str | None) -> str | None:
    """Yes or No, as the last sentence of a response answers such a question; None if it does not for certain."""
    asked = comparatives.last_question(question).strip().lower() if question else ""
    said = sentence.lower().replace("\u2019", "'")
    if not asked.endswith("?") or not _OPEN.isdisjoint(words.split(said)):
        return None
    if any(map(asked.__contains__, _POSSIBLE)):
        if any(map(said.__contains__, _NOT_IMPOSSIBLE)):
            return None
        if any(map(said.__contains__, _DENIED)):
            return "No"
        if any(map(said.__contains__, _NO_SUCH)) or any(map(said.__contains__, _CANNOT)):
            return "No"
        is_denied = " not " in said or "n't" in said or "no " in said
        return "Yes" if not is_denied and ("is possible" in said or "it's possible" in said) else None
    if not asked.startswith(_EXISTS):
        return None
    if any(map(said.__contains__, _NONE)):
        return "No"
    is_denied = " not " in said or "n't" in said or "no " in said
    return "Yes" if any(map(said.__contains__, _SOME)) and not is_denied else None
