"""Options of a training run, whatever it trains: checkpoints, evaluation, logging and dry runs."""

from __future__ import annotations

from functools import partial

import click

from libra_cli import choices
from libra_cli.cli.numbers import NumberType, seconds
from libra_cli.cli.stage_options import option

_save_option = partial(option, group="Checkpoints, evaluation and logging", shared=True)

RUN_OPTIONS = (
    _save_option(
        "-o",
        "--output",
        first=True,
        writes="model folder",
        metavar="DIR",
        help="Directory for the trained model and its checkpoints. The same command continues an interrupted run.",
    ),
    _save_option("--overwrite", is_flag=True, help="Delete an earlier run in DIR and start anew."),
    _save_option(
        "--save-every",
        type=NumberType(int, 1),
        default=500,
        metavar="STEPS",
        help="Write a checkpoint every STEPS steps. One is also written when the run is asked to stop.",
    ),
    _save_option(
        "--keep",
        type=NumberType(int, 1),
        default=2,
        metavar="K",
        help="Number of checkpoints to keep, the latest ones. The one of the best step (see --final) is kept, too.",
    ),
    _save_option(
        "--resume",
        first=True,
        type=click.Choice(choices.RESUME),
        default="auto",
        help="What to do if DIR has checkpoints of this command. auto: continue from the last one, on the devices that "
        "there are now. never: delete the earlier run and start anew, as --overwrite does.",
    ),
    _save_option(
        "--final",
        type=click.Choice(choices.FINAL_MODELS),
        default="last",
        help="Model to write to DIR. last: that of the last step. best: that of the step with the highest accuracy on "
        "--score, if --score-every is given, else with the lowest loss on --eval-data (--eval-every).",
    ),
    _save_option(
        "--save-dtype",
        type=click.Choice(choices.TRAINING_DTYPES),
        default="auto",
        help="Dtype of the model written to DIR. auto: the dtype of training. fp32 after training in bf16: the "
        "optimizer's master weights (with LoRA: the adapters' bf16 weights, widened).",
    ),
    _save_option(
        "--grace",
        type=seconds(zero=True),
        default=30.0,
        metavar="SECONDS",
        help="Time to write a checkpoint after a request to stop (TERM, USR1, Ctrl-C).",
    ),
    _save_option(
        "--eval-data",
        first=True,
        multiple=True,
        metavar="FILE",
        help="File of held-out samples: the loss on them is measured, but not trained on. Repeatable.",
    ),
    _save_option(
        "--eval-every",
        type=NumberType(int, 1),
        metavar="STEPS",
        help="Measure the loss on --eval-data every STEPS steps. Default: only at the end.",
    ),
    _save_option(
        "--eval-start/--no-eval-start",
        default=None,
        help="Measure the model before the first step, too. Default: with --final best, what chooses the step; a line "
        "says so if no step is better.",
    ),
    _save_option(
        "--score",
        first=True,
        multiple=True,
        metavar="FILE",
        help="File of labelled rows on which the model is measured as a judge: libra judge has it judge them, and "
        "libra score computes the figures. Repeatable.",
    ),
    _save_option(
        "--score-every",
        type=NumberType(int, 1),
        metavar="STEPS",
        help="Measure the model on the --score files every STEPS steps. Default: only at the end.",
    ),
    _save_option(
        "--score-with",
        default="",
        metavar="OPTIONS",
        help="Options of libra judge for the --score files, as one string.",
    ),
    _save_option("--tensorboard", writes="log folder", metavar="DIR", help="Write metrics to DIR for TensorBoard."),
    _save_option("--wandb", metavar="PROJECT", help="Log metrics to this project of Weights & Biases."),
    _save_option("-q", "--quiet", is_flag=True, help="Print only errors on stderr."),
    _save_option(
        "--log-format",
        type=click.Choice(choices.LOG_FORMATS),
        default="text",
        help="Format of the messages on stderr: text for people, json for programs.",
    ),
    _save_option(
        "--dry-run",
        first=True,
        is_flag=True,
        help="Print the plan of the run and its memory needs as JSON, and train nothing.",
    ),
    _save_option("--debug", is_flag=True, help="Show the traceback of an unexpected error."),
)
"""Checkpoints, evaluation and logging."""
