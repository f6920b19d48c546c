"""The presets of published methods load, say what they need, and give the worked numbers of their methods."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from worked_examples import close, example, group

from libra_cli.tasks import TASKS
from libra_cli.tasks.confidence import stated_confidence
from libra_cli.tasks.task import GeneratedText
from libra_cli.tasks.template import read_template
from libra_cli.training.rewards import DEFAULTS, RewardPlan

PRESETS = Path(__file__).parents[2] / "examples/recipes/rewards"
NAMES = sorted(path.stem for path in PRESETS.glob("*.yaml"))


def preset(name: str) -> RewardPlan:
    return RewardPlan.from_config(yaml.safe_load((PRESETS / f"{name}.yaml").read_text(encoding="utf-8")))


def some_facts() -> dict:
    """Every fact that a preset reads, of 3 prompts with 4 responses of 6 tokens in two steps."""
    random = np.random.default_rng(0)
    correct = np.array([[1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 1, 0]], dtype=float)
    lead = random.normal(size=(3, 4, 4))
    scores = {name: random.uniform(size=(3, 4)) for name in ("judge", "helpful", "harmless", "rubric", "confidence")}
    return {
        **{f"{name}_P_G": values for name, values in scores.items()},
        **{f"{name}_reference_P_M": random.uniform(size=(3, 2)) for name in ("judge", "helpful", "harmless")},
        "correct_P_G": correct,
        "null_by_P_G": np.zeros((3, 4)),
        "lengths_P_G": np.full((3, 4), 6),
        "truncated_P_G": np.zeros((3, 4)),
        "format_P_G": np.array([[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 0]]),
        "responses_P_G": np.full((3, 4), "Wait. Let me check: 1 + 1 = 2.", dtype=object),
        "difference_P_G_G": lead - lead.transpose(0, 2, 1),
        "wins_P_G": correct,
        "reference_P": np.array([1, 3, 0]),
        "tokens_P_G_T": random.integers(0, 2, size=(3, 4, 6)),
        "step_rewards_P_G_S": random.uniform(size=(3, 4, 2)),
        "step_ends_P_G_S": np.tile([2, 5], (3, 4, 1)),
        "prompt_id_P": np.array(["a", "b", "c"]),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_gives_something_to_learn(name):
    plan = preset(name)
    assert plan.warnings == ()
    batch = plan.apply(some_facts())
    assert np.all(np.isfinite(batch.rewards_P_G))
    assert np.all(np.isfinite(batch.advantages_P_G))
    tokens = batch.advantages_P_G_T
    values = batch.advantages_P_G if tokens is None else np.array(tokens)
    assert np.any(values != 0)
    assert values.shape == ((3, 4) if tokens is None else (3, 4, 6))


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_fits_on_one_screen(name):
    assert len((PRESETS / f"{name}.yaml").read_text(encoding="utf-8").splitlines()) <= 24


def test_the_table_of_the_readme_is_what_the_plans_say():
    text = (PRESETS / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(.*)\.yaml` \|.*\| (.*) \|$", text, re.MULTILINE))
    assert rows == {name: ", ".join(sorted(preset(name).needs)) for name in NAMES}


def test_the_paper_is_the_default():
    assert preset("libra").apply(some_facts()).figures() == RewardPlan.from_config().apply(some_facts()).figures()
    given = yaml.safe_load((PRESETS / "libra.yaml").read_text(encoding="utf-8"))
    assert {"null" if key is None else key for key in given} == DEFAULTS.keys()


# -- worked numbers ---------------------------------------------------------------------------------------------------


def columns(inputs: dict, **names: str) -> dict:
    return {f"{fact}_P_G": group(inputs[key]) for fact, key in names.items()}


def test_rewards_of_presets():
    for name, method, key, names in (
        ("posterior-grpo", "gated_sum", "posterior: f + o + o t",
         {"format": "format_G", "correct": "outcome_G", "judge": "thinking_G"}),
        ("c-grpo", "outcome_gated_rubric", "normalised", {"correct": "outcome_G", "rubric": "rubric_G"}),
    ):  # fmt: skip
        inputs, expected = example(method)
        close(preset(name).apply(columns(inputs, **names)).rewards_P_G, [expected[key]])
    inputs, expected = example("trusted")
    facts = columns(inputs, correct="answer_G", judge="thinking_G")
    close(preset("trust-grpo").apply(facts, step=inputs["step"]).rewards_P_G, [expected["rewards_G"]])
    inputs, expected = example("rlcr_reward")
    facts = columns(inputs, correct="correct_G", format="format_G")
    facts |= {"confidence_P_G": group([0.9, 0.4, 0.8, 0.1, 0.5]), "truncated_P_G": np.zeros((1, 5))}
    close(preset("rlcr").apply(facts).rewards_P_G, [expected])
    inputs, expected = example("length_when_accurate")
    facts = {name: np.array(inputs[name]) for name in ("correct_P_G", "lengths_P_G")}
    close(preset("grpo-lambda").apply(facts).rewards_P_G, expected)
    inputs, expected = example("preference_as_reward")
    facts = {"judge_P_G": group([inputs["score"]] * 2), "judge_reference_P_M": group(inputs["references_M"])}
    close(preset("par").apply(facts).rewards_P_G, [[expected["two"]] * 2])


def test_advantages_of_presets():
    inputs, expected = example("rloo")
    close(preset("rloo").apply({"correct_P_G": group(inputs["rewards_G"])}).advantages_P_G, [expected])
    inputs, expected = example("group_norm")
    facts = {"correct_P_G": group(inputs["rewards_G"])}
    close(preset("dr-grpo").apply(facts).advantages_P_G, [expected["none (Dr. GRPO)"]])
    inputs, expected = example("beta_norm")
    facts = {"correct_P_G": np.array(inputs["rewards_P_G"])}
    close(preset("bnpo").apply(facts).advantages_P_G, expected["advantages_P_G"])
    inputs, expected = example("pairwise_advantage")
    facts = {"difference_P_G_G": np.array([inputs["difference_G_G"]]), "lengths_P_G": np.ones((1, 3))}
    close(preset("think-rm").apply(facts).advantages_P_G, [expected])
    inputs, expected = example("bootstrap_advantage")
    facts = {"wins_P_G": np.array(inputs["wins_G"]), "reference_P": np.full(2, inputs["reference"])}
    close(preset("writing-zero").apply(facts).advantages_P_G, expected)
    inputs, expected = example("tempo")
    facts = {"correct_P_G": group(inputs["rewards_G"]), "tokens_P_G_T": [inputs["tokens_G"]]}
    for tokens, own in zip(preset("tempo").apply(facts).advantages_P_G_T[0], expected, strict=True):
        close(tokens, own)


def test_gdpo_normalises_each_term_and_scales_the_batch():
    """Terms of -1 and 1 in each group of two: sums of 1.5, scaled by the deviation of all four."""
    facts = {"correct_P_G": np.array([[1, 0], [1, 0]]), "format_P_G": np.array([[1, 0], [0, 1]]),
             "lengths_P_G": np.full((2, 2), 10)}  # fmt: skip
    unit = 0.5 / (0.5**0.5 + 1e-4)
    sums = np.array([[1.5, -1.5], [0.5, -0.5]]) * unit
    close(preset("gdpo").apply(facts).advantages_P_G, sums / (sums.std(ddof=1) + 1e-4))


@pytest.mark.parametrize(
    ("task", "record", "verdict", "outcome"),
    [
        ("score", {"question": "1+1?", "response": "2"}, "[[score=4]]", 4),
        ("rank", {"question": "1+1?", "response_a": "2", "response_b": "3"}, "[[A>>B]]", "A>>B"),
        ("verify", {"question": "1+1?", "reference": "2", "response": "3"}, "[[Wrong]]", "wrong"),
        ("reason", {"question": "1+1?"}, r"\boxed{2}", "2"),
    ],
)
def test_a_prompt_that_asks_for_a_confidence_is_read_like_the_built_in_one(task, record, verdict, outcome):
    template = read_template(str(PRESETS / f"{task}-confidence.txt"))
    [message] = TASKS[task].prompt(record, template)
    assert "[[confidence=P]]" in message["content"]
    assert all(value in message["content"] for value in record.values())
    text = f"<think>Fine.</think>It is so.\n[[confidence=0.8]]\n{verdict}"
    assert TASKS[task].read(GeneratedText.of(text)).outcome == outcome
    assert stated_confidence(text) == 0.8
