"""The votes of models, in a file next to the output until that is complete, so that a kill loses none."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import orjson

from libra_cli.exits import Exit, Fatal
from libra_cli.stream import rows
from libra_cli.stream.run import Run
from libra_cli.stream.sinks import is_plain_file, write_failed

_SETTINGS = ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL")
"""A vote is one write, which outlives this process; after a power cut the file is whole, if without the last votes."""
_SIDE_FILES = ("", "-wal", "-shm", "-journal")


class VoteStore:
    """Votes by a digest of everything that they depend on; `path` None keeps them for this run only.

    It is a side output of the run: `finish` removes the file once the output is complete. Nobody else uses it, since
    the run has locked its output, so that the file needs no locks (which some network filesystems do not have).
    """

    def __init__(self, path: str | None, overwrite: bool = False):
        self._path = path
        if path is not None and overwrite:
            _remove(path)
        with self._failing():
            name = (
                "" if path is None else f"file:{quote(os.path.abspath(path), errors='surrogateescape')}?vfs=unix-none"
            )
            self._base = sqlite3.connect(name, uri=path is not None, isolation_level=None)
            for setting in _SETTINGS:
                self._base.execute(f"PRAGMA {setting}")
            self._base.execute("CREATE TABLE IF NOT EXISTS votes (key BLOB PRIMARY KEY, vote BLOB, final INT)")

    @classmethod
    def of(cls, run: Run) -> VoteStore:
        """The store of a run: in `FILE.votes` if the run writes a FILE that can be continued."""
        path = run.options.output
        lasting = path is not None and path != "-" and is_plain_file(path)
        store = cls(f"{path}.votes" if lasting else None, run.options.overwrite)
        run.add_side_output(store)
        return store

    def put(self, key: bytes, vote: dict[str, Any], final: bool = True) -> None:
        """Stores a vote, in place of an earlier one; a vote that is not `final` is asked for again after a stop."""
        with self._failing():
            self._base.execute("INSERT OR REPLACE INTO votes VALUES (?, ?, ?)", (key, rows.dumps(vote), final))

    def has(self, key: bytes) -> bool:
        """Whether a final vote with this key is stored."""
        with self._failing():
            return self._base.execute("SELECT 1 FROM votes WHERE key = ? AND final", (key,)).fetchone() is not None

    def get(self, key: bytes) -> dict[str, Any] | None:
        """The vote with this key; None if there is none."""
        with self._failing():
            stored = self._base.execute("SELECT vote FROM votes WHERE key = ?", (key,)).fetchone()
        return None if stored is None else orjson.loads(stored[0])

    def poll(self) -> bool:
        """Every vote is written at once: nothing waits."""
        return True

    def finish(self, complete: bool) -> None:
        """Closes the file, and removes it if the output is complete."""
        self._base.close()
        if complete and self._path is not None:
            _remove(self._path)

    def withdraw(self) -> None:
        """The votes of a refused run stay for the next one."""
        self._base.close()

    def release(self) -> None:
        """Safe after `finish`, too."""
        self._base.close()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Names the file and the cure if the file cannot be used."""
        try:
            yield
        except sqlite3.Error as error:
            name = self._path or "a temporary file"
            if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
                raise Fatal(Exit.WRITE_FAILED, f"{name}: cannot be written ({error}); free some space") from None
            cure = "move it away or use --overwrite (its votes will be asked for again)"
            raise Fatal(Exit.USAGE, f"{name}: cannot be used ({error}); {cure}") from None


def _remove(path: str) -> None:
    for ending in _SIDE_FILES:
        try:
            os.unlink(path + ending)
        except FileNotFoundError:
            pass  # the usual case of most of them
        except OSError as error:
            raise write_failed(path + ending, error, begun=True) from None
