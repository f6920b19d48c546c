"""Encoded samples on disk: written once by one process, then memory-mapped by every rank.

A folder holds `tokens.bin` (uint32, little-endian: token ids, with the top bit set on targets), `index.npy` (int64
[3, N + 1]: the offset of each sample's tokens, its number of targets, the offset of its name; the last column holds the
ends), `names.txt`, `values.npy` (float64 [N]) if rows say something of their samples, `keys.npy` (uint64 [3, N]: see
`overlap.Keyed`), and, written last, `store.json`: a folder without it is not finished.
"""

from __future__ import annotations

import hashlib
import io
import os
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, Literal

import numpy as np
import orjson

from libra_cli.exits import Exit, Fatal
from libra_cli.plural import counted
from libra_cli.stream import files, sinks
from libra_cli.stream.counts import Counts
from libra_cli.stream.error_log import ErrorLog
from libra_cli.stream.rows import Row, RowError, content_hash
from libra_cli.training.data.left_out import RowLengths
from libra_cli.training.data.overlap import problem_key
from libra_cli.training.data.tokenization import Encoded, RowEncoder

TooLong = Literal["drop", "refuse"]

VERSION = 1
TARGET_BIT = 1 << 31
BLOCK_ROWS, BLOCK_BYTES = 256, 1 << 18
"""A block of rows to tokenize ends after this many rows, or with the row that reaches this many bytes."""

_THREADS = "TOKENIZERS_PARALLELISM"
_TOKENS, _INDEX, _NAMES, _MARKER = "tokens.bin", "index.npy", "names.txt", "store.json"
_VALUES, _KEYS = "values.npy", "keys.npy"
_LEAST_PROMPT = 3
"""Tokens of a prompt that tells rows apart: plain text may have none but those that begin every text."""


class TokenStore:
    """A finished folder of samples, read only. Raises Fatal(7) if it is not finished or not whole."""

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = os.fspath(folder)
        try:
            with open(self._path(_MARKER), "rb") as file:
                self.about: dict[str, Any] = orjson.loads(file.read())
                """Content of the marker: `digest`, `samples`, `tokens`, `learned` (targets), `max_length`, `config`."""
        except (OSError, ValueError) as error:
            raise _unfinished(self.folder, str(error)) from None
        if not isinstance(self.about, dict) or not isinstance(self.about.get("digest"), str):
            raise _unfinished(self.folder, f"{_MARKER} is damaged")
        if self.about.get("version") != VERSION:
            raise _unfinished(self.folder, f"{_MARKER} is of another version")
        self.digest: str = self.about["digest"]
        """Identifies tokens, their order and the options; a resumed run must have the same."""
        try:
            starts, n_targets, names = np.load(self._path(_INDEX))
            self._tokens = _mapped(self._path(_TOKENS), np.dtype("<u4"))
            self._names = _mapped(self._path(_NAMES), np.dtype("u1"))
            is_whole = len(self._tokens) == starts[-1] and len(self._names) == names[-1]
            self.values: np.ndarray | None = np.load(self._path(_VALUES)) if self.about.get("values") else None
            """float64 [N]: what the row of each sample says of it; None if no row says anything."""
            self.keys: np.ndarray | None = np.load(self._path(_KEYS)) if self.about.get("keys") else None
            """uint64 [3, N]: as `overlap.Keyed` says; None of a store of an earlier version."""
        except (OSError, ValueError, TypeError, IndexError, EOFError) as error:
            raise _unfinished(self.folder, str(error)) from None
        self._starts, self._name_starts = starts, names
        if not is_whole:
            raise _unfinished(self.folder, "its files are not of the same run")
        self.lengths: np.ndarray = np.diff(starts)
        """int64 [N]: tokens of each sample."""
        self.n_targets: np.ndarray = n_targets[:-1]
        """int64 [N]: targets of each sample."""

    def __len__(self) -> int:
        return len(self.lengths)

    def sample(self, index: int) -> Encoded:
        """Sample `index` of [0, N)."""
        packed = self._tokens[self._starts[index] : self._starts[index + 1]]
        return Encoded((packed & np.uint32(TARGET_BIT - 1)).astype(np.int32), packed >= TARGET_BIT)

    @property
    def problems(self) -> np.ndarray:
        """uint64: the problem of each sample, as `overlap.problem_key` has it; empty where nobody knows."""
        return np.empty(0, np.uint64) if self.keys is None else self.keys[2]

    @property
    def longest(self) -> int:
        """Tokens of the longest sample."""
        return int(self.lengths.max())

    def summary(self) -> str:
        """Samples and tokens, for people."""
        return f"{counted(len(self), 'sample')}, {int(self.lengths.sum()):,} tokens"

    @property
    def largest_id(self) -> int:
        """Largest token id; reads the whole file."""
        step = 1 << 24
        parts = (self._tokens[at : at + step] & np.uint32(TARGET_BIT - 1) for at in range(0, len(self._tokens), step))
        return max(int(part.max()) for part in parts)

    def name(self, index: int) -> str:
        """The row's own id, or its place (`FILE:LINE`)."""
        return bytes(self._names[self._name_starts[index] : self._name_starts[index + 1] - 1]).decode()

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)


def build(
    folder: str | os.PathLike[str],
    source: Iterable[Row],
    encoder: RowEncoder,
    *,
    max_length: int,
    too_long: TooLong = "drop",
    errors: ErrorLog,
    counts: Counts,
    lengths: RowLengths | None = None,
    workers: int = 1,
    config: Mapping[str, Any],
) -> TokenStore:
    """Encodes the rows of `source` in order into `folder`, in `workers` threads, and opens it.

    Rows with a sample of more than `max_length` tokens are left out and counted (`too_long`) or refused, never cut.
    `lengths` takes the longest sample of each row.
    Memory is bounded by the rows in flight, not by the source. `config` (JSON) is whatever else shapes the tokens, for
    the digest. Raises Fatal if the folder cannot be written; it is then unfinished, whatever it held before.
    """
    about = {"version": VERSION, "max_length": max_length, "too_long": too_long, "config": dict(config)}
    with _Writer(os.fspath(folder), about) as writer:
        for row, encoded in _encoded(source, encoder, workers):
            counts.read += 1
            samples = [encoded] if isinstance(encoded, Encoded) else encoded
            longest = max(len(each.ids) for each in samples) if isinstance(samples, list) else 0
            if lengths is not None and longest:
                lengths.add(longest)
            if longest > max_length:
                if too_long == "drop":
                    counts.filtered["too_long"] += 1
                    continue
                reason = f"{longest} tokens, and the most is {max_length}"
                samples = RowError("too_long", f"{reason}; raise --max-length, or --too-long drop")
            if isinstance(samples, RowError):
                counts.refuse(samples.kind)
                errors.add(samples, row.raw, row.place, row.id)
            else:
                for each in samples:
                    writer.add(each, row)
                counts.out += 1
        writer.finish()
    return TokenStore(folder)


def _encoded(
    source: Iterable[Row], encoder: RowEncoder, workers: int
) -> Iterator[tuple[Row, Encoded | list[Encoded] | RowError]]:
    """Rows with their samples, in order. The tokenizer releases the GIL, so threads are enough."""
    with _sequential_tokenizers(), ThreadPoolExecutor(workers, "encode") as pool:
        in_flight: deque[tuple[list[Row], Future[Sequence[Encoded | list[Encoded] | RowError]]]] = deque()
        for block in _blocks(source):
            in_flight.append((block, pool.submit(encoder.many, [row.fields for row in block])))
            if len(in_flight) > workers:
                done, future = in_flight.popleft()
                yield from zip(done, future.result(), strict=True)
        for done, future in in_flight:
            yield from zip(done, future.result(), strict=True)


@contextmanager
def _sequential_tokenizers() -> Iterator[None]:
    """Keeps the tokenizers library from starting threads of its own beside the `workers`."""
    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = "false"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_THREADS]
        else:
            os.environ[_THREADS] = before


def _blocks(source: Iterable[Row]) -> Iterator[list[Row]]:
    block: list[Row] = []
    size = 0
    for row in source:
        block.append(row)
        size += len(row.raw)
        if len(block) == BLOCK_ROWS or size >= BLOCK_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block


class _Writer:
    """Writes a folder; until `finish` no file in it has its final name."""

    def __init__(self, folder: str, about: Mapping[str, Any]):
        self._folder, self._about = folder, about
        self._starts, self._n_targets, self._names = array("q", [0]), array("q"), array("q", [0])
        self._values = array("d")
        self._keys = array("Q")
        self._sha256 = hashlib.sha256()
        self._fds: dict[str, int] = {}

    def __enter__(self) -> _Writer:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        try:
            os.makedirs(self._folder, exist_ok=True)
            with suppress(FileNotFoundError):
                os.unlink(self._path(_MARKER))
            for name in (_TOKENS, _NAMES):
                self._fds[name] = os.open(self._path(name) + ".tmp", flags, 0o666)
        except OSError as error:
            raise sinks.write_failed(self._folder, error) from None
        return self

    def __exit__(self, *_: object) -> None:
        for fd in self._fds.values():
            with suppress(OSError):  # what was written is synced before it gets its name
                os.close(fd)

    def add(self, encoded: Encoded, row: Row) -> None:
        tokens = encoded.ids.astype("<u4")
        tokens[encoded.loss_mask] |= TARGET_BIT
        packed, given = tokens.tobytes(), row.fields.get("id")
        name = " ".join((row.place if given is None else str(given)).splitlines()).encode("utf-8", "replace") + b"\n"
        self._sha256.update(packed)
        sinks.write_all(self._fds[_TOKENS], packed, self._path(_TOKENS))
        sinks.write_all(self._fds[_NAMES], name, self._path(_NAMES))
        self._starts.append(self._starts[-1] + len(tokens))
        self._n_targets.append(int(encoded.loss_mask.sum()))
        self._values.append(encoded.value)
        first = int(encoded.loss_mask.argmax())
        prompt = encoded.ids[:first].tobytes() if first >= _LEAST_PROMPT else b""
        prompt = prompt if encoded.prompt is None else encoded.prompt
        self._keys.extend((_hash(packed), _hash(prompt), problem_key(row.id)))
        self._names.append(self._names[-1] + len(name))

    def finish(self) -> None:
        """Renames the files to their final names, the marker last."""
        index = np.array([self._starts, [*self._n_targets, 0], self._names], np.int64)
        data = io.BytesIO()
        np.save(data, index)
        try:
            for name, fd in self._fds.items():
                os.fsync(fd)
                os.replace(self._path(name) + ".tmp", self._path(name))
        except OSError as error:
            raise sinks.write_failed(self._path(name), error, begun=True) from None
        files.replace_file(self._path(_INDEX), data.getvalue())
        data = io.BytesIO()
        np.save(data, np.array(self._keys, np.uint64).reshape(-1, 3).T)
        files.replace_file(self._path(_KEYS), data.getvalue())
        sinks.sync_folder(self._path(_MARKER))
        self._sha256.update(np.diff(self._starts).astype("<i8").tobytes())
        values = np.array(self._values)
        has_values = not np.isnan(values).all()
        if has_values:
            data = io.BytesIO()
            np.save(data, values)
            files.replace_file(self._path(_VALUES), data.getvalue())
            self._sha256.update(values.astype("<f8").tobytes())
        self._sha256.update(content_hash(self._about, 64).encode())
        totals = {"samples": len(self._n_targets), "tokens": self._starts[-1], "learned": sum(self._n_targets)}
        totals |= {"keys": True, **({"values": True} if has_values else {})}
        marker = {"digest": self._sha256.hexdigest()[:32], **totals, **self._about}
        files.replace_file(self._path(_MARKER), orjson.dumps(marker, option=orjson.OPT_INDENT_2) + b"\n")
        sinks.sync_folder(self._path(_MARKER))

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)


def _hash(content: bytes) -> int:
    """64 bits that identify it; 0 for nothing."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little") if content else 0


def _mapped(path: str, dtype: np.dtype[Any]) -> np.ndarray:
    # An empty file cannot be mapped.
    return np.memmap(path, dtype, "r") if os.path.getsize(path) else np.empty(0, dtype)


def _unfinished(folder: str, why: str) -> Fatal:
    return Fatal(Exit.INCOMPLETE, f"{folder}: no finished set of tokens ({why}); delete it to build it again")
