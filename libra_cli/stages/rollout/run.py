"""One run of `libra rollout`: several samples of every row from every model."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from libra_cli.engines.base import Completion, Messages, Pending, Request
from libra_cli.exits import Exit, Fatal
from libra_cli.records.messages import asked_messages, is_conversational, template_fields
from libra_cli.records.stage_names import asking_adapter
from libra_cli.sampling.asked_prompts import digest, system_of
from libra_cli.sampling.choose import ChosenModel, choose_models
from libra_cli.sampling.ignored_settings import IgnoredSettings
from libra_cli.sampling.options import EngineOptions, SamplingOptions
from libra_cli.sampling.passes import Passes, rendered
from libra_cli.sampling.prices import read_prices
from libra_cli.sampling.recordings import record_keys
from libra_cli.sampling.requests import provenance, request_seed
from libra_cli.sampling.response_fields import response_fields
from libra_cli.sampling.token_totals import TokenTotals
from libra_cli.sampling.worker import EngineWorker, JobRequests
from libra_cli.stream.jobs import Answer, Feed, Job
from libra_cli.stream.options import FIELD_HINTS
from libra_cli.stream.required_fields import require
from libra_cli.stream.rows import Filtered, Row, RowError
from libra_cli.stream.run import Run
from libra_cli.stream.wrong_rows import asks_otherwise
from libra_cli.tasks import reason, template


class Rollouts:
    """Asks each model for `samples` responses to each row, one model after another."""

    def __init__(
        self,
        run: Run,
        engines: EngineOptions,
        options: SamplingOptions,
        prompt: str | None,
        system: str | None,
        drop_duplicates: bool = False,
    ):
        """`prompt` is a template with `{{field}}` slots that replaces the built-in one.

        `system` takes the place of the rows' own system prompts; the empty text leaves them out.
        """
        self._options, self._system, self._own_prompt = options, system, prompt
        self._prompt = prompt or template.load(reason.THINKING if options.thinking else reason.DIRECT)
        self._sampling = options.to_sampling()
        run.adapt_rows(asking_adapter(run.console.note, system))
        models = choose_models(
            engines, options, run.console.note, requests=run.requests_of(options.samples, options.samples)
        )
        TokenTotals(run, models, read_prices(engines.price))
        ignored = IgnoredSettings(run, self._sampling, options.samples)
        self._passes = Passes(run, models, UniqueIds(drop_duplicates).check, ignored)
        if self._sampling.temperature == 0 and options.samples > 1:
            run.console.note(f"at temperature 0 all {options.samples} samples of a row are the same; set --temperature")

    def generate(self) -> None:
        """Writes one row for each sample."""
        self._passes.answer(self._jobs, self._fields, partial(_RolloutRequests, self._system))

    def show_first(self) -> None:
        """Writes the prompt of the first row as each model would see it; loads no model."""
        self._passes.show_first(self._shown)

    def _jobs(self, model: ChosenModel, row: Row) -> Iterator[Job]:
        """The row's samples. They share one messages object, by which engines see that they share a prompt."""
        messages, keys = self._messages(row), record_keys(row.fields)
        shown = template_fields(row.fields)
        own = {} if row.fields.get("id") is not None else {"id": row.id}
        return (
            Job(row, self._request(row, messages, sample, keys, shown), {**own, "model": model.name, "sample": sample})
            for sample in range(self._options.samples)
        )

    def _messages(self, row: Row) -> Messages:
        if self._own_prompt is None and "reference" not in row.fields and (of_data_set := asks_otherwise(row.fields)):
            raise RowError("missing_field", f"no problem as a model should read it: {of_data_set}")
        if self._asks_itself(row) and (asked := asked_messages(row.fields, self._system)):
            return asked
        require(row, {"question": str}, FIELD_HINTS)
        try:
            return reason.prompt(row.fields, self._prompt, system_of(row.fields, self._system, self._prompt))
        except KeyError as slot:
            cure = "which the prompt template asks for; add it, or use another template"
            raise RowError("missing_field", f'no "{slot.args[0]}", {cure}') from None

    def _asks_itself(self, row: Row) -> bool:
        """Whether the row has the whole conversation, which no template changes."""
        return self._own_prompt is None and is_conversational(row.fields)

    def _prompt_sha256(self, row: Row) -> str:
        text = "" if self._asks_itself(row) else self._prompt
        return digest(text, system_of(row.fields, self._system, text))

    def _request(
        self, row: Row, messages: Messages, sample: int, keys: tuple[str, ...], shown: Mapping[str, Any]
    ) -> Request:
        seed = request_seed(self._options.seed, row.id, sample)
        return Request(messages, seed, row.id, sample, self._options.prefill, record_keys=keys, **shown)

    def _fields(self, worker: EngineWorker, job: Job, completion: Completion) -> Mapping[str, Any]:
        made = provenance(worker.description_of(completion), self._sampling, self._prompt_sha256(job.row), job.work)
        written = response_fields(completion, self._options.thinking_markers, self._options.thinking)
        return {**written, "provenance": made}

    def _shown(self, model: ChosenModel, row: Row) -> dict[str, Any]:
        request = self._request(row, self._messages(row), 0, (), template_fields(row.fields))
        try:
            prompt, engine = rendered(model, request)
        except RowError as error:
            raise _refused(error, request, self._system) from None
        made = provenance(engine, self._sampling, self._prompt_sha256(row), request)
        return {"id": row.id, "model": model.name, **prompt, "provenance": made}


class _RolloutRequests(JobRequests):
    """Raises Fatal(2) if the chat template leaves out the system prompt of all rows."""

    def __init__(self, system: str | None, feed: Feed):
        super().__init__(feed)
        self._system = system

    def settle(self, pending: Pending, answer: Answer) -> tuple[Job, Answer] | None:
        if isinstance(answer, RowError):
            answer = _refused(answer, pending.request, self._system)
        return super().settle(pending, answer)


_NO_SYSTEM = re.compile(
    r"system (?:role|message|prompt|turn)s?\b[^.]{0,30}\bnot\b|\bnot support[^.]{0,30}\bsystem (?:role|message)", re.I
)
"""How servers and templates say that they take no system turn."""


def _refused(error: RowError, request: Request, system: str | None) -> RowError:
    """The error of a row. Raises Fatal(2) if it is about the system prompt of all rows."""
    first = dict(request.messages[0])
    is_dropped = error.kind == "template_drops_turn"
    if first["role"] != "system" or not (is_dropped or _NO_SYSTEM.search(error.reason)):
        return error
    if system is None:
        return RowError(error.kind, f"{error.reason}; --system '' asks without the system prompts of the rows")
    if is_dropped and system == first["content"]:
        cure = "leave it out, write it into --template, or use another --chat-template"
        raise Fatal(Exit.USAGE, f"--system: the chat template of the model leaves out the system turn; {cure}")
    return error


class UniqueIds:
    """Refuses a row whose id came before: its samples would be the same ones. Holds 8 bytes of each id."""

    def __init__(self, drop_duplicates: bool):
        self._drop = drop_duplicates
        self._locations: dict[int, int] = {}
        """Line and number of the file of the first row, by a hash of its id."""
        self._files: list[str] = []

    def check(self, row: Row) -> None:
        """Remembers the id of `row`; raises Filtered (with `drop_duplicates`) or RowError if another row had it."""
        if not self._files or self._files[-1] != row.file:
            self._files.append(row.file)
        digest = int.from_bytes(hashlib.blake2b(row.id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
        here = row.line << 16 | len(self._files) - 1
        first = self._locations.setdefault(digest, here)
        if first == here:
            return
        if self._drop:
            raise Filtered("duplicate_id")
        place = f"{self._files[first & 0xFFFF]}:{first >> 16}"
        cure = "make ids differ, or drop such rows with --duplicates drop"
        raise RowError("duplicate_id", f"the id {row.id} stands at {place} too; {cure}")
