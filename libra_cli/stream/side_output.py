"""Files that a stage writes besides its output: the run polls, finishes and continues them together with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from libra_cli.exits import Exit, Fatal
from libra_cli.stream import resume
from libra_cli.stream.lock import Lock
from libra_cli.stream.sinks import FileSink, is_plain_file


class SideOutput(Protocol):
    """One file of a run besides its output. The run's monitor calls `poll`, the run's own thread the rest."""

    def poll(self) -> bool:
        """Does what is due without ever waiting; False once it has failed."""
        ...

    def finish(self, complete: bool) -> None:
        """Ends it after the output has ended; `complete` says that the run has done all its work."""
        ...

    def withdraw(self) -> None:
        """Takes back what a refused run added to what was complete before."""
        ...

    def release(self) -> None:
        """Lets other runs have it; called in any case, and last."""
        ...


class SideRowFile:
    """A second file of rows, with the promises of `-o`: whole or visibly unfinished, continued, nothing doubled.

    `finished` receives the rows that the file holds, if the output is continued; None begins the file anew. Raises
    Fatal(2) for a file that somebody else or another stage made. `option` names the file, as in `--review`.
    """

    def __init__(
        self, path: str, option: str, manifest: resume.Manifest, finished: resume.FinishedRows | None, overwrite: bool
    ):
        if path == "-" or not is_plain_file(path):
            raise Fatal(Exit.USAGE, f"{option} {path}: name a plain file, which can be continued")
        self._lock = Lock(path)
        self._manifest, self._finished = manifest, finished
        self.rows = 0
        try:
            earlier = resume.Manifest.read(manifest.path)
            is_own = earlier is not None and manifest.same_stage(earlier)
            if is_own and finished is None and not overwrite:
                resume.refuse_edited(path, earlier)
            resume.prepare(path, manifest, finished, overwrite or (is_own and finished is None), option)
            sha256 = finished.sha256 if finished else None
            self._sink = FileSink(path, append=finished is not None, sha256=sha256, replaces=finished is None)
            self._sink.on_begin = lambda: manifest.write("running")
        except BaseException:
            self._lock.release()
            raise

    def add(self, fields: Mapping[str, Any], place: str, line: bytes) -> None:
        """Writes the row `line` unless the file holds it already; `fields` are those that identify it."""
        if self._finished is None or not self._finished.take(fields, place):
            self._sink.write(line)
            self.rows += 1

    def poll(self) -> bool:
        return self._sink.poll()

    def finish(self, complete: bool) -> None:
        self._sink.finish(complete, lambda: self._seal(complete))

    def withdraw(self) -> None:
        if self._sink.withdraw() and self._sink.begun:
            self.rows = 0
            self._seal(True)

    def release(self) -> None:
        self._lock.release()

    def _seal(self, complete: bool) -> None:
        rows = self.rows + (self._finished.rows if self._finished is not None else 0)
        self._manifest.write("complete" if complete else "stopped", rows=rows, sha256=self._sink.sha256.hexdigest())
