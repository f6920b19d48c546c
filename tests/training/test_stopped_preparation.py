"""A request to stop while a training run prepares: it ends at once, and says what it was doing."""

import os
import signal
import time
from pathlib import Path

import pytest
import sft_runs as runs
from pseudo_terminal import PseudoTerminal

from libra_cli.stream.console import Console
from libra_cli.stream.counts import Counts
from libra_cli.stream.monitor import Monitor
from libra_cli.stream.signals import StopRequest
from libra_cli.training.distributed.world import World
from libra_cli.training.monitoring.phase import Phase


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    return World()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 75)])
def test_a_stop_ends_the_preparation_at_once(world: World, capfd: pytest.CaptureFixture, number: int, status: int):
    def prepare() -> str:
        phase.begin("reading rows.jsonl", Counts(read=1234))
        os.kill(os.getpid(), number)
        time.sleep(60)
        return "ready"

    began = time.monotonic()
    with StopRequest("sft", 600.0, 600.0) as stop:
        phase = Phase(Console("sft"))
        monitor = Monitor(stop, phase.show)
        assert phase.unless_stopped(stop, world, prepare) is None
        monitor.close()
        assert stop.status == status
    assert time.monotonic() - began < 10
    said = "libra sft: stopped before the first step (reading rows.jsonl: 1,234 rows); the same command continues\n"
    assert capfd.readouterr().err == said


def test_what_is_ready_is_returned_and_an_error_stays_one(world: World) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    with StopRequest("sft", 600.0, 600.0) as stop:
        phase = Phase(Console("sft"))
        assert phase.unless_stopped(stop, world, lambda: "ready") == "ready"
        with pytest.raises(RuntimeError, match="broken"):
            phase.unless_stopped(stop, world, fail)


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["loading PyTorch", "starting DeepSpeed", "reading the samples: ", "loading"])
def test_ctrl_c_in_each_phase(tmp_path: Path, phase: str) -> None:
    runs.write_model(tmp_path / "model")
    runs.write_rows(tmp_path / "rows.jsonl")
    rows = "(cat rows.jsonl; sleep 600) |" if phase.startswith("reading") else "cat rows.jsonl |"
    line = f"{rows} libra sft --model model -o out; exit $?"
    with PseudoTerminal(["bash", "-c", line], tmp_path, runs.environment(), (200, 24)) as terminal:
        wanted = f"{phase} model" if phase == "loading" else phase
        terminal.wait_until(lambda: f"libra sft: {wanted}" in terminal.text, wanted)
        began = time.monotonic()
        terminal.press("\x03")
        assert terminal.end() == 130
        assert time.monotonic() - began < 10  # a second, on a machine that is free
        assert f"stopped before the first step ({wanted}" in terminal.text
        assert "Traceback" not in terminal.text
