"""One stage's run: rows in, rows out, and an account of every one of them.

A stage is either a function of one row (`Run.map_rows`), or hands jobs to a worker that answers them in any order
(`Run.map_jobs`): a pool of processes, an engine, a server. Both keep the order, continue an earlier run, refuse bad
rows and stop on request. A stage that needs all rows before it writes the first one loops over `Run.rows` instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from libra_cli.exits import Exit, Fatal, ReaderGone
from libra_cli.plural import counted
from libra_cli.stream.console import Console
from libra_cli.stream.counts import Counts, RequestCount
from libra_cli.stream.ending import COUNTS, ERROR, tell
from libra_cli.stream.error_log import ErrorLog
from libra_cli.stream.jobs import Answer, FastPath, Feed, Job, JobFeed, MakeLine, RowFeed, Worker
from libra_cli.stream.ledger import Ledger
from libra_cli.stream.line_batch import LineSource
from libra_cli.stream.line_source import InputFiles, no_rows
from libra_cli.stream.monitor import Monitor, Progress, Watchdog
from libra_cli.stream.options import Shard, StageInfo, StreamOptions
from libra_cli.stream.output import Output
from libra_cli.stream.progress import WAITING, InputRows, Pace, StageProgress
from libra_cli.stream.reader import BadLine, RowReader
from libra_cli.stream.reorder import OrderWindow
from libra_cli.stream.rows import Row, RowError, extend
from libra_cli.stream.side_output import SideOutput, SideRowFile
from libra_cli.stream.signals import StopRequest

_LAST_POLLS = 64
"""Pages that a run hands on before it ends at once, if nobody has to wait for that."""

OpenSource = Callable[[StreamOptions, int], LineSource]
"""Opens the input, given a descriptor that becomes readable when the run must stop waiting for input."""


class Run:
    """The streams of one stage. Use as a context manager; `status` is its exit status afterwards."""

    def __init__(
        self, info: StageInfo, options: StreamOptions, config: Mapping[str, Any], open_source: OpenSource | None = None
    ):
        self.info, self.options = info, options
        self.console = Console(info.name, quiet=options.quiet, as_json=options.log_format == "json")
        self.counts, self.status = Counts(), Exit.DONE
        shard = Shard(options.shard)
        self._progress: Callable[[], Progress] | None = None
        """How far the stage's work is; None while there is none that could stall."""
        self._activity = ""
        """What is asked, where the answers are no rows yet."""
        self._feed: Feed | None = None
        self._pace, self._tokens = Pace(), 0
        self.passes = 1
        """How often the stage goes over the same rows."""
        self._first_pass: int | None = None
        """Rows or jobs of the first pass, once it is over."""
        self._inputs = options.inputs or (("-",) if open_source is None else ())
        self._input_rows = InputRows(options.inputs if open_source is None else (), options.limit)
        self._before_summary: list[Callable[[], None]] = []
        self.stop = StopRequest(info.name, options.grace)
        config = {**config, "shard": f"{shard.index}/{shard.count}"}
        self._output = Output(info, options, config, self.counts, self.stop)
        self._watchdog = Watchdog(info.name, options.stall_timeout, options.debug, self._output.abandon)
        self._source = (open_source or _open_files)(options, self.stop.wake_fd)

    # -- begin and end ------------------------------------------------------------------------------------------------

    def __enter__(self) -> Run:
        self.stop.__enter__()
        try:
            output, options = self._output, self.options
            output.open()
            self._errors = ErrorLog(options.errors, self.info.name, self.console, **self.waiting)
            self._ledger = Ledger(output.sink, self._errors, self.counts, output.finished, options.debug)
            self._reader = RowReader(self._source, options, self.info, self.counts, self.stop, self.refuse, self.flush)
            if not output.is_file:
                output.sink.on_rows = self.console.give_up_line
            self.stop.on_leave = self._leave
            output.figures["input"] = lambda: self._reader.whole_input
            self._monitor = Monitor(self.stop, self._poll)
        except BaseException:
            if hasattr(self, "_errors"):
                self._errors.close(refused=True)
            self._release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> bool:
        """Ends the run and reports how; a Fatal ends here, as `status`."""
        try:
            if error is None:
                self._finish()
        except Fatal as failed:
            error = failed
        try:
            if error is not None:
                self.status = error.status if isinstance(error, Fatal) else Exit.INTERNAL
                self._output.keep(self.status == Exit.USAGE, isinstance(error, ReaderGone))
        finally:
            self._monitor.close()
            if isinstance(error, ReaderGone):
                self.stop.take()  # what the monitor had no time to see
            self.console.end_progress()  # also where nothing is said: the reader has left, or main says it
            for close in (partial(self._errors.close, self.status == Exit.USAGE), self._release):
                try:
                    close()
                except Fatal as failed:
                    if error is None:
                        error, self.status = failed, failed.status
        if isinstance(error, Fatal):
            self.counts.out -= self._output.sink.unwritten
            if isinstance(error, ReaderGone) and self.stop.status is not None:
                self.status = self.stop.status  # a Ctrl-C reaches all stages of a pipe, and is why the reader has left
                self._summarise()
            elif not isinstance(error, ReaderGone):
                self.console.say(str(error), event="error")
                tell(ERROR, str(error))
                self._summarise()
        return error is None or isinstance(error, Fatal)

    def _release(self) -> None:
        try:
            self._source.close()
            self._output.release()
        finally:
            self.stop.__exit__()

    def _poll(self) -> None:
        """What the monitor does five times a second: hands rows on, looks for a stall, shows progress."""
        if not self._output.poll():
            self.stop.wake()
        if self._progress is not None:
            idle = self._reader.waiting or self._output.sink.blocked
            self._watchdog.check(Progress(0, 0) if idle else self._progress())
        if not self.counts.read or (self._feed is not None and self._feed.doing):
            self._pace.begin()
        else:
            self._pace.note(*self._made())
        self.console.progress(self._state)

    def _made(self) -> tuple[int, int]:
        """Rows settled by this run, and tokens of all answers."""
        counts, feed = self.counts, self._feed
        ready, tokens = (feed.ready, feed.tokens) if feed is not None else (0, 0)
        return counts.read - counts.missing - counts.done + ready, self._tokens + tokens

    def _state(self) -> StageProgress:
        """What the progress line says."""
        counts, feed, name = self.counts, self._feed, self.info.name
        at_work = feed.progress().at_work if feed is not None else 0
        if self.stop.status is not None:
            return StageProgress(name, f"stopping: {at_work:,} at work")
        if feed is not None and feed.doing:
            return StageProgress(name, feed.doing)
        if self._activity and feed is not None:
            return StageProgress(name, f"{self._activity}: {feed.progress().settled:,} answers, {at_work:,} at work")
        made, tokens = self._made()
        if self._reader.waiting and not at_work and not made:
            return StageProgress(name, WAITING)
        if not self._reader.lines:
            return StageProgress(name, "starting")
        if not self.info.resumable and not counts.out:
            return StageProgress(name, f"reading: {counted(counts.read, 'row')}")
        rate, token_rate = self._pace.rates(made, tokens)
        return StageProgress(name, "", made + counts.done, self._total(), at_work, counts.errors, rate, token_rate)

    def _total(self) -> int | None:
        """Rows or jobs of the whole run, by those of the rows read so far; None if nobody can know."""
        lines, feed = self._reader.lines, self._feed
        if self._first_pass is not None:
            return self._first_pass * self.passes
        if self._reader.ended:
            return self.counts.read * self.passes
        rows, read = self._input_rows.look(), self.counts.read
        if feed is not None and feed.read_before is not None:  # not all jobs of the last row are counted yet
            lines, read = lines - 1, feed.read_before
        elif abs(lines - read) == 1:  # the main thread is between counting the line and counting its row
            read = lines
        return round(read / lines * max(rows, lines)) * self.passes if rows and lines > 0 else None

    def _leave(self) -> None:
        """Says the counts before the process ends at once."""
        for _ in range(_LAST_POLLS):
            self._output.poll()
        self.counts.out -= self._output.sink.unwritten
        self.console.last_words(self._account())
        self._output.abandon()

    def _finish(self) -> None:
        """Sets the exit status, from the strongest reason to the weakest; raises Fatal if the run has failed."""
        finished = self._output.finished
        if self.stop.status is not None:
            self.status = self.stop.status
        elif self.counts.missing:
            lost = self.counts.missing
            raise Fatal(Exit.INTERNAL, f"internal error: {counted(lost, 'row')} unaccounted for; please report this")
        elif shortfall := self._reader.shortfall():
            raise Fatal(Exit.INCOMPLETE, shortfall)
        else:
            if finished is not None and self.options.limit is None and (leftover := finished.leftover()):
                self.console.note(f"{leftover} rows of {self.options.output} are not in this input; they stay")
            if self._reader.found_nothing:
                self.console.note(no_rows(self._inputs), event="no_rows")
            self.status = Exit.SOME_ERRORS if self.counts.errors else Exit.DONE
        self._output.finish(complete=self.status in (Exit.DONE, Exit.SOME_ERRORS))
        self._summarise()

    def _account(self) -> str:
        """The counts, and whether the same command continues."""
        text = self.counts.summary()
        if self.stop.status is not None:
            text += "; stopped"
            if not self.info.resumable:
                text += ", the same command begins anew"
            else:
                can_continue = self._output.can_be_continued
                text += ", the same command continues" if can_continue else " (with -o FILE the same command continues)"
        elif self._output.unfinished and self._output.can_be_continued:
            text += "; not finished, the same command continues"
        if self._output.unfinished:
            text += f"; rows so far: {self._output.unfinished}"
        return text

    def _summarise(self) -> None:
        self.console.end_progress()
        for say in self._before_summary:
            say()
        text = self._account()
        seconds = self.console.seconds
        tell(COUNTS, f"{text} ({seconds:.1f} s)")
        if self.options.log_format == "json":
            figures = {"code": int(self.status), "seconds": round(seconds, 3), **self._output.tally()}
            self.console.say(text, event="exit", **figures)
        else:
            self.console.note(f"{text} ({seconds:.1f} s)")

    # -- input --------------------------------------------------------------------------------------------------------

    def requests_of(self, each: int, rows_each: int = 1, bound: str = "") -> Callable[[], RequestCount | None]:
        """What counts the requests of a run with `each` for a row; None if its input is a pipe, or too long to count.

        Rows that are done count, too: the same command asks the same engine again. `rows_each` rows are written for a
        row; `bound` is that of RequestCount.
        """

        def count() -> RequestCount | None:
            rows, before = self._input_rows.count(), self._output.finished
            if rows is None:
                return None
            total, done = -(-rows // Shard(self.options.shard).count) * each, self.counts.done * each // rows_each
            return RequestCount(total, done, bound, may_be_more=before is not None and before.has_more)

        return count

    def rows(self) -> Iterator[Row]:
        """The usable rows of this shard, one by one, each counted as read; waits for them."""
        for row in self._reader:
            self.counts.read += 1
            yield row

    def adapt_rows(self, adapt: Callable[[Row], Row] | None) -> None:
        """Has `adapt` give each row the form that the stage reads; to be called before the first row is read."""
        self._reader.adapt = adapt

    @property
    def waiting(self) -> dict[str, Any]:
        """What ends a wait for the reader of a named pipe; see open_special."""
        return self._output.waiting

    @property
    def continues(self) -> bool:
        """Whether the output holds rows of an earlier run."""
        return self._output.finished is not None

    def finished_rows(self) -> Iterator[Row]:
        """The rows of an earlier run that the output holds; to be read before any is added."""
        return self._output.finished_rows()

    # -- the two ways to run a stage ----------------------------------------------------------------------------------

    def map_rows(self, make_line: Callable[[Row], bytes]) -> None:
        """Writes the line that `make_line` makes of each row.

        `make_line` may raise RowError (the row is refused) or Filtered (the row is left out).
        """
        self._progress = lambda: Progress(1, self.counts.read)
        for row in self.rows():
            try:
                if not self._ledger.was_done(row):
                    self._ledger.write(make_line(row))
            except Exception as error:  # noqa: BLE001 -- one row's failure is that row's; it is named and counted
                self._ledger.fail(row, error)
        self._progress = None

    def map_jobs(
        self,
        worker: Worker,
        jobs: Callable[[Row], Iterable[Job]],
        finish: Callable[[Job, Answer], Mapping[str, Any]],
        *,
        source: Iterator[Row] | None = None,
        fast_path: FastPath | None = None,
        make_line: MakeLine = extend,
    ) -> None:
        """Sends the jobs of each row through `worker` and writes a row for each answer, in input order.

        `finish` gives the new fields of a job's row from its answer, and `make_line` the line from those. `source`
        replaces the input, for another pass over the same rows. `fast_path` is tried first: it gives the new fields of
        a row that needs no worker, or None.
        """
        reader = self._reader
        window: OrderWindow[tuple[Job, Answer]] = OrderWindow(self.options.window, ordered=not self.options.unordered)
        next_row = reader.next_row if source is None else lambda _wait: next(source, None)
        feed = RowFeed(
            next_row, jobs, finish, fast_path, make_line, window, self._ledger, self.stop, lambda: reader.ended
        )
        self._progress, self._feed = feed.progress, feed
        try:
            for answered in worker(feed):
                if answered is not None:
                    feed.settle(*answered)
                if self.stop.status is not None:
                    feed.drain()  # whoever stops the run may not wait for the slowest job
                if answered is None:
                    self.flush()
        finally:
            feed.drain()  # an engine that breaks costs the jobs at work, not those it has answered
            self._first_pass = self._first_pass or self.counts.read
            self._end_feed(feed)

    def answers(self, worker: Worker, jobs: Iterator[Job], activity: str) -> Iterator[tuple[Job, Answer]]:
        """Yields the worker's answers to `jobs` in any order; nothing is written or counted.

        This is for answers from which rows are made later. `activity` names what is asked, in the progress line.
        """
        feed = JobFeed(jobs, self.options.window, self.stop)
        self._progress, self._feed, self._activity = feed.progress, feed, activity
        try:
            for answered in worker(feed):
                if answered is not None:
                    feed.settle(answered[0])
                    yield answered
        finally:
            self._activity = ""
            self._end_feed(feed)

    def _end_feed(self, feed: Feed) -> None:
        self._tokens += feed.tokens
        self._progress = self._feed = None

    # -- output -------------------------------------------------------------------------------------------------------

    def write(self, line: bytes) -> None:
        """Writes one row as it stands and counts it."""
        self._ledger.write(line)

    def leave_out(self, reason: str, rows: int = 1) -> None:
        """Counts rows that the stage leaves out on purpose."""
        self._ledger.leave_out(reason, rows)

    def refuse(self, row: Row | BadLine, error: RowError) -> None:
        """Sends a row, or a line that is no row, to the error file."""
        self._ledger.refuse(row, error)

    def flush(self) -> None:
        """Hands on every row written so far; raises ReaderGone or Fatal(74) if the output has failed."""
        self._output.sink.flush()

    def write_report(self, path: str, data: bytes) -> None:
        """Writes a report whole, at the end of the run; raises Fatal(74) if that fails."""
        self._output.write_report(path, data)

    def open_side_file(self, path: str, option: str) -> SideRowFile:
        """Opens a second file of rows, which `option` names; it is continued and finished together with the output."""
        return self._output.open_side_file(path, option)

    def add_figure(self, name: str, figure: Callable[[], Any]) -> None:
        """Has manifests and the JSON log say `figure()` under `name`, unless that is None."""
        self._output.figures[name] = figure

    def earlier_figure(self, name: str) -> Any:
        """What the manifest of the output that this run continues says under `name`; None if it says nothing."""
        return self._output.earlier.get(name)

    def before_summary(self, say: Callable[[], None]) -> None:
        """Calls `say` at the end of the run, whatever ends it, before the line with the counts."""
        self._before_summary.append(say)

    def add_side_output(self, side_output: SideOutput) -> None:
        """Has the run finish and release `side_output` together with its output."""
        self._output.side_outputs.append(side_output)


def _open_files(options: StreamOptions, wake_fd: int) -> LineSource:
    files = options.inputs or ("-",)
    return InputFiles(files, options.max_line_bytes, wake_fd, options.stall_timeout, taken=options.taken)
