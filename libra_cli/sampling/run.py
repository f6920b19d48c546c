"""Every row's samples from every model: what each stage that asks a model does between its rows and its engines."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from libra_cli import __version__
from libra_cli.cli.engine_options import EngineOptions, SamplingOptions
from libra_cli.engines.base import Completion, Engine, Messages, Request, Sampling
from libra_cli.sampling.choose import Choice, choices, drawing
from libra_cli.stream import rows
from libra_cli.stream.jobs import Answer, Feed, Job, MakeLine, Worker
from libra_cli.stream.row_store import RowStore
from libra_cli.stream.rows import Filtered, Row, RowError
from libra_cli.stream.run import Run
from libra_cli.tasks import template, thinking

_SEEDS = 1 << 53
"""Larger integers do not pass unchanged through every reader of JSON (jq 1.6), and a seed stands in its row."""

Finish = Callable[[Job, Completion], Mapping[str, Any]]
"""A stage's own fields of a row, from what the model wrote."""
Jobs = Callable[[Choice, Row], Iterator[Job]]
Settle = Callable[["EngineWorker", Job, Answer], Mapping[str, Any]]


class Passes:
    """One pass over the rows for each model, one model after another; the input itself is read once."""

    def __init__(self, run: Run, models: Sequence[Choice], check: Callable[[Row], None] | None = None):
        self._run, self._models, self._check = run, models, check
        self._store = RowStore() if len(models) > 1 else None

    def through(self, jobs: Jobs, finish: Settle, wrap: Callable[[EngineWorker], Worker] | None = None,
                make_line: MakeLine = rows.extend) -> None:  # fmt: skip
        """Writes a row for each of the jobs that `jobs(model, row)` makes of a row, with the keys of `finish`.

        `check` sees each row first, and may raise RowError or Filtered; `wrap` says what is put before the engine;
        `make_line` is that of Run.map_jobs.
        """
        for number, model in enumerate(self._models):
            worker = EngineWorker(model)
            make = partial(jobs, model) if number else partial(self._first, jobs, model)
            again = (row for row, _ in self._store.rows()) if number and self._store is not None else None
            try:
                asked = wrap(worker) if wrap else worker
                self._run.map_jobs(asked, make, partial(finish, worker), source=again, make_line=make_line)
            finally:
                worker.close()
            if self._run.stop.status is not None:
                return

    def show_first(self, shown: Callable[[Choice, Row], Mapping[str, Any]]) -> None:
        """Writes what `shown` gives of the first row for each model; a row that has no prompt is refused."""
        for row in self._run.rows():
            try:
                lines = [rows.dumps(shown(model, row)) for model in self._models]
            except RowError as error:
                self._run.refuse(row, error)  # the first one that makes a prompt
                continue
            self._run.counts.read += len(lines) - 1
            for line in lines:
                self._run.write(line)
            return

    def _first(self, jobs: Jobs, model: Choice, row: Row) -> Iterator[Job]:
        if self._check is not None:
            self._check(row)
        made = jobs(model, row)
        if self._store is not None:
            self._store.add(row)
        return made


class Generation:
    """Asks each model for `samples` responses to each row, one model after another, in one pass over the input."""

    def __init__(self, run: Run, engines: EngineOptions, sampling: SamplingOptions, prompt: Callable[[Row], Messages],
                 prompt_sha256: str, dedupe: bool = False):  # fmt: skip
        self._options, self._prompt, self._prompt_sha256 = sampling, prompt, prompt_sha256
        self._sampling = drawing(sampling)
        self._passes = Passes(run, choices(engines, sampling, run.console.note), Unique(dedupe).check)
        if self._sampling.temperature == 0 and sampling.samples > 1:
            run.console.note(
                f"at temperature 0 all {sampling.samples} samples of a row are the same; set --temperature"
            )

    def through(self, finish: Finish) -> None:
        """Writes one row for each sample, with the keys of `finish` and `provenance`."""

        def settle(worker: EngineWorker, job: Job, answer: Answer) -> Mapping[str, Any]:
            return {**finish(job, answer), "provenance": self._provenance(worker.described, job.work)}

        self._passes.through(self._jobs, settle)

    def show_first(self) -> None:
        """Writes the prompt of the first row as each model would see it; no model is loaded."""
        self._passes.show_first(self._shown)

    def _shown(self, model: Choice, row: Row) -> dict[str, Any]:
        request = self._request(row, self._prompt(row), 0)
        prompt, made = rendered(model, request)
        return {"id": row.id, "model": model.name, **prompt, "provenance": self._provenance(made, request)}

    def _jobs(self, model: Choice, row: Row) -> Iterator[Job]:
        """The row's samples, which share one conversation (engines see by it that they share a prompt)."""
        messages = self._prompt(row)
        own = {} if row.fields.get("id") is not None else {"id": row.id}
        return (
            Job(row, self._request(row, messages, sample), {**own, "model": model.name, "sample": sample})
            for sample in range(self._options.samples)
        )

    def _request(self, row: Row, messages: Messages, sample: int) -> Request:
        seed = request_seed(self._options.seed, row.id, sample)
        return Request(messages, seed, row.id, sample, self._options.prefill)

    def _provenance(self, engine: Mapping[str, Any], request: Request) -> dict[str, Any]:
        return provenance(engine, self._sampling, self._prompt_sha256, request)


def prompt_text(path: str) -> str:
    """The prompt template at `path`; raises ValueError where it is none."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read ({error})") from None
    if not template.slots(text):
        raise ValueError("has no slot; write {{question}} where the problem goes")
    return text


def rendered(model: Choice, request: Request) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The prompt of a request as a model sees it, by name, and what its engine says of itself; none is loaded."""
    engine = model.make()
    try:
        return asdict(engine.render(request)), engine.describe()
    finally:
        engine.close()


def request_seed(run_seed: int, record: str, sample: int) -> int:
    """The seed of a request, from `stream.rows.seed_for`."""
    return rows.seed_for(run_seed, record, sample) % _SEEDS


def provenance(
    engine: Mapping[str, Any], sampling: Sampling | None = None, prompt_sha256: str | None = None,
    request: Request | None = None,
) -> dict[str, Any]:  # fmt: skip
    """How answers were made: what the `engine` says of itself, the sampling, the prompt template, and libra.

    `sampling` is None where nothing is drawn; `request` is that of the answer, None for several answers together.
    """
    if sampling is None:
        return {**engine, "libra": __version__}
    drawn = {**_named(sampling), **({} if request is None else {"seed": request.seed})}
    return {**engine, "prompt_sha256": prompt_sha256, "sampling": drawn, "libra": __version__}


class EngineWorker:
    """An engine that is made when the first job is there: a run with nothing left to do loads no model."""

    def __init__(self, choice: Choice):
        self._choice = choice
        self._engine: Engine | None = None
        self._described: dict[str, Any] | None = None

    def __call__(self, feed: Feed) -> Iterator[tuple[Job, Answer] | None]:
        if feed.has_job():
            self._engine = self._choice.make()
            yield from self._engine.generate(feed)

    @property
    def described(self) -> dict[str, Any]:
        """What the engine says of itself, once it has loaded its model."""
        if self._described is None and self._engine is not None:
            self._described = self._engine.describe()
        return self._described or {}

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()


class Unique:
    """Refuses a row whose id was there before: its samples would be the same ones. Holds 8 bytes of each id."""

    def __init__(self, dedupe: bool):
        self._dedupe = dedupe
        self._places: dict[int, int] = {}
        self._files: list[str] = []

    def check(self, row: Row) -> None:
        """Raises Filtered (with `dedupe`) or RowError where the id of `row` was seen, and remembers it where not."""
        if not self._files or self._files[-1] != row.file:
            self._files.append(row.file)
        digest = int.from_bytes(hashlib.blake2b(row.id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
        here = row.line << 16 | len(self._files) - 1
        before = self._places.setdefault(digest, here)
        if before == here:
            return
        if self._dedupe:
            raise Filtered("duplicate_id")
        place = f"{self._files[before & 0xFFFF]}:{before >> 16}"
        cure = "make ids differ, or leave such rows out with --dedupe"
        raise RowError("duplicate_id", f"the id {row.id} stands at {place} too; {cure}")


def response_fields(completion: Completion, options: SamplingOptions) -> dict[str, Any]:
    """The fields that hold what was written: the answer apart from the thinking, and all of it.

    `response` is null where the text ends inside the thinking. A server does not show the prompt that it made, so that
    nobody knows whether a text without any marker was thought or said: cut at its limit, it counts as thought.
    """
    opening, closing = thinking.markers(options.thinking_markers)
    text, opened = completion.text, completion.opened_thinking
    response = thinking.split(text, (opening, closing), bool(opened)).response
    if opened is None and options.thinking and completion.finish_reason == "length" and closing not in text:
        response = None
    if opened and not text.lstrip().startswith(opening):
        text = f"{opening}\n{text}"  # as the model saw it: the text alone can be cut again
    return {
        "response": response, "response_with_cot": text, "finish_reason": completion.finish_reason,
        "n_tokens": completion.n_tokens,
    }  # fmt: skip


def _named(sampling: Sampling) -> dict[str, Any]:
    """The settings that are in force, by name."""
    given = {name: value for name, value in asdict(sampling).items() if value not in (None, (), {})}
    extra = given.pop("extra", {})
    return {**given, **extra}
