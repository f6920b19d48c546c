"""`libra grpo --sampler-ranks`: which ranks sample, how all ranks end together, and what a lost one does to a run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from grpo_runs import COMMON, events, write_tasks
from launched_ranks import at_work, environment, start_ranks, until

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.module_path import libra_command
from libra_cli.training.distributed import sampler_ranks
from libra_cli.training.distributed.launch import free_port
from libra_cli.training.distributed.sampler_ranks import SamplerMember, SamplerPlace, SamplerRanks, hosting, take_role
from libra_cli.training.rollouts.rank_server import cause_in

STEPS = 20
LONG = ["--max-steps", str(STEPS), "--epochs", "9", "--save-every", "1"]
"""Options of a run that is long enough to be stopped."""

# -- roles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rank", "local", "on_node", "count", "tensor_parallel", "expected"),
    [
        (1, 1, 4, 1, 1, (3, 3)),  # of 4 ranks on a node 3 train
        (3, 3, 4, 1, 1, SamplerPlace(3, 0, 3, 1)),
        (2, 2, 4, 2, 2, SamplerPlace(2, 0, 2, 2)),
        (3, 3, 4, 2, 2, SamplerPlace(3, 1, 3, 0)),  # its device belongs to the server of rank 2
        (0, 0, 1, 3, 1, (1, 1)),  # one rank on each of 4 nodes
        (3, 0, 1, 3, 1, SamplerPlace(3, 2, 0, 1)),
        (1, 1, 2, 2, 1, (2, 2)),  # 2 ranks on each of 2 nodes, of which the second samples
        (2, 0, 2, 1, 1, (3, 1)),  # and where half of it does
    ],
)
def test_the_last_ranks_sample(rank, local, on_node, count, tensor_parallel, expected, monkeypatch) -> None:
    place = {"RANK": rank, "WORLD_SIZE": 4, "LOCAL_RANK": local, "LOCAL_WORLD_SIZE": on_node}
    for name, value in place.items():
        monkeypatch.setenv(name, str(value))
    role = take_role(count, tensor_parallel)
    trains = (int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"]))
    assert (trains if role is None else role) == expected
    assert (os.environ["RANK"], os.environ["LOCAL_RANK"]) == (str(rank), str(local))


def test_ranks_of_a_server_are_on_one_node(monkeypatch) -> None:
    for name, value in {"RANK": 1, "WORLD_SIZE": 3, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 1}.items():
        monkeypatch.setenv(name, str(value))
    with pytest.raises(Fatal, match="these ranks are not all on one node") as caught:
        take_role(2, 2)
    assert caught.value.status == Exit.USAGE


# -- what ranks tell each other -------------------------------------------------------------------------------------


@pytest.fixture
def meeting(monkeypatch) -> None:
    """The environment of rank 0 of two that train, where two more sample."""
    for name, value in {"RANK": 0, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}.items():
        monkeypatch.setenv(name, str(value))


def members() -> list[SamplerMember]:
    return [SamplerMember(SamplerPlace(2 + number, number, number, 1)) for number in range(2)]


@pytest.mark.usefixtures("meeting")
def test_rank_0_hears_where_servers_are_and_the_others_how_the_run_ended() -> None:
    sampling = members()
    assert [member.ended() for member in sampling] == [None, None]  # nobody is there yet
    assert not sampling[0].has_joined
    heard: list[Exit] = []

    def listen() -> None:
        for member in sampling:
            while (ended := member.ended()) is None:
                time.sleep(0.05)
            heard.append(ended)

    def train() -> Exit:
        ranks = SamplerRanks(2, 1)
        for number, member in enumerate(sampling):
            assert member.ended() is None
            member.serves(f"http://node{number}/v1")
        assert ranks.addresses() == ("http://node0/v1", "http://node1/v1")
        ranks.look()
        thread.start()
        return Exit.STOPPED

    thread = threading.Thread(target=listen)
    assert hosting(2, train) == Exit.STOPPED
    thread.join(60)
    assert heard == [Exit.STOPPED] * 2


@pytest.mark.usefixtures("meeting")
def test_a_sampling_rank_that_fails_or_is_silent_is_named(monkeypatch) -> None:
    monkeypatch.setattr(sampler_ranks, "LEAVE_SECONDS", 0)

    def train() -> Exit:
        first, second = members()
        ranks = SamplerRanks(2, 1)
        assert (first.ended(), second.ended()) == (None, None)
        ranks.look()
        monkeypatch.setattr(sampler_ranks, "SILENCE", -1.0)
        monkeypatch.setattr(sampler_ranks, "ALIVE_EVERY", 0.0)
        first.ended()
        with pytest.raises(Fatal, match="rank 3, which samples, is gone") as caught:
            ranks.look()
        assert caught.value.status == Exit.BACKEND
        second.failed(Fatal(Exit.USAGE, "too few devices"))
        with pytest.raises(Fatal, match="which samples: too few devices") as caught:
            ranks.addresses()
        assert caught.value.status == Exit.USAGE
        return Exit.DONE

    hosting(2, train)


@pytest.mark.usefixtures("meeting")
@pytest.mark.parametrize(("status", "said"), [(Exit.BACKEND, "its server ended"), (Exit.USAGE, "wrong rewards")])
def test_the_cause_of_a_server_that_is_missed_is_what_its_rank_says(status, said) -> None:
    def train() -> Exit:
        first, second = members()
        assert (first.ended(), second.ended()) == (None, None)
        first.failed(Fatal(Exit.BACKEND, "its server ended"))
        raise Fatal(status, "wrong rewards")

    with pytest.raises(Fatal, match=said):
        hosting(1, train)


# -- the server's processes -----------------------------------------------------------------------------------------

STUBBORN = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
SERVER = f"""
import subprocess, sys
worker = subprocess.Popen([sys.executable, "-c", {STUBBORN!r}], start_new_session=True)
worker.wait()
"""
RANK = f"""
import os, sys, time
from libra_cli.training.distributed.guard import start_guarded
guard = start_guarded([sys.executable, "-c", {SERVER!r}], os.environ, 1)
sys.stdin.read()
guard.stdin.close()
sys.exit(guard.wait())
"""


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A rank with a server whose worker ends by SIGKILL only; the rank ends its server at the end of its input."""
    words = [sys.executable, "-c", RANK]
    with subprocess.Popen(words, env=environment(tmp_path), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as rank:
        assert rank.stdout is not None
        assert rank.stdout.readline() == b"up\n"
        yield rank
        for process in at_work(tmp_path):
            process.kill()


def gone(folder: Path) -> bool:
    """Whether the processes of a run end; waits for that."""
    return until(lambda: not at_work(folder), 60)


def test_no_process_of_a_server_outlives_a_killed_rank(guarded, tmp_path) -> None:
    assert len(at_work(tmp_path)) == 4  # rank, guard, server, worker
    guarded.kill()
    assert gone(tmp_path)


def test_a_server_ends_with_a_killed_guard(guarded, tmp_path) -> None:
    """Its engine then ends with it (test_vllm_parent.py)."""
    [guard] = psutil.Process(guarded.pid).children()
    [server] = guard.children()
    guard.kill()
    assert until(lambda: server not in at_work(tmp_path), 20)


def test_a_server_ends_with_its_rank_and_not_by_signals_to_all_processes(guarded, tmp_path) -> None:
    below = [process for process in at_work(tmp_path) if process.pid != guarded.pid]
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
        for process in below:
            process.send_signal(number)
    time.sleep(1)
    assert [process.is_running() for process in below] == [True] * 3
    guarded.stdin.close()
    assert gone(tmp_path)
    assert guarded.wait() == 128 + signal.SIGINT  # the server's status


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("up\n[core.py:1] OSError: no room\n\nRuntimeError: See root cause above.\n", "[core.py:1] OSError: no room"),
        ("usage: server\nserver: error: unrecognized arguments: --x\n", "server: error: unrecognized arguments: --x"),
        ("one\ntwo\n three\n\nfour", "two | three | four"),  # it was killed
        ("", ""),
    ],
)
def test_the_cause_of_a_servers_end_is_in_its_log(log, cause) -> None:
    assert cause_in(log) == cause


# -- runs -----------------------------------------------------------------------------------------------------------

real = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(500), pytest.mark.xdist_group("vllm server")]


def marked(test: Callable[..., None]) -> Callable[..., None]:
    for mark in real:
        test = mark(test)
    return test


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run of two ranks that train and one that samples, after its first checkpoint."""
    pytest.importorskip("vllm")
    process = begin(tmp_path)
    assert process.stdout is not None
    while json.loads(process.stdout.readline())["event"] != "checkpoint":
        pass
    yield process
    process.kill()
    for left in at_work(tmp_path):
        left.kill()


def words_of(folder: Path, *more: str) -> list[str]:
    tasks = folder / "tasks.jsonl"
    if not tasks.exists():
        write_tasks(tasks)
    given = [*COMMON, *LONG, str(tasks), "-o", str(folder / "out"), "--sampler-ranks", "1", *more]
    return ["grpo", *given]


def begin(folder: Path, *more: str) -> subprocess.Popen[str]:
    words = libra_command(*words_of(folder, "--nproc", "3", *more))
    return subprocess.Popen(words, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def rank_of(run: subprocess.Popen[str], number: int) -> psutil.Process:
    ranks = psutil.Process(run.pid).children()
    return next(each for each in ranks if each.environ().get("RANK") == str(number))


def goes_on(folder: Path) -> None:
    """The same command continues to the end."""
    run = begin(folder)
    _, errors = run.communicate(timeout=200)
    assert run.returncode == 0, errors
    assert "continues after step" in errors
    learned = events(folder / "out" / "events.jsonl", "step")
    assert [step["step"] for step in learned] == [*range(1, STEPS + 1)]


@marked
def test_a_sampling_rank_that_is_killed_ends_the_run_which_goes_on(begun, tmp_path) -> None:
    rank_of(begun, 2).kill()
    _, errors = begun.communicate(timeout=60)
    assert begun.returncode == 137, errors
    assert "rank 2 on" in errors
    assert "was killed by SIGKILL" in errors
    assert gone(tmp_path)
    goes_on(tmp_path)


@marked
def test_a_training_rank_that_is_killed_ends_the_sampling_one(begun, tmp_path) -> None:
    rank_of(begun, 1).kill()
    _, errors = begun.communicate(timeout=60)
    assert begun.returncode == 137, errors
    assert "rank 1 on" in errors
    assert gone(tmp_path)


@marked
def test_a_server_that_dies_ends_the_run_with_its_last_words(begun, tmp_path) -> None:
    guard = rank_of(begun, 2).children()[0]
    for process in guard.children(recursive=True):
        process.kill()
    _, errors = begun.communicate(timeout=60)
    assert begun.returncode == Exit.BACKEND, errors
    assert "which samples: its vLLM server ended with status 137" in errors
    assert gone(tmp_path)


@marked
@pytest.mark.parametrize(("kind", "status"), [(signal.SIGTERM, Exit.TERMINATED), (signal.SIGUSR1, Exit.STOPPED)])
def test_a_run_that_is_asked_to_stop_saves_and_goes_on(kind, status, begun, tmp_path) -> None:
    server = rank_of(begun, 2).children(recursive=True)
    for process in [begun, *server]:  # Slurm sends it to all
        process.send_signal(kind)
    _, errors = begun.communicate(timeout=60)
    assert begun.returncode == status, errors
    assert "the same command continues" in errors
    assert "rank 2" not in errors
    assert gone(tmp_path)
    if kind == signal.SIGUSR1:
        goes_on(tmp_path)


@marked
def test_a_stop_before_the_server_is_up_does_not_wait_for_it(tmp_path) -> None:
    run = begin(tmp_path)
    assert until(lambda: list(tmp_path.glob("libra-sampler-*")), 100)
    run.terminate()
    _, errors = run.communicate(timeout=60)
    assert run.returncode == Exit.TERMINATED, errors
    assert "the same command" in errors
    assert not (tmp_path / "out" / "checkpoints").exists()
    assert gone(tmp_path)


@marked
def test_an_argument_that_vllm_does_not_know_is_named(tmp_path) -> None:
    run = begin(tmp_path, "--sampler-arg", "max_seqs=4")
    _, errors = run.communicate(timeout=100)
    assert run.returncode == Exit.USAGE, errors
    assert "unrecognized arguments: --max-seqs); see --sampler-arg" in errors
    assert gone(tmp_path)


@marked
def test_rank_0_finds_that_a_sampling_rank_is_gone_where_no_launcher_does(tmp_path) -> None:
    ranks = start_ranks(libra_command(*words_of(tmp_path)), 3, tmp_path)
    events_file = tmp_path / "out" / "events.jsonl"
    assert until(lambda: events_file.exists() and '"checkpoint"' in events_file.read_text(), 240)
    lost = psutil.Process(ranks[2].pid)
    lost.suspend()  # as if its node were lost
    for process in lost.children(recursive=True):
        process.kill()
    try:
        assert ranks[0].wait(60) == Exit.BACKEND
    finally:
        for rank in ranks:
            rank.kill()
    said = (tmp_path / "rank.0").read_text()
    assert "rank 2, which samples, is gone" in said or "/v1: " in said  # its server is missed first
    assert gone(tmp_path)


@marked
def test_torchrun_starts_ranks_that_sample(tmp_path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "3", "-m", "libra_cli"]
    words = [*torchrun, *words_of(tmp_path, "--max-steps", "4")]
    done = subprocess.run(words, env=environment(tmp_path), capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    assert [step["step"] for step in events(tmp_path / "out" / "events.jsonl", "step")] == [1, 2, 3, 4]
    assert gone(tmp_path)
