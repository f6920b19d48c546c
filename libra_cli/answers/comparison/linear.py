"""Compares formulas of vectors and matrices, whose products do not commute, by their values at sampled points.

A symbol is a vector if the text marks it (`\\vec{a}`, `\\mathbf{a}`, `\\overrightarrow{AB}`), and the marked i, j and k
are the unit vectors. A text without marks means the vectors of the other one, if it has their letters. Capitals are
matrices if one of them stands beside its own inverse (`P^{-1}AP`) or is transposed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from libra_cli.answers.values import normalize
from libra_cli.answers.values.finding import Finding
from libra_cli.lazy_pattern import lazy_pattern

if TYPE_CHECKING:
    from libra_cli.answers.comparison.linear_formula import Formula

POINTS = 3
_NEEDED = lazy_pattern(
    r"\\(?:vec|mathbf|boldsymbol|bm|overrightarrow|hat|widehat|nabla)(?![A-Za-z])"
    r"|([A-Z]) ?([A-Z])(?![A-Za-z]).{1,8}\2 ?\1|[A-Z]\^\{?(?:-1|T|\\top|\\intercal|\\mathsf|\\mathrm)"
)


_COMMANDS = ("vec", "math", "bold", "\\bm", "overright", "hat", "nabla")


def _is_needed(text: str) -> bool:
    """Whether a text has a vector or a product of matrices, which are capital letters or behind a command."""
    return (text != text.lower() or any(map(text.__contains__, _COMMANDS))) and _NEEDED.search(text) is not None


def same(reference: str, answer: str) -> Finding | None:
    """Compare two answers, one of them a formula of vectors or matrices; None if neither is."""
    reference, answer = (text if text.isascii() else normalize.in_ascii(text) for text in (reference, answer))
    if not (_is_needed(reference) or _is_needed(answer)):
        return None
    from libra_cli.answers.comparison.linear_formula import NO_VALUE, Formula, Unread, close, without_common_name

    try:
        sides = without_common_name(reference, answer)
        formulas = [Formula(side) for side in sides]
    except Unread:
        return None
    for one, other in (formulas, reversed(formulas)):
        one.take_vectors_of(other)
    of_vectors = any(formula.has_products or formula.units or formula.vectors for formula in formulas)
    if not (of_vectors or all(formula.components for formula in formulas)):
        return _of_possible_matrices(formulas)
    of_matrices = any(formula.is_of_matrices for formula in formulas)
    units = any(formula.units for formula in formulas)
    try:
        values = [[formula.value(point, of_matrices, units) for formula in formulas] for point in range(POINTS)]
    except NO_VALUE:
        has_products = any(formula.has_products for formula in formulas)
        return Finding(None, "product") if has_products and sides[0] != sides[1] else None
    if values[0][0].ndim != values[0][1].ndim:
        zeros = [not value.any() for value in values[0]]
        return Finding(None, "vector_or_number") if all(zeros) else Finding(False)
    equal = all(close(*pair) for pair in values)
    if any(formula.has_nabla for formula in formulas) and (not equal or formulas[0].names != formulas[1].names):
        return Finding(None, "product")
    return Finding(equal)


def _of_possible_matrices(formulas: list[Formula]) -> Finding | None:
    """Whether AB^{-1} and B^{-1}A are equal: as numbers, but not as matrices, and nobody says which they are."""
    if not any(formula.may_be_of_matrices for formula in formulas):
        return None
    from libra_cli.answers.comparison.linear_formula import NO_VALUE, close

    try:
        kinds = [[formula.value(0, of_matrices, False) for formula in formulas] for of_matrices in (False, True)]
    except NO_VALUE:
        return None
    numbers, matrices = (close(*pair) for pair in kinds)
    if not numbers or matrices:
        return None
    is_certain = formulas[0].has_commutator or formulas[0].has_inverses
    return Finding(False) if is_certain else Finding(None, "product")
