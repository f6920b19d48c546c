"""The file of labels: each line is on disk before the next response is shown, and the last one can be taken back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from libra_cli.exits import Exit, Fatal
from libra_cli.records.human_labels import Key, label_of
from libra_cli.stream import rows
from libra_cli.stream.lock import Lock
from libra_cli.stream.sinks import append_row, is_plain_file, write_failed

Named = tuple[Key, str]
"""Which row, and the digest of its response."""

_BEGIN = b'{"id":'
"""How every line that we write begins."""


class _Line(NamedTuple):
    offset: int
    named: Named
    fields: Mapping[str, Any]


class LabelFile:
    """Lines of `libra verify --labels`, held by one reviewer at a time; a context manager.

    A line whose `label` is null says that a person has seen the response and not decided: it was skipped, or there is a
    note on it. A last line that a crash has torn is cut off, which `note` is told. Raises Fatal(11) where another
    review holds the file, Fatal(2) where a line in it is no label.
    """

    def __init__(self, path: str, note: Callable[[str], None]):
        if path == "-" or not is_plain_file(path):
            raise Fatal(Exit.USAGE, f"-o {path}: name a plain file, which a later review can continue")
        self.path = path
        self._lock = Lock(path)
        self._lines: list[_Line] = []
        self._of: dict[Named, list[Mapping[str, Any]]] = {}
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
        """Lets others have the file."""
        if self._fd >= 0:
            os.close(self._fd)
        self._lock.release()

    def get(self, named: Named) -> Mapping[str, Any] | None:
        """The last line about a response; None where there is none."""
        lines = self._of.get(named)
        return lines[-1] if lines else None

    def is_labelled(self, named: Named) -> bool:
        """Whether a person has decided on a response."""
        line = self.get(named)
        return line is not None and line["label"] is not None

    @property
    def last(self) -> Named | None:
        """What the last line is about."""
        return self._lines[-1].named if self._lines else None

    def add(self, named: Named, fields: Mapping[str, Any]) -> None:
        """Appends a line and has it on disk. Raises Fatal(74) where the disk is full."""
        size = os.fstat(self._fd).st_size
        append_row(self._fd, rows.dumps(fields) + b"\n", self.path)
        self._sync()
        self._remember(_Line(size, named, fields))

    def undo(self) -> Mapping[str, Any]:
        """Takes the last line off the file, which has one, and gives it."""
        line = self._lines.pop()
        self._of[line.named].pop()
        try:
            os.ftruncate(self._fd, line.offset)
        except OSError as error:
            raise write_failed(self.path, error) from None
        self._sync()
        return line.fields

    def _remember(self, line: _Line) -> None:
        self._lines.append(line)
        self._of.setdefault(line.named, []).append(line.fields)

    def _sync(self) -> None:
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise write_failed(self.path, error) from None

    def _open(self, note: Callable[[str], None]) -> None:
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise write_failed(self.path, error) from None
        with open(self._fd, "rb", closefd=False) as file:
            offset = 0
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n") or self._mend(line, offset, note):
                    self._take(line, f"{self.path}:{number}", offset)
                offset += len(line)

    def _take(self, line: bytes, place: str, offset: int) -> None:
        if line.strip():
            label = label_of(place, line.strip())
            self._remember(_Line(offset, (label.key, label.fields["response_sha256"]), label.fields))

    def _mend(self, line: bytes, offset: int, note: Callable[[str], None]) -> bool:
        """Ends a last line that is whole, cuts off one that is not; True for the first."""
        try:
            label_of(self.path, line.strip())
        except Fatal:
            if not _BEGIN.startswith(line[: len(_BEGIN)]) and not line.startswith(_BEGIN):
                raise  # no label of ours: somebody else's file
            os.ftruncate(self._fd, offset)
            note(f"{self.path}: the last line was torn by a crash; cut off ({len(line)} bytes)")
            return False
        append_row(self._fd, b"\n", self.path)
        return True
