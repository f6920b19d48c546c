"""`best`: choose the best of several responses, which are numbered from 1."""

from __future__ import annotations

from libra_cli.tasks.judge import judge_task
from libra_cli.tasks.task import Outcome, Record
from libra_cli.tasks.verdicts import number

MOST = 999
"""Most responses in a list. A number beyond those shown is out of range too, which only the caller can know."""


def golden_index(record: Record) -> int | None:
    """The index of the golden response: `best` (from 0), or 0 if the record has `chosen`.

    None if the record names none, or not by a number.
    """
    golden = record.get("best", 0 if "chosen" in record else None)
    return golden if type(golden) in (int, float) else None


def is_correct(outcome: Outcome, record: Record) -> bool | None:
    """Whether the number (from 1) is that of the golden response; None if the record names none."""
    golden = golden_index(record)
    return None if golden is None else int(outcome) - 1 == golden


BEST = judge_task("best", number("best", (1, MOST)), is_correct, "list")
