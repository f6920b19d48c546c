"""`libra sft` against a plain loop, and against itself on other ranks and ZeRO stages: real DeepSpeed, on a CPU."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sft_runs as runs
import torch

from libra_cli.stream.shuffle import permutation

ALIKE = {
    "small-passes": ["--micro-tokens", "200"],
    "unpacked": ["--no-packing", "--micro-tokens", "400"],
    "recomputed": ["--activation-checkpointing", "--micro-tokens", "300"],
    "zero1": ["--zero", "1", "--micro-tokens", "200"],
    "zero2": ["--zero", "2", "--micro-tokens", "300"],
    "zero3": ["--zero", "3", "--micro-tokens", "300"],
}
OTHERS = {
    "gemma2": "capped scores and logits, a window",
    "bloom": "positions as a bias, and no choice of attention",
    "mistral": "a window shorter than the samples",
    "gpt2": "learned positions, a tied head",
    "mixtral": "experts",
}
"""Architectures in which something stands in the way of packed rows or of a chunked loss."""
ALIKE_ON_TWO = {
    "two-zero0": ["--zero", "0", "--micro-tokens", "200"],
    "two-zero2": ["--zero", "2", "--micro-tokens", "200"],
    "two-zero3": ["--zero", "3", "--micro-tokens", "300"],
    "two-ulysses": ["--sequence-parallel", "2", "--micro-tokens", "300"],
}
ULYSSES = {
    f"ulysses-zero{stage}": ["--zero", str(stage), "--sequence-parallel", "2", "--micro-tokens", "300"]
    for stage in (0, 1, 3)
}
"""Each in processes of its own: DeepSpeed divides ranks into groups once."""
ALIKE_ON_FOUR = {"four-zero2": ["--zero", "2", "--micro-tokens", "160"]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model, the rows, the run that all others are compared with, and others on one rank."""
    return runs.made_once(tmp_path_factory, "sft", on_one_rank)


def on_one_rank(folder: Path) -> None:
    model, rows = runs.write_model(folder / "model"), runs.write_rows(folder / "rows.jsonl")
    held_out = runs.write_rows(folder / "held-out.jsonl", n=5, seed=9)
    base = ["--model", str(model), str(rows), *runs.COMMON]
    watched = [*base, "--eval-data", str(held_out), "--eval-every", "2", "--save-every", "2", "--keep", "1"]
    one = {"base": watched, **{name: [*base, *args] for name, args in ALIKE.items()},
           "bf16": [*base, "--dtype", "bf16", "--micro-tokens", "300"],
           "exact": [*base, "--dtype", "bf16", "--micro-tokens", "300", "--save-dtype", "fp32"],
           "rounded": [*base, "--save-dtype", "bf16"], "lora": [*base, "--lora-rank", "4"],
           "best": [*watched, "--lr", "3", "--min-lr", "3", "--eval-every", "1", "--final", "best"],
           "scratch": [*base, "--from-scratch"],
           "template": [*base, "--chat-template", "chatml", "--max-length", "300"]}  # fmt: skip
    for kind in OTHERS:
        other = runs.write_other_model(folder / f"model-{kind}", kind)
        one[kind] = ["--model", str(other), "--tokenizer", str(model), *base[2:], "--max-steps", "2"]
    runs.drive(folder, 1, one)


def compared(made: Path, ranks: int, others: dict[str, list[str]]) -> None:
    """Runs the same training on so many ranks."""
    base = ["--model", str(made / "model"), str(made / "rows.jsonl"), *runs.COMMON]
    runs.drive(made, ranks, {name: [*base, *args] for name, args in others.items()})


@pytest.fixture(scope="module")
def on_two(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    # The last one, Ulysses, changes attention for all that comes after it in the same process.
    exact = {"two-exact": ["--zero", "3", "--dtype", "bf16", "--micro-tokens", "300", "--save-dtype", "fp32"]}
    runs.made_once(tmp_path_factory, "sft-two", lambda _: compared(made, 2, {**exact, **ALIKE_ON_TWO}))
    return made


@pytest.fixture(scope="module")
def on_four(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs.made_once(tmp_path_factory, "sft-four", lambda _: compared(made, 4, ALIKE_ON_FOUR))
    return made


def assert_same_run(folder: Path, name: str, tolerance: float = 1e-6) -> None:
    base, other = runs.steps(folder / "base.log"), runs.steps(folder / f"{name}.log")
    assert [step["step"] for step in other] == list(range(1, runs.STEPS + 1))
    for a, b in zip(base, other, strict=True):
        assert b["loss"] == pytest.approx(a["loss"], rel=tolerance * 2, abs=tolerance), a["step"]
        assert b["grad_norm"] == pytest.approx(a["grad_norm"], rel=tolerance * 10), a["step"]
        assert (a["tokens"], a["learned"], a["samples"]) == (b["tokens"], b["learned"], b["samples"])
    # Adam divides by the size of a gradient: where that is nearly nothing, rounding moves a weight by up to the rate.
    assert runs.difference(folder / "base", folder / name) < 2e-4


@pytest.mark.parametrize("name", ALIKE)
def test_passes_and_stages_change_nothing(made: Path, name: str) -> None:
    assert_same_run(made, name)


@pytest.mark.parametrize("name", ALIKE_ON_TWO)
def test_two_ranks_change_nothing(on_two: Path, name: str) -> None:
    assert_same_run(on_two, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ULYSSES)
def test_ranks_that_share_a_row_change_nothing_at_any_stage(made: Path, name: str) -> None:
    compared(made, 2, {name: ULYSSES[name]})
    assert_same_run(made, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALIKE_ON_FOUR)
def test_four_ranks_change_nothing(on_four: Path, name: str) -> None:
    assert_same_run(on_four, name)


def plain_samples(folder: Path, model_folder: Path, rows: Path) -> tuple[Any, list[tuple[torch.Tensor, torch.Tensor]]]:
    """A model of transformers, and each row's token ids with its labels (-100: not learned), all [1, T]."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    samples = []
    for line in rows.read_text().splitlines():
        messages = json.loads(line)["messages"]
        whole = tokenizer.apply_chat_template(messages, tokenize=False)
        prompt = tokenizer.apply_chat_template(messages[:1], tokenize=False, add_generation_prompt=True)
        ids = tokenizer(whole, add_special_tokens=False).input_ids
        n = len(tokenizer(prompt, add_special_tokens=False).input_ids)
        samples.append((torch.tensor([ids]), torch.tensor([[-100] * n + ids[n:]])))
    return AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32), samples


def plain_run(
    folder: Path, model_folder: Path | None = None, steps: int = runs.STEPS
) -> tuple[list[float], list[float], dict[str, torch.Tensor]]:
    """Losses, gradient norms and weights of a loop of torch and transformers alone, one sample at a time, unpacked."""
    model, samples = plain_samples(folder, model_folder or folder / "model", folder / "rows.jsonl")
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    adam = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], lr=1.0
    )
    losses, norms = [], []
    for step in range(steps):
        first, last = step * runs.BATCH, (step + 1) * runs.BATCH
        orders = [permutation(24, 3, epoch) for epoch in range(4)]
        batch = [samples[int(i)] for i in np.concatenate(orders)[first:last]]
        learned = sum(int((labels[0, 1:] != -100).sum()) for _, labels in batch)
        total = 0.0
        for ids, labels in batch:
            logits = model(ids).logits[0, :-1]
            loss = (
                torch.nn.functional.cross_entropy(logits, labels[0, 1:], ignore_index=-100, reduction="sum") / learned
            )
            loss.backward()
            total += loss.item()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)))
        # One step of warm-up (3 % of the steps), then a cosine from 1e-2 to 1e-3 over the others.
        rate = 1e-2 if step == 0 else 1e-3 + 9e-3 * (1 + np.cos(np.pi * (step - 1) / max(1, steps - 2))) / 2
        for group in adam.param_groups:
            group["lr"] = float(rate)
        adam.step()
        adam.zero_grad()
        losses.append(total)
    return losses, norms, model.state_dict()


def test_losses_and_gradients_are_those_of_a_plain_loop(made: Path) -> None:
    losses, norms, state = plain_run(made)
    steps = runs.steps(made / "base.log")
    assert [step["loss"] for step in steps] == pytest.approx(losses, abs=1e-6)
    assert [step["grad_norm"] for step in steps] == pytest.approx(norms, rel=1e-5)
    trained = runs.weights(made / "base")
    assert max(float((trained[name] - state[name]).abs().max()) for name in trained) < 2e-4
    moved = runs.weights(made / "model")
    assert max(float((trained[name] - moved[name]).abs().max()) for name in trained) > 1e-2


def test_the_folder_is_a_model_that_transformers_loads(made: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    for name in ("base", "two-zero3") if (made / "two-zero3").exists() else ("base",):
        model = AutoModelForCausalLM.from_pretrained(made / name)
        assert model.generation_config.eos_token_id == AutoTokenizer.from_pretrained(made / name).eos_token_id
        assert sum(p.numel() for p in model.parameters()) == sum(p.numel() for p in
                   AutoModelForCausalLM.from_pretrained(made / "model").parameters())  # fmt: skip
        assert AutoTokenizer.from_pretrained(made / name).chat_template
        assert "local" not in (made / name / "tokenizer_config.json").read_text()  # where it was read from
    assert {path.name for path in (made / "base").iterdir() if path.is_dir()} == {"checkpoints"}


def test_zero3_writes_whole_weights(on_two: Path) -> None:
    names = runs.weights(on_two / "two-zero3")
    assert {name: tuple(value.shape) for name, value in names.items()} == {
        name: tuple(value.shape) for name, value in runs.weights(on_two / "base").items()
    }


def test_held_out_loss_and_the_best_checkpoint(made: Path) -> None:
    events = [json.loads(line) for line in (made / "base.log").read_text().splitlines()]
    losses = {event["step"]: event["loss"] for event in events if event["event"] == "eval"}
    assert sorted(losses) == [2, 4, 6]
    assert losses[6] < losses[2]
    kept = {path.name for path in (made / "base" / "checkpoints").iterdir()}
    assert kept == {"step-6"}


def test_bf16_learns(made: Path) -> None:
    losses = [step["loss"] for step in runs.steps(made / "bf16.log")]
    base = [step["loss"] for step in runs.steps(made / "base.log")]
    assert losses == pytest.approx(base, rel=0.02)
    assert all(value.dtype == torch.bfloat16 for value in runs.weights(made / "bf16").values())


def test_the_final_model_can_be_written_in_half_the_bytes(made: Path) -> None:
    whole, rounded = runs.weights(made / "base"), runs.weights(made / "rounded")
    assert rounded.keys() == whole.keys()
    assert all(torch.equal(rounded[name], whole[name].to(torch.bfloat16)) for name in whole)
    assert json.loads((made / "rounded/config.json").read_text())["dtype"] == "bfloat16"
    assert json.loads((made / "base/config.json").read_text())["dtype"] == "float32"


def assert_unrounded(folder: Path, name: str) -> None:
    """Weights of a run in bf16 are what its optimiser has in float32, which rounds to what the run had."""
    exact = runs.weights(folder / name)
    assert all(value.dtype == torch.float32 for value in exact.values())
    assert all(not torch.equal(value, value.bfloat16().float()) for value in exact.values() if value.ndim == 2)
    rounded = runs.weights(folder / "bf16")
    assert max(float((exact[each].bfloat16() - rounded[each]).abs().max()) for each in exact) < 0.05


def test_float32_weights_of_a_run_in_bf16_are_the_optimisers(made: Path) -> None:
    assert_unrounded(made, "exact")
    exact, rounded = runs.weights(made / "exact"), runs.weights(made / "bf16")
    assert all(torch.equal(exact[name].bfloat16(), rounded[name]) for name in exact)


def test_float32_weights_are_gathered_from_all_ranks(on_two: Path) -> None:
    assert_unrounded(on_two, "two-exact")


def test_lora_merges_what_it_learned(made: Path) -> None:
    before, after = runs.weights(made / "model"), runs.weights(made / "lora")
    assert before.keys() == after.keys()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert all("proj" in name for name in moved)
    losses = [step["loss"] for step in runs.steps(made / "lora.log")]
    assert losses[-1] < losses[0]


def test_the_best_model_is_the_one_with_the_lowest_held_out_loss(made: Path) -> None:
    events = [json.loads(line) for line in (made / "best.log").read_text().splitlines()]
    losses = {event["step"]: event["loss"] for event in events if event["event"] == "eval"}
    start = losses.pop(0)  # the model before training is measured, and is none of the steps
    best = min(losses, key=lambda step: losses[step])
    assert best < runs.STEPS
    card = (made / "best" / "README.md").read_text()
    assert f"| loss | {start:.6g} | {losses[best]:.6g} |" in card
    assert ("No step was better than the model before training." in card) == (start <= losses[best])
    total, learned = 0.0, 0
    model, samples = plain_samples(made, made / "best", made / "held-out.jsonl")
    for ids, labels in samples:
        with torch.no_grad():
            total += float(torch.nn.functional.cross_entropy(model(ids).logits[0, :-1], labels[0, 1:], reduction="sum"))
        learned += int((labels[0, 1:] != -100).sum())
    assert total / learned == pytest.approx(losses[best], rel=1e-5)


@pytest.mark.parametrize("kind", OTHERS)
def test_other_architectures_have_the_losses_of_a_plain_loop(made: Path, kind: str) -> None:
    losses, norms, _ = plain_run(made, made / f"model-{kind}", steps=2)
    steps = runs.steps(made / f"{kind}.log")
    assert [step["loss"] for step in steps] == pytest.approx(losses, rel=1e-5)
    assert [step["grad_norm"] for step in steps] == pytest.approx(norms, rel=1e-4)


def test_a_given_template_is_saved_with_the_model(made: Path) -> None:
    from transformers import AutoTokenizer

    template = AutoTokenizer.from_pretrained(made / "template").chat_template
    assert "<|im_start|>" in template
    assert template != AutoTokenizer.from_pretrained(made / "base").chat_template


def test_from_scratch_draws_weights_from_the_seed(made: Path) -> None:
    first = runs.steps(made / "scratch.log")[0]
    assert first["loss"] == pytest.approx(np.log(284), rel=0.05)  # the vocabulary: nothing is known yet
    assert first["loss"] != runs.steps(made / "base.log")[0]["loss"]


def test_a_line_says_what_a_step_did(made: Path) -> None:
    step = runs.steps(made / "base.log")[-1]
    assert {"event", "step", "epoch", "samples", "loss", "lr", "grad_norm", "learned", "tokens", "padding", "seconds",
            "tokens_per_second", "mfu", "memory_gb"} <= step.keys()  # fmt: skip
    assert (step["lr"], step["epoch"], step["padding"]) == (pytest.approx(1e-3), 2.0, 0.0)
    assert 0 < runs.steps(made / "unpacked.log")[-1]["padding"] < 0.7


def test_the_folder_describes_itself(made: Path) -> None:
    card = (made / "best" / "README.md").read_text()
    step = int(card.partition("that of step ")[2].partition(" of ")[0])
    events = [json.loads(line) for line in (made / "best" / "events.jsonl").read_text().splitlines()]
    losses = {event["step"]: event["loss"] for event in events if event["event"] == "eval"}
    assert losses[step] == min(losses[at] for at in losses if at)
    assert f"| `held-out.jsonl` | loss | {losses[0]:.6g} | {losses[step]:.6g} |" in card
