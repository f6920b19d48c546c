"""`libra run`: what only a process at work can show; tests/cases/run holds the rest."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pseudo_terminal import PseudoTerminal
from servers.scripted import Reply, ScriptedServer, echo, error

PIPE = """
output: made
steps:
  labelled: {stage: verify, inputs: responses}
  responses: {stage: rollout, inputs: in.fifo, model: m, replay: recorded}
"""
ROWS = [{"id": str(i), "question": f"{i}+1?", "reference": str(i + 1)} for i in range(6)]


def lines(rows: list[dict[str, object]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 75)])
def test_a_signal_reaches_the_step_and_the_same_command_goes_on(tmp_path: Path, environment, number, status):
    answers = [{"id": row["id"], "model": "m", "sample": 0, "response": row["reference"], "finish_reason": "stop"}
               for row in ROWS]  # fmt: skip
    (tmp_path / "recorded").write_bytes(lines(answers))
    (tmp_path / "pipe.yaml").write_text(PIPE)
    os.mkfifo(tmp_path / "in.fifo")

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "libra_cli", "run", "pipe.yaml"]
        return subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)

    run = start()
    with open(tmp_path / "in.fifo", "wb", buffering=0) as writer:  # open to the end: more rows seem to be coming
        writer.write(lines(ROWS[:3]))
        part, deadline = tmp_path / "made/responses.jsonl.part", time.monotonic() + 60
        while not (part.exists() and part.stat().st_size):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        run.send_signal(number)
        assert run.wait(60) == status
    assert b"stopped; the same command continues" in run.communicate()[1]
    assert not (tmp_path / "made/labelled.jsonl").exists()

    again = start()
    (tmp_path / "in.fifo").write_bytes(lines(ROWS))
    err = again.communicate(timeout=60)[1].decode()
    assert again.returncode == 0, err
    assert "+ 3 already done" in err
    labels = [json.loads(line)["label"] for line in (tmp_path / "made/labelled.jsonl").read_bytes().splitlines()]
    assert labels == [1] * len(ROWS)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 75)])
def test_a_signal_reaches_all_that_a_command_runs_which_then_begins_anew(tmp_path: Path, environment, number, status):
    line = "echo one | tee -a begun; [ -e again ] || sleep 300 | cat"
    (tmp_path / "pipe.yaml").write_text(
        f"output: made\nsteps: {{a: {{command: '{line}'}}, b: {{command: 'cat ${{a}}'}}}}"
    )
    command = [sys.executable, "-m", "libra_cli", "run", "pipe.yaml"]
    run = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not ((tmp_path / "begun").exists() and (tmp_path / "made/a.jsonl.part").stat().st_size):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    run.send_signal(number)
    err = run.communicate(timeout=30)[1]  # which also what still held stderr would keep open
    assert (run.returncode, err) == (status, b"libra run: stopped; the same command continues\n")
    assert not (tmp_path / "made/a.jsonl").exists()
    (tmp_path / "again").touch()
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=60)
    assert [(tmp_path / f"made/{name}.jsonl").read_text() for name in "ab"] == ["one\n"] * 2


def test_the_log_says_what_each_attempt_of_a_step_took(tmp_path: Path, environment):
    """Of two steps at work each has its own CPU time, that of what it runs among it."""
    burn = "import time\nwhile time.process_time() < 1: pass\n"
    (tmp_path / "burn.py").write_text(burn)
    (tmp_path / "pipe.yaml").write_text(
        "output: made\nsteps:\n"
        f"  works: {{command: '{sys.executable} burn.py | cat; [ -e again ] || exit 5'}}\n"
        "  waits: {command: sleep 1.5}\n"
    )
    command = [sys.executable, "-m", "libra_cli", "run", "-j", "2", "pipe.yaml"]
    assert subprocess.run(command, cwd=tmp_path, env=environment, timeout=60, check=False).returncode == 1
    (tmp_path / "again").touch()
    subprocess.run(command, cwd=tmp_path, env=environment, timeout=60, check=True)

    def ended(step: str) -> list[dict[str, object]]:
        said = (tmp_path / f"made/logs/{step}.log").read_text().splitlines()
        return [event for line in said if (event := line.startswith("{") and json.loads(line))]

    assert [(event["event"], event["step"], event["status"]) for event in ended("works")] == [
        ("ended", "works", 5), ("ended", "works", 0)
    ]  # fmt: skip
    assert all(1 <= event["cpu_seconds"] < 1.9 for event in ended("works")), "a second each, and none of the other's"
    (waited,) = ended("waits")
    assert waited["seconds"] >= 1.5
    assert waited["cpu_seconds"] < 0.9, "the second that the other step works is not its own"


def test_a_job_that_srun_starts_on_several_nodes_does_not_know_its_cpu_time(tmp_path: Path, environment):
    (tmp_path / "pipe.yaml").write_text("output: made\nsteps: {labelled: {stage: verify, inputs: in.jsonl}}\n")
    row = {"id": "a", "question": "1+1?", "reference": "2", "model": "m", "sample": 0, "response": "2"}
    (tmp_path / "in.jsonl").write_bytes(lines([row]))
    (tmp_path / "srun").write_text('#!/bin/sh\nexec "$@"\n')
    (tmp_path / "srun").chmod(0o755)
    environment = environment | {"PATH": f"{tmp_path}:{environment['PATH']}"}
    libra = [sys.executable, "-m", "libra_cli", "run"]
    subprocess.run([*libra, "--slurm", "pipe.yaml"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    used = []
    for before in ([], ["srun"]):
        words = [*before, "libra", "verify", "-o", "made/labelled.jsonl", "in.jsonl"]
        job = [*libra, "--job", "made/slurm/labelled.json", "--", *words]
        done = subprocess.run(job, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
        event = json.loads(done.stderr.splitlines()[-1])
        assert (event["event"], event["step"], event["status"]) == ("ended", "labelled", 0)
        used.append(event["cpu_seconds"])
        (tmp_path / "made/labelled.jsonl").unlink()
    assert used[0] > 0
    assert used[1] is None


def test_the_line_on_a_terminal_says_what_the_step_is_doing(tmp_path: Path, environment):
    """A step that writes into a log tells it all the same, at once and not once a minute."""
    (tmp_path / "recorded").write_bytes(b"")
    (tmp_path / "pipe.yaml").write_text(PIPE.replace("recorded}", "recorded, errors: refused.jsonl}"))
    os.mkfifo(tmp_path / "in.fifo")
    with PseudoTerminal([sys.executable, "-m", "libra_cli", "run", "pipe.yaml"], tmp_path, environment) as terminal:
        with open(tmp_path / "in.fifo", "wb", buffering=0) as writer:
            terminal.wait_for("responses", "s  waiting for rows")
            writer.write(lines(ROWS[:3]))
            terminal.wait_for("s  3 rows", "3 errors")
        assert terminal.end() == 3
        assert "responses ended with status 3, and nothing came out of it" in terminal.text
        assert "waiting for rows" not in terminal.text


@pytest.mark.parametrize(
    ("columns", "jobs", "shown"),
    [(40, "1", "libra run: responses  "), (50, "3", " s  waiting | 2 more"), (34, "3", "libra run: 3 steps at work")],
)
def test_ctrl_c_leaves_nothing_of_a_line_that_fills_the_terminal(tmp_path: Path, environment, columns, jobs, shown):
    """There is room for the terminal's ^C, which else would begin a line; steps for which there is none are counted."""
    (tmp_path / "recorded").write_bytes(b"")
    more = [f"  {name}: {{stage: verify, inputs: in.fifo, output: {name}.jsonl}}\n" for name in ("second", "third")]
    (tmp_path / "pipe.yaml").write_text(PIPE + "".join(more))
    os.mkfifo(tmp_path / "in.fifo")
    words = [sys.executable, "-m", "libra_cli", "run", "-j", jobs, "pipe.yaml"]
    with PseudoTerminal(words, tmp_path, environment, size=(columns, 24)) as terminal:
        with open(tmp_path / "in.fifo", "wb"):
            terminal.wait_for(shown, "waiting" if columns > 34 else "")
            terminal.press("\x03")
            assert terminal.end() == 130
        assert "".join(terminal.screen.display).rstrip() == "libra run: stopped; the same command continues"


ASKING = """
output: made
steps:
  problems: {{stage: collect, inputs: problems.jsonl}}
  responses: {{stage: rollout, inputs: problems, model: m, base-url: "{url}", retry-budget: 2}}
  labelled: {{stage: verify, inputs: responses}}
  scores: {{stage: score, inputs: labelled, as: reasoning}}
"""


def run_of(folder: Path, environment, url: str, *options: str) -> tuple[int, str]:
    """The status of `libra run` of ASKING, and all that it says."""
    (folder / "problems.jsonl").write_bytes(lines(ROWS))
    (folder / "pipe.yaml").write_text(ASKING.format(url=url))
    command = [sys.executable, "-m", "libra_cli", "run", *options, "pipe.yaml"]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    return ended.returncode, ended.stdout + ended.stderr


def log_command(folder: Path) -> list[str]:
    """The command of the step `responses` that its log shows."""
    return shlex.split((folder / "made/logs/responses.log").read_text().splitlines()[0])[2:]


@pytest.mark.parametrize("by_hand", [False, True])
def test_rows_that_failed_for_the_servers_sake_are_asked_again(tmp_path: Path, environment, by_hand):
    broken = True

    def reply(call) -> Reply:
        if broken and "3+1?" in call.prompt:
            return error(500)
        return Reply(body=echo(call).body, seconds=0.7)  # after the other has failed: the server is alive

    with ScriptedServer(reply) as server:
        status, said = run_of(tmp_path, environment, server.url)
        assert status == 3, said
        assert "responses: 1 row may be answered now (server_error 1); the same command asks again" in said
        status, said = run_of(tmp_path, environment, server.url, "--dry-run")
        assert "# responses: 1 row may be answered now (server_error 1)" in said
        broken = False
        asked = len(server.calls)
        if by_hand:
            command = [sys.executable, "-m", "libra_cli", *log_command(tmp_path)]
            subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=120)
        status, said = run_of(tmp_path, environment, server.url)
        assert status == 0, said
        assert ("responses  is done already\n" if by_hand else "+ 5 already done") in said
        assert len(server.calls) - asked == 1
    assert len((tmp_path / "made/labelled.jsonl").read_bytes().splitlines()) == len(ROWS)


def test_a_step_of_which_nothing_came_out_is_the_one_that_failed(tmp_path: Path, environment):
    (tmp_path / "bad.jsonl").write_bytes(b'{"question": 5}\n' * 3)
    (tmp_path / "pipe.yaml").write_text(PIPE.replace("in.fifo", "bad.jsonl"))
    (tmp_path / "recorded").write_bytes(lines([]))
    for _ in range(2):
        command = [sys.executable, "-m", "libra_cli", "run", "pipe.yaml"]
        ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        assert ended.returncode == 3, ended.stderr
        assert "responses ended with status 3, and nothing came out of it" in ended.stderr
        assert "labelled" not in ended.stderr


def test_a_step_without_rows_names_the_step_that_left_them_out(tmp_path: Path, environment):
    (tmp_path / "responses.jsonl").write_bytes(lines([{**row, "response": row["reference"]} for row in ROWS]))
    (tmp_path / "pipe.yaml").write_text("""
output: made
steps:
  kept: {stage: collect, inputs: responses.jsonl, where: id == "none"}
  labelled: {stage: verify, inputs: kept}
  scores: {stage: score, inputs: labelled, as: reasoning}
""")
    command = [sys.executable, "-m", "libra_cli", "run", "pipe.yaml"]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 7, ended.stderr
    assert "no row came out of kept, which scores needs: see its log, made/logs/kept.log" in ended.stderr


@pytest.fixture
def run_pipe(tmp_path: Path, environment):
    """Runs a pipeline of these steps, on rows with responses."""
    (tmp_path / "rows.jsonl").write_bytes(lines([{**row, "response": "\\boxed{3}"} for row in ROWS]))

    def run(steps: str) -> subprocess.CompletedProcess[bytes]:
        (tmp_path / "pipe.yaml").write_text(f"output: made\nsteps: {{{steps}}}")
        command = [sys.executable, "-m", "libra_cli", "run", "-q", "pipe.yaml"]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60)

    return run


def test_a_line_begins_its_own_file_anew(run_pipe, tmp_path: Path):
    a_line = "(seq 2; test -e ok) >> ${output}"
    assert run_pipe(f"a: {{command: '{a_line}'}}").returncode
    (tmp_path / "ok").touch()
    assert run_pipe(f"a: {{command: '{a_line}'}}").returncode == 0
    assert (tmp_path / "made/a.jsonl").read_text() == "1\n2\n"


@pytest.mark.parametrize("line", ["cat rows.jsonl", "cat rows.jsonl > ${output}", "cat rows.jsonl | tee -a ${output}"])
@pytest.mark.parametrize("interrupted", [False, True])
def test_a_line_leaves_no_manifest_of_the_stage_that_was_the_step_before(run_pipe, tmp_path: Path, line, interrupted):
    made = tmp_path / "made/a.jsonl"
    assert run_pipe("a: {stage: verify, inputs: rows.jsonl}").returncode == 0
    if interrupted:
        made.rename(f"{made}.part")
        mark = json.loads((tmp_path / "made/.libra-run/a.json").read_text())
        (tmp_path / "made/.libra-run/a.json").write_text(json.dumps({**mark, "wrote": None, "status": None}))
    assert run_pipe(f"a: {{command: '{line}'}}").returncode == 0
    assert made.read_bytes() == (tmp_path / "rows.jsonl").read_bytes()
    assert [path.name for path in made.parent.glob("a.jsonl*")] == ["a.jsonl"]
    assert run_pipe("a: {stage: verify, inputs: rows.jsonl}").returncode == 0
    assert Path(f"{made}.libra.json").exists()


def test_a_command_of_libra_in_a_line_keeps_its_manifest_and_goes_on(run_pipe, tmp_path: Path):
    made = tmp_path / "made/a.jsonl"
    steps = "a: {command: 'libra verify rows.jsonl -o ${output} && test -e o[k]'}"  # no file that it reads
    assert run_pipe(steps).returncode
    made.rename(f"{made}.part")  # as if it had been stopped
    (tmp_path / "ok").touch()
    assert run_pipe(steps).returncode == 0
    assert json.loads(Path(f"{made}.libra.json").read_text())["done"] == len(ROWS)
