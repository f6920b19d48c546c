"""One form for every problem: `id index question reference subset`, then the other fields of the row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.records.own_names import of_solution
from libra_cli.stream import field_paths, required_fields, rows
from libra_cli.stream.common_names import REFERENCE, empty_field
from libra_cli.stream.rows import RowError
from libra_cli.stream.text_columns import OWN_TEXTS, TEXTS, as_text
from libra_cli.stream.wrong_rows import near_column, published

Fields = dict[str, Any]

LEADING = ("id", "index", "question", "reference", "subset")
PAIR = ("response_a", "response_b", "preference")
_RENAME = "libra collect --map FIELD="


@dataclass(frozen=True)
class Rename:
    """A new name for a field; `source` may lead into objects and lists (`prompt.0.content`)."""

    source: str
    target: str


def parse_renames(texts: Iterable[str]) -> list[Rename]:
    """Reads texts `FROM=TO`; raises ValueError naming what is wrong."""
    renames = []
    for text in texts:
        source, sign, target = text.rpartition("=")
        if not (sign and source and target):
            raise ValueError(f"{text!r} is not FROM=TO (problem=question)")
        renames.append(Rename(source, target))
    targets = [rename.target for rename in renames]
    repeated = [target for target in set(targets) if targets.count(target) > 1]
    if repeated:
        raise ValueError(f"two fields are to be {repeated[0]!r}; map one of them")
    return renames


def parse_settings(texts: Iterable[str]) -> Fields:
    """Reads texts `FIELD=VALUE`, each value as JSON or else as text; raises ValueError."""
    settings: Fields = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not (sign and name):
            raise ValueError(f"{text!r} is not FIELD=VALUE (subset=AIME)")
        try:
            settings[name] = rows.parse(b'{"value":%b}' % value.encode())["value"]
        except RowError:
            settings[name] = value
    return settings


def rename(fields: Fields, renames: Sequence[Rename]) -> Fields:
    """Renames the fields that the row has, in place, and returns `fields`; raises RowError (`field_exists`).

    All values are those of the row as it came, so that a field and a part of it may both get names. A number that
    becomes a text (a response that is 4) is the text of it.
    """
    values = [field_paths.value_at(fields, one.source) for one in renames]
    for one in sorted(renames, key=lambda one: one.source.count(".")):
        field_paths.take(fields, one.source)  # a whole field first: what is inside it goes with it
    for one, value in zip(renames, values, strict=True):
        if value is field_paths.MISSING:
            continue
        if one.target in fields and one.source != one.target and fields[one.target] is not value:
            hint = f"rename that one too (--map {one.target}=OTHER)"
            raise RowError("field_exists", f'"{one.source}" cannot become "{one.target}": the row has one; {hint}')
        fields[one.target] = as_text(value) if one.target in TEXTS else value
    return fields


def with_final_answer(fields: Fields, renames: Sequence[Rename]) -> Fields:
    """The fields with the final answer of the solution that --map makes the reference; it stays under its own name."""
    source = next((one.source for one in renames if one.target == REFERENCE), None)
    text = fields.get(REFERENCE)
    if source is None or type(text) is not str or (answer := of_solution(text)) == text:
        return fields
    solution = {} if "." in source or source in fields else {source: text}
    return {**fields, REFERENCE: answer, **solution}


def problem_record(fields: Fields, subset: str | None, need_reference: bool, renames: Sequence[Rename] = ()) -> Fields:
    """Returns the record to write: the leading fields, then the others.

    `subset` is for rows without one; `renames` are those that gave the fields their names. Raises RowError
    (`missing_field`, `wrong_type`).
    """
    fields |= {name: as_text(fields[name]) for name in OWN_TEXTS if name in fields}
    question = fields.get("question")
    mapped = {one.target: one.source for one in renames}
    if (empty := empty_field(fields, "question")) is not None:
        raise required_fields.no_value(mapped.get(empty, empty), "question")
    if not isinstance(question, str) and (of_data_set := published(fields)) is not None:
        raise RowError("missing_field", f"no problem as text: {of_data_set}")
    if question is None:
        raise _missing(fields, "question", mapped, f"{_RENAME}question names the problem")
    if not isinstance(question, str):
        hint = f"{_RENAME}question names the text inside it (prompt.0.content=question)"
        raise RowError("wrong_type", f'"question" is no text: {hint}')
    if not question.strip():
        raise required_fields.no_value(mapped.get("question", "question"), "question")
    if fields.get("reference") is not None:
        fields["reference"] = reference_text(fields["reference"])
    is_pair = all(fields.get(name) is not None for name in PAIR)
    if need_reference and not is_pair and not fields.get("reference"):
        if (empty := empty_field(fields, "reference")) is not None:
            raise required_fields.no_value(mapped.get(empty, empty), "reference", " (--no-reference does without)")
        hint = f"{_RENAME}reference names the golden answer, --no-reference does without"
        raise _missing(fields, "reference", mapped, hint)
    record_id = rows.record_id(fields)
    own = {name: fields[name] for name in LEADING if fields.get(name) is not None}
    values = {"index": record_id, "subset": subset, **own, "id": record_id}
    leading = {name: values[name] for name in LEADING if values.get(name) is not None}
    return {**leading, **{name: value for name, value in fields.items() if name not in LEADING}}


def _missing(fields: Fields, name: str, mapped: dict[str, str], hint: str) -> RowError:
    """The error of a row without the field `name`, or without the one that --map makes it of."""
    if name in mapped:
        hint = f'add it, or leave the row out: --map takes it as the "{name}"'
    elif fields.keys() >= {"chosen", "rejected"}:
        cure = "libra collect --preset preference FILE reads chosen and rejected"
        return RowError("missing_field", f'no "{name}": {cure}')
    elif name == "question" and isinstance(fields.get("conversations"), list):
        cure = 'libra collect --preset openthoughts FILE reads the problem and the boxed answer of "conversations"'
        return RowError("missing_field", f'no "question": {cure}')
    elif name == "question" and isinstance(fields.get("prompt"), list):
        hint = "libra collect --preset verl reads a prompt of messages, --map prompt.0.content=question its first"
    elif (of_data_set := published(fields)) is not None:
        return RowError("missing_field", f'no "{name}": {of_data_set}')
    else:
        hint += near_column(fields, name)
    what = f'no "{mapped.get(name, name)}"'
    return RowError("missing_field", f"{what} ({required_fields.columns(fields)}): {hint}", cause=f"{what}: {hint}")


def reference_text(value: Any) -> str:
    """Writes the golden answer as text, 204, 204.0 and "204" alike, true as "True"; raises RowError (`wrong_type`)."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < rows.EXACT_FLOAT else repr(value)
    if isinstance(value, int):  # true and false, too: "True", "False"
        return str(value)
    shown = json.dumps(value, ensure_ascii=False)
    hint = f"name the part of it that is the answer ({_RENAME}reference, with dots into objects and lists)"
    raise RowError("wrong_type", f'"reference" is {shown[:60]}, not text, a number or a boolean: {hint}')
