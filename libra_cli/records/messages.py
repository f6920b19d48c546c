"""Reads a training row in any of the common forms as one conversation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from libra_cli.stream.rows import RowError
from libra_cli.tasks.control_tokens import SPLIT_MARK

Message = dict[str, Any]

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
SHAREGPT = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "chatgpt": "assistant",
    "model": "assistant", "system": "system", "tool": "tool", "observation": "tool", "function_response": "tool",
}  # fmt: skip
"""ShareGPT's speakers (`from`), and LLaMA-Factory's names for the same, as roles."""

_FORMS = 'give "messages", "prompt" and "completion", "conversations" or "text" (libra collect --map renames a field)'
_PAIR_FORMS = 'give "prompt", "chosen" and "rejected" (libra dpo-pairs writes them)'
_LABELLED_FORMS = 'give "prompt", "completion" and "label" (libra dpo-pairs --unpaired writes them)'


def plain_text(fields: Mapping[str, Any]) -> str | None:
    """The `text` of a row without a conversation, all of which is a target; None for a row with one."""
    if any(fields.get(name) is not None for name in ("messages", "prompt", "completion", "conversations")):
        return None
    text = fields.get("text")
    if text is None:
        return None
    if not isinstance(text, str) or not text:
        raise RowError("content_not_text", '"text" is not a non-empty string; leave the row out')
    _check_text(text, '"text"')
    return text


def messages_of(fields: Mapping[str, Any]) -> list[Message]:
    """The conversation of a row, which ends with a turn of the assistant.

    Reads `messages`; or `prompt` and `completion`, each a text or messages (TRL's two forms; a text is one turn); or
    `conversations`, with `from` and `value` (ShareGPT) or as messages. Raises RowError.
    """
    if fields.get("messages") is not None:
        messages = _messages(fields["messages"], "messages")
    elif fields.get("completion") is not None:
        prompt = _turns(fields.get("prompt"), "prompt", "user")
        messages = prompt + _turns(fields["completion"], "completion", "assistant")
    elif fields.get("conversations") is not None:
        messages = [
            _from_sharegpt(item, at) for at, item in enumerate(_array(fields["conversations"], "conversations"))
        ]
    elif fields.get("prompt") is not None:
        raise RowError("no_conversation", 'a "prompt" without a "completion"; add what is to be learned')
    else:
        raise RowError("no_conversation", f"nothing to learn from; {_FORMS}")
    _check_turns(messages)
    return messages


def tools_of(fields: Mapping[str, Any]) -> list[Any] | None:
    """The row's `tools`, for the chat template: an array, or its JSON in a string as `datasets` keeps it."""
    tools = fields.get("tools")
    if isinstance(tools, str):
        try:
            tools = json.loads(tools) if tools.strip() else None
        except json.JSONDecodeError:
            raise RowError("bad_tools", '"tools" is a string that is not JSON; give an array of objects') from None
    if tools is not None and not (isinstance(tools, list) and all(isinstance(tool, dict) for tool in tools)):
        raise RowError("bad_tools", '"tools" is not an array of objects; write each tool as its JSON schema')
    return tools or None


def _turns(value: Any, field: str, role: str) -> list[Message]:
    if isinstance(value, str):
        return [_checked({"role": role, "content": value}, f'"{field}"')]
    return _messages(value, field)


def _messages(value: Any, field: str) -> list[Message]:
    return [_checked(item, f'"{field}"[{at}]') for at, item in enumerate(_array(value, field))]


def _array(value: Any, field: str) -> Sequence[Any]:
    if not isinstance(value, list) or not value:
        raise RowError("bad_message", f'"{field}" is not an array of messages; {_FORMS}')
    return value


def _from_sharegpt(item: Any, at: int) -> Message:
    where = f'"conversations"[{at}]'
    if isinstance(item, dict) and "from" in item and "value" in item:
        speaker = SHAREGPT.get(item["from"]) if isinstance(item["from"], str) else None
        if speaker is None:
            _refuse_role(f"{where} is from {_short(item['from'])}", tuple(SHAREGPT))
        rest = {name: value for name, value in item.items() if name not in ("from", "value")}
        item = {**rest, "role": speaker, "content": item["value"]}
    return _checked(item, where)


def _checked(message: Any, where: str) -> Message:
    if not isinstance(message, dict) or "role" not in message:
        raise RowError("bad_message", f'{where} is not an object with "role" and "content"; write it as one')
    if message["role"] not in ROLES:
        _refuse_role(f"{where} has the role {_short(message['role'])}", ROLES)
    content = message.get("content")
    if content is None and message["role"] == "assistant" and message.get("tool_calls"):
        return {**message, "content": ""}
    if not isinstance(content, str):
        raise RowError("content_not_text", f"{where}: the content is not text; join its parts into one string")
    _check_text(content, where)
    return message


def _refuse_role(what: str, known: Sequence[str]) -> NoReturn:
    raise RowError("unknown_role", f"{what}; use one of {', '.join(known)}")


def _short(value: Any) -> str:
    return json.dumps(value)[:40]


def _check_text(text: str, where: str) -> None:
    """Raises RowError for text that no tokenizer can keep as it is."""
    if SPLIT_MARK in text:
        raise RowError("noncharacter", f"{where} holds U+FDD0, which is no character; leave it out")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        cure = "write the whole character, or U+FFFD"
        raise RowError("lone_surrogate", f"{where}: character {error.start + 1} is half of a pair; {cure}") from None


def _check_turns(messages: Sequence[Message]) -> None:
    """Raises RowError unless the last turn is an answer of the assistant to something."""
    roles = [message["role"] for message in messages]
    if "assistant" not in roles:
        raise RowError("no_assistant", "no turn is the assistant's, so nothing is to be learned; add its answer")
    if roles[-1] != "assistant":
        raise RowError("last_not_assistant", f"the last turn is the {roles[-1]}'s; end with the assistant's, or cut it")
    if roles[0] == "assistant" and len(roles) == 1:
        raise RowError("no_prompt", 'nothing stands before the answer; add a prompt, or give the text as "text"')
    for message in messages:
        if message["role"] == "assistant" and not (message["content"].strip() or message.get("tool_calls")):
            raise RowError("empty_assistant", "an assistant's turn is empty; leave it out, or the whole row")


class Preference(NamedTuple):
    """A prompt and two responses to it, each as messages."""

    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]


class LabelledResponse(NamedTuple):
    """A prompt and a response to it, each as messages, and whether the response is a desirable one."""

    prompt: list[Message]
    completion: list[Message]
    is_desirable: bool


def is_pair(fields: Mapping[str, Any]) -> bool:
    """Whether the row is a preference pair, if it is anything to learn preferences from."""
    return fields.get("chosen") is not None or fields.get("rejected") is not None


def preference_of(fields: Mapping[str, Any]) -> Preference:
    """The pair of a row in one of TRL's forms. Raises RowError.

    `prompt`, `chosen` and `rejected`, each a text or messages (a text is one turn); or `chosen` and `rejected` alone,
    as messages: the prompt is what both begin with.
    """
    for name in ("chosen", "rejected"):
        if fields.get(name) is None:
            raise RowError("no_pair", f'there is no "{name}"; {_PAIR_FORMS}')
    chosen, rejected = (_turns(fields[name], name, "assistant") for name in ("chosen", "rejected"))
    if chosen == rejected:
        raise RowError("same_responses", '"chosen" and "rejected" are the same; leave the row out')
    prompt = fields.get("prompt")
    if prompt is not None and (isinstance(prompt, list) or chosen[0]["role"] == "assistant"):
        pair = Preference(_turns(prompt, "prompt", "user"), chosen, rejected)
    else:
        if isinstance(fields["chosen"], str) or isinstance(fields["rejected"], str):
            cure = 'give it as "prompt", and only the responses as "chosen" and "rejected"'
            raise RowError("no_prompt", f'"chosen" and "rejected" are texts without a prompt; {cure}')
        n = next((at for at, both in enumerate(zip(chosen, rejected, strict=False)) if both[0] != both[1]), None)
        n = min(len(chosen), len(rejected)) if n is None else n
        pair = Preference(chosen[:n], chosen[n:], rejected[n:])
    for response, name in ((pair.chosen, "chosen"), (pair.rejected, "rejected")):
        if not response:
            raise RowError("no_response", f'"{name}" ends where the other goes on; give both a last turn of their own')
        _check_response(pair.prompt, response)
    return pair


def labelled_response_of(fields: Mapping[str, Any]) -> LabelledResponse:
    """The response of a row with `prompt`, `completion` and `label` (true or false, 1 or 0). Raises RowError."""
    for name in ("prompt", "completion"):
        if fields.get(name) is None:
            raise RowError(f"no_{name}", f'there is no "{name}"; {_LABELLED_FORMS}')
    label = fields.get("label")
    if not isinstance(label, (bool, int)) or label not in (0, 1):
        raise RowError("no_label", f'"label" is not true or false; {_LABELLED_FORMS}')
    prompt = _turns(fields["prompt"], "prompt", "user")
    completion = _turns(fields["completion"], "completion", "assistant")
    _check_response(prompt, completion)
    return LabelledResponse(prompt, completion, bool(label))


def _check_response(prompt: Sequence[Message], response: Sequence[Message]) -> None:
    """Raises RowError unless `response` ends with a turn of the assistant, and says something."""
    if not prompt:
        raise RowError("no_prompt", 'nothing stands before the response; add a "prompt"')
    _check_turns([*prompt, *response])
