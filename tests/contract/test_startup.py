"""`libra --help` and a stage's help start at once: no heavy module is imported for them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pins
import pytest

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


@pytest.mark.parametrize("command", ["", "collect", "rollout", "verify", "balance", "judge", "score", "mix", "sft"])
def test_help_imports_nothing_heavy(command: str, tmp_path: Path) -> None:
    ended = pins.run([sys.executable, "-c", IMPORTED, *command.split(), "--help"], tmp_path)
    assert ended.returncode == 0, ended.stderr.decode()
    imported = json.loads(ended.stderr.splitlines()[-1])
    assert sorted({*HEAVY} & {*imported}) == []
