"""Rewards from facts, against numbers worked by hand; nulls, groups that teach nothing, and what a plan refuses."""

from __future__ import annotations

import sys
from math import inf, isnan, nan

import numpy as np
import pytest
import yaml
from worked_examples import close, example, group

from libra_cli.exits import InvalidOptions
from libra_cli.training.rewards import FACTS, NullBy, RewardPlan, key_of


def rewards_of(config: dict, **facts) -> np.ndarray:
    return RewardPlan.from_config(config).apply(facts).rewards_P_G


# -- the paper --------------------------------------------------------------------------------------------------------


def test_length_penalty_of_equation_4():
    inputs, expected = example("len_penalty")
    plan = {"rewards": [{"name": "len_penalty", "expected": inputs["expected"], "longest": inputs["longest"]}]}
    close(rewards_of(plan, lengths_P_G=group(inputs["lengths_G"])), [expected])


def test_the_default_is_the_papers_reward_and_advantage():
    """16,384 tokens are free, 24,576 cost a half; mean 0.375, standard deviation with n - 1 is 0.75."""
    batch = RewardPlan.from_config().apply(
        {"correct_P_G": group([1, 1, 0, 0]), "lengths_P_G": group([16_384, 24_576, 100, 16_384 + 1024])}
    )
    close(batch.rewards_P_G, [[1, 0.5, 0, -0.0625]])
    deviation = np.std([1, 0.5, 0, -0.0625], ddof=1)
    close(batch.advantages_P_G, (batch.rewards_P_G - 0.359375) / (deviation + 1e-4))
    assert batch.names_K == ("correct", "len_penalty")
    assert batch.weights_K.tolist() == [1, -1]
    assert batch.counts.penalties == (2, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0)
    assert batch.keep_P_G.all()
    assert batch.advantages_P_G_T is None


def test_a_penalty_is_counted_by_its_size():
    """Edges belong to the bin below; what is longer than the longest is in the last one."""
    plan = {"rewards": [{"name": "len_penalty", "weight": -1, "expected": 100, "longest": 200}]}
    batch = RewardPlan.from_config(plan).apply({"lengths_P_G": np.array([[100, 101, 110, 111], [150, 199, 200, 900]])})
    assert batch.counts.penalties == (1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 3)
    close(batch.rewards_P_G, [[0, -0.01, -0.1, -0.11], [-0.5, -0.99, -1, -1]])


def test_advantages_of_a_group():
    inputs, expected = example("group_norm")
    facts = {"correct_P_G": group(inputs["rewards_G"])}
    for scale, key in (("group", "group"), ("none", "none (Dr. GRPO)")):
        plan = {"rewards": ["correct"], "advantage": {"scale": scale, "epsilon": inputs["epsilon"]}}
        close(RewardPlan.from_config(plan).apply(facts).advantages_P_G, [expected[key]])


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1 / 3, -7e5])
def test_equal_rewards_have_advantage_exactly_0(scale, value):
    """The mean of seven 0.1 is not 0.1 in floating point; beside it stands a group that has a spread."""
    correct = np.array([[value] * 7, [1, 0, 0, 0, 0, 0, 0]])
    plan = RewardPlan.from_config({"rewards": ["correct"], "advantage": {"scale": scale, "epsilon": 0}})
    batch = plan.apply({"correct_P_G": correct})
    assert batch.advantages_P_G[0].tolist() == [0.0] * 7
    assert np.all(batch.advantages_P_G[1] != 0)
    assert (batch.counts.zero_spread, batch.figures()["zero_spread_share"]) == (1, 0.5)


def test_rewards_that_differ_by_rounding_are_equal():
    """0.1 + 0.2 - 0.3 is not 0.3 - 0.2 - 0.1; a hundredth of a token's penalty is a difference."""
    plan = RewardPlan.from_config({"rewards": ["correct"], "advantage": {"epsilon": 0}})
    batch = plan.apply({"correct_P_G": np.array([[0.1 + 0.2, 0.3], [0.3, 0.3 - 1e-7]])})
    assert batch.advantages_P_G[0].tolist() == [0, 0]
    close(batch.advantages_P_G[1], [2**-0.5, -(2**-0.5)])


def test_the_deviation_of_the_batch_is_that_of_all_its_rewards():
    """TRL's scale_rewards: batch divides by the deviation of the rewards, not of their distances to group means."""
    correct = np.array([[1, 0, 1, 1], [0, 0, 1, nan]])
    plan = RewardPlan.from_config({"rewards": ["correct"], "advantage": {"scale": "batch"}})
    deviation = np.std([1, 0, 1, 1, 0, 0, 1], ddof=1) + 1e-4
    expected = [[0.25, -0.75, 0.25, 0.25], [-1 / 3, -1 / 3, 2 / 3, 0]]
    close(plan.apply({"correct_P_G": correct}).advantages_P_G, np.array(expected) / deviation)


# -- nulls ------------------------------------------------------------------------------------------------------------


def test_a_null_of_the_policy_is_wrong_and_one_of_the_verifier_is_left_out():
    batch = RewardPlan.from_config({"rewards": ["correct"]}).apply(
        {
            "correct_P_G": np.array([[1, nan, 0, nan], [1, nan, 1, 1]]),
            "null_by_P_G": np.array([["none", "policy", "none", "verifier"], [0, NullBy.VERIFIER, 0, 0]], dtype=object),
        }
    )
    close(batch.rewards_P_G, [[1, 0, 0, nan], [1, nan, 1, 1]])
    third = 1 / 3
    close(batch.advantages_P_G[0], np.array([2 * third, -third, -third, 0]) / (np.std([1, 0, 0], ddof=1) + 1e-4))
    assert batch.advantages_P_G[1].tolist() == [0, 0, 0, 0]
    counts = batch.counts
    assert (counts.null_by_policy, counts.null_by_verifier, counts.zero_spread) == (1, 2, 1)
    figures = batch.figures()
    assert (figures["null_by_policy_share"], figures["null_by_verifier_share"]) == (0.125, 0.25)
    assert figures["reward"] == figures["reward/correct"] == 4 / 6


def test_a_response_cut_at_the_limit_is_wrong_and_pays_for_its_length():
    """Null by the policy is 0 for correctness; the length penalty of Eq. 4 is due as for any other response."""
    facts = {"correct_P_G": group([nan, 1]), "null_by_P_G": np.array([["policy", "none"]]),
             "lengths_P_G": group([32_768, 10])}  # fmt: skip
    close(rewards_of({}, **facts), [[-1, 1]])


def test_an_unknown_value_without_a_cause_is_not_taken_for_wrong():
    batch = RewardPlan.from_config({"rewards": ["correct"]}).apply({"correct_P_G": group([1, nan, 0])})
    assert isnan(batch.rewards_P_G[0, 1])
    assert batch.counts.null_by_verifier == 1


def test_two_known_rewards_are_enough():
    batch = RewardPlan.from_config({"rewards": ["correct"]}).apply({"correct_P_G": group([1, nan, 0])})
    assert batch.advantages_P_G[0, 0] == -batch.advantages_P_G[0, 2] > 0
    assert (batch.counts.too_few_known, batch.counts.zero_spread) == (0, 0)


@pytest.mark.parametrize("known", [[nan, nan, nan], [1, nan, nan]])
def test_fewer_than_two_known_rewards_teach_nothing(known):
    batch = RewardPlan.from_config({"rewards": ["correct"]}).apply({"correct_P_G": group(known)})
    assert batch.advantages_P_G.tolist() == [[0, 0, 0]]
    assert (batch.counts.too_few_known, batch.counts.zero_spread) == (1, 0)
    assert batch.figures()["zero_spread_share"] == 1


def test_nulls_are_worth_what_the_recipe_says():
    """BR-RM: right 0, wrong -1, a broken format far below."""
    inputs, expected = example("verdict_levels")
    facts = {"correct_P_G": group(inputs["correct_G"]), "null_by_P_G": np.array([[0, 0, 1]])}
    levels = {"rewards": [{"name": "correct", "right": 0, "wrong": -1}]}
    close(rewards_of({**levels, "null": {"policy": -100}}, **facts), [expected])
    close(rewards_of({**levels, "null": {"policy": "exclude"}}, **facts), [[0, -1, nan]])
    facts["null_by_P_G"] = np.array([[0, 0, 2]])
    close(rewards_of({**levels, "null": {"policy": -100}}, **facts), [[0, -1, nan]])
    close(rewards_of({**levels, "null": {"verifier": -0.5}}, **facts), [[0, -1, -0.5]])


def test_a_response_cannot_be_right_and_null():
    with pytest.raises(ValueError, match="response 1 of prompt 0 is both right and null"):
        rewards_of({}, correct_P_G=group([0, 1]), lengths_P_G=group([1, 1]), null_by_P_G=np.array([[1, 2]]))


def test_a_batch_without_prompts_has_no_rewards():
    batch = RewardPlan.from_config().apply({"correct_P_G": np.zeros((0, 4)), "lengths_P_G": np.zeros((0, 4))})
    assert batch.advantages_P_G.shape == (0, 4)
    assert batch.figures()["zero_spread_share"] == 0


# -- terms of one's own -----------------------------------------------------------------------------------------------


def test_a_function_of_the_user_is_a_term(tmp_path, monkeypatch):
    (tmp_path / "bonus_terms.py").write_text(
        "def short(facts, *, limit: int = 10):\n    return facts['lengths_P_G'] < limit\n"
        "def flat(facts):\n    return facts['lengths_P_G'].ravel()\n"
        "def any_option(facts, **options):\n    return facts['lengths_P_G'] * options['factor']\n"
        "any_option.facts = ('lengths', 'judge')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    facts = {"lengths_P_G": group([5, 20, 30]), "correct_P_G": group([1, 1, 0])}
    close(rewards_of({"reward": "bonus_terms:short"}, **facts), [[1, 0, 0]])
    both = ["correct", {"reward": "bonus_terms:short", "weight": 0.5, "limit": 25, "label": "short"}]
    close(rewards_of({"rewards": both}, **facts), [[1.5, 1.5, 0]])
    free = {"reward": "bonus_terms:any_option", "factor": 2}
    assert RewardPlan.from_config({"rewards": [free]}).facts == {"lengths", "judge"}
    close(rewards_of({"rewards": [free]}, **facts, judge_P_G=group([0, 0, 0])), [[10, 40, 60]])
    with pytest.raises(InvalidOptions, match=r"the reward bonus_terms:flat returned the shape \(3,\)"):
        rewards_of({"reward": "bonus_terms:flat"}, **facts)
    for wrong, message in (
        ("bonus_terms", "expected module:function or FILE.py:function, got 'bonus_terms'"),
        ("no_such_module:f", "no module is named 'no_such_module': name its file"),
        ("bonus_terms:long", "bonus_terms has no function 'long'"),
    ):
        with pytest.raises(InvalidOptions, match=f"^rewards\\[0\\].reward: {message}"):
            RewardPlan.from_config({"reward": wrong})
    with pytest.raises(InvalidOptions, match=r"^rewards\[0\].limits: bonus_terms:short has no such option"):
        RewardPlan.from_config({"rewards": [{"reward": "bonus_terms:short", "limits": 3}]})


def test_a_function_of_a_file_is_a_term_and_the_current_folder_is_not_searched(tmp_path, monkeypatch):
    """A folder of data may hold somebody else's modules; a file that is named is meant."""
    (tmp_path / "private_bonus.py").write_text("def flat(facts):\n    return facts['lengths_P_G'] * 0 + 1\n")
    (tmp_path / "broken_bonus.py").write_text("def flat(facts:\n")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    facts = {"lengths_P_G": group([5, 20])}
    for path in ("private_bonus.py", "./private_bonus.py", str(tmp_path / "private_bonus.py")):
        close(rewards_of({"reward": f"{path}:flat"}, **facts), [[1, 1]])
    assert sys.path == before
    with pytest.raises(InvalidOptions, match=r"no module is named 'private_bonus': name its file \(FILE.py:function\)"):
        RewardPlan.from_config({"reward": "private_bonus:flat"})
    for path in ("missing.py", "broken_bonus.py"):
        with pytest.raises(InvalidOptions, match=rf"^rewards\[0\].reward: {path}: .*name a file of Python"):
            RewardPlan.from_config({"reward": f"{path}:flat"})


OWN = """
def undeclared(facts):
    return facts["judge_P_G"]

def without_axes(facts):
    return facts["lengths"]

def named(facts):
    return [[len(text) for text in texts] for texts in facts["responses_P_G"]]

named.facts = ("responses_P_G",)

def divided(facts):
    import json
    return json.loads("{")

def text(facts):
    return [["long", "short"]]

def endless(facts):
    return [[float("-inf"), 1.0]]
"""


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("undeclared", r"own.py:3: KeyError: 'judge_P_G'; .*function.facts = \(\"judge\",\)$"),
        ("without_axes", r"own.py:6: KeyError: 'lengths'; the key of this fact is \"lengths_P_G\"$"),
        ("named", r"the rewards need the fact \"responses_P_G\", which"),
        ("divided", r"own.py:15: JSONDecodeError: Expecting .*; mend it there$"),
        ("text", r"own.py: text returned what is no array of numbers \(could not convert"),
        ("endless", r"own.py: endless returned an infinite number; NaN stands for a reward that is unknown$"),
    ],
)
def test_an_error_in_a_function_of_the_user_has_its_file_and_line(function, message, tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    facts = {"lengths_P_G": group([5, 20])}
    plan = {"reward": f"{tmp_path}/own.py:{function}"}
    with pytest.raises(InvalidOptions, match=message):
        rewards_of(plan, **facts)
    if function == "named":
        close(rewards_of(plan, **facts, responses_P_G=np.array([["a", "bc"]], dtype=object)), [[1, 2]])


def test_a_file_that_fails_as_it_is_read_is_named_with_its_line(tmp_path):
    (tmp_path / "own.py").write_text("import math\n\nLIMIT = math.sqroot(2)\n")
    with pytest.raises(InvalidOptions, match=r"own.py:3: AttributeError: .*sqroot.*; mend it there"):
        RewardPlan.from_config({"reward": f"{tmp_path}/own.py:short"})


# -- what a plan refuses ----------------------------------------------------------------------------------------------

REFUSED = [
    ("reward_terms: []", 'reward_terms: no key of the reward plan is named'),
    ("rewards: []", "rewards: expected a list of terms"),
    ("rewards: [{name: corect}]", 'rewards[0].name: no term is named \'corect\': did you mean "correct"?'),
    ("rewards: [{weight: 1}]", "rewards[0]: give either name"),
    ("rewards: [{name: correct, weight: heavy}]", "rewards[0].weight: expected a number, got 'heavy'"),
    ("rewards: [{name: correct, weight: 0}]", "rewards: every weight is 0"),
    ("rewards: [{name: len_penalty, expect: 5}]", 'rewards[0].expect: len_penalty has no such option: did you mean'),
    ("rewards: [{name: len_penalty, expected: 0}]", "rewards[0].expected: expected a number above 0"),
    ("rewards: [{name: len_penalty, expected: 9, longest: 9}]", "rewards[0]: expected must be below longest"),
    ("rewards: [correct, correct]", "rewards[1]: a second term called 'correct': give one of them a label"),
    ("rewards: [{name: correct, gate: {above: 0}}]", "rewards[0].gate: a gate needs the fact that opens it"),
    ("rewards: [{name: correct, gate: {fact: format, over: 0}}]", "rewards[0].gate.over: no key of a gate"),
    ("rewards: [{name: correct, transform: sqrt}]", "rewards[0].transform.name: no transform is named 'sqrt'"),
    ("rewards: [{name: correct, anneal: {steps: 5}}]", "rewards[0].anneal: expected {horizon: STEPS}"),
    ("rewards: [{name: correct, anneal: {horizon: 0}}]", "rewards[0].anneal.horizon: expected a number above 0"),
    ("{reward: 'a:b', rewards: [correct]}", "reward: rewards is given too"),
    ("combine: average", "combine.how: no combination is named 'average': use one of sum"),
    ("null: {policy: drop}", "null.policy: expected a number or exclude, got 'drop'"),
    ("null: {judge: 0}", "null.judge: no cause of a null is named 'judge': use one of policy, verifier"),
    ("noise: {how: denoise}", "noise.how: no noise correction is named 'denoise'"),
    ("filter: [zero_spred]", "filter[0].name: no filter is named 'zero_spred': did you mean \"zero_spread\"?"),
    ("filter: [zero_spread, pass_rate, zero_spread]", "filter[2]: zero_spread is there already: give each filter once"),
    ("filter: [{name: pass_rate, low: 0.6, high: 0.5}]", "filter[0]: low must not be above high, got 0.6 and 0.5"),
    ("rewards: [{name: correct, transform: {name: clip, low: 1}}]", "rewards[0].transform: low must be below high"),
    ("advantage: {estimator: beta_norm, low: 1}", "advantage: low must be below high, got 1 and 1"),
    ("advantage: {estimator: gae}", "advantage.estimator: no estimator is named 'gae'"),
    ("advantage: {scale: prompt}", "advantage.scale: expected one of group, batch, none, got 'prompt'"),
    ("advantage: {epsilon: -1e-4}", "advantage.epsilon: expected a number 0 or more, got '-1e-4'"),
    ("credit: {estimator: steps}", "credit.estimator: no credit estimator is named 'steps'"),
    ("mask_truncated: 1", "mask_truncated: expected true or false, got 1"),
    ("just a text", "rewards: expected keys and values, got 'just a text'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_is_refused_names_the_key_and_the_cure(text, message):
    with pytest.raises(InvalidOptions) as refused:
        RewardPlan.from_config(yaml.safe_load(text))
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_numbers_as_yaml_reads_them_are_numbers():
    """YAML 1.1 reads 1e-4 as a string."""
    config = yaml.safe_load("{rewards: [{name: correct, weight: 5e-1}], advantage: {epsilon: 1e-6}}")
    plan = RewardPlan.from_config(config)
    assert plan.terms[0].weight == 0.5
    assert plan.advantage.options == {"epsilon": 1e-6}


def test_one_response_has_no_group():
    plan = RewardPlan.from_config({"rewards": ["correct"]})
    with pytest.raises(InvalidOptions, match="there is one: sample at least two, or use the estimator none"):
        plan.apply({"correct_P_G": np.ones((3, 1))})
    alone = RewardPlan.from_config({"rewards": ["correct"], "advantage": "none"})
    assert alone.apply({"correct_P_G": np.ones((3, 1))}).advantages_P_G.tolist() == [[1], [1], [1]]


def test_a_fact_that_is_missing_is_named_with_its_cure():
    with pytest.raises(InvalidOptions, match='need the fact "lengths_P_G", which these rollouts do not have: save'):
        rewards_of({}, correct_P_G=group([1, 0]))
    with pytest.raises(ValueError, match=r"lengths_P_G has the shape \(1, 3\), but correct_P_G has \(1, 2\)"):
        rewards_of({}, correct_P_G=group([1, 0]), lengths_P_G=group([1, 2, 3]))
    with pytest.raises(ValueError, match="null_by_P_G holds 'server': expected none, policy or verifier"):
        rewards_of({}, correct_P_G=group([1, 0]), lengths_P_G=group([1, 2]), null_by_P_G=np.array([["server", None]]))


def test_facts_can_be_checked_before_anything_is_sampled():
    plan = RewardPlan.from_config({"rewards": ["correct", {"name": "judge", "fact": "lenghts"}]})
    plan.check(8, ["correct", "lenghts", "format"])
    with pytest.raises(
        InvalidOptions, match=r'"lenghts_P_G", which these rollouts do not have: did you mean "lengths"'
    ):
        plan.check(8, ["correct", "lengths"])
    with pytest.raises(InvalidOptions, match=r"name a function of yours that measures it, facts: {novelty: "):
        RewardPlan.from_config({"rewards": [{"name": "judge", "fact": "novelty"}]}).check(8, [])


def test_a_plan_says_what_it_needs():
    assert RewardPlan.from_config().facts == {"correct", "lengths"}
    assert RewardPlan.from_config().needs == {"labels"}
    gated = {"rewards": [{"name": "correct", "gate": {"fact": "novelty", "else": "format"}}], "mask_truncated": True}
    plan = RewardPlan.from_config(gated)
    assert plan.facts == {"correct", "novelty", "format", "truncated"}
    assert plan.needs == {"labels", "facts", "text"}
    assert key_of("novelty") == "novelty_P_G"
    assert key_of("judge_reference") == f"judge_reference_{FACTS['judge_reference'].axes}"


# -- gates, weights, masks, filters -----------------------------------------------------------------------------------


def test_weights_fall_with_the_steps():
    plan = RewardPlan.from_config({"rewards": ["correct", {"name": "format", "weight": 2, "anneal": {"horizon": 500}}]})
    facts = {"correct_P_G": group([1, 0]), "format_P_G": group([1, 0])}
    close(plan.apply(facts).rewards_P_G, [[3, 0]])
    close(plan.apply(facts, step=500).rewards_P_G, [[1 + 2 / np.e, 0]])
    assert plan.terms[0].horizon == inf


def test_a_term_of_weight_0_is_logged_and_nothing_else():
    plan = RewardPlan.from_config({"rewards": ["correct", {"name": "format", "weight": 0}]})
    batch = plan.apply({"correct_P_G": group([1, 0]), "format_P_G": group([nan, 1])})
    assert batch.rewards_P_G.tolist() == [[1, 0]]
    assert batch.counts.null_by_verifier == 0
    assert batch.figures()["reward/format"] == 1


def test_a_closed_gate_hides_what_is_unknown_and_an_unknown_gate_does_not_open():
    gated = {"rewards": [{"name": "format", "gate": {"fact": "judge", "above": 0.5, "else": -1}}]}
    facts = {"format_P_G": group([1, nan, nan, 1]), "judge_P_G": group([0.6, 0.5, 0.6, nan])}
    close(rewards_of(gated, **facts), [[1, -1, nan, nan]])


def test_truncated_responses_are_masked_on_request_and_still_count():
    facts = {"correct_P_G": group([1, 0, 0]), "truncated_P_G": group([0, 1, 0])}
    plain = RewardPlan.from_config({"rewards": ["correct"]}).apply(facts)
    masked = RewardPlan.from_config({"rewards": ["correct"], "mask_truncated": True}).apply(facts)
    assert plain.keep_P_G.tolist() == [[True, True, True]]
    assert masked.keep_P_G.tolist() == [[True, False, True]]
    assert plain.advantages_P_G.tolist() == masked.advantages_P_G.tolist()


def test_prompts_without_a_spread_are_dropped_on_request():
    facts = {"correct_P_G": np.array([[1, 1], [1, 0], [nan, 1]])}
    batch = RewardPlan.from_config({"rewards": ["correct"], "filter": [{"name": "zero_spread"}]}).apply(facts)
    assert batch.keep_P_G.tolist() == [[False, False], [True, True], [False, False]]
    assert batch.counts.dropped == {"zero_spread": 4}
    assert RewardPlan.from_config({"rewards": ["correct"]}).apply(facts).keep_P_G.all()


def test_filters_work_one_after_another():
    """The best two of the first prompt are equal, so nothing is left to learn from them."""
    facts = {"correct_P_G": np.array([[1, 1, 0], [1, 0, 0]])}
    filters = [{"name": "reward_rank", "how": "best", "keep": 2}, "zero_spread"]
    batch = RewardPlan.from_config({"rewards": ["correct"], "filter": filters}).apply(facts)
    assert batch.keep_P_G.tolist() == [[False] * 3, [True, True, False]]
    assert batch.counts.dropped == {"reward_rank": 2, "zero_spread": 2}
