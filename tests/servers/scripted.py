"""A server on a real socket, of chat completions or rewards, whose script decides the fate of each request."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

ASKED = ("/v1/chat/completions", "/classify")
"""The paths that the script answers, unless `routes` has another answer."""


@dataclass(frozen=True)
class Call:
    """One request for a completion or a reward."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]
    at: float
    """When it came, by time.monotonic."""
    number: int
    """The number of requests before it."""
    attempt: int
    """0 for the first with this prompt and seed, 1 for the second, ..."""

    @property
    def prompt(self) -> str:
        return self.body["messages"][-1]["content"]


@dataclass(frozen=True)
class Reply:
    """The answer to a request, after `seconds`.

    `raw` gives all its bytes instead, the head among them, and may never end; `seconds` pass before each piece.
    `fault`: "reset" breaks the connection before, "cut" in the middle of the answer, "silent" never answers.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    fault: str = ""
    raw: Callable[[], Iterable[bytes]] | None = None

    def bytes(self) -> bytes:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        named = {"content-type": "application/json", **self.headers, "content-length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        return f"HTTP/1.1 {self.status} Scripted\r\n{head}\r\n".encode() + body


Script = Callable[[Call], Reply]


def wrote(text: str | None, finish_reason: str = "stop", **message: Any) -> Reply:
    """A completion as servers send it."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": finish_reason}
    return Reply(body={"model": "tiny", "choices": [choice], "usage": {"completion_tokens": len(text or "")}})


def echo(call: Call) -> Reply:
    """An answer that identifies its request: by the prompt and the seed."""
    return wrote(f"{call.prompt} {call.body['seed']}")


def error(status: int, message: str = "scripted", headers: Mapping[str, str] | None = None, **more: Any) -> Reply:
    return Reply(status, {"error": {"message": message, **more}}, headers or {})


class ScriptedServer:
    """Use as a context manager; `calls` are the requests for completions, `paths` counts all requests."""

    def __init__(self, script: Script = echo, routes: Mapping[str, Reply] | None = None, port: int = 0):
        self.script, self.port = script, port
        self.routes = {"/v1/models": Reply(body={"data": [{"id": "tiny"}]}), **(routes or {})}
        self.calls: list[Call] = []
        self.paths: Counter[str] = Counter()
        self.peak = 0
        """Most requests at work at once."""
        self._at_work = 0
        self._attempts: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        """Listens, on the same port as before if there was one."""
        self._server = self._do(asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=2048))
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Crashes: resets connections and stops listening."""
        self._do(self._stop())

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._open:
            _reset(writer)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while (request := await _read(reader)) is not None:
                path, headers, body = request
                path = path if path in self.routes else path.partition("?")[0]
                self.paths[path] += 1
                if path not in ASKED or path in self.routes:
                    reply = self.routes.get(path, error(404, "no such path"))
                    if reply.raw:
                        return await _write_raw(reply, writer)
                    writer.write(reply.bytes())
                elif not await self._complete(self._note(headers, json.loads(body)), writer):
                    return
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client or `stop` ended it
        finally:
            self._open.discard(writer)
            writer.close()

    def _note(self, headers: Mapping[str, str], body: Mapping[str, Any]) -> Call:
        key = json.dumps([body["messages"], body.get("seed")])
        call = Call(body, headers, time.monotonic(), len(self.calls), self._attempts[key])
        self._attempts[key] += 1
        self.calls.append(call)
        return call

    async def _complete(self, call: Call, writer: asyncio.StreamWriter) -> bool:
        """Answers one request; False if the connection is over."""
        self._at_work += 1
        self.peak = max(self.peak, self._at_work)
        try:
            reply = self.script(call)
            if reply.raw:
                await _write_raw(reply, writer)
                return False
            await asyncio.sleep(reply.seconds)
            if reply.fault == "silent":
                await asyncio.sleep(3600)
            if reply.fault == "reset":
                _reset(writer)
                return False
            data = reply.bytes()
            writer.write(data[: len(data) - 9] if reply.fault == "cut" else data)
            return reply.fault != "cut"
        finally:
            self._at_work -= 1


def unused_port() -> int:
    """A port that no process listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


async def _read(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes] | None:
    """Path, headers and body of one request; None if the client has gone."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return head[0].split()[1], headers, body


async def _write_raw(reply: Reply, writer: asyncio.StreamWriter) -> None:
    assert reply.raw is not None
    for piece in reply.raw():
        await asyncio.sleep(reply.seconds)
        writer.write(piece)
        await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection with RST, as a crashed peer's kernel does."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
