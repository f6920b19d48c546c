"""What holds rows otherwise than one a line: JSON arrays and Parquet; and what holds none is named once."""

import gzip
import io
import json
import tracemalloc
import zipfile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from libra_cli.exits import Exit, Fatal
from libra_cli.stream import decompression, line_source
from libra_cli.stream.counts import Counts
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import BadLine, read_rows

TEXTS = st.text(alphabet=st.sampled_from(list('ab"\\{}[],:\n\t é\u2028')), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ROWS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), max_size=6)
INDENTS = st.sampled_from([None, 0, 2, "\t"])
BLANKS = st.sampled_from(["", "\r\n "])


def entries_of(path, **options) -> list:
    return list(read_rows(InputFiles([str(path)], **options)))


def rows_of(path) -> list[tuple[int, dict]]:
    entries = entries_of(path)
    assert not any(isinstance(entry, BadLine) for entry in entries)
    assert all(b"\n" not in entry.raw and json.loads(entry.raw) == entry.fields for entry in entries)
    return [(entry.line, entry.fields) for entry in entries]


def errors_of(path) -> list[tuple[int, str]]:
    return [(entry.line, entry.error.kind) for entry in entries_of(path) if isinstance(entry, BadLine)]


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, indent=INDENTS, ascii_only=st.booleans(), size=st.integers(1, 30), around=BLANKS)
@example(rows=[{'"': "\\\\"}, {}], indent=0, ascii_only=True, size=1, around="\r\n ")
def test_an_array_is_its_elements_however_it_is_written_at_every_chunk_boundary(
    tmp_path_factory, rows, indent, ascii_only, size, around
):
    path = tmp_path_factory.getbasetemp() / "array"
    text = json.dumps(rows, indent=indent, ensure_ascii=ascii_only)
    path.write_text(f"{around}{text}{around}", encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        for module in (line_source, decompression):
            patch.setattr(module, "CHUNK", size)
        assert rows_of(path) == list(enumerate(rows, 1))


@settings(max_examples=100, deadline=None)
@given(
    rows=ROWS,
    indent=st.sampled_from([1, 2, "\t"]),
    between=st.sampled_from(["\n", " \r\n\n", ""]),
    size=st.integers(1, 30),
)
def test_objects_over_several_lines_are_rows_at_every_chunk_boundary(tmp_path_factory, rows, indent, between, size):
    rows = [{"a": '"{'}, *rows]
    path = tmp_path_factory.getbasetemp() / "objects"
    path.write_text(between.join(json.dumps(row, indent=indent) for row in rows), encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        for module in (line_source, decompression):
            patch.setattr(module, "CHUNK", size)
        assert rows_of(path) == list(enumerate(rows, 1))


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ('{\n "a": 1\n}\n{\n "b": 1,\n}\n{"c": 2}', [(2, "bad_json")]),
        ('{\n "a": 1\n},\n{\n "b": 1\n}\n', [(2, "bad_json")]),
        ('{\n "a": 1\n}\n]\n{\n "b": 1\n}\n', [(2, "bad_json")]),
        ('{\n "a": 1\n}\n7\n{\n "b": 1\n}\n', [(2, "bad_json")]),
        ('{"a": 1}\n{\n"b": 2}\n', [(2, "bad_json"), (3, "bad_json")]),
    ],
)
def test_one_bad_object_costs_its_own_row(tmp_path, text, errors):
    (tmp_path / "a.json").write_text(text)
    assert errors_of(tmp_path / "a.json") == errors


def test_objects_that_end_in_the_middle_are_said_to(tmp_path):
    (tmp_path / "a.json").write_text('{\n "a": 1\n}\n{\n "b": ')
    with pytest.raises(
        Fatal, match="the JSON object is cut off behind 1 whole row; copy or write the file again"
    ) as caught:
        entries_of(tmp_path / "a.json")
    assert caught.value.status == Exit.INCOMPLETE


def test_values_of_an_array_keep_their_bytes(tmp_path):
    (tmp_path / "a.json").write_text('[{"n": 1.50, "big": 123456789012345678901234567890},\n\n {"n":1e5}]')
    assert [entry.raw for entry in entries_of(tmp_path / "a.json")] == [
        b'{"n": 1.50, "big": 123456789012345678901234567890}',
        b'{"n":1e5}',
    ]


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ('[{"a": 1}, 2, {"b": 3}]', [(2, "not_an_object")]),
        ('[{"a": 1},, {"b": 3}]', [(2, "bad_json")]),
        ('[{"a": 1}, {"b": 3},]', [(3, "bad_json")]),
        ('[{"a": 1}, {"b": "x\ny"}]', [(2, "bad_json")]),
        ('[{"a": 1}, {"b": 1 2}]', [(2, "bad_json")]),
        ('[{"a": 1}, {"b": 1\n2}]', [(2, "bad_json")]),
        ('[{"a": 1}, {"b": 1, "b": 2}]', [(2, "duplicate_key")]),
        ('[{"a": 1}, {"b": "\udcff"}]', [(2, "bad_utf8")]),
    ],
)
def test_an_element_that_is_no_row_is_refused_by_its_number(tmp_path, text, errors):
    (tmp_path / "a.json").write_bytes(text.encode(errors="surrogateescape"))
    assert errors_of(tmp_path / "a.json") == errors


@pytest.mark.parametrize("behind", ["x", "[]", '{"a": 1}', '"', "]", ","])
def test_what_follows_an_array_is_an_error(tmp_path, behind):
    (tmp_path / "a.json").write_text('[{"a": 1}]  ' + behind)
    with pytest.raises(Fatal, match=r"a\.json: something follows the JSON array of 1 row") as raised:
        entries_of(tmp_path / "a.json")
    assert raised.value.status == Exit.USAGE


def test_an_array_that_was_cut_is_incomplete_wherever_it_was_cut(tmp_path):
    whole = json.dumps([{"a": "x]"}, {"b": [1, {"c": "\\"}]}])
    for size in range(1, len(whole)):
        (tmp_path / "a.json").write_text(whole[:size])
        with pytest.raises(Fatal, match=r"the JSON array is cut off behind [0-2] whole rows?;") as raised:
            entries_of(tmp_path / "a.json")
        assert raised.value.status == Exit.INCOMPLETE


def test_an_array_needs_no_more_memory_than_its_rows(tmp_path):
    with gzip.open(tmp_path / "a.json.gz", "wb") as file:
        file.write(b"[" + b",".join([b'{"text": "%b"}' % (b"x" * 1000)] * 30_000) + b"]")
    tracemalloc.start()
    count = sum(1 for _ in read_rows(InputFiles([str(tmp_path / "a.json.gz")])))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 30_000
    assert peak < (6 << 20)


def test_an_element_over_the_limit_is_dropped_and_named(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([{"a": 1}, {"a": "x" * 100}, {"a": 2}]))
    found = entries_of(tmp_path / "a.json", max_line_bytes=50)
    assert [entry.error.kind if isinstance(entry, BadLine) else entry.fields["a"] for entry in found] == [
        1, "line_too_long", 2,
    ]  # fmt: skip


def test_lines_that_are_arrays_or_scalars_stay_lines(tmp_path):
    (tmp_path / "a.jsonl").write_text('[{"a": 1}]\n{"b": 2}\n[1]\nnull\n')
    assert errors_of(tmp_path / "a.jsonl") == [(1, "not_an_object"), (3, "not_an_object"), (4, "not_an_object")]


def test_parquet_is_read_by_its_first_bytes_with_the_numbers_of_its_rows(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"n": number, "messages": [{"role": "user", "content": "é"}]} for number in range(1000)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "data", row_group_size=300)
    assert rows_of(tmp_path / "data") == list(enumerate(rows, 1))


@settings(max_examples=50, deadline=None)
@given(rows=ROWS, name=st.sampled_from(["utf-16-le", "utf-16-be"]), size=st.integers(1, 9), is_array=st.booleans())
def test_text_in_utf_16_is_that_of_utf_8_at_every_chunk_boundary(tmp_path_factory, rows, name, size, is_array):
    path = tmp_path_factory.getbasetemp() / "utf-16"
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    text = f"[{','.join(lines)}]" if is_array else "\n".join([*lines, '{"a": "\U0001f600"}'])
    path.write_bytes(f"\ufeff{text}".encode(name))
    with pytest.MonkeyPatch.context() as patch:
        for module in (line_source, decompression):
            patch.setattr(module, "CHUNK", size)
        assert rows_of(path) == list(enumerate(rows if is_array else [*rows, {"a": "\U0001f600"}], 1))


def test_half_a_pair_of_surrogates_costs_its_own_line(tmp_path):
    lines = ['{"a": 1}', '{"a": "\ud83d"}', '{"a": 2}']
    (tmp_path / "rows").write_bytes(
        "\ufeff".encode("utf-16-le") + "\n".join(lines).encode("utf-16-le", "surrogatepass")
    )
    assert errors_of(tmp_path / "rows") == [(2, "bad_utf8")]


def archive(*names: str) -> bytes:
    """A ZIP archive of files that hold their names."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name in names:
            file.writestr(name, name)
    return data.getvalue()


OTHERS = {
    "csv": ("question,reference\n1+1?,2\n2+2?,4\n", "CSV"),
    "tsv": ("question\treference\n1+1?\t2\n", "TSV"),
    "pretty": (json.dumps({"data": [{"a": 1}]}, indent=2), "JSON over several lines"),
    "arrays": ('[1, 2]\n["a"]\n', "JSON arrays of what are no objects"),
    "turns, an array a line": (
        '[{"role": "user", "content": "a"}]\n[{"role": "user"}]\n',
        "JSON arrays of turns; a row is one JSON object: jq -c '{messages",
    ),
    "turns in one array": (
        '[\n [{"from": "human", "value": "a"}],\n [{"from": "gpt"}]\n]\n',
        "JSON arrays of turns; a row is one JSON object: jq -c '.\\[\\] . {messages",
    ),
    "turns over lines": (
        '[\n  [\n    {\n      "role": "user",\n "content": "a"}]]\n',
        "JSON arrays of turns; a row is one JSON object: jq -c '.\\[\\] . {messages",
    ),
    "scalars": ('[\n  "a",\n  "b"\n]\n', "JSON arrays of what are no objects"),
    "python": ("{'question': '1+1?', 'n': None}\n" * 2, "Python dictionaries"),
    "python list": ("[{'question': '1+1?'}, {'question': None}]", "Python dictionaries"),
    "yaml": ("- question: 1+1?\n  reference: 2\n", "YAML"),
    "html": ("<!DOCTYPE html>\n<html><head>\n", "an HTML page"),
    "lfs": ("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n", "a Git LFS pointer"),
    "text": ("Once upon a time.\nThere was a row.\nIt was none.\n", "no JSON Lines"),
    "strings": ('"one"\n"two"\n"three"\n', "no JSON Lines"),
    "utf-16": ('{"a": 1}\n{"a": 2}\n'.encode("utf-16-le"), "UTF-16"),
    "utf-16-be": ('{"a": 1}\n{"a": 2}\n'.encode("utf-16-be"), "UTF-16"),
    "latin-1": ('{"a": "\xe9"}\n'.encode("latin-1") * 4, "is not UTF-8; convert the file"),
    "zip": (b"PK\x03\x04\x14\0\0\n\n{", "a ZIP archive"),
    "pickle": (b"\x80\x04\x95\n\0.", "a Python pickle"),
    "arrow": (b"\xff\xff\xff\xff\x10\x01\0\0\n", "an Arrow stream"),
    "docx": (
        archive("[Content_Types].xml", "_rels/", "word/document.xml"),
        "an office document; save the table",
    ),
    "odt": (archive("mimetypeapplication/vnd.oasis.opendocument.text"), "an office document; save the table"),
    "xlsx in gzip": (gzip.compress(archive("[Content_Types].xml", "xl/workbook.xml")), "a workbook, or another office"),
    "parquet in gzip": (gzip.compress(b"PAR1\x15\x04PAR1"), "Parquet; "),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_of_another_format_is_one_error_that_names_it(tmp_path, name):
    text, format_name = OTHERS[name]
    (tmp_path / "rows").write_bytes(text if isinstance(text, bytes) else text.encode())
    counts = Counts()
    with pytest.raises(Fatal, match=f"rows: looks like .*{format_name}") as raised:
        list(read_rows(InputFiles([str(tmp_path / "rows")]), counts))
    assert raised.value.status == Exit.USAGE
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ('question,reference\n{"a": 1}\n', [(1, "bad_json")]),
        ('{"a": 1,\n{"a": 1}\n', [(1, "bad_json")]),
        ("{'a': 1}\n{\"a\": 1}\n", [(1, "bad_json")]),
        ('\0\0\0\n{"a": 1}\n', [(1, "bad_json")]),
        (
            '{"a": NaN, "a": 1}\n' + '{"a": 1, "a": 2}\n' * 3,
            [(1, "bad_json"), *((n, "duplicate_key") for n in (2, 3, 4))],
        ),
        ("one\n", [(1, "bad_json")]),
        ('{"a": 1', [(1, "truncated_line")]),
        ('{"a": 1}\n' + "one, two\n" * 3, [(2, "bad_json"), (3, "bad_json"), (4, "bad_json")]),
    ],
)
def test_rows_of_which_some_are_bad_are_refused_one_by_one(tmp_path, text, errors):
    (tmp_path / "rows").write_text(text)
    assert errors_of(tmp_path / "rows") == errors


def test_a_million_blanks_inside_an_element_cost_no_more_than_other_text(tmp_path):
    path = tmp_path / "rows.json"
    path.write_bytes(b'[{"a": 1' + b" " * (1 << 20) + b"}\n, " + b"\t" * (1 << 20) + b'\n{"a": 2}]')
    assert [fields for _, fields in rows_of(path)] == [{"a": 1}, {"a": 2}]


def test_two_columns_of_one_name_are_an_error_not_the_last_of_them(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    twice = pyarrow.Table.from_arrays([pyarrow.array(["1"]), pyarrow.array(["2"])], names=["reference", "reference"])
    parquet.write_table(twice, tmp_path / "data")
    with pytest.raises(Fatal, match='data: two columns have the name "reference"; ') as caught:
        entries_of(tmp_path / "data")
    assert caught.value.status == Exit.USAGE


def test_what_a_table_pads_is_left_out_and_other_nulls_stay(tmp_path):
    """Parquet gives a struct all keys that any of them has: a call has the arguments of all functions."""
    import pyarrow
    import pyarrow.parquet

    def calls(**arguments):
        return {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}

    rows = [
        {"messages": [{"role": "user", "content": "a"}, calls(a=1)], "votes": [{"outcome": None}], "label": None},
        {"messages": [{"role": "user", "content": "b"}, calls(b=[2])], "votes": [{"outcome": 1}], "label": 1},
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert [entry.fields for entry in entries_of(tmp_path / "a.parquet")] == rows
