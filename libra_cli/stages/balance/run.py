"""Labelled rows in, an even benchmark out: read them all, choose, say what is missing, write the chosen, count them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.balance.cells import Cell, Index, Limits
from libra_cli.stages.balance.report import census, shortage, table
from libra_cli.stages.balance.samples import Form
from libra_cli.stream.row_store import RowStore
from libra_cli.stream.rows import RowError
from libra_cli.stream.run import Run
from libra_cli.stream.sinks import replace_file


def build(run: Run, form: Form, limits: Limits, seed: int, spool_dir: str | None, census_file: str | None) -> None:
    """Writes the benchmark that the rows of `run` make, and its census.

    A run that is stopped while it reads writes nothing: a part of the input would give another choice.
    """
    _prepare(run, census_file)
    with RowStore(spool_dir, "--spool-dir") as store:
        index = _read(run, form, Index(seed), store)
        if run.stop.status is not None:
            return
        cells = index.balanced(limits)
        _check_subsets(cells, limits)
        _announce(run, cells, limits)
        _write(run, form, cells, store)
    if run.stop.status is None:
        _report(run, cells, census_file)


def _prepare(run: Run, census_file: str | None) -> None:
    """Finds out now what would be a pity to find out in the end."""
    if census_file is None:
        return
    run.options.check_names(census_file)
    folder = os.path.dirname(census_file) or "."
    if os.path.isdir(census_file) or not os.access(folder, os.W_OK):
        raise Fatal(Exit.USAGE, f"--census {census_file}: cannot be written; check the name and the folder")
    with suppress(FileNotFoundError):
        os.unlink(census_file)  # a reader must not take the last run's for this one's


def _read(run: Run, form: Form, index: Index, store: RowStore) -> Index:
    """Puts the usable rows into `index`, and accounts for the others."""
    for row in run.rows():
        try:
            sample = form.read(row)
        except RowError as error:
            run.refuse(row, error)
            continue
        if sample.unusable is None:
            index.add(row, sample, store.keep(row))
        else:
            index.leave_out(sample)
            run.leave_out(sample.unusable)
    return index


def _check_subsets(cells: Sequence[Cell], limits: Limits) -> None:
    """A limit that is meant for a subset must not be lost to a slip of the pen."""
    known = sorted({cell.subset for cell in cells})
    for subset in sorted(set(limits.of_subset).difference(known)):
        there = ", ".join(known) if known else "none"
        raise Fatal(Exit.USAGE, f"--per-cell {subset}=N: no row is of that subset; the subsets are: {there}")


def _announce(run: Run, cells: Sequence[Cell], limits: Limits) -> None:
    """Says which cells cannot be filled, and counts what is left out of all of them."""
    for cell in cells:
        missing = shortage(cell, limits)
        if missing is not None:
            run.console.note(missing, event="short", subset=cell.subset, model=cell.model)
        for reason, count in cell.left_out.items():
            run.leave_out(reason, count)
    if cells and not any(cell.kept for cell in cells):
        cure = "sample more responses, or from other models (libra rollout -n, --model)"
        run.console.note(f"nothing is kept: no model has correct and incorrect responses in one subset; {cure}")


def _write(run: Run, form: Form, cells: Sequence[Cell], store: RowStore) -> None:
    """Writes the chosen rows, cell by cell."""
    for cell in cells:
        for row, _ in store.rows_at((location, None) for location in cell.locations()):
            if run.stop.status is not None:
                return
            run.write(form.write(row))


def _report(run: Run, cells: Sequence[Cell], census_file: str | None) -> None:
    figures = census(cells)
    run.console.show(table(figures), event="census", census=figures)
    if census_file is not None:
        replace_file(census_file, json.dumps(figures, indent=2, ensure_ascii=False).encode() + b"\n")
