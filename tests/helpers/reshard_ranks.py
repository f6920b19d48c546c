"""Gives engines of other layouts the state of checkpoints, and has them save it: reshard_ranks.py CASES

Run by every rank. CASES is a JSON list of {"args" (of the run), "zero", "sources" (checkpoints, loaded one after
another), "target" (a folder)}.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import sft_runs as runs

from libra_cli.training import preflight
from libra_cli.training.distributed import launch
from libra_cli.training.distributed.deepspeed_engine import TrainEngine
from libra_cli.training.distributed.world import World
from libra_cli.training.model import policy


def engine_of(args: list[str], stage: int, world: World) -> TrainEngine:
    """The engine that `libra sft ARGS` would have at this stage, before it loads anything."""
    settings = runs.settings(*args)
    settings = replace(settings, engine=replace(settings.engine, zero=stage))
    config = preflight.deepspeed_config_for(settings, world, policy.dtype_of(settings.model.dtype))
    lm = policy.load(settings.model, policy.load_config(settings.model), None, config)
    return TrainEngine(policy.PolicyModel(lm, packed=False), config, settings.optimizer, world)


def main(cases: list[dict[str, Any]]) -> None:
    launch.relaunch(1, grace=0)
    with World() as world:
        for case in cases:
            engine = engine_of(case["args"], case["zero"], world)
            for source in case["sources"]:
                engine.load_saved(engine.saved_state(source))
            engine.save(case["target"])


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
