"""Experiment trackers, TensorBoard and Weights & Biases, kept where their failures cannot reach a training run."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any, Protocol

from libra_cli.exits import Exit, Fatal

WAITING = 10_000
"""Steps that may wait for a tracker; one that falls behind further is given up."""
CLOSE_SECONDS = 5.0
"""How long a run that is over waits for all trackers together."""

_SECRET_NAME = re.compile(r"(^|[_-])(api_?key|secret|passw(or)?d|credentials?|(access|auth|hf|bearer)_token)$|^token$")
_SECRET_VALUE = re.compile(r"(?<=://)[^/@\s]+@|\b(hf_|sk-|ghp_|xox[abp]-)\w{8,}")
HIDDEN = "[hidden]"


class Tracker(Protocol):
    """What takes figures; every call may raise or hang."""

    option: str
    """How it is asked for."""

    def open(self) -> None:
        """Imports what is needed and begins a run."""

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Takes finite numbers by tag (`train/loss`)."""

    def close(self) -> None:
        """Hands on what is left."""


class TensorBoard:
    """Scalars as TensorBoard event files below `folder`."""

    option, extra, module = "--tensorboard", "tensorboard", "tensorboard"

    def __init__(self, folder: str):
        self._folder = folder
        self._writer: Any = None

    def open(self) -> None:
        import torch.utils.tensorboard  # noqa: F401 -- slow: before the first step, not at it

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """The first step makes the file: what an interrupted run wrote from that step on is void, and says so."""
        from torch.utils.tensorboard import SummaryWriter

        self._writer = self._writer or SummaryWriter(self._folder, purge_step=step)
        for tag, value in figures.items():
            self._writer.add_scalar(tag, value, step)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class WandB:
    """One run of a W&B project; WANDB_MODE, WANDB_DIR and the other variables mean what they always do."""

    option, extra, module = "--wandb", "wandb", "wandb"

    def __init__(self, project: str, config: Mapping[str, Any]):
        self._project, self._config = project, without_secrets(config)
        self._run: Any = None

    def open(self) -> None:
        import wandb  # type: ignore[import-not-found, unused-ignore]

        # Its capture of the console would put itself between our records and their reader.
        settings = wandb.Settings(console="off", silent=True, save_code=False)
        self._run = wandb.init(project=self._project, config=self._config, settings=settings)

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        self._run.log(dict(figures), step=step)

    def close(self) -> None:
        self._run.finish()


def without_secrets(value: Any) -> Any:
    """`value` (JSON) with what is named or looks like a key, token or password replaced by `[hidden]`."""
    if isinstance(value, Mapping):
        hidden = {name: HIDDEN for name, item in value.items() if item and _SECRET_NAME.search(str(name).lower())}
        return {name: without_secrets(item) for name, item in value.items()} | hidden
    if isinstance(value, (list, tuple)):
        return [without_secrets(item) for item in value]
    return _SECRET_VALUE.sub(HIDDEN, value) if isinstance(value, str) else value


def require_package(tracker: type[TensorBoard] | type[WandB]) -> None:
    """Raises Fatal(2) with the cure where the tracker's package is not installed.

    A folder `wandb`, which every offline run leaves behind, looks like a package to Python, but has no file.
    """
    spec = find_spec(tracker.module)
    if spec is None or spec.origin is None:
        cure = f"pip install 'libra-cli[{tracker.extra}]'"
        raise Fatal(Exit.USAGE, f"{tracker.option} needs {tracker.module}: {cure}")


class Background:
    """Runs one tracker in a daemon thread: whoever offers figures never waits, and hears of trouble once."""

    def __init__(self, tracker: Tracker, warn: Callable[[str], None]):
        self._tracker, self._warn = tracker, warn
        self._waiting: queue.Queue[tuple[int, Mapping[str, float]] | None] = queue.Queue(WAITING)
        self._given_up = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name=f"libra {tracker.option}", daemon=True)
        self._thread.start()

    def offer(self, step: int, figures: Mapping[str, float]) -> None:
        """Leaves figures for the tracker; drops them where it has been given up."""
        self._put((step, figures))

    def ask_to_close(self) -> None:
        """Tells the tracker that nothing follows."""
        self._put(None)

    def wait_closed(self, until: float) -> None:
        """Waits for the tracker until `until` (time.monotonic) at most."""
        if not self._given_up:
            self._thread.join(max(0.0, until - time.monotonic()))
            if self._thread.is_alive():
                self._give_up(f"did not finish within {CLOSE_SECONDS:g} s; its last figures may be missing")

    def _put(self, item: tuple[int, Mapping[str, float]] | None) -> None:
        if not self._given_up:
            try:
                self._waiting.put_nowait(item)
            except queue.Full:
                self._give_up(f"is {WAITING:,} steps behind; the run goes on without it")

    def _work(self) -> None:
        try:
            self._tracker.open()
            while (item := self._waiting.get()) is not None and not self._given_up:
                self._tracker.log(*item)
            self._tracker.close()
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever it is, training must go on
            first = (str(error) or "no message").strip().splitlines()[0]
            self._give_up(f"failed ({type(error).__name__}: {without_secrets(first)}); the run goes on without it")

    def _give_up(self, reason: str) -> None:
        with self._lock:
            before, self._given_up = self._given_up, True
        if not before:
            self._warn(f"{self._tracker.option} {reason}; every figure is on standard output")


def close_all(trackers: list[Background]) -> None:
    """Ends all trackers side by side, within CLOSE_SECONDS."""
    until = time.monotonic() + CLOSE_SECONDS
    for tracker in trackers:
        tracker.ask_to_close()
    for tracker in trackers:
        tracker.wait_closed(until)
