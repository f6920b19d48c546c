"""Prompts for `libra grpo` on the embedded models, and what its runs report."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

PROMPTS, SAMPLES, BATCH, STEPS = 4, 4, 8, 6
EPOCHS = 0.6
"""Of the 18 prompts that `write_tasks` writes: the third and last rollout has 3 prompts."""
COMMON = ["--model", "libra-mini/weak", "--epochs", str(EPOCHS), "--prompts", str(PROMPTS), "-n", str(SAMPLES),
          "--batch-size", str(BATCH), "--max-tokens", "64", "--max-length", "512", "--max-steps", str(STEPS),
          "--lr", "1e-4", "--seed", "3"]  # fmt: skip


def write_tasks(path: Path, sums: int = 10, judged: int = 8) -> Path:
    """Problems to answer, answers to score, and pairs to rank, mixed."""
    draw = random.Random(0)
    lines = []
    for number in range(sums + judged):
        a, b = draw.randrange(2, 99), draw.randrange(2, 99)
        row: dict[str, Any] = {"question": f"Working left to right modulo 1000, what is {a}+{b}?", "subset": "sum"}
        answer = lambda value: f"The answer is \\boxed{{{value}}}."  # noqa: E731
        if number < sums:
            row |= {"id": f"reason-{number}", "reference": str(a + b)}
        elif number % 2:
            right = draw.random() < 0.5
            row |= {"id": f"score-{number}", "response": answer(a + b + 10 * (not right)), "label": int(right)}
        else:
            row |= {"id": f"rank-{number}", "response_a": answer(a + b), "response_b": answer(a + b + 1)}
            row["preference"] = "A>B"
        lines.append(json.dumps(row) + "\n")
    draw.shuffle(lines)
    path.write_text("".join(lines))
    return path


def events(log: Path, kind: str) -> list[dict[str, Any]]:
    """The events of one kind, the last of each step if a run went over it twice."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return list({line["step"]: line for line in lines if line["event"] == kind}.values())


def rows(folder: Path, number: int) -> list[dict[str, Any]]:
    """The saved responses of a rollout."""
    text = (folder / "rollouts" / f"rollout-{number}.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]
