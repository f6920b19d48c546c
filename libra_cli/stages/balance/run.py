"""Labelled rows in, a balanced benchmark out: read all rows, balance each cell, write the chosen rows, report."""

from __future__ import annotations

import json

from libra_cli.exits import Exit, Fatal
from libra_cli.records.stage_names import adapter_of
from libra_cli.stages.balance import report
from libra_cli.stages.balance.quota import CellLimits, balance_cells
from libra_cli.stages.balance.response_index import ResponseIndex
from libra_cli.stages.balance.samples import BalanceFormat
from libra_cli.stream.row_store import RowStore
from libra_cli.stream.rows import RowError
from libra_cli.stream.run import Run


def balance(
    run: Run, row_format: BalanceFormat, limits: CellLimits, seed: int, spool_dir: str | None, report_file: str | None
) -> None:
    """Writes the benchmark that the rows of `run` make, and its census.

    A run that is stopped while it reads writes nothing: part of the input would give another choice. Raises Fatal(2) if
    `limits` name a subset that no row has.
    """
    run.adapt_rows(adapter_of("balance", run.console.note))
    with RowStore(spool_dir, "--spool-dir") as store:
        index = _read(run, row_format, ResponseIndex(seed, spool_dir), store)
        if run.stop.status is not None:
            return
        cells = balance_cells(index, limits, spool_dir)
        subsets = sorted({cell.subset for cell in cells})
        for subset in sorted(set(limits.of_subset).difference(subsets)):
            known = ", ".join(subsets) if subsets else "none"
            raise Fatal(Exit.USAGE, f"--per-cell {subset}=N: no row is of that subset; the subsets are: {known}")
        report.announce(run, cells, limits)
        for cell in cells:
            for row, _ in store.rows_at((location, None) for location in cell.chosen.locations()):
                if run.stop.status is not None:
                    return
                run.write(row_format.write(row))
    if run.stop.status is not None:
        return
    census = report.census(cells)
    run.console.show(report.table(census), event="census", census=census)
    if report_file is not None:
        run.write_report(report_file, json.dumps(census, indent=2, ensure_ascii=False).encode() + b"\n")


def _read(run: Run, row_format: BalanceFormat, index: ResponseIndex, store: RowStore) -> ResponseIndex:
    """Indexes the usable rows; refuses bad ones and counts unusable ones."""
    for row in run.rows():
        try:
            sample = row_format.read(row)
        except RowError as error:
            run.refuse(row, error)
            continue
        if sample.unusable is None:
            index.add(row, sample, store.keep(row))
        else:
            index.add_unusable(sample)
            run.leave_out(sample.unusable)
    return index
