"""A reward plan: the chain from facts to advantages that a configuration file describes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from libra_cli.exits import InvalidOptions
from libra_cli.training.advantages import ADVANTAGES, Advantage, Array, Mask, group_spread
from libra_cli.training.credit import CREDITS, Credit
from libra_cli.training.registry import Bound, Positive, convert, mapping, unknown
from libra_cli.training.rewards.batch import RewardBatch, RewardCounts, penalty_histogram
from libra_cli.training.rewards.combine import COMBINATIONS, Combination
from libra_cli.training.rewards.denoise import Noise, bind_noise, noise_warnings
from libra_cli.training.rewards.facts import (
    FACTS,
    Facts,
    NullBy,
    batch_shape,
    has_fact,
    key_of,
    missing_fact,
    numbers,
    resolve_nulls,
)
from libra_cli.training.rewards.filters import FILTERS, Filter, State
from libra_cli.training.rewards.gates import Gate
from libra_cli.training.rewards.judge import RANK, RewardJudge
from libra_cli.training.rewards.terms import TERMS, Term
from libra_cli.training.rewards.transforms import TRANSFORMS, Transform
from libra_cli.training.rewards.user_terms import own_facts, user_function, with_own_facts

DEFAULTS: dict[str, Any] = {
    "judge": None,
    "facts": {},
    "rewards": [{"name": "correct"}, {"name": "len_penalty", "weight": -1}],
    "combine": "sum",
    "null": {"policy": 0, "verifier": "exclude"},
    "noise": {"how": "none"},
    "filter": [],
    "advantage": {"estimator": "group_norm"},
    "credit": {"estimator": "outcome"},
    "mask_truncated": False,
}
"""The paper's reward and advantage (section 5)."""

MEASURED = ("correct", "null_by", "lengths", "truncated", "format", "responses", "confidence", "prompt_id", "subset",
            "record", "tokens")  # fmt: skip
"""Facts that rollouts of `libra grpo` have; saved ones have token ids if these were asked for."""
_BATCH_WIDE = frozenset({"beta_norm", "length_when_accurate", "spread_ema", "z_score", "min_max"})
"""Parts that look at the whole batch."""
_OF_ITEM = ("name", "reward", "weight", "gate", "transform", "anneal", "label")


@dataclass(frozen=True)
class WeightedTerm:
    """A term of the reward with its transform, gate and weight."""

    label: str
    term: Bound[Term]
    transform: Bound[Transform]
    weight: float = 1.0
    gate: Gate | None = None
    horizon: float = math.inf
    """Steps in which the weight falls to 1/e of its start."""

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that it reads."""
        references = (f"{self.source}_reference",) if self.transform.options.get("center") == "reference" else ()
        return (*self.term.facts, *self.transform.facts, *references, *(self.gate.facts if self.gate else ()))

    @property
    def source(self) -> str:
        """The fact that a judge term reads, else the name of the term."""
        return str(self.term.options.get("fact", self.term.name))

    def values(self, facts: Facts, shape: tuple[int, int]) -> Array:
        """Its values [P, G] before the weight; raises InvalidOptions if a user's function returns another shape."""
        values = np.asarray(self.term(facts), dtype=np.float64)
        if values.shape != shape:
            raise InvalidOptions(f"the reward {self.label} returned the shape {values.shape}: return [P, G], {shape}")
        values = self.transform(values, facts, self.source)
        return values if self.gate is None else self.gate(values, facts)


@dataclass(frozen=True)
class RewardPlan:
    """How rewards, filters and advantages follow from the facts about a batch of responses."""

    terms: tuple[WeightedTerm, ...]
    combination: Bound[Combination]
    policy_null: float | None
    """The value of a term that is unknown because of the policy; None leaves the response out."""
    verifier_null: float | None
    noise: Bound[Noise]
    filters: tuple[Bound[Filter], ...]
    advantage: Bound[Advantage]
    credit: Bound[Credit]
    mask_truncated: bool = False
    """The loss leaves out responses that were cut short; their rewards still count in mean and spread."""
    judge: RewardJudge | None = None
    """The model that measures what judge terms read; None if the facts come from elsewhere."""
    own_facts: Mapping[str, Bound[Term]] = field(default_factory=dict)
    """Functions of the user's own that measure facts, by the names of these."""

    @staticmethod
    def from_config(config: Mapping[str, Any] | None = None) -> RewardPlan:
        """The plan that a mapping with the keys of DEFAULTS describes; a missing key is the paper's.

        `reward: module:function` stands for `rewards` with this function alone.
        Raises InvalidOptions, one line that names the key and the cure.
        """
        if isinstance(config, Mapping):  # YAML reads the key null as None
            config = {"null" if key is None else key: value for key, value in config.items()}
        config = dict(mapping({} if config is None else config, "rewards"))
        if "reward" in config:
            if "rewards" in config:
                raise InvalidOptions("reward: rewards is given too: name the function there, as {reward: ...}")
            config["rewards"] = [{"reward": config.pop("reward")}]
        for key in config:
            outer, dot, inner = str(key).partition(".")
            if dot and outer in DEFAULTS:
                raise InvalidOptions(
                    f"{key}: a key inside {outer} stands in braces, or indented below it: {outer}: {{{inner}: ...}}"
                )
            if key not in DEFAULTS:
                raise InvalidOptions(f"{key}: {unknown('key of the reward plan', key, DEFAULTS)}")
        chosen = {**DEFAULTS, **{key: value for key, value in config.items() if value is not None}}
        nulls = {**DEFAULTS["null"], **mapping(chosen["null"], "null")}
        for key in nulls:
            if key not in DEFAULTS["null"]:
                raise InvalidOptions(f"null.{key}: {unknown('cause of a null', key, DEFAULTS['null'])}")
        filters = chosen["filter"] if isinstance(chosen["filter"], (list, tuple)) else [chosen["filter"]]
        judge = None if chosen["judge"] is None else RewardJudge.from_config(chosen["judge"])
        plan = RewardPlan(
            terms=_weighted_terms(chosen["rewards"]),
            combination=COMBINATIONS.bind(chosen["combine"], "combine", "how"),
            policy_null=_null_value(nulls["policy"], "null.policy"),
            verifier_null=_null_value(nulls["verifier"], "null.verifier"),
            noise=bind_noise(chosen["noise"]),
            filters=tuple(FILTERS.bind(one, f"filter[{number}]") for number, one in enumerate(filters)),
            advantage=ADVANTAGES.bind(_with_default_estimator(chosen["advantage"]), "advantage", "estimator"),
            credit=CREDITS.bind(chosen["credit"], "credit", "estimator"),
            mask_truncated=convert(chosen["mask_truncated"], bool, "mask_truncated"),
            judge=judge,
            own_facts=own_facts(chosen["facts"], (*MEASURED, *(judge.facts if judge else ()))),
        )
        plan._check_together()
        return plan

    @property
    def facts(self) -> frozenset[str]:
        """Names of the facts that the plan reads, without their axes."""
        parts: list[Bound | WeightedTerm] = [self.noise, *self.filters, self.advantage, self.credit, *self.terms]
        names = {name for part in parts for name in part.facts} | ({"truncated"} if self.mask_truncated else set())
        own = {name: bound.facts for name, bound in self.own_facts.items() if name in names}
        return frozenset((names - own.keys()).union(*own.values()))

    @property
    def needs(self) -> frozenset[str]:
        """What measuring its facts takes, such as labels, text, judge; "facts" if libra does not measure one."""
        return frozenset(FACTS[name].need if name in FACTS else "facts" for name in self.facts) - {""}

    @property
    def graded(self) -> bool:
        """Responses are graded by golden references; with a judge, only if something else than the judge reads them."""
        return self.judge is None or "labels" in self.needs

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed and cannot be meant: a correction of noise that acts on nothing, or that is too large."""
        return noise_warnings(
            self.noise, sum(term.weight != 0 for term in self.terms), self.combination.name, self.advantage
        )

    def _check_together(self) -> None:
        """Raises InvalidOptions for parts that do not go together."""
        measured = self.judge.facts if self.judge else ()
        if self.judge and not self.facts.intersection(measured):
            term = "name: win_margin" if self.judge.task == RANK else "name: judge"
            term = "name: judge, fact: wins" if "wins" in measured else term
            raise InvalidOptions(
                f"judge: nothing reads what the task {self.judge.task} measures: add {{{term}}} to rewards"
            )
        used = [term.label for term in self.terms if term.weight != 0]
        if self.combination.name == "format_length" and "format" not in used:
            raise InvalidOptions("combine: format_length needs the term format: add {name: format} to rewards")
        names = [one.name for one in self.filters]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise InvalidOptions(f"filter[{number}]: {name} is there already: give each filter once")
        if self.credit.name == "tempo" and (
            self.advantage.name != "group_norm" or self.advantage.options.get("scale", "group") != "group"
        ):
            raise InvalidOptions(
                "credit: tempo has its own advantages, over the deviation of the group: "
                "leave advantage at {estimator: group_norm, scale: group}"
            )

    @property
    def batch_wide(self) -> tuple[str, ...]:
        """Names of the parts whose values depend on which prompts are rewarded together."""
        parts = [part.name for part in self.filters]
        parts += [name for term in self.terms for name in (term.term.name, term.transform.name)]
        names = [name for name in parts if name in _BATCH_WIDE]
        if self.advantage.name in _BATCH_WIDE or self.advantage.options.get("scale") == "batch":
            names.append(self.advantage.name)
        return tuple(names)

    def check(self, responses: int, available: Iterable[str] | None = None) -> None:
        """Raises InvalidOptions if advantages cannot be estimated from groups of `responses`, or a fact is missing.

        `available` are the facts that there will be, without their axes, if that is known yet.
        """
        if responses < 2 and self.advantage.name != "none":
            raise InvalidOptions(
                f"advantage.estimator: {self.advantage.name} compares the responses of a prompt, and there is one: "
                "sample at least two, or use the estimator none"
            )
        for name in sorted(self.facts - set(self.facts if available is None else available)):
            raise missing_fact(name)

    def apply(self, facts: Facts, state: State | None = None, step: int = 0) -> RewardBatch:
        """Rewards and advantages of a batch.

        `facts` maps names with their axes (`correct_P_G`) to arrays, see FACTS; `state` is that of the previous batch;
        `step` counts from 0 and anneals weights. Raises InvalidOptions for a missing fact, ValueError for a wrong one.
        """
        shape = batch_shape(facts)
        self.check(shape[1], [name for name in self.facts if has_fact(facts, name)])
        facts = with_own_facts(facts, self.own_facts, shape)
        resolved = self.noise(resolve_nulls(facts, confidence="confidence" in self.facts))
        causes = resolved[key_of("null_by")]
        terms = np.stack([term.values(resolved, shape) for term in self.terms])
        weights = np.array([term.weight * math.exp(-step / term.horizon) for term in self.terms])
        used = weights != 0
        unknown_P_G = np.isnan(terms[used]).any(axis=0)
        by_policy = causes == NullBy.POLICY
        by_verifier = (unknown_P_G & ~by_policy) | (causes == NullBy.VERIFIER)
        if self.policy_null is not None:
            terms = np.where(by_policy & np.isnan(terms), self.policy_null, terms)
        names = tuple(term.label for term in self.terms)
        rewards = self.combination(terms[used], weights[used], list(np.array(names)[used]))
        rewards = np.where(by_verifier, np.nan if self.verifier_null is None else self.verifier_null, rewards)
        if self.policy_null is None:
            rewards = np.where(by_policy, np.nan, rewards)
        passed, dropped, state = self._filter(rewards, resolved, {} if state is None else state)
        advantages = self.advantage(rewards, passed & (causes != NullBy.VERIFIER), resolved)
        credited = self.credit(advantages, np.where(passed, rewards, np.nan), resolved)
        keep = passed & ~(numbers(resolved, "truncated") > 0) if self.mask_truncated else passed
        n_known, spread = group_spread(rewards)
        penalties = [term.term(resolved) for term in self.terms if term.term.name == "len_penalty"]
        counts = RewardCounts(
            prompts=shape[0],
            responses=shape[0] * shape[1],
            zero_spread=int(np.sum((n_known > 1) & ~spread)),
            too_few_known=int(np.sum(n_known < 2)),
            null_by_policy=int(by_policy.sum()),
            null_by_verifier=int(by_verifier.sum()),
            dropped=dropped,
            penalties=penalty_histogram(penalties[0]) if penalties else (),
        )
        return RewardBatch(
            names, terms, weights, rewards, keep, passed, advantages, credited, counts, state, self.warnings
        )

    def _filter(self, rewards_P_G: Array, facts: Facts, state: State) -> tuple[Mask, dict[str, int], State]:
        keep, dropped = np.ones(rewards_P_G.shape, dtype=bool), {}
        for one in self.filters:
            kept, state = one(np.where(keep, rewards_P_G, np.nan), facts, state)
            dropped[one.name] = int(np.sum(keep & ~kept))
            keep = keep & kept
        return keep, dropped, state


def _with_default_estimator(config: Any) -> Mapping[str, Any]:
    named = {"estimator": config} if isinstance(config, str) else mapping(config, "advantage")
    if named.get("estimator") == "tempo":
        raise InvalidOptions("advantage.estimator: tempo differs by token: write credit: {estimator: tempo} instead")
    return {**DEFAULTS["advantage"], **named}


def _null_value(value: Any, place: str) -> float | None:
    if value == "exclude":
        return None
    try:
        return convert(value, float, place)
    except InvalidOptions:
        raise InvalidOptions(f"{place}: expected a number or exclude, got {value!r}") from None


def _weighted_terms(config: Any) -> tuple[WeightedTerm, ...]:
    """The terms of `rewards`, a list; raises InvalidOptions."""
    if not isinstance(config, (list, tuple)) or not config:
        raise InvalidOptions(f"rewards: expected a list of terms, such as [{{name: correct}}], got {config!r}")
    terms: list[WeightedTerm] = []
    for number, item in enumerate(config):
        place = f"rewards[{number}]"
        item = {"name": item} if isinstance(item, str) else mapping(item, place)
        if ("name" in item) == ("reward" in item):
            raise InvalidOptions(f"{place}: give either name: a term of libra, or reward: module:function")
        options = {key: value for key, value in item.items() if key not in _OF_ITEM}
        if "reward" in item:
            term = user_function(item["reward"], options, f"{place}.reward")
        else:
            term = TERMS.bind(item, place, reserved=_OF_ITEM)
        label = convert(item.get("label", term.options.get("fact", term.name)), str, f"{place}.label")
        if label in {other.label for other in terms}:
            raise InvalidOptions(f"{place}: a second term called {label!r}: give one of them a label")
        anneal = mapping(item.get("anneal", {"horizon": math.inf}), f"{place}.anneal")
        if set(anneal) != {"horizon"}:
            raise InvalidOptions(f"{place}.anneal: expected {{horizon: STEPS}}, got {dict(anneal)!r}")
        terms.append(
            WeightedTerm(
                label,
                term,
                TRANSFORMS.bind(item.get("transform", "none"), f"{place}.transform"),
                convert(item.get("weight", 1.0), float, f"{place}.weight"),
                Gate.from_config(item["gate"], f"{place}.gate") if item.get("gate") is not None else None,
                convert(anneal["horizon"], Positive, f"{place}.anneal.horizon") if "anneal" in item else math.inf,
            )
        )
    if all(term.weight == 0 for term in terms):
        raise InvalidOptions("rewards: every weight is 0: nothing would be learned")
    return tuple(terms)
