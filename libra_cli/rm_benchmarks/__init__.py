"""Published reward-model benchmarks: their rules, by name, as pure functions of judged rows, and published figures."""

from __future__ import annotations

from libra_cli.rm_benchmarks.base import Benchmark, BenchmarkPart, BenchmarkPoint, Fields, ProtocolName
from libra_cli.rm_benchmarks.judgebench import JudgeBench
from libra_cli.rm_benchmarks.libra_bench import LibraBench
from libra_cli.rm_benchmarks.lists import Lists
from libra_cli.rm_benchmarks.pairs import Pairs
from libra_cli.rm_benchmarks.ppe import PPECorrectness, PPEPreference
from libra_cli.rm_benchmarks.rewardbench import RewardBench
from libra_cli.rm_benchmarks.rewardbench2 import RewardBench2
from libra_cli.rm_benchmarks.rewardmath import RewardMATH
from libra_cli.rm_benchmarks.rm_bench import RMBench
from libra_cli.rm_benchmarks.rmb import RMB

__all__ = ["BENCHMARKS", "Benchmark", "BenchmarkPart", "BenchmarkPoint", "ProtocolName", "benchmark_of"]

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        JudgeBench(),
        RMB(),
        PPECorrectness(),
        PPEPreference(),
        RewardMATH(),
        RMBench(),
        RewardBench2(),
        RewardBench(),
        LibraBench(),
        Pairs(),
        Lists(),
    )
}
"""By name, in the order in which they are tried on a row."""


def benchmark_of(fields: Fields) -> Benchmark | None:
    """Returns the first benchmark that recognises a judged row; None if none does."""
    return next((benchmark for benchmark in BENCHMARKS.values() if benchmark.recognises(fields)), None)
