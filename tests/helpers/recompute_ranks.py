"""Compares engines in the recompute mode with plain autograd: recompute_ranks.py MODELS CASES RESULTS

Run by every rank. CASES is a JSON list of {"name", "zero", "sp", "tied", "lora", "packed", "objective"}; rank 0 writes
RESULTS: name -> {"loss", "expected", "gradient" (the largest relative error), "measured" (the largest error of
log-probabilities), "log_ratio_max" (expected), "figures", "passes", "targets"}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from toy_objectives import ClippedObjective, PairObjective, SequenceObjective, ToySamples, plain_log_probs
from transformers import AutoConfig

from libra_cli.training.data.packing import PackBudget
from libra_cli.training.distributed import launch
from libra_cli.training.distributed.deepspeed_engine import TrainEngine, build_config
from libra_cli.training.distributed.ulysses import register_ulysses
from libra_cli.training.distributed.world import World, import_deepspeed
from libra_cli.training.log_probs import measured_log_probs
from libra_cli.training.model import attention, lm_head, policy
from libra_cli.training.settings import EngineSettings, ModelSettings, OptimizerSettings
from libra_cli.training.trainer import StepStats, TrainBatches

OBJECTIVES = {"pairs": PairObjective, "clipped": ClippedObjective, "sequence": SequenceObjective}
BUDGET = 50
"""Tokens: a unit of the pairs fits, two do not always; a group of four is beyond it."""


def compare(folder: Path, case: dict[str, Any]) -> dict[str, Any]:
    samples, objective = ToySamples(), OBJECTIVES[case["objective"]]()
    engine_settings = EngineSettings(zero=case["zero"], sequence_parallel=case["sp"])
    world = World(case["sp"])
    world.__enter__()
    ds_config = build_config(engine_settings, OptimizerSettings(clip=0.0), torch.float32, world)
    ds_config["zero_optimization"].update({"stage3_param_persistence_threshold": 0})  # gather every weight
    settings = ModelSettings(str(folder / ("tied" if case["tied"] else "untied")), dtype="fp32",
                             lora_rank=4 if case["lora"] else None)  # fmt: skip
    config = AutoConfig.from_pretrained(settings.model)
    lm = policy.load(settings, config, attention.NAME if case["packed"] else None, ds_config)
    generator = torch.Generator().manual_seed(5)
    for name, parameter in lm.named_parameters():
        if "lora_B" in name:  # zero would hide the gradients of the other factor
            parameter.data.copy_(torch.randn(parameter.shape, generator=generator) / 10)
    mpu = register_ulysses(lm, world) if case["sp"] > 1 else None
    engine = TrainEngine(policy.PolicyModel(lm, case["packed"]), ds_config, OptimizerSettings(clip=0.0), world, mpu)
    reference = plain_copy(engine, settings, config)
    log_probs = plain_log_probs(reference, samples)
    loss = objective.reference(log_probs, samples)
    loss.backward()
    distances = [(mine.detach() - torch.from_numpy(old)).abs().max()
                 for mine, old in zip(log_probs, samples.old_logp, strict=True)]  # fmt: skip
    batches, stats = TrainBatches(PackBudget(BUDGET, padded=not case["packed"]), 0), StepStats()
    batch = objective.batch(samples)
    measured = measured_log_probs(engine, batches, batch, world)
    for micro_batch, last in batches.micro_batches(batch, world):
        stats.add(micro_batch, engine.learn(micro_batch, objective, last))
    figures = stats.all_reduce(world).figures
    return {
        "expected": loss.item(), "loss": figures["loss"], "log_ratio_max": float(max(distances)),
        "measured": max(float(np.abs(measured[i] - mine.detach().numpy()).max()) for i, mine in enumerate(log_probs)),
        "gradient": worst_gradient(engine, reference),
        "figures": objective.figures(figures), "passes": len(stats.log_probs),
        "targets": world.all_sum([float(sum(map(len, stats.log_probs)))])[0],
    }  # fmt: skip


def plain_copy(engine: TrainEngine, settings: ModelSettings, config: Any) -> Any:
    """The same model with the attention and the head of transformers, on this rank alone."""
    plain = policy.load(settings, config, "eager")
    own = dict(plain.named_parameters())
    for name, parameter in engine.policy.model.named_parameters():
        with engine.gathered([parameter]):
            own[name].data.copy_(parameter.detach())
    return plain


def worst_gradient(engine: TrainEngine, reference: Any) -> float:
    """The largest difference of a gradient, relative to the largest element of the gradient of that weight."""
    from deepspeed.utils import safe_get_full_grad

    worst = 0.0
    expected = dict(reference.named_parameters())
    for name, parameter in engine.policy.model.named_parameters():
        if parameter.requires_grad:
            found = safe_get_full_grad(parameter) if engine.stage else parameter.grad
            wanted = expected[name].grad
            worst = max(worst, float((found - wanted).abs().max() / wanted.abs().max()))
    return worst


def main() -> None:
    folder, cases = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
    launch.relaunch(1, grace=0)
    import_deepspeed().init_distributed(dist_backend="gloo")
    lm_head.CHUNK_ELEMENTS = 61 * 5  # five positions at a time
    results = {case["name"]: compare(folder, case) for case in cases}
    if World().is_rank0:
        Path(sys.argv[3]).write_text(json.dumps(results))


if __name__ == "__main__":
    main()
