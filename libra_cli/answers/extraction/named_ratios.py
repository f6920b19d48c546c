"""Writes the ratio that a text states in the order in which the question names its terms: boys to girls, A:B:C.

"The ratio of girls to boys is 2:3" says 3:2 where the ratio of boys to girls is asked for.
"""

from __future__ import annotations

import re
from itertools import permutations

from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_ASKED = lazy_pattern(r"\bratio (?:of |between )?(?P<names>[^?.,;=]{3,80})", one_of=("ratio ",))
_ASKS = lazy_pattern(r"\b(?i:what|find|determine|compute|calculate|give|express|state|write|work out)\b")
_JOINT = lazy_pattern(r" to | ?: ?| and ")
_TAIL = lazy_pattern(r" (?:in|is|are|was|were|if|when|for|at|that|which|after|before|as|given|does|do|by|on)\b.*")
_NAMES, _MOST_WORDS = range(2, 5), 3
_BEFORE_NAME = r"(?:(?:the|number|amount|length|area|volume|mass|weight|age|price|of|in) )*"
_GIVEN = lazy_pattern(rf"^{_BEFORE_NAME}")
"""Words before a name that do not tell it from the others: the number of."""
_RATIO = lazy_pattern(r"\$?\d[\d.]*(?: ?(?::|/| to ) ?\d[\d.]*){1,3}\$?|\\[dt]?frac\{\d+\}\{\d+\}")
_TERM = lazy_pattern(r"\d+(?:\.\d+)?")
_INVERSE = lazy_pattern(
    r"\b(?:(?:inverse|reciprocal|reversed?|inverted|opposite) (?:of (?:the|this) )?ratio"
    r"|(?:umgekehrte|inverse) verhältnis|inverse du rapport|rapport inverse"
    r"|inverso de la razón|razón inversa|rapporto inverso|razão inversa"
    r"|обратное отношение)\b",
    re.IGNORECASE,
    one_of=("inver", "recip", "rever", "oppos", "umgek", "обрат"),
)
_ASKS_INVERSE = ("inver", "reciproc", "revers", "opposite", "umgekehrt", "обратн")
_COPULA = lazy_pattern(
    r"(?: (?!gives|yields|makes|becomes|leads|turns|results)[a-z]{2,12}s(?= ))?"
    r"[\s$=:]*(?:(?:is|are|was|were|equals?|as|stands? (?:at|as)|comes to|simplifies to|then|therefore|thus|also|by|the"
    r"|ratio|in|\\boxed\{)[\s$=:{]*){0,4}"
)
"""What may stand between the names of a ratio and its terms."""
_TURNS = lazy_pattern(r"\b(?i:inver\w+|flip\w*|revers\w+|swap\w*|convert\w*|reciproc\w+|switch\w*|exchang\w+)\b")


def as_asked(answer: str, text: str, question: str) -> str | None:
    """The ratio `answer` in the order of the question; None if the text names it so, or names no terms.

    "" if it is the inverse of a ratio, and nobody knows of which.
    """
    answer = answer.rpartition("=")[2].strip()
    if not _RATIO.fullmatch(answer):
        return None
    terms = _TERM.findall(answer)
    sentence = words.sentences(text.rstrip())[-1].replace("$", "").replace("**", "")
    sentence = sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() else sentence
    if _INVERSE.search(sentence) and not any(map(question.lower().__contains__, _ASKS_INVERSE)):
        return "" if "\\boxed" not in text else None
    names = _asked_names(question)
    if len(names) != len(terms):
        return None
    found = [*re.finditer(r"\D{1,14}".join(map(re.escape, terms)), sentence)]
    before = sentence[: found[-1].start()] if found else sentence
    joint = rf"(?: [a-z]+)? ?(?:to|:|/|outnumber(?:s|ed)?) ?{_BEFORE_NAME}"
    spelled = [rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])" for name in names]
    ends = {
        order: max(
            (match.end() for match in re.finditer(joint.join(map(spelled.__getitem__, order)), before)), default=-1
        )
        for order in permutations(range(len(names)))
    }
    order = max(ends, key=ends.__getitem__)
    is_said = ends[order] >= 0 and _COPULA.fullmatch(before, ends[order]) is not None
    if not is_said or _TURNS.search(sentence) or order == tuple(range(len(names))):
        return None
    placed = dict(zip(order, terms, strict=True))
    return ":".join(placed[place] for place in range(len(names)))


def _asked_names(question: str) -> list[str]:
    """The names of the terms of the only ratio for which a question asks; empty if it asks for none by names."""
    asking = [sentence for sentence in words.sentences(question.replace("$", "")) if _ASKS.search(sentence)]
    mentions = [*_ASKED.finditer(asking[-1])] if asking else []
    parts = _JOINT.split(_TAIL.sub("", mentions[0]["names"])) if len(mentions) == 1 else []
    names = [_GIVEN.sub("", part.strip()) for part in parts]
    is_whole = len(names) in _NAMES and len({*names}) == len(names)
    are_short = all(name and name.replace(" ", "").isalpha() and len(name.split()) <= _MOST_WORDS for name in names)
    if not is_whole or not are_short:
        return []
    heads = {name.split()[-1] for name in names}
    is_shared = len(heads) == 1 and all(" " in name for name in names)  # red balls to blue balls
    return [name.rpartition(" ")[0] for name in names] if is_shared else names
