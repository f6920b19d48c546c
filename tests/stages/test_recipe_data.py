"""The data of the paper's reinforcement learning: what `data.sh` of the recipes makes, `libra grpo` takes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

RECIPES = Path(__file__).parents[2] / "examples/recipes"
PAPER = {"libra-rm-32b-math": (16_874, 14_591), "libra-rm-32b": (16_874, 14_591, 22_060)}
SMALL = {
    "PROBLEMS": "--preset libra-mini --where index%30==0",
    "BENCHMARK": "benchmark-problems.jsonl",
    "POLICIES": "libra-mini/weak libra-mini/strong",
    "TEACHER": "libra-mini/strong",
    "ENGINE": "--engine transformers --max-tokens 200",
    "PAIRS": "--preset preference people.jsonl",
    "JUDGED": "10",
    "RESPONSES": "2",
    "RL_SCORE": "3",
    "RL_REASON": "3",
    "RL_RANK": "2",
}


def rl_commands(name: str) -> list[str]:
    """The commands of a script that make rl.jsonl from what its earlier steps leave."""
    script = (RECIPES / name / "data.sh").read_text().replace("\\\n", "")
    return [
        line for line in script.splitlines() if line.startswith("libra") and ("rl.jsonl" in line or "pairs[@]" in line)
    ]


@pytest.mark.parametrize("name", PAPER)
def test_the_mixture_has_the_papers_counts(name):
    [mixed] = [line for line in rl_commands(name) if line.startswith("libra mix")]
    counts = [int(part.partition("}")[0]) for part in mixed.split(":-")[1:]]
    assert tuple(counts) == PAPER[name]
    for text in ((RECIPES / name / "README.md").read_text(), (RECIPES / name / "grpo.yaml").read_text()):
        assert all(f"{count:,}" in text for count in counts)
        assert "data/rl.jsonl" in text


@pytest.mark.engine
@pytest.mark.timeout(300)
def test_libra_grpo_takes_what_the_script_makes(shell, tmp_path):
    """`data.sh data rl` (rl-zero, Libra-RM-32B-MATH), then the pairs of Libra-RM-32B beside it."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "benchmark-problems.jsonl").write_text('{"question": "How many of these are there?", "reference": "42"}\n')
    pairs = [{"question": f"What is {n}+1?", "chosen": f"{n + 1}", "rejected": f"{n}"} for n in range(2)]
    (data / "people.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in pairs))
    made = shell(["bash", str(RECIPES / "libra-rm-32b-math/data.sh"), str(data), "rl"], env=SMALL, timeout=200)
    assert made.status == 0, made.err.decode()
    assert not (data / "answers.jsonl").exists()
    more = f"read -ra pairs <<< $PAIRS; {'; '.join(rl_commands('libra-rm-32b'))}"
    assert shell(["bash", "-euc", more], env=SMALL, cwd=data).status == 0

    small = "--max-tokens 48 --max-length 512 --sequence-parallel 1"
    config = RECIPES / "libra-rm-32b/grpo.yaml"
    planned = shell(f"libra grpo --config {config} --model libra-mini/weak -o x {small} --dry-run data/rl.jsonl")
    assert planned.status == 0, planned.err.decode()
    assert json.loads(planned.out)["prompts"] == 8
    zero = shell(
        f"libra grpo --config examples/recipes/rl-zero/grpo.yaml --model libra-mini/weak -o {tmp_path}/x "
        f"{small} --dry-run {data}/rl.jsonl", cwd=RECIPES.parents[1],
    )  # fmt: skip
    assert zero.status == 0, zero.err.decode()
    assert json.loads(zero.out)["longest_prompt"] > json.loads(planned.out)["longest_prompt"]
    run = f"--model libra-mini/weak -o run {small} --prompts 8 -n 2 --batch-size 8 --save-rollouts"
    trained = shell(f"libra grpo {run} data/rl.jsonl")
    assert trained.status == 0, trained.err.decode()
    events = [json.loads(line) for line in trained.out.splitlines()]
    assert [event["step"] for event in events if event["event"] == "step"] == [1, 2]
    saved = [json.loads(line) for line in (tmp_path / "run/rollouts/rollout-0.jsonl").read_text().splitlines()]
    assert Counter(row["task"] for row in saved) == {"score": 6, "reason": 6, "rank": 4}
