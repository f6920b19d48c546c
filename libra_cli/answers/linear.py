"""Compares formulas of vectors and matrices, whose products do not commute, by their values at sampled points.

A symbol is a vector if the text marks it (`\\vec{a}`, `\\mathbf{a}`, `\\overrightarrow{AB}`), and the marked i, j and k
are the unit vectors. Capitals are matrices if one of them stands beside its own inverse (`P^{-1}AP`) or is transposed.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from typing import Any

from libra_cli.answers import latex, normalize
from libra_cli.answers.finding import Finding

POINTS, DIGITS = 3, 1e-9
MAX_TOKENS, MAX_DEPTH, MAX_POWER = 120, 20, 8

Vector = tuple[float, ...]
Matrix = tuple[Vector, ...]
Value = float | Vector | Matrix

_MARKED = r"\\(?:vec|mathbf|boldsymbol|bm|overrightarrow|hat|widehat|nabla)(?![A-Za-z])"
_NEEDED = re.compile(rf"{_MARKED}|[A-Z]\^\{{?(?:-1|T|\\top|\\intercal|\\mathsf|\\mathrm)")
_MARK = re.compile(
    r"\\(?:vec|mathbf|boldsymbol|bm|overrightarrow|hat|widehat)\s*"
    r"(?:\{\s*(?:\\(?:hat|vec|mathbf|boldsymbol)\s*\{?\s*)?(?P<name>\\?[A-Za-z]{1,7}|0)\s*\}?\s*\}"
    r"|\s(?P<bare>[A-Za-z])|(?P<greek>\\[a-z]{2,7}))(?:_\{?(?P<index>\w{1,4})\}?)?"
)
_TRANSPOSED = re.compile(
    r"\^\s*\{?\s*(?:\\(?:top|intercal|mathsf\s*\{?\s*T|mathrm\s*\{?\s*T|text\s*\{?\s*T)\}?|T)\s*\}?"
)
_BLANK = re.compile(r"(?:\\(?:left|right)(?![A-Za-z])|\\[,;:! ]|[\s$])*")
_TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)|(?P<name>\\[A-Za-z]+|[A-Za-z](?:_\{\w{1,4}\}|_\w)?)|(?P<sign>.)", re.DOTALL
)
_UNIT = {"i": 0, "j": 1, "k": 2, "\\imath": 0, "\\jmath": 1, "x": 0, "y": 1, "z": 2}
_COLUMN = re.compile(r"\\begin\{[pbv]?matrix\}(?P<rows>[^&]*)\\end\{[pbv]?matrix\}", re.DOTALL)
_COMMA, _ROW = re.compile(r","), re.compile(r"\\\\")
_HATS = frozenset("ijkxyznuv") | {"\\imath", "\\jmath"}


class _Unread(Exception):
    """Raised on a text that the grammar does not cover."""


def same(reference: str, answer: str) -> Finding | None:
    """Compare two answers, one of them a formula of vectors or matrices; None if neither is."""
    if not (_NEEDED.search(reference) or _NEEDED.search(answer)):
        return None
    try:
        sides = _without_common_name(reference, answer)
        formulas = [_Formula(side) for side in sides]
    except _Unread:
        return None
    of_vectors = any(formula.has_products or formula.units or formula.vectors for formula in formulas)
    if not (of_vectors or all(formula.components for formula in formulas)):
        return _of_possible_matrices(formulas)
    of_matrices = any(formula.is_of_matrices for formula in formulas)
    units = any(formula.units for formula in formulas)
    try:
        values = [[formula.value(point, of_matrices, units) for formula in formulas] for point in range(POINTS)]
    except (_Unread, ZeroDivisionError, OverflowError, ValueError, TypeError):
        has_products = any(formula.has_products for formula in formulas)
        return Finding(None, "product") if has_products and sides[0] != sides[1] else None
    kinds = {_kind(value) for pair in values for value in pair}
    if len(kinds) > 1:
        return Finding(False)
    equal = all(_close(*pair) for pair in values)
    if any(formula.has_nabla for formula in formulas) and (not equal or formulas[0].names != formulas[1].names):
        return Finding(None, "product")
    return Finding(equal)


def _of_possible_matrices(formulas: Sequence[_Formula]) -> Finding | None:
    """Whether AB^{-1} and B^{-1}A are equal: as numbers, but not as matrices, and nobody says which they are."""
    if not any(formula.may_be_of_matrices for formula in formulas):
        return None
    try:
        kinds = [[formula.value(0, of_matrices, False) for formula in formulas] for of_matrices in (False, True)]
    except (_Unread, ZeroDivisionError, OverflowError, ValueError, TypeError):
        return None
    numbers, matrices = (_close(*pair) for pair in kinds)
    return Finding(None, "product") if numbers and not matrices else None


def _without_common_name(reference: str, answer: str) -> list[str]:
    """Right sides of two equations for the same vector, or of the only equation."""
    sides = [normalize.unwrapped(text).split("=") for text in (reference, answer)]
    if all(len(side) == 2 for side in sides):
        left = [_tokens(side[0]) for side in sides]
        return [side[-1] for side in sides] if left[0] == left[1] else ["=".join(side) for side in sides]
    return [side[-1] if len(side) < 3 else "=".join(side) for side in sides]


def _kind(value: Value) -> str:
    if not isinstance(value, tuple):
        return "scalar"
    return "matrix" if isinstance(value[0], tuple) else "vector"


def _flat(value: Value) -> list[float]:
    if not isinstance(value, tuple):
        return [value]
    return [number for part in value for number in _flat(part)]


def _close(a: Value, b: Value) -> bool:
    there, here = _flat(a), _flat(b)
    scale = max(1.0, *map(abs, there), *map(abs, here))
    return len(there) == len(here) and all(abs(x - y) <= DIGITS * scale for x, y in zip(there, here, strict=True))


class _Formula:
    """A text as tokens, and what they tell about the kinds of its symbols."""

    def __init__(self, text: str):
        if len(text) > normalize.MAX_CHARS or not text.strip():
            raise _Unread
        self.components = _components(text)
        self._tokens = [] if self.components else _tokens(text)
        kinds = [kind for kind, _ in self._tokens]
        self.units = "unit" in kinds
        self.vectors = "vector" in kinds
        self.has_nabla = ("vector", "\\nabla") in self._tokens
        self.names = {name for kind, name in self._tokens if kind in ("vector", "letter")}
        self.is_of_matrices = self._has_matrices()
        capitals = {name for kind, name in self._tokens if kind == "letter" and name[0].isupper()}
        self.may_be_of_matrices = len(capitals) > 1 and ("sign", "^-1") in self._tokens
        self.has_products = self.is_of_matrices or (
            kinds.count("vector") > 1 and any(sign in ("\\times", "\\cdot") for _, sign in self._tokens)
        )

    def _has_matrices(self) -> bool:
        letters: dict[str, set[bool]] = {}
        for (kind, name), behind in zip(self._tokens, [*self._tokens[1:], ("", "")], strict=False):
            if kind == "letter" and name[0].isupper():
                letters.setdefault(name, set()).add(behind == ("sign", "^-1"))
                if behind == ("sign", "^T"):
                    return True
        return len(letters) > 1 and any(len(found) == 2 for found in letters.values())

    def value(self, point: int, of_matrices: bool, units: bool) -> Value:
        if self.components:
            parts = [_Formula(part).value(point, False, False) for part in self.components]
            vector = tuple(part for part in parts if not isinstance(part, tuple))
            if len(vector) < len(parts):
                raise _Unread
            return (*vector, 0.0) if len(vector) == 2 else vector
        return _Evaluation(self._tokens, point, of_matrices, units).whole()


def _components(text: str) -> list[str]:
    """Components of (1,2,3), <1,2,3> or a column."""
    text = normalize.normalized(text)
    column = _COLUMN.fullmatch(text)
    if column:
        parts = [row for row in _ROW.split(column["rows"]) if row.strip()]
    else:
        inside = latex.enclosed(text, ("(",), (")",))
        parts = latex.split(inside[1], _COMMA) if inside else []
    return parts if len(parts) in (2, 3) else []


def _tokens(text: str) -> list[tuple[str, str]]:
    """(kind, text) of each symbol, number and sign."""
    pieces: list[tuple[str, str]] = []
    position = _behind_blanks(text, 0)
    while position < len(text):
        mark = _MARK.match(text, position)
        transposed = _TRANSPOSED.match(text, position)
        token = mark or transposed or _TOKEN.match(text, position)
        assert token is not None
        position = _behind_blanks(text, token.end())
        if mark:
            pieces.append(_marked(mark))
        elif transposed:
            pieces.append(("sign", "^T"))
        elif token["number"]:
            pieces.append(("number", token["number"]))
        elif token["name"] == "\\nabla":
            pieces.append(("vector", "\\nabla"))
        elif token["name"]:
            known = token["name"][0] != "\\" or token["name"] in _SCALARS
            pieces.append(("letter" if known else "sign", token["name"]))
        else:
            pieces.append(("sign", token["sign"]))
        if len(pieces) > MAX_TOKENS:
            raise _Unread
    return _with_inverses(pieces)


def _behind_blanks(text: str, position: int) -> int:
    blanks = _BLANK.match(text, position)
    return blanks.end() if blanks else position


def _marked(mark: re.Match[str]) -> tuple[str, str]:
    name = mark["name"] or mark["bare"] or mark["greek"]
    if name == "0":
        return ("vector", "0")
    hat = "hat" in mark[0]
    if not mark["index"] and name in _UNIT and (hat or name not in ("x", "y", "z")) and "vec" not in mark[0]:
        return ("unit", name)
    if hat and name not in _HATS:
        raise _Unread
    return ("vector", name + (f"_{mark['index']}" if mark["index"] else ""))


def _with_inverses(pieces: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """`^{-1}` as one sign, and `^2` as a sign with its number."""
    merged: list[tuple[str, str]] = []
    position = 0
    while position < len(pieces):
        behind = "".join(text for _, text in pieces[position : position + 5])
        power = re.match(r"\^(?:\{(-?\d)\}|(\d))", behind)
        if power:
            merged.append(("sign", f"^{power[1] or power[2]}"))
            position += 4 + (power[1] or "").startswith("-") if power[1] else 2
        else:
            merged.append(pieces[position])
            position += 1
    return merged


_GREEK = "alpha beta gamma delta epsilon theta lambda mu nu rho sigma tau phi varphi psi omega pi Omega"
_SCALARS = frozenset(f"\\{name}" for name in _GREEK.split())


class _Evaluation:
    """Recursive-descent evaluation of tokens at one point."""

    def __init__(self, tokens: Sequence[tuple[str, str]], point: int, of_matrices: bool, units: bool):
        self._tokens, self._position, self._depth = tokens, 0, 0
        self._point, self._of_matrices, self._units = point, of_matrices, units

    def whole(self) -> Value:
        value = self._sum()
        if self._position < len(self._tokens):
            raise _Unread
        return value

    def _next(self) -> str:
        return self._tokens[self._position][1] if self._position < len(self._tokens) else ""

    def _accept(self, *signs: str) -> str:
        sign = self._next()
        if sign in signs and sign:
            self._position += 1
            return sign
        return ""

    def _take(self, *signs: str) -> None:
        if not self._accept(*signs):
            raise _Unread

    def _sum(self) -> Value:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Unread
        sign = self._accept("+", "-")
        value = _scaled(self._product(), -1) if sign == "-" else self._product()
        while sign := self._accept("+", "-"):
            value = _added(value, self._product(), -1 if sign == "-" else 1)
        self._depth -= 1
        return value

    def _product(self) -> Value:
        value = self._power()
        while self._next() not in ("", "+", "-", ")", "]", "}", "|", ","):
            sign = self._accept("\\times", "\\cdot", "*", "/")
            factor = self._power()
            value = _multiplied(value, factor, sign)
        return value

    def _power(self) -> Value:
        value = self._atom()
        while (power := self._next()).startswith("^"):
            self._position += 1
            value = _raised(value, power[1:])
        return value

    def _atom(self) -> Value:
        if self._position >= len(self._tokens):
            raise _Unread
        kind, text = self._tokens[self._position]
        self._position += 1
        if kind == "number":
            return float(text)
        if kind == "unit" or (self._units and kind == "letter" and text in ("i", "j", "k")):
            return tuple(float(axis == _UNIT[text]) for axis in range(3))
        if kind == "vector":
            return self._vector(text)
        if kind == "letter":
            return self._letter(text)
        if text in ("(", "[", "{"):
            value = self._sum()
            self._take({"(": ")", "[": "]", "{": "}"}[text])
            return value
        if text == "|":
            value = self._sum()
            self._take("|")
            return math.sqrt(sum(number**2 for number in _flat(value)))
        if text in ("\\frac", "\\dfrac", "\\tfrac", "\\sqrt"):
            return self._command(text)
        if text == "-":
            return _scaled(self._atom(), -1)
        raise _Unread

    def _command(self, name: str) -> Value:
        self._take("{")
        top = self._sum()
        self._take("}")
        if isinstance(top, tuple) and name == "\\sqrt":
            raise _Unread
        if name == "\\sqrt" and not isinstance(top, tuple):
            return math.sqrt(top)
        self._take("{")
        bottom = self._sum()
        self._take("}")
        return _multiplied(top, bottom, "/")

    def _vector(self, name: str) -> Vector:
        if name == "0":
            return (0.0, 0.0, 0.0)
        if len(name) == 2 and name.isupper():  # from A to B
            start, end = self._vector(f"point {name[0]}"), self._vector(f"point {name[1]}")
            return tuple(b - a for a, b in zip(start, end, strict=True))
        numbers = random.Random(f"vector {name} {self._point}")
        return tuple(numbers.uniform(-2, 2) for _ in range(3))

    def _letter(self, name: str) -> Value:
        if name == "\\pi":
            return math.pi
        numbers = random.Random(f"letter {name} {self._point}")
        if self._of_matrices and name[0].isupper():
            size = range(3)
            if name in ("I", "E"):
                return tuple(tuple(float(row == column) for column in size) for row in size)
            return tuple(tuple(numbers.uniform(-2, 2) for _ in size) for _ in size)
        return numbers.uniform(0.5, 2)


def _scaled(value: Any, factor: float) -> Any:
    if isinstance(value, tuple):
        return tuple(_scaled(part, factor) for part in value)
    return factor * value


def _added(a: Any, b: Any, sign: int) -> Any:
    if _kind(a) == _kind(b) != "scalar":
        return tuple(_added(x, y, sign) for x, y in zip(a, b, strict=True))
    if isinstance(a, tuple) or isinstance(b, tuple):
        raise _Unread
    return a + sign * b


def _multiplied(a: Any, b: Any, sign: str) -> Any:
    kinds = (_kind(a), _kind(b))
    if sign == "/":
        if isinstance(b, tuple):
            raise _Unread
        return _scaled(a, 1 / b)
    if not isinstance(a, tuple) or not isinstance(b, tuple):
        return _scaled(b, a) if not isinstance(a, tuple) else _scaled(a, b)
    if kinds == ("vector", "vector") and sign == "\\cdot":
        return sum(x * y for x, y in zip(a, b, strict=True))
    if kinds == ("vector", "vector") and sign == "\\times":
        (a1, a2, a3), (b1, b2, b3) = a, b
        return (a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1)
    if sign in ("", "\\cdot") and kinds[0] == "matrix":
        if kinds[1] == "matrix":
            columns = tuple(zip(*b, strict=True))
            return tuple(tuple(_dot(row, column) for column in columns) for row in a)
        return tuple(_dot(row, b) for row in a)
    raise _Unread


def _dot(a: Vector, b: Vector) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _raised(value: Any, power: str) -> Any:
    if power == "T":
        if _kind(value) != "matrix":
            raise _Unread
        return tuple(zip(*value, strict=True))
    exponent = int(power) if power.lstrip("-").isdecimal() else MAX_POWER + 1
    if abs(exponent) > MAX_POWER or (_kind(value) == "vector" and exponent != 2):
        raise _Unread
    if not isinstance(value, tuple):
        return float(value**exponent)
    if _kind(value) == "vector":
        return _multiplied(value, value, "\\cdot")
    base = _inverse(value) if exponent < 0 else value
    result = base
    for _ in range(abs(exponent) - 1):
        result = _multiplied(result, base, "")
    if exponent == 0:
        raise _Unread
    return result


def _inverse(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    cofactors = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    determinant = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0]
    return tuple(tuple(cell / determinant for cell in row) for row in cofactors)
