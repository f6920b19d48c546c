"""The runs that `benchmarks/grpo` compares: rollouts and updates on the same model and prompts, with a clock."""

from __future__ import annotations

import json
import math
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sft_variants import kilobytes, make_model, run_libra, write_to

TRL: dict[str, dict[str, Any]] = {
    "TRL": {},
    "TRL 4 rows a pass": {"rows": 4},
    "TRL 1 row a pass": {"rows": 1},
    "TRL continuous batching": {
        "rows": 4,
        "use_transformers_continuous_batching": True,
        "transformers_continuous_batching_config": {"page_size": 32, "num_blocks": 2048, "max_batch_tokens": 512},
    },
    "TRL 1 row, checkpointing": {"rows": 1, "gradient_checkpointing": True},
    "TRL, vLLM": {
        "rows": 8,
        "use_vllm": True,
        "vllm_mode": "colocate",
        "vllm_gpu_memory_utilization": 0.4,
        "vllm_enable_sleep_mode": True,
    },
    "TRL 8 rows a pass": {"rows": 8},
}
"""Options of GRPOConfig; `rows`: of a forward pass, where not all of an update."""
LIBRA: dict[str, list[str]] = {
    "libra": ["--sampler", "transformers"],
    "libra, vLLM": ["--sampler", "vllm"],
    "libra, checkpointing": ["--sampler", "transformers", "--activation-checkpointing"],
}
PHASES = ("sync", "proof", "check", "sample", "reward", "log_probs", "train")
KL, LOW, HIGH, RATE = 1e-3, 0.2, 0.28, 1e-6
CONSTANT = 1.0
"""First component of each token's embedding; the others have a standard deviation of 0.02."""
END = 257
REWARDS = {"rewards.yaml": "reward: '{folder}/reward.py:parity'\n", "reward.py": """
import numpy as np


def parity(facts):
    return np.array([[float(sum(map(int, ids)) % 3 == 0) for ids in group] for group in facts["tokens_P_G_T"]])
"""}  # fmt: skip
"""A reward that some responses get and others do not, of the same tokens on both sides: see `parity`."""


def parity(completion_ids: list[list[int]], **_: Any) -> list[float]:
    return [float(sum(ids) % 3 == 0) for ids in completion_ids]


class Clock:
    """Time and memory of a run, and the tokens that it learned from."""

    def __init__(self, gpu: bool = False) -> None:
        """`gpu`: seconds are elapsed time, and memory is that in use on the first GPU, whoever uses it."""
        self.gpu, self._gpu_bytes = gpu, 0
        self.lengths: list[int] = []
        """Tokens of each response."""
        self.prompt_tokens = self.updates = 0
        self.phases = dict.fromkeys(PHASES, 0.0)
        self._began: tuple[float, float] | None = None
        self._seconds = 0.0, 0.0
        self._memory = 0

    def start(self) -> None:
        """Modules are loaded, and nothing else is."""
        if self.gpu:
            threading.Thread(target=self._watch_gpu, daemon=True).start()
        with suppress(OSError):  # without the right to it, what loading took at its height is counted in
            Path("/proc/self/clear_refs").write_text("5")
        self._memory = kilobytes("VmRSS")

    def _watch_gpu(self) -> None:
        import torch

        while True:
            free, whole = torch.cuda.mem_get_info(0)
            self._gpu_bytes = max(self._gpu_bytes, whole - free)
            time.sleep(0.05)

    def begin(self) -> None:
        """Models are loaded; the first rollout begins."""
        self._began = self._began or (time.perf_counter(), time.process_time())

    def update(self) -> None:
        """An update ends."""
        assert self._began is not None
        self.updates += 1
        self._seconds = time.perf_counter() - self._began[0], time.process_time() - self._began[1]

    def timed(self, phase: str, call: Callable[..., Any], but: tuple[str, ...] = ()) -> Callable[..., Any]:
        """`call`, whose time counts for `phase`, less that of the phases `but` inside it."""

        def watched(*args: Any, **kwargs: Any) -> Any:
            inside, began = sum(self.phases[name] for name in but), time.perf_counter()
            result = call(*args, **kwargs)
            spent = time.perf_counter() - began
            self.phases[phase] += spent - (sum(self.phases[name] for name in but) - inside)
            return result

        return watched

    def figures(self) -> dict[str, Any]:
        wall, cpu = self._seconds
        phases = {**self.phases, "train": wall - sum(self.phases[name] for name in PHASES if name != "train")}
        memory = self._gpu_bytes / 1e6 if self.gpu else (kilobytes("VmHWM") - self._memory) / 1e3
        return {"lengths": self.lengths, "prompt_tokens": self.prompt_tokens, "updates": self.updates, "wall": wall,
                "seconds": wall if self.gpu else cpu, "phases": phases, "added_mb": memory}  # fmt: skip


def make_policy(folder: Path, shape: dict[str, Any]) -> None:
    """A random model that ends a response after each token with the same probability: 1 / mean, or never.

    The first component of the hidden state is a constant, since nothing but the embeddings writes to it; the row of the
    closing token in the head, which is that of its embedding, reads nothing else.
    """
    import torch
    from transformers import AutoModelForCausalLM

    make_model(folder, shape)
    lm = AutoModelForCausalLM.from_pretrained(folder)
    ids = torch.randint(300, shape["vocabulary"], (4, 64), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for layer in lm.model.layers:
            layer.self_attn.o_proj.weight[0] = layer.mlp.down_proj.weight[0] = 0.0
        embedding = lm.get_input_embeddings().weight
        embedding[:, 0] = CONSTANT
        embedding[END] = 0.0
        hidden = lm.model(ids).last_hidden_state.flatten(0, 1)
        others, read = torch.logsumexp(hidden @ embedding.T, -1), hidden[:, 0]
        low, high = -10.0, 10.0
        while high - low > 1e-6:
            middle = (low + high) / 2
            ends = float(torch.sigmoid(read * middle - others).mean())
            low, high = (middle, high) if ends < 1 / shape["mean"] else (low, middle)
        embedding[END, 0] = -10.0 if math.isinf(shape["mean"]) else low
    lm.save_pretrained(folder)
    for name, text in REWARDS.items():
        (folder / name).write_text(text.format(folder=folder) if name.endswith("yaml") else text)


def libra(work: dict[str, Any], clock: Clock, options: list[str]) -> None:
    """All of `libra grpo`, with a look at each rollout and each step that it reports."""
    from libra_cli.training.monitoring.telemetry import Telemetry
    from libra_cli.training.rollouts.sampler import Sampler
    from libra_cli.training.rollouts.source import RolloutSource

    record, make, init = Telemetry.record, RolloutSource._make, Sampler.__init__

    def started(self: Sampler, *args: Any) -> None:
        init(self, *args)
        if self.name == "vllm":  # loading is no part of a step
            self._sampler._start_if_needed()  # type: ignore[attr-defined]

    def made(self: RolloutSource, *args: Any) -> Any:
        clock.begin()
        rollout = make(self, *args)
        clock.lengths += rollout.lengths(range(len(rollout)))
        clock.prompt_tokens += sum(len(each.encoded.ids) - each.n_targets for each in rollout.trajectories)
        return rollout

    def watched(self: Telemetry, event: str, step: int, **figures: Any) -> None:
        record(self, event, step, **figures)
        if event == "rollout":
            for phase in PHASES[:-1]:
                clock.phases[phase] += figures[f"seconds_{phase}"]
            clock.phases["reward"] += figures["seconds_grade"]
        elif event == "step":
            clock.update()

    Telemetry.record, RolloutSource._make, Sampler.__init__ = watched, made, started  # type: ignore[method-assign]
    folder, rollouts = work["folder"], work["rollouts"]
    clock.start()
    run_libra(["grpo", "-q", "--model", folder, "-o", tempfile.mkdtemp(dir=folder), "--dtype",
               "bf16" if clock.gpu else "fp32", *options,
               "--prompts", str(work["prompts"]), "--samples", str(work["samples"]), "--batch-size",
               str(work["batch"]), "--max-steps", str(rollouts * work["prompts"] * work["samples"] // work["batch"]),
               "--max-tokens", str(work["longest"]), "--max-length", str(work["max_length"]), "--kl", str(KL),
               "--clip-low", str(LOW), "--clip-high", str(HIGH), "--lr", str(RATE), "--warmup", "0", "--no-shuffle",
               "--seed", str(work["seed"]), "--rewards", f"{folder}/rewards.yaml",
               f"{folder}/rows.jsonl"])  # fmt: skip


def trl(work: dict[str, Any], clock: Clock, options: dict[str, Any]) -> None:
    """GRPOTrainer; `options` are those of GRPOConfig."""
    import datasets
    import torch
    from transformers import AutoTokenizer, PrinterCallback, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    from libra_cli.tasks import reason

    class Watched(GRPOTrainer):
        def _generate_and_score_completions(self, inputs: Any) -> Any:
            clock.begin()
            batch = clock.timed("log_probs", super()._generate_and_score_completions, ("sample", "reward"))(inputs)
            clock.lengths += batch["completion_mask"].sum(1).tolist()
            clock.prompt_tokens += int(batch["prompt_mask"].sum())
            return batch

        def _generate_single_turn(self, *args: Any, **kwargs: Any) -> Any:
            return clock.timed("sample", super()._generate_single_turn)(*args, **kwargs)

        def _calculate_rewards(self, *args: Any, **kwargs: Any) -> Any:
            return clock.timed("reward", super()._calculate_rewards)(*args, **kwargs)

    class Watch(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock.update()

    clock.start()
    folder, responses = work["folder"], work["prompts"] * work["samples"]
    rows = [json.loads(line) for line in Path(folder, "rows.jsonl").read_text().splitlines()]
    given = dict(options)
    each = min(given.pop("rows", work["batch"]), work["batch"])
    config = GRPOConfig(**{
        "output_dir": tempfile.mkdtemp(dir=folder), "loss_type": "grpo", "epsilon": LOW, "epsilon_high": HIGH,
        "beta": KL, "temperature": 1.0, "num_generations": work["samples"], "per_device_train_batch_size": each,
        "gradient_accumulation_steps": work["batch"] // each, "steps_per_generation": responses // each,
        "max_steps": work["rollouts"] * responses // work["batch"], "max_completion_length": work["longest"],
        "learning_rate": RATE, "lr_scheduler_type": "constant", "optim": "adamw_torch_fused", "max_grad_norm": 1.0,
        "shuffle_dataset": False, "logging_steps": 1, "save_strategy": "no", "report_to": [],
        "use_cpu": not clock.gpu, "bf16": clock.gpu, "gradient_checkpointing": False, "disable_tqdm": True,
        "seed": work["seed"],
        "model_init_kwargs": {"dtype": torch.float32}, **given,
    })  # fmt: skip
    data = datasets.Dataset.from_list([{"prompt": reason.prompt(row)} for row in rows])
    tokenizer = AutoTokenizer.from_pretrained(folder)
    trainer = Watched(folder, [parity], config, data, processing_class=tokenizer, callbacks=[Watch()])
    trainer.remove_callback(PrinterCallback)
    trainer.train()


def load_modules() -> None:
    """Loads what all need, once; each measurement is a fork of this process."""
    import deepspeed  # noqa: F401
    import torch
    import transformers.models.qwen2.modeling_qwen2
    from transformers import Trainer  # noqa: F401

    from libra_cli.training.monitoring import telemetry  # noqa: F401
    from libra_cli.training.rollouts import source  # noqa: F401

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    with suppress(ImportError):  # tried here without it, too
        from trl import GRPOConfig, GRPOTrainer  # noqa: F401


def child(name: str, work: dict[str, Any], out: Path, said: Path) -> None:
    """One measurement, or what comes before all."""
    write_to(said)
    clock = Clock(bool(work.get("gpu")))
    if name == "prepare":
        make_policy(Path(work["folder"]), work["shape"])
    elif name in TRL:
        trl(work, clock, TRL[name])
    else:
        libra(work, clock, LIBRA[name])
    out.write_text(json.dumps(clock.figures()))
