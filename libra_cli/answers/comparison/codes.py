"""Compares codes: words and strings of letters and digits in which order and case count, and which are no products.

A code is what a person reads out sign by sign: `HTH`, `GATTACA`, `e2e4`, `1F`, `AaBb`. A formula such as `2x` or `abc`
is none, for its letters may be multiplied in any order.
"""

from __future__ import annotations

from libra_cli.answers.values import dates
from libra_cli.answers.values.finding import Finding
from libra_cli.lazy_pattern import lazy_pattern

_LETTERS_AND_DIGITS = lazy_pattern(
    r"[$*]*(?P<command>\\(?:text\w*|math\w+|mbox|operatorname)\s*\{)?\s*(?P<text>[A-Za-z0-9]+)\s*\}?[$*.]*"
)
_LETTER_BEFORE_DIGIT = lazy_pattern(r"[A-Z]\d|[A-Za-z]\d+[A-Za-z]")
_CROSS = lazy_pattern(
    r"[\s$]*(?:\\(?:text|mathrm)\{)?\s*([A-Za-z]{2,8})\s*\}?\s*(?:\\times|\u00d7|[xX*])\s*(?:\\(?:text|mathrm)\{)?\s*([A-Za-z]{2,8})"
    r"\s*\}?[\s$.]*",
    one_of=("x", "*", "\u00d7", "\\times"),
)
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
MAX_PARTS = 8
"""Numbers of the longest address or version."""
MIN_WORD = 3
"""In shorter words the case counts: Aa and AA, Co and CO are two."""
MAX_FACTORS = 4
"""More letters in a row are a word, and no product."""
_SHORT_WORDS = ("no", "ja", "si", "ok")


def same(reference: str, answer: str) -> Finding | None:
    """Compare two answers that differ in the order or the case of their letters and digits; None for all others."""
    crossed = _parents(reference), _parents(answer)
    if crossed[0]:
        return Finding(crossed[0] == crossed[1]) if crossed[1] else Finding(None, "another_case")
    if reference.count(".") > 1 and answer.count(".") > 1:
        return _same_dotted(reference.strip("$ "), answer.strip("$ "))
    texts = _LETTERS_AND_DIGITS.fullmatch(reference), _LETTERS_AND_DIGITS.fullmatch(answer)
    if texts[0] is None or texts[1] is None:
        is_metre = reference.endswith("pm}") and answer.endswith("PM}")  # 5\text{ pm} is a length or an hour
        return Finding(None, "another_case") if is_metre else None
    wanted, given = texts[0]["text"], texts[1]["text"]
    if wanted == given or wanted.isdecimal() or sorted(wanted.lower()) != sorted(given.lower()):
        return None
    set_as_text = [bool(text["command"]) for text in texts if text]
    if (wanted, given) == ("NO", "No") and all(set_as_text):  # nitric oxide and nobelium, or twice the same word
        return Finding(None, "another_case")
    if wanted.lower() == given.lower():
        return _same_but_for_case(wanted, given)
    if all(set_as_text) or any(map(_is_code, (wanted, given))):
        return Finding(False)
    return Finding(None, "spelled_otherwise") if any(set_as_text) and wanted.isalpha() else None


def is_cross(text: str) -> bool:
    """Whether a text is two genotypes that are crossed: Aa x Aa."""
    return _parents(text) is not None


def _parents(text: str) -> list[str] | None:
    """The two genotypes of a cross, Aa \\times Aa, in one order; None for anything else."""
    found = _CROSS.fullmatch(text)
    sides = [found[1], found[2]] if found else []
    pairs = [side[at : at + 2] for side in sides for at in range(0, len(side), 2)]
    is_cross = bool(pairs) and all(len({*pair.lower()}) == 1 and len(pair) == 2 for pair in pairs)
    return sorted(sides) if is_cross and len(sides[0]) == len(sides[1]) else None


def _same_dotted(reference: str, answer: str) -> Finding | None:
    """Compare addresses, versions and dates such as 192.168.0.1 and 14.3.2025."""
    parts = [text.split(".") for text in (reference, answer)]
    if not all(len(part) <= MAX_PARTS and all(map(str.isdecimal, part)) for part in parts):
        return None
    wanted, given = dates.dates(reference), dates.dates(answer)
    if not (wanted and given):
        return Finding(reference == answer)
    return Finding(wanted == given) if wanted == given or not wanted & given else Finding(None, "another_date")


def _same_but_for_case(wanted: str, given: str) -> Finding | None:
    if wanted.isalpha() and all(text.islower() or text.isupper() or text.istitle() for text in (wanted, given)):
        return None if len(wanted) >= MIN_WORD or len(wanted) == 1 or wanted.lower() in _SHORT_WORDS else Finding(False)
    is_hexadecimal = _HEXADECIMAL.issuperset(wanted) and len(wanted) >= MIN_WORD and any(map(str.isdigit, wanted))
    if is_hexadecimal and given in (wanted.lower(), wanted.upper()):
        return Finding(True)
    return Finding(None, "another_case") if wanted.islower() or given.islower() else Finding(False)


def _is_code(text: str) -> bool:
    """Whether the order of its signs counts: a letter before a digit, three capitals, or a long word."""
    if text.isalpha():
        return (text.isupper() and len(text) >= MIN_WORD) or len(text) > MAX_FACTORS
    return _LETTER_BEFORE_DIGIT.search(text) is not None
