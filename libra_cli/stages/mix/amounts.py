"""How much of each set is asked for (FILE:0.4, FILE:5000, FILE:3x), and how many rows that comes to.

Everything is counted in exact fractions: no share depends on how a computer rounds 0.1.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from math import floor

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.line_source import STDIN
from libra_cli.stream.options import identity


class AmountKind(Enum):
    """What the number of an amount counts."""

    WEIGHT = "share of what counts and repetitions leave"
    ROWS = "rows"
    TIMES = "passes over the set"


@dataclass(frozen=True)
class Amount:
    """How much of a set."""

    kind: AmountKind
    value: Fraction


@dataclass(frozen=True)
class MixPart:
    """One argument: `text` as it was given, the file that it names (`-` is standard input), and how much of it."""

    text: str
    path: str
    amount: Amount

    @property
    def name(self) -> str:
        """What messages call the file, and rows their source."""
        return STDIN if self.path == "-" else self.path


ALL = Amount(AmountKind.TIMES, Fraction(1))
FORMS = "write 0.4 (a weight), 4000 (rows) or 3x (times the whole set)"
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(x?)")


def amount(text: str) -> Amount | None:
    """`4000` is rows, `0.4` (with its point) a weight, `3x` or `0.5x` times; None where `text` is none of them."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    value = Fraction(text.removesuffix("x"))
    if found.group(1):
        return Amount(AmountKind.TIMES, value)
    return Amount(AmountKind.WEIGHT if "." in text else AmountKind.ROWS, value)


def parts(texts: Sequence[str]) -> list[MixPart]:
    """The arguments FILE[:AMOUNT]; raises Fatal(2) where one cannot be understood or two name one file."""
    found = [_part(text) for text in texts]
    seen: dict[object, str] = {}
    for part in found:
        file = identity(part.path)
        if file in seen:
            cure = "name it once, and say how often its rows are wanted: FILE:2x"
            what = "is given twice" if seen[file] == part.text else f"is the same file as {seen[file]}"
            raise Fatal(Exit.USAGE, f"{part.text}: {what}; {cure}")
        seen[file] = part.text
    return found


def _part(text: str) -> MixPart:
    path, colon, tail = text.rpartition(":")
    wanted = amount(tail) if colon else None
    whole, before = os.path.exists(text), path in ("-", STDIN) or os.path.exists(path)
    if wanted is not None and whole and before:
        cure = f"write {text}:1x for the second, or {path}:0{tail} for the first"
        raise Fatal(Exit.USAGE, f"{text}: there is a file {path} and a file {text}; {cure}")
    if colon and not whole:
        if wanted is None and before:
            raise Fatal(Exit.USAGE, f"{text}: {tail!r} is not an amount; {FORMS}")
        if not path:
            raise Fatal(Exit.USAGE, f"{text}: there is no file before the colon; write FILE{text}")
    if wanted is None or whole:
        path, wanted = text, ALL
    return MixPart(text, "-" if path == STDIN else path, wanted)


def allotted(parts: Sequence[MixPart], available: Sequence[int], total: int | None, repeat: bool) -> list[int]:
    """Rows to take of each part, of which `available` can be had.

    `total` is how many they shall be; None: what counts and repetitions make, and with weights as many as the scarcest
    weighted set allows without repeating. Raises Fatal(2) where the amounts do not fit together, or a part has too few
    rows for its own and may not `repeat` them.
    """
    fixed = [_fixed(part.amount, count) for part, count in zip(parts, available, strict=True)]
    weights = [part.amount.value if part.amount.kind is AmountKind.WEIGHT else Fraction(0) for part in parts]
    left = _left(parts, available, sum(fixed), weights, total)
    rows = [own + share for own, share in zip(fixed, apportioned(left, weights), strict=True)]
    for part, count, wanted in zip(parts, available, rows, strict=True):
        _check(part, count, wanted, repeat)
    return rows


def _fixed(amount: Amount, available: int) -> int:
    """The rows that do not depend on the other sets."""
    if amount.kind is AmountKind.WEIGHT:
        return 0
    return int(amount.value) if amount.kind is AmountKind.ROWS else floor(amount.value * available + Fraction(1, 2))


def _left(
    parts: Sequence[MixPart], available: Sequence[int], fixed: int, weights: Sequence[Fraction], total: int | None
) -> int:
    """The rows that the weights share."""
    if total is None:
        _check_scarcest(parts, available, weights)
        most = [count * sum(weights) / weight for count, weight in zip(available, weights, strict=True) if weight]
        return floor(min(most, default=Fraction(0)))
    if fixed > total:
        cure = "leave -n out (and take `| head -n` of it), or give weights instead (FILE:1.0)"
        raise Fatal(Exit.USAGE, f"counts and repetitions make {fixed:,} rows, -n says {total:,}; {cure}")
    if fixed < total and not any(weights):
        cure = "give the set that shall fill it a weight (FILE:1.0), or leave -n out"
        raise Fatal(Exit.USAGE, f"counts and repetitions make {fixed:,} rows, -n says {total:,}; {cure}")
    return total - fixed


def _check_scarcest(parts: Sequence[MixPart], available: Sequence[int], weights: Sequence[Fraction]) -> None:
    """An empty set would leave nothing of all that have weights."""
    for part, count, weight in zip(parts, available, weights, strict=True):
        if weight and not count:
            raise Fatal(Exit.USAGE, f"{part.text}: there are no rows of it to mix; leave it out, or check the file")


def apportioned(total: int, weights: Sequence[Fraction]) -> list[int]:
    """`total` in proportion to `weights`, by largest remainder (Hamilton's method); the earlier of equals first."""
    if not total or not any(weights):
        return [0] * len(weights)
    quotas = [total * weight / sum(weights) for weight in weights]
    rows = [floor(quota) for quota in quotas]
    by_remainder = sorted(range(len(rows)), key=lambda at: rows[at] - quotas[at])
    for at in by_remainder[: total - sum(rows)]:
        rows[at] += 1
    return rows


def _check(part: MixPart, available: int, wanted: int, repeat: bool) -> None:
    if wanted and not available:
        raise Fatal(Exit.USAGE, f"{part.text}: there are no rows of it to mix; leave it out, or check the file")
    if wanted <= available or repeat or part.amount.kind is AmountKind.TIMES:
        return
    what = (
        f"its share is {wanted:,} rows" if part.amount.kind is AmountKind.WEIGHT else f"it shall give {wanted:,} rows"
    )
    fewer = "a smaller -n (or none)" if part.amount.kind is AmountKind.WEIGHT else f"at most {part.path}:{available}"
    cure = f"ask for {fewer}, or say --repeat to use rows more than once"
    raise Fatal(Exit.USAGE, f"{part.text}: {what}, and there are {available:,}; {cure}")
