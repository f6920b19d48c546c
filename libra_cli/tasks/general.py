"""`general`: any other prompt, for SFT only; nothing is decided and nothing is checked."""

from __future__ import annotations

from libra_cli.tasks import template as templates
from libra_cli.tasks.task import Messages, Record, Task, Verdict, with_system

UNGRADED = "ungraded"
BARE = "{{question}}"
"""The template of a question that is asked as it stands."""


def prompt(record: Record, template: str | None = None, system: str | None = None) -> Messages:
    """The record's own conversation: `messages`, or `prompt` as one user message; else its `question`.

    With a `template` it is always the question.
    """
    if template is None and "messages" in record:
        return with_system(system, list(record["messages"]))
    if template is None and "prompt" in record:
        return with_system(system, [{"role": "user", "content": str(record["prompt"])}])
    values = {name: str(value) for name, value in record.items() if isinstance(value, (str, int, float))}
    return with_system(system, [{"role": "user", "content": templates.fill(template or BARE, values)}])


GENERAL = Task("general", prompt, lambda _text: Verdict(None, UNGRADED), lambda _outcome, _record: None)
