"""Corrections of `correct` for a verifier that errs (Verifiable yet noisy rewards, 2510.00915).

fpr = P(accepted | wrong), fnr = P(rejected | right). A correction is a function `(facts, **options) -> facts`. A rate
is a number, or a mapping from the values of the fact `by` (or `subset`) to numbers, with `default` for other values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from libra_cli.exits import InvalidOptions
from libra_cli.training.advantages import Array
from libra_cli.training.registry import Bound, Registry, Share, convert, mapping
from libra_cli.training.rewards.facts import Facts, NullBy, fact, key_of, null_causes, numbers

Noise = Callable[..., Facts]
Rate = Any
"""A number, or a mapping from names to numbers."""

NOISES: Registry[Noise] = Registry("noise correction")


def bind_noise(config: Any, place: str = "noise") -> Bound[Noise]:
    """The correction that `config` describes, with the rates of its `report` read; raises InvalidOptions."""
    config = {"how": config} if isinstance(config, str) else dict(mapping(config, place))
    if "report" in config:
        if {"fpr", "fnr"} & config.keys():
            raise InvalidOptions(f"{place}.report: fpr and fnr are given too: keep one of them")
        path = convert(config.pop("report"), str, f"{place}.report")
        config.update(rates_of_report(path, by_subset=config.get("by") == "subset"))
    for name in {"fpr", "fnr"} & config.keys():
        if isinstance(config[name], Mapping):
            config[name] = {str(level): convert(rate, Share, f"{place}.{name}.{level}")
                            for level, rate in config[name].items()}  # fmt: skip
        else:
            config[name] = convert(config[name], Share, f"{place}.{name}")
    return NOISES.bind(config, place, "how")


def rates_of_report(path: str, by_subset: bool) -> dict[str, Any]:
    """{fpr, fnr} from a report of `libra score --json` on labelled responses; unread verdicts do not count.

    By subset, the rates are mappings. Raises InvalidOptions if the report has no such figures.
    """
    try:
        report = json.loads(Path(path).read_text(encoding="utf-8"))
        cells = report["confusion"]
        wrong, right = cells["fp"] + cells["tn"], cells["fn"] + cells["tp"]
        sections = report["sections"] if by_subset else {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidOptions(f"noise.report: {path}: {error!r}: give a file of libra score --json on labels") from None
    if not wrong or not right:
        raise InvalidOptions(
            f"noise.report: {path}: no {'wrong' if not wrong else 'right'} responses to take a rate from"
        )
    pooled = {"fpr": cells["fp"] / wrong, "fnr": cells["fn"] / right}
    if not by_subset:
        return pooled
    rates: dict[str, dict[str, float]] = {name: {"default": rate} for name, rate in pooled.items()}
    for subset, section in sections.items():
        if section["n_null"] and report["null"] != "exclude":
            raise InvalidOptions(
                f"noise.report: {path}: {subset} has verdicts that cannot be read, which its accuracies count as "
                "errors: score again with --null exclude"
            )
        for name, accuracy in (("fpr", section["accuracy_incorrect"]), ("fnr", section["accuracy_correct"])):
            if accuracy is not None:
                rates[name][subset] = 1.0 - accuracy
    return rates


def _errors(fpr: Rate, fnr: Rate) -> set[float]:
    """fpr + fnr at each of the values that the rates differ by."""
    levels = {level for rate in (fpr, fnr) if isinstance(rate, Mapping) for level in rate} or {"default"}
    return {_at(fpr, level) + _at(fnr, level) for level in levels}


def noise_warnings(noise: Bound[Noise], n_terms: int, combination: str, advantage: Bound[Any]) -> tuple[str, ...]:
    """What to tell who corrects noise too much, or where it cannot act.

    With one rate, a correction is a linear function of the verdict: less the mean of the group only its slope is left
    (1 for `forward`), and over the deviation not even that. So it acts if another of the `n_terms` terms stands beside
    it, or if rates differ within what is compared.
    """
    if noise.name not in ("backward", "forward"):
        return ()
    found = []
    fpr, fnr = noise.options.get("fpr", 0.0), noise.options.get("fnr", 0.0)
    errors = _errors(fpr, fnr)
    if max(errors) > 0.9:
        times = f"{1 / (1 - max(errors)):.0f}"
        found.append(f"noise: fpr + fnr is {max(errors):g}: the correction multiplies what is left by {times}")
    slopes_differ = noise.name == "backward" and len(errors) > 1
    rates_differ = any(isinstance(rate, Mapping) for rate in (fpr, fnr))
    differs_in_group = rates_differ and not key_of(noise.options.get("by", "subset")).endswith("_P")
    alone = (n_terms == 1 or combination == "normalize_then_sum") and not differs_in_group
    scale = advantage.options.get("scale", "group") if advantage.name == "group_norm" else None
    only_size = (noise.name == "backward" and (scale == "none" or advantage.name == "rloo")) or (
        scale == "batch" and rates_differ  # the deviation of the batch holds the distances between prompts
    )
    acts = advantage.name == "none" or (slopes_differ and scale != "group" and advantage.name != "beta_norm")
    if alone and only_size and not slopes_differ:
        found.append(
            f"noise: {noise.name} only changes the size of a step: with one fpr + fnr for all prompts it multiplies "
            "all advantages alike"
        )
    elif advantage.name in ("pairwise", "bootstrap") or (alone and not acts):
        found.append(
            f"noise: {noise.name} changes no advantage: {advantage.name} takes one rate for a group out again; use a "
            "term beside correct (combine: sum), rates `by` a fact that differs in a group, or the estimator none"
        )
    return tuple(found)


def _at(rate: Rate, level: str) -> float:
    return rate.get(level, rate.get("default", 0.0)) if isinstance(rate, Mapping) else rate


def _rate(rate: Rate, name: str, by: str, facts: Facts) -> Array | float:
    """A rate as a number, or an array that broadcasts to [P, G]; raises InvalidOptions for a value without a rate."""
    if not isinstance(rate, Mapping):
        return float(rate)
    levels = np.asarray(fact(facts, by), dtype=object)
    for level in {str(level) for level in levels.ravel()} - rate.keys():
        if "default" not in rate:
            raise InvalidOptions(f"noise.{name}: no rate for the {by} {level!r}: add it, or a default")
    rates = np.array([_at(rate, str(level)) for level in levels.ravel()], dtype=np.float64).reshape(levels.shape)
    return rates[:, None] if rates.ndim == 1 else rates


def _facts_of_rates(options: Mapping[str, Any]) -> tuple[str, ...]:
    by = (options["by"],) if any(isinstance(options[name], Mapping) for name in ("fpr", "fnr")) else ()
    return ("correct", *by)


def _check_rates(*, fpr: Rate, fnr: Rate, by: str) -> str | None:
    error = max(_errors(fpr, fnr))
    if error < 1:
        return None
    return f"fpr + fnr is {error:g}: such a verifier says nothing or the opposite; the sum must be below 1"


@NOISES.add("none")
def none(facts: Facts) -> Facts:
    """The verdicts as they are."""
    return facts


@NOISES.add("backward", facts=_facts_of_rates, check=_check_rates)
def backward(facts: Facts, *, fpr: Rate = 0.0, fnr: Rate = 0.0, by: str = "subset") -> Facts:
    """The term `correct` is (observed - fpr) / (1 - fpr - fnr), which has the expectation of the true value."""
    accepted, rejected = _rate(fpr, "fpr", by, facts), _rate(fnr, "fnr", by, facts)
    return {**facts, key_of("denoised_correct"): (numbers(facts, "correct") - accepted) / (1.0 - accepted - rejected)}


@NOISES.add("forward", facts=_facts_of_rates, check=_check_rates)
def forward(facts: Facts, *, fpr: Rate = 0.0, fnr: Rate = 0.0, by: str = "subset") -> Facts:
    """The term `correct` is fnr for an accepted response and fnr - 1 for a rejected one: on average the true sign."""
    return {**facts, key_of("denoised_correct"): numbers(facts, "correct") - 1.0 + _rate(fnr, "fnr", by, facts)}


@NOISES.add("flip", facts=("correct", "prompt_id"))
def flip(facts: Facts, *, rate: Share, per: Literal["prompt", "response"] = "prompt", seed: int = 0) -> Facts:
    """Makes noise for a study: turns the verdicts of a share of the prompts, or responses, around (RPR).

    The same seed and id of a prompt always decide alike. Nulls stay nulls.
    """
    observed = numbers(facts, "correct")
    turned = np.zeros(observed.shape, dtype=bool)
    for prompt, identity in enumerate(np.asarray(fact(facts, "prompt_id"), dtype=object)):
        names = [
            f"{seed} {identity}" + (f" {response}" if per == "response" else "") for response in range(len(turned[0]))
        ]
        draws = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64 for name in names]
        turned[prompt] = np.array(draws) < rate
    return {
        **facts,
        key_of("correct"): np.where(turned & (null_causes(facts) == NullBy.NONE), 1.0 - observed, observed),
    }
