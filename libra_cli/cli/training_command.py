"""What the commands of all trainers do around a run: check options, start ranks or be one, describe a dry run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from libra_cli.stream.console import Console
    from libra_cli.training.run_dir import RunDir
    from libra_cli.training.settings import TrainSettings

PLANNING_MODULES = ("torch", "transformers", "safetensors")
TRAINING_MODULES = (*PLANNING_MODULES, "deepspeed")
"""What a dry run and a run import; the extra deepspeed installs all."""


def check_options(stage: str, options: dict[str, Any]) -> None:
    """Takes standard input for a missing input. Raises click.UsageError for options that cannot begin a run."""
    if options["min_lr"] is not None and options["min_lr"] > options["lr"]:
        raise click.UsageError("--min-lr is above --lr: the rate falls from --lr to it")
    for name in ("model", "output"):
        if not options[name]:
            raise click.UsageError(f"missing option --{name}; see libra {stage} --help, or name a --config")
    if options["score_every"] and not options["score"]:
        raise click.UsageError("--score-every needs --score, the files to measure the model on")
    if options["eval_start"] and not (options["score"] or options["eval_data"]):
        needed = {"grpo": "--score", "train-rm": "--eval-data"}.get(stage, "--eval-data or --score")
        raise click.UsageError(f"--eval-start needs {needed}: what the model is measured on")
    if options["final"] == "best" and not (options["score_every"] or options["eval_data"]):
        scored, held_out = "--score with --score-every", "--eval-data"
        needed = {"grpo": scored, "train-rm": held_out}.get(stage, f"{scored}, or {held_out}")
        raise click.UsageError(f"--final best needs {needed}: the best step is chosen on it")
    if not options["inputs"]:
        import sys

        if sys.stdin is None or sys.stdin.isatty():
            raise click.UsageError(f"there is no input: name a file, or pipe rows in (libra {stage} ... FILE)")
        options["inputs"] = ("-",)


def train(stage: str, nproc: int | None, settings: TrainSettings, run: Callable[[], int]) -> int:
    """In every process: looks first at what can be seen without torch, then starts the ranks or is one of them.

    `run` imports torch and trains on this rank. Returns the exit status.
    """
    from libra_cli.exits import Exit
    from libra_cli.packages import require
    from libra_cli.stream.console import Console
    from libra_cli.stream.signals import leave
    from libra_cli.training.distributed import deepspeed_config, launch
    from libra_cli.training.run_dir import RunDir

    require(TRAINING_MODULES, "deepspeed")
    deepspeed_config.read(settings.engine.deepspeed)
    folder = RunDir(settings, stage)
    finished = folder.check()
    if finished is not None:
        note = f"{settings.save.output} is finished; --overwrite trains it anew"
        Console(stage, quiet=settings.watch.quiet).note(note)
        return int(finished)
    try:
        status = launch.relaunch(nproc, settings.grace)
        if status is not None:
            return status
        _import_training(stage, settings, folder)
        ended = Exit(run())
    finally:
        folder.remove_made()
    if ended not in (Exit.DONE, Exit.SOME_ERRORS):
        leave(ended)  # all is on disk: do not keep whoever asked us to stop waiting for the libraries
    return int(ended)


def _import_training(stage: str, settings: TrainSettings, folder: RunDir) -> None:
    """Imports what training needs, and meets the other ranks; a request to stop ends the process at once."""
    import os

    from libra_cli.stream.console import Console
    from libra_cli.stream.monitor import Monitor
    from libra_cli.stream.signals import StopRequest, leave
    from libra_cli.training.monitoring.phase import same_command

    watch, is_rank0 = settings.watch, os.environ["RANK"] == "0"
    console = Console(stage, quiet=watch.quiet or not is_rank0, as_json=watch.log_format == "json")
    doing = "loading PyTorch"

    def said() -> str:
        return f"stopped before the first step ({doing}); {same_command(settings.data.inputs)}"

    with StopRequest(stage, settings.grace, settings.grace, says=is_rank0) as stop:
        stop.on_leave = lambda: console.last_words(said())
        monitor = Monitor(stop, lambda: console.progress(doing))
        try:
            with stop.at_once():
                from libra_cli.training import run  # noqa: F401 -- imported here, used by the stages
                from libra_cli.training.distributed.meeting import meet

                doing = "meeting the other ranks"
                meet()
        finally:
            monitor.close()
            console.clear()
        if stop.status is not None:
            console.note(said())
            folder.remove_made()
            leave(stop.status)


def describe(
    stage: str, nproc: int | None, settings: TrainSettings, plan: Callable[[int, Console], dict[str, Any]]
) -> int:
    """Prints a dry run as JSON: what `plan` makes of the number of devices. Returns the exit status."""
    import json
    import os

    from libra_cli.exits import Exit
    from libra_cli.masking import without_secrets
    from libra_cli.packages import require
    from libra_cli.stream.console import Console
    from libra_cli.training.distributed import deepspeed_config, launch
    from libra_cli.training.run_dir import RunDir

    require(PLANNING_MODULES, "deepspeed")
    deepspeed_config.read(settings.engine.deepspeed)
    RunDir(settings, stage).check_named()
    devices = nproc or launch.visible_devices(os.environ) or 1
    launch.relaunch(1, 0)
    planned = plan(devices, Console(stage, quiet=settings.watch.quiet))
    click.echo(json.dumps(without_secrets(planned), indent=1))
    return int(Exit.DONE)
