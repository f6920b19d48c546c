"""The judge of a reward plan: which model scores the responses, and how it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from libra_cli import choices
from libra_cli.engines.openai.addresses import server_address
from libra_cli.exits import InvalidOptions
from libra_cli.tasks import JUDGING
from libra_cli.training.registry import Choice, Count, NonNegative, Positive, Share, bind_options, mapping

RANK = "rank"
ALL, REFERENCE = OPPONENTS = ("all", "reference")
"""Whom a response is compared with: all of its group, or one of them that is drawn at random."""
_ENGINES = tuple(name for name in choices.ENGINES if name != "replay")
_MAPPINGS = ("sampling_arg", "engine_arg", "chat_template_arg")
_RUNNING = (
    "engine", "base_url", "api_key_env", "api_key_file", "request_timeout", "retry_budget", "max_response_bytes",
    "proxy", "concurrency", "batch_size", "dtype", "engine_arg", "trust_remote_code",
)  # fmt: skip
"""Options that say how the judge runs, not what it says: a run continues with others."""


@dataclass(frozen=True, kw_only=True)
class RewardJudge:
    """The options of `libra judge` that a reward plan takes, by their names and with their meaning."""

    model: str
    task: Annotated[str, Choice("score", "rate", "verify", RANK)] = "score"
    votes: Count = 1
    reduce: Annotated[str, Choice(*choices.REDUCTIONS)] = "mean"
    orders: Annotated[str, Choice(*choices.ORDERS)] = "both"
    against: Annotated[str, Choice(*OPPONENTS)] = ALL
    normalized: bool = False
    """Its scores are from 0, the lowest of its task, to 1, the highest."""
    references: str | None = None
    """A file with its scores of reference responses, which `center: reference` reads."""
    template: str | None = None
    thinking: bool = True
    temperature: NonNegative | None = None
    top_p: Share = 1.0
    max_tokens: Count | None = None
    sampling_arg: Any = None
    judge_markers: str = "think"
    engine: Annotated[str, Choice(*_ENGINES)] = "auto"
    base_url: Any = None
    """One address or several."""
    api_key_env: str | None = None
    api_key_file: str | None = None
    request_timeout: Positive | None = None
    retry_budget: NonNegative | None = None
    max_response_bytes: Count = 16 << 20
    proxy: str | None = None
    concurrency: Count | None = None
    batch_size: Count | None = None
    dtype: str = "auto"
    revision: str | None = None
    max_model_len: Count | None = None
    chat_template: str | None = None
    chat_template_arg: Any = None
    engine_arg: Any = None
    trust_remote_code: bool = False
    scalar: bool | None = None
    score_index: int | None = None

    @classmethod
    def from_config(cls, config: Any, place: str = "judge") -> RewardJudge:
        """The judge that a name, or a mapping with these options, describes. Raises InvalidOptions."""
        given = {"model": config} if isinstance(config, str) else mapping(config, place)
        judge = cls(**bind_options(cls, given, place, "judge"))
        for name in _MAPPINGS:
            if getattr(judge, name) is not None:
                mapping(getattr(judge, name), f"{place}.{name}")
        if not all(isinstance(url, str) for url in judge.base_urls):
            raise InvalidOptions(f"{place}.base_url: expected an address, or a list of them, got {judge.base_url!r}")
        for url in judge.base_urls:
            server_address(url, f"{place}.base_url")
        if judge.task == RANK and judge.reduce == "max":
            raise InvalidOptions(f"{place}.reduce: a comparison has no highest vote; take mean, median or majority")
        if judge.task != RANK and judge.against != ALL:
            raise InvalidOptions(f"{place}.against: only a judge of the task {RANK} compares responses")
        if judge.task == RANK and judge.normalized:
            raise InvalidOptions(f"{place}.normalized: a judge of the task {RANK} scores no response")
        if judge.task == RANK and judge.references is not None:
            raise InvalidOptions(f"{place}.references: a judge of the task {RANK} scores no response")
        return judge

    @property
    def base_urls(self) -> tuple[str, ...]:
        """Addresses of its servers."""
        given = self.base_url
        return () if given is None else tuple(given) if isinstance(given, list) else (given,)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Its lowest and its highest score; None if it compares. A reward model has none, which its model says."""
        return None if self.task == RANK else JUDGING[self.task].scale or (0, 1)

    def scaled(self, score: float | None) -> float | None:
        """A score as rewards have it."""
        if score is None or not self.normalized or self.bounds is None:
            return score
        low, high = self.bounds
        return (score - low) / (high - low)

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that it measures, without their axes."""
        if self.against == REFERENCE:
            return ("wins", "reference")
        references = () if self.references is None else ("judge_reference",)
        return ("difference",) if self.task == RANK else ("judge", *references)


def shaping_of(recipe: Mapping[str, Any]) -> Mapping[str, Any]:
    """A recipe without what only says where and how its judge runs."""
    judge = recipe.get("judge")
    if not isinstance(judge, dict):
        return recipe
    return {**recipe, "judge": {name: value for name, value in judge.items() if name not in _RUNNING}}
