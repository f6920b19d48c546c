"""What a hostile or broken server may answer, and the kind of error that it must be for the one request."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import zstandard

from servers.scripted import Reply, error

DONE = None
"""The request is answered."""
BLANK = b" " * (1 << 20)


@dataclass(frozen=True)
class Attack:
    """A reply, and the kind of error that it must be; DONE if none."""

    reply: Reply
    kind: str | None


def raw(head: str, pieces: Callable[[], Iterator[bytes]], seconds: float = 0.0) -> Reply:
    """Bytes as they go out, after a status line and the header lines of `head`."""

    def all_bytes() -> Iterator[bytes]:
        yield f"HTTP/1.1 {head}\r\n\r\n".encode()
        yield from pieces()

    return Reply(raw=all_bytes, seconds=seconds)


def chunked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces in HTTP's chunked coding."""
    for piece in pieces:
        yield b"%x\r\n" % len(piece) + piece + b"\r\n"
    yield b"0\r\n\r\n"


def gzipped_blanks(wbits: int = 31) -> Iterator[bytes]:
    """A gzip without end: each kilobyte unpacks to a megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    yield packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    yield from repeat(packer.compress(BLANK) + packer.flush(zlib.Z_FULL_FLUSH))


def twice_gzipped() -> bytes:
    """Kilobytes that unpack to a megabyte, which unpacks to a gigabyte."""
    pieces = gzipped_blanks()
    return gzip.compress(b"".join(next(pieces) for _ in range(1000)))


def packed(coding: str, content: bytes, status: int = 200) -> Reply:
    return Reply(status, content, {"content-encoding": coding})


def endless(head: str, pieces: Callable[[], Iterator[bytes]]) -> Reply:
    """An answer in chunks without end."""
    return raw(f"{head}\r\ntransfer-encoding: chunked", lambda: chunked(pieces()))


OK = "200 OK\r\ncontent-type: application/json"


def attacks_by_size(honest: bytes, nothing: str) -> dict[str, Attack]:
    """Answers that are too large, packed too well, or nested too deeply; `honest` is the content of an honest one.

    `nothing` is the kind of error of an answer that lacks what was asked for.
    """
    bomb = twice_gzipped()
    return {
        "endless": Attack(endless(OK, lambda: repeat(BLANK)), "response_too_large"),
        "endless to the close": Attack(raw(OK, lambda: repeat(BLANK)), "response_too_large"),
        "endless values": Attack(endless(OK, lambda: repeat(b"[[],{}" * 10000)), "response_too_large"),
        "ten terabytes": Attack(
            raw(f"{OK}\r\ncontent-length: 10000000000000", lambda: repeat(BLANK)), "response_too_large"
        ),
        "endless gzip": Attack(endless(f"{OK}\r\ncontent-encoding: gzip", gzipped_blanks), "response_too_large"),
        "gzip of gzip": Attack(packed("gzip, gzip", bomb), "response_too_large"),
        "x-gzip of gzip": Attack(packed("X-GZIP,identity, gzip", bomb), "response_too_large"),
        "gzip that shrinks again": Attack(packed("gzip, gzip, gzip", gzip.compress(bomb)), "response_too_large"),
        "gzip of gzip of ...": Attack(packed(", ".join(["gzip"] * 1000), bomb), "bad_response"),
        "deflate": Attack(endless(f"{OK}\r\ncontent-encoding: deflate", lambda: gzipped_blanks(15)), "bad_response"),
        "zstd": Attack(packed("zstd", zstandard.compress(BLANK * 100)), "bad_response"),
        "br": Attack(packed("br", b"\x5b" * 100), "bad_response"),
        "gzip of zstd": Attack(packed("zstd, gzip", gzip.compress(zstandard.compress(BLANK * 100))), "bad_response"),
        "gzip with an error": Attack(packed("gzip", gzip.compress(honest)[:20] + b"\xff" * 40), "server_error"),
        "gzip cut": Attack(packed("gzip", gzip.compress(honest)[:-30]), "server_error"),
        "endless error": Attack(endless("400 Bad Request", lambda: repeat(b"x y " * 50000)), "bad_request"),
        "endless error in gzip": Attack(
            endless("400 Bad Request\r\ncontent-encoding: gzip", gzipped_blanks), "bad_request"
        ),
        "error in zstd": Attack(packed("zstd", zstandard.compress(BLANK * 100), 400), "bad_request"),
        "lists in lists": Attack(Reply(body=b"[" * 1_000_000), "bad_response"),
        "objects in objects": Attack(Reply(body=b'{"choices":' * 500_000), "bad_response"),
        "lists in an error": Attack(Reply(400, b'{"error":{"message":' + b"[" * 300_000), "bad_request"),
        "lists in lists of an error": Attack(
            Reply(400, b'{"error":{"message":' + b"[" * 900 + b"]" * 900 + b"}}"), "bad_request"
        ),
        "many objects": Attack(Reply(body=b'{"choices":[0' + b',{"":0}' * 2_000_000 + b"]}"), nothing),
        "many values": Attack(Reply(body=b'{"choices":[' + b"[],{}," * 2_000_000 + b"0]}"), nothing),
        "no JSON": Attack(Reply(body=b"\x00\xff" * 1000), "server_error"),
        "a number of 100,000 digits": Attack(Reply(body=b'{"choices":' + b"9" * 100_000 + b"}"), "server_error"),
        # What an honest server may do too:
        "gzip": Attack(packed("gzip", gzip.compress(honest)), DONE),
        "gzip in small chunks": Attack(
            endless(f"{OK}\r\ncontent-encoding: gzip", lambda: map(bytes, zip(gzip.compress(honest), strict=True))),
            DONE,
        ),
        "five megabytes of blanks": Attack(Reply(body=honest + BLANK * 5), DONE),
    }


def attacks_by_protocol(honest: bytes) -> dict[str, Attack]:
    """Answers that bend HTTP; the time limit of a request ends those that do not end by themselves."""
    length = f"content-length: {len(honest)}"
    cookies = "\r\n".join(f"set-cookie: {n}={'x' * 80}; Path=/" for n in range(500))
    return {
        "no HTTP": Attack(Reply(raw=lambda: repeat(b"\x00rubbish\r\n" * 100)), "server_error"),
        "endless headers": Attack(
            Reply(raw=lambda: repeat(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 10000)), "server_error"
        ),
        "endless header": Attack(
            Reply(raw=lambda: chain([b"HTTP/1.1 200 OK\r\na: "], repeat(b"a" * 10000))), "server_error"
        ),
        "endless chunk size": Attack(
            raw("200 OK\r\ntransfer-encoding: chunked", lambda: repeat(b"1" * 10000)), "server_error"
        ),
        "shorter than announced": Attack(
            raw(f"200 OK\r\ncontent-length: {2**20}", lambda: iter([honest])), "server_error"
        ),
        "endless 100 Continue": Attack(Reply(raw=lambda: repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)), "timeout"),
        "a byte now and then": Attack(
            raw("200 OK\r\ntransfer-encoding: chunked", lambda: chunked(repeat(b" ")), 0.05), "timeout"
        ),
        "switching protocols": Attack(raw("101 Switching Protocols\r\nupgrade: x", lambda: iter([])), "server_error"),
        "no content": Attack(raw("204 No Content", lambda: iter([])), "server_error"),
        "a status of its own": Attack(raw(f"999 Mine\r\n{length}", lambda: iter([honest])), "server_error"),
        "cookies": Attack(raw(f"200 OK\r\n{length}\r\n{cookies}", lambda: iter([honest])), DONE),
        "a date before all dates": Attack(
            error(429, "slower", {"retry-after": "Mon, 01 Jan 0001 00:00:00 -0000"}), "server_busy"
        ),
    }


WRONG = {"text": "none", "number": 7, "list": [[1]], "object": {"a": {}}, "true": True}
"""Values of wrong types, by their type."""


def changed(honest: Mapping[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    """A copy of `honest` with another value at `path`."""
    copy = json.loads(json.dumps(honest))
    place = copy
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = to
    return copy


def attacks_by_type(honest: Mapping[str, Any], read: Mapping[tuple, str], unread: list[tuple]) -> dict[str, Attack]:
    """Values of wrong types in each field of `honest`: those that are `read`, with the right type, and others."""
    found = {}
    for path, right in read.items():
        for name, value in WRONG.items():
            if name != right:
                reply = Reply(body=changed(honest, *path, to=value))
                found[f"{'.'.join(map(str, path))} is {name}"] = Attack(reply, "bad_response")
    for path in unread:
        for name, value in WRONG.items():
            reply = Reply(body=changed(honest, *path, to=value))
            found[f"{'.'.join(map(str, path))} is {name}"] = Attack(reply, DONE)
    return found


def attacks_by_count(honest: Mapping[str, Any], name: str) -> dict[str, Attack]:
    """Numbers of tokens that are none; JSON has no infinity, but Python's reader takes it."""
    wrong = [-1, -(10**30), 10**30, 2**31, 0.5, -0.5, float("nan"), float("inf"), 1e300, "12", True, [3], {"a": 3}]
    right = [None, 0, 12, 12.0, 2**31 - 1]
    replies = [(value, "bad_response") for value in wrong] + [(value, DONE) for value in right]
    return {
        f"{name} {value!r}": Attack(Reply(body=changed(honest, "usage", name, to=value)), kind)
        for value, kind in replies
    } | {
        f"{name} 1e999": Attack(
            Reply(body=json.dumps(changed(honest, "usage", name, to="@")).replace('"@"', "1e999").encode()),
            "bad_response",
        )
    }
