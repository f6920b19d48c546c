"""Tells a value from a comparison: "3 more marbles than Ben" and "twice as many" say a difference or a ratio.

Such a number is an answer only where the question asks for a difference or a ratio.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from libra_cli.answers.text import vocabulary, words
from libra_cli.lazy_pattern import lazy_pattern

_NEAR = 8
"""Words behind a number in which "than" may stand."""
_BESIDE = 4
"""Words behind a number that may belong to it."""
_NUMBER = lazy_pattern(r"\d[\d.,]*(?:/\d+)?")
_NO_COMPARISON = words.table("other rather no not")
"""Words before a "than" that compares nothing."""
_VERBS = words.table("is are was were and or")
"""Words behind a number that is itself compared: 12 is more than 9."""
_VAGUE = words.table("several few pair pairs fifty-fifty single")
_GIVES = vocabulary.IS | {"gives", "makes", "get", "obtain"}
_DIFFERENCES = words.table(
    """
    more fewer less than difference exceed exceeds increase decrease additional extra gain lose loss change
    older younger taller shorter longer heavier lighter faster slower larger smaller greater higher lower bigger cheaper
    warmer colder further farther deeper wider later earlier sooner least most minimum maximum
    """
)
_RATIOS = words.table("times factor ratio fold multiple")
_CHANGES = words.table(
    """
    half halves third thirds quarter quarters fourth fourths fifth fifths sixth sixths seventh sevenths eighth eighths
    ninth ninths tenth tenths dozen dozens score hundred hundreds thousand thousands million hundredths
    twice thrice double doubles doubled triple triples tripled quadruple times fold more fewer less than short but
    except save minus below larger smaller couple handful
    """
)
"""Words that make another number of one beside them, which nothing here reads."""


def compares(after: Sequence[str]) -> bool:
    """Whether the words behind a number make it a difference or a ratio: more marbles than Ben, times as many."""
    near = after[:_NEAR]
    if near and near[0] in ("times", "fold"):
        return "as" in near or "than" in near
    at = near.index("than") if "than" in near else 0
    return at > 0 and near[at - 1] not in _NO_COMPARISON and near[0] not in _VERBS


@lru_cache(1 << 8)
def are_asked_for(question: str) -> bool:
    """Whether a question asks for a difference, a ratio, the least or the most: "how many more", "how much older"."""
    asked = {word.lower() for word in words.split(last_question(question))}
    return not asked.isdisjoint(_DIFFERENCES | _RATIOS)


def is_ratio_for_difference(sentence: str, question: str) -> bool:
    """Whether a sentence says how many times as much, where a question asks how much more."""
    asked = {word.lower() for word in words.split(last_question(question))}
    return " times as " in sentence and _RATIOS.isdisjoint(asked) and not _DIFFERENCES.isdisjoint(asked)


def last_question(question: str) -> str:
    """The last sentence of a question that ends with a question mark; the last one if none does."""
    found = words.sentences(question)
    ended = next((sentence for sentence in reversed(found) if sentence.rstrip().endswith("?")), "")
    before, mark, _ = found[-1].rpartition("? ")  # How many were eaten? 20 were baked.
    return ended or (f"{before}?" if mark else found[-1])


def may_say_a_number(sentence: str) -> bool:
    """Whether a sentence has words for a number that nothing here reads: a couple, half of them, fifty-fifty."""
    return any(word.lower() in _CHANGES or word.lower() in _VAGUE for word in words.split(sentence))


def is_changed(answer: str, sentence: str, is_no_share: bool) -> bool:
    """Whether a sentence has a word that may make another number of the one in it: half a dozen, all but 2, 5 more.

    The result of a calculation in signs, and what a copula says it is, are what they are. What `is_no_share` is one or
    more, which a quarter of something is not.
    """
    scaled = [word for word in words.split(answer) if word.lower() in _CHANGES]
    sentence = sentence.replace(f" {scaled[0]}", "") if scaled else sentence  # 1.2 million
    number = _NUMBER.search(answer)
    at = sentence.rfind(number[0]) if number and "^" not in answer and "=" not in answer else -1
    if number is None or at < 0:
        return False
    before, behind = sentence[:at], sentence[at + len(number[0]) :]
    before = before[max(before.rfind(", so "), before.rfind("; ")) + 1 :]
    following = [word.lower() for word in words.split(behind)]
    is_share = is_no_share and "/" in number[0] and following[:1] == ["of"]
    if not _CHANGES.isdisjoint(following[:_BESIDE]) or is_share:
        return True
    heard = [word.lower() for word in words.split(before)]
    is_result = before.rstrip(" $*\\(").endswith(("=", "\u2248", ":")) or not _GIVES.isdisjoint(heard[-1:])
    return not is_result and not (_CHANGES.isdisjoint(heard) and _CHANGES.isdisjoint(following))
