"""From the judge of a reward plan to its model and how that is asked; imports no torch, so that refusals come fast."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from libra_cli.exits import InvalidOptions
from libra_cli.records.forms import JudgeItem
from libra_cli.sampling.choose import ChosenModel, choose_models
from libra_cli.sampling.judges import GenerativeJudge, Judge, ScalarJudge
from libra_cli.sampling.options import EngineOptions, SamplingOptions
from libra_cli.tasks import JUDGING, slots, thinking
from libra_cli.training.rewards.judge import RANK, RewardJudge
from libra_cli.training.rollouts.reference_scores import ReferenceScores


def choose_judge(settings: RewardJudge, seed: int, note: Callable[[str], None]) -> tuple[ChosenModel, Judge]:
    """The model and how it is asked; nothing is loaded. Raises InvalidOptions, or Fatal if it cannot be used."""
    sampling = SamplingOptions(
        samples=1,
        seed=seed,
        thinking=settings.thinking,
        temperature=settings.temperature,
        top_p=settings.top_p,
        top_k=None,
        min_p=None,
        max_tokens=settings.max_tokens,
        stop=(),
        sampling_arg=tuple((settings.sampling_arg or {}).items()),
        prefill="",
        thinking_markers=settings.judge_markers,
    )
    engine = settings.engine
    if engine == "auto" and not settings.base_url:
        engine = "transformers"  # vLLM has the memory of the device, which training needs
    options = EngineOptions(
        engine=engine,
        model=(settings.model,),
        model_name=(),
        revision=settings.revision,
        dtype=settings.dtype,
        max_model_len=settings.max_model_len,
        trust_remote_code=settings.trust_remote_code,
        chat_template=settings.chat_template,
        chat_template_arg=tuple((settings.chat_template_arg or {}).items()),
        engine_arg=tuple((settings.engine_arg or {}).items()),
        tensor_parallel_size=None,
        pipeline_parallel_size=None,
        data_parallel_size=None,
        concurrency=settings.concurrency,
        batch_size=settings.batch_size,
        base_url=settings.base_urls,
        api_key_env=settings.api_key_env,
        api_key_file=settings.api_key_file,
        request_timeout=settings.request_timeout,
        retry_budget=settings.retry_budget,
        max_response_bytes=settings.max_response_bytes,
        proxy=settings.proxy,
        replay=(),
        scalar=settings.scalar,
        score_index=settings.score_index,
    )
    task = JUDGING[settings.task]
    option, given = "judge_markers", settings.judge_markers
    try:
        thinking.markers(given)
        option, given = "template", settings.template or ""
        template = slots.read_prompt(given, task.shows) if given else None
    except ValueError as error:
        raise InvalidOptions(f"{option}: {given}: {error}") from None
    model = choose_models(options, sampling, note, rewards=True)[0]
    if model.scalar and settings.task == RANK:
        raise InvalidOptions(f"{settings.model} gives a number and compares nothing; leave out the task")
    return model, ScalarJudge() if model.scalar else GenerativeJudge(task, sampling, template)


def reference_scores(settings: RewardJudge, model: ChosenModel, judge: Judge) -> ReferenceScores | None:
    """What the judge said of reference responses, if the recipe names a file of that. Raises Fatal."""
    if settings.references is None:
        return None
    return ReferenceScores.read(os.path.expanduser(settings.references), model.name, judge.name)


def rule_scores(settings: RewardJudge, model: ChosenModel) -> tuple[float, float] | None:
    """Scores for a wrong and a right verdict of a row that has a label: the lowest and the highest of the judge.

    None if it has no such scores, or if rewards compare them with those of reference responses.
    """
    return None if model.scalar or settings.references is not None else settings.bounds


@dataclass(frozen=True)
class ItemCheck:
    """Whether the judge of a reward plan can be asked about an item."""

    judge: Judge
    references: ReferenceScores | None
    rule_scores: tuple[float, float] | None
    """As the function of that name has them."""

    def __call__(self, item: JudgeItem) -> None:
        """Raises RowError for an item that the judge cannot be asked about, or that lacks what its recipe needs."""
        self.judge.check(item)
        if self.references is not None:
            self.references.of(item)


def item_check(settings: RewardJudge, seed: int) -> ItemCheck:
    """The check of the judge that a recipe names. Raises InvalidOptions, or Fatal if it cannot be used."""
    model, judge = choose_judge(settings, seed, lambda _: None)
    if model.scalar and settings.normalized:
        cure = "leave out normalized, and map it with a transform such as sigmoid"
        raise InvalidOptions(f"{settings.model} gives a number that has no bounds; {cure}")
    return ItemCheck(judge, reference_scores(settings, model, judge), rule_scores(settings, model))
