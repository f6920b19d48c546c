"""Reads yes or no from a sentence that says of the subject of a question what the question asks of it, or denies it.

"Is f one-to-one?" "It is not injective." "Is 97 prime?" "It is."
"""

from __future__ import annotations

import re

from libra_cli.answers.languages import names, terms
from libra_cli.answers.sentences import comparatives
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_AUXILIARIES = "is|are|was|were|does|do|did|can|will|has|have|would|should|must"
_ASKED = lazy_pattern(rf"(?:^|[.:?!\n] ?|, )(?P<verb>{_AUXILIARIES}) (?P<rest>[^?]{{3,200}})\?", re.IGNORECASE)
_SAID = lazy_pattern(
    rf"^(?P<subject>(?:[^\s,]+ ){{0,6}}?[^\s,]+) (?P<verb>{_AUXILIARIES}|can)(?P<denied>n't|not| not)?"
    r"(?: (?P<rest>[^,;:]{1,80}))?$",
    re.IGNORECASE,
)
_ELLIPTIC = lazy_pattern(
    r"^(?:(?:so|hence|thus|therefore|no|yes),? )?(?:it|they|he|she|that|this|we|you|there)"
    rf"(?:(?P<short>'s not)|(?:'s)? ?(?P<verb>{_AUXILIARIES}|ca|wo)(?P<denied>n't| not|not)?)(?: indeed)?"
    r"(?:[:;,.!]| [-\u2013\u2014] ?|$| ?\u2014| (?=because |since |as |for ))(?P<behind>.*)",
    re.IGNORECASE,
)
"""A sentence that begins with a verdict and says no more of it: It isn't: the derivatives differ."""
_FULL = {"ca": "can", "wo": "will"}
_MAKES = lazy_pattern(r",? (?:(?:which|and (?:this|that)|that|this) makes|making) (?:it|this|that|them) (?=\w)")
"""91 = 7 * 13, which makes it composite."""
_CONTRAST = lazy_pattern(r"(?:,? (?:rather than|instead of|as opposed to)|,(?: and| but)? not) (?:an? )?[\w-]+$")
_SHORT = lazy_pattern(r"\b((?i:it|that|this|he|she))'s (?=(?:not |also |indeed |clearly |an? )*[a-z-]+)")
_INSTRUCTION = lazy_pattern(
    r"[ (]*\b(?:Answer|Reply|Respond)\b[^.?]{0,40}\b(?:yes|no|true|false)\b[^?]{0,40}$", re.IGNORECASE
)
_NOUNS = words.table("number function matrix integer series sequence set triangle relation")
_LIMITS = words.table("if unless only but except when provided or although though however")
_LAST_CLAUSE = lazy_pattern(r"[,;:] (?=(?:so|and so|hence|thus|therefore|which means|that means|it|they|the|this|f)\b)")
_LEADING = lazy_pattern(
    r"^(?:(?:and|so|hence|thus|therefore|then|that|clearly|of course|indeed|which means),? )+", re.IGNORECASE
)
_REMARK = lazy_pattern(r",? (?:because|since|as|for|by|due to|with|when|at|in)\b.*$|\s?\([^()]*\)")
_SYNONYMS = (
    ("injective", "one-to-one"),
    ("surjective", "onto"),
    ("perpendicular", "orthogonal"),
    ("invertible", "nonsingular"),
    ("commutes", "commutative"),
)
_PREFIXES = ("un", "in", "im", "ir", "il", "non", "dis")
"""Of adjectives that deny others."""
_NO_OPPOSITES = words.table(
    "different indifferent valuable invaluable flammable inflammable famous infamous habitable possible impossible"
)
_SHORTEST = 5
"""Letters of a word that a prefix turns."""
_REASON = lazy_pattern(r",? (?:because|since|as|for|by|due to)\b.*$")
_FIGURES = lazy_pattern(r"-?\d+(?:[./]\d+)?|(?<![A-Za-z])[b-zB-Z](?![A-Za-z])")
_PRONOUNS = words.table(
    "it they this that these those he she f function statement number series answer claim both we vectors set matrix "
    "sequence relation graph system equation"
)
_OPEN = words.table("or if unless whether not no never n't neither only maybe perhaps always")
_DENIES_ASKED = words.table("false impossible untrue nowhere every wrong incorrect fail fails unable")
"""Words of a question whose answer turns with them."""
_ADVERBS = words.table("indeed also therefore thus hence clearly in fact always both an a the")


def verdict(sentence: str, question: str | None) -> str | None:
    """Yes or No, as a sentence answers a question; None if it does not for certain."""
    asked = _ASKED.search(comparatives.last_question(_INSTRUCTION.sub("", question))) if question else None
    if asked is None or not _OPEN.isdisjoint(words.split(asked["rest"].lower())):
        return None
    short = _ELLIPTIC.match(sentence.strip(" *").replace("\u2019", "'"))
    if short is not None and _LIMITS.isdisjoint(words.split(short["behind"].lower())):
        verb = "is" if short["short"] else _FULL.get(short["verb"].lower(), short["verb"].lower())
        if verb == asked["verb"].lower() and (short["verb"] or "").lower() not in (() if short["denied"] else _FULL):
            return "No" if short["denied"] or short["short"] else "Yes"
    sentence = _SHORT.sub(r"\1 is ", _MAKES.sub(", it is ", sentence.replace("\u2019", "'")))
    clause = _LEADING.sub("", _LAST_CLAUSE.split(sentence.strip(" .!*"))[-1])
    contrast = _CONTRAST.search(clause)
    said = _SAID.match(_REMARK.sub("", clause[: contrast.start()] if contrast else clause).strip(" .!*"))
    if said is None:
        return None
    given = _tokens(asked["rest"])
    if not _tokens(said["subject"]) <= given | _PRONOUNS:
        return None
    rest = _tokens(said["rest"] or "")
    is_term = (
        said["rest"]
        and said["verb"].lower() == asked["verb"].lower()
        and _OPEN.isdisjoint(words.split(said["rest"].lower()))
    )
    is_denied = not _DENIES_ASKED.isdisjoint(words.split((question or "").lower()))
    if is_term and not is_denied and (turned := _turned(rest, given)) and _in_question(clause, question or ""):
        return "Yes" if bool(said["denied"]) is turned else "No"
    if is_term and not rest <= given:
        heard = [word for word in words.split(asked["rest"].lower()) if word not in _NOUNS]
        term = " ".join(word for word in words.split(said["rest"].lower()) if word not in _NOUNS | _ADVERBS)
        agrees = terms.same(heard[-1], term) if heard and term else None
        return None if agrees is None else "Yes" if agrees is not bool(said["denied"]) else "No"
    is_same = said["verb"].lower() == asked["verb"].lower() if not rest else rest <= given - _tokens(said["subject"])
    if not is_same or not _OPEN.isdisjoint(words.split((said["rest"] or "").lower())):
        return None
    return "No" if said["denied"] else "Yes"


def _turned(rest: set[str], given: set[str]) -> bool:
    """Whether a sentence says what a question asks, but for one word with the opposite prefix: discontinuous."""
    new = rest - given
    return new == {"non"} or (len(new) == 1 and _is_opposite(new.pop(), given))


def _is_opposite(word: str, given: set[str]) -> bool:
    """Whether a word is one of `given` with a prefix that denies it, or without one."""
    opposites = {word.removeprefix(prefix) for prefix in _PREFIXES if word.startswith(prefix)}
    found = (opposites | {f"{prefix}{word}" for prefix in _PREFIXES}) & given
    return any(len(one) >= _SHORTEST and one not in _NO_OPPOSITES and word not in _NO_OPPOSITES for one in found)


def has_opposite(sentence: str, question: str | None) -> bool:
    """Whether a sentence has the opposite of a word of a question: irreversible, where that asks what is reversible."""
    given = {word.lower() for word in words.split(question or "")}
    heard = {word.lower() for word in words.split(sentence)} - given if given else set()
    return any(_is_opposite(word, given) for word in heard if len(word) > _SHORTEST)


def _in_question(clause: str, question: str) -> bool:
    """Whether a clause has no limit, and but one word, no number and no letter that its question lacks: but "at 1"."""
    said = _REASON.sub("", clause.replace("$", " "))
    known = {*words.split(question.lower()), *_PRONOUNS, *_ADVERBS, *_AUXILIARIES.split("|"), "not", "non"}
    heard = {*words.split(said.lower())}
    figures = set(_FIGURES.findall(question.replace("$", " ")))
    return _LIMITS.isdisjoint(heard) and len(heard - known) <= 1 and set(_FIGURES.findall(said)) <= figures


def _tokens(text: str) -> set[str]:
    """The words of a text that say something, one for words that mean the same."""
    lowered = text.lower()
    for one, other in _SYNONYMS:
        lowered = lowered.replace(other, one)
    return {word for word in names.tokens(lowered.replace("-", " ")) if word not in _ADVERBS}
