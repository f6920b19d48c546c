"""Judged responses in, preference pairs (or labelled completions) out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from libra_cli.records.stage_names import adapter_of
from libra_cli.stages.dpo_pairs.opinions import JudgedResponse, OpinionIndex
from libra_cli.stages.dpo_pairs.pairing import PairRule, pairs_of
from libra_cli.stages.dpo_pairs.reading import OpinionReader
from libra_cli.stages.dpo_pairs.report import PairReport, table
from libra_cli.stream import rows
from libra_cli.stream.distinct_names import DistinctNames
from libra_cli.stream.row_store import RowLocation, RowStore
from libra_cli.stream.rows import Row, RowError
from libra_cli.stream.run import Run


def make_pairs(
    run: Run,
    reader: OpinionReader,
    index: OpinionIndex,
    consensus: str,
    rule: PairRule | None,
    store: RowStore,
    confusion: Mapping[str, int] | None,
    report_file: str | None,
) -> None:
    """Writes the pairs by `rule`, or without one every response that has a value; `index` is empty.

    A run that is stopped while it reads writes nothing: a part of the input would give other pairs.
    """
    report = PairReport()
    run.adapt_rows(adapter_of("dpo-pairs", run.console.note))
    for row in run.rows():
        try:
            index.add(reader.read(row), store.keep(row))
        except RowError as error:
            run.refuse(row, error)
    if run.stop.status is not None:
        return
    if rule is None:
        lines = _completions(index.queries(consensus), report, reader, store)
    else:
        lines = _pairs(index, consensus, rule, report, reader, store)
    for line in lines:
        if run.stop.status is not None:
            return
        run.write(rows.dumps(line))
    if run.stop.status is not None:
        return
    if reader.n_without_threshold:
        what = f"{reader.n_without_threshold:,} rows have a score and no verdict"
        run.console.note(f"{what}: --threshold X makes one of it, --by score pairs by the distance")
    for reason, count in index.unused.items():
        if count:
            run.leave_out(reason, count)
    figures = report.figures(index.unused, confusion)
    run.console.show(table(figures), event="pairs", **figures)
    if report_file is not None:
        run.write_report(report_file, json.dumps(figures, indent=2).encode() + b"\n")


def _pairs(
    index: OpinionIndex, consensus: str, rule: PairRule, report: PairReport, reader: OpinionReader, store: RowStore
) -> Iterator[dict[str, Any]]:
    """A line for each pair, as TRL reads it; no field is null or changes its type, because columns may not."""

    def wanted() -> Iterator[tuple[RowLocation, float]]:
        for responses in index.queries(consensus):
            in_tokens = all(response.n_tokens >= 0 for response in responses)
            lengths = [response.n_tokens if in_tokens else response.n_chars for response in responses]
            pairs = pairs_of([response.value for response in responses], lengths, rule)
            report.add_query(responses, len(pairs))
            index.unused["unpaired"] += len(responses) - 2 * len(pairs)
            index.unused["second_of_pair"] += len(pairs)  # two rows make one
            for better, worse in pairs:
                report.add_pair(responses[better], responses[worse])
                yield from ((response.location, response.value) for response in (responses[better], responses[worse]))

    names = DistinctNames()
    read_again = store.rows_at(wanted())
    for (better, chosen), (worse, rejected) in zip(read_again, read_again, strict=True):  # two at a time
        yield {
            "id": better.id,
            "prompt": reader.prompt(better),
            "chosen": reader.completion(better),
            "rejected": reader.completion(worse),
            **reader.shown(better),
            "chosen_model": str(better.fields.get("model") or ""),
            "rejected_model": str(worse.fields.get("model") or ""),
            "chosen_value": chosen,
            "rejected_value": rejected,
            "source": " > ".join(_source(row, reader, names) for row in (better, worse)),
        }


def _completions(
    queries: Iterator[list[JudgedResponse]], report: PairReport, reader: OpinionReader, store: RowStore
) -> Iterator[dict[str, Any]]:
    """A line for each response that has a value."""

    def wanted() -> Iterator[tuple[RowLocation, bool]]:
        for responses in queries:
            report.add_query(responses, 0)
            yield from ((response.location, response.value == 1) for response in responses)

    names = DistinctNames()
    for row, is_correct in store.rows_at(wanted()):
        yield {
            "id": row.id,
            "prompt": reader.prompt(row),
            "completion": reader.completion(row),
            **reader.shown(row),
            "label": is_correct,
            "model": str(row.fields.get("model") or ""),
            "source": _source(row, reader, names),
        }


def _source(row: Row, reader: OpinionReader, names: DistinctNames) -> str:
    """The name of a response, which no other one of the run has."""
    return names.of(rows.response_name(row.fields), [reader.prompt(row), reader.completion(row)])
