"""`rank`: compare two responses; the outcome says which one is better, and whether by much."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from libra_cli.tasks.judge import judge_task
from libra_cli.tasks.task import Outcome, Record
from libra_cli.tasks.verdicts import BLANKS, VerdictForm

STRENGTH: Mapping[str, int] = {"A>>B": 2, "A>B": 1, "A=B": 0, "B>A": -1, "B>>A": -2}
"""Each verdict as a number: how far A is ahead."""
PREFERENCES: Mapping[str, int] = {**STRENGTH, "A": 1, "B": -1}
"""What a golden preference may be."""
_BY_STRENGTH = {strength: verdict for verdict, strength in STRENGTH.items()}
_SIGNS = {">>": 2, "≫": 2, ">": 1, "=": 0, "<": -1, "≪": -2, "<<": -2}
_INSIDE = rf"(A|B){BLANKS}(>>|>|=|<<|<|≫|≪){BLANKS}(A|B)"
_PATTERN = re.compile(rf"\[\[{BLANKS}{_INSIDE}{BLANKS}\]\]", re.IGNORECASE)


def verdict_of(strength: int) -> str:
    """The verdict of a strength from -2 to 2."""
    return _BY_STRENGTH[strength]


def swapped(verdict: str) -> str:
    """The verdict after A and B have changed places."""
    return _BY_STRENGTH[-STRENGTH[verdict]]


def _value(match: re.Match[str]) -> Outcome | None:
    """One of the five verdicts, with the better response first: `B<A` is `A>B`."""
    first, sign, second = match.groups()
    if first.upper() == second.upper():
        return None
    return _BY_STRENGTH[_SIGNS[sign] * (1 if first.upper() == "A" else -1)]


def preferred(value: object) -> int | None:
    """1 if A is the better one, -1 if B is, 0 for a tie; None if `value` is no preference."""
    strength = PREFERENCES.get(value) if isinstance(value, str) else None
    return None if strength is None else (strength > 0) - (strength < 0)


def golden_sign(record: Record) -> int | None:
    """`preferred` of `preference` (or of a `label` of that form); None if the record has none.

    Of `chosen` and `rejected` the first is the better one, unless there is a `preference` that cannot be read.
    """
    golden = preferred(record.get("preference", record.get("label")))
    has_better = record.get("preference") is None and "chosen" in record and "rejected" in record
    return 1 if golden is None and has_better else golden


def why_no_preference(record: Record) -> str | None:
    """What is wrong with a `preference` that cannot be read, and what it may be; None if nothing is."""
    value = record.get("preference")
    if value is None or preferred(value) is not None:
        return None
    return f'"preference" is {json.dumps(value)[:60]}; it must be one of {", ".join(PREFERENCES)}'


def is_correct(outcome: Outcome, record: Record) -> bool | None:
    """Whether the better response is that of the record; None if the record names none.

    By how much does not matter: `A>>B` agrees with `A>B`, and a tie with a tie only.
    """
    golden = golden_sign(record)
    return None if golden is None else preferred(outcome) == golden


RANK = judge_task("rank", VerdictForm(_PATTERN, _value), is_correct, "pair")
