"""What a job of a pipeline does on Slurm: one step as its script says, or the join of its shards."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.run.execute import SignalRelay
from libra_cli.stages.run.join import concatenate, join, remove
from libra_cli.stages.run.marks import is_empty, left_to_do
from libra_cli.stages.run.process import cpu_seconds_at_end, ended_line, keep_printed, send, start
from libra_cli.stages.run.progress import StepProgress
from libra_cli.stages.run.slurm_scripts import errors_of, shard_of
from libra_cli.stages.run.step import Step
from libra_cli.stream.console import Console, write_stderr
from libra_cli.stream.module_path import libra_command
from libra_cli.stream.resume import Manifest, refuse_edited

_TICK = 0.2


def run_job(path: str, words: Sequence[str], console: Console) -> int:
    """Runs `words`, the command of the step in the file at `path`, or joins the step's shards if there are none.

    A step that is done is not run again. Returns 0 also for a step that refused rows, on which other jobs may depend,
    but not for one that refused every row. A shard may hold none but those.
    """
    try:
        with open(path, "rb") as file:
            known: dict[str, Any] = json.loads(file.read())
        step, progress = Step(**known["step"]), StepProgress(known["folder"], known["force"])
    except (OSError, ValueError, TypeError, KeyError):
        raise Fatal(Exit.USAGE, f"--job {path}: is no step that libra run --slurm has written") from None
    if known["shards"] > 1 and not progress.reason(step):  # its shards are joined, and gone
        console.note(f"{step.name} is done already")
        return int(Exit.DONE)
    if not words:
        return join_step(step, known["shards"], progress, console)
    before, own = list[str](), list(words)
    if step.stage:
        at = next((at for at, word in enumerate(words) if os.path.basename(word) == "libra"), len(words))
        before, own, stage = own[:at], own[at + 1 :], step.stage.split()
        if own[: len(stage)] != stage or "-o" not in own:
            raise Fatal(Exit.USAGE, f"--job {path}: give the command after --: libra {step.stage} ... -o FILE")
        if known["shards"] > 1:
            step = shard_of(known["folder"], step, os.environ.get("SLURM_ARRAY_TASK_ID", ""), known["shards"])
        step = replace(step, words=own[len(stage) :], output=own[own.index("-o") + 1])
    else:
        step = replace(step, words=own)
    if not progress.reason(step):
        console.note(f"{step.name} {progress.done(step)}")
        return int(Exit.DONE)
    mark, arguments = progress.begin(step)
    command = [*before, *libra_command(*arguments)] if step.stage else arguments
    status = run_relayed(step, command, progress.environment(step), elsewhere="srun" in before)
    if status not in (Exit.DONE, Exit.SOME_ERRORS) or (status and not step.stage):
        return status
    if status == Exit.SOME_ERRORS and known["shards"] == 1 and is_empty(step):
        return status
    keep_printed(step)
    if not step.stage and not os.path.exists(step.output):
        raise Fatal(Exit.INTERNAL, f"{step.name} has not written {step.output}")
    progress.end(step, mark, status)
    return int(Exit.DONE)


def run_relayed(step: Step, command: Sequence[str], environment: Mapping[str, str], elsewhere: bool = False) -> int:
    """Runs the command of a step, which is sent the stop signals of this process; its exit status.

    `elsewhere`: srun starts it on several nodes, whose CPU-seconds nobody here knows. A line for the shell that was
    told to stop begins anew, and so ends like a command of libra that continues.
    """
    relay, began = SignalRelay(), time.monotonic()
    try:
        with start(step, command, environment) as popen:
            while (cpu_seconds := cpu_seconds_at_end(popen)) is None:
                while relay.requests:
                    send(step, popen, relay.requests.pop(0))
                time.sleep(_TICK)
    finally:
        relay.close()
    status = popen.returncode
    write_stderr(ended_line(step, status, time.monotonic() - began, None if elsewhere else cpu_seconds))
    if relay.status is not None and status and not step.stage:
        return int(relay.status)
    return status if status >= 0 else 128 - status


def join_step(step: Step, count: int, progress: StepProgress, console: Console) -> int:
    """Joins the shards of a step to its output, and removes them unless some have rows to ask again."""
    if os.path.exists(step.output):
        earlier = Manifest.read(f"{step.output}.libra.json")
        if earlier is None:
            raise Fatal(Exit.USAGE, f"{step.output}: was not made by libra; move it away")
        refuse_edited(step.output, earlier)
    shards = [shard_of(progress.folder, step, index, count) for index in range(count)]
    paths = [shard.output for shard in shards]
    mark, _ = progress.begin(step)
    refused = join(step.output, paths, step.stage, step.inputs)
    if errors := step.writes.get("--errors"):
        concatenate(errors, [errors_of(path) for path in paths])
    if refused and is_empty(step):
        return int(Exit.SOME_ERRORS)
    progress.end(step, mark, Exit.SOME_ERRORS if refused else Exit.DONE)
    if not left_to_do(step):
        remove([*paths, *map(errors_of, paths), *map(progress.mark_path, shards)])
    console.note(f"{step.name}: joined {count} shards in {step.output}")
    return int(Exit.DONE)
