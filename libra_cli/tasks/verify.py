"""`verify`: check a response with the reference in view; the outcome is `correct` or `wrong`."""

from __future__ import annotations

import re

from libra_cli.tasks.judge import agrees_with_label, judge_task
from libra_cli.tasks.task import Outcome, Record
from libra_cli.tasks.verdicts import BLANKS, VerdictForm, left_open

CORRECT, WRONG = "correct", "wrong"

_PATTERN = re.compile(rf"\[\[{BLANKS}(Correct|Wrong|Incorrect){BLANKS}\]\]", re.IGNORECASE)


def _value(match: re.Match[str]) -> Outcome:
    return CORRECT if match.group(1).lower() == CORRECT else WRONG


def is_correct(outcome: Outcome, record: Record) -> bool | None:
    """Whether the verdict is that of `label`; None if there is no label."""
    return agrees_with_label(outcome == CORRECT, record)


VERIFY = judge_task("verify", VerdictForm(_PATTERN, _value, left_open), is_correct, "response")
