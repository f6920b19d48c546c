"""Bytes to lines: files and standard input, split at LF only, in bounded memory, without blocking.

What is compressed is unpacked; the elements of a JSON array and the rows of CSV, Parquet and workbooks are lines, too.
"""

from __future__ import annotations

import hashlib
import os
import select
import stat
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.lazy_pattern import lazy_pattern
from libra_cli.plural import duration
from libra_cli.stream.decompression import CHUNK, MAGIC_BEGINNINGS, Decoder, Inflater, Utf8Text, decoder_for
from libra_cli.stream.json_array import ArrayText, begins_array, begins_objects
from libra_cli.stream.line_batch import LineBatch
from libra_cli.stream.other_formats import OLD_WORKBOOK_MAGIC, ZIP_MAGIC
from libra_cli.stream.tables import PARQUET_MAGIC, TableRows, parquet_rows

BOM = b"\xef\xbb\xbf"
POLL_SECONDS = 0.1
COMPRESSED_NAME = lazy_pattern(r"\.(gz|zst|bz2|xz)$")
Csv = bool | str | None
STDIN = "<stdin>"
"""The name of standard input in messages."""


def no_rows(paths: Sequence[str]) -> str:
    """Says that these files hold no rows; without any, that an input from elsewhere does."""
    if list(paths) == ["-"] and stat.S_ISFIFO(os.fstat(0).st_mode):
        cure = "a stage with -o FILE writes nothing to the pipe; | tee FILE keeps and passes rows"
        return f"standard input has no rows; {cure}"
    names = ["standard input" if path == "-" else path for path in paths] or ["the input"]
    return f"{names[0]} has no rows" if len(names) == 1 else f"none of these has rows: {', '.join(names)}"


class InputFiles:
    """The input of a stage: several files one after another, `-` for standard input.

    `read(wait)` gives the next LineBatch: one without lines if nothing came within `wait` seconds, None at the end. A
    writer may take its time, but a named pipe that nobody opens for `stall_timeout` seconds (0: ever) is Fatal(6).
    """

    def __init__(
        self,
        paths: Sequence[str],
        max_line_bytes: int = 64 << 20,
        wake_fd: int | None = None,
        stall_timeout: float = 0.0,
        csv: Csv = None,
        taken: Mapping[str, str] | None = None,
    ):
        """`csv`: None for files whose names say that they are CSV, True for all, False for none, or the delimiter.

        `taken`: columns of tables -> the fields that options take them for.
        """
        for path in paths:
            if path != "-":
                _check_readable(path)
        self._paths = list(paths)
        self._max = max_line_bytes
        self._wake_fd, self._stall_timeout = wake_fd, stall_timeout
        self._file: _LineFile | _CsvFile | TableRows | None = None
        self._csv: Csv = csv
        self._taken = taken

    def read(self, wait: float | None = None) -> LineBatch | None:
        """The next lines; none if nothing comes for `wait` seconds, and None at the end of the last file.

        `wait` None blocks until there are some, or until `wake_fd` becomes readable.
        """
        while True:
            if self._file is None:
                if not self._paths:
                    return None
                self._file = self._opened(self._paths.pop(0))
            if not self._file.ready(wait, self._wake_fd):
                return LineBatch(self._file.name, self._file.number, [])
            batch = self._file.read()
            if batch is None:
                self._file.close()
                self._file = None
            elif batch.lines:
                return batch

    def _opened(self, path: str) -> _LineFile | _CsvFile | TableRows:
        try:
            if path != "-" and (table := _table(path, self._taken)) is not None:
                return table
        except OSError as error:
            raise _vanished(path, error) from None
        lines = _LineFile(path, self._max, self._stall_timeout)
        csv = _csv_of(path) if self._csv is None else self._csv
        return _CsvFile(lines, None if csv is True else csv, self._max, self._taken) if csv else lines

    def close(self) -> None:
        """Closes the file that is open, if any; nothing is read afterwards."""
        self._paths = []
        if self._file is not None:
            self._file.close()
            self._file = None


def _table(path: str, taken: Mapping[str, str] | None) -> TableRows | None:
    """The rows of a plain file that is Parquet or a workbook, by what it holds; None for others. Raises OSError."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        return None
    with open(path, "rb") as file:
        magic = file.read(len(PARQUET_MAGIC))
    if magic == PARQUET_MAGIC:
        return TableRows(path, parquet_rows(path))
    if magic in (OLD_WORKBOOK_MAGIC, ZIP_MAGIC):
        from libra_cli.stream.workbooks import is_workbook, workbook_rows

        return TableRows(path, workbook_rows(path, taken=taken)) if is_workbook(path) else None
    return None


def _csv_of(path: str) -> str | bool:
    """Whether the name of a file says that it is CSV; the delimiter of TSV."""
    name = COMPRESSED_NAME.sub("", path.lower())
    return "\t" if name.endswith(".tsv") else name.endswith(".csv")


def _check_readable(path: str) -> None:
    """Raises Fatal(2) if `path` cannot be read. Does not open a named pipe: its writer would notice."""
    try:
        if os.path.isdir(path):
            raise Fatal(Exit.USAGE, f"{path}: is a directory; name the files in it")
        if stat.S_ISREG(os.stat(path).st_mode):
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        raise Fatal(Exit.USAGE, f"{path}: cannot be read ({error.strerror}); check the name") from None


class _CsvFile:
    """The rows of an open input that is CSV."""

    def __init__(self, lines: _LineFile, delimiter: str | None, max_bytes: int, taken: Mapping[str, str] | None):
        from libra_cli.stream.csv_rows import CsvSource

        self._lines, self._rows = lines, CsvSource(lines, delimiter, max_bytes, taken)
        self.name, self.read, self.close = lines.name, self._rows.read, lines.close

    @property
    def number(self) -> int:
        return self._lines.number

    def ready(self, wait: float | None, wake_fd: int | None) -> bool:
        """Whether a read will not block."""
        return self._rows.has_rows or self._lines.ready(wait, wake_fd)


class _LineFile:
    """One open input: its descriptor, its decoder and its unfinished last line."""

    def __init__(self, path: str, max_line_bytes: int, stall_timeout: float):
        self.name = STDIN if path == "-" else path
        self.number = 1
        self._fd = 0 if path == "-" else _open(path)
        mode = os.fstat(self._fd).st_mode
        self._regular = stat.S_ISREG(mode)
        self._has_writer = path == "-" or not stat.S_ISFIFO(mode)
        self._stall_timeout, self._opened_at = stall_timeout, time.monotonic()
        self._begin = self._end = os.lseek(self._fd, 0, os.SEEK_CUR) if self._regular else 0  # of the bytes held
        self._head = b""
        self._decoder: Decoder | None = None
        self._text = Utf8Text()
        self._beginning: bytes | None = b""  # of the text, until it is known whether that is lines
        self._array: ArrayText | None = None
        self._pieces: list[bytes] = []
        self._held = 0
        self._oversize: Any = None  # a running SHA-256 while a line over the limit is dropped
        self._max = max_line_bytes
        self._ended = False

    def ready(self, wait: float | None, wake_fd: int | None) -> bool:
        """Whether a read will not block."""
        if self._regular or (self._decoder is not None and self._decoder.pending):
            return True
        watched = [self._fd] if wake_fd is None else [self._fd, wake_fd]
        if not self._has_writer and not self._wait_for_writer(watched, wait):
            return False
        return self._fd in _readable(watched, wait)

    def _wait_for_writer(self, watched: Sequence[int], wait: float | None) -> bool:
        """Waits until a named pipe is opened for writing; False if that takes longer than `wait`, or on a wake-up.

        The pipe is open already, without blocking: no signal and no time limit ends an open that waits for a writer.
        """
        until = None if wait is None else time.monotonic() + wait
        while True:
            ready = _readable(watched, POLL_SECONDS if until is None else min(POLL_SECONDS, until - time.monotonic()))
            if self._fd in ready or self._probe():
                self._has_writer = True
                return True
            if ready or (until is not None and time.monotonic() >= until):
                return False
            if 0 < self._stall_timeout < time.monotonic() - self._opened_at:
                reason = (
                    f"nothing has opened this pipe for writing for {duration(self._stall_timeout)} (--stall-timeout)"
                )
                raise Fatal(Exit.BACKEND, f"{self.name}: {reason}; start what writes it, and run again")

    def _probe(self) -> bool:
        """Whether something has opened the pipe for writing; reads a byte, if there is one, to find out."""
        try:
            self._head = os.read(self._fd, 1)
        except BlockingIOError:
            return True
        except OSError as error:
            raise Fatal(Exit.INCOMPLETE, f"{self.name}: reading failed ({error.strerror}); run again") from None
        return bool(self._head)

    def read(self, _wait: float | None = None) -> LineBatch | None:
        """The lines that the next chunk completes, possibly none; None at the end of the file."""
        if self._ended:
            return None
        chunk = self._next_text()
        if chunk is None:
            self._ended = True
            return self._last_line()
        lines = chunk.split(b"\n")
        tail = lines.pop()
        batch = LineBatch(self.name, self.number, lines, offset=self._offset)
        self._end += len(chunk)
        if lines:
            self._begin = self._end - len(tail)
            self._finish_first(batch)
            if len(chunk) > self._max:
                self._drop_long(batch)
            self.number += len(lines)
            self._drop_bom(batch)
        self._hold(tail)
        return batch

    def close(self) -> None:
        """Closes the file, unless it is standard input."""
        if self._fd != 0:
            with suppress(OSError):  # all of it was read
                os.close(self._fd)

    @property
    def _offset(self) -> int | None:
        is_made = self._array is not None or isinstance(self._decoder, Inflater) or self._text.recodes
        return self._begin if self._regular and not is_made else None

    def _next_text(self) -> bytes | None:
        """The next text to split into lines, possibly none; None at the end."""
        chunk = self._text.decode(self._next_chunk())
        if self._beginning is None:
            if self._array is None:
                return chunk
            if chunk is None:
                self._array.finish()
                return None
            return self._array.convert(chunk)
        self._beginning += chunk or b""
        head, is_all = self._beginning.removeprefix(BOM), chunk is None
        is_array, is_objects = begins_array(head, is_all), begins_objects(head, is_all)
        if is_array is None or is_objects is None:
            return b""
        text, self._beginning = self._beginning, None
        if is_array or is_objects:
            self._array = ArrayText(self.name, bracketed=is_array)
            text = self._array.convert(head)
            if is_all and not text:
                self._array.finish()
        return text if text or chunk is not None else None

    def _next_chunk(self) -> bytes | None:
        """The next decoded bytes, possibly none; None at the end."""
        if self._decoder is not None and self._decoder.pending:
            return self._decoder.decode(b"", ended=False)
        raw = _read(self._fd, self.name)
        if self._decoder is not None:
            return self._decoder.decode(raw, ended=not raw)
        self._head += raw
        if raw and any(magic.startswith(self._head) for magic in MAGIC_BEGINNINGS):
            return b""  # a pipe may give a byte at a time
        self._decoder = decoder_for(self._head, self.name)
        return self._decoder.decode(self._head, ended=not self._head)

    def _hold(self, piece: bytes) -> None:
        """Keeps the beginning of a line; of a line over the limit only the length and hash."""
        self._held += len(piece)
        if self._oversize is None and self._held > self._max:
            self._oversize = hashlib.sha256(b"".join(self._pieces))
            self._pieces = []
        if self._oversize is not None:
            self._oversize.update(piece)
        elif piece:
            self._pieces.append(piece)

    def _finish_first(self, batch: LineBatch) -> None:
        """Prepends the bytes held to the first line of the batch."""
        self._hold(batch.lines[0])
        if self._oversize is not None:
            batch.drop(0, self._held, self._oversize.hexdigest(), self._max)
        else:
            batch.lines[0] = b"".join(self._pieces) if len(self._pieces) != 1 else self._pieces[0]
        self._pieces, self._held, self._oversize = [], 0, None

    def _drop_long(self, batch: LineBatch) -> None:
        """Drops lines over the limit that fit in one chunk."""
        for position, line in enumerate(batch.lines):
            if len(line) > self._max:
                batch.drop(position, len(line), hashlib.sha256(line).hexdigest(), self._max)

    def _last_line(self) -> LineBatch | None:
        if not self._held:
            return None
        batch = LineBatch(self.name, self.number, [b""], torn=True, offset=self._offset)
        self._finish_first(batch)
        self._drop_bom(batch)
        return batch

    def _drop_bom(self, batch: LineBatch) -> None:
        if batch.first == 1 and batch.lines[0].startswith(BOM):
            batch.lines[0] = batch.lines[0].removeprefix(BOM)
            if batch.offset is not None:
                batch.offset += len(BOM)


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe without a writer must not block
    except OSError as error:
        raise _vanished(path, error) from None


def _vanished(path: str, error: OSError) -> Fatal:
    return Fatal(Exit.INCOMPLETE, f"{path}: cannot be read any more ({error.strerror}); put it back")


def _readable(descriptors: Sequence[int], wait: float | None) -> set[int]:
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN | select.POLLHUP)
    return {descriptor for descriptor, _ in poller.poll(None if wait is None else max(0, wait * 1000))}


def _read(fd: int, name: str) -> bytes:
    while True:
        try:
            return os.read(fd, CHUNK)
        except BlockingIOError:  # another process made our standard input non-blocking
            _readable([fd], None)
        except OSError as error:
            raise Fatal(Exit.INCOMPLETE, f"{name}: reading failed ({error.strerror}); run again") from None
