"""Gives a sampler the weights in training, and proves by weights and log-probabilities that it has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from libra_cli.engines.base import Request
from libra_cli.exits import Exit, Fatal
from libra_cli.sampling.requests import request_seed
from libra_cli.training.data.prompts import PromptStore
from libra_cli.training.data.trajectories import Trajectory
from libra_cli.training.rollouts.rollout import GradedResponse
from libra_cli.training.rollouts.sampler import Sampler, Stopwatch
from libra_cli.training.settings import GrpoRunSettings

MAX_GAP = {"fp32": 1e-3, "bf16": 0.1}
"""Mean difference, in nats, that rounding may cause between the log-probabilities of sampler and trainer."""
_PROBES, _PROBE_TOKENS, _PROBE_LONGEST = 4, 16, 512
"""Responses of each rank, preferably of 16 tokens or more, by whose first 512 the hand-over of weights is checked."""
_SERVER_PROBES, _SERVER_PROBE_TOKENS = 2, 64
"""Responses of each server that are sampled for this alone, and their tokens."""

LogProbs = Callable[[Sequence[Trajectory]], Mapping[int, np.ndarray]]
"""The trainer's log-probabilities of the targets of each trajectory; a collective of all ranks."""


class LogProbGap(NamedTuple):
    """Difference of the log-probabilities of sampler and trainer, in nats."""

    mean: float
    largest: float


class HandOver:
    """Hands weights to the sampler of a run; all ranks call its methods at the same time."""

    def __init__(
        self, sampler: Sampler, store: PromptStore, settings: GrpoRunSettings, log_probs: LogProbs, precision: str
    ):
        self._sampler, self._store, self._log_probs = sampler, store, log_probs
        self._seed = settings.batch.seed
        self._bound = settings.rollout.max_gap or MAX_GAP[precision]
        self.gap: LogProbGap | None = None
        """Of the servers, when they were last given weights; None without servers."""
        self.seconds: dict[str, float] = {}
        """Of the phases of the last hand-over."""
        self._probes: list[dict[str, Any]] = []

    def give(self, step: int, keep: bool = False) -> None:
        """Gives the sampler the weights after `step` steps.

        `keep`: rank 0 keeps a copy of them, for `save`. Raises Fatal(6) if the sampler does not have them then.
        """
        watch = Stopwatch()
        is_new = self._sampler.refresh(step, keep)
        watch.lap("sync")
        if is_new or not self._sampler.is_remote:
            self._sampler.prove()
        watch.lap("proof")
        if is_new and self._sampler.is_remote:
            self.gap = self._servers_gap()
        watch.lap("check")
        self.seconds = watch.seconds

    def save(self, path: Path) -> list[dict[str, Any]]:
        """Writes the kept weights; returns what proves later that servers have them."""
        self._sampler.save_kept(path)
        return self._probes

    def give_saved(self, path: Path, step: int, probes: Sequence[Mapping[str, Any]]) -> None:
        """Gives the sampler what `save` wrote; proved by the log-probabilities that the trainer had at that time."""
        self._sampler.give_saved(path, step)
        self._sampler.prove(saved=True)
        self._probes = [dict(probe) for probe in probes]
        theirs, ours = [], []
        for completions in self._sampler.sample_of_each(self._requests(), _SERVER_PROBE_TOKENS).values():
            for completion, probe in zip(completions, probes, strict=True):
                # The same seeds give the same tokens, up to where rounding may turn the draw of one.
                pairs = enumerate(zip(completion.token_ids or (), probe["token_ids"], strict=False))
                same = next((i for i, (one, other) in pairs if one != other), len(probe["token_ids"]))
                theirs.append(np.array((completion.logprobs or ())[:same], np.float32))
                ours.append(np.array(probe["log_probs"][:same], np.float32))
        self.gap = self._checked(theirs, ours)

    def check(self, responses: Sequence[GradedResponse], ranks: int) -> LogProbGap:
        """The gap on a few short responses of a sampler without servers. Raises Fatal(6) beyond --max-gap."""
        written = sorted(
            (each for each in responses if len(each.token_ids)),
            key=lambda each: (len(each.token_ids) < _PROBE_TOKENS, len(each.token_ids)),  # single ones prove little
        )
        first = slice(_PROBE_LONGEST)
        probes = [
            replace(each, token_ids=each.token_ids[first], sampler_logp=each.sampler_logp[first])
            for each in written[: _PROBES * ranks]
        ]
        if not probes:
            return LogProbGap(0.0, 0.0)
        return self._checked([each.sampler_logp for each in probes], self._trainer(probes))

    def _servers_gap(self) -> LogProbGap:
        """The largest gap of a server, on responses that each gives for this alone."""
        requests, gaps = self._requests(), []
        for server, completions in self._sampler.sample_of_each(requests, _SERVER_PROBE_TOKENS).items():
            responses = [
                GradedResponse(i, i, i, i, self._sampler.prompt_ids(requests[i])).with_completion(completion)
                for i, completion in enumerate(completions)
            ]
            trainer = self._trainer(responses)
            gaps.append(self._checked([each.sampler_logp for each in responses], trainer, server))
            self._probes = [
                {"token_ids": each.token_ids.tolist(), "log_probs": [round(float(value), 7) for value in trainer[i]]}
                for i, each in enumerate(responses)
            ]
        return LogProbGap(max(gap.mean for gap in gaps), max(gap.largest for gap in gaps))

    def _requests(self) -> list[Request]:
        prompts = [self._store.prompt(index) for index in range(min(_SERVER_PROBES, len(self._store)))]
        return [
            prompt.request(request_seed(self._seed, prompt.key, number), number)
            for number, prompt in enumerate(prompts)
        ]

    def _trainer(self, responses: Sequence[GradedResponse]) -> list[np.ndarray]:
        found = self._log_probs(
            [
                Trajectory.of_response(
                    each.prompt_ids, each.token_ids, "probe", sampler_logp=each.sampler_logp, advantage=0.0
                )
                for each in responses
            ]
        )
        return [found[i] for i in range(len(responses))]

    def _checked(self, theirs: Sequence[np.ndarray], ours: Sequence[np.ndarray], server: str = "") -> LogProbGap:
        """Raises Fatal(6) if the gap between two lists of log-probabilities, [T] each, is beyond the bound."""
        differences = np.abs(np.concatenate([one - other for one, other in zip(theirs, ours, strict=True)]))
        if not len(differences):  # nothing was compared, and nothing proved
            differences = np.array([np.nan])
        gap = LogProbGap(float(differences.mean()), float(differences.max()))
        if not gap.mean <= self._bound:
            place = f"{server}: " if server else ""
            what = f"{place}the sampler's log-probabilities differ from the trainer's by {gap.mean:.3g} nats on average"
            cure = "its weights are not those in training; another --sampler may do, or raise --max-gap"
            raise Fatal(Exit.BACKEND, f"{what}, more than {self._bound:g}: {cure}")
        return gap
