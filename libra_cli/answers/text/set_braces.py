"""Tells the braces of sets in plain text from those that only group in LaTeX: {1, {2}}, S = {12}, {x | x > 3}."""

from __future__ import annotations

from libra_cli.answers.text import latex
from libra_cli.lazy_pattern import lazy_pattern

ROW = lazy_pattern(
    r"(?P<open>\{)?\{[^{}\\]*,[^{}\\]*\}(?:(?:, ?| and )\{[^{}\\]*,[^{}\\]*\})+(?(open)\})",
    one_of=(",{", ", {", " and {"),
)
"""Sets in braces as in plain text, in a set or a list: {{1,2},{2,3}}."""
_SET_NAMED = lazy_pattern(r"[A-Z] ?= ?")
"""What stands before a set that has a name: S = {12}."""
_EMPTY_SET = lazy_pattern(r"\\(?:emptyset|varnothing)(?![A-Za-z])")
_OTHER_BRACE = lazy_pattern(r"[^\s{,]\s*\{|\}\s*[^\s},]")
"""A brace of a formula, and of no member of a set: x^{2}."""
ENDS = ("}", "}$", "}.")


def added(text: str) -> str:
    """{x | x > 3}, n \\in {1, 2} and {1, {2}} with the braces of a set, where they are typed as in plain text."""
    bare = text.strip(" $.")
    if has_members(bare):
        return bare.replace("{", "\\{").replace("}", "\\}")
    start = bare.find("{") if bare.endswith("}") and not bare.endswith("\\}") else -1
    if start < 0 or bare[start - 1 : start] == "\\" or latex.group_end(bare, start) != len(bare):
        return text
    inside = bare[start + 1 : -1]
    is_member = bare[:start].rstrip().endswith(("\\in", "∈"))
    has_condition = not start and any(map(inside.__contains__, ("|", ":", "\\mid", "∣")))
    is_named = _SET_NAMED.fullmatch(bare[:start]) is not None
    is_set = is_named or (is_member and not inside.lstrip().startswith("\\mathbb")) or has_condition
    return f"{bare[:start]}\\{{{inside}\\}}" if is_set else text


def _has_sets(text: str) -> bool:
    """Whether a text in braces holds more braces that stand where a member of a set does."""
    inner = text.find("{", 1) if text.startswith("{") and text.endswith("}") else -1
    if inner < 0 or "\\" in _EMPTY_SET.sub("", text) or latex.group_end(text, 0) != len(text):
        return False
    return _OTHER_BRACE.search(text) is None


def has_members(text: str) -> bool:
    """Whether the outer braces of a text are those of a set, because of the braces in it."""
    return ROW.fullmatch(text) is not None or _has_sets(text)
