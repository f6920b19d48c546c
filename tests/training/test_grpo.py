"""`libra grpo` for real on the CPU: rollouts, rewards and steps of an embedded model on one rank and on two."""

from __future__ import annotations

import json
import math
import signal
import statistics
import subprocess
from pathlib import Path
from typing import Any

import pytest
import sft_runs as runs
import thinned
import warm
import yaml
from grpo_runs import BATCH, COMMON, PROMPTS, SAMPLES, STEPS, events, rows, write_tasks

from libra_cli import miniature
from libra_cli.training.rewards import RewardPlan

PRESETS = Path(__file__).parents[2] / "examples/recipes/rewards"
SAVED = ["--save-rollouts", "--save-every", "1"]
LOSSES = ("loss", "policy_loss", "kl", "grad_norm", "entropy")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(folder: Path) -> None:
        tasks = [*COMMON, str(write_tasks(folder / "tasks.jsonl"))]
        (folder / "half.yaml").write_text("rewards: [{name: correct, weight: 0.5}]\nadvantage: {scale: none}\n")
        (folder / "spread.yaml").write_text("rewards: [correct]\nfilter: [zero_spread]\n")
        (folder / "range.yaml").write_text("rewards: [correct]\nfilter: [{name: pass_rate, low: 0.2, high: 0.6}]\n")
        plan = {
            "one": [*tasks, *SAVED],
            "recomputed": [*tasks, "--old-log-probs", "trainer"],
            "adapters": [*tasks, "--lora-rank", "4", "--epsilon", "1e-8"],
            "zero-kl": [*tasks, "--kl", "0", "--policy-loss", "gspo", "--aggregate", "token-mean"],
            "refilled": [
                *tasks,
                "--rewards",
                str(folder / "spread.yaml"),
                "--refills",
                "2",
                "--save-rollouts",
                "--epochs",
                "1.6",
            ],
            "ranged": [*tasks, "--rewards", str(folder / "range.yaml"), "--refills", "1", "--save-rollouts"],
            "half": [*tasks, "--rewards", str(folder / "half.yaml"), "--save-rollouts"],
        }
        runs.drive(folder, 1, plan, stage="grpo")

    return runs.made_once(tmp_path_factory, "grpo", make)


def command(folder: Path, output: str, *args: str) -> list[str]:
    line = ["grpo", *COMMON, str(folder / "tasks.jsonl"), "-o", str(folder / output), *args]
    return warm.libra(*line)


def close(one: Path, other: Path, rel: float, abs: float = 1e-6) -> None:
    """Both runs report the same losses."""
    first, second = events(one, "step"), events(other, "step")
    assert [step["step"] for step in first] == [step["step"] for step in second]
    for before, after in zip(first, second, strict=True):
        for name in LOSSES:
            assert after[name] == pytest.approx(before[name], rel=rel, abs=abs), (name, before["step"])


def test_a_step_learns_from_a_mini_batch_of_graded_responses(made: Path) -> None:
    rollouts, steps = events(made / "one.log", "rollout"), events(made / "one.log", "step")
    assert [event["step"] for event in rollouts] == [0, 2, 4]
    assert [step["samples"] for step in steps] == [*[BATCH] * (STEPS - 1), BATCH // 2]
    assert [event["prompts"] for event in rollouts] == [PROMPTS, PROMPTS, 3]
    for event in rollouts:
        saved = rows(made / "one", event["rollout"])
        assert len(saved) == event["prompts"] * SAMPLES
        right = [row["rollout"]["correct"] for row in saved if row["rollout"]["null_by"] != "verifier"]
        assert event["correct"] == pytest.approx(statistics.mean(map(bool, right)))
        for task in ("reason", "score", "rank"):
            rewards = [row["rollout"]["reward"] for row in saved if row["task"] == task]
            known = [reward for reward in rewards if reward is not None]
            assert event.get(f"reward_of_{task}") == (pytest.approx(statistics.mean(known)) if known else None)
        assert event["length_max"] == max(row["rollout"]["n_tokens"] for row in saved)
        assert event["gap_mean"] < 1e-5
        for row in saved:
            if row["task"] == "reason" and row["rollout"]["null_by"] == "none":
                assert row["label"] == int(row["rollout"]["correct"])
            if row["task"] == "score" and row["score"] is not None:
                assert row["rollout"]["correct"] == ((row["score"] > 2) == bool(row["label"]))


def test_advantages_are_those_of_the_group(made: Path) -> None:
    saved = rows(made / "one", 1)
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in saved:
        groups.setdefault(row["rollout"]["position"], []).append(row["rollout"])
    assert len(groups) == PROMPTS
    for group in groups.values():
        rewards = [each["reward"] for each in group if each["reward"] is not None]
        spread = statistics.stdev(rewards) if len(rewards) > 1 else 0.0
        for each in group:
            expected = 0.0
            if spread and each["reward"] is not None:
                expected = (each["reward"] - statistics.mean(rewards)) / (spread + 1e-4)
            assert each["advantage"] == pytest.approx(expected, abs=1e-6)


def test_the_first_step_of_a_rollout_is_on_policy(made: Path) -> None:
    for step in events(made / "one.log", "step")[::2]:
        assert step["log_ratio_max"] < 1e-4
        assert step["clip_low"] == step["clip_high"] == 0
        assert step["ess"] == pytest.approx(1, abs=1e-6)
    first = events(made / "one.log", "step")[0]
    assert first["kl"] == pytest.approx(0, abs=1e-8)


def test_the_trainer_s_own_log_probabilities_give_the_same_losses(made: Path) -> None:
    close(made / "one.log", made / "recomputed.log", rel=1e-2, abs=1e-4)


def test_adapters_need_no_second_copy_as_reference(made: Path) -> None:
    steps = events(made / "adapters.log", "step")
    assert steps[0]["kl"] == pytest.approx(0, abs=1e-8)
    assert steps[-1]["kl"] > 0


def test_without_kl_there_is_no_reference(made: Path) -> None:
    steps = events(made / "zero-kl.log", "step")
    assert "kl" not in steps[0]
    assert all(math.isfinite(step["loss"]) for step in steps)


def test_a_recipe_changes_the_advantages(made: Path) -> None:
    for row in rows(made / "half", 0):
        assert row["rollout"]["reward"] in (0.0, 0.5, None)
        assert abs(row["rollout"]["advantage"]) <= 0.5


def test_other_prompts_take_the_place_of_those_that_a_filter_drops(made: Path) -> None:
    """Two more samplings at most: only in the last one a group of equal rewards is kept. All prompts asked count."""
    rollouts = events(made / "refilled.log", "rollout")
    total, asked = round(18 * 1.6), 0
    assert sum(event["filtered_prompts"] for event in rollouts) > 0
    for event in rollouts:
        saved = [row["rollout"] for row in rows(made / "refilled", event["rollout"])]
        groups: dict[tuple[int, int], set[float | None]] = {}
        for each in saved:
            groups.setdefault((each["attempt"], each["position"]), set()).add(each["reward"])
        asked += len(groups)
        final = max(attempt for attempt, _ in groups) if asked == total else 2
        spread = [len(rewards - {None}) > 1 for (attempt, _), rewards in groups.items() if attempt < final]
        last = [rewards for (attempt, _), rewards in groups.items() if attempt == final]
        assert event["filtered_prompts"] == spread.count(False)
        assert event["prompts"] == spread.count(True) + len(last)
        assert event["prompts"] == PROMPTS or asked == total
        assert event["epoch"] == pytest.approx(asked / 18)
    assert asked == total, "the run is over when all passes are"
    last_step = rollouts[-1]["step"] + math.ceil(rollouts[-1]["prompts"] * SAMPLES / BATCH)
    assert events(made / "refilled.log", "step")[-1]["step"] == last_step < STEPS


def test_prompts_outside_a_range_of_pass_rates_are_replaced(made: Path) -> None:
    """A prompt of the first sampling is learned from if its share of right responses is from 0.2 to 0.6."""
    rollouts = events(made / "ranged.log", "rollout")
    assert sum(event["filtered_prompts"] for event in rollouts) > 0
    for event in rollouts:
        groups: dict[tuple[int, int], list[dict[str, Any]]] = {}
        for row in rows(made / "ranged", event["rollout"]):
            groups.setdefault((row["rollout"]["attempt"], row["rollout"]["position"]), []).append(row["rollout"])
        replaced = 0
        for (attempt, _), group in groups.items():
            known = [each["correct"] is True for each in group if each["null_by"] != "verifier"]
            fits = bool(known) and 0.2 <= statistics.mean(known) <= 0.6
            assert {each["learned"] for each in group} == {fits}
            replaced += attempt == 0 and not fits
        refilled = {attempt for attempt, _ in groups} == {0, 1}
        assert event["filtered_prompts"] == (replaced if refilled else 0)


SPREAD = {
    "zero 2": ["--zero", "2"],
    "zero 3": ["--zero", "3"],
    "offload": ["--zero", "3", "--offload", "all"],
    "Ulysses": ["--sequence-parallel", "2"],
}


@pytest.mark.parametrize("how", [thinned.slow("zero 2"), "zero 3", thinned.slow("offload"), thinned.slow("Ulysses")])
def test_two_ranks_train_as_one_does(made: Path, how: str) -> None:
    name = f"two-{how.replace(' ', '-')}"
    plan = {name: [*COMMON, str(made / "tasks.jsonl"), *SAVED, *SPREAD[how]]}
    runs.drive(made, 2, plan, stage="grpo")
    close(made / "one.log", made / f"{name}.log", rel=1e-2, abs=1e-4)
    for mine, other in zip(rows(made / "one", 0), rows(made / name, 0), strict=True):
        assert mine["rollout"]["text"] == other["rollout"]["text"]


def test_a_stopped_run_continues_with_the_same_losses(made: Path) -> None:
    log = made / "stopped.log"
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with open(log, "a") as out:
            process = subprocess.Popen(
                command(made, "stopped", *SAVED), env=runs.environment(), stdout=subprocess.PIPE, text=True,
                stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            assert process.stdout is not None
            wanted = 1 if kind == signal.SIGTERM else 3  # each in the middle of a rollout
            for line in process.stdout:
                out.write(line)
                event = json.loads(line)
                if event["event"] == "checkpoint" and event["step"] == wanted:
                    process.send_signal(kind)
                    break
            out.write(process.communicate(timeout=200)[0])
        assert process.returncode in (75, 143, -signal.SIGKILL)
    done = subprocess.run(command(made, "stopped", *SAVED), env=runs.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with open(log, "a") as out:
        out.write(done.stdout)
    close(made / "one.log", log, rel=1e-6)
    assert runs.difference(made / "one", made / "stopped") < 1e-6


def test_a_stop_while_a_rollout_is_sampled_loses_no_prompt(made: Path) -> None:
    """The checkpoint of a stop between two rollouts says nothing about the prompts of the second."""
    log = made / "sampling.log"
    process = subprocess.Popen(
        command(made, "sampling", "--save-rollouts"), env=runs.environment(), stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    with open(log, "a") as out:
        for line in process.stdout:
            out.write(line)
            event = json.loads(line)
            if event["event"] == "step" and event["step"] == 2:
                process.send_signal(signal.SIGTERM)  # while the second rollout is sampled, or soon after
                break
        out.write(process.communicate(timeout=200)[0])
    assert process.returncode == 143
    done = subprocess.run(command(made, "sampling", "--save-rollouts"), env=runs.environment(), capture_output=True,
                          text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    with open(log, "a") as out:
        out.write(done.stdout)
    close(made / "one.log", log, rel=1e-6)


def test_epochs_are_exact_and_saved_samples_are_numbered_on(made: Path) -> None:
    """Three prompts, two of them in a rollout: the second rollout reaches into the second pass and has one twice."""
    lines = [line for line in (made / "tasks.jsonl").read_text().splitlines(True) if '"reference"' in line]
    (made / "few.jsonl").write_text("".join(lines[:3]))
    words = [*COMMON, str(made / "few.jsonl"), "--prompts", "2", "--epochs", "2.4", "--save-rollouts"]
    runs.drive(made, 1, {"few": words}, stage="grpo")
    rollouts, steps = events(made / "few.log", "rollout"), events(made / "few.log", "step")
    assert [event["prompts"] for event in rollouts] == [2, 2, 2, 1]
    assert rollouts[-1]["epoch"] == steps[-1]["epoch"] == pytest.approx(7 / 3)
    assert [step["step"] for step in steps] == [1, 2, 3, 4]
    saved = [row for number in range(4) for row in rows(made / "few", number)]
    samples: dict[str, list[int]] = {}
    for row in saved:
        samples.setdefault(row["id"], []).append(row["sample"])
    assert sorted(map(len, samples.values())) == [8, 8, 12]
    assert all(numbers == list(range(len(numbers))) for numbers in samples.values())
    twice = rows(made / "few", 1)
    assert len({row["id"] for row in twice}) == 1
    assert {row["rollout"]["text"] for row in twice[:4]} != {row["rollout"]["text"] for row in twice[4:]}
    files = [str(made / "few" / "rollouts" / f"rollout-{number}.jsonl") for number in range(4)]
    (made / "few-all.jsonl").write_text("".join(Path(file).read_text() for file in files))
    words = ["score", "--json", "--resamples", "0", *files, str(made / "few-all.jsonl")]
    done = subprocess.run(warm.libra(*words), capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert [report["n"] for report in json.loads(done.stdout)["reports"]] == [8, 8, 8, 4, 28]


def test_tools_and_variables_of_a_row_are_in_the_prompt_of_sampler_and_trainer(made: Path) -> None:
    """What the steps learn from has the prompt tokens that the sampler was fed, and the same log-probabilities."""
    from libra_cli.engines.base import LocalModel
    from libra_cli.engines.chat_template import load_chat_template
    from libra_cli.training.data.prompts import PromptReader

    template = made / "tools.jinja"
    template.write_text(
        "{{ tools | tojson if tools else '' }}{% if style is defined %}{{ style }}{% endif %}{% for m in messages %}"
        "<|{{ m.role }}|>{{ m.content }}{% if m.role == 'assistant' %}<|im_end|>{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    adding = {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {}}}
    rows_given = [
        {"id": "plain", "question": "2+2?", "reference": "4"},
        {"id": "tools", "question": "2+2?", "reference": "4", "tools": [adding]},
        {"id": "style", "question": "2+2?", "reference": "4", "chat_template_kwargs": {"style": "Be brief."}},
    ]
    path = made / "with-tools.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows_given))
    words = [*COMMON, str(path), "--chat-template", str(template), "--prompts", "3", "--batch-size", "12",
             "--epochs", "1", "--max-tokens", "8"]  # fmt: skip
    runs.drive(made, 1, {"with-tools": words}, stage="grpo")
    (rollout,), (step,) = events(made / "with-tools.log", "rollout"), events(made / "with-tools.log", "step")
    assert rollout["gap_mean"] < 1e-5
    model = miniature.resolve("libra-mini/weak")
    chat = load_chat_template(LocalModel("weak", str(model), chat_template=template.read_text(), chat_args={}))
    reader = PromptReader(None, {}, None, 3)
    fed = {row["id"]: chat.render(reader(row["id"], row).request(0, 0)) for row in rows_given}
    assert '"name": "add"' in fed["tools"].text
    assert fed["style"].text.startswith("Be brief.<|user|>")
    assert step["tokens"] - step["learned"] == SAMPLES * sum(len(each.token_ids) for each in fed.values())


def test_a_replay_computes_the_rewards_that_the_run_had(made: Path) -> None:
    paths = sorted(str(path) for path in (made / "one" / "rollouts").iterdir())
    words = ["grpo", "--dry-run", "--max-tokens", "64", *(word for path in paths for word in ("--replay", path))]
    done = subprocess.run(warm.libra(*words), capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    replayed = [json.loads(line) for line in done.stdout.splitlines()]
    rollouts = events(made / "one.log", "rollout")
    assert len(replayed) == len(rollouts)
    for mine, run in zip(replayed, rollouts, strict=True):
        assert mine["rollout"] == run["rollout"]
        for name in ("correct", "truncated_share", "length_mean", "length_max"):
            assert mine[name] == pytest.approx(run[name], rel=1e-6), name
        assert mine["reward"] == pytest.approx(run["reward"], rel=1e-6)
        assert mine["zero_spread_share"] == pytest.approx(run["zero_spread_share"], abs=1e-6)


@pytest.mark.parametrize("name", sorted(path.stem for path in PRESETS.glob("*.yaml")))
def test_saved_rollouts_are_rewarded_by_every_recipe_that_needs_labels_and_text_only(made: Path, name: str) -> None:
    plan = RewardPlan.from_config(yaml.safe_load((PRESETS / f"{name}.yaml").read_text()))
    if not plan.needs <= {"labels", "text"} or "tokens" in plan.facts:
        pytest.skip("its facts are measured by something else")
    words = ["--dry-run", "--rewards", str(PRESETS / f"{name}.yaml"), "--max-tokens", "64"]
    words = warm.libra("grpo", *words, "--replay", *map(str, sorted((made / "one" / "rollouts").iterdir())))
    done = subprocess.run(words, env=runs.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    replayed = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["rollout"] for each in replayed] == [0, 1, 2]
    assert all(each["advantage_min"] <= 0 <= each["advantage_max"] for each in replayed)
    assert any(each["advantage_max"] > 0 for each in replayed) == (name != "rlcr")  # the miniature states no confidence


def test_saved_rollouts_are_rows_that_score_reads(made: Path) -> None:
    reasons = [row for row in rows(made / "one", 0) if row["task"] == "reason"]
    (made / "reasons.jsonl").write_text("".join(json.dumps(row) + "\n" for row in reasons))
    words = ["score", "--as", "reasoning", "--json", str(made / "reasons.jsonl")]
    done = subprocess.run(warm.libra(*words), capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr


def test_saved_rollouts_are_rows_that_judge_reads(made: Path) -> None:
    """It judges the responses that the policy wrote, each a row of its own."""
    reasons = [row for row in rows(made / "one", 0) if row["task"] == "reason"][:3]
    (made / "written.jsonl").write_text("".join(json.dumps(row) + "\n" for row in reasons))
    words = ["judge", "-q", "--task", "score", "--model", "libra-mini/judge", "--max-tokens", "96"]
    done = subprocess.run(warm.libra(*words, str(made / "written.jsonl")), capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    judged = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["response"] for row in judged] == [row["response"] for row in reasons]
    assert all(row["judge"] == "libra-mini/judge" for row in judged)


@pytest.mark.slow
def test_the_model_of_the_highest_accuracy_is_left(made: Path) -> None:
    """The first of the best is exported: the weights that a run of so many steps ends with."""
    labelled = [line for line in (made / "tasks.jsonl").read_text().splitlines() if '"label"' in line]
    (made / "bench.jsonl").write_text("\n".join(labelled) + "\n")
    words = [*COMMON, str(made / "tasks.jsonl"), "--lr", "1e-3", "--warmup", "0", "--score", str(made / "bench.jsonl")]
    plan = {"best": [*words, "--score-every", "2", "--final", "best", "--keep", "1", "--max-steps", "4"]}
    runs.drive(made, 1, plan, stage="grpo")
    scores = {event["model_step"]: event["accuracy"] for event in events(made / "best.log", "score")}
    assert list(scores) == [0, 2, 4]
    best = max((2, 4), key=lambda step: (scores[step] or 0.0, -step))
    kept = sorted(path.name for path in (made / "best" / "checkpoints").iterdir())
    assert kept == sorted({f"step-{best}", "step-4"})
    plain = {
        "two-steps": [*COMMON, str(made / "tasks.jsonl"), "--lr", "1e-3", "--warmup", "0", "--max-steps", str(best)]
    }
    runs.drive(made, 1, plain, stage="grpo")
    assert runs.difference(made / "best", made / "two-steps") < 1e-4


def test_nothing_that_is_not_finite_is_learned(made: Path) -> None:
    words = command(made, "not-finite", "--lr", "1e30", "--warmup", "0", "--clip", "0")
    done = subprocess.run(words, env=runs.environment(), capture_output=True, text=True, timeout=200)
    assert done.returncode == 1
    assert "step 2: the loss is not finite on score-15 (sample 1), " in done.stderr
    assert "the weights before this step are saved" in done.stderr
    assert [path.name for path in (made / "not-finite" / "checkpoints").iterdir()] == ["step-1"]
    assert [step["step"] for step in events(made / "not-finite" / "events.jsonl", "step")] == [1]


def test_responses_that_are_cut_short_have_the_reward_of_wrong_ones(made: Path) -> None:
    runs.drive(made, 1, {"cut": [*COMMON, str(made / "tasks.jsonl"), "--max-tokens", "2"]}, stage="grpo")
    for event in events(made / "cut.log", "rollout"):
        assert event["reward_correct"] == 0
        assert event["null_by_policy_share"] == 1
        assert event["zero_spread_share"] == 1
    assert all(step["policy_loss"] == 0 for step in events(made / "cut.log", "step"))
