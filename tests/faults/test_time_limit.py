"""Work in the main process that gets stuck costs its own row alone: it is undecided, and all others are as ever."""

from __future__ import annotations

import gc
import json
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from libra_cli.answers.time_limit import limited, time_limit

STUCK_READERS = Path(__file__).parents[1] / "helpers/slow_readers.py"
ROWS = [
    {"id": "right", "question": "2 + 2?", "reference": "4", "response": "so \\boxed{4}"},
    {"id": "stuck", "question": "3 + 3?", "reference": "6", "response": "stuck, \\boxed{6}"},
    {"id": "wrong", "question": "2 + 3?", "reference": "5", "response": "so \\boxed{4}"},
    {"id": "again", "question": "3 + 4?", "reference": "7", "response": "stuck again, \\boxed{7}"},
    {"id": "last", "question": "4 + 4?", "reference": "8", "response": "so \\boxed{8}"},
]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


@pytest.mark.parametrize("kind", ["pattern", "python", "stubborn"])
def test_verify_gives_a_row_whose_answer_cannot_be_read_in_time_no_label(kind, rows, shell):
    ended = shell([sys.executable, str(STUCK_READERS), kind, "verify", "--hard-timeout", "0.3", str(rows)])
    assert ended.status == 0, ended.err
    written = [json.loads(line) for line in ended.out.splitlines()]
    assert [(row["id"], row["label"]) for row in written] == [
        ("right", 1), ("stuck", None), ("wrong", 0), ("again", None), ("last", 1),
    ]  # fmt: skip
    stuck = written[1]["verification"]
    assert stuck == {"by": None, "answer": None, "reason": "verify_timeout"}
    assert b"2 correct, 1 incorrect, 2 undecided (verify_timeout 2)" in ended.err


def test_a_panel_without_the_rule_gets_the_row_without_its_answer(rows, shell):
    (rows.parent / "none.jsonl").write_text("")
    panel = ["--rule", "never", "--annotator", "replay", "--engine", "replay", "--replay", "none.jsonl"]
    ended = shell([sys.executable, str(STUCK_READERS), "pattern", "verify", "--hard-timeout", "0.3", *panel, str(rows)])
    assert ended.status == 0, ended.err
    written = {row["id"]: row["verification"]["answer"] for row in map(json.loads, ended.out.splitlines())}
    assert written == {"right": "4", "stuck": None, "wrong": "4", "again": None, "last": "8"}


def test_rs_filter_drops_it_and_score_and_review_go_on(rows, shell):
    def run(*words: str):
        return shell([sys.executable, str(STUCK_READERS), "pattern", *words, str(rows)])

    kept = run("rs-filter", "--thinking", "any")
    assert kept.status == 0, kept.err
    assert [json.loads(line)["id"] for line in kept.out.splitlines()] == ["right", "last"]
    assert b"null_verify_timeout" in kept.err
    rows.write_text("".join(json.dumps({**row, "label": 1, "model": "m", "sample": 0}) + "\n" for row in ROWS))
    scored = run("score", "--as", "reasoning")
    assert scored.status == 0, scored.err
    page = run("review", "--html", "page.html")
    assert page.status == 0, page.err


def test_a_row_that_is_stuck_before_a_stop_does_not_hold_it_up(rows, start_stuck):
    process = start_stuck("verify", "--hard-timeout", "1", str(rows))
    assert process.stdout is not None
    assert b"right" in process.stdout.readline()  # it is at the second row
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143


@pytest.fixture
def start_stuck(environment, tmp_path):
    import subprocess

    running: list[subprocess.Popen] = []

    def begin(*words: str) -> subprocess.Popen:
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        command = [sys.executable, str(STUCK_READERS), "pattern", *words]
        running.append(subprocess.Popen(command, cwd=tmp_path, env=environment, **pipes))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.wait()


# -- the limit itself -----------------------------------------------------------------------------------------------


def spin(rounds: int | None = None) -> int:
    """Computes without end, or so many rounds."""
    number = 0
    while rounds is None or number < rounds:
        number += 1
    return number


def test_what_is_stuck_ends_and_what_is_not_does_not():
    with time_limit(0.2):
        assert limited("late", spin) == "late"
        assert limited("late", spin, 1000) == 1000
        assert limited("late", spin) == "late"
        assert sum(limited(0, spin, 20_000) for _ in range(200)) == 200 * 20_000, "many short ones outlive many ticks"


def test_errors_of_the_work_are_its_own_and_the_next_piece_is_limited_all_the_same():
    with time_limit(0.2):
        with pytest.raises(ZeroDivisionError):
            limited("late", lambda: 1 / 0)
        assert limited("late", spin) == "late"


def test_a_piece_within_another_is_part_of_it():
    with time_limit(0.2):
        assert limited("late", lambda: [limited("inner", spin, 10), spin()]) == "late"
        assert limited("late", lambda: limited("inner", spin)) == "late"


def test_after_the_limit_nothing_ticks_and_the_handler_is_the_one_before():
    before = signal.getsignal(signal.SIGVTALRM)
    with time_limit(0.1), time_limit(50):  # the outer one stays in force
        assert signal.getitimer(signal.ITIMER_VIRTUAL)[1] == pytest.approx(0.1)
        assert limited("late", spin) == "late"
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert limited("late", spin, 10) == 10


def test_other_threads_have_no_limit_and_disturb_none():
    results: list[object] = []

    def other() -> None:
        with time_limit(0.05):
            results.append(limited("late", spin, 3_000_000))

    with time_limit(0.1):
        thread = threading.Thread(target=other)
        thread.start()
        assert limited("late", spin) == "late"
        thread.join()
    assert results == [3_000_000]


def test_what_watches_the_collection_of_garbage_is_not_ended(monkeypatch):
    """Python prints an exception there and goes on; the work is ended right after."""
    lost: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lost.append)

    def watch(phase: str, _info: object) -> None:
        if phase == "start":
            end = time.process_time() + 0.5
            while time.process_time() < end:
                spin(100)

    gc.collect()  # what other tests left, whose finalizers the limit would end
    lost.clear()
    gc.callbacks.append(watch)
    try:
        with time_limit(0.1):
            assert limited("late", lambda: (gc.collect(), spin())) == "late"
    finally:
        gc.callbacks.remove(watch)
    assert lost == []


@pytest.mark.parametrize("seconds", [1e-3, 1e300])
def test_any_number_of_seconds_is_a_limit(seconds):
    with time_limit(seconds):
        assert limited("late", spin, 10) == 10
