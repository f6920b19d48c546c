"""A run of `libra grpo` whose vLLM lacks weights from the second hand-over on: stale_sampler.py KIND FILE WORD...

KIND is a key of KINDS. FILE gets [status, message].
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from drive import ended

from libra_cli.engines import vllm_drivers
from libra_cli.engines.vllm_drivers import InProcess
from libra_cli.training.distributed import launch

Named = Iterable[tuple[str, Any]]


def without_one(named: Named) -> Iterator[tuple[str, Any]]:
    return (each for each in named if each[0] != "model.layers.1.mlp.down_proj.weight")


def half(named: Named) -> Iterator[tuple[str, Any]]:
    whole = list(named)
    return iter(whole[: len(whole) // 2])


KINDS: dict[str, Callable[[Named], Iterator[tuple[str, Any]]] | None] = {
    "complete": None,
    "skipped": None,
    "half": half,
    "without one": without_one,
    "without the tied head": None,
}


def spoil(kind: str) -> None:
    update, choose = InProcess.update_weights, KINDS[kind]
    updates = 0

    def spoilt(self: InProcess, named: Named) -> None:
        nonlocal updates
        updates += 1
        if updates == 2 and kind == "without the tied head":
            vllm_drivers.repack_tied_head = lambda _model: None
        if updates > 1 and kind == "skipped":
            return
        update(self, choose(named) if updates > 1 and choose is not None else named)

    InProcess.update_weights = spoilt  # type: ignore[method-assign]


if __name__ == "__main__":
    spoil(sys.argv[1])
    launch.relaunch(1, grace=0)
    Path(sys.argv[2]).write_text(json.dumps(ended("grpo", sys.argv[3:])))
