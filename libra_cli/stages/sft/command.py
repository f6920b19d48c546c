"""`libra sft`: train a model on conversations (section 4 of the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from libra_cli.cli.command import plain
from libra_cli.cli.training_command import check_options, describe, train
from libra_cli.cli.training_options import SFT_GROUPS, training_options

if TYPE_CHECKING:
    from libra_cli.stream.console import Console
    from libra_cli.training.settings import SftSettings

EXAMPLES = (
    "libra sft --model Qwen/Qwen2.5-32B -o judge sft.jsonl  # all GPUs of this node",
    "libra mix score.jsonl:38917 reason.jsonl:186731 | libra sft --config sft.yaml -o judge",
    "srun --ntasks-per-node=1 libra sft --config sft.yaml -o judge sft.jsonl  # on every node of a Slurm job",
    "libra sft --model libra-mini/weak -o tuned --batch-size 32 --lr 1e-3 sft.jsonl > steps.jsonl",
)


@plain("sft", examples=EXAMPLES)
@click.argument("inputs", nargs=-1, metavar="[FILE]...")
@training_options(*SFT_GROUPS)
def command(
    nproc: int | None, grace: float, betas: tuple[float, float], dry_run: bool, debug: bool, **options: Any
) -> int:
    """Train a causal language model on conversations, from one CPU to many nodes.

    Reads rows with `messages`, and the forms of other tools: `prompt` and `completion` (TRL: as messages, or both as
    plain text, to which no turns are added), `text` (all of it is learned), `conversations` with `system` and `tools`
    (ShareGPT; LLaMA-Factory with its function_call turns), `instruction`, `input`, `output`, `system` and `history`
    (Alpaca), `segments` (axolotl: text with its own control tokens, of which the parts with "label": true are learned),
    and a question with its answer under names that everybody uses, such as `problem` and `generation` (NeMo-Skills),
    `input` and `output` (OpenRLHF) or `question` and `answer`. A line on standard error says how many rows were taken
    for what. A row of libra verify or libra judge is refused, since its response may be wrong: libra rs-filter keeps
    the right ones. So is a response whose `label` or `kto_tag` is false.
    `tools` and `chat_template_kwargs` of a row reach the chat template; a turn with "weight": 0 is not learned; a row
    of which the chat template leaves something out is refused.

    The loss covers what the assistant says, by default in its last turn, including its thinking. The model in DIR is a
    plain folder that transformers, vLLM and `libra judge --model DIR` load.

    A step trains on --batch-size samples; its loss is the mean over all their target tokens. The number of devices and
    the tokens per forward pass change memory and speed, not the result (apart from the random draws of dropout).
    Samples are packed into rows of --micro-tokens without padding; each keeps its own positions and attention.

    Standard output has one JSON object per event. The event `step` has loss, lr, grad_norm, tokens_per_second, mfu,
    padding, memory_gb and more (libra schema training-event); the other events are `eval`, `score` and `checkpoint`.
    After a stop, the same command continues from the last checkpoint with the same losses as an uninterrupted run. A
    loss or gradient that is not finite ends the run (status 1) and names the samples; that step does not change the
    weights.

    The command starts one process per device itself. Under srun, torchrun or deepspeed it uses the processes that they
    start.
    """
    check_options("sft", options)
    from libra_cli.training.settings import SftSettings

    settings = SftSettings.of({**options, "grace": grace, "beta1": betas[0], "beta2": betas[1]})
    if dry_run:
        return describe("sft", nproc, settings, lambda devices, console: _plan(settings, devices, console))
    return train("sft", nproc, settings, lambda: _run(settings))


def _run(settings: SftSettings) -> int:
    from libra_cli.stages.sft import run

    return run.run(settings)


def _plan(settings: SftSettings, devices: int, console: Console) -> dict[str, Any]:
    from libra_cli.stages.sft.run import SftMethod
    from libra_cli.training import dry_run

    return dry_run.describe(settings, SftMethod(settings).encoder, devices, console)
