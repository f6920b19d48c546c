"""The conversation that a sample answers, made again as the model was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from libra_cli.records.messages import (
    SHOWN,
    Message,
    answer_turn,
    asked_messages,
    behind_own_system,
    is_conversational,
    judged_tools_of,
    messages,
    template_args_of,
    turns,
)
from libra_cli.stream.rows import Row, RowError
from libra_cli.tasks import JUDGING, TASKS, JudgeTask, Messages, reason, template, thinking
from libra_cli.tasks.general import BARE
from libra_cli.tasks.task import with_system


class Prompts:
    """Makes prompts from the built-in template that the hash in `provenance` names, or from the user's own.

    A response of task `reason` or `general` is looked up among all built-in templates: either may have been asked with
    its bare question.
    """

    def __init__(self, text: str | None = None, system: str | None = None):
        self._text, self._system = text, system
        built_in = [template.load(reason.THINKING), template.load(reason.DIRECT), BARE]
        self._by_digest = {digest(one, system): one for one in built_in}
        self._of_conversations = digest("", system)
        self._judging = {name: template.load(task.template) for name, task in JUDGING.items()}
        self._digests = {name: template.digest(one) for name, one in self._judging.items()}

    def judging(self, row: Row, task: JudgeTask) -> str:
        """The template of a judged row; raises RowError (`other_prompt`) if it was not the built-in one."""
        if self._text is not None:
            return self._text
        asked = _digest_in(row.fields.get("judge_provenance"))
        if asked is not None and asked != self._digests[task.name]:
            raise _other_prompt(asked)
        return self._judging[task.name]

    def key(self, row: Row, task: str, text: str) -> str:
        """The same for all responses to one prompt; raises RowError if the prompt cannot be made."""
        shown = list(_read_shown(row).values())
        conversation = self._conversation(row, task)
        if conversation is None and task == "general" and "question" not in row.fields:
            conversation = self._own_messages(row)
        if conversation is not None:
            return f"{task}\0{orjson.dumps([conversation, *shown] if shown else conversation).decode()}"
        names = template.slots(self._template(row, task, text))
        missing = next((name for name in names if not isinstance(row.fields.get(name), (str, int, float))), None)
        if missing is not None:
            raise RowError("missing_field", f'no "{missing}", which the prompt shows; add it, or name its --template')
        parts = [task, *(str(row.fields[name]) for name in names)]
        return "\0".join(parts + ([orjson.dumps(shown).decode()] if shown else []))

    def of_response(self, row: Row, task: str, text: str) -> Messages:
        """The prompt that the response of a row answers; raises RowError as `key` does."""
        conversation = self._conversation(row, task)
        if conversation is not None:
            return conversation
        if task == "general" and "question" not in row.fields:
            return self._own_messages(row)
        return TASKS[task].prompt(row.fields, self._template(row, task, text), self._system)

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
        asked = _digest_in(row.fields.get("provenance"))
        if asked not in (None, self._of_conversations) or not is_conversational(row.fields):
            return None
        return asked_messages(row.fields, self._system)

    def _template(self, row: Row, task: str, text: str) -> str:
        """The template of a response; without provenance, the one that libra rollout asks such a model with."""
        if self._text is not None:
            return self._text
        asked = _digest_in(row.fields.get("provenance"))
        if asked is None:
            thinks = thinking.split_any(text).thinking is not None
            return BARE if task == "general" else template.load(reason.THINKING if thinks else reason.DIRECT)
        if asked not in self._by_digest:
            raise _other_prompt(asked)
        return self._by_digest[asked]

    def _own_messages(self, row: Row) -> Messages:
        """The conversation of a `general` row before its answer; raises RowError."""
        talk, ends_with_answer = self._own_turns(row), _ends_with_answer(row)
        if ends_with_answer and talk[-1]["role"] != "assistant":
            raise RowError("missing_field", 'no "response", and the last of the "messages" is not the assistant\'s')
        return with_system(self._system, talk[:-1] if ends_with_answer else talk)

    @staticmethod
    def _own_turns(row: Row) -> list[Message]:
        """All turns of a `general` row, behind its `system`; raises RowError."""
        fields = row.fields
        if fields.get("messages") is not None:
            return behind_own_system(fields, messages(fields["messages"], "messages"))
        if not isinstance(fields.get("prompt"), str):
            raise RowError("bad_messages", 'no "messages" and no "prompt" with a text: add one of them')
        return behind_own_system(fields, turns(fields["prompt"], "prompt", "user"))


def _read_shown(row: Row) -> dict[str, Any]:
    """What `shown` returns, in one spelling: the same tools as an array or as its JSON are equal. Raises RowError."""
    read = zip(SHOWN, (judged_tools_of(row.fields), template_args_of(row.fields)), strict=True)
    return {name: value for name, value in read if value}


def _ends_with_answer(row: Row) -> bool:
    """Whether the answer of a conversation is its last turn."""
    return "response" not in row.fields and "response_with_cot" not in row.fields


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
