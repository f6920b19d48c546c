"""Rows with the names that everybody uses get those of libra, by the table in `stream.common_names`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from libra_cli.stream import rows
from libra_cli.stream.common_names import (
    COMMON_NAMES,
    CONTEXT_MESSAGES,
    QUESTION,
    REFERENCE,
    RESPONSE,
    asks_with_messages,
    common_name,
    common_question,
    common_value,
    marks_its_answer,
)
from libra_cli.stream.rows import Row

Fields = Mapping[str, Any]
Has = Callable[[Fields], bool]

_RESPONSES = ("response", "response_with_cot")
"""Fields in which null says that a response ends inside its thinking."""


def common_text(fields: Fields, name: str, other: str) -> str:
    """The text in the field `other`, which stands for the field `name`.

    Of a worked solution that stands for the reference, its final answer; an instruction with its input.
    """
    text = str(common_value(fields, other))
    if name == QUESTION:
        return common_question(fields, other)
    return of_solution(text) if name == REFERENCE else text


def of_solution(text: str) -> str:
    """The final answer of a reference that is a worked solution; any other as it is."""
    if not marks_its_answer(text):
        return text
    from libra_cli.answers.extraction.extract import final_answer
    from libra_cli.answers.time_limit import limited

    return limited(None, final_answer, text) or text


def in_words(taken: Mapping[str, str]) -> str:
    """What is read from which fields of rows, for people; `taken` maps libra's fields to theirs, at least one."""
    *first, last = (f'"{other}" as the {name}' for name, other in taken.items())
    return "rows are read with " + (f"{', '.join(first)} and {last}" if first else last)


class OwnNames:
    """Adds the fields `names` to rows that have them under names that everybody uses.

    A row keeps all that it has and its id, and gets the others as new keys, at the end of its bytes. `note` is told
    once of each field what it is taken for. `has_question` says which rows have a question in another form. OpenRLHF's
    `context_messages` become the `prompt` of a row that asks with nothing else.
    """

    def __init__(self, names: Sequence[str], note: Callable[..., None], has_question: Has | None = None):
        self._names, self._note, self._has_question = tuple(names), note, has_question or asks_with_messages
        self._said: set[tuple[str, str]] = set()

    def __call__(self, row: Row) -> Row:
        """The row with the fields that it lacks; the same row if it lacks none."""
        fields = row.fields
        for name in self._names:
            if type(fields.get(name)) is not str:
                break
        else:
            return row
        new: dict[str, Any] = {}
        context = fields.get(CONTEXT_MESSAGES)
        if context and isinstance(context, list) and not (fields.get(QUESTION) or fields.get("prompt")):
            new = {"prompt": context}
            fields = {**fields, **new}
            self._note_once({"prompt": CONTEXT_MESSAGES})
        new |= {name: common_text(fields, name, other) for name, other in self._taken(fields).items()}
        return rows.extended(row, new) if new else row

    def renamed(self, fields: Fields) -> dict[str, Any]:
        """The fields of a row with those of libra in place of the others; what differs from them (`\\boxed`) stays."""
        new = {}
        taken = self._taken(fields)
        for name, other in taken.items():
            text = common_text(fields, name, other)
            value = common_value(fields, other)
            new[name] = value if name == REFERENCE and type(value) is not str else text
            new |= {} if text == str(value) or name == QUESTION or other not in fields else {other: value}
        gone = taken.values()
        return {**new, **{name: value for name, value in fields.items() if name not in gone and name not in new}}

    def _taken(self, fields: Fields) -> dict[str, str]:
        """Field of libra -> the field of the row that stands for it; notes what is new."""
        taken = {}
        for name in self._names:
            if fields.get(name) is None and not (name == RESPONSE and not fields.keys().isdisjoint(_RESPONSES)):
                other = common_name(fields, name)
                if other is not None and not (name == QUESTION and self._has_question(fields)):
                    taken[name] = other
        self._note_once(taken)
        return taken

    def _note_once(self, taken: Mapping[str, str]) -> None:
        if new := taken.items() - self._said:
            self._said |= new
            self._note(in_words({name: other for name, other in taken.items() if (name, other) in new}), event="form")


def asks_itself(fields: Fields) -> bool:
    """Whether a row asks with messages, or with text under `prompt` that is no problem: nothing says what is right."""
    if asks_with_messages(fields) or fields.get("task") == "general":
        return True
    return "prompt" in fields and fields.keys().isdisjoint(("label", REFERENCE, *COMMON_NAMES[REFERENCE]))
