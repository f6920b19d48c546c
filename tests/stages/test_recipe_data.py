"""The data of the paper's reinforcement learning: what the pipelines of the recipes make, `libra grpo` takes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml

RECIPES = Path(__file__).parents[2] / "examples/recipes"
PAPER = {"libra-rm-32b-math": (16_874, 14_591), "libra-rm-32b": (16_874, 14_591, 22_060)}
SMALL = {
    "libra-rm-32b-math": {
        "problem-sets": "[]", "problem-files": "problems.jsonl",
        "benchmark-sets": "[]", "benchmark-files": "benchmark.jsonl",
        "policies": "[libra-mini/weak, libra-mini/strong]", "teacher": "libra-mini/strong", "engine": "transformers",
        "max-tokens": "200", "judged": "10", "responses-each": "2", "score-prompts": "3", "reason-prompts": "3",
    },
    "libra-rm-32b": {
        "general": "general.jsonl", "pair-sets": "preference", "pair-files": "people.jsonl",
        "score-prompts": "3", "reason-prompts": "3", "rank-prompts": "2",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", PAPER)
def test_the_mixture_has_the_papers_counts(name):
    variables = yaml.safe_load((RECIPES / name / "pipe.yaml").read_text())["variables"]
    counts = [count for key, count in variables.items() if key.endswith("-prompts")]
    assert tuple(counts) == PAPER[name]
    for text in ((RECIPES / name / "README.md").read_text(), (RECIPES / name / "grpo.yaml").read_text()):
        assert all(f"{count:,}" in text for count in counts)
        assert "rl.jsonl" in text


@pytest.mark.engine
@pytest.mark.timeout(300)
def test_libra_grpo_takes_what_the_pipelines_make(shell, tmp_path):
    """What rl-zero and Libra-RM-32B-MATH learn from, then the pairs of Libra-RM-32B beside it."""
    (tmp_path / "benchmark.jsonl").write_text('{"question": "How many of these are there?", "reference": "42"}\n')
    pairs = [{"question": f"What is {n}+1?", "chosen": f"{n + 1}", "rejected": f"{n}"} for n in range(2)]
    (tmp_path / "people.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in pairs))
    (tmp_path / "general.jsonl").write_text('{"question": "Who are you?"}\n')
    shell("libra collect --preset libra-mini --where index%30==0 -o problems.jsonl")
    for name, settings in SMALL.items():
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        made = shell(["libra", "run", "--until", "rl", *words, str(RECIPES / name / "pipe.yaml")], timeout=200)
        assert made.status == 0, made.err.decode()
    data = tmp_path / "libra-rm-32b-math"
    assert not (data / "answers.jsonl").exists()

    small = "--max-tokens 48 --max-length 512 --sequence-parallel 1"
    config = RECIPES / "libra-rm-32b/grpo.yaml"
    rows = "libra-rm-32b/rl.jsonl"
    planned = shell(f"libra grpo --config {config} --model libra-mini/weak -o x {small} --dry-run {rows}")
    assert planned.status == 0, planned.err.decode()
    assert json.loads(planned.out)["prompts"] == 8
    zero = shell(
        f"libra grpo --config examples/recipes/rl-zero/grpo.yaml --model libra-mini/weak -o {tmp_path}/x "
        f"{small} --dry-run {tmp_path}/{rows}", cwd=RECIPES.parents[1],
    )  # fmt: skip
    assert zero.status == 0, zero.err.decode()
    assert json.loads(zero.out)["longest_prompt"] > json.loads(planned.out)["longest_prompt"]
    run = f"--model libra-mini/weak -o run {small} --prompts 8 -n 2 --batch-size 8 --save-rollouts"
    trained = shell(f"libra grpo {run} {rows}")
    assert trained.status == 0, trained.err.decode()
    events = [json.loads(line) for line in trained.out.splitlines()]
    assert [event["step"] for event in events if event["event"] == "step"] == [1, 2]
    saved = [json.loads(line) for line in (tmp_path / "run/rollouts/rollout-0.jsonl").read_text().splitlines()]
    assert Counter(row["task"] for row in saved) == {"score": 6, "reason": 6, "rank": 4}
