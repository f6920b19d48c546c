"""The runs that `benchmarks/dpo` compares: each trains an epoch on the same pairs and tells a clock of every step."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import Any

from sft_variants import Clock, make_model, note_steps, run_libra, write_to

BETA = 0.01
TRL: dict[str, dict[str, Any]] = {
    "TRL": {},
    "TRL 2 pairs a pass": {"pairs": 2},
    "TRL 1 pair a pass": {"pairs": 1},
    "TRL padding-free": {"padding_free": True, "max_length": None},
}
"""Options of DPOConfig; `pairs`: of a forward pass, where not all of a step."""


def libra(work: dict[str, Any], clock: Clock) -> None:
    """All of `libra dpo`, from rows to a trained model, with a look at each step that it reports."""
    note_steps(clock)
    folder, micro = work["folder"], work["micro"]
    words = ["dpo", "-q", "--model", folder, "-o", tempfile.mkdtemp(dir=folder), "--dtype", "fp32", "--batch-size",
             str(work["batch"]), "--max-length", str(work["length"]), "--epochs", "1", "--no-shuffle", "--schedule",
             "constant", "--warmup", "0", "--lr", str(work["lr"]), "--beta", str(BETA),
             *(["--micro-tokens", str(micro)] if micro else []), f"{folder}/rows.jsonl"]  # fmt: skip
    clock.start()
    run_libra(words)


def trl(work: dict[str, Any], clock: Clock, pairs: int | None = None, **options: Any) -> None:
    """DPOTrainer with log-probabilities of the reference computed beforehand."""
    import datasets
    import torch
    from transformers import AutoTokenizer, PrinterCallback, TrainerCallback
    from trl import DPOConfig, DPOTrainer

    class Watch(TrainerCallback):
        tokens = 0.0

        def on_log(self, _args: Any, _state: Any, _control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
            if logs and "loss" in logs:
                clock.step(logs["loss"], 0, int(logs["num_tokens"] - self.tokens))
                self.tokens = logs["num_tokens"]

    clock.start()
    rows = [json.loads(line) for line in Path(work["folder"], "rows.jsonl").read_text().splitlines()]
    each = pairs or work["batch"]
    config = DPOConfig(**{
        "output_dir": tempfile.mkdtemp(dir=work["folder"]), "max_length": work["length"], "num_train_epochs": 1,
        "per_device_train_batch_size": each, "gradient_accumulation_steps": math.ceil(work["batch"] / each),
        "learning_rate": work["lr"], "lr_scheduler_type": "constant", "optim": "adamw_torch_fused", "beta": BETA,
        "max_grad_norm": 1.0, "logging_steps": 1, "train_sampling_strategy": "sequential", "save_strategy": "no",
        "report_to": [], "use_cpu": True, "bf16": False, "gradient_checkpointing": False, "disable_tqdm": True,
        "precompute_ref_log_probs": True, "model_init_kwargs": {"dtype": torch.float32}, **options,
    })  # fmt: skip
    tokenizer, data = AutoTokenizer.from_pretrained(work["folder"]), datasets.Dataset.from_list(rows)
    trainer = DPOTrainer(
        work["folder"], args=config, train_dataset=data, processing_class=tokenizer, callbacks=[Watch()]
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()


def load_modules(with_trl: bool) -> None:
    """Loads what all need, once; each measurement is a fork of this process."""
    import deepspeed  # noqa: F401
    import torch
    import transformers.models.qwen2.modeling_qwen2

    from libra_cli.training.monitoring import telemetry  # noqa: F401

    if with_trl:
        from trl import DPOConfig, DPOTrainer  # noqa: F401
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()


def child(name: str, work: dict[str, Any], out: Path, said: Path) -> None:
    """One measurement, or what comes before all."""
    write_to(said)
    clock = Clock()
    if name == "prepare":
        make_model(Path(work["folder"]), work["shape"])
    elif name in TRL:
        trl(work, clock, **TRL[name])
    else:
        libra(work, clock)
    out.write_text(json.dumps(clock.steps))
