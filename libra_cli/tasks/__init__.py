"""The tasks by name: `tasks/NAME.py` defines each, `choices.py` lists them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from libra_cli import choices
from libra_cli.tasks.task import AnswerTask, GeneratedText, Messages, Outcome, Record, Task, Verdict

if TYPE_CHECKING:
    from libra_cli.tasks.judge import JudgeTask

    JUDGING: dict[str, JudgeTask]
    TASKS: dict[str, Task]

_TABLES = {"JUDGING": choices.JUDGE_TASKS, "TASKS": choices.TASKS}

__all__ = [
    "JUDGING", "TASKS", "AnswerTask", "GeneratedText", "JudgeTask", "Messages", "Outcome", "Record", "Task", "Verdict",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Makes JUDGING, TASKS and JudgeTask at first use: a stage that reads answers starts without the judges."""
    if name in _TABLES:
        made: Any = {task: getattr(import_module(f"{__name__}.{task}"), task.upper()) for task in _TABLES[name]}
    elif name == "JudgeTask":
        made = import_module(f"{__name__}.judge").JudgeTask
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = made
    return made
