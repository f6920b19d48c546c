"""Rows: strict in, nothing changed on the way, and out in bytes that every other reader accepts."""

import io
import json
import math
import string
import subprocess
import time

import orjson
import pyarrow.json
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from libra_cli.stream import required_fields, rows
from libra_cli.stream.rows import Row, RowError

WIDE = st.characters(exclude_categories=["Cs"])
NASTY = ['"', "\\", '":', '" :', "\\u0022", "\u2028", "\u0085", "\x00", "\x7f", "{", "NaN", "\ufeff", "e5"]
TEXT = st.lists(st.one_of(st.sampled_from(NASTY), st.text(WIDE, max_size=8)), max_size=4).map("".join)
NUMBER = st.one_of(st.integers(), st.integers(2**53 - 2, 2**70), st.floats(allow_nan=False, allow_infinity=False))
LEAF = st.one_of(st.none(), st.booleans(), TEXT)


def nested(leaf):
    """Arrays and objects of `leaf`, a few levels deep."""
    return st.recursive(
        leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
    )


VALUE = nested(LEAF | NUMBER)
OBJECT = st.dictionaries(TEXT, VALUE, max_size=5)
PLAIN = st.dictionaries(TEXT, nested(LEAF), max_size=5)
"""Without numbers, which jq 1.6 writes in its own way."""
STYLES = [{"separators": (",", ":")}, {}, {"ensure_ascii": False}, {"separators": (" ,\t", " : ")}]


def written(value, style: int) -> bytes:
    return json.dumps(value, **STYLES[style]).encode()


def same(one, other) -> bool:
    """Equal in value, type and order of keys: 1, 1.0 and true are three values."""
    return json.dumps(one) == json.dumps(other)


def refused(raw: bytes) -> str:
    with pytest.raises(RowError) as caught:
        rows.parse(raw)
    return caught.value.kind


@given(OBJECT, st.sampled_from(range(4)))
@example({"a": 1e22, "b": 2**64, "c": -(2**63) - 1, "d": [1e16, {"e": 5e-324}]}, 0)
def test_a_parsed_row_is_what_the_standard_parser_reads(value, style):
    raw = written(value, style)
    assert same(rows.parse(raw), json.loads(raw))


@given(OBJECT, st.sampled_from(range(4)), st.dictionaries(TEXT, VALUE, max_size=2))
def test_an_extended_row_keeps_every_other_value(value, style, new):
    raw = written(value, style)
    line = rows.extend(Row(rows.parse(raw), raw, "f", 1), new)
    assert same(json.loads(line), {**value, **new})
    assert b"\n" not in line


PAIR = st.tuples(st.sampled_from(["a", "b", 'q"', "\u00e9"]), VALUE)


@given(st.lists(PAIR, min_size=1, max_size=5), st.sampled_from(range(4)))
def test_a_row_is_refused_exactly_where_a_key_is_given_twice(pairs, style):
    comma, colon = STYLES[style].get("separators", (", ", ": "))
    ascii_only = STYLES[style].get("ensure_ascii", True)
    items = (json.dumps(key, ensure_ascii=ascii_only) + colon + written(value, style).decode() for key, value in pairs)
    raw = ("{" + comma.join(items) + "}").encode()
    for text in (raw, b'{"outer"' + colon.encode() + b"[" + raw + b"]}"):
        if len({key for key, _ in pairs}) == len(pairs):
            rows.parse(text)
        else:
            assert refused(text) == "duplicate_key"


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a" :1,"a":1}',
        b'{"a":1,"a" :1}',
        b'{"a"\t: 1, "a": 1}',
        b'{"x": {"a": 1, "a": 1}}',
        b'{"x":[{"a":"\\":","a":1}]}',
        b'{"a":1,"a":"\\u0022\\u0022"}',  # as many quotation marks as are left when one "a" is dropped
        b'{"a":1,"\\u0061":1}',
        b'{"a": 1, "a": "\\u0022\\u0022"}',
        b'{"a":12345678901234567890123,"a":1}',
    ],
)
def test_duplicate_keys_are_found_however_they_are_written(raw):
    assert refused(raw) == "duplicate_key"


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b'{"a":NaN}', "bad_json"),
        (b'{"a":[-Infinity]}', "bad_json"),
        (b'{"a":1' + b"0" * 400 + b',"b":NaN}', "bad_json"),
        (b'{"a":"\xff"}', "bad_utf8"),
        (b'{"a":"\xed\xa0\x80"}', "bad_utf8"),
        (b'{"a":"\\ud800"}', "bad_json"),
        (b'{"a":1' + b"0" * 400 + b',"b":"\\udfff"}', "bad_json"),
        (b'{"a":1' + b"0" * 400 + b',"b":}', "bad_json"),
        (b'{"a":1,}', "bad_json"),
        (b"{'a':1}", "bad_json"),
        (b'{"a":1}{"b":2}', "bad_json"),
        (b'{"a":"\x01"}', "bad_json"),
        (b'\xef\xbb\xbf{"a":1}', "bad_json"),
        (b"[1]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"1" * 400, "not_an_object"),
        (b'{"a":1e400}', "number_too_long"),
        (b'{"a":1' + b"0" * 4300 + b"}", "number_too_long"),
        (b'{"a":' + b"[" * 254 + b"]" * 254 + b"}", "too_deep"),
        (b'{"a": ' + b"[" * 254 + b"]" * 254 + b"}", "too_deep"),
        (b'{"a":' + b'{"a":' * 600 + b"1" + b"}" * 601, "too_deep"),
        (b'{"a":' + b"[" * 10**5 + b"]" * 10**5 + b"}", "too_deep"),
        (b'{"a":1' + b"0" * 400 + b',"b":' + b"[" * 10**5 + b"]" * 10**5 + b"}", "too_deep"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_not_strict_json_is_refused_with_its_kind(raw, kind):
    assert refused(raw) == kind


@pytest.mark.parametrize("colon", [":", ": "])
@pytest.mark.parametrize("n_digits", [16, 19, 20, 309, 4300])
def test_long_integers_pass_exactly(n_digits, colon):
    digits = "9" * n_digits
    raw = f'{{"n"{colon}{digits},"m"{colon}[-{digits}]}}'.encode()
    fields = rows.parse(raw)
    assert fields == {"n": int(digits), "m": [-int(digits)]}
    replaced = rows.extend(Row(fields, raw, "f", 1), {"m": 0})
    assert replaced == f'{{"n":{digits},"m":0}}'.encode()


def test_the_deepest_row_that_is_read_can_be_written_again():
    raw = b'{"a": ' + b"[" * (rows.MAX_DEPTH - 1) + b"]" * (rows.MAX_DEPTH - 1) + b"}"
    assert orjson.loads(rows.extend(Row(rows.parse(raw), raw, "f", 1), {"a": 1, "b": rows.parse(raw)["a"]}))["a"] == 1


@settings(max_examples=30)
@given(st.lists(PLAIN, min_size=1, max_size=8))
def test_what_is_written_is_read_alike_by_jq_and_orjson(values):
    new = {"libra": "\u2028\x85\x00"}
    lines = [rows.extend(Row(value, json.dumps(value).encode(), "f", 1), new) for value in values]
    for line, value in zip(lines, values, strict=True):
        assert orjson.loads(line) == {**value, **new}
        assert not set("\u2028\u2029" + "".join(map(chr, range(0x80, 0xA0)))) & set(line.decode())
    read = subprocess.run(["jq", "-c", "."], input=b"\n".join(lines), capture_output=True, check=True).stdout
    assert len(read.splitlines()) == len(lines)


def test_what_is_written_is_read_by_pyarrow():
    values = [{"a": f"x{char}y", "b": index} for index, char in enumerate('\u2028\x85\x00"\\\u00e9\U0001f600')]
    data = b"".join(rows.dumps(value) + b"\n" for value in values)
    assert pyarrow.json.read_json(io.BytesIO(data)).to_pylist() == values


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_is_ever_written_as_null(value):
    for fields in ({"a": value}, {"a": [{"b": (value,)}]}):
        with pytest.raises(ValueError, match="NaN"):
            rows.dumps(fields)


def test_half_a_surrogate_pair_from_a_model_is_written_as_the_replacement_character():
    assert rows.dumps({"a": "x\ud800y\udc00"}) == '{"a":"x\ufffdy\ufffd"}'.encode()
    assert rows.dumps({"a": "\ud83d\ude00", "n": 2**70}) == '{"a":"\U0001f600","n":1180591620717411303424}'.encode()


def test_what_is_not_json_is_not_written():
    with pytest.raises(TypeError):
        rows.dumps({"a": {1, 2}})


def test_separators_are_escaped_and_nothing_else_is():
    line = '{"a":"\u2028\u2029\u0080\u009f\u00a0\u2027\u00e9"}'.encode()
    assert rows.escape_separators(line) == '{"a":"\\u2028\\u2029\\u0080\\u009f\u00a0\u2027\u00e9"}'.encode()


@given(st.dictionaries(st.text(string.ascii_letters, min_size=1), st.integers(), min_size=1), st.randoms())
def test_an_id_does_not_depend_on_the_order_of_keys(fields, random):
    items = list(fields.items())
    random.shuffle(items)
    assert rows.record_id(dict(items)) == rows.record_id(fields)


def test_an_id_is_the_rows_own_or_made_of_what_makes_the_problem():
    assert rows.record_id({"id": 7, "question": "q"}) == "7"
    assert rows.record_id({"question": "q", "response": "a"}) == rows.record_id({"question": "q", "response": "b"})
    assert rows.record_id({"question": "q"}) != rows.record_id({"question": "r"})
    assert rows.record_id({"question": "q"}) == "9896cd290376017b"  # sha256 of {"question":"q"}


def test_seeds_are_the_same_everywhere_and_all_different():
    seeds = {rows.seed_for(run, record, sample) for run in range(4) for record in "abcdefgh" for sample in range(32)}
    assert len(seeds) == 4 * 8 * 32
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert rows.seed_for(0, "a", 0) == rows.seed_for(0, "a", 0) == 5377369291220743188


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, 'no "n" (the row is empty): add it, or rename a field with libra collect --map'),
        ({"n": None}, 'no "n" (the row is empty): add it, or rename a field with libra collect --map'),
        ({"n": "1"}, '"n" is a string, not an integer'),
        ({"n": True}, '"n" is a boolean, not an integer'),
        ({"n": [1]}, '"n" is an array, not an integer'),
    ],
)
def test_a_missing_or_wrong_field_is_named_with_the_cure(fields, message):
    with pytest.raises(RowError) as caught:
        required_fields.require(Row(fields, b"", "f", 1), {"n": int}, {})
    assert str(caught.value) == message


def test_many_duplicate_keys_take_linear_time():
    keys = [*range(40_000), *reversed(range(39_000, 40_000))]
    raw = b"{" + b",".join(b'"k%d":1' % key for key in keys) + b"}"
    begun = time.process_time()
    with pytest.raises(rows.RowError, match='the key "k39000" is given twice'):
        rows.parse(raw)
    assert time.process_time() - begun < 8  # 19 s if each key is counted


MANY = 1_100_000


@pytest.mark.parametrize("inner", [b"[],", b"{},", b'{"a":1},', b'"",', b"1,", b'"\\"",', b'"a\\\\",'])
def test_a_row_of_too_many_values_is_refused_before_it_is_parsed(inner):
    raw = b'{"a":[' + inner * (MANY if inner[:1] in b"[{" else 2 * MANY) + b'0],"b":"' + b"x" * (1 << 20) + b'"}'
    with pytest.raises(RowError) as refused:
        rows.parse(raw)
    assert refused.value.kind == "too_many_values"


@pytest.mark.parametrize("text", ["{[,", "\\,", '"[', '\\"{', "a\\,", "[" * 100 + '"'])
def test_a_long_text_is_no_value(text):
    fields = {"a": text * (3 * MANY // len(text) + MANY), "b": [1, {"c": text}]}
    assert rows.parse(json.dumps(fields).encode()) == fields


def test_an_unclosed_string_takes_linear_time():
    raw = b'{"a":"' + b"," * (3 * MANY) + b'\\"' * (1 << 22)
    with pytest.raises(RowError, match="not JSON"):
        rows.parse(raw)


@pytest.mark.parametrize(
    ("fields", "same_as"),
    [
        ({"problem": "p", "answer": "1"}, {"question": "p"}),
        ({"problem": "p", "expected_answer": "1", "generation": "r"}, {"question": "p", "reference": "1"}),
        ({"Problem": "p"}, {"question": "p"}),
        ({"instruction": "Add.", "input": "1, 1", "output": "2"}, {"question": "Add.\n1, 1"}),
        ({"prompt": "p", "answer": "1"}, {"prompt": "p"}),
        (
            {"problem": "p", "expected_answer": "1", "chosen": "a", "rejected": "b"},
            {"question": "p", "reference": "1", "chosen": "a", "rejected": "b"},
        ),
        ({"problem": "p", "messages": []}, {"messages": []}),
        ({"prompt": "p", "chosen": "a", "rejected": "b"}, None),
        ({"problem": None, "text": "t"}, None),
    ],
)
def test_the_id_is_that_of_the_problem_whatever_its_name(fields, same_as):
    stages = {"label": 1, "verification": {}, "task": "score", "score": 4, "id": None}
    raw = rows.Row(fields, rows.dumps(fields), "f", 1)
    assert raw.id == rows.record_id(fields if same_as is None else same_as)
    given = rows.with_id(raw)
    assert rows.record_id({**stages, **given.fields}) == raw.id
    assert (given is raw) == (same_as is not None or "chosen" in fields)  # what identifies it stands in the row
    assert rows.extended(raw, {"question": "p", "reference": "1"}).id == raw.id


def test_rows_that_share_a_line_are_named():
    with pytest.raises(RowError, match=r"several rows are on one line; write each on a line of its own"):
        rows.parse(b'{"a": 1}{"a": 2}')
