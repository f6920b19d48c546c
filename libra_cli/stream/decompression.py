"""gzip, zstd, bzip2, xz and UTF-16, recognised by their first bytes and decoded in bounded steps."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable
from typing import Any

from libra_cli.exits import Exit, Fatal

CHUNK = 1 << 18
"""Bytes that are read, or unpacked, at a time."""
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_SKIPPABLE = tuple(bytes((first,)) + b"\x2a\x4d\x18" for first in range(0x50, 0x60))
"""First bytes of frames to skip (RFC 8878, section 3.1.2); pzstd begins its files with one."""
BZIP2_MAGIC = b"BZh"
XZ_MAGIC = b"\xfd7zXZ\0"
MAGIC_BEGINNINGS = tuple(magic[:-1] for magic in (GZIP_MAGIC, ZSTD_MAGIC, *ZSTD_SKIPPABLE, BZIP2_MAGIC, XZ_MAGIC))
COMPRESSED = (".gz", ".zst", ".bz2", ".xz")
"""Endings of the names of compressed files; what counts in an input is its first bytes."""
MAX_WINDOW_BYTES = 1 << 27
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
"""Byte order mark -> codec; Excel ("Unicode text") and PowerShell write it."""


class Decoder:
    """Passes bytes through; the subclass decompresses in bounded steps."""

    @property
    def pending(self) -> bool:
        """Whether `decode` may return bytes without more input."""
        return False

    def decode(self, raw: bytes, ended: bool) -> bytes | None:
        """The content that `raw` adds, possibly none yet; None at the end. `ended`: there is no more input."""
        return None if ended else raw


class Utf8Text:
    """Makes UTF-8 of text that begins with the byte order mark of UTF-16; passes all other text through.

    A surrogate without its partner, and half a sign at the end, become bytes that are not UTF-8: their line is refused.
    """

    def __init__(self) -> None:
        self._head: bytes | None = b""
        self._codec: codecs.IncrementalDecoder | None = None

    @property
    def recodes(self) -> bool:
        """Whether the text is UTF-16."""
        return self._codec is not None

    def decode(self, text: bytes | None) -> bytes | None:
        """What `text` adds, possibly nothing yet; None for the end, which may follow the last bytes."""
        if self._head is not None:
            self._head += text or b""
            if text is not None and len(self._head) < 2 and self._head in (b"", b"\xff", b"\xfe"):
                return b""  # a pipe may give a byte at a time
            name, head, self._head = _UTF16.get(self._head[:2]), self._head, None
            if name is not None:
                self._codec = codecs.getincrementaldecoder(name)("surrogatepass")
                head = head[2:]
            if text is not None or head:
                text = head
        if self._codec is None or text is None:
            return self._end() if text is None else text
        return self._codec.decode(text).encode("utf-8", "surrogatepass")

    def _end(self) -> bytes | None:
        """What follows the last whole sign: once a byte that is not UTF-8 for a piece of one, then None."""
        is_whole = self._codec is None or not self._codec.getstate()[0]
        self._codec = self._codec if is_whole else None
        return None if is_whole else b"\xff"


class Inflater(Decoder):
    """Decompresses about CHUNK bytes at a time, so that a decompression bomb needs no more memory than a long file."""

    def __init__(self, new_stream: Callable[[], Any], name: str):
        self._new_stream, self._name = new_stream, name
        self._stream = new_stream()

    @property
    def pending(self) -> bool:
        return self._stream.pending or bool(self._stream.eof and self._stream.unused_data)

    def decode(self, raw: bytes, ended: bool) -> bytes | None:
        if self._stream.eof:  # a file may hold several members
            raw = (self._stream.unused_data + raw).lstrip(b"\0")  # tapes and some tools pad the end with zeros
            if not raw:
                self._stream.unused_data = b""
                return None if ended else b""
            self._stream = self._new_stream()
        elif ended:
            raise self._failed("ends in the middle")
        try:
            return self._stream.decompress(raw)
        except _WindowTooLarge as error:
            what = f"needs a window of more than {MAX_WINDOW_BYTES >> 20} MiB ({error})"
            raise Fatal(
                Exit.USAGE, f"{self._name}: the compressed input {what}; compress it with a smaller one"
            ) from None
        except (zlib.error, ValueError) as error:
            raise self._failed(f"is damaged ({error})") from None

    def _failed(self, what: str) -> Fatal:
        return Fatal(Exit.INCOMPLETE, f"{self._name}: the compressed input {what}; copy or compress it again")


class _GzipStream:
    """One gzip member, as Inflater drives it."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)
        self.pending, self.eof, self.unused_data = False, False, b""

    def decompress(self, raw: bytes) -> bytes:
        data = self._zlib.decompress(self._zlib.unconsumed_tail + raw, CHUNK)
        self.eof, self.unused_data = self._zlib.eof, self._zlib.unused_data
        # After a full chunk zlib may still hold output although its input is used up.
        self.pending = not self.eof and (bool(self._zlib.unconsumed_tail) or len(data) == CHUNK)
        return data


class _WindowTooLarge(ValueError):
    """The input refers to more bytes back than are kept; says with which option it was made."""


class _ZstdStream:
    """One zstd frame, or one to skip, of which nothing comes.

    zstandard has no output limit, so input is fed in slices: 256 bytes expand to 8 MiB at most.
    """

    SLICE = 1 << 8

    def __init__(self) -> None:
        import zstandard

        self._error = zstandard.ZstdError
        self._zstd = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj()
        self._input, self._at = b"", 0
        self._is_zstd, self._to_skip = False, 0
        self.pending, self.eof, self.unused_data = False, False, b""

    def decompress(self, raw: bytes) -> bytes:
        self._input, self._at = self._input[self._at :] + raw, 0
        if not self._is_zstd and not self._begin():
            return b""
        pieces, size = [], 0
        while size < CHUNK and self._at < len(self._input) and not self.eof:
            start, self._at = self._at, self._at + self.SLICE
            try:
                pieces.append(self._zstd.decompress(self._input[start : self._at]))
            except self._error as error:
                if "too much memory" in str(error):
                    raise _WindowTooLarge("zstd --long") from None
                raise ValueError(str(error)) from None
            size += len(pieces[-1])
            self.eof = self._zstd.eof
        self.pending = not self.eof and self._at < len(self._input)
        if self.eof:
            self.unused_data = self._zstd.unused_data + self._input[self._at :]
        return b"".join(pieces)

    def _begin(self) -> bool:
        """Whether a frame with content begins; skips one without, or waits for the bytes that tell."""
        if not self._to_skip and len(self._input) >= 4 and not self._input.startswith(ZSTD_SKIPPABLE):
            self._is_zstd = True
        elif not self._to_skip and len(self._input) >= 8:
            self._to_skip = 8 + int.from_bytes(self._input[4:8], "little")
        if self._to_skip:
            self._at = min(self._to_skip, len(self._input))
            self._to_skip -= self._at
            if not self._to_skip:
                self.eof, self.unused_data = True, self._input[self._at :]
        return self._is_zstd


class _StandardStream:
    """One stream of bzip2 or xz, by the decompressors of Python's standard library, which limit their output."""

    def __init__(self, decompressor: Any, error: type[Exception]):
        self._decompressor, self._error = decompressor, error
        self.pending, self.eof, self.unused_data = False, False, b""

    def decompress(self, raw: bytes) -> bytes:
        try:
            data: bytes = self._decompressor.decompress(raw, CHUNK)
        except self._error as error:
            if "limit" in str(error).lower():
                raise _WindowTooLarge("--lzma2=dict") from None
            raise ValueError(str(error)) from None
        self.eof, self.unused_data = self._decompressor.eof, self._decompressor.unused_data
        self.pending = not self.eof and not self._decompressor.needs_input
        return data


def _bzip2_stream() -> _StandardStream:
    import bz2

    return _StandardStream(bz2.BZ2Decompressor(), OSError)


def _xz_stream() -> _StandardStream:
    import lzma

    limit = MAX_WINDOW_BYTES + (1 << 24)  # the decoder's own tables are small beside its window
    return _StandardStream(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=limit), lzma.LZMAError)


def decoder_for(head: bytes, name: str) -> Decoder:
    """Chooses by the first bytes, not the name: standard input may be compressed too, and no JSON begins like this."""
    if head.startswith(GZIP_MAGIC):
        return Inflater(_GzipStream, name)
    if head.startswith((ZSTD_MAGIC, *ZSTD_SKIPPABLE)):
        return Inflater(_ZstdStream, name)
    if head.startswith(BZIP2_MAGIC):
        return Inflater(_bzip2_stream, name)
    if head.startswith(XZ_MAGIC):
        return Inflater(_xz_stream, name)
    return Decoder()
