"""`libra balance` from a shell: the same bytes from any input, bounded memory, and every way it can end."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.counts import Counts
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import read_rows
from libra_cli.stream.row_store import AHEAD, OPEN_FILES, RowStore
from libra_cli.stream.rows import Row

LIBRA = str(Path(sys.executable).parent / "libra")
ROOT = Path(__file__).resolve().parents[2]


def responses(count=300, seed=0):
    """Labelled rows of several cells, some of them equal, unlabelled, without a response, or equal but for a note."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        text = draw.choice(["<think>hm</think>It is {}.", "It is {}.", "<think>hm {}"]).format(draw.randrange(3))
        made.append(
            {
                "id": f"p{draw.randrange(12)}",
                "subset": draw.choice(["Ä", "B"]),
                "model": draw.choice(["m", "n"]),
                "sample": draw.randrange(4),
                "response": text,
                "label": draw.choice([0, 1, 1, None]),
                "note": number % 7,
            }
        )
    return [{**fields, "question": f"What is {fields['id']}?", "reference": "1"} for fields in made]


def jsonl(fields_of_rows):
    return "".join(json.dumps(fields, ensure_ascii=False) + "\n" for fields in fields_of_rows).encode()


# -- the same bytes from any input -------------------------------------------------------------------------------------


def test_the_bytes_do_not_depend_on_the_order_or_the_way_of_the_input(shell, tmp_path):
    made = responses()
    whole = jsonl(made)
    random.Random(1).shuffle(made)
    shuffled = jsonl(made)
    (tmp_path / "a.jsonl").write_bytes(whole)
    (tmp_path / "b.jsonl").write_bytes(shuffled)
    (tmp_path / "b.gz").write_bytes(gzip.compress(shuffled))
    (tmp_path / "b.zst").write_bytes(zstandard.compress(shuffled))
    lines = shuffled.splitlines(keepends=True)
    (tmp_path / "c1").write_bytes(b"\xef\xbb\xbf" + b"".join(lines[:100]).replace(b"\n", b" \r\n\n"))
    (tmp_path / "c2.gz").write_bytes(gzip.compress(b"".join(lines[100:200])))
    (tmp_path / "c3").write_bytes(b"".join(lines[200:]).rstrip(b"\n"))
    (tmp_path / "d").write_bytes(b"not ours\n" + shuffled)
    ways = [
        "libra balance -q a.jsonl",
        "libra balance -q b.jsonl",
        "cat b.jsonl | libra balance -q",
        "libra balance -q b.gz",
        "libra balance -q < b.zst",
        "libra balance -q c1 - c3 < c2.gz",
        "{ read -r; libra balance -q; } < d",  # standard input is a file of which a part was read before
        "PYTHONHASHSEED=1 LC_ALL=C TZ=Asia/Tokyo libra balance -q b.jsonl -o out && cat out",
    ]
    results = [shell(way) for way in ways]
    assert [ended.status for ended in results] == [0] * len(ways), [ended.err for ended in results]
    assert results[0].out.count(b"\n") > 40
    assert [ended.out == results[0].out for ended in results] == [True] * len(ways)


def test_balancing_again_changes_nothing(shell):
    once = shell("libra balance -q", input=jsonl(responses()))
    assert shell("libra balance -q", input=once.out).out == once.out


def test_the_output_is_even_and_adds_up(shell):
    ended = shell("libra balance --log-format json", input=jsonl(responses()))
    written = [json.loads(line) for line in ended.out.splitlines()]
    *_, census, last = [json.loads(line) for line in ended.err.splitlines()]
    kept = Counter((fields["subset"], fields["model"], fields["label"]) for fields in written)
    for subset, model, label in kept:
        assert kept[subset, model, label] == kept[subset, model, 1 - label] > 0
    assert all(fields["response"].startswith("It is") for fields in written)
    assert census["census"]["samples"] == len(written)
    assert last["in"] == 300 == last["out"] + sum(last["filtered"].values())
    assert set(last["filtered"]) == {"no_response", "unlabelled", "duplicate", "contradictory", "surplus"}


# -- memory ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_of_each_row_numbers_are_held_and_no_text(environment):
    """At most 150 bytes a row, whatever its size: 60,000 rows of 1 kB against 10,000 of them."""
    script = [sys.executable, str(ROOT / "benchmarks" / "balance_memory"), "--bytes", "1000", "--rows"]
    peaks = {}
    for count in (10_000, 60_000):
        ended = subprocess.run([*script, str(count)], env=environment, capture_output=True, text=True, check=True)
        peaks[count] = [figure["value"] for figure in json.loads(ended.stdout.splitlines()[-1])["figures"]]
    assert len(peaks[10_000]) == 2, "from a pipe and from a file"
    for small, large in zip(peaks[10_000], peaks[60_000], strict=True):
        assert (large - small) * 1e6 / 50_000 < 150


# -- rows that are read again ------------------------------------------------------------------------------------------


LINES = st.lists(
    st.one_of(st.binary(max_size=30), st.sampled_from([b"{}", b" {}\r", b'{"a":1}'])).map(
        lambda line: line.replace(b"\n", b"")
    ),
    max_size=9,
)


@settings(max_examples=60)
@given(LINES, st.booleans(), st.booleans())
def test_a_row_is_found_again_where_it_says(tmp_path_factory, lines, bom, ended):
    data = b"\xef\xbb\xbf" * bom + b"\n".join([b"{}", *lines]) + b"\n" * ended  # else it may look like another format
    path = tmp_path_factory.mktemp("lines") / "in.jsonl"
    path.write_bytes(data)
    counts = Counts()
    found = list(read_rows(InputFiles([str(path)], max_line_bytes=20), counts))
    for row in found:
        if isinstance(row, Row):
            assert data[row.offset : row.offset + len(row.raw)] == row.raw
    assert len(found) + counts.blank == len(data.split(b"\n")) - (not data or data.endswith(b"\n"))


def test_what_cannot_be_read_again_has_no_place(tmp_path):
    path = tmp_path / "in.gz"
    path.write_bytes(gzip.compress(b"{}\n"))
    (row,) = read_rows(InputFiles([str(path)]), Counts())
    assert row.offset is None


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b'{"a":2}\n'), Path.unlink])
def test_a_file_that_changes_meanwhile_ends_the_run(tmp_path, damage):
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"a":1}\n')
    with RowStore() as store:
        location = store.keep(Row({"a": 1}, b'{"a":1}', str(path), 1, 0))
        damage(path)
        with pytest.raises(Fatal, match=r"in\.jsonl: it .*; leave it alone while this runs, and run again") as caught:
            store.row(location)
    assert caught.value.status == Exit.INCOMPLETE


def test_many_rows_come_in_the_order_in_which_they_are_wanted(tmp_path):
    """Of a file and of the spool in turn, and more than are asked of the disk at once."""
    raws = [b'{"a":%5d}' % number for number in range(2 * AHEAD + 10)]
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\n".join(raws))
    with RowStore() as store:
        offsets = [12 * number if number % 3 else None for number in range(len(raws))]
        made = [Row({}, raw, str(path), 7, offset) for raw, offset in zip(raws, offsets, strict=True)]
        locations = [store.keep(row) for row in made]
        wanted = random.Random(0).sample(range(len(raws)), len(raws))
        found = list(store.rows_at((locations[number], number) for number in wanted))
        assert [(row.raw, number) for row, number in found] == [(raws[number], number) for number in wanted]
        assert {row.place for row, _ in found} == {str(path), f"{path}:7"}, "the line of a row that was copied is known"
        assert found[0][0].fields == {"a": wanted[0]}


def test_more_files_than_may_be_open(tmp_path):
    count = OPEN_FILES + 20
    for number in range(count):
        (tmp_path / f"{number}").write_bytes(b'{"a":%d}\n' % number)
    before = len(os.listdir("/proc/self/fd"))
    with RowStore() as store:
        raws = [b'{"a":%d}' % number for number in range(count)]
        made = [Row({}, raw, str(tmp_path / f"{number}"), 1, 0) for number, raw in enumerate(raws)]
        locations = [store.keep(row) for row in made]
        assert [store.row(location).raw for location in locations * 2] == raws * 2
        assert len(os.listdir("/proc/self/fd")) <= before + OPEN_FILES
    assert len(os.listdir("/proc/self/fd")) == before


# -- how it ends -------------------------------------------------------------------------------------------------------


def test_a_full_spool_ends_the_run_with_74_and_the_cure(shell):
    # A file size limit stands for a full disk: both refuse the write.
    draw = random.Random(0)
    made = [{**fields, "response": draw.randbytes(3000).hex()} for fields in responses(30)]
    ended = shell(
        "mkdir spool; ulimit -f 16; PYTHONDONTWRITEBYTECODE=1 libra balance --spool-dir spool", input=jsonl(made)
    )
    assert ended.status == 74
    assert ended.out == b""
    assert b"spool in spool: cannot be written (File too large)" in ended.err
    assert b"or name another folder with --spool-dir" in ended.err


def test_a_spool_that_cannot_be_made_ends_the_run_with_2(shell):
    ended = shell("libra balance --spool-dir nowhere", input=jsonl(responses(1)))
    assert ended.status == 2
    assert b"nowhere: there is no such folder; make it" in ended.err
    assert b"--spool-dir" in ended.err


def test_nothing_is_left_in_the_spool_folder(shell):
    ended = shell("mkdir spool; libra balance -q --spool-dir spool > out; ls -A spool", input=jsonl(responses()))
    assert (ended.status, ended.out) == (0, b"")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR1, 75)])
def test_a_run_that_is_stopped_while_it_reads_writes_nothing(environment, number, status, tmp_path):
    process = subprocess.Popen(
        [LIBRA, "balance", "--report", "census.json"],
        env=environment,
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdin.write(jsonl(responses(2000)))
    process.stdin.flush()  # more than a pipe holds: part of it has been taken when this returns
    process.send_signal(number)
    assert process.wait(60) == status
    with process:
        assert process.stdout.read() == b""
        assert b"not finished" in process.stderr.read()
    assert not (tmp_path / "census.json").exists()


def test_a_reader_that_leaves_is_not_complained_about(shell):
    many = [{**fields, "sample": number} for number, fields in enumerate(responses(5000))]
    ended = shell("set -o pipefail; libra balance | head -1", input=jsonl(many))
    assert ended.status == 141
    assert ended.out.count(b"\n") == 1
    assert all(" short of " in line for line in ended.err.decode().splitlines()), "said before the first row"


def test_quiet_says_nothing(shell):
    assert shell("libra balance -q --per-cell 1000", input=jsonl(responses())).err == b""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--report in.jsonl in.jsonl", "in.jsonl: the same run uses this file already"),
        ("--report out.jsonl in.jsonl -o out.jsonl", "out.jsonl: the same run uses this file already"),
        (
            "--report no/where in.jsonl",
            "no/where: cannot be written (No such file or directory); check the name and the folder",
        ),
        ("--report . in.jsonl", ".: cannot be written (Is a directory)"),
        ("--per-cell 0 in.jsonl", "'0' is neither N nor SUBSET=N"),
        ("--per-cell B=x in.jsonl", "'B=x' is neither N nor SUBSET=N"),
        ("--per-cell 2 --per-cell 3 in.jsonl", "is given twice for all subsets"),
        ("--per-cell B=2 --per-cell B=3 in.jsonl", "is given twice for B; keep one of them"),
        ("--per-cell C=1 in.jsonl", "--per-cell C=N: no row is of that subset; the subsets are: B, Ä"),
        ("--thinking-markers thnk in.jsonl", "'thnk' is neither OPEN,CLOSE nor one of think"),
    ],
)
def test_usage_errors_name_the_cure_and_spoil_nothing(shell, tmp_path, words, message):
    data = jsonl(responses(20))
    (tmp_path / "in.jsonl").write_bytes(data)
    ended = shell(f"libra balance {words}")
    assert (ended.status, ended.out) == (2, b"")
    assert message in ended.err.decode()
    assert (tmp_path / "in.jsonl").read_bytes() == data


def test_a_scalar_in_a_config_file_is_one_value(shell, tmp_path):
    (tmp_path / "b.yaml").write_text("per-cell: 2\nthinking-markers: think\n")
    data = jsonl(responses())
    by_file = shell("libra balance -q --config b.yaml", input=data)
    assert by_file.out == shell("libra balance -q --per-cell 2 --thinking-markers think", input=data).out
    assert by_file.out.count(b"\n") == 16
