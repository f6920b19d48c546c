"""Texts for comparison: removes notation that does not change a problem, and hashes runs of words (shingles)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from zlib import crc32

from libra_cli.invisible import visible

# NFKC would turn 2² into 22; only full-width forms and typographic marks are folded.
_FOLD = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_FOLD |= str.maketrans("‘’“”‐‑‒–—−", "''\"\"------")
_LATEX_STYLE = re.compile(
    r"(?<!\\)\\(?:[,;:!> ]|"
    r"(?:quad|qquad|left|right|displaystyle|textstyle|thinspace|medspace|thickspace|limits|big|Big)(?![A-Za-z]))"
)
_LATEX_DELIMITERS = re.compile(r"\$+|\\[()\[\]]")
_FRACTIONS = re.compile(r"\\[dtc]frac(?![A-Za-z])")
_SPACE_BETWEEN_DIGITS = re.compile(r"(?<=\d)\s+(?=\d)")
_SPACE = re.compile(r"[^\S\x1f]+")
# Scripts written without spaces between words give one word a character.
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W\d_{_UNSPACED}]+|\d+(?:\.\d+)?|[+\-*/=<>^|]")


def canonical(text: str) -> str:
    """`text` without case, white space, LaTeX spacing, sizes and delimiters; equal for two ways to set one problem.

    A space between two digits stays (as one), so that "1 2" is not 12.
    """
    folded = _without_style(text)
    return _SPACE.sub("", _SPACE_BETWEEN_DIGITS.sub("\x1f", folded))


def words(text: str) -> list[str]:
    """Words, numbers and operators of `text` in order, case folded; punctuation, braces and LaTeX spacing left out."""
    return _WORD.findall(_without_style(text))


def _without_style(text: str) -> str:
    text = visible(text).translate(_FOLD)
    text = _FRACTIONS.sub(r"\\frac", _LATEX_STYLE.sub(" ", text).replace("~", " "))
    return _LATEX_DELIMITERS.sub(" ", text).casefold()


def shingles(parts: Sequence[str], n: int) -> list[int]:
    """The distinct runs of `n` words as sorted 32-bit hashes; a shorter text is one run."""
    count = max(1, len(parts) - n + 1)
    return sorted({crc32("\x1f".join(parts[at : at + n]).encode("utf-8", "surrogatepass")) for at in range(count)})
