"""RM-Bench: three styles of a right response against three of a wrong one (THU-KEG/RM-Bench, scripts/utils.py)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from libra_cli.rm_benchmarks.base import (
    Benchmark,
    BenchmarkPoint,
    Fields,
    Floats,
    ProtocolName,
    cluster_of,
    pick,
    plain_mean,
)
from libra_cli.rm_benchmarks.judged_rows import null_reason, signs

DOMAINS = ("chat", "math", "code", "safety")
LEVELS = ("hard", "normal", "easy")
STYLES = 3
"""Concise, detailed, detailed with Markdown."""


class RMBench(Benchmark):
    """The share of strict wins in nine comparisons, by the styles of the right and the wrong response.

    Hard: the right response has the plainer style (above the diagonal of the 3 x 3 matrix); normal: the same style;
    easy: the fancier one. A domain is the mean of these levels, and the overall figure the mean of the four domains.
    """

    name, title = "rm-bench", "RM-Bench"
    groups = tuple(f"{domain}/{level}" for domain in DOMAINS for level in LEVELS)

    def recognises(self, fields: Fields) -> bool:
        lists = [fields.get(name) for name in ("chosen", "rejected")]
        has_styles = all(isinstance(texts, list) and len(texts) == STYLES for texts in lists)
        return ("score_chosen" in fields or has_styles) and _domain(fields) in DOMAINS

    def points(self, fields: Fields, protocol: ProtocolName) -> Iterator[BenchmarkPoint]:
        domain, problem = _domain(fields), cluster_of(fields)
        if domain not in DOMAINS:
            raise ValueError(f'"domain" is none of {", ".join(DOMAINS)}: keep the fields of the benchmark')
        cells = [(chosen, rejected) for chosen in range(STYLES) for rejected in range(STYLES)]
        of_cells = signs(fields, [(chosen, STYLES + rejected) for chosen, rejected in cells])
        for (chosen, rejected), sign in zip(cells, of_cells, strict=True):
            level = LEVELS[0] if chosen < rejected else LEVELS[1] if chosen == rejected else LEVELS[2]
            reason = null_reason(fields) if sign is None else None
            yield BenchmarkPoint(f"{domain}/{level}", problem, float(sign == 1), reason)

    def sections_of(self, group: str) -> tuple[str, ...]:
        return tuple(group.split("/"))

    def sections(
        self, means: Floats, groups: Sequence[str], ns: Floats, protocol: ProtocolName
    ) -> tuple[list[str], Floats]:
        """The domains, then the levels over all domains."""
        cells = pick(means, groups, self.groups).reshape(*means.shape[:-1], len(DOMAINS), len(LEVELS))
        return [*DOMAINS, *LEVELS], np.concatenate([cells.mean(axis=-1), cells.mean(axis=-2)], axis=-1)

    def overall(self, sections: Floats, names: Sequence[str], ns: Floats, protocol: ProtocolName) -> Floats:
        return plain_mean(pick(sections, names, DOMAINS))


def _domain(fields: Fields) -> str:
    """The domain of a row; safety-refuse and safety-response are one."""
    return str(fields.get("domain")).partition("-")[0]
