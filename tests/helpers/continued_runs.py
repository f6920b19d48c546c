"""Runs that go on from a checkpoint that other ranks, or another ZeRO stage, have written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Call:
    """Unpickling it calls `function`."""

    def __init__(self, function: Callable[..., Any], *arguments: Any):
        self._call = function, arguments

    def __reduce__(self) -> Any:
        return self._call


def cut(folder: Path, run: str, name: str, step: int) -> None:
    """Makes FOLDER/NAME and NAME.log what RUN and its log were after `step`, before it went on."""
    shutil.copytree(folder / run, folder / name)
    manifest = json.loads((folder / name / "libra.json").read_text())
    (folder / name / "libra.json").write_text(json.dumps({**manifest, "status": "running"}))
    for path in (folder / name / "checkpoints").iterdir():
        if int(path.name.removeprefix("step-")) > step:
            shutil.rmtree(path)
    lines = (folder / f"{run}.log").read_text().splitlines(keepends=True)
    (folder / f"{name}.log").write_text("".join(line for line in lines if json.loads(line)["step"] <= step))


def layout(folder: Path, name: str, step: int) -> dict[str, Any]:
    """The layout that the checkpoint of `step` says it has."""
    marker: dict[str, dict[str, Any]] = json.loads((folder / name / f"checkpoints/step-{step}/libra.json").read_text())
    return marker["layout"]
