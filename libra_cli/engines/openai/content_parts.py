"""The content of a message: text, or a list of parts with text and thinking."""

from __future__ import annotations

from typing import Any

THINKING = ("reasoning_content", "reasoning")
"""Fields of a message beside its content in which servers put the thinking."""
_OF_THINKING = ("thinking", "reasoning")


class MalformedAnswer(ValueError):
    """An answer that is not of the documented form; the message says what is wrong with it, in no words of its own."""


def read(content: Any) -> tuple[str | None, str | None]:
    """The text and the thinking in a content; None for either if there is none. Raises MalformedAnswer."""
    if content is None or isinstance(content, str):
        return content, None
    if not isinstance(content, list):
        raise MalformedAnswer("its content is not text")
    texts: list[str] = []
    thoughts: list[str] = []
    for part in content:
        if isinstance(part, dict) and part.get("type") == "refusal":
            continue
        if isinstance(part, dict) and part.get("type") in _OF_THINKING:
            thoughts += _thoughts_of(part)
        else:
            texts.append(_text_of(part))
    return "".join(texts) if texts else None, "".join(thoughts) or None


def refusal_in(message: dict[str, Any]) -> str | None:
    """What a model says instead of an answer that it refuses, beside the content or as a part of it; None if nothing.

    Source: the `refusal` of messages in OpenAI's chat completions.
    """
    parts = message["content"] if isinstance(message.get("content"), list) else []
    found = [message.get("refusal"), *(part.get("refusal") for part in parts if isinstance(part, dict))]
    return next((one for one in found if isinstance(one, str) and one.strip()), None)


def _thoughts_of(part: dict[str, Any]) -> list[str]:
    """The texts of a part of thinking, whose own content may be a list of parts once more."""
    value = next((part[name] for name in ("text", *_OF_THINKING) if part.get(name) is not None), None)
    return [_text_of(one) for one in value] if isinstance(value, list) else [_text_of({"text": value})]


def _text_of(part: Any) -> str:
    text = part.get("text") if isinstance(part, dict) else part
    if not isinstance(text, str):
        raise MalformedAnswer("a part of its content is not text")
    return text
