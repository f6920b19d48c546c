"""The reward recipe of a run as a plan, checked against what its rollouts measure."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from libra_cli.cli.config_file import line_of
from libra_cli.engines.openai.addresses import server_address
from libra_cli.exits import Exit, Fatal, InvalidOptions
from libra_cli.sampling.server_secrets import api_key
from libra_cli.training.distributed.sampler_ranks import refuse_unfit_ranks
from libra_cli.training.rewards import DEFAULTS, RewardPlan
from libra_cli.training.rewards.judge import RewardJudge
from libra_cli.training.rewards.plan import MEASURED
from libra_cli.training.rewards.terms import EXPECTED
from libra_cli.training.rollouts.judge_model import item_check
from libra_cli.training.settings import GrpoRunSettings

_OF_SAMPLER_RANKS = ("model", "host", "port", "dtype", "served_model_name", "logprobs_mode", "generation_config",
                     "weight_transfer_config", "worker_extension_cls", "api_key", "pipeline_parallel_size",
                     "data_parallel_size")  # fmt: skip
"""Engine arguments that no --sampler-arg may change where ranks start servers."""


def plan_of(settings: GrpoRunSettings, is_replay: bool = False) -> RewardPlan:
    """The reward plan of a run. Raises Fatal(2) if the recipe cannot be used with these rollouts.

    What facts saved rollouts have is known when they are read. A recipe without terms has the paper's. A length penalty
    without lengths of its own begins at half of --max-tokens and ends there (paper, Eq. 4); so does a `length_bell`.
    """
    rollout, recipe, file = settings.rollout, dict(settings.rewards), settings.rewards_file
    if "rewards" not in recipe and "reward" not in recipe:
        recipe["rewards"] = DEFAULTS["rewards"]
    if "rewards" in recipe:
        recipe["rewards"] = _within(rollout.max_tokens, recipe["rewards"])
    try:
        plan = RewardPlan.from_config(recipe)
        if plan.judge is not None:
            _check_judge(plan.judge, settings.batch.seed)
        judged = plan.judge.facts if plan.judge else ()
        plan.check(rollout.samples, None if is_replay else (*MEASURED, *judged))
    except InvalidOptions as error:
        raise Fatal(Exit.USAGE, f"--rewards{_place(file, error)}: {error}") from None
    if rollout.refills and plan.batch_wide:
        what = f"--refills: {plan.batch_wide[0]} compares all prompts of a rollout, and refills are rewarded apart"
        raise Fatal(Exit.USAGE, f"{what}; leave out --refills, or that part of the recipe")
    return plan


def _within(longest: int, terms: Any) -> Any:
    """The terms of a recipe, with the lengths that its terms of length leave open."""
    if not isinstance(terms, list):
        return terms
    of_term: dict[str, dict[str, float]] = {
        "len_penalty": {"expected": longest / 2, "longest": longest},
        "length_bell": {"longest": longest},
    }
    filled: list[Any] = []
    for given in terms:
        term = {"name": given} if isinstance(given, str) else given
        lengths = of_term.get(str(term.get("name")), {}) if isinstance(term, dict) else {}
        filled.append(term if not lengths or lengths.keys() & term.keys() else {**term, **lengths})
    return filled


def warnings_of(plan: RewardPlan, max_tokens: int) -> list[str]:
    """What is allowed and cannot be meant, of a run whose responses end at `max_tokens` at the latest."""
    found = list(plan.warnings)
    for term in plan.terms:
        begin = term.term.options.get("expected", EXPECTED)
        if term.term.name == "len_penalty" and term.weight and begin >= max_tokens:
            what = f"--max-tokens {max_tokens} ends responses before the {begin:g} tokens at which len_penalty begins"
            cure = "leave out its lengths, which then follow --max-tokens, or raise --max-tokens"
            found.append(f"{what}, so that it is 0 for all; {cure}")
    return found


def check_servers(settings: GrpoRunSettings) -> None:
    """Raises Fatal(2) for options that do not go with servers that sample, or need them."""
    rollout = settings.rollout
    if not rollout.sampler_url:
        for flag, given in (("--api-key-env", rollout.api_key_env), ("--api-key-file", rollout.api_key_file)):
            if given:
                cure = "a judge's key is an option of its recipe"
                raise InvalidOptions(f"{flag}: is the key of --sampler-url, which names no server; {cure}")
    if not rollout.has_servers:
        if rollout.async_steps:
            cause = "a sampler in the training processes cannot work while they train"
            cure = "name servers with --sampler-url, or leave sampling to --sampler-ranks"
            raise InvalidOptions(f"--async-steps {rollout.async_steps}: {cause}; {cure}")
        return
    for url in rollout.sampler_url:
        server_address(url, "--sampler-url")
    where = "--sampler-url" if rollout.sampler_url else "--sampler-ranks"
    if rollout.sampler_url and rollout.sampler_ranks:
        raise InvalidOptions("--sampler-ranks: starts servers of its own; leave out --sampler-url")
    check_async_steps(settings)
    if rollout.sampler == "transformers":
        raise InvalidOptions(f"--sampler transformers: samples in the training processes; leave out {where}")
    if rollout.sampler_arg and rollout.sampler_url:
        cure = "give it to the servers of --sampler-url"
        raise InvalidOptions(
            f"--sampler-arg {rollout.sampler_arg[0][0]}: is for vLLM in the training processes; {cure}"
        )
    if rollout.sampler_batch_size:
        raise InvalidOptions(f"--sampler-batch-size: is for --sampler transformers; leave it out with {where}")
    if rollout.sampler_url:
        api_key(rollout.api_key_env, rollout.api_key_file)


def check_async_steps(settings: GrpoRunSettings) -> None:
    """Raises InvalidOptions if a rollout has fewer steps than the next one shall be sampled in."""
    steps, given = settings.rollout_steps, settings.rollout.async_steps
    if given > steps:
        cause = f"a rollout is learned from in {steps} step{'' if steps == 1 else 's'}"
        raise InvalidOptions(f"--async-steps {given}: {cause}, and the next one is sampled during those at most")


def check_sampler_ranks(settings: GrpoRunSettings, ranks: int, starts: bool) -> None:
    """Raises Fatal(2) if the last --sampler-ranks of `ranks` cannot sample; `starts`: they are about to."""
    rollout = settings.rollout
    for name, value in rollout.sampler_arg:
        if name in _OF_SAMPLER_RANKS:
            raise InvalidOptions(f"--sampler-arg {name}: follows from --sampler-ranks and the run; leave it out")
        if name == "tensor_parallel_size" and (type(value) is not int or value < 1):
            raise InvalidOptions(f"--sampler-arg tensor_parallel_size={value}: give a number from 1")
    refuse_unfit_ranks(rollout.sampler_ranks, ranks, rollout.server_devices)
    if starts and find_spec("vllm") is None:
        raise InvalidOptions("--sampler-ranks: vLLM is not installed; install it: pip install 'libra-cli[vllm]'")


def _check_judge(judge: RewardJudge, seed: int) -> None:
    """Raises InvalidOptions if `libra judge` would refuse these options."""
    try:
        item_check(judge, seed)
    except Fatal as error:
        raise InvalidOptions(f"judge: {error}") from None


def _place(file: str, error: InvalidOptions) -> str:
    """` FILE:LINE` of the key that the message of an error of the recipe begins with, as far as it is known."""
    if not file:
        return ""
    try:
        with open(file, "rb") as given:
            line = line_of(given.read(), str(error).partition(": ")[0])
    except (OSError, ValueError):
        line = 0
    return f" {file}:{line}" if line else f" {file}"
