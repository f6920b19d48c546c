"""Compares amounts with a direction on a map: 5 km, 53° north of east, and 5 km at 37° east of north."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from libra_cli.answers.text import latex
from libra_cli.answers.values import normalize
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 300
_SIDE = r"(north|south|east|west|[NSEW])"
_BEARING = lazy_pattern(
    rf"(\d{{1,3}}(?:\.\d{{1,4}})?) ?(?:\^? ?\{{?\\circ\}}?|\u00b0|degrees?) ?,? ?{_SIDE} of (?:due )?{_SIDE}"
    r"(?![A-Za-z])"
)
_AMOUNT = lazy_pattern(r"(-?\d[\d.,]* ?[A-Za-z/^\d\u00b2 -]{0,12}?)(?:,| at| in a direction| directed| pointing)? *$")
_DIRECTIONS = {"n": 90, "e": 0, "s": 270, "w": 180}
_TURN = 360


class Bearing(NamedTuple):
    """An angle in degrees from east, and the amount before it."""

    angle: Fraction
    amount: str


def same(reference: str, answer: str, decide: Callable[[str, str], Any]) -> bool | None:
    """Whether two amounts with a direction are equal; None if one has none, or the amounts cannot be compared."""
    wanted = read(reference)
    given = read(answer) if wanted else None
    if not wanted or not given:
        return None
    if wanted.angle != given.angle:
        return False if abs(wanted.angle - given.angle) > 1 else None
    if not (wanted.amount and given.amount):
        return True if wanted.amount == given.amount or not wanted.amount else None
    found = decide(wanted.amount, given.amount)
    return None if found is None else found.equal


def read(text: str) -> Bearing | None:
    """The only direction that a text gives, with the amount before it; None if it gives none, or several."""
    if len(text) > MAX_CHARS or " of " not in text:
        return None
    plain = latex.without_setting(text if text.isascii() else normalize.in_ascii(text))
    found = [*_BEARING.finditer(plain)]
    if len(found) != 1 or " not " in plain:
        return None
    degrees, towards, base = Fraction(found[0][1]), found[0][2][0].lower(), found[0][3][0].lower()
    turn = (_DIRECTIONS[towards] - _DIRECTIONS[base]) % _TURN
    if turn not in (90, 270):
        return None
    angle = (_DIRECTIONS[base] + (degrees if turn == 90 else -degrees)) % _TURN
    amount = _AMOUNT.search(plain[: found[0].start()])
    return Bearing(angle, amount[1].strip() if amount else "")
