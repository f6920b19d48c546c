"""A panel of models: each is asked the `verify` task about a response, one model after another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from itertools import chain
from typing import Any

from libra_cli.cli.engine_options import EngineOptions, SamplingOptions
from libra_cli.engines.base import Completion, Messages, Request
from libra_cli.exits import Exit, Fatal
from libra_cli.records.label_votes import RULE
from libra_cli.sampling.choose import Choice, choices, drawing
from libra_cli.sampling.run import EngineWorker, provenance, request_seed, response_fields
from libra_cli.stages.verify.rule import Fields
from libra_cli.stages.verify.vote_store import Ballots
from libra_cli.stream.jobs import Answer, Job
from libra_cli.stream.options import CURES
from libra_cli.stream.rows import Row, RowError, content_hash, require, response_name
from libra_cli.stream.run import Run
from libra_cli.tasks import template
from libra_cli.tasks.verify import VERIFY

SHOWN_CHARS = 4000
"""Of what a model wrote after its thinking, the end, where its verdict stands."""
_NOT_VOTES = ("model", "model_name", "flag", "concurrency", "batch_size", "base_url", "api_key_env", "api_key_file",
              "request_timeout", "retry_budget", "proxy", "tensor_parallel_size", "pipeline_parallel_size",
              "data_parallel_size")  # fmt: skip
"""Engine options that do not change what a model says."""


class Panel:
    """Models, what they are asked about a row, and the votes that they have given."""

    def __init__(self, run: Run, engines: EngineOptions, sampling: SamplingOptions, fields: Fields, ballots: Ballots):
        self._run, self._sampling, self._fields, self._ballots = run, sampling, fields, ballots
        self._drawn = drawing(sampling)
        self._choices = choices(engines, sampling, run.console.note)
        self._names = dict(zip((choice.name for choice in self._choices), engines.model, strict=False))
        if RULE in (choice.name for choice in self._choices):
            raise Fatal(Exit.USAGE, f"an annotator cannot be called {RULE}; give it an --{engines.flag}-name")
        settings = {name: value for name, value in asdict(engines).items() if name not in _NOT_VOTES}
        self._prompt_sha256 = template.digest(template.load(VERIFY.template))
        self._settings = content_hash([settings, asdict(self._drawn), sampling.thinking_markers, self._prompt_sha256])

    def check(self, row: Row) -> None:
        """Raises RowError where a row lacks what the models are asked about."""
        require(row, {"question": str}, CURES)

    def ask(self, rows: Callable[[], Iterator[Row]]) -> None:
        """Asks each model about the rows of `rows()`, unless an earlier run has its vote."""
        for choice in self._choices:
            worker = EngineWorker(choice)

            jobs = chain.from_iterable(map(partial(self._jobs, choice), rows()))
            try:
                for job, answer in self._run.answers(worker, jobs, choice.name):
                    self._receive(choice, worker, job, answer)
            finally:
                worker.close()
            if self._run.stop.status is not None:
                return

    def votes(self, row: Row) -> list[dict[str, Any]]:
        """What each model said of a row about which all were asked, in their order, with their texts."""
        messages, name = self._messages(row), response_name(row.fields)
        found = [(choice.name, self._ballots.get(self._key(choice, name, messages))) for choice in self._choices]
        missing = next((model for model, vote in found if vote is None), None)
        if missing is not None:
            raise Fatal(Exit.INTERNAL, f"internal error: {missing} has no vote on {row.place}; please report this")
        return [vote for _, vote in found if vote is not None]

    def _jobs(self, choice: Choice, row: Row) -> Iterator[Job]:
        """One job, unless the vote is there. Its row has the name of the response, by which a recording finds it."""
        messages, name = self._messages(row), response_name(row.fields)
        if not self._ballots.has(self._key(choice, name, messages)):
            seed = request_seed(self._sampling.seed, f"{name}\0{choice.name}", 0)
            yield Job(Row({"id": name}, b"{}", row.file, row.line), Request(messages, seed, name, 0))

    def _receive(self, choice: Choice, worker: EngineWorker, job: Job, answer: Answer) -> None:
        request: Request = job.work
        made = provenance(worker.described, self._drawn, self._prompt_sha256, request)
        key = self._key(choice, request.record_id, request.messages)
        vote = {"annotator": choice.name, **self._said(answer), "provenance": made}
        self._ballots.put(key, vote, final=isinstance(answer, Completion))

    def _said(self, answer: Answer) -> dict[str, Any]:
        """Verdict, reason and text of a vote; an engine that could not answer is a vote without a verdict."""
        if isinstance(answer, RowError):
            return {"verdict": None, "reason": answer.kind, "text": str(answer)}
        if not isinstance(answer, Completion):
            raise answer
        text = response_fields(answer, self._sampling)["response"]
        outcome, reason = VERIFY.judged(text, answer.text, answer.finish_reason)
        return {"verdict": outcome, "reason": reason, "text": None if text is None else text[-SHOWN_CHARS:]}

    def _messages(self, row: Row) -> Messages:
        reference, _ = self._fields.pair(row)
        shown = {"question": row.fields["question"], "reference": reference, "response": self._fields.response(row)}
        return VERIFY.prompt(shown)

    def _key(self, choice: Choice, name: str, messages: Messages) -> bytes:
        """A digest of all that makes a vote what it is."""
        model = self._names.get(choice.name, choice.name)
        seed = self._sampling.seed
        whole = "\0".join([choice.name, model, self._settings, str(seed), name, *(m["content"] for m in messages)])
        return hashlib.blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).digest()
