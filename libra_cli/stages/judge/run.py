"""One run of `libra judge`: makes requests from rows, and judged rows from the answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click
import orjson

from libra_cli.choices import JUDGE_FIELDS
from libra_cli.records.forms import JudgeItem
from libra_cli.records.items import (
    OTHER_RESPONSES,
    check_preference,
    item_of_row,
    probe_item,
    probed,
    written_item,
)
from libra_cli.records.no_answer import no_answer
from libra_cli.records.probes import PROBES
from libra_cli.records.stage_names import adapter_of
from libra_cli.sampling.asked_prompts import Prompts
from libra_cli.sampling.bundles import BundleRequests
from libra_cli.sampling.choose import ChosenModel, choose_models
from libra_cli.sampling.ignored_settings import IgnoredSettings
from libra_cli.sampling.judge_prompts import PAIR, RESPONSE
from libra_cli.sampling.judge_session import JudgeSession
from libra_cli.sampling.judges import GenerativeJudge, ScalarJudge, default_task
from libra_cli.sampling.judgments import raise_failures
from libra_cli.sampling.options import EngineOptions, SamplingOptions
from libra_cli.sampling.passes import Passes, rendered
from libra_cli.sampling.prices import read_prices
from libra_cli.sampling.token_totals import TokenTotals
from libra_cli.sampling.votes import MAX
from libra_cli.sampling.worker import EngineWorker
from libra_cli.stages.judge.report import JudgeReports, in_words
from libra_cli.stream import rows
from libra_cli.stream.jobs import Answer, Job
from libra_cli.stream.rows import Row, RowError
from libra_cli.stream.run import Run
from libra_cli.tasks import JUDGING


@dataclass(frozen=True)
class JudgeConfig:
    """How every judge is asked, and how its votes become a score."""

    task: str | None = None
    """None: the task that suits the responses of each row."""
    template: str | None = None
    votes: int = 1
    reduce: str = "mean"
    orders: str = "both"
    threshold: float | None = None
    gate: bool = True
    texts: bool = True
    probe: str | None = None
    """Name of the probes that replace every row's response."""


class Judging:
    """One run of `libra judge`: each model judges every row, one model after another."""

    def __init__(self, run: Run, engines: EngineOptions, sampling: SamplingOptions, config: JudgeConfig):
        self._run, self._config, self._sampling = run, config, sampling
        self._drawn = sampling.to_sampling()
        run.adapt_rows(adapter_of("judge", run.console.note))
        rows_each = 1 if config.probe is None else len(PROBES[config.probe])
        is_paired = config.task is not None and JUDGING[config.task].shows == PAIR
        each = config.votes * rows_each * (2 if is_paired and config.orders == "both" else 1)
        asked = run.requests_of(each, rows_each, "" if config.task or config.probe else "at least ")
        self._models = choose_models(engines, sampling, run.console.note, rewards=True, requests=asked)
        self._passes = Passes(run, self._models, ignored=IgnoredSettings(run, self._drawn, config.votes))
        self._totals = TokenTotals(run, self._models, read_prices(engines.price))
        self._scalar = ScalarJudge()
        self._implicit, self._prompts = engines.implicit is not None, Prompts()
        self._judges = {
            name: GenerativeJudge(task, sampling, config.template, config.texts) for name, task in JUDGING.items()
        }
        self.reports = JudgeReports()
        self._check()

    def _check(self) -> None:
        """Raises click.UsageError if options contradict each other, and notes options without effect."""
        config, scalar = self._config, [model.name for model in self._models if model.scalar]
        if config.probe and config.task and JUDGING[config.task].shows != RESPONSE:
            raise click.UsageError(f"--probe is for tasks that are shown one response, not --task {config.task}")
        if config.task == "rank" and config.reduce == MAX:
            raise click.UsageError("--reduce max: a comparison has no highest vote; take mean, median or majority")
        if config.probe and scalar and config.threshold is None:
            raise click.UsageError(f"--probe: {scalar[0]} gives a number; say above which it accepts: --threshold T")
        if scalar and (config.task or config.votes > 1):
            self._run.console.note(f"{', '.join(scalar)}: gives a number; --task and -k are not for it")
        if len(scalar) < len(self._models) and self._drawn.temperature == 0 and config.votes > 1:
            self._run.console.note(
                f"at temperature 0 all {config.votes} votes on the same prompt are the same; set --temperature"
            )

    def run(self) -> None:
        """Writes a judged row for each row and judge, or for each row, probe and judge."""
        for row in self._run.finished_rows():
            self.reports.add(row.fields)
        self._passes.answer(self._jobs, self._finish, BundleRequests, _line)

    def show_first(self) -> None:
        """Writes the first prompt about the first row as each judge would see it; no model is loaded."""
        self._passes.show_first(self._shown)

    def conclude(self, report: str | None) -> None:
        """Reports on each judge on stderr, and in the file `report` as JSON."""
        figures = self.reports.figures()
        for judge in figures:
            for line in in_words(judge):
                self._run.console.note(line, event="judge", **judge)
        if report:
            usage = self._totals.figures()
            content = {"judges": figures, **({"usage": usage} if usage else {})}
            self._run.write_report(report, orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")

    # -- requests -----------------------------------------------------------------------------------------------------

    def _jobs(self, model: ChosenModel, row: Row) -> Iterator[Job]:
        jobs = []  # a list, because one bad item refuses the whole row
        for changed, item in self._items(row):
            if len(item.responses) > 1:
                check_preference(row.fields)  # before anything is asked: no verdict could be compared with it
            gates = [no_answer(response) if self._config.gate else None for response in item.responses]
            if self._implicit and not changed:
                item = self._written(row)
            session = self._session(model, {**row.fields, **changed}, item, gates)
            names = {**changed, "judge": model.name}
            jobs.append(Job(row, session, names, answer=None if session.plan.prompts else []))
        return iter(jobs)

    def _items(self, row: Row) -> Iterator[tuple[dict[str, Any], JudgeItem]]:
        """The items of a row, each with the fields in which it differs from the row."""
        if self._config.probe is None:
            yield {}, item_of_row(row.fields)
        else:
            for probe in PROBES[self._config.probe]:
                yield probed(row.fields, probe), probe_item(row.fields, probe)

    def _written(self, row: Row) -> JudgeItem:
        """The item of a row as an implicit reward model learned it: its prompt, and all that was written."""
        item = written_item(row.fields)
        if not isinstance(row.fields.get("question"), str):
            return item
        task = "general" if row.fields.get("task") == "general" else "reason"
        return replace(item, messages=self._prompts.of_response(row, task, item.responses[0]))

    def _session(
        self, model: ChosenModel, fields: Mapping[str, Any], item: JudgeItem, gates: Sequence[str | None]
    ) -> JudgeSession:
        config = self._config
        judge = self._scalar if model.scalar else self._judges[config.task or default_task(item)]
        if judge.shows == PAIR and config.reduce == MAX:
            raise RowError("wrong_reduce", "a comparison has no highest vote; --reduce mean, or --task score")
        name = "/".join([rows.response_name(fields), *([fields["probe"]] if config.probe else [])])
        votes = 1 if model.scalar else config.votes
        seed, orders = self._sampling.seed, config.orders
        return JudgeSession.about(
            item, judge, model.name, name, gates, votes=votes, orders=orders, seed=seed, record=fields
        )

    # -- answers ------------------------------------------------------------------------------------------------------

    def _finish(self, worker: EngineWorker, job: Job, answers: Sequence[Answer]) -> Mapping[str, Any]:
        raise_failures(answers)
        session: JudgeSession = job.work
        judge, config = session.judge, self._config
        threshold = judge.threshold if config.probe and config.threshold is None else config.threshold
        fields = session.decided(answers, config.reduce, threshold)
        if answers:
            fields["judge_provenance"] = self._provenance(worker.description_of(*answers), session)
        self.reports.add({**job.names, **fields})
        return fields

    def _provenance(self, engine: Mapping[str, Any], session: JudgeSession) -> dict[str, Any]:
        config, system = self._config, session.plan.item.system
        return session.judge.provenance(engine, config.votes, config.orders, config.reduce, system)

    def _shown(self, model: ChosenModel, row: Row) -> dict[str, Any]:
        changed, item = next(self._items(row))
        if self._implicit and not changed:
            item = self._written(row)
        session = self._session(model, {**row.fields, **changed}, item, [None] * len(item.responses))
        prompt, described = rendered(model, session.requests[0])
        names = {"id": row.id, "judge": model.name, "judge_task": session.judge.name}
        return {**names, **prompt, "judge_provenance": self._provenance(described, session)}


def _line(row: Row, judged: Mapping[str, Any]) -> bytes:
    """The line of a judged row, without the results of an earlier judge and the fields that a probe replaces."""
    dropped = (*JUDGE_FIELDS, *OTHER_RESPONSES) if "probe" in judged else JUDGE_FIELDS
    if row.fields.keys().isdisjoint(dropped):
        return rows.extend(row, judged)
    kept = {name: value for name, value in row.fields.items() if name not in dropped}
    return rows.dumps({**kept, **judged})
