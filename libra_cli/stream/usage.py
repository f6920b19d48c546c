"""The tokens that models took, as manifests have them under `usage`, added up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Usage = Mapping[str, Mapping[str, Any]]
"""Model -> its figures: requests, tokens, and the cost if it is known."""


def added_usage(runs: Iterable[Usage]) -> dict[str, dict[str, Any]]:
    """The figures of each model over all `runs` that asked it; a figure (a cost) only if all of these have it."""
    total: dict[str, dict[str, Any]] = {}
    for run in runs:
        for model, usage in run.items():
            before = total.get(model)
            if before is None:
                total[model] = dict(usage)
            else:
                total[model] = {key: before[key] + usage[key] for key in usage if key in before}
    return total
