"""The amounts that are asked for (FILE:0.4, FILE:5000, FILE:3x), and how many rows of each set they make.

All arithmetic is in exact fractions: no share depends on how a computer rounds 0.1.
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
from libra_cli.plural import counted
from libra_cli.stream.line_source import STDIN
from libra_cli.stream.options import identity


class AmountKind(Enum):
    """What the number of an amount counts."""

    WEIGHT = "share of the rows that the other amounts leave"
    ROWS = "rows"
    PASSES = "passes over the set"


@dataclass(frozen=True)
class Amount:
    """How much of a set to take."""

    kind: AmountKind
    value: Fraction


@dataclass(frozen=True)
class MixPart:
    """One argument: its `text` as typed, the file that it names (`-` is standard input), and how much of it to take."""

    text: str
    path: str
    amount: Amount

    @property
    def name(self) -> str:
        """The name of the file in messages, and of the source in rows."""
        return STDIN if self.path == "-" else self.path


ALL = Amount(AmountKind.PASSES, Fraction(1))
FORMS = "write 0.4 (a weight), 4000 (rows) or 3x (times the whole set)"
MOST_ROWS = 1_000_000_000
"""Most rows of a mixture: about 10 GB of memory."""
_MOST_CHARS = 64
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(x?)")


def amount(text: str) -> Amount | None:
    """Reads `4000` (rows), `0.4` (a weight, because of the point), `3x` or `0.5x` (passes); None for anything else."""
    match = _NUMBER.fullmatch(text) if len(text) <= _MOST_CHARS else None
    if match is None:
        return None
    value = Fraction(text.removesuffix("x"))
    if match.group(1):
        return Amount(AmountKind.PASSES, value)
    return Amount(AmountKind.WEIGHT if "." in text else AmountKind.ROWS, value)


def parse_parts(texts: Sequence[str]) -> list[MixPart]:
    """Reads arguments FILE[:AMOUNT]; raises Fatal(2) if one makes no sense or two name the same file."""
    parts = [_parse_part(text) for text in texts]
    seen: dict[object, str] = {}
    for part in parts:
        file = identity(part.path)
        if file in seen:
            what = "is given twice" if seen[file] == part.text else f"is the same file as {seen[file]}"
            hint = "name it once, and say how often its rows are wanted: FILE:2x"
            raise Fatal(Exit.USAGE, f"{part.text}: {what}; {hint}")
        seen[file] = part.text
    return parts


def _parse_part(text: str) -> MixPart:
    path, colon, tail = text.rpartition(":")
    wanted = amount(tail) if colon else None
    text_exists, path_exists = os.path.exists(text), path in ("-", STDIN) or os.path.exists(path)
    if wanted is not None and text_exists and path_exists:
        hint = f"write {text}:1x for the second, or {path}:0{tail} for the first"
        raise Fatal(Exit.USAGE, f"{text}: there is a file {path} and a file {text}; {hint}")
    if colon and not text_exists:
        if wanted is None and path_exists:
            raise Fatal(Exit.USAGE, f"{text}: {tail!r} is not an amount; {FORMS}")
        if not path:
            raise Fatal(Exit.USAGE, f"{text}: there is no file before the colon; write FILE{text}")
    if wanted is None or text_exists:
        path, wanted = text, ALL
    elif wanted.kind is not AmountKind.WEIGHT and wanted.value > MOST_ROWS:
        raise Fatal(Exit.USAGE, f"{text}: a mixture has at most {MOST_ROWS:,} rows; ask for fewer")
    return MixPart(text, "-" if path == STDIN else path, wanted)


def rows_per_part(parts: Sequence[MixPart], available: Sequence[int], total: int | None, repeat: bool) -> list[int]:
    """Decides how many rows to take of each part.

    `available` rows of each part can be taken. `total` is the size of the mixture; None: what rows and passes make,
    plus, for the weights, as many rows as the scarcest weighted part allows without repeating. Raises Fatal(2) if the
    amounts contradict each other, or a part has too few rows and may not `repeat` them.
    """
    fixed = []  # what does not depend on the other parts
    for part, count in zip(parts, available, strict=True):
        kind, value = part.amount.kind, part.amount.value
        passes = floor(value * count + Fraction(1, 2))
        fixed.append(0 if kind is AmountKind.WEIGHT else int(value) if kind is AmountKind.ROWS else passes)
    if sum(fixed) > MOST_ROWS:
        what = f"the amounts make {counted(sum(fixed), 'row')}, a mixture has at most {MOST_ROWS:,}"
        raise Fatal(Exit.USAGE, f"{parts[fixed.index(max(fixed))].text}: {what}; ask for fewer")
    weights = [part.amount.value if part.amount.kind is AmountKind.WEIGHT else Fraction(0) for part in parts]

    if total is None:
        for part, count, weight in zip(parts, available, weights, strict=True):
            if weight and not count:  # an empty part would leave nothing for any part with a weight
                raise _is_empty(part)
        most = [count * sum(weights) / weight for count, weight in zip(available, weights, strict=True) if weight]
        shared = floor(min(most, default=Fraction(0)))
    elif sum(fixed) > total:
        hint = "leave -n out (and take `| head -n` of it), or give weights instead (FILE:1.0)"
        raise Fatal(Exit.USAGE, f"counts and repetitions make {counted(sum(fixed), 'row')}, -n says {total:,}; {hint}")
    elif sum(fixed) < total and not any(weights):
        hint = "give the set that shall fill it a weight (FILE:1.0), or leave -n out"
        raise Fatal(Exit.USAGE, f"counts and repetitions make {counted(sum(fixed), 'row')}, -n says {total:,}; {hint}")
    else:
        shared = total - sum(fixed)

    rows = [own + share for own, share in zip(fixed, apportion(shared, weights), strict=True)]
    for part, count, wanted in zip(parts, available, rows, strict=True):
        if wanted and not count:
            raise _is_empty(part)
        if wanted > count and not repeat and part.amount.kind is not AmountKind.PASSES:
            has_weight = part.amount.kind is AmountKind.WEIGHT
            what = f"its share is {counted(wanted, 'row')}" if has_weight else f"it shall give {counted(wanted, 'row')}"
            fewer = "a smaller -n (or none)" if has_weight else f"at most {part.path}:{count}"
            hint = f"ask for {fewer}, or say --repeat to use rows more than once"
            raise Fatal(Exit.USAGE, f"{part.text}: {what}, and there are {count:,}; {hint}")
    return rows


def _is_empty(part: MixPart) -> Fatal:
    return Fatal(Exit.USAGE, f"{part.text}: there are no rows of it to mix; leave it out, or check the file")


def apportion(total: int, weights: Sequence[Fraction]) -> list[int]:
    """Divides `total` in proportion to `weights`, by largest remainder (Hamilton's method); ties go to the earlier."""
    if not total or not any(weights):
        return [0] * len(weights)
    quotas = [total * weight / sum(weights) for weight in weights]
    rows = [floor(quota) for quota in quotas]
    by_remainder = sorted(range(len(rows)), key=lambda number: rows[number] - quotas[number])
    for number in by_remainder[: total - sum(rows)]:
        rows[number] += 1
    return rows
