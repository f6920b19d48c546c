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
from libra_cli.rm_benchmarks.judged_rows import compared, judgments, null_reason, scores, signs
from libra_cli.tasks import GeneratedText
from libra_cli.tasks.rank import RANK, preferred

SOURCES = {
    "mmlu-pro": "knowledge",
    "livebench-reasoning": "reasoning",
    "livebench-math": "math",
    "livecodebench": "coding",
}
"""The beginning of the `source` of a pair -> its section."""

_CHOSEN = {1: 1, 2: -1}
"""The number of the better of two responses -> the sign of the verdict."""


class JudgeBench(Benchmark):
    """A pair is right if the verdicts of both orders together favour the labelled response.

    A verdict for it counts +1, one against it -1, a tie or no verdict 0: right and tie is right, right and wrong is
    not. The overall figure is pooled over all pairs.
    """

    name, title, groups = "judgebench", "JudgeBench", tuple(SOURCES.values())
    overall_is = "pooled"

    def recognises(self, fields: Fields) -> bool:
        return "pair_id" in fields and bool(preferred(fields.get("label"))) and _section(fields) is not None

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterator[BenchmarkPoint]:
        section, label = _section(fields), preferred(fields.get("label"))
        if section is None or not label:
            raise ValueError('no "source" and "label" (A>B or B>A) of JudgeBench: keep the fields of the benchmark')
        verdicts = verdict_signs(fields)
        favour = sum(sign for sign in verdicts if sign is not None) * label
        unread = null_reason(fields) if all(sign is None for sign in verdicts) else None
        yield BenchmarkPoint(section, cluster_of(fields, "question", "pair_id"), float(favour > 0), unread)

    def overall(self, sections: Floats, names: Sequence[str], ns: Floats, protocol: ProtocolName) -> Floats:
        return weighted_mean(sections, ns)


def _section(fields: Fields) -> str | None:
    source = str(fields.get("source"))
    return next((section for start, section in SOURCES.items() if source.startswith(start)), None)


def verdict_signs(fields: Fields) -> list[int | None]:
    """The sign of each verdict, 1 for the record's first response: of a row of libra judge or a published output."""
    published = fields.get("judgments") if "judge_task" not in fields else None
    if isinstance(published, list) and published:
        return [_published_sign(judgment, swapped=bool(turn)) for turn, judgment in enumerate(published)]
    own = judgments(fields)
    if any("order" in judgment for judgment in own):
        outcomes = [judgment.get("outcome") for judgment in own]
        return [_CHOSEN[it] if isinstance(it, int) and it in _CHOSEN else preferred(it) for it in outcomes]
    return signs(fields, [(0, 1)])


def _published_sign(judgment: Any, swapped: bool) -> int | None:
    """The sign of a published verdict, which names the responses as shown; the second time they are swapped."""
    if not isinstance(judgment, dict):
        return None
    by_score = scores(judgment)
    if by_score is not None:
        sign = compared(by_score, (0, 1))
    else:
        from libra_cli.tasks.grading import read_verdict  # not above: it loads all that compares answers

        text = judgment.get("text")
        outcome = read_verdict(RANK, GeneratedText(text)).outcome if isinstance(text, str) else None
        sign = preferred(judgment.get("decision") or outcome)
    return -sign if sign is not None and swapped else sign
