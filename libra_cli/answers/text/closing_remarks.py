"""Leaves out what a text says behind its answer of other things: a paragraph in brackets, why an option is a trap."""

from __future__ import annotations

from libra_cli.lazy_pattern import lazy_pattern

_IN_BRACKETS = lazy_pattern(
    r"(?<=[^:\s])[ \t]{0,8}\n{1,3}[ \t]{0,8}\("
    r"(?=[A-Z](?:\S* ){3})(?![^\n]*(?i:answer|boxed|option|therefore|hence|correct))[^()\n]{4,300}"
    r"(?:\([^()\n]*\)[^()\n]*)*\)\s*$"
)
"""A last paragraph in brackets: (The SD would be 4.)"""
_ON_OPTION = lazy_pattern(
    r"(?<=[.!*)\n])\s+(?:Option|Choice|Distractor) \(?[A-J]\)? "
    r"(?:is (?:the|a|an) (?:\w+ )?(?:trap|distractor|mistake|error)"
    r"|(?:would )?(?:results?|comes?) from|(?:uses|forgets|ignores|confuses|mixes) )[^\n]*\s*$",
    one_of=("option", "choice", "distractor"),
)
_OF_SUBSTANCE = lazy_pattern(
    r"(?<=\d)(?P<unit> ?(?:g|kg|mg|mol|mmol|L|mL|J|kJ)) (?:of )?"
    r"(?=[A-Za-z\d()\u2080-\u2089]{0,12}[\d\u2080-\u2089])[A-Z][A-Za-z\d()\u2080-\u2089]{1,12}(?![\w\u2080-\u2089])"
)
"""A quantity with the formula of what it is of: 36 g H\u2082O."""
_HAS_UNIT = lazy_pattern(r"\d\$? ?(?:\\[,; ]|\\(?:text|mathrm)\s?\{| )*\s?(?:g|kg|mg|mol|mmol|L|mL|J|kJ)\}?\$?\.?$")


def without(text: str) -> str:
    """`text` without the remarks behind its answer; most texts as they are."""
    if text.rstrip().endswith(")"):
        text = _IN_BRACKETS.sub("", text)
    return _ON_OPTION.sub("", text)


def without_substance(text: str, reference: str) -> str:
    """`text` with quantities alone, if the reference is one and names no substance: 36 g of 36 g H\u2082O."""
    return _OF_SUBSTANCE.sub(r"\g<unit>", text) if _HAS_UNIT.search(reference) else text
