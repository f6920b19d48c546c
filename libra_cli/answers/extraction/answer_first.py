"""Reads an answer that stands alone before what explains it: "Three. Put t = |x|...", "8", and its reasons below."""

from __future__ import annotations

from libra_cli.answers.extraction import asked
from libra_cli.answers.languages import names
from libra_cli.answers.sentences import phrases
from libra_cli.answers.text import vocabulary, words
from libra_cli.answers.values import structure
from libra_cli.lazy_pattern import lazy_pattern

_FIRST = lazy_pattern(r"\s*(?:\*\*|__)?([^\n.!*]{1,40}?)(?:\*\*|__)?(?:[.!](?:\*\*|__)?(?=\s)|\n)")
"""The first line or sentence of a text, in bold or not."""
_LONGEST = 1500
_FEW_WORDS, _FEWEST_BEHIND = 4, 3
_STEP = lazy_pattern(r"(?:^|\n)\d+[.)]\s")
_THERE = lazy_pattern(r"(?:there (?:are|is)|it is|it's) (?:exactly )?")
_ASKS = lazy_pattern(r"\b(?i:which|what|who|whom|name|identify|where)\b|__")
_IS = lazy_pattern(r"\w+ (?:is|are|was|were|must be)\b")
_GOES_ON = lazy_pattern(
    r"(?:It|They|This|These|He|She|Unlike|Without (?:it|them)|Because|Since|Its|Their)\b(?!['\u2019]| question| is a g)"
)
"""Words with which a sentence goes on about what stands before it."""
_NO_NAMES = words.table(
    """
    sure okay ok right well hmm hm great good nice question let's let us solution explanation answer answers step note
    hint yes no true false correct indeed hello hi thanks first second third reasoning analysis my your our i we you it
    this that so therefore thus hence to of course given recall remember think thinking summary conclusion final short
    simple simply easy problem part consider not wrong incorrect never nope yep nah please sorry oh ah wow definition
    background overview key idea fact facts approach strategy method why how what which who and or but because if
    """
)
"""Words of a short sentence that is no name."""
_FIGURE = lazy_pattern(r"[-+]?\$?\d[\d,.]*(?:/\d+)?%?(?: [A-Za-z]{1,12})?")


def said_first(text: str, reference: str, question: str) -> str | None:
    """The value of the kind of `reference` that begins a text and stands alone; None if none does, or nothing follows.

    A number in figures stands alone above an empty line and sentences that calculate nothing, for `8.` may be the
    eighth step, and a number above others a summand. Words are the reference, or one of the things between which
    `question` lets choose, or any name for which it asks; empty if the text names the reference behind another name.
    """
    first = _FIRST.match(text) if len(text) <= _LONGEST else None
    behind = text[first.end() :].lstrip() if first else ""
    if first is None or behind.startswith("(") or len(behind.split()) < _FEWEST_BEHIND:
        return None
    said = first[1].strip()
    if structure.is_number(reference):
        if _FIGURE.fullmatch(said):
            is_alone = text[first.end() - 1 : first.end() + 1] == "\n\n" and behind[:1].isalpha()
            is_alone = is_alone or (text.startswith("\n\n", first.end()) and not _STEP.search(behind))
            return said if is_alone and "=" not in behind and "**" not in behind else None
        there = _THERE.match(said.lower())
        value = words.number(said[there.end() if there else 0 :].lower())
        return None if value is None else str(value)
    if len(said.split()) > _FEW_WORDS or not phrases.are_asked_for(reference):
        return None
    is_choice = " or " in question and f" {said.lower()}" in question.lower()
    if is_choice or said.lower() == reference.strip(" .$").lower():
        return said
    heard = {word.lower() for word in words.split(said)}
    is_name = said[:1].isupper() and said.replace(" ", "").replace("-", "").isalpha() and first[0].rstrip()[-1:] != "!"
    is_name = is_name and (vocabulary.VERBS | _NO_NAMES).isdisjoint(heard) and "\n" not in first[0]
    if not is_name or not _ASKS.search(question) or phrases.is_verdict(reference) or asked.is_given(said, question):
        return None
    wanted = names.tokens(reference)
    is_beside = words.stand_in(wanted, names.tokens(behind))
    is_renamed = _IS.match(behind) and names.tokens(behind)[2:][: len(wanted)] == wanted  # It is the mitochondria.
    return said if not is_beside or (_GOES_ON.match(behind) and not is_renamed) else ""


def goes_on(behind: str) -> bool:
    """Whether a text goes on about what stands before it, and does not say what it is: They take in carbon dioxide."""
    behind = behind.lstrip(" .*_\n")
    return _GOES_ON.match(behind) is not None and not _IS.match(behind)
