"""`best`: choose the best of several responses, which are numbered from 1."""

from __future__ import annotations

from libra_cli.tasks.judge import judge_task
from libra_cli.tasks.task import Outcome, Record
from libra_cli.tasks.verdicts import number, taken_back

MOST = 999
"""Responses in a list; a number beyond those of its own list is out of range too, which only who showed it can tell."""


def golden_of(record: Record) -> int | None:
    """The place of the golden response: `best` (from 0), or the first where the record has `chosen` and `rejected`.

    None where it names none, or what it names is no number.
    """
    golden = record.get("best", 0 if "chosen" in record else None)
    return golden if type(golden) in (int, float) else None


def is_correct(outcome: Outcome, record: Record) -> bool | None:
    """Whether the number (from 1) is that of the golden response; None where the record names none."""
    golden = golden_of(record)
    return None if golden is None else int(outcome) - 1 == golden


BEST = judge_task("best", number("best", (1, MOST), taken_back), is_correct, "list")
