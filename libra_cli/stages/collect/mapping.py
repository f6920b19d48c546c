"""One form for every problem: `id index question reference subset`, then whatever else the row came with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.stream import rows
from libra_cli.stream.rows import RowError

Fields = dict[str, Any]

LEADING = ("id", "index", "question", "reference", "subset")
PAIR = ("response_a", "response_b", "preference")
MISSING = object()
"""What `take` gives where there is nothing, not even null."""
_RENAME = "libra collect --map FIELD="


@dataclass(frozen=True)
class Rename:
    """A field that is to have another name; `source` may lead into objects and lists (`prompt.0.content`)."""

    source: str
    target: str


def renames(texts: Iterable[str]) -> list[Rename]:
    """From `from=to`; raises ValueError naming what is wrong."""
    found = []
    for text in texts:
        source, sign, target = text.rpartition("=")
        if not (sign and source and target):
            raise ValueError(f"{text!r} is not FROM=TO (problem=question)")
        found.append(Rename(source, target))
    twice = [target for target in {rename.target for rename in found} if [r.target for r in found].count(target) > 1]
    if twice:
        raise ValueError(f"two fields are to be {twice[0]!r}; map one of them")
    return found


def settings(texts: Iterable[str]) -> Fields:
    """From `field=value`, the value as JSON where it is JSON, else as text; raises ValueError."""
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not (sign and name):
            raise ValueError(f"{text!r} is not FIELD=VALUE (subset=AIME)")
        try:
            found[name] = rows.parse(b'{"value":%b}' % value.encode())["value"]
        except RowError:
            found[name] = value
    return found


def rename(fields: Fields, wanted: Sequence[Rename]) -> Fields:
    """`fields` with those of `wanted` that it has under their new names; raises RowError (`field_exists`)."""
    taken = [(one, take(fields, one.source)) for one in wanted]
    for one, value in taken:
        if value is MISSING:
            continue
        if one.target in fields and one.source != one.target:
            cure = f"rename that one too (--map {one.target}=OTHER)"
            raise RowError("field_exists", f'"{one.source}" cannot become "{one.target}": the row has one; {cure}')
        fields[one.target] = value
    return fields


def has(fields: Fields, path: str) -> bool:
    """Whether there is something at a dotted path."""
    return _trail(fields, path)[-1][2] is not MISSING


def take(fields: Fields, path: str) -> Any:
    """Removes and gives the value at a dotted path, or MISSING; a key that has dots in it comes first.

    Objects that it leaves empty go too. What lies inside a list is copied, since nothing else could stand in its place.
    """
    trail = _trail(fields, path)
    value = trail[-1][2]
    if value is MISSING or any(isinstance(holder, list) for holder, _, _ in trail):
        return value
    for holder, name, inner in reversed(trail):
        if inner is not value and inner:
            break
        del holder[name]
    return value


def _trail(fields: Fields, path: str) -> list[tuple[Any, Any, Any]]:
    """From the outside in: what holds each part of `path`, under which name, and the part."""
    if path in fields:
        return [(fields, path, fields[path])]
    trail: list[tuple[Any, Any, Any]] = []
    value: Any = fields
    for part in path.split("."):
        holder, name = value, part
        if isinstance(holder, dict):
            value = holder.get(part, MISSING)
        elif isinstance(holder, list) and part.isascii() and part.isdigit() and int(part) < len(holder):
            value = holder[int(part)]
        else:
            value = MISSING
        trail.append((holder, name, value))
        if value is MISSING:
            break
    return trail


def finished(fields: Fields, subset: str | None, need_reference: bool) -> Fields:
    """The record that is written: the leading fields first, then the others.

    `subset` is for rows that name none. Raises RowError (`missing_field`, `wrong_type`) naming the cure.
    """
    _check_question(fields.get("question"))
    if fields.get("reference") is not None:
        fields["reference"] = reference_text(fields["reference"])
    is_pair = all(fields.get(name) is not None for name in PAIR)
    if need_reference and not is_pair and not fields.get("reference"):
        cure = f"{_RENAME}reference names the golden answer, --no-reference does without"
        raise RowError("missing_field", f'no "reference": {cure}')
    record = rows.record_id(fields)
    given = {name: fields[name] for name in LEADING if fields.get(name) is not None}
    given = {"index": record, "subset": subset, **given, "id": record}
    leading = {name: given[name] for name in LEADING if given.get(name) is not None}
    return {**leading, **{name: value for name, value in fields.items() if name not in LEADING}}


def _check_question(question: Any) -> None:
    if question is None:
        raise RowError("missing_field", f'no "question": {_RENAME}question names the field that holds the problem')
    if not isinstance(question, str):
        cure = f"{_RENAME}question names the text inside it (prompt.0.content=question)"
        raise RowError("wrong_type", f'"question" is no text: {cure}')
    if not question.strip():
        raise RowError("missing_field", '"question" is empty: give the problem its text')


def reference_text(value: Any) -> str:
    """The golden answer as text: 204, 204.0 and "204" are one answer; raises RowError (`wrong_type`)."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < rows.EXACT_FLOAT else repr(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    shown = json.dumps(value, ensure_ascii=False)
    cure = f"name the part of it that is the answer ({_RENAME}reference, with dots into objects and lists)"
    raise RowError("wrong_type", f'"reference" is {shown[:60]}, not text or a number: {cure}')
