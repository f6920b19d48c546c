"""The files of one run: checked together before anything is opened, and written so that no other file is lost."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import orjson

from libra_cli.exits import Exit, Fatal
from libra_cli.plural import duration
from libra_cli.stream.sinks import is_plain_file, write_all, write_failed

FileKey = tuple[int, int] | str
"""Device and inode of a file, or a path in which no link is left."""

_FIRST_BYTES = 1 << 16
_LARGEST_REPORT = 64 << 20
_WAIT_SECONDS = 0.05


class Stoppable(Protocol):
    """What a wait listens to: the StopRequest of a run."""

    status: Exit | None

    def take(self) -> None:
        """Handles the signals since the last call."""
        ...


def _is_manifest(path: str, _keys: tuple[str, ...]) -> bool:
    return _has_keys(path, ("stage", "config", "config_sha256"))


def _has_keys(path: str, keys: tuple[str, ...]) -> bool:
    if os.path.getsize(path) > _LARGEST_REPORT:
        return False
    with open(path, "rb") as file:
        return _keys_of(file.read()) >= set(keys)


def _first_line_has(path: str, keys: tuple[str, ...]) -> bool:
    with open(path, "rb") as file:
        return _keys_of(file.readline(_LARGEST_REPORT)) >= set(keys)


def _begins_like_lines(path: str, keys: tuple[str, ...]) -> bool:
    """Whether the first line has the keys, or is the piece of a row that a power cut left."""
    with open(path, "rb") as file:
        line = file.readline(_LARGEST_REPORT)
    return _keys_of(line) >= set(keys) or (not line.endswith(b"\n") and line.startswith(b'{"id":'))


def _is_page(path: str, _keys: tuple[str, ...]) -> bool:
    with open(path, "rb") as file:
        return b"default-src 'none'; style-src 'unsafe-inline'" in file.read(_FIRST_BYTES).replace(b"&#x27;", b"'")


def _is_database(path: str, _keys: tuple[str, ...]) -> bool:
    with open(path, "rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def _keys_of(text: bytes) -> set[str]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return set()
    return set(value) if isinstance(value, Mapping) else set()


_IsOwn = Callable[[str, tuple[str, ...]], bool]


@dataclass(frozen=True)
class FileForm:
    """How a kind of file is written."""

    is_own: _IsOwn | None = None
    """Whether a file with content is one that libra wrote; None: the stage decides, or replaces what is there."""
    companions: Mapping[str, _IsOwn | None] | None = None
    """The endings of the files that belong to it, and how each is recognised."""
    takes_stdout: bool = False
    is_folder: bool = False
    must_exist: bool = False
    """A folder that the run does not make."""
    grows: bool = False
    """Rows are added to the file that is there, so that no other name may lead to it."""


_CONTINUED: dict[str, _IsOwn | None] = {".part": None, ".lock": None, ".libra.json": _is_manifest}
_VOTES: dict[str, _IsOwn | None] = {".votes": _is_database, ".votes-wal": None, ".votes-shm": None,
                                    ".votes-journal": None}  # fmt: skip
FORMS: dict[str, FileForm] = {
    "rows": FileForm(companions=_CONTINUED | _VOTES, takes_stdout=True, grows=True),
    "side rows": FileForm(companions=_CONTINUED, grows=True),
    "labels": FileForm(companions={".lock": None}, grows=True),
    "lines": FileForm(_first_line_has, companions={".part": _begins_like_lines, ".lock": None}),
    "requests": FileForm(_first_line_has),
    "manifest": FileForm(_is_manifest),
    "report": FileForm(_has_keys),
    "page": FileForm(_is_page),
    "result": FileForm(takes_stdout=True),
    "plot": FileForm(),
    "model folder": FileForm(is_folder=True),
    "log folder": FileForm(is_folder=True),
    "scratch folder": FileForm(is_folder=True, must_exist=True),
}
"""Name of a form, as options give it -> the form.

A result or a plot replaces what is there, as its option says. A trainer looks itself at what its folder holds.
"""


@dataclass(frozen=True)
class OutputFile:
    """A file that an option of a run names, and the run writes."""

    option: str
    path: str
    form: str
    """One of FORMS."""
    keys: tuple[str, ...] = ()
    """Keys by which a report, or the first of its lines, is recognised as libra's."""

    @property
    def names(self) -> list[str]:
        """The path, and those of the files that belong to it."""
        return [self.path + ending for ending in ("", *(FORMS[self.form].companions or ()))]


def check_files(outputs: Iterable[OutputFile], inputs: Iterable[str], overwrite: bool = False) -> None:
    """Raises Fatal(2) unless every output can be written without loss; changes nothing.

    All files of the run must be distinct, whatever their names, with those that belong to an output (`X.part`,
    `X.lock`). What stands at an output must be a device, a named pipe or a file that libra wrote, and its folder must
    take new files. With `overwrite` a file of rows may be anybody's.
    """
    outputs = list(outputs)
    taken = {key for name in inputs for key in file_keys(name)}
    plain = []
    for output in outputs:
        _check_name(output)
        if FORMS[output.form].is_folder:
            _check_output_folder(output)
            continue
        if output.path == "-" or not is_plain_file(output.path):
            if output.path != "-" and _is_pipe(output.path):
                _claim(output.path, taken)
            continue
        plain.append(output)
        for name in output.names:
            _claim(name, taken)
    for output in outputs:
        if output.path != "-" and not FORMS[output.form].is_folder:
            _check_kind(output, overwrite)
    for folder, output in {os.path.dirname(output.path) or ".": output for output in plain}.items():
        _check_folder(folder, output.path)
    for output in plain:
        _check_length(output)


def file_keys(name: str) -> set[FileKey]:
    """All that identifies a file, whatever its name; `-` is the file on descriptor 0."""
    try:
        status = os.fstat(0) if name == "-" else os.stat(name)
        keys: set[FileKey] = {(status.st_dev, status.st_ino)}
    except OSError:
        keys = set()
    if name != "-":
        folder, base = os.path.split(name)
        keys |= {os.path.realpath(name), os.path.join(os.path.realpath(folder or "."), base)}
    return keys


def _check_name(output: OutputFile) -> None:
    if not output.path:
        raise Fatal(Exit.USAGE, f"{output.option} '': is no name; name a file")
    if "\0" in output.path:
        raise Fatal(Exit.USAGE, f"{output.option}: a name cannot hold a zero byte; name a file")
    if output.path == "-" and not FORMS[output.form].takes_stdout:
        raise Fatal(Exit.USAGE, f"{output.option} -: name a plain file; standard output is not for it")


def _claim(name: str, taken: set[FileKey]) -> None:
    keys = file_keys(name)
    if keys & taken:
        raise Fatal(Exit.USAGE, f"{name}: the same run uses this file already; write to another one")
    taken |= keys


def _is_pipe(path: str) -> bool:
    """Whether `path` is a named pipe in a folder; what the shell has opened (/dev/stderr) may be used twice."""
    return not path.startswith(("/dev/", "/proc/")) and stat.S_ISFIFO(os.stat(path).st_mode)


def _check_kind(output: OutputFile, overwrite: bool) -> None:
    """Raises Fatal(2) if something stands at the path, or at that of a companion, that must not be written."""
    path, form = output.path, FORMS[output.form]
    try:
        if not is_plain_file(path):
            if not stat.S_ISFIFO(mode := os.stat(path).st_mode) and not stat.S_ISCHR(mode) and os.path.isabs(path):
                _check_descriptor(path, mode)
            elif not stat.S_ISFIFO(mode) and not stat.S_ISCHR(mode):
                _refuse(path, mode)
            return
        _check_regular(path, form.is_own, output, form.grows)
        part, manifest = path + ".part", path + ".libra.json"
        # A manifest that is damaged is no reason to keep rows that are overwritten; without --overwrite, whoever would
        # continue or replace them refuses (see resume.prepare).
        may_be_damaged = overwrite or _size(path) or _size(part)
        for ending, is_own in (form.companions or {}).items():
            is_own = None if is_own is _is_manifest and may_be_damaged else is_own
            _check_regular(path + ending, is_own, output, form.grows)
        if overwrite and ".libra.json" in (form.companions or ()) and _size(part) and not os.path.exists(manifest):
            raise Fatal(Exit.USAGE, f"{part}: was not made by libra; move it away, or use another {output.option}")
    except OSError as error:
        raise write_failed(str(error.filename or path), error) from None


def _check_descriptor(path: str, mode: int) -> None:
    """What the shell has opened, as in /dev/stdout, may be a plain file; nothing else may."""
    if not (stat.S_ISREG(mode) and path.startswith(("/dev/", "/proc/"))) or not os.access(path, os.W_OK):
        _refuse(path, mode)


def _refuse(path: str, mode: int) -> NoReturn:
    if stat.S_ISDIR(mode):
        raise write_failed(path, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
    raise Fatal(Exit.USAGE, f"{path}: is no plain file, device or named pipe; name another file")


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


def _check_regular(path: str, is_own: _IsOwn | None, output: OutputFile, grows: bool) -> None:
    """Raises Fatal(2) if `path` is neither free nor a plain file that libra wrote."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return
    cure = f"move it away, or use another {output.option}"
    if stat.S_ISLNK(status.st_mode):
        target = os.path.realpath(path)
        cure = f"name {target} itself" if os.path.exists(target) else "it leads nowhere; remove it"
        raise Fatal(Exit.USAGE, f"{path}: is a symbolic link; {cure}")
    if stat.S_ISDIR(status.st_mode) and path == output.path:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise Fatal(Exit.USAGE, f"{path}: is no plain file, and belongs to {output.option}; {cure}")
    if not os.access(path, os.R_OK | os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if grows and status.st_nlink > 1:
        reason = "has another name (a hard link), which a run would change, too"
        raise Fatal(Exit.USAGE, f"{path}: {reason}; copy it, or use another {output.option}")
    if is_own is not None and status.st_size and not is_own(path, output.keys):
        raise Fatal(Exit.USAGE, f"{path}: exists and was not made by libra with {output.option}; {cure}")


def _check_output_folder(output: OutputFile) -> None:
    """Raises Fatal(2 or 74) unless the folder is there and takes files, or can be made."""
    folder = output.path
    try:
        os.lstat(folder)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise write_failed(folder, error) from None
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise Fatal(Exit.USAGE, f"{folder}: is no folder; name another one with {output.option}")
    if FORMS[output.form].must_exist and not os.path.isdir(folder):
        raise Fatal(Exit.USAGE, f"{folder}: there is no such folder; make it, or name another one with {output.option}")
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder.rstrip("/")) or "."
    _check_folder(folder, output.path)


def _check_folder(folder: str, path: str) -> None:
    """Raises Fatal(2 or 74) unless a file can be created in `folder`, which is tried."""
    try:
        descriptor, name = create_beside(os.path.join(folder, "_"))
        try:
            os.close(descriptor)
        finally:
            os.unlink(name)
    except OSError as error:
        raise write_failed(path, error) from None


def _check_length(output: OutputFile) -> None:
    """Raises Fatal(2) if the name of a file that belongs to the output would be too long."""
    longest = max(len(os.fsencode(os.path.basename(name))) for name in output.names)
    with suppress(OSError, ValueError):
        if longest > os.pathconf(os.path.dirname(output.path) or ".", "PC_NAME_MAX"):
            raise write_failed(output.path, OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG)))


def create_beside(path: str) -> tuple[int, str]:
    """Creates a file with a fresh name in the folder of `path`; gives its descriptor and name. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    while True:
        name = os.path.join(os.path.dirname(path), f".libra-{os.urandom(8).hex()}.tmp")
        with suppress(FileExistsError):
            return os.open(name, flags, 0o666), name


def write_whole(path: str, pieces: Iterable[bytes], begun: bool = False, **waiting: Any) -> None:
    """Replaces a file atomically: readers see the old one or the new one. Raises Fatal(74 or 2; see write_failed).

    A device or a named pipe is written to: a file must not take its place. `waiting` is as for open_special.
    """
    if not is_plain_file(path):
        descriptor = open_special(path, **waiting)
        try:
            _write_and_close(descriptor, pieces, path)
        except OSError as error:
            raise write_failed(path, error, begun=True) from None
        return
    try:
        descriptor, temporary = create_beside(path)
    except OSError as error:
        raise write_failed(path, error, begun) from None
    try:
        _write_and_close(descriptor, pieces, path, sync=True)
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise write_failed(path, error, begun=True) from None
        raise


def _write_and_close(descriptor: int, pieces: Iterable[bytes], path: str, sync: bool = False) -> None:
    try:
        for piece in pieces:
            write_all(descriptor, piece, path)
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)  # some network filesystems report a full disk only now


def replace_file(path: str, data: bytes, begun: bool = False, **waiting: Any) -> None:
    """Replaces a small file atomically, as write_whole does."""
    write_whole(path, (data,), begun, **waiting)


def open_special(path: str, stop: Stoppable | None = None, timeout: float = 0.0) -> int:
    """Opens a device or a named pipe for writing; raises Fatal(2 or 74).

    A pipe is opened without blocking until somebody reads it. The wait ends with Fatal when `stop` is requested, and
    with Fatal(6) after `timeout` seconds (0: never).
    """
    began = time.monotonic()
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
            os.set_blocking(descriptor, True)
            return descriptor
        except OSError as error:
            if error.errno != errno.ENXIO or not stat.S_ISFIFO(os.stat(path).st_mode):
                raise write_failed(path, error) from None
        if stop is not None:
            stop.take()
            if stop.status is not None:
                raise Fatal(stop.status, f"{path}: stopped while nothing had opened this pipe for reading")
        if 0 < timeout < time.monotonic() - began:
            reason = f"nothing has opened this pipe for reading for {duration(timeout)} (--stall-timeout)"
            raise Fatal(Exit.BACKEND, f"{path}: {reason}; start what reads it, and run again")
        time.sleep(_WAIT_SECONDS)
