"""CSV (RFC 4180) to rows, with line numbers; a bad line is refused without its neighbours.

A cell that is spelled as JSON spells a number becomes that number, an empty cell null, any other cell text. In columns
of texts (see `text_columns`), it is text whatever its spelling, and an empty response is one.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, deque
from collections.abc import Mapping

from libra_cli.exits import Exit, Fatal
from libra_cli.plural import counted
from libra_cli.stream import rows
from libra_cli.stream.line_batch import LineBatch, LineSource
from libra_cli.stream.rows import RowError
from libra_cli.stream.text_columns import TextColumns

# Only numbers that JSON writes in the same way: 007, 1.50 and 1e5 stay text.
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_SEPARATOR_LINE = re.compile(rb'"?sep=([^"\w])"?', re.ASCII | re.IGNORECASE)
"""What may stand before the names of the columns, and tells Excel the delimiter."""
LONGEST_NUMBER = 300
GUESSED = (",", ";", "\t", "|")
"""Delimiters, the first that divides the first line of a file whose delimiter is not given."""
_OLD_ENDS = "its lines end in CR alone, as on old Macs; convert it: tr '\\r' '\\n' < FILE"
_UTF16 = (
    "zero bytes between the letters: UTF-16 without a byte order mark; convert the file (iconv -f UTF-16LE -t UTF-8)"
)
_UNCLOSED = "unexpected end of data"


class CsvSource:
    """The rows of one CSV file; the first line names the columns.

    `delimiter` None: the one that a line `sep=;` before them names, as Excel has it, or else found from the first line.
    If that begins as a row of JSON does, the name of the file was wrong, and its lines are rows.
    """

    def __init__(
        self, lines: LineSource, delimiter: str | None, max_bytes: int, taken: Mapping[str, str] | None = None
    ):
        """`taken`: columns -> the fields that options take them for."""
        self._lines, self._delimiter, self._max, self._taken = lines, delimiter, max_bytes, taken
        csv.field_size_limit(max(csv.field_size_limit(), max_bytes))
        self._columns: list[str] | None = None
        self._texts = TextColumns(())
        self._record: list[bytes] = []
        """Lines of the record that is being read: a quoted field may span several."""
        self._bytes = self._quotes = self._retry_at = 0
        """Of the record: its size, its quotation marks, and the size from which on it is parsed again."""
        self._file, self._first = "", 1
        self._ready: deque[LineBatch] = deque()
        self._is_json = self._names_separator = False

    @property
    def has_rows(self) -> bool:
        """Whether a read needs no more lines."""
        return bool(self._ready)

    def read(self, wait: float | None = None) -> LineBatch | None:
        """Returns the next rows, as `LineSource.read` does."""
        while not self._ready:
            batch = self._lines.read(wait)
            if batch is None:
                return self._rest()
            if not batch.lines or self._is_json:
                return batch
            if batch.first == 1 and (named := _SEPARATOR_LINE.fullmatch(batch.lines[0].strip(b"\r"))):
                self._delimiter, self._names_separator = self._delimiter or named[1].decode(), True
            if self._delimiter is None and (first := next((line for line in batch.lines if line.strip()), None)):
                if first.lstrip().startswith(b"{"):
                    self._is_json = True
                    return batch
                self._delimiter = _guessed(first)
            self._take(batch)
        return self._ready.popleft()

    def close(self) -> None:
        """Closes the file."""
        self._lines.close()

    def _take(self, batch: LineBatch) -> None:
        self._file = batch.file
        for position, line in enumerate(batch.lines):
            number = batch.first + position
            if number == 1 and self._names_separator:
                continue
            if position in batch.too_long:
                self._add(number, line, RowError("line_too_long", f"the line has more than {self._max} bytes"))
            elif self._record or line.strip(b" \t\r"):
                self._line(number, line)
            else:
                self._add(number, line, None)

    def _line(self, number: int, line: bytes) -> None:
        if not self._record:
            self._first, self._bytes, self._quotes, self._retry_at = number, 0, 0, 0
        self._record.append(line)
        self._bytes += len(line)
        self._quotes += line.count(b'"')
        if self._bytes > self._max and len(self._record) > 1:
            self._refuse(RowError("line_too_long", f"a quoted field has more than {self._max} bytes; close its quote"))
        elif len(self._record) == 1 or (self._quotes % 2 == 0 and self._bytes >= self._retry_at):
            self._finish_record(ended=False)

    def _finish_record(self, ended: bool) -> None:
        """Makes a row of the lines held, unless a quoted field goes on into the next line.

        Quotation marks come in pairs, unless some stand inside cells without quotes. A record that goes on although
        they are even is parsed again only when it is twice as long, so that all tries together cost no more than a few.
        """
        text = b"\n".join(self._record).decode(errors="surrogateescape")
        try:
            lines = (f"{line}\n" for line in text.split("\n"))
            reader = csv.reader(lines, delimiter=self._delimiter or ",", strict=True)
            cells = next(reader, [])
        except csv.Error as error:
            if str(error) != _UNCLOSED:
                behind = self._behind(reader.line_num)
                why = _UTF16 if "\0" in text else _OLD_ENDS if "\r" in text.rstrip() else f"not CSV: {error}"
                self._refuse(self._no_utf8() or RowError("bad_csv", why))
                self._again(behind)
            elif self._columns is None and (no_utf8 := self._no_utf8()):
                self._refuse(no_utf8)  # of another encoding altogether, in which it may have no quotes
            elif ended:
                self._refuse(RowError("bad_csv", "a quoted field that begins here is never closed; close its quote"))
            else:
                self._retry_at = 2 * self._bytes
        else:
            behind = self._behind(reader.line_num)
            if no_utf8 := self._no_utf8():
                self._refuse(no_utf8)
            else:
                self._cells(cells)
            self._again(behind)

    def _no_utf8(self) -> RowError | None:
        """What is wrong with the record where it is not UTF-8."""
        try:
            b"\n".join(self._record).decode()
        except UnicodeDecodeError as error:
            hint = "convert the file (iconv -f CP1252 -t UTF-8 if it comes from Windows)"
            return RowError("bad_utf8", f"byte {error.start + 1} is not UTF-8; {hint}")
        return None

    def _behind(self, n_lines: int) -> tuple[int, list[bytes]]:
        """Takes the lines that follow the first `n_lines` off the record: a try came too late for them."""
        behind = self._record[n_lines:]
        del self._record[n_lines:]
        return self._first + n_lines, behind

    def _again(self, behind: tuple[int, list[bytes]]) -> None:
        first, lines = behind
        for number, line in enumerate(lines, first):
            self._line(number, line)

    def _cells(self, cells: list[str]) -> None:
        if len(cells) > 1 and not any(cells):  # an empty row of a sheet, which is a blank line
            self._add(self._first, b"", None)
            self._record = []
        elif self._columns is None:
            self._columns = self._checked(cells)
            self._texts = TextColumns(cells, self._taken)
            self._record = []
        elif len(cells) != len(self._columns):
            reason = f"{counted(len(cells), 'cell')}, the first line names {counted(len(self._columns), 'column')}"
            is_short = len(cells) < len(self._columns)
            cure = "write empty cells, too" if is_short else "quote a cell that holds the delimiter"
            self._refuse(RowError("ragged_line", f"{reason}; {cure}"))
        else:
            texts, named = self._texts, zip(self._columns, cells, strict=True)
            row = {name: cell or None if name in texts else _value(cell) for name, cell in named}
            self._add(self._first, rows.dumps(texts.fill(row)), None)
            self._record = []

    def _checked(self, names: list[str]) -> list[str]:
        """The columns, each with a name of its own."""
        for position, name in enumerate(names, 1):
            if not name.strip():
                raise Fatal(Exit.USAGE, f"{self._file}:{self._first}: column {position} has no name; give it one")
        twice = next((name for name, count in Counter(names).items() if count > 1), None)
        if twice is not None:
            raise Fatal(Exit.USAGE, f'{self._file}:{self._first}: two columns are named "{twice}"; rename one')
        return names

    def _refuse(self, error: RowError) -> None:
        """Refuses the record. Raises Fatal(2) if it should name the columns, without which no row can be read."""
        if self._columns is None:
            raise Fatal(Exit.USAGE, f"{self._file}:{self._first}: the columns cannot be named: {error}")
        self._add(self._first, b"\n".join(self._record), error)
        self._record = []

    def _add(self, number: int, line: bytes, error: RowError | None) -> None:
        """Lines of a LineBatch are consecutive, so one that does not follow its predecessor begins another."""
        if not self._ready or self._ready[-1].first + len(self._ready[-1].lines) != number:
            self._ready.append(LineBatch(self._file, number, []))
        batch = self._ready[-1]
        if error is not None:
            batch.refused[len(batch.lines)] = error
        batch.lines.append(line)

    def _rest(self) -> LineBatch | None:
        if self._record:
            self._finish_record(ended=True)
        return self._ready.popleft() if self._ready else None


def _guessed(first: bytes) -> str:
    """The delimiter of a file with this first line."""
    outside_quotes = b"".join(first.split(b'"')[::2])
    return next((delimiter for delimiter in GUESSED if delimiter.encode() in outside_quotes), ",")


def _value(cell: str) -> object:
    if not cell:
        return None
    if len(cell) > LONGEST_NUMBER or _NUMBER.fullmatch(cell) is None:
        return cell
    number = float(cell) if "." in cell else int(cell)
    return number if rows.dumps({"n": number}) == b'{"n":%b}' % cell.encode() else cell
