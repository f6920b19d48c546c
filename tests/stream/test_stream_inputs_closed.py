"""Whatever ends a command before the last row: the file that it reads is not left open."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from libra_cli.exits import Fatal
from libra_cli.stages.score.correlation import CorrelationAxes, correlation
from libra_cli.stages.score.reading import ScoreConfig
from libra_cli.stages.score.run import score
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import read_rows

ROW = {"id": "a", "question": "q", "reference": "1", "response": "\\boxed{1}", "label": 1, "score": 2, "x": 1, "y": 2}


@pytest.fixture
def rows_then_none(tmp_path):
    """A file that ends in a line which is no row, with more behind it than is read at once."""
    path = tmp_path / "rows.jsonl"
    row = json.dumps(ROW).encode() + b"\n"
    path.write_bytes(3 * row + b'{"label": 7}\n[]\n' + 20_000 * row)
    return str(path)


def is_open(path):
    links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return path in [os.readlink(link) for link in links if os.path.lexists(link)]


def test_rows_that_nobody_wants_any_more_close_their_file(rows_then_none):
    entries = read_rows(InputFiles([rows_then_none]))
    next(entries)
    assert is_open(rows_then_none)
    entries.close()
    assert not is_open(rows_then_none)


@pytest.mark.parametrize("kind", [None, "reasoning", "pairs"])
def test_a_score_that_is_refused(rows_then_none, kind):
    with pytest.raises(Fatal) as refused:  # which holds the frames that read
        score((rows_then_none,), ScoreConfig(kind=kind), lambda _: None)
    assert refused.value.status == 2
    assert not is_open(rows_then_none)


def test_a_correlation_that_is_refused(rows_then_none):
    with pytest.raises(Fatal) as refused:
        correlation((rows_then_none,), CorrelationAxes("x", "y", None, 0, 0))
    assert refused.value.status == 2
    assert not is_open(rows_then_none)


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "--limit", "2"],
        ["collect", "--limit", "2"],
        ["collect", "--limit", "2", "--format", "csv"],
        ["mix", "--limit", "2"],
    ],
)
def test_a_run_that_ends_early(rows_then_none, tmp_path, words):
    """In a process of its own, as a run takes over standard output."""
    script = """
import os, sys
from libra_cli.main import cli
try:
    cli(sys.argv[2:], standalone_mode=False)
except BaseException as error:
    kept = error
links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
sys.exit(sys.argv[1] in [os.readlink(link) for link in links if os.path.lexists(link)])
"""
    arguments = [rows_then_none, *words, "-q", "-o", str(tmp_path / "out.jsonl"), rows_then_none]
    subprocess.run([sys.executable, "-c", script, *arguments], check=True, timeout=120)
    assert (tmp_path / "out.jsonl").exists()
