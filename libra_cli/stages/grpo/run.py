"""Reinforcement learning (paper, section 5): what `libra grpo` adds to a training run."""

from __future__ import annotations

from libra_cli.engines.chat_template import ChatTemplate
from libra_cli.exits import Exit, Fatal
from libra_cli.stages.grpo.plan import check_async_steps, plan_of, warnings_of
from libra_cli.tasks.template import read_template
from libra_cli.training import run as training_run
from libra_cli.training.data.prepare import Preparation, Prepared
from libra_cli.training.data.prompts import PromptReader, prepare_prompts
from libra_cli.training.data.sources import StepSource
from libra_cli.training.model.policy import LANGUAGE_MODEL
from libra_cli.training.objectives.base import Objective
from libra_cli.training.objectives.grpo import GrpoObjective, GrpoSettings, token_weights
from libra_cli.training.rollouts.judge_model import item_check
from libra_cli.training.rollouts.sampler import local_model
from libra_cli.training.rollouts.source import RolloutSource
from libra_cli.training.run import SourceParts
from libra_cli.training.settings import GrpoRunSettings


class GrpoMethod:
    """Prompts as data; a step learns from graded responses of the model in training."""

    stage = "grpo"
    metric = "loss"
    higher_is_better = False
    model_kind = LANGUAGE_MODEL

    def __init__(self, settings: GrpoRunSettings):
        self._settings = settings
        loss = settings.loss
        self.objective: Objective = GrpoObjective(
            GrpoSettings(
                policy=loss.policy_loss,
                aggregate=loss.aggregate,
                low=loss.clip_low,
                high=loss.clip_high,
                kl=loss.kl,
                importance_cap=loss.importance_cap,
            )
        )
        self.plan = plan_of(settings)
        rollout = settings.rollout
        templates = {task: _template(task, path) for task, path in rollout.template}
        plan, seed = self.plan, settings.batch.seed
        check = None if plan.judge is None else item_check(plan.judge, seed)
        rules = check is not None and check.rule_scores is not None
        wanted = "confidence" in plan.facts
        self.reader = PromptReader(rollout.task, templates, rollout.system, seed, plan.graded, check, rules, wanted)

    def prepare(self, preparation: Preparation) -> Prepared:
        """The prompts of the inputs; says on rank 0 what the rewards cannot mean."""
        settings = self._settings
        if preparation.world.is_rank0:
            for warning in warnings_of(self.plan, settings.rollout.max_tokens):
                preparation.console.say(warning)
        model = local_model(settings.model, settings.rollout, preparation.chat, None)
        template = ChatTemplate(preparation.chat.tokenizer, model)
        return prepare_prompts(preparation, self.reader, template, settings.rollout.max_tokens)

    def source(self, parts: SourceParts) -> StepSource:
        """Rollouts, each learned from in mini-batches."""
        settings = self._settings
        check_async_steps(settings.for_data(len(parts.data)))
        longest = settings.rollout.max_tokens
        weights = lambda lengths: token_weights(lengths, settings.loss.aggregate, longest)  # noqa: E731
        return RolloutSource(parts, self.plan, weights)


def _template(task: str, path: str) -> str:
    try:
        return read_template(path)
    except ValueError as error:
        raise Fatal(Exit.USAGE, f"--template {task}={path}: {error}") from None


def run(settings: GrpoRunSettings, records: int | None = None) -> Exit:
    """Trains on this rank; see `training.run.run`."""
    return training_run.run(settings, GrpoMethod(settings), records)
