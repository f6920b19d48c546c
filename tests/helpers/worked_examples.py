"""Worked numbers of the published methods of reward, advantage and credit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).parents[1] / "training" / "reward_examples.json"
EXAMPLES = {example["name"]: example for example in json.loads(FILE.read_text(encoding="utf-8"))}


def example(name: str) -> tuple[dict[str, Any], Any]:
    """(inputs, expected) of a method, to six digits; null is nan."""
    return EXAMPLES[name]["inputs"], EXAMPLES[name]["expected"]


def group(values: Any) -> np.ndarray:
    """One group [1, G]; None is nan."""
    return np.array([values], dtype=float)


def close(actual: Any, expected: Any) -> None:
    """Asserts equality to the six digits of the examples; nan equals nan."""
    np.testing.assert_allclose(np.array(actual, dtype=float), np.array(expected, dtype=float), rtol=1e-5, atol=1e-6)
