"""Runs the steps of a pipeline as processes of libra, some at a time, and remembers which are done."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from libra_cli.exits import Exit, die_with_parent
from libra_cli.masking import masked
from libra_cli.stages.run.marks import Mark, is_empty, left_to_do
from libra_cli.stages.run.process import cpu_seconds_at_end, ended_line, keep_printed, send, start
from libra_cli.stages.run.progress import StepProgress
from libra_cli.stages.run.step import Step
from libra_cli.stream.console import Console, printable
from libra_cli.stream.ending import COUNTS, ERROR, VARIABLE, take
from libra_cli.stream.module_path import libra_command
from libra_cli.stream.progress import INBOX_VARIABLE, MOST_DETAIL, StageProgress
from libra_cli.stream.shared_line import ProgressInbox
from libra_cli.stream.signals import STATUS, CtrlC
from libra_cli.stream.sinks import write_failed

_TICK = 0.05
_TAIL = 1 << 16
"""Bytes at the end of a log in which its last line is looked for."""


@dataclass
class StepProcess:
    """A step that runs."""

    step: Step
    mark: Mark
    popen: subprocess.Popen[bytes]
    log: BinaryIO
    log_begin: int
    inbox: ProgressInbox
    began: float = field(default_factory=time.monotonic)


class SignalRelay:
    """The stop signals for the length of a run: each is passed on to the steps that run."""

    def __init__(self) -> None:
        self.status: Exit | None = None
        self.requests: list[int] = []
        self._ctrl_c = CtrlC()
        self._before = {
            number: signal.signal(number, self._take)
            for number in STATUS
            if signal.getsignal(number) is not signal.SIG_IGN
        }

    def _take(self, number: int, _frame: object) -> None:
        if number != signal.SIGINT or self._ctrl_c.pressed():
            self.requests.append(number)
            self.status = self.status or STATUS[signal.Signals(number)]

    def close(self) -> None:
        """Gives the signals back their handlers."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


class Runner:
    """Runs steps, at most `jobs` at a time."""

    def __init__(self, progress: StepProgress, jobs: int, console: Console):
        self._progress, self._jobs, self._console = progress, jobs, console
        self._running: list[StepProcess] = []
        self._failed: Exit | None = None
        self._refused = False
        self._left: list[str] = []
        """The steps that ended with rows which the same command asks again."""
        self._steps: dict[str, Step] = {}
        self._width = 0

    def run(self, steps: Sequence[Step]) -> int:
        """Runs the steps that are not done; returns the exit status of the whole."""
        self._width = max((len(step.name) for step in steps), default=0)
        self._steps = {step.name: step for step in steps}
        self._progress.make_folders()
        with ExitStack() as stack:
            stack.enter_context(self._progress.locked())
            stopped = SignalRelay()
            stack.callback(stopped.close)
            stack.callback(self._kill)
            self._work(list(steps), stopped)
        self._console.clear()
        for left in self._left:
            self._console.say(f"{left}; the same command asks again")
        if stopped.status is not None:
            self._console.say("stopped; the same command continues")
            return int(stopped.status)
        if self._failed is not None:
            return int(self._failed)
        return int(Exit.SOME_ERRORS if self._refused else Exit.DONE)

    def _work(self, waiting: list[Step], stopped: SignalRelay) -> None:
        own = {step.name for step in waiting}
        finished: set[str] = set()
        while waiting or self._running:
            for number in stopped.requests[:]:
                stopped.requests.pop(0)
                for process in self._running:
                    send(process.step, process.popen, number)
            ends = self._failed is not None or stopped.status is not None
            if ends and not self._running:
                return
            ready = [step for step in waiting if not ends and finished >= own.intersection(step.needs)]
            for step in ready[: self._jobs - len(self._running)]:
                waiting.remove(step)
                if self._is_done(step):
                    finished.add(step.name)
                else:
                    self._running.append(self._start(step))
            self._show()
            for process in self._running[:]:
                if (cpu_seconds := cpu_seconds_at_end(process.popen)) is not None:
                    self._running.remove(process)
                    if self._end(process, cpu_seconds, stopped):
                        finished.add(process.step.name)
            if self._running:
                time.sleep(_TICK)

    # -- one step -----------------------------------------------------------------------------------------------------

    def _is_done(self, step: Step) -> bool:
        if self._progress.reason(step):
            return False
        has_refused = self._progress.has_refused(step)
        self._refused |= has_refused
        log = self._progress.log_path(step)
        where = f": see {log}" if os.path.isfile(log) else ""
        self._say(step, self._progress.done(step) + (f"; it refused rows (status 3){where}" if has_refused else ""))
        return True

    def _start(self, step: Step) -> StepProcess:
        mark, words = self._progress.begin(step)
        path = self._progress.log_path(step)
        try:
            log = open(path, "ab")  # noqa: SIM115 -- closed when the step ends
            log.write(f"$ {masked(shlex.join([*step.program, *words]))}\n".encode("utf-8", "backslashreplace"))
            log.flush()
        except OSError as error:
            raise write_failed(path, error) from None
        begin = log.tell()  # before the step, whose own position it is, writes
        parent, ending = os.getpid(), self._progress.ending_path(step)
        take(ending)  # of a run that was killed
        inbox = ProgressInbox(f"{parent}-{step.name}")
        environment = self._progress.environment(step)
        if step.stage:  # else commands of libra within the line would speak for all of it
            environment |= {VARIABLE: os.path.abspath(ending), INBOX_VARIABLE: inbox.name}
            words = libra_command(*words)
        popen = start(step, words, environment, log, lambda: die_with_parent(parent))
        return StepProcess(step, mark, popen, log, begin, inbox)

    def _end(self, process: StepProcess, cpu_seconds: float, stopped: SignalRelay) -> bool:
        """Notes how a step ended; whether those that need it can run."""
        process.inbox.close()
        step, status, seconds = process.step, process.popen.returncode, time.monotonic() - process.began
        with suppress(OSError), process.log:  # as other messages, it stops nothing where there is no room for it
            os.write(process.log.fileno(), ended_line(step, status, seconds, cpu_seconds).encode())
        told = take(self._progress.ending_path(step))
        if status == Exit.DONE and not step.stage:
            keep_printed(step)
            if not os.path.exists(step.output):
                told, status = {ERROR: f"it has not written {step.output}"}, int(Exit.INTERNAL)
        refused = status == Exit.SOME_ERRORS and bool(step.stage)
        if status == Exit.DONE or (refused and not is_empty(step)):
            self._progress.end(step, process.mark, status)
            self._refused |= refused
            self._left += [f"{step.name}: {left_to_do(step)}"] if refused and left_to_do(step) else []
            counts = told.get(COUNTS) if step.form == "rows" else None  # a trainer counts what it is scored on
            self._say(step, counts or f"done ({seconds:.1f} s)")
            return True
        if stopped.status is not None:
            return False
        self._fail(process, status, told)
        return False

    def _fail(self, process: StepProcess, status: int, told: Mapping[str, str]) -> None:
        """Says why a step failed, and which step is the cause if it had no rows."""
        step = process.step
        how = f"ended with status {status}" if status >= 0 else f"was killed ({signal.Signals(-status).name})"
        path, name = self._progress.log_path(step), f"libra {step.stage}: "
        last = last_line(path, process.log_begin).removeprefix(name)
        why = f": {told[ERROR]}" if ERROR in told else f"; it last said: {last}" if last else ""
        if status == Exit.SOME_ERRORS and step.stage:
            why = f", and nothing came out of it: {told.get(COUNTS, last)}"
        self._console.say(f"{step.name} {how}{why}", event="failed", step=step.name, status=status)
        self._console.say(f"its log is {path}; the same command continues")
        if cause := self._without_rows(step):
            where = f"see its log, {self._progress.log_path(cause)}"
            self._console.say(f"no row came out of {cause.name}, which {step.name} needs: {where}")
        known = [int(each) for each in Exit] if step.stage else []
        self._failed = self._failed or (Exit(status) if status in known else Exit.INTERNAL)

    def _without_rows(self, step: Step) -> Step | None:
        """The first step on the way to `step` of which no row came out; None if it has rows to read."""
        needed = (self._steps[name] for name in step.needs if name in self._steps)
        empty = next((each for each in needed if is_empty(each)), None)
        return empty and (self._without_rows(empty) or empty)

    def _say(self, step: Step, text: str) -> None:
        self._console.note(f"{step.name:{self._width}}  {text}", event="step", step=step.name)

    def _show(self) -> None:
        if self._running:
            self._console.progress(lambda: StageProgress("run", " | ".join(self._doing(MOST_DETAIL))), self._line)

    def _line(self, width: int) -> str:
        """The progress line: as many figures of each step that runs, then as many steps, as `width` columns allow."""
        for detail in range(MOST_DETAIL, -1, -1):
            parts = self._doing(detail)
            if len(line := printable(f"libra run: {' | '.join(parts)}")) <= width:
                return line
        for kept in range(len(parts) - 1, 0, -1):
            shown = " | ".join([*parts[:kept], f"{len(parts) - kept} more"])
            if len(line := printable(f"libra run: {shown}")) <= width:
                return line
        return (line if len(parts) == 1 else f"libra run: {len(parts)} steps at work")[:width]

    def _doing(self, detail: int) -> list[str]:
        """What each step that runs is doing, more with more `detail`; the last line of its log if it does not tell."""
        parts = []
        for process in self._running:
            seconds = time.monotonic() - process.began
            alone = len(self._running) == 1
            if told := process.inbox.received():
                now = ", ".join(told[-1].words(MOST_DETAIL if alone and told[-1].doing else detail))
            else:
                now = last_line(self._progress.log_path(process.step), process.log_begin)
                now = now.removeprefix(f"libra {process.step.stage}: ")
            name = f"{process.step.name:{self._width}} " if alone else process.step.name
            parts.append(f"{name} {seconds:.0f} s  {now}".rstrip())
        return parts

    def _kill(self) -> None:
        """Ends what still runs, after an error of our own."""
        for process in self._running:
            send(process.step, process.popen, signal.SIGTERM)
        for process in self._running:
            process.popen.wait()


def last_line(path: str, begin: int) -> str:
    """The last line of a log after its first `begin` bytes that is for people; of a training step, its figures."""
    try:
        with open(path, "rb") as file:
            file.seek(max(begin, os.stat(path).st_size - _TAIL))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    for line in reversed(lines):
        if line.startswith("{"):
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and event.get("event") == "step":
                return f"step {event.get('step')}, loss {event.get('loss', 0):.4g}"
        elif line.strip():
            return printable(line.strip())
    return ""


def results(steps: Sequence[Step], progress: StepProgress) -> str:
    """What the steps that report for people have written, laid out for stdout as far as that is known of them."""
    from libra_cli.reports.kept import kept
    from libra_cli.reports.outputs import laid_out

    shown = []
    for step in steps:
        if step.form == "result" and os.path.isfile(step.output):
            text = Path(step.output).read_text(encoding="utf-8", errors="replace")
            parts = kept(progress.tables_path(step), text)
            shown.append(text if parts is None else laid_out(parts, True))
    return "\n".join(shown)
