"""Several sets in, one mixture out: index the rows of every set, decide how many to take, write them in turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.mix import order, report
from libra_cli.stages.mix.amounts import MixPart, rows_per_part
from libra_cli.stages.mix.order import Numbers
from libra_cli.stages.mix.pool import RowPool, TaskNumbers, in_earlier_pool, key
from libra_cli.stream import rows
from libra_cli.stream.row_store import RowStore
from libra_cli.stream.rows import Row
from libra_cli.stream.run import Run

_CONVERSATIONS = ("messages", "conversations", "completion")
"""Fields of which a row to learn a text from has one."""


@dataclass(frozen=True)
class MixPlan:
    """What the options of `libra mix` ask for, apart from the amounts."""

    rows: int | None = None
    """Rows in total; None: as many as the amounts make."""
    seed: int = 0
    shuffle: bool = True
    repeat: bool = False
    """Whether a set may give more rows than it has."""
    drop_duplicates: bool = False
    """Whether to leave out rows that an earlier set also has, instead of only counting them."""
    duplicates_by: str = "id"
    """What duplicates share: `id` (and the task) or `content`."""
    source_key: str | None = None
    """Field that records which set a row came from."""


def mix(run: Run, parts: Sequence[MixPart], plan: MixPlan, spool_dir: str | None) -> None:
    """Writes the mixture of `parts`, whose files `run` reads one after another.

    A run that is stopped while it reads writes nothing: part of the input would give another mixture.
    """
    tasks = TaskNumbers()
    with RowStore(spool_dir, "--spool-dir") as store:
        pools = _read(run, parts, plan, store, tasks)
        if run.stop.status is not None:
            return
        kept = _without_duplicates(run, pools, plan)
        wanted = rows_per_part(parts, [len(rows) for rows in kept], plan.rows, plan.repeat)
        surplus = sum(max(0, len(rows) - count) for rows, count in zip(kept, wanted, strict=True))
        if surplus:
            run.leave_out("surplus", surplus)
        # The second and later uses of a row count as rows of their own.
        run.counts.read += sum(max(0, count - len(rows)) for rows, count in zip(kept, wanted, strict=True))

        realised: list[Counter[int]] = [Counter() for _ in parts]
        drawn = order.drawn(kept, wanted, plan.seed, plan.shuffle)
        locations = ((pools[source].location(number), (source, number)) for source, number in drawn)
        for row, (source, number) in store.rows_at(locations):
            if run.stop.status is not None:
                return
            run.write(rows.extend(row, {plan.source_key: parts[source].name} if plan.source_key is not None else None))
            realised[source][pools[source].task(number)] += 1
    available = [pool.by_task(rows) for pool, rows in zip(pools, kept, strict=True)]
    mixture = report.figures([part.text for part in parts], available, realised, tasks.names)
    run.console.show(report.table(mixture), event="mixture", mixture=mixture)


def _read(run: Run, parts: Sequence[MixPart], plan: MixPlan, store: RowStore, tasks: TaskNumbers) -> list[RowPool]:
    """Indexes the rows of each part. Raises Fatal(2) if a row has the field that `plan.source_key` would add."""
    pools = [RowPool() for _ in parts]
    by_name = {part.name: pool for part, pool in zip(parts, pools, strict=True)}
    several, by_content = len(parts) > 1, plan.duplicates_by == "content"
    firsts: dict[str, Row] = {}
    for row in run.rows():
        if plan.source_key in row.fields:
            reason = f'has a field "{plan.source_key}" already; choose another --source-key'
            raise Fatal(Exit.USAGE, f"{row.place}: {reason}")
        firsts.setdefault(row.file, row)
        location = store.keep(row)
        by_name[row.file].add(location, key(row, by_content) if several else 0, tasks.number(row.fields))
    _note_two_forms(run, firsts)
    return pools


def _note_two_forms(run: Run, firsts: Mapping[str, Row]) -> None:
    """Says by the first row of each set that no trainer learns from all of them."""
    of_form: dict[str, str] = {}
    for name, row in firsts.items():
        form = "pairs" if _has(row, ("chosen", "rejected")) else "texts" if _has(row, _CONVERSATIONS) else ""
        of_form.setdefault(form, name)
    if "pairs" in of_form and "texts" in of_form:
        field = next(field for field in _CONVERSATIONS if field in firsts[of_form["texts"]].fields)
        forms = f'{of_form["pairs"]} holds preference pairs ("chosen"), and {of_form["texts"]} holds none ("{field}")'
        learn = "libra dpo and train-rm refuse the second, libra sft the first"
        run.console.note(f"{forms}: {learn}; mix each with its like", event="two_forms")


def _has(row: Row, names: Sequence[str]) -> bool:
    return any(name in row.fields for name in names)


def _without_duplicates(run: Run, pools: Sequence[RowPool], plan: MixPlan) -> list[Numbers]:
    """The rows of each pool that may be taken; reports those that an earlier pool has, too."""
    repeated = in_earlier_pool(pools)
    count = int(sum(mask.sum() for mask in repeated))
    if plan.drop_duplicates:
        if count:
            run.leave_out("duplicate", count)
        return [np.flatnonzero(~mask).astype(np.uint32) for mask in repeated]
    if count:
        shared = "content" if plan.duplicates_by == "content" else "id and the task"
        text = f"rows with the {shared} of a row of an earlier set: {count:,}; --duplicates drop leaves them out"
        run.console.note(text, event="repeated", rows=count)
    return [np.arange(len(pool), dtype=np.uint32) for pool in pools]
