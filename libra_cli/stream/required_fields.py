"""Refuses a row that lacks a field which the stage reads, and says which fields it has and how to add the one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from libra_cli.stream.common_names import QUESTION, REFERENCE, empty_field
from libra_cli.stream.rows import Row, RowError
from libra_cli.stream.wrong_rows import is_unanswered, near_column, other_case, part_hint, type_name, wrong_row

_KIND_NAMES = {
    str: "a string",
    int: "an integer",
    float: "a number",
    list: "a list",
    dict: "an object",
    bool: "a bool",
}
_SHOWN_NAMES, _NAME_CHARS = 12, 40
_WRAPPERS = ("data", "rows", "examples", "instances", "items", "records", "samples", "results", "questions", "problems")
"""Keys under which an object of a whole file has its rows."""
_ADD = "add it, or rename a field with libra collect --map"
NEEDED = {name: name for name in (QUESTION, REFERENCE, "model", "subset")}
"""Fields in which null says nothing: what is null there is missing."""


def columns(fields: Mapping[str, Any], added: Collection[str] = ()) -> str:
    """The names of the fields that a row has, for the message that one is missing; the first of many or long ones.

    Those that were `added` are none of them.
    """
    fields = {name: value for name, value in fields.items() if value is not None and name not in added}
    if not fields:
        return "the row is empty"
    wrapper = next((name for name in _WRAPPERS if _holds_rows(fields.get(name))), None)
    within = f", and rows in {wrapper}, which jq -c '.{wrapper}[]' FILE writes" if wrapper else ""
    names = [name if len(name) <= _NAME_CHARS else f"{name[: _NAME_CHARS - 3]}..." for name in fields]
    return f"the row has {', '.join(names[:_SHOWN_NAMES])}{', ...' if len(names) > _SHOWN_NAMES else ''}{within}"


def _holds_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def no_value(field: str, name: str, without: str = "") -> RowError:
    """The error of a row in which the `field` that holds its `name` (question, reference) is empty."""
    needed = f'"{field}" is empty' + (f', and holds the "{name}" of the row' if field != name else "")
    return RowError("missing_field", f"{needed}: fill it in{without}, or leave the row out")


def require(row: Row, reads: Mapping[str, Any], hints: Mapping[str, str], holds: Mapping[str, str] = NEEDED) -> None:
    """Raises RowError if a field that the stage reads is missing or of another type; `hints` say how to add it.

    Only a field whose types include that of None may be null. `holds`: what the fields hold that may not be empty.
    """
    for name, kinds in reads.items():
        value = row.fields.get(name)
        if value is None and not (name in row.fields and isinstance(None, kinds)):
            if name == "label" and is_unanswered(row.fields):
                name = "response"
            wrong = wrong_row(row.fields)
            empty = None if wrong or name not in holds else empty_field(row.fields, name)
            if empty is not None:
                raise no_value(empty, holds[name])
            hint = wrong or other_case(row.fields, name)
            hint = hint or f"{hints.get(name, _ADD)}{near_column(row.fields, name)}"
            there_are = f" ({columns(row.fields, row.added)})" if "--map" in hint else ""
            raise RowError("missing_field", f'no "{name}"{there_are}: {hint}', cause=f"{name}: {hint}")
        if holds.get(name) in (QUESTION, REFERENCE) and type(value) is str and not value.strip():
            raise no_value(name, holds[name])
        if not isinstance(value, kinds) or (type(value) is bool and kinds is not bool):
            accepted = kinds if isinstance(kinds, tuple) else (kinds,)
            wanted = " or ".join(_KIND_NAMES.get(kind, "null") for kind in accepted)
            hint = part_hint(name, value) if str in accepted else ""
            raise RowError("wrong_type", f'"{name}" is {type_name(value)}, not {wanted}{hint}')
