"""Reads what the last clause of a sentence says of the noun that a question asks for, in English and other languages.

"Ce n'est pas Sydney : la capitale s'appelle Canberra", "i dag heter hovedstaden Oslo", "Fue García Márquez, en 1967".
"""

from __future__ import annotations

import re

from libra_cli.answers.comparison import equal
from libra_cli.answers.extraction.asked import is_given
from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.languages import names
from libra_cli.answers.sentences.extracted import Extraction
from libra_cli.answers.sentences.negation import OPEN
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_UPPER = r"[^\W\d_a-z\u00df-\u00f6\u00f8-\u00ff\u03ac-\u03ce\u0430-\u045f]"
_NAME = rf"{_UPPER}[\w'\u2019-]*(?: (?:(?:de|del|da|di|do|von|van|der|la|le|el) )?{_UPPER}[\w'\u2019-]*){{0,3}}"
_COPULAS = (
    r"is|was|er|\u00e4r|heter|hei\u00dft|ist|war|est|s['\u2019]appelle|se nomme|es|era|fue|se llama|\u00e9|foi|chama-se"
    r"|se chama|\u00e8|si chiama|heet|jest|nazywa si\u0119|adalah|ialah|hedder|kallas|kaldes"
    r"|\u03b5\u03af\u03bd\u03b1\u03b9"
)
_ARTICLE = r"(?:(?:the|la|le|el|il|lo|den|det|der|die|das|de|het|o|a|\u03b7|\u03bf|\u03c4\u03bf) )?"
_ENDS = lazy_pattern(rf"^(?P<subject>[^,;:.!?]{{3,80}}?) (?:{_COPULAS}) {_ARTICLE}(?P<name>{_NAME})[.!* ]*$")
_TURNED = lazy_pattern(
    rf"^(?:[^,;:.!?]{{2,40}} )?(?:{_COPULAS}) (?P<subject>[a-z\u00df-\u00ff' -]{{3,60}}?) (?P<name>{_NAME})[.!* ]*$"
)
"""I dag heter hovedstaden Oslo."""
_FIRST = lazy_pattern(
    r"^(?:Fue|Era|Es|Foi|\u00c9|Fu|\u00c8 stat[oa]|\u00c8|C['\u2019](?:est|\u00e9tait)|Ce fut|(?:Es|Das) (?:war|ist)"
    r"|(?:Het|Dat) (?:was|is)|Det var|Det er|Det \u00e4r|To by\u0142a?|To jest"
    r"|\u042d\u0442\u043e(?: \u0431\u044b\u043b[\u0430\u043e\u0438]?)?"
    rf"|\u0395\u03af\u03bd\u03b1\u03b9|\u039f|\u0397) {_ARTICLE}(?P<name>{_NAME})(?=[,.!]|$)"
)
"""Fue García Márquez, premio Nobel en 1982."""
_IN_SIGNS = lazy_pattern(
    r"^(?:\u662f|\u5c31\u662f|\u5e94\u8be5\u662f)(?P<name>[\u4e00-\u9fff]{2,8})(?=[\uff0c\u3002,.]|$)"
)
_CLAUSES = lazy_pattern(r" ?: |; |(?<=[\w)\"]), ")
_JOINS = lazy_pattern(
    r"^(?:men|mais|aber|pero|mas|ma|maar|but|ale|\u043d\u043e|\u03b1\u03bb\u03bb\u03ac|and|och|og|und|et|y|e) "
)
_NOUN_ENDS = lazy_pattern(
    r"^(?P<subject>.{3,100}) (?:is|was) (?:called )?(?:the |an? )?(?P<name>[a-z][a-z-]{2,20})[.!* ]*$"
)
_ASKS_WHO = lazy_pattern(
    r"\b(?i:who|qui[e\u00e9]n|qui|wer|chi|quem|kto|wie|hvem|vem)\b|\u043a\u0442\u043e|\u041a\u0442\u043e"
)
_SHORTEST, _STEM = 4, 5
_FEWEST = 2
"""Words of the question that a clause of which another noun is said must have."""


def said(prose: Prose) -> Extraction | None:
    """What the last clause says of the noun that the question asks for."""
    if not prose.question or not prose.asks_for_words or prose.asks_for_verdict or prose.cut or prose.bold:
        return None
    sentence = prose.sentences[-1].strip()
    if (signs := _IN_SIGNS.match(sentence)) and names.is_name(prose.reference):
        return Extraction(signs["name"])
    clause = _JOINS.sub("", _CLAUSES.split(sentence)[-1].strip(), count=1)
    if prose.reference[0].isupper() or not prose.reference[0].isascii():
        first = _FIRST.match(sentence)
        if first and _is_new(first["name"], "", prose) and not _is_open(first["name"], sentence):
            return Extraction(_in_full(first["name"], prose))
        found = _ENDS.match(clause) or _TURNED.match(clause)
        is_said = found and _is_new(found["name"], found["subject"], prose) and not _is_open("", found["subject"])
        return Extraction(_in_full(found["name"], prose)) if found and is_said else None
    noun = _NOUN_ENDS.match(clause)
    if noun is None or _is_open("", clause) or not _is_new(noun["name"], noun["subject"], prose, fewest=_FEWEST):
        return None
    decided = equal.decide_quickly(prose.reference, noun["name"])
    return Extraction(noun["name"]) if decided is not None and decided.equal is not None else None


def _is_new(name: str, subject: str, prose: Prose, fewest: int = 1) -> bool:
    """Whether the question does not have a name, and has words of the subject of which it is said."""
    question = prose.question or ""
    if is_given(name, question):
        return False
    asked = {word[:_STEM] for word in names.tokens(question) if len(word) >= _SHORTEST}
    shared = {word[:_STEM] for word in names.tokens(subject)} & asked
    return not subject or len(shared) >= fewest


def _is_open(name: str, clause: str) -> bool:
    """Whether a clause denies or doubts what it says."""
    rest = clause.replace(name, "", 1) if name else clause
    heard = {word.lower() for word in words.split(re.split(r"[,;]", rest)[0]) if not word.isupper()}  # no doubt: SI
    return not (OPEN | {"ikke", "inte", "\u03b4\u03b5\u03bd"}).isdisjoint(heard)


def _in_full(name: str, prose: Prose) -> str:
    """The reference, if a name is the family name of whom the question asks for, in several words; else the name."""
    wanted, told = names.tokens(prose.reference), names.tokens(name)
    is_family = len(told) > 1 and wanted[-len(told) :] == told and _ASKS_WHO.search(prose.question or "")
    return prose.reference if is_family else name
