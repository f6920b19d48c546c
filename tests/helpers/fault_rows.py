"""Rows for the fault tests, and where their test stages are."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

STAGES = Path(__file__).with_name("fault_stages.py")


WORDS = ["apple", "river", "stone", "cloud", "tiger", "candle", "window", "garden", "copper", "violin", "marble"]


def good_rows(n: int) -> list[dict]:
    """Rows that every stage takes, all different and half of them correct."""
    phrases = (" ".join(words) for words in itertools.permutations(WORDS, 6))
    problems = itertools.islice(phrases, 0, n * 2017, 2017)  # far apart, so that no two questions look alike
    return [
        {
            "id": f"p{number}", "question": f"{problem} {number}?", "reference": "4", "subset": "s", "model": "m",
            "sample": 0, "response": f"so \\boxed{{{4 + number % 2}}}", "label": 1 - number % 2,
        }
        for number, problem in enumerate(problems)
    ]  # fmt: skip


def problem_rows(n: int) -> list[dict]:
    """`n` rows that every test stage reads."""
    return [{"id": f"p{number}", "question": f"What is {number} + 1?", "n": number} for number in range(n)]


def jsonl(rows: list[dict]) -> bytes:
    """Rows as a file has them."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def parsed(data: bytes) -> list[dict]:
    """The rows in `data`, every line of which is whole."""
    assert data == b"" or data.endswith(b"\n"), data[-200:]
    return [json.loads(line) for line in data.splitlines()]
