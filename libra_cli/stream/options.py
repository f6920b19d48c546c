"""What every stage can be told about its streams, and what it declares about its rows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.sinks import is_plain_file

CURES = {
    "question": "rename the field that holds the problem: libra collect --map problem=question",
    "reference": "rename the field that holds the golden answer: libra collect --map answer=reference",
    "response": "run libra rollout first, or rename the field: libra collect --map output=response",
    "label": "run libra verify first",
    "model": "run libra rollout first, or add the name of the model that wrote the response",
}
"""How a row gets a field that a stage misses."""


@dataclass(frozen=True)
class StageInfo:
    """What a stage reads and writes, and what makes one of its rows the same row in a later run."""

    name: str
    summary: str
    reads: Mapping[str, Any] = field(default_factory=dict)
    """Field -> accepted type or types; a row without it is refused with the cure."""
    writes: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    """Fields whose values decide the result; a row whose values changed since the run began is refused."""
    names: tuple[str, ...] = ()
    """Fields that, beside the id, tell one row from another (`model`, `sample`)."""
    resumable: bool = True
    """False for a stage that needs the whole input before its first row: its output is made anew."""
    examples: tuple[str, ...] = ()
    current_config: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    """Gives the configuration in an older manifest the names of today's options."""


@dataclass
class StreamOptions:
    """The options that every stage shares."""

    inputs: tuple[str, ...] = ()
    output: str | None = None
    errors: str | None = None
    overwrite: bool = False
    shard: str | None = None
    limit: int | None = None
    unordered: bool = False
    window: int = 1024
    max_line_bytes: int = 64 << 20
    expect_rows: int | None = None
    manifest: str | None = None
    expect_manifest: str | None = None
    grace: float = 20.0
    stall_timeout: float = 1800.0
    quiet: bool = False
    log_format: str = "text"
    debug: bool = False
    also_read: tuple[str, ...] = ()
    """Files that an option names and the stage reads beside its input; no option sets this one."""

    def check_names(self, *more: str | None) -> None:
        """Raises Fatal(2) where one run would read and write the same file, or write it twice.

        `more` are files that the stage itself writes.
        """
        taken = {identity(name) for name in (*(self.inputs or ("-",)), *self.also_read)}
        for name in (self.output, self.errors, self.manifest, *more):
            if name in (None, "-") or not is_plain_file(str(name)):
                continue
            if identity(str(name)) in taken:
                raise Fatal(Exit.USAGE, f"{name}: the same run uses this file already; write to another one")
            taken.add(identity(str(name)))


def identity(name: str) -> tuple[int, int] | str:
    """What tells one file from another, whatever its name; `-` is what stands on descriptor 0."""
    try:
        found = os.fstat(0) if name == "-" else os.stat(name)
    except OSError:
        return os.path.realpath(name)
    return found.st_dev, found.st_ino


class Shard:
    """The part of the rows that this process does: those whose id falls on `index` of `count`."""

    def __init__(self, text: str | None):
        self.index, self.count = (0, 1) if text is None else _from_slurm() if text == "auto" else _from_text(text)

    def has(self, record: str) -> bool:
        if self.count == 1:
            return True
        digest = hashlib.blake2b(record.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.index


def _from_text(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isascii() and index.isdigit() and count.isascii() and count.isdigit() and int(index) < int(count)):
        raise Fatal(Exit.USAGE, f"--shard {text}: write I/N with 0 <= I < N (0/8 is the first of eight), or auto")
    return int(index), int(count)


def _from_slurm() -> tuple[int, int]:
    """Array task x step task, whatever the array's first number and step."""
    if "SLURM_ARRAY_TASK_ID" not in os.environ and "SLURM_STEP_NUM_TASKS" not in os.environ:
        raise Fatal(Exit.USAGE, "--shard auto: there is no Slurm array or step in the environment; write --shard I/N")
    index, count = _array_task() if "SLURM_ARRAY_TASK_ID" in os.environ else (0, 1)
    tasks = _number("SLURM_STEP_NUM_TASKS", 1)
    return index * tasks + _number("SLURM_PROCID", 0), count * tasks


def _array_task() -> tuple[int, int]:
    task = _number("SLURM_ARRAY_TASK_ID", 0)
    first, last = _number("SLURM_ARRAY_TASK_MIN", 0), _number("SLURM_ARRAY_TASK_MAX", task)
    step = max(1, _number("SLURM_ARRAY_TASK_STEP", 1))
    count = (last - first) // step + 1
    if _number("SLURM_ARRAY_TASK_COUNT", count) != count:  # 1,5,9-10: the shards in the gaps would never be done
        cure = "write --shard I/N, or --array=0-N"
        raise Fatal(Exit.USAGE, f"--shard auto: the Slurm array {first}-{last} has gaps; {cure}")
    return (task - first) // step, count


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isascii() or not text.isdigit():
        raise Fatal(Exit.USAGE, f"--shard auto: {name} is {text!r}, not a number; write --shard I/N")
    return int(text)
