"""Reads what a text says of the quantity that a question names, where its end is about something else.

"The triangle's area equals 6. The perimeter, for what it's worth, is 12": the area, where a question asks for it.
"""

from __future__ import annotations

from libra_cli.answers.comparison import equal
from libra_cli.answers.extraction import conclusions
from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.sentences import assertions, comparatives
from libra_cli.answers.sentences.extracted import UNDECIDED, Extraction, of_asserted
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_ASKED = lazy_pattern(
    r"(?:[Ww]hat(?:['\u2019]s| is| are| was| were)|[Ff]ind|[Dd]etermine|[Cc]alculate|[Cc]ompute|[Ww]ork out|[Gg]ive"
    r"|[Ss]tate) (?:the |its |their |his |her )?(?P<name>[a-z][a-z-]+(?: [a-z][a-z-]+){0,2}?)"
    r"(?= (?:of|in|for|at|between|from|when|if|that|with|on|to|after)\b|[?.,]|$)"
)
_OPERATIONS = {"Divide ": "quotient", "Multiply ": "product", "Subtract ": "difference", "Add ": "sum"}
_CLAUSES = lazy_pattern(r"(?<=[.!])\s+(?=[A-Z\\$(\d])|;\s+|\n+")
_REASON = lazy_pattern(
    r",? (?:since|because|being|as(?= (?:\d|the |it |we )))\b.*$|, (?:which|twice|with|and|where|so)\b.*$"
    r"| with nothing left over.*$"
)
_SAID = lazy_pattern(
    r"(?P<of> (?:of|for|in|between|from)\b[^=;:]{0,60}?)? ?"
    r"(?:\b(?:is|are|equals|was|comes(?: out)? to|amounts to)\b|=|:)"
)
_FILLERS = words.table("the its their a an this that of then here now we find get see have")
_CONCLUDES = lazy_pattern(r"(?:^|, |\b)(?:so|thus|hence|therefore)\b,?")
_CHANGES = words.table(
    """
    altogether actually wait no instead however correct correction mistake wrong error answer
    finally total overall but should sorry oops rather conclude conclusion together combined remaining
    """
)
_CLASSES = words.table("value values number numbers result answer solution solutions set name units unit digit digits")
"""Names under which a text may say anything."""
_NEAR, _MOST = 6, 400


def before_others(prose: Prose) -> Extraction | None:
    """What a clause says of the asked quantity, if what follows speaks of others.

    It is undecided if the reference is only in what follows.
    """
    if prose.cut or not prose.question or prose.bold or not any(map(str.isdigit, prose.reference)):
        return None
    asked = comparatives.last_question(prose.question)
    named = [*_ASKED.finditer(asked)]
    operation = next((name for verb, name in _OPERATIONS.items() if asked.startswith(verb)), "")
    name = operation or (named[-1]["name"] if named else "")
    clauses = [clause for clause in _CLAUSES.split(prose.in_figures[-_MOST:]) if clause.strip()][-_NEAR:]
    if (
        not name
        or name.split()[-1] in _CLASSES
        or " and " in name
        or len(clauses) < 2
        or name.removesuffix("s").split()[-1] not in " ".join(clauses[:-1]).lower()
    ):
        return None
    at = next((at for at in range(len(clauses) - 2, -1, -1) if _is_said(name, clauses[at], prose.question)), None)
    if at is None or not all(_is_beside(clause, name) for clause in clauses[at + 1 :]):
        return None
    said = conclusions.concluded(f"{_REASON.sub('', clauses[at]).rstrip(' .')}.")
    found = of_asserted(said, prose.reference)
    if not found.answer or found.reason or said.compares or "," in found.answer:
        return None
    decided = equal.decide_quickly(prose.reference, found.answer)
    if decided is not None and decided.equal:
        return Extraction(found.answer)
    behind, wanted = ("".join(text.split()).replace("$", "") for text in (" ".join(clauses[at + 1 :]), prose.reference))
    return UNDECIDED if wanted in behind else None


def _is_said(name: str, clause: str, question: str) -> bool:
    """Whether a clause says what the quantity is, and of the thing that the question asks about."""
    *kinds, head = name.removesuffix("s").split()
    lowered = _CONCLUDES.split(clause.lower())[-1]
    at = lowered.find(head)
    said = _SAID.match(lowered[at + len(head) :].removeprefix("s")) if at >= 0 else None
    if said is None or assertions.denies(clause) or not any(map(str.isdigit, clause)):
        return False
    known = {word.lower() for word in words.split(question)} | _FILLERS
    subject = {word.removesuffix("'s").removesuffix("\u2019s") for word in words.split(lowered[:at])}
    return subject.issuperset(kinds) and subject <= known and set(words.split(said["of"] or "")) <= known


def _is_beside(clause: str, name: str) -> bool:
    """Whether a clause neither names the quantity again nor concludes or changes anything."""
    heard = {word.lower() for word in words.split(clause)}
    concluded = _CONCLUDES.split(clause.lower())[1:]
    is_silent = heard.isdisjoint(_CHANGES) and not any(map(str.isdigit, "".join(concluded)))
    return is_silent and name.removesuffix("s").split()[-1] not in clause.lower()
