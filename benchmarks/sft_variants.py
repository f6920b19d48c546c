"""The runs that `benchmarks/sft` compares: each trains an epoch on the same samples and tells a clock of every step."""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

TRL: dict[str, dict[str, Any]] = {
    "TRL": {},
    "TRL by length": {"train_sampling_strategy": "group_by_length"},
    "TRL 4 rows a pass": {"rows": 4},
    "TRL 4 rows, by length": {"rows": 4, "train_sampling_strategy": "group_by_length"},
    "TRL 1 row a pass": {"rows": 1},
    "TRL padding-free": {"padding_free": True, "max_length": None},
    "TRL packed": {"packing": True},
    "TRL packed, 1 row a pass": {"packing": True, "rows": 1},
    "TRL packed, wrapped": {"packing": True, "packing_strategy": "wrapped"},
}
"""Options of SFTConfig; `rows`: of a forward pass, where not all of a step."""


class Clock:
    """Notes each step's loss, tokens, time and memory."""

    def __init__(self) -> None:
        self.steps: list[dict[str, float]] = []
        self._before = 0

    def start(self) -> None:
        """Modules are loaded, and nothing else is."""
        with suppress(OSError):  # without the right to it, what loading took at its height is counted in
            Path("/proc/self/clear_refs").write_text("5")
        self._before = kilobytes("VmRSS")

    def step(self, loss: float, learned: int, tokens: int) -> None:
        self.steps.append({"loss": loss, "learned": learned, "tokens": tokens, "wall": time.perf_counter(),
                           "cpu": time.process_time(),
                           "added_mb": (kilobytes("VmHWM") - self._before) / 1e3})  # fmt: skip


def kilobytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))


def make_model(folder: Path, shape: dict[str, int]) -> None:
    """A Qwen2 with random weights and the tokenizer of libra's miniatures (a token a byte)."""
    import torch
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

    from libra_cli import miniature

    AutoTokenizer.from_pretrained(str(miniature.resolve("libra-mini/weak"))).save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=shape["vocabulary"], hidden_size=shape["width"], intermediate_size=8 * shape["width"] // 3,
        num_hidden_layers=shape["layers"], num_attention_heads=shape["heads"], num_key_value_heads=shape["heads"] // 2,
        max_position_embeddings=shape["length"], tie_word_embeddings=True, pad_token_id=256, eos_token_id=257,
    )  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(folder)


def make_samples(folder: Path) -> None:
    """The rows as token ids, for those that cannot read conversations as libra does."""
    from transformers import AutoTokenizer

    from libra_cli.training.data.chat_format import TrainingChat
    from libra_cli.training.data.tokenization import Encoder

    encode = Encoder(TrainingChat(AutoTokenizer.from_pretrained(folder)))
    found = [encode(json.loads(line)) for line in (folder / "rows.jsonl").read_text().splitlines()]
    samples = [{"ids": each.ids.tolist(), "loss_mask": each.loss_mask.tolist()} for each in found]
    (folder / "samples.json").write_text(json.dumps(samples))


def note_steps(clock: Clock) -> None:
    """Notes each step that a run of libra reports from now on."""
    from libra_cli.training.monitoring.telemetry import Telemetry

    record = Telemetry.record

    def watched(self: Telemetry, event: str, step: int, **figures: Any) -> None:
        record(self, event, step, **figures)
        if event == "step":
            clock.step(figures["loss"], figures["learned"], figures["tokens"])

    Telemetry.record = watched  # type: ignore[method-assign]


def libra(work: dict[str, Any], clock: Clock) -> None:
    """All of `libra sft`, from rows to a trained model, with a look at each step that it reports."""
    note_steps(clock)
    folder, length, micro = work["folder"], str(work["length"]), work["micro"]
    words = ["sft", "-q", "--model", folder, "-o", tempfile.mkdtemp(dir=folder), "--dtype", "fp32", "--batch-size",
             str(work["batch"]), "--max-length", length, "--epochs", "1", "--no-shuffle", "--schedule", "constant",
             "--warmup", "0", "--lr", str(work["lr"]), *(["--micro-tokens", str(micro)] if micro else []),
             f"{folder}/rows.jsonl"]  # fmt: skip
    clock.start()
    run_libra(words)


def run_libra(words: list[str]) -> None:
    """The command line, in this process."""
    from libra_cli import main

    with main.cli.make_context("libra", words) as context:
        if status := main.cli.invoke(context):
            sys.exit(f"libra {words[0]} failed with status {status}")


class Samples:
    """The samples as what libra's packs are made of."""

    def __init__(self, work: dict[str, Any]):
        import numpy as np

        from libra_cli.training.data.tokenization import Encoded

        read = json.loads(Path(work["folder"], "samples.json").read_text())
        self._samples = [Encoded(np.array(each["ids"], np.int32), np.array(each["loss_mask"])) for each in read]
        self.lengths = [len(each.ids) for each in self._samples]

    def __len__(self) -> int:
        return len(self._samples)

    def sample(self, index: int) -> Any:
        return self._samples[index]


def bare(work: dict[str, Any], clock: Clock) -> None:
    """A loop over libra's packs with libra's attention and loss, and nothing else."""
    import torch
    from transformers import AutoModelForCausalLM

    from libra_cli.training import settings
    from libra_cli.training.data import packing
    from libra_cli.training.data.micro_batch import make_micro_batch
    from libra_cli.training.model import attention, policy

    clock.start()
    attention.register()
    samples = Samples(work)
    lm = AutoModelForCausalLM.from_pretrained(
        work["folder"], dtype=torch.float32, attn_implementation=attention.NAME
    ).train()
    model = policy.PolicyModel(lm, packed=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=work["lr"], weight_decay=0.0, fused=True)
    order = packing.SampleOrder(len(samples), work["batch"], 1, 0, shuffle=False)
    batches = settings.BatchSettings(max_length=work["length"], micro_tokens=work["micro"])
    budget = packing.PackBudget(batches.micro_batch_tokens, 1 / (6 * lm.config.hidden_size))
    for step in range(order.steps):
        numbers = order.batch(step)
        learned = sum(int(samples.sample(i).loss_mask.sum()) for i in numbers)
        total = 0.0
        for pack in packing.pack_batch([(i,) for i in numbers], samples.lengths, 1, budget)[0]:
            given = make_micro_batch(samples, pack, packed=True, pad_id=256)
            slope = torch.full((len(given.targets),), -1 / learned)
            with model.document_layout(given):
                _, loss = model(given.inputs, given.positions, given.targets, slope)
                loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        clock.step(total, learned, sum(samples.lengths[i] for i in numbers))


def plain(work: dict[str, Any], clock: Clock) -> None:
    """What a tutorial shows: rows padded to the longest, attention and logits as transformers makes them."""
    import torch
    from torch.nn.utils.rnn import pad_sequence
    from transformers import AutoModelForCausalLM

    clock.start()
    samples = Samples(work)
    lm = AutoModelForCausalLM.from_pretrained(work["folder"], dtype=torch.float32).train()
    optimizer = torch.optim.AdamW(lm.parameters(), lr=work["lr"], weight_decay=0.0, fused=True)
    for begin in range(0, len(samples), work["batch"]):
        rows = [samples.sample(i) for i in range(begin, min(begin + work["batch"], len(samples)))]
        ids = [torch.from_numpy(row.ids).long() for row in rows]
        labels = [row.masked_fill(~torch.from_numpy(each.loss_mask), -100) for row, each in zip(ids, rows, strict=True)]
        mask = pad_sequence([torch.ones_like(row) for row in ids], batch_first=True)
        loss = lm(pad_sequence(ids, batch_first=True), attention_mask=mask, use_cache=False,
                  labels=pad_sequence(labels, batch_first=True, padding_value=-100)).loss  # fmt: skip
        loss.backward()
        torch.nn.utils.clip_grad_norm_(lm.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        clock.step(loss.item(), sum(int(row.loss_mask.sum()) for row in rows), int(mask.sum()))


def trl(work: dict[str, Any], clock: Clock, **options: Any) -> None:
    """SFTTrainer; `options` are those of SFTConfig that make batches."""
    import datasets
    import torch
    from transformers import AutoTokenizer, PrinterCallback, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class Watched(SFTTrainer):
        learned: Any = 0

        def compute_loss(self, *args: Any, num_items_in_batch: Any = None, **kwargs: Any) -> Any:
            self.learned = num_items_in_batch
            return super().compute_loss(*args, num_items_in_batch=num_items_in_batch, **kwargs)

    class Watch(TrainerCallback):
        tokens = 0

        def on_log(self, _args: Any, _state: Any, _control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
            if logs and "loss" in logs:
                clock.step(logs["loss"], int(trainer.learned), int(logs["num_tokens"] - self.tokens))
                self.tokens = logs["num_tokens"]

    clock.start()
    read = json.loads(Path(work["folder"], "samples.json").read_text())
    data = datasets.Dataset.from_dict({
        "input_ids": [each["ids"] for each in read],
        "labels": [[i if on else -100 for i, on in zip(each["ids"], each["loss_mask"], strict=True)] for each in read],
    })  # fmt: skip
    rows, accumulate = _rows_a_pass(data, work, options)
    config = SFTConfig(**{
        "output_dir": tempfile.mkdtemp(dir=work["folder"]), "max_length": work["length"], "num_train_epochs": 1,
        "per_device_train_batch_size": rows, "gradient_accumulation_steps": accumulate, "learning_rate": work["lr"],
        "lr_scheduler_type": "constant", "optim": "adamw_torch_fused", "max_grad_norm": 1.0, "logging_steps": 1,
        "train_sampling_strategy": "sequential", "save_strategy": "no", "report_to": [], "use_cpu": True, "bf16": False,
        "gradient_checkpointing": False, "disable_tqdm": True, "model_init_kwargs": {"dtype": torch.float32}, **options,
    })  # fmt: skip
    trainer = Watched(work["folder"], args=config, train_dataset=data, callbacks=[Watch()],
                      processing_class=AutoTokenizer.from_pretrained(work["folder"]))  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    trainer.train()


def _rows_a_pass(data: Any, work: dict[str, Any], options: dict[str, Any]) -> tuple[int, int]:
    """Rows of a forward pass, and passes of a step, such that there are as many steps as without packing."""
    from trl import pack_dataset

    rows = work["batch"]
    if options.get("packing"):
        packed = pack_dataset(data, work["length"], options.get("packing_strategy", "bfd"))
        rows = math.ceil(len(packed) / math.ceil(len(data) / work["batch"]))
    each = min(options.pop("rows", rows), rows)
    return each, math.ceil(rows / each)


def load_modules() -> None:
    """Loads what all need, once; each measurement is a fork of this process."""
    import deepspeed  # noqa: F401
    import torch
    import transformers.models.qwen2.modeling_qwen2
    import trl  # noqa: F401
    from transformers import Trainer  # noqa: F401
    from trl import SFTConfig, SFTTrainer, pack_dataset  # noqa: F401

    from libra_cli.training.monitoring import telemetry  # noqa: F401

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()


def write_to(said: Path) -> None:
    """Has this process write all that it prints to a file."""
    with said.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def child(name: str, work: dict[str, Any], out: Path, said: Path) -> None:
    """One measurement, or what comes before all."""
    write_to(said)
    clock = Clock()
    if name == "prepare":
        make_model(Path(work["folder"]), work["shape"])
        make_samples(Path(work["folder"]))
    elif name in TRL:
        trl(work, clock, **TRL[name])
    else:
        {"libra": libra, "bare": bare, "plain": plain}[name](work, clock)
    out.write_text(json.dumps(clock.steps))
