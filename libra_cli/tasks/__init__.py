"""The tasks by name: `tasks/NAME.py` defines each, `choices.py` lists them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from libra_cli import choices
from libra_cli.tasks.judge import JudgeTask
from libra_cli.tasks.task import AnswerTask, GeneratedText, Messages, Outcome, Record, Task, Verdict


def _task(name: str) -> Any:
    """The task that `tasks/NAME.py` defines, by its name in capitals."""
    return getattr(import_module(f"libra_cli.tasks.{name}"), name.upper())


JUDGING: dict[str, JudgeTask] = {name: _task(name) for name in choices.JUDGE_TASKS}
TASKS: dict[str, Task] = {name: _task(name) for name in choices.TASKS}

__all__ = [
    "JUDGING", "TASKS", "AnswerTask", "GeneratedText", "JudgeTask", "Messages", "Outcome", "Record", "Task", "Verdict",
]  # fmt: skip
