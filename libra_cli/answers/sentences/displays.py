"""Reads displayed formulas: those that end a text or have only words behind them, and chains of equations in rows."""

from __future__ import annotations

import re

from libra_cli.answers.sentences import assertions
from libra_cli.answers.text import latex, vocabulary, words
from libra_cli.lazy_pattern import lazy_pattern

_ENVIRONMENT = lazy_pattern(r"\\(begin|end)\{(align|equation|gather|eqnarray|multline)\*?\}")
_ROWS = lazy_pattern(r"\\begin\{(aligned|split|gathered)\}.{1,2000}?\\end\{\1\}\s*\Z", re.DOTALL)
"""Rows that end a text, which should be in a display."""
_NAMES_OF_ROWS = ("{aligned}", "{split}", "{gathered}")
_IN_FORMULA = ("$", "\\[", "\\(", "{", "=", "&", "}", ")", "\\left", "+", "-")
_CHAINS = frozenset(("aligned", "align", "split", "array"))
_DISPLAYS = (("\\[", "\\]"), ("$$", "$$"))
_MOST_BEHIND = 120
"""Characters of a remark behind a display."""
_LED_BY_WORDS = lazy_pattern(
    r"\\text(?:rm|bf|it)?\s*\{(?P<words>[^{}]*[A-Za-z]{3}[^{}]* (?:is|are|equals|be|=)|[^{}=]*[A-Za-z]{3}[^{}=]*:)\s*\}"
    r"\s*(?P<formula>(?!.*[:=]\s*\})(?:[^A-Za-z\s].*|[A-Za-z](?![a-z]{2}).*))"
)
"""A box with words before its formula."""


def with_brackets(text: str) -> str:
    """`text` with its environments for displays, such as align*, in brackets."""
    if "\\end{" not in text:
        return text
    rows = {"align", "eqnarray"}

    def written(mark: re.Match[str]) -> str:
        kind, name = mark[1], mark[2]
        inner = f"\\{kind}{{aligned}}" if name in rows else ""
        return f"\\[\n{inner}" if kind == "begin" else f"{inner}\n\\]"

    text = _ENVIRONMENT.sub(written, text)
    rows_alone = _ROWS.search(text) if any(map(text.__contains__, _NAMES_OF_ROWS)) else None
    if rows_alone is None or text[: rows_alone.start()].rstrip().endswith(_IN_FORMULA):
        return text
    return f"{text[: rows_alone.start()]}\\[\n{rows_alone[0]}\n\\]{text[rows_alone.end() :]}"


def of_end(tail: str) -> assertions.Asserted | None:
    """What the display that ends a text asserts; None if none does."""
    for opening, closing in _DISPLAYS:
        if tail.endswith(closing):
            start = tail.rfind(opening, 0, len(tail) - len(closing))
            display = tail[start + len(opening) : -len(closing)].strip() if start >= 0 else ""
            if display and ("\n" in tail[start:] or start == 0):
                return _asserted(display)
    return None


def before_remark(tail: str) -> assertions.Asserted | None:
    """What the last display of a text asserts that has only a few words behind it, which do not take it back."""
    for opening, closing in _DISPLAYS:
        end = tail.rfind(closing)
        start = tail.rfind(opening, 0, max(end, 0))
        behind = tail[end + len(closing) :]
        has_formula = any(char.isdigit() or char in "$\\?" for char in behind)
        if start < 0 or len(behind) > _MOST_BEHIND or has_formula or words.takes_back(behind):
            continue
        return _asserted(tail[start + len(opening) : end].strip())
    return None


def _asserted(display: str) -> assertions.Asserted:
    rows = latex.rows_of(display.rstrip(".,"), _CHAINS)
    found = display if rows is None else of_rows(rows, display)
    if rows and found.rstrip(" .&").endswith("="):
        return assertions.Asserted(None, unclear=True)
    return assertions.Asserted(found.rstrip(".,") or None)


def in_rows(content: str) -> str | None:
    """What a chain of equations in rows in a box says; None for anything else."""
    rows = latex.rows_of(content, _CHAINS)
    return None if rows is None else of_rows(rows, content)


def of_rows(rows: list[str], content: str) -> str:
    """What a chain of equations in rows says of its first side; `content` if the rows are anything else."""
    if len(rows) == 1 and "&" not in rows[0][1:]:
        return rows[0].lstrip("& ")
    sides = [row.replace("&", "").partition("=") for row in rows]
    is_chain = all(equals for _, equals, _ in sides) and not any(side.strip() for side, *_ in sides[1:])
    if len(rows) < 2 or not is_chain:
        return content
    name, value = sides[0][0].strip(), sides[-1][2].rpartition("=")[2].strip().rstrip(".")
    return f"{name} = {value}" if name and latex.depth_of(name) == 0 else value


def behind_words(content: str) -> str | None:
    """The formula of a box behind the words that lead to it: \\text{The energy is } E = mc^2."""
    led = _LED_BY_WORDS.fullmatch(content.strip())
    if led is None or not vocabulary.DENIES.isdisjoint(led["words"].lower().split()):
        return None
    formula = led["formula"].strip()
    is_calculation = "=" in formula and not formula[0].isalpha()
    return formula if formula.count("{") == formula.count("}") and not is_calculation else None
