"""Reads what a sentence denies or leaves open, and what it affirms beside that: odd, not even."""

from __future__ import annotations

from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

NEGATORS = words.table(
    """
    not no never neither nor cannot n't nicht kein keine keinen nie pas ne non aucun aucune jamais ningún ninguna
    nunca não nenhum nenhuma nessun nessuna niet geen не нет ни никогда ليس لا नहीं isn't aren't doesn't don't
    wasn't can't won't
    """
)
DOUBTS = words.table(
    """
    or maybe perhaps possibly probably might may could if whether unless depending either oder vielleicht wenn
    falls ou peut-être si quizás или возможно если forse se talvez otherwise than
    """
)
OPEN = DOUBTS | NEGATORS
"""Words of a sentence that affirms nothing for certain."""
CLAUSES = lazy_pattern(
    r"[,;:\u2014\uff0c\uff1b\uff1a]|\s[-\u2013]\s|\b(?:because|since|denn|weil|car|parce|porque|perché)\b"
)
_CONTRAST = lazy_pattern(
    r",? (?:and not|but not|rather than|instead of) (?:an? |the )?[\w-]+(?: (?:one|function|number|set))?(?=[.,;!]|$)",
    one_of=("but not", "and not", "instead of", "rather than"),
)
"""What is denied behind the answer: even rather than odd."""
_CIRCUMSTANCE = lazy_pattern(
    r"\W*(?i:(?:so|and|thus|hence|therefore|but|also) )?(?i:as|when|while|if|since|because|although|though|after|before"
    r"|once|for|at|with|during|whenever)\b"
)
"""What a clause begins with that says when or why something is denied."""


def is_open(sentence: str) -> bool:
    """Whether a sentence has a word that denies something or leaves it open."""
    return not OPEN.isdisjoint(word.lower() for word in words.split(sentence))


def affirmed(sentence: str) -> str:
    """A sentence without the clauses that deny something, if another clause is left: odd, not even."""
    sentence = _CONTRAST.sub("", sentence)
    clauses = [clause for clause in CLAUSES.split(sentence) if clause and clause.strip()]
    kept = [clause for clause in clauses if not _denies(clause)]
    if all(map(_CIRCUMSTANCE.match, kept)):  # as T rises, the entropy does not increase
        return sentence
    return ", ".join(kept) if kept and len(kept) < len(clauses) else sentence


def _denies(clause: str) -> bool:
    """Whether a clause has one negation, and nothing that turns it into a doubt."""
    heard = [word.lower().replace("\u2019", "'") for word in words.split(clause)]
    negated = [word for word in heard if word in NEGATORS or word.endswith("n't")]
    return len(negated) == 1 and negated[0] not in ("neither", "nor") and DOUBTS.isdisjoint(heard)


def denied_by(question: str) -> set[str]:
    """The words with which a question asks for what something is not: which one has no charge."""
    return ({word.lower() for word in words.split(question)} & NEGATORS) - {"neither", "nor"}


def lacks_denial(sentence: str, question: str) -> bool:
    """Whether a sentence affirms what a question denies: helium is a noble gas, where it asks which one is not."""
    return bool(denied_by(question)) and NEGATORS.isdisjoint(word.lower() for word in words.split(sentence))
