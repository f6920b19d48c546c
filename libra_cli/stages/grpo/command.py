"""`libra grpo`: reinforcement learning on verifiable rewards (section 5 of the paper)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from libra_cli.cli.command import plain
from libra_cli.cli.rollout_options import LOSS_OPTIONS, PROMPT_OPTIONS, ROLLOUT_OPTIONS
from libra_cli.cli.run_options import RUN_OPTIONS
from libra_cli.cli.training_command import check_options, describe, train
from libra_cli.cli.training_options import (
    DEVICE_OPTIONS,
    MODEL_OPTIONS,
    OPTIMIZATION_OPTIONS,
    training_options,
)

if TYPE_CHECKING:
    from libra_cli.exits import Exit
    from libra_cli.stream.console import Console
    from libra_cli.training.settings import GrpoRunSettings

EXAMPLES = (
    "libra grpo --model judge-sft -o judge score.jsonl reason.jsonl  # all GPUs of this node",
    "libra grpo --config grpo.yaml --rewards rewards.yaml -o judge tasks.jsonl",
    "libra grpo --dry-run --rewards rewards.yaml --replay judge/rollouts/*.jsonl",
    "libra grpo --model libra-mini/judge -o tuned --prompts 16 --max-tokens 256 --max-length 512 tasks.jsonl",
)

CHANGED: dict[str, dict[str, Any]] = {
    "batch_size": {"help": "Responses per step, over all devices: a rollout is learned from in mini-batches of N."},
    "epochs": {"default": 1.0, "help": "Passes over the prompts, exactly; may be a fraction."},
    "max_steps": {
        "help": "Take at most N steps (updates), and end the learning-rate schedule there. Default: no limit."
    },
    "lr": {"default": 1e-6},
    "schedule": {"default": "constant"},
    "shuffle": {"help": "Draw a new order of the prompts for each epoch, or keep the order of the files."},
    "seed": {"help": "Random seed of the order of prompts, of sampling, of LoRA's initial weights and of dropout."},
    "save_every": {"default": 40},
    "final": {
        "help": "Model to write to DIR. last: that of the last step. best: that of the step with the highest accuracy "
        "on --score, measured every --score-every steps."
    },
}
"""What differs from `libra sft` in options that both have."""
WITHOUT = ("eval_data", "eval_every", "liger")


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
    calibrate: str | None,
    **options: Any,
) -> int:
    """Train a model by reinforcement learning on verifiable rewards: as a judge, a reasoner, or both.

    Reads rows of verifiable tasks: `score` and `verify` (question, response, label), `rank` (two responses and
    preference), `best` (responses and best), `reason` (question and reference). One file may mix them; "task" says
    which is meant. The model in DIR is a plain folder that transformers, vLLM and `libra judge --model DIR` load.

    A rollout samples --samples responses to each of --prompts prompts, grades them as `libra score` would, turns grades
    into rewards and rewards into advantages, and then takes --prompts x --samples / --batch-size steps of a clipped
    objective (GRPO). The defaults are the paper's: 256 prompts, 8 responses, 8 steps of 256 responses. The run passes
    over the prompts --epochs times. A response without a readable verdict has the reward of a wrong one; one that the
    verifier cannot decide has no advantage. A recipe may name a judge, which scores the answers of `reason` as `libra
    judge` would; a question is enough then.

    Standard output has one JSON object per event: `rollout` (rewards, shares, lengths, times), `step` (loss, clip
    shares, KL, entropy), `score` and `checkpoint`. After a stop, the same command continues with the same losses as an
    uninterrupted run. A loss or gradient that is not finite ends the run (status 1) and names the responses.

    The command starts one process per device itself. Under srun, torchrun or deepspeed it uses the processes that they
    start.
    """
    _check_pairs(options)
    options |= {"eval_data": (), "eval_every": None, "liger": False, "assistant": "template",
                "workers": 1, "beta1": betas[0], "beta2": betas[1], "grace": grace}  # fmt: skip
    recipe = _recipe(rewards)
    if replay:
        _check_replay(dry_run, calibrate)
        return _replay((*replay, *options["inputs"]), options, recipe, rewards)
    check_options("grpo", options)
    if calibrate is not None and not dry_run:
        raise click.UsageError("--calibrate predicts the seconds of a run and trains nothing; give --dry-run too")
    from libra_cli.stages.grpo.plan import check_sampler_ranks, check_servers, plan_of
    from libra_cli.training.settings import GrpoRunSettings

    settings = GrpoRunSettings.of(options, recipe, rewards)
    check_servers(settings)
    if calibrate is not None and settings.rollout.has_servers:
        raise click.UsageError("--calibrate: no seconds are predicted where servers sample; leave it out")
    if settings.rollout.sampler_ranks and not dry_run:  # which has a number of devices of its own
        from libra_cli.training.distributed.launch import placement_of

        check_sampler_ranks(settings, placement_of(os.environ, nproc).world, starts=True)
    plan_of(settings)  # a recipe that cannot be used is refused before ranks start
    if dry_run:
        return describe("grpo", nproc, settings, lambda *on: _plan(settings, calibrate, *on))
    return train("grpo", nproc, settings, lambda: _run(settings))


def _run(settings: GrpoRunSettings) -> int:
    """Trains on this rank, or samples for those that train."""
    rollout = settings.rollout
    if rollout.sampler_ranks:
        from libra_cli.training.distributed.sampler_ranks import hosting, take_role

        place = take_role(rollout.sampler_ranks, rollout.server_devices)
        if place is not None:
            from libra_cli.training.rollouts.rank_server import serve

            return serve(settings, place)
        if os.environ["RANK"] == "0":
            return hosting(rollout.sampler_ranks, lambda: _train(settings))
    return _train(settings)


def _train(settings: GrpoRunSettings) -> Exit:
    from libra_cli.stages.grpo import run

    return run.run(settings)


def _plan(settings: GrpoRunSettings, run: str | None, devices: int, console: Console) -> dict[str, Any]:
    from libra_cli.stages.grpo import dry_run

    return dry_run.describe(settings, devices, console, run)


def _recipe(path: str | None) -> dict[str, Any]:
    """The content of a reward recipe. Raises click.UsageError if the file is none."""
    if path is None:
        return {}
    from libra_cli.cli.config_file import YamlError, read_config

    try:
        with open(path, "rb") as file:
            return {key: given.value for key, given in read_config(file.read()).items()}
    except OSError as error:
        raise click.UsageError(f"--rewards {path}: {error.strerror or error}") from None
    except YamlError as error:
        place = f"{path}:{error.line}" if error.line else path
        raise click.UsageError(f"--rewards {place}: {error}") from None


def _check_pairs(options: dict[str, Any]) -> None:
    """Raises UsageError for options that do not go together."""
    if options["max_tokens"] >= options["max_length"]:
        given = f"--max-tokens {options['max_tokens']}"
        what = f"{given} leaves no room for a prompt within --max-length {options['max_length']}"
        raise click.UsageError(f"{what}; lower --max-tokens, or raise --max-length")
    if options["save_token_ids"] and not options["save_rollouts"]:
        raise click.UsageError("--save-token-ids keeps them in the rows of --save-rollouts; give that too")


def _check_replay(dry_run: bool, calibrate: str | None) -> None:
    if not dry_run:
        raise click.UsageError("--replay computes rewards and trains nothing; give --dry-run too")
    if calibrate is not None:
        raise click.UsageError("--calibrate: predicts the seconds of a run, and --replay runs nothing; leave out one")


def _replay(paths: tuple[str, ...], options: dict[str, Any], recipe: dict[str, Any], file: str | None) -> int:
    """Rewards of saved rollouts, as JSON lines."""
    import json

    from libra_cli.exits import Exit
    from libra_cli.stages.grpo.replay import replayed
    from libra_cli.training.settings import GrpoRunSettings

    settings = GrpoRunSettings.of({**options, "model": "", "output": ""}, recipe, file)
    for figures in replayed(paths, settings):
        click.echo(json.dumps(figures))
    return int(Exit.DONE)
