"""From rows to labelled rows: by rule, by a panel if the rule cannot decide, and by people, who have the last word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from libra_cli.engines.openai.end_words import cure, end_in_words
from libra_cli.plural import counted
from libra_cli.records import label_votes as voting
from libra_cli.records.human_labels import Labels, is_about
from libra_cli.records.own_names import in_words
from libra_cli.records.responses import ResponseFields
from libra_cli.records.rule_labels import Labeller, label_fields, summarise
from libra_cli.stages.verify.report import AgreementReport, table
from libra_cli.stream import rows
from libra_cli.stream.rows import NewFields, Row, RowError
from libra_cli.stream.run import Run
from libra_cli.stream.side_output import SideRowFile
from libra_cli.tasks.grading import Grade, Grader, read_verdict, without_outcome
from libra_cli.tasks.reason import REASON

if TYPE_CHECKING:
    from libra_cli.records.evaluation_logs import FilterLines
    from libra_cli.stages.verify.panel import Panel
    from libra_cli.stream.row_store import RowStore


class Labelling:
    """One run of `libra verify`.

    Without a panel rows are written as they come. With one, rows that need it wait in a row store, and so do those
    behind them if order counts; the models are asked one after another, and then all rows are written.
    """

    def __init__(
        self,
        run: Run,
        fields: ResponseFields,
        grader: Grader,
        labels: Labels,
        mode: str | None = None,
        panel: Panel | None = None,
        review: SideRowFile | None = None,
        counts_votes: bool = False,
    ):
        self._run, self._fields, self._labels, self._panel, self._review = run, fields, labels, panel, review
        self._mode = mode
        """How rule and panel work together; None: as when the votes of a row were given, `first` if it has none."""
        self._labeller = Labeller(fields, grader, run.console.note)
        self._by_rule_alone = not (panel or review or counts_votes or len(labels))
        self._waiting: RowStore | None = None
        self._filter_lines: FilterLines | None = None
        self._outdated = 0
        """Rows that carried a human label for another response."""
        self.report = AgreementReport()

    def run(self) -> None:
        """Labels every row of the input."""
        labeller = self._labeller
        self._run.adapt_rows(self._of_first_filter)
        if self._run.continues and not self._by_rule_alone:
            self._recount_finished_rows()
        self._run.map_jobs(
            partial(labeller.grade_jobs, stop=self._run.stop),
            labeller.jobs,
            labeller.finish,
            fast_path=self._without_rule if self._mode == voting.NEVER else labeller.fast_path,
            make_line=self._line_by_rule if self._by_rule_alone else self._line_or_wait,
        )
        if self._waiting is not None and self._run.stop.status is None:
            self._ask_panel_and_write(self._waiting)

    def conclude(self, report: str | None) -> None:
        """Reports labels and agreement on stderr, and agreement in the file `report` as JSON."""
        console = self._run.console
        labels = self.report.labels + (self._labeller.labels if self._by_rule_alone else Counter())
        if labels:  # none if an earlier run wrote all rows
            only_new = self._by_rule_alone and self._run.counts.done  # others are counted when votes are
            console.note(("of the new rows, " if only_new else "") + summarise(labels))
        if self._fields.read_as:
            console.note(in_words(self._fields.read_as), event="form")
        for word, count in sorted(self._fields.unknown_ends.items()):
            what = f"{counted(count, 'response')} {end_in_words(word)} counted as not finished"
            console.note(f"{what}; {cure(word)}", event="unknown_end", word=word, count=count)
        for line in self._labels.account() if len(self._labels) else ():
            console.note(line)
        if self._outdated:
            console.note(f"{counted(self._outdated, 'row')} carried a human label for another response; it is not kept")
        if self._run.stop.status is None and (self.report.has_votes or report):
            figures = self.report.figures()
            console.show(table(figures), event="agreement", **figures)
            usage = self._panel.totals.figures() if self._panel is not None else None
            figures |= {"usage": usage} if usage else {}
            if report:
                self._run.write_report(report, orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")

    def _of_first_filter(self, row: Row) -> Row:
        """The row itself; raises RowError if lm-evaluation-harness has logged its sample before, for another filter."""
        fields = row.fields
        if rows.logged_by_lm_eval(fields) and ("id" not in fields or "id" in row.added):
            if self._filter_lines is None:
                from libra_cli.records.evaluation_logs import FilterLines  # few need it

                self._filter_lines = FilterLines()
            if self._filter_lines.repeats(fields, row.file, fields["resps"]):
                cause = "an earlier line has this sample for another filter"
                cure = "libra collect --preset lm-eval FILE | libra verify leaves such lines out"
                raise RowError("other_filter", f"{cause}; {cure}")
        return row

    # -- first pass: the rule -----------------------------------------------------------------------------------------

    def _without_rule(self, row: Row) -> NewFields:
        """The fields of a row before the panel if the rule is not asked: its answer, and no label if it has one."""
        self._fields.record(row)  # raises RowError for a row without a reference
        verdict = read_verdict(REASON, self._fields.text(row))
        if verdict.outcome is None:
            return NewFields(label_fields(without_outcome(REASON, verdict)))
        return NewFields(label_fields(Grade(verdict.outcome, None, "no_votes", "panel")))

    def _line_by_rule(self, row: Row, ruled: Mapping[str, Any]) -> bytes:
        """The line of a row that the rule alone decides, unless it carries votes of an earlier run."""
        if "verification" not in row.fields:
            return rows.extend(row, ruled)
        self._labeller.labels[voting.label_name(ruled)] -= 1  # it is counted again by the label that its votes give
        return self._final_line(row, ruled, None)

    def _line_or_wait(self, row: Row, ruled: Mapping[str, Any]) -> bytes | None:
        """The line of a row; None if it waits for the panel, or behind a row that does."""
        needs_panel = self._panel is not None and voting.wants_panel(ruled, self._mode or voting.FIRST)
        if self._panel is not None and needs_panel:
            self._panel.check(row)
        if needs_panel or (self._waiting is not None and not self._run.options.unordered):
            if self._waiting is None:
                from libra_cli.stream.row_store import RowStore  # which loads zstandard

                self._waiting = RowStore()
            self._waiting.add(row, {"asked": needs_panel, "ruled": ruled})
            return None
        return self._final_line(row, ruled, None)

    # -- second pass: the panel ---------------------------------------------------------------------------------------

    def _ask_panel_and_write(self, waiting: RowStore) -> None:
        assert self._panel is not None
        self._panel.ask(lambda: (row for row, _ in waiting.rows(lambda note: note["asked"])))
        for row, note in waiting.rows():
            if self._run.stop.status is not None:
                return
            votes = self._panel.votes(row) if note["asked"] else None
            self._run.write(self._final_line(row, note["ruled"], votes))

    # -- the label ----------------------------------------------------------------------------------------------------

    def _final_line(self, row: Row, ruled: Mapping[str, Any], panel: Sequence[voting.Vote] | None) -> bytes:
        """The line of a row with all its votes; if it needs a person, it goes to the reviewers first."""
        before = voting.earlier(row.fields)
        mode = self._mode or (voting.FIRST if self._panel else voting.was_asked(before))
        if panel is None:
            panel = [] if self._panel or mode == voting.ONLY else voting.of_models(before)
        fields = voting.settled(ruled, panel, self._human_vote(row, before), mode)
        self.report.add(fields)
        if self._review is not None and voting.needs_person(fields):
            self._review.add(row.fields, row.place, rows.extend(row, fields))
        return rows.extend(row, voting.without_texts(fields))

    def _human_vote(self, row: Row, before: Sequence[voting.Vote]) -> voting.Vote | None:
        """The label by a person: a new one, else the one that the row carries if it is about this response."""
        response = self._fields.response(row)
        label = self._labels.find(row.fields, response, row.place)
        if label is not None:
            return label
        carried = voting.of_a_person(before)
        if carried is None or is_about(carried, response):
            return carried
        self._outdated += 1
        return None

    # -- an earlier run -----------------------------------------------------------------------------------------------

    def _recount_finished_rows(self) -> None:
        """Counts the rows that an earlier run wrote, and gives the reviewers those that they lack."""
        for row in self._run.finished_rows():
            self._labels.find(row.fields, self._fields.response(row), row.place)
            self.report.add(row.fields)
            if self._review is not None and voting.needs_person(row.fields):
                self._review.add(row.fields, row.place, row.raw)
