"""One run of `libra score`: files in, reports and comparisons out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.score.comparison import compared
from libra_cli.stages.score.points import BenchmarkCollector
from libra_cli.stages.score.pointwise import PointwiseCollector
from libra_cli.stages.score.reading import RowCollector, ScoreConfig, read
from libra_cli.stages.score.reasoning import ReasoningCollector
from libra_cli.stages.score.row_kinds import LIBRA_BENCH, POINTWISE, REASONING, RowKind
from libra_cli.stages.score.verdicts import ScoredJudge


def score(paths: tuple[str, ...], how: ScoreConfig, progress: Callable[[str], None]) -> dict[str, Any]:
    """{"reports", "comparisons"} of every judge in the files; raises Fatal, naming the file and the cure."""
    collectors = read(paths, how, _collector, progress)
    progress("working out the figures")
    found = [_scored(collector) for collector in collectors]
    try:
        comparisons = compared(found, how.resamples, how.seed)
    except ValueError as error:
        raise Fatal(Exit.USAGE, str(error)) from None
    return {"reports": [each.report for each in found], "comparisons": comparisons}


def _collector(kind: RowKind, how: ScoreConfig, judge: str, file: str) -> RowCollector:
    if kind.name == REASONING:
        return ReasoningCollector(kind, how, judge, file)
    if kind.name in (LIBRA_BENCH, POINTWISE):
        return PointwiseCollector(kind, how, judge, file)
    return BenchmarkCollector(kind, how, judge, file)


def _scored(collector: RowCollector) -> ScoredJudge:
    try:
        return collector.scored()
    except ValueError as error:
        raise Fatal(Exit.USAGE, f"{collector.file}: {error}") from None
