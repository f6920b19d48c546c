"""A real vLLM server on a CPU, for tests that need its real behaviour."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from libra_cli.engines.vllm_parent import VARIABLE
from libra_cli.exits import die_with_parent
from servers.scripted import unused_port

START_SECONDS = 240
# One process, one thread, no compiler: what starts fastest. OpenMP threads that spin would take the other core.
ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0", "OMP_NUM_THREADS": "1", "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1", VARIABLE: "1",
}  # fmt: skip
# With chunked prefill a request that has its own seed breaks vLLM 0.32 on a CPU.
ARGUMENTS = [
    "--distributed-executor-backend", "uni", "--enforce-eager", "--no-enable-chunked-prefill",
    "--max-num-batched-tokens", "2048", "--kv-cache-memory-bytes", str(64 << 20), "--disable-uvicorn-access-log",
]  # fmt: skip


SAMPLING = [
    "--generation-config", "vllm", "--logprobs-mode", "processed_logprobs", "--weight-transfer-config",
    '{"backend": "libra"}', "--worker-extension-cls", "libra_cli.engines.vllm_weight_receiver.WorkerExtension",
]  # fmt: skip
"""With VLLM_SERVER_DEV_MODE=1: what a server needs to sample for a trainer without GPU."""


@contextmanager
def vllm_server(model: Path, name: str, log: Path, environment: Mapping[str, str], *more: str) -> Iterator[str]:
    """Serves the model in the directory `model` as `name`; yields its base URL once it answers."""
    with vllm_process(model, name, log, environment, *more) as (url, _):
        yield url


@contextmanager
def sampling_server(
    model: Path, name: str, log: Path, environment: Mapping[str, str], *more: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serves a model as the sampler of a trainer; yields base URL and process."""
    env = {**environment, "VLLM_SERVER_DEV_MODE": "1"}
    with vllm_process(model, name, log, env, *SAMPLING, *more) as served:
        yield served


@contextmanager
def vllm_process(
    model: Path, name: str, log: Path, environment: Mapping[str, str], *more: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """As `vllm_server`; yields base URL and process, which leads a process group, and ends with this one."""
    port = unused_port()
    words = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model)]
    words += ["--served-model-name", name, "--host", "127.0.0.1", "--port", str(port), *ARGUMENTS, *more]
    tests = os.getpid()
    with log.open("wb") as file:
        process = subprocess.Popen(
            words,
            env={**environment, **ENVIRONMENT},
            stdout=file,
            stderr=file,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(tests),
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}/v1", process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # all of them: its workers outlive it
        process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"vLLM does not answer: {log.read_text(errors='replace')[-3000:]}") from error
        time.sleep(0.2)
