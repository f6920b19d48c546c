r"""Writes binomials in words as formulas: 12 choose 5 as \binom{12}{5}, 2 times n choose k as 2 \cdot \binom{n}{k}."""

from __future__ import annotations

import re

from libra_cli.answers.text import latex, words
from libra_cli.lazy_pattern import lazy_pattern

_TERM = (
    r"\$[^$\s]{1,12}(?: ?[-+] ?[^$\s]{1,8})?\$|\([^()]{1,20}\)|\d{0,6}[a-zA-Z]|\d{1,6}"
    r"|[a-z]{3,9}(?:-[a-z]{3,5})?"
)
_CHOOSE = lazy_pattern(
    r"(?<![\w.,/^*+$)-])(?:(?P<factor>\d{1,4}|one|two|three|four) "
    r"(?P<sign>times|plus|minus|over|divided by) |(?P<multiple>twice|double|triple|thrice|half(?: of)?) )?"
    rf"(?P<above>{_TERM}) choose (?P<below>{_TERM})(?![\w$^/*-]|[.,]\d)(?P<power> (?:squared|cubed)(?=[.!,;]|$))?",
    one_of=(" choose ",),
)
_MULTIPLES = {
    "twice": "2",
    "double": "2",
    "triple": "3",
    "thrice": "3",
    "half": "\\frac{1}{2}",
    "half of": "\\frac{1}{2}",
}
_POWERS = {" squared": "^2", " cubed": "^3"}
_IMPERATIVE = lazy_pattern(r"\b(?i:from|of|these|those|you|we|they|must|can|to|then|who) ?(?:the |all )?$")
"""What stands before a number of things from which some are chosen: from these 12 choose 5."""
_SIGNS = {"times": "\\cdot", "plus": "+", "minus": "-", "over": "/", "divided by": "/"}
_JOINED = lazy_pattern(
    r"\$(?P<one>[^$]{0,60}\\binom\{[^{}$]{1,20}\}\{[^{}$]{1,20}\})\$ (?P<sign>times|plus|minus|over|divided by) "
    r"(?:\$(?P<other>\\binom[^$]{1,60})\$|(?P<number>\d{1,6})(?![\w/^]|[.,]\d))",
    one_of=("\\binom",),
)
"""A binomial in signs before another one, or a number, in the same calculation."""
_CHANGED = lazy_pattern(
    r"\b(?i:twice|thrice|double|triple|half(?: of)?|times|plus|minus|over|by|sum of|square of) \$[^$]*\\binom"
    r"|\\binom[^$]*\$,? (?:and )?(?:then )?(?:all )?(?i:squared|cubed|factorial|times|plus|minus|less|more|divided"
    r"|doubled|halved|tripled|raised|per|over|choose)\b",
    one_of=("\\binom",),
)
"""A binomial in signs, and words beside it that change its value: twice, squared."""
_BOXED = lazy_pattern(rf"\s*(?P<above>{_TERM}) choose (?P<below>{_TERM})\s*", one_of=(" choose ",))


def in_signs(text: str) -> str:
    """A sentence with its binomials in words as formulas."""
    written = _CHOOSE.sub(_written, text)
    while written is not text and (joined := _JOINED.search(written)):
        formula = f"${joined['one']} {_SIGNS[joined['sign']]} {(joined['other'] or joined['number'])}$"
        written = written[: joined.start()] + formula + written[joined.end() :]
    return written


def is_changed(text: str) -> bool:
    """Whether words beside a binomial in signs change its value."""
    return _CHANGED.search(text) is not None


def formula(answer: str) -> str:
    """An answer that is one binomial in words as a formula; any other answer as it is."""
    found = _BOXED.fullmatch(latex.without_setting(answer))
    above, below = (_term(found[name]) for name in ("above", "below")) if found else ("", "")
    return rf"\binom{{{above}}}{{{below}}}" if above and below else answer


def _written(said: re.Match[str]) -> str:
    above, below = _term(said["above"]), _term(said["below"])
    if not (above and below) or _IMPERATIVE.search(said.string[: said.start()]):
        return said[0]
    binomial = rf"\binom{{{above}}}{{{below}}}"
    if said["factor"]:
        binomial = f"{_term(said['factor'])} {_SIGNS[said['sign']]} {binomial}"
    if said["power"] and (said["factor"] or said["multiple"]):  # twice 5 choose 2 squared
        return said[0]
    if said["multiple"]:
        binomial = f"{_MULTIPLES[said['multiple'].lower()]} \\cdot {binomial}"
    if said["power"]:
        binomial += _POWERS[said["power"]]
    return f"${binomial}$"


def _term(term: str) -> str:
    """A term in signs; empty for a word that is no number."""
    term = term.strip("$")
    if term[:1] == "(":
        term = term[1:-1]
    if len(term) > 2 and term.replace("-", "").isalpha():
        value = words.number(term)
        return "" if value is None else str(value)
    return term if term not in ("I", "A") else ""
