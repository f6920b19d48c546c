"""Reads the one of two numbers of a sentence that a question asks for, where the other one follows from it.

"It fell by 10%, leaving 90%", for a question for the decrease; "390 km in 5 hours, for an average speed of 78 km/h".
"""

from __future__ import annotations

from fractions import Fraction

from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.sentences import comparatives
from libra_cli.answers.sentences.extracted import Extraction
from libra_cli.answers.values import structure
from libra_cli.lazy_pattern import lazy_pattern

_PERCENT = lazy_pattern(r"(?<![\w.,])(\d{1,3}(?:\.\d+)?) ?(?:\\?%|percent\b|per cent\b)")
_LOSS = lazy_pattern(
    r"\b(?:decreas|discount|reduc|drop|declin|fell|fall|loss|lost|lose|off\b|saves?\b|saving|shrank|shrink|lower|cheaper|down\b)"
)
"""Words of a change to less, in a question or in the clause that answers it."""
_REST = lazy_pattern(
    r"\b(?:left|leav|remain|pay|paid|keep|kept|still|retain|of (?:the|its|what|their) (?:orig|start|it|they|full))"
)
_CLAUSES = lazy_pattern(r"[,;] | so (?=[a-z])|(?= leaving )|(?<=%)(?= to \d)| and ")
_AVERAGE = lazy_pattern(
    r"\b(?:average|mean)(?: [a-z]+){0,2}? (?:of|is|was|=) (?:about |only |exactly )?"
    r"(?P<value>\$?\d+(?:,\d{3})*(?:\.\d+)?)"
    r"(?![\d^*/]| ?[-+*/=\u00d7\u00f7]|[.,]\d|[^.;]{0,12} (?:for|on|and|of the) )"
)
"""What is said of a part, 60 km/h on the way there, is no average of the whole."""


def loss(prose: Prose) -> Extraction | None:
    """`It fell by 10%, leaving 90% of the original`, where the question asks for the decrease in percent."""
    sentence = prose.sentences[-1]
    if not prose.question or ("%" not in sentence and "percent" not in sentence):
        return None
    asked = comparatives.last_question(prose.question).lower()
    found = _PERCENT.findall(sentence) if _LOSS.search(asked) and not _REST.search(asked) else []
    if len(found) != 2 or Fraction(found[0]) + Fraction(found[1]) != 100 or found[0] == found[1]:
        return None
    told = []
    for clause in _CLAUSES.split(sentence.lower()):
        values = _PERCENT.findall(clause)
        if len(values) > 1:
            return None
        told += [(values[0], bool(_LOSS.search(clause)), bool(_REST.search(clause)))] if values else []
    lost = [value for value, is_loss, is_rest in told if is_loss and not is_rest]
    kept = [value for value, is_loss, is_rest in told if is_rest and not is_loss]
    return Extraction(f"{lost[0]}%") if len(lost) == len(kept) == 1 else None


def average(prose: Prose) -> Extraction | None:
    """`390 km are covered in 5 hours, for an average speed of 78 km/h`, where the question asks for the average."""
    sentence = prose.sentences[-1]
    if not prose.question or "average" not in sentence or not structure.is_number(prose.reference):
        return None
    asked = comparatives.last_question(prose.question).lower()
    found = _AVERAGE.findall(sentence) if asked.count("average") == 1 else []
    if len(found) != 1 or sentence.count("average") > 1 or any(map(sentence.__contains__, (" not ", " than ", "n't"))):
        return None
    return Extraction(found[0])
