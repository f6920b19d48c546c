"""What a judge is shown of a row: its own responses, or a probe in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from libra_cli.records.forms import JudgeItem, item_of
from libra_cli.records.probes import Probe
from libra_cli.stream.rows import RowError
from libra_cli.tasks import thinking

_ASKED = ("question", "prompt", "problem", "conversation_input", "reference")
"""Fields of a row that a response is about."""


def item_of_row(fields: Mapping[str, Any]) -> JudgeItem:
    """The item of a row, its responses without the thinking; raises RowError where there is nothing to judge.

    A response that was cut inside its thinking is an empty one. A `response` beside its `response_with_cot` was cut
    before and stays as it is.
    """
    try:
        said = _response(fields)
        if said is not None:
            return item_of(fields, said)
        item = item_of(fields)
    except ValueError as error:
        raise RowError("no_item", str(error)) from None
    return replace(item, responses=tuple(thinking.after_thinking(text) or "" for text in item.responses))


def _response(fields: Mapping[str, Any]) -> str | None:
    """The only response of a row; None where it has no such field, or no text in it."""
    written = [fields[name] for name in ("response", "response_with_cot") if name in fields]
    text = next((value for value in written if value is not None), "")
    if not written or not isinstance(text, str):
        return None
    if fields.get("response") is None:
        return thinking.split_any(text).response or ""
    return text if "response_with_cot" in fields else thinking.after_thinking(text) or ""


OTHER_RESPONSES = (
    "response_a", "response_b", "response_A", "response_B", "response_1", "response_2", "responses", "chosen",
    "rejected", "reject", "bon_best", "loser_list", "preference", "best",
)  # fmt: skip
"""Fields of a row that a probe takes the place of, and what was known of them."""


def probed(fields: Mapping[str, Any], probe: Probe) -> dict[str, Any]:
    """The fields that change where `probe` takes the place of a row's response: it is wrong, whatever the problem."""
    whole = {"response_with_cot": probe.text} if "response_with_cot" in fields else {}
    return {"probe": probe.name, "response": probe.text, **whole, "label": 0}


def probe_item(fields: Mapping[str, Any], probe: Probe) -> JudgeItem:
    """The question of a row, whatever its form, with `probe` as its only response."""
    asked = {name: fields[name] for name in _ASKED if name in fields}
    return item_of_row({**asked, "response": probe.text})
