"""Starts the process of a step, passes signals on to it, says what it took, and keeps what a line has printed."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO

from libra_cli.stages.run.step import Step
from libra_cli.stream import rows
from libra_cli.stream.module_path import others_environment
from libra_cli.stream.sinks import write_failed


def start(
    step: Step,
    words: Sequence[str],
    environment: Mapping[str, str],
    log: BinaryIO | None = None,
    before: Callable[[], None] | None = None,
) -> subprocess.Popen[bytes]:
    """Starts `words` for a step; its messages go to `log`, or where ours go.

    With a log, Ctrl-C reaches the step once: from us. A line for the shell, which may run several processes, always has
    a group of its own, to which signals are sent.

    A file that a line for the shell writes itself is begun anew, without the manifest of a stage that was this step
    before, unless a command of libra in the line is to continue its `.part`; a folder stays as it is, so that the line
    can go on in it. What a line prints, if it writes no file itself, goes to the output's `.part`. That of a run that
    was killed, of which something may still be at work, is another file. Raises Fatal(74) if it cannot be written.
    """
    printed = log
    if not step.stage:
        part = f"{step.output}.part"
        begun = part if step.prints else step.output
        try:
            if os.path.isfile(begun):
                os.unlink(begun)  # of a line that failed, to which this one might append
            if not step.prints and not os.path.exists(part):
                remove_manifest(step)
            printed = open(begun, "wb") if step.prints else log  # noqa: SIM115 -- closed when the process has it
        except OSError as error:
            raise write_failed(begun, error) from None
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=log,
            env=environment if step.stage else others_environment(environment),
            start_new_session=log is not None or not step.stage,
            preexec_fn=before,
        )
    finally:
        if printed is not None and printed is not log:
            printed.close()


def send(step: Step, process: subprocess.Popen[bytes], number: int) -> None:
    """Sends a signal to a step: to a command of libra, which passes it on, or to all that a line for the shell runs."""
    with suppress(ProcessLookupError):
        if step.stage:
            process.send_signal(number)
        else:
            os.killpg(process.pid, number)


def cpu_seconds_at_end(process: subprocess.Popen[bytes]) -> float | None:
    """CPU-seconds of a process, and of those that it waited for, when it is first seen to have ended; None before."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.poll() is None:
        return None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ended_line(step: Step, status: int, seconds: float, cpu_seconds: float | None) -> str:
    """The last line in the log of a step: how it ended, and what that took. `cpu_seconds` is None if nobody knows."""
    used = None if cpu_seconds is None else round(cpu_seconds, 2)
    event = {"event": "ended", "step": step.name, "status": status if status >= 0 else 128 - status}
    return rows.dumps({**event, "seconds": round(seconds, 2), "cpu_seconds": used}).decode() + "\n"


def keep_printed(step: Step) -> None:
    """Makes what a line for the shell has printed the output of its step; raises Fatal(74)."""
    if not step.prints:
        return
    try:
        os.replace(f"{step.output}.part", step.output)
        remove_manifest(step)
    except OSError as error:
        raise write_failed(step.output, error) from None


def remove_manifest(step: Step) -> None:
    """Removes the manifest of a stage that was this step before; raises OSError."""
    with suppress(FileNotFoundError):
        os.unlink(f"{step.output}.libra.json")
