"""Batches of reinforcement learning: rollouts are sampled, graded and rewarded, then learned from in mini-batches."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from libra_cli.engines.base import Completion, Request
from libra_cli.engines.chat_template import ChatTemplate
from libra_cli.exits import Exit, Fatal, InvalidOptions
from libra_cli.sampling.requests import request_seed
from libra_cli.stream.shuffle import permutation
from libra_cli.training.data.prompts import PromptStore, VerifiablePrompt
from libra_cli.training.data.sources import SourceFailed, SourceStopped, StepBatch
from libra_cli.training.data.trajectories import Trajectories, Trajectory
from libra_cli.training.log_probs import measured_log_probs
from libra_cli.training.model.reference import reference_of
from libra_cli.training.rewards import NullBy, RewardBatch, RewardPlan
from libra_cli.training.rollouts.ahead import SampledAhead
from libra_cli.training.rollouts.collected import CollectedResponses
from libra_cli.training.rollouts.figures import rollout_figures
from libra_cli.training.rollouts.files import RolloutFiles
from libra_cli.training.rollouts.grading import RolloutGrader
from libra_cli.training.rollouts.hand_over import HandOver, LogProbGap
from libra_cli.training.rollouts.judging import RolloutJudge, refuse_failing_judge
from libra_cli.training.rollouts.prompt_order import PromptOrder
from libra_cli.training.rollouts.records import Attempt, write_records
from libra_cli.training.rollouts.rollout import GradedResponse, Rollout, facts_of
from libra_cli.training.rollouts.sampler import Sampler, Stopwatch, local_model
from libra_cli.training.run import SourceParts
from libra_cli.training.settings import GrpoRunSettings

TokenWeights = Callable[[Sequence[int]], Sequence[float]]
"""The weight of each target of each response in the loss of a step, from the targets of its responses."""


class RolloutSource:
    """A step learns from `batch_size` responses of a rollout; each rollout is made before its first step."""

    def __init__(self, parts: SourceParts, plan: RewardPlan, token_weights: TokenWeights):
        self._store = cast(PromptStore, parts.data)
        settings = cast(GrpoRunSettings, parts.settings).for_data(len(self._store))
        self._parts, self._settings, self._plan, self._token_weights = parts, settings, plan, token_weights
        self._engine, self._world = parts.model.engine, parts.world
        rollout = settings.rollout
        self.batch_size, self._updates = settings.step_size, settings.rollout_steps
        n_prompts, batch = len(self._store), settings.batch
        self._order = PromptOrder(n_prompts, settings.asked(n_prompts), batch.seed, batch.shuffle)
        if rollout.refills:
            what = "a prompt that replaces another counts as asked"
            parts.console.note(f"--refills: {what}, so --epochs {batch.epochs:g} may end before the last step")
        self._engine.policy.set_temperature(rollout.temperature)
        model = local_model(settings.model, rollout, parts.chat, self._store.longest)
        template = ChatTemplate(parts.chat.tokenizer, model)
        closing = parts.chat.closing if parts.chat.has_template else ()
        self._sampler = Sampler(self._engine, model, rollout, template, closing, self._world, parts.console)
        parts.stack.callback(self._sampler.close)
        trainer = lambda trajectories: self._log_probs(self._engine, trajectories)  # noqa: E731
        self._hand_over = HandOver(self._sampler, self._store, settings, trainer, self._engine.precision)
        self._ahead: SampledAhead | None = None
        parts.stack.callback(self._end_ahead)
        self._grader = parts.stack.enter_context(RolloutGrader(rollout.thinking_markers))
        self._judge: RolloutJudge | None = None
        if plan.judge is not None:
            self._judge = RolloutJudge(plan.judge, batch.seed, parts.console.note)
            parts.stack.callback(self._judge.close)
        self._reference: Any = None
        if settings.loss.kl:
            config = parts.model.config
            self._reference = reference_of(settings.model, config, self._engine, self._world, rollout.temperature)
        self._files = RolloutFiles(parts.folder, self._updates, rollout.async_steps)
        self._rollout: Rollout | None = None
        self._last_step = 0
        """The last step that learns from a rollout made so far, as the number of steps done then."""
        self._cursor = 0
        """Prompts taken so far, over all epochs."""
        self._filter_state: Mapping[str, Any] = {}
        self._samples: Trajectories | None = None

    # -- steps --------------------------------------------------------------------------------------------------------

    @property
    def steps(self) -> int:
        """Steps that learn from all prompts of all passes; fewer once prompts that --refills took are known."""
        return self._last_step + self._settings.steps_of(max(0, self._order.total - self._done))

    @property
    def _done(self) -> int:
        """Prompts asked so far, without those that are being asked ahead."""
        return self._cursor if self._ahead is None else self._ahead.cursor

    def batch(self, step: int) -> StepBatch:
        number, update = divmod(step, self._updates)
        if self._rollout is None or self._rollout.number != number:
            before = self._cursor, self._filter_state
            try:
                self._use(self._make(number, step))
            except BaseException:  # what is saved now must not say that these prompts were learned from
                self._cursor, self._filter_state = before
                raise
        self._look_ahead(number + 1, step)
        rollout, samples = self._rollout, self._samples
        assert rollout is not None
        assert samples is not None
        order = permutation(len(rollout), self._settings.batch.seed, number)
        chosen = order[update * self.batch_size : (update + 1) * self.batch_size].tolist()
        weights = dict(zip(chosen, self._token_weights(rollout.lengths(chosen)), strict=True))
        acting = [i for i in chosen if weights[i] > 0 and self._changes_loss(rollout.trajectories[i])]
        used = acting or chosen[:1]
        age = step - (number * self._updates if rollout.step is None else rollout.step)
        batch = samples.mini_batch(used, [weights[i] for i in used])
        return replace(batch, figures={"age_mean": age, "age_max": age})  # of all responses of a rollout alike

    def _changes_loss(self, trajectory: Trajectory) -> bool:
        """Whether the loss depends on a response at all; without KL, one of advantage 0 needs no forward pass."""
        return self._reference is not None or bool(np.any(trajectory.advantage))

    def epoch(self, step: int) -> float:
        return self._done / len(self._store)

    def state(self) -> dict[str, Any]:
        filters = {name: _plain(value) for name, value in self._filter_state.items()}
        rollout = self._rollout
        made: dict[str, Any] = {}
        if rollout is not None:
            made = {"rollout": rollout.number, "rollout_sha256": rollout.sha256}
        if self._ahead is not None:  # it is sampled anew, from the same prompts and by the same weights
            probes = self._hand_over.save(self._files.weights(self._ahead.step))
            made["ahead"] = {"rollout": self._ahead.number, "step": self._ahead.step, "probes": probes}
        return {"prompts": self._done, **made, **({"filters": filters} if filters else {})}

    def resume(self, step: int, state: Mapping[str, Any]) -> None:
        """Reads the rollout that the next step learns from, if it was made before the checkpoint was written."""
        self._cursor = int(state["prompts"])
        self._filter_state = state.get("filters", {})
        number, self._last_step = step // self._updates, step
        if state.get("rollout") == number:
            sha256 = state.get("rollout_sha256")
            self._use(self._world.on_all_ranks(lambda: Rollout.load(self._files.rollout(number), number, sha256)))
        if (ahead := state.get("ahead")) is not None and self._sampler.is_remote:
            self._hand_over.give_saved(self._files.weights(ahead["step"]), ahead["step"], ahead["probes"])
            self._begin_ahead(ahead["rollout"], ahead["step"])

    # -- sampling ahead -----------------------------------------------------------------------------------------------

    def _look_ahead(self, number: int, step: int) -> None:
        """Begins to sample a rollout --async-steps before its first step; raises on all ranks what ended that."""
        first, steps = number * self._updates, self._settings.rollout.async_steps
        if self._ahead is not None:
            self._world.on_all_ranks(self._ahead.check)
        elif first - step <= steps and first < min(self.steps, self._settings.batch.max_steps or self.steps):
            self._hand_over.give(step, keep=True)
            self._begin_ahead(number, step)

    def _begin_ahead(self, number: int, step: int) -> None:
        cursor, stop = self._cursor, self._parts.stop
        taken = self._take(self._settings.rollout.prompts)
        requests = [request for _, _, request in self._requests(taken)]
        self._ahead = SampledAhead(number, step, cursor, taken, requests, self._sampler.generate, stop)

    def _end_ahead(self) -> None:
        if self._ahead is not None:
            self._ahead.cancel()

    def _use(self, rollout: Rollout) -> None:
        self._rollout, self._samples = rollout, Trajectories(rollout.trajectories)
        self._last_step = rollout.number * self._updates + math.ceil(len(rollout) / self.batch_size)

    # -- one rollout --------------------------------------------------------------------------------------------------

    def _make(self, number: int, step: int) -> Rollout:
        """Samples until the rollout is full, or --refills or the prompts are used up; all ranks call it."""
        settings, ahead = self._settings.rollout, self._ahead
        if ahead is None:
            self._hand_over.give(step, keep=bool(settings.async_steps))
        gap, watch = self._hand_over.gap, Stopwatch(self._hand_over.seconds)
        collected = CollectedResponses(settings.prompts, settings.samples)
        attempts: list[Attempt] = []
        n_tokens = 0
        figures: dict[str, Any] = {}
        for attempt in range(settings.refills + 1):
            if not (wanted := collected.wanted):
                break
            responses = self._sample(wanted, ahead if attempt == 0 else None, watch)
            is_last = attempt == settings.refills or self._cursor == self._order.total
            n_tokens += sum(len(each.token_ids) for each in responses)
            if gap is None:
                gap = self._hand_over.check(responses, self._world.dp_size)
                watch.lap("check")
            rewarded = self._rewarded(responses, step)
            self._filter_state = rewarded.state
            learned = collected.add(responses, rewarded, is_last)
            figures = figures or rollout_figures(responses, rewarded, self._store)
            attempts.append((responses, rewarded, learned))
            watch.lap("reward")
            if is_last:
                break
        self._sampler.release()
        self._record(number, step, attempts)
        del attempts, responses, rewarded  # the texts are large, and the passes below take minutes
        assert gap is not None
        sampler_step = step if ahead is None else ahead.step
        trajectories = self._trajectories(collected.responses, collected.advantages)
        rollout = Rollout(number, trajectories, collected.learned, step=sampler_step)
        self._add_log_probs(rollout)
        watch.lap("log_probs")
        self._world.on_rank0(lambda: self._files.keep(rollout))
        self._ahead = None
        if ahead is not None:
            watch.seconds["ahead"] = ahead.seconds
        of_prompts = {"prompts": collected.prompts, "filtered_prompts": collected.filtered_prompts}
        self._report(step, rollout, n_tokens, watch, gap, {**of_prompts, **figures})
        return rollout

    def _report(
        self, step: int, rollout: Rollout, n_tokens: int, watch: Stopwatch, gap: LogProbGap, figures: Mapping[str, Any]
    ) -> None:
        """Reports a rollout that was made before `step`."""
        sampling = watch.seconds.get("ahead") or watch.seconds.get("sample")
        self._parts.record(
            "rollout",
            step,
            rollout=rollout.number,
            sampler_step=rollout.step,
            epoch=self.epoch(step),
            **figures,
            gap_mean=gap.mean,
            gap_max=gap.largest,
            tokens=n_tokens,
            **self._sampler.place,
            **{f"seconds_{phase}": seconds for phase, seconds in watch.seconds.items()},
            sampled_per_second=n_tokens / sampling if sampling else None,
        )

    def _rewarded(self, responses: Sequence[GradedResponse], step: int) -> RewardBatch:
        """Rewards and advantages, computed on rank 0: a user's own function need not agree with itself."""
        size = self._settings.rollout.samples
        groups = [responses[begin : begin + size] for begin in range(0, len(responses), size)]

        def rewarded() -> RewardBatch:
            prompts = [self._store.prompt(group[0].prompt) for group in groups]
            ids, records = [prompt.id for prompt in prompts], [prompt.record for prompt in prompts]
            facts = facts_of([[each.measured for each in group] for group in groups], ids, records, self._plan)
            try:
                return self._plan.apply(facts, self._filter_state, step)
            except (InvalidOptions, ValueError) as error:
                raise Fatal(Exit.USAGE, f"--rewards: {error}") from None

        return self._world.on_rank0(rewarded)

    def _take(self, count: int) -> list[tuple[int, int]]:
        """(position, prompt) of the next prompts; fewer where the last pass ends."""
        taken = self._order.after(self._cursor, count)
        self._cursor += len(taken)
        return taken

    def _stop_if_asked(self) -> None:
        """Raises SourceStopped on all ranks if any of them was asked to stop; a collective."""
        if self._world.all_max([float(self._parts.stop.status or 0)])[0]:
            raise SourceStopped

    def _requests(self, taken: Sequence[tuple[int, int]]) -> list[tuple[int, VerifiablePrompt, Request]]:
        """What this rank asks of these prompts: (place of the prompt, prompt, request of one response)."""
        samples, sampler, seed = self._settings.rollout.samples, self._sampler, self._settings.batch.seed
        return [
            (place, prompt, prompt.request(request_seed(seed, key, sample), sample))
            for place in range(sampler.group, len(taken), sampler.groups)
            for prompt in (self._store.prompt(taken[place][1]),)
            for key in (f"{taken[place][0]} {prompt.key}",)
            for sample in range(samples)
        ]

    def _sample(self, wanted: int, ahead: SampledAhead | None, watch: Stopwatch) -> list[GradedResponse]:
        """Graded responses to `wanted` prompts, group after group, from all ranks: new ones, or those sampled ahead.

        Raises SourceStopped or SourceFailed on all ranks.
        """
        settings, sampler = self._settings.rollout, self._sampler
        taken = self._take(wanted) if ahead is None else ahead.taken
        asked = self._requests(taken)
        requests = [request for _, _, request in asked]
        answers = sampler.generate(requests, self._parts.stop) if ahead is None else ahead.answers()
        self._stop_if_asked()
        sampler.check_version()
        watch.lap("sample")
        failed: list[GradedResponse] = []
        ungraded: list[tuple[GradedResponse, Completion, VerifiablePrompt]] = []
        for (place, prompt, request), answer in zip(asked, answers, strict=True):
            number, prompt_ids = place * settings.samples + request.sample, sampler.prompt_ids(request)
            response = GradedResponse(number, *taken[place], request.sample, prompt_ids)
            if isinstance(answer, Completion):
                ungraded.append((response.with_completion(answer), answer, prompt))
            else:
                why = answer.kind if answer is not None else "no_answer"
                failed.append(replace(response, reason=why, null_by=NullBy.VERIFIER))
        own = [*failed, *self._grader.grade(ungraded)] if sampler.answers_for_group else []
        if self._judge is not None:
            watch.lap("grade")
            own = self._judged(own)
            watch.lap("judge")
        parts = self._world.all_gather(own)
        watch.lap("grade")
        responses = sorted((response for part in parts for response in part), key=lambda response: response.number)
        try:  # all ranks have the same responses
            _refuse_failing_sampler(responses)
            refuse_failing_judge(responses)
        except Fatal as failure:
            raise SourceFailed(failure) from None
        return responses

    def _judged(self, responses: Sequence[GradedResponse]) -> list[GradedResponse]:
        """This rank's responses with what its judge says. Raises SourceStopped or SourceFailed on all ranks."""
        judge = self._judge
        assert judge is not None
        groups: dict[int, list[GradedResponse]] = {}
        for each in sorted(responses, key=lambda each: each.number):
            groups.setdefault(each.position, []).append(each)
        prompts = {position: self._store.prompt(group[0].prompt) for position, group in groups.items()}
        named = [(f"{place} {prompts[place].key}", prompts[place], group) for place, group in groups.items()]
        try:
            judged = self._world.on_all_ranks(lambda: judge.judge(named, self._parts.stop))
        except Fatal as failure:
            raise SourceFailed(failure) from None
        self._stop_if_asked()
        return judged

    def _trajectories(
        self, responses: Sequence[GradedResponse], advantages: Sequence[float | np.ndarray]
    ) -> list[Trajectory]:
        names = {}
        for response in responses:
            if response.prompt not in names:
                names[response.prompt] = self._store.prompt(response.prompt).id
        return [
            Trajectory.of_response(
                response.prompt_ids,
                response.token_ids,
                f"{names[response.prompt]} (sample {response.sample})",
                sampler_logp=response.sampler_logp,
                advantage=advantage,
            )
            for response, advantage in zip(responses, advantages, strict=True)
        ]

    # -- log-probabilities --------------------------------------------------------------------------------------------

    def _log_probs(self, model: Any, trajectories: Sequence[Trajectory]) -> dict[int, np.ndarray]:
        """Log-probabilities of the targets of each, without dropout."""
        batch = Trajectories(trajectories).mini_batch(range(len(trajectories)), [0.0] * len(trajectories))
        batches = self._parts.model.batches
        return measured_log_probs(self._engine, batches, batch, self._world, model, self._stop_if_asked)

    def _add_log_probs(self, rollout: Rollout) -> None:
        """Those of the reference, and of the trainer before its updates if they are asked for."""
        for name, model in (
            ("ref_logp", self._reference),
            ("old_logp", self._engine if self._settings.rollout.old_log_probs == "trainer" else None),
        ):
            if model is not None:
                for index, values in self._log_probs(model, rollout.trajectories).items():
                    setattr(rollout.trajectories[index], name, values)

    # -- reports and files --------------------------------------------------------------------------------------------

    def _record(self, number: int, step: int, attempts: Sequence[Attempt]) -> None:
        """Writes all responses of the rollout where --save-rollouts asks for them."""
        if self._settings.rollout.save_rollouts:
            folder, model = self._parts.folder, self._settings.model.model
            ids = self._settings.rollout.save_token_ids
            self._world.on_rank0(lambda: write_records(folder, number, step, model, self._store, attempts, ids))


def _refuse_failing_sampler(responses: Sequence[GradedResponse]) -> None:
    """Raises Fatal(6) if more than half of the requests for responses failed."""
    failures = Counter(response.reason for response in responses if response.finish_reason == "error")
    if 2 * failures.total() > len(responses):
        reason = failures.most_common(1)[0][0]
        what = f"{failures.total()} of {len(responses)} requests for responses failed, most of them with {reason}"
        raise Fatal(Exit.BACKEND, f"{what}; the same command continues")


def _plain(value: Any) -> Any:
    """A value of numpy as JSON has it."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) and math.isfinite(float(value)) else value
