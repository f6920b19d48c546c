r"""Writes sums and products with dots in closed form: n(n-1)\cdots(n-k+1) as \frac{n!}{(n-k)!}, 1+2+\cdots+n.

Only arithmetic progressions are read, and geometric sums. Dots in anything else stay, and leave a pair undecided.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice, pairwise

from libra_cli.answers.text import formula, latex
from libra_cli.answers.values import normalize, numeric
from libra_cli.lazy_pattern import lazy_pattern

_DOTS = lazy_pattern(r"\\[lc]?dots[bcm]?(?![A-Za-z])|\.{3}|\u2026", one_of=("dots", "...", "\u2026"))
_SIGNS = ("\\cdot", "\\times", "*")
_FACTOR = lazy_pattern(r"\([^()]*\)!?|\d+|[A-Za-z](?:\^\{?\w\}?)?")
_FEWEST, _POINTS = 2, 3


def in_closed_form(raw: str) -> str:
    """A sum or a product with dots in closed form; any other answer as it is."""
    if len(raw) > normalize.MAX_CHARS or not _DOTS.search(raw):
        return raw
    text = normalize.normalized(raw)
    dots = [*_DOTS.finditer(text)]
    if len(dots) != 1 or not _DOTS.search(latex.top_level(text)) or latex.has(text, latex.COMMAS):
        return raw
    before, behind = text[: dots[0].start()].strip(), text[dots[0].end() :].strip()
    if before.endswith("+") and behind.startswith("+"):
        return _of_sum(latex.split(before[:-1], {"+"}), latex.split(behind[1:], {"+"})) or raw
    first, last = _factors(before), _factors(behind)
    return (_of_product(first, last) if first and last else None) or raw


def _factors(text: str) -> list[str] | None:
    """The factors of a product, without its signs; None if it is none."""
    for sign in _SIGNS:
        text = text.replace(sign, " ")
    text = text.strip()
    at, found = 0, []
    while at < len(text):
        factor = _FACTOR.match(text, at)
        if factor is None:
            return None
        found.append(factor[0])
        at = len(text) - len(text[factor.end() :].lstrip())
    return found


def _values(terms: Sequence[str]) -> list[list[Fraction]] | None:
    """The values of terms at a few points, by term; None if one of them has none."""
    trees = [(formula.readings(term) or (None,))[0] for term in terms]
    if None in trees:
        return None
    known = [tree for tree in trees if tree is not None]
    names = sorted(frozenset().union(*map(formula.symbols, known)))
    rows = []
    for tree in known:
        row = []
        for at in islice(numeric.points(names), _POINTS):
            filled = tree
            for name in names:
                filled = formula.substituted(filled, name, at[name])
            row.append(numeric.exact(filled))
        rows.append(row)
    return None if any(None in row for row in rows) else rows  # type: ignore[return-value]


def _step(first: Sequence[str], last: Sequence[str]) -> int | None:
    """The difference of the terms on both sides of the dots; None if they are no arithmetic progression."""
    rows = _values([*first, *last])
    if rows is None or len(first) < _FEWEST:
        return None
    pairs = [*pairwise(rows[: len(first)]), *pairwise(rows[len(first) :])]
    steps = {b - a for one, other in pairs for a, b in zip(one, other, strict=True)}
    step = steps.pop() if len(steps) == 1 else Fraction(0)
    return int(step) if step and step.denominator == 1 else None


def _of_product(first: Sequence[str], last: Sequence[str]) -> str | None:
    step = _step(first, last)
    if step is None:
        return None
    low, high = (first[0], last[-1]) if step > 0 else (last[-1], first[0])
    if abs(step) == 1:
        return rf"({high})!" if low == "1" else rf"\frac{{({high})!}}{{(({low})-1)!}}"
    if abs(step) == 2 and low == "2":
        return rf"2^{{({high})/2}}\cdot(({high})/2)!"
    if abs(step) == 2 and low == "1":
        half = f"(({high})+1)/2"
        return rf"\frac{{(({high})+1)!}}{{2^{{{half}}}\cdot({half})!}}"
    return None


def _of_sum(first: Sequence[str], last: Sequence[str]) -> str | None:
    step = _step(first, last)
    begin, stop = first[0], last[-1]
    is_linear = not any(mark in stop for mark in ("^", "frac", "!", "sqrt"))
    if step is not None and is_linear:
        return rf"\frac{{(({begin})+({stop}))(({stop})-({begin})+({step}))}}{{2({step})}}"
    rows = _values(first)
    if rows is None or len(first) <= _FEWEST or not all(map(all, rows)):
        return None
    ratios = {tuple(b / a for a, b in zip(one, other, strict=True)) for one, other in pairwise(rows)}
    if len(ratios) != 1 or ratios == {(Fraction(1),) * _POINTS}:
        return None
    ratio = rf"\frac{{{first[1]}}}{{{first[0]}}}"
    return rf"\frac{{({stop})\cdot({ratio})-({begin})}}{{({ratio})-1}}"
