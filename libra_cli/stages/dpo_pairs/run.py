"""Judged responses in, preference pairs (or labelled completions) out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from libra_cli.stages.dpo_pairs.opinions import JudgedResponse, OpinionIndex
from libra_cli.stages.dpo_pairs.pairing import PairRule, pairs_of
from libra_cli.stages.dpo_pairs.reading import OpinionReader
from libra_cli.stages.dpo_pairs.report import PairReport, table
from libra_cli.stream import rows
from libra_cli.stream.row_store import RowLocation, RowStore
from libra_cli.stream.rows import RowError
from libra_cli.stream.run import Run


def make_pairs(
    run: Run,
    reader: OpinionReader,
    consensus: str,
    rule: PairRule | None,
    seed: int,
    store: RowStore,
    confusion: Mapping[str, int] | None,
    report_file: str | None,
) -> None:
    """Writes the pairs by `rule`, or without one every response that has a value.

    A run that is stopped while it reads writes nothing: a part of the input would give other pairs.
    """
    index, report = OpinionIndex(seed), PairReport()
    for row in run.rows():
        try:
            index.add(reader.read(row), store.keep(row))
        except RowError as error:
            run.refuse(row, error)
    if run.stop.status is not None:
        return
    chosen = _completions(index, consensus, report) if rule is None else _pairs(index, consensus, rule, report)
    for line in _lines(chosen, reader, store):
        if run.stop.status is not None:
            return
        run.write(rows.dumps(line))
    if run.stop.status is not None:
        return
    for reason, count in index.unused.items():
        if count:
            run.leave_out(reason, count)
    figures = report.figures(index.unused, confusion)
    run.console.show(table(figures), event="pairs", **figures)
    if report_file is not None:
        run.write_report(report_file, json.dumps(figures, indent=2).encode() + b"\n")


Chosen = tuple[JudgedResponse, JudgedResponse | None]
"""The better and the worse response of a pair; or one response, to learn from by itself."""


def _pairs(index: OpinionIndex, consensus: str, rule: PairRule, report: PairReport) -> Iterator[Chosen]:
    for responses in index.queries(consensus):
        in_tokens = all(response.n_tokens >= 0 for response in responses)
        lengths = [response.n_tokens if in_tokens else response.n_chars for response in responses]
        pairs = pairs_of([response.value for response in responses], lengths, rule)
        report.add_query(responses, len(pairs))
        index.unused["unpaired"] += len(responses) - 2 * len(pairs)
        index.unused["second_of_pair"] += len(pairs)  # two rows make one
        for better, worse in pairs:
            report.add_pair(responses[better], responses[worse])
            yield responses[better], responses[worse]


def _completions(index: OpinionIndex, consensus: str, report: PairReport) -> Iterator[Chosen]:
    for responses in index.queries(consensus):
        report.add_query(responses, 0)
        yield from ((response, None) for response in responses)


def _lines(chosen: Iterator[Chosen], reader: OpinionReader, store: RowStore) -> Iterator[dict[str, Any]]:
    """Lines as TRL reads them; no field is null or changes its type, because columns of data sets may not."""

    def wanted() -> Iterator[tuple[RowLocation, JudgedResponse]]:
        for responses in chosen:
            yield from ((each.location, each) for each in responses if each is not None)

    read_again = store.rows_at(wanted())
    for row, response in read_again:
        if reader.is_single:
            yield {
                "id": row.id,
                "prompt": reader.prompt(row),
                "completion": reader.completion(row),
                "label": response.value == 1,
                "model": str(row.fields.get("model") or ""),
                "source": rows.response_name(row.fields),
            }
            continue
        other, rejected = next(read_again)
        yield {
            "id": row.id,
            "prompt": reader.prompt(row),
            "chosen": reader.completion(row),
            "rejected": reader.completion(other),
            "chosen_model": str(row.fields.get("model") or ""),
            "rejected_model": str(other.fields.get("model") or ""),
            "chosen_value": response.value,
            "rejected_value": rejected.value,
            "source": f"{rows.response_name(row.fields)} > {rows.response_name(other.fields)}",
        }
