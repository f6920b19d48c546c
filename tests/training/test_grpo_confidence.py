"""Rewards that read a stated confidence (RLCR), on a stream that mixes all tasks."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import sft_runs as runs
import warm
from grpo_runs import COMMON, events, rows, write_tasks

from libra_cli.exits import Exit
from libra_cli.stream.rows import RowError
from libra_cli.training.data.prompts import PromptReader

RECIPES = Path(__file__).parents[2] / "examples/recipes/rewards"
TASKS = ("reason", "score", "rank", "verify")
TEMPLATES = [word for task in TASKS for word in ("--template", f"{task}={RECIPES / f'{task}-confidence.txt'}")]
REWARDS = ["--rewards", str(RECIPES / "rlcr.yaml")]
STATED = (0.9, 0.6, 0.2, 0.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rollout of prompts of all tasks, and the steps that learn from it."""

    def make(folder: Path) -> None:
        tasks = write_tasks(folder / "tasks.jsonl", 2, 2)
        about = {"question": "What is 1+1?", "response": "It is 2.", "reference": "2", "label": 1, "task": "verify"}
        tasks.write_text(tasks.read_text() + json.dumps(about) + "\n")
        words = [*COMMON, str(tasks), *REWARDS, *TEMPLATES, "--prompts", "5", "--epochs", "1", "--batch-size", "20"]
        runs.drive(folder, 1, {"out": [*words, "--save-rollouts"]}, stage="grpo")

    return runs.made_once(tmp_path_factory, "grpo-confidence", make)


def test_a_mixed_stream_is_asked_for_confidences_and_rewarded_by_them(made: Path) -> None:
    [rollout] = events(made / "out.log", "rollout")
    assert {name.removeprefix("reward_of_") for name in rollout if name.startswith("reward_of_")} == {*TASKS}
    assert {"reward_format", "reward_correct", "reward_brier"} <= rollout.keys()
    responses = rows(made / "out", 0)
    assert len(responses) == 20
    assert {row["rollout"]["terms"]["brier"] for row in responses} == {0.0}  # none is stated


def test_a_replay_rewards_stated_confidences(made: Path, tmp_path: Path) -> None:
    responses, expected = rows(made / "out", 0), []
    for place, row in enumerate(responses):
        stated, correct = STATED[place % 4], place % 3 == 0
        text = f"<think>\nFine.\n</think>\n\n[[confidence={stated}]]\n[[score=4]]"
        row["rollout"] |= {"text": text, "correct": correct, "null_by": "none", "format": True, "finish_reason": "stop"}
        expected.append(0.5 + 0.5 * correct + 0.5 * (1 - (correct - stated) ** 2))
    saved = tmp_path / "rollout-0.jsonl"
    saved.write_text("".join(json.dumps(row) + "\n" for row in responses))
    words = warm.libra("grpo", "--replay", str(saved), *REWARDS, "--dry-run")
    done = subprocess.run(words, env=runs.environment(), capture_output=True, text=True, timeout=60)
    figures: dict[str, Any] = json.loads(done.stdout)
    assert figures["reward"] == pytest.approx(sum(expected) / 20)


@pytest.mark.parametrize("without", TASKS)
def test_a_task_whose_prompt_asks_for_no_confidence_is_refused(without: str) -> None:
    record = {"question": "1+1?", "response": "I have confidence: 2", "reference": "2", "label": 1, "task": without}
    if without == "rank":
        record = {"question": "1+1?", "response_a": "2", "response_b": "3", "preference": "A>B"}
    template = (RECIPES / f"{without}-confidence.txt").read_text()
    for system, templates in ((None, {without: template}), ("State your confidence as [[confidence=P]].", {})):
        assert PromptReader(None, templates, system, 0, confidence=True)("a", record).task.name == without
    if without == "reason":
        asking = {**record, "system": "State your confidence as [[confidence=P]]."}
        assert PromptReader(None, {}, None, 0, confidence=True)("a", asking).task.name == without
        record |= {"question": "How wide is a 95% confidence interval?"}
    with pytest.raises(
        RowError, match=f"the prompt of {without} asks for none; give one that shows .*: --template {without}=FILE"
    ):
        PromptReader(None, {}, None, 0, confidence=True)("a", record)


def test_the_run_refuses_it_before_it_begins(made: Path, tmp_path: Path) -> None:
    words = warm.libra(
        "grpo", *COMMON, str(made / "tasks.jsonl"), *REWARDS, *TEMPLATES[:-2], "-o", str(tmp_path / "out")
    )
    done = subprocess.run(words, env=runs.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == Exit.USAGE
    assert done.stderr.count("asks for none; give one that shows [[confidence=P]]: --template verify=FILE") == 1
    assert not (tmp_path / "out").exists()
