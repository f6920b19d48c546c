"""Every preset of examples/recipes/rewards in a run, and its rewards and advantages again from the saved rollouts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from math import gamma
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import sft_runs as runs
import thinned
import warm
import yaml
from grpo_runs import BATCH, PROMPTS, SAMPLES, events, rows, write_tasks
from transformers import AutoTokenizer

from libra_cli import miniature
from libra_cli.stages.grpo.plan import plan_of
from libra_cli.training.rewards import NullBy, RewardPlan
from libra_cli.training.rewards.user_terms import with_own_facts
from libra_cli.training.rollouts.records import read_facts

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

PRESETS = Path(__file__).parents[2] / "examples/recipes/rewards"
NAMES = sorted(path.stem for path in PRESETS.glob("*.yaml"))
PARTS, STEPS, LONGEST = 4, 4, 64
ROLLOUTS = STEPS * BATCH // (PROMPTS * SAMPLES)
SIZES = ["--model", "libra-mini/weak", "--prompts", str(PROMPTS), "-n", str(SAMPLES), "--batch-size", str(BATCH),
         "--max-tokens", str(LONGEST), "--max-length", "512", "--max-steps", str(STEPS), "--lr", "1e-4", "--kl", "0",
         "--warmup", "0", "--seed", "3", "--save-rollouts", "--save-token-ids"]  # fmt: skip
UNMOVED = ("rlcr", "writing-zero")
"""Nothing to learn in two rollouts of this policy: it states no confidence, and loses all comparisons of a group."""
FIGURES = ("reward", "reward_std", "zero_spread_share", "null_by_policy_share", "null_by_verifier_share", "kept_share",
           "correct", "length_mean", "length_max", "truncated_share")  # fmt: skip
OWN = """
def share(facts):
    return [[len(text) % 3 / 2 for text in texts] for texts in facts["responses_P_G"]]
def two(facts):
    return [[0.25, 0.75] for _ in facts["record_P"]]
"""


def facts_of_the_user(name: str, folder: Path) -> dict[str, Any]:
    """What the preset says that the user has to bring."""
    shared = {"model": "libra-mini/weak", "separator": ";"}
    ends = {"from": f"{PRESETS}/steps.py:ends", **shared}
    scores = {"from": f"{PRESETS}/steps.py:scores", **shared, "modulus": 1000}
    share, two = (f"{folder}/own.py:{function}" for function in ("share", "two"))
    aspects = {"helpful": share, "harmless": share, "helpful_reference": two, "harmless_reference": two}
    return {
        "pure": {"step_rewards": scores, "step_ends": ends},
        "clip-delta": {"step_rewards": {**scores, "wrong": 0}, "step_ends": ends},
        "c-grpo": {"rubric": share},
        "lst": aspects,
    }.get(name, {})


def recipe(name: str, folder: Path) -> dict[str, Any]:
    config = {**yaml.safe_load((PRESETS / f"{name}.yaml").read_text()), "facts": facts_of_the_user(name, folder)}
    if name == "par":
        config["judge"] = {"model": "libra-mini/judge", "references": str(folder / "references.jsonl")}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(config))
    return config


def write_inputs(folder: Path) -> None:
    (folder / "own.py").write_text(OWN)
    write_tasks(folder / "mixed.jsonl")
    problems = write_tasks(folder / "problems.jsonl", judged=0).read_text().splitlines()
    scored = {"response": "It is 38.", "judge": "libra-mini/judge", "judge_task": "score", "score": 2}
    (folder / "references.jsonl").write_text(
        "".join(json.dumps({**json.loads(row), **scored}) + "\n" for row in problems)
    )


def words(name: str, config: Mapping[str, Any], folder: Path) -> list[str]:
    only_problems = name in ("par", "think-rm", "writing-zero")  # verdicts of the policy have no opponent
    data = folder / ("problems.jsonl" if only_problems else "mixed.jsonl")
    given = [*SIZES, "--rewards", str(folder / f"{name}.yaml"), str(data)]
    for task in ("reason", "score", "rank") if name == "rlcr" else ():
        given += ["--template", f"{task}={PRESETS}/{task}-confidence.txt"]
    return given


def replayed(name: str, folder: Path, saved: list[str]) -> list[dict[str, Any]]:
    line = warm.libra("grpo", "--dry-run", "-n", str(SAMPLES), "--max-tokens", str(LONGEST), "--rewards")
    done = subprocess.run(
        [*line, str(folder / f"{name}.yaml"), "--replay", *saved],
        env=runs.environment(), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(figures) for figures in done.stdout.splitlines()]


def recomputed(config: dict[str, Any], saved: list[str]) -> list[tuple[float | None, float, bool]]:
    """Reward, advantage and whether the loss counts it, of each saved response."""
    rollout = SimpleNamespace(max_tokens=LONGEST, samples=SAMPLES, refills=0)
    settings = SimpleNamespace(rewards=config, rewards_file="", rollout=rollout, batch=SimpleNamespace(seed=3))
    plan, state, found = plan_of(cast(Any, settings), is_replay=True), None, []
    for (_, _, step), facts, _ in read_facts(saved, plan):
        rewarded = plan.apply(facts, state, step)
        state = rewarded.state
        values = rewarded.rewards_P_G, rewarded.advantages_P_G, rewarded.keep_P_G
        found += list(zip(*(each.reshape(-1).tolist() for each in values), strict=True))
    return [(None if np.isnan(reward) else reward, *others) for reward, *others in found]


@pytest.mark.parametrize(
    "names", [["judge", "noisy-labels"], *(thinned.slow(NAMES[part::PARTS]) for part in range(PARTS))]
)
def test_a_run_has_the_rewards_and_advantages_that_its_rollouts_have_in_a_replay(
    names: list[str], tmp_path: Path
) -> None:
    write_inputs(tmp_path)
    configs = {name: recipe(name, tmp_path) for name in names}
    plan = {name: words(name, config, tmp_path) for name, config in configs.items()}
    runs.drive(tmp_path, 1, plan, stage="grpo")
    for name, config in configs.items():
        saved = [str(tmp_path / name / f"rollouts/rollout-{number}.jsonl") for number in range(ROLLOUTS)]
        made = [row["rollout"] for number in range(ROLLOUTS) for row in rows(tmp_path / name, number)]
        assert [(row["reward"], row["advantage"], row["learned"]) for row in made] == recomputed(config, saved), name
        assert name in UNMOVED or any(step["grad_norm"] > 0 for step in events(tmp_path / f"{name}.log", "step")), name
        lines, logged = replayed(name, tmp_path, saved), events(tmp_path / f"{name}.log", "rollout")
        for number, (line, event) in enumerate(zip(lines, logged, strict=True)):
            for figure in FIGURES:
                assert line[figure] == pytest.approx(event[figure], rel=1e-6), (name, figure)
            advantages = [row["advantage"] for row in made if row["number"] == number]
            assert (line["advantage_min"], line["advantage_max"]) == (min(advantages), max(advantages)), name


def test_a_verdict_that_never_came_is_a_null_of_the_policy_in_a_replay_too(tmp_path: Path) -> None:
    """The row holds the response that the policy judges; its own has no text after the thinking."""
    measured = {"correct": False, "null_by": "policy", "format": False, "finish_reason": "stop", "n_tokens": 3,
                "text": "<think>Well", "judge": 0, "number": 0, "step": 0, "attempt": 0, "position": 0}  # fmt: skip
    row = {"id": "a", "question": "1+1?", "response": "2", "label": 1, "task": "score"}
    saved = tmp_path / "rollout-0.jsonl"
    for text, cause in ((None, NullBy.POLICY), ("It is right.", NullBy.NONE)):
        judgments = [{"outcome": None, "text": text}]
        made = ({**row, "sample": n, "judgments": judgments, "rollout": measured} for n in range(2))
        saved.write_text("".join(json.dumps(each) + "\n" for each in made))
        plan = RewardPlan.from_config({"judge": "libra-mini/judge", "rewards": ["judge"]})
        [(_, facts, correct)] = read_facts([str(saved)], plan)
        assert facts["null_by_P_G"].tolist() == [[cause] * 2]
        assert correct == 0


def test_rloo_and_bnpo_are_what_their_formulas_say_of_a_run(tmp_path: Path) -> None:
    """RLOO: less the mean of the others. BNPO: less the mean p, over the Beta density that fits the pass rates at p."""
    write_inputs(tmp_path)
    runs.drive(tmp_path, 1, {name: words(name, recipe(name, tmp_path), tmp_path) for name in ("rloo", "bnpo")},
               stage="grpo")  # fmt: skip
    for number in range(ROLLOUTS):
        made = {name: [row["rollout"] for row in rows(tmp_path / name, number)] for name in ("rloo", "bnpo")}
        rewards = {name: np.array([row["reward"] for row in made[name]], float).reshape(-1, SAMPLES) for name in made}
        advantages = {name: np.array([row["advantage"] for row in made[name]]).reshape(-1, SAMPLES) for name in made}
        others = (rewards["rloo"].sum(axis=1, keepdims=True) - rewards["rloo"]) / (SAMPLES - 1)
        assert advantages["rloo"] == pytest.approx(rewards["rloo"] - others)
        rates = rewards["bnpo"].mean(axis=1)
        if (variance := rates.var(ddof=1)) == 0:
            density = np.ones(PROMPTS)
        else:
            excess = rates.mean() * (1 - rates.mean()) / variance - 1
            a, b = (max(1.0, 1 + excess * share / 3) for share in (rates.mean(), 1 - rates.mean()))
            density = rates ** (a - 1) * (1 - rates) ** (b - 1) * gamma(a + b) / gamma(a) / gamma(b)
        expected = (rewards["bnpo"] - rates[:, None]) / np.maximum(density, 1e-6)[:, None]
        assert advantages["bnpo"] == pytest.approx(expected)


def test_steps_end_at_the_separator_and_are_as_right_as_their_equations() -> None:
    tokenizer = AutoTokenizer.from_pretrained(str(miniature.resolve("libra-mini/weak")))
    texts = ["<think>781-74 carry 10=707;707*6 carry 40=243</think>It is so.", "12 + 30 = 42;", "I do not know; 7.", ""]
    ids = [tokenizer(text, add_special_tokens=False).input_ids for text in texts]
    facts = {"lengths_P_G": np.array([[len(one) for one in ids]]), "tokens_P_G_T": [ids]}
    own = facts_of_the_user("pure", Path())
    plan = RewardPlan.from_config({"facts": own, "rewards": [{"name": "judge", "fact": "lengths"}], "credit": "min"})
    measured = with_own_facts(facts, plan.own_facts, (1, len(texts)))
    assert [one.tolist() for one in measured["step_rewards_P_G_S"][0][:2]] == [[1, -1], [1]]
    assert [len(one) for one in measured["step_rewards_P_G_S"][0]] == [2, 1, 2, 0]
    assert np.isnan(measured["step_rewards_P_G_S"][0][2]).all()
    ends = [one.astype(int).tolist() for one in measured["step_ends_P_G_S"][0]]
    assert [one[-1] + 1 for one in ends[:3]] == [len(one) for one in ids[:3]]
    assert tokenizer.decode(ids[0][: ends[0][0] + 1]) == "<think>781-74 carry 10=707;"
