"""A command that starts itself as ranks: `launched.py BEHAVIOUR NPROC GRACE [WORD]...`, for tests of the launcher."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path

STATUS = {signal.SIGTERM: 143, signal.SIGUSR1: 75}


def main() -> int:
    from libra_cli.exits import Fatal
    from libra_cli.stream import signals
    from libra_cli.training.distributed import meeting
    from libra_cli.training.distributed.launch import relaunch
    from libra_cli.training.distributed.processes import LAUNCHER

    for name in ("BUSY_SECONDS", "MEETING_SECONDS"):
        setattr(meeting, name, float(os.environ.get(name, getattr(meeting, name))))
    signals.ECHO_SECONDS = float(os.environ.get("ECHO_SECONDS", signals.ECHO_SECONDS))
    behaviour, nproc, grace, *words = sys.argv[1:]
    if behaviour == "late" and LAUNCHER in os.environ:
        Path(f"begun.{os.environ['RANK']}").touch()
        time.sleep(1)
    status = relaunch(int(nproc) if nproc != "all" else None, float(grace))
    try:
        return BEHAVIOURS[behaviour](int(os.environ["RANK"]), words) if status is None else status
    except Fatal as failure:
        print(failure, file=sys.stderr)
        return int(failure.status)


def show(rank: int, words: list[str]) -> int:
    """Says on standard output what it was given: standard input or, on rank 0, the file that the first word names."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "OMP_NUM_THREADS")
    given = Path(words[0]).read_text() if words and rank == 0 else sys.stdin.read()
    shown = {name: os.environ[name] for name in names}
    print(json.dumps({**shown, "stdin": given, "utf8": sys.flags.utf8_mode, "path": os.environ["PATH"]}))
    return 0


def reduce(rank: int, _words: list[str]) -> int:
    """Meets the other ranks, and adds up rank numbers with torch; rank 0 says the sum."""
    import torch
    import torch.distributed as dist

    from libra_cli.training.distributed.meeting import meet

    meet()
    dist.init_process_group("gloo")
    total = torch.tensor([float(rank)])
    dist.all_reduce(total)
    if rank == 0:
        print(f"{dist.get_world_size()} ranks: {total.item():g}", flush=True)
    dist.destroy_process_group()
    return 0


def end(rank: int, words: list[str]) -> int:
    """Ends as the word for this rank says: a status, the name of a signal, or `hang`; `2,9` is after two seconds."""
    seconds, _, how = words[rank].rpartition(",")
    time.sleep(float(seconds or 0))
    if how == "hang":
        for number in STATUS:
            signal.signal(number, signal.SIG_IGN)
        Path(f"ready.{rank}").write_text(str(os.getpid()))
        time.sleep(600)
    if how.startswith("SIG"):
        os.kill(os.getpid(), signal.Signals[how])
        time.sleep(60)
    return int(how)


def load(rank: int, _words: list[str]) -> int:
    """Is not yet ready to be asked anything."""
    Path(f"ready.{rank}").write_text(str(os.getpid()))
    time.sleep(600)
    return 0


def compute(rank: int, _words: list[str]) -> int:
    """Is in compiled code, which never looks whether a signal has come."""
    Path(f"ready.{rank}").write_text(str(os.getpid()))
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
    return 0


def stop(rank: int, words: list[str]) -> int:
    """Works until it is asked to stop, then takes the seconds of the first word to save; notes every request."""
    asked: list[int] = []
    for number in STATUS:
        signal.signal(number, lambda came, _frame: asked.append(came))
    Path(f"ready.{rank}").write_text(str(os.getpid()))
    while not asked:
        time.sleep(0.05)
    end = time.monotonic() + float(words[0])
    while time.monotonic() < end:
        time.sleep(0.05)
    Path(f"saved.{rank}").write_text(" ".join(signal.Signals(number).name for number in asked))
    return STATUS[signal.Signals(asked[0])]


def prepare(rank: int, _words: list[str]) -> int:
    """Prepares a training run: rank 0 takes its time, and the others wait for it in a collective."""
    from libra_cli.stream.console import Console
    from libra_cli.stream.monitor import Monitor
    from libra_cli.stream.signals import StopRequest, leave
    from libra_cli.training.distributed.world import World
    from libra_cli.training.monitoring.phase import Phase

    with StopRequest("sft", 20, 20, says=rank == 0) as stop, World() as world:
        phase = Phase(Console("sft", quiet=rank > 0))
        monitor = Monitor(stop, phase.show)
        phase.begin("reading the samples")

        def prepared() -> bool:
            Path(f"ready.{rank}").write_text(str(os.getpid()))
            world.on_rank0(lambda: time.sleep(600))
            return True

        phase.unless_stopped(stop, world, prepared)
        monitor.close()
        leave(stop.status or 0)


def watched(rank: int, words: list[str]) -> int:
    """Trains, as far as other ranks see: `watched SILENCE SECONDS [HOW]` reduces in turns for so many seconds.

    With HOW, rank 1 takes all of them for one turn (`slow`), or fails in the first (`fails`), or stops before the
    ranks have connected (`early`).
    """
    import torch
    import torch.distributed as dist

    from libra_cli.training.distributed import rank_watch
    from libra_cli.training.distributed.meeting import meet

    meet()
    rank_watch.SILENCE, seconds, how = float(words[0]), float(words[1]), (words[2:] or [""])[0]
    with rank_watch.RankWatch(rank, int(os.environ["WORLD_SIZE"]), "sft") as watch:
        if how == "early":
            Path(f"ready.{rank}").write_text(str(os.getpid()))
            if rank == 1:
                os.kill(os.getpid(), signal.SIGSTOP)
        dist.init_process_group("gloo")
        watch.connected()
        Path(f"ready.{rank}").write_text(str(os.getpid()))
        end = time.monotonic() + seconds
        try:
            while True:
                if rank == 1 and how:
                    if how == "fails":
                        raise ValueError("no such weight")
                    time.sleep(seconds)
                total = torch.tensor([float(time.monotonic() < end)])
                dist.all_reduce(total)
                if not total.item():
                    return 0
                time.sleep(0.05)
        except RuntimeError as error:
            raise watch.cause_of(error) from error


BEHAVIOURS = {
    "show": show, "reduce": reduce, "end": end, "load": load, "compute": compute, "stop": stop, "late": stop,
    "prepare": prepare, "watched": watched,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
