"""Runs several trainings in one process per rank, since each start costs seconds: drive.py RUNS.json

RUNS.json is a list of {"args": [...], "log": FILE}: the command line of a run and where rank 0 writes its lines. The
stage is `libra sft`, or that of "stage".
One with "patch": [MODULE, ARGUMENT...] comes after `MODULE.patch(ARGUMENT...)`, which changes those after it, too.
One with "stdin": FILE has that as its standard input. One with "ended": FILE may fail: its status and what it says are
written there.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

from libra_cli.exits import Fatal
from libra_cli.training.distributed import launch
from libra_cli.training.distributed.world import import_deepspeed


def main(path: str) -> None:
    with open(path) as file:
        runs = json.load(file)
    launch.relaunch(1, grace=0)
    import_deepspeed().init_distributed(dist_backend="gloo")  # once: DeepSpeed's groups outlive a run
    for run in runs:
        log = os.open(run["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)  # what the command takes for standard output
        if "stdin" in run:
            os.dup2(os.open(run["stdin"], os.O_RDONLY), 0)
        if "patch" in run:
            module, *arguments = run["patch"]
            importlib.import_module(module).patch(*arguments)
        status, said = ended(run.get("stage", "sft"), run["args"])
        if "ended" in run:
            Path(run["ended"]).write_text(json.dumps([status, said]))
        elif status:
            sys.exit(f"{run['args']}: status {status}: {said}")


def ended(stage: str, args: list[str]) -> tuple[int, str]:
    """The exit status of a run, and its last word where it failed."""
    try:
        command = importlib.import_module(f"libra_cli.stages.{stage}.command").command
        return int(command.main(args, standalone_mode=False) or 0), ""
    except Fatal as failure:
        return int(failure.status), str(failure)


if __name__ == "__main__":
    main(sys.argv[1])
