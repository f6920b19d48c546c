"""The door for rows that are measured or replayed: each known field has a type that its readers can rely on.

Schemas (see `schemas`) say what libra writes; these types are what it can read, in published files too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence, Set
from operator import itemgetter
from typing import Any

from libra_cli.stream.rows import RowError

FieldType = tuple[Set[type], Callable[[Any], bool], str]
"""Types whose values are all right, what decides on a value of another type, and what a field is in words."""
_Doubtful = tuple[int, str, Callable[[Any], bool], bool]
"""A field whose value must be looked at: its place among the known ones, its name, what decides on it, and whether it
is an integer, which is right unless it is large."""
_Getter = Callable[[Mapping[str, Any]], tuple[Any, ...]]
_Shapes = dict[tuple[type, ...], list[_Doubtful]]

_SCALARS: Set[type] = frozenset({str, int, float, bool, type(None)})
_LARGEST, _EXACT = sys.float_info.max, 2**53
_SHAPES, _SHAPE_CHARS = 256, 4096
"""Shapes of rows that are remembered, and the most characters of the keys of one."""


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number that a double can hold; true and false are none."""
    return type(value) is float or (type(value) is int and -_LARGEST <= value <= _LARGEST)


def check_types(fields: Mapping[str, Any], judgments_are_read: bool = True) -> None:
    """Raises RowError (`wrong_type`) if a known field of a row, or of its judgments, has a value of another type."""
    name = _FIELDS.wrong(fields)
    if name is not None:
        raise RowError("wrong_type", f'"{name}" is not {_TYPES[name][2]}; mend the row, or leave it out')
    if judgments_are_read and (judgments := fields.get("judgments")) and "judge_task" in fields:
        for judgment in judgments:
            name = _JUDGMENT_FIELDS.wrong(judgment)
            if name is not None:
                reason = f'a judgment has a "{name}" that is not {_OF_JUDGMENT[name][2]}'
                raise RowError("wrong_type", f"{reason}; mend the row, or leave it out")


class _Fields:
    """Fields of known types. Written for speed: it sees every row, and most rows have the same shape.

    The shape of a row is its keys and the types of its known values. It says which values must be looked at themselves.
    """

    def __init__(self, types: Mapping[str, FieldType]):
        self._types = types
        self._of_keys: dict[tuple[str, ...], tuple[_Getter, _Shapes]] = {}
        self._n_shapes = 0

    def wrong(self, fields: Mapping[str, Any]) -> str | None:
        """The first field whose value has a wrong type; None if all are right."""
        found = self._of_keys.get(tuple(fields))
        if found is None:
            found = self._learn_keys(fields)
        getter, shapes = found
        values = getter(fields)
        kinds = tuple(map(type, values))
        doubtful = shapes.get(kinds)
        if doubtful is None:
            doubtful = shapes[kinds] = self._doubtful(fields, kinds)
        for at, name, check, takes_int in doubtful:
            value = values[at]
            if not (takes_int and -_EXACT < value < _EXACT) and not check(value):
                return name
        return None

    def _learn_keys(self, fields: Mapping[str, Any]) -> tuple[_Getter, _Shapes]:
        """How to get the known values of rows with these keys; remembered unless the keys are long."""
        names = [name for name in fields if name in self._types]
        found: tuple[_Getter, _Shapes] = _getter(names), {}
        if sum(map(len, fields)) <= _SHAPE_CHARS:
            self._of_keys[tuple(fields)] = found
        return found

    def _doubtful(self, fields: Mapping[str, Any], kinds: tuple[type, ...]) -> list[_Doubtful]:
        """The fields whose values decide, where known fields have these types. Forgets all if it knows too many."""
        if self._n_shapes == _SHAPES:
            self._of_keys.clear()
            self._n_shapes = 0
        self._n_shapes += 1
        doubtful = []
        for at, (name, kind) in enumerate(zip(filter(self._types.__contains__, fields), kinds, strict=True)):
            plain, check, _ = self._types[name]
            if kind not in plain or (kind is int and check is not _is_scalar):
                doubtful.append((at, name, check, kind in plain))
        return doubtful


def _getter(names: Sequence[str]) -> _Getter:
    """Gets the values of `names` as a tuple, however many there are."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda fields: tuple(fields[name] for name in names)


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
    """A value, or the list of RewardMATH's result files, which holds numbers or names of winners."""
    return _is_value(value) or (type(value) is list and all(map(_is_value, value)))


def _are_scores(value: Any) -> bool:
    """A number or a list of them; each may be null, or in a list by itself as reward heads give it."""
    return _is_count(value) or (
        type(value) is list
        and all(_is_count(one) or (type(one) is list and len(one) == 1 and is_number(one[0])) for one in value)
    )


def _are_objects(value: Any) -> bool:
    if type(value) is not list:
        return value is None
    for one in value:  # noqa: SIM110 -- `all` is slower, and this runs for every judged row
        if type(one) is not dict:
            return False
    return True


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
_NONE, _NUMBER = type(None), "a number in the range of a double"
_NAME: FieldType = (_SCALARS, _is_scalar, "text or a number")
_VERDICT: FieldType = ({str, int, float, bool, _NONE}, _is_value, f"a verdict (text, {_NUMBER}, or null)")
_COUNT: FieldType = ({int, float, _NONE}, _is_count, "a number, or null")
_TYPES: dict[str, FieldType] = {
    **dict.fromkeys(_NAMES, _NAME),
    **dict.fromkeys(("label", "prediction"), _VERDICT),
    "score": ({str, int, float, bool, _NONE}, _is_score, f"{_NUMBER}, text, a list of these, or null"),
    **dict.fromkeys(_LISTS, ({int, float, _NONE}, _are_scores, f"{_NUMBER}, a list of them, or null")),
    "gates": ({_NONE}, _are_texts, "a list of texts and nulls"),
    "judgments": ({_NONE}, _are_objects, "a list of objects"),
    "verification": (
        {_NONE},
        _is_verification,
        "an object of answer (text), reason (a word) and votes (objects)",
    ),
    "n_tokens": _COUNT,
}
_OF_JUDGMENT: dict[str, FieldType] = {
    **dict.fromkeys(("outcome", "said"), _VERDICT),
    **dict.fromkeys(("vote", "reason", "error", "gate", "finish_reason"), _NAME),
    **dict.fromkeys(("text", "text_with_cot"), ({str, _NONE}, _is_text, "text, or null")),
    **dict.fromkeys(("n_tokens", "seed", "thinking_chars"), _COUNT),
    "order": ({str}, _are_indices, "AB, BA or a list of places"),
    "pair": (set(), lambda value: _are_indices(value) and len(value) == 2, "a list of two places"),
    "response": ({int}, lambda _: False, "a place"),
}
_FIELDS, _JUDGMENT_FIELDS = _Fields(_TYPES), _Fields(_OF_JUDGMENT)
