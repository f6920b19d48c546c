"""Reads vectors in unit vectors, 3\\hat{i} - 2\\hat{j}, in angle brackets and in tuples, as columns of one kind."""

from __future__ import annotations

import unicodedata

from libra_cli.answers.text import latex, number
from libra_cli.answers.values import conversions, normalize, units
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
_MEASURED = lazy_pattern(
    r"(?P<value>.*?)(?:(?:\s|\\[,;:! ]|~)*\\(?:text|mathrm)\s?\{\s?(?P<set>[^{}]{1,20})\}"
    r"|(?<=[)\w}>\u0302])\s+(?![ijk](?![A-Za-z/]))(?P<bare>[A-Za-z\u00b5\u03bc\u03a9]"
    r"(?:[A-Za-z\u00b5\u03bc\u03a9\u00b7\u22c5\u00b2\u00b3/^ \d-]{0,10})))"
)
"""A vector or a number with a unit behind it."""
_INDEXED = lazy_pattern(r"<e>_\{?([1-3])\}?")
_NAMES = lazy_pattern(r"<\w+>")
_TERM = lazy_pattern(r"(?<!^)(?=(?<![*/^(])[-+])")


def as_tuple(text: str, other: str, is_vector: bool = False) -> str:
    """`text` as (1, -2, 3), if it is a vector in unit vectors and `other` has as many coordinates; else `text`.

    A unit behind the vector, or behind each of its numbers, stands behind the tuple. `is_vector` says that one letter i
    without a mark is a unit vector, and not the imaginary unit.
    """
    size = _coordinates(other)
    if size not in (2, 3) or len(text) > _MAX_CHARS:
        return text
    inside = normalize.unwrapped(text).rpartition("=")[2].strip()
    inside, unit = _without_unit(inside if inside.isascii() else unicodedata.normalize("NFD", inside))
    marked = _MARK.sub(lambda mark: f"<{(mark[1] or mark[2] or mark[3]).replace('math', '')}>", inside)
    marked = _HAT.sub(lambda hat: f"<{(hat[1] or hat[2])[0]}>", marked)
    marked = marked if marked.isascii() else normalize.in_ascii(marked)
    marked = marked.replace("{<", "<").replace(">}", ">")
    marked = _INDEXED.sub(r"<e\1>", marked)
    if "<" not in marked:
        marked = _BARE.sub(lambda bare: f"<{bare[1] or 'e' + bare[2]}>", marked)
        if not is_vector and not {"<j>", "<k>", "<e2>", "<e3>"} & set(_NAMES.findall(marked)):
            return text
    read = _components(marked, size)
    if read is None:
        return text
    found, units_said = read
    if len(units_said | {unit} - {""}) > 1:
        return text
    unit = unit or next(iter(units_said), "")
    listed = ", ".join(found.get(place, "0") for place in range(size))
    return f"({listed})\\text{{ {unit}}}" if unit else f"({listed})"


def are_vectors(one: str, other: str) -> bool:
    """Whether two texts have unit vectors of which some are marked, so that a bare i is one as well: 6i, 6\\hat{i}."""
    marked = _is_marked(one), _is_marked(other)
    return all(marked) or (any(marked) and _BARE.search(one if marked[1] else other) is not None)


def _is_marked(text: str) -> bool:
    names = [mark[1] or mark[2] or mark[3] for mark in _MARK.finditer(text)]
    return any(name.replace("math", "") in ("i", "j", "k") for name in names)


def _components(marked: str, size: int) -> tuple[dict[int, str], set[str]] | None:
    """The factor of each unit vector <i> of a sum by its place, and the units behind factors; None if it is no sum."""
    found, units_said = dict[int, str](), set[str]()
    for term in _TERM.split(marked.replace("- ", "-").replace("+ ", "+")):
        named = _UNIT.fullmatch(term.strip().replace("\\cdot", "").replace("\\,", ""))
        if named is None:
            return None
        place = int(named["index"]) - 1 if named["index"] else "ijkxyz".index(named["letter"]) % 3
        before = named["before"].strip().removeprefix("+").strip()
        sign, before = ("-", before[1:].strip()) if before.startswith("-") else ("", before)
        factor, unit = _without_unit(before)
        factor = f"{sign}({factor})" if factor[1:].find("-") > 0 or "+" in factor else f"{sign}{factor or '1'}"
        if place in found or not 0 <= place < size:
            return None
        found[place] = factor
        units_said |= {unit} - {""}
    return (found, units_said) if found else None


def _without_unit(text: str) -> tuple[str, str]:
    """A vector or a number without the brackets around it and without the unit behind it, and that unit, else empty."""
    behind = _MEASURED.fullmatch(text)
    unit = " ".join((behind["set"] or behind["bare"]).split()) if behind else ""
    is_unit = bool(unit) and units.in_text(f"1\\text{{ {unit}}}")[1] is not None
    if behind and (
        behind["set"] or (is_unit and conversions.is_measure(units.in_text(f"1\\text{{ {unit}}}")[1] or ""))
    ):
        text = behind["value"]
    else:
        unit = ""
    around = latex.enclosed(text.strip(), ("(", "["), (")", "]"))
    if around is None or "," in around[1]:
        return text.strip(), unit
    if unit:
        return around[1].strip(), unit
    return _without_unit(around[1].strip())


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
