"""`libra grpo` with vLLM in the training processes: ranks, ZeRO stages, heads, dtypes.

Runs that are killed and continue, with vLLM there and in a server.
"""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import installed
import pytest
import sft_runs as runs
import warm
from grpo_runs import BATCH, COMMON, SAMPLES, events, rows, write_tasks
from policy_models import WEAK, untied
from servers.real import sampling_server

from libra_cli.stream.module_path import libra_command

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(500), installed.needs("vllm")]

STEPS, KILLED_AFTER, FIRST = 20, 10, 4
FIGURES = ("loss", "policy_loss", "kl", "grad_norm", "entropy")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with prompts, and a run of all steps on one rank, which nothing interrupts."""

    def make(folder: Path) -> None:
        write_tasks(folder / "tasks.jsonl")
        runs.drive(folder, 1, {"one": words(folder)}, stage="grpo")

    return runs.made_once(tmp_path_factory, "grpo-vllm", make)


def words(folder: Path, *args: str, url: str | None = None) -> list[str]:
    sampler = ["--sampler", "vllm"] if url is None else ["--sampler-url", url]
    given = [*COMMON, str(folder / "tasks.jsonl"), *sampler, "--epochs", "5", "--warmup", "0"]
    return [*given, "--max-steps", str(STEPS), "--save-every", "2", *args]


def largest_gap(log: Path) -> float:
    """Of the mean gaps between sampler and trainer, one for each hand-over of weights."""
    rollouts = events(log, "rollout")
    assert len(rollouts) > 1
    return max(event["gap_mean"] for event in rollouts)


def assert_rounding_only(log: Path) -> None:
    """In float32 a trained miniature keeps 1e-5 on average; at a single token rounding makes up to 6e-5."""
    assert largest_gap(log) < 1e-5
    assert max(event["gap_max"] for event in events(log, "rollout")) < 1e-4


def assert_same(found: list[dict[str, Any]], expected: list[dict[str, Any]], rel: float, abs: float) -> None:
    assert [step["step"] for step in found] == [step["step"] for step in expected]
    for mine, other in zip(found, expected, strict=True):
        for name in FIGURES:
            assert mine[name] == pytest.approx(other[name], rel=rel, abs=abs), (name, mine["step"])


@pytest.mark.parametrize("zero", ["2", "3"])
@pytest.mark.parametrize("ranks", [1, 2])
def test_ranks_and_zero_train_as_one_rank_does(made: Path, ranks: int, zero: str) -> None:
    name = f"{ranks}-zero-{zero}"
    plan = {name: words(made, "--zero", zero, "--max-steps", str(FIRST))}
    runs.drive(made, ranks, plan, stage="grpo")
    assert_rounding_only(made / f"{name}.log")
    alone = events(made / "one.log", "step")[:FIRST]
    assert_same(events(made / f"{name}.log", "step"), alone, rel=1e-2, abs=1e-4)


@pytest.mark.parametrize(
    ("head", "dtype", "ranks", "bound"),
    [("untied", "fp32", 1, 1e-5), ("tied", "bf16", 1, 1e-2), ("untied", "fp32", 2, 1e-5), ("untied", "bf16", 2, 1e-2)],
)
def test_sampler_and_trainer_agree(made: Path, head: str, dtype: str, ranks: int, bound: float) -> None:
    model = WEAK if head == "tied" else untied(made / "untied-model")
    args = ["--model", str(model), "--dtype", dtype, "--max-steps", str(FIRST), *(["--zero", "3"] if ranks > 1 else [])]
    name = f"{head}-{dtype}-{ranks}"
    runs.drive(made, ranks, {name: words(made, *args)}, stage="grpo")
    assert largest_gap(made / f"{name}.log") < bound


@pytest.mark.parametrize("ranks", [1, 2])
def test_ten_steps_a_kill_and_ten_more_are_twenty_steps(made: Path, ranks: int) -> None:
    whole, killed = {1: "one", 2: "two"}[ranks], f"killed-{ranks}"
    if ranks > 1:
        runs.drive(made, ranks, {whole: words(made)}, stage="grpo")
    assert_rounding_only(made / f"{whole}.log")
    given = words(made, "-o", str(made / killed))
    # Of several ranks the launcher is killed, with which they end.
    line = warm.libra("grpo", *given) if ranks == 1 else libra_command("grpo", *given, "--nproc", str(ranks))
    kill_and_continue(line)
    assert_twenty_steps(made, killed, whole)


@pytest.mark.parametrize(("ahead", "prompts"), [(0, 4), (2, 6)])
def test_so_they_are_with_a_server_that_samples(made: Path, environment, ahead: int, prompts: int) -> None:
    """The server lives on with the weights that it had; what it samples then is the same, token by token.

    Three steps learn from six prompts, so that the kill comes after the first of them.
    """
    name = f"{ahead}-{prompts}"
    whole, killed = f"served-{name}", f"served-killed-{name}"
    more = ["--async-steps", str(ahead), "--prompts", str(prompts), "--save-rollouts", "--save-token-ids"]
    log = made / f"{name}.server"
    with sampling_server(Path(WEAK), "libra-mini/weak", log, environment, "--dtype", "float32") as (url, _):
        runs.drive(made, 1, {whole: words(made, *more, url=url)}, stage="grpo")
        kill_and_continue(warm.libra("grpo", *words(made, "-o", str(made / killed), *more, url=url)))
    assert_rounding_only(made / f"{whole}.log")
    assert_twenty_steps(made, killed, whole)
    for number in range(-(-STEPS * BATCH // (prompts * SAMPLES))):
        found, expected = (rows(made / folder, number) for folder in (killed, whole))
        for row in (*found, *expected):
            del row["rollout"]["run"]
        assert found == expected


def kill_and_continue(line: list[str]) -> None:
    """Runs a command that is killed as soon as its tenth step is saved, and then the same command again."""
    process = subprocess.Popen(
        line, env=runs.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    for event in map(json.loads, process.stdout):
        if event["event"] == "checkpoint" and event["step"] == KILLED_AFTER:
            process.send_signal(signal.SIGKILL)
            break
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    done = subprocess.run(line, env=runs.environment(), capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    assert f"continues after step {KILLED_AFTER}" in done.stderr


def assert_twenty_steps(folder: Path, killed: str, whole: str) -> None:
    """Losses and weights are equal, bit for bit."""
    found, expected = (events(folder / name / "events.jsonl", "step") for name in (killed, whole))
    assert len(found) == STEPS
    assert_same(found, expected, rel=0, abs=0)
    assert runs.difference(folder / whole, folder / killed) == 0
