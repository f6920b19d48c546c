"""What a run says, and that no tracker can stop it: real TensorBoard files, a W&B that raises, hangs or is missing."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.cells import cell_len
from rich.text import Text
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.console import Console
from libra_cli.training.monitoring import trackers
from libra_cli.training.monitoring.telemetry import Telemetry, _ProgressLine

FAKE_WANDB = """
import json, os, threading, time
class Settings:
    def __init__(self, **given): self.given = given
class Run:
    def log(self, figures, step):
        {log}
        with open(os.environ["FAKE_WANDB"], "a") as file: file.write(json.dumps([step, figures]) + "\\n")
    def finish(self):
        {finish}
        with open(os.environ["FAKE_WANDB"], "a") as file: file.write('"finished"\\n')
def init(project, config, settings, id, resume):
    {init}
    with open(os.environ["FAKE_WANDB"], "a") as file:
        file.write(json.dumps([project, dict(config), settings.given, id, resume]) + "\\n")
    return Run()
"""
"""A W&B whose calls fail as told: nothing else of it stands between the run and the fault."""


class Said:
    """The lines of a run, and what it told people."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.lines: list[bytes] = []
        self.told: list[str] = []
        self.console = Console("sft")
        monkeypatch.setattr(self.console, "say", lambda message, **_fields: self.told.append(message))

    def run(self, **options: Any) -> Telemetry:
        return Telemetry(self.console, self.lines.append, total_steps=100, **options)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    return Said(monkeypatch)


@pytest.fixture
def wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """`wandb(log="raise ...")` puts a W&B that fails so on the path; gives the file that it writes to."""

    def install(**faults: str) -> Path:
        code = {name: faults.get(name, "pass") for name in ("init", "log", "finish")}
        (tmp_path / "wandb.py").write_text(FAKE_WANDB.format(**code))
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setenv("FAKE_WANDB", str(tmp_path / "taken"))
        return tmp_path / "taken"

    yield install
    sys.modules.pop("wandb", None)


def test_a_step_is_one_strict_line(said: Said) -> None:
    telemetry = said.run()
    telemetry.record("step", 3, loss=0.123456789, lr=1e-5 / 3, tokens=12_345_678_901, grad_norm=float("nan"),
                     peak=float("inf"), mfu=None, path="a\u2028b")  # fmt: skip
    telemetry.close()
    assert said.lines == [
        b'{"event":"step","step":3,"loss":0.1234568,"lr":3.333333e-6,"tokens":12345678901,"grad_norm":null,"peak":null,'
        b'"mfu":null,"path":"a\\u2028b"}'
    ]


def test_numbers_of_other_libraries_become_pythons_own(said: Said) -> None:
    said.run().record("step", 1, a=np.float32(0.1), b=np.int64(2**62), c=np.float64("inf"), d=True)
    assert said.events == [{"event": "step", "step": 1, "a": 0.1, "b": 2**62, "c": None, "d": True}]
    with pytest.raises(TypeError, match=r"a figure is a number, text or None, not Tensor; use \.item"):
        said.run().record("step", 1, loss=torch.tensor(1.0))  # type: ignore[arg-type]


def read_back(folder: Path, tag: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder))
    events.Reload()
    return [(event.step, round(event.value, 6)) for event in events.Scalars(tag)]


def test_tensorboard_files_hold_the_figures(said: Said, tmp_path: Path) -> None:
    telemetry = said.run(tensorboard=str(tmp_path))
    for step in range(1, 21):
        telemetry.record("step", step, loss=1 / step, note="text", broken=float("nan") if step == 2 else 1.0)
    telemetry.record("eval", 20, loss=0.25)
    telemetry.close()
    assert said.told == []
    assert read_back(tmp_path, "train/loss") == [(step, round(1 / step, 6)) for step in range(1, 21)]
    assert [step for step, _ in read_back(tmp_path, "train/broken")] == [step for step in range(1, 21) if step != 2]
    assert read_back(tmp_path, "eval/loss") == [(20, 0.25)]


def test_a_run_that_goes_on_replaces_what_came_after_its_checkpoint(said: Said, tmp_path: Path) -> None:
    """The first run got to step 6, its last checkpoint was of step 4: TensorBoard shows steps 5 and 6 once."""
    for after, last, loss in ((None, 6, 1.0), (4, 8, 2.0)):
        telemetry = said.run(tensorboard=str(tmp_path))
        if after is not None:
            telemetry.continue_after(after)
            telemetry.record("rollout", after, correct=loss)  # grpo samples for the step that follows
        for step in range((after or 0) + 1, last + 1):
            telemetry.record("step", step, loss=loss)
        telemetry.close()
    assert read_back(tmp_path, "train/loss") == [*((step, 1.0) for step in range(1, 5)),
                                                 *((step, 2.0) for step in range(5, 9))]  # fmt: skip
    assert read_back(tmp_path, "rollout/correct") == [(4, 2.0)]


def test_a_new_run_replaces_all_figures_of_another(said: Said, tmp_path: Path) -> None:
    for loss in (1.0, 2.0):
        telemetry = said.run(tensorboard=str(tmp_path))
        telemetry.record("step", int(loss), loss=loss)
        telemetry.close()
    assert read_back(tmp_path, "train/loss") == [(2, 2.0)]


def test_wandb_takes_configuration_and_figures(said: Said, wandb: Callable[..., Path]) -> None:
    taken = wandb()
    telemetry = said.run(wandb="judge", config={"lr": 1e-5, "max_tokens": 9}, run_id="r1")
    telemetry.record("step", 1, loss=0.5)
    telemetry.close()
    begun, logged, finished = map(json.loads, taken.read_text().splitlines())
    settings = {"console": "off", "silent": True, "save_code": False, "init_timeout": trackers.OPEN_SECONDS}
    assert begun == ["judge", {"lr": 1e-5, "max_tokens": 9}, settings, "r1", "allow"]
    assert (logged, finished) == ([1, {"train/loss": 0.5}], "finished")
    assert said.told == []


def test_wandb_keeps_a_run_that_the_user_names(
    said: Said, wandb: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_RUN_ID", "mine")
    taken = wandb()
    said.run(wandb="judge", run_id="r1").close()
    assert json.loads(taken.read_text().splitlines()[0])[3:] == ["mine", "allow"]


@pytest.mark.parametrize("where", ["init", "log", "finish"])
@pytest.mark.parametrize("fault", ["raise ConnectionError('no route to hf_abcdefghijk')", "raise SystemExit(1)"])
def test_a_tracker_that_raises_costs_one_warning(
    said: Said, wandb: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, where: str, fault: str
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "hf_abcdefghijk")
    wandb(**{where: fault})
    telemetry = said.run(wandb="judge")
    for step in range(50):
        telemetry.record("step", step, loss=0.5)
    telemetry.close()
    assert len(said.events) == 50
    assert len(said.told) == 1
    assert said.told[0].startswith("--wandb failed (")
    assert "the run goes on without it" in said.told[0]
    assert "hf_abc" not in said.told[0]


@pytest.mark.parametrize("where", ["init", "log", "finish"])
def test_a_tracker_that_hangs_holds_nothing_up(
    said: Said, wandb: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """It hangs for 90 s; one call waits for its time limit, and every step is on standard output."""
    monkeypatch.setattr(trackers, "OPEN_SECONDS", 0.2)
    monkeypatch.setattr(trackers, "WRITE_SECONDS", 0.2)
    wandb(**{where: "time.sleep(90)"})
    telemetry = said.run(wandb="judge")
    for step in range(50):
        telemetry.record("step", step, loss=0.5)
    assert len(said.events) == 50
    telemetry.close()
    assert said.told == [
        "--wandb did not answer within 0.2 s; the run goes on without it, every figure is on standard output"
    ]
    hanging = [thread for thread in threading.enumerate() if thread.name == "libra --wandb" and thread.is_alive()]
    assert all(thread.daemon for thread in hanging)  # or the process could not end
    assert hanging


def test_one_tracker_does_not_hold_up_another(
    said: Said, wandb: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trackers, "WRITE_SECONDS", 2.0)
    wandb(log="time.sleep(90)")
    telemetry = said.run(wandb="judge", tensorboard=str(tmp_path / "board"))
    telemetry.record("step", 1, loss=0.5)
    telemetry.close()
    assert read_back(tmp_path / "board", "train/loss") == [(1, 0.5)]


def test_a_missing_package_is_said_at_once_with_the_cure(
    said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even beside a folder `wandb`, which offline runs leave behind."""
    (tmp_path / "wandb").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "tensorboard", raising=False)
    for option in ("wandb", "tensorboard"):
        with pytest.raises(Fatal) as refused:
            said.run(**{option: "x"})
        assert refused.value.status is Exit.USAGE
        assert str(refused.value) == f"--{option} needs {option}: pip install 'libra-cli[{option}]'"


def test_the_progress_line_fits_its_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    display = _ProgressLine("sft", 2840)
    for step in (1000, 1001):
        display.update("step", step, {"loss": 0.51234, "lr": 1e-5, "tokens_per_second": 10234.5, "mfu": 0.312})
    for width in (1, 10, 40, 80, 100, 200):
        line = display.draw(width)
        assert "\n" not in line
        assert cell_len(Text.from_ansi(line).plain) <= width
    shown = "1,001/2,840 loss 0.5123, lr 1.00e-05, 10,234 tokens/s, MFU 31.2%"
    assert shown in Text.from_ansi(display.draw(200)).plain
    narrow = Text.from_ansi(display.draw(60)).plain
    assert narrow.startswith("libra sft 1,001/2,840 loss 0.5123, lr 1.00e-05 0:00:0")
    assert narrow.endswith(" left")
    assert "\x1b[" in display.draw(200)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in display.draw(200)


def test_the_time_left_is_that_of_this_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that goes on at step 1,000 has not made a thousand steps in its first two seconds."""
    clock = iter(range(0, 10_000, 2))
    display = _ProgressLine("sft", 1012)
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    for step in (1000, 1001, 1002):
        display.update("step", step, {"loss": 1.0})
    assert display.text() == "step 1,002/1,012, loss 1.0000, 0:00:20 left"


def test_the_time_left_counts_the_evaluations_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 2.0, 4.0, 5.0, 35.0, 37.0])
    display = _ProgressLine("sft", 10, {"score": 4})
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    for step in (2, 3, 4):
        display.update("step", step, {})
    assert display.text() == "step 4/10, 0:00:12 left"  # how long a score takes is not known yet
    display.update("checkpoint", 4, {})
    display.update("score", 4, {"accuracy": 0.5})
    assert display.text() == "step 4/10, accuracy 50.0%, 0:01:12 left"  # those after steps 8 and 10
    display.update("step", 5, {})
    assert display.text() == "step 5/10, accuracy 50.0%, 0:01:11 left"  # the checkpoint makes a step 2.3 s long


def test_the_accuracy_on_a_benchmark_is_said(said: Said) -> None:
    telemetry = said.run()
    figures = {"accuracy": 0.63, "low": 0.581, "high": 0.674, "n": 200, "unread": 3, "refused": 2}
    telemetry.record("score", 20, model_step=16, **figures)
    telemetry.record("score", 20, model_step=16, accuracy=None, reason="no rows")
    counts = "200 verdicts, 3 unreadable, 2 refused"
    assert said.told == [f"step 16/100: accuracy 63.0% [58.1, 67.4] on the benchmark ({counts})"]


def test_progress_shows_the_last_figures_of_rollouts_and_scores_beside_the_step() -> None:
    display = _ProgressLine("grpo", 12)
    display.update("rollout", 0, {"reward": 0.25, "correct": 0.5, "length_mean": 1234.5})
    display.update("score", 0, {"accuracy": 0.75})
    display.update("eval", 0, {"loss": 9.0})
    display.update("step", 1, {"loss": 0.125})
    expected = "step 1/12, reward 0.250, correct 50.0%, length 1,234, accuracy 75.0%, loss 0.1250"
    assert display.text() == expected
    display.update("score", 1, {"accuracy": None})  # it could not be measured: the old figure is not shown as the new
    assert "accuracy" not in display.text()


def test_progress_is_a_line_of_the_console_and_quiet_silences_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("libra_cli.stream.console.PROGRESS_EVERY_LOG", 0.0)
    for quiet in (False, True):
        telemetry = Telemetry(Console("sft", quiet=quiet), lambda line: None, total_steps=9)
        telemetry.record("step", 4, loss=0.5)
        telemetry.record("eval", 4, loss=0.7)
        telemetry.close()
    assert capfd.readouterr().err == "libra sft: step 4/9, loss 0.5000\n"
