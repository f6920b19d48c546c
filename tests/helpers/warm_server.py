"""Forks for each command that a client of warm.py hands over: `warm_server.py SOCKET`, until standard input ends.

`warm_server.py SOCKET torch` imports torch and what is made of it, once somebody asks. To fork so large a process takes
longer, so that other commands have a server without.
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import gc
import importlib
import marshal
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import tempfile
import threading
from contextlib import suppress
from typing import Any, NoReturn

PLAIN = ("sympy", "numpy", "orjson", "libra_cli.main", "libra_cli.stream.run", "libra_cli.answers")
WITH_TORCH = (
    "torch", "torch.distributed", "transformers", "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto", "transformers.models.qwen2.modeling_qwen2",
    "transformers.generation", "safetensors.torch",
)  # fmt: skip
TRAINERS = ("sft", "dpo", "train-rm", "grpo")
HIGH = 500
"""Above the descriptors that a command brings."""


class Server:
    """Its children by process id, each with the socket of the client that asked for it."""

    def __init__(self, path: str, with_torch: bool) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(64)
        self._woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake)
        self._clients: dict[int, socket.socket] = {}
        self._imports = import_torch if with_torch else import_stages

    def serve(self) -> None:
        """Answers until standard input ends, then kills what still runs."""
        while True:
            waited = [0, self._listener, self._woken, *self._clients.values()]
            ready = select.select(waited, [], [])[0]
            if self._woken in ready:
                os.read(self._woken, 4096)
                self._reap()
            for pid, client in list(self._clients.items()):
                if client in ready:
                    self._pass_on(pid, client)
            if self._listener in ready:
                self._answer(self._listener.accept()[0])
            if 0 in ready:
                break
        for pid in self._clients:
            os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            with self._clients.pop(pid) as client, suppress(OSError):
                client.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))

    def _pass_on(self, pid: int, client: socket.socket) -> None:
        """Gives a child the signals that its client has; one whose client is gone is killed."""
        with suppress(ProcessLookupError):
            try:
                numbers = client.recv(64, socket.MSG_DONTWAIT) or bytes([signal.SIGKILL])
            except (ConnectionError, BlockingIOError):
                numbers = bytes([signal.SIGKILL])
            for number in numbers:
                os.kill(pid, number)

    def _answer(self, client: socket.socket) -> None:
        data, files, _, _ = socket.recv_fds(client, 1 << 20, 253)
        if not data:
            return client.close()
        size = int.from_bytes(data[:8], "big")
        while len(data) < 8 + size:
            data += client.recv(1 << 20)
        name, words, environment, folder, mask, targets = marshal.loads(data[8:])
        self._imports()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            become(name, words, environment, folder, mask, dict(zip(targets, files, strict=True)))
        self._clients[pid] = client
        for file in files:
            os.close(file)


@functools.cache
def import_stages() -> None:
    """Imports what the stages that train nothing import."""
    import libra_cli.stages

    for name in PLAIN:
        importlib.import_module(name)
    for stage in pkgutil.iter_modules(libra_cli.stages.__path__):
        if stage.name.replace("_", "-") not in TRAINERS:
            for module in pkgutil.iter_modules([f"{libra_cli.stages.__path__[0]}/{stage.name}"]):
                importlib.import_module(f"libra_cli.stages.{stage.name}.{module.name}")
    keep()


@functools.cache
def import_torch() -> None:
    """Imports what those that train import."""
    os.environ["TORCH_CPP_LOG_LEVEL"] = "ERROR"
    for name in WITH_TORCH:
        importlib.import_module(name)
    from libra_cli.training.distributed.world import import_deepspeed

    import_deepspeed()
    for stage in TRAINERS:
        importlib.import_module(f"libra_cli.stages.{stage.replace('-', '_')}.command")
    keep()


def keep() -> None:
    """Leaves what is there out of the collections of garbage, which would have every fork copy it."""
    gc.collect()
    gc.freeze()
    n_threads = len(os.listdir("/proc/self/task"))
    assert n_threads == 1, f"{n_threads} threads: a fork would have one"


def become(name: str, words: list[str], environment: dict[str, str], folder: str, mask: int, files: Any) -> NoReturn:
    """In the child: the command."""
    status = 99
    try:
        os.setsid()
        moved = {target: fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, HIGH) for target, file in files.items()}
        os.closerange(3, HIGH)
        for target, file in moved.items():
            os.dup2(file, target)
            os.close(file)
        os.chdir(folder)
        os.umask(mask)
        os.environ.clear()
        os.environ.update(environment)
        tempfile.tempdir = None
        sys.stdin = sys.__stdin__ = text(0, "r", "surrogateescape")
        sys.stdout = sys.__stdout__ = text(1, "w", "surrogateescape", 1 if os.isatty(1) else -1)
        sys.stderr = sys.__stderr__ = text(2, "w", "backslashreplace", 1)
        status = ended(name, words)
    finally:
        os._exit(status)


def text(file: int, mode: str, errors: str, buffering: int = -1) -> Any:
    """A standard stream as the interpreter opens it where the locale is UTF-8."""
    return open(file, mode, buffering, encoding="utf-8", errors=errors, closefd=False)


def ended(name: str, words: list[str]) -> int:
    """The exit status of the command, as the interpreter would find it."""
    try:
        if name == "libra":
            from libra_cli import main

            sys.argv = ["libra", *words]
            sys.orig_argv = [sys.executable, "-m", "libra_cli", *words]
            main.run()
        sys.argv, sys.orig_argv = words, [sys.executable, *words]
        sys.path[0] = os.path.dirname(words[0])
        runpy.run_path(words[0], run_name="__main__")
        status = 0
    except SystemExit as ending:
        if ending.code is not None and not isinstance(ending.code, int):
            print(ending.code, file=sys.stderr)
        status = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:  # noqa: BLE001 -- as the interpreter does
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    return status & 0xFF


if __name__ == "__main__":
    server = Server(sys.argv[1], "torch" in sys.argv)
    print("it listens", flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    server.serve()
