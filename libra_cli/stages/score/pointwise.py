"""Reports on judges of single responses (correct or not): Libra Bench, and any other subsets."""

from __future__ import annotations

from array import array
from collections import Counter
from functools import partial
from typing import Any, cast

import numpy as np

from libra_cli.metrics.classification import OF_CORRECT, cells
from libra_cli.metrics.ranking import RankedScores
from libra_cli.rm_benchmarks import ProtocolName
from libra_cli.rm_benchmarks.judged_rows import null_reason
from libra_cli.stages.score.columns import NameNumbers, ProblemNames, item_keys, problem_of, repeated, view
from libra_cli.stages.score.confusion import ResponseCells, calibrated, figures
from libra_cli.stages.score.examples import Examples
from libra_cli.stages.score.judged_items import JudgedItems, ScoredJudge, Sums
from libra_cli.stages.score.reading import ScoreConfig, by_frequency
from libra_cli.stages.score.report import ScoreReport, without_accuracy
from libra_cli.stages.score.row_hashes import RowHashes
from libra_cli.stages.score.row_kinds import RowKind
from libra_cli.stages.score.thresholding import NONE, JudgedResponses, ThresholdedVerdicts, verdicts_by_threshold
from libra_cli.tasks.judge import HALF, is_tie

Fields = dict[str, Any]


class PointwiseCollector:
    """The labelled responses that one judge judged."""

    def __init__(self, kind: RowKind, config: ScoreConfig, judge: str, file: str):
        self._kind, self._config, self._judge, self.file = kind, config, judge, file
        self._groups, self._problems, self._hashes = NameNumbers(), ProblemNames(), RowHashes(3)
        self._group, self._score = array("i"), array("d")
        self._label, self._prediction, self._gated = array("b"), array("b"), array("b")
        self._reasons = Counter[str]()
        """Of responses with neither score nor prediction."""
        self._tasks, self._unlabelled = set[Any](), 0
        self._has_predictions: bool | None = None
        """Whether rows have predictions, or only scores; None before the first row that shows it."""
        self._examples = Examples() if config.examples else None

    def add(self, fields: Fields, raw: bytes) -> None:
        """Adds a row; raises ValueError naming what it lacks. Rows without a label (null) are counted and left out."""
        label = fields["label"]
        if label is None:
            self._unlabelled += 1
            return
        score, prediction = fields.get("score"), fields.get("prediction")
        if (prediction is not None) is not self._has_predictions:
            self._check_same_verdicts(fields, score, prediction)
        group = str(fields.get("subset", "all"))
        self._group.append(self._groups.number(group))
        self._label.append(int(label))
        self._score.append(float("nan") if score is None else score)
        self._prediction.append(NONE if prediction is None else prediction)
        self._gated.append("gate" in fields)
        if score is None and prediction is None and "gate" not in fields:
            self._reasons[null_reason(fields)] += 1
        self._hashes.add(self._problems.hash(problem_of(fields)), *item_keys(fields))
        self._tasks.add(fields.get("judge_task"))
        if self._examples is not None:
            self._add_example(group, int(label), score, prediction, raw)

    def _check_same_verdicts(self, fields: Fields, score: float | None, prediction: int | None) -> None:
        """Raises ValueError if some rows have predictions and others only scores: without --threshold one is ignored.

        A tie of votes counts as neither: it is a prediction that could not be made.
        """
        if self._config.threshold is not None or "gate" in fields:
            return
        if prediction is None and (score is None or is_tie(score, HALF, str(fields.get("judge_task")))):
            return
        if self._has_predictions not in (None, prediction is not None):
            raise ValueError(
                "some rows have a prediction, others only a score, such as this one or those before it: "
                "--threshold T judges all of them by their scores"
            )
        self._has_predictions = prediction is not None

    def _add_example(self, group: str, label: int, score: float | None, prediction: int | None, raw: bytes) -> None:
        """Keeps the highest scores of incorrect and the lowest of correct responses, as the threshold is not known."""
        assert self._examples is not None
        names = ("incorrect", "correct")
        if score is not None:
            why = f"a score of {score:g} for a response that is {names[label]}"
            self._examples.add(group, -score if label else score, raw, why, str(label))
        elif prediction is not None and prediction != label:
            self._examples.add(group, 0.0, raw, f"judged {names[prediction]}, but {names[label]}", str(label))

    def scored(self) -> ScoredJudge:
        """Makes the report; raises ValueError if no row has a label or rows are of several judge tasks."""
        if not self._label:
            raise ValueError("none of its rows has a label: libra review settles them")
        tasks = sorted(str(task or "") for task in self._tasks)
        if len(tasks) > 1:
            names = ", ".join(task or "none" for task in tasks)
            raise ValueError(f"rows of several judge tasks ({names}): score each from a file of its own")
        config = self._config
        judged = JudgedResponses(
            groups=view(self._group),
            clusters=self._hashes.column(0).numbers(),
            labels=view(self._label).view(bool),
            scores=view(self._score),
            predictions=view(self._prediction),
            gated=view(self._gated).view(bool),
            task=tasks[0],
            sums=Sums(self._kind.benchmark, self._groups.all(), cast(ProtocolName, config.protocol)),
        )
        ranked = RankedScores(judged.scores)
        chosen = verdicts_by_threshold(judged, config, ranked)
        calibration = calibrated(judged, chosen, ranked)
        counted = chosen.verdicts != NONE if config.null == "exclude" else None
        responses = ResponseCells(
            cells(judged.labels, chosen.verdicts), judged.groups, judged.clusters, counted, judged.sums
        )
        null, n_labels = self._null_reasons(judged, chosen), len(self._label)
        report = ScoreReport(
            benchmark=self._kind.name,
            judge=self._judge,
            file=self.file,
            protocol=config.protocol,
            metric="accuracy",
            n=len(self._label) if counted is None else int(counted.sum()),
            n_null=null.total(),
            null_reasons=by_frequency(null),
            null=config.null,
            threshold=chosen.threshold,
            threshold_how=chosen.how,
            thresholds=chosen.candidates,
        )
        if self._examples is not None:
            examples = self._examples.chosen(chosen.is_wrong)
        notes = [*self._notes(), *chosen.notes]
        # What follows needs the memory of the scores.
        del judged, ranked, chosen
        self._score, self._prediction, self._gated, self._label = array("d"), array("b"), array("b"), array("b")
        report.update(figures(responses, calibration, config, self._problems.unit))
        report["notes"] = [*notes, *report["notes"]]
        if null.total() == n_labels:
            without_accuracy(report)
        if self._examples is not None:
            report["examples"] = examples
        return ScoredJudge(report, partial(self._items, responses))

    def _items(self, responses: ResponseCells) -> JudgedItems:
        """The responses as items to compare: 1 for a right verdict."""
        right = (responses.cells < 2).astype(np.float64)  # tp, tn
        if responses.counted is not None:
            right[~responses.counted] = np.nan
        keys, names = self._hashes.column(1), self._hashes.column(2)
        golds = np.isin(responses.cells, OF_CORRECT)
        return JudgedItems(responses.sums, responses.groups, responses.clusters, right, keys, names, golds)

    def _null_reasons(self, judged: JudgedResponses, chosen: ThresholdedVerdicts) -> Counter[str]:
        """Responses without a verdict by reason; those with a score are ties, or have no threshold in their fold."""
        null = chosen.verdicts == NONE
        tied = int((null & is_tie(judged.scores, HALF, judged.task)).sum())
        return self._reasons + Counter({"tied": tied, "no_score": int(null.sum()) - self._reasons.total() - tied})

    def _notes(self) -> list[str]:
        notes = []
        if self._unlabelled:
            notes.append(f"rows without a label (null), left out: {self._unlabelled}; libra review settles them")
        notes += [*repeated(self._hashes.column(1)), *self._config.no_effect_notes("at")]
        if self._problems.unit == "row":
            notes.append("rows do not name their problem (question, id or index): intervals take them for independent")
        if self._config.null == "exclude":
            notes.append("rows without a verdict are left out of every figure (--null exclude)")
        return notes
