"""Compares the answers to the blanks of a question in their order: 29；155 for a₁₀=____，S₁₀=____.

Blanks that nothing tells apart, as those of the two roots of an equation, have no order.
"""

from __future__ import annotations

from libra_cli.answers.values import normalize
from libra_cli.lazy_pattern import lazy_pattern

_BLANK = lazy_pattern(
    r"(?<![A-Za-z0-9_])(?:_{3,}|__(?![A-Za-z0-9_]))"
    r"|\\underline\{(?:\\hspace\{[^{}]*\}|\\q?quad|\s)*\}|\uff08\s+\uff09|\(\s{2,}\)",
    one_of=("__", "underline", "\uff08", "("),
)
"""No blank is part of a name of a program: __init__, user__name."""
_SEPARATORS = ("\uff1b", ";", "\uff0c", "\u3001", ", ", ",", "\u548c", " and ")
"""What stands between the answers to several blanks, the strongest first."""
_BETWEEN = lazy_pattern(r"[\s$,\uff0c\u3001;\uff1b]*(?:and|or|&|\u548c|\u4e0e|\u53ca|\u6216)?[\s$]*")
"""What stands between blanks that are not told apart."""
_OTHER = lazy_pattern(r"\b(?:the other|another)\b|\u53e6\u4e00")
"""One number is ____ and the other is ____."""
_RESPECTIVELY = lazy_pattern(r"respectively|\u5206\u522b")
_ROOTS = lazy_pattern(
    r"\b(?:roots?|zeros?|zeroes|solutions?)\b|[\u4e24\u4e8c\u5b9e]\u4e2a?\u6839|\u7684\u6839|\u96f6\u70b9"
)
_NAME = lazy_pattern(r"(?:^|[^A-Za-z0-9_^'|)}\]])([A-Za-z](?:_\w+)?(?:\([^()]*\))?(?:[-+*/^]?[A-Za-z0-9]){0,6})\s*=$")
_SIGN = lazy_pattern(r" ?([-+*/]) ?")
_OPENS = ("(", "[", "\uff08", "\\{", "<")
_CLOSES = (")", "]", "\uff09", "\\}", ">")


def in_order(reference: str, answer: str, question: str) -> tuple[str, str]:
    """The answers to several blanks as tuples; both as they are if their order does not count, or is not certain."""
    *labels, behind = _BLANK.split(question)
    if len(labels) < 2:
        return reference, answer
    names = [_name_before(label) for label in labels]
    if not _are_told_apart(labels, names, behind, question):
        return reference, answer
    wanted, given = _tuple_of(reference, names), _tuple_of(answer, names)
    return (wanted, given) if wanted and given else (reference, answer)


def _are_told_apart(labels: list[str], names: list[str], behind: str, question: str) -> bool:
    """Whether the order of the blanks counts, by what stands before each of them, or around all."""
    are_roots = _ROOTS.search(question) is not None
    if all(names):
        letters = {name[0] for name in names} if are_roots else set(names)
        return len(letters) == len(names)
    if all(map(_BETWEEN.fullmatch, labels[1:])):
        is_point = labels[0].rstrip().endswith(_OPENS) and behind.lstrip().startswith(_CLOSES)
        return is_point or (not are_roots and _RESPECTIVELY.search(question) is not None)
    return not are_roots and _OTHER.search(question) is None and len(set(labels)) == len(labels)


def _name_before(label: str) -> str:
    """The name whose value a blank is: S_10 of `则 a₁₀=`; empty if there is none."""
    found = _NAME.search(_SIGN.sub(r"\1", _plain(label)).rstrip())
    return found[1] if found else ""


def _plain(text: str) -> str:
    """A text with its indices in digits, without dollars and braces."""
    return normalize.in_ascii(text).replace("$", "").replace("{", "").replace("}", "")


def _tuple_of(text: str, names: list[str]) -> str | None:
    """As many answers as there are names, those with a name in the order of `names`; None if that is not certain."""
    bare = text.strip(" $.\u3002")
    for separator in _SEPARATORS:
        parts = [part.strip(" $") for part in bare.split(separator)]
        if len(parts) == len(names) and all(parts) and "(" not in bare:
            return _in_order_of(parts, names)
    return None


def _in_order_of(parts: list[str], names: list[str]) -> str | None:
    if not any("=" in part for part in parts):
        return f"({', '.join(parts)})"
    if not all(names):
        return None
    values = {_name_before(f"{part.partition('=')[0]}="): part.rpartition("=")[2].strip() for part in parts}
    return f"({', '.join(values[name] for name in names)})" if values.keys() == set(names) else None
