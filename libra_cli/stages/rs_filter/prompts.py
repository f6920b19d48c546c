"""The conversation that a sample answers, made again as it was when the model was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from libra_cli.stream.rows import Row, RowError
from libra_cli.tasks import TASKS, JudgeTask, Messages, reason, template, thinking

BARE = "{{question}}"
"""The template of a problem that is asked as it stands."""


class Prompts:
    """The built-in templates, or the user's in their place. Which one was used is told by the hash in `provenance`."""

    def __init__(self, text: str | None = None, system: str | None = None):
        self._text, self._system = text, system
        own = [template.load("reason-thinking"), template.load("reason-direct"), BARE]
        self._asked = {self._digest(one): one for one in own}
        self._judging = {name: template.load(name) for name in ("score", "rank", "verify", "rate", "best")}
        self._digests = {name: template.digest(one) for name, one in self._judging.items()}

    def judging(self, row: Row, task: JudgeTask) -> str:
        """The template of a judged row; raises RowError (`other_prompt`) where it was another than the built-in one."""
        if self._text is not None:
            return self._text
        asked = _asked_with(row.fields.get("judge_provenance"))
        if asked is not None and asked != self._digests[task.name]:
            raise _other_prompt(asked)
        return self._judging[task.name]

    def key(self, row: Row, task: str, text: str) -> str:
        """What is the same for all responses to one prompt; raises RowError where the prompt cannot be made."""
        if task == "general" and "question" not in row.fields:
            return f"{task}\0{orjson.dumps(self._own_messages(row)).decode()}"
        prompt = self._template(row, task, text)
        names = template.slots(prompt)
        missing = next((name for name in names if not isinstance(row.fields.get(name), (str, int, float))), None)
        if missing is not None:
            raise RowError("missing_field", f'no "{missing}", which the prompt shows; add it, or name its --template')
        return "\0".join([task, *(str(row.fields[name]) for name in names)])

    def of_response(self, row: Row, task: str, text: str) -> Messages:
        """What the response of a row was asked for; raises RowError as `key` does."""
        if task == "general" and "question" not in row.fields:
            return self._own_messages(row)
        return reason.prompt(row.fields, text=self._template(row, task, text), system=self._system)

    def _template(self, row: Row, task: str, text: str) -> str:
        if self._text is not None:
            return self._text
        asked = _asked_with(row.fields.get("provenance"))
        if asked is None:  # nobody has written it down: as libra rollout would ask a model that answers so
            thinks = thinking.split_any(text).thinking is not None
            return BARE if task == "general" else template.load("reason-thinking" if thinks else "reason-direct")
        if asked not in self._asked:
            raise _other_prompt(asked)
        return self._asked[asked]

    def _digest(self, text: str) -> str:
        return template.digest(text if self._system is None else f"{self._system}\0{text}")

    def _own_messages(self, row: Row) -> Messages:
        """The conversation of a `general` row before its answer, as roles and texts."""
        try:
            messages = TASKS["general"].prompt(row.fields)
            spoken = [{"role": message["role"], "content": message["content"]} for message in messages]
        except (KeyError, TypeError):
            spoken = []
        if not spoken or not all(isinstance(value, str) for message in spoken for value in message.values()):
            raise RowError(
                "bad_messages", 'no "messages" with a role and a text each, and no "prompt": add one of them'
            )
        answered = "response" not in row.fields and "response_with_cot" not in row.fields
        if answered and spoken[-1]["role"] != "assistant":
            raise RowError("missing_field", 'no "response", and the last of the "messages" is not the assistant\'s')
        system = [{"role": "system", "content": self._system}] if self._system else []
        return [*system, *(spoken[:-1] if answered else spoken)]


def _asked_with(provenance: Any) -> str | None:
    digest = provenance.get("prompt_sha256") if isinstance(provenance, Mapping) else None
    return digest if isinstance(digest, str) else None


def _other_prompt(digest: str) -> RowError:
    cure = "name it: --template FILE (and --system TEXT, if there was one)"
    return RowError("other_prompt", f"the row was asked with another prompt than libra's own ({digest}); {cure}")
