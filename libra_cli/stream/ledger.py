"""What becomes of every row: it is written, refused, left out, or was done by an earlier run; each is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from libra_cli.exits import Fatal
from libra_cli.stream.counts import Counts
from libra_cli.stream.error_log import ErrorLog
from libra_cli.stream.resume import FinishedRows
from libra_cli.stream.rows import Filtered, Row, RowError
from libra_cli.stream.sinks import Sink


class Located(Protocol):
    """A row, or a line that is none."""

    @property
    def raw(self) -> bytes:
        """Its bytes."""
        ...

    @property
    def place(self) -> str:
        """`FILE:LINE`."""
        ...

    @property
    def id(self) -> str | None:
        """The row's id; None for a line that is no row."""
        ...


class Ledger:
    """Records the outcome of each row of a run. With `debug` an unexpected exception ends the run."""

    def __init__(self, sink: Sink, errors: ErrorLog, counts: Counts, finished: FinishedRows | None, debug: bool):
        self._sink, self._errors, self._finished, self._debug = sink, errors, finished, debug
        self.counts = counts

    @property
    def continues(self) -> bool:
        """Whether an earlier run has written some of the rows."""
        return self._finished is not None

    def was_done(self, row: Row, names: Mapping[str, Any] | None = None) -> bool:
        """Whether an earlier run has written the row, or that of its job of these `names`; counts it if so."""
        if self._finished is None:
            return False
        if not self._finished.take({**row.fields, **names} if names else row.fields, row.place):
            return False
        self.counts.done += 1
        return True

    def write(self, line: bytes) -> None:
        """Writes one row as it stands."""
        self.counts.out += 1  # less what the sink has not written, if that fails
        self._sink.write(line)

    def leave_out(self, reason: str, rows: int = 1) -> None:
        """Counts rows that the stage leaves out on purpose."""
        self.counts.filtered[reason] += rows

    def refuse(self, row: Located, error: RowError, names: Mapping[str, Any] | None = None) -> None:
        """Sends a row, its job of these `names`, or a line that is no row to the error file."""
        self.counts.refuse(error.kind)
        self._errors.add(error, row.raw, row.place, row.id, names)

    def fail(self, row: Located, error: Exception, names: Mapping[str, Any] | None = None) -> None:
        """Leaves out or refuses a row, as `error` says; raises it if it is not the row's own failure."""
        if isinstance(error, Filtered):
            self.leave_out(str(error))
        elif isinstance(error, RowError):
            self.refuse(row, error, names)
        elif isinstance(error, Fatal) or self._debug:
            raise error
        else:
            self.refuse(row, RowError(type(error).__name__, str(error) or repr(error)), names)
