"""Generated rows in, training data out: read them all, choose among what is correct, write it as conversations."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import orjson

from libra_cli.answers.pool import Pool
from libra_cli.exits import Exit, Fatal
from libra_cli.stages.rs_filter.checks import Checks
from libra_cli.stages.rs_filter.choice import Chosen, Index, Limits, Rates, choose
from libra_cli.stages.rs_filter.diversity import spread
from libra_cli.stages.rs_filter.report import Tally, table
from libra_cli.stages.rs_filter.samples import Reader, Sample
from libra_cli.stages.verify import rule
from libra_cli.stream import rows
from libra_cli.stream.row_store import RowLocation, RowStore
from libra_cli.stream.rows import Filtered, NewFields, Row
from libra_cli.stream.run import Run
from libra_cli.stream.sinks import replace_file

LABELLED = NewFields({"labelled": True})
"""Stands for the label of a row that needs no rule."""


class Filtering:
    """One run of `libra rs-filter`.

    A run that is stopped while it reads writes nothing: a part of the input would give another choice.
    """

    def __init__(self, run: Run, reader: Reader, checks: Checks, fields: rule.Fields, limits: Limits, seed: int):
        self._run, self._reader, self._checks, self._limits = run, reader, checks, limits
        self._fields, self._labeller = fields, rule.Labeller(fields, run.console.note)
        self._index, self._tally = Index(seed), Tally()

    def through(self, pool: Pool, store: RowStore, report: str | None) -> None:
        """Writes the conversations that are kept, and says what became of the others."""
        self._prepare(report)
        self._store = store
        self._run.options.unordered = True  # the choice has an order of its own: no row needs to wait for another
        worker = partial(rule.decisions, pool=pool, stop=self._run.stop)
        self._run.map_jobs(
            worker, self._fields.jobs, self._labeller.labelled, fast_path=self._fast_path, make_line=self._take
        )
        if self._run.stop.status is not None:
            return
        records, rates, cells = self._index.records(), self._index.rates(), list(self._index.cells)
        chosen = choose(records, rates, cells, self._limits, partial(self._spread, records))
        if self._run.stop.status is None:
            for reason, count in self._tally.settle(records, chosen, cells).items():
                self._run.leave_out(reason, count)
            self._write(records, chosen)
        if self._run.stop.status is None:
            self._conclude(rates, chosen, report)

    def _prepare(self, report: str | None) -> None:
        """Finds out now what would be a pity to find out in the end."""
        if report is None:
            return
        if os.path.isdir(report) or not os.access(os.path.dirname(report) or ".", os.W_OK):
            raise Fatal(Exit.USAGE, f"--report {report}: cannot be written; check the name and the folder")
        with suppress(FileNotFoundError):
            os.unlink(report)  # a reader must not take the last run's for this one's

    # -- reading ------------------------------------------------------------------------------------------------------

    def _fast_path(self, row: Row) -> NewFields | None:
        """What is known of a row without computer algebra; None where that is needed."""
        try:
            if not self._reader.needs_rule(row):
                return LABELLED
            return self._labeller.fast_path(row)
        except Filtered as left_out:
            self._tally.drop("", str(left_out))
            raise

    def _take(self, row: Row, ruled: Mapping[str, Any]) -> None:
        """Takes the samples of a row; nothing is written yet."""
        samples = self._reader.samples(row, None if ruled is LABELLED else ruled)
        found = [self._reason(sample) for sample in samples]  # all of them before any counts: one may refuse the row
        self._run.counts.read += len(samples) - 1
        location: RowLocation | None = None
        for sample, (reason, n_tokens) in zip(samples, found, strict=True):
            self._tally.add(sample)
            hashes = self._hashes(sample)
            if reason is not None or hashes is None:
                self._drop(sample.task, reason or "unlabelled")
                continue
            location = location or self._store.keep(row)
            self._index.add(sample, hashes, n_tokens, location)
        if not samples:
            self._run.counts.read += 1
            self._drop("", "gated")

    def _hashes(self, sample: Sample) -> tuple[int, int] | None:
        if sample.correct is None:
            return None
        return self._index.hashes(sample) if sample.task == "general" else self._index.decide(sample)

    def _reason(self, sample: Sample) -> tuple[str | None, int | None]:
        """Why a sample is dropped before any choice, and the tokens of one that is not."""
        if sample.correct is None:
            return f"null_{sample.reason}", None
        reason = self._checks.fault(sample) if sample.correct else "wrong"
        if reason is not None:
            return reason, None
        n_tokens = self._checks.tokens(sample)
        return self._checks.misfit(n_tokens), n_tokens

    def _drop(self, task: str, reason: str) -> None:
        self._tally.drop(task, reason)
        self._run.leave_out(reason)

    # -- choosing and writing -----------------------------------------------------------------------------------------

    def _rows(self, records: Iterable[np.void]) -> Iterator[tuple[Row, int]]:
        """The row of each record, and which of its samples that is."""
        wanted = (
            (RowLocation(int(record["check"]), int(record["file"]), int(record["offset"]), int(record["size"])), record)
            for record in records
        )
        for row, record in self._store.rows_at(wanted):
            yield row, int(record["number"])

    def _spread(self, records: np.ndarray, numbers: np.ndarray, n: int) -> np.ndarray:
        texts = [self._reader.conversation(row, number)[0].text for row, number in self._rows(records[numbers])]
        return numbers[spread(texts, n, lambda: self._run.stop.status is not None)]

    def _write(self, records: np.ndarray, chosen: Chosen) -> None:
        wanted = (records[number] for number in chosen.numbers.tolist())  # no copy of all of them
        for (row, number), rate in zip(self._rows(wanted), chosen.rates.tolist(), strict=True):
            if self._run.stop.status is not None:
                return
            self._run.write(rows.dumps(self._line(row, number, rate)))

    def _line(self, row: Row, number: int, rate: float) -> dict[str, Any]:
        """A line of training data. No field is ever null or of another type, as columns of data sets have it."""
        sample, messages = self._reader.conversation(row, number)
        fields, ask = row.fields, sample.ask
        judged = {} if ask is None else {"vote": ask.vote, "shown": list(ask.shown)}
        written_by = "" if ask is None else "".join(f"/{part}" for part in (sample.model, ask.vote, *ask.shown))
        known = {"n_tokens": sample.n_tokens, "finish_reason": sample.finish_reason,
                 "pass_rate": None if rate != rate else rate,
                 "made": fields.get("provenance" if ask is None else "judge_provenance")}  # fmt: skip
        about = {**judged, **{name: value for name, value in known.items() if value is not None}}
        return {
            "id": row.id, "task": sample.task, "messages": messages,
            "label": sample.label, "model": sample.model, "source": rows.response_name(fields) + written_by,
            "provenance": rows.dumps(about).decode(),
        }  # fmt: skip

    def _conclude(self, rates: Rates, chosen: Chosen, report: str | None) -> None:
        figures, console = self._tally.figures(rates, chosen), self._run.console
        console.show(table(figures), event="yield", **figures)
        if not figures["kept"] and figures["samples"]:
            console.note(f"nothing is kept: {_cure(self._tally)}")
        if report is not None:
            replace_file(report, orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")


CURES = {
    "no_thinking": "the texts do not think; --thinking any takes them, too",
    "has_thinking": "the texts think; leave --thinking forbid out",
    "uneven": "no prompt has a correct sample of the other label; sample more, or leave --even out",
    "wrong": "nothing is correct; sample more (-n, -k), or from a better model",
    "null_unlabelled": "no row says what is right; libra verify labels responses, and pairs need a preference",
    "pass_rate": "no prompt has such a pass rate; widen --pass-rate",
}


def _cure(tally: Tally) -> str:
    """What to do about the most frequent reason."""
    totals: dict[str, int] = {}
    for (_, reason), count in tally.dropped.items():
        totals[reason] = totals.get(reason, 0) + count
    most = max(totals, key=lambda reason: totals[reason], default="")
    return CURES.get(most, f"most were dropped as {most}" if most else "there are no samples")
