"""A panel of models: each is asked the `verify` task about a response, one model after another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from itertools import chain
from typing import Any

from libra_cli.engines.base import Completion, Messages, Request
from libra_cli.exits import Exit, Fatal
from libra_cli.records.label_votes import RULE
from libra_cli.records.responses import ResponseFields, shown_question_of
from libra_cli.sampling.choose import ChosenModel, choose_models
from libra_cli.sampling.options import EngineOptions, SamplingOptions
from libra_cli.sampling.prices import read_prices
from libra_cli.sampling.requests import provenance, request_seed
from libra_cli.sampling.response_fields import response_fields
from libra_cli.sampling.token_totals import TokenTotals
from libra_cli.sampling.worker import EngineWorker
from libra_cli.stages.verify.vote_store import VoteStore
from libra_cli.stream.jobs import Answer, Job
from libra_cli.stream.options import FIELD_HINTS
from libra_cli.stream.required_fields import require
from libra_cli.stream.rows import Row, RowError, content_hash, response_name
from libra_cli.stream.run import Run
from libra_cli.tasks import GeneratedText, template
from libra_cli.tasks.grading import read_verdict
from libra_cli.tasks.verify import VERIFY

MAX_TEXT_CHARS = 4000
"""Of the text after the thinking that goes to reviewers: its end, where the verdict stands."""
_WITHOUT_EFFECT = (
    "implicit",
    "model", "model_name", "flag", "concurrency", "batch_size", "base_url", "api_key_env", "api_key_file",
    "request_timeout", "retry_budget", "max_response_bytes", "proxy", "tensor_parallel_size", "pipeline_parallel_size",
    "data_parallel_size", "header", "batch_out", "batch_in", "price",
)  # fmt: skip
"""Engine options that do not change a vote."""


class Panel:
    """Models that vote on rows; their votes wait in a store until all models have been asked."""

    def __init__(
        self, run: Run, engines: EngineOptions, sampling: SamplingOptions, fields: ResponseFields, votes: VoteStore
    ):
        self._run, self._sampling, self._fields, self._votes = run, sampling, fields, votes
        self._has_voted: set[str] = set()
        """The models of which an earlier run has votes."""
        self._drawn = sampling.to_sampling()
        asked = run.requests_of(sampling.samples, bound="up to ")  # the rule may decide
        self._choices = choose_models(engines, sampling, run.console.note, requests=asked)
        self.totals = TokenTotals(run, self._choices, read_prices(engines.price))
        self._names = dict(zip((choice.name for choice in self._choices), engines.model, strict=False))
        if RULE in (choice.name for choice in self._choices):
            raise Fatal(Exit.USAGE, f"an annotator cannot be called {RULE}; give it an --{engines.flag}-name")
        settings = {name: value for name, value in asdict(engines).items() if name not in _WITHOUT_EFFECT}
        if not engines.finish_reason:  # votes of earlier versions, which had no such option, are still those asked for
            del settings["finish_reason"]
        self._prompt_sha256 = template.digest(template.load(VERIFY.template))
        self._settings = content_hash([settings, asdict(self._drawn), sampling.thinking_markers, self._prompt_sha256])

    def check(self, row: Row) -> None:
        """Raises RowError if a row lacks the question, which the models need to see."""
        if shown_question_of(row.fields) is None:
            require(row, {"question": str}, FIELD_HINTS)

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
            if choice.name not in self._has_voted:
                worker.check_answered()

    def votes(self, row: Row) -> list[dict[str, Any]]:
        """The vote of each model on a row, in the order of the models, with their texts."""
        messages, name = self._messages(row), response_name(row.fields)
        votes = []
        for choice in self._choices:
            vote = self._votes.get(self._key(choice, name, messages))
            if vote is None:
                what = f"internal error: {choice.name} has no vote on {row.place}; please report this"
                raise Fatal(Exit.INTERNAL, what)
            votes.append(vote)
        return votes

    def _jobs(self, choice: ChosenModel, row: Row) -> Iterator[Job]:
        """One job, unless its vote is stored."""
        messages, name = self._messages(row), response_name(row.fields)
        if self._votes.has(self._key(choice, name, messages)):
            self._has_voted.add(choice.name)
        else:
            seed = request_seed(self._sampling.seed, f"{name}\0{choice.name}", 0)
            yield Job(row, Request(messages, seed, name, 0))

    def _receive(self, choice: ChosenModel, worker: EngineWorker, job: Job, answer: Answer) -> None:
        request: Request = job.work
        made = provenance(worker.description_of(answer), self._drawn, self._prompt_sha256, request)
        key = self._key(choice, request.record_id, request.messages)
        vote = {"annotator": choice.name, **self._verdict_fields(answer), "provenance": made}
        self._votes.put(key, vote, final=isinstance(answer, Completion))

    def _verdict_fields(self, answer: Answer) -> dict[str, Any]:
        """Verdict, reason and text of a vote; a failed request is a vote without a verdict."""
        if isinstance(answer, RowError):
            return {"verdict": None, "reason": answer.kind, "text": str(answer)}
        if not isinstance(answer, Completion):
            raise answer
        text = response_fields(answer, self._sampling.thinking_markers, self._sampling.thinking)["response"]
        outcome, reason = read_verdict(VERIFY, GeneratedText(text, answer.text, answer.finish_reason))
        return {"verdict": outcome, "reason": reason, "text": None if text is None else text[-MAX_TEXT_CHARS:]}

    def _messages(self, row: Row) -> Messages:
        record = {**self._fields.record(row), "question": shown_question_of(row.fields)}
        return VERIFY.prompt({**record, "response": self._fields.response(row)})

    def _key(self, choice: ChosenModel, name: str, messages: Messages) -> bytes:
        """A digest of everything that a vote depends on."""
        model = self._names.get(choice.name, choice.name)
        seed = self._sampling.seed
        whole = "\0".join([choice.name, model, self._settings, str(seed), name, *(m["content"] for m in messages)])
        return hashlib.blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).digest()
