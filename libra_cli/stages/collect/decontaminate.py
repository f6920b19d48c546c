"""Reading the benchmarks that the data must not contain (`--decontaminate`)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from libra_cli.exits import Exit, Fatal
from libra_cli.records import responses
from libra_cli.similar import nearest_name
from libra_cli.stages.collect import mapping
from libra_cli.stages.collect.contamination import BenchmarkProblems
from libra_cli.stages.collect.mapping import Fields, Rename
from libra_cli.stages.collect.presets import PRESETS, Preset, question_of
from libra_cli.stages.collect.sources import Origin, ReadOptions, SourceChain, file_origin, preset_origin
from libra_cli.stream import rows
from libra_cli.stream.rows import RowError
from libra_cli.stream.signals import StopRequest
from libra_cli.stream.where import parse


def benchmark_origin(name: str) -> Origin:
    """The data of a benchmark, given a preset's name or a file; raises Fatal(2) if `name` is neither."""
    if name in PRESETS:
        return preset_origin(PRESETS[name])
    if not os.path.exists(name):
        close = nearest_name(name, PRESETS)
        hint = f"did you mean {close}?" if close else f"presets are {', '.join(PRESETS)}"
        raise Fatal(Exit.USAGE, f"--decontaminate {name}: no such file, and no preset; {hint}")
    return file_origin(name)


def read_benchmarks(
    origins: Sequence[Origin], options: ReadOptions, ngram: int, overlap: float, stop: StopRequest
) -> BenchmarkProblems:
    """Reads all problems of the benchmarks, unless a stop is requested.

    Raises Fatal(2) on a row without a problem: a problem that is not read would not be kept out of the data.
    """
    benchmarks = BenchmarkProblems(ngram, overlap)
    for origin in origins:
        chain, before = SourceChain([origin], options), len(benchmarks)
        while stop.status is None and (batch := chain.read()) is not None:
            for number, raw in enumerate(batch.lines, batch.first):
                place = f"{batch.file}:{number}"
                try:
                    if number - batch.first in batch.refused:
                        raise batch.refused[number - batch.first]
                    question = _question(raw.strip(b" \t\r"), origin)
                except RowError as error:
                    hint = "mend the row: a benchmark is read whole or not at all"
                    raise Fatal(Exit.USAGE, f"--decontaminate {place}: {error}; {hint}") from None
                if question is not None:
                    benchmarks.add(question, place)
        if len(benchmarks) == before and stop.status is None:
            raise Fatal(Exit.USAGE, f"--decontaminate {origin.place}: holds no problem that is not there already")
    benchmarks.finish()
    return benchmarks


def can_be_read_twice(origin: Origin) -> bool:
    """Whether an origin is a data set or a regular file, and no pipe."""
    return origin.path is None or os.path.isfile(origin.path)


def questions_of(
    origins: Sequence[Origin], options: ReadOptions, renames: Sequence[Rename], stop: StopRequest
) -> Iterator[str]:
    """The problems of the data, for their phrases, until a stop is requested.

    A row without a problem is for the run itself to refuse.
    """
    for origin in origins:
        chain = SourceChain([origin], options)
        while stop.status is None and (batch := chain.read()) is not None:
            for number, raw in enumerate(batch.lines):
                if number in batch.refused:
                    continue
                try:
                    fields = rows.parse(raw.strip(b" \t\r"))
                    if origin.preset is not None:
                        fields = origin.preset.apply(fields, 0)
                        if not _is_of(origin.preset, fields):
                            continue
                    question = responses.question_of(mapping.rename(fields, renames))
                except RowError:
                    continue
                if isinstance(question, str):
                    yield question


def _is_of(preset: Preset, fields: Fields) -> bool:
    """Whether the preset keeps a row."""
    return preset.where is None or parse(preset.where).test(fields) is True


def _question(raw: bytes, origin: Origin) -> str | None:
    """The problem on a line; None if the line is blank or the preset leaves the row out."""
    if not raw:
        return None
    fields = rows.parse(raw)
    if origin.preset is not None:
        fields = origin.preset.apply(fields, 0)
        if not _is_of(origin.preset, fields):
            return None
    question = question_of(fields)
    if not isinstance(question, str) or not question.strip():
        raise RowError("missing_field", 'no "question", "problem" or "prompt"')
    return question
