"""The figures of a benchmark from judged rows, by plain loops: what the tests of its rules look at."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from libra_cli.rm_benchmarks import BENCHMARKS, BenchmarkPart, BenchmarkPoint


def points_of(name, rows, protocol="official"):
    """The points of `rows`, those that several rows make together included."""
    benchmark = BENCHMARKS[name]
    given = [found for row in rows for found in benchmark.points(row, protocol)]
    parts = [found for found in given if isinstance(found, BenchmarkPart)]
    return [found for found in given if isinstance(found, BenchmarkPoint)] + list(benchmark.join(parts, protocol))


def figures(name, rows, protocol="official"):
    """({section: value}, overall)."""
    benchmark, by_group = BENCHMARKS[name], defaultdict(list)
    for point in points_of(name, rows, protocol):
        if point.value is not None:
            by_group[point.group].append(point.value)
    groups = list(by_group)
    means, counts = (np.array([how(by_group[group]) for group in groups], float) for how in (np.mean, len))
    names, values = benchmark.sections(means, groups, counts, protocol)
    of_section = dict.fromkeys(names, 0)
    for group, count in zip(groups, counts, strict=True):
        for section in set(benchmark.sections_of(group)) & set(names):
            of_section[section] += count
    overall = benchmark.overall(values, names, np.array([of_section[section] for section in names]), protocol)
    return dict(zip(names, values.tolist(), strict=True)), float(overall)
