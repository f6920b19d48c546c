"""`verify`: check a response with the reference in view; the outcome is `correct` or `wrong`."""

from __future__ import annotations

import re

from libra_cli.tasks.judge import agrees_with_label, judge_task
from libra_cli.tasks.task import Outcome, Record
from libra_cli.tasks.verdicts import BLANKS, VerdictForm

CORRECT, WRONG = "correct", "wrong"

_PATTERN = re.compile(rf"\[\[{BLANKS}(Correct|Wrong|Incorrect){BLANKS}\]\]", re.IGNORECASE)


def _value(match: re.Match[str]) -> Outcome:
    return CORRECT if match.group(1).lower() == CORRECT else WRONG


def is_correct(outcome: Outcome, record: Record) -> bool | None:
    """Whether the verdict is that of `label`; None if there is no label."""
    return agrees_with_label(outcome == CORRECT, record)


_AGAINST: dict[Outcome, re.Pattern[str]] = {
    CORRECT: re.compile(
        r"(?<!\bno )(?<!\bnot )(?<!\bnever )(?<!\bnothing is )"
        r"\b(?:wrong|incorrect|not (?:correct|right|equal|the same))\b"
        r"|错误|不正确|不对",
        re.IGNORECASE,
    ),
    WRONG: re.compile(
        r"(?<!\breference )\b(?:response|answer|result|value|it|this) (?:is|was) (?:(?!not\b)\w+ )?"
        r"(?:correct|right|equal|the same)\b"
        r"|\b(?:matches|equals|agrees with) the reference\b|(?<!不)正确(?!答案)",
        re.IGNORECASE,
    ),
}
"""Words of an explanation that say the opposite of the verdict before it."""

VERIFY = judge_task("verify", VerdictForm(_PATTERN, _value, _AGAINST), is_correct, "response")
