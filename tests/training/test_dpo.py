"""`libra dpo` against TRL, a plain loop with a live reference, and itself on other ranks: real DeepSpeed, on a CPU."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import dpo_runs
import numpy as np
import pytest
import sft_runs as runs
import torch
import warm

from libra_cli.choices import PAIR_LOSSES
from libra_cli.training.data.packing import SampleOrder

TRL: dict[str, Any] = json.loads((Path(__file__).parent / "objectives" / "trl_preference.json").read_text())
PAIRS, BATCH, STEPS = 12, 4, 4
COMMON = ["--batch-size", str(BATCH), "--max-steps", str(STEPS), "--epochs", "2", "--lr", "1e-3", "--min-lr", "1e-4",
          "--beta", "0.3", "--max-length", "200", "--seed", "3"]  # fmt: skip
ALIKE = {
    "small-passes": ["--micro-tokens", "250"],
    "unpacked": ["--no-packing", "--micro-tokens", "500"],
    "zero2": ["--zero", "2"],
    "zero3": ["--zero", "3", "--micro-tokens", "250"],
}
ALIKE_ON_TWO = {
    "two-zero2": ["--zero", "2", "--micro-tokens", "250"],
    "two-kto": ["--loss", "kto", "--zero", "3", "--micro-tokens", "250"],
}
ALIKE_ON_TWO_TOO = {
    "two-zero3": ["--zero", "3", "--micro-tokens", "250"],
    "two-bco": ["--loss", "bco", "--zero", "3", "--micro-tokens", "250"],
    "two-ulysses": ["--sequence-parallel", "2", "--micro-tokens", "250"],
}
"""Ulysses last: it changes attention for all that comes after it in the same process."""
WHOLE = (*PAIR_LOSSES[1:], "ce")
"""Losses of which each step is taken on all pairs."""
SMOOTHED = {"cdpo": ["--label-smoothing", "0.1"], "robust": ["--label-smoothing", "0.1"]}
FIGURES = ("loss", "grad_norm", "reward_chosen", "reward_rejected", "reward_margin", "logp_chosen", "logp_rejected")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models, the pairs, the run that others are compared with, and others on one rank."""
    return runs.made_once(tmp_path_factory, "dpo", on_one_rank)


def base_of(folder: Path) -> list[str]:
    return ["--model", str(folder / "policy"), "--reference", str(folder / "reference"), str(folder / "pairs.jsonl"),
            *COMMON]  # fmt: skip


def on_one_rank(folder: Path) -> None:
    dpo_runs.write_models(folder)
    eight = dpo_runs.pairs()
    dpo_runs.write_jsonl(folder / "eight.jsonl", eight)
    dpo_runs.write_jsonl(folder / "labelled.jsonl", dpo_runs.labelled(eight))
    dpo_runs.write_jsonl(folder / "pairs.jsonl", dpo_runs.pairs(PAIRS, seed=1))
    held_out = dpo_runs.write_jsonl(folder / "held-out.jsonl", dpo_runs.pairs(3, seed=2))
    base = base_of(folder)
    models = ["--model", str(folder / "policy"), "--reference", str(folder / "reference")]
    step = [*models, "--batch-size", "8", "--max-steps", "1", "--no-shuffle", "--beta", str(TRL["settings"]["beta"])]
    smoothing, weights = str(TRL["settings"]["smoothing"]), map(str, TRL["settings"]["weights"])
    one: dict[str, list[str]] = {}
    for loss in TRL["steps"]:
        more = ["--label-smoothing", smoothing] if loss in SMOOTHED else []
        if loss == "kto":
            more = [word for pair in zip(("--desirable-weight", "--undesirable-weight"), weights, strict=True)
                    for word in pair]  # fmt: skip
        rows = folder / ("labelled.jsonl" if loss == "kto" else "eight.jsonl")
        one[f"trl-{loss}"] = [*step, "--loss", loss, *more, str(rows)]
    watched = ["--eval-data", str(held_out), "--eval-every", "2"]
    one |= {"base": [*base, *watched], **{name: [*base, *args] for name, args in ALIKE.items()}}
    one |= {loss: [*base, "--loss", loss, *watched] for loss in ("kto", "bco")}
    everything = ["--batch-size", str(2 * PAIRS), "--max-steps", "2", "--epochs", "5", "--lr", "1e-4"]
    one |= {loss: [*base, "--loss", loss, *SMOOTHED.get(loss, []), *everything] for loss in WHOLE}
    without = ["--model", str(folder / "policy"), str(folder / "pairs.jsonl"), *COMMON]
    one["own"] = without
    one["lora"] = [*without, "--lora-rank", "4"]
    one["lora-reference"] = [*base, "--lora-rank", "4", "--max-steps", "1"]
    runs.drive(folder, 1, one, stage="dpo")


@pytest.fixture(scope="module")
def on_two(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    others = {name: [*base_of(made), *args] for name, args in ALIKE_ON_TWO.items()}
    runs.made_once(tmp_path_factory, "dpo-two", lambda _: runs.drive(made, 2, others, stage="dpo"))
    return made


def assert_same_run(folder: Path, name: str, base: str = "base", steps: int = STEPS) -> None:
    expected, found = runs.steps(folder / f"{base}.log"), runs.steps(folder / f"{name}.log")
    assert [step["step"] for step in found] == list(range(1, steps + 1))
    for a, b in zip(expected, found, strict=True):
        for figure in FIGURES:
            assert b[figure] == pytest.approx(a[figure], rel=2e-5, abs=2e-5), (a["step"], figure)
        assert (a["tokens"], a["learned"], a["samples"]) == (b["tokens"], b["learned"], b["samples"])
    assert runs.difference(folder / base, folder / name) < 5e-5


# -- others ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", TRL["steps"])
def test_a_step_equals_that_of_trl(made: Path, loss: str) -> None:
    (found,) = runs.steps(made / f"trl-{loss}.log")
    for name, value in TRL["steps"][loss].items():
        assert found[name] == pytest.approx(value, rel=1e-5, abs=1e-5), name


def plain_run(folder: Path, reference_folder: Path) -> tuple[list[dict[str, float]], dict[str, torch.Tensor]]:
    """Steps and weights of a loop of torch and transformers alone, one response at a time, with a live reference."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder / "policy")
    model = AutoModelForCausalLM.from_pretrained(folder / "policy", dtype=torch.float32)
    reference = copy.deepcopy(model) if reference_folder.name == "policy" else None
    reference = reference or AutoModelForCausalLM.from_pretrained(reference_folder, dtype=torch.float32)
    rows = [json.loads(line) for line in (folder / "pairs.jsonl").read_text().splitlines()]

    def log_prob(lm: Any, row: dict[str, Any], side: str) -> torch.Tensor:
        prompt = tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True)
        whole = tokenizer.apply_chat_template(row["prompt"] + row[side], tokenize=False)
        n, ids = (tokenizer(text, add_special_tokens=False).input_ids for text in (prompt, whole))
        tokens = torch.tensor([ids])
        log_probs = lm(tokens).logits[0, :-1].log_softmax(-1).gather(-1, tokens[0, 1:, None])
        return log_probs[len(n) - 1 :].sum()

    adam = torch.optim.AdamW(model.parameters(), lr=1.0, weight_decay=0.0)
    order = SampleOrder(PAIRS, BATCH, 2, 3)
    rates = [step["lr"] for step in runs.steps(folder / "base.log")]
    steps = []
    for number, rate in enumerate(rates):
        margins, rewards = [], {"chosen": 0.0, "rejected": 0.0}
        for index in order.batch(number):
            ratio = {}
            for side in ("chosen", "rejected"):
                with torch.no_grad():
                    before = log_prob(reference, rows[index], side)
                ratio[side] = log_prob(model, rows[index], side) - before
                rewards[side] += 0.3 * ratio[side].item() / BATCH
            margins.append(0.3 * (ratio["chosen"] - ratio["rejected"]))
        loss = -torch.nn.functional.logsigmoid(torch.stack(margins)).mean()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.param_groups[0]["lr"] = rate
        adam.step()
        adam.zero_grad()
        steps.append({"loss": loss.item(), "grad_norm": norm.item(), "reward_chosen": rewards["chosen"],
                      "reward_rejected": rewards["rejected"]})  # fmt: skip
    return steps, dict(model.state_dict())


@pytest.mark.parametrize(("name", "reference"), [("base", "reference"), ("own", "policy")])
def test_a_reference_computed_beforehand_equals_a_live_one(made: Path, name: str, reference: str) -> None:
    expected, weights = plain_run(made, made / reference)
    found = runs.steps(made / f"{name}.log")
    for a, b in zip(expected, found, strict=True):
        assert {key: b[key] for key in a} == pytest.approx(a, rel=1e-4, abs=2e-5)
    trained = runs.weights(made / name)
    assert max(float((trained[key] - weights[key]).abs().max()) for key in trained) < 5e-5
    if name == "own":
        assert (found[0]["loss"], found[0]["reward_accuracy"]) == (pytest.approx(np.log(2), abs=1e-6), 0)


# -- itself ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALIKE)
def test_passes_and_stages_change_nothing(made: Path, name: str) -> None:
    assert_same_run(made, name)


@pytest.mark.parametrize("name", ALIKE_ON_TWO)
def test_two_ranks_change_nothing(on_two: Path, name: str) -> None:
    assert_same_run(on_two, name, {"two-kto": "kto"}.get(name, "base"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ALIKE_ON_TWO_TOO)
def test_two_ranks_change_nothing_elsewhere(made: Path, tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    others = {name: [*base_of(made), *args] for name, args in ALIKE_ON_TWO_TOO.items()}
    runs.made_once(tmp_path_factory, "dpo-two-too", lambda _: runs.drive(made, 2, others, stage="dpo"))
    assert_same_run(made, name, {"two-bco": "bco"}.get(name, "base"))


@pytest.mark.parametrize("loss", WHOLE)
def test_every_loss_falls(made: Path, loss: str) -> None:
    first, second = runs.steps(made / f"{loss}.log")
    assert second["loss"] < first["loss"]


def test_held_out_pairs_are_measured_with_the_same_figures(made: Path) -> None:
    events = [json.loads(line) for line in (made / "base.log").read_text().splitlines()]
    measured = [event for event in events if event["event"] == "eval"]
    assert [(event["step"], event["samples"]) for event in measured] == [(2, 6), (4, 6)]
    assert {*FIGURES, "reward_accuracy"} - {"grad_norm"} < measured[0].keys()
    assert measured[0]["reward_margin"] == pytest.approx(
        measured[0]["reward_chosen"] - measured[0]["reward_rejected"], abs=1e-5
    )
    for loss in ("kto", "bco"):
        lines = [json.loads(line) for line in (made / f"{loss}.log").read_text().splitlines()]
        held_out = [event for event in lines if event["event"] == "eval"]
        assert len(held_out) == 2
        assert ("kl" in held_out[0], "reward_shift" in held_out[0]) == (loss == "kto", loss == "bco")


def test_bco_shifts_by_the_mean_of_all_rewards_so_far(made: Path) -> None:
    steps = runs.steps(made / "bco.log")
    labels = np.tile([1, 0], PAIRS)
    desirable = [int(labels[SampleOrder(2 * PAIRS, BATCH, 2, 3).batch(at)].sum()) for at in range(STEPS)]
    sums = [
        sum(n * (step[f"reward_{side}"] or 0) for side, n in (("chosen", n), ("rejected", BATCH - n)))
        for n, step in zip(desirable, steps, strict=True)
    ]
    expected = np.cumsum(sums) / (BATCH * np.arange(1, STEPS + 1))
    assert [step["reward_shift"] for step in steps] == pytest.approx(expected.tolist(), rel=1e-4, abs=1e-5)


def test_adapters_begin_at_the_reference(made: Path) -> None:
    first = runs.steps(made / "lora.log")[0]
    assert (first["loss"], first["reward_margin"]) == (pytest.approx(np.log(2), abs=1e-6), pytest.approx(0, abs=1e-6))
    other, full = runs.steps(made / "lora-reference.log")[0], runs.steps(made / "base.log")[0]
    assert other["loss"] == pytest.approx(full["loss"], rel=1e-5)


# -- stops ----------------------------------------------------------------------------------------------------------


def command(folder: Path, output: str, *args: str) -> list[str]:
    return warm.libra("dpo", *base_of(folder), "-o", str(folder / output), *args)


@pytest.mark.parametrize("loss", ["bco", pytest.param("kto", marks=pytest.mark.slow),
                                  pytest.param("sigmoid", marks=pytest.mark.slow)])  # fmt: skip
def test_a_killed_run_goes_on_with_the_same_losses(made: Path, loss: str) -> None:
    words = command(made, f"killed-{loss}", "--loss", loss, "--save-every", "2")
    process = subprocess.Popen(words, env=runs.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               text=True, start_new_session=True)  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "step" and event["step"] == 3:
            os.killpg(process.pid, signal.SIGKILL)
            break
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    reference = made / f"killed-{loss}" / ".samples" / "reference" / "train.bin"
    if is_torn := loss == "sigmoid":  # as after a kill in the middle of a write
        os.truncate(reference, reference.stat().st_size - 6)
    done = subprocess.run(words, env=runs.environment(), capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "continues after step 2" in done.stderr
    assert ("log-probabilities of" in done.stderr) == is_torn
    events = [json.loads(line) for line in done.stdout.splitlines()]
    found = {event["step"]: event for event in events if event["event"] == "step"}
    expected = {step["step"]: step for step in runs.steps(made / f"{'base' if loss == 'sigmoid' else loss}.log")}
    assert [*found] == [3, 4]
    for number, step in found.items():
        shared = {name for name in step if name.startswith(("loss", "reward", "logp", "kl", "grad"))}
        assert {name: step[name] for name in shared} == {name: expected[number][name] for name in shared}
    assert not (made / f"killed-{loss}" / ".samples").exists()


@pytest.mark.slow
def test_a_run_that_is_stopped_while_the_reference_is_measured_goes_on(made: Path) -> None:
    many = dpo_runs.write_jsonl(made / "many.jsonl", dpo_runs.pairs(1000, seed=3))
    words = ["--model", str(made / "policy"), "--reference", str(made / "reference"), str(many), *COMMON,
             "--max-steps", "1"]  # fmt: skip
    stopped = warm.libra("dpo", *words, "-o", str(made / "stopped"))
    process = subprocess.Popen(stopped, env=runs.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, start_new_session=True)  # fmt: skip
    assert process.stderr is not None
    assert any("computes the reference model's log-probabilities of" in line for line in process.stderr)
    process.send_signal(signal.SIGTERM)
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 143
    assert "stopped before the first step (reference model: " in errors
    assert "; the same command continues" in errors
    assert '"step"' not in said
    done = subprocess.run(stopped, env=runs.environment(), capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    runs.drive(made, 1, {"undisturbed": words}, stage="dpo")
    assert runs.difference(made / "stopped", made / "undisturbed") == 0


@pytest.mark.slow
def test_a_reference_with_another_vocabulary_is_refused(made: Path) -> None:
    config = json.loads((made / "reference" / "config.json").read_text())
    (made / "small").mkdir()
    (made / "small" / "config.json").write_text(json.dumps({**config, "vocab_size": 100}))
    words = ["--model", str(made / "policy"), "--reference", str(made / "small"), str(made / "pairs.jsonl")]
    runs.drive(made, 1, {"refused": words}, may_fail=True, stage="dpo")
    status, said = json.loads((made / "refused.ended").read_text())
    assert status == 2
    assert "this model knows 100; use one with the tokenizer of --model" in said
