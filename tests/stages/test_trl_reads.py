"""TRL's own trainers take a step on what `libra dpo-pairs` and `libra rs-filter` write, as it is. Needs trl."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path
from typing import Any

import pytest
import sft_runs as runs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("trl") is None, reason="TRL is not installed (pip install trl)"),
]

ROWS = [
    {"id": f"q{query}/m/{sample}", "index": query, "question": f"What is {query}+{sample}?", "reference": str(query),
     "model": "m", "sample": sample, "response": f"It is \\boxed{{{query + sample}}}.",
     "response_with_cot": f"<think>{query}</think>It is \\boxed{{{query + sample}}}.", "label": sample % 2}
    for query in range(4)
    for sample in range(4)
]  # fmt: skip
WRITTEN = {
    "DPO": "dpo-pairs --by label judged.jsonl",
    "KTO": "dpo-pairs --by label --unpaired judged.jsonl",
    "SFT": "rs-filter --task reason judged.jsonl",
}
"""Trainer -> the command whose output it reads."""


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_step_of_trl(kind: str, tmp_path: Path, shell: Any) -> None:
    import datasets
    import torch
    import trl
    from transformers import AutoModelForCausalLM, AutoTokenizer

    rows = [{**row, "question": f"What is {row['index']}?"} for row in ROWS]  # a query has four responses
    (tmp_path / "judged.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ended = shell(f"libra {WRITTEN[kind]} > written.jsonl")
    assert ended.status == 0, ended.err
    data = datasets.load_dataset("json", data_files=str(tmp_path / "written.jsonl"), split="train",
                                 cache_dir=str(tmp_path / "cache"))  # fmt: skip
    assert len(data) == {"DPO": 8, "KTO": 16, "SFT": 8}[kind]
    folder = runs.write_model(tmp_path / "model")
    config = getattr(trl, f"{kind}Config")(
        output_dir=str(tmp_path / "out"), per_device_train_batch_size=4, max_steps=1, logging_steps=1, report_to=[],
        save_strategy="no", use_cpu=True, bf16=False, gradient_checkpointing=False, disable_tqdm=True,
    )  # fmt: skip
    trainer = getattr(trl, f"{kind}Trainer")(
        AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), args=config, train_dataset=data,
        processing_class=AutoTokenizer.from_pretrained(folder),
    )  # fmt: skip
    trainer.train()
    assert math.isfinite(trainer.state.log_history[0]["loss"])
    assert trainer.state.log_history[0]["grad_norm"] > 0
