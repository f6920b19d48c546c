"""Writes intervals whose brackets open outwards in international notation: ]-oo; -1] as (-oo, -1]."""

from __future__ import annotations

import re

from libra_cli.lazy_pattern import lazy_pattern

_INTERVAL = lazy_pattern(r"([\[\]])(?:([^\[\];,]+),([^\[\];,]+)|([^\[\];]+);([^\[\];]+))([\[\]])")
_BETWEEN = lazy_pattern(r"\s*(?:\\c[ua]p|\u222a|\u2229|\\bigcup|\bU\b|\\setminus|ou|or|und|et|,)?\s*")
_SIZED = lazy_pattern(r"\\(?:left|right|big[lr]?)(?=\s*[\[\]])")
_MEMBER = lazy_pattern(r"\s*\$?\s*(?:[A-Za-z]\s*(?:\\in(?![A-Za-z])|\u2208|=)\s*)?")


def in_international(text: str) -> str:
    """`text` with international brackets, if it is a union of intervals, one of which opens outwards."""
    bare = _SIZED.sub("", text) if "\\" in text else text
    member = _MEMBER.match(bare)
    at = member.end() if member else 0
    found = list[re.Match[str]]()
    while at < len(bare) and (interval := _INTERVAL.match(bare, at)):
        found.append(interval)
        between = _BETWEEN.match(bare, interval.end())
        at = between.end() if between else interval.end()
    if bare[at:].strip(" $.") or not any(one[1] == "]" or one[6] == "[" for one in found):
        return text
    for one in reversed(found):
        low, high = (one[2] or one[4]).strip(), (one[3] or one[5]).strip()
        ends = f"{'(' if one[1] == ']' else '['}{low},{high}{')' if one[6] == '[' else ']'}"
        bare = f"{bare[: one.start()]}{ends}{bare[one.end() :]}"
    return bare
