"""Corrections for a verifier that errs: their numbers, where their rates come from, and where they cannot act."""

from __future__ import annotations

import json
from math import nan

import numpy as np
import pytest
from worked_examples import close, example, group

from libra_cli.exits import InvalidOptions
from libra_cli.training.rewards import RewardPlan

RATES = {"fpr": 0.1, "fnr": 0.2}


def plan_of(how: str, **config) -> RewardPlan:
    return RewardPlan.from_config({"rewards": ["correct"], "noise": {"how": how, **RATES}, **config})


def test_corrections_by_hand():
    inputs, expected = example("noise_correction")
    facts = {"correct_P_G": group(inputs["observed_G"])}
    for how in ("backward", "forward"):
        close(plan_of(how, advantage="none").apply(facts).rewards_P_G, [expected[f"{how}_G"]])
    for how in ("backward", "forward"):  # expectations over what the verifier says of a right and of a wrong response
        accepted, rejected = plan_of(how, advantage="none").apply({"correct_P_G": group([1, 0])}).rewards_P_G[0]
        close((1 - RATES["fnr"]) * accepted + RATES["fnr"] * rejected, expected[f"{how}_expectation_if_right"])
        close(RATES["fpr"] * accepted + (1 - RATES["fpr"]) * rejected, expected[f"{how}_expectation_if_wrong"])


def test_a_rate_that_is_not_given_is_0():
    facts = {"correct_P_G": group([1, 0])}
    for noise, expected in (
        ({"how": "backward", "fpr": 0.5}, [1, -1]),
        ({"how": "backward", "fnr": 0.5}, [2, 0]),
        ({"how": "forward", "fpr": 0.5}, [0, -1]),
    ):
        close(RewardPlan.from_config({"rewards": ["correct"], "noise": noise}).apply(facts).rewards_P_G, [expected])


def test_a_correction_weighs_correctness_more_beside_another_term():
    inputs, expected = example("noise_correction_with_length")
    facts = {"correct_P_G": group(inputs["observed_G"]), "penalty_P_G": group(inputs["len_penalty_G"])}
    terms = {"rewards": ["correct", {"name": "judge", "fact": "penalty", "weight": -1}], "advantage": {"epsilon": 0}}
    close(RewardPlan.from_config(terms).apply(facts).advantages_P_G, [expected["uncorrected"]])
    corrected = plan_of("backward", **terms)
    close(corrected.apply(facts).advantages_P_G, [expected["backward"]])
    assert corrected.warnings == ()


def test_other_terms_read_the_verdict_as_it_is():
    facts = {"correct_P_G": group([1, 0]), "confidence_P_G": group([1, 0]), "format_P_G": group([1, 1])}
    close(plan_of("backward", rewards=["brier"]).apply(facts).rewards_P_G, [[1, 1]])


def test_nulls_are_not_corrected():
    """A null of the policy is wrong for certain; what the verifier left open stays unknown."""
    facts = {"correct_P_G": group([1, nan, nan]), "null_by_P_G": np.array([[0, 1, 2]])}
    close(plan_of("backward").apply(facts).rewards_P_G, [[0.9 / 0.7, 0, nan]])


CORRECT = np.array([[1, 0, 0, 1, 0], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]], dtype=float)
FACTS = {
    "correct_P_G": CORRECT,
    "lengths_P_G": np.linspace(10_000, 30_000, CORRECT.size).reshape(CORRECT.shape),
    "subset_P": np.array(["math", "code", "math"]),
    "level_P_G": np.array([["rule", "model", "rule", "model", "rule"]] * 3),
}
BY_SUBSET = {"fpr": {"math": 0.3, "code": 0.0}, "fnr": {"default": 0.1, "code": 0.2}}
SAME_SUM = {"fpr": {"math": 0.3, "code": 0.2}, "fnr": {"math": 0.1, "code": 0.2}}
BY_LEVEL = {"by": "level", "fpr": {"rule": 0.3, "model": 0.0}, "fnr": {"rule": 0.0, "model": 0.4}}

ACTS = [  # (configuration, None or the warning)
    ({}, "changes no advantage"),
    ({"advantage": {"scale": "batch"}}, "changes no advantage"),
    ({"noise": {"how": "forward", **RATES}}, "changes no advantage"),
    ({"noise": {"how": "backward", **BY_SUBSET}}, "changes no advantage"),
    ({"combine": "normalize_then_sum", "rewards": ["correct", "len_penalty"]}, "changes no advantage"),
    ({"rewards": ["correct", {"name": "len_penalty", "weight": 0}]}, "changes no advantage"),
    ({"rewards": ["correct", {"name": "len_penalty", "weight": -1}]}, None),
    ({"noise": {"how": "backward", **BY_SUBSET}, "advantage": {"scale": "batch"}}, None),
    ({"noise": {"how": "backward", **BY_LEVEL}}, None),
    ({"advantage": "none"}, None),
    ({"advantage": {"scale": "none"}}, "only changes the size"),
    ({"advantage": "rloo"}, "only changes the size"),
    ({"noise": {"how": "backward", **BY_SUBSET}, "advantage": "rloo"}, None),
    ({"noise": {"how": "backward", "fpr": {"math": 0.3, "code": 0}, "fnr": 0.1}, "advantage": "rloo"}, None),
    ({"noise": {"how": "backward", **SAME_SUM}, "advantage": "rloo"}, "only changes the size"),
    ({"noise": {"how": "backward", **SAME_SUM}, "advantage": {"scale": "batch"}}, "only changes the size"),
    ({"noise": {"how": "forward", **BY_SUBSET}, "advantage": {"scale": "batch"}}, "only changes the size"),
    ({"noise": {"how": "forward", **RATES}, "advantage": "rloo"}, "changes no advantage"),
    ({"noise": {"how": "forward", **BY_SUBSET}, "advantage": {"scale": "none"}}, "changes no advantage"),
    ({"noise": {"how": "forward", **BY_LEVEL}, "advantage": "rloo"}, None),
    ({"noise": {"how": "forward", **RATES}, "advantage": "none"}, None),
]


@pytest.mark.parametrize(("config", "warning"), ACTS)
def test_a_warning_stands_exactly_where_a_correction_cannot_act(config, warning):
    """The advantages with and without the correction decide: equal, in proportion, or different."""
    config = {"rewards": ["correct"], "noise": {"how": "backward", **RATES}, **config}
    plan, without = RewardPlan.from_config(config), RewardPlan.from_config({**config, "noise": "none"})
    corrected, plain = (one.apply(FACTS).advantages_P_G for one in (plan, without))
    ratio = np.sum(corrected * plain) / np.sum(plain * plain)
    proportional = np.allclose(corrected, ratio * plain, atol=1e-3)
    if warning is None:
        assert plan.warnings == ()
        assert not proportional
    else:
        assert len(plan.warnings) == 1
        assert warning in plan.warnings[0]
        assert proportional
        assert (abs(ratio - 1) < 1e-3) == (warning == "changes no advantage")


def test_a_correction_that_is_nearly_impossible_is_warned_about():
    plan = plan_of("backward", noise={"how": "backward", "fpr": 0.5, "fnr": 0.45}, advantage="none")
    assert plan.warnings == ("noise: fpr + fnr is 0.95: the correction multiplies what is left by 20",)


def test_rates_that_differ_by_subset():
    plan = plan_of("backward", noise={"how": "backward", **BY_SUBSET}, advantage="none")
    assert plan.facts == {"correct", "subset"}
    rewards = plan.apply(FACTS).rewards_P_G
    close(rewards[0, :2], [0.7 / 0.6, -0.3 / 0.6])
    close(rewards[1, [0, 3]], [1 / 0.8, 0])
    unknown = {"how": "backward", "fpr": {"math": 0.1}, "fnr": 0.1}
    with pytest.raises(InvalidOptions, match=r"noise.fpr: no rate for the subset 'code': add it, or a default"):
        plan_of("backward", noise=unknown).apply(FACTS)


def report(tmp_path, **changed) -> str:
    sections = {
        "math": {"n": 10, "n_null": 0, "accuracy_correct": 0.8, "accuracy_incorrect": 0.9},
        "code": {"n": 4, "n_null": 0, "accuracy_correct": None, "accuracy_incorrect": 0.5},
    }
    whole = {"null": "rule", "sections": sections, "confusion": {"tp": 6, "fn": 2, "tn": 9, "fp": 1}, **changed}
    (tmp_path / "judged.json").write_text(json.dumps(whole))
    return str(tmp_path / "judged.json")


def test_rates_come_from_the_report_of_score(tmp_path):
    pooled = plan_of("backward", noise={"how": "backward", "report": report(tmp_path)})
    assert pooled.noise.options == {"fpr": 0.1, "fnr": 0.25}
    by_subset = plan_of("backward", noise={"how": "backward", "report": report(tmp_path), "by": "subset"})
    close([by_subset.noise.options["fpr"][name] for name in ("default", "math", "code")], [0.1, 0.1, 0.5])
    close([by_subset.noise.options["fnr"][name] for name in ("default", "math")], [0.25, 0.2])
    assert "code" not in by_subset.noise.options["fnr"]


def test_reports_that_give_no_rates_are_refused(tmp_path):
    null = {"math": {"n": 3, "n_null": 1, "accuracy_correct": 1, "accuracy_incorrect": 0.5}}
    noise = {"how": "backward", "by": "subset"}
    with pytest.raises(InvalidOptions, match=r"math has verdicts that cannot be read.*score again with --null exclude"):
        plan_of("backward", noise={**noise, "report": report(tmp_path, sections=null)})
    plan_of("backward", noise={**noise, "report": report(tmp_path, sections=null, null="exclude")})
    with pytest.raises(InvalidOptions, match="no wrong responses to take a rate from"):
        plan_of("backward", noise={**noise, "report": report(tmp_path, confusion={"tp": 1, "fn": 1, "tn": 0, "fp": 0})})
    for path in (str(tmp_path / "missing.json"), report(tmp_path, confusion=None)):
        with pytest.raises(InvalidOptions, match=r"give a file of libra score --json on labels"):
            plan_of("backward", noise={**noise, "report": path})
    with pytest.raises(InvalidOptions, match="fpr and fnr are given too"):
        plan_of("backward", noise={**noise, "report": report(tmp_path), "fpr": 0.1})


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        ({"how": "backward", "fpr": 0.5, "fnr": 0.5}, "noise: fpr [+] fnr is 1: such a verifier says nothing"),
        ({"how": "backward", "fpr": {"math": 0.5}, "fnr": {"math": 0.6}}, "noise: fpr [+] fnr is 1.1"),
        ({"how": "forward", "fpr": 1.5}, "noise.fpr: expected a number from 0 to 1, got 1.5"),
        ({"how": "forward", "fpr": {"math": "x"}}, "noise.fpr.math: expected a number from 0 to 1, got 'x'"),
        ({"how": "flip"}, "noise: flip needs 'rate'"),
        ({"how": "flip", "rate": 0.1, "per": "token"}, "noise.per: expected one of prompt, response"),
    ],
)
def test_impossible_rates_are_refused(noise, message):
    with pytest.raises(InvalidOptions, match=f"^{message}"):
        plan_of("backward", noise=noise)


def test_a_share_of_the_prompts_is_turned_around():
    """All responses of a prompt together; per response is another experiment. The same id always decides alike."""
    correct = np.tile([1.0, 0, 1, nan], (2000, 1))
    facts = {"correct_P_G": correct, "prompt_id_P": np.array([f"id{number}" for number in range(2000)])}
    noise = {"how": "flip", "rate": 0.3}
    turned = plan_of("flip", noise=noise).apply(facts).rewards_P_G
    flips = turned[:, 0] == 0
    assert abs(flips.mean() - 0.3) < 0.04
    assert np.array_equal(flips, turned[:, 1] == 1)
    assert np.isnan(turned[:, 3]).all()
    back = {"correct_P_G": correct[::-1], "prompt_id_P": facts["prompt_id_P"][::-1]}
    assert np.array_equal(plan_of("flip", noise=noise).apply(back).rewards_P_G[::-1], turned, equal_nan=True)
    other = plan_of("flip", noise={**noise, "seed": 1}).apply(facts).rewards_P_G
    assert 0.3 < np.mean((other[:, 0] == 0) != flips) < 0.55
    single = plan_of("flip", noise={**noise, "per": "response"}).apply(facts).rewards_P_G
    assert 0.3 < np.mean((single[:, 0] == 0) != (single[:, 2] == 0)) < 0.55
