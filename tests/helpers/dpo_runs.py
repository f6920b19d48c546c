"""Preference pairs, a model that has left its reference, and what is expected of `libra dpo` on them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import sft_runs as runs

PAIRS = 8
BETA = 0.3
SHAKEN = 0.05
"""Standard deviation of what is added to each weight of the policy, relative to that of its tensor."""


def turn(role: str, content: str) -> list[dict[str, str]]:
    """A conversation of one turn."""
    return [{"role": role, "content": content}]


def pairs(n: int = PAIRS, seed: int = 0) -> list[dict[str, Any]]:
    """Sums, each with a right answer after some thoughts and a wrong one; the prompts differ."""
    draw = random.Random(seed)
    rows = []
    for number in range(n):
        a, b = draw.randrange(2, 99), 100 * seed + number
        thoughts = [";".join(f"{a}+{b}={a + b}" for _ in range(draw.randrange(1, 6))) for _ in range(2)]
        chosen, rejected = (
            f"<think>{thought}</think>It is \\boxed{{{a + b + off}}}."
            for thought, off in zip(thoughts, (0, 7), strict=True)
        )
        rows.append({
            "id": f"pair-{seed}-{number}", "prompt": turn("user", f"What is {a}+{b}?"),
            "chosen": turn("assistant", chosen), "rejected": turn("assistant", rejected),
            "chosen_value": draw.random(), "rejected_value": draw.random(),
        })  # fmt: skip
    return rows


def labelled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One response of each pair, two of three chosen."""
    return [
        {"prompt": row["prompt"], "completion": row["rejected" if at % 3 == 1 else "chosen"], "label": at % 3 != 1}
        for at, row in enumerate(rows)
    ]


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    """`rows` as lines of JSON."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_policy(folder: Path, reference: Path) -> Path:
    """The reference after some training, as it were: noise on all weights."""
    import shutil

    import torch
    from transformers import AutoModelForCausalLM

    shutil.copytree(reference, folder)
    model = AutoModelForCausalLM.from_pretrained(reference, dtype=torch.float32)
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter += noise * (SHAKEN * float(parameter.std()) + 0.01)
    model.save_pretrained(folder)
    return folder


def write_models(folder: Path) -> tuple[Path, Path]:
    """Policy and reference."""
    reference = runs.write_model(folder / "reference")
    return write_policy(folder / "policy", reference), reference
