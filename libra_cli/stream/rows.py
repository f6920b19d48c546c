"""Strict JSON rows: one line of bytes to a dict and back, with nothing changed silently.

A row that only gets new keys is never serialised again: the keys are spliced into its own bytes, so that every value
(integers of any length, floats as written) leaves as it came.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import orjson

from libra_cli.stream import row_size
from libra_cli.stream.common_names import (
    QUESTION,
    REFERENCE,
    RESPONSE,
    asks_with_messages,
    common_name,
    common_question,
)
from libra_cli.stream.json_errors import HALF_A_PAIR, not_json
from libra_cli.stream.wrong_rows import type_name

Fields = dict[str, Any]

EXACT_FLOAT = 2.0**53
"""A smaller float was written as a float; orjson turns integers beyond 64 bits into floats."""

MAX_DEPTH = 254
"""Levels of nesting that a row may have, which is as deep as orjson writes."""

_TOO_DEEP = f"the row is nested more than {MAX_DEPTH} levels deep; write the inner part as a string"
_NO_CONSTANTS = "NaN and Infinity are not JSON; write null"
# C1 controls and the Unicode line separators: harmless to JSON, but they break terminals and naive line readers.
_TO_ESCAPE = re.compile(rb"\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]")
_IDENTITY = (
    "index", "subset", "question", "reference", "prompt", "messages", "response_a", "response_b", "response_1",
    "response_2", "chosen", "rejected", "responses",
)  # fmt: skip
_OF_NEMO_SKILLS = ("expected_answer", "generation")
"""Fields of a row whose `problem` identifies it whatever else it has."""
_OF_A_PROBLEM = {"index", "subset", "reference"}
"""Of those, the ones that a row may have whose question has a common name."""
_OF_LM_EVAL = ("doc_id", "doc_hash", "doc", "target")
"""Fields that identify the problem in a log of lm-evaluation-harness, whose `resps` are the samples."""
_ANSWERS = ("response", "response_with_cot", "response_a", "response_b", "responses", "chosen", "rejected")


class RowError(Exception):
    """One row cannot be used: `kind` is a stable word for counting, `reason` says what is wrong and how to mend it.

    `cause`: what rows that are refused for the same cause share, where the reason says more about its row.
    """

    def __init__(self, kind: str, reason: str, attempts: int = 1, cause: str | None = None):
        super().__init__(reason)
        self.kind, self.reason, self.attempts, self.cause = kind, reason, attempts, cause or reason


class Filtered(Exception):
    """A row is left out on purpose; the reason is a stable word for counting."""


class Row:
    """One input row: its parsed `fields`, its own bytes `raw`, and where they come from.

    `line` is the row's number in `file`, from 1; 0 if unknown. `offset` says at which byte of `file` its bytes
    begin; None if they cannot be read there again (a pipe, a compressed file).
    """

    __slots__ = ("added", "fields", "file", "line", "offset", "raw")

    def __init__(self, fields: Fields, raw: bytes, file: str, line: int, offset: int | None = None):
        self.fields, self.raw, self.file, self.line, self.offset = fields, raw, file, line, offset
        self.added: frozenset[str] = frozenset()
        """Fields that its line does not have."""

    @property
    def place(self) -> str:
        """`FILE:LINE`, as error messages name it."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def id(self) -> str:
        """The problem's id: its own `id` if it has one, else a hash of its content (stable under reordering)."""
        return record_id(self.fields)


def parse(raw: bytes) -> Fields:
    """The object on one line of strict JSON (no NaN, no duplicate keys, valid UTF-8, at most MAX_DEPTH levels).

    Raises RowError (`bad_json`, `bad_utf8`, `not_an_object`, `duplicate_key`, `number_too_long`, `too_deep`,
    `too_many_values`).
    """
    if len(raw) > row_size.LONG and row_size.has_too_many_values(raw):
        raise RowError("too_many_values", row_size.TOO_MANY)
    try:
        fields = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if "infinity" in str(error):  # a number beyond a double: a long integer is kept, 1e400 is refused
            return _parse_exactly(raw)
        try:
            text = raw.decode()
        except UnicodeDecodeError as bad:
            reason = f"byte {bad.start + 1} is not UTF-8; convert the file (iconv -t UTF-8)"
            raise RowError("bad_utf8", reason) from None
        if "depth limit" in str(error):
            raise RowError("too_deep", _TOO_DEEP) from None
        if "NaN" in text or "Infinity" in text:
            _parse_exactly(raw)  # raises an error that names the constant, if that is what is wrong
        raise RowError("bad_json", not_json(raw, error)) from None
    if type(fields) is not dict:
        raise RowError("not_an_object", f"a row is one JSON object, this is {type_name(fields)}")
    if not _is_lossless(fields, raw):
        fields = _parse_exactly(raw)
    return fields


def _is_lossless(fields: Fields, raw: bytes) -> bool:
    """False if `fields` may have lost a key that `raw` has twice, or digits; raises RowError (`too_deep`).

    A compact row that serialises to `raw` has lost nothing. Any other has lost no key if the quotation marks outside
    its strings are exactly those of the remaining keys and strings, two each.
    """
    if not raw.startswith(b" ", raw.find(b'":') + 2):  # not `"key": value`, as Python writes
        try:
            if orjson.dumps(fields) == raw:
                return True
        except TypeError:
            raise RowError("too_deep", _TOO_DEEP) from None
    strings, marks = _count_strings(fields, MAX_DEPTH), raw.count(b'"')
    if marks != 2 * strings and b'\\\\"' not in raw:  # without that, each \" is a mark inside a string
        marks -= raw.count(b'\\"')
    return marks == 2 * strings


def _count_strings(value: Any, depth: int) -> float:
    """Counts keys and strings in an object or array; minus infinity if a float may have been a long integer.

    Raises RowError (`too_deep`).
    """
    if depth == 0:
        raise RowError("too_deep", _TOO_DEEP)
    total: float = 0
    if type(value) is dict:
        total, value = len(value), value.values()
    for item in value:
        kind = type(item)
        if kind is str:
            total += 1
        elif kind is dict or kind is list:
            total += _count_strings(item, depth - 1)
        elif kind is float and not -EXACT_FLOAT < item < EXACT_FLOAT:
            return float("-inf")
    return total


def _parse_exactly(raw: bytes) -> Fields:
    """Parses with the slower parser, which keeps long integers and sees every key."""
    fields = parse_value(raw.decode())
    if type(fields) is not dict:
        raise RowError("not_an_object", f"a row is one JSON object, this is {type_name(fields)}")
    return fields


def parse_value(text: str) -> Any:
    """What a text says as strict JSON, of any type; raises RowError as `parse` does."""
    try:
        value = json.loads(
            text, object_pairs_hook=_without_duplicates, parse_float=_finite_float, parse_constant=_no_constant
        )
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # fails if half of a surrogate pair was escaped
    except RecursionError:
        raise RowError("too_deep", _TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise RowError("bad_json", not_json(text.encode(errors="replace"), error)) from None
    except UnicodeError:
        raise RowError("bad_json", f"not JSON: half of a surrogate pair; {HALF_A_PAIR}") from None
    except ValueError:  # int() refuses more than 4,300 digits, _finite_float what no double holds
        reason = "a number is too long or too large to be kept; write it as a string"
        raise RowError("number_too_long", reason) from None
    if isinstance(value, (dict, list)):
        _count_strings(value, MAX_DEPTH)
    return value


def _no_constant(name: str) -> NoReturn:
    raise RowError("bad_json", _NO_CONSTANTS)


def _finite_float(text: str) -> float:
    value = float(text)
    if value - value != 0.0:
        raise ValueError(f"{text[:20]} is beyond the range of a double")
    return value


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> Fields:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise RowError("duplicate_key", f'the key "{twice}" is given twice; keep one of them')
    return fields


def dumps(fields: Mapping[str, Any]) -> bytes:
    """One line of strict JSON without its newline; keeps integers of any length.

    Raises ValueError for NaN or infinity and TypeError for what is not JSON; neither is ever written as something else.
    """
    if not _is_finite(fields):
        raise ValueError("NaN and Infinity cannot be written as JSON")
    try:
        line = orjson.dumps(fields)
    except TypeError as error:
        if "64-bit" not in str(error) and "surrogates" not in str(error):
            raise
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        # A model may emit half of a surrogate pair, which strict readers reject: it becomes U+FFFD.
        line = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
    return escape_separators(line)


def _is_finite(value: Any) -> bool:
    """Whether no number in `value` is NaN or infinite: orjson would write it as null, which means missing."""
    kind = type(value)
    if kind is float:
        return bool(value - value == 0.0)
    if kind is str or kind is int:
        return True
    if kind is list:
        items = value
    else:
        items = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else ()
    for item in items:  # noqa: SIM110 -- `all` is slower, and this runs for every row written
        if not _is_finite(item):
            return False
    return True


def escape_separators(line: bytes) -> bytes:
    """`line` with C1 controls and U+2028, U+2029 as `\\uXXXX` escapes: the same JSON value in safer bytes."""
    if line.isascii() or not (b"\xc2" in line or b"\xe2" in line):  # searching for one byte is fastest
        return line
    if b"\xc2" not in line and b"\xe2\x80\xa8" not in line and b"\xe2\x80\xa9" not in line:
        return line
    return _TO_ESCAPE.sub(lambda match: b"\\u%04x" % ord(match.group().decode()), line)


class NewFields(dict[str, Any]):
    """New fields that many rows share, serialised once: at least one field, never changed afterwards.

    They hold no floats, so that none need be checked for NaN.
    """

    def __init__(self, fields: Mapping[str, Any]):
        super().__init__(fields)
        try:
            line = escape_separators(orjson.dumps(self))
        except TypeError:  # half of a surrogate pair, or an integer beyond 64 bits
            line = dumps(fields)
        self.tail = b"," + line[1:]
        """The bytes that follow a row's own fields, beginning with a comma."""


def extend(row: Row, new: Mapping[str, Any] | None) -> bytes:
    """The row's bytes with the keys of `new` added; keys that the row has already are replaced."""
    if not new:
        return row.raw if row.raw.isascii() else escape_separators(row.raw)
    if not row.fields:
        return dumps(new)
    if row.fields.keys().isdisjoint(new):
        tail = new.tail if type(new) is NewFields else b"," + dumps(new)[1:]
        return (row.raw if row.raw.isascii() else escape_separators(row.raw))[:-1] + tail
    return dumps({**row.fields, **new})


def record_id(fields: Mapping[str, Any]) -> str:
    """`id` if there is one, else 16 hex digits of the SHA-256 of the fields that identify the problem."""
    given = fields.get("id")
    return content_hash(_identifying(fields) or fields) if given is None else str(given)


def _identifying(fields: Mapping[str, Any]) -> Fields:
    """The fields that identify the problem, under libra's names; none of a row in which nobody knows which they are."""
    named = {name: fields[name] for name in _IDENTITY if fields.get(name) is not None}
    if named.keys() <= _OF_A_PROBLEM and not asks_with_messages(fields):
        other = common_name(fields, QUESTION)
        named |= {} if other is None else {QUESTION: common_question(fields, other)}
        if other is None and logged_by_lm_eval(fields):
            named |= {name: fields[name] for name in _OF_LM_EVAL if fields.get(name) is not None}
    if "prompt" in named or fields.keys().isdisjoint(_OF_NEMO_SKILLS):
        return named
    if QUESTION not in named and type(fields.get("problem")) is str:
        named[QUESTION] = fields["problem"]
    expected = fields.get("expected_answer")
    return {REFERENCE: expected, **named} if type(expected) in (str, int, float) else named


def logged_by_lm_eval(fields: Mapping[str, Any]) -> bool:
    """Whether a row is a line of lm-evaluation-harness as it logs them, with no id."""
    return "resps" in fields and "doc_id" in fields


def with_id(row: Row) -> Row:
    """The row with an id as a new key, if only all of its fields together identify it: a stage adds others to them.

    A line of lm-evaluation-harness gets the id of its document, by which later stages know its samples.
    """
    if logged_by_lm_eval(row.fields) and row.fields.get("id") is None:
        return _with(row, {"id": row.id})
    if row.fields.get("id") is not None or any(row.fields.get(name) is not None for name in _IDENTITY):
        return row
    return row if _identifying(row.fields) else _with(row, {"id": row.id})


def extended(row: Row, new: Mapping[str, Any]) -> Row:
    """The row with the keys of `new`; where its id would be another with those, it gets the one that it has, too."""
    changed = _with(row, new)
    return changed if changed.id == row.id else _with(row, {**new, "id": row.id})


def _with(row: Row, new: Mapping[str, Any]) -> Row:
    changed = Row({**row.fields, **new}, extend(row, new), row.file, row.line)
    changed.added = row.added.union(new)
    return changed


def content_hash(value: Any, digits: int = 16) -> str:
    """`digits` hex digits of the SHA-256 of a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def response_name(fields: Mapping[str, Any]) -> str:
    """Identifies a response: `ID/MODEL/SAMPLE`, without those parts that its row lacks.

    If a row has neither an id of its own nor a sample, a hash of what was answered (8 hex digits) is the sample.
    """
    given = [fields.get(name) for name in ("model", "sample")]
    if given[1] is None and fields.get("id") is None:
        given[1] = content_hash(answered(fields), 8)
    return "/".join([record_id(fields), *(str(value) for value in given if value is not None)])


def answered(fields: Mapping[str, Any]) -> list[Any]:
    """What was answered, by libra's names, whatever the row calls it."""
    answers = {name: fields.get(name) for name in _ANSWERS}
    other = common_name(fields, RESPONSE) if all(answer is None for answer in answers.values()) else None
    return list((answers if other is None else {**answers, RESPONSE: fields[other]}).values())


def seed_for(run_seed: int, record: str, sample: int) -> int:
    """A sampling seed in [0, 2^63) that depends on the record and the sample, not on shards, order or interruptions."""
    digest = hashlib.sha256(f"{run_seed}\0{record}\0{sample}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
