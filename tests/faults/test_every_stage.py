"""Every stage meets every odd input and ending with the documented outcome, a new one as soon as it is listed."""

import gzip
import io
import json
import os
import pty
import re
import subprocess
from itertools import product
from pathlib import Path

import orjson
import pyarrow.json
import pytest
import thinned
import zstandard
from fault_rows import good_rows, jsonl, parsed
from manual_pages import CONTEXTS

from libra_cli.main import STAGES

COMMANDS = {
    "rollout": "rollout --engine replay --replay recorded.jsonl --model m",
    "judge": "judge --engine replay --replay recorded.jsonl --model m",
    "rs-filter": "rs-filter --task general",
    "dpo-pairs": "dpo-pairs --by label --unpaired",
    "merge": "merge --no-check",
}
"""How a stage is run where its name alone is not enough."""
"""From the name of a stage to that of its module."""
NO_ROWS = {"doctor", "dpo", "grpo", "models", "report", "review", "run", "schema", "score", "score correlate", "sft",
           "show", "train-rm", "trace"}  # fmt: skip
"""Subcommands that write no rows: they have tests of their own."""
ROWS_STAGES = [name for name in STAGES if name not in NO_ROWS]
WITH_REPORT = [name for name in ROWS_STAGES if "report" in {param.name for param in CONTEXTS[name].command.params}]


def recorded(rows: list[dict]) -> bytes:
    """Responses to these problems, and votes on these responses."""
    votes = [{"id": f"{row['id']}/m/0", "model": "m", "sample": 0, "response": "[[score=3]]"} for row in rows]
    return jsonl([*rows, *votes])


GOOD = good_rows(8)
LINES = [json.dumps(row).encode() for row in GOOD]


def text(lines: list[bytes], end: bytes = b"\n") -> bytes:
    return end.join(lines) + end


def with_bad(bad: bytes) -> bytes:
    """Good rows with a bad one among them."""
    return text([*LINES[:3], bad, *LINES[3:]])


def changed(**fields) -> bytes:
    return json.dumps({**GOOD[0], **fields}).encode()


ACCEPTED = {
    "as they are": text(LINES),
    "BOM": b"\xef\xbb\xbf" + text(LINES),
    "CRLF": text(LINES, b"\r\n"),
    "no newline at the end": text(LINES)[:-1],
    "blank lines": b"\n" + text(LINES, b"\n \t\n\n"),
    "gzip": gzip.compress(text(LINES)),
    "zstd": zstandard.ZstdCompressor().compress(text(LINES)),
    "U+2028": text(LINES).replace(b"?", "\u2028\u2029\u0085\x0c?".encode().replace(b"\x0c", b"\\f")),
    "NUL": text(LINES).replace(b"?", b"\\u0000?"),
    "long integers": text(LINES).replace(b'"sample"', b'"extra": 1%b, "sample"' % (b"0" * 4000)),
}
REFUSED = {
    "NaN": (LINES[0].replace(b'"sample": 0', b'"sample": NaN'), "bad_json"),
    "invalid UTF-8": (LINES[0].replace(b"?", b"\xff?"), "bad_utf8"),
    "half a surrogate pair": (LINES[0].replace(b"?", b"\\ud800?"), "bad_json"),
    "duplicate keys": (LINES[0].replace(b'"sample": 0', b'"sample": 0, "sample" :0'), "duplicate_key"),
    "too many digits": (LINES[0].replace(b'"sample": 0', b'"extra": ' + b"1" * 10**4), "number_too_long"),
    "too deep": (LINES[0].replace(b'"sample": 0', b'"extra": ' + b"[" * 10**5 + b"]" * 10**5), "too_deep"),
    "an array": (b"[%b]" % LINES[0], "not_an_object"),
    "a huge line": (changed(question="x" * (64 << 20)), "line_too_long"),
}


@pytest.fixture
def run(shell, tmp_path):
    """`run(stage, data, rest)` pipes data through a stage, in a shell with pipefail."""
    (tmp_path / "recorded.jsonl").write_bytes(recorded(GOOD))

    def piped(stage: str, data: bytes, rest: str = ""):
        (tmp_path / "in").write_bytes(data)
        return shell(f"set -o pipefail; libra {COMMANDS.get(stage, stage)} --errors errors.jsonl {rest} < in")

    return piped


@pytest.mark.parametrize(("stage", "name"), thinned.every(5, product(ROWS_STAGES, ACCEPTED)))
def test_odd_bytes_that_are_no_fault(run, stage, name):
    data = ACCEPTED[name]
    ended = run(stage, data)
    assert ended.status == 0, ended.err
    rows = parsed(ended.out)
    assert {row["id"] for row in rows} == {row["id"] for row in GOOD}
    assert all(orjson.loads(line) for line in ended.out.splitlines() if len(line) < 4000)
    assert len(ended.out.decode().splitlines()) == len(rows)  # not even a naive reader splits a row
    subprocess.run(["jq", "-e", "."], input=ended.out, stdout=subprocess.DEVNULL, check=True)
    if b"0" * 4000 not in data:
        assert pyarrow.json.read_json(io.BytesIO(ended.out)).num_rows == len(rows)


@pytest.mark.parametrize(("stage", "name"), thinned.every(3, product(ROWS_STAGES, REFUSED)))
def test_a_bad_row_is_refused_alone(run, tmp_path, stage, name):
    bad, kind = REFUSED[name]
    ended = run(stage, with_bad(bad))
    assert ended.status == 3, ended.err
    assert {row["id"] for row in parsed(ended.out)} == {row["id"] for row in GOOD}
    (refused,) = parsed((tmp_path / "errors.jsonl").read_bytes())
    assert (refused["class"], refused["stage"], refused["place"]) == (kind, stage, "<stdin>:4")
    assert b"<stdin>:4: " in ended.err
    assert b"errors (%b 1)" % kind.encode() in ended.err


@pytest.mark.parametrize("stage", ROWS_STAGES)
def test_a_torn_last_line_is_refused_and_said_to_be_one(run, tmp_path, stage):
    ended = run(stage, text(LINES) + LINES[0][:-20])
    assert ended.status == 3, ended.err
    assert {row["id"] for row in parsed(ended.out)} == {row["id"] for row in GOOD}
    assert [row["class"] for row in parsed((tmp_path / "errors.jsonl").read_bytes())] == ["truncated_line"]


@pytest.mark.parametrize("stage", ROWS_STAGES)
def test_an_input_that_is_cut_off_is_incomplete(run, stage):
    ended = run(stage, gzip.compress(text(LINES))[:-9])
    assert ended.status == 7
    assert b"<stdin>: the compressed input ends in the middle" in ended.err


@pytest.mark.parametrize("stage", ROWS_STAGES)
def test_a_reader_that_leaves_ends_the_stage_in_silence(run, tmp_path, stage):
    many = [{**row, "response": row["response"] + " " * 20_000} for row in good_rows(150)]
    (tmp_path / "recorded.jsonl").write_bytes(recorded(many))
    ended = run(stage, jsonl(many), "-q < in | head -1; echo ${PIPESTATUS[0]} >&2; true")
    assert (ended.status, ended.err) == (0, b"141\n")
    assert len(parsed(ended.out)) == 1


@pytest.mark.parametrize("stage", ROWS_STAGES)
@pytest.mark.parametrize("where", ["> /dev/full", "-o /dev/full"])
def test_a_full_disk_is_a_failure(run, stage, where):
    ended = run(stage, text(LINES), where)
    assert ended.status == 74, ended.err
    assert b"cannot be written (No space left on device); free some space and run again" in ended.err
    counts = ended.err.splitlines()[-1]
    assert b" in = " in counts
    assert not re.search(rb"(?<![\w.])-\d", counts), "no count is below zero, whatever was not written"


@pytest.mark.parametrize("stage", WITH_REPORT)
def test_a_report_that_cannot_be_written_is_refused_before_a_row_is_read(run, stage):
    """A status of 2 says that nothing was done, and nobody pays for judgments whose figures are lost."""
    ended = run(stage, text(LINES), "--report nowhere/report.json")
    assert (ended.status, ended.out) == (2, b"")
    assert b"nowhere/report.json" in ended.err
    assert b" in = " not in ended.err or b" 0 in = " in ended.err


@pytest.mark.parametrize("stage", ROWS_STAGES)
@pytest.mark.parametrize(
    ("option", "status"), [("--expect-rows 8", 0), ("--expect-rows 9", 7), ("--expect-manifest missing.json", 7)]
)
def test_an_input_that_is_not_all_of_it_is_noticed(run, stage, option, status):
    ended = run(stage, text(LINES), option)
    assert ended.status == status, ended.err


@pytest.mark.parametrize("stage", ROWS_STAGES)
def test_the_same_command_again_changes_nothing(run, tmp_path, stage):
    statuses, seen = [], []
    for _ in range(2):
        statuses.append(run(stage, text(LINES), "-o out.jsonl").status)
        seen.append((tmp_path / "out.jsonl").read_bytes())
    assert statuses == [0, 0]
    assert seen[0] == seen[1]
    assert {row["id"] for row in parsed(seen[0])} == {row["id"] for row in GOOD}
    left = {path.name for path in tmp_path.iterdir()} - {"in", "recorded.jsonl", "errors.jsonl"}
    assert left == {"out.jsonl", "out.jsonl.libra.json"}


@pytest.mark.parametrize("stage", ROWS_STAGES)
def test_rows_do_not_depend_on_locale_time_zone_or_hash_seed(run, shell, tmp_path, stage):
    data = text([line.replace(b"?", " \u00e9\u4e2d?".encode()) for line in LINES])
    plain = run(stage, data)
    for env in (
        {"LC_ALL": "C", "PYTHONUTF8": "0", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1"},
        {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii", "TZ": "UTC", "PYTHONHASHSEED": "2"},
    ):
        again = shell(f"libra {COMMANDS.get(stage, stage)} < in", env=env)
        assert (again.status, again.out) == (0, plain.out)


@pytest.mark.parametrize("stage", ROWS_STAGES)
def test_a_terminal_as_input_is_a_usage_error_and_no_hang(environment, tmp_path, stage):
    (tmp_path / "recorded.jsonl").write_bytes(recorded(GOOD))
    ours, theirs = pty.openpty()
    words = ["libra", *COMMANDS.get(stage, stage).split()]
    ended = subprocess.run(
        words, stdin=theirs, capture_output=True, cwd=tmp_path, env=environment, timeout=60, check=False
    )
    os.close(ours)
    os.close(theirs)
    assert ended.returncode == 2
    assert b"there is no input: name a file, or pipe rows in" in ended.stderr


CLOSED = {
    "<&-": (2, "there is no input: name a file, or pipe rows in"),
    ">&- < in": (74, "standard output: cannot be written (Bad file descriptor)"),
    "2>&- < in": (0, ""),
    ">&- -o out.jsonl < in": (0, "8 in = 8 out"),
}


@pytest.mark.parametrize(("stage", "closed"), thinned.every(3, product(ROWS_STAGES, CLOSED)))
def test_a_closed_stream_is_never_taken_for_another_file(run, shell, tmp_path, stage, closed):
    status, said = CLOSED[closed]
    run(stage, text(LINES))
    ended = shell(f"libra {COMMANDS.get(stage, stage)} {closed}")
    assert ended.status == status, ended.err
    assert said.encode() in ended.err
    assert (tmp_path / "in").read_bytes() == text(LINES)


def test_the_commands_above_are_of_stages_that_exist():
    assert set(COMMANDS) | NO_ROWS <= set(STAGES)
    folders = {name.split(" ")[0].replace("-", "_") for name in STAGES}
    assert all((Path(__file__).parents[2] / "libra_cli" / "stages" / name / "command.py").exists() for name in folders)
