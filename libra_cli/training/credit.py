"""Credit: from the advantages of responses [P, G] to those of their tokens.

A method of credit returns None where every token of a response has the advantage of the response, else ragged arrays:
one of length T for each response, in lists [P][G].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from libra_cli.training.advantages import Array
from libra_cli.training.registry import Registry

Ragged = list[list[NDArray[np.float64]]]
Credit = Callable[..., "Ragged | None"]

CREDITS: Registry[Credit] = Registry("credit estimator")


@CREDITS.add("outcome")
def outcome(advantages_P_G: Array, rewards_P_G: Array, facts: Any) -> Ragged | None:
    """Every token has the advantage of its response (paper)."""
    return None
