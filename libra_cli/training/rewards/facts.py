"""The measured facts about a batch of responses, from which all rewards are computed.

A fact is an array whose name ends in its axes: `correct_P_G` has P prompts with G responses each, `subset_P` one value
for each prompt. nan is "unknown". Reward functions get facts as a mapping from these names to arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from libra_cli.exits import InvalidOptions
from libra_cli.similar import nearest_name
from libra_cli.training.advantages import Array

Facts = Mapping[str, Any]


class NullBy(IntEnum):
    """Who caused a null: the policy (no verdict, broken format, cut short) or the verifier (timeout, server down)."""

    NONE = 0
    POLICY = 1
    VERIFIER = 2


class FactKind(NamedTuple):
    """A fact that libra measures."""

    axes: str
    need: str
    """What measuring it takes: labels, text, judge, reference or steps; "" if rollouts always have it."""
    meaning: str
    cure: str
    """What makes rollouts have it."""


def _own(name: str) -> str:
    """The cure for a fact that only the user can measure."""
    function = f"facts: {{{name}: FILE.py:function}}"
    return f'name a function of yours that measures it, {function}, or write it into "facts" of each saved "rollout"'


_STEPS = (
    "libra judges no single steps: name functions of yours that do, facts: {step_ends: FILE.py:function, step_rewards: "
    "FILE.py:function}, such as those in examples/recipes/rewards/steps.py, or write both into "
    '"facts" of each saved "rollout"'
)

FACTS: dict[str, FactKind] = {
    "correct": FactKind("P_G", "labels", "1 right, 0 wrong, nan undecided", "give problems with a golden reference"),
    "null_by": FactKind("P_G", "", "none, policy or verifier, as names or as the numbers of NullBy", ""),
    "lengths": FactKind("P_G", "", "tokens of a response", "save the token counts of the rollouts"),
    "truncated": FactKind("P_G", "", "1 if cut at the token limit", "save the finish reasons of the rollouts"),
    "format": FactKind("P_G", "text", "1 if the response keeps to the format that the prompt asks for",
                       "save the texts of the rollouts"),
    "responses": FactKind("P_G", "text", "the text of a response", "save the texts of the rollouts"),
    "confidence": FactKind("P_G", "text", "the stated confidence, from 0 to 1",
                           "use a task prompt that asks for a confidence"),
    "judge": FactKind("P_G", "judge", "the score of a judge", "name one, judge: {model: NAME}"),
    "judge_reference": FactKind("P_M", "judge", "the judge's scores of M reference responses of the prompt",
                                "name its verdicts on responses of the starting policy, "
                                "judge: {model: NAME, references: FILE}"),
    "difference": FactKind("P_G_G", "judge", "how far a response is ahead of another, from a pairwise judge",
                           "name a judge that compares, judge: {model: NAME, task: rank}"),
    "wins": FactKind("P_G", "judge", "1 if it wins all votes against the reference response",
                     "name a judge that compares with one, judge: {model: NAME, task: rank, against: reference}"),
    "reference": FactKind("P", "judge", "index of the reference response in its group",
                          "name a judge that compares with one, judge: {model: NAME, task: rank, against: reference}"),
    "tokens": FactKind("P_G_T", "", "token ids; ragged", "sample with --save-rollouts --save-token-ids"),
    "step_rewards": FactKind("P_G_S", "steps", "the score of each step; ragged", _STEPS),
    "step_ends": FactKind("P_G_S", "steps", "index of the last token of each step; ragged", _STEPS),
    "record": FactKind("P", "", "the row of the prompt, a mapping", "keep the rows of the problems"),
    "prompt_id": FactKind("P", "", "an id that stays with the prompt", "keep the ids of the records"),
    "subset": FactKind("P", "", "the subset that the prompt belongs to", 'give records with a "subset"'),
}  # fmt: skip
"""Every fact that libra measures; a user's function may read others."""


def key_of(name: str) -> str:
    """The key of a fact in the mapping: `correct` -> `correct_P_G`. A name that libra does not know is [P, G]."""
    return f"{name}_{FACTS[name].axes if name in FACTS else 'P_M' if name.endswith('_reference') else 'P_G'}"


def has_fact(facts: Facts, name: str) -> bool:
    """The fact is there."""
    return facts.get(key_of(name)) is not None


def fact(facts: Facts, name: str) -> Any:
    """The fact `name` as it was given; raises InvalidOptions that names the cure if it is missing."""
    if not has_fact(facts, name):
        raise missing_fact(name)
    return facts[key_of(name)]


def missing_fact(name: str) -> InvalidOptions:
    """The error for rollouts without the fact `name`, with the cure."""
    near = nearest_name(name, FACTS)
    cure = f'did you mean "{near}"?' if near else _own(name)
    cure = FACTS[name].cure if name in FACTS else cure
    return InvalidOptions(f'the rewards need the fact "{key_of(name)}", which these rollouts do not have: {cure}')


def numbers(facts: Facts, name: str) -> Array:
    """The fact `name`, float64 [P, G] or its own axes; None is nan.

    Raises InvalidOptions if it is missing, ValueError if it has another number of axes.
    """
    values = np.asarray(fact(facts, name), dtype=np.float64)
    axes = key_of(name)[len(name) + 1 :]
    if values.ndim != len(axes.split("_")):
        raise ValueError(f"{key_of(name)} has the shape {values.shape}: expected [{axes.replace('_', ', ')}]")
    return values


def is_ragged(name: str) -> bool:
    """The last axis of the fact is its own for each response: tokens or steps."""
    return key_of(name).endswith(("_T", "_S"))


def batch_shape(facts: Facts) -> tuple[int, int]:
    """(P, G) of the facts that have these axes; raises ValueError if they differ."""
    shapes = {key: np.shape(value) for key, value in facts.items() if key.endswith("_P_G") and value is not None}
    if not shapes:
        raise ValueError("facts without an array [P, G]: give at least lengths_P_G")
    first_key, first = next(iter(shapes.items()))
    for key, shape in shapes.items():
        if len(shape) != 2 or shape != first:
            raise ValueError(f"{key} has the shape {shape}, but {first_key} has {first}")
    return first


def null_causes(facts: Facts) -> NDArray[np.int64]:
    """Who caused the null of each response, as numbers of NullBy [P, G]; all NONE where no cause was recorded."""
    if not has_fact(facts, "null_by"):
        return np.zeros(batch_shape(facts), dtype=np.int64)
    given = np.asarray(facts[key_of("null_by")])
    names: dict[Any, int] = {None: 0, **{cause.name.lower(): int(cause) for cause in NullBy}}
    causes = np.array([names.get(value, value) for value in given.ravel().tolist()], dtype=object)
    for cause in set(causes.tolist()):
        if cause not in (*NullBy,):
            raise ValueError(f"null_by_P_G holds {cause!r}: expected none, policy or verifier")
    return causes.astype(np.int64).reshape(given.shape)


def resolve_nulls(facts: Facts, confidence: bool = False) -> dict[str, Any]:
    """The facts with causes of nulls as numbers; a null is wrong if the policy caused it, unknown if the verifier did.

    With `confidence`, a confidence that is unknown, outside [0, 1] or in a response that was cut is a broken format.
    Raises ValueError where a response is graded as right although it has a null.
    """
    causes = null_causes(facts)
    resolved = {**facts, key_of("null_by"): causes}
    if has_fact(facts, "correct"):
        correct = numbers(facts, "correct").copy()
        if np.any((causes != NullBy.NONE) & (correct > 0)):
            prompt, response = np.argwhere((causes != NullBy.NONE) & (correct > 0))[0]
            raise ValueError(f"response {response} of prompt {prompt} is both right and null (null_by_P_G)")
        correct[causes == NullBy.POLICY] = 0.0
        correct[causes == NullBy.VERIFIER] = np.nan
        resolved[key_of("correct")] = correct
    if confidence and has_fact(facts, "format"):
        stated = numbers(facts, "confidence")
        cut = numbers(facts, "truncated") > 0 if has_fact(facts, "truncated") else np.zeros(stated.shape, dtype=bool)
        resolved[key_of("format")] = np.where((stated >= 0) & (stated <= 1) & ~cut, numbers(facts, "format"), 0.0)
    return resolved
