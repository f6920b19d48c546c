"""Names of columns that everybody uses, which stand for libra's own in rows that lack those: the one table of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

Fields = Mapping[str, Any]

QUESTION, REFERENCE, RESPONSE = "question", "reference", "response"

COMMON_NAMES: dict[str, tuple[str, ...]] = {
    QUESTION: ("problem", "prompt", "instruction", "query"),
    REFERENCE: ("expected_answer", "answer", "final_answer", "ground_truth", "solution"),
    RESPONSE: ("generation", "output", "completion", "model_output"),
}
"""Field of libra -> names that stand for it, the first that a row has; capital letters are the same names."""


def common_name(fields: Fields, name: str) -> str | None:
    """The field that stands for the field `name`, which the row lacks; None if there is none, or no text or number."""
    return next((other for other in _candidates(tuple(fields), name) if _stands(fields, name, other)), None)


@lru_cache(512)
def _candidates(fields: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The fields that may stand for `name`, best first: names of the table, then those that are so in capitals."""
    names = COMMON_NAMES.get(name, ())
    known = (name, *names)
    capitals = [own for other in known for own in fields if own.lower() == other and own not in known]
    return (*(other for other in names if other in fields), *capitals)


def empty_field(fields: Fields, name: str) -> str | None:
    """The field that holds `name`, by that name or by one that stands for it, and is null or blank; None if none is.

    Such a row lacks a value, not a name. A field with a value in it is none, whatever it is.
    """
    names = (name, *COMMON_NAMES.get(name, ()))
    there = sorted((own for own in fields if own.lower() in names), key=lambda own: names.index(own.lower()))
    empty = [own for own in there if fields[own] is None or (type(fields[own]) is str and not fields[own].strip())]
    return empty[0] if empty and len(empty) == len(there) else None


def common_question(fields: Fields, other: str) -> str:
    """The question in the field `other`: its text, of an instruction with its input."""
    text, extra = str(fields[other]), fields.get("input")
    return f"{text}\n{extra}" if other.lower() == "instruction" and isinstance(extra, str) and extra else text


def asks_with_messages(fields: Fields) -> bool:
    """Whether a row asks with a whole conversation."""
    return isinstance(fields.get("prompt"), list) or "messages" in fields


def _stands(fields: Fields, name: str, other: str) -> bool:
    """Whether the field `other` can stand for the field `name`; as a reference, a solution has to mark its answer."""
    value = fields.get(other)
    if name == REFERENCE and other.lower() == "solution" and type(value) is str:
        return len(value.split()) == 1 or "\\boxed" in value or "\n####" in value
    return (type(value) is str and bool(value.strip())) or type(value) in (int, float)
