"""`libra sft`: train a model on conversations (section 4 of the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from libra_cli.cli.command import plain
from libra_cli.cli.training_options import SFT_GROUPS, training_options

if TYPE_CHECKING:
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

    Reads rows with `messages` (or `prompt` and `completion`, or `conversations`, or `text`). The loss covers what the
    assistant says, by default in its last turn, including its thinking. The model in DIR is a plain folder that
    transformers, vLLM and `libra judge --model DIR` load.

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
