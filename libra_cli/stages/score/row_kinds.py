"""The kinds of rows that can be scored: detected from the first row of a file, or named with --as."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from libra_cli.rm_benchmarks import BENCHMARKS, Benchmark, benchmark_of
from libra_cli.rm_benchmarks.base import ProtocolName
from libra_cli.stream.required_fields import columns
from libra_cli.stream.wrong_rows import is_unanswered, near_column, wrong_row
from libra_cli.tasks.labels import LABEL, PREDICTION, SCORE, VERDICTS
from libra_cli.tasks.rank import why_no_preference

Fields = Mapping[str, Any]

LIBRA_BENCH, POINTWISE, REASONING = "libra-bench", "pointwise", "reasoning"

KIND_FIELDS = frozenset(("label", "score", "scores", "prediction", "preference", "response_a", "chosen", "results"))
"""Fields that say what kind a row is."""
_NO_PREFERENCE = (
    'no "preference" (A or B, the better response) beside the two: libra collect --map FIELD=preference names its field'
)


class Pointwise(Benchmark):
    """Responses judged one by one, of any subsets: accuracy per subset, and their plain mean."""

    name, title = POINTWISE, "Pointwise judging"

    def recognises(self, fields: Fields) -> bool:
        return "label" in fields and _is_judged(fields)


@dataclass(frozen=True)
class RowKind:
    """How the rows of a file are scored."""

    name: str
    benchmark: Benchmark
    judge_of: Callable[[Fields], str]
    """The judge (or model) that a row scores; empty if it names none."""
    accepts: Callable[[Fields], bool]
    """Whether a row is of this kind."""

    @property
    def verdicts(self) -> tuple[str, ...]:
        """What is read of a row that is one response, with a label."""
        return VERDICTS if self.is_pointwise else (LABEL, SCORE) if self.name == REASONING else ()

    @property
    def is_pointwise(self) -> bool:
        """Whether a row is one response, of whose judgments nothing is read."""
        return self.name in (LIBRA_BENCH, POINTWISE)

    def why_not(self, fields: Fields) -> str:
        """Says what is wrong with a row that is not of this kind, and what to do."""
        if self.name == REASONING:
            return _no_label(fields)
        other = benchmark_of(fields)
        if self.is_pointwise and "label" not in fields and other is None:
            return _no_label(fields)
        if self.is_pointwise and "label" in fields and not _is_judged(fields):
            return _no_verdict(fields)
        if self.name == LIBRA_BENCH and "label" in fields:
            subset = f"the subset {fields['subset']!r} is none of its" if "subset" in fields else 'no "subset" of its'
            return f"not a row of libra-bench, {subset} three; --as pointwise takes any subsets"
        if "label" not in fields and (reason := why_no_preference(fields)) is not None:
            return reason
        looks = f", it looks like one of {other.name}" if other and other.name != self.name else ""
        return f"not a row of {self.name}{looks}; score each kind from a file of its own, its fields as published"


def kind_of(fields: Fields, name: str | None) -> RowKind:
    """Returns the kind called `name`, or without one the kind of a row; raises ValueError if it is of none."""
    name = name or _detect(fields)
    if name == REASONING:
        return RowKind(name, _POOLED, _policy, lambda fields: "label" in fields)
    if name == POINTWISE:
        return RowKind(name, _POINTWISE, _judge, _POINTWISE.recognises)
    benchmark = BENCHMARKS[name]
    if name == LIBRA_BENCH:
        recognises = benchmark.recognises
        return RowKind(name, benchmark, _judge, lambda fields: recognises(fields) and _is_judged(fields))
    return RowKind(name, benchmark, _judge, benchmark.recognises)


def _detect(fields: Fields) -> str:
    benchmark = benchmark_of(fields)
    if benchmark is not None and benchmark.name != LIBRA_BENCH:
        return benchmark.name
    if "label" in fields and _is_judged(fields):
        return benchmark.name if benchmark is not None else POINTWISE
    if "label" in fields and (fields.get("model") is not None or "verification" in fields or "response" in fields):
        return REASONING
    if "label" in fields:
        raise ValueError(_no_verdict(fields))
    if (reason := why_no_preference(fields)) is not None:
        raise ValueError(reason)
    if _is_judged(fields) and "response_a" in fields and "response_b" in fields:
        raise ValueError(_NO_PREFERENCE)
    if _is_judged(fields) or "response" in fields or "response_with_cot" in fields:
        raise ValueError(_no_label(fields))
    if all(name in fields for name in ("response_a", "response_b")) or isinstance(fields.get("responses"), list):
        raise ValueError(_no_verdict(fields))
    if wrong := wrong_row(fields):
        raise ValueError(f"no verdict: {wrong}")
    if is_unanswered(fields):
        raise ValueError('no "response": run libra rollout first')
    raise ValueError(f"neither a judged nor a verified row; --as names its kind ({', '.join(names())})")


def _no_label(fields: Fields) -> str:
    return f'no "label" ({columns(fields)}): run libra verify first{near_column(fields, LABEL)}'


def _no_verdict(fields: Fields) -> str:
    near = near_column(fields, SCORE) or near_column(fields, PREDICTION)
    return f'no "score" and no "prediction" ({columns(fields)}): run libra judge first{near}'


def names() -> list[str]:
    """The values of --as."""
    return [LIBRA_BENCH, POINTWISE, *(name for name in BENCHMARKS if name != LIBRA_BENCH), REASONING]


def _is_judged(fields: Fields) -> bool:
    return "score" in fields or "prediction" in fields


def _judge(fields: Fields) -> str:
    name = fields.get("judge")
    return name if type(name) is str else "" if name is None else str(name)


def _policy(fields: Fields) -> str:
    """The model that answered and the judge that scored its answers."""
    model, judge = fields.get("model"), _judge(fields)
    name = "" if model is None else str(model)
    return f"{name}, scored by {judge}" if judge and name else name or judge


class _Pooled(Pointwise):
    """Problems of any subsets, pooled."""

    name, title = REASONING, "Reasoning"
    overall_is = "pooled"

    def overall(self, sections: Any, names: Any, ns: Any, protocol: ProtocolName) -> Any:
        """The mean over problems, whatever their subset."""
        from libra_cli.rm_benchmarks.base import weighted_mean

        return weighted_mean(sections, ns)


_POINTWISE, _POOLED = Pointwise(), _Pooled()
