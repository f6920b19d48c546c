"""Jobs for an engine without a stage around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from libra_cli.engines.base import Completion, Request
from libra_cli.stream.jobs import Job
from libra_cli.stream.rows import Row, RowError, seed_for


class ListFeed:
    """A feed of jobs that are all there; `at_most` of them are handed out and not answered."""

    stopping = False
    parts = 0

    def __init__(self, jobs: Sequence[Job], at_most: int = 1 << 30):
        self._jobs = list(jobs)
        self._at_most = at_most
        self.out = 0

    @property
    def ended(self) -> bool:
        return not self._jobs

    def take(self, _wait: float | None) -> Job | None:
        if not self._jobs or self.out >= self._at_most:
            return None
        self.out += 1
        return self._jobs.pop(0)


def jobs_of(questions: Iterable[str], samples: int = 1, seed: int = 0, prefill: str = "") -> list[Job]:
    """`samples` jobs for each question, as a stage makes them."""
    jobs = []
    for number, question in enumerate(questions):
        messages = [{"role": "user", "content": question}]
        row = Row({"id": f"r{number}", "question": question}, b"{}", "test", number + 1)
        for sample in range(samples):
            request = Request(messages, seed_for(seed, row.id, sample), row.id, sample, prefill)
            jobs.append(Job(row, request, {"model": "test", "sample": sample}))
    return jobs


def answers(engine: Any, jobs: Sequence[Job], at_most: int = 1 << 30) -> dict[tuple[str, int], Completion | RowError]:
    """What `engine` answers, by id and sample; each job must be answered once."""
    feed = ListFeed(jobs, at_most)
    found: dict[tuple[str, int], Completion | RowError] = {}
    for answered in engine.generate(feed):
        if answered is not None:
            feed.out -= 1
            key = (answered[0].row.id, answered[0].work.sample)
            assert key not in found
            found[key] = answered[1]
    assert len(found) == len(jobs)
    return found
