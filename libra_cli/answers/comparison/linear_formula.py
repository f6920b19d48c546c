"""Formulas of vectors and matrices: their symbols, and their values at sampled points."""

from __future__ import annotations

import itertools
import math
import random
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from libra_cli.answers.text import latex
from libra_cli.answers.values import normalize
from libra_cli.lazy_pattern import lazy_pattern

DIGITS = 1e-9
MAX_TOKENS, MAX_DEPTH, MAX_POWER = 120, 20, 8

Array = NDArray[np.float64]

_MARK = lazy_pattern(
    r"\\(?:vec|mathbf|boldsymbol|bm|overrightarrow|hat|widehat)\s*"
    r"(?:\{\s*(?:\\(?:hat|vec|mathbf|boldsymbol)\s*\{?\s*)?(?P<name>\\?[A-Za-z]{1,7}|0)\s*\}?\s*\}"
    r"|\s(?P<bare>[A-Za-z])|(?P<greek>\\[a-z]{2,7}))(?:_\{?(?P<index>\w{1,4})\}?)?"
)
_TRANSPOSED = lazy_pattern(
    r"\^\s*\{?\s*(?:\\(?:top|intercal|mathsf\s*\{?\s*T|mathrm\s*\{?\s*T|text\s*\{?\s*T)\}?|T)\s*\}?"
)
_BLANK = lazy_pattern(r"(?:\\(?:left|right)(?![A-Za-z])|\\[,;:! ]|[\s$])*")
_TOKEN = lazy_pattern(
    r"(?P<number>\d+(?:\.\d+)?)|(?P<name>\\[A-Za-z]+|[A-Za-z](?:_\{\w{1,4}\}|_\w)?)|(?P<sign>.)", re.DOTALL
)
_UNIT = {"i": 0, "j": 1, "k": 2, "\\imath": 0, "\\jmath": 1, "x": 0, "y": 1, "z": 2}
_COLUMNS = frozenset(("matrix", "pmatrix", "bmatrix", "vmatrix"))
_DIMENSIONS = frozenset("MLTQIKNJVWCS")
_HATS = frozenset("ijkxyznuv") | {"\\imath", "\\jmath"}
_GREEK = "alpha beta gamma delta epsilon theta lambda mu nu rho sigma tau phi varphi psi omega pi Omega"
_SCALARS = frozenset(f"\\{name}" for name in _GREEK.split())


class Unread(Exception):
    """Raised on a text that the grammar does not cover."""


NO_VALUE = (Unread, ZeroDivisionError, OverflowError, ValueError, TypeError)
"""What `Formula.value` may raise: the text is not read, or has no value at the point."""


def without_common_name(reference: str, answer: str) -> list[str]:
    """Right sides of two equations for the same vector, or of the only equation."""
    sides = [normalize.unwrapped(text).split("=") for text in (reference, answer)]
    if all(len(side) == 2 for side in sides):
        left = [_tokens(side[0]) for side in sides]
        return [side[-1] for side in sides] if left[0] == left[1] else ["=".join(side) for side in sides]
    return [side[-1] if len(side) < 3 else "=".join(side) for side in sides]


def close(a: Array, b: Array) -> bool:
    """Whether two values are equal but for rounding."""
    return a.shape == b.shape and bool(
        np.abs(a - b).max(initial=0) <= DIGITS * max(1, np.abs(a).max(), np.abs(b).max())
    )


class Formula:
    """A text as tokens, and what they tell about the kinds of its symbols."""

    def __init__(self, text: str):
        if len(text) > normalize.MAX_CHARS or not text.strip():
            raise Unread
        self.components = _components(text)
        self._tokens = [] if self.components else _tokens(text)
        kinds = [kind for kind, _ in self._tokens]
        self.units = "unit" in kinds
        self.vectors = "vector" in kinds
        self.has_nabla = ("vector", "\\nabla") in self._tokens
        self.names = {name for kind, name in self._tokens if kind in ("vector", "letter")}
        self.is_of_matrices = self._has_matrices()
        capitals = {name for kind, name in self._tokens if kind == "letter" and name[0].isupper()}
        self.has_commutator = self._has_commutator()
        pairs = itertools.pairwise(self._tokens)
        inverted = {one[1] for one, behind in pairs if one[1][:1].isupper() and behind == ("sign", "^-1")}
        self.has_inverses = len(inverted) > 1 and not inverted <= _DIMENSIONS
        """Several capitals are inverted, as no factors of a number would be written."""
        self.may_be_of_matrices = self.has_commutator or (len(capitals) > 1 and ("sign", "^-1") in self._tokens)
        self.has_products = self.is_of_matrices or kinds.count("operator") > 1
        self.has_products = self.has_products or (
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

    def _has_commutator(self) -> bool:
        """Whether two capitals stand side by side in both orders: AB - BA."""
        pairs = {
            (one, other)
            for (kind, one), (behind, other) in itertools.pairwise(self._tokens)
            if kind == behind == "letter" and one != other and one[0].isupper() and other[0].isupper()
        }
        return any((other, one) in pairs for one, other in pairs)

    def take_vectors_of(self, other: Formula) -> None:
        """Reads the letters as the vectors of `other`, if nothing is marked here and all of them are marked there."""
        letters = {name for kind, name in self._tokens if kind == "letter"}
        marked = {name for kind, name in other._tokens if kind == "vector"}
        if letters and letters <= marked and not (self.vectors or self.units):
            self._tokens = [("vector" if kind == "letter" else kind, name) for kind, name in self._tokens]

    def value(self, point: int, of_matrices: bool, units: bool) -> Array:
        """A number, a vector (3) or a matrix (3, 3); raises one of NO_VALUE."""
        with np.errstate(all="ignore"):
            if self.components:
                parts = [Formula(part).value(point, False, False) for part in self.components]
                value = np.array([*parts, 0.0][:3] if all(part.ndim == 0 for part in parts) else parts)
            else:
                value = _Evaluation(self._tokens, point, of_matrices, units).whole()
        if not np.isfinite(value).all():
            raise OverflowError
        return value


def _components(text: str) -> list[str]:
    """Components of (1,2,3), <1,2,3> or a column."""
    text = normalize.normalized(text)
    parts = latex.rows_of(text, _COLUMNS)
    if parts is None or "&" in text:
        inside = latex.enclosed(text, ("(",), (")",))
        parts = latex.split(inside[1], frozenset(",")) if inside else []
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
            raise Unread
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
        if not (len(name) == 1 and name.isupper()):
            raise Unread
        return ("operator", name + (f"_{mark['index']}" if mark["index"] else ""))
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


class _Evaluation:
    """Recursive-descent evaluation of tokens at one point."""

    def __init__(self, tokens: Sequence[tuple[str, str]], point: int, of_matrices: bool, units: bool):
        self._tokens, self._position, self._depth = tokens, 0, 0
        self._point, self._of_matrices, self._units = point, of_matrices, units

    def whole(self) -> Array:
        value = self._sum()
        if self._position < len(self._tokens):
            raise Unread
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
            raise Unread

    def _sum(self) -> Array:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unread
        sign = self._accept("+", "-")
        value = -self._product() if sign == "-" else self._product()
        while sign := self._accept("+", "-"):
            term = self._product()
            if term.ndim != value.ndim:
                raise Unread
            value = value - term if sign == "-" else value + term
        self._depth -= 1
        return value

    def _product(self) -> Array:
        value = self._power()
        while self._next() not in ("", "+", "-", ")", "]", "}", "|", ","):
            sign = self._accept("\\times", "\\cdot", "*", "/")
            factor = self._power()
            value = _multiplied(value, factor, sign)
        return value

    def _power(self) -> Array:
        value = self._atom()
        while (power := self._next()).startswith("^"):
            self._position += 1
            value = _raised(value, power[1:])
        return value

    def _atom(self) -> Array:
        if self._position >= len(self._tokens):
            raise Unread
        kind, text = self._tokens[self._position]
        self._position += 1
        if kind == "number":
            return np.array(float(text))
        if kind == "unit" or (self._units and kind == "letter" and text in ("i", "j", "k")):
            return np.eye(3)[_UNIT[text]]
        if kind == "vector":
            return self._vector(text)
        if kind == "operator":
            return self._sample(f"operator {text}", -2, 3, 3)
        if kind == "letter":
            return self._letter(text)
        if text in ("(", "[", "{"):
            value = self._sum()
            self._take({"(": ")", "[": "]", "{": "}"}[text])
            return value
        if text == "|":
            value = self._sum()
            self._take("|")
            return np.array(np.sqrt((value**2).sum()))
        if text in ("\\frac", "\\dfrac", "\\tfrac", "\\sqrt"):
            return self._command(text)
        if text == "-":
            return -self._atom()
        raise Unread

    def _command(self, name: str) -> Array:
        self._take("{")
        top = self._sum()
        self._take("}")
        if name == "\\sqrt":
            if top.ndim:
                raise Unread
            return np.sqrt(top)
        self._take("{")
        bottom = self._sum()
        self._take("}")
        return _multiplied(top, bottom, "/")

    def _vector(self, name: str) -> Array:
        if name == "0":
            return np.zeros(3)
        if len(name) == 2 and name.isupper():  # from A to B
            return self._vector(f"point {name[1]}") - self._vector(f"point {name[0]}")
        return self._sample(f"vector {name}", -2, 3)

    def _letter(self, name: str) -> Array:
        if name == "\\pi":
            return np.array(np.pi)
        if not (self._of_matrices and name[0].isupper()):
            return self._sample(f"letter {name}", 0.5)
        return np.eye(3) if name in ("I", "E") else self._sample(f"letter {name}", -2, 3, 3)

    def _sample(self, name: str, low: float, *shape: int) -> Array:
        """A value between `low` and 2 that depends on the name and the point only."""
        numbers = random.Random(f"{name} {self._point}")
        return np.array([numbers.uniform(low, 2) for _ in range(math.prod(shape))]).reshape(shape)


def _multiplied(a: Array, b: Array, sign: str) -> Array:
    if sign == "/":
        if b.ndim:
            raise Unread
        return a / b
    if not (a.ndim and b.ndim):
        return a * b
    if a.ndim == b.ndim == 1 and sign == "\\times":
        return np.asarray(np.cross(a, b), np.float64)
    if (a.ndim == b.ndim == 1 and sign == "\\cdot") or (a.ndim == 2 and sign in ("", "\\cdot")):
        return np.asarray(a @ b)
    raise Unread


def _raised(value: Array, power: str) -> Array:
    if power == "T":
        if value.ndim != 2:
            raise Unread
        return value.T
    exponent = int(power) if power.lstrip("-").isdecimal() else MAX_POWER + 1
    if abs(exponent) > MAX_POWER or (value.ndim == 1 and exponent != 2) or (value.ndim == 2 and exponent == 0):
        raise Unread
    if value.ndim == 2:
        power_of_matrix: Array = np.linalg.matrix_power(value, exponent).astype(np.float64)
        return power_of_matrix
    return np.asarray(value @ value if value.ndim else value ** float(exponent))
