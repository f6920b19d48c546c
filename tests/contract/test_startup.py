"""`libra --help` and a stage's help start at once: no heavy module is imported for them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pins
import pytest

from libra_cli.main import STAGES

HEAVY = (
    "torch", "vllm", "transformers", "tokenizers", "safetensors", "deepspeed", "datasets", "pyarrow", "pandas", "scipy",
    "numpy", "sympy", "mpmath", "math_verify", "matplotlib", "httpx", "rich", "yaml",
)  # fmt: skip
"""Modules that no help needs."""
IMPORTED = """
import json, sys
from libra_cli.main import cli
try:
    cli.main(sys.argv[1:])
finally:
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


@pytest.mark.parametrize("command", ["", *STAGES])
def test_help_imports_nothing_heavy(command: str, tmp_path: Path) -> None:
    assert sorted({*HEAVY} & imported([*command.split(), "--help"], tmp_path)) == []


def test_rewards_of_saved_rollouts_need_no_torch(tmp_path: Path) -> None:
    saved = Path(__file__).parents[1] / "cases" / "grpo" / "replays-rollouts" / "rollouts.jsonl"
    modules = imported(["grpo", "--dry-run", "--max-tokens", "64", "--replay", str(saved)], tmp_path)
    assert "numpy" in modules
    assert sorted({"torch", "transformers", "vllm", "deepspeed"} & modules) == []


def imported(words: list[str], folder: Path) -> set[str]:
    """The packages that a run of libra imports, which ends well."""
    ended = pins.run([sys.executable, "-c", IMPORTED, *words], folder)
    assert ended.returncode == 0, ended.stderr.decode()
    return {*json.loads(ended.stderr.splitlines()[-1])}
