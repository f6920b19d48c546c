"""Splits a function in pieces into its values and their conditions."""

from __future__ import annotations

import re

from libra_cli.answers.text import latex, words
from libra_cli.lazy_pattern import lazy_pattern

MAX_ROWS, MAX_CHARS = 8, 400
OTHERWISE = "otherwise"
_CASES = frozenset(("cases", "array"))
_LONGEST_NAME = 25
_CONDITION = lazy_pattern(r"(?<![A-Za-z])(?:if|when|for|where)(?![A-Za-z]) ?")
_VERBS = ("is", "are", "an", "a")
_SEPARATORS = lazy_pattern(r"(?:;|\.(?!\d)|,(?!\d{3}(?!\d)))\s*(?:and\b)?|\band\b|\bbut\b|\\quad|\n")
_HEAD_ENDS = lazy_pattern(r"[:,](?!\d)|\b(?:then|there is|there are|it is|the \w+(?: \w+)? is)\b")
_MARKED = lazy_pattern(r"(?<![A-Za-z\\])(?:in the case|if|when|for|iff|at)(?![A-Za-z])", re.IGNORECASE)
_ELSE = lazy_pattern(
    r"\b(?:otherwise|else|elsewhere)\b[,:]?(?: (?:it is|is))?", re.IGNORECASE, one_of=("else", "otherwise")
)
_KINDS = {"even": " even", "odd": " odd", "positive": ">0", "negative": "<0"}
_IN_PIECES = ("|", "\\max", "\\min", "\\lfloor", "sgn", "\\lvert")
"""Marks of formulas whose values may be given in pieces."""
_NOTHING = ("no ", "none", "zero")
_FEW_WORDS = 5


def stated(text: str, reference: str) -> str | None:
    """The pieces that the last sentences of a text give, written as `A if C, B if D`; None if there are none."""
    is_asked_for = bool(rows(reference)) or any(map(reference.__contains__, _IN_PIECES))
    lines = [line for line in text.strip().rpartition("\n\n")[2].split("\n") if line.strip()]
    for part in (" ".join(lines), *lines[-1:]):
        if not is_asked_for and not part.startswith("If "):
            continue
        found = in_words(part[-MAX_CHARS:])
        if found:
            return ", ".join(
                value + (f" if {condition}" if condition != OTHERWISE else " otherwise") for value, condition in found
            )
    return None


def rows(text: str) -> list[tuple[str, str]]:
    """(value, condition) of each piece of the normalized `text`; empty if it is no function in pieces."""
    name, begin, _ = text.partition("\\begin")
    is_named = name.endswith("=") and len(name) <= _LONGEST_NAME and "{" not in name
    lines = latex.rows_of(text[len(name) :], _CASES) if begin and (is_named or not name) else None
    if lines is None:
        return in_words(text)
    split = [_value_and_condition(row) for line in lines if (row := line.strip(" ,.;"))]
    return split if 1 < len(split) <= MAX_ROWS and all(condition for _, condition in split) else []


def is_one_piece(answer: str, reference: str) -> bool:
    """Whether an answer is the value of one piece of a reference: a sentence may say the others elsewhere."""
    said = answer.rpartition("=")[2].replace(" ", "")
    return not rows(answer) and any(value.replace(" ", "") == said for value, _ in rows(reference))


def in_words(text: str) -> list[tuple[str, str]]:
    """The same of a sentence: `1 if x > 0, 0 otherwise`, or `If x > 0: 1; otherwise: 0`."""
    if not any(map(text.__contains__, ("if", "If", "when", "When", "for", "For"))):
        return []
    text = text.replace("\u2265", "\\geq ").replace("\u2264", "\\leq ")
    plain = latex.without_setting(text).strip(" .")
    otherwise = _ELSE.search(plain)
    last = None
    if otherwise:
        before, after = plain[: otherwise.start()].strip(" ,;.:"), plain[otherwise.end() :].strip(" ,;.:")
        if after:
            plain, last = before, after
        else:  # 0 otherwise
            cut = [*_SEPARATORS.finditer(before)]
            plain, last = (before[: cut[-1].start()], before[cut[-1].end() :]) if cut else (before, None)
    first, *parts = _MARKED.split(plain)
    if not parts or len(parts) > MAX_ROWS:
        return []
    is_apart = first.rstrip().endswith((".", ";", ":")) and _HEAD_ENDS.search(parts[0])  # D = 4 - 4a. If a > 1: ...
    leads = not first.strip(" ,;.:") or is_apart
    found = condition_first(parts) if leads else value_first([first, *parts])
    if last is not None:
        found.append((last, OTHERWISE))
    pieces = [(value_of(value), condition_of(condition)) for value, condition in found]
    return pieces if 1 < len(pieces) <= MAX_ROWS and all(value and condition for value, condition in pieces) else []


def condition_first(parts: list[str]) -> list[tuple[str, str]]:
    """Pieces whose condition comes first."""
    found = []
    for part in parts:
        end = _HEAD_ENDS.search(part)
        if end is None:
            return []
        found.append((part[end.end() :], part[: end.start()]))
    return found


def value_first(parts: list[str]) -> list[tuple[str, str]]:
    """Pieces whose condition comes last."""
    found, value = [], parts[0]
    for part in parts[1:-1]:
        cuts = [*_SEPARATORS.finditer(part)]
        cuts = [cut for cut in cuts if part[: cut.start()].strip() and part[cut.end() :].strip()]
        if not cuts:
            return []
        found.append((value, part[: cuts[-1].start()]))
        value = part[cuts[-1].end() :]
    return [*found, (value, parts[-1])]


def value_of(text: str) -> str:
    """The value in the words around it: "the count is 2^n" is 2^n, "no real roots" is 0."""
    text = text.strip(" ,;.:")
    for verb in (" is ", " are ", " equals "):
        text = text.rpartition(verb)[2] if verb in text else text
    text = text.removeprefix("it is ").removeprefix("is ").strip(" ,;.:")
    head, equals, value = text.partition("=")
    text = value.strip() if equals and len(head.strip()) < _FEW_WORDS + 1 else text
    lowered = [word for word in text.lower().split() if word not in ("exactly", "and", "only", "just")]
    if lowered and lowered[0].isalpha() and len(lowered) <= _FEW_WORDS:
        if " ".join(lowered).startswith(_NOTHING):
            return "0"
        counted = words.number(lowered[0])
        return str(counted) if counted is not None else "".join(lowered) if len(lowered[0]) == 1 else ""
    return text.replace(" ", "") if "\\" not in text else text


def condition_of(text: str) -> str:
    """A condition without the words around it; empty if it is none."""
    if text == OTHERWISE:
        return text
    text = text.strip(" ,;.:").removeprefix("all ").removeprefix("every ")
    kind = kind_of(text)
    if kind:
        return kind
    bare = text.replace("\\geq", "").replace("\\leq", "").replace("\\neq", "").replace("\\le", "").replace("\\ge", "")
    is_relation = any(sign in text for sign in ("<", ">", "=", "\\le", "\\ge", "\\ne"))
    return text if is_relation and not re.search("[A-Za-z]{3}", bare) else ""


def kind_of(text: str) -> str:
    """`n even` of "n is even" and "even n", `x>0` of "positive x"; empty for anything else."""
    said = [word for word in text.split() if word not in ("is", "are")]
    kind, name = sorted(said, key=len, reverse=True) if len(said) == 2 else ("", "")
    if len(name) != 1 or not name.isalpha() or kind not in _KINDS:
        return ""
    return f"{name}{_KINDS[kind]}"


def _value_and_condition(row: str) -> tuple[str, str]:
    value, separator, condition = row.partition("&")
    if not separator:
        parts = _CONDITION.split(row, maxsplit=1) if _CONDITION.search(row) else latex.split(row, frozenset(","))
        value, condition = (parts[0], ",".join(parts[1:])) if len(parts) > 1 else (row, "")
    condition = " ".join(word for word in _CONDITION.sub("", condition).strip(" ,.;").split() if word not in _VERBS)
    condition = "otherwise" if condition in ("otherwise", "else", "elsewhere") else condition
    return value.strip(" ,;"), kind_of(condition) or condition
