"""The shell commands that a pipeline stands for."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence

from libra_cli.stages.run.pipe_file import PipeFile
from libra_cli.stages.run.steps import Step


def script(pipe: PipeFile, steps: Sequence[Step], reason: Callable[[Step], str]) -> str:
    """A shell script of the steps; those that are done stand in it as comments. `reason` says why one is to be run."""
    lines = ["set -e", f"mkdir -p {shlex.quote(pipe.output)}"]
    to_run: set[str] = set()
    for step in steps:
        why = reason(step) or next((f"{name} runs" for name in step.needs if name in to_run), "")
        if why:
            to_run.add(step.name)
        lines.append(f"{step.line_of_shell}  # {step.name}: {why}" if why else f"# {step.name} is done")
    return "\n".join([*lines, ""])
