"""The options that every stage shares, and what a stage declares about its rows."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.lazy_pattern import lazy_pattern
from libra_cli.stream.files import OutputFile, check_files

FIELD_HINTS = {
    "question": "name the field that holds the problem, libra collect --map FIELD=question",
    "reference": "name the field that holds the golden answer, libra collect --map FIELD=reference",
    "response": "run libra rollout first, or name the field, libra collect --map FIELD=response",
    "label": "run libra verify first",
    "model": "run libra rollout first, or add the name of the model that wrote the response",
}
"""How to add a field that a row lacks."""


_SHARD = lazy_pattern(r"(\d{1,9})/(\d{1,9})|auto(?:([+-]\d{1,9})?/(\d{1,9}))?", re.ASCII)
"""I/N, auto, auto/N or auto+OFFSET/N."""


@dataclass(frozen=True)
class StageInfo:
    """What a stage reads and writes, and what identifies its rows in a later run."""

    name: str
    summary: str
    reads: Mapping[str, Any] = field(default_factory=dict)
    """Field -> accepted type or types; a row that lacks it is refused, with a hint how to add it."""
    writes: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    """Fields of the input that its rows lack. All that are neither here nor in `writes` pass through unchanged; if they
    have changed since the output was begun, the run is refused."""
    carried: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """Gives what passes through of the fields in `writes`, from a row of the input or of the output alike."""
    names: tuple[str, ...] = ()
    """Fields that, together with the id, identify a row (`model`, `sample`)."""
    resumable: bool = True
    """False for a stage that needs the whole input before it writes: its output is begun anew each time."""
    examples: tuple[str, ...] = ()
    current_config: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    """Gives the configuration in an older manifest the names of today's options."""

    @property
    def own(self) -> tuple[str, ...]:
        """The fields of the input that do not pass through."""
        return (*self.writes, *self.drops)


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
    """Files besides the input that options name and the stage reads; no option sets this field."""

    watched: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Files whose content must not change until the output is complete, by option; no option sets this field."""
    taken: Mapping[str, str] = field(default_factory=dict)
    """Columns of tables -> the fields that options take them for; no option sets this field."""
    writes: tuple[OutputFile, ...] = ()
    """Every file that an option names and the run writes; no option sets this field."""

    def check_files(self) -> None:
        """Raises Fatal(2) unless every file of the run can be written without loss; changes nothing."""
        check_files(self.writes, (*(self.inputs or ("-",)), *self.also_read), self.overwrite)


def identity(name: str) -> tuple[int, int] | str:
    """Identifies a file whatever its name; `-` is the file on descriptor 0."""
    try:
        status = os.fstat(0) if name == "-" else os.stat(name)
    except OSError:
        return os.path.realpath(name)
    return status.st_dev, status.st_ino


class Shard:
    """The share of the rows that this process handles: those whose id hashes to `index` of `count`.

    `text` is I/N; auto (the Slurm array and step); auto/N (an array of N tasks, of which some may run now);
    auto+OFFSET/N (task 0 of the array has shard OFFSET); or None for all rows. Raises Fatal(2) if it is none of these.
    """

    def __init__(self, text: str | None):
        if text is None:
            self.index, self.count = 0, 1
            return
        written = _SHARD.fullmatch(text)
        index, count, offset, total = (int(number or 0) for number in written.groups()) if written else (0, 0, 0, 0)
        if text == "auto":
            self.index, self.count = _slurm_shard()
        elif index < count:
            self.index, self.count = index, count
        elif total:
            self.index, self.count = _slurm_shard_of(total, offset, text)
        else:
            hint = "write I/N with 0 <= I < N (0/8 is the first of eight), auto, auto/N, or auto+OFFSET/N"
            raise Fatal(Exit.USAGE, f"--shard {text}: {hint}")

    def has(self, record: str) -> bool:
        """Whether the row with the id `record` belongs to this shard."""
        return self.count == 1 or shard_hash(record) % self.count == self.index


def shard_hash(record: str) -> int:
    """64 bits of the hash of a row's id; modulo N, they are the number of its shard."""
    return int.from_bytes(hashlib.blake2b(record.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def ranges(numbers: Sequence[int]) -> str:
    """Numbers in order as `sbatch --array` takes them: `0,4-6`."""
    groups: list[list[int]] = []
    for number in numbers:
        if groups and number == groups[-1][-1] + 1:
            groups[-1].append(number)
        else:
            groups.append([number])
    return ",".join(f"{group[0]}-{group[-1]}" if len(group) > 1 else str(group[0]) for group in groups)


def _slurm_shard() -> tuple[int, int]:
    """Array task x step task, of the array's tasks that run now.

    An array that begins with another number than 0 or 1, or has gaps, may be some tasks of an earlier one again: alone
    they would take all rows.
    """
    _require_slurm("auto")
    index, count = 0, 1
    if "SLURM_ARRAY_TASK_ID" in os.environ:
        task = _number("SLURM_ARRAY_TASK_ID", 0)
        first, last = _number("SLURM_ARRAY_TASK_MIN", 0), _number("SLURM_ARRAY_TASK_MAX", task)
        step = max(1, _number("SLURM_ARRAY_TASK_STEP", 1))
        index, count = (task - first) // step, (last - first) // step + 1
        if _number("SLURM_ARRAY_TASK_COUNT", count) != count:  # 1,5,9-10: the shards in the gaps would never be done
            hint = "if they are some of N tasks, numbered from 0, write --shard auto/N"
            raise Fatal(Exit.USAGE, f"--shard auto: the Slurm array {first}-{last} has gaps; {hint}")
        if first > 1:  # --array=5: one task of an earlier array, which has gone wrong
            hint = "if that is one of N tasks, numbered from 0, write --shard auto/N"
            raise Fatal(Exit.USAGE, f"--shard auto: the Slurm array begins with task {first}; {hint}")
    return _with_step(index, count)


def _slurm_shard_of(total: int, offset: int, text: str) -> tuple[int, int]:
    """Array task x step task, of `total` shards, where task 0 of the array has shard `offset`.

    Every task refuses an array that is too long, or is numbered otherwise: a few shards would be missing in the end.
    """
    _require_slurm(text)
    if "SLURM_ARRAY_TASK_ID" not in os.environ:
        return _with_step(0, 1)
    task = _number("SLURM_ARRAY_TASK_ID", 0)
    for shown in (task, _number("SLURM_ARRAY_TASK_MIN", task), _number("SLURM_ARRAY_TASK_MAX", task)):
        if not 0 <= shown + offset < total:
            tasks = f"{max(0, -offset)}-{total - 1 - offset}"
            cure = f"submit --array={tasks}" if offset < total else "make the offset smaller"
            reason = f"task {shown} of the Slurm array would have shard {shown + offset} of {total}, from 0"
            raise Fatal(Exit.USAGE, f"--shard {text}: {reason}; {cure}, or shift it: --shard auto+OFFSET/{total}")
    return _with_step(task + offset, total)


def _require_slurm(text: str) -> None:
    if "SLURM_ARRAY_TASK_ID" not in os.environ and "SLURM_STEP_NUM_TASKS" not in os.environ:
        raise Fatal(
            Exit.USAGE, f"--shard {text}: there is no Slurm array or step in the environment; write --shard I/N"
        )


def _with_step(index: int, count: int) -> tuple[int, int]:
    """The share of this task of the Slurm step in the share `index` of `count`."""
    tasks = _number("SLURM_STEP_NUM_TASKS", 1)
    return index * tasks + _number("SLURM_PROCID", 0), count * tasks


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Fatal(Exit.USAGE, f"--shard auto: {name} is {text!r}, not a number; write --shard I/N")
    return int(text)
