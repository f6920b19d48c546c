"""Options of preference learning: the loss, and the reference that it compares with."""

from __future__ import annotations

from functools import partial

import click

from libra_cli import choices, miniature
from libra_cli.cli.numbers import NumberType
from libra_cli.cli.stage_options import option

_loss_option = partial(option, group="Loss", shared=True)

PREFERENCE_OPTIONS = (
    _loss_option(
        "--loss",
        first=True,
        type=click.Choice((*choices.PAIR_LOSSES, *choices.LABELLED_LOSSES)),
        default="sigmoid",
        help="On pairs: sigmoid (DPO), cdpo and robust (for pairs of which some are flipped), ipo and sigmoid_norm (by "
        "means per token), bco_pair, soft (by win rates: chosen_value and rejected_value). On responses with a label: "
        "kto, bco, and ce (an implicit process reward model); these read a pair as two responses.",
    ),
    _loss_option(
        "--beta",
        first=True,
        type=NumberType(float, 0, low_open=True),
        default=0.01,
        metavar="X",
        help="Strength of the pull to the reference: the reward of a response is X times its log-probability less that "
        "under the reference.",
    ),
    _loss_option(
        "--label-smoothing",
        type=NumberType(float, 0, 0.5, high_open=True),
        metavar="E",
        help="For cdpo and robust: the share of pairs that are flipped. libra dpo-pairs --confusion suggests it.",
    ),
    _loss_option(
        "--desirable-weight",
        type=NumberType(float, 0),
        metavar="W",
        help="For kto: factor of the loss of desirable responses. Default: 1.",
    ),
    _loss_option(
        "--undesirable-weight",
        type=NumberType(float, 0),
        metavar="W",
        help="For kto: factor of the loss of undesirable responses. Default: 1.",
    ),
    _loss_option(
        "--reference",
        first=True,
        suggested=miniature.MODELS,
        metavar="NAME",
        help="Reference model, with the tokenizer of --model. Default: the weights that training begins with. Its "
        "log-probabilities are computed once, before the first step, and kept with the run.",
    ),
)
"""Which loss is taken, and to which reference it compares."""
