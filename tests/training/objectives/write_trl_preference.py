"""Writes trl_preference.json, what TRL's DPOTrainer and KTOTrainer compute: write_trl_preference.py FILE

Needs trl==1.16.0 (on PYTHONPATH). `losses`: loss and gradient by the log-probabilities of tokens, as `_compute_loss`
of TRL makes them from given log-probabilities. `steps`: what a step of the whole trainer reports on the pairs and the
models of tests/helpers/dpo_runs.py, in float32.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "helpers"))

import dpo_runs as runs  # noqa: E402 -- in a folder of the tests

LENGTHS = ((5, 9), (1, 4), (12, 3))
"""Tokens of the chosen and the rejected response."""
PROMPT = 2
BETA, SMOOTHING, WEIGHTS = 0.3, 0.2, (1.5, 0.75)
PAIRED = ("sigmoid", "robust", "ipo", "sigmoid_norm", "bco_pair")


class Given:
    """Stands for a model: returns the log-probabilities that it was given, call after call."""

    def __init__(self, *log_probs: torch.Tensor):
        self._log_probs = list(log_probs)

    def __call__(self, **_: Any) -> SimpleNamespace:
        log_probs = self._log_probs.pop(0)
        zeros = torch.zeros_like(log_probs)
        return SimpleNamespace(log_probs=log_probs, entropy=zeros, mean_logits=zeros, is_top1=zeros.bool())


def padded(lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids, and the mask of the responses: [rows, T]."""
    longest = PROMPT + max(lengths)
    mask = torch.zeros(len(lengths), longest, dtype=torch.long)
    for row, length in enumerate(lengths):
        mask[row, PROMPT : PROMPT + length] = 1
    return torch.ones_like(mask), mask


def drawn(mask: torch.Tensor, seed: int, spread: float = 0.4) -> torch.Tensor:
    """Log-probabilities of the responses, 0 elsewhere: [rows, T - 1]."""
    generator = torch.Generator().manual_seed(seed)
    return (-2.0 + spread * torch.randn(mask[:, 1:].shape, generator=generator)) * mask[:, 1:]


def ragged(values: torch.Tensor, mask: torch.Tensor) -> list[list[float]]:
    return [[float(f"{x:.8g}") for x in row[m.bool()].tolist()] for row, m in zip(values, mask[:, 1:], strict=True)]


def options(folder: str, rows: int) -> dict[str, Any]:
    return {"output_dir": folder, "per_device_train_batch_size": rows, "max_steps": 1, "logging_steps": 1, "beta": BETA,
            "report_to": [], "save_strategy": "no", "use_cpu": True, "bf16": False, "gradient_checkpointing": False,
            "disable_tqdm": True, "learning_rate": 1e-6, "max_length": None}  # fmt: skip


def trainer_of(kind: str, policy: Any, reference: Any, rows: list[dict[str, Any]], folder: str, **more: Any) -> Any:
    import datasets
    import trl
    from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback

    load = lambda path: AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)  # noqa: E731
    config = getattr(trl, f"{kind}Config")(**options(folder, len(rows)), **more)
    trainer = getattr(trl, f"{kind}Trainer")(
        load(policy), load(reference), config, train_dataset=datasets.Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(policy),
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    return trainer


def stepped(kind: str, *given: Any, **more: Any) -> dict[str, float]:
    """What TRL logs of a step."""
    trainer = trainer_of(kind, *given, **more)
    trainer.train()
    log = trainer.state.log_history[0]
    names = {"loss": "loss", "grad_norm": "grad_norm", "reward_chosen": "rewards/chosen",
             "reward_rejected": "rewards/rejected", "reward_margin": "rewards/margins",
             "reward_accuracy": "rewards/accuracies", "logp_chosen": "logps/chosen", "logp_rejected": "logps/rejected",
             "kl": "kl"}  # fmt: skip
    return {ours: float(log[theirs]) for ours, theirs in names.items() if theirs in log}


def paired_losses(trainer: Any) -> dict[str, Any]:
    lengths = [pair[side] for side in (0, 1) for pair in LENGTHS]  # TRL's batch: all chosen, then all rejected
    ids, mask = padded(lengths)
    policy, reference = drawn(mask, 1), drawn(mask, 2)
    ref_sums = reference.sum(1).chunk(2)
    cases = []
    for loss in PAIRED:
        trainer.loss_types, trainer.loss_weights, trainer.label_smoothing = [loss], [1.0], SMOOTHING
        leaf = policy.clone().requires_grad_()
        batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "completion_mask": mask,
                 "ref_chosen_logps": ref_sums[0], "ref_rejected_logps": ref_sums[1]}  # fmt: skip
        total = trainer._compute_loss(Given(leaf), batch, False)
        total.backward()
        cases.append({"loss": loss, "value": total.item(), "gradient": ragged(leaf.grad, mask)})
    return {"policy": ragged(policy, mask), "reference": ragged(reference, mask), "cases": cases}


def labelled_losses(trainer: Any) -> dict[str, Any]:
    lengths = [length for pair in LENGTHS for length in pair]
    ids, mask = padded(lengths)
    policy, reference, kl_policy, kl_reference = (drawn(mask, seed) for seed in (3, 4, 5, 6))
    kl_policy = kl_policy + 0.3 * mask[:, 1:]
    leaf = policy.clone().requires_grad_()
    labels = [True, False, True, True, False, True]
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "completion_mask": mask, "label": labels,
             "KL_input_ids": ids, "KL_attention_mask": torch.ones_like(ids), "KL_completion_mask": mask,
             "ref_logps": reference.sum(1), "ref_KL_logps": kl_reference.sum(1)}  # fmt: skip
    batch["label"] = torch.tensor(labels)
    trainer.desirable_weight, trainer.undesirable_weight = WEIGHTS
    total = trainer._compute_loss(Given(kl_policy, leaf), batch, False)
    total.backward()
    return {"policy": ragged(policy, mask), "reference": ragged(reference, mask), "labels": labels,
            "kl": float((kl_policy - kl_reference).sum(1).mean().clamp(min=0)), "value": total.item(),
            "gradient": ragged(leaf.grad, mask)}  # fmt: skip


def main(path: Path) -> None:
    import trl

    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory() as folder:
        policy, reference = runs.write_models(Path(folder))
        rows = [{name: row[name] for name in ("prompt", "chosen", "rejected")} for row in runs.pairs()]
        responses = runs.labelled(runs.pairs())
        steps = {
            loss: stepped("DPO", policy, reference, rows, folder, loss_type=loss, label_smoothing=SMOOTHING)
            for loss in PAIRED
        }
        steps["kto"] = stepped("KTO", policy, reference, responses, folder, train_sampling_strategy="sequential",
                               desirable_weight=WEIGHTS[0], undesirable_weight=WEIGHTS[1])  # fmt: skip
        content = {
            "provenance": f"TRL {trl.__version__}, torch {torch.__version__}, float32, CPU; by {Path(__file__).name}",
            "settings": {"beta": BETA, "smoothing": SMOOTHING, "weights": WEIGHTS},
            "pairs": paired_losses(
                trainer_of("DPO", policy, reference, rows, folder, precompute_ref_log_probs=True)
            ),
            "labelled": labelled_losses(
                trainer_of("KTO", policy, reference, responses, folder, precompute_ref_log_probs=True)
            ),
            "steps": steps,
        }  # fmt: skip
    path.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in content.items()) + "\n}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
