"""What a stage writes beside its output: attended to, ended and continued together with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from libra_cli import __version__
from libra_cli.exits import Exit, Fatal
from libra_cli.stream import resume
from libra_cli.stream.lock import Lock
from libra_cli.stream.sinks import FileSink, is_plain_file

if TYPE_CHECKING:
    from libra_cli.stream.run import Run


class SideOutput(Protocol):
    """One file of a run beside its output. `poll` is called by the run's monitor, the rest by its own thread."""

    def poll(self) -> bool:
        """Does what is due without ever waiting; False once it has failed."""
        ...

    def finish(self, complete: bool) -> None:
        """Ends it after the output has ended; `complete` says that the run has done all that it should."""
        ...

    def withdraw(self) -> None:
        """Takes back what a refused run added to what was complete before."""
        ...

    def release(self) -> None:
        """Lets others have it; called in any case, and last."""
        ...


class SideRowFile:
    """A second file of rows, with the promises of `-o`: whole or visibly unfinished, continued, nothing doubled.

    It is continued where the output is, and begun afresh where that is; a file that another stage or somebody else made
    is refused (Fatal(2)). `option` names it, as in `--review`.
    """

    def __init__(self, run: Run, path: str, option: str):
        if path == "-" or not is_plain_file(path):
            raise Fatal(Exit.USAGE, f"{option} {path}: name a plain file, which can be continued")
        self._lock = Lock(path)
        self.rows = 0
        try:
            self._open(run, path, option)
        except BaseException:
            self._lock.release()
            raise
        run.side_outputs.append(self)

    def _open(self, run: Run, path: str, option: str) -> None:
        made_by = f"{run.info.name} {option}"
        self._manifest = resume.Manifest(path + ".libra.json", made_by, run.config, __version__)
        found = resume.Manifest.read(self._manifest.path)
        ours = found is not None and found["stage"] == made_by
        done = resume.FinishedRows(run.info.used, run.info.names) if run.continues else None
        resume.prepare(path, self._manifest, done, run.options.overwrite or (ours and done is None), option)
        self._done = done
        self._sink = FileSink(path, append=done is not None, sha256=done.sha256 if done else None)

    def add(self, fields: Mapping[str, Any], place: str, line: bytes) -> None:
        """Writes the row `line` unless it stands there already; `fields` are those by which it is known."""
        if self._done is None or not self._done.take(fields, place):
            self._sink.write(line)
            self.rows += 1

    def poll(self) -> bool:
        return self._sink.poll()

    def finish(self, complete: bool) -> None:
        self._sink.finish(complete, lambda: self._seal(complete))

    def withdraw(self) -> None:
        if self._sink.withdraw():
            self.rows = 0
            self._seal(True)

    def release(self) -> None:
        self._lock.release()

    def _seal(self, complete: bool) -> None:
        rows = self.rows + (self._done.rows if self._done is not None else 0)
        sha256 = self._sink.sha256.hexdigest()
        self._manifest.write("complete" if complete else "stopped", rows=rows, sha256=sha256)
