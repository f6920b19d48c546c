"""Compares amounts with a direction on a map: 5 km, 53° north of east, 5 km at 37° east of north, and N 37° E."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from libra_cli.answers.text import latex
from libra_cli.answers.values import normalize
from libra_cli.answers.values.finding import Decide
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 300
_SIDE = r"(north|south|east|west|[NSEW])"
_BEARING = lazy_pattern(
    rf"(\d{{1,3}}(?:\.\d{{1,4}})?) ?(?:\^? ?\{{?\\circ\}}?|\u00b0|degrees?) ?,? ?{_SIDE} of (?:due )?{_SIDE}"
    r"(?![A-Za-z])"
)
_COMPASS = lazy_pattern(
    r"(?<![A-Za-z])(?:due )?([Nn]orth|[Ss]outh|N|S) ?(\d{1,2}(?:\.\d{1,4})?) ?(?:\^? ?\{?\\circ\}?|\u00b0|degrees?)? ?"
    r"([Ee]ast|[Ww]est|E|W)(?![A-Za-z])"
)
"""N 30° E."""
_HALFWAY = lazy_pattern(r"(?<![A-Za-z])([Nn]orth|[Ss]outh)[- ]?([Ee]ast|[Ww]est)(?:ward|wards)?(?![A-Za-z])")
_IN_NAME = lazy_pattern(r" [A-Z]")
"""A name behind a direction that is a part of it: the Northwest Passage."""
_THREE_FIGURES = lazy_pattern(r"(0\d\d|[123]\d\d)(\.\d{1,4})? ?(?:\^? ?\{?\\circ\}?|\u00b0|degrees?)?(?: ?T)?")
"""030°, clockwise from north."""
_AMOUNT = lazy_pattern(r"(-?\d[\d.,]* ?[A-Za-z/^\d\u00b2 -]{0,12}?)(?:,| at| in a direction| directed| pointing)? *$")
_DIRECTIONS = {"n": 90, "e": 0, "s": 270, "w": 180}
_TURN = 360
_SIDES = (" of ", "N", "S", "orth", "outh")


class Bearing(NamedTuple):
    """An angle in degrees from east, and the amount before it."""

    angle: Fraction
    amount: str


def same(reference: str, answer: str, decide: Decide) -> bool | None:
    """Whether two amounts with a direction are equal; None if one has none, or the amounts cannot be compared."""
    wanted, given = read(reference), read(answer)
    if wanted and not given:
        given = _clockwise(answer)
    elif given and not wanted:
        wanted = _clockwise(reference)
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
    if len(text) > MAX_CHARS or not any(map(text.__contains__, _SIDES)):
        return None
    plain = latex.without_setting(text if text.isascii() else normalize.in_ascii(text))
    found = [*_BEARING.finditer(plain)] if " of " in plain else []
    if " not " in plain or len(found) > 1:
        return None
    if not found:
        return _of_compass(plain)
    degrees, towards, base = Fraction(found[0][1]), found[0][2][0].lower(), found[0][3][0].lower()
    return _between(base, degrees, towards, plain[: found[0].start()])


def _of_compass(plain: str) -> Bearing | None:
    """The direction of N 30\u00b0 E, or of southwest if there is no number."""
    found = [*_COMPASS.finditer(plain)]
    if len(found) == 1:
        base, degrees, towards = found[0].groups()
        return _between(base[0].lower(), Fraction(degrees), towards[0].lower(), plain[: found[0].start()])
    halfway = [] if any(map(str.isdigit, plain)) or " of " in plain else [*_HALFWAY.finditer(plain)]
    if len(halfway) != 1 or _IN_NAME.match(plain, halfway[0].end()):
        return None
    return _between(halfway[0][1][0].lower(), Fraction(45), halfway[0][2][0].lower(), "")


def _between(base: str, degrees: Fraction, towards: str, before: str) -> Bearing | None:
    turn = (_DIRECTIONS[towards] - _DIRECTIONS[base]) % _TURN
    if turn not in (90, 270):
        return None
    angle = (_DIRECTIONS[base] + (degrees if turn == 90 else -degrees)) % _TURN
    amount = _AMOUNT.search(before)
    return Bearing(angle, amount[1].strip() if amount else "")


def _clockwise(text: str) -> Bearing | None:
    """The direction of three figures, clockwise from north: 030\u00b0."""
    plain = latex.without_setting(text if text.isascii() else normalize.in_ascii(text)).strip(" $.")
    found = _THREE_FIGURES.fullmatch(plain)
    return Bearing((90 - Fraction(found[1] + (found[2] or ""))) % _TURN, "") if found else None
