"""Passes over the rows of a run, one for each model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from libra_cli.engines.base import RequestError
from libra_cli.sampling.choose import ChosenModel
from libra_cli.sampling.ignored_settings import IgnoredSettings
from libra_cli.sampling.worker import EngineWorker, JobRequests, row_error
from libra_cli.stream import rows
from libra_cli.stream.jobs import Answer, Feed, Job, MakeLine
from libra_cli.stream.row_store import RowStore
from libra_cli.stream.rows import Row, RowError
from libra_cli.stream.run import Run

MakeJobs = Callable[[ChosenModel, Row], Iterator[Job]]
"""The jobs of a row for a model."""
Finish = Callable[[EngineWorker, Job, Answer], Mapping[str, Any]]
"""The new fields of a job's row from its answer."""


class Passes:
    """One pass over the rows for each model, one model after another; the input itself is read once."""

    def __init__(
        self,
        run: Run,
        models: Sequence[ChosenModel],
        check: Callable[[Row], None] | None = None,
        ignored: IgnoredSettings | None = None,
    ):
        """`check` sees each row first, and may raise RowError or Filtered; `ignored` watches the answers of servers."""
        self._run, self._models, self._check, self._ignored = run, models, check, ignored
        self._store = RowStore() if len(models) > 1 else None

    def answer(
        self,
        jobs: MakeJobs,
        finish: Finish,
        adapter: Callable[[Feed], JobRequests] = JobRequests,
        make_line: MakeLine = rows.extend,
    ) -> None:
        """Writes a row with the fields of `finish` for each of the jobs that `jobs(model, row)` makes of a row.

        `adapter` turns jobs into requests; `make_line` is that of Run.map_jobs.
        """
        self._run.passes = len(self._models)
        for number, model in enumerate(self._models):
            worker = EngineWorker(model, adapter, self._ignored)
            make = partial(jobs, model) if number else partial(self._first_jobs, jobs, model)
            again = (row for row, _ in self._store.rows()) if number and self._store is not None else None
            try:
                self._run.map_jobs(worker, make, partial(finish, worker), source=again, make_line=make_line)
            finally:
                worker.close()
            if self._run.stop.status is not None:
                return
            if not self._run.counts.done:
                worker.check_answered()

    def show_first(self, shown: Callable[[ChosenModel, Row], Mapping[str, Any]]) -> None:
        """Writes the fields `shown(model, row)` of the first row for each model; refuses rows before it without any."""
        for row in self._run.rows():
            try:
                lines = [rows.dumps(shown(model, row)) for model in self._models]
            except RowError as error:
                self._run.refuse(row, error)
                continue
            self._run.counts.read += len(lines) - 1
            for line in lines:
                self._run.write(line)
            return

    def _first_jobs(self, jobs: MakeJobs, model: ChosenModel, row: Row) -> Iterator[Job]:
        """The jobs of the first pass, which checks the rows and keeps them for the others."""
        if self._check is not None:
            self._check(row)
        made = jobs(model, row)
        if self._store is not None:
            self._store.add(row)
        return made


def rendered(model: ChosenModel, request: Any) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The prompt of a request as a model sees it, by field, and its engine's description; loads no weights.

    `request` is a RewardRequest if the model is scalar. Raises RowError if the chat template refuses the messages.
    """
    engine = model.make()
    try:
        return asdict(engine.render(request)), engine.describe()
    except RequestError as error:
        raise row_error(error) from None
    finally:
        engine.close()
