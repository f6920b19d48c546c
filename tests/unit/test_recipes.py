"""The recipes of the paper's models: their options are those of the trainers, their numbers the paper's and our own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

RECIPES = Path(__file__).parents[2] / "examples/recipes"
SETS = {"libra-rm-32b-math": (38_917, 186_731), "libra-rm-32b": (38_917, 186_731, 25_706, 26_232)}


@pytest.mark.parametrize("name", SETS)
def test_libra_sft_takes_the_configuration(shell, name):
    """Section 4 of the paper: global batch 256, 3 epochs, 1e-5 to 1e-6, warm-up 0.03, clip 1."""
    ended = shell(f"libra sft --config {RECIPES / name}/sft.yaml -o judge sft.jsonl --print-config")
    assert (ended.status, ended.err) == (0, b"")
    options = yaml.safe_load(ended.out)
    paper = {"model": "Qwen/Qwen2.5-32B", "batch_size": 256, "epochs": 3, "lr": 1e-5, "min_lr": 1e-6, "warmup": 0.03,
             "clip": 1, "learn": "last", "max_length": 32768}  # fmt: skip
    assert {option: float(options[option]) if isinstance(value, float) else options[option]
            for option, value in paper.items()} == paper  # fmt: skip


@pytest.mark.parametrize("name", [*SETS, "rl-zero"])
def test_libra_grpo_takes_the_configuration(shell, name):
    """Section 5 of the paper: 256 prompts x 8 responses, batch 256, 1e-6, clip 0.2 and 0.28, KL 1e-3 or none."""
    given = f"--model judge -o rl rl.jsonl --config {RECIPES / name}/grpo.yaml"
    ended = shell(f"libra grpo {given} --print-config")
    assert (ended.status, ended.err) == (0, b"")
    options = yaml.safe_load(ended.out)
    paper = {"prompts": 256, "samples": 8, "temperature": 1, "max_tokens": 32768, "batch_size": 256, "lr": 1e-6,
             "schedule": "constant", "warmup": 0.03, "clip": 1, "clip_low": 0.2, "clip_high": 0.28,
             "kl": 0 if name == "rl-zero" else 1e-3}  # fmt: skip
    assert {option: float(options[option]) if isinstance(value, float) else options[option]
            for option, value in paper.items()} == paper  # fmt: skip


def test_libra_dpo_takes_the_configuration(shell):
    """Section 7 of the paper: beta 0.01, batch 256, 3 epochs, 1e-6; these are the defaults, too."""
    paper = {"loss": "sigmoid", "beta": 0.01, "batch_size": 256, "epochs": 3, "lr": 1e-6}
    for given in (f"--config {RECIPES}/preference/dpo.yaml", "--model policy"):
        ended = shell(f"libra dpo {given} -o better pairs.jsonl --print-config")
        assert (ended.status, ended.err) == (0, b"")
        options = yaml.safe_load(ended.out)
        assert {option: type(value)(options[option]) for option, value in paper.items()} == paper


@pytest.mark.parametrize("name", SETS)
def test_the_mixture_has_the_papers_counts(name):
    variables = yaml.safe_load((RECIPES / name / "pipe.yaml").read_text())["variables"]
    assert tuple(count for key, count in variables.items() if key.endswith("-samples")) == SETS[name]
    assert f"{sum(SETS[name]):,}" in (RECIPES / name / "README.md").read_text()


def test_the_readmes_table_is_what_the_arithmetic_gives():
    from transformers import Qwen2Config

    from libra_cli.training.monitoring.memory import MemoryPlan, estimate

    config = Qwen2Config(vocab_size=152064, hidden_size=5120, intermediate_size=27648, num_hidden_layers=64,
                         num_attention_heads=40, num_key_value_heads=8, tie_word_embeddings=False)  # fmt: skip
    text = (RECIPES / "libra-rm-32b-math/README.md").read_text().replace("*", "")
    rows = re.findall(r"^\| (\d+) \| (none|optimizer) \| (\d) \| (.*) \| (yes|no) \|$", text, re.MULTILINE)
    assert len(rows) == 5
    for gpus, offload, shared, figures, fits in rows:
        plan = MemoryPlan(
            int(gpus), 3, 32768, offload=offload, sequence_parallel=int(shared), activation_checkpointing=True
        )
        needed = estimate(config, plan)
        table = needed.table()
        states = sum(size for name, size in needed.device.items()
                     if name in ("weights", "gradients", "fp32 weights", "Adam's moments"))  # fmt: skip
        said = [float(cell.split()[0]) for cell in figures.split("|") if cell.strip()]
        expected = [
            round(states / 1e9, 1),
            table["layer inputs"],
            table["layer at work, or head"],
            table["device total"],
        ]
        assert said[:4] == expected
        assert said[4:] == ([round(needed.host_gb * 8)] if needed.host else [])
        assert needed.fits(80) == (fits == "yes")
