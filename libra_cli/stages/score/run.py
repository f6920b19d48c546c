"""Files of judged rows in, reports and comparisons out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.stages.score.comparison import compare_judges
from libra_cli.stages.score.pointwise import PointwiseCollector
from libra_cli.stages.score.reading import RowCollector, ScoreConfig, read
from libra_cli.stages.score.row_kinds import LIBRA_BENCH, POINTWISE, REASONING, RowKind


def score(paths: tuple[str, ...], config: ScoreConfig, progress: Callable[[str], None]) -> dict[str, Any]:
    """Scores every judge in the files; returns {"reports", "comparisons"}. Raises Fatal naming the file and the fix."""

    def collector(kind: RowKind, config: ScoreConfig, judge: str, file: str) -> RowCollector:
        if kind.name == REASONING:
            from libra_cli.stages.score.reasoning import ReasoningCollector

            return ReasoningCollector(kind, config, judge, file)
        if kind.name in (LIBRA_BENCH, POINTWISE):
            return PointwiseCollector(kind, config, judge, file)
        from libra_cli.stages.score.benchmark import BenchmarkCollector

        return BenchmarkCollector(kind, config, judge, file)

    collectors, notes = read(paths, config, collector, progress)
    progress("working out the figures")
    judges = []
    while collectors:
        one = collectors.pop(0)  # what it remembers of rows goes before the next one works
        try:
            judges.append(one.scored())
            judges[-1].report["notes"] = [*notes[one.file], *judges[-1].report["notes"]]
        except ValueError as error:
            raise Fatal(Exit.USAGE, f"{one.file}: {error}") from None
    try:
        comparisons = compare_judges(judges, config.resamples, config.seed, config.examples)
    except ValueError as error:
        raise Fatal(Exit.USAGE, str(error)) from None
    return {"reports": [judge.report for judge in judges], "comparisons": comparisons}
