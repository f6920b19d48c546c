"""A worker process: reads [reference, answer, soft limit], one JSON array a line, and answers [verdict, reason].

Its first line are its verdicts on the canary pairs, which also warm it up; a string in their place says why it cannot
serve.

It runs in a session of its own with no environment, a limit on memory, no files and no children, and dies with the
process that started it. That process holds the clock of the hard limit; the soft one is CPU time, so that a pair is
decided alike on a busy machine and on an idle one, and costs no restart.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING

from libra_cli.answers import canary
from libra_cli.exits import die_with_parent

if TYPE_CHECKING:
    from libra_cli.answers.symbolic import Comparison

MEMORY_BYTES = 2 << 30
RECURSION = 2000
START_SECONDS = 120.0


class SoftTimeout(BaseException):
    """Not an Exception: sympy and math-verify catch those."""


def main() -> None:
    """Serves pairs from standard input until it ends; argv: the parent's process id."""
    die_with_parent(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints is no answer
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGPROF, _soft_timeout)
    try:
        from libra_cli.answers.symbolic import Comparison
    except Exception as error:  # noqa: BLE001 -- whatever is wrong with the installation, the parent says it
        answers.write(json.dumps(f"{type(error).__name__}: {error}").encode() + b"\n")
        return
    limit_resources()
    verdicts = [_decide(Comparison(), reference, answer, START_SECONDS)[0] for reference, answer, _ in canary.PAIRS]
    answers.write(json.dumps(verdicts).encode() + b"\n")
    for line in sys.stdin.buffer:
        answers.write(json.dumps(_decide(Comparison(), *json.loads(line))).encode() + b"\n")


def limit_resources() -> None:
    """Memory, no files, no children, no core dumps: what is left to do wrong is to take long."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setrecursionlimit(RECURSION)


def _soft_timeout(_number: int, _frame: FrameType | None) -> None:
    raise SoftTimeout


def _decide(comparison: Comparison, reference: str, answer: str, soft: float) -> tuple[bool | None, str | None]:
    try:
        # Again and again: sympy may be in a `finally` or a callback that swallows the first.
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
    except Exception:  # noqa: BLE001 -- sympy raises anything at all; each means that it cannot say
        return None, "comparison_failed"
    return verdict, None if verdict is not None else comparison.reason or "undecided"


if __name__ == "__main__":
    main()
