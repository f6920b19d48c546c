"""Messages in any of the common spellings as one: roles and texts, calls of tools, what is not to be learned."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from libra_cli.stream import rows
from libra_cli.stream.json_errors import HALF_A_PAIR
from libra_cli.stream.rows import RowError
from libra_cli.tasks.control_tokens import SPLIT_MARK
from libra_cli.tasks.task import with_system
from libra_cli.tasks.thinking import MARKERS

Message = dict[str, Any]

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
SHAREGPT = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "chatgpt": "assistant",
    "model": "assistant", "function_call": "assistant", "system": "system", "tool": "tool", "observation": "tool",
    "function_response": "tool",
}  # fmt: skip
"""ShareGPT's speakers (`from`), and LLaMA-Factory's names for the same, as roles."""
WEIGHT = "weight"
"""The key of a message that says whether its turn is learned (1) or not (0), as in OpenAI's files for fine-tuning."""
SHOWN = ("tools", "chat_template_kwargs")
"""Fields of a row that the chat template is given besides the messages."""
OF_SYSTEM = ("system", "system_prompt")
"""Fields of a row that hold its system prompt; the first that is not empty counts."""
_LOSS = ("loss", "train", "training")
"""Other keys of a message that say so with true or false (AgentInstruct and ms-swift, axolotl)."""

FORMS = (
    'give "messages", "prompt" and "completion", "conversations", "instruction" and "output", "question" and "answer", '
    'or "text" (libra collect --map renames a field)'
)
_CALL = 'write {"name": ..., "arguments": {...}}'


def turns(value: Any, field: str, role: str) -> list[Message]:
    """A text as one turn of `role`, or one message or several as such. Raises RowError."""
    if isinstance(value, str):
        return [_checked({"role": role, "content": value}, f'"{field}"')]
    return messages([value] if isinstance(value, Mapping) else value, field)


def messages(value: Any, field: str, *, learned: bool = True) -> list[Message]:
    """An array of messages, with `role` and `content`, or with `from` and `value` (ShareGPT). Raises RowError.

    What is read only to be judged (not `learned`) may have other roles, and loses what says which turns are learned.
    """
    if not isinstance(value, list) or not value:
        raise RowError("bad_message", f'"{field}" is not an array of messages; {FORMS}')
    return [_message(item, f'"{field}"[{at}]', learned) for at, item in enumerate(value)]


def is_conversational(fields: Mapping[str, Any]) -> bool:
    """Whether a row without a `question` asks with a whole conversation, messages under `prompt`."""
    return fields.get("question") is None and isinstance(fields.get("prompt"), list)


def asked_messages(fields: Mapping[str, Any], system: str | None = None) -> list[Message] | None:
    """The conversation of a conversational row, behind its system prompt if there is one; None for another row.

    `system` takes the place of the row's own; the empty text leaves that out. Raises RowError.
    """
    if not is_conversational(fields):
        return None
    if not fields["prompt"]:
        raise RowError("bad_message", '"prompt" is an empty array; give messages, or a "question"')
    talk = messages(fields["prompt"], "prompt")
    if talk[-1]["role"] == "assistant":
        raise RowError(
            "last_not_asked", 'the "prompt" ends with the assistant\'s turn; end it with what is to be answered'
        )
    return behind_system_prompt(fields, talk, system)


def begins_with_system(talk: Any) -> bool:
    """Whether the first of several messages is a system prompt, by either of its names."""
    first = talk[0] if isinstance(talk, list) and talk else None
    return isinstance(first, Mapping) and first.get("role", first.get("from")) in ("system", "developer")


def own_system(fields: Mapping[str, Any]) -> tuple[str, Any]:
    """The field that holds the system prompt of a row, and what it holds; None for nothing."""
    name = next((name for name in OF_SYSTEM if fields.get(name) not in (None, "")), "system")
    return name, fields.get(name) or None


def behind_own_system(fields: Mapping[str, Any], talk: list[Message]) -> list[Message]:
    """The turns behind the `system` of the row, if it has one that is not their first turn. Raises RowError."""
    system = own_system_text(fields)
    if system is None or not talk:
        return talk
    if talk[0]["role"] == "system":
        if talk[0]["content"] != system:
            what = f'"{own_system(fields)[0]}" differs from the first turn, which is the system\'s too'
            raise RowError("two_systems", f"{what}; keep one")
        return talk
    return [{"role": "system", "content": system}, *talk]


def behind_system_prompt(fields: Mapping[str, Any], talk: list[Message], given: str | None) -> list[Message]:
    """The turns behind their system prompt: the row's own, or `given` in its place (the empty text: none).

    Raises RowError.
    """
    if given is None:
        return behind_own_system(fields, talk)
    return with_system(given, talk[1:] if begins_with_system(talk) else talk)


def own_system_text(fields: Mapping[str, Any]) -> str | None:
    """The text of the system prompt in the `system` of a row; None without one. Raises RowError."""
    name, system = own_system(fields)
    if system is None:
        return None
    talk = turns(system, name, "system") if isinstance(system, (str, Mapping, list)) else []
    if [turn["role"] for turn in talk] != ["system"]:
        cure = "write the system prompt as one string, or leave the field out"
        raise RowError("bad_message", f'"{name}" is {_short(system)}, no text; {cure}')
    return str(talk[0]["content"])


def answer_turn(fields: Mapping[str, Any], text: str) -> Message:
    """A response as the assistant's turn, with the calls of tools in the `tool_calls` of the row. Raises RowError."""
    turn = {"role": "assistant", "content": text}
    return _checked({**turn, "tool_calls": fields["tool_calls"]}, "the row") if fields.get("tool_calls") else turn


def template_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a row gives the chat template besides its messages, as fields of a Request. Raises RowError."""
    return {"tools": tools_of(fields), "template_args": template_args_of(fields)}


def checked_text(value: Any, field: str) -> str:
    """A text that a tokenizer can keep as it is, and that is not empty. Raises RowError."""
    if not isinstance(value, str) or not value:
        raise RowError("content_not_text", f'"{field}" is not a non-empty string; leave the row out')
    _check_text(value, f'"{field}"')
    return value


def tools_of(fields: Mapping[str, Any]) -> list[Any] | None:
    """The row's `tools`, for the chat template: an array, or its JSON in a string as `datasets` keeps it.

    A bare function (LLaMA-Factory) becomes a tool of type `function`. Raises RowError.
    """
    tools = _parsed(fields.get("tools"), '"tools"', "bad_tools", "give an array of objects")
    if tools is not None and not (isinstance(tools, list) and all(isinstance(tool, dict) for tool in tools)):
        raise RowError("bad_tools", '"tools" is not an array of objects; write each tool as its JSON schema')
    return [_tool(_given(tool)) for tool in tools] if tools else None


def judged_tools_of(fields: Mapping[str, Any]) -> list[Any] | None:
    """The same of a row that is judged or learned from; None if the column holds texts or numbers (`["python"]`).

    Such a column means something else. Raises RowError as `tools_of` does where there are objects in it.
    """
    tools = fields.get("tools")
    if isinstance(tools, str):
        with suppress(ValueError):
            tools = json.loads(tools)
    if isinstance(tools, str):
        return tools_of(fields) if tools.lstrip().startswith(("[", "{")) else None
    found = tools if isinstance(tools, list) else [tools]
    return tools_of(fields) if any(isinstance(tool, dict) for tool in found) else None


def template_args_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The row's `chat_template_kwargs`: variables of the chat template, an object or its JSON. Raises RowError."""
    name = "chat_template_kwargs"
    given = _parsed(fields.get(name), f'"{name}"', "bad_template_args", "give an object")
    if given is not None and not isinstance(given, dict):
        raise RowError("bad_template_args", f'"{name}" is not an object; write {{"enable_thinking": false}}')
    return _given(given) if given else {}


def _given(value: Mapping[str, Any]) -> dict[str, Any]:
    """An object without its null keys, which are as absent; what its values hold is left alone.

    A null argument of a call, or a null in a schema, is a value: only tables pad these (see `stream.tables`).
    """
    return {name: item for name, item in value.items() if item is not None}


def of_their_functions(calls: Sequence[Any], tools: Sequence[Any]) -> list[Any]:
    """Calls without null arguments that their functions do not take, by the schemas of `tools`.

    Lines that were a table before (`datasets` writes such) give each call the arguments of all functions.
    """
    known = {}
    for tool in tools:
        function = tool.get("function")
        schema = function.get("parameters") if isinstance(function, dict) else None
        if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
            known[function["name"] if isinstance(function.get("name"), str) else None] = schema["properties"]
    kept = []
    for call in calls:
        named = call["function"] if isinstance(call.get("function"), dict) else call
        arguments, taken = named.get("arguments"), known.get(named["name"])
        if taken is not None and isinstance(arguments, dict) and None in arguments.values():
            arguments = {key: one for key, one in arguments.items() if one is not None or key in taken}
            named = {**named, "arguments": arguments}
        kept.append({**call, "function": named} if "function" in call else named)
    return kept


def _parsed(value: Any, what: str, kind: str, cure: str) -> Any:
    """A value, or what its text says as JSON; an empty text is None. Raises RowError of `kind`."""
    if not isinstance(value, str):
        return value
    try:
        return rows.parse_value(value) if value.strip() else None
    except RowError as error:
        if error.kind == "bad_json" and "NaN" not in error.reason:
            raise RowError(kind, f"{what} is a string that is not JSON; {cure}") from None
        raise RowError(kind, f"{what} is a string of JSON, in which {error.reason}") from None


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    is_bare = "name" in tool and "function" not in tool and tool.get("type", "function") == "function"
    if not is_bare:
        inner = tool.get("function")
        return {**tool, "function": _given(inner)} if isinstance(inner, dict) else tool
    return {"type": "function", "function": {name: value for name, value in tool.items() if name != "type"}}


def _message(item: Any, where: str, learned: bool) -> Message:
    if isinstance(item, dict):
        if not all(type(value) is str for value in item.values()):
            item = _given(item)
        if "role" not in item and "from" in item:
            item = _from_sharegpt(item, where, learned)
    return _checked(item, where, learned)


def _from_sharegpt(item: Message, where: str, learned: bool) -> Message:
    speaker, text = item["from"], item.get("value", "")
    role = SHAREGPT.get(speaker, None if learned else speaker) if isinstance(speaker, str) else None
    if role is None:
        _refuse_role(f"{where} is from {_short(speaker)}", tuple(SHAREGPT))
    rest = {name: value for name, value in item.items() if name not in ("from", "value")}
    if speaker == "function_call":
        thought, calls = _calls_in(text, where)
        return {**rest, "role": role, "content": thought, "tool_calls": calls}
    return {**rest, "role": role, "content": text}


def _calls_in(text: Any, where: str) -> tuple[str, list[Any]]:
    """The thinking and the calls of a turn whose text is a call as JSON, or an array of them. Raises RowError."""
    thought = ""
    if isinstance(text, str):
        for opening, closing in MARKERS.values():
            if text.lstrip().startswith(opening) and closing in text:
                before, mark, text = text.partition(closing)
                thought = before + mark
                break
    calls = _parsed(text, where, "bad_tool_call", _CALL)
    calls = calls if isinstance(calls, list) else [calls]
    if not calls or not all(isinstance(call, dict) and isinstance(call.get("name"), str) for call in calls):
        raise RowError("bad_tool_call", f"{where} is a function_call without the name of a function; {_CALL}")
    return thought, [{"type": "function", "function": call} for call in calls]


def _checked(message: Any, where: str, learned: bool = True) -> Message:
    if not isinstance(message, dict) or "role" not in message:
        raise RowError("bad_message", f'{where} is not an object with "role" and "content"; write it as one')
    role = message["role"]
    if role not in ROLES and (learned or not isinstance(role, str)):
        _refuse_role(f"{where} has the role {_short(role)}", ROLES)
    if isinstance(message.get("function_call"), dict):  # OpenAI's older spelling
        call = {"type": "function", "function": message["function_call"]}
        rest = {name: value for name, value in message.items() if name != "function_call"}
        message = {**rest, "tool_calls": [call, *rest.get("tool_calls", ())]}
    if message.get("tool_calls"):
        message = {**message, "tool_calls": _calls(message["tool_calls"], where)}
    elif "tool_calls" in message:  # templates and servers ask whether there is the key
        message = {name: value for name, value in message.items() if name != "tool_calls"}
    content = message.get("content")
    if isinstance(content, list):
        content = _joined(content, where)
    elif content is None and role == "assistant" and message.get("tool_calls"):
        content = ""
    if not isinstance(content, str):
        raise RowError("content_not_text", f"{where}: the content is not text; join its parts into one string")
    _check_text(content, where)
    if not learned:
        return {**{name: one for name, one in message.items() if name not in (WEIGHT, *_LOSS)}, "content": content}
    said = next((name for name in _LOSS if message.get(name) is not None), None)
    if said is not None:
        if message[said] not in (0, 1):  # true and false among them
            what = f'{where}: "{said}" is {_short(message[said])}'
            raise RowError("bad_weight", f"{what}; it says with true or false whether the turn is learned")
        rest = {name: value for name, value in message.items() if name not in _LOSS}
        message = {WEIGHT: int(message[said]), **rest}
    if WEIGHT in message:
        _check_weight(message, where)
    return message if content is message.get("content") else {**message, "content": content}


def _joined(parts: Sequence[Any], where: str) -> str:
    """The text of a content in parts."""
    texts = [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None for part in parts]
    if not texts or not all(isinstance(text, str) for text in texts):
        what = f"{where}: a part of the content is no text"
        raise RowError("content_not_text", f"{what}; leave out what a language model cannot read, or the row")
    return "".join(texts)  # type: ignore[arg-type]


def _calls(calls: Any, where: str) -> list[Any]:
    """Calls of tools whose arguments are objects, which templates expect; servers give them as JSON in a string."""
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise RowError("bad_tool_call", f'{where}: "tool_calls" is not an array of objects; {_CALL}')
    decoded = []
    for call in map(_given, calls):
        inner = call.get("function")
        named = _given(inner) if isinstance(inner, dict) else call
        if not isinstance(named.get("name"), str):
            raise RowError("bad_tool_call", f"{where}: a call does not name its function; {_CALL}")
        if isinstance(named.get("arguments", ""), str):
            cure = "write them as an object"
            arguments = _parsed(named.get("arguments"), f'{where}: "arguments"', "bad_tool_call", cure)
            if not isinstance(arguments, (dict, type(None))):
                raise RowError("bad_tool_call", f"{where}: the arguments of a call are no object; {cure}")
            named = {**named, "arguments": arguments or {}}
        decoded.append({**call, "function": named} if isinstance(inner, dict) else named)
    return decoded


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
        what = f"{where}: character {error.start + 1} is half of a pair"
        raise RowError("lone_surrogate", f"{what}; {HALF_A_PAIR}") from None


def _check_weight(message: Message, where: str) -> None:
    weight = message[WEIGHT]
    if weight not in (0, 1) or (weight and message["role"] != "assistant"):
        what = f'{where}: "{WEIGHT}" is {_short(weight)}'
        cure = "an assistant's turn may have 0 (not learned) or 1, any other turn has none"
        raise RowError("bad_weight", f"{what}; {cure}")
