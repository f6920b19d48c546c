"""Prompts for the openai engine without a run around it, and its answers."""

from __future__ import annotations

from collections.abc import Iterable

from libra_cli.engines.base import Request, Sampling
from libra_cli.engines.openai.engine import OpenAIEngine
from libra_cli.engines.openai.retry import Backoff
from libra_cli.stream.jobs import Job
from libra_cli.stream.rows import Row, seed_for
from servers.scripted import ScriptedServer

SAMPLING = Sampling(temperature=0.5, top_p=1.0, max_tokens=100)
QUICK = Backoff(0.02, 0.2)


class ListFeed:
    """Gives prompts as a run's Feed gives jobs; `largest` is the most that were out and unanswered at once.

    Each job has its prompt for `record_id`. Whoever consumes the answers counts `out` down.
    """

    def __init__(self, prompts: Iterable[str], prefill: str = ""):
        self.ended = self.stopping = False
        self.out = self.largest = 0
        self._jobs = (job_of(number, prompt, prefill) for number, prompt in enumerate(prompts))

    def take(self, wait: float | None) -> Job | None:
        job = None if self.stopping else next(self._jobs, None)
        if job is None:
            self.ended = True
            return None
        self.out += 1
        self.largest = max(self.largest, self.out)
        return job


def job_of(number: int, prompt: str, prefill: str = "") -> Job:
    """One sample of one user message."""
    request = Request([{"role": "user", "content": prompt}], seed_for(0, prompt, 0), prompt, 0, prefill)
    return Job(Row({}, b"", "test", number), request)


def ask(urls, prompts, *, prefill="", seen=None, feed=None, backoff=QUICK, sampling=SAMPLING, **options):
    """Answers by prompt, in the order in which they came; fails where one came twice."""
    urls = [urls] if isinstance(urls, str) else urls
    feed = feed or ListFeed(prompts, prefill)
    engine = OpenAIEngine("tiny", urls, sampling, backoff=backoff, **options)
    answers = {}
    try:
        for answered in engine.generate(feed):
            if answered is None:
                continue
            job, answer = answered
            feed.out -= 1
            prompt = job.work.record_id
            assert prompt not in answers, f"{prompt} was answered twice"
            answers[prompt] = answer
            if seen:
                seen(answers)
        described = engine.describe()
        assert described["engine"] == "openai"
    finally:
        engine.close()
        engine.close()
    return answers


def text_of(prompt):
    return f"{prompt} {seed_for(0, prompt, 0)}"


def one(script, **options):
    """The answer to one prompt, and the server's calls."""
    with ScriptedServer(script) as server:
        return ask(server.url, ["p"], **options)["p"], server.calls
