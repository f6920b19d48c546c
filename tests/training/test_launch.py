"""The launcher of the trainers: which rank a process is, and what becomes of the ranks that it starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import psutil
import pytest
import thinned

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.signals import ECHO_SECONDS
from libra_cli.training.distributed.launch import (
    LOOPBACK,
    PORTS,
    RankPlacement,
    first_host,
    placement_of,
    threads,
    visible_devices,
)

LAUNCHED = str(Path(__file__).parents[1] / "helpers" / "launched.py")
PATIENCE = 60.0

# -- which rank a process is ----------------------------------------------------------------------------------------

STEP = {
    "SLURM_JOB_ID": "41",
    "SLURM_STEP_ID": "2",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_STEP_NODELIST": "localhost,gpu[03-04]",
}
PER_NODE = {**STEP, "SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_TASKS_PER_NODE": "1(x2)", "SLURM_LOCALID": "0"}
PER_GPU = {**STEP, "SLURM_STEP_NUM_TASKS": "5", "SLURM_STEP_TASKS_PER_NODE": "3,2"}
MORE = tuple(PORTS[41 * 7 + 2 + 1009 * each] for each in range(1, 8))
MEETING = ("localhost", PORTS[41 * 7 + 2], MORE, "41.2.0")
OTHERS = {"MASTER_ADDR": "head", "MASTER_PORT": "29500"}
BATCH = {"SLURM_JOB_ID": "41", "SLURM_NTASKS": "8", "SLURM_PROCID": "0", "SLURM_NODEID": "0", "SLURM_LOCALID": "0"}

PLACES = {
    "torchrun": (
        {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4", **OTHERS},
        RankPlacement(5, 1, 8, 1, 4, "head", 29500),
    ),
    "torchrun inside a step of Slurm": (
        {**PER_NODE, "SLURM_PROCID": "1", "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", **OTHERS},
        RankPlacement(3, 1, 4, 1, 1, "head", 29500),
    ),
    "Kubernetes, one pod a rank": (
        {"RANK": "1", "WORLD_SIZE": "2", **OTHERS},
        RankPlacement(1, 1, 2, 0, 1, "head", 29500),
    ),
    "a task for each node, the first": ({**PER_NODE, "SLURM_PROCID": "0"}, RankPlacement(0, 2, 4, 0, 2, *MEETING)),
    "a task for each node, the second": ({**PER_NODE, "SLURM_PROCID": "1"}, RankPlacement(2, 2, 4, 0, 2, *MEETING)),
    "a task for each GPU": (
        {**PER_GPU, "SLURM_PROCID": "4", "SLURM_LOCALID": "1", "SLURM_NODEID": "1"},
        RankPlacement(4, 1, 5, 1, 2, *MEETING),
    ),
    "tasks on one node": (
        {**PER_GPU, "SLURM_STEP_NUM_NODES": "1", "SLURM_STEP_TASKS_PER_NODE": "5", "SLURM_PROCID": "3",
         "SLURM_LOCALID": "3", "SLURM_NODEID": "0"},
        RankPlacement(3, 1, 5, 3, 5, LOOPBACK, *MEETING[1:]),
    ),
    "where the user says that ranks meet": (
        {**PER_NODE, "SLURM_PROCID": "1", "SLURM_RESTART_COUNT": "3", **OTHERS},
        RankPlacement(2, 2, 4, 0, 2, "head", 29500, (), "41.2.3"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", PLACES)
def test_the_environment_says_which_rank_this_is(kind):
    environment, expected = PLACES[kind]
    assert placement_of(environment, 2) == expected


@pytest.mark.parametrize(
    "environment",
    [{}, BATCH, {"RANK": "1"}, {**STEP, "SLURM_STEP_NUM_NODES": "1", "SLURM_STEP_NUM_TASKS": "1"}],
    ids=["a shell", "a batch script of 8 tasks", "a stray RANK", "an interactive step"],
)
@pytest.mark.parametrize("nproc", [1, 4])
def test_elsewhere_all_ranks_are_on_this_machine(environment, nproc):
    placement = placement_of(environment, nproc)
    own = placement.port, placement.others, placement.token
    assert placement == RankPlacement(0, nproc, nproc, 0, nproc, LOOPBACK, *own)
    assert len({port for port in (placement.port, *placement.others) if port > 1023}) == 3


def test_a_task_that_sees_one_gpu_uses_it(gpus):
    task = {**PER_GPU, "SLURM_PROCID": "4", "SLURM_LOCALID": "1", "SLURM_NODEID": "1", "PATH": gpus(4)}
    assert placement_of(task, None).local == 1
    assert placement_of({**task, "CUDA_VISIBLE_DEVICES": "1"}, None).local == 0


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"RANK": "1", "WORLD_SIZE": "2"}, "MASTER_ADDR"),
        ({"RANK": "2", "WORLD_SIZE": "2", **OTHERS}, "RANK=2"),
        ({"RANK": "first", "WORLD_SIZE": "2", **OTHERS}, "RANK is 'first'"),
        ({"RANK": "0", "WORLD_SIZE": "2", **OTHERS, "MASTER_PORT": "http"}, "MASTER_PORT is 'http'"),
        ({**PER_NODE, "SLURM_PROCID": "0", "SLURM_STEP_NODELIST": "no-such-node[1-2]"}, "no-such-node1"),
        (PER_NODE, "SLURM_PROCID"),
    ],
)
def test_an_environment_that_contradicts_itself_is_refused(environment, named):
    with pytest.raises(Fatal, match=named) as refused:
        placement_of(environment, 2)
    assert refused.value.status == Exit.USAGE


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("gpu7", "gpu7"),
        ("gpu7,gpu9", "gpu7"),
        ("gpu[07-11,3]", "gpu07"),
        ("gpu[12]-ib,login", "gpu12-ib"),
        ("gpu[4,9],login", "gpu4"),
        ("rack[0-3]n[2,5-6],login[1-2]", "rack0n2"),
    ],
)
def test_the_first_host_of_a_node_list(nodes, first):
    assert first_host(nodes) == first


@pytest.fixture
def gpus(tmp_path) -> Callable[[int], str]:
    """`gpus(n)` is a PATH with an nvidia-smi that lists n of them, the last divided into two instances."""

    def path(count: int) -> str:
        lines = [f"GPU {n}: NVIDIA H100 (UUID: GPU-{n})" for n in range(count)]
        tool = tmp_path / f"gpus{count}" / "nvidia-smi"
        tool.parent.mkdir()
        tool.write_text("#!/bin/sh\ncat <<END\n" + "\n".join([*lines, *["  MIG 1g.10gb Device"] * 2]) + "\nEND\n")
        tool.chmod(0o755)
        return f"{tool.parent}{os.pathsep}{os.environ['PATH']}"

    return path


@pytest.mark.parametrize(
    ("chosen", "count"),
    [(None, 4), ("", 0), ("-1", 0), ("2", 1), ("0,3", 2), ("0, 1 ,2", 3), ("1,-1,2", 1), ("GPU-1,GPU-2", 2)],
)
def test_visible_devices_are_counted(gpus, chosen, count):
    environment = {"PATH": gpus(4)} | ({} if chosen is None else {"CUDA_VISIBLE_DEVICES": chosen})
    assert visible_devices(environment) == count
    assert placement_of(environment, None).count == max(1, count)


def test_cores_are_shared_by_the_ranks_of_a_node():
    placement = RankPlacement(0, 2, 4, 0, 2, LOOPBACK, 1)
    cores = len(os.sched_getaffinity(0))
    assert threads({}, placement) == max(1, cores // 2)
    assert threads({"SLURM_CPUS_PER_TASK": "12", "SLURM_STEP_ID": "0"}, placement) == 6
    assert threads({"SLURM_CPUS_PER_TASK": "12"}, placement) == max(1, cores // 2)  # a batch script has all of the node


# -- the ranks that it starts ---------------------------------------------------------------------------------------

Launch = Callable[..., subprocess.Popen]


@pytest.fixture
def launch(environment, tmp_path) -> Iterator[Launch]:
    """`launch(behaviour, nproc, grace, *words)` starts launched.py; nothing of it is left behind."""
    started: list[psutil.Process] = []

    def begin(
        *words: object, under: tuple[str, ...] = (), env: Mapping[str, str] = MappingProxyType({}), **popen
    ) -> subprocess.Popen:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        command = [*under, sys.executable, LAUNCHED, *map(str, words)]
        process = subprocess.Popen(command, cwd=tmp_path, env={**environment, **env}, text=True, **(pipes | popen))
        started.append(psutil.Process(process.pid))
        return process

    yield begin
    left = [psutil.Process(int(path.read_text())) for path in tmp_path.glob("ready.*") if is_alive(path)]
    for process in [*started, *left]:
        if process.is_running():
            process.kill()
    assert not left


def is_alive(ready: Path) -> bool:
    """Whether the rank that wrote `ready` still runs."""
    pid = int(ready.read_text())
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.05)


def all_ready(folder: Path, count: int, mark: str = "ready") -> None:
    wait_for(lambda: len([path for path in folder.glob(f"{mark}.*") if path.stat().st_size]) == count, mark)


@pytest.mark.parametrize("nproc", [2, thinned.slow(4)])
def test_ranks_find_each_other(shell, nproc):
    ended = shell([sys.executable, LAUNCHED, "reduce", str(nproc), "20"])
    assert ended.status == 0, ended.err.decode()
    assert ended.out.decode() == f"{nproc} ranks: {nproc * (nproc - 1) // 2}\n"


def test_rank_0_has_the_streams_and_the_others_speak_on_stderr(shell, environment):
    # The same interpreter, options and all; a PATH without this environment's scripts gets them.
    ended = shell([sys.executable, "-X", "utf8", LAUNCHED, "show", "3", "20"], input=b"rows\n", env={"PATH": "/bin"})
    assert ended.status == 0
    first = json.loads(ended.out)
    others = dict(line.split("] ", 1) for line in ended.err.decode().splitlines())
    shown = [first, *(json.loads(others[f"[rank {rank}"]) for rank in (1, 2))]
    assert [(each["RANK"], each["LOCAL_RANK"]) for each in shown] == [("0", "0"), ("1", "1"), ("2", "2")]
    assert [each["stdin"] for each in shown] == ["rows\n", "", ""]
    assert all(each["utf8"] == 1 and each["path"].split(":")[0] == str(Path(sys.executable).parent) for each in shown)
    same = [{name: each[name] for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")}
            for each in shown]  # fmt: skip
    assert same == [{**same[0], "WORLD_SIZE": "3", "LOCAL_WORLD_SIZE": "3"}] * 3


def test_rank_0_reads_what_a_shell_substitutes(shell):
    ended = shell(f"{sys.executable} {LAUNCHED} show 2 20 <(echo rows)")
    assert ended.status == 0, ended.err.decode()
    assert json.loads(ended.out)["stdin"] == "rows\n"


def test_one_rank_is_this_process_itself(launch, tmp_path):
    process = launch("stop", 1, 20, 0)
    all_ready(tmp_path, 1)
    assert (tmp_path / "ready.0").read_text() == str(process.pid)
    process.send_signal(signal.SIGUSR1)
    assert process.wait(PATIENCE) == 75


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["0", "0", "0"], 0, None),
        (["0", "3", "0"], 3, None),
        (["hang", "7", "hang"], 7, "rank 1 on {} ended with status 7; the others on this host are ended"),
        (["hang", "0", "SIGSEGV"], 139, "rank 2 on {} was killed by SIGSEGV"),
        (["SIGKILL", "hang", "0"], 137, "rank 0 on {} was killed by SIGKILL (out of memory?"),
        (["1,5", "9", "2,4"], 9, "rank 1 on {} ended with status 9"),
        (["141", "hang", "0"], 141, None),
    ],
)
def test_the_first_failure_ends_all_and_is_the_status(launch, words, status, said):
    process = launch("end", len(words), 20, *words)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (status, "")
    lines = [line for line in err.splitlines() if line.startswith("libra: ")]
    assert len(lines) == (0 if said is None else 1)
    assert said is None or said.format(os.uname().nodename) in lines[0]


@pytest.mark.parametrize(
    ("sent", "told", "status"),
    [
        ("SIGTERM", "SIGTERM", 143),
        ("SIGUSR1", "SIGUSR1", 75),
        ("SIGUSR2", "SIGUSR1", 75),
        ("SIGINT", "SIGTERM", 130),
        ("SIGHUP", "SIGTERM", 129),
    ],
)
def test_a_request_to_stop_reaches_each_rank_once_and_waits_for_what_they_save(launch, tmp_path, sent, told, status):
    process = launch("stop", 3, 20, 1)
    all_ready(tmp_path, 3)
    process.send_signal(signal.Signals[sent])
    assert process.wait(PATIENCE) == status
    assert [(tmp_path / f"saved.{rank}").read_text() for rank in range(3)] == [told] * 3
    assert "rank" not in process.stderr.read()


def test_a_request_to_the_whole_group_is_no_second_one(launch, tmp_path):
    process = launch("stop", 2, 20, 1, start_new_session=True)
    all_ready(tmp_path, 2)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, and Slurm
    assert process.wait(PATIENCE) == 130
    assert [(tmp_path / f"saved.{rank}").read_text() for rank in range(2)] == ["SIGTERM"] * 2


def test_a_request_that_comes_while_ranks_start_is_kept(launch, tmp_path):
    process = launch("late", 2, 20, 0)
    wait_for(lambda: len(list(tmp_path.glob("begun.*"))) == 2, "both have begun")
    process.send_signal(signal.SIGUSR1)
    assert process.wait(PATIENCE) == 75
    assert "rank" not in process.stderr.read()


@pytest.mark.parametrize("nproc", [1, 2])
@pytest.mark.parametrize(("sent", "status"), [("SIGTERM", 143), ("SIGUSR1", 75), ("SIGINT", 130)])
def test_a_request_that_comes_while_torch_loads_is_obeyed_at_once(launch, tmp_path, nproc, sent, status):
    process = launch("load", nproc, 20)
    all_ready(tmp_path, nproc)
    process.send_signal(signal.Signals[sent])
    assert process.wait(PATIENCE) == (status if sent != "SIGINT" or nproc > 1 else -signal.SIGINT)  # as any script's
    assert "rank" not in process.stderr.read()


@pytest.mark.parametrize("nproc", [1, 2])
@pytest.mark.parametrize(("sent", "status"), [("SIGTERM", 143), ("SIGUSR1", 75)])
def test_a_request_that_comes_in_compiled_code_is_obeyed_at_once(launch, tmp_path, nproc, sent, status):
    process = launch("compute", nproc, 60)
    all_ready(tmp_path, nproc)
    process.send_signal(signal.Signals[sent])
    assert process.wait(PATIENCE) == status
    assert "rank" not in process.stderr.read()


def test_a_rank_that_does_not_stop_is_killed(launch, tmp_path):
    process = launch("end", 2, 0.5, "hang", "hang")
    all_ready(tmp_path, 2)
    process.send_signal(signal.SIGUSR1)
    assert process.wait(PATIENCE) == 75
    assert "did not stop: rank 0, rank 1" in process.stderr.read()


def test_the_second_interrupt_does_not_wait(launch, tmp_path):
    process = launch("stop", 2, 600, 600)
    all_ready(tmp_path, 2)
    process.send_signal(signal.SIGINT)
    assert "Ctrl-C again stops at once" in process.stderr.readline()
    time.sleep(ECHO_SECONDS)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert not list(tmp_path.glob("saved.*"))


def test_an_interrupt_that_is_passed_on_as_well_is_no_second_one(launch, tmp_path):
    process = launch("stop", 2, 60, 1, env={"ECHO_SECONDS": "600"})
    all_ready(tmp_path, 2)
    process.send_signal(signal.SIGINT)
    assert "Ctrl-C again stops at once" in process.stderr.readline()
    process.send_signal(signal.SIGINT)  # as timeout does, which has had the terminal's, too
    assert process.wait(PATIENCE) == 130
    assert [(tmp_path / f"saved.{rank}").read_text() for rank in range(2)] == ["SIGTERM"] * 2


def test_ranks_may_agree_to_stop_without_the_launcher(launch, tmp_path):
    process = launch("stop", 2, 20, 1)
    all_ready(tmp_path, 2)
    for rank in range(2):
        os.kill(int((tmp_path / f"ready.{rank}").read_text()), signal.SIGUSR1)
    assert process.wait(PATIENCE) == 75
    assert "rank" not in process.stderr.read()


@pytest.mark.parametrize("first", [0, thinned.slow(1)])
def test_a_rank_whose_peer_stops_before_it_is_asked_itself_stops_likewise(launch, tmp_path, first):
    """It loses the connection to that rank first, and its launcher asks it once that rank has ended."""
    process = launch("prepare", 2, 20)
    all_ready(tmp_path, 2)
    os.kill(int((tmp_path / f"ready.{first}").read_text()), signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143, err
    assert "Traceback" not in err
    assert "ended with status" not in err


def test_what_was_ignored_stays_ignored(launch, tmp_path):
    process = launch("stop", 2, 20, 0, under=("bash", "-c", 'trap "" HUP TERM; exec "$@"', "-"))
    all_ready(tmp_path, 2)
    for number in (signal.SIGHUP, signal.SIGTERM):
        process.send_signal(number)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.send_signal(signal.SIGUSR1)
    assert process.wait(PATIENCE) == 75


def test_ranks_end_with_a_launcher_that_is_killed(launch, tmp_path):
    process = launch("end", 2, 20, "hang", "hang")
    all_ready(tmp_path, 2)
    process.kill()
    process.wait()
    wait_for(lambda: not any(is_alive(path) for path in tmp_path.glob("ready.*")), "the ranks have ended")
