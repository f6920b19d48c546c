"""Runs a libra command whose reader of answers gets stuck: slow_readers.py KIND WORDS...

A text with the word "stuck" makes the reader search with a nested quantifier (`pattern`), compute without end
(`python`), or do so although it catches exceptions of all ordinary kinds (`stubborn`).
"""

from __future__ import annotations

import re
import sys
from typing import Any

from libra_cli import main
from libra_cli.answers import time_limit
from libra_cli.answers.extraction import extract
from libra_cli.answers.process import pool

NESTED = re.compile("(?:a|a?a)+$")
read = extract.read_answer


def pattern() -> None:
    NESTED.search("a" * 4000 + "b")


def python() -> None:
    number = 0
    while True:
        number += 1


def stubborn() -> None:
    while True:
        try:
            pattern()
        except Exception:  # noqa: BLE001 -- as some libraries do
            pass


STUCK = {"pattern": pattern, "python": python, "stubborn": stubborn}
kind = ""


def slow_answer(text: str, *more: Any) -> extract.Extraction:
    if "stuck" in text:
        STUCK[kind]()
    return read(text, *more)


if __name__ == "__main__":
    extract.read_answer = slow_answer
    time_limit.HARD_SECONDS, pool.Pool.__init__.__defaults__ = 0.2, (1, 0.2, 0.2)  # where no option says how long
    kind, sys.argv[1:] = sys.argv[1], sys.argv[2:]
    main.run()
