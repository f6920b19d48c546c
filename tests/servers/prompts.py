"""Prompts for the openai engine without a run around it, and its answers to them."""

from __future__ import annotations

from collections.abc import Iterable

from libra_cli.engines.base import Pending, Request, Sampling
from libra_cli.engines.openai.engine import OpenAIEngine
from libra_cli.engines.openai.retry import Backoff
from libra_cli.stream.rows import seed_for
from servers.scripted import ScriptedServer

SAMPLING = Sampling(temperature=0.5, top_p=1.0, max_tokens=100)
QUICK = Backoff(0.02, 0.2)


class PromptRequests:
    """Gives prompts as a run gives requests; `largest` is the most that were out and unanswered at once.

    Each request has its prompt for `record_id`. Whoever consumes the answers counts `out` down.
    """

    def __init__(self, prompts: Iterable[str], prefill: str = ""):
        self.ended = self.stopping = False
        self.out = self.largest = 0
        self._rest = (request_of(prompt, prefill) for prompt in prompts)

    def take(self, wait: float | None) -> Pending | None:
        request = None if self.stopping else next(self._rest, None)
        if request is None:
            self.ended = True
            return None
        self.out += 1
        self.largest = max(self.largest, self.out)
        return Pending(request)


def request_of(prompt: str, prefill: str = "") -> Request:
    """One sample of one user message."""
    return Request([{"role": "user", "content": prompt}], seed_for(0, prompt, 0), prompt, 0, prefill)


def ask(urls, prompts, *, prefill="", seen=None, requests=None, backoff=QUICK, sampling=SAMPLING, **options):
    """The answers by prompt, in the order of their arrival; fails if one comes twice."""
    urls = [urls] if isinstance(urls, str) else urls
    requests = requests or PromptRequests(prompts, prefill)
    engine = OpenAIEngine("tiny", urls, sampling, backoff=backoff, **options)
    answers = {}
    try:
        for answered in engine.generate(requests):
            if answered is None:
                continue
            pending, answer = answered
            requests.out -= 1
            prompt = pending.request.record_id
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
