"""Options of the commands that train a model, in the groups of their help."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import click

from libra_cli import choices, miniature
from libra_cli.cli.engine_options import KeyValue
from libra_cli.cli.numbers import MOST_WORKERS, NumberType
from libra_cli.cli.run_options import RUN_OPTIONS
from libra_cli.cli.stage_options import option

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_model_option = partial(option, group="Model", shared=True)
_data_option = partial(option, group="Data", shared=True)
_step_option = partial(option, group="Optimization", shared=True)
_device_option = partial(option, group="Devices and memory", shared=True)


MODEL_OPTIONS = (
    _model_option(
        "--model",
        first=True,
        metavar="NAME",
        suggested=miniature.MODELS,
        help="Model to train: a directory, a name on the Hugging Face hub, or one of the small models that come with "
        "libra: libra-mini/weak, libra-mini/medium, libra-mini/strong, libra-mini/judge.",
    ),
    _model_option(
        "--from-scratch", is_flag=True, help="Use only the configuration of --model and start from random weights."
    ),
    _model_option("--tokenizer", metavar="NAME", help="Tokenizer to use instead of the model's own."),
    _model_option(
        "--revision", metavar="REV", help="Branch, tag or commit of a model on the hub. Default: the main branch."
    ),
    _model_option("--trust-remote-code", is_flag=True, help="Allow running Python code that comes with the model."),
    _model_option(
        "--dtype",
        type=click.Choice(choices.TRAINING_DTYPES),
        default="auto",
        help="Dtype of weights and activations. auto: bf16 on GPUs, fp32 on CPUs. Master weights are always fp32.",
    ),
    _model_option(
        "--lora-rank",
        first=True,
        type=NumberType(int, 1),
        metavar="R",
        help="Train only LoRA adapters of rank R, merged into the weights at the end. Default: train all weights. "
        "Needs peft.",
    ),
    _model_option(
        "--lora-alpha",
        type=NumberType(float, 0, low_open=True),
        metavar="A",
        help="LoRA alpha: adapter outputs are scaled by A / R. Default: 2 R.",
    ),
    _model_option(
        "--lora-dropout",
        type=NumberType(float, 0, 1, high_open=True),
        default=0.0,
        metavar="P",
        help="Dropout probability on the input of the adapters.",
    ),
    _model_option(
        "--lora-target",
        multiple=True,
        metavar="NAME",
        help="Module-name suffix of the layers to adapt. Repeatable. Default: all linear layers except the output "
        "layer (lm_head).",
    ),
)
"""Which model is trained, and which of its weights."""

CHAT_OPTIONS = (
    _data_option(
        "--chat-template",
        metavar="FILE|NAME",
        help="Chat template to use instead of the tokenizer's own: a Jinja file, or the built-in chatml.",
    ),
    _data_option(
        "--chat-template-arg",
        multiple=True,
        type=KeyValue(),
        metavar="KEY=VALUE",
        help="Set a variable of the chat template; VALUE is JSON or YAML. Repeatable.",
    ),
)
"""How a conversation becomes text."""

ERRORS_OPTION = _data_option(
    "--errors",
    writes="lines",
    keys=("stage", "class", "reason", "row_sha256"),
    metavar="FILE",
    help="Write the rows that cannot be trained on to FILE, and train on the others (status 3). Default: the "
    "first such row ends the run before training (status 2).",
)
"""Where rows go that cannot be used."""

DATA_OPTIONS = (
    *CHAT_OPTIONS,
    _data_option(
        "--assistant",
        type=click.Choice(choices.ASSISTANT_TEXTS),
        default="template",
        help="template: train on the assistant's text as the chat template renders it; refuse a row if the template "
        "drops part of the text. verbatim: train on the text itself, after the template's prompt and before its end "
        "of turn.",
    ),
    _data_option(
        "--learn",
        type=click.Choice(choices.LEARNED_TURNS),
        default="last",
        help="Assistant turns to train on: only the last of a conversation, or all.",
    ),
    _data_option(
        "--max-length",
        first=True,
        type=NumberType(int, 2),
        default=32_768,
        metavar="TOKENS",
        help="Maximum length of a sample.",
    ),
    _data_option(
        "--too-long",
        type=click.Choice(choices.TOO_LONG),
        default="drop",
        help="What to do with a sample longer than --max-length; none is truncated. drop: leave it out and count it. "
        "refuse: treat it as a row that cannot be trained on (see --errors).",
    ),
    ERRORS_OPTION,
    _data_option(
        "-j",
        "--workers",
        type=NumberType(int, 1, MOST_WORKERS),
        default=1,
        metavar="N",
        help="Worker threads that tokenize the data.",
    ),
)
"""What is read, and which of its tokens the loss covers."""

OPTIMIZATION_OPTIONS = (
    _step_option(
        "--batch-size",
        first=True,
        type=NumberType(int, 1),
        default=256,
        metavar="N",
        help="Samples per step, over all devices.",
    ),
    _step_option(
        "--epochs",
        first=True,
        type=NumberType(float, 0, low_open=True),
        default=3.0,
        metavar="N",
        help="Passes over the training data; may be a fraction.",
    ),
    _step_option(
        "--max-steps",
        type=NumberType(int, 1),
        metavar="N",
        help="Train for at most N steps, and end the learning-rate schedule there. Default: no limit.",
    ),
    _step_option(
        "--optimizer",
        type=click.Choice(choices.OPTIMIZERS),
        default="adamw",
        help="muon: Muon for the weight matrices inside the layers and AdamW for the rest, with the same learning "
        "rate; needs fewer steps from random weights. Requires --zero 0 and fp32.",
    ),
    _step_option(
        "--lr",
        first=True,
        type=NumberType(float, 0, low_open=True),
        default=1e-5,
        metavar="X",
        help="Peak learning rate.",
    ),
    _step_option(
        "--min-lr",
        type=NumberType(float, 0),
        metavar="X",
        help="Learning rate at the last step. Default: a tenth of --lr.",
    ),
    _step_option(
        "--schedule",
        type=click.Choice(choices.SCHEDULES),
        default="cosine",
        help="Learning-rate decay after warm-up, from --lr to --min-lr; constant: stay at --lr.",
    ),
    _step_option(
        "--warmup",
        type=NumberType(float, 0),
        default=0.03,
        metavar="X",
        help="Warm-up, from 0 to --lr: a share of all steps if below 1, otherwise a number of steps.",
    ),
    _step_option(
        "--clip",
        type=NumberType(float, 0),
        default=1.0,
        metavar="X",
        help="Maximum gradient norm; 0 disables clipping.",
    ),
    _step_option(
        "--weight-decay",
        type=NumberType(float, 0),
        default=0.0,
        metavar="X",
        help="Weight decay of AdamW; applies to matrices only.",
    ),
    _step_option(
        "--betas",
        type=(NumberType(float, 0, 1, high_open=True),) * 2,
        default=(0.9, 0.999),
        metavar="B1 B2",
        help="AdamW betas.",
    ),
    _step_option(
        "--epsilon", type=NumberType(float, 0, low_open=True), default=1e-8, metavar="X", help="AdamW epsilon."
    ),
    _step_option(
        "--shuffle/--no-shuffle", default=True, help="Draw a new order for each epoch, or keep the order of the files."
    ),
    _step_option(
        "--seed",
        type=NumberType(int, 0),
        default=0,
        metavar="N",
        help="Random seed of the data order, of initial weights (--from-scratch, LoRA) and of dropout.",
    ),
)
"""Batches, optimizer and learning rate."""

DEVICE_OPTIONS = (
    _device_option(
        "--nproc",
        first=True,
        type=NumberType(int, 1, MOST_WORKERS),
        metavar="N",
        help="Processes to start on this node, one per device. Default: one per GPU; 1 without GPUs.",
    ),
    _device_option(
        "--micro-tokens",
        type=NumberType(int, 2),
        metavar="TOKENS",
        help="Tokens in one forward pass, per device (or per group of --sequence-parallel devices). Changes memory "
        "and speed, not the result. Default: --max-length, but at least 2048.",
    ),
    _device_option(
        "--packing/--no-packing",
        default=None,
        help="Pack several samples into one row; attention stays within each sample. Default: pack if the model "
        "supports it.",
    ),
    _device_option(
        "--activation-checkpointing",
        is_flag=True,
        help="Recompute activations in the backward pass instead of storing them: less memory, more time.",
    ),
    _device_option(
        "--zero",
        first=True,
        type=NumberType(int, 0, 3),
        metavar="STAGE",
        help="DeepSpeed ZeRO stage. 0 shards nothing; 1 shards optimizer states over the devices; 2 gradients, too; 3 "
        "weights, too. Default: 2 on several devices; on one device 1 for bf16 and 0 for fp32.",
    ),
    _device_option(
        "--offload",
        type=click.Choice(choices.OFFLOADS),
        default="none",
        help="Keep in CPU memory: nothing, optimizer states, or (with --zero 3) optimizer states and weights.",
    ),
    _device_option(
        "--sequence-parallel",
        type=NumberType(int, 1),
        default=1,
        metavar="N",
        help="Split each row over N devices (Ulysses), for long samples.",
    ),
    _device_option(
        "--liger", is_flag=True, help="Use Liger's fused kernels for models that they support. Needs liger-kernel."
    ),
    _device_option(
        "--deepspeed",
        metavar="FILE.json",
        help="DeepSpeed configuration to use. Its settings replace those of --zero and --offload; batch sizes and "
        "gradient clipping still come from the options here.",
    ),
)
"""How a step is spread over devices and memory."""

SFT_GROUPS = (MODEL_OPTIONS, DATA_OPTIONS, OPTIMIZATION_OPTIONS, DEVICE_OPTIONS, RUN_OPTIONS)
"""All options of supervised fine-tuning."""


def training_options(
    *groups: Sequence[Decorator], without: Sequence[str] = (), changed: Mapping[str, Mapping[str, Any]] | None = None
) -> Decorator:
    """Adds groups of options, in the order of the manual.

    `without` leaves options out by their names, `changed` replaces attributes (`default`, `help`) of others.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for add in reversed([decorator for group in groups for decorator in group]):
            function = add(function)
        params: list[click.Parameter] = getattr(function, "__click_params__", [])
        params[:] = [param for param in params if param.name not in without]
        for param in params:
            for name, value in (changed or {}).get(str(param.name), {}).items():
                setattr(param, name, value)
        return function

    return decorate
