"""Sets in, one mixture out: read where every row is, count how many are wanted, write them in turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.mix import order, report
from libra_cli.stages.mix.amounts import Part, allotted
from libra_cli.stages.mix.order import Numbers
from libra_cli.stages.mix.pool import Pool, Tasks, had_before, key
from libra_cli.stream import rows
from libra_cli.stream.row_store import RowStore
from libra_cli.stream.run import Run


@dataclass(frozen=True)
class Plan:
    """What is asked for beside the amounts."""

    rows: int | None = None
    """In all; None: as many as the amounts make."""
    seed: int = 0
    shuffle: bool = True
    repeat: bool = False
    """A set may give more rows than it has."""
    dedupe: str | None = None
    """`id` (with the task) or `content`: leave out what an earlier set has by that; None: count what it has by id."""
    source_key: str | None = None
    """The field that says which set a row came from."""


def mix(run: Run, parts: Sequence[Part], plan: Plan, spool_dir: str | None) -> None:
    """Writes the mixture of `parts`, whose files `run` reads one after another.

    A run that is stopped while it reads writes nothing: a part of the input would give another mixture.
    """
    tasks = Tasks()
    with RowStore(spool_dir, "--spool-dir") as store:
        pools = _read(run, parts, plan, store, tasks)
        if run.stop.status is not None:
            return
        kept = _kept(run, pools, plan)
        wanted = allotted(parts, [len(rows) for rows in kept], plan.rows, plan.repeat)
        _account(run, kept, wanted)
        realised: list[Counter[int]] = [Counter() for _ in parts]
        drawn = ((pools[source].place(at), (source, at)) for source, at in _drawn(kept, wanted, plan))
        for row, (source, at) in store.rows_at(drawn):
            if run.stop.status is not None:
                return
            run.write(rows.extend(row, {plan.source_key: parts[source].name} if plan.source_key is not None else None))
            realised[source][pools[source].task(at)] += 1
    available = [pool.by_task(rows) for pool, rows in zip(pools, kept, strict=True)]
    mixture = report.figures([part.text for part in parts], available, realised, tasks.names)
    run.console.show(report.table(mixture), event="mixture", mixture=mixture)


def _read(run: Run, parts: Sequence[Part], plan: Plan, store: RowStore, tasks: Tasks) -> list[Pool]:
    """Where the rows of each part are."""
    pools = [Pool() for _ in parts]
    by_name = {part.name: pool for part, pool in zip(parts, pools, strict=True)}
    several, by_content = len(parts) > 1, plan.dedupe == "content"
    for row in run.rows():
        if plan.source_key in row.fields:
            reason = f'has a field "{plan.source_key}" already; choose another --source-key'
            raise Fatal(Exit.USAGE, f"{row.place}: {reason}")
        place = store.keep(row)
        by_name[row.file].add(place, key(row, by_content) if several else 0, tasks.number(row.fields))
    return pools


def _kept(run: Run, pools: Sequence[Pool], plan: Plan) -> list[Numbers]:
    """The rows of each pool that may be taken; says how many of them an earlier pool has, too."""
    repeated = had_before(pools)
    count = int(sum(mask.sum() for mask in repeated))
    if plan.dedupe is not None:
        if count:
            run.leave_out("duplicate", count)
        return [np.flatnonzero(~mask).astype(np.uint32) for mask in repeated]
    if count:
        text = f"rows with the id and the task of a row of an earlier set: {count:,}; --dedupe id leaves them out"
        run.console.note(text, event="repeated", rows=count)
    return [np.arange(len(pool), dtype=np.uint32) for pool in pools]


def _account(run: Run, kept: Sequence[Numbers], wanted: Sequence[int]) -> None:
    """Counts the rows that are not drawn, and each repetition as a row of its own."""
    surplus = sum(max(0, len(rows) - count) for rows, count in zip(kept, wanted, strict=True))
    if surplus:
        run.leave_out("surplus", surplus)
    run.counts.read += sum(max(0, count - len(rows)) for rows, count in zip(kept, wanted, strict=True))


def _drawn(kept: Sequence[Numbers], wanted: Sequence[int], plan: Plan) -> Iterator[tuple[int, int]]:
    """The rows of the mixture in their order: (source, row of it)."""
    walks = [
        order.walk(rows, count, plan.seed, source, plan.shuffle)
        for source, (rows, count) in enumerate(zip(kept, wanted, strict=True))
    ]
    for source in order.turns(wanted, plan.seed, plan.shuffle).data:
        yield source, next(walks[source])
