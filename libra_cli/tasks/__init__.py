"""The tasks by name."""

from libra_cli.tasks.best import BEST
from libra_cli.tasks.general import GENERAL
from libra_cli.tasks.judge import JudgeTask
from libra_cli.tasks.rank import RANK
from libra_cli.tasks.rate import RATE
from libra_cli.tasks.reason import REASON
from libra_cli.tasks.score import SCORE
from libra_cli.tasks.task import AnswerTask, GeneratedText, Messages, Outcome, Record, Task, Verdict
from libra_cli.tasks.verify import VERIFY

JUDGING: dict[str, JudgeTask] = {task.name: task for task in (SCORE, RANK, VERIFY, RATE, BEST)}
TASKS: dict[str, Task] = {task.name: task for task in (REASON, *JUDGING.values(), GENERAL)}

__all__ = [
    "JUDGING", "TASKS", "AnswerTask", "GeneratedText", "JudgeTask", "Messages", "Outcome", "Record", "Task", "Verdict",
]  # fmt: skip
