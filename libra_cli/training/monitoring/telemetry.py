"""Reports of a training run, whatever it trains: a JSON line per step, trackers, and progress on a terminal."""

from __future__ import annotations

import io
import math
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import rich.console
from rich.progress_bar import ProgressBar
from rich.style import Style
from rich.text import Text

from libra_cli.plural import counted
from libra_cli.stream import rows
from libra_cli.stream.console import Console
from libra_cli.training.monitoring.trackers import TensorBoard, Tracker, WandB, check_trackers

Figure = float | int | str | None

DIGITS = 7
"""Significant digits of a figure: what float32 holds."""
STEP = "step"
"""The event of one update; trackers show its figures as `train/...`, those of another event under its own name."""
SHOWN: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("rollout", "reward"): "reward {:.3f}",
        ("rollout", "correct"): "correct {:.1%}",
        ("rollout", "length_mean"): "length {:,.0f}",
        ("score", "accuracy"): "accuracy {:.1%}",
        (STEP, "loss"): "loss {:.4f}",
        (STEP, "reward_margin"): "margin {:.3f}",
        (STEP, "reward_accuracy"): "accuracy {:.1%}",
        (STEP, "lr"): "lr {:.2e}",
        (STEP, "tokens_per_second"): "{:,.0f} tokens/s",
        (STEP, "mfu"): "MFU {:.1%}",
    }
)
"""(Event, figure) -> its format: what the progress line shows, each from the last event of the kind."""
BAR_COLUMNS = 24
_LATEST = 200
"""The time left is estimated from so many steps, the last."""


class Telemetry:
    """Reports the steps of one training run; `write` takes a line without its newline.

    No tracker can stop the run: one that fails or hangs is dropped with a warning.
    """

    def __init__(
        self,
        console: Console,
        write: Callable[[bytes], None],
        *,
        total_steps: int,
        tensorboard: str | None = None,
        wandb: str | None = None,
        run_id: str | None = None,
        config: Mapping[str, Any] = MappingProxyType({}),
        evaluations: Mapping[str, int] = MappingProxyType({}),
        people: Callable[[str, int, Mapping[str, Any]], None] | None = None,
    ):
        """`run_id`: the same for all parts of a run that is continued; W&B knows it by that.

        `evaluations`: event -> the number of steps after which it comes again; it comes after the last step, too.

        `people`: takes each event where standard output is a terminal, and writes a line about it.
        """
        check_trackers(tensorboard, wandb)
        self._console, self._write, self._people = console, write, people
        self._total_steps = total_steps
        self._trackers: list[Tracker] = []
        if tensorboard is not None:
            self._trackers.append(TensorBoard(tensorboard, console.say))
        if wandb is not None:
            self._trackers.append(WandB(wandb, config, run_id, console.say))
        self._progress = _ProgressLine(console.stage, total_steps, evaluations)

    def record(self, event: str, step: int, **figures: Figure) -> None:
        """Reports one event: its JSON line, and its numbers to the trackers; a `step` updates the progress, too."""
        rounded = {name: _rounded(value) for name, value in figures.items()}
        if self._people is None:
            self._console.give_up_line()
        self._write(rows.dumps({"event": event, "step": step, **rounded}))
        group = "train" if event == STEP else event
        numbers = {f"{group}/{name}": value for name, value in rounded.items() if isinstance(value, (int, float))}
        for tracker in self._trackers:
            tracker.log(step, numbers)
        self._progress.update(event, step, rounded)
        if self._people is not None:
            self._people(event, step, rounded)
        elif event == "score" and isinstance(rounded.get("accuracy"), (int, float)):
            self._console.note(scored(step, self._total_steps, rounded), **rounded)
        if event == STEP:
            self._console.progress(self._progress.text(), self._progress.draw)

    def tell(self, text: str) -> None:
        """Says on stderr what people should know of an event."""
        self._console.say(text)

    def continue_after(self, step: int) -> None:
        """Tells the trackers, before the first event, that the run goes on from a checkpoint of `step`."""
        for tracker in self._trackers:
            tracker.continues_after = step

    def close(self) -> None:
        """Removes the progress line and closes the trackers."""
        self._console.clear()
        for tracker in self._trackers:
            tracker.close()
        self._trackers = []


def _rounded(value: Any) -> Figure:
    """A number of any library as a Python number of DIGITS digits; None if it is not finite, since JSON has no NaN."""
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


def scored(step: int, total_steps: int, figures: Mapping[str, Any]) -> str:
    """What a benchmark says of the model, for people."""
    low, high = figures.get("low"), figures.get("high")
    ends = f" [{100 * low:.1f}, {100 * high:.1f}]" if low is not None and high is not None else ""
    unread = f", {figures['unread']:,} unreadable" if figures.get("unread") else ""
    refused = f", {figures['refused']:,} refused" if figures.get("refused") else ""
    of_step = figures.get("model_step", step)
    verdicts = f"{counted(figures.get('n', 0), 'verdict')}{unread}{refused}"
    place = f"step {of_step:,}/{total_steps:,}" if of_step else "before training"
    return f"{place}: accuracy {figures['accuracy']:.1%}{ends} on the benchmark ({verdicts})"


class _TimeLeft:
    """The time left, from the steps and evaluations so far and from those to come."""

    def __init__(self, total_steps: int, evaluations: Mapping[str, int]):
        self._total, self._every = total_steps, evaluations
        self._seconds: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_LATEST))
        self._step: int | None = None
        self._evaluated: dict[str, int] = {}
        """The last step after which each evaluation came."""
        self._noted_at, self._since_step = 0.0, 0.0

    def note(self, event: str, step: int) -> None:
        """Takes the end of a step or of an evaluation; what else happens counts in the next step."""
        now = time.monotonic()
        is_known, seconds = self._step is not None, now - self._noted_at
        if event in self._every:
            self._evaluated[event] = step
            if is_known:
                self._seconds[event].append(seconds)
        elif event == STEP:
            if is_known:
                self._seconds[STEP].append(self._since_step + seconds)
            self._step, self._since_step = step, 0.0
            for each in self._every:
                self._evaluated.setdefault(each, max(0, step - 1))
        else:
            self._since_step += seconds
        self._noted_at = now

    @property
    def seconds(self) -> float | None:
        """Of the run; None until a step's time is known. An evaluation counts once it has come for the first time."""
        if self._step is None or not self._seconds[STEP]:
            return None
        to_come = {STEP: self._total - self._step}
        for event, every in self._every.items():
            to_come[event] = math.ceil(self._total / every) - self._evaluated[event] // every
        means = {event: sum(known) / len(known) for event, known in self._seconds.items() if known}
        return sum(count * means.get(event, 0.0) for event, count in to_come.items())


class _ProgressLine:
    """The progress line: steps done, the figures in SHOWN, and the time left."""

    def __init__(self, stage: str, total_steps: int, evaluations: Mapping[str, int] = MappingProxyType({})):
        self._stage, self._total, self._step = stage, total_steps, 0
        self._time_left = _TimeLeft(total_steps, evaluations)
        self._latest: dict[tuple[str, str], str] = {}
        self._figures: list[str] = []

    def update(self, event: str, step: int, figures: Mapping[str, Any]) -> None:
        """Takes the figures of an event; the first step that it sees is the one that a resumed run begins at."""
        if event == STEP:
            self._step = step
        self._time_left.note(event, step)
        for (kind, name), form in SHOWN.items():
            if kind == event:
                value = figures.get(name)
                self._latest[kind, name] = "" if value is None else form.format(value)
        self._figures = [self._latest[key] for key in SHOWN if self._latest.get(key)]

    def text(self) -> str:
        """The line as plain text."""
        return ", ".join(part for part in (f"step {self._done()}", *self._figures, self._left()) if part)

    def draw(self, width: int) -> str:
        """The line in colour (unless NO_COLOR is set), at most `width` columns; a bar takes the room that is left.

        The last figures are left out where there is no room for them.
        """
        line = Text(f"libra {self._stage} ", no_wrap=True)
        kept = len(self._figures)
        while (tail := self._tail(kept)).cell_len > width - line.cell_len and kept:
            kept -= 1
        room = min(BAR_COLUMNS, width - line.cell_len - tail.cell_len - 1)
        console = rich.console.Console(file=io.StringIO(), width=max(width, 1), force_terminal=True, highlight=False)
        if room >= BAR_COLUMNS // 4:
            bar = console.render(ProgressBar(total=self._total, completed=self._step, width=room))
            line.append_text(Text.assemble(*((part.text, part.style or Style.null()) for part in bar), " "))
        line.append_text(tail).truncate(max(width, 1), overflow="ellipsis")
        with console.capture() as drawn:
            console.print(line, end="")
        return drawn.get()

    def _tail(self, kept: int) -> Text:
        """Steps done, the first `kept` figures and the time left."""
        parts = Text(self._done()), Text(", ".join(self._figures[:kept]), "cyan"), Text(self._left(), "green")
        return Text(" ").join(part for part in parts if part)

    def _done(self) -> str:
        return f"{self._step:,}/{self._total:,}"

    def _left(self) -> str:
        seconds = self._time_left.seconds
        if seconds is None:
            return ""
        hours, minutes = divmod(int(seconds) // 60, 60)
        return f"{hours}:{minutes:02}:{int(seconds) % 60:02} left"
