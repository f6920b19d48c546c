"""Trains on each toy objective with the package's own trainer: toy_training.py MODEL OUTPUT RESULTS

Run by every rank. Rank 0 writes RESULTS: name of the objective -> {"events", "best"}.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from toy_objectives import ClippedObjective, PairObjective, ToySamples

from libra_cli.stream.console import Console
from libra_cli.stream.signals import StopRequest
from libra_cli.training.data.packing import PackBudget
from libra_cli.training.data.sources import StepBatch
from libra_cli.training.distributed import launch
from libra_cli.training.distributed.deepspeed_engine import TrainEngine, build_config
from libra_cli.training.distributed.world import World
from libra_cli.training.model import attention, policy
from libra_cli.training.monitoring.eval_history import EvalHistory
from libra_cli.training.monitoring.telemetry import Telemetry
from libra_cli.training.schedule import Schedule
from libra_cli.training.settings import EngineSettings, ModelSettings, OptimizerSettings, SaveSettings
from libra_cli.training.trainer import TrainBatches, Trainer

STEPS = 8


class RepeatedBatch:
    """A source that yields the same batch at every step."""

    def __init__(self, batch: StepBatch):
        self._batch = batch
        self.batch_size, self.steps = len(batch.indices), STEPS

    def batch(self, step: int) -> StepBatch:
        return self._batch

    def epoch(self, step: int) -> float:
        return float(step)

    def state(self) -> dict[str, Any]:
        return {}

    def resume(self, step: int, state: Mapping[str, Any]) -> None:
        pass


def train(objective: Any, metric: str, higher_is_better: bool, model: str, output: str, world: World) -> dict[str, Any]:
    """The events of a run, and its best step."""
    settings, optimizer = ModelSettings(model, dtype="fp32"), OptimizerSettings()
    ds_config = build_config(EngineSettings(zero=3), optimizer, torch.float32, world)
    lm = policy.load(settings, policy.load_config(settings), attention.NAME, ds_config)
    engine = TrainEngine(policy.PolicyModel(lm, packed=True), ds_config, optimizer, world)
    history = EvalHistory(metric, higher_is_better, "held-out", None)
    batch = objective.batch(ToySamples())
    events: list[dict[str, Any]] = []
    telemetry = Telemetry(Console("toy", quiet=True), lambda line: events.append(json.loads(line)), total_steps=STEPS)
    Trainer(
        engine, objective, RepeatedBatch(batch), TrainBatches(PackBudget(50), 0), Schedule(1e-2, 1e-2, STEPS, 0),
        SaveSettings(output, eval_every=1, keep=1), 0, world, StopRequest("toy", 1.0, 1.0), telemetry,
        {"run": {}, "layout": {}}, history, evaluation=batch,
    ).run()  # fmt: skip
    return {"events": events, "best": history.best}


def main() -> None:
    model, output, results = sys.argv[1:]
    launch.relaunch(1, grace=0)
    with World() as world:
        trained = {
            "pairs": train(PairObjective(), "margin", True, model, f"{output}/pairs", world),
            "clipped": train(ClippedObjective(), "loss", False, model, f"{output}/clipped", world),
        }
        if world.is_rank0:
            Path(results).write_text(json.dumps(trained))


if __name__ == "__main__":
    main()
