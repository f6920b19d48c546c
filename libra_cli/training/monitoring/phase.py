"""What a training run does before its first step: for the progress line, and for what is said if it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from libra_cli.plural import counted
from libra_cli.stream.console import Console
from libra_cli.stream.counts import Counts
from libra_cli.stream.progress import StageProgress
from libra_cli.stream.signals import StopNow, StopRequest

if TYPE_CHECKING:  # it imports torch, which rewards of saved rollouts do not need
    from libra_cli.training.distributed.world import World

T = TypeVar("T")

PEER_SECONDS = 2.0
"""Between the moments at which two ranks hear of the same request to stop: nodes are told one after another."""


def same_command(inputs: Sequence[str]) -> str:
    """What continues a run with these inputs, in words: those of a pipe must come again."""
    reads_stdin = any(name == "-" or name.startswith(("/dev/fd/", "/dev/stdin", "/proc/self/fd/")) for name in inputs)
    return f"the same command{' with the same input' if reads_stdin else ''} continues"


class Phase:
    """The present part of the preparation. The run's thread sets it, the monitor's shows it."""

    def __init__(self, console: Console, cure: str = ""):
        """`cure`: what continues the run after a stop, `same_command`."""
        self._console, self.cure = console, cure or same_command(())
        self._doing = ""
        self._counts: Counts | None = None

    def begin(self, doing: str, counts: Counts | None = None) -> None:
        """Says what is being done from now on, to the rows of `counts` if there are any."""
        self._doing, self._counts = doing, counts

    def end(self) -> None:
        """Leaves the line to the steps."""
        self._doing = ""

    def show(self) -> None:
        """Shows it in the progress line; never waits."""
        if self._doing:
            self._console.progress(lambda: StageProgress(self._console.stage, str(self)))

    def unless_stopped(self, stop: StopRequest, world: World, prepare: Callable[[], T]) -> T | None:
        """What `prepare` returns; None, said on stderr, if a request to stop came first, to any rank."""
        prepared: T | None = None
        stop.on_leave = lambda: self._console.last_words(self._stopped())
        try:
            with stop.at_once():
                prepared = prepare()
            if prepared is not None and world.all_max([float(stop.status or 0)])[0]:
                prepared = None
        except StopNow:
            prepared = None
        except RuntimeError:  # a rank that has stopped closes its connections to this one, which may hear of it first
            if not stop.comes_within(PEER_SECONDS if world.size > 1 else 0.0):
                raise
            prepared = None
        stop.on_leave = lambda: None
        if prepared is None:
            self._console.clear()
            self._console.note(self._stopped())
        return prepared

    def _stopped(self) -> str:
        return f"stopped before the first step ({self}); {self.cure}"

    def __str__(self) -> str:
        counts = self._counts
        return self._doing if counts is None else f"{self._doing}: {counted(counts.read, 'row')}"
