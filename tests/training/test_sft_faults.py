"""What befalls a run of `libra sft`: kills, signals, bad numbers, bad rows, other settings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sft_runs as runs
import warm

STEPS = 12


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.made_once(tmp_path_factory, "sft-faults", write_inputs)


def write_inputs(folder: Path) -> None:
    runs.write_model(folder / "model")
    runs.write_rows(folder / "rows.jsonl")


def command(folder: Path, output: str, *args: str, rows: str = "rows.jsonl") -> list[str]:
    line = ["sft", "--model", str(folder / "model"), str(folder / rows), "-o", str(folder / output)]
    return warm.libra(*line, *runs.COMMON, "--max-steps", str(STEPS), *args)


def run(folder: Path, output: str, *args: str, rows: str = "rows.jsonl") -> subprocess.CompletedProcess[str]:
    """A whole run; its lines go to OUTPUT.log."""
    with open(folder / f"{output}.log", "a") as log:
        return subprocess.run(command(folder, output, *args, rows=rows), env=runs.environment(), stdout=log,
                              stderr=subprocess.PIPE, text=True, timeout=200)  # fmt: skip


def stop_at(
    folder: Path, output: str, step: int, number: signal.Signals, *args: str, rows: str = "rows.jsonl"
) -> tuple[int, str]:
    """Sends the signal to a run's whole group once the line of `step` is there; gives its status and stderr."""
    with open(folder / f"{output}.log", "a") as log:
        line = command(folder, output, *args, rows=rows)
        process = subprocess.Popen(line, env=runs.environment(), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, start_new_session=True)  # fmt: skip
        assert process.stdout is not None
        for event in process.stdout:
            log.write(event)
            if json.loads(event)["event"] == "step" and json.loads(event)["step"] == step:
                os.killpg(process.pid, number) if number == signal.SIGKILL else process.send_signal(number)
                break
        rest, errors = process.communicate(timeout=120)
        log.write("".join(line + "\n" for line in rest.splitlines() if line.endswith("}")))
    return process.returncode, errors


@pytest.fixture(scope="module")
def undisturbed(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(_: Path) -> None:
        done = run(made, "undisturbed", "--save-every", "4")
        assert done.returncode == 0, done.stderr

    runs.made_once(tmp_path_factory, "sft-undisturbed", make)
    return made


def assert_as_undisturbed(folder: Path, output: str) -> None:
    expected, found = runs.steps(folder / "undisturbed.log"), runs.steps(folder / f"{output}.log")
    assert [(step["step"], step["loss"], step["grad_norm"], step["lr"]) for step in found] == [
        (step["step"], step["loss"], step["grad_norm"], step["lr"]) for step in expected
    ]
    assert runs.difference(folder / "undisturbed", folder / output) == 0.0


def test_a_killed_run_goes_on_as_if_nothing_had_been(undisturbed: Path) -> None:
    status, _ = stop_at(undisturbed, "killed", 7, signal.SIGKILL, "--save-every", "4")
    assert status == -signal.SIGKILL
    assert [path.name for path in (undisturbed / "killed" / "checkpoints").iterdir()] == ["step-4"]
    done = run(undisturbed, "killed", "--save-every", "4")
    assert done.returncode == 0, done.stderr
    assert "continues after step 4" in done.stderr
    assert_as_undisturbed(undisturbed, "killed")
    again = run(undisturbed, "killed", "--save-every", "4")
    assert (again.returncode, "is finished" in again.stderr) == (0, True)


@pytest.mark.slow
def test_a_run_on_two_ranks_that_is_asked_to_stop_saves_and_goes_on_with_one(undisturbed: Path) -> None:
    status, errors = stop_at(undisturbed, "stopped", 5, signal.SIGUSR1, "--nproc", "2", "--zero", "2")
    assert status == 75, errors
    saved = [path.name for path in (undisturbed / "stopped" / "checkpoints").iterdir()]
    assert len(saved) == 1
    done = run(undisturbed, "stopped", "--zero", "0")
    assert done.returncode == 0, done.stderr
    assert "which was saved by 2 processes, --zero 2" in done.stderr
    losses = [step["loss"] for step in runs.steps(undisturbed / "stopped.log")]
    assert losses == pytest.approx(
        [step["loss"] for step in runs.steps(undisturbed / "undisturbed.log")], abs=2e-6
    )  # as they are printed


@pytest.mark.slow
def test_ctrl_c_saves(undisturbed: Path) -> None:
    status, errors = stop_at(undisturbed, "interrupted", 3, signal.SIGINT)
    assert (status, "the same command continues" in errors) == (130, True)
    assert "Traceback" not in errors
    done = run(undisturbed, "interrupted")
    assert done.returncode == 0, done.stderr
    assert_as_undisturbed(undisturbed, "interrupted")


def test_a_reader_that_leaves_stops_the_run_which_can_go_on(undisturbed: Path) -> None:
    line = " ".join(command(undisturbed, "unread")) + " | head -n 1"
    shell = ["bash", "-o", "pipefail", "-c", line]
    done = subprocess.run(shell, env=runs.environment(), capture_output=True, text=True, timeout=200)
    assert (done.returncode, json.loads(done.stdout)["step"]) == (141, 1), done.stderr
    assert list((undisturbed / "unread" / "checkpoints").glob("step-*/libra.json"))


@pytest.mark.slow
def test_a_library_that_breaks_as_python_ends_does_not_change_how_a_run_ended(undisturbed: Path) -> None:
    """Seen of torch on a busy machine: `terminate called without an active exception`, after the last line of a run."""
    code = "import atexit, os; atexit.register(os.abort); from libra_cli.main import run; run()"
    words = [sys.executable, "-c", code, *command(undisturbed, "complete")[1:]]
    done = subprocess.run(words, env=runs.environment(), capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert [step["step"] for step in map(json.loads, done.stdout.splitlines()) if step["event"] == "step"][-1] == STEPS


def test_other_settings_are_refused(undisturbed: Path) -> None:
    done = run(undisturbed, "undisturbed", "--save-every", "4", "--lr", "0.5")
    assert done.returncode == 2
    assert "lr was 0.01, now it is 0.5; begin anew with --overwrite" in done.stderr


@pytest.mark.parametrize("part", ["tokenizer", "data"])
def test_other_tokens_are_refused_with_their_cause(undisturbed: Path, part: str) -> None:
    model, rows = undisturbed / f"model-{part}", undisturbed / f"rows-{part}.jsonl"
    runs.write_model(model)
    rows.write_bytes((undisturbed / "rows.jsonl").read_bytes())
    again = ["--model", str(model), "--save-every", "2"]
    assert stop_at(undisturbed, f"stopped-{part}", 4, signal.SIGUSR1, *again, rows=rows.name)[0] == 75
    if part == "tokenizer":
        file = model / "chat_template.jinja"
        file.write_text("~" + file.read_text())
    else:
        rows.write_text("".join(rows.read_text().splitlines(True)[:-1]))
    done = run(undisturbed, f"stopped-{part}", *again, rows=rows.name)
    assert done.returncode == 2
    assert "the tokens of its samples are others now" in done.stderr
    assert ("since chat_template.jinja of the model changed" in done.stderr) is (part == "tokenizer")


def test_a_loss_that_is_not_finite_names_its_sample_and_spares_the_weights(made: Path) -> None:
    from safetensors.torch import load_file, save_file

    broken = made / "broken-model"
    if not broken.exists():
        runs.write_model(broken)
    rows = (made / "rows.jsonl").read_text().splitlines()
    odd = json.loads(rows[5])
    odd["messages"][1]["content"] += " ~"  # a byte that no other row has
    rows[5] = json.dumps(odd)
    (made / "odd.jsonl").write_text("\n".join(rows) + "\n")
    tensors = load_file(broken / "model.safetensors")
    from transformers import AutoTokenizer

    token = AutoTokenizer.from_pretrained(broken).encode("~", add_special_tokens=False)[-1]
    tensors["model.embed_tokens.weight"][token] = float("nan")
    save_file(tensors, broken / "model.safetensors", {"format": "pt"})
    args = ["--model", str(broken), "--clip", "0"]
    done = run(made, "not-finite", *args, rows="odd.jsonl")
    assert done.returncode == 1, done.stderr
    assert "the loss is not finite on sum-" in done.stderr
    assert "Traceback" not in done.stderr


def test_rows_that_cannot_be_learned_from_end_the_run_before_it_begins(made: Path, tmp_path: Path) -> None:
    lines = (made / "rows.jsonl").read_text().splitlines()
    bad = ['{"messages": [{"role": "user", "content": "x"}]}', '{"question": "x"}', '{"messages": ']
    (tmp_path / "rows.jsonl").write_text("\n".join([lines[0], *bad, *lines[2:]]) + "\n")
    args = ["sft", "--model", str(made / "model"), str(tmp_path / "rows.jsonl"), "-o", str(tmp_path / "out")]
    line = warm.libra(*args, *runs.COMMON)
    done = subprocess.run(line, env=runs.environment(), capture_output=True, text=True, timeout=200)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert all(f"rows.jsonl:{number}: " in done.stderr for number in (2, 3, 4))
    assert "3 rows cannot be learned from, and nothing was trained; mend them" in done.stderr


@pytest.mark.slow
def test_what_was_due_when_a_run_was_stopped_is_done_when_it_goes_on(made: Path) -> None:
    held_out = ["--eval-data", str(runs.write_rows(made / "held-out.jsonl", n=40, seed=9)), "--eval-every", "2"]
    status, errors = stop_at(made, "evaluated", 4, signal.SIGTERM, *held_out)
    assert status == 143, errors
    done = run(made, "evaluated", *held_out)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in (made / "evaluated.log").read_text().splitlines()]
    assert [each["step"] for each in events if each["event"] == "eval"] == [2, 4, 6, 8, 10, 12]
