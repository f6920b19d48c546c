"""From rows to labelled rows: by rule, by what the rule leaves to a panel, and by the last word of a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from libra_cli.answers.equal import Decision
from libra_cli.answers.pool import Pool
from libra_cli.records import label_votes as voting
from libra_cli.records.human_labels import Labels, response_digest
from libra_cli.stages.verify import rule
from libra_cli.stages.verify.panel import Panel
from libra_cli.stages.verify.report import Tally, table
from libra_cli.stream import rows
from libra_cli.stream.row_store import RowStore
from libra_cli.stream.rows import NewFields, Row
from libra_cli.stream.run import Run
from libra_cli.stream.side_output import SideRowFile
from libra_cli.stream.sinks import replace_file

UNASKED = Decision(None, "panel", "no_votes")
"""Of a rule that nobody asked; it stays where there are no votes either."""


class Labelling:
    """One run of `libra verify`.

    Without a panel rows are written as they come. With one, those that need it wait in a row store, and so do those
    behind them if order counts; the models are asked one after another, and then all are written.
    """

    def __init__(self, run: Run, fields: rule.Fields, mode: str | None, labels: Labels, panel: Panel | None = None,
                 review: SideRowFile | None = None, counting: bool = False):  # fmt: skip
        self._run, self._fields, self._labels, self._panel, self._review = run, fields, labels, panel, review
        self._mode = mode
        """None: as the votes that a row carries were asked for; `first` where there are none."""
        self._labeller = rule.Labeller(fields, run.console.note)
        self._plain = not (panel or review or counting or len(labels))
        self._waiting: RowStore | None = None
        self._outdated = 0
        """Rows that carried a label of a person about another response."""
        self.tally = Tally()

    def through(self, pool: Pool) -> None:
        """Labels every row of the run."""
        if self._run.continues and not self._plain:
            self._recall()
        fast_path = self._labeller.fast_path if self._mode != voting.NEVER else self._unruled
        decisions = partial(rule.decisions, pool=pool, stop=self._run.stop)
        line = self._plain_line if self._plain else self._line
        self._run.map_jobs(decisions, self._fields.jobs, self._labeller.labelled, fast_path=fast_path, make_line=line)
        if self._waiting is not None and self._run.stop.status is None:
            self._ask_and_write(self._waiting)

    def conclude(self, report: str | None) -> None:
        """Says what came of it on stderr, and in the file `report` as JSON."""
        console, labels = self._run.console, self.tally.labels + (self._labeller.labels if self._plain else Counter())
        if labels:  # none where all was done before
            console.note(rule.account(labels))
        for line in self._labels.account() if len(self._labels) else ():
            console.note(line)
        if self._outdated:
            console.note(f"{self._outdated} rows carried a human label for another response; it is not kept")
        if self._run.stop.status is None and (self.tally.has_votes or report):
            figures = self.tally.figures()
            console.show(table(figures), event="agreement", **figures)
            if report:
                replace_file(report, orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")

    # -- the first pass -----------------------------------------------------------------------------------------------

    def _unruled(self, row: Row) -> NewFields:
        """What a row is before the panel, where the rule is not asked; it still finds the answer, if there is one."""
        reference, answer = self._fields.pair(row)
        return NewFields(rule.fields_of(answer, UNASKED if isinstance(reference, str) else reference))

    def _plain_line(self, row: Row, ruled: Mapping[str, Any]) -> bytes:
        """The line of a row that the rule alone has decided, unless it carries votes of an earlier run."""
        if "verification" not in row.fields:
            return rows.extend(row, ruled)
        self._labeller.labels[voting.label_name(ruled)] -= 1  # it is counted with what comes of its votes
        return self._final(row, ruled, None)

    def _line(self, row: Row, ruled: Mapping[str, Any]) -> bytes | None:
        """The line of a row; None where it waits for the panel, or behind one that does."""
        asked = self._panel is not None and voting.wants_panel(ruled, self._mode or voting.FIRST)
        if self._panel is not None and asked:
            self._panel.check(row)
        if asked or (self._waiting is not None and not self._run.options.unordered):
            self._waiting = self._waiting or RowStore()
            self._waiting.add(row, {"asked": asked, "ruled": ruled})
            return None
        return self._final(row, ruled, None)

    # -- the panel ----------------------------------------------------------------------------------------------------

    def _ask_and_write(self, waiting: RowStore) -> None:
        assert self._panel is not None
        self._panel.ask(lambda: (row for row, _ in waiting.rows(lambda note: note["asked"])))
        for row, note in waiting.rows():
            if self._run.stop.status is not None:
                return
            votes = self._panel.votes(row) if note["asked"] else None
            self._run.write(self._final(row, note["ruled"], votes))

    # -- the label ----------------------------------------------------------------------------------------------------

    def _final(self, row: Row, ruled: Mapping[str, Any], panel: Sequence[voting.Vote] | None) -> bytes:
        """The line of a row whose votes are all there; where a person is needed, it goes to the reviewers first."""
        before = voting.earlier(row.fields)
        mode = self._mode or (voting.FIRST if self._panel else voting.was_asked(before))
        if panel is None:
            panel = [] if self._panel or mode == voting.ONLY else voting.of_models(before)
        fields = voting.settled(ruled, panel, self._human(row, before), mode)
        self.tally.add(fields)
        if self._review is not None and voting.needs_person(fields):
            self._review.add(row.fields, row.place, rows.extend(row, fields))
        return rows.extend(row, voting.without_texts(fields))

    def _human(self, row: Row, before: Sequence[voting.Vote]) -> voting.Vote | None:
        """The label of a person: a new one, else the one that the row carries, if it is about this response."""
        response = self._fields.response(row)
        label = self._labels.find(row.fields, response, row.place)
        if label is not None:
            return label
        given = voting.of_a_person(before)
        if given is None or given.get("response_sha256") == response_digest(response):
            return given
        self._outdated += 1
        return None

    # -- an earlier run -----------------------------------------------------------------------------------------------

    def _recall(self) -> None:
        """Counts the rows that stand in the output, and gives the reviewers those of them that they lack."""
        for row in self._run.finished_rows():
            self._labels.find(row.fields, self._fields.response(row), row.place)
            self.tally.add(row.fields)
            if self._review is not None and voting.needs_person(row.fields):
                self._review.add(row.fields, row.place, row.raw)
