"""`libra train-rm`: train a reward model with a scalar head."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from libra_cli import choices
from libra_cli.cli.command import plain
from libra_cli.cli.numbers import NumberType
from libra_cli.cli.stage_options import option
from libra_cli.cli.training_command import check_options, describe, train
from libra_cli.cli.training_options import SFT_GROUPS, training_options

if TYPE_CHECKING:
    from libra_cli.stream.console import Console
    from libra_cli.training.preference_settings import RewardSettings

EXAMPLES = (
    "libra train-rm --model policy -o rm pairs.jsonl  # all GPUs of this node",
    "libra dpo-pairs --unpaired judged.jsonl | libra train-rm --loss bce --model policy -o rm",
    "libra train-rm --model libra-mini/weak -o rm --lr 1e-3 --eval-data held-out.jsonl pairs.jsonl",
)

NOT_HERE: dict[str, Any] = {
    "learn": "last", "assistant": "template", "sequence_parallel": 1, "score": (), "score_every": None,
    "score_with": "",
}  # fmt: skip
"""Options of other trainers that mean nothing for a score at the end of a sequence, with the value that stands."""

CHANGED: dict[str, dict[str, Any]] = {
    "model": {"help": "Causal language model to begin with, or reward model to go on with."},
    "batch_size": {"default": 64, "help": "Pairs, or labelled responses, per step, over all devices."},
    "epochs": {"default": 1.0},
    "lr": {"default": 1e-5},
    "max_length": {"help": "Maximum length of a prompt with one response."},
    "too_long": {
        "help": "What to do with a row that has a sample longer than --max-length; none is truncated. drop: leave the "
        "row out and count it. refuse: treat it as a row that cannot be trained on (see --errors)."
    },
    "eval_data": {
        "help": "File of held-out pairs or labelled responses: loss, scores and accuracy on them are measured, but not "
        "trained on. Repeatable."
    },
}
"""What differs from `libra sft` in options that both have."""

_loss_option = partial(option, group="Loss")
LOSS_OPTIONS = (
    _loss_option(
        "--loss",
        type=click.Choice(choices.REWARD_LOSSES),
        default="bt",
        help="bt: Bradley-Terry, on pairs. bce: binary cross-entropy, on responses with a label; it reads a pair as "
        "two responses.",
    ),
    _loss_option(
        "--centering",
        type=NumberType(float, 0),
        default=0.0,
        metavar="X",
        help="For bt: adds X times the square of the sum of both scores, which keeps their mean near 0 "
        "(center_rewards_coefficient in TRL).",
    ),
)


@plain("train-rm", examples=EXAMPLES)
@click.argument("inputs", nargs=-1, metavar="[FILE]...")
@training_options(SFT_GROUPS[0], SFT_GROUPS[1], LOSS_OPTIONS, *SFT_GROUPS[2:], without=tuple(NOT_HERE), changed=CHANGED)
def command(
    nproc: int | None, grace: float, betas: tuple[float, float], dry_run: bool, debug: bool, **options: Any
) -> int:
    """Train a reward model: a language model with a scalar head, on pairs or labels.

    Reads pairs (`prompt`, `chosen`, `rejected`, and if you like `margin`, by how much the scores should differ) or, for
    --loss bce, responses with a label (`prompt`, `completion`, `label`), in the forms that libra dpo --help names. A
    response becomes the tokens that libra judge gives to a reward model, without its thinking, and is scored at the
    last of them (at the last that is not the padding token). Plain text becomes turns, as there.

    The model in DIR is a plain folder of a sequence classification model with one output, which transformers and `libra
    judge --model DIR` load. A head that the model has not is drawn from --seed. With --lora-rank, the head is trained
    whole, and adapters are merged at the end.

    A step trains on --batch-size pairs; its loss is the mean over them. The number of devices and the tokens per
    forward pass change memory and speed, not the result (apart from the random draws of dropout).

    Standard output has one JSON object per event. The event `step` has loss, reward_chosen, reward_rejected,
    reward_margin, reward_accuracy, lr, grad_norm and more (libra schema training-event); the other events are `eval`
    and `checkpoint`. After a stop, the same command continues with the same losses as an uninterrupted run. A loss or
    gradient that is not finite ends the run (status 1) and names the rows.

    The command starts one process per device itself. Under srun, torchrun or deepspeed it uses the processes that they
    start.
    """
    options = {**NOT_HERE, **options}
    check_options("train-rm", options)
    from libra_cli.training.preference_settings import RewardSettings

    try:
        settings = RewardSettings.of({**options, "grace": grace, "beta1": betas[0], "beta2": betas[1]})
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if dry_run:
        return describe("train-rm", nproc, settings, lambda devices, console: _plan(settings, devices, console))
    return train("train-rm", nproc, settings, lambda: _run(settings))


def _run(settings: RewardSettings) -> int:
    from libra_cli.stages.train_rm import run

    return run.run(settings)


def _plan(settings: RewardSettings, devices: int, console: Console) -> dict[str, Any]:
    from libra_cli.stages.train_rm.run import RewardMethod
    from libra_cli.training import dry_run

    unit = 2 if settings.loss.on_pairs else 1
    return dry_run.describe(settings, RewardMethod(settings).encoder, devices, console, unit)
