"""Libra Bench: is a response correct? (arXiv 2507.21645, section 3; the dataset card of meituan/Libra-Bench)."""

from __future__ import annotations

from libra_cli.rm_benchmarks.base import Benchmark, Fields

SUBSETS = ("MATH-500", "AIME 2024", "AIME 2025")


class LibraBench(Benchmark):
    """Accuracy of a binary prediction per subset, and the plain mean of the three, not weighted by their sizes.

    A row without a prediction is not right, as in the paper: a judge that guesses gets half of a balanced set, and
    Table 9 gives 27.9% to one that does not follow the template.
    """

    name, title, groups = "libra-bench", "Libra Bench", SUBSETS

    def recognises(self, fields: Fields) -> bool:
        return "label" in fields and fields.get("subset") in SUBSETS
