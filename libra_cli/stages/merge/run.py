"""Checks the parts of a sharded run, and writes their rows one after another."""

from __future__ import annotations

import os
from collections.abc import Sequence

from libra_cli.exits import Exit, Fatal
from libra_cli.plural import counted
from libra_cli.stages.merge.parts import EACH_ROW, ManifestCheck, Part, read_part
from libra_cli.stages.merge.row_check import RowCheck, RowsOfInput
from libra_cli.stream.options import ranges
from libra_cli.stream.rows import extend
from libra_cli.stream.run import Run

_WEAKEST_FIRST = (Exit.SOME_ERRORS, Exit.USAGE, Exit.INCOMPLETE)


def merge(run: Run, paths: Sequence[str], input_files: Sequence[str], *, writes: bool, checks: bool) -> None:
    """Writes the rows of all parts, or only checks them; raises Fatal(7 or 2) if they are not one whole."""
    if checks:
        rows, refused = _checked(run, paths, input_files)
        if not writes:
            run.counts.read += rows
            run.leave_out("checked", rows)
        run.counts.read += refused
        run.counts.errors += refused
    if writes and run.stop.status is None:
        run.map_rows(lambda row: extend(row, None))


def _checked(run: Run, paths: Sequence[str], input_files: Sequence[str]) -> tuple[int, int]:
    """The number of rows in the parts, and of those that were refused; raises Fatal(7 or 2) if a part is not whole."""
    parts = [read_part(path) for path in paths]
    faults = ManifestCheck(parts, bool(input_files)).faults()
    n_shards = max(part.count for part in parts)
    source = RowsOfInput(input_files, run.options.max_line_bytes) if input_files else None
    check = RowCheck([part for part in parts if part.count and os.path.exists(part.path)], source)
    check.read(run.options.max_line_bytes, run.stop)
    if run.stop.status is not None:
        return check.rows, 0
    faults += check.faults()
    for fault in faults:
        text = "\n  ".join([f"{fault.text}; run:", *fault.cure.split("\n")]) if fault.cure else fault.text
        shards = {"shards": list(fault.shards)} if fault.shards else {}
        run.console.say(text, event="fault", code=int(fault.status), command=fault.cure or None, **shards)
    worst = max((fault.status for fault in faults), key=_WEAKEST_FIRST.index, default=Exit.DONE)
    if worst in (Exit.USAGE, Exit.INCOMPLETE):
        missing = sorted({index for fault in faults if fault.cure for index in fault.shards})
        noun = "shard" if len(missing) == 1 else "shards"
        which = f" (to be made: {noun} {ranges(missing)} of {n_shards})" if missing else ""
        what = "the parts are not complete" if worst == Exit.INCOMPLETE else "the files are not parts of one whole"
        raise Fatal(worst, f"{what}{which}")
    run.console.note(_proof(parts, check, source), event="complete", rows=check.rows, parts=len(parts))
    return check.rows, sum(part.number("errors") for part in parts)


def _proof(parts: Sequence[Part], check: RowCheck, source: RowsOfInput | None) -> str:
    """What is proven of parts without a fault."""
    first = parts[0]
    shards = f"{len(parts)} of {first.count} shards" if first.count > 1 else counted(len(parts), "file")
    n_input = source.fingerprint.rows if source is not None else first.read.get("rows", 0)
    of_input = counted(n_input, "row")
    text = f"complete: {shards} of libra {first.stage}, {counted(check.rows, 'row')} from {of_input} of input"
    left_out = sum(part.filtered for part in parts)
    if left_out:
        text += f"; {left_out:,} were left out on purpose"
    if source is not None and first.stage in EACH_ROW:
        text += "; each row of --input is there, none twice"
    return text
