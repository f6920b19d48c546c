"""`reason`: answer a problem; the outcome is the final answer, which must equal the reference."""

from __future__ import annotations

from libra_cli.answers import extract, pool
from libra_cli.tasks import template as templates
from libra_cli.tasks.task import AnswerTask, GeneratedText, Messages, Outcome, Record, Verdict, with_system

THINKING, DIRECT = "reason-thinking", "reason-direct"
"""The built-in templates: `prompts/NAME.txt`."""

NO_RESPONSE, NO_ANSWER, TRUNCATED = "no_response", "no_answer", "truncated"
"""The text ends inside its thinking; it is complete and gives no answer; it was cut before it gave one."""


def prompt(record: Record, template: str | None = None, system: str | None = None) -> Messages:
    """Asks for an answer; without `template` the model is asked to think first."""
    text = templates.load(THINKING) if template is None else template
    values = {name: str(value) for name, value in record.items() if isinstance(value, (str, int, float))}
    return with_system(system, [{"role": "user", "content": templates.fill(text, values)}])


def read(text: GeneratedText) -> Verdict:
    """The final answer of the text after the thinking."""
    if text.response is None:
        return Verdict(None, NO_RESPONSE)
    answer = extract.final_answer(text.response)
    if answer is None:
        return Verdict(None, TRUNCATED if text.finish_reason == "length" else NO_ANSWER)
    return Verdict(answer)


def pair(outcome: Outcome, record: Record) -> tuple[str, str]:
    """`reference` and the answer."""
    return str(record["reference"]), str(outcome)


def is_correct(outcome: Outcome, record: Record) -> bool | None:
    """Whether the answer equals `reference`; None if that cannot be decided."""
    return pool.decide(*pair(outcome, record)).equal


REASON = AnswerTask("reason", prompt, read, is_correct, pair, frozenset({NO_ANSWER}))
