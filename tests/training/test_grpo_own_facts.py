"""Rewards from facts that libra does not measure, and credit of tokens, in a run and in replays of its rollouts."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sft_runs as runs
import warm
from grpo_runs import BATCH, PROMPTS, SAMPLES, events, rows, write_tasks

from libra_cli.exits import InvalidOptions
from libra_cli.training.rewards import RewardPlan

PRESETS = Path(__file__).parents[2] / "examples/recipes/rewards"
FUNCTIONS = """
def scores(facts, *, best=1.0):
    assert all("question" in row for row in facts["record_P"])
    return [[[best, -1.0 if len(text) % 2 else 0.5] for text in texts] for texts in facts["responses_P_G"]]
def ends(facts):
    return [[[len(one) // 2 - 1, len(one) - 1] for one in group] for group in facts["tokens_P_G_T"]]
def share(facts):
    return [[len(text) % 3 / 2 for text in texts] for texts in facts["responses_P_G"]]
def two(facts):
    return [[0.25, 0.75] for _ in facts["record_P"]]
"""
ASPECTS = {"helpful": "share", "harmless": "share", "helpful_reference": "two", "harmless_reference": "two"}
OWN = {
    "pure": {"step_rewards": "scores", "step_ends": "ends"},
    "clip-delta": {"step_rewards": "scores", "step_ends": "ends"},
    "c-grpo": {"rubric": "share"},
    "lst": ASPECTS,
}
SAVED = {"rubric": 0.5, "step_rewards": [0.5], "helpful": 0.5, "harmless": None,
         **{f"{name}_reference": [0.25, 0.75] for name in ("helpful", "harmless")}}  # fmt: skip


def recipe(folder: Path, name: str, functions: dict[str, str]) -> str:
    """The preset `name` with functions of the user's own, as a file."""
    path = folder / f"{name}{len(functions)}.yaml"
    own = "".join(f"  {fact}: {folder}/own.py:{function}\n" for fact, function in functions.items())
    path.write_text((PRESETS / f"{name}.yaml").read_text() + (f"facts:\n{own}" if own else ""))
    return str(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(folder: Path) -> None:
        (folder / "own.py").write_text(FUNCTIONS)
        args = ["--model", "libra-mini/weak", "--prompts", str(PROMPTS), "-n", str(SAMPLES), "--batch-size", str(BATCH),
                "--max-tokens", "64", "--max-length", "512", "--max-steps", "2", "--kl", "0", "--save-rollouts",
                "--save-token-ids", "--rewards", recipe(folder, "pure", OWN["pure"])]  # fmt: skip
        runs.drive(folder, 1, {"run": [*args, str(write_tasks(folder / "tasks.jsonl"))]}, stage="grpo")

    return runs.made_once(tmp_path_factory, "grpo-own-facts", make)


def replay(made: Path, recipe: str, *saved: str) -> subprocess.CompletedProcess[str]:
    files = saved or tuple(map(str, sorted((made / "run/rollouts").glob("*.jsonl"))))
    line = warm.libra("grpo", "--dry-run", "--max-tokens", "64", "--rewards", recipe, "--replay", *files)
    return subprocess.run(line, env=runs.environment(), capture_output=True, text=True, timeout=120)


def test_a_run_learns_from_steps_that_a_function_of_the_user_scores(made: Path) -> None:
    [event] = events(made / "run.log", "rollout")
    assert any(step["grad_norm"] > 0 for step in events(made / "run.log", "step"))
    [again] = [json.loads(line) for line in replay(made, recipe(made, "pure", OWN["pure"])).stdout.splitlines()]
    assert again["reward"] == pytest.approx(event["reward"])


@pytest.mark.parametrize("name", OWN)
def test_a_replay_takes_functions_and_what_is_written_into_the_rows(made: Path, tmp_path: Path, name: str) -> None:
    done = replay(made, recipe(tmp_path, name, {}))
    assert done.returncode == 2
    assert f"facts: {{{min(OWN[name])}: FILE.py:function" in done.stderr
    (tmp_path / "own.py").write_text(FUNCTIONS)
    done = replay(made, recipe(tmp_path, name, OWN[name]))
    assert (done.returncode, done.stderr) == (0, "")
    saved = tmp_path / "saved.jsonl"
    with saved.open("w") as file:
        for row in rows(made / "run", 0):
            made_of: dict[str, Any] = row["rollout"]
            ends = [made_of["n_tokens"] - 1]
            file.write(json.dumps({**row, "rollout": {**made_of, "facts": {**SAVED, "step_ends": ends}}}) + "\n")
    done = replay(made, recipe(tmp_path, name, {}), str(saved))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_row_cannot_replace_what_libra_measures(made: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.jsonl"
    written = ({**row, "rollout": {**row["rollout"], "facts": {"correct": 1}}} for row in rows(made / "run", 0))
    saved.write_text("".join(f"{json.dumps(row)}\n" for row in written))
    done = replay(made, str(PRESETS / "tempo.yaml"), str(saved))
    assert done.returncode == 2
    assert 'libra measures "correct" itself' in done.stderr


def test_tempo_is_replayed_by_the_token_ids(made: Path, tmp_path: Path) -> None:
    saved = rows(made / "run", 0)
    assert all(len(row["rollout"]["token_ids"]) == row["rollout"]["n_tokens"] for row in saved)
    preset = str(PRESETS / "tempo.yaml")
    assert replay(made, preset).returncode == 0
    bare = tmp_path / "bare.jsonl"
    for row in saved:
        del row["rollout"]["token_ids"]
    bare.write_text("".join(f"{json.dumps(row)}\n" for row in saved))
    done = replay(made, preset, str(bare))
    assert (done.returncode, "--save-rollouts --save-token-ids" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("fact", "function", "message"),
    [
        ("novelty", "one", r"facts.novelty: .* returned the shape \(1, 1\): novelty_P_G of 1 prompts with 2"),
        ("novelty", "flat", r"returned the shape \(1,\)"),
        ("step_rewards", "one", r"returned the shape \(1, 1\): step_rewards_P_G_S"),
        ("step_rewards", "flat", "returned what is no array of numbers"),
        ("correct", "one", "libra measures this itself"),
        ("novelty", "none", "has no function"),
    ],
)
def test_what_a_function_returns_has_the_axes_of_its_fact(
    tmp_path: Path, fact: str, function: str, message: str
) -> None:
    (tmp_path / "own.py").write_text("def one(facts):\n    return [[1.0]]\ndef flat(facts):\n    return [1.0]\n")
    facts = {"lengths_P_G": np.ones((1, 2)), "correct_P_G": np.array([[0.0, 1.0]]), "step_ends_P_G_S": [[[0], [0]]]}
    credit = {"credit": {"estimator": "delta"}, "rewards": ["correct"]}
    config = {} if fact == "correct" else credit if "step" in fact else {"rewards": [{"name": "judge", "fact": fact}]}
    own = {"facts": {fact: f"{tmp_path}/own.py:{function}"}}
    with pytest.raises(InvalidOptions, match=message):
        RewardPlan.from_config({**config, **own}).apply(facts)
