"""Each hostile answer by itself, through the real pool with its default limits: what it costs, and what comes after."""

from __future__ import annotations

import resource
import time

import psutil
import pytest
from hostile_answers import BOMBS, FLOODS, injections

from libra_cli.answers.extraction.extract import final_answer
from libra_cli.answers.process.pool import Pool

LIMIT_SECONDS = 2.5
GROWTH_BYTES = 64 << 20
"""Of this process: one answer of 1 MB and its copies may be at hand, not all of them."""


def cpu_seconds() -> float:
    """Of this process and its workers, ended or not: how busy the machine is does not matter."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    alive = [child.cpu_times() for child in psutil.Process().children()]
    return time.process_time() + ended.ru_utime + ended.ru_stime + sum(times.user + times.system for times in alive)


def judged(pool: Pool, reference: str, answer: str) -> bool | None:
    """As a row of `libra verify` is."""
    return pool.decide_many([(reference, final_answer(rf"So we get \boxed{{{answer}}}.") or "")])[0].equal


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_hostile_answer_costs_more_than_its_limit_and_the_next_is_judged_right(tmp_path):
    answers = [*BOMBS, *FLOODS, *injections(tmp_path / "canary")]
    assert len(answers) >= 60
    spent: list[tuple[float, str]] = []
    with Pool(1) as pool:
        assert judged(pool, "14", r"\sum_{k=1}^{3} k^2") is True
        before = psutil.Process().memory_info().rss
        for number, answer in enumerate(answers, 2):
            begin = cpu_seconds()
            assert judged(pool, "x^2+5", answer) is not True, answer[:60]
            spent.append((cpu_seconds() - begin, answer[:60]))
            # A worker that was killed starts again here: that is not what this answer costs.
            assert judged(pool, str(number**2), rf"\sum_{{k=1}}^{{{number}}} (2k-1)") is True, answer[:60]
        grown = psutil.Process().memory_info().rss - before
    seconds, slowest = max(spent)
    print(f"the slowest of {len(spent)} took {seconds:.2f} s: {slowest}")
    assert seconds <= LIMIT_SECONDS, slowest
    assert grown < GROWTH_BYTES
    assert not (tmp_path / "canary").exists()
