"""Readers of what a text without a box lists: items on lines, behind a colon or in pairs, rows of a matrix, code."""

from __future__ import annotations

from libra_cli.answers.comparison import named_matrices
from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.sentences import assertions, lines
from libra_cli.answers.sentences.extracted import Extraction
from libra_cli.answers.text import arrays, latex
from libra_cli.lazy_pattern import lazy_pattern

_CODE_LIST = lazy_pattern(r"(?:\"\w{1,20}\" ?: ?|\b[A-Za-z_]{3,20} = )\[(?P<members>[^\[\]]{1,200})\],?\s?\}?$")


_END = r"(?=\$?(?: of [^.;]{1,40}|,? (?:where|with|wobei|mit) [^.;]{1,60})?[.!$]*$)"
"""What ends a sentence behind the name of a matrix."""
_DIAGONAL = lazy_pattern(rf"\\?(?:operatorname\{{)?diag\}}?\s*\([^()]{{1,120}}\){_END}", one_of=("diag",))
_NAMED_MATRIX = lazy_pattern(
    r"(?:\b(?:is|are|equals?|be|ist|est|es|\u00e8|\u00e9|gives|yields|get|becomes?|remains?)|=|\u4e3a|\u662f) ?"
    r"(?:(?:simply|just|again|therefore|thus|also) )?(?:(?:the|a|an|die|eine|la|una) )?\$?(?:"
    rf"(?i:(?:{named_matrices.IDENTITY}))\b|(?P<zero>(?i:{named_matrices.ZERO}))"
    rf"|(?P<factor>-?\d{{0,9}}(?:/\d{{1,9}})?) ?I(?:_\{{?\d(?:\\times ?\d)?\}}?)?(?![A-Za-z])){_END}"
)


def rows_of_matrix(prose: Prose) -> Extraction | None:
    """`[1 0]` above `[0 1]` at the end of a text, for a reference that is a matrix."""
    found = None if prose.cut else arrays.of_lines(prose.tail, prose.reference)
    return Extraction(found) if found else None


def named_matrix(prose: Prose) -> Extraction | None:
    """`Hence it is the 2 x 2 identity matrix`, `A = 2I`, for a reference that is a matrix or a vector."""
    if prose.cut or not (prose.reference.startswith(("(", "[")) or "\\begin{" in prose.reference):
        return None
    diagonal = _DIAGONAL.findall(prose.sentences[-1])
    if len(diagonal) == 1 and not assertions.denies(prose.sentences[-1]):
        return Extraction(diagonal[0])
    said = _NAMED_MATRIX.search(prose.sentences[-1])
    if said is None or assertions.denies(prose.sentences[-1]):
        return None
    return Extraction("\\vec{0}" if said["zero"] else f"{said['factor'] or ''}I")


def listed_lines(prose: Prose) -> Extraction | None:
    """`The solutions are:` above `- x = 2` and `- x = 3`, for a reference with several values."""
    if prose.cut or not prose.is_several:
        return None
    found = lines.listed(prose.tail) or lines.behind_colon(prose.sentences[-1])
    if not found and prose.question and "pair" not in prose.question and prose.reference[:1].isdecimal():
        found = lines.pairs(prose.sentences[-1])
    if found and "=" not in found and latex.enclosed(prose.reference, ("[", "("), ("]", ")")):
        found = f"{prose.reference[0]}{found}{prose.reference[-1]}"
    return Extraction(found) if found else None


def code_list(prose: Prose) -> Extraction | None:
    """`solutions = [2, 3]`, `{"x": [2, 3]}`: a list in code or JSON, for a reference with several values."""
    if not prose.is_several or prose.reference.strip(" $")[:1] in ("[", "("):
        return None
    found = _CODE_LIST.search(prose.tail.rstrip(" \n`"))
    return Extraction(found["members"]) if found else None
