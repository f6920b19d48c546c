"""Reads the number before the noun that a question counts: "12 boxes, with 6 eggs left over", for "how many boxes".

Every other number of the sentence must be something else: given by the question, of another noun, or a calculation.
"""

from __future__ import annotations

from libra_cli.answers.sentences import asking
from libra_cli.answers.sentences.asking import stem
from libra_cli.answers.sentences.extracted import Extraction
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_ASKED = lazy_pattern(r"[Hh]ow many (?:(?:more|full|whole|different|of the) )?([A-Za-z]{3,})")
_NUMBER = lazy_pattern(r"(?<![\w.,/$\u20ac\u00a3])(\d+(?:,\d{3})*(?:\.\d+)?)(?![\w%/]|[.,]\d)(?: ([A-Za-z]{2,}))?")
_CALCULATION = lazy_pattern(
    r"(?<![\d.,])\d[\d.,]*(?: ?[-+*/\u00d7\u00f7\u2212\u00b7] ?\d[\d.,]*)+(?: ?[=\u2248] ?\d[\d.,]*)?"
)
_REASON = lazy_pattern(
    r",? \b(?:because|since|as|given that|considering)\b.*$",
    one_of=("as", "since", "because", "given that", "considering"),
)
_UNSURE = words.table(
    """
    except but without minus less fewer half twice double dozen or if not than one two three about nearly almost each
    every per only maybe would could first second third least most
    """
)
_MORE = words.table("another additional extra further besides plus more also too")
_CLAUSE_ENDS = lazy_pattern(r"[,;:] |[.!]$")
_NO_NOUNS = words.table(
    """
    is are was were and or of in on at to for from by with per more less fewer than times left out after before the a
    he she it they we that which so leaving remain remains because plus minus divided equals gives makes
    can could will would may might must should do does did have has had not
    """
)
_HAS_PART = lazy_pattern(r"\d (?:out )?of (?:the|all|his|her|their|its|our|my) (?:original |initial )?\d")
"""A part of all, which has the noun: 43 of his 60 apples."""
_ONES = lazy_pattern(r"\d (?:[a-z]+ )?ones\b")
_SEVERAL, _MAX_CHARS = 2, 400
_TIMES = frozenset(map(stem, asking.TIMES))
_WHOLE = lazy_pattern(r"\b[Oo]f (?:all )?(?:the |her |his |their |its |these |those |our |my )?(?:\w+ )?$")
"""What stands before the number of all, of which a part is the answer: 43 of her 48."""


def answer(sentence: str, question: str) -> Extraction | None:
    """The only number of what the question counts; None if there is none, or another one without a noun."""
    asked = _ASKED.findall(question) if len(sentence) <= _MAX_CHARS else []
    if not asked:
        return None
    sentence = _REASON.sub("", sentence)
    if "=" in _CALCULATION.sub("", sentence):
        return None
    wanted = stem(asked[-1])
    if _HAS_PART.search(sentence):
        return None
    given = {(number, stem(noun)) for number, noun in _NUMBER.findall(question)}
    numbers = {number for number, _ in given}
    told = _NUMBER.findall(_CALCULATION.sub(" ", sentence))
    for number, noun in told:
        is_asked = stem(noun) == wanted
        is_bare = not noun or noun.lower() in _NO_NOUNS
        if not is_asked and is_bare and number not in numbers and noun != "of":
            return None
    if _ONES.search(sentence):  # 144 eggs, of which 130 whole ones
        return None
    measures = {stem(noun) for _, noun in told} & _TIMES
    if wanted in _TIMES and len(measures) > 1:  # 1 hour and 30 minutes
        return None
    found = {number for number, noun in told if stem(noun) == wanted and (number, wanted) not in given}
    if len(found) != 1 or len(_NUMBER.findall(sentence)) < _SEVERAL:
        return None
    value = found.pop()
    if _WHOLE.search(sentence[: sentence.index(value)]):
        return None
    clauses = _CLAUSE_ENDS.split(sentence)
    at = next(at for at, part in enumerate(clauses) if value in part)
    is_unsure = not (_UNSURE.isdisjoint(_words(" ".join(clauses[at:]))) and _MORE.isdisjoint(_words(sentence)))
    return None if is_unsure or _has_ordinal(sentence) else Extraction(value)


def _words(text: str) -> list[str]:
    return [word.lower() for word in words.split(text)]


def _has_ordinal(sentence: str) -> bool:
    return any(word[:1].isdigit() and word.rstrip(".,")[-2:] in ("st", "nd", "rd", "th") for word in sentence.split())
