"""The shell commands that a pipeline stands for."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from libra_cli.masking import masked
from libra_cli.stages.run.pipe_file import PipeFile
from libra_cli.stages.run.progress import StepProgress
from libra_cli.stages.run.shell_line import redirected
from libra_cli.stages.run.step import Step


def script(pipe: PipeFile, steps: Sequence[Step], progress: StepProgress) -> str:
    """A shell script of what a run would do; the steps that are done stand in it as comments.

    Raises Fatal(2) if the output of a step that is to be made anew was edited.
    """
    lines = [f"mkdir -p {shlex.quote(pipe.output)}"]
    to_run: set[str] = set()
    is_bash = False
    for step in steps:
        made = next((f"{name} runs" for name in step.needs if name in to_run), "")
        why = progress.reason(step) or made
        if not why:
            refused = "; it refused rows (status 3)" if progress.has_refused(step) else ""
            lines.append(f"# {step.name} is done{refused}")
            continue
        words = progress.command_line(step, bool(made))
        command = shlex.join(["libra", *words])
        if not step.stage:
            command, is_bash = redirected(words[-1], step.output if step.prints else None), True
        to_run.add(step.name)
        lines.append(f"{masked(command)}  # {step.name}: {why}")
    return "\n".join(["set -euo pipefail" if is_bash else "set -e", *lines, ""])
