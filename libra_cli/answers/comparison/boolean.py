"""Compares propositions and combinations of sets by their truth tables: `p \\to q`, `A \\setminus B`."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product

from libra_cli.answers.values import normalize
from libra_cli.lazy_pattern import lazy_pattern

MAX_LETTERS, MAX_SIGNS = 6, 80
_SIGNS = {
    "\\neg": "not", "\\lnot": "not", "¬": "not", "\\sim": "not", "~": "not",
    "\\land": "and", "\\wedge": "and", "∧": "and", "\\cap": "and", "∩": "and",
    "\\lor": "or", "\\vee": "or", "∨": "or", "\\cup": "or", "∪": "or",
    "\\setminus": "without", "\\backslash": "without", "\\smallsetminus": "without",
    "\\oplus": "differs", "\\triangle": "differs", "\\bigtriangleup": "differs",
    "\\to": "implies", "\\rightarrow": "implies", "\\implies": "implies", "\\Rightarrow": "implies",
    "\\longrightarrow": "implies", "→": "implies", "⇒": "implies",
    "\\leftrightarrow": "equals", "\\iff": "equals", "\\Leftrightarrow": "equals", "↔": "equals", "⇔": "equals",
    "\\overline": "line", "\\bar": "line",
}  # fmt: skip
TYPED = ("\u00ac", "\u2227", "\u2228", "\u2192", "\u2194", "\u21d2", "\u21d4")
"""Signs of propositions as people type them."""
_FOR_SETS = frozenset(("\\cap", "∩", "\\cup", "∪", "\\setminus", "\\backslash", "\\smallsetminus", "\\triangle"))
_COMPLEMENT = lazy_pattern(r"\^\{?(?:c|C|\\complement)\}?|'|\^\{?\\prime\}?")
_EVENT = lazy_pattern(r"(?:P|\\Pr|\\mathbb\{P\})\s?\(([^()|]{1,40})\)")
"""The probability of an event without a condition."""
_TOKEN = lazy_pattern(r"(?:\\(?:left|right|q?quad)(?![A-Za-z])|\\[,;:! ]|[\s$])*(\\[A-Za-z]+|.)", re.DOTALL)
_SETS = frozenset("ABCDSTXYZ")
_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")
_LEVELS: tuple[dict[str, Callable[[bool, bool], bool]], ...] = (
    {"equals": lambda a, b: a == b},
    {"implies": lambda a, b: not a or b},
    {"or": lambda a, b: a or b, "differs": lambda a, b: a != b},
    {"and": lambda a, b: a and b, "without": lambda a, b: a and not b},
)
"""Operators, from the one that binds least."""

Value = Callable[[dict[str, bool]], bool]


class _NoProposition(Exception):
    """Raised on a text that the grammar does not cover."""


def same(reference: str, answer: str) -> bool | None:
    """Whether two answers are the same proposition or set; None unless both are, and one has an operator."""
    if "\\times" in reference and "\\times" in answer:  # A \times B is not B \times A
        factors = [[*map(str.strip, normalize.unwrapped(text).split("\\times"))] for text in (reference, answer)]
        if all(map(_SETS.issuperset, factors)):
            return factors[0] == factors[1]
    if not any(sign in text for text in (reference, answer) for sign in _SIGNS):
        return None
    wanted, given = (_EVENT.fullmatch(normalize.unwrapped(text)) for text in (reference, answer))
    texts = (wanted[1], given[1]) if wanted and given else (reference, answer)  # P(A \cap B)
    return _same_tables(*map(normalize.unwrapped, texts))


def _same_tables(reference: str, answer: str) -> bool | None:
    """Whether two propositions have one truth table; None if one of them is none."""
    try:
        wanted, given = _Parser(reference), _Parser(answer)
    except _NoProposition:
        return None
    letters = sorted(wanted.letters | given.letters)
    of_sets = wanted.of_sets or given.of_sets
    if len(letters) > MAX_LETTERS or (of_sets and not all(map(str.isupper, letters))):
        return None
    rows = [dict(zip(letters, values, strict=True)) for values in product((False, True), repeat=len(letters))]
    table = [(wanted.value(row), given.value(row)) for row in rows]
    if len(set(table)) == 1 and table[0][0] == table[0][1]:  # two tautologies need not be the same statement
        return None
    return all(one == other for one, other in table)


class _Parser:
    """Recursive-descent parser; `value` is the truth of the text for the truth of its letters."""

    def __init__(self, text: str):
        if len(text) > normalize.MAX_CHARS:
            raise _NoProposition
        text = _COMPLEMENT.sub("\0", text.replace("~", " ") if "\\" in text else text)
        tokens = [match[1] for match in _TOKEN.finditer(text)]
        if len(tokens) > MAX_SIGNS:
            raise _NoProposition
        self.of_sets = not _FOR_SETS.isdisjoint(tokens)
        self.letters: set[str] = set()
        self._tokens, self._position = [_SIGNS.get(token, token) for token in tokens], 0
        self.value = self._level(0)
        if self._position < len(tokens):
            raise _NoProposition

    def _next(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def _level(self, level: int) -> Value:
        if level == len(_LEVELS):
            return self._atom()
        value, operators, joined = self._level(level + 1), set[str](), False
        while (name := self._next()) in _LEVELS[level]:
            self._position += 1
            operators.add(name)
            if len(operators) > 1:  # A \cap B \setminus C: nobody knows in which order
                raise _NoProposition
            if joined and name in ("implies", "equals"):  # A \to B \to C is a way, and no proposition
                raise _NoProposition
            joined = True
            right = self._level(level + 1)
            value = self._joined(_LEVELS[level][name], value, right)
        return value

    @staticmethod
    def _joined(operator: Callable[[bool, bool], bool], left: Value, right: Value) -> Value:
        return lambda row: operator(left(row), right(row))

    def _atom(self) -> Value:
        token = self._next()
        self._position += 1
        if token in ("not", "line"):
            inner = self._atom()
            return lambda row: not inner(row)
        if token in _OPENING:
            value = self._level(0)
            if self._next() not in _CLOSING:
                raise _NoProposition
            self._position += 1
        elif len(token) == 1 and token.isalpha() and token.isascii():
            self.letters.add(token)
            value = self._letter(token)
        else:
            raise _NoProposition
        while self._next() == "\0":
            self._position += 1
            value = self._negated(value)
        return value

    @staticmethod
    def _letter(letter: str) -> Value:
        return lambda row: row[letter]

    @staticmethod
    def _negated(value: Value) -> Value:
        return lambda row: not value(row)
