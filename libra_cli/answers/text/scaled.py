"""Multiplies a number into the tuple or matrix behind it: \\frac{1}{5}(3,-4), \\frac{(3,-4)}{5}."""

from __future__ import annotations

from libra_cli.answers.text import latex, number
from libra_cli.lazy_pattern import lazy_pattern

_FACTOR = lazy_pattern(
    r"(?P<sign>[-+]?)(?P<factor>(?:\d+(?:\.\d+)?|\\frac\{[^{}]{1,24}\}\{(?:[^{}]|\\sqrt\{[^{}]{1,12}\}){1,24}\}"
    r"|\d+/\d+|\(\d+/\d+\)|\\sqrt\{[^{}]{1,12}\})?) ?(?:\\cdot|\\times|\*)? ?(?=\(|\\begin\{[bp]?matrix)"
)
_LETTERS = lazy_pattern(r"(?:\\frac|\\sqrt|\\pi|[^A-Za-z\\])+")
"""A factor without a variable."""
_DIVISOR = lazy_pattern(r"/ ?(?P<divisor>\d+(?:\.\d+)?|\\sqrt\{[^{}]{1,12}\})$", one_of=("/",))
_GROUPED = lazy_pattern(r"\(\d{1,3}(?:, ?\d{3})+(?:\.\d+)?\)")
"""A number in brackets with commas between its thousands, which may be a tuple as well."""
_FRACTION = "\\frac{("


def tuple_of(text: str) -> str | None:
    """A normalized tuple or matrix whose entries have the number that stands before or below it; None for others."""
    if not (")" in text[-16:] or text.endswith("matrix}")):
        return None
    if text.startswith(_FRACTION):
        top_end = latex.group_end(text, len("\\frac"))
        bottom_end = latex.group_end(text, top_end) if 0 < top_end < len(text) and text[top_end] == "{" else -1
        if bottom_end != len(text):
            return None
        return _multiplied(text[len("\\frac{") : top_end - 1], "", text[top_end + 1 : -1])
    divisor = _DIVISOR.search(text)
    if divisor and text.startswith("("):
        return _multiplied(text[: divisor.start()], "", divisor["divisor"])
    found = _FACTOR.match(text)
    if found is None or not found[0] or not _LETTERS.fullmatch(found["factor"] or "1"):
        return None
    return _multiplied(text[found.end() :], found["sign"] + (found["factor"] or "1"), "")


def _multiplied(body: str, factor: str, divisor: str) -> str | None:
    """The tuple or matrix `body` with each entry multiplied or divided."""
    if not _LETTERS.fullmatch(divisor or "1"):
        return None
    if _GROUPED.fullmatch(body):
        return None
    tuple_in = latex.enclosed(body, ("(",), (")",))
    if tuple_in is not None:
        entries = latex.split(tuple_in[1], latex.COMMAS)
        joined = ",".join(_entry(entry, factor, divisor) for entry in entries)
        return f"({joined})" if len(entries) > 1 else None
    begin = body.find("}") + 1
    end = body.rfind("\\end{")
    rows = [row.split("&") for row in body[begin:end].split("\\\\") if row.strip()]
    if not body.startswith("\\begin") or end < begin or "\\begin" in body[begin:end]:
        return None
    joined = "\\\\".join("&".join(_entry(cell, factor, divisor) for cell in row) for row in rows)
    return f"{body[:begin]}{joined}{body[end:]}"


def _entry(entry: str, factor: str, divisor: str) -> str:
    values = [number.parse(text.strip("()")) for text in (entry.strip(), factor or "1", divisor or "1")]
    exact = [one.value for one in values if one and not one.percent]
    if len(exact) == len(values) and exact[2]:
        return str(exact[0] * exact[1] / exact[2])
    product = f"({factor})\\cdot({entry.strip()})" if factor else f"({entry.strip()})"
    return f"\\frac{{{product}}}{{{divisor}}}" if divisor else product
