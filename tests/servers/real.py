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
from contextlib import contextmanager
from pathlib import Path

from servers.scripted import unused_port

START_SECONDS = 240
# One process, one thread, no compiler: what starts fastest. OpenMP threads that spin would take the other core.
ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0", "OMP_NUM_THREADS": "1", "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1",
}  # fmt: skip
# With chunked prefill a request that has its own seed breaks vLLM 0.32 on a CPU.
ARGUMENTS = [
    "--distributed-executor-backend", "uni", "--enforce-eager", "--no-enable-chunked-prefill",
    "--max-num-batched-tokens", "2048", "--kv-cache-memory-bytes", str(64 << 20), "--disable-uvicorn-access-log",
]  # fmt: skip


@contextmanager
def vllm_server(model: Path, name: str, log: Path, environment: Mapping[str, str], *more: str) -> Iterator[str]:
    """Serves the model in the directory `model` as `name`; yields its base URL once it answers."""
    port = unused_port()
    words = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model)]
    words += ["--served-model-name", name, "--host", "127.0.0.1", "--port", str(port), *ARGUMENTS, *more]
    with log.open("wb") as file:
        env = {**environment, **ENVIRONMENT}
        process = subprocess.Popen(words, env=env, stdout=file, stderr=file, start_new_session=True)
    try:
        _wait(process, f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
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
