"""SIGKILL at any moment: the same command again, as often as it takes, gives what an uninterrupted run gives.

LIBRA_FAULTS=200 kills each stage 200 times; the ordinary run kills it 9 times. LIBRA_SEED repeats a failure.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pytest
from fault_rows import STAGES, good_rows, jsonl, parsed, problem_rows

N_KILLS = int(os.environ.get("LIBRA_FAULTS", "9"))
LIBRA = [sys.executable, "-m", "libra_cli"]
TEST = [sys.executable, str(STAGES)]
COMMANDS = {
    "rollout": [*LIBRA, "rollout", "--engine", "replay", "--replay", "recorded", "--model", "m", "-n", "4"],
    "verify": [*LIBRA, "verify", "-j", "1", "--window", "32"],
    "judge": [*LIBRA, "judge", "--replay", "recorded", "--model", "j", "-k", "8"],
    "measure": [*TEST, "measure", "--seconds", "0.0005"],
    "scramble": [*TEST, "scramble", "--seconds", "0.0002", "--samples", "3", "--hold", "64"],
}
"""Stages that continue; -o is added."""


def answered(rows: list[dict]) -> list[dict]:
    """Responses of which every third needs computer algebra, another one each."""

    def hard(n: int) -> dict[str, str]:
        return {"reference": f"\\sqrt{{{2 * n * n}}}", "response": f"so \\boxed{{{n}\\sqrt{{2}}}}"}

    return [row if number % 3 else {**row, **hard(number + 3)} for number, row in enumerate(rows)]


def inputs(stage: str) -> tuple[list[dict], list[dict]]:
    """The input of a stage, and what a recording of its answers would hold."""
    if stage == "rollout":
        problems = good_rows(300)
        samples = [{**row, "sample": sample, "response": f"it is {sample}"} for row in problems for sample in range(4)]
        return [{"id": row["id"], "question": row["question"]} for row in problems], samples
    if stage == "judge":
        given = good_rows(300)
        return given, [vote for row in given for vote in votes(row)]
    if stage == "verify":
        return answered(good_rows(800)), []
    return problem_rows(600), []


def votes(row: dict) -> list[dict]:
    """Eight different ones on a response."""
    named = {"id": f"{row['id']}/{row['model']}/{row['sample']}", "model": "j"}
    return [{**named, "sample": n, "response": f"vote {n}: [[score={n % 5}]]"} for n in range(8)]


def key(row: dict) -> tuple:
    """Which row it is and, of a judged one, everything that was said of it."""
    return row["id"], row.get("model"), row.get("sample"), json.dumps(row.get("judgments"))


@pytest.mark.parametrize("stage", COMMANDS)
@pytest.mark.timeout(280 if N_KILLS <= 20 else 7200)
def test_kills_at_random_moments_lose_and_double_nothing(stage, environment, tmp_path, chance):
    given, recorded = inputs(stage)
    lines = jsonl(given).splitlines(keepends=True)
    (tmp_path / "in").write_bytes(b"".join(lines))
    (tmp_path / "recorded").write_bytes(jsonl(recorded))
    storm = Storm([*COMMANDS[stage], "-", "-o"], tmp_path, environment)
    seconds = storm.measure("whole")
    whole = Counter(map(key, parsed((tmp_path / "whole").read_bytes())))
    assert set(whole.values()) == {1}
    n, n_kills, n_outputs = len(lines), 0, 0
    while n_kills < N_KILLS:
        name = f"out{n_outputs}"
        # Two kills of an output come while rows are being written: the input that is yet to come keeps the run from its
        # end, however fast it is. The third comes at any time, also while the run begins or after its end.
        for until in (chance.randrange(n // 8, n // 2), chance.randrange(n * 7 // 8, n)):
            storm.kill_in_the_middle(name, lines[:until], chance.random() * seconds.writing)
            assert 0 < storm.n_left(name, whole) < whole.total()
        storm.kill(name, chance.random() * 1.1 * sum(seconds))
        assert storm.n_left(name, whole) <= whole.total()
        n_kills, n_outputs = n_kills + 3, n_outputs + 1
        storm.finish(name)
        assert Counter(map(key, parsed((tmp_path / name).read_bytes()))) == whole
        assert not (tmp_path / f"{name}.part").exists()
        assert not (tmp_path / f"{name}.lock").exists()


class Seconds(NamedTuple):
    """How long an uninterrupted run takes before its first row and from there to its end."""

    before: float
    writing: float


class Storm:
    """Runs one command again and again, and kills it."""

    def __init__(self, words: list[str], folder: Path, environment: dict[str, str]):
        self._words, self._folder, self._environment = words, folder, environment

    def measure(self, name: str) -> Seconds:
        """Runs the command undisturbed."""
        began = time.monotonic()
        with (self._folder / "in").open("rb") as whole, self._start(name, whole) as process:
            self._wait_for_rows(process, name, 0)
            first = time.monotonic()
            self._end(process)
        return Seconds(first - began, time.monotonic() - first)

    def kill_in_the_middle(self, name: str, lines: list[bytes], delay: float) -> None:
        """Runs the command on the first lines of its input, more of which never come; kills it after new rows."""
        before = self._n_whole_lines(name)
        with self._start(name, subprocess.PIPE) as process, ThreadPoolExecutor(1) as feeder:
            assert process.stdin is not None
            feeding = feeder.submit(feed, process.stdin, lines)
            self._wait_for_rows(process, name, before)
            with suppress(subprocess.TimeoutExpired):
                process.wait(delay)
            assert process.poll() is None, "it ended before its input did"
            process.kill()
            feeding.result()
            process.communicate()

    def kill(self, name: str, moment: float) -> None:
        """Runs the command on its whole input, and kills it if it has not ended by then."""
        with (self._folder / "in").open("rb") as whole, self._start(name, whole) as process:
            try:
                process.wait(moment)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            else:
                self._end(process)

    def finish(self, name: str) -> None:
        """Runs the command to its end, unless it has been there."""
        with (self._folder / "in").open("rb") as whole, self._start(name, whole) as process:
            self._end(process)

    def n_left(self, name: str, whole: Counter) -> int:
        """Number of rows that a killed run left: whole ones, none of them twice."""
        left = self._written(name)
        rows = Counter(map(key, parsed(left[: left.rfind(b"\n") + 1])))
        assert rows <= whole
        return rows.total()

    def _start(self, name: str, stdin: BinaryIO | int) -> subprocess.Popen:
        words = [*self._words, name]
        return subprocess.Popen(words, cwd=self._folder, env=self._environment, stdin=stdin, stderr=subprocess.PIPE)

    def _end(self, process: subprocess.Popen) -> None:
        _, err = process.communicate()
        assert process.returncode == 0, err.decode()

    def _written(self, name: str) -> bytes:
        """What there is of an output, finished or not."""
        for path in (self._folder / f"{name}.part", self._folder / name):  # renamed in between, it is seen as finished
            with suppress(FileNotFoundError):
                return path.read_bytes()
        return b""

    def _n_whole_lines(self, name: str) -> int:
        return self._written(name).count(b"\n")

    def _wait_for_rows(self, process: subprocess.Popen, name: str, n: int) -> None:
        """Returns when there are more than `n` rows, or the process has ended."""
        while process.poll() is None and self._n_whole_lines(name) <= n:
            time.sleep(0.002)


def feed(pipe: BinaryIO, lines: list[bytes]) -> None:
    """Writes lines for as long as somebody reads them, and leaves the pipe open."""
    with suppress(BrokenPipeError):
        pipe.write(b"".join(lines))
        pipe.flush()
