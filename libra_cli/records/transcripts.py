"""Conversations as text, for judges and people: who says what, which tools there are, and their calls."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

HUMAN, ASSISTANT = "\n\nHuman:", "\n\nAssistant:"
"""Speakers in the transcripts of HH-RLHF and Nectar."""
_SPEAKERS = re.compile(f"({HUMAN}|{ASSISTANT})")


def turns_of_transcript(text: str) -> list[dict[str, Any]]:
    """The turns of a transcript that begins with the human; none of any other text."""
    if not text.startswith(HUMAN):
        return []
    parts = _SPEAKERS.split(text)[1:]
    roles = ("user" if speaker == HUMAN else "assistant" for speaker in parts[::2])
    return [{"role": role, "content": said.strip()} for role, said in zip(roles, parts[1::2], strict=True)]


def asked_in_transcript(text: str) -> list[dict[str, Any]]:
    """The turns of a transcript that asks: without a last "Assistant:" behind which the response follows."""
    said = turns_of_transcript(text)
    return said if said and said[-1]["content"] else said[:-1]


def talks_of_transcripts(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`chosen` and `rejected` of a row as messages, if both are transcripts; nothing for any other row."""
    sides = {name: fields.get(name) for name in ("chosen", "rejected")}
    talks = {name: turns_of_transcript(side) for name, side in sides.items() if isinstance(side, str)}
    return talks if len(talks) == 2 and all(talks.values()) else {}


def stand_in(asked: Sequence[Mapping[str, Any]], talk: Sequence[Mapping[str, Any]]) -> bool:
    """Whether turns stand in a conversation one after another, whatever blanks are around them."""
    said, wanted = ([(turn["role"], turn["content"].strip()) for turn in turns] for turns in (talk, asked))
    return any(said[at : at + len(wanted)] == wanted for at in range(len(said)))


def repeats_prompt(fields: Mapping[str, Any]) -> bool:
    """Whether `chosen` and `rejected` are plain texts that begin with the `prompt`, which ends with a colon."""
    prompt, sides = fields.get("prompt"), [fields.get("chosen"), fields.get("rejected")]
    if not isinstance(prompt, str) or not prompt.endswith(":"):
        return False
    return all(isinstance(side, str) and side.startswith(prompt) and side != prompt for side in sides)


def without_prompt(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose `chosen` and `rejected` repeat its `prompt`, with the responses alone."""
    return {**fields, **{side: fields[side].removeprefix(fields["prompt"]) for side in ("chosen", "rejected")}}


def transcript(messages: Sequence[Mapping[str, Any]], tools: Sequence[Any] | None = None) -> str:
    """What a response answers, as text: the only message as it is, several with their speakers named.

    `tools` stand before them, one a line, each as the JSON of its function.
    """
    if len(messages) == 1:
        passages = [with_calls(messages[0]["content"], messages[0].get("tool_calls"))]
    else:
        passages = [f"{_speaker(message)}: {spoken(message)}" for message in messages]
    if tools:
        described = "\n".join(_json(tool.get("function", tool)) for tool in tools)
        passages.insert(0, f"Tools that the assistant may call:\n{described}")
    return "\n\n".join(passages)


def spoken(message: Mapping[str, Any]) -> str:
    """The text of a message, and below it a line for each call of a tool."""
    return with_calls(message["content"].strip(), message.get("tool_calls"))


def with_calls(text: str, calls: Sequence[Mapping[str, Any]] | None) -> str:
    """A text with a line below it for each call of a tool."""
    lines = [text] if text else []
    for call in calls or ():
        function = call.get("function", call)
        lines.append(f"Tool call: {function['name']}({_json(function.get('arguments') or {})})")
    return "\n".join(lines)


def _speaker(message: Mapping[str, Any]) -> str:
    speaker, name = str(message["role"]).capitalize(), message.get("name")
    return f"{speaker} ({name})" if isinstance(name, str) and name else speaker


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
