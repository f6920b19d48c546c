"""The conversation that a sample answers, made again as the model was asked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from libra_cli.records.messages import (
    OF_SYSTEM,
    SHOWN,
    Message,
    answer_turn,
    asked_messages,
    behind_system_prompt,
    is_conversational,
    judged_tools_of,
    messages,
    own_system,
    own_system_text,
    template_args_of,
    turns,
)
from libra_cli.stream.rows import Row, RowError
from libra_cli.stream.wrong_rows import near_column
from libra_cli.tasks import JUDGING, TASKS, JudgeTask, Messages, reason, template, thinking
from libra_cli.tasks.general import BARE


class Prompts:
    """Makes prompts from the built-in template that the hash in `provenance` names, or from the user's own.

    A response of task `reason` or `general` is looked up among all built-in templates: either may have been asked with
    its bare question.
    """

    def __init__(self, text: str | None = None, system: str | None = None):
        self._text, self._system = text, system
        self._judging = {name: template.load(task.template) for name, task in JUDGING.items()}

    def judging(self, row: Row, task: JudgeTask) -> tuple[str, bool]:
        """The template of a judged row, and whether its judge was shown the row's own system prompt (once, none was).

        Raises RowError (`other_prompt`) if the template was not the built-in one.
        """
        text = self._judging[task.name] if self._text is None else self._text
        asked, own = _digest_in(row.fields.get("judge_provenance")), own_system_text(row.fields)
        if asked is None or asked == digest(text, own):
            return text, True
        is_without = asked == template.digest(text)
        if self._text is None and not is_without:
            raise _other_prompt(asked)
        return text, not is_without

    def key(self, row: Row, task: str, text: str) -> str:
        """The same for all responses to one prompt; raises RowError if the prompt cannot be made."""
        shown = list(_read_shown(row).values())
        conversation = self._conversation(row, task)
        if conversation is None and task == "general" and "question" not in row.fields:
            conversation = self._own_messages(row)
        if conversation is not None:
            return f"{task}\0{orjson.dumps([conversation, *shown] if shown else conversation).decode()}"
        prompt, system = self._template(row, task, text)
        names = template.slots(prompt)
        missing = next((name for name in names if not isinstance(row.fields.get(name), (str, int, float))), None)
        if missing is not None:
            cure = f"which the prompt shows; add it, or name its --template{near_column(row.fields, missing)}"
            raise RowError("missing_field", f'no "{missing}", {cure}')
        parts = [task, *(str(row.fields[name]) for name in names)]
        parts += [system] if system is not None and self._system is None else []  # the row's own
        return "\0".join(parts + ([orjson.dumps(shown).decode()] if shown else []))

    def of_response(self, row: Row, task: str, text: str) -> Messages:
        """The prompt that the response of a row answers; raises RowError as `key` does."""
        conversation = self._conversation(row, task)
        if conversation is not None:
            return conversation
        if task == "general" and "question" not in row.fields:
            return self._own_messages(row)
        return TASKS[task].prompt(row.fields, *self._template(row, task, text))

    def answer(self, row: Row, task: str, text: str) -> Message:
        """The response of a row as the assistant's turn: its `text` with its calls of tools. Raises RowError."""
        if task == "general" and "question" not in row.fields and _ends_with_answer(row):
            return {**self._own_turns(row)[-1], "content": text}
        return answer_turn(row.fields, text)

    @staticmethod
    def last_turn(row: Row) -> Message | None:
        """The last of the `messages` of a row; None if it has none. Raises RowError."""
        said = row.fields.get("messages")
        return None if said is None else messages(said, "messages")[-1]

    @staticmethod
    def shown(row: Row) -> dict[str, Any]:
        """What the chat template was given besides the conversation, as the row has it. Raises RowError."""
        return {name: row.fields[name] for name in _read_shown(row)}

    def _conversation(self, row: Row, task: str) -> Messages | None:
        """The messages under `prompt` of a row that was asked with them; None for another row."""
        if self._text is not None or task not in ("reason", "general") or "messages" in row.fields:
            return None
        if not is_conversational(row.fields):
            return None
        asked, fields = _digest_in(row.fields.get("provenance")), row.fields
        for system in self._systems(row):
            if asked in (None, digest("", system)):
                if system is None:  # none but what "prompt" begins with
                    fields = {name: value for name, value in fields.items() if name not in OF_SYSTEM}
                return asked_messages(fields, self._system if system else system)
        return None

    def _template(self, row: Row, task: str, text: str) -> tuple[str, str | None]:
        """The template of a response and its system prompt; without provenance, as libra rollout asks such a model."""
        asked, systems = _digest_in(row.fields.get("provenance")), self._systems(row)
        if self._text is not None:
            likely = system_of(row.fields, self._system, self._text)
            return self._text, next((one for one in systems if asked == digest(self._text, one)), likely)
        if asked is None:
            thinks = thinking.split_any(text).thinking is not None
            name = reason.THINKING if thinks else reason.DIRECT
            return BARE if task == "general" else template.load(name), systems[0]
        for system in systems:
            if (prompt := _built_in(system).get(asked)) is not None:
                return prompt, system
        raise _other_prompt(asked)

    def _systems(self, row: Row) -> list[str | None]:
        """The system prompts that a row may have been asked with, the likeliest first.

        They are `--system`, or else the row's own, none (as libra once asked such rows) or one left out (--system "").
        """
        if self._system is not None:
            return [self._system]
        return list(dict.fromkeys((own_system_text(row.fields), None, "")))

    def _own_messages(self, row: Row) -> Messages:
        """The conversation of a `general` row before its answer; raises RowError."""
        talk, ends_with_answer = self._own_turns(row), _ends_with_answer(row)
        if ends_with_answer and talk[-1]["role"] != "assistant":
            raise RowError("missing_field", 'no "response", and the last of the "messages" is not the assistant\'s')
        return talk[:-1] if ends_with_answer else talk

    def _own_turns(self, row: Row) -> list[Message]:
        """All turns of a `general` row, behind its system prompt; raises RowError."""
        fields = row.fields
        if fields.get("messages") is not None:
            return behind_system_prompt(fields, messages(fields["messages"], "messages"), self._system)
        if not isinstance(fields.get("prompt"), str):
            raise RowError("bad_messages", 'no "messages" and no "prompt" with a text: add one of them')
        return behind_system_prompt(fields, turns(fields["prompt"], "prompt", "user"), self._system)


def _read_shown(row: Row) -> dict[str, Any]:
    """What `shown` returns, in one spelling: the same tools as an array or as its JSON are equal. Raises RowError."""
    read = zip(SHOWN, (judged_tools_of(row.fields), template_args_of(row.fields)), strict=True)
    return {name: value for name, value in read if value}


def _ends_with_answer(row: Row) -> bool:
    """Whether the answer of a conversation is its last turn."""
    return "response" not in row.fields and "response_with_cot" not in row.fields


def system_of(fields: Mapping[str, Any], given: str | None, text: str) -> str | None:
    """The system prompt that a row is asked with: `given` (--system), or else the row's own; None for none.

    A row's own is not sent beside a template `text` that shows it. Raises RowError.
    """
    if given is not None:
        return given
    return None if own_system(fields)[0] in template.slots(text) else own_system_text(fields)


@lru_cache(maxsize=256)
def _built_in(system: str | None) -> dict[str, str]:
    """The built-in templates of responses by what names them with a system prompt in `provenance`."""
    texts = [template.load(reason.THINKING), template.load(reason.DIRECT), BARE]
    return {digest(text, system): text for text in texts}


def digest(text: str, system: str | None) -> str:
    """What names a template with its system prompt in `provenance`; `text` is empty where the row asks itself."""
    return template.digest(text if system is None else f"{system}\0{text}")


def _digest_in(provenance: Any) -> str | None:
    """The digest of the template that a row was asked with; None if the row does not say."""
    asked = provenance.get("prompt_sha256") if isinstance(provenance, Mapping) else None
    return asked if isinstance(asked, str) else None


def _other_prompt(asked: str) -> RowError:
    cure = "name it: --template FILE (and --system TEXT, if there was one)"
    return RowError("other_prompt", f"the row was asked with another prompt than libra's own ({asked}); {cure}")
