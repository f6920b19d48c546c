"""Answers that come as server-sent events: the pieces of one choice put together as they arrive.

The whole is the JSON that the server would have sent at once. Only what is read of an answer is kept, so that a long
stream takes no more memory than its text.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from libra_cli.engines.openai import content_parts
from libra_cli.engines.openai.content_parts import THINKING, MalformedAnswer
from libra_cli.engines.openai.reported_error import reported
from libra_cli.tasks.task import NO_REASONS, UNKNOWN_END

TYPE = "text/event-stream"
_FIELDS = (b"", b"event", b"id", b"retry")
"""Names of the lines of an event beside its data; a comment has none."""
_EACH = 8
"""Bytes that each piece takes beside its text."""


class EventStream:
    """Takes the bytes of a stream piece by piece; `content` is what they come to."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._fields: dict[str, Any] = {}
        self._texts: dict[str, list[str]] = {}
        self._calls: dict[int, dict[str, Any]] = {}
        """The calls of tools, by their numbers."""
        self._last_call = 0
        self._at: dict[int, int] = {}
        """The number of the last call of each `index`."""
        self._event = b""
        """The name of the event whose lines come."""
        self._reason: str | None = None
        self._ended = False
        self._kept = 0
        self._other: list[bytes] | None = []
        """Lines before the first event that are none of its lines; None after it."""

    @property
    def size(self) -> int:
        """Bytes and characters that are kept."""
        return self._kept + len(self._line)

    def add(self, piece: bytes) -> None:
        """Takes the next bytes."""
        *lines, rest = piece.split(b"\n")
        for line in lines:
            self._line += line
            self._read(bytes(self._line).strip())
            self._line.clear()
        self._line += rest

    def content(self) -> bytes:
        """The answer as JSON; none (b"") if the stream broke off."""
        with suppress(MalformedAnswer):  # where it broke off
            self._read(bytes(self._line).strip())
        if self._other and self._other[0].startswith(b"{"):  # an error as JSON, where a stream was announced
            return b"\n".join(self._other)
        if "error" in self._fields:
            return json.dumps(self._fields).encode()
        if not self._ended and self._reason is None:
            return b""
        message: dict[str, Any] = {name: "".join(texts) for name, texts in self._texts.items()}
        message |= {"tool_calls": [call for _, call in sorted(self._calls.items())]} if self._calls else {}
        reason = self._reason or UNKNOWN_END
        choices = [{"index": 0, "message": {"content": None, **message}, "finish_reason": reason}]
        return json.dumps({**self._fields, "choices": choices if message or self._reason else []}).encode()

    def _read(self, line: bytes) -> None:
        """Reads one line; raises MalformedAnswer if its data is no event."""
        field, colon, data = line.partition(b":")
        if not line or field == b"event":
            self._event = data.strip()
        if field != b"data" or not colon:
            if field not in _FIELDS and self._other is not None:
                self._other.append(line)
                self._kept += len(line) + _EACH
            return
        self._other = None
        if data.strip() == b"[DONE]":
            self._ended = True
            return
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            raise MalformedAnswer("an event of its stream is not a JSON object")
        if self._event == b"error":
            event = {"error": event.get("error") or event or "its stream reports an error"}
        elif error := reported(event):
            event = {**event, "error": error}
        self._fields |= {name: event[name] for name in ("model", "usage", "error") if event.get(name)}
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict) or choice.get("index", 0) != 0:
            return
        reason = choice.get("finish_reason")
        is_none = reason is None or (isinstance(reason, str) and reason.lower() in NO_REASONS)
        self._reason = self._reason if is_none else reason
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return
        text, thinking = content_parts.read(delta.get("content"))
        self._keep("content", text)
        self._keep(THINKING[0], thinking)
        for name in THINKING:
            self._keep(name, delta.get(name) if isinstance(delta.get(name), str) else None)

        pieces = delta.get("tool_calls") or []
        if not isinstance(pieces, list):
            raise MalformedAnswer("the calls of tools in its stream are not an array")
        for piece in pieces:
            self._add_call(piece)

    def _add_call(self, piece: Any) -> None:
        """Adds a piece of a call of a tool: the first has its name, the arguments come in pieces or as an object."""
        function = None if not isinstance(piece, dict) else {} if piece.get("function") is None else piece["function"]
        if not isinstance(function, dict):
            raise MalformedAnswer("a call of a tool in its stream is not an object")
        number = self._number(piece, function)
        call = self._calls.setdefault(number, {"type": "function", "function": {"name": "", "arguments": ""}})
        self._last_call = number
        if piece.get("id"):
            call.setdefault("id", piece["id"])
        name, arguments = function.get("name"), function.get("arguments")
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments)
        if not isinstance(arguments, (str, type(None))):
            raise MalformedAnswer("the arguments of a call of a tool in its stream are neither text nor an object")
        if isinstance(name, str) and not call["function"]["name"]:  # some servers repeat it with each piece
            call["function"]["name"] = name
            self._kept += len(name) + _EACH
        if arguments is not None:
            call["function"]["arguments"] += arguments
            self._kept += len(arguments) + _EACH

    def _number(self, piece: dict[str, Any], function: dict[str, Any]) -> int:
        """The number of the call of a piece: by its `index`, unless another `id` there begins another call."""
        index, id = piece.get("index"), piece.get("id")
        if index is not None and type(index) is not int:
            raise MalformedAnswer("the index of a call of a tool in its stream is not an integer")
        current = self._at.get(index) if index is not None else self._last_call if self._calls else None
        following = max(self._calls, default=-1) + 1
        if current is None:
            number = following if index is None or index in self._calls else index
        elif not id or self._calls[current].get("id") == id:
            number = current
        else:
            own = next((known for known, call in self._calls.items() if call.get("id") == id), None)
            begins = following if index is None or self._begins_another(current, function) else current
            number = begins if own is None else own
        if index is not None:
            self._at[index] = number
        return number

    def _begins_another(self, number: int, function: dict[str, Any]) -> bool:
        """Whether a piece with another id than call `number` begins another call; some servers draw one per piece."""
        name, call = function.get("name"), self._calls[number]
        if not isinstance(name, str) or not name or "id" not in call:
            return False
        if name != call["function"]["name"]:
            return True
        try:
            json.loads(call["function"]["arguments"])
        except (ValueError, RecursionError):
            return False
        return True

    def _keep(self, name: str, text: str | None) -> None:
        if text is not None:
            self._texts.setdefault(name, []).append(text)
            self._kept += len(text) + _EACH
