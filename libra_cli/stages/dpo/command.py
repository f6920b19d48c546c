"""`libra dpo`: train a model on preferences (section 7 of the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from libra_cli.cli.command import plain
from libra_cli.cli.preference_options import PREFERENCE_OPTIONS
from libra_cli.cli.training_command import check_options, describe, train
from libra_cli.cli.training_options import SFT_GROUPS, training_options

if TYPE_CHECKING:
    from libra_cli.stream.console import Console
    from libra_cli.training.preference_settings import PreferenceSettings

EXAMPLES = (
    "libra dpo --model policy -o better pairs.jsonl  # all GPUs of this node",
    "libra dpo-pairs judged.jsonl | libra dpo --config dpo.yaml -o better",
    "libra dpo-pairs --unpaired judged.jsonl | libra dpo --loss kto --model policy -o better",
    "libra dpo --model libra-mini/weak -o tuned --batch-size 32 --lr 1e-4 --eval-data held-out.jsonl pairs.jsonl",
)

CHANGED: dict[str, dict[str, Any]] = {
    "batch_size": {"help": "Pairs, or labelled responses, per step, over all devices."},
    "lr": {"default": 1e-6},
    "max_length": {"help": "Maximum length of a prompt with one response."},
    "too_long": {
        "help": "What to do with a row that has a sample longer than --max-length; none is truncated. drop: leave the "
        "row out and count it. refuse: treat it as a row that cannot be trained on (see --errors)."
    },
    "micro_tokens": {
        "help": "Tokens in one forward pass, per device (or per group of --sequence-parallel devices); both responses "
        "of a pair share one, whatever their length. Changes memory and speed, not the result. Default: --max-length, "
        "but at least 2048."
    },
    "eval_data": {
        "help": "File of held-out pairs or labelled responses: loss, rewards and accuracy on them are measured, but "
        "not trained on. Repeatable."
    },
}
"""What differs from `libra sft` in options that both have."""


@plain("dpo", examples=EXAMPLES)
@click.argument("inputs", nargs=-1, metavar="[FILE]...")
@training_options(
    SFT_GROUPS[0], SFT_GROUPS[1], PREFERENCE_OPTIONS, *SFT_GROUPS[2:], without=("learn",), changed=CHANGED
)
def command(
    nproc: int | None, grace: float, betas: tuple[float, float], dry_run: bool, debug: bool, **options: Any
) -> int:
    """Train a causal language model on preferences (DPO, KTO and their relatives).

    Reads pairs (`prompt`, `chosen`, `rejected`; or `chosen` and `rejected` alone, as messages, or as
    transcripts like those of HH-RLHF, that begin alike) or, for --loss kto, bco and ce, responses with a label
    (`prompt`, `completion`, `label`), as libra dpo-pairs and users of TRL write them: as messages, or all as plain
    text, to which no turns are added; a text beside messages is one turn.
    In place of `prompt` a row may have `conversations` or `instruction` and `input`, in place of `label` `kto_tag` with
    a conversation (LLaMA-Factory), or a question under a name that everybody uses (`question`, `input`). Of pairs that
    libra collect makes of preference data (`response_a`, `response_b`), `preference` says which response is chosen.
    libra sft --help names the forms of a conversation. A line on standard error says
    how many rows were taken for what; a row of which the chat template leaves something out is refused.

    The loss covers all that the assistant says after the prompt. The model in DIR is a plain folder that transformers,
    vLLM and `libra rollout --model DIR` load.

    A step trains on --batch-size pairs; its loss is the mean over them. The number of devices and the tokens per
    forward pass change memory and speed, not the result (apart from the random draws of dropout). Log-probabilities
    under the reference are computed once, before the first step, and kept with the run: no second model is in memory
    while the first trains. With --lora-rank, the reference is the model without its adapters.

    Standard output has one JSON object per event. The event `step` has loss, reward_chosen, reward_rejected,
    reward_margin, reward_accuracy, logp_chosen, logp_rejected, lr, grad_norm and more (libra schema training-event);
    the other events are `eval`, `score` and `checkpoint`. After a stop, the same command continues with the same losses
    as an uninterrupted run. A loss or gradient that is not finite ends the run (status 1) and names the rows.

    The command starts one process per device itself. Under srun, torchrun or deepspeed it uses the processes that they
    start.
    """
    check_options("dpo", options)
    from libra_cli.training.preference_settings import PreferenceSettings

    try:
        settings = PreferenceSettings.of({**options, "grace": grace, "beta1": betas[0], "beta2": betas[1]})
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if options["loss"] == "kto" and options["batch_size"] < 2:
        raise click.UsageError("--loss kto compares the responses of a step with each other; raise --batch-size")
    if dry_run:
        return describe("dpo", nproc, settings, lambda devices, console: _plan(settings, devices, console))
    return train("dpo", nproc, settings, lambda: _run(settings))


def _run(settings: PreferenceSettings) -> int:
    from libra_cli.stages.dpo import run

    return run.run(settings)


def _plan(settings: PreferenceSettings, devices: int, console: Console) -> dict[str, Any]:
    from libra_cli.stages.dpo.run import PreferenceMethod
    from libra_cli.training import dry_run

    unit = 2 if settings.loss.on_pairs else 1
    encoder = PreferenceMethod(settings).encoder
    return dry_run.describe(settings, encoder, devices, console, unit, reference=settings.reference is not None)
