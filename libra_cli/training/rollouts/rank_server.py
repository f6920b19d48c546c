"""A rank that only samples: serves the model with vLLM on its own devices until the others have trained."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path

from libra_cli.engines.vllm_server import HTTP_BACKEND, NCCL_BACKEND
from libra_cli.engines.vllm_serving import serving_environment, spelled
from libra_cli.engines.vllm_weight_senders import free_port, own_address
from libra_cli.exits import Exit, Fatal
from libra_cli.stream.module_path import python_command
from libra_cli.stream.monitor import Monitor
from libra_cli.stream.signals import StopRequest
from libra_cli.training.data.prepare import chat_format_of
from libra_cli.training.distributed.guard import start_guarded
from libra_cli.training.distributed.launch import LOOPBACK, visible_devices
from libra_cli.training.distributed.sampler_ranks import SamplerMember, SamplerPlace, on_one_node
from libra_cli.training.model import policy
from libra_cli.training.rollouts.sampler import local_model
from libra_cli.training.settings import GrpoRunSettings

POLL_SECONDS, END_SECONDS = 0.2, 15.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy leads to this machine
_TAIL_LINES = 3
"""Last lines of the server's log that a message repeats."""


def serve(settings: GrpoRunSettings, place: SamplerPlace) -> Exit:
    """Serves until the ranks that train have ended; returns their status.

    A request to stop leaves the server to those, which end when they have saved. Raises Fatal if the server ends.
    """
    policy.quiet_libraries()
    member = SamplerMember(place)
    with ExitStack() as stack:
        stop = stack.enter_context(StopRequest("grpo", settings.grace, settings.grace, says=False))
        stack.callback(Monitor(stop, lambda: None).close)
        try:
            server = RankServer(settings, place) if place.devices else None
            is_up = server is None
            while (ended := member.ended()) is None:
                if stop.status is not None and not is_up:
                    reason = "was asked to stop before its server was up; the same command continues"
                    member.failed(Fatal(stop.status, reason))
                    return stop.status
                if server is not None and member.has_joined:
                    server.start(stack)
                    server.refuse_ended(stop)
                    if not is_up and server.answers():
                        is_up = True
                        member.serves(server.url)
                time.sleep(POLL_SECONDS)
        except Fatal as failure:
            member.failed(failure)
            raise
        return ended


class RankServer:
    """The vLLM server of a rank, with all processes that it starts."""

    def __init__(self, settings: GrpoRunSettings, place: SamplerPlace):
        import torch

        chat = chat_format_of(settings.data, policy.load_tokenizer(settings.model))
        positions = getattr(policy.load_config(settings.model).get_text_config(), "max_position_embeddings", None)
        longest = min(settings.batch.max_length, positions or settings.batch.max_length)
        model = local_model(settings.model, settings.rollout, chat, longest)
        host = LOOPBACK if on_one_node() else own_address(f"http://{os.environ['MASTER_ADDR']}")
        port = free_port()
        backend = NCCL_BACKEND if torch.cuda.is_available() else HTTP_BACKEND
        self.url = f"http://{host}:{port}/v1"
        module = "libra_cli.engines.vllm_serving"
        self._words = python_command(f"from {module} import main; main()", spelled(model, backend, host, port))
        self._environment = {**serving_environment(os.environ), **_devices(place)}
        self._process: subprocess.Popen[bytes] | None = None
        self._log = Path()

    def start(self, stack: ExitStack) -> None:
        """Starts the server, unless it was started; the end of `stack` ends it."""
        if self._process is None:
            log, path = tempfile.mkstemp(".log", "libra-sampler-")
            self._log = Path(path)
            self._process = start_guarded(self._words, self._environment, log)
            os.close(log)
            stack.push(self._end)

    def _end(self, kind: type[BaseException] | None, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):  # a driver that hangs can hold it forever
            self._process.wait(END_SECONDS)
        if kind is None:
            self._log.unlink(missing_ok=True)

    def answers(self) -> bool:
        """Whether the server is up."""
        try:
            with _OPENER.open(self.url.removesuffix("/v1") + "/health", timeout=5):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def refuse_ended(self, stop: StopRequest) -> None:
        """Raises Fatal, with the last words of the server, if it has ended and nobody has asked for that."""
        assert self._process is not None
        status = self._process.poll()
        if status is None or stop.status is not None:
            return
        words = cause_in(self._log.read_text("utf-8", "replace"))
        if status == Exit.USAGE:  # so vLLM's own command line ends
            raise Fatal(Exit.USAGE, f"vLLM does not take its arguments ({words}); see --sampler-arg")
        what = f"its vLLM server ended with status {status} ({words})"
        raise Fatal(Exit.BACKEND, f"{what}; see {self._log}; the same command continues")


def cause_in(log: str) -> str:
    """The line of a server's log that says why it ended: the first error, or else the last lines.

    The last lines of vLLM often refer to a cause "above", that of a process below.
    """
    said = [line.strip() for line in log.split("\n") if line.strip()]
    causes = [line for line in said if "Error: " in line or " error: " in line]
    return " | ".join(causes[:1] or said[-_TAIL_LINES:])


def _devices(place: SamplerPlace) -> dict[str, str]:
    """The variable that shows a server its own GPUs only; none without GPUs. Raises Fatal(2) if there are too few."""
    count = visible_devices(os.environ)
    if not count:
        return {}
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = chosen.split(",")[:count] if chosen else [str(number) for number in range(count)]
    own = names[place.first_device : place.first_device + place.devices]
    if len(own) < place.devices:
        what = f"rank {place.rank} needs {place.devices} GPUs for its server from number {place.first_device} on"
        raise Fatal(Exit.USAGE, f"{what}, and sees {count}; show each task all GPUs of its node (srun --gpu-bind=none)")
    return {"CUDA_VISIBLE_DEVICES": ",".join(own)}
