"""Experiment trackers, TensorBoard and Weights & Biases: their own writers, in calls that cannot stop a run."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from libra_cli.exits import Exit, Fatal

OPEN_SECONDS, WRITE_SECONDS = 60.0, 5.0
"""Time limits for opening a tracker and for every later call; both writers send in the background."""


def check_trackers(tensorboard: str | None, wandb: str | None) -> None:
    """Raises Fatal(2) if the package of a requested tracker is missing."""
    for package, requested in (("tensorboard", tensorboard), ("wandb", wandb)):
        spec = find_spec(package) if requested is not None else None
        # A folder `wandb`, which every offline run leaves behind, looks like a package but has no file.
        if requested is not None and (spec is None or spec.origin is None):
            raise Fatal(Exit.USAGE, f"--{package} needs {package}: pip install 'libra-cli[{package}]'")


def without_secrets(message: str) -> str:
    """`message` without the values of environment variables that hold keys."""
    for name, value in os.environ.items():
        if len(value) >= 8 and any(word in name.upper() for word in ("KEY", "TOKEN", "SECRET", "PASSWORD")):
            message = message.replace(value, "***")
    return message


class Tracker:
    """One tracker. A call that raises or exceeds its time limit costs one warning, and all later calls."""

    option = ""

    def __init__(self, warn: Callable[[str], None]):
        self._warn = warn
        self._writer: Any = None
        self._failed = False
        self.continues_after = -1
        """The step of the checkpoint from which the run goes on; -1 if it is new."""
        self._guarded(self._open, OPEN_SECONDS)

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Records finite numbers by tag (`train/loss`)."""
        self._guarded(lambda: self._log(step, figures), WRITE_SECONDS)

    def close(self) -> None:
        """Writes what is left."""
        self._guarded(self._close, WRITE_SECONDS)

    def _open(self) -> None: ...

    def _log(self, step: int, figures: Mapping[str, float]) -> None: ...

    def _close(self) -> None: ...

    def _guarded(self, call: Callable[[], None], seconds: float) -> None:
        """Makes the call in a daemon thread, so that neither an error nor a hang reaches the run."""
        if self._failed:
            return
        errors: list[BaseException] = []

        def attempt() -> None:
            try:
                call()
            except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever it is, training continues
                errors.append(error)

        thread = threading.Thread(target=attempt, name=f"libra {self.option}", daemon=True)
        thread.start()
        thread.join(seconds)
        if not errors and not thread.is_alive():
            return
        self._failed = True
        reason = f"did not answer within {seconds:g} s"
        if errors:
            message = without_secrets((str(errors[0]) or "no message").strip().splitlines()[0])
            reason = f"failed ({type(errors[0]).__name__}: {message})"
        self._warn(f"{self.option} {reason}; the run goes on without it, every figure is on standard output")


class TensorBoard(Tracker):
    """Scalars in TensorBoard event files below `folder`."""

    option = "--tensorboard"

    def __init__(self, folder: str, warn: Callable[[str], None]):
        self._folder = folder
        super().__init__(warn)

    def _open(self) -> None:
        import torch.utils.tensorboard  # noqa: F401 -- slow: before the first step, not during it

    def _log(self, step: int, figures: Mapping[str, float]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # Voids whatever an interrupted run wrote after its checkpoint. What comes first now may be of an earlier step.
        self._writer = self._writer or SummaryWriter(self._folder, purge_step=self.continues_after + 1)
        for tag, value in figures.items():
            self._writer.add_scalar(tag, value, step)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class WandB(Tracker):
    """One run of a W&B project; WANDB_MODE, WANDB_DIR and its other variables have their usual meaning."""

    option = "--wandb"

    def __init__(self, project: str, config: Mapping[str, Any], run_id: str | None, warn: Callable[[str], None]):
        """`run_id`: a run that goes on from a checkpoint has that of its beginning, and adds to the same curves."""
        self._project, self._config, self._run_id = project, dict(config), run_id
        super().__init__(warn)

    def _open(self) -> None:
        import wandb  # type: ignore[import-not-found, unused-ignore]

        # Its capture of the console would stand between our records and their reader.
        settings = wandb.Settings(console="off", silent=True, save_code=False, init_timeout=OPEN_SECONDS)
        run_id = os.environ.get("WANDB_RUN_ID") or self._run_id
        resume = os.environ.get("WANDB_RESUME") or ("allow" if run_id else None)
        self._writer = wandb.init(
            project=self._project, config=self._config, settings=settings, id=run_id, resume=resume
        )

    def _log(self, step: int, figures: Mapping[str, float]) -> None:
        self._writer.log(dict(figures), step=step)

    def _close(self) -> None:
        self._writer.finish()
