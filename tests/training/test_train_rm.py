"""`libra train-rm`: the loss beside its formula, however it is split; what it writes is read by others."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
from pathlib import Path

import dpo_runs
import pytest
import sft_runs as runs
import torch
import warm
from engine_requests import LimitedRequests

from libra_cli.records.items import item_of_row
from libra_cli.training.objectives.base import TokenBatch
from libra_cli.training.objectives.reward import RewardObjective
from libra_cli.training.preference_settings import RewardLossSettings

COMMON = ["--batch-size", "4", "--max-steps", "3", "--epochs", "2", "--lr", "1e-3", "--min-lr", "1e-4", "--max-length",
          "200", "--seed", "3"]  # fmt: skip
ALIKE = {
    "unpacked": ["--no-packing", "--micro-tokens", "500"],
    "zero3": ["--zero", "3", "--micro-tokens", "250"],
}
ALIKE_ON_TWO = {
    "two-zero2": ["--zero", "2", "--micro-tokens", "250"],
    "two-zero3": ["--zero", "3", "--micro-tokens", "250"],
}
FIGURES = ("loss", "grad_norm", "reward_chosen", "reward_rejected", "reward_margin", "reward_accuracy")


def batch_of(n: int, **values: list[float]) -> TokenBatch:
    """So many scored sequences, two of them a pair."""
    each = {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}
    return TokenBatch(torch.arange(n), n, weight=torch.full((n,), 2 / n, dtype=torch.float64), **each)


# -- the loss ---------------------------------------------------------------------------------------------------------


def test_bradley_terry_by_hand() -> None:
    scores = torch.tensor([1.0, -0.5, 0.25, 0.75], dtype=torch.float64, requires_grad=True)
    objective = RewardObjective(RewardLossSettings("bt", centering=0.1))
    loss = objective(scores, batch_of(4, baseline=[0.5, 0, 0, 0]))
    gaps, sums = (1.0, -0.5), (0.5, 1.0)
    expected = sum(math.log1p(math.exp(-gap)) + 0.1 * total**2 for gap, total in zip(gaps, sums, strict=True)) / 2
    assert float(loss.total.detach()) == pytest.approx(expected, abs=1e-12)
    (found,) = torch.autograd.grad(loss.total, scores)
    slopes = [-1 / (1 + math.exp(gap)) for gap in gaps]
    by_hand = [(sign * slope + 0.2 * total) / 2 for slope, total in zip(slopes, sums, strict=True) for sign in (1, -1)]
    assert found.tolist() == pytest.approx(by_hand, abs=1e-12)
    figures = objective.figures({name: float(value) for name, value in loss.sums.items()})
    assert (figures["reward_accuracy"], figures["reward_margin"]) == (0.5, pytest.approx(0.5))


def test_cross_entropy_by_hand() -> None:
    scores = torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64, requires_grad=True)
    objective = RewardObjective(RewardLossSettings("bce"))
    batch = TokenBatch(torch.arange(3), 3, torch.full((3,), 1 / 3), label=torch.tensor([1.0, 0.0, 0.0]))
    loss = objective(scores, batch)
    expected = sum(math.log1p(math.exp(z)) for z in (-2.0, -1.0, 0.5)) / 3
    assert float(loss.total.detach()) == pytest.approx(expected, abs=1e-7)
    (found,) = torch.autograd.grad(loss.total, scores)
    sigmoid = [1 / (1 + math.exp(-z)) for z in (2.0, -1.0, 0.5)]
    assert found.tolist() == pytest.approx([(p - y) / 3 for p, y in zip(sigmoid, (1, 0, 0), strict=True)], abs=1e-7)
    figures = objective.figures({name: float(value) for name, value in loss.sums.items()})
    assert figures["reward_accuracy"] == pytest.approx(2 / 3)
    assert figures["reward_chosen"] == 2.0


def test_micro_batches_without_a_sample_have_no_loss() -> None:
    for settings in (RewardLossSettings("bt", 0.1), RewardLossSettings("bce")):
        empty = torch.zeros(0, requires_grad=True)
        loss = RewardObjective(settings)(empty, TokenBatch(torch.arange(0), 0, torch.zeros(0), label=torch.zeros(0)))
        assert float(loss.total.detach()) == 0


# -- runs -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a language model, pairs, and runs on one rank."""
    return runs.made_once(tmp_path_factory, "train-rm", on_one_rank)


def base_of(folder: Path) -> list[str]:
    return ["--model", str(folder / "start"), str(folder / "pairs.jsonl"), *COMMON]


def on_one_rank(folder: Path) -> None:
    runs.write_model(folder / "start")
    rows = dpo_runs.pairs(8, seed=1)
    rows[2]["margin"] = 0.5
    dpo_runs.write_jsonl(folder / "pairs.jsonl", rows)
    labelled = dpo_runs.write_jsonl(folder / "labelled.jsonl", dpo_runs.labelled(rows))
    base = base_of(folder)
    one = {name: [*base, *args] for name, args in {"base": ["--eval-data", base[2]], **ALIKE}.items()}
    one["bce"] = ["--model", str(folder / "start"), str(labelled), *COMMON, "--loss", "bce"]
    one["lora"] = [*base, "--lora-rank", "4"]
    one["on"] = ["--model", str(folder / "base"), base[2], *COMMON, "--max-steps", "1", "--lr", "1e-9", "--min-lr", "0"]
    runs.drive(folder, 1, one, stage="train_rm")


def assert_same_run(folder: Path, name: str) -> None:
    expected, found = runs.steps(folder / "base.log"), runs.steps(folder / f"{name}.log")
    assert [step["step"] for step in found] == [1, 2, 3]
    for one, other in zip(expected, found, strict=True):
        assert [other[each] for each in FIGURES] == pytest.approx([one[each] for each in FIGURES], rel=1e-3, abs=1e-4)
    assert runs.difference(folder / name, folder / "base") < 1e-3


@pytest.mark.parametrize("name", ALIKE)
def test_the_split_of_a_step_changes_nothing(made: Path, name: str) -> None:
    assert_same_run(made, name)


@pytest.mark.slow
def test_two_ranks_learn_the_same(made: Path) -> None:
    runs.drive(made, 2, {name: [*base_of(made), *args] for name, args in ALIKE_ON_TWO.items()}, stage="train_rm")
    for name in ALIKE_ON_TWO:
        assert_same_run(made, name)


def test_transformers_and_judge_read_the_model_and_agree_with_training(made: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    from libra_cli.engines.base import LocalModel, Pending
    from libra_cli.engines.reward.base import Reward, RewardRequest
    from libra_cli.engines.reward.head import RewardHead

    events = [json.loads(line) for line in (made / "base.log").read_text().splitlines()]
    measured = [event for event in events if event["event"] == "eval"][-1]
    rows = [json.loads(line) for line in (made / "pairs.jsonl").read_text().splitlines()]
    items = [(item, at) for item in map(item_of_row, rows) for at in (0, 1)]
    talks = [[*item.messages, item.turn(at)] for item, at in items]
    assert "<think>" in json.dumps(rows)
    assert "<think>" not in json.dumps(talks)
    engine = RewardHead(LocalModel("rm", str(made / "base")))
    requests = [Pending(RewardRequest(talk, str(number), 0), number) for number, talk in enumerate(talks)]
    found: dict[int, float] = {}
    source = LimitedRequests(requests, 1 << 30)
    for pair in engine.generate(source):
        if pair is not None:
            source.out -= 1
            assert isinstance(pair[1], Reward)
            found[pair[0].token] = pair[1].value
    chosen, rejected = (sum(found[at] for at in range(side, len(talks), 2)) / len(rows) for side in (0, 1))
    assert chosen == pytest.approx(measured["reward_chosen"], abs=1e-4)
    assert rejected == pytest.approx(measured["reward_rejected"], abs=1e-4)
    model = AutoModelForSequenceClassification.from_pretrained(made / "base")
    assert model.config.num_labels == 1
    ids = engine.render(RewardRequest(talks[0], "0", 0)).token_ids
    with torch.no_grad():
        assert float(model(input_ids=torch.tensor([ids])).logits) == pytest.approx(found[0], abs=1e-4)


@pytest.mark.engine
@pytest.mark.slow
def test_vllm_reads_the_model_too(made: Path) -> None:
    pytest.importorskip("vllm")
    words = [*base_of(made), "--model", "libra-mini/weak"]  # vLLM has no kernel for heads as small as those of `made`
    runs.drive(made, 1, {"for-vllm": words}, stage="train_rm")
    rows = [{"question": "1+1?", "response": response, "index": response} for response in ("2", "3", "2" * 99)]
    dpo_runs.write_jsonl(made / "judged.jsonl", rows)
    found = {}
    for engine in ("vllm", "transformers"):
        words = ["judge", "--model", str(made / "for-vllm"), "--engine", engine, "--dtype", "float32"]
        line = warm.libra(*words, "--no-gate", str(made / "judged.jsonl"))
        done = subprocess.run(line, env=runs.environment(), capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, done.stderr
        judged = sorted(map(json.loads, done.stdout.splitlines()), key=lambda row: row["index"])
        found[engine] = [row["score"] for row in judged]
    assert found["vllm"] == pytest.approx(found["transformers"], abs=1e-5)
    assert len({round(score, 4) for score in found["vllm"]}) == len(rows)


def test_a_reward_model_goes_on_from_its_own_head(made: Path) -> None:
    assert runs.difference(made / "base", made / "on") < 1e-6


def test_labels_and_adapters_are_learned(made: Path) -> None:
    for name in ("bce", "lora"):
        losses = [step["loss"] for step in runs.steps(made / f"{name}.log")]
        assert len(losses) == 3
        assert all(map(math.isfinite, losses))
    assert runs.steps(made / "lora.log")[0]["loss"] == pytest.approx(runs.steps(made / "base.log")[0]["loss"], abs=1e-5)
    assert runs.weights(made / "lora").keys() == runs.weights(made / "base").keys()


@pytest.mark.slow
def test_a_killed_run_goes_on_with_the_same_losses(made: Path) -> None:
    words = warm.libra("train-rm", *base_of(made), "-o", str(made / "killed"), "--save-every", "1")
    process = subprocess.Popen(words, env=runs.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               text=True, start_new_session=True)  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "checkpoint" and event["step"] == 2:
            os.killpg(process.pid, signal.SIGKILL)
            break
    process.communicate(timeout=120)
    done = subprocess.run(words, env=runs.environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "continues after step" in done.stderr
    found = [event for event in map(json.loads, done.stdout.splitlines()) if event["event"] == "step"]
    expected = {step["step"]: step for step in runs.steps(made / "base.log")}
    for step in found:
        assert [step[name] for name in FIGURES] == [expected[step["step"]][name] for name in FIGURES]
    assert runs.difference(made / "killed", made / "base") == 0


@pytest.mark.slow
def test_a_trained_head_separates_held_out_pairs(tmp_path: Path) -> None:
    def pairs(n: int, seed: int) -> list[dict[str, object]]:
        draw, rows = random.Random(seed), []
        for _ in range(n):
            a, b, given = (draw.randrange(2, 99) for _ in range(3))
            said = [
                dpo_runs.turn("assistant", text.format(given)) for text in ("It is \\boxed{{{}}}.", "It is not {}.")
            ]
            question = dpo_runs.turn("user", f"What is {a}+{b}?")
            rows.append({"prompt": question, "chosen": said[0], "rejected": said[1]})
        return rows

    train = dpo_runs.write_jsonl(tmp_path / "train.jsonl", pairs(64, 1))
    held_out = dpo_runs.write_jsonl(tmp_path / "held-out.jsonl", pairs(16, 2))
    words = ["--model", "libra-mini/weak", "--batch-size", "16", "--epochs", "2", "--lr", "1e-3", "--max-length", "200",
             "--eval-data", str(held_out), str(train)]  # fmt: skip
    runs.drive(tmp_path, 1, {"rm": words}, stage="train_rm")
    measured = [event for event in map(json.loads, (tmp_path / "rm.log").read_text().splitlines())
                if event["event"] == "eval"][-1]  # fmt: skip
    assert measured["reward_accuracy"] > 0.9
    assert measured["reward_margin"] > 1
