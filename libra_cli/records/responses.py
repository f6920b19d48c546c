"""A row's response to a problem: in which fields it and its reference are, and how its thinking is cut."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from libra_cli.records.messages import asked_messages, judged_tools_of
from libra_cli.records.own_names import QUESTION, common_name, common_text
from libra_cli.records.transcripts import transcript
from libra_cli.stream.field_paths import MISSING, around, value_at
from libra_cli.stream.options import FIELD_HINTS
from libra_cli.stream.required_fields import require
from libra_cli.stream.rows import Row, RowError
from libra_cli.tasks import thinking
from libra_cli.tasks.task import NO_REASONS, GeneratedText, Record, is_known_end, quick_text

MAX_COPY_CHARS = 1 << 12
"""Longest reference and response, together, that `ResponseFields.texts` returns."""

BY_OPTION = {
    "reference": "name the field that holds the golden answer, --reference-field FIELD, or for all stages "
    "libra collect --map FIELD=reference",
    "response": "run libra rollout first, or name the field, --response-field FIELD, or for all stages "
    "libra collect --map FIELD=response",
}

Texts = tuple[str, str, str | None, str | None]
"""Reference, response with its thinking, question and finish reason of a row."""


def question_of(fields: Mapping[str, Any]) -> str | None:
    """The question of a row, whatever the row calls it, or its conversation as text; None if it has none."""
    for name in ("question", "problem", "prompt"):
        if name in fields and type(value := fields[name]) is str:
            return value
    other = common_name(fields, QUESTION)
    if other is not None:
        return common_text(fields, QUESTION, other)
    try:
        asked = asked_messages(fields)
    except RowError:
        return None
    return None if asked is None else transcript(asked)


def shown_question_of(fields: Mapping[str, Any]) -> str | None:
    """The same with the tools of the row before it, as judges are shown it. Raises RowError for what are no tools."""
    question, tools = question_of(fields), judged_tools_of(fields)
    return question if question is None else transcript([{"role": "user", "content": question}], tools)


def finish_reason_of(fields: Mapping[str, Any], path: str = "response") -> str | None:
    """Why the response of a row ended, as its writer says; None if it does not.

    It ended with its calls of tools, if it has some, since servers call that `stop`, too. Else the word stands in
    `finish_reason`, or Anthropic's `stop_reason`, of the row or of an object through which `path` leads to the
    response, as in the answers of servers. SGLang has it as `type` of an object. Raises RowError for what is no word.
    """
    calls = fields.get("tool_calls")
    if calls and isinstance(calls, list):
        return "tool_calls"
    for holder in around(fields, path) if "." in path else (fields,):
        said = holder.get("finish_reason")
        if said is None:
            said = holder.get("stop_reason")
            said = said if type(said) is str else None  # vLLM's may be the number of a token, beside a finish_reason
        if said is not None and type(said) is not str and isinstance(said, Mapping):
            said = said.get("type")
        if said is not None:
            if type(said) is not str:
                what = f'"finish_reason" is {json.dumps(said)[:40]}'
                raise RowError("wrong_type", f"{what}, no text; write a word such as stop or length, or leave it out")
            return None if said.lower() in NO_REASONS else said
    return None


class ResponseFields:
    """Reads the response and the reference of rows; the thinking is cut at `markers`.

    `hints` say what to do about a row that lacks one: `BY_OPTION` for a stage whose options name the fields.
    `finish_reasons` are other tools' words for why a response ended, and libra's for them.
    """

    def __init__(
        self,
        response: str,
        reference: str,
        markers: Sequence[tuple[str, str]],
        hints: Mapping[str, str] = FIELD_HINTS,
        finish_reasons: Mapping[str, str] | None = None,
    ):
        self._hints = hints
        self._meanings = {word.lower(): meaning for word, meaning in (finish_reasons or {}).items()}
        self._response, self._reference = response, reference
        self._paths = [name for name in (response, reference) if "." in name]
        self._cut = thinking.ThinkingCutter(markers)
        self.read_as: dict[str, str] = {}
        """Fields that rows lack -> those that were read in their place."""
        self.unknown_ends: Counter[str] = Counter()
        """Finish reasons of which nobody knows whether they mean a whole response, by `count_end`."""

    def texts(self, row: Row) -> Texts | None:
        """All that the label of a row depends on, as it stands; None if one is no text, or they are long."""
        fields = row.fields
        reference, response = fields.get(self._reference), fields.get(self._response)
        if type(reference) is not str or type(response) is not str or not reference.strip():
            return None
        question, finish_reason = question_of(fields), self._finish_reason(fields)
        length = len(response) + len(reference) + (0 if question is None else len(question))
        if length > MAX_COPY_CHARS:
            return None
        return reference, response, question, finish_reason

    def to_grade(self, row: Row, texts: Texts | None = None) -> tuple[GeneratedText, Record]:
        """The response and the record that it is graded by; `texts` are those of the row, if they are at hand.

        Raises RowError if the row has no response or no golden answer.
        """
        if texts is None:
            record = self.record(row)
            return self.text(row), record
        reference, response, question, finish_reason = texts
        text = quick_text((self._cut.response(response), None, finish_reason))
        return text, {"reference": reference} if question is None else {"reference": reference, "question": question}

    def record(self, row: Row) -> Record:
        """The golden answer as `reference`, and the `question` if the row has one, whatever the row calls them.

        Raises RowError if there is no golden answer.
        """
        row = self._with_parts(row)
        reference = self.reference(row)
        if type(reference) is not str or not reference.strip():
            name = self._reference
            if type(reference) is not bool:
                require(row, {name: (str, int, float)}, {name: self._hints["reference"]}, {name: "reference"})
            reference = str(reference)
        question = question_of(row.fields)
        return {"reference": reference} if question is None else {"reference": reference, "question": question}

    def reference(self, row: Row) -> Any:
        """The golden answer as the row has it; None if there is none."""
        row = self._with_parts(row)
        reference = row.fields.get(self._reference)
        return self._common_text(row, self._reference) if reference is None else reference

    def text(self, row: Row) -> GeneratedText:
        """The response as a generated text; raises RowError if the row has no such field."""
        return GeneratedText(self.response(row), None, self._finish_reason(row.fields))

    def response(self, row: Row) -> str | None:
        """The response after its thinking; None if it ends inside that, or is null. Raises RowError without a field."""
        row = self._with_parts(row)
        text = row.fields.get(self._response)
        if type(text) is not str:
            is_own = self._response == "response" and "response" not in row.fields
            name = "response_with_cot" if is_own else self._response
            if name not in row.fields and (text := self._common_text(row, self._response)) is not None:
                return self._cut.response(text)
            if name in row.fields and row.fields[name] is None:
                return None
            if type(row.fields.get(name)) in (int, float):  # as the reference may be
                return self._cut.response(str(row.fields[name]))
            wanted = name if name in row.fields else self._response
            require(row, {wanted: str}, {wanted: self._hints["response"]})
            text = str(row.fields[name])
        return self._cut.response(text)

    def count_end(self, row: Row) -> None:
        """Counts why the response of a row ended, if nobody knows what that means."""
        reason = self._finish_reason(row.fields)
        if reason is not None and not is_known_end(reason):
            self.unknown_ends[reason] += 1

    def _finish_reason(self, fields: Mapping[str, Any]) -> str | None:
        reason = finish_reason_of(fields, self._response)
        return reason if reason is None or not self._meanings else self._meanings.get(reason.lower(), reason)

    def _with_parts(self, row: Row) -> Row:
        """The row with the parts of its fields that the options name (`choices.0.text`) as fields of these names."""
        values = {name: value_at(row.fields, name) for name in self._paths if name not in row.fields}
        parts = {name: value for name, value in values.items() if value is not MISSING}
        if not parts:
            return row
        changed = Row({**row.fields, **parts}, row.raw, row.file, row.line)
        changed.added = row.added.union(parts)
        return changed

    def _common_text(self, row: Row, name: str) -> str | None:
        """The text in the field that stands for the field `name`, which the row lacks; notes it."""
        other = common_name(row.fields, name)
        if other is None:
            return None
        self.read_as[name] = other
        return common_text(row.fields, name, other)
