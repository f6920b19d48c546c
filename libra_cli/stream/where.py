"""`--where`: a small expression language over the fields of one row, with a parser of its own (Python sees none of it).

    EXPR   := or, and, not; == != < <= > >= (they chain: 1 <= level <= 3); in, not in; + - * / %; ( )
    VALUE  := 5, 0.5, 'text' or "text" (a backslash is itself), true, false, null, [a, b],
              a field, a.field.inside, a.'field with an odd name', a.list.0
    CALL   := len(x), lower(x), number(x), matches(x, 'regex'), field('odd name')

A field that the row does not have is null. Comparing null, or text with a number, gives unknown, not false: `not` keeps
it unknown, `and` and `or` treat it as SQL does, and a row is kept only if the whole is true. `x == null` and
`x != null` test for null itself.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from libra_cli.similar import nearest_name

Value = Any
Fields = Mapping[str, Any]
Eval = Callable[[Fields], Value]

MAX_CHARS = 10_000
MAX_DEPTH = 50
MAX_DIGITS = 300
MAX_SUGGESTED = 12
"""Fields that are named if none resembles the unknown one."""
WORD_VALUES = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*)|(?P<text>'[^']*'|"[^"]*")"""
    r"""|(?P<sign>==|!=|<=|>=|[-+*/%<>()\[\],.]))"""
)
_SLIPS = {
    "=": "== compares",
    "&": "write and",
    "|": "write or",
    "!": "write not",
    "'": "the quote is not closed",
    '"': "the quote is not closed",
}


class WhereError(ValueError):
    """A syntax error in an expression; `column` counts from 0."""

    def __init__(self, text: str, column: int, reason: str):
        super().__init__(reason)
        self.text, self.column, self.reason = text, column, reason

    def shown(self) -> str:
        """The expression and, on a second line, a caret under the error and its reason."""
        return f"{self.text}\n{' ' * self.column}^ {self.reason}"


@dataclass(frozen=True)
class Where:
    """A condition on rows; `test` returns True, False, or None for unknown."""

    text: str
    names: frozenset[str]
    """The fields that it uses."""
    test: Callable[[Fields], bool | None]


def no_row_has(name: str, names: Iterable[str]) -> str:
    """`no row has "lable"; did you mean label?`, or which fields there are, the `names` of all rows."""
    there = list(names)
    close = nearest_name(name, there)
    hint = f"did you mean {close}?" if close else f"there are: {', '.join(there[:MAX_SUGGESTED])}"
    return f'no row has "{name}"; {hint}'


def parse(text: str) -> Where:
    """Parses a condition; raises WhereError."""
    if len(text) > MAX_CHARS:
        raise WhereError(text[:60] + "...", 0, f"longer than {MAX_CHARS} characters; give several --where")
    text = re.sub(r"[\r\n\t]", " ", text)
    parser = _Parser(text)
    evaluate = parser.whole()
    return Where(text, frozenset(parser.names), lambda fields: _truth(evaluate(fields)))


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    column: int


def _tokens(text: str) -> list[_Token]:
    tokens, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            position += len(text[position:]) - len(text[position:].lstrip())
            character = text[position]
            raise WhereError(text, position, _SLIPS.get(character, f"{character!r} means nothing here"))
        kind = str(match.lastgroup)
        tokens.append(_Token(kind, match[kind], match.start(kind)))
        position = match.end()
    return [*tokens, _Token("end", "", len(text.rstrip()))]


class _Parser:
    """Recursive descent, one method per level of precedence, lowest first; each returns a function of the fields."""

    def __init__(self, text: str):
        self._text, self._tokens, self._at, self._depth = text, _tokens(text), 0, 0
        self.names: set[str] = set()

    def whole(self) -> Eval:
        evaluate = self._any()
        if self._next.kind != "end":
            self._fail(f"{self._next.text!r} is not expected here")
        return evaluate

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _fail(self, reason: str, token: _Token | None = None) -> NoReturn:
        raise WhereError(self._text, (token or self._next).column, reason)

    def _take(self, *texts: str) -> str | None:
        """Consumes the next token and returns its text if it is one of `texts` and not quoted; else returns None."""
        if self._next.kind in ("sign", "name") and self._next.text in texts:
            self._at += 1
            return self._tokens[self._at - 1].text
        return None

    def _expect(self, text: str) -> None:
        if not self._take(text):
            self._fail(f"{text!r} is missing")

    def _any(self) -> Eval:
        parts = [self._all()]
        while self._take("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda fields: _either(part(fields) for part in parts)

    def _all(self) -> Eval:
        parts = [self._negation()]
        while self._take("and"):
            parts.append(self._negation())
        if len(parts) == 1:
            return parts[0]
        return lambda fields: _negated(_either(_negated(part(fields)) for part in parts))

    def _negation(self) -> Eval:
        negations = 0
        while self._take("not"):
            negations += 1
        evaluate = self._comparison()
        if negations % 2:
            return lambda fields: _negated(evaluate(fields))
        return evaluate

    def _comparison(self) -> Eval:
        left, left_is_null = self._side()
        comparisons: list[Eval] = []
        while compare := self._compare_sign():
            right, right_is_null = self._side()
            comparisons.append(_comparing(compare, left, right, left_is_null or right_is_null))
            left, left_is_null = right, right_is_null
        if not comparisons:
            return left
        return lambda fields: _negated(_either(_negated(one(fields)) for one in comparisons))

    def _compare_sign(self) -> str | None:
        if self._next.text == "not" and self._tokens[self._at + 1].text == "in" and self._next.kind == "name":
            self._at += 2
            return "not in"
        return self._take("==", "!=", "<=", ">=", "<", ">", "in")

    def _side(self) -> tuple[Eval, bool]:
        """Returns one side of a comparison, and whether it is the literal null."""
        start = self._at
        evaluate = self._sum()
        return evaluate, self._at == start + 1 and WORD_VALUES.get(self._tokens[start].text, 0) is None

    def _sum(self) -> Eval:
        first, steps = self._product(), []
        while sign := self._take("+", "-"):
            steps.append((sign, self._product()))
        return _calculating(first, steps)

    def _product(self) -> Eval:
        first, steps = self._signed(), []
        while sign := self._take("*", "/", "%"):
            steps.append((sign, self._signed()))
        return _calculating(first, steps)

    def _signed(self) -> Eval:
        if not self._take("-"):
            return self._value()
        return _calculating(lambda _: 0, [("-", self._value())])

    def _value(self) -> Eval:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"nested more than {MAX_DEPTH} levels deep")
        evaluate = self._operand()
        self._depth -= 1
        return evaluate

    def _operand(self) -> Eval:
        token = self._next
        self._at += 1
        if token.kind == "number":
            if len(token.text) > MAX_DIGITS:
                self._at -= 1
                self._fail(f"a number of more than {MAX_DIGITS} characters")
            value: Value = float(token.text) if re.search("[.eE]", token.text) else int(token.text)
            return lambda _: value
        if token.kind == "text":
            return lambda _: token.text[1:-1]
        if token.kind == "name" and token.text not in ("and", "or", "not", "in"):
            return self._named(token)
        if token.text == "(":
            inner = self._any()
            self._expect(")")
            return inner
        if token.text == "[":
            return self._list()
        self._at -= 1
        self._fail("a field, a value or ( is missing" + ("" if token.kind == "end" else f" before {token.text!r}"))

    def _list(self) -> Eval:
        items: list[Eval] = []
        while not self._take("]"):
            if items:
                self._expect(",")
            items.append(self._sum())
        return lambda fields: [item(fields) for item in items]

    def _named(self, token: _Token) -> Eval:
        if token.text in WORD_VALUES:
            value = WORD_VALUES[token.text]
            return lambda _: value
        if self._take("("):
            return self._call(token)
        self.names.add(token.text)
        return self._inside(lambda fields: fields.get(token.text))

    def _inside(self, evaluate: Eval) -> Eval:
        """Follows `.name` and `.'odd name'` into objects, `.0` into lists."""
        while self._take("."):
            token = self._next
            if token.kind not in ("name", "text", "number"):
                self._fail("a field's name is missing after the dot")
            self._at += 1
            for name in token.text.split(".") if token.kind == "number" else [token.text.strip("'\"")]:
                evaluate = _member(evaluate, name)
        return evaluate

    def _call(self, token: _Token) -> Eval:
        if token.text == "matches":
            return self._matches()
        if token.text == "field":
            name = self._quoted("the name of a field")
            self.names.add(name)
            return self._inside(lambda fields: fields.get(name))
        function = _FUNCTIONS.get(token.text)
        if function is None:
            known = ", ".join([*_FUNCTIONS, "matches", "field"])
            self._fail(f"there is no function {token.text}; there are {known}", token)
        argument = self._any()
        self._expect(")")
        return lambda fields: function(argument(fields))

    def _matches(self) -> Eval:
        from libra_cli.stream import patterns

        subject = self._any()
        self._expect(",")
        token = self._next
        try:
            pattern = patterns.compiled(self._quoted("a regular expression"))
        except ValueError as error:
            self._fail(str(error), token)
        return lambda fields: patterns.search(pattern, subject(fields))

    def _quoted(self, what: str) -> str:
        token = self._next
        if token.kind != "text":
            self._fail(f"{what} in quotes is missing")
        self._at += 1
        self._expect(")")
        return token.text[1:-1]


def _truth(value: Value) -> bool | None:
    return value if isinstance(value, bool) else None


def _negated(value: Value) -> bool | None:
    return None if _truth(value) is None else not value


def _either(values: Any) -> bool | None:
    """Kleene's `or`: True if one value is true, else None if one is unknown, else False."""
    unknown = False
    for value in values:
        if value is True:
            return True
        unknown = unknown or value is not False
    return None if unknown else False


def _kind(value: Value) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def _comparing(sign: str, left: Eval, right: Eval, with_null: bool) -> Eval:
    if sign in ("in", "not in"):
        contains: Eval = lambda fields: _contains(right(fields), left(fields))  # noqa: E731
        return contains if sign == "in" else lambda fields: _negated(contains(fields))
    if sign in ("==", "!="):
        wanted = sign == "=="
        if with_null:
            return lambda fields: (left(fields) is None and right(fields) is None) == wanted
        return lambda fields: _same(left(fields), right(fields), wanted)

    def compare(fields: Fields) -> bool | None:
        one, other = left(fields), right(fields)
        return _ORDERS[sign](one, other) if _kind(one) == _kind(other) and _kind(one) in ("number", "str") else None

    return compare


def _same(left: Value, right: Value, wanted: bool = True) -> bool | None:
    if left is None or right is None or _kind(left) != _kind(right):
        return None
    return (left == right) == wanted


def _contains(whole: Value, part: Value) -> bool | None:
    if isinstance(whole, str) and isinstance(part, str):
        return part in whole
    return _either(_same(part, item) for item in whole) if isinstance(whole, list) else None


_OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": operator.mod}


def _calculating(first: Eval, steps: list[tuple[str, Eval]]) -> Eval:
    """Arithmetic on numbers, and + on two texts; null for anything else and for a division by zero."""
    if not steps:
        return first

    def evaluate(fields: Fields) -> Value:
        value = first(fields)
        for sign, operand in steps:
            other = operand(fields)
            are_texts = sign == "+" and isinstance(value, str) and isinstance(other, str)
            if not are_texts and (_kind(value) != "number" or _kind(other) != "number"):
                return None
            try:
                value = _OPERATIONS[sign](value, other)
            except (ZeroDivisionError, OverflowError):
                return None
        return value

    return evaluate


def _member(evaluate: Eval, name: str) -> Eval:
    def inside(fields: Fields) -> Value:
        value = evaluate(fields)
        if isinstance(value, list) and name.isdecimal() and len(name) < MAX_DIGITS and int(name) < len(value):
            return value[int(name)]
        return value.get(name) if isinstance(value, dict) else None

    return inside


def _number(value: Value) -> Value:
    """Reads a number from text, as CSV and some data sets write it."""
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,300}(\.\d+)?([eE][+-]?\d{1,3})?\s*", value, re.ASCII):
        return float(value) if re.search("[.eE]", value) else int(value)
    return value if _kind(value) == "number" else None


_FUNCTIONS: dict[str, Callable[[Value], Value]] = {
    "len": lambda value: len(value) if isinstance(value, (str, list, dict)) else None,
    "lower": lambda value: value.lower() if isinstance(value, str) else None,
    "number": _number,
}
