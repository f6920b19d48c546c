"""A tiny model, rows with a spread of lengths, and runs of `libra sft` on them."""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import warm

from libra_cli.training.distributed.launch import free_port
from libra_cli.training.settings import SftSettings

HERE = Path(__file__).parent
STEPS = 6
BATCH = 8
COMMON = ["--batch-size", str(BATCH), "--max-steps", str(STEPS), "--max-length", "160", "--lr", "1e-2",
          "--min-lr", "1e-3", "--epochs", "4", "--weight-decay", "0.1", "--seed", "3"]  # fmt: skip


def write_model(folder: Path) -> Path:
    """A random two-layer Qwen2 with the byte-level tokenizer and the template of the package's own models."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from libra_cli import miniature

    source = miniature.resolve("libra-mini/weak")
    assert source is not None
    folder.mkdir(parents=True)
    for path in source.iterdir():
        if path.suffix != ".safetensors":
            shutil.copy(path, folder)
    config = AutoConfig.from_pretrained(source)
    config.update({"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
                   "num_key_value_heads": 2, "head_dim": 8, "layer_types": ["full_attention"] * 2})  # fmt: skip
    torch.manual_seed(1)
    AutoModelForCausalLM.from_config(config).to(torch.float32).save_pretrained(folder)
    return folder


def write_other_model(folder: Path, kind: str) -> Path:
    """A random two-layer model of another architecture, without a tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    shared = {"vocab_size": 284, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
              "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}  # fmt: skip
    own: dict[str, dict[str, Any]] = {
        "gemma2": {**shared, "sliding_window": 40, "query_pre_attn_scalar": 8},
        "bloom": {"vocab_size": 284, "hidden_size": 32, "n_layer": 2, "n_head": 4},
        "mistral": {**shared, "sliding_window": 40},
        "gpt2": {"vocab_size": 284, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 512, "attn_pdrop": 0.0,
                 "embd_pdrop": 0.0, "resid_pdrop": 0.0},
        "mixtral": {**shared, "num_local_experts": 4, "sliding_window": None},
    }  # fmt: skip
    torch.manual_seed(2)
    config = AutoConfig.for_model(kind, **own[kind], bos_token_id=0, eos_token_id=1, pad_token_id=None)
    AutoModelForCausalLM.from_config(config).to(torch.float32).save_pretrained(folder)
    return folder


def write_rows(path: Path, n: int = 24, seed: int = 0) -> Path:
    """Sums with thoughts of 1 to 8 lines."""
    draw = random.Random(seed)
    with open(path, "w") as file:
        for number in range(n):
            a, b = draw.randrange(2, 99), draw.randrange(2, 99)
            thought = ";".join(f"{a}+{b} carry 00={a + b}" for _ in range(draw.randrange(1, 8)))
            question = f"Working left to right modulo 1000, what is {a}+{b}?"
            answer = f"<think>{thought}</think>The answer is \\boxed{{{a + b}}}."
            turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            file.write(json.dumps({"id": f"sum-{number}", "messages": turns}) + "\n")
    return path


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder of the whole session: the first of pytest's processes that wants it has it made, the others wait."""
    session = tmp_path_factory.getbasetemp()
    folder = (session.parent if os.environ.get("PYTEST_XDIST_WORKER") else session) / name
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.with_suffix(".done").exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            folder.with_suffix(".done").touch()
    return folder


def environment(ranks: int = 1) -> dict[str, str]:
    """A shell's, with one thread a rank."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": str(HERE.parents[1])}


def drive(folder: Path, ranks: int, runs: dict[str, list[str]], may_fail: bool = False,
          piped: Mapping[str, Path] | None = None, stage: str | Mapping[str, str] = "sft",
          patch: Sequence[str | int] = ()) -> None:  # fmt: skip
    """Runs `runs` (name: arguments) on so many ranks, one after another; each writes FOLDER/NAME and NAME.log.

    `stage`: that of all, or of each by its name.

    `patch`: a helper module and the arguments of its `patch`, which is called first.

    Where they may fail, NAME.ended has the status and the message. `piped` are the files that runs read from a pipe.
    """
    plan = [{"stage": stage if isinstance(stage, str) else stage[name], "log": str(folder / f"{name}.log"),
             "args": ["-o", str(folder / name), "--quiet", *args],
             **({"patch": list(patch)} if patch else {}),
             **({"ended": str(folder / f"{name}.ended")} if may_fail else {}),
             **({"stdin": str(piped[name])} if piped and name in piped else {})}
            for name, args in runs.items()]  # fmt: skip
    path = folder / f"{next(iter(runs))}.plan.json"  # others may drive theirs in this folder at the same time
    path.write_text(json.dumps(plan))
    run_ranks(HERE / "drive.py", [str(path)], ranks)


def run_ranks(script: Path, arguments: list[str], ranks: int, seconds: float = 280) -> None:
    """Runs a Python script in a process for each rank, as torchrun does, until all have ended well or one has not."""
    port = free_port()
    words = warm.python(script, *arguments)
    with ExitStack() as stack:
        logs = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(ranks)]
        started = []
        for rank, log in enumerate(logs):
            place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": ranks, "LOCAL_WORLD_SIZE": ranks,
                     "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}  # fmt: skip
            env = environment() | {name: str(value) for name, value in place.items() if ranks > 1}
            started.append(subprocess.Popen(words, env=env, stdout=log, stderr=subprocess.STDOUT))
        end = time.monotonic() + seconds
        while any(each.poll() is None for each in started) and not any(each.returncode for each in started):
            if time.monotonic() > end:
                break
            time.sleep(0.02)
        for each in started:
            each.kill()  # nothing, where it has ended
        statuses = [each.wait() for each in started]
        for log in logs:
            log.seek(0)
        assert statuses == [0] * ranks, "\n".join(f"{statuses}: {log.read()[-4000:]}" for log in logs)


def steps(log: Path) -> list[dict[str, Any]]:
    """The lines of the steps, the last of each where a run went over it twice."""
    events = [json.loads(line) for line in log.read_text().splitlines()]
    return list({event["step"]: event for event in events if event["event"] == "step"}.values())


def settings(*args: str) -> SftSettings:
    """What `libra sft ARGS` is told."""
    from libra_cli.stages.sft.command import command

    options = command.make_context("sft", list(args)).params
    beta1, beta2 = options.pop("betas")
    return SftSettings.of({**options, "beta1": beta1, "beta2": beta2})


def weights(folder: Path) -> dict[str, Any]:
    """The tensors of a model folder."""
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def difference(a: Path, b: Path) -> float:
    """The greatest difference between the weights of two models."""
    first, second = weights(a), weights(b)
    assert first.keys() == second.keys()
    return max(float((first[name].float() - second[name].float()).abs().max()) for name in first)
