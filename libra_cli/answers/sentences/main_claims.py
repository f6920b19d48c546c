"""Finds the part of a sentence that answers a question: of its clauses one, and of that what stands before remarks.

In "Newton, who built on Kepler" the second name is only mentioned; in "Sydney is larger, but the capital is Canberra"
the clause counts that has the words of the question.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from libra_cli.answers.languages import names
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_CLAUSE_ENDS = lazy_pattern(r"[;:] |, | (?:and|but|while|whereas) (?=[^.]*[a-z]{2})")
_MAIN_ENDS = lazy_pattern(r"; |, (?:and|but|while|whereas|yet) ")
_ASIDE = lazy_pattern(
    r",? (?:who|whose|although|even though|though|unlike)\b"
    r"|, (?:(?:just|slightly|narrowly|closely|right|well|far) )?(?:followed|ahead|behind|above|below|before|then)\b.*"
    r"|, (?:which|not|an?|the|some|since|because|as|after|before|with|while|when|where|one of|born|so called)\b.*"
    r"| [\u2014\u2013] [a-z].*"
    r"|, (?:beating|defeating|having|being|surpassing|overtaking|weighing|measuring|covering|reaching|holding)\b[^,]*$"
)
_OF_NUMBERS = lazy_pattern(r"\b\d[\d.,]* or \d")
_REMARK = lazy_pattern(
    r"(?P<head>(?!It|This|That|The)[A-Z][^\s().,:;'\u2019]*(?: [A-Z][^\s().,:;]+){0,3}) \([^()\d]* [^()\d]*\)[.!]?"
)
"""A name, and several words in brackets: Brazil (Argentina is second)."""
_CONCESSION = lazy_pattern(r"^(?:While|Whereas|Although|Though|Even though|Unlike|Despite) [^,.;]{1,80}, (?=[^,]*$)")
_NOT_BUT = lazy_pattern(r"^(?:(?:It|This|That|The \w+) (?:is|was) )?[Nn]ot [^,.;]{1,40}? but (?:rather )?")
_NOT_FIRST = lazy_pattern(
    r"^(?:(?:It|This|That|The \w+) (?:is not|isn['\u2019]t|was not|wasn['\u2019]t)|(?:It|That)['\u2019]s not"
    r"|Not) [^;:]{2,90}[;:] "
    r"(?:instead,? |rather,? )?"
)
"""What a sentence denies before it says what is so: not mercury, which is toxic; gallium is."""
_TURNED = words.table("not except never least cannot isn't aren't doesn't")
_OPENERS = words.table(
    """
    in during at on after before for by according since because as while although though if when unlike among of from
    with like despite so therefore thus hence well ok yes no sure first unless without until whereas given both
    """
)
_TAKES_BACK = words.table("or rather actually really wait no sorry mean but instead maybe perhaps possibly")
_ASKING = words.table("which what whose where when does called name known following that this with from there into")
_STEM, _SHORTEST = 5, 4
"""Letters that the forms of a word share, and of the shortest word that tells what is asked for."""


def asked_stems(question: str) -> set[str]:
    """The first letters of the words that tell what a question asks for."""
    lines = [line for line in question.strip().split("\n") if line.strip()]
    last = words.sentences(lines[0])[-1] if lines else ""
    return stems([word for word in names.tokens(last) if len(word) >= _SHORTEST and word not in _ASKING])


def stems(heard: Iterable[str]) -> set[str]:
    """The first letters of words, which their forms share."""
    return {word[:_STEM] for word in heard}


def clauses(sentence: str) -> list[str]:
    """The clauses and phrases of a sentence, at commas and "and" too."""
    return [clause for clause in _CLAUSE_ENDS.split(sentence) if clause.strip()]


def most_about(parts: Sequence[str], wanted: set[str]) -> int | None:
    """Place of the only part that has the most words with one of some stems; None if there is none."""
    told = [len(wanted & stems(names.tokens(part))) for part in parts]
    best = max(told, default=0)
    return told.index(best) if best and told.count(best) == 1 else None


def of_sentence(sentence: str, question: str) -> str:
    """The part of a sentence that answers a question; the sentence itself, if that is not certain."""
    if not _TURNED.isdisjoint(word.lower() for word in words.split(question)):  # Which one is not renewable?
        return sentence
    sentence = _NOT_FIRST.sub("", sentence, count=1) if ";" in sentence or ":" in sentence else sentence
    sentence = _NOT_BUT.sub("", _CONCESSION.sub("", sentence))
    parts = [part for part in _MAIN_ENDS.split(sentence) if part.strip()] if ";" in sentence or "," in sentence else []
    if len(parts) > 1:
        is_apart = ";" in sentence and len(parts[0].split()) < _SHORTEST  # A hexagon; an octagon has ten sides.
        at = 0 if is_apart and not _begins_open(parts[0]) else most_about(parts, asked_stems(question))
        sentence = sentence if at is None else parts[at]
    return without_aside(sentence)


def without_aside(clause: str) -> str:
    """A clause without the remark behind its subject or its answer: Newton, who built on Kepler."""
    remark = _REMARK.fullmatch(clause) if clause[-2:].rstrip(".!").endswith(")") else None
    clause = remark["head"] if remark else clause
    aside = _ASIDE.search(clause)
    head = clause[: aside.start()] if aside else ""
    if aside is None or not head.strip() or _begins_open(head) or "," in head:
        return clause
    remark_behind = _OF_NUMBERS.sub("", clause[aside.start() :])  # with 28 or 29 days
    heard = {word.lower() for word in words.split(remark_behind)[:_STEM]}
    return clause if not heard.isdisjoint(_TAKES_BACK) else head


def _begins_open(text: str) -> bool:
    """Whether a text begins with a word that leads to what the sentence says."""
    return text.partition(" ")[0].lower().strip(".,;:") in _OPENERS
