"""`libra sft`: train a model on conversations (section 4 of the paper)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from libra_cli import miniature
from libra_cli.cli.command import option, plain
from libra_cli.cli.engine_options import KeyValue

if TYPE_CHECKING:
    from libra_cli.training.settings import SftSettings

EXAMPLES = (
    "libra sft --model Qwen/Qwen2.5-32B -o judge sft.jsonl  # all GPUs of this node",
    "libra mix score.jsonl:38917 reason.jsonl:186731 | libra sft --config sft.yaml -o judge",
    "srun --ntasks-per-node=1 libra sft --config sft.yaml -o judge sft.jsonl  # on every node of a Slurm job",
    "libra sft --model libra-mini/weak -o tuned --batch-size 32 --lr 1e-3 sft.jsonl > steps.jsonl",
)

in_model = partial(option, group="Model")
in_rows = partial(option, group="Samples")
in_steps = partial(option, group="Steps")
in_devices = partial(option, group="Devices and memory")
in_saving = partial(option, group="Saving and watching")


def _checked_betas(_ctx: click.Context, _param: click.Parameter, value: tuple[float, float]) -> tuple[float, float]:
    if not all(0 <= beta < 1 for beta in value):
        raise click.BadParameter("both lie in [0, 1)")
    return value


@plain("sft", examples=EXAMPLES)
@click.argument("inputs", nargs=-1, metavar="[FILE]...")
@in_model(
    "--model",
    metavar="NAME",
    suggested=miniature.MODELS,
    help="What to train: a directory, a name of a hub, or libra-mini/weak, medium, strong, judge.",
)
@in_model("--from-scratch", is_flag=True, help="Take the model's configuration only and begin with random weights.")
@in_model("--tokenizer", metavar="NAME", help="Another tokenizer than the model's own.")
@in_model("--revision", metavar="REV", help="Branch, tag or commit of a model of a hub.")
@in_model("--trust-remote-code", is_flag=True, help="Run Python code that comes with the model.")
@in_model(
    "--dtype",
    type=click.Choice(["auto", "bf16", "fp32"]),
    default="auto",
    help="Of weights and activations; auto: bf16 on a GPU, fp32 on a CPU. Master weights are always fp32.",
)
@in_model(
    "--lora-rank",
    type=click.IntRange(1),
    metavar="R",
    help="Train low-rank adapters only, merged into the weights at the end. Needs peft.",
)
@in_model(
    "--lora-alpha", type=click.FloatRange(0, min_open=True), metavar="A", help="Their scale times R. Default: 2 R."
)
@in_model(
    "--lora-dropout",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    metavar="P",
    help="Dropout before the adapters.",
)
@in_model(
    "--lora-target",
    multiple=True,
    metavar="NAME",
    help="Layers that get one, by the end of their name; may be repeated. Default: all linear ones but the head.",
)
@in_rows("--chat-template", metavar="FILE|NAME", help="Template instead of the tokenizer's own; built in: chatml.")
@in_rows(
    "--chat-template-arg",
    multiple=True,
    type=KeyValue(),
    metavar="KEY=VALUE",
    help="Variable for the template (JSON or YAML); may be repeated.",
)
@in_rows(
    "--assistant",
    type=click.Choice(["template", "verbatim"]),
    default="template",
    help="template: the assistant's text as the template sets it, refused where that drops any of it. verbatim: the "
    "text itself after the template's prompt, closed as the template closes a turn.",
)
@in_rows("--learn", type=click.Choice(["last", "all"]), default="last", help="The assistant's turns that are learned.")
@in_rows("--max-length", type=click.IntRange(2), default=32_768, metavar="TOKENS", help="The longest sample.")
@in_rows(
    "--too-long",
    type=click.Choice(["drop", "refuse"]),
    default="drop",
    help="Longer samples: leave out and count, or treat as an error. None is ever cut.",
)
@in_rows("--errors", metavar="FILE", help="Leave rows that cannot be learned from in FILE and go on. Default: stop.")
@in_rows("-j", "--workers", type=click.IntRange(1), default=1, metavar="N", help="Threads that encode rows.")
@in_steps("--batch-size", type=click.IntRange(1), default=256, metavar="N", help="Samples a step, over all devices.")
@in_steps("--epochs", type=click.FloatRange(0, min_open=True), default=3.0, metavar="N", help="How often each is seen.")
@in_steps("--max-steps", type=click.IntRange(1), metavar="N", help="At most N steps; the schedule ends there, too.")
@in_steps(
    "--optimizer",
    type=click.Choice(["adamw", "muon"]),
    default="adamw",
    help="muon: for the matrices inside the layers, AdamW for the rest, with one learning rate; learns from nothing in "
    "fewer steps. Needs --zero 0 and float32.",
)
@in_steps("--lr", type=click.FloatRange(0, min_open=True), default=1e-5, metavar="X", help="Highest learning rate.")
@in_steps("--min-lr", type=click.FloatRange(0), metavar="X",
          help="Learning rate of the last step. Default: a tenth of --lr.")  # fmt: skip
@in_steps(
    "--schedule",
    type=click.Choice(["cosine", "linear", "constant"]),
    default="cosine",
    help="How it falls; constant: it does not.",
)
@in_steps(
    "--warmup",
    type=click.FloatRange(0),
    default=0.03,
    metavar="X",
    help="Share of the steps, or from 1 on their number.",
)
@in_steps("--clip", type=click.FloatRange(0), default=1.0, metavar="X", help="Greatest norm of a gradient; 0: any.")
@in_steps("--weight-decay", type=click.FloatRange(0), default=0.0, metavar="X", help="Of AdamW, on matrices only.")
@in_steps(
    "--betas", type=(float, float), default=(0.9, 0.999), callback=_checked_betas, metavar="B1 B2", help="Of AdamW."
)
@in_steps("--epsilon", type=click.FloatRange(0, min_open=True), default=1e-8, metavar="X", help="Of AdamW.")
@in_steps("--shuffle/--no-shuffle", default=True, help="Another order in each epoch, or that of the files.")
@in_steps(
    "--seed", type=click.IntRange(0), default=0, metavar="N", help="Of the order, of random weights and of dropout."
)
@in_devices(
    "--nproc",
    type=click.IntRange(1),
    metavar="N",
    help="Processes on this node, one a device. Default: all GPUs, one where there is none.",
)
@in_devices(
    "--micro-tokens",
    type=click.IntRange(2),
    metavar="TOKENS",
    help="Tokens of one forward pass, on one device or on those that share a row. Default: --max-length, "
    "and 2,048 at least.",
)
@in_devices(
    "--packing/--no-packing",
    default=None,
    help="Several samples in one row, none of which sees another. Default: where the model can.",
)
@in_devices("--activation-checkpointing", is_flag=True, help="Compute activations again instead of keeping them.")
@in_devices(
    "--zero",
    type=click.IntRange(0, 3),
    metavar="STAGE",
    help="DeepSpeed's ZeRO: 1 spreads the optimiser over devices, 2 gradients, too, 3 weights, too. Default: 2 "
    "on several devices, 1 on one in bf16, 0 on one in fp32.",
)
@in_devices(
    "--offload",
    type=click.Choice(["none", "optimizer", "all"]),
    default="none",
    help="What lives in the host's memory: the optimiser, or (with ZeRO 3) weights, too.",
)
@in_devices(
    "--sequence-parallel",
    type=click.IntRange(1),
    default=1,
    metavar="N",
    help="Devices that share one row (Ulysses), for long samples.",
)
@in_devices("--liger", is_flag=True, help="Use Liger's kernels where they know the model. Needs liger-kernel.")
@in_devices(
    "--deepspeed",
    metavar="FILE.json",
    help="A DeepSpeed configuration of your own, taken as it is but for what options here say.",
)
@in_saving(
    "-o",
    "--output",
    metavar="DIR",
    help="The trained model and its checkpoints; the same command again goes on.",
)
@in_saving("--overwrite", is_flag=True, help="Begin anew in DIR.")
@in_saving("--save-every", type=click.IntRange(1), default=500, metavar="STEPS",
           help="Write a checkpoint so often, and when stopped.")  # fmt: skip
@in_saving("--keep", type=click.IntRange(1), default=2, metavar="K", help="Checkpoints kept, beside the best.")
@in_saving(
    "--resume",
    type=click.Choice(["auto", "never"]),
    default="auto",
    help="Go on from the last checkpoint, or give up those that are there.",
)
@in_saving(
    "--final",
    type=click.Choice(["last", "best"]),
    default="last",
    help="The model in DIR: that of the last step, or the one that --eval-every found best.",
)
@in_saving(
    "--save-dtype",
    type=click.Choice(["auto", "bf16", "fp32"]),
    default="auto",
    help="What the weights of the model in DIR are written as. Default: as they were trained; fp32 of a run in bf16 "
    "is the optimiser's own (of adapters what bf16 has of them).",
)
@in_saving(
    "--grace",
    type=click.FloatRange(0),
    default=30.0,
    metavar="SECONDS",
    help="Time to write a checkpoint when asked to stop (TERM, USR1, Ctrl-C).",
)
@in_saving("--eval-data", multiple=True, metavar="FILE", help="Held-out samples; may be repeated.")
@in_saving(
    "--eval-every",
    type=click.IntRange(1),
    metavar="STEPS",
    help="Measure the loss on them so often. Default: at the end.",
)
@in_saving(
    "--score",
    multiple=True,
    metavar="FILE",
    help="Labelled rows that the model judges (libra judge) and is scored on (libra score); may be repeated.",
)
@in_saving("--score-every", type=click.IntRange(1), metavar="STEPS", help="Judge them so often. Default: at the end.")
@in_saving("--score-with", default="", metavar="OPTIONS", help="More options of libra judge, as one text.")
@in_saving("--tensorboard", metavar="DIR", help="Write figures for TensorBoard to DIR.")
@in_saving("--wandb", metavar="PROJECT", help="Send figures to Weights & Biases.")
@in_saving("-q", "--quiet", is_flag=True, help="Say nothing on stderr but errors.")
@in_saving("--log-format", type=click.Choice(["text", "json"]), default="text", help="How to write to stderr.")
@in_saving(
    "--dry-run", is_flag=True, help="Print what the run would be, and the memory it needs, as JSON; train nothing."
)
@in_saving("--debug", is_flag=True, help="Show the traceback of an unexpected error.")
def command(nproc: int | None, grace: float, betas: tuple[float, float], dry_run: bool, debug: bool,
            **options: Any) -> int:  # fmt: skip
    """Train a causal language model on conversations, from one CPU to many nodes.

    Reads rows with `messages` (or `prompt` and `completion`, or `conversations`, or `text`) and learns what the
    assistant says, by default in its last turn, its thinking included byte for byte. The model in DIR is a plain folder
    that transformers, vLLM and `libra judge --model DIR` load.

    A step learns from --batch-size samples, and its loss is the mean over all their learned tokens: how many devices
    there are and how many tokens a forward pass has changes memory and speed, not the result (but for what dropout
    draws). Samples are packed into rows of --micro-tokens without padding, each with its own positions and attention.

    Standard output has one JSON object a step: loss, lr, grad_norm, tokens_per_second, mfu, padding, memory_gb. Beside
    `step` there are the events `eval`, `score` and `checkpoint`. A checkpoint is written every --save-every steps and
    when the run is asked to stop; the same command then goes on with the losses that it would have had. A loss or
    gradient that is not finite ends the run (status 1) and names the samples; the weights stay as they were.

    The command starts one process a device by itself. Under srun, torchrun or deepspeed it takes the place that it is
    given there.
    """
    if options["min_lr"] is not None and options["min_lr"] > options["lr"]:
        raise click.UsageError("--min-lr is above --lr: the rate falls from --lr to it")
    if options["final"] == "best" and not options["eval_data"]:
        raise click.UsageError("--final best needs --eval-data, on which it is chosen")
    for name in ("model", "output"):
        if not options[name]:
            raise click.UsageError(f"missing option --{name}; see libra sft --help, or name a --config")
    if not options["inputs"]:
        import sys

        if sys.stdin is None or sys.stdin.isatty():
            raise click.UsageError("there is no input: name a file, or pipe rows in (libra sft ... FILE)")
        options["inputs"] = ("-",)
    return _train(nproc, dry_run, {**options, "grace": grace, "beta1": betas[0], "beta2": betas[1]})


def _train(nproc: int | None, dry_run: bool, options: dict[str, Any]) -> int:
    """In every process: looks first at what can be seen without torch, then starts the ranks or is one of them."""
    from libra_cli.exits import Exit
    from libra_cli.stream.console import Console
    from libra_cli.stream.signals import leave
    from libra_cli.training.distributed import launch
    from libra_cli.training.run_dir import RunDir
    from libra_cli.training.settings import SftSettings

    settings = SftSettings.of(options)
    if dry_run:
        return _describe(nproc, settings)
    finished = RunDir(settings, "sft").check()
    if finished is not None:
        Console("sft", quiet=options["quiet"]).note(f"{settings.save.output} is finished; --overwrite trains it anew")
        return int(finished)
    status = launch.relaunch(nproc, settings.grace)
    if status is not None:
        return status
    from libra_cli.stages.sft import run

    ended = run.run(settings)
    if ended not in (Exit.DONE, Exit.SOME_ERRORS):
        leave(
            ended
        )  # all is on disk: whoever asked us to stop may not wait until the libraries have put their things away
    return int(ended)


def _describe(nproc: int | None, settings: SftSettings) -> int:
    """The run as JSON."""
    import json
    import os

    from libra_cli.exits import Exit
    from libra_cli.stream.console import Console
    from libra_cli.training.distributed import launch
    from libra_cli.training.run_dir import RunDir

    RunDir(settings, "sft").check_named()
    devices = nproc or launch.visible_devices(os.environ) or 1
    launch.relaunch(1, 0)
    from libra_cli.stages.sft.run import SftMethod
    from libra_cli.training import dry_run

    console = Console("sft", quiet=settings.watch.quiet)
    click.echo(json.dumps(dry_run.describe(settings, SftMethod(settings).encoder, devices, console), indent=1))
    return int(Exit.DONE)
