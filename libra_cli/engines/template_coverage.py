"""What a chat template leaves out without a word: found by rendering words that nothing else writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from libra_cli.engines.base import Messages, RequestError

_SHAPES = 1 << 12
"""Shapes of conversations that are remembered."""
_WHOLE = 64
"""Turns of a conversation that are all rendered: a template may write the first or the last ones only."""
_REPEATS = 3
"""Repetitions of a turn, or of a pair of turns, that stand for any number of them in a longer one."""
_OWN = ("messages", "tools", "add_generation_prompt")
"""Variables of a template that are not for users to set."""

_ARGUMENT = "libraargument"

Shape = tuple[Any, ...]


class WritesMessages(Protocol):
    """A chat template."""

    def apply(
        self, messages: Any, add_generation_prompt: bool, tools: Sequence[Any] | None, args: Mapping[str, Any] | None
    ) -> str:
        """The text of a conversation; raises RequestError."""

    def reads(self, variable: str) -> bool:
        """Whether the template has a variable of this name."""


class Calls(NamedTuple):
    """How a template takes calls of tools."""

    as_text: bool = False
    """The arguments as JSON text, which the template joins to its own, not as an object."""
    no_content: bool = False
    """The content of a turn that only calls is null, by which the template knows such a turn."""


_SPELLINGS = (Calls(), Calls(as_text=True), Calls(no_content=True), Calls(as_text=True, no_content=True))


class TemplateCoverage:
    """Whether a chat template writes all of a conversation, and how it takes calls of tools; threads may share one.

    A conversation of the same shape (roles, what a turn has besides its text, number of tools) whose texts are words of
    our own is rendered, once for each shape. A word that is not in what the template writes was left out.
    """

    def __init__(self, template: WritesMessages):
        self._template = template
        self._known: dict[Shape, Calls | RequestError] = {}

    def fitted(
        self, messages: Messages, tools: Sequence[Any] | None = None, args: Mapping[str, Any] | None = None
    ) -> Messages:
        """The messages with calls of tools as the template takes them.

        Raises RequestError that names the first part of a conversation that the template leaves out.
        """
        turns = [_shape_of(message) for message in messages]
        shape = (*turns, len(tools or ()), str(sorted(args.items())) if args else "")
        found = self._known.get(shape)
        if found is None:
            kept = range(len(turns)) if len(turns) <= _WHOLE else _without_repeats(turns)
            found = self._examined([messages[at] for at in kept], kept, tools, args or {})
            if len(self._known) == _SHAPES:
                self._known.clear()
            self._known[shape] = found
        if isinstance(found, RequestError):
            raise RequestError(found.kind, str(found))
        return messages if found == Calls() else [spelled(message, found) for message in messages]

    def _examined(
        self, messages: Messages, places: Sequence[int], tools: Sequence[Any] | None, args: Mapping[str, Any]
    ) -> Calls | RequestError:
        for name in args:
            if name in _OWN or not self._template.reads(name):
                cure = "leave it out, or use a template that has it"
                what = f'the chat template has no variable "{name}" to set'
                return RequestError("unknown_template_arg", f"{what}; {cure}")
        probes, words = _probes(messages)
        probe_tools, names = _tool_probes(tools)
        first: RequestError | None = None
        for calls in _SPELLINGS if any(message.get("tool_calls") for message in messages) else _SPELLINGS[:1]:
            told = [spelled(probe, calls) for probe in probes]
            try:
                text = self._template.apply(told, False, probe_tools, args)
                bare = "" if names or not tools else self._template.apply(told, False, None, args)
            except RequestError:
                continue  # if it refuses all: it is asked for the conversation itself next, and says why
            written = text.lower()  # a template may write headings, or all of it, in capitals
            if (tools and bare == text) or any(name not in written for name in names):
                cure = "leave them out, or use a --chat-template that has them"
                return RequestError("template_drops_tools", f"the chat template leaves out the tools; {cure}")
            dropped = next(((at, what) for at, what, word in words if word not in written), None)
            # Python's spelling of an object or of a null, where the template wants a text
            if dropped is None and f"'{_ARGUMENT}'" not in written and not (calls.no_content and "None" in text):
                return calls
            if dropped is not None and first is None:
                first = _refusal(places[dropped[0]], messages[dropped[0]]["role"], dropped[1])
        return first or Calls()


def _refusal(place: int, role: str, what: str) -> RequestError:
    if what == "calls":
        cure = "write them into its content, or use a --chat-template that has them"
        return RequestError(
            "template_drops_calls", f"the chat template leaves out the calls of tools in turn {place + 1}; {cure}"
        )
    cure = "put its text into a turn that it writes, leave it out, or use another --chat-template"
    return RequestError("template_drops_turn", f"the chat template leaves out turn {place + 1}, the {role}'s; {cure}")


def _shape_of(message: Mapping[str, Any]) -> Shape:
    calls = tuple("function" in call for call in message.get("tool_calls") or ())
    keys = tuple(message) if len(message) > 2 else ()
    return message["role"], bool(message["content"].strip()), calls, keys


def _without_repeats(turns: Sequence[Shape]) -> list[int]:
    """The places of turns without those that repeat what stands before them more than _REPEATS times."""
    kept: list[int] = []
    for at in range(len(turns)):
        kept.append(at)
        for size in (1, 2):
            tail = [turns[place] for place in kept[-size * (_REPEATS + 1) :]]
            if len(tail) == size * (_REPEATS + 1) and tail == tail[:size] * (_REPEATS + 1):
                # Drops the repetition before the last, so that the last turns stay the last.
                del kept[-2 * size : -size]
                break
    return kept


def _probes(messages: Sequence[Mapping[str, Any]]) -> tuple[list[Any], list[tuple[int, str, str]]]:
    """The messages with words for texts, and each word with the place and the part of the message that it is."""
    probes, words = [], []
    for at, message in enumerate(messages):
        probe: dict[str, Any] = dict(message)
        if message["content"].strip():
            probe["content"] = _word("text", at)
            words.append((at, "text", probe["content"]))
        if message.get("tool_calls"):
            calls = []
            for number, call in enumerate(message["tool_calls"]):
                name, value = _word("call", at, number), _word("value", at, number)
                words += [(at, "calls", name), (at, "calls", value)]
                calls.append(_probe_call(call, name, value))
            probe["tool_calls"] = calls
        probes.append(probe)
    return probes, words


def _probe_call(call: Mapping[str, Any], name: str, value: str) -> dict[str, Any]:
    if isinstance(call.get("function"), Mapping):
        return {**call, "function": _probe_call(call["function"], name, value)}
    return {**call, "name": name, "arguments": {_ARGUMENT: value}}


def spelled(message: Mapping[str, Any], how: Calls) -> Any:
    """A message whose calls of tools are spelled so; one without calls is itself."""
    if not message.get("tool_calls"):
        return message
    calls = [_with_text(call) for call in message["tool_calls"]] if how.as_text else message["tool_calls"]
    is_bare = how.no_content and not message["content"].strip()
    return {**message, "tool_calls": calls, "content": None if is_bare else message["content"]}


def _with_text(call: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(call.get("function"), Mapping):
        return {**call, "function": _with_text(call["function"])}
    return {**call, "arguments": json.dumps(call.get("arguments", {}), ensure_ascii=False)}


def _tool_probes(tools: Sequence[Any] | None) -> tuple[list[Any] | None, list[str]]:
    """The tools with words for names, and those words; none if the tools are not named as functions are."""
    if not tools:
        return None, []
    probes, words = [], []
    for number, tool in enumerate(tools):
        function = tool.get("function")
        if isinstance(function, Mapping) and "name" in function:
            words.append(_word("tool", number))
            tool = {**tool, "function": {**function, "name": words[-1]}}
        probes.append(tool)
    return probes, words


def _word(what: str, *places: int) -> str:
    """A word of small letters that is part of no other one."""
    letters = ["".join(chr(ord("a") + int(digit)) for digit in str(place)) for place in places]
    return f"libra{what}x{'x'.join(letters)}z"
