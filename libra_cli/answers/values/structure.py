"""Parses an answer into the kind of thing that it is: a number, a tuple, a set, an interval, a matrix, an equation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from libra_cli.answers.text import cases, latex, number, scaled, words
from libra_cli.answers.text.number import Number
from libra_cli.answers.values import dates, normalize, units
from libra_cli.lazy_pattern import lazy_pattern

MAX_PARTS = 64
MAX_DEPTH = 4
FEWEST_ASSIGNED = 4
"""Equations in two pairs."""
_WORDS = lazy_pattern(rf"(?=.*{words.LETTER}{{3}}|(?i:no|ja|si)$){words.LETTER}(?:{words.LETTER}|[' -])*")
_EVENT = r"[A-Z](?:(?:\\(?:cup|cap|mid|setminus) ?|\||')[A-Z]?)*"
NAME = lazy_pattern(
    r"(?:\\Delta ?(?=[A-Za-z]))?(?:(?:\\(?:hat|bar|tilde|vec|dot)(?:\{[A-Za-z]+\}| ?[A-Za-z])|\\?[A-Za-z]+)"
    r"(?:_\{?\\?\w+\}?|_\{(?:1/2|\\frac\{1\}\{2\})\}|(?<=[tT])(?:_1/2|\\frac\{1\}\{2\}))?(?:\^\{-1\})?'?"
    r"|[A-Za-z]+(?: [A-Za-z]+)*)(?:\([A-Za-z](?:,[A-Za-z])*\))?|[A-Za-z]\([A-Z][A-Za-z0-9_{}]{0,12}\)"
    rf"|[PEn]\({_EVENT}\)|\|{_EVENT}\||m?\\angle ?[A-Z]{{1,3}}"
    r"|\\(?:sin|cos|tan|cot) ?(?:(?:\\angle ?)?[A-Z]{1,3}|\\(?:theta|alpha|beta|gamma|varphi|phi)(?![A-Za-z]))"
)
"""The name of a quantity or a function, as before an equals sign."""
_POINT = lazy_pattern(r"[A-Z](?:'|_\d)?(?=\()", one_of=("(",))
_TRANSPOSED = ("^T", "^\\top", "^\\intercal", "^{\\top}", "^{\\intercal}", "^{\\prime}", "^{t}")
_MATRICES = frozenset(("matrix", "pmatrix", "bmatrix", "Bmatrix", "array"))
COMMAS = latex.COMMAS | latex.JOINS
"""What stands between the members of a list."""
_DOTS = frozenset(("...", "\\ldots", "\\dots", "\\cdots"))
_BETWEEN_GROUPS = frozenset((";", "or"))
_SUCH_THAT = frozenset(("\\mid", "\\|", "|", ":"))
_EXCLUDES = frozenset(("\\neq",))
_PLUS_MINUS = lazy_pattern(r"\\(?:pm|mp)(?![A-Za-z])", one_of=("\\pm", "\\mp"))
_OF_ANY = lazy_pattern(
    r"(?:[a-z(][a-z,()]*(?:=|\\in))?\\\{(?P<term>\(.+?\))(?:\\mid|\\?\||:) ?"
    r"(?P<letter>[a-z])\\in\s?(?:\\mathbb\s?\{?[RZQN]\}?|[RZQN])\\\}"
)
ARGUMENT = lazy_pattern(r"([A-Za-z](?:\^\{-1\})?'*)\(([a-z])\)", one_of=("(",))
"""A function of a variable: f(x), g^{-1}(t)."""


@dataclass(frozen=True)
class Leaf:
    """A number, a formula or words."""

    text: str
    number: Number | None = None
    unit: str | None = None

    @property
    def words(self) -> str | None:
        """The letters of an answer in words, in small letters, \u00df as ss; None for a formula."""
        return " ".join(self.text.casefold().split()) if _WORDS.fullmatch(self.text) else None


@dataclass(frozen=True)
class Parts:
    """Several things: `kind` is `list` (bare), `set`, `union`, or `sequence` (in brackets, ordered).

    A list of `alternatives` (joined by "or", "and" or \\pm, or values of one name) is never a sequence, and a sequence
    that is an `interval` for certain (behind \\in, or without an end) is never a list.
    """

    text: str
    kind: str
    parts: tuple[Answer, ...]
    brackets: str = ""
    """Of a sequence: `()`, `(]`, `[)` or `[]`."""
    alternatives: bool = False
    interval: bool = False
    name: str = ""
    """Of a point: P(3, -2)."""


@dataclass(frozen=True)
class Matrix:
    """Rows of a matrix or vector."""

    text: str
    rows: tuple[tuple[Answer, ...], ...]


@dataclass(frozen=True)
class Equation:
    """`name = value`; of a chain a = b = c the first and the last side."""

    text: str
    name: str
    value: Answer


@dataclass(frozen=True)
class Cases:
    """A function in pieces: the value and the condition of each."""

    text: str
    rows: tuple[tuple[Answer, Leaf], ...]


Answer = Leaf | Parts | Matrix | Equation | Cases


_OPENING = ("(", "\u27e8", "\\")
_MEASURED = lazy_pattern(
    r"(?:[(\u27e8]|\\langle)(?P<parts>[-\u2212\d., /]+)(?:[)\u27e9]|\\rangle) ?(?P<unit>[A-Za-z]{1,3}(?:/[a-z]{1,3})?)"
)
"""A vector of numbers with a unit behind it: (3, 4) m/s."""


@lru_cache(normalize.CACHED)
def parse(raw: str) -> Answer:
    """What kind of answer `raw` is."""
    raw = normalize.plain(raw)
    if raw[:1] in _OPENING and (measured := _MEASURED.fullmatch(raw)):
        raw = rf"({measured['parts'].strip()})\text{{ {measured['unit']}}}"
    body, unit = units.in_text(normalize.unwrapped(raw) if len(raw) <= normalize.MAX_CHARS else raw)
    answer = _parse(normalize.normalized(body), unit, 0)
    return _with_unit(answer, unit) if unit else answer


def _with_unit(answer: Answer, unit: str) -> Answer:
    """`answer` with the unit behind it given to each value that has none: x = 5 cm, 3 or 4 cm."""
    if isinstance(answer, Leaf):
        if answer.unit:
            return answer
        figure, _, letter = answer.text.rpartition(" ")  # the h of "2 h" in "2 h, 120 km"
        own = len(letter) == 1 and letter.isalpha() and (value := number.parse(figure))
        return Leaf(figure, value, letter) if own else replace(answer, unit=unit)
    if isinstance(answer, Equation):
        return replace(answer, value=_with_unit(answer.value, unit))
    if isinstance(answer, Parts):
        return replace(answer, parts=tuple(_with_unit(part, unit) for part in answer.parts))
    return answer


def _parse(text: str, unit: str | None, depth: int) -> Answer:
    leaf = _leaf(text, unit)
    if leaf.number is not None or len(text) > normalize.MAX_CHARS or depth > MAX_DEPTH or dates.is_date(text):
        return leaf
    member = latex.members_of(text)
    text = member[1] if member else text
    if words.phrase(text) == "all reals":
        text = "(-\\infty,\\infty)"
    for make in (
        *(_cases, _union, _bracketed, _transposed, _matrix),
        *(_scaled, _equation, _assignments, _listed, _plus_minus),
    ):
        answer = make(text, depth + 1)
        if answer is not None:
            if member is not None and isinstance(answer, Parts) and answer.kind == "sequence":
                return replace(answer, interval=True)
            return answer
    return leaf


def _leaf(text: str, unit: str | None) -> Leaf:
    value = number.parse(text)
    if value is not None or unit is not None or dates.is_date(text):
        return Leaf(text, value, unit)
    body, unit = units.split(text)
    return Leaf(body, number.parse(body), unit) if unit is not None else Leaf(text)


def _all(texts: Sequence[str], depth: int) -> tuple[Answer, ...]:
    return tuple(_parse(text, None, depth) for text in texts)


def _union(text: str, depth: int) -> Answer | None:
    if text.startswith("|") and "|=" in text:  # |A \\cup B| = 5
        return None
    parts = latex.split(text, latex.UNION)
    if len(parts) < 2:  # x<-1 or x>1
        parts = latex.split(text, latex.OR)
        parts = parts if all(map(_is_inequality, parts)) else []
    return Parts(text, "union", _all(parts, depth)) if 2 <= len(parts) <= MAX_PARTS else None


def _is_inequality(text: str) -> bool:
    return latex.has(text, latex.BOUNDS)


def _cases(text: str, depth: int) -> Answer | None:
    pieces = cases.rows(text) if depth == 1 or "\\begin" in text else []
    pairs = tuple((_parse(value, None, depth), Leaf(condition)) for value, condition in pieces)
    return Cases(text, pairs) if pairs else None


def _transposed(text: str, depth: int) -> Answer | None:
    """(1,2)^T as a column."""
    mark = next(filter(text.endswith, _TRANSPOSED), None)
    found = _parse(text.removesuffix(mark), None, depth) if mark else None
    if isinstance(found, Parts) and found.brackets in ("()", "[]"):
        return Matrix(text, tuple((part,) for part in found.parts))
    if isinstance(found, Matrix) and len({len(row) for row in found.rows}) == 1:
        return Matrix(text, tuple(zip(*found.rows, strict=True)))
    return None


def _bracketed(text: str, depth: int) -> Answer | None:
    point = _POINT.match(text)
    if point:
        place = _bracketed(text[point.end() :], depth)
        is_tuple = isinstance(place, Parts) and place.kind == "sequence" and place.brackets == "()"
        return replace(place, text=text, name=point[0]) if is_tuple else None  # type: ignore[type-var]
    found = latex.enclosed(text, ("\\{", "(", "["), ("\\}", ")", "]"))
    if found is None or (found[0] == "\\{") != (found[2] == "\\}"):
        return None
    opening, inside, closing = found
    if opening == "\\{":
        if latex.has(inside, _SUCH_THAT):
            return None
        return Parts(text, "set", _flat(_all(_with_all_members(latex.split(inside, COMMAS)), depth)))
    parts = latex.split(inside, COMMAS)
    rows = [latex.enclosed(part.strip(), ("[",), ("]",)) for part in parts] if opening + closing == "[]" else []
    if len(rows) > 1 and all(rows):  # [[1, 2], [3, 4]]
        cells = [latex.split(row[1], COMMAS) for row in rows if row]
        return Matrix(text, tuple(_all([cell.strip() for cell in row], depth) for row in cells))
    if len(parts) == 1 and opening + closing == "()":
        return _parse(inside.strip(), None, depth)
    if len(parts) == 2 or (2 < len(parts) <= MAX_PARTS and opening + closing in ("()", "[]")):
        endless = len(parts) == 2 and (parts[0] == "-\\infty" or parts[1] == "\\infty")
        return Parts(text, "sequence", _all(parts, depth), opening + closing, interval=endless)
    return None


def term_of(raw: str) -> str:
    """The term of a set whose parameter is any number: (t, 2t) of \\{(t, 2t) : t \\in \\mathbb{R}\\}."""
    of_any = _OF_ANY.fullmatch(normalize.normalized(raw)) if "{" in raw or "∈" in raw else None
    return of_any["term"] if of_any else raw


def _assignments(text: str, depth: int) -> Answer | None:
    """p = 5, q = 2; p = 7, q = 2 as the pairs (5, 2) and (7, 2), in the order of the names."""
    if text.count("=") < FEWEST_ASSIGNED:
        return None
    groups = [latex.split(group, COMMAS) for group in latex.split(text, _BETWEEN_GROUPS)]
    if len(groups) < 2 or any(len(group) < 2 or len(group) != len(groups[0]) for group in groups):
        return None
    found = [sorted(group, key=lambda part: part.name) for group in _equations(groups, depth)]
    names = [[part.name for part in group] for group in found]
    if len(found) < len(groups) or any(one != names[0] or len(set(one)) < len(one) for one in names):
        return None
    tuples = (Parts(text, "sequence", tuple(part.value for part in group), "()") for group in found)
    return Parts(text, "list", tuple(tuples), alternatives=True)


def _equations(groups: Sequence[Sequence[str]], depth: int) -> Iterator[list[Equation]]:
    for group in groups:
        parts = [part for part in _all(group, depth) if isinstance(part, Equation)]
        if len(parts) == len(group):
            yield parts


def _listed(text: str, depth: int) -> Answer | None:
    parts = _with_all_members(latex.split(text, COMMAS))
    # x > 1 and x < 3 hold together, as do x > -2, x \\neq 1, and x \\neq 2 and x \\neq 3.
    are_conditions = all(_is_inequality(part) or latex.has(part, _EXCLUDES) for part in parts)
    if not 2 <= len(parts) <= MAX_PARTS or are_conditions:
        return None
    found = _flat(_all(parts, depth))
    names = [part.name for part in found if isinstance(part, Equation)]
    joined = bool(latex.signs(text, latex.JOINS)) or len(found) > len(parts)
    named = len(names) == len(found) == len(set(names))
    alternatives = bool(joined or names) and not named
    return Parts(text, "list", found, alternatives=alternatives)


def _with_all_members(parts: list[str]) -> list[str]:
    """The members of -2, -1, 0, \\ldots, 3; `parts` as they are if they are no such progression, or a long one."""
    at = next((at for at, part in enumerate(parts) if part in _DOTS), 0)
    if not 0 < at == len(parts) - 2:
        return parts
    found = [number.parse(part) for part in (*parts[:at], parts[-1])]
    values = [one.value for one in found if one and not one.percent]
    if len(values) < len(found):
        return parts
    *first, last = values
    step = first[1] - first[0] if len(first) > 1 else Fraction(1)
    count = (last - first[0]) / step if step else Fraction(0)
    members = [first[0] + at * step for at in range(min(int(count), MAX_PARTS) + 1)]
    is_progression = count.denominator == 1 and len(first) <= count < MAX_PARTS and members[: len(first)] == first
    return list(map(str, members)) if is_progression else parts


def _flat(parts: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """Lists inside a list are one list: 1 \\pm \\sqrt{5}, -2 has three members."""
    flat: list[Answer] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Parts) and part.kind == "list" else [part])
    return tuple(flat)


def _plus_minus(text: str, depth: int) -> Answer | None:
    sides = _PLUS_MINUS.split(text)
    if len(sides) != 2 or latex.has(text, _EXCLUDES) or "\\{" in sides[0]:  # x \\neq \\pm 3 holds for both
        return None
    before, after = sides
    plus = "+" if before and not before.endswith("=") else ""
    both = _all([f"{before}{plus}{after}", f"{before}-{after}"], depth)
    return Parts(text, "list", both, alternatives=True)


def _matrix(text: str, depth: int) -> Answer | None:
    rows = latex.rows_of(text, _MATRICES)
    if rows is None or len(rows) > MAX_PARTS:
        return None
    return Matrix(text, tuple(_all([cell.strip() for cell in row.split("&")], depth) for row in rows))


def _scaled(text: str, depth: int) -> Answer | None:
    """\\frac{1}{5}(3,-4) as (3/5,-4/5)."""
    found = scaled.tuple_of(text)
    return _parse(found, None, depth) if found else None


def _equation(text: str, depth: int) -> Answer | None:
    sides = latex.split(text, latex.EQUALS)
    with_thousands = len(sides) == 2 and _leaf(sides[-1], None).number is not None
    if len(sides) < 2 or (len(latex.split(text, COMMAS)) > 1 and not with_thousands):
        return None
    is_name_last = len(sides[-1]) == 1 and sides[-1].islower() and not NAME.fullmatch(sides[0])
    if is_name_last and not latex.has(sides[0], frozenset(sides[-1])):  # 5 = x, but not \sqrt{x^2} = x
        sides.reverse()
    names = names_of(sides[0])
    if names:
        values = _parse(sides[-1], None, depth)
        return _named(text, names, values) if depth == 1 else values
    is_ratio = ":" in sides[0] and all(map(str.isidentifier, sides[0].split(":")))
    if not (NAME.fullmatch(sides[0]) or is_ratio):
        return None
    name, value = _with_usual_argument(sides[0], sides[-1])
    found = _parse(value, None, depth)
    if isinstance(found, Parts) and found.kind == "list":  # f(x) = \\pm x are two
        return replace(
            found, text=text, parts=tuple(Equation(f"{name}={part.text}", name, part) for part in found.parts)
        )
    return Equation(text, name, found)


def names_of(side: str) -> list[str]:
    """The names in (x,y); empty for anything else."""
    names = side[1:-1].split(",") if side.startswith("(") and side.endswith(")") else []
    return names if len(names) > 1 and all(len(name) == 1 and name.isalpha() for name in names) else []


def _named(text: str, names: Sequence[str], values: Answer) -> Answer | None:
    """(x,y) = (2,3) as x = 2, y = 3."""
    if not isinstance(values, Parts) or len(values.parts) != len(names):
        return None
    return Parts(
        text, "list", tuple(Equation(text, name, value) for name, value in zip(names, values.parts, strict=True))
    )


def _with_usual_argument(name: str, value: str) -> tuple[str, str]:
    """f(t) = 2t as f(x) = 2x."""
    argument = ARGUMENT.fullmatch(name)
    if argument is None or argument[2] == "x" or re.search(r"(?<![A-Za-z\\])x(?![A-Za-z])", value):
        return name, value
    return f"{argument[1]}(x)", re.sub(rf"(?<![A-Za-z\\]){argument[2]}(?![A-Za-z])", "x", value)


def is_number(text: str) -> bool:
    """Whether a text is a single number."""
    answer = parse(text)
    return isinstance(answer, Leaf) and answer.number is not None


def leaves(answer: Answer) -> Iterator[Leaf]:
    """Its numbers, formulas and words."""
    if isinstance(answer, Leaf):
        yield answer
    elif isinstance(answer, Equation):
        yield from leaves(answer.value)
    elif isinstance(answer, Cases):
        for value, _ in answer.rows:
            yield from leaves(value)
    else:
        parts = answer.parts if isinstance(answer, Parts) else [cell for row in answer.rows for cell in row]
        for part in parts:
            yield from leaves(part)
