"""A fork of the warm server (tests/helpers/warm.py) is to a test what the real command is."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import warm

pytestmark = pytest.mark.skipif(
    not warm.is_forking(), reason="commands are real ones here (a GPU, or LIBRA_COLD_TESTS is set)"
)

ROW = r'{"question": "2 + 2?", "reference": "4", "response": "so \\boxed{4}"}'
SAME = {
    "rows": "rows | libra verify",
    "a pipe of two": "rows | libra verify 2>/dev/null | libra rs-filter --thinking any",
    "wrong option": "libra verify --no-such-option",
    "other descriptors": "libra verify <(rows) -o /dev/fd/7 7>&1",
    "a reader that leaves": "for i in {1..4000}; do rows; done | libra verify | head -n 1; echo ${PIPESTATUS[1]}",
    "closed output": "rows | libra verify >&-; echo $?",
    "no room for files": "ulimit -f 0; rows | libra verify -o out; echo $?",
    "a folder and a mask": "mkdir -p there; cd there; umask 077; rows | libra verify -o out; stat -c %a out",
    "an option from the environment": "rows | LIBRA_VERIFY_QUIET=1 libra verify",
}  # fmt: skip
SHOWN = "import os, sys; print('torch' in sys.modules, os.environ.get('HF_HOME'), sys.argv[1:])"


@pytest.mark.parametrize("command", SAME.values(), ids=SAME.keys())
def test_it_says_and_does_what_the_real_command_does(command: str, environment, tmp_path: Path) -> None:
    def run(folder: str, **more: str) -> tuple[int, bytes, bytes]:
        (tmp_path / folder).mkdir()
        env = {**environment, "ROW": ROW, **more}
        done = subprocess.run(
            ["bash", "-c", f"rows() {{ printf '%s\\n' \"$ROW\"; }}; {command}"],
            cwd=tmp_path / folder,
            env=env,
            capture_output=True,
        )
        return done.returncode, done.stdout, re.sub(rb"\d\.\d s", b"T s", done.stderr)

    assert run("forked", PATH=warm.path()) == run("real")


@pytest.mark.parametrize(("more", "forked"), [({}, True), ({"LIBRA_X": "1"}, True), ({"HF_HOME": "x"}, False)])
def test_what_is_read_when_something_is_imported_makes_it_a_real_command(more, forked, environment, tmp_path) -> None:
    (tmp_path / "script.py").write_text(SHOWN)
    words = warm.python(tmp_path / "script.py", "a b")
    done = subprocess.run(words, env={**environment, **more}, capture_output=True, text=True, timeout=120)
    assert done.stdout == f"{forked} {more.get('HF_HOME')} ['a b']\n", done.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR1, 75)])
def test_a_signal_reaches_the_fork_and_its_status_comes_back(number, status, environment, tmp_path) -> None:
    process = waiting_for_more(environment, tmp_path)
    process.send_signal(number)
    assert process.wait(60) == status  # its input is open still
    with process:
        assert b"stopping, up to" in process.stderr.read()


def test_a_fork_ends_with_its_client(environment, tmp_path) -> None:
    process = waiting_for_more(environment, tmp_path)
    process.kill()
    assert process.stdout is not None
    assert process.stdout.read() == b""  # at the latest when the fork has ended, too
    assert process.wait(60) == -signal.SIGKILL


def waiting_for_more(environment: dict[str, str], folder: Path) -> subprocess.Popen[bytes]:
    """`libra verify` that has answered one row, and whose input goes on."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen(warm.libra("verify"), cwd=folder, env=environment, bufsize=0, **pipes)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(ROW.encode() + b"\n")
    assert b'"label":1' in process.stdout.readline()
    return process


def test_the_way_out_is_the_real_command(environment) -> None:
    """With LIBRA_COLD_TESTS=1."""
    script = "import warm; print(warm.is_forking(), *warm.libra('x'))"
    env = {**environment, "LIBRA_COLD_TESTS": "1", "PYTHONPATH": str(warm.HERE)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    forks, command, _ = done.stdout.split()
    assert forks == "False"
    assert os.path.basename(command) == "libra"
