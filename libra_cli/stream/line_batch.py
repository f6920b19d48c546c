"""Lines on their way from a file to its rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.other_formats import NO_ROW, other_format
from libra_cli.stream.rows import RowError

_ENDS_EARLY = "unexpected end of data"
"""What orjson says of JSON that is cut off, wherever it is."""


@dataclass
class LineBatch:
    """Consecutive lines of one file, without their newlines; `first` is the number of the first, from 1."""

    file: str
    first: int
    lines: list[bytes]
    too_long: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Lines over the limit, whose bytes were dropped, by position in `lines`: their size and SHA-256."""
    refused: dict[int, RowError] = field(default_factory=dict)
    """Lines that the source itself refuses, by position in `lines`, and why (too long, a ragged line of CSV)."""
    torn: bool = False
    """The last line has no newline: it may be cut off."""
    offset: int | None = None
    """Byte of the file at which the first line begins; None if it cannot be read again (a pipe, a compressed file)."""

    def drop(self, position: int, size: int, digest: str, limit: int) -> None:
        """Refuses a line that is over the limit and drops its bytes."""
        self.lines[position], self.too_long[position] = b"", (size, digest)
        reason = f"the line has {size} bytes, the limit is {limit} (--max-line-bytes); its SHA-256 is {digest}"
        self.refused[position] = RowError("line_too_long", reason)

    def explain(self, error: RowError, number: int) -> RowError:
        """The error for line `number`, which cannot be parsed: that it is cut off, if it is the last one.

        Raises Fatal(2) if it is the first one and the file is none of rows; that is said once, not for each line.
        """
        position = number - self.first
        if self.first == 1 and error.kind in NO_ROW and not any(line.strip() for line in self.lines[:position]):
            found = other_format(self.lines[position:])
            if found is not None:
                raise Fatal(Exit.USAGE, f"{self.file}: looks like {found[0]}; {found[1]}")
        is_cut_off = error.kind == "bad_utf8" or (error.kind == "bad_json" and _ENDS_EARLY in str(error))
        if self.torn and position == len(self.lines) - 1 and is_cut_off:
            return RowError("truncated_line", "the last line is cut off; what wrote it was stopped: run that again")
        return error

    def size(self, number: int) -> int:
        """Size in bytes of line `number` of the file, without its newline."""
        position = number - self.first
        return self.too_long[position][0] if position in self.too_long else len(self.lines[position])


class LineSource(Protocol):
    """Anything that a run can read rows from."""

    def read(self, wait: float | None = None) -> LineBatch | None:
        """The next lines: none if nothing came within `wait` seconds, None at the end."""

    def close(self) -> None:
        """Closes what is open, at any time; nothing is read afterwards."""
