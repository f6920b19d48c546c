"""The loop of a run: batches in a fixed order, one update a step, and checkpoints from which it goes on exactly."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.signals import StopRequest
from libra_cli.training.data import micro_batch
from libra_cli.training.data.packing import Cost, SampleOrder, spread
from libra_cli.training.data.token_store import TokenStore
from libra_cli.training.distributed.checkpoints import Checkpoints
from libra_cli.training.distributed.deepspeed_engine import Engine, NonFinite
from libra_cli.training.distributed.world import World
from libra_cli.training.monitoring.eval_history import Looks
from libra_cli.training.monitoring.flops import Shape, mfu, peak_flops
from libra_cli.training.monitoring.judge_eval import Scoring
from libra_cli.training.monitoring.telemetry import Telemetry
from libra_cli.training.run_dir import refuse_difference
from libra_cli.training.schedule import Schedule
from libra_cli.training.settings import SaveSettings

NAMED = 5
"""Samples that a message names."""


class Stopped(Exception):
    """Somebody asked to stop; the state of the last whole step is saved."""

    def __init__(self, status: Exit):
        super().__init__()
        self.status = status


@dataclass
class Data:
    """The samples of a run and how a forward pass is made of them."""

    store: TokenStore
    cost: Cost
    pad_id: int

    def passes(self, samples: Sequence[int], world: World) -> Iterator[tuple[micro_batch.Pass, bool]]:
        """This rank's forward passes over `samples`, with whether it is the last; equally many on every rank."""
        packs = spread(samples, [int(self.store.lengths[i]) for i in samples], world.replicas, self.cost)[world.replica]
        for number, pack in enumerate(packs, 1):
            given = micro_batch.make(self.store, pack, packed=not self.cost.padded, pad_id=self.pad_id,
                               multiple=world.sequence_parallel, part=world.part, device=world.device)  # fmt: skip
            yield given, number == len(packs)

    def learned(self, samples: Sequence[int]) -> int:
        """Tokens of these samples that are learned."""
        return int(self.store.n_learned[list(samples)].sum())


@dataclass
class Work:
    """What the passes of one step came to on this rank."""

    losses: list[torch.Tensor] = field(default_factory=list)
    owners: list[np.ndarray] = field(default_factory=list)
    tokens: int = 0
    slots: int = 0

    def add(self, given: micro_batch.Pass, losses: torch.Tensor) -> None:
        self.losses.append(losses.detach())
        self.owners.append(given.owners)
        self.tokens += given.tokens
        self.slots += given.slots

    def loss(self) -> float:
        """The sum over this rank's learned tokens; waits for the device."""
        return float(torch.cat(self.losses).double().sum()) if self.losses else 0.0

    def bad_samples(self) -> list[int]:
        """Samples with a loss that is not finite."""
        losses, owners = torch.cat(self.losses).cpu().numpy(), np.concatenate(self.owners)
        return sorted({int(each) for each in owners[~np.isfinite(losses)]})


class Trainer:
    """Trains `engine` on `data`; the same run on any number of ranks, with any size of a forward pass."""

    def __init__(self, engine: Engine, data: Data, order: SampleOrder, schedule: Schedule, save: SaveSettings,
                 world: World, stop: StopRequest, telemetry: Telemetry | None, marker: Mapping[str, Any],
                 shape: Shape | None, evaluation: Data | None = None, scoring: Scoring | None = None):  # fmt: skip
        self._engine, self._data, self._order, self._schedule = engine, data, order, schedule
        self._save, self._world, self._stop, self._telemetry = save, world, stop, telemetry
        self._evaluation, self._scoring, self._marker, self._shape = evaluation, scoring, marker, shape
        self.checkpoints = Checkpoints(f"{save.output}/checkpoints", save.keep, world)
        self.step = 0
        """Whole steps done."""
        self._looks = Looks(evaluation.store.digest if evaluation else None,
                            world.told(scoring.key if scoring else None))  # fmt: skip
        self._saved_at = -1
        self._saved_looks: dict[str, Any] = {}

    # -- the run ------------------------------------------------------------------------------------------------------

    def resume(self) -> int | None:
        """Goes on from the last checkpoint; gives its step, None where there is none."""
        found = self.checkpoints.latest()
        if found is None:
            return None
        place, marker = found
        self._refuse_other(place, marker)
        if self._save.final == "best" and self._looks.compared_elsewhere(marker):
            cure = "use those, leave --final best out, or begin anew with --overwrite"
            raise Fatal(Exit.USAGE, f"{place}: the best step was found on other --eval-data; {cure}")
        self.checkpoints.load(self._engine, place)
        self._looks.take(marker)
        self.step = self._saved_at = marker["step"]
        self._saved_looks = self._looks.known
        return self.step

    def run(self) -> None:
        """All steps that are left; raises Stopped where somebody asks for it, Fatal(1) where the loss is not finite."""
        if self.step:  # it may have been stopped before it had looked around after its last step
            self._look_around()
        while self.step < self._schedule.steps:
            try:
                self._one_step()
            except NonFinite:
                raise self._non_finite(self._order.batch(self.step)) from None
            self._look_around()
        self.save()  # what comes in the way from here on costs no training
        if self._evaluation is not None and not self._looks.evaluated(self.step):
            self.evaluate()
            self.save()

    def conclude(self, best: bool) -> int:
        """Goes to the step whose model is left, and gives it; scores that model unless it was scored before."""
        step = self.take_best() if best else self.step
        if self._scoring is not None and not self._looks.scored(step):
            self.score(step)
            self.save()
        return step

    def _look_around(self) -> None:
        """After a step: evaluates, saves and stops where it is time to."""
        self._stop_if_asked()
        if self._due(self._save.eval_every) and self._evaluation is not None and not self._looks.evaluated(self.step):
            self.evaluate()
        if self._due(self._save.score_every) and self._scoring is not None and not self._looks.scored(self.step):
            self.score(self.step)
        if self._due(self._save.save_every):
            self.save()
        self._stop_if_asked()

    def _due(self, every: int | None) -> bool:
        return bool(every) and self.step % every == 0  # type: ignore[operator]

    def _stop_if_asked(self) -> None:
        """All ranks stop together, wherever the signal went."""
        status = self._world.greatest(int(self._stop.status or 0))
        if status:
            self.save()
            raise Stopped(Exit(status))

    # -- a step -------------------------------------------------------------------------------------------------------

    def _one_step(self) -> None:
        began = time.perf_counter()
        samples = self._order.batch(self.step)
        learned = self._data.learned(samples)
        self._seed()
        work = self._learn(samples, 1 / learned)
        total, tokens, slots = self._world.sums([work.loss(), work.tokens, work.slots])
        if not math.isfinite(total):
            raise self._non_finite(samples, work)
        lr = self._schedule.at(self.step)
        norm = self._engine.update(lr)
        self.step += 1
        seconds = time.perf_counter() - began
        self._report(samples, loss=total / learned, lr=lr, grad_norm=norm, learned=learned, tokens=int(tokens),
                     seconds=seconds, padding=1 - tokens / slots if slots else 0.0)  # fmt: skip

    def _learn(self, samples: Sequence[int], scale: float) -> Work:
        """Adds up the gradient of `scale` times the summed loss over the batch, pass by pass."""
        work = Work()
        for given, last in self._data.passes(samples, self._world):
            work.add(given, self._engine.learn(given, scale, last))
            if not last:  # a step can take minutes, a grace period seldom does: what was added is dropped
                self._stop_if_asked()
        return work

    def _seed(self) -> None:
        """Dropout is a function of seed, step and rank: a run that goes on draws what it would have drawn."""
        drawn = np.random.SeedSequence([self._order.seed, self.step, self._world.rank]).generate_state(1, np.uint64)
        torch.manual_seed(int(drawn[0] >> np.uint64(1)))

    def _report(self, samples: Sequence[int], seconds: float, **figures: Any) -> None:
        if self._telemetry is None:
            return
        speed = figures["tokens"] / seconds
        self._telemetry.record(
            "step", self.step, epoch=min(self.step * self._order.batch_size, self._order.total) / self._order.samples,
            samples=len(samples), **figures, seconds=seconds, tokens_per_second=speed,
            mfu=self._mfu(samples, figures["learned"], seconds), memory_gb=_memory_gb(self._world),
        )  # fmt: skip

    def _mfu(self, samples: Sequence[int], learned: int, seconds: float) -> float | None:
        """The share of the devices' peak that went into the model."""
        if self._shape is None or not self._world.on_gpu:
            return None
        lengths = [int(self._data.store.lengths[i]) for i in samples]
        flops = self._shape.training(lengths, learned, frozen=self._engine.frozen)
        peak = peak_flops(torch.cuda.get_device_name(self._world.device), self._engine.precision)
        return mfu(flops.model, seconds, peak, self._world.size)

    # -- beside the steps ---------------------------------------------------------------------------------------------

    def evaluate(self) -> float:
        """The mean loss on the held-out samples, in nats a learned token; where it is the lowest so far, saves."""
        assert self._evaluation is not None
        samples = list(range(len(self._evaluation.store)))
        work = Work()
        self._engine.train(False)
        with torch.no_grad():
            for given, _ in self._evaluation.passes(samples, self._world):
                self._stop_if_asked()
                with self._engine.learner.layout(given):
                    work.add(given, self._engine.losses(given)[1])
        self._engine.train()
        loss = self._world.sums([work.loss()])[0] / self._evaluation.learned(samples)
        if self._telemetry is not None:
            self._telemetry.record("eval", self.step, loss=loss, samples=len(samples))
        if self._looks.note_loss(self.step, loss):
            self.save()
        return loss

    def score(self, step: int) -> None:
        """The accuracy of the model, which is that of `step`, as a judge."""
        # The event is the last step's even so: trackers take no figure of a step behind those that they have.
        assert self._scoring is not None
        figures = self._scoring.figures(self._engine)
        self._stop_if_asked()
        if self._telemetry is not None:
            self._telemetry.record("score", self.step, model_step=step, **figures)
        self._looks.note_score(step)

    def take_best(self) -> int:
        """Goes back to the step with the lowest loss on the held-out samples, and gives it."""
        best = self.step if self._looks.best is None else int(self._looks.best["step"])
        if best != self.step:
            self.checkpoints.load(self._engine, self.checkpoints.place(best))
        return best

    def save(self) -> None:
        """Writes a checkpoint of the last whole step; where there is one, only what was seen since."""
        marker, looks = {**self._marker, "step": self.step, **self._looks.known}, self._looks.known
        if self._saved_at == self.step:
            if looks != self._saved_looks:
                self.checkpoints.mark(marker)
                self._saved_looks = looks
            return
        began = time.perf_counter()
        place = self.checkpoints.save(self._engine, marker)
        self._saved_at, self._saved_looks = self.step, looks
        if self._telemetry is not None:
            self._telemetry.record("checkpoint", self.step, path=str(place), seconds=time.perf_counter() - began)

    def _refuse_other(self, place: Path, marker: Mapping[str, Any]) -> None:
        refuse_difference(str(place), marker.get("run", {}), self._marker["run"])
        cure = "go on with as many ranks, and the same --zero and --sequence-parallel"
        refuse_difference(str(place), marker.get("layout", {}), self._marker["layout"], cure)

    def _non_finite(self, samples: Sequence[int], work: Work | None = None) -> Fatal:
        """Names the samples, and says that nothing was learned from them."""
        bad = sorted({i for each in self._world.gathered(work.bad_samples() if work else []) for i in each})
        what = "loss" if bad else "gradient"
        named = [self._data.store.name(i) for i in (bad or samples)]
        among = ", ".join(named[:NAMED]) + (f" and {len(named) - NAMED} more" if len(named) > NAMED else "")
        self.save()
        cure = "look at these samples, or lower --lr; the weights before this step are saved"
        return Fatal(Exit.INTERNAL, f"step {self.step + 1}: the {what} is not finite on {among}; {cure}")


def _memory_gb(world: World) -> float:
    """The most that this rank has held: of the device, or of the process where there is none."""
    if world.on_gpu:
        return torch.cuda.max_memory_allocated(world.device) / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
