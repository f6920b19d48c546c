"""What a training run says, whatever it trains: a JSON line a step, trackers, and progress on a terminal."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import rich.console
from rich.progress import Progress
from rich.progress_bar import ProgressBar
from rich.style import Style
from rich.text import Text

from libra_cli.stream import rows
from libra_cli.stream.console import Console
from libra_cli.training.monitoring.trackers import Background, TensorBoard, WandB, close_all, require_package

Figure = float | int | str | None

DIGITS = 7
"""Significant digits of a figure: what float32 holds."""
STEP = "step"
"""The event of one optimiser step; trackers show its figures as `train/...`, another event's under its own name."""
SHOWN: Mapping[str, str] = MappingProxyType(
    {
        "loss": "loss {:.4f}",
        "reward": "reward {:.3f}",
        "lr": "lr {:.2e}",
        "tokens_per_second": "{:,.0f} tokens/s",
        "mfu": "MFU {:.1%}",
    }
)
"""The figures of a step that people see beside its number, and how."""
BAR_COLUMNS = 24
_SPEED_SECONDS = 3600.0
"""The time left is reckoned from the steps of the last hour."""


def check_trackers(tensorboard: str | None, wandb: str | None) -> None:
    """Raises Fatal(2) with the cure where a tracker is asked for whose package is missing."""
    for tracker, wanted in ((TensorBoard, tensorboard), (WandB, wandb)):
        if wanted is not None:
            require_package(tracker)


class Telemetry:
    """Reports the steps of one training run; `write` takes a line without its newline.

    No tracker can stop it: each works in a thread of its own and is left behind with one warning where it fails.
    """

    def __init__(
        self,
        console: Console,
        write: Callable[[bytes], None],
        *,
        total_steps: int,
        tensorboard: str | None = None,
        wandb: str | None = None,
        config: Mapping[str, Any] = MappingProxyType({}),
    ):
        check_trackers(tensorboard, wandb)
        self._console, self._write = console, write
        self._trackers: list[Background] = []
        if tensorboard is not None:
            self._trackers.append(Background(TensorBoard(tensorboard), console.say))
        if wandb is not None:
            self._trackers.append(Background(WandB(wandb, config), console.say))
        self._display = _Display(console.stage, total_steps)

    def record(self, event: str, step: int, **figures: Figure) -> None:
        """One event of a step: its JSON line, its numbers to the trackers and, of a `step`, the progress line."""
        told = {name: _rounded(value) for name, value in figures.items()}
        self._write(rows.dumps({"event": event, "step": step, **told}))
        group = "train" if event == STEP else event
        numbers = {f"{group}/{name}": value for name, value in told.items() if isinstance(value, (int, float))}
        for tracker in self._trackers:
            tracker.offer(step, numbers)
        if event == STEP:
            self._display.update(step, told)
            self._console.progress(self._display.text(), self._display.draw)

    def close(self) -> None:
        """Takes the progress line away and waits a few seconds at most for the trackers."""
        self._console.clear()
        close_all(self._trackers)
        self._trackers = []


def _rounded(value: Any) -> Figure:
    """A number of any library as Python's own, to DIGITS digits; None where it is not finite, for JSON has no NaN."""
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, Integral):
        return int(value)
    if not isinstance(value, Real):
        raise TypeError(f"a figure is a number, text or None, not {type(value).__name__}; use .item() of a tensor")
    number = float(value)
    if not math.isfinite(number):
        return None
    return number if number.is_integer() else float(f"{number:.{DIGITS}g}")


class _Display:
    """The progress line: how far the run is, the figures that people look at, and the time left."""

    def __init__(self, stage: str, total_steps: int):
        self._stage = stage
        # Never started: it only reckons the time left, and draws nothing by itself.
        self._progress = Progress(auto_refresh=False, speed_estimate_period=_SPEED_SECONDS, disable=True)
        self._task = self._progress.add_task(stage, total=total_steps)
        self._figures = ""

    def update(self, step: int, figures: Mapping[str, Any]) -> None:
        """Takes the last finished step; the first sets where a resumed run begins."""
        self._progress.update(self._task, completed=step)
        self._figures = ", ".join(
            form.format(figures[name]) for name, form in SHOWN.items() if figures.get(name) is not None
        )

    def text(self) -> str:
        """The line as plain text."""
        return ", ".join(part for part in (f"step {self._done()}", self._figures, self._left()) if part)

    def draw(self, width: int) -> str:
        """The line in colours (unless NO_COLOR is set), at most `width` columns; a bar takes what the text leaves."""
        task = self._progress.tasks[0]
        line = Text(f"libra {self._stage} ", no_wrap=True)
        tail = Text(" ").join(
            part for part in (Text(self._done()), Text(self._figures, "cyan"), Text(self._left(), "green")) if part
        )
        room = min(BAR_COLUMNS, width - line.cell_len - tail.cell_len - 1)
        console = rich.console.Console(file=io.StringIO(), width=max(width, 1), force_terminal=True, highlight=False)
        if room >= BAR_COLUMNS // 4:
            bar = ProgressBar(total=task.total, completed=task.completed, width=room)
            line.append_text(Text.assemble(*_pieces(console, bar), " "))
        line.append_text(tail).truncate(max(width, 1), overflow="ellipsis")
        with console.capture() as drawn:
            console.print(line, end="")
        return drawn.get()

    def _done(self) -> str:
        task = self._progress.tasks[0]
        return f"{int(task.completed):,}/{int(task.total or 0):,}"

    def _left(self) -> str:
        seconds = self._progress.tasks[0].time_remaining
        if seconds is None:
            return ""
        hours, minutes = divmod(int(seconds) // 60, 60)
        return f"{hours}:{minutes:02}:{int(seconds) % 60:02} left"


def _pieces(console: rich.console.Console, bar: ProgressBar) -> Iterator[tuple[str, Style]]:
    """What a bar is drawn with, as text in its styles."""
    for segment in console.render(bar):
        yield segment.text, segment.style or Style.null()
