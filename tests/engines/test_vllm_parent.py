"""vLLM's processes end with the one that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import psutil
import pytest
from launched_ranks import at_work, environment, until

from libra_cli import miniature
from libra_cli.engines.vllm_parent import VARIABLE, end_with_parent

PARENT = """
import multiprocessing, sys, time
from libra_cli.engines.vllm_parent import end_with_parent

def engine():
    end_with_parent()
    print("up", flush=True)
    time.sleep(600)

if __name__ == "__main__":
    multiprocessing.get_context(sys.argv[1]).Process(target=engine).start()
    time.sleep(600)
"""


@pytest.mark.parametrize(("method", "asked"), [("fork", True), ("spawn", True), ("fork", False)])
def test_a_process_ends_with_its_parent_if_libra_is_at_the_top(tmp_path: Path, method: str, asked: bool) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    env = environment(tmp_path) | ({VARIABLE: "1"} if asked else {})
    words = [sys.executable, str(tmp_path / "parent.py"), method]
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        parent.kill()
    assert until(lambda: not at_work(tmp_path), 20 if asked else 0.5) == asked
    for left in at_work(tmp_path):
        left.kill()


def test_vllm_is_told_to_call_it() -> None:
    [plugin] = entry_points(group="vllm.general_plugins", name="libra")
    assert plugin.load() is end_with_parent


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_real_engine_ends_with_its_parent(tmp_path: Path) -> None:
    """Its guard is killed beforehand."""
    pytest.importorskip("vllm")
    model, part = str(miniature.resolve("libra-mini/weak")), tmp_path / "out.jsonl.part"
    (tmp_path / "problems.jsonl").write_text('{"question": "What is 3+4*5?"}\n')
    words = ["rollout", "--engine", "vllm", "--model", model, "-n", "100000", "--max-tokens", "64"]
    env = environment(tmp_path) | {"VLLM_ENABLE_V1_MULTIPROCESSING": "1"}
    command = [sys.executable, "-m", "libra_cli", *words, "-o", part.stem, "problems.jsonl"]
    with subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE) as process:
        assert until(lambda: process.poll() is not None or (part.exists() and part.stat().st_size > 0), 240)
        assert process.poll() is None, process.communicate()
        below = psutil.Process(process.pid).children()
        assert [each for each in below if "EngineCore" in " ".join(each.cmdline())]
        for guard in [each for each in below if "libra-guard" in each.cmdline()]:
            os.kill(guard.pid, signal.SIGKILL)
        process.kill()
    until(lambda: not at_work(tmp_path), 30)
    left = at_work(tmp_path)
    for each in left:
        each.kill()
    assert not left
