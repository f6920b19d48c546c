"""Reads arrays, vectors and named values as programs print and type them, and writes them in LaTeX.

A matrix is [[1, 2], [3, 4]], array([[1, 2], [3, 4]]), {{1, 2}, {3, 4}}, [1 2; 3 4], or rows of numbers, each on a line
of its own; named values are {'x': 2, 'y': 5}.
"""

from __future__ import annotations

import re

from libra_cli.lazy_pattern import lazy_pattern

_MAX_CHARS = 1200
_CALL = lazy_pattern(
    r"(?:(?:np|numpy|sp|sympy|torch)\.)?(?:array|matrix|Matrix|tensor|ndarray)\(\s*(.*?)\s*(?:, *dtype=[\w.]+)?\)",
    re.DOTALL,
)
"""The call that makes a matrix of its rows."""
_NESTED = lazy_pattern(r"([\[{(])\s*((?:([\[{(])[^\[\]{}()]*[\]})][\s,;]*)+)([\]})])")
_ROW = lazy_pattern(r"[\[{(]([^\[\]{}()]*)[\]})]")
_SEMICOLONS = lazy_pattern(r"\[([^\[\];]+(?:;[^\[\];]+)+)\]")
_CELL = r"[-−+]?(?:\d+(?:\.\d*)?|\.\d+)(?:/\d+|e[-+]?\d+)?"
_LINE = lazy_pattern(rf"[\s\[(|⎡⎢⎣⎛⎜⎝]*({_CELL}(?:[ \t,]+{_CELL})*)[\s\])|⎤⎥⎦⎞⎟⎠,;.]*")
_ENTRY = r"\s*['\"]?[A-Za-z]\w?['\"]?\s*[:=][^,:{}]+"
_PAIRS = lazy_pattern(rf"\{{({_ENTRY}(?:,{_ENTRY})*),?\s*\}}")
_PAIR = lazy_pattern(r"['\"]?([A-Za-z]\w?)['\"]?\s*[:=]\s*([^,:{}]+?)\s*(?:,|$)")
_CLOSES = {"[": "]", "{": "}", "(": ")"}


def in_latex(text: str) -> str:
    """`text` with a nested list, an array of a program or named values in braces in LaTeX; most texts as they are."""
    if len(text) > _MAX_CHARS or not ("[" in text or "{" in text):
        return text
    if "(" in text and (call := _CALL.search(text)):
        text = f"{text[: call.start()]}{call[1]}{text[call.end() :]}"
    found = _NESTED.search(text)
    if found and _CLOSES[found[1]] == found[4] and found[1] + found[3] in ("[[", "{{", "[("):
        rows = [[cell.strip() for cell in row.split(",")] for row in _ROW.findall(found[2])]
        is_set = found[1] == "{" and len(rows[0]) == 1  # {{1}, {2}}
        if (
            found[1] + found[3] != "[("
            and not is_set
            and len(rows) > 1
            and len({*map(len, rows)}) == 1
            and all(map(all, rows))
        ):
            return f"{text[: found.start()]}{_matrix(rows)}{text[found.end() :]}"
    if ";" in text and (typed := _SEMICOLONS.search(text)):
        rows = [row.replace(",", " ").split() for row in typed[1].split(";")]
        if len({*map(len, rows)}) == 1 and (len(rows[0]) > 1 or len(rows) > 2):
            return f"{text[: typed.start()]}{_matrix(rows)}{text[typed.end() :]}"
    named = _PAIRS.fullmatch(text.strip())
    if named:
        return ", ".join(f"{name} = {value}" for name, value in _PAIR.findall(named[1]))
    return text


def _matrix(rows: list[list[str]]) -> str:
    inside = r"\\".join("&".join(row) for row in rows)
    return rf"\begin{{pmatrix}}{inside}\end{{pmatrix}}"


def of_lines(tail: str, reference: str) -> str | None:
    """The matrix in rows of numbers that ends a text, if the reference is one; None if no such rows do."""
    if "matrix" not in reference and "array" not in reference and "[[" not in reference.replace(" ", ""):
        return None
    lines = tail.replace("```", "").replace("$", "").strip().split("\n")
    rows = list[list[str]]()
    for line in reversed(lines):
        found = _LINE.fullmatch(line.strip().removeprefix("array(").removeprefix("Matrix(").removesuffix(")"))
        if found is None:
            break
        rows.append(found[1].replace(",", " ").split())
    is_matrix = len(rows) > 1 and len({*map(len, rows)}) == 1
    return _matrix(rows[::-1]) if is_matrix else None
