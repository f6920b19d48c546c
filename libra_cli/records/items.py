"""Items of rows: what a judge is shown of a row, its own responses or a probe in their place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from libra_cli.records.forms import QUESTIONS, JudgeItem, form_of, item_of
from libra_cli.records.messages import OF_SYSTEM, SHOWN, Message
from libra_cli.records.own_names import QUESTION, REFERENCE, RESPONSE, OwnNames
from libra_cli.records.own_verdicts import OwnVerdicts
from libra_cli.records.probes import Probe
from libra_cli.stream import rows
from libra_cli.stream.common_names import respelled
from libra_cli.stream.rows import Row, RowError
from libra_cli.tasks import rank, thinking
from libra_cli.tasks.labels import LABEL

_OF_THE_QUESTION = (*QUESTIONS, "reference", *OF_SYSTEM, *SHOWN)
"""Fields of a row that an item with another response keeps."""


def item_of_row(fields: Mapping[str, Any]) -> JudgeItem:
    """The item of a row, its responses without the thinking; raises RowError if there is nothing to judge.

    A response that ends inside its thinking becomes an empty one. A `response` next to its `response_with_cot` has been
    cut already and stays as it is.
    """
    try:
        response = _only_response(fields)
        if response is not None:
            return item_of(fields, response)
        item = item_of(fields)
    except ValueError as error:
        raise RowError("no_item", str(error)) from None
    return replace(item, responses=tuple(map(shown_response, item.responses)))


def shown_response(text: str) -> str:
    """What a judge is shown of a response: the text after its thinking; nothing if it ends inside that."""
    return thinking.after_thinking(text) or ""


def shown_turn(turn: Message) -> Message:
    """The assistant's turn that a reward model is given of a response: its text after the thinking, and its calls."""
    calls = {"tool_calls": turn["tool_calls"]} if turn.get("tool_calls") else {}
    return {"role": "assistant", "content": shown_response(turn["content"]), **calls}


def written_item(fields: Mapping[str, Any]) -> JudgeItem:
    """The item of a row, its responses as they were written, thinking included; raises RowError as item_of_row."""
    whole = fields.get("response_with_cot")
    try:
        return item_of(fields, whole if isinstance(whole, str) else None)
    except ValueError as error:
        raise RowError("no_item", str(error)) from None


def has_question(fields: Mapping[str, Any]) -> bool:
    """Whether the question of a row is where `item_of_row` looks for it."""
    return any(map(fields.get, QUESTIONS))


class ResponseNames:
    """Adds to single responses what they have under other names, and the question to pairs and lists, as OwnNames does.

    The forms of benchmarks have names of their own. Of single responses, the `verdicts` become numbers, too.
    """

    def __init__(
        self,
        note: Callable[..., None],
        has_question: Callable[[Mapping[str, Any]], bool] = has_question,
        verdicts: Collection[str] = (LABEL,),
    ):
        self._verdicts = OwnVerdicts(verdicts, note)
        self._names = OwnNames([QUESTION, REFERENCE, RESPONSE], note, has_question)
        self._question = OwnNames([QUESTION], note, has_question)

    def __call__(self, row: Row) -> Row:
        """The row with the fields that it lacks; the same row if it lacks none, or is no single response."""
        form = form_of(row.fields)
        if form is None and (new := respelled(row.fields)) and form_of({**row.fields, **new}) in ("pair", "list"):
            row, form = rows.extended(row, new), "pair"
        if form in ("pair", "list"):
            return self._question(row)
        if form not in (None, "response"):
            return row
        return self._verdicts(row if "messages" in row.fields else self._names(row))


def check_preference(fields: Mapping[str, Any]) -> None:
    """Raises RowError (`bad_preference`) if a row has a preference that nothing can read."""
    if (reason := rank.why_no_preference(fields)) is not None:
        raise RowError("bad_preference", reason)


def _only_response(fields: Mapping[str, Any]) -> str | None:
    """The only response of a row after its thinking; None if it has no such field, or no text in it."""
    written = [fields[name] for name in ("response", "response_with_cot") if name in fields]
    text = next((value for value in written if value is not None), "")
    if not written or not isinstance(text, str):
        return None
    if fields.get("response") is None:
        return thinking.split_any(text).response or ""
    return text if "response_with_cot" in fields else shown_response(text)


OTHER_RESPONSES = (
    "response_a", "response_b", "response_A", "response_B", "response_1", "response_2", "responses", "chosen",
    "rejected", "reject", "bon_best", "loser_list", "preference", "best",
)  # fmt: skip
"""Fields that a probe replaces: other responses of a row, and the labels on them."""


def probed(fields: Mapping[str, Any], probe: Probe) -> dict[str, Any]:
    """The fields of a row that change when `probe` replaces its response, which is wrong whatever the problem."""
    whole = {"response_with_cot": probe.text} if "response_with_cot" in fields else {}
    return {"probe": probe.name, "response": probe.text, **whole, "label": 0}


def answered_item(fields: Mapping[str, Any], **response: str | None) -> JudgeItem:
    """The question of a row, whatever its form, with only the response in `response` and `response_with_cot`."""
    kept = {name: fields[name] for name in _OF_THE_QUESTION if name in fields}
    return item_of_row({**kept, **response})


def probe_item(fields: Mapping[str, Any], probe: Probe) -> JudgeItem:
    """The question of a row, whatever its form, with `probe` as its only response."""
    return answered_item(fields, response=probe.text)
