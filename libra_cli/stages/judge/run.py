"""One run of `libra judge`: from rows to requests, and from their answers to judged rows."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import click
import orjson

from libra_cli.records.forms import Item
from libra_cli.records.items import OTHER_RESPONSES, item_of_row, probe_item, probed
from libra_cli.records.no_answer import no_answer
from libra_cli.records.probes import PROBES
from libra_cli.sampling.bundles import BundleRequests
from libra_cli.sampling.choose import ChosenModel, choose_models
from libra_cli.sampling.judge_prompts import PAIR, RESPONSE, Plan, plan
from libra_cli.sampling.judgments import check, place
from libra_cli.sampling.options import EngineOptions, SamplingOptions
from libra_cli.sampling.passes import Passes, rendered
from libra_cli.sampling.recordings import judgment_key
from libra_cli.sampling.requests import provenance, request_seed
from libra_cli.sampling.worker import EngineWorker
from libra_cli.stages.judge import RESULTS
from libra_cli.stages.judge.aggregate import by_gate, decided
from libra_cli.stages.judge.judges import Generative, Judge, Scalar, default_task
from libra_cli.stages.judge.report import Tally, in_words
from libra_cli.stages.judge.votes import BEST
from libra_cli.stream import rows
from libra_cli.stream.jobs import Answer, Job
from libra_cli.stream.rows import Row, RowError
from libra_cli.stream.run import Run
from libra_cli.stream.sinks import replace_file
from libra_cli.tasks import JUDGING


@dataclass(frozen=True)
class How:
    """What is asked of every judge, and what becomes of the votes."""

    task: str | None = None
    """None: the one that shows all responses of a row at once."""
    template: str | None = None
    votes: int = 1
    reduce: str = "mean"
    orders: str = "both"
    threshold: float | None = None
    gate: bool = True
    texts: bool = True
    probe: str | None = None
    """Name of the probes that take the place of every row's response."""


@dataclass(frozen=True)
class Session:
    """What one judge is asked about one row: the `work` of its job."""

    judge: Judge
    plan: Plan
    name: str
    seed_of: Callable[[int], int]
    """The seed of a request, from its number."""

    @cached_property
    def requests(self) -> Sequence[Any]:
        """Made when an engine asks for them: a row that stands in the output needs no prompts."""
        asks = zip(self.plan.asks, self.judge.conversations(self.plan), strict=True)
        return [
            self.judge.request(
                messages, self.seed_of(n), self.name, n, judgment_key({"vote": ask.vote, **place(self.plan, ask)})
            )
            for n, (ask, messages) in enumerate(asks)
        ]


class Judging:
    """Judges every row of a run with each model, one after another."""

    def __init__(self, run: Run, engines: EngineOptions, sampling: SamplingOptions, how: How):
        self._run, self._how, self._sampling = run, how, sampling
        self._drawn = sampling.to_sampling()
        self._models = choose_models(engines, sampling, run.console.note, rewards=True)
        self._passes = Passes(run, self._models)
        self._scalar = Scalar()
        self._judges = {name: Generative(task, sampling, how.template, how.texts) for name, task in JUDGING.items()}
        self.tally = Tally()
        self._check()

    def _check(self) -> None:
        how, scalar = self._how, [model.name for model in self._models if model.scalar]
        if how.probe and how.task and JUDGING[how.task].shows != RESPONSE:
            raise click.UsageError(f"--probe is for tasks that are shown one response, not --task {how.task}")
        if how.task == "rank" and how.reduce == BEST:
            raise click.UsageError("--reduce best: a comparison has no best vote; take mean, median or majority")
        if how.probe and scalar and how.threshold is None:
            raise click.UsageError(f"--probe: {scalar[0]} gives a number; say above which it accepts: --threshold T")
        if scalar and (how.task or how.votes > 1):
            self._run.console.note(f"{', '.join(scalar)}: gives a number; --task and -k are not for it")
        if len(scalar) < len(self._models) and self._drawn.temperature == 0 and how.votes > 1:
            self._run.console.note(
                f"at temperature 0 all {how.votes} votes on the same prompt are the same; set --temperature"
            )

    def through(self) -> None:
        """Writes a judged row for each row and judge, or for each row, probe and judge."""
        for row in self._run.finished_rows():
            self.tally.add(row.fields)
        self._passes.answer(self._jobs, self._finish, BundleRequests, _line)

    def show_first(self) -> None:
        """Writes the first prompt about the first row as each judge would see it; no model is loaded."""
        self._passes.show_first(self._shown)

    def conclude(self, report: str | None) -> None:
        """Says on stderr what each judge did, and writes it to the file `report` as JSON."""
        figures = self.tally.figures()
        for judge in figures:
            for line in in_words(judge):
                self._run.console.note(line, event="judge", **judge)
        if report:
            replace_file(report, orjson.dumps({"judges": figures}, option=orjson.OPT_INDENT_2) + b"\n")

    # -- requests -----------------------------------------------------------------------------------------------------

    def _jobs(self, model: ChosenModel, row: Row) -> Iterator[Job]:
        return iter([self._job(model, row, changed, item) for changed, item in self._items(row)])

    def _items(self, row: Row) -> Iterator[tuple[dict[str, Any], Item]]:
        """What is judged of a row, with the fields in which it differs from the row."""
        if self._how.probe is None:
            yield {}, item_of_row(row.fields)
        else:
            for probe in PROBES[self._how.probe]:
                yield probed(row.fields, probe), probe_item(row.fields, probe)

    def _job(self, model: ChosenModel, row: Row, changed: Mapping[str, Any], item: Item) -> Job:
        gates = [no_answer(response) if self._how.gate else None for response in item.responses]
        session = self._session(model, {**row.fields, **changed}, item, gates)
        return Job(row, session, {**changed, "judge": model.name}, answer=None if session.plan.asks else [])

    def _session(
        self, model: ChosenModel, fields: Mapping[str, Any], item: Item, gates: Sequence[str | None]
    ) -> Session:
        judge = self._scalar if model.scalar else self._judges[self._how.task or default_task(item)]
        if judge.shows == PAIR and self._how.reduce == BEST:
            raise RowError("wrong_reduce", "a comparison has no best vote; --reduce mean, or --task score")
        name = "/".join([rows.response_name(fields), *([fields["probe"]] if self._how.probe else [])])
        votes = 1 if model.scalar else self._how.votes
        judge.check(item)
        planned = plan(item, judge.shows, gates, votes, self._how.orders, self._chance(name))
        return Session(judge, planned, name, partial(request_seed, self._sampling.seed, f"{name}\0{model.name}"))

    def _chance(self, name: str) -> Callable[[int], random.Random]:
        """Chance for the orders of each vote: the same for every judge."""
        seed = self._sampling.seed
        return lambda vote: random.Random(rows.seed_for(seed, f"{name}\0order", vote))

    # -- answers ------------------------------------------------------------------------------------------------------

    def _finish(self, worker: EngineWorker, job: Job, answers: Sequence[Answer]) -> Mapping[str, Any]:
        check(answers)
        session: Session = job.work
        judge, planned = session.judge, session.plan
        asked = zip(planned.asks, session.requests, answers, strict=True)
        judgments = [judge.read(planned, ask, request, answer) for ask, request, answer in asked] + by_gate(planned)
        threshold = judge.threshold if self._how.probe and self._how.threshold is None else self._how.threshold
        fields: dict[str, Any] = {"judge_task": judge.name, "judgments": judgments}
        fields.update(decided(planned, judgments, judge.rule(self._how.reduce, threshold)))
        if answers:
            fields["judge_provenance"] = self._provenance(worker.described, judge)
        self.tally.add({**job.names, **fields})
        return fields

    def _provenance(self, engine: Mapping[str, Any], judge: Judge) -> dict[str, Any]:
        if isinstance(judge, Scalar):
            return provenance(engine)
        votes = {"votes": self._how.votes, "orders": self._how.orders, "reduce": self._how.reduce}
        return {**provenance(engine, self._drawn, judge.prompt_sha256), **votes}

    def _shown(self, model: ChosenModel, row: Row) -> dict[str, Any]:
        changed, item = next(self._items(row))
        session = self._session(model, {**row.fields, **changed}, item, [None] * len(item.responses))
        prompt, made = rendered(model, session.requests[0])
        named = {"id": row.id, "judge": model.name, "judge_task": session.judge.name}
        return {**named, **prompt, "judge_provenance": self._provenance(made, session.judge)}


def _line(row: Row, judged: Mapping[str, Any]) -> bytes:
    """The line of a judged row, without what an earlier judge said of it, or a probe has taken the place of."""
    dropped = (*RESULTS, *OTHER_RESPONSES) if "probe" in judged else RESULTS
    if row.fields.keys().isdisjoint(dropped):
        return rows.extend(row, judged)
    kept = {name: value for name, value in row.fields.items() if name not in dropped}
    return rows.dumps({**kept, **judged})
