"""Compares a matrix or vector in full with one that is named: `I_2`, `2I`, the identity matrix, `diag(1, 2)`, zero."""

from __future__ import annotations

from libra_cli.answers.text import number
from libra_cli.answers.values import normalize, structure
from libra_cli.answers.values.finding import Decide, Decision
from libra_cli.answers.values.structure import Answer, Matrix, Parts
from libra_cli.lazy_pattern import lazy_pattern

_WRAPPED = lazy_pattern(r"\\(?:text(?:bf|rm)?|math(?:bf|bb|rm|sf)|operatorname|vec|bm|boldsymbol|overrightarrow)\s*")
_OF_SIZE = r"(?:\$?\d ?(?:x|\u00d7|\*|\\times) ?\d\$?[ -]?)?"
IDENTITY = (
    rf"{_OF_SIZE}(?:identity(?: matrix)?|unit matrix|einheitsmatrix|matrice identit[\u00e9\u00e0]|matriz identidad"
    r"|matriz identidade|\u5355\u4f4d\u77e9\u9635|\u5358\u4f4d\u884c\u5217)"
)
ZERO = (
    rf"{_OF_SIZE}(?:(?:zero|null) (?:matrix|vector)|null(?:matrix|vektor)|vecteur nul|matrice nulle|vettore nullo"
    r"|vector (?:cero|nulo)|matriz (?:cero|nula)|\u96f6\u5411\u91cf|\u96f6\u77e9\u9635)"
)
_IDENTITY = lazy_pattern(
    rf"(?P<factor>-?\d{{1,9}}(?:[./]\d{{1,9}})?|-)?\s*(?:\\cdot|\*|times the)?\s*"
    rf"(?:[IE](?:_\{{?(?P<size>\d)(?:\\times\d)?\}}?)?|(?:the )?(?i:{IDENTITY}))"
)
_ZERO = lazy_pattern(rf"0|(?:the )?(?i:{ZERO})")
_DIAGONAL = lazy_pattern(r"\{?diag\}?\s*\(?\s*[(\[{](?P<entries>[^()\[\]{}]{1,120})[)\]}]\s*\)?", one_of=("diag",))


def same(reference: str, answer: str, decide: Decide) -> Decision | None:
    """Compare two answers of which one is a matrix or vector in full, and the other one named; None for others."""
    for name, other in ((reference, answer), (answer, reference)):
        shape = _shape(structure.parse(normalize.unwrapped(other)))
        entries = _entries(name, shape) if shape else None
        if entries is not None:
            return decide(_written(entries), other)
    return None


def _written(entries: list[list[str]]) -> str:
    """A matrix in full; one row or one column as a tuple."""
    if len(entries) > 1 < len(entries[0]):
        inside = r"\\".join("&".join(row) for row in entries)
        return rf"\begin{{pmatrix}}{inside}\end{{pmatrix}}"
    return f"({','.join(entry for row in entries for entry in row)})"


def _shape(answer: Answer | None) -> tuple[int, int] | None:
    """The rows and columns of a matrix or vector."""
    if isinstance(answer, Matrix):
        return len(answer.rows), len(answer.rows[0])
    is_vector = isinstance(answer, Parts) and answer.kind == "sequence" and not answer.interval
    return (1, len(answer.parts)) if isinstance(answer, Parts) and is_vector else None


def _entries(name: str, shape: tuple[int, int]) -> list[list[str]] | None:
    """The entries of the named matrix or vector in a shape; None if it is none, or has another size."""
    bare = _WRAPPED.sub("", name).strip(" $.").replace("{0}", "0")
    rows, columns = shape
    if _ZERO.fullmatch(bare) and name != "0":  # \vec{0}, and no bare 0
        return [["0"] * columns for _ in range(rows)]
    if rows != columns:
        return None
    diagonal = _DIAGONAL.fullmatch(bare)
    if diagonal:
        given = [entry.strip() for entry in diagonal["entries"].split(",")]
        return _on_diagonal(given) if len(given) == rows else None
    identity = _IDENTITY.fullmatch(bare)
    if identity is None or (identity["size"] or str(rows)) != str(rows):
        return None
    factor = identity["factor"] or "1"
    if factor != "-" and number.parse(factor) is None:
        return None
    return _on_diagonal(["-1" if factor == "-" else factor] * rows)


def _on_diagonal(entries: list[str]) -> list[list[str]]:
    return [[entry if at == row else "0" for at in range(len(entries))] for row, entry in enumerate(entries)]
