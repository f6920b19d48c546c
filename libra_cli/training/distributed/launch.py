"""Places this process among the ranks: one command serves one device, all devices of a node, and `srun` on many nodes.

A small launcher of our own, because torchrun kills its workers 30 s after SIGTERM, however long a checkpoint takes
(pytorch#119856; torch 2.13 passes SIGUSR1 on with --signals-to-handle). Under torchrun, deepspeed, accelerate and
Kubernetes this process is the rank that their environment variables say.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from glob import glob
from secrets import token_hex

from libra_cli.exits import Exit, Fatal, die_with_parent
from libra_cli.stream.signals import leave_when_asked
from libra_cli.training.distributed.meeting import MEETING
from libra_cli.training.distributed.processes import LAUNCHER, ONLY_TO_LAUNCHER, REQUESTS, run_ranks

LOOPBACK = "127.0.0.1"
PORTS = range(15000, 30000)
"""Ports at which the ranks of Slurm steps meet: below the range of outgoing connections."""
_TRIED, _STRIDE = 8, 1009
"""Ports of a step that rank 0 may open, and how far one is from the next: farther than those of a job's steps."""


@dataclass(frozen=True)
class RankPlacement:
    """The ranks that this process is or starts: `count` of `world`, from rank `first`, which is number `local` here."""

    first: int
    count: int
    world: int
    local: int
    on_node: int
    """Ranks on this node, including those that other processes start."""
    address: str
    port: int
    others: tuple[int, ...] = ()
    """Ports for rank 0 to open if another program has `port`; none if the user has set it."""
    token: str = ""
    """What the ranks of this launch know each other by."""

    def variables(self, index: int) -> dict[str, str]:
        """Environment variables of rank `first + index` that torch.distributed and DeepSpeed read."""
        return {
            "RANK": str(self.first + index),
            "WORLD_SIZE": str(self.world),
            "LOCAL_RANK": str(self.local + index),
            "LOCAL_WORLD_SIZE": str(self.on_node),
            "MASTER_ADDR": self.address,
            "MASTER_PORT": str(self.port),
            **({MEETING: f"{self.token}:{','.join(map(str, (self.port, *self.others)))}"} if self.token else {}),
        }


def relaunch(nproc: int | None, grace: float) -> int | None:
    """Makes this process a rank and returns None, or starts ranks and returns their exit status once all have ended.

    Ranks are this same command, started `nproc` times (None: once per visible GPU, or once without any); a rank has
    RANK, WORLD_SIZE, ... set. Ranks that are asked to stop have `grace` seconds. Must be called before torch is
    imported. Raises Fatal if the environment contradicts itself.
    """
    placement = placement_of(os.environ, nproc)
    # DeepSpeed builds its kernels with the ninja of this environment, even if that is not activated.
    scripts, path = os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)
    if path.split(os.pathsep)[0] != scripts:
        os.environ["PATH"] = scripts + os.pathsep + path
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # stderr belongs to the run
    os.environ.setdefault("OMP_NUM_THREADS", str(threads(os.environ, placement)))
    if placement.count > 1:
        return run_ranks([placement.variables(index) for index in range(placement.count)], grace)
    _become(placement)
    return None


def placement_of(environment: Mapping[str, str], nproc: int | None) -> RankPlacement:
    """The ranks of this process: one of another launcher, of a task of a Slurm step, or all on this node.

    SLURM_STEP_* identifies a step; SLURM_NTASKS is set in a batch script, too, which is one process.
    """
    if "RANK" in environment and "WORLD_SIZE" in environment:
        return _started_by_others(environment)
    tasks, nodes = (_number(environment, f"SLURM_STEP_NUM_{what}", 1) for what in ("TASKS", "NODES"))
    if tasks > nodes:
        return _slurm_task(environment, tasks, nodes)
    count = nproc or max(1, visible_devices(environment))
    if nodes > 1:
        node = _number(environment, "SLURM_PROCID")
        return RankPlacement(node * count, count, nodes * count, 0, count, *_meeting_point(environment, nodes))
    return RankPlacement(0, count, count, 0, count, LOOPBACK, free_port(), (free_port(), free_port()), token_hex(8))


def visible_devices(environment: Mapping[str, str]) -> int:
    """Number of NVIDIA GPUs that torch will see, without the seconds that importing torch takes."""
    if tool := shutil.which("nvidia-smi", path=environment.get("PATH")):
        listed = subprocess.run([tool, "-L"], capture_output=True, text=True, check=False).stdout
        present = len(re.findall(r"^GPU ", listed, re.MULTILINE))
    else:
        present = len(glob("/dev/nvidia[0-9]*"))
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is None or present == 0:
        return present
    valid = re.match(
        r"(\s*[A-Za-z0-9][^,]*(,|$))*", chosen
    )  # CUDA stops reading at the first invalid entry, such as -1
    return valid.group().strip(", ").count(",") + 1 if valid and valid.group().strip(", ") else 0


def first_host(nodes: str) -> str:
    """The first host of a node list as Slurm writes it: `gpu03` of `gpu[03-05,9],login1`."""
    hosts = re.match(r"(?:[^,\[]|\[[^\]]*\])+", nodes)
    return re.sub(r"\[([^\],-]+)[^\]]*\]", r"\1", hosts.group() if hosts else "")


def free_port() -> int:
    """A free port of this machine."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])


def threads(environment: Mapping[str, str], placement: RankPlacement) -> int:
    """Threads of a rank: its share of the cores of this process or Slurm task."""
    per_task = environment.get("SLURM_CPUS_PER_TASK")
    if per_task and "SLURM_STEP_ID" in environment:
        return max(1, _number(environment, "SLURM_CPUS_PER_TASK") // placement.count)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // placement.on_node)


def _started_by_others(environment: Mapping[str, str]) -> RankPlacement:
    rank, world = (_number(environment, name) for name in ("RANK", "WORLD_SIZE"))
    if not 0 <= rank < world:
        raise Fatal(
            Exit.USAGE, f"RANK={rank} with WORLD_SIZE={world}: ranks are 0 to WORLD_SIZE - 1; unset both to start here"
        )
    if world > 1 and not ("MASTER_ADDR" in environment and "MASTER_PORT" in environment):
        raise Fatal(
            Exit.USAGE,
            f"RANK and WORLD_SIZE={world} are set, MASTER_ADDR and MASTER_PORT are not: set them to where rank 0 runs, "
            "or unset RANK and WORLD_SIZE and let libra start the ranks (--nproc)",
        )
    local, on_node = _number(environment, "LOCAL_RANK", 0), _number(environment, "LOCAL_WORLD_SIZE", 1)
    port = _number(environment, "MASTER_PORT") if "MASTER_PORT" in environment else free_port()
    return RankPlacement(rank, 1, world, local, on_node, environment.get("MASTER_ADDR", LOOPBACK), port)


def _slurm_task(environment: Mapping[str, str], tasks: int, nodes: int) -> RankPlacement:
    """In a step with several tasks on a node, each task is one rank."""
    local, node = _number(environment, "SLURM_LOCALID"), _number(environment, "SLURM_NODEID")
    # "2(x3),1" means three nodes with two tasks each, then one with one.
    per_node = re.findall(r"(\d+)(?:\(x(\d+)\))?", environment.get("SLURM_STEP_TASKS_PER_NODE", str(tasks)))
    on_node = [int(count) for count, times in per_node for _ in range(int(times or 1))][node]
    devices = visible_devices(environment)
    if devices:
        local %= devices  # Slurm may bind each task to a GPU of its own, the only one that it sees
    rank = _number(environment, "SLURM_PROCID")
    return RankPlacement(rank, 1, tasks, local, on_node, *_meeting_point(environment, nodes))


def _meeting_point(environment: Mapping[str, str], nodes: int) -> tuple[str, int, tuple[int, ...], str]:
    """Where the ranks of a step meet, as in a RankPlacement, the same in all tasks; the user's own take precedence."""
    job, step = _number(environment, "SLURM_JOB_ID"), _number(environment, "SLURM_STEP_ID")
    ports = [PORTS[(job * 7 + step + each * _STRIDE) % len(PORTS)] for each in range(_TRIED)]
    if "MASTER_PORT" in environment:
        ports = [_number(environment, "MASTER_PORT")]
    token = f"{job}.{step}.{environment.get('SLURM_RESTART_COUNT', '0')}"
    return _first_address(environment, nodes), ports[0], tuple(ports[1:]), token


def _first_address(environment: Mapping[str, str], nodes: int) -> str:
    """The address of the first node of a step. Raises Fatal if nobody knows it."""
    if nodes == 1:
        return LOOPBACK
    if address := environment.get("MASTER_ADDR"):
        return address
    host = first_host(environment.get("SLURM_STEP_NODELIST", ""))
    try:
        socket.getaddrinfo(host, None)
    except OSError:  # its name does not resolve; Slurm may know its address
        if shutil.which("scontrol"):
            command = ["scontrol", "show", "node", "--oneliner", host]
            node = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            if match := re.search(r"\bNodeAddr=(\S+)", node):
                return match[1]
        raise Fatal(Exit.USAGE, f"the first node of this step, {host!r}, has no address: set MASTER_ADDR") from None
    return host


def _number(environment: Mapping[str, str], name: str, default: int | None = None) -> int:
    text = environment.get(name, "" if default is None else str(default))
    if not text.strip().isascii() or not text.strip().isdigit():
        raise Fatal(Exit.USAGE, f"{name} is {text!r} in the environment, a number is needed: correct it, or unset it")
    return int(text)


def _become(placement: RankPlacement) -> None:
    """Makes this process the rank. Only rank 0 reads standard input and writes to standard output."""
    os.environ.update(placement.variables(0))
    leave_when_asked()  # until the trainer has its own handlers, seconds later, there is nothing to save
    launcher = os.environ.pop(LAUNCHER, None)
    if launcher is not None:
        die_with_parent(int(launcher))
        for number in ONLY_TO_LAUNCHER:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, REQUESTS)
    if placement.first > 0:
        os.dup2(2, 1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
