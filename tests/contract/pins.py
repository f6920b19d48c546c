"""What users rely on, pinned as data: a test compares NAME.json with what the library has now, `regenerate` writes it.

Code is found by `libra_cli.main`, `libra_cli.exits` and the command line only: every other module may move.
"""

from __future__ import annotations

import difflib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CONTINUED = HERE / "continued"
"""Fixtures: a folder for each stage, with what commit f41b008 left; see `make_fixtures`."""
SECONDS = 250
"""For any one command, on a busy machine."""
MADE = 1_700_000_000
"""When the input of the fixtures was made, as far as runs can see."""


def difference(name: str, found: Any, only: str | None = None) -> str:
    """A unified diff of NAME.json and `found`; empty where both are equal, in the order of their keys too.

    `only` names the one key of both that is looked at.
    """
    pinned = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    if only is not None:
        pinned, found = pinned.get(only), found[only]
    before, now = (text(value).splitlines() for value in (pinned, found))
    return "\n".join(difflib.unified_diff(before, now, f"{name}.json (pinned)", f"{name} (now)", lineterm=""))


def write(name: str, found: Any) -> None:
    """Makes `found` the content of NAME.json."""
    (HERE / f"{name}.json").write_text(text(found) + "\n", encoding="utf-8")


def text(value: Any, indent: str = "", width: int = 180) -> str:
    """JSON with one line per value that fits into a line, so that a difference names what has changed."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or not value or len(indent) + len(flat) < width:
        return flat
    deeper = indent + "  "
    if isinstance(value, dict):
        parts = [f"{deeper}{json.dumps(key)}: {text(each, deeper)}" for key, each in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(deeper + text(each, deeper) for each in value) + f"\n{indent}]"


def shape(value: Any) -> Any:
    """Keys in their order, and of other values the type: {"id": "string", "votes": ["integer|null"]}."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return shapes(value)
    kinds = {str: "string", bool: "boolean", int: "integer", float: "float", type(None): "null"}
    return kinds[type(value)]


def shapes(values: list[Any]) -> list[Any]:
    """The different shapes of `values`, as they first occur; those with the same keys are one."""
    found: list[Any] = []
    for each in map(shape, values):
        place = next((i for i, other in enumerate(found) if _alike(other, each)), None)
        if place is None:
            found.append(each)
        else:
            found[place] = _merged(found[place], each)
    return found


def _alike(one: Any, other: Any) -> bool:
    """Whether two shapes are one: scalars, lists, or objects whose keys are the same all the way down."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return type(one) is type(other)
    nested = (name for name in one if isinstance(one[name], dict) and isinstance(other.get(name), dict))
    return list(one) == list(other) and all(_alike(one[name], other[name]) for name in nested)


def _merged(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: _merged(one[key], other[key]) for key in one}
    if isinstance(one, list) and isinstance(other, list):
        return one + [each for each in other if each not in one]
    if isinstance(one, str) and isinstance(other, str):
        return "|".join(sorted({*one.split("|"), *other.split("|")}))
    return one if one == other or other == "null" else other if one == "null" else [one, other]


# -- commands ---------------------------------------------------------------------------------------------------------


def environment() -> dict[str, str]:
    """A user's, with this Python's `libra` first on PATH and nothing that changes what it does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LIBRA_", "SLURM_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**kept, "PATH": path, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "LC_ALL": "C.UTF-8"}


def fresh(stage: Path, work: Path) -> None:
    """Copies `cmd` and the input of continued/STAGE; git keeps no times, by which sft knows its files."""
    shutil.copytree(stage, work, ignore=shutil.ignore_patterns("interrupted", "undisturbed"))
    for path in work.rglob("*"):
        os.utime(path, (MADE, MADE))


def begun(stage: str, how: str, folder: Path) -> Path:
    """A run of a stage in `folder` as f41b008 left it: `interrupted` or `undisturbed`."""
    work = folder / "run"
    fresh(CONTINUED / stage, work)
    shutil.copytree(CONTINUED / stage / how, work, dirs_exist_ok=True)
    return work


def run(command: list[str], work: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """A command in the folder `work`, with nothing on standard input and more variables in its environment."""
    variables = {**environment(), **variables}
    return subprocess.run(
        command, cwd=work, env=variables, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS
    )
