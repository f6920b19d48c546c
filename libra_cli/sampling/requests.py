"""Requests: their seeds, and the account in `provenance` of how they were answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from libra_cli import __version__
from libra_cli.engines.base import Request, Sampling
from libra_cli.masking import without_secrets
from libra_cli.stream import rows

_SEEDS = 1 << 53
"""Larger integers do not pass unchanged through every reader of JSON (jq 1.6), and rows carry their seeds."""


def request_seed(run_seed: int, record: str, sample: int) -> int:
    """The seed of a request, from `stream.rows.seed_for`."""
    return rows.seed_for(run_seed, record, sample) % _SEEDS


def provenance(
    engine: Mapping[str, Any],
    sampling: Sampling | None = None,
    prompt_sha256: str | None = None,
    request: Request | None = None,
) -> dict[str, Any]:
    """How answers were made: the engine's description, the sampling parameters in force, the template, and libra.

    A parameter that a server was not given is null. `sampling` is None if nothing is sampled; `request` is that of the
    answer, None for several answers together.
    """
    engine = dict(without_secrets(engine))
    unsent = dict.fromkeys(engine.pop("unsent", ()))
    if sampling is None:
        return {**engine, "libra": __version__}
    parameters = {name: value for name, value in asdict(sampling).items() if value not in (None, (), {})}
    extra = parameters.pop("extra", {})
    seed = {} if request is None else {"seed": request.seed}
    return {
        **engine,
        "prompt_sha256": prompt_sha256,
        "sampling": {**parameters, **without_secrets(extra), **seed, **unsent},
        "libra": __version__,
    }
