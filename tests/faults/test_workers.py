"""Workers that scramble, refuse, repeat, lose, break or freeze: every job ends as one row, or the run says why not."""

import json
import time

import psutil
import pytest
from fault_rows import jsonl, parsed, problem_rows

ROWS = problem_rows(40)


def run(start, *options, rows=ROWS, status=0):
    process = start("scramble", *options)
    out, err = process.communicate(jsonl(rows), timeout=60)
    assert process.returncode == status, err.decode()
    return parsed(out), err.decode()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("hold", [1, 2, 8, 40])
def test_order_and_bytes_do_not_depend_on_who_finishes_first(start, seed, hold):
    rows, err = run(start, "--seed", str(seed), "--hold", str(hold), "--samples", "3")
    assert [(row["id"], row["sample"]) for row in rows] == [(row["id"], k) for row in ROWS for k in range(3)]
    assert all(row["answer"] == row["question"].upper() for row in rows)
    assert "120 in = 120 out + 0 errors + 0 filtered + 0 already done" in err


def test_unordered_rows_leave_as_they_finish(start):
    rows, _ = run(start, "--unordered", "--seed", "1")
    assert sorted(row["n"] for row in rows) == list(range(40))
    assert [row["n"] for row in rows] != list(range(40))


def test_the_window_bounds_what_a_worker_gets(start):
    rows, _ = run(start, "--hold", "1000", "--window", "4", "--unordered", "--seed", "3")
    assert all(abs(place - row["n"]) < 40 for place, row in enumerate(rows))
    assert max(row["n"] - place for place, row in enumerate(rows)) <= 3  # nobody overtakes more than the window holds


@pytest.mark.parametrize(
    ("fault", "kind", "reason", "attempts"),
    [
        ("raise", "ValueError", "the engine refused it", 1),
        ("poison", "poison", "the engine died of it twice", 2),
        ("pipe", "BrokenPipeError", "the connection to the server broke", 1),
    ],
)
def test_one_jobs_failure_is_that_jobs_alone(start, tmp_path, fault, kind, reason, attempts):
    rows, err = run(start, "--fault", fault, "--errors", "errors.jsonl", "--samples", "2", status=3)
    (refused,) = parsed((tmp_path / "errors.jsonl").read_bytes())
    assert len(rows) == 79
    assert (refused["class"], refused["reason"], refused["attempts"]) == (kind, reason, attempts)
    assert (refused["stage"], refused["place"]) == ("scramble", f"<stdin>:{1 + json.loads(refused['row'])['n']}")
    done = {(row["id"], row["sample"]) for row in rows}
    assert (refused["id"], refused["sample"]) not in done
    assert f"80 in = 79 out + 1 errors + 0 filtered + 0 already done; errors ({kind} 1)" in err


@pytest.mark.parametrize("fault", ["twice", "unknown"])
@pytest.mark.parametrize("order", [[], ["--unordered"]])
def test_an_answer_that_belongs_to_no_job_ends_the_run(start, fault, order):
    rows, err = run(start, "--fault", fault, *order, status=1)
    assert "was answered twice, or was never given out; please report this" in err
    assert len({row["id"] for row in rows}) == len(rows)


def test_a_job_that_is_never_answered_is_an_accounting_error(start):
    rows, err = run(start, "--fault", "drop", status=1)
    assert len(rows) == 39
    assert "internal error: 1 row unaccounted for" in err
    assert "+ 1 not finished" in err


def test_an_engine_that_breaks_keeps_what_it_has_answered(start, tmp_path):
    run(start, "--fault", "crash", "--at", "12", "-o", "out.jsonl", status=6)
    kept = parsed((tmp_path / "out.jsonl.part").read_bytes())
    assert len(kept) == 11
    _, err = run(start, "-o", "out.jsonl")
    assert "40 in = 29 out + 0 errors + 0 filtered + 11 already done" in err
    assert {row["id"] for row in parsed((tmp_path / "out.jsonl").read_bytes())} == {row["id"] for row in ROWS}


@pytest.mark.parametrize("debug", [False, True])
def test_a_stall_ends_the_run_and_every_process_it_started(start, debug, tmp_path):
    more = ["-o", "out", "--stall-timeout", "0.5", *(["--debug"] if debug else [])]
    process = start("scramble", "--fault", "hang", *more)
    _, err = process.communicate(jsonl(ROWS), timeout=60)
    text = err.decode()
    assert process.returncode == 6
    assert "nothing finished for 0.5 s (--stall-timeout) with 8 jobs at work" in text
    assert ('stages.py", line' in text, "--debug shows where" in text) == (debug, not debug)
    assert not (tmp_path / "out.lock").exists()
    child = int(text.partition("child ")[2].split()[0])
    deadline = time.monotonic() + 60  # a killed process may take a moment to die on a busy machine
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("stage", ["measure", "scramble"])
def test_waiting_for_input_is_no_stall(start, stage):
    process = start(stage, "--stall-timeout", "0.5")
    process.stdin.write(jsonl(ROWS[:1]))
    process.stdin.flush()
    assert parsed(process.stdout.readline())[0]["id"] == "p0"
    time.sleep(1.5)
    out, err = process.communicate(jsonl(ROWS[1:2]), timeout=60)
    assert (process.returncode, parsed(out)[0]["id"]) == (0, "p1"), err


def test_waiting_for_a_slow_reader_is_no_stall(start, tmp_path):
    (tmp_path / "big").write_bytes(jsonl([{"id": f"{n}", "question": "x" * 20_000} for n in range(100)]))
    process = start("scramble", "--stall-timeout", "0.2", "big")
    time.sleep(1.5)
    assert process.poll() is None
    out, err = process.communicate(timeout=60)
    assert (process.returncode, len(parsed(out))) == (0, 100), err


def test_one_row_that_raises_costs_itself_alone(start, tmp_path):
    n = 3000
    rows = problem_rows(n)
    for place in (0, n // 2, n - 1):
        rows[place]["question"] = "the poison"
    process = start("measure", "--poison", "poison", "--errors", "errors.jsonl")
    out, err = process.communicate(jsonl(rows), timeout=60)
    assert process.returncode == 3
    assert len(parsed(out)) == n - 3
    refused = parsed((tmp_path / "errors.jsonl").read_bytes())
    assert [(row["id"], row["class"], row["stage"], row["attempts"]) for row in refused] == [
        (f"p{place}", "ValueError", "measure", 1) for place in (0, n // 2, n - 1)
    ]
    assert json.loads(refused[0]["row"]) == rows[0]
    assert b"<stdin>:1501: poisoned" in err


def test_what_libraries_print_does_not_reach_the_records(start):
    process = start("measure", "--noise")
    out, err = process.communicate(jsonl(ROWS[:3]), timeout=60)
    assert [row["length"] for row in parsed(out)] == [14, 14, 14]
    for text in (b"a library prints", b"compiled code prints", b"a child prints"):
        assert err.count(text) == 3
