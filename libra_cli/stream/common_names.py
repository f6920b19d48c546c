"""Names of columns that everybody uses, which stand for libra's own in rows that lack those: the one table of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from libra_cli.stream import field_paths

Fields = Mapping[str, Any]

QUESTION, REFERENCE, RESPONSE = "question", "reference", "response"

COMMON_NAMES: dict[str, tuple[str, ...]] = {
    QUESTION: ("problem", "prompt", "instruction", "query", "input"),
    REFERENCE: (
        "expected_answer",
        "correct_answer",
        "reference_answer",
        "gold_answer",
        "golden_answer",
        "answer",
        "final_answer",
        "ground_truth",
        "reward_model.ground_truth",
        "solution",
        "label",
    ),
    RESPONSE: (
        "generation",
        "output",
        "completion",
        "model_output",
        "model_response",
        "model_answer",
        "generated_solution",
    ),
}
"""Field of libra -> names that stand for it, the first that a row has; see `plain_name` for other spellings.

A dot leads into an object: verl keeps the answer in `reward_model`. OpenRLHF has it as `label`, and asks with `input`.
"""
STEP_MARK = " \u043a\u0438"
"""What ends each step in Math-Shepherd, and is no part of it."""
_TELLS_RIGHT_FROM_WRONG = frozenset(
    ("response", "response_with_cot", "responses", "response_a", "response_b", "chosen", "rejected", "messages",
     "conversations", "completions", "text", "steps", *COMMON_NAMES[RESPONSE])
)  # fmt: skip
"""Fields beside which a `label` says whether a response is right, or is a class; alone it is the golden answer."""


@lru_cache(512)
def plain_name(column: str) -> str:
    """The name of a column as a field is spelled: `Model Response` and `modelResponse` are `model_response`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column.strip())
    return re.sub(r"[\s-]+", "_", words).lower()


@lru_cache(512)
def spelled_otherwise(columns: tuple[str, ...]) -> Mapping[str, str]:
    """Plain name -> the first column that has it in another spelling, where no column has it as it is."""
    found: dict[str, str] = {}
    for column in columns:
        if (plain := plain_name(column)) not in columns:
            found.setdefault(plain, column)
    return found


def respelled(fields: Fields) -> dict[str, Any]:
    """The fields that a row spells otherwise, under their plain names."""
    return {plain: fields[column] for plain, column in spelled_otherwise(tuple(fields)).items()}


def common_name(fields: Fields, name: str) -> str | None:
    """The field that stands for the field `name`, which the row lacks; None if there is none, or no text or number.

    A blank text is a response, if no other field holds one: a model may answer nothing. It is no question or reference.
    """
    candidates = _candidates(tuple(fields), name)
    found = next((other for other in candidates if _stands(fields, name, other)), None)
    if found is None and name == RESPONSE:
        return next((other for other in candidates if type(fields[other]) is str), None)
    return found


@lru_cache(512)
def _candidates(fields: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The fields that may stand for `name`, best first: names of the table, then those that are spelled otherwise."""
    names = COMMON_NAMES.get(name, ())
    known = (name, *names)
    spelled = [own for other in known for own in fields if plain_name(own) == other and own not in known]
    return (*(other for other in names if other.partition(".")[0] in fields), *spelled)


def common_value(fields: Fields, other: str) -> Any:
    """What a name of the table holds in a row: a value, or for a dotted name one in an object; None if there is none.

    The only answer of a list (Skywork-OR1 writes `["4"]`) is the answer.
    """
    if "." not in other:
        return fields.get(other)
    value = field_paths.value_at(fields, other)
    answers = [] if value is field_paths.MISSING else answers_in(value)
    return answers[0] if len(answers) == 1 else None


def marks_its_answer(text: str) -> bool:
    """Whether a text is a solution with a box (as in MATH) or #### before its final answer (as in GSM8K)."""
    return "\\boxed" in text or text.lstrip().find("####") > 0


def answers_in(truth: Any) -> list[Any]:
    """The answers in verl's `ground_truth`: one, or a list of them, or its JSON in a text."""
    if isinstance(truth, str) and truth.lstrip().startswith("["):
        try:
            listed = json.loads(truth)
        except ValueError:
            return [truth]  # an interval such as [0, 1), not a list
        # [1, 2] may be an interval too: a list of several answers is one of texts.
        return listed if len(listed) == 1 or (listed and all(isinstance(item, str) for item in listed)) else [truth]
    return [] if truth is None else truth if isinstance(truth, list) else [truth]


def empty_field(fields: Fields, name: str) -> str | None:
    """The field that holds `name`, by that name or by one that stands for it, and is null or blank; None if none is.

    Such a row lacks a value, not a name. A field with a value in it is none, whatever it is.
    """
    names = (name, *COMMON_NAMES.get(name, ()))
    if name == REFERENCE and not _TELLS_RIGHT_FROM_WRONG.isdisjoint(fields):
        names = tuple(other for other in names if other != "label")  # it says whether the response is right
    there = sorted((own for own in fields if plain_name(own) in names), key=lambda own: names.index(plain_name(own)))
    empty = [own for own in there if fields[own] is None or (type(fields[own]) is str and not fields[own].strip())]
    return empty[0] if empty and len(empty) == len(there) else None


CONTEXTS = ("input", "context")
"""What an instruction is about (Alpaca, Dolly)."""


def common_question(fields: Fields, other: str) -> str:
    """The question in the field `other`: its text, of an instruction with its input."""
    text = str(fields[other])
    if plain_name(other) != "instruction":
        return text
    extra = next((value for value in map(fields.get, CONTEXTS) if isinstance(value, str) and value), None)
    return text if extra is None else f"{text}\n{extra}"


CONTEXT_MESSAGES = "context_messages"
"""OpenRLHF's name for a prompt of messages."""


def asks_with_messages(fields: Fields) -> bool:
    """Whether a row asks with a whole conversation; beside a `problem`, messages are its solution (NuminaMath)."""
    return isinstance(fields.get("prompt"), list) or ("messages" in fields and type(fields.get("problem")) is not str)


def _stands(fields: Fields, name: str, other: str) -> bool:
    """Whether the field `other` can stand for the field `name`.

    As a reference, a solution has to mark its answer, a label to be all that the row says of an answer, and a number is
    not the place of the answer in `choices`. Tests of programs are no answer, and steps with marks no question.
    """
    value = common_value(fields, other)
    if type(value) not in (str, int, float) or (type(value) is str and not value.strip()):
        return False
    plain = plain_name(other)
    if name == QUESTION:
        return plain != "input" or (type(value) is str and not value.rstrip().endswith(STEP_MARK))
    if name != REFERENCE:
        return True
    if plain == "solution" and type(value) is str:
        return len(value.split()) == 1 or marks_its_answer(value)
    if plain == "label":
        is_alone = type(value) is str and _TELLS_RIGHT_FROM_WRONG.isdisjoint(fields)
        return is_alone and not str(fields.get("input")).rstrip().endswith(STEP_MARK)
    if "." in plain and type(value) is str:
        return not value.lstrip().startswith(("{", "[{"))
    return not (type(value) is int and isinstance(fields.get("choices"), (list, dict)))
