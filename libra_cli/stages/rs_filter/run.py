"""Generated rows in, training data out: reads all rows, chooses among correct samples, writes them as messages."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson

from libra_cli.records.rule_labels import Labeller
from libra_cli.records.stage_names import adapter_of
from libra_cli.stages.rs_filter.checks import Checks
from libra_cli.stages.rs_filter.choice import Candidate, Chosen, SampleIndex, SampleLimits, choose
from libra_cli.stages.rs_filter.diversity import spread
from libra_cli.stages.rs_filter.report import YieldReport, table
from libra_cli.stages.rs_filter.samples import GradedSample, SampleReader
from libra_cli.stream import rows
from libra_cli.stream.distinct_names import DistinctNames
from libra_cli.stream.row_store import RowLocation, RowStore
from libra_cli.stream.rows import Filtered, NewFields, Row
from libra_cli.stream.run import Run

LABELLED = NewFields({"labelled": True})
"""Stands for the label of a row that needs no rule."""


class Filtering:
    """One run of `libra rs-filter`.

    A run that is stopped while it reads writes nothing: a part of the input would give another choice.
    """

    def __init__(
        self,
        run: Run,
        reader: SampleReader,
        labeller: Labeller,
        checks: Checks,
        limits: SampleLimits,
        store: RowStore,
        index: SampleIndex,
    ):
        """`index` is empty."""
        self._run, self._reader, self._labeller = run, reader, labeller
        self._checks, self._limits, self._store = checks, limits, store
        self._index, self._report = index, YieldReport()
        self._sources = DistinctNames()

    def run(self, report: str | None) -> None:
        """Writes the conversations that are kept, and reports why the others are not."""
        labeller = self._labeller
        self._run.adapt_rows(adapter_of("rs-filter", self._run.console.note))
        self._run.options.unordered = True  # the choice has an order of its own: no row needs to wait for another
        self._run.map_jobs(
            partial(labeller.grade_jobs, stop=self._run.stop),
            labeller.jobs,
            labeller.finish,
            fast_path=self._fast_path,
            make_line=self._take,
        )
        if self._run.stop.status is not None:
            return
        chosen = choose(self._index, self._limits, self._spread)
        if self._run.stop.status is None:
            for reason, count in self._report.count_choice(chosen, list(self._index.cells)).items():
                self._run.leave_out(reason, count)
            self._write(chosen)
        if self._run.stop.status is None:
            self._conclude(chosen, report)

    # -- reading ------------------------------------------------------------------------------------------------------

    def _fast_path(self, row: Row) -> NewFields | None:
        """The label of a row that needs no computer algebra; None if it does."""
        try:
            if not self._reader.needs_rule(row):
                return LABELLED
            return self._labeller.fast_path(row)
        except Filtered as left_out:
            self._report.drop("", str(left_out))
            raise

    def _take(self, row: Row, ruled: Mapping[str, Any]) -> None:
        """Indexes the samples of a row; nothing is written yet."""
        samples = self._reader.samples(row, None if ruled is LABELLED else ruled)
        checked = [self._check(sample) for sample in samples]  # before any is counted: a check may refuse the row
        self._run.counts.read += len(samples) - 1
        location: RowLocation | None = None
        for sample, (fault, n_tokens) in zip(samples, checked, strict=True):
            self._report.add(sample)
            if sample.correct is not None:
                general = sample.task == "general"
                hashes = self._index.hashes(sample) if general else self._index.count_decided(sample)
            if fault is not None or sample.correct is None:
                self._drop(sample.task, fault or "unlabelled")
                continue
            location = location or self._store.keep(row)
            self._index.add(sample, hashes, n_tokens, location)
        if not samples:
            self._run.counts.read += 1
            self._drop("", "gated")

    def _check(self, sample: GradedSample) -> tuple[str | None, int | None]:
        """Why a sample is dropped before any choice, and the number of tokens of one that is not."""
        if sample.correct is None:
            return f"null_{sample.reason}", None
        fault = self._checks.fault(sample) if sample.correct else "wrong"
        if fault is not None:
            return fault, None
        n_tokens = self._checks.tokens(sample)
        return self._checks.misfit(n_tokens), n_tokens

    def _drop(self, task: str, reason: str) -> None:
        self._report.drop(task, reason)
        self._run.leave_out(reason)

    # -- choosing and writing -----------------------------------------------------------------------------------------

    def _spread(self, candidates: list[Candidate], n: int) -> list[int]:
        rows = self._store.rows_at((candidate.location, candidate.number) for candidate in candidates)
        texts = [self._reader.conversation(row, number)[0].text for row, number in rows]
        return spread(texts, n, lambda: self._run.stop.status is not None)

    def _write(self, chosen: Chosen) -> None:
        wanted = ((candidate.location, (candidate.number, rate)) for candidate, rate in chosen)
        for row, (number, rate) in self._store.rows_at(wanted):
            if self._run.stop.status is not None:
                return
            self._run.write(rows.dumps(self._line(row, number, rate)))

    def _line(self, row: Row, number: int, rate: float) -> dict[str, Any]:
        """A line of training data. No field is null or changes its type, because columns of data sets may not."""
        sample, conversation = self._reader.conversation(row, number)
        source, about, made = rows.response_name(row.fields), {}, row.fields.get("provenance")
        if (request := sample.request) is not None:
            source += "".join(f"/{part}" for part in (sample.model, request.vote, *request.order))
            about = {"vote": request.vote, "shown": list(request.order)}
            made = row.fields.get("judge_provenance")
        pass_rate = None if math.isnan(rate) else rate
        known = {
            "n_tokens": sample.n_tokens,
            "finish_reason": sample.finish_reason,
            "pass_rate": pass_rate,
            "made": made,
        }
        about |= {name: value for name, value in known.items() if value is not None}
        return {
            "id": row.id,
            "task": sample.task,
            **conversation,
            "label": sample.label,
            "model": sample.model,
            "source": self._sources.of(source, conversation),
            "provenance": rows.dumps(about).decode(),
        }

    def _conclude(self, chosen: Chosen, report: str | None) -> None:
        figures, console = self._report.figures(chosen), self._run.console
        console.show(table(figures), event="yield", **figures)
        if not figures["kept"] and figures["samples"]:
            totals: Counter[str] = Counter()
            for (_, reason), count in self._report.dropped.items():
                totals[reason] += count
            of_correct = [reason for reason in totals if reason != "wrong"]  # a correct sample was dropped for another
            most = max(of_correct or totals, key=lambda reason: totals[reason], default="")
            cure = CURES.get(most, f"most were dropped as {most}" if most else "there are no samples")
            console.note(f"nothing is kept: {cure}")
        if report is not None:
            self._run.write_report(report, orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")


CURES = {
    "no_thinking": "the texts do not think; --thinking any takes them, too",
    "unopened_thinking": (
        "the texts end thinking that they do not open, for the server's chat template opens it; write <think> in "
        "front of response_with_cot, or sample again from the server with a reasoning parser"
    ),
    "unclosed_thinking": "the thinking of the texts does not end; sample with a higher --max-tokens",
    "has_thinking": "the texts think; leave --thinking forbid out",
    "uneven": "no prompt has a correct sample of the other label; sample more, or leave --even out",
    "wrong": "nothing is correct; sample more (-n, -k), or from a better model",
    "null_unlabelled": "no row says what is right; libra verify labels responses, and pairs need a preference",
    "pass_rate": "no prompt has such a pass rate; widen --pass-rate",
}
"""What to do if nothing is kept, by the most frequent reason why a correct sample was dropped, if any was."""
