"""Sends many requests to the servers of one model at once, and retries after failures; subclasses say what to ask."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any

from libra_cli.engines.base import Pending, RequestError, Requests
from libra_cli.engines.openai.chat_api import Body, Refusal
from libra_cli.engines.openai.chat_client import ChatClient, Facts
from libra_cli.engines.openai.credit import NoCredit
from libra_cli.engines.openai.endpoints import Endpoint, Endpoints
from libra_cli.engines.openai.first_contact import FirstContact
from libra_cli.engines.openai.model_list import key_cure
from libra_cli.engines.openai.retry import START, TRIES, Backoff, Failure, Trouble
from libra_cli.engines.openai.server_request import ServerRequest
from libra_cli.exits import Exit, Fatal
from libra_cli.plural import duration

Answered = tuple[Pending, Any]

RETRY_BUDGET = 1500.0
"""Shorter than --stall-timeout, which ends a run less gently."""
FIRST_BUDGET = 60.0
"""Of a run that has not reached any server yet: its address may be wrong."""
OUTAGE_CAP = 20.0
"""Longest wait of a request while no server answers, in seconds: a server that returns is noticed within 30 s."""
REFUSALS = 10
"""Refusals in a row (of a key, a model) after which a server that answered before is taken to refuse everything."""
UNREADABLE = 5
"""Answers that are none of an OpenAI-compatible server, after which one that gave no other ends the run."""
UNANSWERED = 10
"""Requests that failed for good after which servers that have answered none end the run."""
_IDLE_SECONDS = 0.5
_INPUT_SECONDS = 0.05
"""Interval for new input while requests are at work and there is room for more."""
_NOTE_SECONDS = 60.0
_LEARNING_TRIES = 3


class Servers:
    """The servers of one model, which share the load.

    A failed request is retried, on another server if possible: TRIES bounds the failures that count against it, and
    `retry_budget` the seconds that it waits (None: RETRY_BUDGET, but FIRST_BUDGET before any server was reached). If no
    server has answered for so long, `generate` raises Fatal(6). `note` takes lines for people.
    """

    def __init__(
        self,
        model: str,
        client: ChatClient,
        concurrency: int,
        retry_budget: float | None,
        note: Callable[[str], None],
        backoff: Backoff | None = None,
    ):
        self._model, self._client, self._note = model, client, note
        self._concurrency, self._given_budget, self._backoff = concurrency, retry_budget, backoff or Backoff()
        self._endpoints = Endpoints([Endpoint(url) for url in client.urls])
        self._contacts = {url: FirstContact(client, url, model, note) for url in client.urls}
        self._loop = asyncio.new_event_loop()
        self._waiting: list[ServerRequest] = []
        self._running: dict[asyncio.Task[Any], tuple[ServerRequest, Endpoint]] = {}
        self._probes: set[asyncio.Task[None]] = set()
        self._finished: deque[asyncio.Task[Any]] = deque()
        self._woken = asyncio.Event()
        self._learning, self._learned, self._facts = asyncio.Lock(), 0, Facts()
        self._reported: str | None = None
        """The server's own name for the model."""
        self._unanswered = 0
        """Requests that failed for good; it matters while no server has answered any."""
        self._noted: dict[tuple[str, Trouble | None], float] = {}

    def describe(self) -> dict[str, Any]:
        """As Engine.describe; `engine_version` is the server's, `revision` the model's name there if it is another."""
        other = self._reported if self._reported != self._model else None
        return {
            "engine": "openai",
            "engine_version": self._facts.version,
            "model": self._model,
            "revision": other,
            "template_sha256": None,
        }

    async def _ask(self, request: ServerRequest, endpoint: Endpoint) -> Any:
        """The answer to a request, a RequestError, or a Failure that may be retried."""
        raise NotImplementedError

    async def _study(self, endpoint: Endpoint, version: str | None, _request: Any) -> Facts:
        """Facts about a server of this version."""
        return Facts(version)

    def _prompt(self, endpoint: Endpoint, body: Body) -> tuple[str | None, list[int] | None]:
        """The server's rendering of messages as text and token ids; None if it does not show it (vLLM does)."""
        text, ids = self._run(self._client.prompt(endpoint.url, body)) or (None, None)
        if text is None:
            self._note(f"{endpoint.name}: the server does not show what its chat template makes of the messages")
        return text, ids

    def close(self) -> None:
        if not self._loop.is_closed():
            self._abandon()
            self._run(self._client.close())
            self._loop.close()

    def generate(self, requests: Requests) -> Iterator[Answered | None]:
        try:
            while True:
                self._take(requests)
                if requests.stopping:
                    self._waiting.clear()  # what is not at work must not delay the stop
                if not self._running and not self._waiting:
                    if requests.ended:
                        return
                    continue
                yield from self._give_up()
                self._send()
                self._run(self._wait(requests))
                self._note_silence()
                yield from self._answers()
                self._end_probes()
        finally:
            self._abandon()

    @property
    def _budget(self) -> float:
        """Seconds for which a request may wait."""
        if self._given_budget is not None:
            return self._given_budget
        return RETRY_BUDGET if self._endpoints.reached else FIRST_BUDGET

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(work)

    # -- requests, and when they are sent ------------------------------------------------------------------------------

    def _take(self, requests: Requests) -> None:
        """Takes requests while there is room; those that wait for another try keep theirs."""
        while (n_open := len(self._running) + len(self._waiting)) < self._concurrency and not requests.ended:
            pending = requests.take(0 if n_open else None)
            if pending is None:
                return
            self._waiting.append(ServerRequest(pending, time.monotonic()))

    def _give_up(self) -> Iterator[Answered]:
        """Answers requests that have waited too long; raises Fatal if no server answers."""
        now, budget = time.monotonic(), self._budget
        for request in [one for one in self._waiting if one.waited + now - one.since > budget]:
            if request.failure and self._endpoints.alive_at > request.first_failed_at:
                self._waiting.remove(request)
                yield request.pending, self._failed_for_good(request, request.failure)
            elif not self._running:
                endpoint = request.last or self._endpoints.all[0]
                reason = request.failure.reason if request.failure else "does not answer"
                since = f"nothing was answered for {duration(budget)} (--retry-budget)"
                cure = request.failure.cure if request.failure else START
                cure = "start the server again" if cure == START and self._endpoints.reached else cure
                if request.failure and request.failure.wait:
                    since = f"{since}, it asks to wait for {duration(math.ceil(request.failure.wait))}"
                again = f"{cure}, and the same command continues"
                raise Fatal(Exit.BACKEND, f"{endpoint.name}: {reason}; {since}; {again}")

    def _send(self) -> None:
        now = time.monotonic()
        for endpoint in self._endpoints.all:
            if endpoint.needs_probe(now):
                endpoint.probing = True
                self._probes.add(self._loop.create_task(self._probe(endpoint)))
        waiting, self._waiting = self._waiting, []
        for request in waiting:
            chosen = self._endpoints.choose(now, request.last) if request.ready_at <= now else None
            if chosen is None:
                self._waiting.append(request)
            else:
                self._begin(request, chosen, now)

    def _begin(self, request: ServerRequest, endpoint: Endpoint, now: float) -> None:
        request.begins(now)
        endpoint.begins(now)
        task = self._loop.create_task(self._ask_in_turn(request, endpoint))
        self._running[task] = (request, endpoint)
        task.add_done_callback(self._note_end)

    async def _ask_in_turn(self, request: ServerRequest, endpoint: Endpoint) -> Any:
        """As `_ask`, once first contact is made."""
        contact = self._contacts[endpoint.url]
        async with contact.before():
            endpoint.max_model_len = contact.max_model_len
            return await self._ask(request, endpoint)

    def _note_end(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled():
            task.exception()  # retrieved here, or asyncio warns: of several that end the run only one is raised
        self._finished.append(task)
        self._woken.set()

    async def _wait(self, requests: Requests) -> None:
        """Waits until a request ends, or until there may be something to send."""
        now = time.monotonic()
        until = [_IDLE_SECONDS, self._endpoints.next_change(now)]
        until += [request.ready_at - now for request in self._waiting if request.ready_at > now]
        if not requests.ended and len(self._running) + len(self._waiting) < self._concurrency:
            until.append(_INPUT_SECONDS)
        with suppress(asyncio.TimeoutError):  # then something may be due
            await asyncio.wait_for(self._woken.wait(), max(0.0, min(until)))
        self._woken.clear()

    def _answers(self) -> Iterator[Answered | None]:
        if not self._finished:
            yield None
        while self._finished:
            task = self._next_finished()
            request, endpoint = self._running.pop(task)
            endpoint.ends(time.monotonic())
            try:
                result = task.result()
            except NoCredit as error:
                self._retire(endpoint, error)
                request.since, request.last = time.monotonic(), endpoint
                self._waiting.append(request)
                continue
            if isinstance(result, Failure):
                result = self._after_failure(request, endpoint, result)
            if result is not None:
                yield request.pending, result

    def _note_silence(self) -> None:
        """Says what is waited for if a server has answered nothing for long."""
        now = time.monotonic()
        for endpoint in self._endpoints.all:
            if endpoint.is_too_silent(now):
                asked = f"{endpoint.running:,} request{'s are' if endpoint.running > 1 else ' is'} at work there"
                most = f"each may take {duration(self._client.timeout)} (--request-timeout)"
                waited = duration(round(now - endpoint.silent_since))
                self._note(f"{endpoint.name}: no answer for {waited}; {asked}, {most}")

    def _next_finished(self) -> asyncio.Task[Any]:
        """A task that ends the run comes last, so that it does not cost the other answers."""
        task = next((task for task in self._finished if task.exception() is None), self._finished[0])
        self._finished.remove(task)
        return task

    def _abandon(self) -> None:
        """Cancels requests at work; a server that notices stops generating."""
        tasks = [*self._running, *self._probes]
        for task in tasks:
            task.cancel()
        if tasks:
            self._run(asyncio.wait(tasks))
        self._running.clear()
        self._waiting.clear()
        self._finished.clear()

    # -- failures -----------------------------------------------------------------------------------------------------

    def _after_failure(self, request: ServerRequest, endpoint: Endpoint, failure: Failure) -> RequestError | None:
        """Schedules another try, or returns the error that ends the request."""
        now = time.monotonic()
        if failure.unreadable and not endpoint.has_answered:
            endpoint.unreadable += 1
            if endpoint.unreadable >= UNREADABLE:
                cure = "is it an OpenAI-compatible server? its address usually ends in /v1"
                raise Fatal(Exit.BACKEND, f"{endpoint.name}: {failure.reason}, {UNREADABLE} times; {cure}")
        if endpoint.failed(failure, now, self._backoff.base):
            trying = f"trying again for up to {duration(self._budget)} (--retry-budget)"
            self._say(endpoint, f"{failure.reason}; {trying}", failure.trouble)
        elif failure.trouble is Trouble.BUSY:
            waiting = f"it asks to wait for {duration(math.ceil(failure.wait))}" if failure.wait else "waiting"
            self._say(endpoint, f"{failure.reason}; {waiting}", failure.trouble)
        request.failed(failure, endpoint, now, counts=self._endpoints.alive_at > request.failed_at >= 0)
        if request.counted[failure.trouble] >= TRIES.get(failure.trouble, request.tries + 1):
            return self._failed_for_good(request, failure)
        request.ready_at = self._ready_at(request, endpoint, now)
        self._waiting.append(request)
        return None

    def _retire(self, endpoint: Endpoint, error: NoCredit) -> None:
        """Asks a server whose account has no credit no more; raises the error if no other server is left."""
        is_new = not endpoint.is_retired
        endpoint.retire()
        if all(other.is_retired for other in self._endpoints.all):
            raise error
        if is_new:
            self._note(f"{error.cause}; the other servers are asked")

    def _failed_for_good(self, request: ServerRequest, failure: Failure) -> RequestError:
        """The error that ends a request; raises Fatal(6) if servers that have answered none failed many."""
        self._unanswered += 1
        if self._unanswered >= UNANSWERED and not any(endpoint.has_answered for endpoint in self._endpoints.all):
            where = request.last.name if request.last else self._model
            what = f"{where}: {failure.reason}; no request was answered"
            raise Fatal(Exit.BACKEND, f"{what}; see the log of the server; the same command continues")
        return request.error(failure)

    def _ready_at(self, request: ServerRequest, endpoint: Endpoint, now: float) -> float:
        """When to try again: at once if another server is free, else after a wait with full jitter."""
        if not endpoint.is_open(now) and self._endpoints.choose(now, endpoint) is not None:
            return now
        alive = self._endpoints.alive_at > request.first_failed_at
        wait = self._backoff.wait(request.failures, None if alive else OUTAGE_CAP)
        asked_to_wait = not endpoint.suspect and not endpoint.is_retired and endpoint.closed_until > now
        return (endpoint.closed_until if asked_to_wait else now) + wait

    def _end_probes(self) -> None:
        for task in [task for task in self._probes if task.done()]:
            self._probes.remove(task)
            task.result()

    async def _probe(self, endpoint: Endpoint) -> None:
        alive = await self._client.is_alive(endpoint.url)
        now = time.monotonic()
        if alive:
            endpoint.proved_alive(now)
            self._contacts[endpoint.url].ask_again()
            if endpoint.has_answered:
                self._say(endpoint, "answers again", None)
            for request in self._waiting:  # they need not wait on, but must not all come at the same moment
                request.ready_at = min(request.ready_at, now + self._backoff.wait(1))
        else:
            endpoint.rest(now, self._backoff.base)
        self._woken.set()

    def _say(self, endpoint: Endpoint, line: str, about: Trouble | None) -> None:
        """Notes an event for people, each kind at most once a minute: a server under load fails thousands of times."""
        now = time.monotonic()
        if now - self._noted.get((endpoint.url, about), -_NOTE_SECONDS) >= _NOTE_SECONDS:
            self._noted[endpoint.url, about] = now
            self._note(f"{endpoint.name}: {line}")

    # -- refusals, and facts about a server ----------------------------------------------------------------------------

    async def _after_refusal(self, endpoint: Endpoint, refusal: Refusal) -> RequestError:
        """The error of one request if the server answered others; else raises Fatal with the likely cause."""
        endpoint.refusals += 1
        if endpoint.has_answered and endpoint.refusals < REFUSALS:
            return RequestError("refused", f"the server refuses the request: {refusal.message}")
        status = Exit.BACKEND if endpoint.has_answered else Exit.USAGE
        cure = refusal.cure or await self._cure(endpoint, refusal)
        raise Fatal(status, f"{endpoint.name}: {refusal.message}; {cure}")

    async def _cure(self, endpoint: Endpoint, refusal: Refusal) -> str:
        if refusal.status in (401, 403):
            return key_cure(self._client.has_key)
        names = await self._client.models(endpoint.url)
        if names is None:
            return "there is no chat API at this address; a base URL usually ends in /v1"
        if refusal.status in (404, 405) and self._model in names and "not exist" not in refusal.message:
            return f"it has no chat for {self._model}; libra judge --scalar asks a reward model"
        known = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        return f"the models of this server are: {known}" if known else "this server has no model loaded"

    async def _learn(self, endpoint: Endpoint, request: Any) -> None:
        """Collects the facts about the server, once."""
        async with self._learning:
            while self._learned < _LEARNING_TRIES:
                try:
                    version = await self._client.version(endpoint.url)
                except ConnectionError:
                    self._learned += 1
                else:
                    self._facts = await self._study(endpoint, version, request)
                    self._learned = _LEARNING_TRIES
