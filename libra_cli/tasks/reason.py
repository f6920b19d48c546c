"""`reason`: answer a problem; the outcome is the final answer, checked against the reference."""

from __future__ import annotations

from libra_cli.answers import extract, pool
from libra_cli.tasks import template
from libra_cli.tasks.task import Messages, Outcome, Record, Task


def prompt(record: Record, *, thinking: bool = True, text: str | None = None, system: str | None = None) -> Messages:
    """The conversation that asks for an answer; `text` replaces the built-in template."""
    content = template.fill(text or template.load("reason-thinking" if thinking else "reason-direct"), _values(record))
    messages: Messages = [{"role": "system", "content": system}] if system else []
    return [*messages, {"role": "user", "content": content}]


def _values(record: Record) -> dict[str, str]:
    return {name: str(value) for name, value in record.items() if isinstance(value, (str, int, float))}


def is_correct(outcome: Outcome, record: Record) -> bool | None:
    """Whether the answer equals `reference`; None where that cannot be decided."""
    return pool.decide(str(record["reference"]), str(outcome)).equal


REASON = Task("reason", prompt, extract.final_answer, is_correct)
