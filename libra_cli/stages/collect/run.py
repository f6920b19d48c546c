"""Rows in, problems out: each row is mapped to one form, filtered, and kept if it is new and in no benchmark."""

from __future__ import annotations

from collections.abc import Sequence

from libra_cli.exits import Exit, Fatal
from libra_cli.plural import counted
from libra_cli.stages.collect.problem_collector import CollectPlan, ProblemCollector
from libra_cli.stages.collect.report import ContaminationReport
from libra_cli.stages.collect.sources import Origin
from libra_cli.stream import rows
from libra_cli.stream.options import Shard
from libra_cli.stream.rows import Filtered, RowError
from libra_cli.stream.run import Run


def collect(run: Run, plan: CollectPlan, origins: Sequence[Origin], report_path: str | None) -> None:
    """Writes the problems in the rows of `run`; raises Fatal (2, 74) if the report cannot be written."""
    report = ContaminationReport(report_path, run.console, **run.waiting)
    collector = ProblemCollector(plan, origins, report, run.console.note)
    try:
        for row in run.rows():
            try:
                line = rows.dumps(collector.record(row))
            except Filtered as reason:
                run.leave_out(str(reason))
            except RowError as error:
                run.refuse(row, error)
            else:
                run.write(line)
    except BaseException as error:
        report.close(refused=isinstance(error, Fatal) and error.status == Exit.USAGE)
        raise
    report.close()
    same = "equal to one of the same file in every field"
    if plan.duplicates is not None and (count := plan.duplicates.dropped_samples):
        what = f"{counted(count, 'response')} left out as {same}"
        run.console.note(f"{what}; --duplicates keep keeps them", event="equal_responses")
    if plan.duplicates is not None and (count := plan.duplicates.kept_samples):
        what = f"{counted(count, 'response')} kept, though {same}"
        run.console.note(f"{what}; --duplicates all leaves such out", event="equal_responses")
    is_whole = run.options.limit is None and Shard(run.options.shard).count == 1
    collector.note_unknown_fields(run.counts, is_whole)
