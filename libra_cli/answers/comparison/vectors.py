"""Reads vectors in unit vectors, 3\\hat{i} - 2\\hat{j}, in angle brackets and in tuples, as columns of one kind."""

from __future__ import annotations

import unicodedata

from libra_cli.answers.text import latex, number
from libra_cli.answers.values import normalize
from libra_cli.lazy_pattern import lazy_pattern

_MAX_CHARS = 160
_MARK = lazy_pattern(
    r"\\(?:mathbf|boldsymbol|bm|hat|vec|mathrm|overrightarrow|widehat)\s*"
    r"(?:\{\s*(?:\\(?:mathbf|hat|vec|boldsymbol)\s*\{?\s*)?\\?([A-Za-z]{1,5})\s*\}?\s*\}|\s?([A-Za-z])|\\([ij]math)(?![a-z]))"
)
"""A letter that is set as a vector."""
_HAT = lazy_pattern(r"([A-Za-z])\u0302|\\?([ij]math)(?![A-Za-z])")
_UNIT = lazy_pattern(r"(?P<before>.*?)\*?\s*<(?:(?P<letter>[ijkxyz])|e_?\{?(?P<index>[1-3])\}?)>")
_BARE = lazy_pattern(r"(?<![A-Za-z\\<])(?:([ijk])|e_?\{?([1-3])\}?)(?![A-Za-z\w>])")
_UNIT_BEHIND = lazy_pattern(
    r"(?:(?<=[)\]\u27e9])|(?<=\\rangle))\s*(?:\\(?:text|mathrm)\{[^{}]{1,12}\}|[A-Za-z]{1,3}(?:/[a-z]{1,3})?)$"
)
_UNIT_SET = lazy_pattern(r"(?<=\S)(?:\s|\\[,; ])*\\text\s?\{\s?[A-Za-z/^\d]{1,12}\}$")
_INDEXED = lazy_pattern(r"<e>_\{?([1-3])\}?")
_NAMES = lazy_pattern(r"<\w+>")
_TERM = lazy_pattern(r"(?<!^)(?=(?<![*/^(])[-+])")


def as_tuple(text: str, other: str) -> str:
    """`text` as (1, -2, 3), if it is a vector in unit vectors and `other` has as many coordinates; else `text`."""
    size = _coordinates(other)
    if size not in (2, 3) or len(text) > _MAX_CHARS:
        return text
    inside = normalize.unwrapped(text).rpartition("=")[2].strip()
    inside = inside if "\\text" in other else _UNIT_SET.sub("", inside)
    inside = inside if inside.isascii() else unicodedata.normalize("NFD", inside)
    marked = _MARK.sub(lambda mark: f"<{(mark[1] or mark[2] or mark[3]).replace('math', '')}>", inside)
    marked = _HAT.sub(lambda hat: f"<{(hat[1] or hat[2])[0]}>", marked)
    marked = marked if marked.isascii() else normalize.in_ascii(marked)
    marked = marked.replace("{<", "<").replace(">}", ">")
    marked = _INDEXED.sub(r"<e\1>", marked)
    if "<" not in marked:
        marked = _BARE.sub(lambda bare: f"<{bare[1] or 'e' + bare[2]}>", marked)
        if not {"<j>", "<k>", "<e2>", "<e3>"} & set(_NAMES.findall(marked)):
            return text
    found = dict[int, str]()
    for term in _TERM.split(marked.replace("- ", "-").replace("+ ", "+")):
        unit = _UNIT.fullmatch(term.strip().replace("\\cdot", "").replace("\\,", ""))
        if unit is None:
            return text
        place = int(unit["index"]) - 1 if unit["index"] else "ijkxyz".index(unit["letter"]) % 3
        factor = unit["before"].strip()
        if place in found or not 0 <= place < size:
            return text
        found[place] = f"{factor}1" if factor in ("", "+", "-") else factor
    return f"({', '.join(found.get(place, '0').removeprefix('+').strip() for place in range(size))})" if found else text


def _coordinates(text: str) -> int:
    """The number of coordinates of a point or a column, or of numbers in a bare list; 0 for anything else."""
    listed = normalize.in_ascii(text).strip(" $").split(",")
    if len(listed) > 1 and all(number.parse(part.strip()) for part in listed):
        return len(listed)
    plain = _UNIT_BEHIND.sub("", normalize.unwrapped(text).rpartition("=")[2].strip())
    rows = latex.rows_of(normalize.normalized(plain), frozenset(("pmatrix", "bmatrix", "matrix", "array")))
    if rows is not None:
        cells = [row.split("&") for row in rows]
        return len(rows) if all(len(row) == 1 for row in cells) else len(cells[0]) if len(rows) == 1 else 0
    found = latex.enclosed(normalize.normalized(plain), ("(", "[", "<"), (")", "]", ">"))
    return len(latex.split(found[1], latex.COMMAS)) if found else 0
