"""What a terminal shows while stages work: one line for a whole pipe, and none where rows come out."""

from __future__ import annotations

import os
import re
import shutil
import sys

import pytest
from fault_rows import STAGES, jsonl, problem_rows
from pseudo_terminal import PseudoTerminal

from libra_cli.stream import progress
from libra_cli.stream.progress import InputRows, StageProgress, line_of

STAGE = f"{sys.executable} {STAGES}"


@pytest.fixture
def shell_at_terminal(tmp_path, environment):
    """Starts a line of shell on 60 rows at a pseudo-terminal."""
    (tmp_path / "in").write_bytes(jsonl(problem_rows(60)))
    return lambda line: PseudoTerminal(["sh", "-c", line], tmp_path, environment)


def test_a_pipe_of_three_shows_one_line_and_takes_it_away(shell_at_terminal):
    slow = f"{STAGE} measure --seconds 0.04"
    with shell_at_terminal(f"{slow} in | cat | {slow} | {STAGE} pass -q > out") as terminal:
        shown = terminal.wait_until(lambda: "libra measure" in terminal.text and " | measure" in terminal.text)
        assert shown.strip().count("\n") == 0
        assert re.search(r"^libra measure \d+ of 60.* \| measure ", shown)
        assert terminal.end() == 0
        lines = terminal.text.split()
        assert (lines[0], terminal.text.count("60 in = 60 out"), "|" in terminal.text) == ("libra", 2, False)


def test_no_line_of_an_earlier_stage_stands_in_a_pipe_of_four(shell_at_terminal):
    first, *others = (f"{STAGE} measure --seconds {seconds}" for seconds in (0.01, 0, 0.005, 0.015))
    pipe = " | ".join([f"{first} in", *others])
    most = 0

    def is_over() -> bool:
        nonlocal most
        most = max(most, sum(" | measure" in line or "rows/s" in line for line in terminal.text.splitlines()))
        return "the end" in terminal.text

    with shell_at_terminal(f"{pipe} > out; echo the end") as terminal:
        terminal.wait_until(is_over)
        assert terminal.end() == 0
        left = [line for line in terminal.text.splitlines() if line and "60 in = 60 out" not in line]
    assert (most, left) == (1, ["the end"])


@pytest.mark.parametrize("reader", ["cut -c1-12 | head -n 2", "cat"])
def test_the_line_is_gone_before_a_row_comes_out_on_the_terminal(shell_at_terminal, tmp_path, reader):
    rows = "(until test -e go; do sleep 0.1; done; cat in)"
    with shell_at_terminal(f"{rows} | {STAGE} measure --seconds 0.02 | {reader}") as terminal:
        terminal.wait_for("libra measure: waiting for rows")
        (tmp_path / "go").touch()
        terminal.wait_for('{"id": "p0",', '{"id": "p1",')
        terminal.end()
    first, *later = re.split(rb'(?=\{"id")', terminal.raw)
    assert re.search(rb"(\r\x1b\[K|already done \([\d.]+ s\)\r\n)$", first)  # cut may hold its rows until the end
    assert not any(b"rows/s" in row for row in later)


@pytest.mark.skipif(shutil.which("less") is None, reason="less is not installed")
def test_a_pager_has_the_screen_for_itself(shell_at_terminal):
    with shell_at_terminal(f"{STAGE} measure --seconds 0.02 in | LESS= less") as terminal:
        terminal.wait_for('{"id": "p0",', '{"id": "p1",')
        terminal.wait_for("already done")  # less has one screen of 60 rows, and the stage its last line
        assert b"rows/s" not in re.split(rb'(?=\{"id")', terminal.raw, maxsplit=1)[1]
        terminal.press("q")
        terminal.end()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"{STAGE} pass in > out", "libra pass: 60 in = 60 out"),
        (f"{sys.executable} -m libra_cli rollout --model ./none in", "libra rollout: --model ./none: there is no such"),
        (f"{sys.executable} -m libra_cli rolout", "libra: there is no stage rolout"),
    ],
)
def test_a_message_stands_on_the_line_that_another_stage_has_drawn(shell_at_terminal, command, said):
    with shell_at_terminal(f"printf 'libra rollout starting | judge waiting' >&2; {command}") as terminal:
        terminal.end()
        assert terminal.text.startswith(said)


def test_ctrl_c_in_a_pipe_ends_every_stage_with_130_and_its_account(shell_at_terminal):
    reader = f"{sys.executable} -c 'import sys, time; sys.stdin.readline(); time.sleep(60)' > /dev/null 2>&1"
    slow = f"{STAGE} measure --seconds 0.05 in"
    with shell_at_terminal(f"(trap : INT; {slow}; echo ended with $? >&2) | {reader}") as terminal:
        terminal.wait_for("libra measure: ", " of 60")
        terminal.press("\x03")
        shown = terminal.wait_for("ended with")
        assert "ended with 130" in shown
        assert "; stopped" in shown


def test_a_line_has_as_many_figures_as_fit():
    one = StageProgress("rollout", "", 640, 1200, 64, 3, 110.3, 3214.0)
    full = "libra rollout: 640 of 1,200 (53%), 110 rows/s, 3,214 tokens/s, 3 errors, 0:05 left"
    assert line_of([one]) == full
    assert line_of([one], 70) == "libra rollout: 640 of 1,200, 3,214 tokens/s, 3 errors, 0:05 left"
    pipe = [one, StageProgress("verify", done=600), StageProgress("judge", "waiting for rows")]
    assert line_of(pipe, 90) == "libra rollout 640 of 1,200, 3 errors, 0:05 left | verify 600 rows | judge waiting"
    assert line_of(pipe, 79) == "libra rollout 640 of 1,200 | verify 600 | judge waiting"
    loading = [one, StageProgress("judge", "loading libra-mini/medium on vLLM (CPU)")]
    assert line_of(loading, 60) == "libra rollout 640 of 1,200 | judge loading"[:60]
    assert line_of([StageProgress("judge", done=0, at_work=64)]) == "libra judge: 0 rows, 64 at work"
    assert one.figures() == {
        "done": 640, "total": 1200, "at_work": 64, "rows_per_second": 110.3, "tokens_per_second": 3214.0,
        "seconds_left": 5,
    }  # fmt: skip


def test_rows_are_counted_where_lines_are_rows(tmp_path):
    (tmp_path / "a").write_bytes(b"{}\n{}\n{}")
    (tmp_path / "array").write_bytes(b"[{}]")
    plain = str(tmp_path / "a")
    assert InputRows([plain, plain], None).look() == 6
    assert InputRows([plain], 2).look() == 2
    assert [InputRows([plain, other], None).look() for other in (str(tmp_path / "array"), "-")] == [None, None]
    (tmp_path / "table.csv").write_bytes(b'a,b\n1,"two\nlines"\n')
    assert InputRows([str(tmp_path / "table.csv")], None).look() is None


def test_what_is_counted_before_work_begins_depends_on_bytes_and_not_on_time(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "_CHUNK", 8)
    monkeypatch.setattr(progress, "_COUNTED_BYTES", 30)
    (tmp_path / "rows").write_bytes(b"{}\n" * 10)
    (tmp_path / "more").write_bytes(b"{}\n" * 11)
    monkeypatch.setattr(progress, "_COUNT_SECONDS", 1e-5)  # a look of a busy machine
    assert InputRows([str(tmp_path / "rows")], None).count() == 10
    assert InputRows([str(tmp_path / "more")], None).count() is None
    assert InputRows([str(tmp_path / "more")], 5).count() == 5
    monkeypatch.setattr(progress, "_COUNT_SECONDS", 1.0)  # the monitor may have counted all before
    rows = InputRows([str(tmp_path / "more")], None)
    assert (rows.look(), rows.count()) == (11, None)


def test_a_named_pipe_is_not_opened_to_count_its_rows(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert InputRows([str(tmp_path / "pipe")], None).look() is None  # to open it would wait for a writer
