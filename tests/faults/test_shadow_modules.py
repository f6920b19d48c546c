"""A folder of data that holds Python files named as modules are: libra, run there, imports none of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import thinned

SHADOWS = ["accelerate", "click", "datasets", "deepspeed", "httpx", "json", "libra_cli", "liger_kernel", "logging",
           "math_verify", "matplotlib", "mpmath", "multiprocessing", "numpy", "orjson", "peft", "pickle",
           "pint", "pkgutil", "random", "regex", "rich", "runpy", "safetensors", "sitecustomize", "socket", "sqlite3",
           "ssl", "subprocess", "sympy", "tensorboard", "tempfile", "tokenizers", "torch", "transformers",
           "triton", "typing", "usercustomize", "vllm", "wandb", "yaml", "zstandard"]  # fmt: skip
PROBLEMS = [{"id": f"p{n}", "question": f"What is {n}+{n}?", "reference": str(2 * n)} for n in range(3)]
RESPONSES = [{**row, "model": "m", "response": rf"\boxed{{{row['id'][1:]}*2+\sin 0}}"} for row in PROBLEMS]
CONVERSATIONS = [
    {"messages": [{"role": "user", "content": row["question"]}, {"role": "assistant", "content": row["reference"]}]}
    for row in PROBLEMS * 4
]
BENCH = [{**row, "label": number % 2} for number, row in enumerate(RESPONSES)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The current folder of the runs: data, and modules that tell that they were imported."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name in SHADOWS:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path)!r} + '/ran-' + __name__, 'w').close()\n")
    for name, rows in {"p": PROBLEMS, "r": RESPONSES, "c": CONVERSATIONS, "b": BENCH}.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def ran(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.glob("ran-*"))


RUNS = {
    "doctor": "libra doctor --probe",
    "verify": "libra verify -j 2 r.jsonl",
    "rollout": "libra rollout --model libra-mini/weak --engine transformers --max-tokens 8 p.jsonl",
    "sft": "libra sft --model libra-mini/weak c.jsonl -o out --batch-size 4 --max-steps 1 --nproc 2"
    " --score b.jsonl --score-with '--engine transformers --max-tokens 8'",
    "module": "python -m libra_cli verify -j 2 r.jsonl",
}

QUICK = ("verify", "rollout", "module")


@pytest.mark.parametrize("name", [name if name in QUICK else thinned.slow(name) for name in RUNS])
def test_no_module_of_the_current_folder_is_imported(shell, folder, name):
    if name == "module":  # before libra has a say, Python itself looks for these in the current folder
        for shadow in ("libra_cli", "pkgutil", "runpy"):
            (folder / f"{shadow}.py").unlink()
    ended = shell(RUNS[name], cwd=folder, timeout=280)
    assert (ended.status, ran(folder)) == (0, []), ended.err.decode()
    if name == "sft":
        scores = [event for event in map(json.loads, ended.out.splitlines()) if event["event"] == "score"]
        assert [score["n"] for score in scores] == [3], ended.err.decode()


@pytest.mark.engine
@pytest.mark.slow
def test_the_processes_of_vllm_import_none_either(shell, folder):
    pytest.importorskip("vllm")
    command = "libra rollout --model libra-mini/weak --engine vllm --max-tokens 8 p.jsonl"
    ended = shell(command, cwd=folder, timeout=280)
    assert (ended.status, ran(folder)) == (0, []), ended.err.decode()


@pytest.mark.parametrize(("pythonpath", "is_named"), [(":", False), ("", False), (".", True), ("../data", True)])
def test_a_folder_that_pythonpath_names_is_looked_in(shell, folder, pythonpath, is_named):
    """Its user asks for it; an empty entry is hardly ever meant."""
    for name in set(SHADOWS) - {"wandb"}:
        (folder / f"{name}.py").unlink()
    code = "import sys; sys.argv = ['libra', '--version']; from libra_cli import main\n"
    code += "try: main.run()\nexcept SystemExit: import wandb"
    shell([sys.executable, "-c", code], cwd=folder, env={"PYTHONPATH": f"{pythonpath}:{folder.parent}"})
    assert ran(folder) == (["ran-wandb"] if is_named else [])
