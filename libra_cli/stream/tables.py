"""Tables to rows: Parquet files, workbooks, and whatever else a library reads as dictionaries."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from libra_cli.exits import Exit, Fatal
from libra_cli.stream import field_paths, rows
from libra_cli.stream.decompression import Inflater, decoder_for
from libra_cli.stream.line_batch import LineBatch
from libra_cli.stream.other_formats import HEAD_BYTES, other_format
from libra_cli.stream.rows import RowError
from libra_cli.stream.text_columns import TEXTS, as_text

ROWS_A_BATCH = 256
INSTALL = "pip install 'libra-cli[data]'"
PARQUET_MAGIC, _ENCRYPTED = b"PAR1", b"PARE"
PADDED = ("tools", "chat_template_kwargs")
"""Columns whose structs are padded, beside messages, which are known by their `role` or `from`."""
_SMALLEST = 12
TableRecords = Generator[Mapping[str, Any] | None, None, None]


class TableRows:
    """Serializes the dicts that a library reads, numbered from 1; None has a number and is no row.

    A number in a column of texts is text: what wrote the table took all its cells for numbers.
    """

    def __init__(self, name: str, records: TableRecords, padded: Sequence[str] = ()):
        """`padded`: paths of fields that get one of the names PADDED only later."""
        self.name, self.number = name, 1
        self._records, self._padded = records, padded

    def ready(self, _wait: float | None = None, _wake_fd: int | None = None) -> bool:
        """A library waits for its own rows."""
        return True

    def read(self, _wait: float | None = None) -> LineBatch | None:
        """The next rows; None at the end. Raises Fatal(2) for a column that JSON cannot hold."""
        batch = LineBatch(self.name, self.number, [])
        for record in self._records:
            if record is None:
                self.number += len(batch.lines) + 1
                if batch.lines:
                    return batch
                batch = LineBatch(self.name, self.number, [])
                continue
            try:
                fields = {name: _unpadded(_plain(value), name in PADDED) for name, value in record.items()}
                fields |= {name: as_text(value) for name, value in fields.items() if name.lower() in TEXTS}
                for path in self._padded:
                    field_paths.change(fields, path, lambda value: _unpadded(value, True))
                batch.lines.append(rows.dumps(fields))
            except TypeError:
                raise self._no_json(record, self.number + len(batch.lines)) from None
            except ValueError as error:  # an infinite number, in this row
                reason = f"a value is not JSON ({error}); leave its column out"
                batch.refused[len(batch.lines)] = RowError("not_json", reason)
                batch.lines.append(b"")
            if len(batch.lines) == ROWS_A_BATCH:
                break
        self.number += len(batch.lines)
        return batch if batch.lines else None

    def close(self) -> None:
        """Closes what the library has open."""
        self._records.close()

    def _no_json(self, record: Mapping[str, Any], number: int) -> Fatal:
        """The error of the first column with a value that no text or number stands for; other rows have it, too."""
        for name, value in record.items():
            try:
                rows.dumps({"value": _plain(value)})
            except TypeError as error:
                what = f'the column "{name}" holds what JSON cannot ({error}, first in row {number})'
                return Fatal(Exit.USAGE, f"{self.name}: {what}; write the table without it, or as text")
            except ValueError:
                continue
        raise AssertionError("no value of the row is to blame")


def _plain(value: Any) -> Any:
    """Makes a table's value JSON: a missing number (NaN) becomes null; dates, durations, decimals and UTF-8 are text.

    Raises TypeError naming the type if nothing stands for the value.
    """
    if value is None or type(value) in (str, int, float, bool):
        return None if value != value else value
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, timedelta):
        return _duration(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Decimal):
        return None if value.is_nan() else f"{value:f}"
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise TypeError("bytes that are no text") from None
    if isinstance(value, (str, int, float)):
        return None if value != value else value
    raise TypeError(type(value).__name__)


def _unpadded(value: Any, inside: bool) -> Any:
    """A value without the null keys of messages, and of all that it holds if it is `inside` a column that is padded.

    A table gives every struct all keys that any of them has: each call of a tool has the arguments of all tools, as
    nulls. What a null elsewhere means, only its reader knows.
    """
    if isinstance(value, dict):
        inside = inside or "role" in value or "from" in value
        return {name: _unpadded(item, inside) for name, item in value.items() if not inside or item is not None}
    return [_unpadded(item, inside) for item in value] if isinstance(value, list) else value


def _duration(value: timedelta) -> str:
    """A duration in seconds by ISO 8601, such as PT90.5S; pandas has nanoseconds, too."""
    microseconds = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    nanoseconds = microseconds * 1000 + getattr(value, "nanoseconds", 0)
    seconds, rest = divmod(abs(nanoseconds), 1_000_000_000)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{'-' if nanoseconds < 0 else ''}PT{seconds}{fraction}S"


def parquet_rows(path: str) -> TableRecords:
    """The rows of a Parquet file, decoded a part of a row group at a time; raises Fatal(2 or 7)."""
    with needing(f"{path}: Parquet"):
        import pyarrow
        import pyarrow.parquet
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            _check_names(path, file.schema_arrow.names)
            for batch in file.iter_batches(ROWS_A_BATCH):
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None
    except ValueError as error:  # times in nanoseconds, for which pyarrow wants pandas
        cure = "install pandas, or store times in microseconds"
        raise Fatal(Exit.USAGE, f"{path}: a value cannot be read ({one_line(error)}); {cure}") from None


def _unreadable(path: str, error: BaseException) -> Fatal:
    """Why a file cannot be read as Parquet, by its first and last bytes."""
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
            file.seek(max(0, os.stat(path).st_size - len(PARQUET_MAGIC)))
            end = file.read()
    except OSError as failed:
        return Fatal(Exit.INCOMPLETE, f"{path}: reading failed ({failed.strerror}); run again")
    if not head:
        return Fatal(Exit.INCOMPLETE, f"{path}: is empty, so it is no Parquet file; write or copy it again")
    if isinstance(decoder_for(head, path), Inflater):
        return Fatal(Exit.USAGE, f"{path}: is compressed as a whole; unpack it, Parquet compresses its columns itself")
    if not head.startswith(PARQUET_MAGIC):
        looks = other_format(head.split(b"\n"))
        what, cure = looks or ("no Parquet file", "give it the ending of its own format, such as .jsonl")
        return Fatal(Exit.USAGE, f"{path}: looks like {what}; {cure}")
    if end == PARQUET_MAGIC and len(head) >= _SMALLEST:
        return Fatal(Exit.INCOMPLETE, f"{path}: the Parquet file is damaged ({one_line(error)}); copy it again")
    if end == _ENCRYPTED:
        return Fatal(Exit.USAGE, f"{path}: the Parquet file is encrypted; decrypt it first")
    reason = "the Parquet file is cut off: its end, which says what it holds, is missing"
    return Fatal(Exit.INCOMPLETE, f"{path}: {reason}; copy it again, or wait until it is written")


def _check_names(path: str, names: Sequence[str]) -> None:
    """Raises Fatal(2) for a name that two columns have: a row would hold one of them."""
    if twice := next((name for name, count in Counter(names).items() if count > 1), None):
        raise Fatal(Exit.USAGE, f'{path}: two columns have the name "{twice}"; rename one of them, or leave it out')


@contextmanager
def needing(what: str) -> Iterator[None]:
    """Raises Fatal(2) that says what to install where an import fails; `what` needs it."""
    try:
        yield
    except ImportError as error:
        raise Fatal(Exit.USAGE, f"{what} needs {error.name}, which is not installed: {INSTALL}") from None


def one_line(error: BaseException) -> str:
    """What an error of a library says, on one line of at most 200 characters."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:197] + "..."
