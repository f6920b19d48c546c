"""What a dry run says of memory, and that it refuses what the run itself would refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sft_runs as runs
import torch

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.sft.run import SftMethod
from libra_cli.stream.console import Console
from libra_cli.training import dry_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dry-run")
    runs.write_model(folder / "model")
    runs.write_rows(folder / "rows.jsonl")
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y" * 600}]
    (folder / "long.jsonl").write_text(json.dumps({"messages": turns}) + "\n")
    return folder


@pytest.fixture(autouse=True)
def one_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")


def described(made: Path, ranks: int, *args: str, rows: str = "rows.jsonl") -> dict[str, Any]:
    settings = runs.settings("--model", str(made / "model"), "-o", "out", str(made / rows), *args)
    return dry_run.describe(settings, SftMethod(settings).encoder, ranks, Console("sft", quiet=True))


def test_a_sample_that_is_longer_than_a_pass_has_one_of_its_own(made: Path) -> None:
    longest = described(made, 1)["longest"]
    tiny, whole = (described(made, 1, "--micro-tokens", str(n))["memory_gb"] for n in (2, longest))
    assert tiny == whole
    assert described(made, 1, "--micro-tokens", "2000000")["memory_gb"]["device total"] > whole["device total"]


def test_a_step_has_no_more_tokens_than_all_epochs(made: Path) -> None:
    found = described(made, 1, "--epochs", "2", "--batch-size", "256")
    assert (found["steps"], found["tokens_per_step"]) == (1, 2 * found["tokens"])


@pytest.mark.parametrize(
    ("args", "ranks", "why"),
    [
        (["--sequence-parallel", "8"], 4, "--sequence-parallel 8 does not divide 4 processes; --nproc says how many"),
        (["--sequence-parallel", "8"], 1, "--sequence-parallel 8 does not divide 1 process; --nproc says how many"),
        (["--sequence-parallel", "2", "--no-packing"], 2, "--sequence-parallel needs packed rows"),
        (["--offload", "all", "--zero", "1"], 1, "--offload all needs ZeRO 3 at least"),
        (["--optimizer", "muon", "--dtype", "bf16"], 1, "--optimizer muon needs whole matrices in float32"),
        (["--epochs", "0.001"], 1, "--epochs 0.001 of 24 samples is no step"),
    ],
)
def test_what_the_run_would_refuse_is_refused(made: Path, args: list[str], ranks: int, why: str) -> None:
    with pytest.raises(Fatal, match=why) as refused:
        described(made, ranks, *args)
    assert refused.value.status == Exit.USAGE


@pytest.mark.parametrize("held_out", [False, True])
def test_samples_that_the_model_has_no_positions_for_are_refused(made: Path, held_out: bool) -> None:
    long = str(made / "long.jsonl")
    with pytest.raises(Fatal, match="tokens, and the model 512 positions; --max-length 512"):
        described(
            made, 1, *(["--eval-data", long] if held_out else []), rows="rows.jsonl" if held_out else "long.jsonl"
        )


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_one_device_without_a_gpu_needs_no_memory_for_one(made: Path) -> None:
    found = described(made, 1)
    sentence, _, cpu = found["memory"].partition("; on the CPU, since this machine has no GPU: ")
    assert sentence.startswith("fits in 80 GB: yes, ")
    total, libraries = found["memory_gb"]["device total"], found["memory_gb"]["CUDA and NCCL"]
    assert float(cpu.removesuffix(" GB")) == pytest.approx(total - libraries, abs=0.05)
    assert 0 < found["memory_gb"]["weights"] < 0.001  # and not 0.0
    assert "CPU" not in described(made, 2)["memory"]  # several devices are taken for GPUs
