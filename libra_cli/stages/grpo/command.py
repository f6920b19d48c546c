"""`libra grpo`: reinforcement learning on verifiable rewards (section 5 of the paper)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from libra_cli.cli.command import plain
from libra_cli.cli.rollout_options import LOSS_OPTIONS, PROMPT_OPTIONS, ROLLOUT_OPTIONS
from libra_cli.cli.training_options import (
    DEVICE_OPTIONS,
    MODEL_OPTIONS,
    OPTIMIZATION_OPTIONS,
    RUN_OPTIONS,
    training_options,
)

if TYPE_CHECKING:
    from libra_cli.training.settings import GrpoRunSettings

EXAMPLES = (
    "libra grpo --model judge-sft -o judge score.jsonl reason.jsonl  # all GPUs of this node",
    "libra grpo --config grpo.yaml --rewards rewards.yaml -o judge tasks.jsonl",
    "libra grpo --replay judge/rollouts/*.jsonl --rewards rewards.yaml --dry-run",
    "libra grpo --model libra-mini/judge -o tuned --prompts 16 --max-tokens 256 --max-length 512 tasks.jsonl",
)

CHANGED: dict[str, dict[str, Any]] = {
    "batch_size": {"help": "Responses per step, over all devices: a rollout is learned from in mini-batches of N."},
    "epochs": {"default": 1.0, "help": "Passes over the prompts; may be a fraction."},
    "max_steps": {
        "help": "Take at most N steps (updates), and end the learning-rate schedule there. Default: no limit."
    },
    "lr": {"default": 1e-6},
    "schedule": {"default": "constant"},
    "shuffle": {"help": "Draw a new order of the prompts for each epoch, or keep the order of the files."},
    "seed": {"help": "Random seed of the order of prompts, of sampling, of LoRA's initial weights and of dropout."},
    "save_every": {"default": 40},
    "keep": {"help": "Number of latest checkpoints to keep."},
}
"""What differs from `libra sft` in options that both have."""
WITHOUT = ("final", "eval_data", "eval_every", "liger")


@plain("grpo", examples=EXAMPLES)
@click.argument("inputs", nargs=-1, metavar="[FILE]...")
@training_options(
    MODEL_OPTIONS,
    PROMPT_OPTIONS,
    ROLLOUT_OPTIONS,
    LOSS_OPTIONS,
    OPTIMIZATION_OPTIONS,
    DEVICE_OPTIONS,
    RUN_OPTIONS,
    without=WITHOUT,
    changed=CHANGED,
)
def command(
    nproc: int | None,
    grace: float,
    betas: tuple[float, float],
    dry_run: bool,
    debug: bool,
    rewards: str | None,
    replay: tuple[str, ...],
    **options: Any,
) -> int:
    """Train a model by reinforcement learning on verifiable rewards: as a judge, a reasoner, or both.

    Reads rows of verifiable tasks: `score` and `verify` (question, response, label), `rank` (two responses and
    preference), `best` (responses and best), `reason` (question and reference). One file may mix them; "task" says
    which is meant. The model in DIR is a plain folder that transformers, vLLM and `libra judge --model DIR` load.

    A rollout samples --samples responses to each of --prompts prompts, grades them as `libra score` would, turns grades
    into rewards and rewards into advantages, and then takes --prompts x --samples / --batch-size steps of a clipped
    objective (GRPO). The defaults are the paper's: 256 prompts, 8 responses, 8 steps of 256 responses. --epochs passes
    over the prompts. A response without a readable verdict has the reward of a wrong one; one that the verifier cannot
    decide has no advantage.

    Standard output has one JSON object per event: `rollout` (rewards, shares, lengths, times), `step` (loss, clip
    shares, KL, entropy), `score` and `checkpoint`. After a stop, the same command continues with the same losses as an
    uninterrupted run. A loss or gradient that is not finite ends the run (status 1) and names the responses.

    The command starts one process per device itself. Under srun, torchrun or deepspeed it uses the processes that they
    start.
    """
    if options["min_lr"] is not None and options["min_lr"] > options["lr"]:
        raise click.UsageError("--min-lr is above --lr: the rate falls from --lr to it")
    if options["max_tokens"] >= options["max_length"]:
        raise click.UsageError("--max-tokens leaves no room for a prompt within --max-length; raise --max-length")
    recipe = _recipe(rewards)
    fixed = {"eval_data": (), "eval_every": None, "final": "last", "liger": False, "assistant": "template",
             "workers": 1, "beta1": betas[0], "beta2": betas[1], "grace": grace}  # fmt: skip
    if replay:
        if not dry_run:
            raise click.UsageError("--replay computes rewards and trains nothing; give --dry-run too")
        return _replay(replay, {**options, **fixed}, recipe)
    for name in ("model", "output"):
        if not options[name]:
            raise click.UsageError(f"missing option --{name}; see libra grpo --help, or name a --config")
    if not options["inputs"]:
        import sys

        if sys.stdin is None or sys.stdin.isatty():
            raise click.UsageError("there is no input: name a file, or pipe rows in (libra grpo ... FILE)")
        options["inputs"] = ("-",)
    from libra_cli.training.settings import GrpoRunSettings

    settings = GrpoRunSettings.of({**options, **fixed}, recipe)
    from libra_cli.stages.grpo.plan import plan_of

    plan_of(settings)  # a recipe that cannot be used is refused before ranks start
    return _describe(nproc, settings) if dry_run else _train(nproc, settings)


def _recipe(path: str | None) -> dict[str, Any]:
    """The content of a reward recipe. Raises click.UsageError if the file is none."""
    if path is None:
        return {}
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            content = yaml.safe_load(file)
    except OSError as error:
        raise click.UsageError(f"--rewards {path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise click.UsageError(f"--rewards {path}: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise click.UsageError(f"--rewards {path}: a recipe is a mapping; see examples/recipes/rewards")
    return content


def _train(nproc: int | None, settings: GrpoRunSettings) -> int:
    """In every process: looks first at what can be seen without torch, then starts the ranks or is one of them."""
    from libra_cli.exits import Exit
    from libra_cli.stream.console import Console
    from libra_cli.stream.signals import leave
    from libra_cli.training.distributed import launch
    from libra_cli.training.run_dir import RunDir

    finished = RunDir(settings, "grpo").check()
    if finished is not None:
        note = f"{settings.save.output} is finished; --overwrite trains it anew"
        Console("grpo", quiet=settings.watch.quiet).note(note)
        return int(finished)
    status = launch.relaunch(nproc, settings.grace)
    if status is not None:
        return status
    from libra_cli.stages.grpo import run

    ended = run.run(settings)
    if ended not in (Exit.DONE, Exit.SOME_ERRORS):
        leave(ended)  # all is on disk: do not keep whoever asked us to stop waiting for the libraries
    return int(ended)


def _replay(paths: tuple[str, ...], options: dict[str, Any], recipe: dict[str, Any]) -> int:
    """Rewards of saved rollouts, as JSON lines."""
    import json

    from libra_cli.exits import Exit
    from libra_cli.stages.grpo.replay import replayed
    from libra_cli.training.settings import GrpoRunSettings

    settings = GrpoRunSettings.of({**options, "model": "", "output": ""}, recipe)
    for figures in replayed(paths, settings):
        click.echo(json.dumps(figures))
    return int(Exit.DONE)


def _describe(nproc: int | None, settings: GrpoRunSettings) -> int:
    """The run as JSON."""
    import json
    import os

    from libra_cli.exits import Exit
    from libra_cli.stream.console import Console
    from libra_cli.training.distributed import launch
    from libra_cli.training.run_dir import RunDir

    RunDir(settings, "grpo").check_named()
    devices = nproc or launch.visible_devices(os.environ) or 1
    launch.relaunch(1, 0)
    from libra_cli.stages.grpo.dry_run import describe

    console = Console("grpo", quiet=settings.watch.quiet)
    click.echo(json.dumps(describe(settings, devices, console), indent=1))
    return int(Exit.DONE)
