"""The output of one run: opened, continued or begun anew, finished or taken back, with its lock and its manifests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from libra_cli import __version__
from libra_cli.exits import Fatal
from libra_cli.stream import resume, sinks, stdio
from libra_cli.stream.counts import Counts
from libra_cli.stream.files import open_special, replace_file
from libra_cli.stream.lock import Lock
from libra_cli.stream.options import StageInfo, StreamOptions
from libra_cli.stream.rows import Row, parse
from libra_cli.stream.side_output import SideOutput, SideRowFile
from libra_cli.stream.signals import StopRequest


class Output:
    """Where the rows of a run go. `open` comes first, `release` last and in any case.

    `config` holds the settings that shape rows: a run that continues an output must have the same.
    """

    def __init__(
        self, info: StageInfo, options: StreamOptions, config: Mapping[str, Any], counts: Counts, stop: StopRequest
    ):
        self._info, self._options, self._config, self._counts = info, options, config, counts
        self.waiting: dict[str, Any] = {"stop": stop, "timeout": options.stall_timeout}
        """What ends the wait for the reader of a named pipe."""
        self._lock: Lock | None = None
        self._manifest: resume.Manifest | None = None
        self.finished: resume.FinishedRows | None = None
        """The rows of an earlier run that the output holds; None if it has none."""
        self.side_outputs: list[SideOutput] = []
        """What the stage writes besides its output; polled, finished and released with it."""
        self.earlier: Mapping[str, Any] = {}
        """The manifest of the output that is continued."""
        self.figures: dict[str, Callable[[], Any]] = {}
        """What manifests and logs say of the run besides its counts, by name; one that is None is left out."""
        self._manifest_before: bytes | None = None
        """The manifest of a complete output that this run begins anew."""

    def open(self) -> None:
        """Opens the output; raises Fatal(2, 11 or 74) if it cannot be written, or is not this run's to continue."""
        info, options, path = self._info, self._options, self._options.output
        options.check_files()
        self.sink: sinks.Sink
        if path is None or path == "-":
            self.sink = sinks.StreamSink(stdio.reserve_stdout(), "standard output", bool(options.manifest))
            self.sink.on_begin = self._begin
            return
        if not sinks.is_plain_file(path):
            descriptor = open_special(path, **self.waiting)
            stdio.reserve_stdout()  # only now: PATH may be /dev/stdout
            self.sink = sinks.StreamSink(descriptor, path, bool(options.manifest))
            self.sink.on_begin = self._begin
            return
        stdio.reserve_stdout()
        self._lock = Lock(path)
        self._manifest = resume.Manifest(
            path + ".libra.json", info.name, self._config, __version__, info.current_config, options.watched
        )
        finished = resume.FinishedRows(info.own, info.names, info.carried) if info.resumable else None
        resume.prepare(path, self._manifest, finished, options.overwrite)
        if finished is None:
            self.sink = sinks.FileSink(path, append=False)
        elif options.overwrite:
            self.sink = sinks.FileSink(path, append=False, replaces=True)
        else:
            self.finished = finished if finished.rows else None
            self.earlier = (resume.Manifest.read(self._manifest.path) or {}) if self.finished is not None else {}
            self.sink = sinks.FileSink(path, append=True, sha256=finished.sha256)
        self.sink.on_begin = self._begin

    def open_side_file(self, path: str, option: str) -> SideRowFile:
        """Opens a second file of rows, which `option` names; it is continued if the output is."""
        info = self._info
        manifest = resume.Manifest(
            path + ".libra.json", f"{info.name} {option}", self._config, __version__, info.current_config
        )
        finished = resume.FinishedRows(info.own, info.names, info.carried) if self.finished is not None else None
        side_file = SideRowFile(path, option, manifest, finished, self._options.overwrite)
        self.side_outputs.append(side_file)
        return side_file

    @property
    def is_file(self) -> bool:
        """Whether rows go to a plain file, and not to somebody who may show them."""
        return isinstance(self.sink, sinks.FileSink)

    @property
    def can_be_continued(self) -> bool:
        """Whether the same command will go on with what this run leaves."""
        return self._info.resumable and self._manifest is not None

    def finished_rows(self) -> Iterator[Row]:
        """The rows of an earlier run that the output holds; to be read before any is added."""
        if self.finished is None:
            return
        path = str(self._options.output)
        name = path if os.path.exists(path) else path + ".part"
        with open(name, "rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield Row(parse(line.rstrip(b"\n")), line.rstrip(b"\n"), name, number)

    def poll(self) -> bool:
        """Does what is due without ever waiting; False once the output or a file besides it has failed."""
        return all([self.sink.poll(), *(side_output.poll() for side_output in self.side_outputs)])

    def finish(self, complete: bool) -> None:
        """Writes what is left, then the manifests; the files besides the output come last.

        If the process is killed in between, the next run completes those.
        """
        self.sink.finish(complete, lambda: self._write_manifests(complete))
        for side_output in self.side_outputs:
            side_output.finish(complete)

    def keep(self, refused: bool, reader_left: bool) -> None:
        """Keeps what a failed run has written; a `refused` run (status 2) leaves a complete output as it was.

        Of a stage that begins each output anew, a refused run leaves nothing.
        """
        try:
            withdrawn = refused and self.sink.withdraw()
            if withdrawn and self.sink.begun:
                self._counts.out = 0
                self._withdraw_manifests()
            elif not withdrawn and not reader_left:
                self.sink.finish(False, lambda: self._write_manifests(complete=False))
            for side_output in self.side_outputs:
                side_output.withdraw() if withdrawn else side_output.finish(False)
        except Fatal:
            return  # the output has failed, which is why the run ends

    @property
    def unfinished(self) -> str | None:
        """The file that holds the rows of an output that is not complete; None without rows, or if it is complete."""
        path = self._options.output
        part = f"{path}.part"
        has_rows = path is not None and self.sink.name == part and os.path.exists(part) and os.path.getsize(part) > 0
        return part if has_rows else None

    def release(self) -> None:
        """Lets other runs have the output."""
        for side_output in self.side_outputs:
            side_output.release()
        if self._lock is not None:
            self._lock.release()

    def abandon(self) -> None:
        """Lets other runs have the output as the process ends at once; they find a lock dead that cannot be removed."""
        with suppress(Fatal):
            self.release()

    def tally(self) -> dict[str, Any]:
        """Rows, their SHA-256 and the counts of this run, for manifests and logs."""
        digest = self.sink.sha256.hexdigest() if self.sink.sha256 else None
        before = self.finished.rows if self.finished is not None else 0
        return {"rows": before + self._counts.out, "sha256": digest, **self._counts.tally(), **self._more()}

    def _more(self) -> dict[str, Any]:
        return {name: value for name, figure in self.figures.items() if (value := figure()) is not None}

    def write_report(self, path: str, data: bytes) -> None:
        """Writes a report of the run whole; raises Fatal(74) if that fails."""
        self.sink.begin()  # which removes an earlier run's report, so it comes before this one's is written
        replace_file(path, data, begun=True, **self.waiting)

    def _begin(self) -> None:
        """Removes the reports of an earlier run, which a reader must not take for this one's."""
        if self._manifest is not None:
            if not self._info.resumable and os.path.exists(str(self._options.output)):
                with suppress(OSError):  # of an output that is replaced, or of rows that bind nobody
                    self._manifest_before = Path(self._manifest.path).read_bytes()
            self._manifest.write("running", **self._more())
        for file in self._options.writes:
            if file.form in ("manifest", "report") and sinks.is_plain_file(file.path):
                try:
                    os.unlink(file.path)
                except FileNotFoundError:
                    pass  # there was no earlier run
                except OSError as error:
                    raise sinks.write_failed(file.path, error, begun=True) from None

    def _withdraw_manifests(self) -> None:
        """Has the manifests say what they said before a refused run."""
        if self._info.resumable:
            self._write_manifests(complete=True)
        elif self._manifest is not None and self._manifest_before is not None:
            replace_file(self._manifest.path, self._manifest_before, begun=True)
        elif self._manifest is not None:
            with suppress(FileNotFoundError):
                os.unlink(self._manifest.path)

    def _write_manifests(self, complete: bool) -> None:
        manifests = [self._manifest] if self._manifest is not None else []
        if self._options.manifest:
            manifests.append(resume.Manifest(self._options.manifest, self._info.name, self._config, __version__))
        for manifest in manifests:
            manifest.write("complete" if complete else "stopped", self.waiting, **self.tally())
