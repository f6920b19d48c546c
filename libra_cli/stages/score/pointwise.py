"""Reports of responses judged one by one, correct or not: Libra Bench, and any other subsets."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from libra_cli.rm_benchmarks import ProtocolName
from libra_cli.rm_benchmarks.verdicts import why
from libra_cli.stages.score.columns import Clusters, Names, floats, ints, item_key, name_key, problem_of, repeated
from libra_cli.stages.score.confusion import figures
from libra_cli.stages.score.examples import Examples
from libra_cli.stages.score.reading import ScoreConfig, reasons
from libra_cli.stages.score.report import ScoreReport
from libra_cli.stages.score.row_kinds import RowKind
from libra_cli.stages.score.thresholding import JudgedResponses, ThresholdedVerdicts, cut
from libra_cli.stages.score.verdicts import JudgedItems, ScoredJudge, Sums

Fields = dict[str, Any]
NONE = -1
"""Of a verdict or prediction: there is none."""
TIED = 0.5
"""Share of the votes of verify for correct that makes no prediction."""


class PointwiseCollector:
    """The verdicts of one judge."""

    def __init__(self, kind: RowKind, how: ScoreConfig, judge: str, file: str):
        self._kind, self._how, self._judge, self.file = kind, how, judge, file
        self._groups, self._clusters, self._reasons = Names(), Clusters(), Names()
        self._group, self._cluster, self._reason = array("i"), array("i"), array("i")
        self._label, self._prediction, self._gated = array("b"), array("b"), array("b")
        self._score, self._key, self._name = array("d"), array("q"), array("q")
        self._tasks, self._unlabelled = set[Any](), 0
        self._has_own: bool | None = None
        """Whether rows have a prediction of their own, or a score only; None before the first that tells."""
        self._examples = Examples() if how.examples else None

    def add(self, fields: Fields, raw: bytes) -> None:
        """Takes a row; raises ValueError naming what it lacks. One without a label (null) is left out, and counted."""
        label = fields["label"]
        if label is None:
            self._unlabelled += 1
            return
        if label not in (0, 1):
            raise ValueError(f'"label" is {label!r}, not 0 or 1: run libra verify')
        score, prediction = _score(fields), _prediction(fields)
        self._check_verdict(fields, score, prediction)
        group = str(fields.get("subset", "all"))
        self._group.append(self._groups.number(group))
        self._cluster.append(self._clusters.number(problem_of(fields)))
        self._label.append(int(label))
        self._score.append(float("nan") if score is None else score)
        self._prediction.append(NONE if prediction is None else prediction)
        self._gated.append("gate" in fields)
        self._reason.append(NONE if score is not None or prediction is not None else self._reasons.number(why(fields)))
        self._key.append(item_key(fields))
        self._name.append(name_key(fields))
        self._tasks.add(fields.get("judge_task"))
        if self._examples is not None:
            self._keep(group, int(label), score, prediction, raw)

    def _check_verdict(self, fields: Fields, score: float | None, prediction: int | None) -> None:
        """Raises ValueError for a prediction after scores that have none, and the other way round.

        Without --threshold one of both would go unread. A tie of votes is a prediction that could not be made.
        """
        is_tie = fields.get("judge_task") == "verify" and score == TIED
        if self._how.threshold is not None or "gate" in fields or (prediction is None and (score is None or is_tie)):
            return
        has_own = prediction is not None
        if self._has_own not in (None, has_own):
            raise ValueError(
                "some rows have a prediction, others only a score, such as this one or those before it: "
                "--threshold T cuts all of them by their scores"
            )
        self._has_own = has_own

    def _keep(self, group: str, label: int, score: float | None, prediction: int | None, raw: bytes) -> None:
        """The highest scores of incorrect responses and the lowest of correct ones: the wrong ones are among them."""
        assert self._examples is not None
        if score is not None:
            why_wrong = f"a score of {score:g} for a response that is {('incorrect', 'correct')[label]}"
            self._examples.add(group, -score if label else score, raw, why_wrong, str(label))
        elif prediction is not None and prediction != label:
            said = ("incorrect", "correct")
            self._examples.add(group, 0.0, raw, f"judged {said[prediction]}, but {said[label]}", str(label))

    def scored(self) -> ScoredJudge:
        """The report; raises ValueError where no row has a label."""
        if not self._label:
            raise ValueError("none of its rows has a label: libra review settles them")
        protocol = cast(ProtocolName, self._how.protocol)
        judged = JudgedResponses(
            ints(self._group), ints(self._cluster), ints(self._label).astype(bool), floats(self._score),
            ints(self._prediction), ints(self._gated).astype(bool), self._task(), Sums(
                self._kind.benchmark, self._groups.all(), protocol)
        )  # fmt: skip
        chosen = cut(judged, self._how)
        kept = chosen.verdicts != NONE if self._how.null == "exclude" else np.ones(len(self._label), bool)
        right = np.where(kept, chosen.verdicts == judged.labels, np.nan)
        items = JudgedItems(judged.sums, judged.groups, judged.clusters, right, ints(self._key), ints(self._name))
        return ScoredJudge(self._report(judged, chosen, kept), items)

    def _task(self) -> str:
        """The judge task of all rows; raises ValueError where there are several."""
        tasks = sorted(str(task or "") for task in self._tasks)
        if len(tasks) > 1:
            found = ", ".join(task or "none" for task in tasks)
            raise ValueError(f"rows of several judge tasks ({found}): score each from a file of its own")
        return tasks[0]

    def _report(self, judged: JudgedResponses, chosen: ThresholdedVerdicts, kept: NDArray[np.bool_]) -> ScoreReport:
        null = self._null_reasons(chosen)
        report = ScoreReport(
            benchmark=self._kind.name, judge=self._judge, file=self.file, protocol=self._how.protocol,
            metric="accuracy", n=int(kept.sum()), n_null=null.total(), null_reasons=reasons(null), null=self._how.null,
            threshold=chosen.threshold, threshold_how=chosen.how, thresholds=chosen.all,
        )  # fmt: skip
        report.update(figures(judged, chosen, kept, self._how, self._clusters.unit))
        report["notes"] = [*self._notes(), *chosen.notes, *report["notes"]]
        if self._examples is not None:
            report["examples"] = self._examples.chosen(chosen.is_wrong)
        return report

    def _null_reasons(self, chosen: ThresholdedVerdicts) -> Counter[str]:
        """Why there is no verdict: with predictions of the rows' own, a score without one is a tie of votes."""
        without = "tied" if chosen.how == "given" else "no_score"
        names = self._reasons.all()
        numbers, counts = np.unique(ints(self._reason)[chosen.verdicts == NONE], return_counts=True)
        pairs = zip(numbers.tolist(), counts.tolist(), strict=True)
        return Counter({without if number == NONE else names[number]: count for number, count in pairs})

    def _notes(self) -> list[str]:
        notes = []
        if self._unlabelled:
            notes.append(f"rows without a label (null), left out: {self._unlabelled}; libra review settles them")
        notes += [*repeated(ints(self._key)), *self._how.without_effect("at")]
        if self._clusters.unit == "row":
            notes.append("rows do not name their problem (question, id or index): intervals take them for independent")
        if self._how.null == "exclude":
            notes.append("rows without a verdict are left out of every figure (--null exclude)")
        return notes


def _score(fields: Fields) -> float | None:
    score = fields.get("score")
    if score is None:
        return None
    if isinstance(score, bool) or not isinstance(score, (int, float)):
        raise ValueError(f'"score" is {score!r}, not a number or null: run libra judge again')
    return float(score)


def _prediction(fields: Fields) -> int | None:
    prediction = fields.get("prediction")
    if prediction is not None and prediction not in (0, 1):
        raise ValueError(f'"prediction" is {prediction!r}, not 1, 0 or null: pairs need "preference" beside it')
    return None if prediction is None else int(prediction)
