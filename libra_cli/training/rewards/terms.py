"""Terms of a reward: functions from facts to values [P, G], nan = unknown.

The keyword-only parameters of a term are its options in a configuration file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import numpy as np

from libra_cli.training.advantages import Array
from libra_cli.training.registry import Count, Interval, Positive, Registry, Share
from libra_cli.training.rewards.facts import Facts, NullBy, fact, has_fact, null_causes, numbers
from libra_cli.training.rewards.patterns import pattern_score, read_phrases

Term = Callable[..., Array]

EXPECTED, LONGEST = 16_384, 32_768
"""Tokens: lengths of a response in the paper's penalty (Eq. 4)."""

TERMS: Registry[Term] = Registry("term")


@TERMS.add("correct", facts=("correct",))
def correct(facts: Facts, *, right: float = 1.0, wrong: float = 0.0) -> Array:
    """`right` for a correct response, else `wrong` (paper, section 5); corrected for noise if the recipe says so.

    A null that the policy caused is unknown here: the rule for nulls decides what it is worth.
    """
    name = "denoised_correct" if has_fact(facts, "denoised_correct") else "correct"
    values = wrong + (right - wrong) * numbers(facts, name)
    return np.where(null_causes(facts) == NullBy.POLICY, np.nan, values)


def _check_lengths(*, expected: float, longest: float) -> str | None:
    if expected < longest:
        return None
    return f"expected must be below longest, got {expected:g} and {longest:g}"


@TERMS.add("len_penalty", facts=("lengths",), check=_check_lengths)
def len_penalty(facts: Facts, *, expected: Positive = EXPECTED, longest: Positive = LONGEST) -> Array:
    """How far a response is beyond the expected length, 1 at the longest or more (paper, Eq. 4); lengths in tokens."""
    return np.clip((numbers(facts, "lengths") - expected) / (longest - expected), 0.0, 1.0)


@TERMS.add("format", facts=("format",))
def format_term(facts: Facts) -> Array:
    """1 if the response keeps to the format, else 0."""
    return numbers(facts, "format")


@TERMS.add("length_bell", facts=("lengths",))
def length_bell(
    facts: Facts,
    *,
    longest: Positive = LONGEST,
    peak: Annotated[float, Interval(0, 1, above=True)] = 0.5,
    shape: Literal["parabola", "polyline"] = "parabola",
) -> Array:
    """1 at `peak` of the longest length, 0 for an empty response, -1 at the longest (surrogate signals, 2505.19439)."""
    lengths = np.minimum(numbers(facts, "lengths") / longest, 1.0)
    rising = lengths / peak
    falling = (lengths - peak) / (1.0 - peak) if peak < 1 else np.zeros_like(lengths)
    if shape == "polyline":
        return np.where(lengths <= peak, rising, 1.0 - 2.0 * falling)
    return np.where(lengths <= peak, 1.0 - (1.0 - rising) ** 2, 1.0 - 2.0 * falling**2)


@TERMS.add("brier", facts=("correct", "confidence", "format"))
def brier(facts: Facts) -> Array:
    """1 - (correct - confidence)^2 where the format is right, else 0 (RLCR, 2507.16806).

    A confidence that cannot be read or is outside [0, 1] is a broken format.
    """
    right = numbers(facts, "correct")
    score = np.where(numbers(facts, "format") > 0, 1.0 - (right - numbers(facts, "confidence")) ** 2, 0.0)
    return np.where(np.isnan(right), np.nan, score)


@TERMS.add("length_when_accurate", facts=("correct", "lengths"))
def length_when_accurate(facts: Facts, *, share: Share = 0.2, alpha: Share = 0.6) -> Array:
    """1 for a correct response, less for a long one if the prompt is among the best solved (GRPO-lambda, 2505.18086).

    The ceil(`share` x P) prompts of the batch with the highest pass rate, ties in their order, pay
    `alpha` x sigmoid((length - mean) / deviation), over the correct responses of the prompt (deviation with n).
    """
    right, lengths = numbers(facts, "correct"), numbers(facts, "lengths")
    known = ~np.isnan(right)
    pass_rates = np.where(known, right, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    pass_rates[~known.any(axis=1)] = -1.0
    values = right.copy()
    for prompt in np.argsort(-pass_rates, kind="stable")[: max(1, math.ceil(share * len(right)))]:
        accepted = right[prompt] > 0
        if accepted.any():
            own = lengths[prompt, accepted]
            deviation = own.std()
            distance = (own - own.mean()) / deviation if deviation > 0 else np.zeros_like(own)
            values[prompt, accepted] = 1.0 - alpha / (1.0 + np.exp(-distance))
    return values


@TERMS.add("patterns", facts=("responses",))
def patterns(facts: Facts, *, phrases: str | None = None, full: Count = 20, ngram: Count = 20) -> Array:
    """How many stock phrases of reasoning occur, less the share of repeated word n-grams, at least 0 (RPR).

    `full` phrases found are worth 1. `phrases` is a file with one phrase a line; without it libra's own list counts.
    """
    listed = read_phrases(phrases)
    texts = np.asarray(fact(facts, "responses"), dtype=object)
    scores = [math.nan if text is None else pattern_score(text, listed, full, ngram) for text in texts.ravel()]
    return np.array(scores, dtype=np.float64).reshape(texts.shape)


def _named_fact(options: Mapping[str, Any]) -> tuple[str, ...]:
    return (options["fact"],)


@TERMS.add("judge", facts=_named_fact)
def judge(facts: Facts, *, fact: str = "judge") -> Array:
    """The score of a judge, or any other fact [P, G] that is named."""
    return numbers(facts, fact)


@TERMS.add("win_margin", facts=("difference",))
def win_margin(facts: Facts) -> Array:
    """How far a response is ahead of the others of its group on average, from a pairwise judge (Think-RM).

    An unread verdict counts as 0; a response without any verdict is unknown.
    """
    difference = numbers(facts, "difference")
    others = max(difference.shape[2] - 1, 1)
    unread = np.isnan(difference).sum(axis=2) >= others
    return np.where(unread, np.nan, np.nansum(difference, axis=2) / others)
