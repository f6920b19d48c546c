"""Rows of another stage than the one whose rows are wanted: what they are, and the command that takes them further."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PAIR = (("response_a", "response_b"), ("chosen", "rejected"))
_ANSWERED = ("response", "response_with_cot", "responses")
_ASKED = ("question", "problem", "prompt", "instruction", "query")


def wrong_row(fields: Mapping[str, Any]) -> str | None:
    """What a row is, and the command for it, where no field could be added to it; None for any other row.

    That is an event of training, a conversation to learn, a pair of responses, or a problem that nobody has answered.
    """
    if {"event", "step"} <= fields.keys():
        return "it is an event of a training run: libra report shows the run's folder"
    if all(isinstance(fields.get(name), (str, list)) for name in _PAIR[1]):
        return "it is a preference pair: libra dpo and libra train-rm learn from it, libra judge compares its responses"
    if all(name in fields for name in _PAIR[0]):
        return "it is a pair of responses: libra judge compares them"
    turns = fields.get("messages")
    last = turns[-1] if isinstance(turns, list) and turns else None
    is_answered = isinstance(last, dict) and last.get("role") == "assistant"
    if is_answered and not any(name in fields for name in (*_ANSWERED, "question")):
        return "it is a conversation: libra sft learns it"
    return None


def is_unanswered(fields: Mapping[str, Any]) -> bool:
    """Whether a row is a problem without a response."""
    asks = any(fields.get(name) is not None for name in _ASKED)
    return asks and not any(fields.get(name) is not None for name in (*_ANSWERED, *_PAIR[0], *_PAIR[1], "label"))
