"""CSV, Parquet and hub data sets as rows with their places, and what is said where they cannot be read."""

from __future__ import annotations

import csv
import io
import json
import random
import sys
from datetime import datetime, time, timedelta, timezone
from decimal import Decimal

import pytest

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.collect import sources
from libra_cli.stages.collect.presets import Hub
from libra_cli.stages.collect.sources import ReadOptions, SourceChain, file_origin, hub_origin
from libra_cli.stream.csv_rows import CsvSource
from libra_cli.stream.line_batch import LineBatch
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.tables import TableRows


def read_all(source) -> list[tuple[int, object]]:
    """(line, row or kind of error) of everything that `source` gives."""
    found = []
    while (batch := source.read()) is not None:
        for position, line in enumerate(batch.lines):
            error = batch.refused.get(position)
            if error or line.strip():
                found.append((batch.first + position, error.kind if error else json.loads(line)))
    return found


def from_csv(tmp_path, data: bytes, **options) -> list[tuple[int, object]]:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    return read_all(
        CsvSource(InputFiles([str(path)], csv=False, **options), ",", options.get("max_line_bytes", 1 << 20))
    )


def test_csv_cells_are_numbers_only_where_they_come_back_as_they_were(tmp_path):
    cells = ["5", "-0.5", "007", "1.50", "1e5", "1.0", "", "true", "12345678901234567890", "9" * 400, " 5", "-0"]
    row = from_csv(tmp_path, (",".join(f"c{n}" for n in range(12)) + "\n" + ",".join(cells)).encode())[0][1]
    assert list(row.values()) == [
        5,
        -0.5,
        "007",
        "1.50",
        "1e5",
        1.0,
        None,
        "true",
        12345678901234567890,
        "9" * 400,
        " 5",
        "-0",
    ]


@pytest.mark.parametrize(
    ("columns", "cells", "expected"),
    [
        ("question,response", "5,4", {"question": "5", "response": "4"}),
        ("Response,said,n", "4,4,4", {"Response": "4", "said": "4", "n": 4}),
        ("response,n,m", ",,1", {"response": "", "n": None, "m": 1}),
        ("said,n", ",4", {"said": "", "n": 4}),
        ("response,response_with_cot", ",<think>", {"response": None, "response_with_cot": "<think>"}),
        ("response_a,response_b,n", "x,,", {"response_a": "x", "response_b": "", "n": None}),
        ("response_a,response_b,n", ",,1", {"response_a": None, "response_b": None, "n": 1}),
        ("question,context,n", ",,1", {"question": None, "context": None, "n": 1}),
    ],
)
def test_a_number_is_text_and_an_empty_cell_a_silent_response_in_columns_of_those(tmp_path, columns, cells, expected):
    path = tmp_path / "a.csv"
    path.write_text(f"{columns}\n{cells}\n")
    ((_, row),) = read_all(InputFiles([str(path)], taken={"said": "response"}))
    assert row == expected


def test_a_number_in_a_column_of_texts_of_any_table_is_text_and_its_null_stays():
    table = TableRows("hub", iter([{"response": 4, "n": 4}, {"response": None, "n": 4}]))
    assert [row for _, row in read_all(table)] == [{"response": "4", "n": 4}, {"response": None, "n": 4}]


def test_csv_lines_are_counted_as_the_file_has_them(tmp_path):
    data = b'\xef\xbb\xbfa,b\r\n1,"x\r\n""y"""\r\n\r\n2,z\n3\n4,"w"\n'
    assert from_csv(tmp_path, data) == [
        (2, {"a": 1, "b": 'x\r\n"y"'}),
        (5, {"a": 2, "b": "z"}),
        (6, "ragged_line"),
        (7, {"a": 4, "b": "w"}),
    ]


def test_csv_that_is_broken_is_refused_line_by_line(tmp_path):
    data = b'a,b\n1,"x"y\n2,\xff\n3,ok\n4,"never\nclosed,\n'
    assert from_csv(tmp_path, data) == [(2, "bad_csv"), (3, "bad_utf8"), (4, {"a": 3, "b": "ok"}), (5, "bad_csv")]


def test_a_byte_that_is_no_utf8_costs_the_whole_row_of_csv_and_no_other(tmp_path):
    data = b'a,b\n\xff,"x\ny"\n2,"z\n\xff"\n3,ok\n\xff,"never\nclosed\n'
    found = from_csv(tmp_path, data)
    assert found == [(2, "bad_utf8"), (4, "bad_utf8"), (6, {"a": 3, "b": "ok"}), (7, "bad_csv")]


def test_an_empty_row_of_a_sheet_is_a_blank_line_of_csv(tmp_path):
    assert from_csv(tmp_path, b",,\na,b,c\n,,\n1,,\n,,,,\n") == [(4, {"a": 1, "b": None, "c": None})]
    assert from_csv(tmp_path, b'a\n""\n') == [(2, {"a": None})]


def test_csv_limits_hold_for_a_line_and_for_a_quoted_field(tmp_path):
    data = b"a,b\n1," + b"x" * 200 + b'\n2,"\n' + b"y" * 60 + b"\n" + b"z" * 60 + b"\n3,ok\n"
    assert from_csv(tmp_path, data, max_line_bytes=100) == [
        (2, "line_too_long"),
        (3, "line_too_long"),
        (6, {"a": 3, "b": "ok"}),
    ]


def test_any_csv_that_python_writes_is_read_back_however_it_arrives():
    rng = random.Random(11)
    cells = ["", "a", "x,y", 'say "no"', "two\nlines", '"', "\u2028", "a\r\nb", 'é\n\n"\n']
    rows = [[rng.choice(cells) for _ in range(3)] for _ in range(200)]
    text = io.StringIO()
    csv.writer(text).writerows([["p", "q", "r"], *rows])
    found = [row for _, row in read_all(CsvSource(Dribble(text.getvalue().encode(), rng), ",", 1 << 20))]
    assert [[cell or "" for cell in row.values()] for row in found] == [row for row in rows if any(row)]


class Dribble:
    """Gives the lines of `data` a few at a time, sometimes none."""

    def __init__(self, data: bytes, rng: random.Random):
        self._lines, self._rng, self._at = data.split(b"\n")[:-1], rng, 0

    def read(self, wait: float | None = None) -> LineBatch | None:
        count = self._rng.randrange(4)
        lines = self._lines[self._at : self._at + count]
        self._at += count
        return LineBatch("f", self._at - count + 1, lines) if lines or self._at < len(self._lines) else None


@pytest.mark.parametrize(
    ("header", "message"), [(b"a,b,a\n", 'two columns are named "a"'), (b"a,,b\n", "column 2 has no name")]
)
def test_csv_columns_need_names_of_their_own(tmp_path, header, message):
    with pytest.raises(Fatal, match=message) as raised:
        from_csv(tmp_path, header + b"1,2,3\n")
    assert raised.value.status == Exit.USAGE


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.csv", "csv"),
        ("a.CSV.GZ", "csv"),
        ("a.tsv.zst", "tsv"),
        ("a.parquet", "parquet"),
        ("a.jsonl.gz", "jsonl"),
        ("a", "jsonl"),
        ("a.csv.jsonl", "jsonl"),
        ("-", "jsonl"),
    ],
)
def test_the_name_says_the_format(path, expected):
    assert sources.format_of(path, None) == expected
    assert sources.format_of(path, "tsv") == "tsv"


def test_a_subset_is_called_as_its_file_or_data_set():
    assert file_origin("d/a.b.jsonl.gz").subset == "a.b"
    assert file_origin("a.parquet").subset == "a"
    assert file_origin("-").subset is None
    assert hub_origin(Hub("org/Set-1.5", "config")).subset == "Set-1.5"


def parquet(path, rows: list[dict]) -> str:
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(rows), path)
    return str(path)


def test_padded_keys_of_tools_are_left_out_under_the_name_that_they_had(tmp_path):
    calls = [{"function": {"name": "add", "x": 1, "q": None}}, {"function": {"name": "find", "x": None, "q": "a"}}]
    rows = [{"functions": calls, "extra": {"kwargs": {"style": None, "n": 1}, "kept": None}, "other": {"a": None}}]
    path = parquet(tmp_path / "a.parquet", rows)
    found = read_all(SourceChain([file_origin(path)], ReadOptions(padded=("functions", "extra.kwargs", "absent"))))
    trimmed = [{"function": {"name": "add", "x": 1}}, {"function": {"name": "find", "q": "a"}}]
    assert found == [(1, {"functions": trimmed, "extra": {"kwargs": {"n": 1}, "kept": None}, "other": {"a": None}})]


def test_parquet_rows_are_plain_json(tmp_path):
    import datetime

    rows = [
        {"q": "a?", "f": float("nan"), "d": datetime.date(2025, 2, 6), "m": {"x": [1, None]}, "n": 2**53 + 1},
        {"q": "b?", "f": 0.5, "d": None, "m": None, "n": None},
    ]
    path = parquet(tmp_path / "a.parquet", rows * 200)
    found = read_all(SourceChain([file_origin(path)], ReadOptions()))
    assert found[0] == (1, {"q": "a?", "f": None, "d": "2025-02-06", "m": {"x": [1, None]}, "n": 2**53 + 1})
    assert found[399] == (400, {"q": "b?", "f": 0.5, "d": None, "m": None, "n": None})
    assert len(found) == 400


def test_an_infinite_number_costs_its_row_only(tmp_path):
    path = parquet(tmp_path / "a.parquet", [{"f": 1.0}, {"f": float("inf")}, {"f": 2.0}])
    assert read_all(SourceChain([file_origin(path)], ReadOptions())) == [
        (1, {"f": 1.0}),
        (2, "not_json"),
        (3, {"f": 2.0}),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1.50"), "1.50"),
        (Decimal("-0.001"), "-0.001"),
        (Decimal("12345678901234567890.5"), "12345678901234567890.5"),
        (timedelta(days=1, seconds=2, microseconds=500_000), "PT86402.5S"),
        (timedelta(microseconds=-1), "-PT0.000001S"),
        (timedelta(0), "PT0S"),
        (datetime(2025, 2, 6, 12, 30, tzinfo=timezone.utc), "2025-02-06T12:30:00+00:00"),
        (time(12, 30), "12:30:00"),
        (b"caf\xc3\xa9", "caf\u00e9"),
        ([Decimal("1.0"), None], ["1.0", None]),
        ({"x": b"y"}, {"x": "y"}),
    ],
)
def test_values_of_tables_become_text(tmp_path, value, text):
    path = parquet(tmp_path / "a.parquet", [{"q": "a?", "v": value}])
    assert read_all(SourceChain([file_origin(path)], ReadOptions())) == [(1, {"q": "a?", "v": text})]


def test_times_keep_their_nanoseconds(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    columns = {"at": pyarrow.array([1], pyarrow.timestamp("ns")), "took": pyarrow.array([-1], pyarrow.duration("ns"))}
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    found = read_all(SourceChain([file_origin(str(tmp_path / "a.parquet"))], ReadOptions()))
    assert found == [(1, {"at": "1970-01-01T00:00:00.000000001", "took": "-PT0.000000001S"})]


@pytest.mark.parametrize("value", [b"\x89PNG", [b"\xff"], {"bytes": b"\xff\xd8"}])
def test_bytes_that_are_no_text_are_one_error_that_names_the_column(tmp_path, value):
    path = parquet(tmp_path / "a.parquet", [{"q": "a?", "image": value if n else None} for n in range(9)])
    with pytest.raises(Fatal, match=r'a\.parquet: the column "image" .*row 2\); write the table without it') as raised:
        read_all(SourceChain([file_origin(path)], ReadOptions()))
    assert raised.value.status == Exit.USAGE


def test_an_object_of_a_data_set_is_one_error_that_names_its_column_and_type():
    table = TableRows("hub", iter([{"q": "a?"}, {"q": "b?", "picture": object()}]))
    with pytest.raises(Fatal, match=r'hub: the column "picture" holds what JSON cannot \(object, first in row 2\)'):
        read_all(table)


def test_a_parquet_file_that_was_cut_is_incomplete(tmp_path):
    path = parquet(tmp_path / "a.parquet", [{"a": 1}])
    with open(path, "rb+") as file:
        file.truncate(40)
    with pytest.raises(Fatal, match="the Parquet file is cut off") as raised:
        read_all(SourceChain([file_origin(path)], ReadOptions()))
    assert raised.value.status == Exit.INCOMPLETE


@pytest.mark.parametrize(
    ("module", "origin"), [("pyarrow", file_origin), ("datasets", lambda name: hub_origin(Hub(name)))]
)
def test_a_missing_library_says_what_to_install(tmp_path, monkeypatch, module, origin):
    (tmp_path / "a.parquet").touch()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(Fatal, match=r"pip install 'libra-cli\[data\]'") as raised:
        read_all(SourceChain([origin(str(tmp_path / "a.parquet"))], ReadOptions()))
    assert raised.value.status == Exit.USAGE


def test_several_origins_follow_each_other(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"n": 1}\n')
    (tmp_path / "b.csv").write_text("n\n2\n")
    path = parquet(tmp_path / "c.parquet", [{"n": 3}])
    origins = [file_origin(str(tmp_path / "a.jsonl")), file_origin(str(tmp_path / "b.csv")), file_origin(path)]
    assert [row["n"] for _, row in read_all(SourceChain(origins, ReadOptions()))] == [1, 2, 3]
    with pytest.raises(Fatal, match="check the name"):
        SourceChain([*origins, file_origin(str(tmp_path / "none.csv"))], ReadOptions())


@pytest.fixture
def data_set(tmp_path, monkeypatch):
    """A folder in the form of a hub data set with two splits, which `datasets` itself loads."""
    pytest.importorskip("datasets")
    folder = tmp_path / "set" / "data"
    folder.mkdir(parents=True)
    parquet(folder / "train-0.parquet", [{"problem": "a?", "answer": 1.0}])
    parquet(folder / "test-0.parquet", [{"problem": "b?", "answer": 2.0}, {"problem": "c?", "answer": 3.0}])
    return str(tmp_path / "set")


def test_the_library_loads_a_data_set_by_name_and_split(data_set):
    found = read_all(SourceChain([hub_origin(Hub(data_set))], ReadOptions(split="test")))
    assert found == [(1, {"problem": "b?", "answer": 2.0}), (2, {"problem": "c?", "answer": 3.0})]
    assert len(read_all(SourceChain([hub_origin(Hub(data_set, split="train"))], ReadOptions()))) == 1


@pytest.mark.parametrize(
    ("hub", "split", "message"),
    [
        ("", None, r"has several splits; choose one: --split (train \| test|test \| train)"),
        ("", "dev", "choose with --hub NAME:CONFIG"),
        (":other", "test", "choose with --hub NAME:CONFIG"),
    ],
)
def test_a_wrong_split_or_configuration_is_a_usage_error(data_set, hub, split, message):
    with pytest.raises(Fatal, match=message) as raised:
        read_all(SourceChain([hub_origin(sources.parse_hub_name(data_set + hub))], ReadOptions(split=split)))
    assert raised.value.status == Exit.USAGE
