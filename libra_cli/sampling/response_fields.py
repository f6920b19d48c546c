"""The fields of a row that hold a completion."""

from __future__ import annotations

from typing import Any

from libra_cli.engines.base import Completion
from libra_cli.tasks import thinking
from libra_cli.tasks.task import is_cut_short


def response_fields(completion: Completion, markers: str, thinks: bool = True) -> dict[str, Any]:
    """Splits a completion into its response and its thinking.

    `response` is null if the text ends inside the thinking. A server does not show the prompt that it made, so a text
    without any marker may be thinking or response: one that was cut at its limit counts as thinking if the model
    `thinks`. `markers`: as --thinking-markers names them.
    """
    opening, closing = thinking.markers(markers)
    text, opened = completion.text, completion.opened_thinking
    response = thinking.split(text, (opening, closing), bool(opened)).response
    if opened is None and thinks and is_cut_short(completion.finish_reason) and closing not in text:
        response = None
    if opened and not text.lstrip().startswith(opening):
        text = f"{opening}\n{text}"  # as the model saw it, so that the text alone can be split again
    calls = {"tool_calls": list(completion.tool_calls)} if completion.tool_calls else {}
    return {
        "response": response,
        "response_with_cot": text,
        "finish_reason": completion.finish_reason,
        "n_tokens": completion.n_tokens,
        **calls,
    }
