"""SIGKILL at any moment: the same command again, as often as it takes, gives what an uninterrupted run gives.

LIBRA_FAULTS=200 kills each stage 200 times; the ordinary run kills it 8 times. LIBRA_SEED repeats a failure.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from fault_rows import STAGES, good_rows, jsonl, parsed, problem_rows

N_KILLS = int(os.environ.get("LIBRA_FAULTS", "8"))
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
    (tmp_path / "in").write_bytes(jsonl(given))
    (tmp_path / "recorded").write_bytes(jsonl(recorded))
    storm = Storm([*COMMANDS[stage], "in", "-o"], tmp_path, environment)
    seconds = storm.measure("whole")
    whole = Counter(map(key, parsed((tmp_path / "whole").read_bytes())))
    assert set(whole.values()) == {1}
    n_kills = n_outputs = n_in_the_middle = 0
    while n_kills < N_KILLS:
        name = f"out{n_outputs}"
        # A third of the kills come at any time, also while the run begins; the others while rows are being written.
        while storm.is_killed(name, chance.random() > 0.33, chance.random() * 1.1, seconds):
            n_kills += 1
            n_in_the_middle += storm.check(name, whole)
        n_outputs += 1
        assert Counter(map(key, parsed((tmp_path / name).read_bytes()))) == whole
        assert not (tmp_path / f"{name}.part").exists()
        assert not (tmp_path / f"{name}.lock").exists()
    print(f"{n_kills} kills of {stage}, {n_in_the_middle} of them between the first row and the last")
    assert n_in_the_middle > N_KILLS / 5


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
        process = self._start(name)
        self._wait_for_growth(process, name, 0)
        first = time.monotonic()
        self._end(process)
        return Seconds(first - began, time.monotonic() - first)

    def is_killed(self, name: str, writing: bool, moment: float, seconds: Seconds) -> bool:
        """Runs the command and kills it: at `moment` of the whole time, or of the time in which it writes."""
        size = self._size(name)
        process = self._start(name)
        if writing:
            self._wait_for_growth(process, name, size)
        try:
            process.wait(moment * (seconds.writing if writing else sum(seconds)))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return True
        self._end(process)
        return False

    def check(self, name: str, whole: Counter) -> bool:
        """Whether a killed run was between its first row and its last; what it left must be whole and never doubled."""
        part = self._folder / f"{name}.part"
        left = part.read_bytes() if part.exists() else b""
        rows = Counter(map(key, parsed(left[: left.rfind(b"\n") + 1])))
        assert rows <= whole
        return 0 < rows.total() < whole.total()

    def _start(self, name: str) -> subprocess.Popen:
        words = [*self._words, name]
        return subprocess.Popen(words, cwd=self._folder, env=self._environment, stderr=subprocess.PIPE)

    def _end(self, process: subprocess.Popen) -> None:
        _, err = process.communicate()
        assert process.returncode == 0, err.decode()

    def _size(self, name: str) -> int:
        part = self._folder / f"{name}.part"
        return part.stat().st_size if part.exists() else 0

    def _wait_for_growth(self, process: subprocess.Popen, name: str, size: int) -> None:
        while process.poll() is None and self._size(name) <= size:
            time.sleep(0.002)
