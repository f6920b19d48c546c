"""One stage's run: rows in, rows out, and an account of every one of them.

A stage is either a function of one row (`Run.map_rows`) or a worker that takes many jobs and answers them in any
order (`Run.map_jobs`): a pool of processes, an engine, a server. Both keep order, resume, refuse bad rows and stop.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from libra_cli import __version__
from libra_cli.exits import Exit, Fatal, ReaderGone
from libra_cli.stream import resume, rows, sinks, stdio
from libra_cli.stream.console import Console
from libra_cli.stream.counts import Counts
from libra_cli.stream.error_log import ErrorLog
from libra_cli.stream.jobs import Answer, Answers, Aside, Filtered, Job, RowFeed, Window, Worker, jobs_or_answer
from libra_cli.stream.line_source import InputFiles, LineBatch, LineSource
from libra_cli.stream.lock import Lock
from libra_cli.stream.monitor import Monitor, Progress, Watchdog
from libra_cli.stream.options import Shard, StageInfo, StreamOptions
from libra_cli.stream.reader import RowReader
from libra_cli.stream.rows import NewFields, Row, RowError
from libra_cli.stream.side_output import SideOutput
from libra_cli.stream.signals import StopRequest

OpenSource = Callable[[StreamOptions, int], LineSource]
"""Opens the input, given a descriptor that becomes readable when the run shall stop waiting for it."""


class Run:
    """The streams of one stage. Use as a context manager; `status` is its exit status afterwards."""

    def __init__(
        self, info: StageInfo, options: StreamOptions, config: Mapping[str, Any], open_source: OpenSource | None = None
    ):
        self.info, self.options = info, options
        self.console = Console(info.name, quiet=options.quiet, as_json=options.log_format == "json")
        self.counts = Counts()
        self.status = Exit.DONE
        shard = Shard(options.shard)
        self.config: Mapping[str, Any] = {**config, "shard": f"{shard.index}/{shard.count}"}
        """What shapes rows: a resumed run must have the same."""
        self._progress: Callable[[], Progress] | None = None
        self._activity: Callable[[], str] | None = None
        self._make_line: Callable[[Row, Mapping[str, Any]], bytes | None] = rows.extend
        self.side_outputs: list[SideOutput] = []
        """What the stage writes beside its output; the run attends to it and ends it."""
        self._watchdog = Watchdog(info.name, options.stall_timeout)
        self._lock: Lock | None = None
        self._done: resume.FinishedRows | None = None
        self._manifest: resume.Manifest | None = None
        self.stop = StopRequest(info.name, options.grace)
        self._intake = RowReader(self, (open_source or _open_files)(options, self.stop.wake_fd), shard)

    # -- begin and end ------------------------------------------------------------------------------------------------

    def __enter__(self) -> Run:
        self.stop.__enter__()
        try:
            self._sink = self._open_output()
            self._errors = ErrorLog(self.options.errors, self.info.name, self.console)
            self._monitor = Monitor(self.stop, self._beat)
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> bool:
        """Ends the run and says how; a Fatal ends here, as `status`."""
        try:
            if error is None:
                self._finish()
        except Fatal as failed:
            error = failed
        try:
            if error is not None:
                self._keep(error)
        finally:
            self._monitor.close()
            self._errors.close()
            self._release()
        if isinstance(error, Fatal):
            self._give_up(error)
        return error is None or isinstance(error, Fatal)

    def _keep(self, error: BaseException) -> None:
        """Keeps what was done before `error`; a run that is refused leaves a complete output as it was."""
        self.status = error.status if isinstance(error, Fatal) else Exit.INTERNAL
        withdrawn = self.status == Exit.USAGE and self._sink.withdraw()
        try:
            if withdrawn:
                self.counts.out = 0
                self._write_manifests(complete=True)
            elif not isinstance(error, ReaderGone):
                self._sink.finish(False, self._write_manifests)
            for side_output in self.side_outputs:
                side_output.withdraw() if withdrawn else side_output.finish(False)
        except Fatal:
            return  # the output has failed, which is what `error` says

    def _give_up(self, error: Fatal) -> None:
        self.counts.out -= self._sink.unwritten
        if not isinstance(error, ReaderGone):
            self.console.say(str(error), event="error")
            self._summarise()

    def _release(self) -> None:
        for side_output in self.side_outputs:
            side_output.release()
        if self._lock is not None:
            self._lock.release()
        self.stop.__exit__()

    def _open_output(self) -> sinks.Sink:
        options, path = self.options, self.options.output
        options.check_names()
        if options.manifest:
            with suppress(FileNotFoundError):
                os.unlink(options.manifest)  # a reader must not take the last run's for this one's
        if path is not None and path != "-" and sinks.is_plain_file(path):
            stdio.reserve_stdout()
            return self._open_file(path)
        return sinks.open_stream(path, bool(options.manifest))

    def _open_file(self, path: str) -> sinks.Sink:
        self._lock = Lock(path)
        self._manifest = resume.Manifest(path + ".libra.json", self.info.name, self.config, __version__)
        done = resume.FinishedRows(self.info.used, self.info.names) if self.info.resumable else None
        resume.prepare(path, self._manifest, done, self.options.overwrite)
        if done is None:
            return sinks.FileSink(path, append=False)
        self._done = done if done.rows else None
        return sinks.FileSink(path, append=True, sha256=done.sha256)

    def _beat(self) -> None:
        """What the monitor does beside the run: hands rows on, shows progress, looks for a stall."""
        if not all([self._sink.poll(), *(side_output.poll() for side_output in self.side_outputs)]):
            self.stop.wake()
        if self._progress is not None:
            idle = self._intake.waiting or self._sink.blocked
            self._watchdog.check(Progress(0, 0) if idle else self._progress())
        self.console.progress((self._activity or self._rate)())

    def _rate(self) -> str:
        counts = self.counts
        rate = counts.out / max(self.console.seconds, 1e-9)
        return f"{counts.read} in, {counts.out} out, {counts.errors} errors, {rate:,.1f} rows/s"

    def _finish(self) -> None:
        self.status = self._outcome()
        self._sink.finish(self._is_complete(), self._write_manifests)
        for side_output in self.side_outputs:  # last: the next run completes them where this one is killed here
            side_output.finish(self._is_complete())
        self._summarise()

    def _is_complete(self) -> bool:
        return self.status in (Exit.DONE, Exit.SOME_ERRORS)

    def _outcome(self) -> Exit:
        """The exit status, from the strongest reason to the weakest; raises Fatal where the run has failed."""
        if self.stop.status is not None:
            return self.stop.status
        if self.counts.missing:
            lost = self.counts.missing
            raise Fatal(Exit.INTERNAL, f"internal error: {lost} rows are unaccounted for; please report this")
        shortfall = self._intake.shortfall()
        if shortfall:
            raise Fatal(Exit.INCOMPLETE, shortfall)
        if self._done is not None and self.options.limit is None and (leftover := self._done.leftover()):
            self.console.note(f"{leftover} rows of {self.options.output} are not in this input; they stay")
        return Exit.SOME_ERRORS if self.counts.errors else Exit.DONE

    def _tally(self) -> dict[str, Any]:
        digest = self._sink.sha256.hexdigest() if self._sink.sha256 else None
        before = self._done.rows if self._done is not None else 0
        return {"rows": before + self.counts.out, "sha256": digest, **self.counts.tally()}

    def _write_manifests(self, complete: bool | None = None) -> None:
        status = "complete" if (self._is_complete() if complete is None else complete) else "stopped"
        if self._manifest is not None:
            self._manifest.write(status, **self._tally())
        if self.options.manifest:
            manifest = resume.Manifest(self.options.manifest, self.info.name, self.config, __version__)
            manifest.write(status, **self._tally())

    def _after_a_stop(self) -> str:
        if not self.info.resumable:
            return ", the same command begins anew"
        return ", the same command continues" if self._manifest else " (with -o FILE the same command continues)"

    def _summarise(self) -> None:
        text = self.counts.summary(self._errors.kinds)
        if self.stop.status is not None:
            text += "; stopped" + self._after_a_stop()
        seconds = self.console.seconds
        if self.options.log_format == "json":
            self.console.say(text, event="exit", code=int(self.status), seconds=round(seconds, 3), **self._tally())
        else:
            self.console.note(f"{text} ({seconds:.1f} s)")

    # -- input --------------------------------------------------------------------------------------------------------

    def rows(self) -> Iterator[Row]:
        """The rows of this shard that can be read, one by one; waits for them."""
        return self._intake.each_row()

    def next_row(self, wait: float | None) -> Row | None:
        """The next row; None where none came within `wait` seconds, or at the end (then `input_ended` is True)."""
        return self._intake.next_row(wait)

    @property
    def input_ended(self) -> bool:
        """No row will come any more."""
        return self._intake.ended

    @property
    def batch(self) -> LineBatch:
        """The lines among which the last row stood."""
        return self._intake.batch

    # -- one row, one result ------------------------------------------------------------------------------------------

    def map_rows(self, function: Callable[[Row], Mapping[str, Any]]) -> None:
        """Writes every row with the keys that `function` gives for it; where these are none, as it is.

        `function` may raise RowError (the row is refused) or Filtered (the row is left out).
        """
        self._progress = lambda: Progress(1, self.counts.read)
        for _ in self._write_at_once(function, Window(1), self.rows()):
            pass
        self._progress = None

    def _write_at_once(
        self, function: Callable[[Row], Mapping[str, Any] | None], window: Window, given: Iterator[Row]
    ) -> Iterator[Row]:
        """Writes each row with what `function` gives for it; leaves those for which it gives None.

        Where a job of an earlier row is open in the window, rows are left without asking: they may not overtake it.
        """
        counts, done, make_line, write = self.counts, self._done, self._make_line, self._sink.write
        for row in given:
            if window.open:
                yield row
                continue
            counts.read += 1
            if done is not None and done.take(row.fields, row.place):
                counts.done += 1
                continue
            try:
                new = function(row)
                line = None if new is None else make_line(row, new)
            except Exception as error:  # noqa: BLE001 -- one row's failure is that row's; it is named and counted
                self._fail(row, {}, error)
                continue
            if line is not None:
                write(line)
                counts.out += 1
            elif new is None:
                counts.read -= 1  # its jobs will be counted
                yield row

    # -- many jobs, answers in any order ------------------------------------------------------------------------------

    def map_jobs(
        self,
        worker: Worker,
        jobs: Callable[[Row], Iterable[Job]],
        finish: Callable[[Job, Answer], Mapping[str, Any]],
        source: Callable[[float | None], Row | None] | None = None,
        fast_path: Callable[[Row], NewFields | None] | None = None,
        make_line: Callable[[Row, Mapping[str, Any]], bytes | None] | None = None,
    ) -> None:
        """Sends each row's jobs through `worker` and writes what `finish` makes of the answers, in input order.

        `source` replaces the input (`next_row`) for a stage that passes over its rows again. `fast_path` is asked
        first where most rows need no worker and become one row: what it gives is written, None makes jobs of the row.
        `make_line` makes the line of a row from its new keys; None where the stage writes it later.
        """
        window = Window(self.options.window, ordered=not self.options.unordered)
        answers = Answers(self, window, finish)
        self._make_line = make_line or rows.extend
        if fast_path is not None:
            self._intake.sift = partial(self._write_at_once, fast_path, window)
            jobs = partial(jobs_or_answer, jobs, fast_path, window)
        feed = RowFeed(self, jobs, window, source or self.next_row, answers.settle)
        self._progress = lambda: Progress(window.at_work, window.settled + feed.parts)
        try:
            for answered in worker(feed):
                if answered is not None:
                    answers.settle(*answered)
                if self.stop.status is not None:
                    answers.drain()  # whoever stops us may not wait for the slowest job
                if answered is None:
                    self.flush()
        finally:
            answers.drain()  # an engine that breaks costs the jobs at work, not those it has done
            self._progress, self._make_line, self._intake.sift = None, rows.extend, iter

    def ask(
        self,
        worker: Worker,
        jobs: Callable[[Row], Iterable[Job]],
        receive: Callable[[Job, Answer], None],
        source: Callable[[float | None], Row | None],
        name: str,
    ) -> None:
        """Sends the jobs of the rows of `source` through `worker` and hands over the answers as they come.

        Nothing is written and nothing counted: it is for answers from which rows are made later. `name` is what is
        being asked, for whoever watches.
        """
        window = Window(self.options.window, ordered=False)
        self._progress = lambda: Progress(window.at_work, window.settled)
        self._activity = lambda: f"{name}: {window.settled} answers, {window.at_work} at work"
        try:
            for answered in worker(RowFeed(Aside(self), jobs, window, source)):
                if answered is not None:
                    window.settle(answered[0].number, answered)
                    receive(*answered)
        finally:
            self._progress = self._activity = None

    @property
    def continues(self) -> bool:
        """Rows of an earlier run stand in the output."""
        return self._done is not None

    def finished_rows(self) -> Iterator[Row]:
        """The rows of an earlier run that stand in the output; to be read before any is added."""
        if self._done is None:
            return
        path = str(self.options.output)
        name = path if os.path.exists(path) else path + ".part"
        with open(name, "rb") as file:
            for number, line in enumerate(file, 1):
                yield Row(rows.parse(line.rstrip(b"\n")), line.rstrip(b"\n"), name, number)

    def is_done(self, job: Job) -> bool:
        """Counts a job whose row stands in the output already."""
        if self._done is None or not self._done.take({**job.row.fields, **job.names}, job.row.place):
            return False
        self.counts.done += 1
        return True

    # -- output -------------------------------------------------------------------------------------------------------

    def settle(self, row: Row, names: dict[str, Any], result: Mapping[str, Any] | Exception) -> None:
        """Writes `row` with `names` and the keys of `result`, or sends it where the exception `result` says."""
        try:
            if isinstance(result, Exception):
                raise result
            line = self._make_line(row, {**names, **result} if names else result)
        except Exception as error:  # noqa: BLE001 -- as in `each`
            self._fail(row, names, error)
        else:
            if line is not None:
                self.write(line)

    def _fail(self, row: Row, names: dict[str, Any], error: Exception) -> None:
        if isinstance(error, Filtered):
            self.counts.filtered[str(error)] += 1
        elif isinstance(error, RowError):
            self.refuse(row, error, names)
        elif isinstance(error, Fatal) or self.options.debug:
            raise error
        else:
            self.refuse(row, RowError(type(error).__name__, str(error) or repr(error)), names)

    def flush(self) -> None:
        """Hands on every row written so far; raises ReaderGone or Fatal(74) where the output has failed."""
        self._sink.flush()

    def write(self, line: bytes) -> None:
        """Writes one row as it stands and counts it."""
        self._sink.write(line)
        self.counts.out += 1

    def leave_out(self, reason: str, rows: int = 1) -> None:
        """Counts rows that the stage leaves out on purpose."""
        self.counts.filtered[reason] += rows

    def refuse(self, row: Row, error: RowError, names: Mapping[str, Any] | None = None) -> None:
        """Sends a row, or its job of these `names`, to the error file."""
        self.counts.errors += 1
        self._errors.add(error, row.raw, row.place, row.id, names)

    def refuse_line(self, raw: bytes, place: str, error: RowError) -> None:
        """Sends a line that is no row to the error file."""
        self.counts.errors += 1
        self._errors.add(error, raw, place, None)


def _open_files(options: StreamOptions, wake_fd: int) -> LineSource:
    return InputFiles(options.inputs or ("-",), options.max_line_bytes, wake_fd)
