"""The training loop: batches in a fixed order, one update per step, and checkpoints that continue it exactly.

It knows no objective: a step source says what a step learns from, an objective turns log-probabilities into a loss.
"""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.signals import StopRequest
from libra_cli.training.data.micro_batch import MicroBatch, make_micro_batch
from libra_cli.training.data.packing import PackBudget, pack_batch
from libra_cli.training.data.sources import SourceFailed, SourceStopped, StepBatch, StepSource
from libra_cli.training.distributed.checkpoints import Checkpoints, describe_layout, is_same_layout
from libra_cli.training.distributed.deepspeed_engine import NonFinite, PassResult, TrainEngine
from libra_cli.training.distributed.world import World
from libra_cli.training.monitoring.eval_history import ACCURACY, EvalHistory
from libra_cli.training.monitoring.flops import ModelShape, mfu, peak_flops
from libra_cli.training.monitoring.judge_eval import JudgeEval
from libra_cli.training.monitoring.telemetry import Telemetry
from libra_cli.training.objectives.base import Objective
from libra_cli.training.run_manifest import refuse_difference
from libra_cli.training.schedule import Schedule
from libra_cli.training.settings import SaveSettings

NAMED = 5
"""Samples that a message lists by name."""


class Stopped(Exception):
    """The run was asked to stop; the state after the last whole step is saved."""

    def __init__(self, status: Exit):
        super().__init__()
        self.status = status


@dataclass(frozen=True)
class TrainBatches:
    """Splits batches into micro-batches."""

    budget: PackBudget
    pad_id: int

    def micro_batches(self, batch: StepBatch, world: World) -> Iterator[tuple[MicroBatch, bool]]:
        """This rank's micro-batches of `batch`, each with whether it is the last; equally many on every rank."""
        packs = pack_batch(batch.units, batch.samples.lengths, world.dp_size, self.budget)[world.dp_rank]
        for number, pack in enumerate(packs, 1):
            micro_batch = make_micro_batch(
                batch.samples,
                pack,
                batch.annotations,
                packed=not self.budget.padded,
                pad_id=self.pad_id,
                sp_size=world.sp_size,
                sp_rank=world.sp_rank,
                device=world.device,
            )
            yield micro_batch, number == len(packs)


class StepTotals(NamedTuple):
    """What a step came to on all ranks."""

    sums: dict[str, float]
    maxima: dict[str, float]
    tokens: int
    slots: int

    @property
    def figures(self) -> dict[str, float]:
        """Sums and maxima, for the objective to report from."""
        return {**self.sums, **self.maxima}


@dataclass
class StepStats:
    """Totals over the micro-batches of one step on this rank."""

    log_probs: list[torch.Tensor] = field(default_factory=list)
    samples: list[np.ndarray] = field(default_factory=list)
    sums: dict[str, torch.Tensor | float] = field(default_factory=dict)
    maxima: dict[str, list[torch.Tensor | float]] = field(default_factory=dict)
    tokens: int = 0
    slots: int = 0

    def add(self, micro_batch: MicroBatch, result: PassResult) -> None:
        self.log_probs.append(result.log_probs_N)
        self.samples.append(micro_batch.samples)
        self.tokens += micro_batch.tokens
        self.slots += micro_batch.slots
        for name, value in result.sums.items():
            self.sums[name] = self.sums.get(name, 0.0) + value  # stays on the device: no wait here
        for name, value in result.maxima.items():
            self.maxima.setdefault(name, []).append(value)

    def bad_samples(self) -> list[int]:
        """Samples with a log-probability that is not finite."""
        log_probs, samples = torch.cat(self.log_probs).cpu().numpy(), np.concatenate(self.samples)
        return sorted({int(sample) for sample in samples[~np.isfinite(log_probs)]})

    def all_reduce(self, world: World) -> StepTotals:
        """Totals over all ranks; waits for the device."""
        names, maxima = sorted(self.sums), sorted(self.maxima)
        sums = world.all_sum([*(float(self.sums[name]) for name in names), self.tokens, self.slots])
        largest = world.all_max([max(map(float, self.maxima[name])) for name in maxima]) if maxima else []
        return StepTotals(
            dict(zip(names, sums, strict=False)), dict(zip(maxima, largest, strict=True)), int(sums[-2]), int(sums[-1])
        )


class Trainer:
    """Trains `engine` on what `source` yields; the same run on any number of ranks, with any size of micro-batch."""

    def __init__(
        self,
        engine: TrainEngine,
        objective: Objective,
        source: StepSource,
        batches: TrainBatches,
        schedule: Schedule,
        save: SaveSettings,
        seed: int,
        world: World,
        stop: StopRequest,
        telemetry: Telemetry | None,
        marker: Mapping[str, Any],
        history: EvalHistory,
        shape: ModelShape | None = None,
        evaluation: StepBatch | Callable[[], StepBatch] | None = None,
        judge_eval: JudgeEval | None = None,
    ):
        self._engine, self._objective, self._source, self._batches = engine, objective, source, batches
        self._schedule, self._save, self._seed, self._world, self._stop = schedule, save, seed, world, stop
        self._telemetry, self._marker, self.history, self._shape = telemetry, marker, history, shape
        self._evaluation, self._judge_eval = evaluation, judge_eval
        self.checkpoints = Checkpoints(f"{save.output}/checkpoints", save.keep, world)
        self.step = 0
        """Whole steps done."""
        self.resharded_from: str | None = None
        """The layout that the state was saved in, if it was another."""
        self._saved_step = -1
        self._saved_history: dict[str, Any] = {}

    # -- the run ------------------------------------------------------------------------------------------------------

    def resume(self) -> int | None:
        """Loads the last checkpoint and returns its step; None if there is none."""
        latest = self.checkpoints.latest()
        if latest is None:
            return None
        path, marker = latest
        stamps, before = self._marker.get("encoding", []), marker.get("encoding")
        changed = sorted({str(stamp[0]) for stamp in stamps if before is not None and stamp not in before})
        run = self._marker["run"]
        earlier = {
            "deepspeed": run.get("deepspeed"),
            **marker.get("run", {}),
        }  # left to the manifest in earlier versions
        refuse_difference(str(path), earlier, run, changed=changed)
        if self._save.final == "best" and self.history.best_is_of_other_data(marker):
            cure = "use those, leave --final best out, or begin anew with --overwrite"
            raise Fatal(Exit.USAGE, f"{path}: another metric or other files chose the best step; {cure}")
        self.checkpoints.load(self._engine, path)
        self.history.load(marker)
        self._source.resume(marker["step"], marker.get("source", {}))
        self.step = self._saved_step = marker["step"]
        self._saved_history = self.history.state()
        if self._telemetry is not None:
            self._telemetry.continue_after(self.step)
        layout = marker.get("layout")
        if layout and not is_same_layout(layout, self._engine.layout):
            self.resharded_from = describe_layout(layout)
        return self.step

    def run(self) -> None:
        """Takes all remaining steps. Raises Stopped on request, Fatal(1) if a loss or gradient is not finite."""
        if self.step:  # the run may have been stopped between its last step and what is due after it
            self._after_step()
        else:
            self._measure_start()
        while self.step < min(self._schedule.steps, self._source.steps):
            self._take_step()
            self._after_step()
        self.save()  # from here on an interruption costs no training
        if self._evaluation is not None and not self.history.is_evaluated(self.step):
            self.evaluate()
            self.save()
        if self.history.metric == ACCURACY and self._judge_eval is not None and not self.history.is_scored(self.step):
            self.score(self.step)
            self.save()

    def conclude(self, best: bool) -> int:
        """Loads the weights to export (of the best step, or the last), and returns their step.

        Scores that model on the benchmark unless it has been scored already.
        """
        step = self.step
        if best and self.history.best is not None:
            step = int(self.history.best["step"])
        if step != self.step:
            self.checkpoints.load(self._engine, self.checkpoints.path(step))
        if self._judge_eval is not None and not self.history.is_scored(step):
            self.score(step)
            self.save()
        return step

    def _measure_start(self) -> None:
        """Evaluates before the first step: all that is measured, or, by default, what chooses the best step."""
        wanted, by_accuracy = self._save.eval_start, self.history.metric == ACCURACY
        if wanted is False or (wanted is None and self._save.final != "best"):
            return
        if self._evaluation is not None and (wanted or not by_accuracy) and not self.history.is_evaluated(0):
            self.evaluate()
        if self._judge_eval is not None and (wanted or by_accuracy) and not self.history.is_scored(0):
            self.score(0)

    def _after_step(self) -> None:
        """Evaluates, saves and stops if that is due."""
        save = self._save
        is_due = lambda every: bool(every) and self.step % every == 0  # noqa: E731
        self._stop_if_asked()
        if is_due(save.eval_every) and self._evaluation is not None and not self.history.is_evaluated(self.step):
            self.evaluate()
        if is_due(save.score_every) and self._judge_eval is not None and not self.history.is_scored(self.step):
            self.score(self.step)
        if is_due(save.save_every):
            self.save()
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        """Stops all ranks together, whichever of them received the signal."""
        status = int(self._world.all_max([float(self._stop.status or 0)])[0])
        if status:
            self.save()
            raise Stopped(Exit(status))

    # -- a step -------------------------------------------------------------------------------------------------------

    def _take_step(self) -> None:
        began = time.perf_counter()
        try:
            batch = self._source.batch(self.step)
        except SourceStopped:
            self._stop_if_asked()
            raise
        except SourceFailed as failed:
            if self.step:  # before the first there is nothing to keep
                self.save()
            raise failed.failure from None
        # Dropout is a function of seed, step and rank: a resumed run draws what it would have drawn.
        drawn = np.random.SeedSequence([self._seed, self.step, self._world.rank]).generate_state(1, np.uint64)
        torch.manual_seed(int(drawn[0] >> np.uint64(1)))
        stats = StepStats()
        for micro_batch, last in self._batches.micro_batches(batch, self._world):
            stats.add(micro_batch, self._engine.learn(micro_batch, self._objective, last))
            if not last:  # a step can take minutes, a grace period seldom does; the gradients so far are dropped
                self._stop_if_asked()
        totals = stats.all_reduce(self._world)
        if not all(map(math.isfinite, totals.sums.values())):
            raise self._non_finite(batch, stats)
        lr = self._schedule.at(self.step)
        try:
            grad_norm = self._engine.update(lr)
        except NonFinite:
            raise self._non_finite(batch, None) from None
        self.step += 1
        if self._telemetry is None:
            return
        seconds, n_targets = time.perf_counter() - began, batch.n_targets
        if self._world.on_gpu:
            peak_memory = torch.cuda.max_memory_allocated(self._world.device)
        else:
            peak_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # of the process
        self._telemetry.record(
            "step",
            self.step,
            epoch=self._source.epoch(self.step),
            samples=len(batch.indices),
            **batch.figures,
            **self._objective.figures(totals.figures),
            lr=lr,
            grad_norm=grad_norm,
            learned=n_targets,
            tokens=totals.tokens,
            padding=1 - totals.tokens / totals.slots if totals.slots else 0.0,
            seconds=seconds,
            tokens_per_second=totals.tokens / seconds,
            mfu=self._mfu(batch, n_targets, seconds),
            memory_gb=peak_memory / 1e9,
        )

    def _mfu(self, batch: StepBatch, n_targets: int, seconds: float) -> float | None:
        """Model FLOPs utilisation of the step; None on a CPU."""
        if self._shape is None or not self._world.on_gpu:
            return None
        lengths = [int(batch.samples.lengths[i]) for i in batch.indices]
        flops = self._shape.training(lengths, n_targets, frozen=self._engine.frozen)
        peak = peak_flops(torch.cuda.get_device_name(self._world.device), self._engine.precision)
        return mfu(flops.model, seconds, peak, self._world.size)

    # -- evaluations and checkpoints ----------------------------------------------------------------------------------

    def evaluate(self) -> None:
        """Measures the objective on the held-out samples; saves if the metric is the best so far."""
        assert self._evaluation is not None
        try:
            evaluation = self._evaluation() if callable(self._evaluation) else self._evaluation
        except SourceStopped:
            self._stop_if_asked()
            raise
        stats = StepStats()
        self._engine.train(False)
        for micro_batch, _ in self._batches.micro_batches(evaluation, self._world):
            self._stop_if_asked()
            stats.add(micro_batch, self._engine.evaluate(micro_batch, self._objective))
        self._engine.train()
        figures = self._objective.figures(stats.all_reduce(self._world).figures)
        if self._telemetry is not None:
            self._telemetry.record("eval", self.step, **figures, samples=len(evaluation.indices))
        if self.history.add_evaluation(self.step, figures):
            self.save()

    def score(self, step: int) -> None:
        """Measures the accuracy of the model, which is that of `step`, as a judge."""
        # The event still names the last step: trackers accept no figures of a step before the ones they have.
        assert self._judge_eval is not None
        figures, refused = self._judge_eval.score(self._engine)
        self._stop_if_asked()
        is_comparable = self.history.is_comparable(figures, refused)
        is_best = self.history.add_score(step, figures, refused)
        if self._telemetry is not None:
            self._telemetry.record("score", self.step, model_step=step, **figures)
            if not is_comparable:
                what = "takes its place, being measured on more" if is_best else "is not compared with it"
                self._telemetry.tell(f"step {step}: other rows are refused than of the best step; it {what}")
        if is_best:
            self.save()

    def save(self) -> None:
        """Writes a checkpoint of the last whole step; if there is one, only the evaluation history in its marker."""
        history = self.history.state()
        source = self._source.state()
        marker = {**self._marker, "step": self.step, **({"source": source} if source else {}), **history}
        if self._saved_step == self.step:
            if history != self._saved_history:
                self.checkpoints.mark(marker)
                self._saved_history = history
            return
        began = time.perf_counter()
        path = self.checkpoints.save(self._engine, marker)
        self._saved_step, self._saved_history = self.step, history
        if self._telemetry is not None:
            self._telemetry.record("checkpoint", self.step, path=str(path), seconds=time.perf_counter() - began)

    def _non_finite(self, batch: StepBatch, stats: StepStats | None) -> Fatal:
        """Saves the weights before this step, and returns the failure that names the samples."""
        bad = sorted({i for bad in self._world.all_gather(stats.bad_samples() if stats else []) for i in bad})
        what = "loss" if bad else "gradient"
        names = [batch.samples.name(i) for i in (bad or batch.indices)]
        listed = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
        self.save()
        cure = "look at these samples, or lower --lr; the weights before this step are saved"
        return Fatal(Exit.INTERNAL, f"step {self.step + 1}: the {what} is not finite on {listed}; {cure}")
