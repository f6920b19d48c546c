"""JudgeBench: which of two responses is right, asked in both orders (ScalerLab/JudgeBench: utils/metrics.py)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from libra_cli.rm_benchmarks.base import (
    Benchmark,
    BenchmarkPoint,
    Fields,
    Floats,
    ProtocolName,
    cluster_of,
    weighted_mean,
)
from libra_cli.rm_benchmarks.verdicts import compared, judgments, null_reason, scores, signs
from libra_cli.tasks import GeneratedText
from libra_cli.tasks.grading import read_verdict
from libra_cli.tasks.rank import RANK, preferred

SOURCES = {
    "mmlu-pro": "knowledge",
    "livebench-reasoning": "reasoning",
    "livebench-math": "math",
    "livecodebench": "coding",
}
"""What the `source` of a pair begins with -> its section."""


_CHOSEN = {1: 1, 2: -1}
"""The number of the best of two responses as a sign."""


class JudgeBench(Benchmark):
    """A pair is right where the verdicts of both orders together favour the labelled response.

    Each verdict for it counts +1, each against it -1, a tie or none 0: one right and one tie is right, one right and
    one wrong is not. The overall figure is pooled over all pairs.
    """

    name, title, groups = "judgebench", "JudgeBench", tuple(SOURCES.values())

    def recognises(self, fields: Fields) -> bool:
        return "pair_id" in fields and bool(preferred(fields.get("label"))) and _section(fields) is not None

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterator[BenchmarkPoint]:
        section, label = _section(fields), preferred(fields.get("label"))
        if section is None or not label:
            raise ValueError('no "source" and "label" (A>B or B>A) of JudgeBench: keep the fields of the benchmark')
        found = decisions(fields)
        favour = sum(sign for sign in found if sign is not None) * label
        unread = null_reason(fields) if all(sign is None for sign in found) else None
        yield BenchmarkPoint(section, cluster_of(fields, "question", "pair_id"), float(favour > 0), unread)

    def overall(self, sections: Floats, names: Sequence[str], ns: Floats, protocol: ProtocolName) -> Floats:
        return weighted_mean(sections, ns)


def _section(fields: Fields) -> str | None:
    source = str(fields.get("source"))
    return next((section for start, section in SOURCES.items() if source.startswith(start)), None)


def decisions(fields: Fields) -> list[int | None]:
    """A sign per verdict, 1 for the record's first response: of a row that libra judged, or of a published output."""
    published = fields.get("judgments") if "judge_task" not in fields else None
    if isinstance(published, list) and published:
        return [_shown(judgment, swapped=bool(turn)) for turn, judgment in enumerate(published)]
    found = judgments(fields)
    if any("order" in judgment for judgment in found):
        return [_sign(judgment.get("outcome")) for judgment in found]
    return signs(fields, [(0, 1)])


def _sign(outcome: Any) -> int | None:
    return _CHOSEN[outcome] if isinstance(outcome, int) and outcome in _CHOSEN else preferred(outcome)


def _shown(judgment: Any, swapped: bool) -> int | None:
    """A published verdict, which speaks of the responses as they were shown: the second time the other way round."""
    if not isinstance(judgment, dict):
        return None
    by_score = scores(judgment)
    said = preferred(judgment.get("decision") or _said(judgment.get("text")))
    sign = said if by_score is None else compared(by_score, (0, 1))
    return -sign if sign is not None and swapped else sign


def _said(text: Any) -> Any:
    return read_verdict(RANK, GeneratedText(text)).outcome if isinstance(text, str) else None
