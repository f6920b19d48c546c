"""Log-probabilities that are recomputed in the backward pass, on real ranks: losses and gradients are exact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sft_runs as runs
import thinned
from toy_objectives import VOCABULARY, ClippedObjective, PairObjective, ToySamples

from libra_cli.training.data.packing import PackBudget, pack_batch

HELPERS = Path(runs.__file__).parent


def case(name: str, zero: int = 0, objective: str = "pairs", sp: int = 1, **options: bool) -> dict[str, Any]:
    return {"name": name, "zero": zero, "sp": sp, "objective": objective,
            **{"tied": False, "lora": False, "packed": True, **options}}  # fmt: skip


ONE = [
    case("zero3", 3), case("zero3-tied", 3, tied=True), case("zero3-lora", 3, lora=True),
    case("zero0", 0, "clipped"), case("zero0-tied", 0, tied=True), case("lora", 0, "clipped", lora=True),
    case("padded", 0, packed=False), case("zero1", 1, "clipped"), case("zero2", 2, "sequence"),
]  # fmt: skip
TWO = [
    case("zero3", 3), case("zero3-tied", 3, "clipped", tied=True), case("zero3-lora", 3, lora=True),
    case("zero0", 0), case("zero1", 1, "clipped"), case("zero2", 2, tied=True),
    case("padded", 2, packed=False), case("sequence", 2, "sequence"),
]  # fmt: skip
ULYSSES = [case("zero3", 3, sp=2), case("zero3-tied", 3, "clipped", sp=2, tied=True), case("zero0", 0, sp=2),
           case("zero1", 1, "clipped", sp=2), case("sequence", 0, "sequence", sp=2)]  # fmt: skip


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.made_once(tmp_path_factory, "recompute-models", write_models)


def write_models(folder: Path) -> None:
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    for name, tied in (("tied", True), ("untied", False)):
        torch.manual_seed(3)
        Qwen2ForCausalLM(Qwen2Config(
            vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, tie_word_embeddings=tied, initializer_range=0.3,
        )).to(torch.float32).save_pretrained(folder / name)  # fmt: skip


def compared(models: Path, folder: Path, cases: list[dict[str, Any]], ranks: int) -> dict[str, dict[str, Any]]:
    (folder / "cases.json").write_text(json.dumps(cases))
    runs.run_ranks(
        HELPERS / "recompute_ranks.py", [str(models), str(folder / "cases.json"), str(folder / "results.json")], ranks
    )
    return json.loads((folder / "results.json").read_text())


def assert_exact(results: dict[str, dict[str, Any]]) -> None:
    assert results
    for name, result in results.items():
        assert result["loss"] == pytest.approx(result["expected"], rel=1e-6), name
        assert result["gradient"] < 1e-5, name
        assert result["targets"] == ToySamples().n_targets.sum(), name
        assert result["measured"] < 1e-5, name
        largest = result["figures"].get("log_ratio_max")
        assert largest is None or largest == pytest.approx(result["log_ratio_max"], rel=1e-5), name


def test_one_rank(models: Path, tmp_path: Path) -> None:
    results = compared(models, tmp_path, ONE, 1)
    assert_exact(results)
    assert all(result["passes"] > 1 for result in results.values())


def test_two_ranks(models: Path, tmp_path: Path) -> None:
    assert_exact(compared(models, tmp_path, TWO, 2))


@pytest.mark.parametrize(
    "shared", [*map(thinned.slow, ULYSSES[:-1]), ULYSSES[-1]], ids=[each["name"] for each in ULYSSES]
)
def test_ranks_that_share_a_row(models: Path, tmp_path: Path, shared: dict[str, Any]) -> None:
    """Each in processes of its own: DeepSpeed divides ranks into groups once."""
    assert_exact(compared(models, tmp_path, [shared], 2))


@pytest.mark.parametrize("objective", [PairObjective(), ClippedObjective()])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_units_are_never_parted(objective: Any, padded: bool, ranks: int) -> None:
    samples = ToySamples()
    packs = pack_batch(objective.units, samples.lengths, ranks, PackBudget(60, padded=padded))
    whole = [pack for rank in packs for pack in rank if pack]
    assert sorted(i for pack in whole for i in pack) == list(range(len(samples)))
    for unit in objective.units:
        pack = next(pack for pack in whole if unit[0] in pack)
        begin = pack.index(unit[0])
        assert tuple(pack[begin : begin + len(unit)]) == unit


@pytest.mark.parametrize("ranks", [1, thinned.slow(2)])
def test_the_trainer_takes_objectives_that_it_does_not_know(models: Path, tmp_path: Path, ranks: int) -> None:
    runs.run_ranks(
        HELPERS / "toy_training.py", [str(models / "untied"), str(tmp_path), str(tmp_path / "results.json")], ranks
    )
    results = json.loads((tmp_path / "results.json").read_text())
    for name, metric, best_of in (("pairs", "margin", max), ("clipped", "loss", min)):
        events = results[name]["events"]
        losses = [event["loss"] for event in events if event["event"] == "step"]
        values = {event["step"]: event[metric] for event in events if event["event"] == "eval"}
        assert losses[-1] < losses[0] - 0.01
        assert values[1] != values[8]
        first_best = next(step for step, value in values.items() if value == best_of(values.values()))
        assert results[name]["best"] == {"step": first_best, metric: pytest.approx(values[first_best], rel=1e-6)}
    steps = [event for event in results["clipped"]["events"] if event["event"] == "step"]
    for event in steps:
        assert event["log_ratio_max"] > abs(event["log_ratio_mean"])
        assert 0 <= event["clip_low"] + event["clip_high"] <= 1
        assert (event["kl"] >= 0, event["entropy"] > 0) == (True, True)
    gap = ("sampler_log_ratio_mean", "sampler_log_ratio_max", "sampler_kl_k1", "sampler_kl_k3", "ess")
    samples = ToySamples()
    differences = np.concatenate([o - s for o, s in zip(samples.old_logp, samples.sampler_logp, strict=True)])
    for event in steps:  # of the sampler to the trainer before the updates: it does not change
        assert [event[name] for name in gap] == [steps[0][name] for name in gap]
        assert event["sampler_log_ratio_max"] == pytest.approx(np.abs(differences).max(), rel=1e-4)
        assert event["sampler_kl_k1"] == pytest.approx(-differences.mean(), rel=1e-4)
