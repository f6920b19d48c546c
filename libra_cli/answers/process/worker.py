"""Worker process that reads [reference, answer, soft limit], one JSON array per line, and writes [verdict, reason].

The first line that it writes holds its verdicts on the canary pairs, which also warm it up, or a string that says why
it cannot serve.

It runs in its own session with no environment, limited memory, no files and no children, and dies with the process
that started it, which enforces the hard limit. Both limits are CPU time, so that a pair gets the same verdict on a busy
and on an idle machine; the soft one needs no restart.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING

from libra_cli.answers.process import canary
from libra_cli.exits import die_with_parent

if TYPE_CHECKING:
    from libra_cli.answers.process.symbolic import Comparison

MEMORY_BYTES = 2 << 30
RECURSION = 2000
START_SECONDS = 120.0


class SoftTimeout(BaseException):
    """Raised at the soft limit. No Exception, because sympy and math-verify catch those."""


def main() -> None:
    """Serve pairs from standard input until it ends; argv[1] is the process id of the parent."""
    die_with_parent(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # keeps what a library prints out of the answers
    signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def time_out(_number: int, _frame: FrameType | None) -> None:
        raise SoftTimeout

    signal.signal(signal.SIGPROF, time_out)
    try:
        from libra_cli.answers.process.symbolic import Comparison
    except Exception as error:  # noqa: BLE001 -- the parent reports whatever is wrong with the installation
        answers.write(json.dumps(f"{type(error).__name__}: {error}").encode() + b"\n")
        return
    limit_resources()
    verdicts = [_decide(Comparison(), reference, answer, START_SECONDS)[0] for reference, answer, _ in canary.PAIRS]
    answers.write(json.dumps(verdicts).encode() + b"\n")
    for line in sys.stdin.buffer:
        answers.write(json.dumps(_decide(Comparison(), *json.loads(line))).encode() + b"\n")


def limit_resources() -> None:
    """Limit memory, and forbid files, children and core dumps; then the worst a pair can do is to take long."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setrecursionlimit(RECURSION)


def _decide(comparison: Comparison, reference: str, answer: str, soft: float) -> tuple[bool | None, str | None]:
    try:
        # Repeats every 0.1 s, because a `finally` or a callback in sympy may swallow the first signal.
        signal.setitimer(signal.ITIMER_PROF, soft, 0.1)
        try:
            verdict = comparison.decide(reference, answer)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except SoftTimeout:
        signal.setitimer(signal.ITIMER_PROF, 0)
        return None, "verify_timeout"
    except MemoryError:
        return None, "out_of_memory"
    except RecursionError:
        return None, "too_complex"
    except Exception:  # noqa: BLE001 -- sympy raises exceptions of any kind; each means undecided
        return None, "comparison_failed"
    return verdict, None if verdict is not None else comparison.reason or "undecided"


if __name__ == "__main__":
    main()
