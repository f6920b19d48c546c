"""Terms, gates, transforms and combinations of published methods reproduce their worked numbers."""

from __future__ import annotations

from math import exp, log, nan

import numpy as np
import pytest
from worked_examples import close, example, group

from libra_cli.exits import InvalidOptions
from libra_cli.training.rewards import RewardPlan
from libra_cli.training.rewards.patterns import pattern_reward, pattern_score, read_phrases, repeated_share


def rewards_of(config: dict, step: int = 0, **facts) -> np.ndarray:
    return RewardPlan.from_config(config).apply(facts, step=step).rewards_P_G


def gated(name: str, gate: str, **options) -> dict:
    return {"name": name, "gate": {"fact": gate, "above": 0}, **options}


# -- labels and lengths -----------------------------------------------------------------------------------------------


def test_grpo_lambda_prices_length_where_prompts_are_solved_best():
    inputs, expected = example("length_when_accurate")
    plan = {"rewards": [{"name": "length_when_accurate", "share": inputs["share"], "alpha": inputs["alpha"]}]}
    facts = {"correct_P_G": np.array(inputs["correct_P_G"]), "lengths_P_G": np.array(inputs["lengths_P_G"])}
    close(rewards_of(plan, **facts), expected)
    every = rewards_of({"rewards": [{"name": "length_when_accurate", "share": 1}]}, **facts)
    close(every[1], [0.7, 0, 0, 0])  # one correct response has no deviation: 1 - alpha / 2


def test_grpo_lambda_takes_the_first_of_equal_prompts_and_leaves_out_unknown_ones():
    correct = np.array([[nan, nan], [0, 0], [1, 1], [1, 1]])
    lengths = np.array([[1, 2], [1, 2], [1, 3], [1, 3]])
    plan = {"rewards": [{"name": "length_when_accurate", "share": 0.25}]}
    values = rewards_of(plan, correct_P_G=correct, lengths_P_G=lengths)
    short, long = 1 - 0.6 / (1 + exp(1)), 1 - 0.6 / (1 + exp(-1))
    close(values, [[nan, nan], [0, 0], [short, long], [1, 1]])


def test_the_pass_rate_is_of_the_responses_that_are_decided():
    """1 of 1 decided is solved better than 2 of 3."""
    plan = {"rewards": [{"name": "length_when_accurate", "share": 0.5}]}
    values = rewards_of(plan, correct_P_G=np.array([[1, 1, 0], [1, nan, nan]]), lengths_P_G=np.ones((2, 3)))
    close(values, [[1, 1, 0], [0.7, nan, nan]])
    wrong = rewards_of(plan, correct_P_G=np.array([[0, nan, nan], [1, 0, 0]]), lengths_P_G=np.ones((2, 3)))
    close(wrong, [[0, nan, nan], [0.7, 0, 0]])


def test_length_bell():
    inputs, expected = example("length_bell")
    bell = {"name": "length_bell", "longest": inputs["longest"], "peak": inputs["peak"]}
    facts = {"lengths_P_G": group(inputs["lengths_G"])}
    close(rewards_of({"rewards": [bell]}, **facts), [expected])
    close(rewards_of({"rewards": [{**bell, "shape": "polyline"}]}, **facts), [[0, 0.5, 1, 0, -1]])
    rising = rewards_of({"rewards": [{**bell, "peak": 1}]}, lengths_P_G=group([512, 1024, 2048]))
    close(rising, [[0.75, 1, 1]])


def test_a_broken_format_gets_no_reward_for_its_length():
    inputs, expected = example("format_length")
    plan = {"rewards": ["format", {"name": "length_bell", "longest": inputs["longest"]}], "combine": "format_length"}
    facts = {"format_P_G": group(inputs["format_G"]), "lengths_P_G": group(inputs["lengths_G"])}
    close(rewards_of(plan, **facts), [expected])
    with pytest.raises(InvalidOptions, match=r"^combine: format_length needs the term format"):
        RewardPlan.from_config({"rewards": ["correct"], "combine": "format_length"})


# -- a stated confidence ----------------------------------------------------------------------------------------------


def test_brier_term():
    inputs, expected = example("brier_term")
    facts = {"correct_P_G": group(inputs["correct_G"]), "confidence_P_G": group(inputs["confidence_G"]),
             "format_P_G": group(inputs["valid_G"])}  # fmt: skip
    close(rewards_of({"rewards": ["brier"]}, **facts), [expected])


RLCR = {
    "rewards": [
        {"name": "format", "weight": 0.5},
        gated("correct", "format", weight=0.5),
        {"name": "brier", "weight": 0.5},
    ]
}


def test_rlcr_rewards_correctness_and_calibration_together():
    inputs, expected = example("rlcr_reward")
    facts = {"correct_P_G": group(inputs["correct_G"]), "format_P_G": group(inputs["format_G"]),
             "confidence_P_G": group([0.9, 0.4, 0.8, 0.1, 0.5])}  # fmt: skip
    close(rewards_of(RLCR, **facts), [expected])


@pytest.mark.parametrize(("confidence", "cut"), [(1.5, 0), (-0.1, 0), (nan, 0), (0.5, 1)])
def test_a_confidence_that_cannot_be_read_is_a_broken_format(confidence, cut):
    """It is never clipped into the range; in a response that was cut it was not the end. All three terms are 0."""
    facts = {"correct_P_G": group([1, 1]), "format_P_G": group([1, 1]), "confidence_P_G": group([confidence, 1]),
             "truncated_P_G": group([cut, 0])}  # fmt: skip
    close(rewards_of(RLCR, **facts), [[0, 1.5]])
    without = {"rewards": ["format"]}
    close(rewards_of(without, **facts), [[1, 1]])


# -- phrases ----------------------------------------------------------------------------------------------------------


def test_pattern_term():
    inputs, expected = example("pattern_term")
    term = pattern_reward(inputs["phrases_found"], inputs["repeated_share"], inputs["full"])
    close(term, expected["term"])


def test_patterns_are_whole_words_and_repetition_costs():
    phrases = ("let me check", "wait")
    assert pattern_score("Wait, let me\ncheck. Let me check!", phrases, full=4, ngram=20) == 0.5
    assert pattern_score("They await a waiter. Let me checkmate.", phrases, full=4, ngram=20) == 0
    assert repeated_share(["a", "b", "a", "b", "a", "b"], 2) == 1 - 2 / 5
    assert repeated_share(["a", "b"], 3) == 0
    assert pattern_score("wait " * 50, phrases, full=2, ngram=1) == 0
    assert pattern_score("", phrases, full=2, ngram=20) == 0
    assert pattern_score("Let’s see: that's it", ("let's see",), full=1, ngram=20) == 1


def test_the_list_of_phrases_is_libras_own_or_the_users(tmp_path):
    own = read_phrases(None)
    assert len(own) == 40
    assert "let me check" in own
    text = "First of all, what do we know? Wait: let me try again. To sum up"
    facts = {"responses_P_G": np.array([[text, None]], dtype=object)}
    close(rewards_of({"rewards": ["patterns"]}, **facts), [[5 / 20, nan]])
    (tmp_path / "mine.txt").write_text("# mine\nTo sum up\n\n")
    mine = {"rewards": [{"name": "patterns", "phrases": str(tmp_path / "mine.txt"), "full": 1}]}
    close(rewards_of(mine, **facts), [[1, nan]])
    (tmp_path / "none.txt").write_text("# nothing\n")
    for name, message in (("none.txt", "has no phrases"), ("missing.txt", "give a text file with one phrase a line")):
        with pytest.raises(InvalidOptions, match=message):
            rewards_of({"rewards": [{"name": "patterns", "phrases": str(tmp_path / name)}]}, **facts)


PATTERNS = {"name": "patterns", "full": 4}


def test_what_a_noisy_judge_rejects_gets_its_pattern_score():
    _, expected = example("pattern_term")
    judged = {"rewards": [{"name": "judge", "transform": {"name": "threshold", "above": 0.5},
                           "gate": {"fact": "judge", "above": 0.5, "else": PATTERNS}}]}  # fmt: skip
    facts = {"judge_P_G": group([0.2, 0.9]), "responses_P_G": np.array([["Wait.", "Wait."]], dtype=object)}
    close(rewards_of(judged, **facts), [[expected["wrong_by_noisy_rm_gets"], expected["right_by_noisy_rm_gets"]]])


# -- gates ------------------------------------------------------------------------------------------------------------


def test_thinking_counts_only_where_the_outcome_is_right():
    """Posterior-GRPO multiplies, G-RA sums what passes the gate: the same gate twice."""
    inputs, expected = example("gated_sum")
    facts = {"format_P_G": group(inputs["format_G"]), "correct_P_G": group(inputs["outcome_G"]),
             "judge_P_G": group(inputs["thinking_G"])}  # fmt: skip
    thinking = gated("judge", "correct")
    close(rewards_of({"rewards": ["format", "correct", thinking]}, **facts), [expected["posterior: f + o + o t"]])
    close(rewards_of({"rewards": ["correct", thinking]}, **facts), [expected["gated: o + (t if o > 0)"]])


@pytest.mark.parametrize(("transform", "key"), [("share_of_best", "normalised"), ("none", "plain")])
def test_a_rubric_counts_only_for_right_outcomes(transform, key):
    inputs, expected = example("outcome_gated_rubric")
    alpha = inputs["alpha"]
    rubric = gated("judge", "correct", fact="rubric", weight=alpha, transform=transform)
    plan = {"rewards": [{"name": "correct", "weight": 1 - alpha}, rubric]}
    facts = {"correct_P_G": group(inputs["outcome_G"]), "rubric_P_G": group(inputs["rubric_G"])}
    close(rewards_of(plan, **facts), [expected[key]])


def test_the_best_of_a_group_is_at_least_0():
    plan = {"rewards": [{"name": "judge", "transform": "share_of_best"}]}
    close(rewards_of(plan, judge_P_G=np.array([[0, -1], [nan, 2], [nan, nan]])), [[0, 0], [nan, 1], [nan, nan]])


def test_thinking_is_trusted_as_far_as_it_tells_right_from_wrong():
    inputs, expected = example("trusted")
    thinking = {
        "name": "judge",
        "weight": inputs["weight"],
        "transform": "trust",
        "anneal": {"horizon": inputs["horizon"]},
    }
    plan = {"rewards": ["correct", thinking]}
    facts = {"correct_P_G": group(inputs["answer_G"]), "judge_P_G": group(inputs["thinking_G"])}
    close(rewards_of(plan, step=inputs["step"], **facts), [expected["rewards_G"]])
    close(rewards_of(plan, correct_P_G=group([1, 1]), judge_P_G=group([0.4, 0.8])), [[1, 1]])
    # trust is at most 1: thinking that favours right answers is taken as it is
    close(rewards_of(plan, correct_P_G=group([1, 0]), judge_P_G=group([0.8, 0.4])), [[1.24, 0.12]])


def test_harmonic_mean():
    inputs, expected = example("harmonic")
    terms = [{"name": "judge", "fact": "a", "weight": inputs["weight"]},
             {"name": "judge", "fact": "b", "weight": 1 - inputs["weight"]}]  # fmt: skip
    facts = {"a_P_G": group([inputs["a"], 0, nan]), "b_P_G": group([inputs["b"], 1, 0])}
    close(rewards_of({"rewards": terms, "combine": "harmonic"}, **facts), [[expected, 0, nan]])
    terms[0]["weight"], terms[1]["weight"] = 1, 2
    product = rewards_of({"rewards": terms, "combine": "product"}, **facts)
    close(product, [[inputs["a"] * inputs["b"] ** 2, 0, nan]])


# -- transforms -------------------------------------------------------------------------------------------------------


def test_par_rewards_the_probability_of_beating_reference_responses():
    inputs, expected = example("preference_as_reward")
    plan = {"rewards": [{"name": "judge", "transform": {"name": "sigmoid", "center": "reference"}}]}
    facts = {"judge_P_G": group([inputs["score"], 1e4, -1e4])}
    close(rewards_of(plan, **facts, judge_reference_P_M=group(inputs["references_M"])), [[expected["two"], 1, 0]])
    close(rewards_of(plan, **facts, judge_reference_P_M=group([1.0, nan])), [[expected["one"], expected["bounded"], 0]])
    close(rewards_of(plan, **facts, judge_reference_P_M=group([nan, nan])), [[nan, nan, nan]])
    with pytest.raises(InvalidOptions, match=r"judge_reference_P_M.*name its verdicts on responses"):
        rewards_of(plan, **facts)
    fixed = {"rewards": [{"name": "judge", "transform": {"name": "sigmoid", "center": 1, "slope": 2}}]}
    close(rewards_of(fixed, judge_P_G=group([1, 2])), [[0.5, 1 / (1 + exp(-2))]])


def aspects(**transform) -> dict:
    transform = {"name": "log_sigmoid", "center": "reference", **transform}
    return {"rewards": [{"name": "judge", "fact": fact, "transform": transform} for fact in ("helpful", "harmless")]}


def test_log_sigmoids_of_aspects_sum_to_the_probability_that_all_are_good():
    inputs, expected = example("log_sigmoid_sum")
    facts = {}
    for aspect, score, extreme, reference in zip(
        ("helpful", "harmless"), inputs["scores_K"], (-1e4, 1e4), inputs["references_K"], strict=True
    ):
        facts |= {f"{aspect}_P_G": group([score, extreme]), f"{aspect}_reference_P_M": group([reference])}
    batch = RewardPlan.from_config(aspects()).apply(facts)
    close(batch.terms_K_P_G[:, 0, 0], expected["terms_K"])
    close(batch.rewards_P_G[0], [expected["sum"], -1e4 - 1])
    close(exp(batch.rewards_P_G[0, 0]), expected["probability_all_good"])


def test_the_reference_may_be_a_quantile_of_a_normal_distribution():
    """References -1, 1: mean 0, deviation sqrt 2; the 0.85 quantile of a standard normal is 1.0364334."""
    facts = {"helpful_P_G": group([0.0, 1]), "harmless_P_G": group([0.0, 1]),
             "helpful_reference_P_M": group([-1, 1]), "harmless_reference_P_M": group([-1, 1])}  # fmt: skip
    batch = RewardPlan.from_config(aspects(quantile=0.85)).apply(facts)
    close(batch.terms_K_P_G[0, 0, 0], -log(1 + exp(1.0364334 * 2**0.5)))
    two = {key: np.repeat(values, 2, axis=0) for key, values in facts.items()}
    two["helpful_reference_P_M"] = np.array([[-1, 1], [nan, 1]])
    with pytest.raises(InvalidOptions, match=r"prompt 1 has 1 scores in helpful_reference_P_M: score 2 reference"):
        RewardPlan.from_config(aspects(quantile=0.85)).apply(two)
    close(RewardPlan.from_config(aspects()).apply(two).terms_K_P_G[0, :, 1], [-log(1 + exp(-1)), -log(2)])
    with pytest.raises(InvalidOptions, match=r"prompt 0 has 1 scores in helpful_reference_P_M: score 2 reference"):
        RewardPlan.from_config(aspects(quantile=0.85)).apply({**facts, "helpful_reference_P_M": group([1])})


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        ({"name": "clip", "low": 0, "high": 1}, [0, 0.5, 1, nan]),
        ({"name": "threshold", "above": 0.5}, [0, 0, 1, nan]),
        ({"name": "tanh", "center": 0.5}, [np.tanh(-1.5), 0, np.tanh(1.5), nan]),
        ({"name": "z_score"}, [-1, 0, 1, nan]),
        ({"name": "min_max"}, [0, 0.5, 1, nan]),
    ],
)
def test_other_transforms(transform, expected):
    plan = {"rewards": [{"name": "judge", "transform": transform}]}
    close(rewards_of(plan, judge_P_G=group([-1, 0.5, 2, nan])), [expected])


@pytest.mark.parametrize("transform", ["z_score", "min_max"])
def test_equal_values_have_no_deviation(transform):
    plan = {"rewards": [{"name": "judge", "transform": transform}]}
    close(rewards_of(plan, judge_P_G=group([0.3, 0.3, nan])), [[0, 0, nan]])


# -- sums of normalised terms -----------------------------------------------------------------------------------------


def test_normalised_terms_sum():
    inputs, expected = example("normalise_then_sum")
    rewards = np.array(inputs["rewards_G_K"])
    terms = [{"name": "judge", "fact": fact, "weight": weight}
             for fact, weight in zip(("a", "b"), inputs["weights_K"], strict=True)]  # fmt: skip
    facts = {"a_P_G": rewards[None, :, 0], "b_P_G": rewards[None, :, 1]}
    plan = {"rewards": terms, "combine": "normalize_then_sum"}
    close(rewards_of(plan, **facts), [expected])
    close(RewardPlan.from_config({**plan, "advantage": "none"}).apply(facts).advantages_P_G, [expected])
