"""Reads with what a response fills the blank of a question, and the only word of it that the question does not have."""

from __future__ import annotations

import re

from libra_cli.answers.extraction import asked
from libra_cli.answers.languages import names
from libra_cli.answers.sentences import alternatives, negation, phrases
from libra_cli.answers.sentences.negation import DOUBTS, NEGATORS, OPEN
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_GIVEN = (
    r"[\"'\u201c\u2018*]{0,3}(?:[Aa]n? |[Tt]he )?(?P<given>[^\"'\u201c\u201d\u2018\u2019*,;:.]{1,40})"
    r"[\"'\u201d\u2019*]{0,3}"
)
_WHAT = r"(?:blank|gap|missing (?:word|term|phrase)|(?:right |correct |proper )?(?:word|term|phrase))"
_PATTERNS = (
    lazy_pattern(
        rf"(?:.*[,;:] )?(?i:so |and )?(?i:the ){_WHAT}(?: (?:here|for (?:it|this|that|the blank)"
        r"|(?:that|which|to) (?:fits?|completes?|fills?|goes?|use|put)[a-z ]{0,24}))?"
        r" (?:is|reads|(?:should|must|would|has to) (?:be|read|say)(?: (?:filled|completed)(?: in)? (?:with|by))?):? "
        rf"{_GIVEN}"
    ),
    lazy_pattern(
        rf"(?:.*[,;:] )?(?i:so )?(?:(?:I|[Ww]e|[Yy]ou)(?: would|['\u2019]d| will|['\u2019]ll| can| should)? )?"
        rf"(?i:fill)(?: in)?(?: the (?:blank|gap))?(?: (?:with|by|in))?:? {_GIVEN}"
    ),
    lazy_pattern(
        rf"(?:.*[,;:] )?{_GIVEN} (?:goes in(?:to)?|fits(?: in| into)?|fills|completes|belongs in) (?:the|this) "
        r"(?:blank|gap|space|sentence)"
    ),
    lazy_pattern(
        rf"(?:.*[,;:] )?{_GIVEN} is the (?:missing |right |correct )?(?:word|term|phrase|name)"
        r"(?: (?:for (?:it|this|that|the blank)|(?:you|we|that|which|to)[a-z\u2019' ]{1,24}))?"
    ),
    lazy_pattern(
        r"(?:.*[,;:] )?(?i:(?:and|so|what|that['\u2019]s what) )?(?i:you|we|one|people|scientists)"
        r"(?: would| can| usually| often)? call "
        rf"(?:it|this|that|them|these|(?:such|this|that)(?: an?)? \w+) {_GIVEN}"
    ),
)
"""How a sentence says what a blank holds."""
_BEFORE_NOUN = lazy_pattern(r"__+ (?P<noun>[a-z]{3,20})\b")
_NAMED_NOUN = r"\b(?P<given>[A-Z][\w\u2019'.-]*(?: [A-Z][\w\u2019'.-]*){0,3}) "
_OPENING = lazy_pattern(r"^(?:(?:The|This|That|So|It)(?:['\u2019]s)? )+")
_IN_SIGNS = lazy_pattern(
    r"(?:\u586b\u5199|\u586b\u5165|\u586b\u4e0a|\u586b)(?:\u7684\u662f|\u4e3a|\u662f)?[\uff1a:]?\s*"
    r"[\u201c\"\u300c\u300e]?(?P<given>[^\u201c\u201d\"\u300c\u300d\u300e\u300f\uff1a:\uff0c\u3002\uff1b\s\u7a7a][^\u201c\u201d\"\u300c\u300d\u300e\u300f\uff1a:\u3002\uff1b\n]{0,40}?)"
    r"[\u201d\"\u300d\u300f]?[\u3002\uff0e.\s]*$"
)
"""What Chinese writes before what fills the blank."""
_GLOSSED = lazy_pattern(r"(?<![\w(])(?:[A-Z]|[A-Z][a-z]?\d?) \((?P<word>[a-z]{4,20})\)")
_BRACKETS = lazy_pattern(r" ?\([^()]{1,40}\)")
_MOST, _LONGEST, _FEW, _STEM, _SHORTEST = 14, 30, 4, 4, 3
_ASKS_NAME = lazy_pattern(r"(?i:which|what|name)\b")
_NO_NAME = OPEN | {"it", "that", "this"}
_EMPTY = words.table(
    "it is are was were be been being this that these those they he she by as in on at to of for from with so thus "
    "hence therefore called named known defined termed referred use uses used has have had does do which who what "
    "its their into and thing word term name one process such can often usually commonly always also just simply"
)


def stated(sentence: str, question: str) -> str | None:
    """What a sentence says that a blank of `question` holds; None if it says nothing of it."""
    if "\u586b" in sentence and (found := _IN_SIGNS.search(sentence)):
        return found["given"].strip()
    has_blank = "__" in question
    if has_blank and (named := _before_noun(sentence, question)):
        return named
    if not has_blank and not (" call " in sentence and _ASKS_NAME.match(question)):
        return None
    text = phrases.without_reason(sentence.strip().rstrip(".! "))
    if len(text.split()) > _LONGEST:
        return None
    for pattern in _PATTERNS if has_blank else _PATTERNS[-1:]:
        found = pattern.fullmatch(text)
        given = found["given"].strip() if found else ""
        is_open = not _NO_NAME.isdisjoint(word.lower() for word in words.split(given))
        if given and len(given.split()) <= _FEW and not is_open:
            return given
    return None


def _before_noun(sentence: str, question: str) -> str | None:
    """The only name before the noun that stands behind the blank of a question: This is Charles's law."""
    noun = _BEFORE_NOUN.search(question)
    found = re.findall(rf"{_NAMED_NOUN}{noun['noun']}s?\b", sentence) if noun else []
    named = {_OPENING.sub("", f"{one} ").strip() for one in found} - {""}
    heard = {word.lower() for word in words.split(sentence)}
    return named.pop() if len(named) == 1 and OPEN.isdisjoint(heard) else None


def in_glosses(sentence: str) -> str:
    """A sentence with the words of its symbols, and without what explains its words: T (thymine), adenine (A)."""
    return _BRACKETS.sub("", _GLOSSED.sub(r"\g<word>", sentence)) if "(" in sentence else sentence


def _asks_who(question: str, verb: list[str]) -> bool:
    """Whether a question asks what does what a verb says: Which organ pumps blood?"""
    first, *rest = names.tokens(question)
    is_verb = bool(verb) and len(verb[0]) >= _SHORTEST and verb[0][:_STEM] in {word[:_STEM] for word in rest[:3]}
    return first in ("which", "what") and is_verb and verb[0] not in _EMPTY


def only_new(sentence: str, reference: str, question: str) -> str | None:
    """The only words of a short sentence that neither the question has nor a sentence needs; None if unsure.

    As many as the reference has: `It pairs with cytosine.`, where the question asks what pairs with adenine.
    """
    heard, given, wanted = names.tokens(sentence), names.tokens(question), names.tokens(reference)
    if not wanted or len(heard) > _MOST or set(wanted) <= set(given):
        return None
    spoken = {word.lower() for word in words.split(sentence)}
    known = {word.lower() for word in words.split(question)}
    if negation.lacks_denial(sentence, question):
        return None
    if any(word.endswith("n't") for word in spoken) or not OPEN.isdisjoint(spoken - known):
        return None
    stems = {word[:_STEM] for word in given}
    at = [at for at, word in enumerate(heard) if word[:_STEM] not in stems and word not in _EMPTY]
    new = [heard[index] for index in at]
    n_known = len([word for word in heard if word[:_STEM] in stems and len(word) >= _SHORTEST])
    size = len(wanted)
    if at[:size] == [*range(size)] and _asks_who(question, heard[size : size + 1]):
        new, at = new[:size], at[:size]  # The liver pumps blood through the body
    is_row = bool(at) and at[-1] - at[0] + 1 == len(at) == len(wanted)
    is_word = all(len(word) >= _SHORTEST and not word.endswith("ly") for word in new)
    if not is_row or not is_word or not n_known:
        return None
    said = " ".join(new)  # Gay-Lussac's law is more than its words
    return reference if new == wanted else said if said in sentence.lower() else None


def alternative(text: str, reference: str, question: str) -> str | None:
    """The alternative of the question that the last sentence chooses; None if that is not certain."""
    if " than " in text and (compared := alternatives.compared(asked.last_sentence(text), reference, question)):
        return compared
    sentence = negation.affirmed(phrases.without_reason(phrases.main_clause(asked.last_sentence(text))))
    heard = [word.lower() for word in words.split(sentence)]
    asks = negation.denied_by(question)
    if not (DOUBTS | (NEGATORS - asks)).isdisjoint(heard) or " than " in sentence:
        return None
    if negation.lacks_denial(sentence, question) and not words.stand_in(
        names.tokens(sentence), names.tokens(reference)
    ):
        return None
    return alternatives.said(sentence, reference, question)
