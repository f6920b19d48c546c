"""The file of labels: each line is on disk before the next response is shown, and the last one can be undone."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from libra_cli.exits import Exit, Fatal
from libra_cli.records.human_labels import Key, label_of
from libra_cli.stream import rows
from libra_cli.stream.lock import Lock
from libra_cli.stream.sinks import append_row, is_plain_file, write_failed

ResponseKey = tuple[Key, str]
"""A row, and the digest of its response."""

_BEGIN = b'{"id":'
"""The first bytes of every line that we write."""


class _Line(NamedTuple):
    offset: int
    response: ResponseKey
    fields: Mapping[str, Any]


class LabelFile:
    """A file of labels for `libra verify --labels`, locked by one reviewer at a time; a context manager.

    A line with a null `label` says that a person has seen the response without a decision: it was skipped, or has a
    note. Cuts off a last line that a crash has torn and reports it with `note`. Raises Fatal(11) if another review
    holds the file, Fatal(2) if a line in it is no label.
    """

    def __init__(self, path: str, note: Callable[[str], None]):
        if path == "-" or not is_plain_file(path):
            raise Fatal(Exit.USAGE, f"-o {path}: name a plain file, which a later review can continue")
        self.path = path
        self._lock = Lock(path)
        self._lines: list[_Line] = []
        self._of: dict[ResponseKey, list[Mapping[str, Any]]] = {}
        self._fd = -1
        try:
            self._open(note)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> LabelFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes and unlocks the file."""
        try:
            if self._fd >= 0:
                os.close(self._fd)
        except OSError as error:
            raise write_failed(self.path, error, begun=True) from None
        finally:
            self._lock.release()

    def get(self, response: ResponseKey) -> Mapping[str, Any] | None:
        """The last line about a response; None if there is none."""
        lines = self._of.get(response)
        return lines[-1] if lines else None

    def is_labelled(self, response: ResponseKey) -> bool:
        """Whether a person has decided on a response."""
        line = self.get(response)
        return line is not None and line["label"] is not None

    @property
    def last(self) -> ResponseKey | None:
        """The response that the last line is about."""
        return self._lines[-1].response if self._lines else None

    def add(self, response: ResponseKey, fields: Mapping[str, Any]) -> None:
        """Appends a line and syncs it to disk; raises Fatal(74) if the disk is full."""
        size = os.fstat(self._fd).st_size
        append_row(self._fd, rows.dumps(fields) + b"\n", self.path)
        self._sync()
        self._remember(_Line(size, response, fields))

    def undo(self) -> Mapping[str, Any]:
        """Removes the last line from the file, which must have one, and returns it."""
        line = self._lines.pop()
        self._of[line.response].pop()
        try:
            os.ftruncate(self._fd, line.offset)
        except OSError as error:
            raise write_failed(self.path, error, begun=True) from None
        self._sync()
        return line.fields

    def _remember(self, line: _Line) -> None:
        self._lines.append(line)
        self._of.setdefault(line.response, []).append(line.fields)

    def _sync(self) -> None:
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise write_failed(self.path, error, begun=True) from None

    def _open(self, note: Callable[[str], None]) -> None:
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise write_failed(self.path, error) from None
        with open(self._fd, "rb", closefd=False) as file:
            offset = 0
            for number, line in enumerate(file, 1):
                if (line.endswith(b"\n") or self._repair_last(line, offset, note)) and line.strip():
                    label = label_of(f"{self.path}:{number}", line.strip())
                    self._remember(_Line(offset, (label.key, label.fields["response_sha256"]), label.fields))
                offset += len(line)

    def _repair_last(self, line: bytes, offset: int, note: Callable[[str], None]) -> bool:
        """Adds the newline to a complete last line and returns True; cuts off an incomplete one."""
        try:
            label_of(self.path, line.strip())
        except Fatal:
            if not _BEGIN.startswith(line[: len(_BEGIN)]) and not line.startswith(_BEGIN):
                raise  # not a label of ours, so not our file
            try:
                os.ftruncate(self._fd, offset)
            except OSError as error:
                raise write_failed(self.path, error, begun=True) from None
            note(f"{self.path}: the last line was torn by a crash; cut off ({len(line)} bytes)")
            return False
        append_row(self._fd, b"\n", self.path)
        return True
