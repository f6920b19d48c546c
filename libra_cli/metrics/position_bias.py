"""Position bias: how often a judge prefers the response shown first, and changes its mind with the order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any

from libra_cli.metrics.agreement import wilson_interval

OrderedVerdict = tuple[Hashable, str, int, int]
"""A verdict on a pair shown in one order: its comparison (the same for both orders of a vote), the order (`AB`, `BA`),
and its sign (1, 0 for a tie, -1) for the response shown first and for the record's first response."""


class PositionBias:
    """Counts verdicts row by row; its size does not grow with the rows."""

    def __init__(self) -> None:
        self._position: Counter[str] = Counter()
        """Verdicts for the response that was shown `first`, `second`, or neither (`tie`)."""
        self._swaps = self._flips = 0
        """Comparisons with a verdict in both orders, and those whose two verdicts differ; a tie differs, too."""

    def add(self, verdicts: Iterable[OrderedVerdict]) -> None:
        """Counts the verdicts of one row."""
        by_order: dict[Hashable, dict[str, int]] = {}
        for comparison, order, as_shown, in_own_order in verdicts:
            self._position[{1: "first", 0: "tie", -1: "second"}[as_shown]] += 1
            by_order.setdefault(comparison, {})[order] = in_own_order
        both = [orders for orders in by_order.values() if len(orders) == 2]
        self._swaps += len(both)
        self._flips += sum(orders["AB"] != orders["BA"] for orders in both)

    def figures(self) -> dict[str, Any]:
        """Shares as JSON, the flip rate with its 95% Wilson interval; without verdicts there are none."""
        figures: dict[str, Any] = {}
        if total := self._position.total():
            figures["position"] = {place: self._position[place] / total for place in ("first", "second", "tie")}
        if self._swaps:
            interval = wilson_interval(self._flips, self._swaps)
            figures |= {"swaps": self._swaps, "flip_rate": self._flips / self._swaps, "flip_interval": interval}
        return figures
