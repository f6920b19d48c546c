"""The door for rows that are measured or replayed: each known field has a type that its readers can rely on.

Schemas (see `schemas`) say what libra writes; these types are what it can read, in published files too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from libra_cli.stream.rows import RowError

Check = Callable[[Any], bool]

_SCALARS = frozenset({str, int, float, bool, type(None)})
_LARGEST = sys.float_info.max


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number that a double can hold; true and false are none."""
    return type(value) is float or (type(value) is int and -_LARGEST <= value <= _LARGEST)


def check_types(fields: Mapping[str, Any]) -> None:
    """Raises RowError (`wrong_type`) if a known field of a row, or of its judgments, has a value of another type."""
    for name, value in fields.items():
        known = _TYPES.get(name)
        if known is not None and not known[0](value):
            raise RowError("wrong_type", f'"{name}" is not {known[1]}; mend the row, or leave it out')
    if (judgments := fields.get("judgments")) and "judge_task" in fields:
        for judgment in judgments:
            for name, value in judgment.items():
                known = _OF_JUDGMENT.get(name)
                if known is not None and not known[0](value):
                    reason = f'a judgment has a "{name}" that is not {known[1]}'
                    raise RowError("wrong_type", f"{reason}; mend the row, or leave it out")


def _is_scalar(value: Any) -> bool:
    return type(value) in _SCALARS


def _is_text(value: Any) -> bool:
    return value is None or type(value) is str


def _is_count(value: Any) -> bool:
    return value is None or is_number(value)


def _is_value(value: Any) -> bool:
    """A scalar whose number a double can hold."""
    return type(value) in (str, bool, type(None)) or is_number(value)


def _is_score(value: Any) -> bool:
    """A number, or the list of RewardMATH's result files, which holds numbers or names of winners."""
    return _is_value(value) or (type(value) is list and all(map(_is_value, value)))


def _are_scores(value: Any) -> bool:
    """A number or a list of them; each may be null, or in a list by itself as reward heads give it."""
    return _is_count(value) or (
        type(value) is list
        and all(_is_count(one) or (type(one) is list and len(one) == 1 and is_number(one[0])) for one in value)
    )


def _are_objects(value: Any) -> bool:
    return value is None or (type(value) is list and all(type(one) is dict for one in value))


def _are_texts(value: Any) -> bool:
    return value is None or (type(value) is list and all(map(_is_text, value)))


def _are_indices(value: Any) -> bool:
    return type(value) is list and all(type(index) is int for index in value)


def _is_verification(value: Any) -> bool:
    return value is None or (
        type(value) is dict
        and _is_text(value.get("answer"))
        and _is_scalar(value.get("reason"))
        and _are_objects(value.get("votes"))
    )


_NAMES = ("model", "sample", "subset", "judge", "judge_task", "task", "gate", "unjudged", "probe", "finish_reason")
_LISTS = ("scores", "score_chosen", "score_rejected", "scores_chosen", "scores_rejected")
_VERDICT = "a verdict (text, a number in the range of a double, or null)"
_TYPES: dict[str, tuple[Check, str]] = {
    **dict.fromkeys(_NAMES, (_is_scalar, "text or a number")),
    **dict.fromkeys(("label", "prediction"), (_is_value, _VERDICT)),
    "score": (_is_score, "a number in the range of a double, or null"),
    **dict.fromkeys(_LISTS, (_are_scores, "a number in the range of a double, or a list of them")),
    "gates": (_are_texts, "a list of texts and nulls"),
    "judgments": (_are_objects, "a list of objects"),
    "verification": (_is_verification, "an object with a text as its answer, and its votes as objects"),
    "n_tokens": (_is_count, "a number, or null"),
}
_OF_JUDGMENT: dict[str, tuple[Check, str]] = {
    **dict.fromkeys(("outcome", "said"), (_is_value, _VERDICT)),
    **dict.fromkeys(("vote", "reason", "error", "gate", "finish_reason"), (_is_scalar, "text or a number")),
    **dict.fromkeys(("text", "text_with_cot"), (_is_text, "text, or null")),
    **dict.fromkeys(("n_tokens", "seed", "thinking_chars"), (_is_count, "a number, or null")),
    "order": (lambda value: type(value) is str or _are_indices(value), "AB, BA or a list of places"),
    "pair": (lambda value: _are_indices(value) and len(value) == 2, "a list of two places"),
    "response": (lambda value: type(value) is int, "a place"),
}
