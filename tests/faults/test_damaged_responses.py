"""Responses that are cut, damaged, joined, or belong to another question are labelled; nothing in them is an error."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from libra_cli.tasks.grading import grade
from libra_cli.tasks.reason import REASON
from libra_cli.tasks.task import GeneratedText

SETS = sorted((Path(__file__).parents[1] / "data/verify").glob("hard-pairs-*.jsonl"))
MARKS = "()[]{}$\\=,.:;?!*_#|\"'-+/%^ \n"


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for path in SETS for line in path.read_text(encoding="utf-8").splitlines()]


def damaged(row: dict[str, Any], other: dict[str, Any], chance: random.Random) -> tuple[str, str, str | None]:
    """A response, a reference and a question, one of them damaged or taken from `other`."""
    response, reference, question = row["response"] or " ", str(row["reference"]), row.get("question")
    at = chance.randrange(len(response))
    match chance.randrange(6):
        case 0:
            response = response[: at + 1]
        case 1:
            response = response[at:]
        case 2:
            reference = str(other["reference"])
        case 3:
            question = other.get("question")
        case 4:
            response = f"{response} {other['response'][: at + 1]}"
        case _:
            response = response[:at] + chance.choice(MARKS) + response[at + chance.randrange(2) :]
    return response, reference, question


def run(seed: int, n: int) -> None:
    chance, known = random.Random(seed), rows()
    for _ in range(n):
        response, reference, question = damaged(chance.choice(known), chance.choice(known), chance)
        text = GeneratedText(response, None, chance.choice(("stop", "length", None)))
        record = {"question": question, "reference": reference, "response": response}
        try:
            found = grade(REASON, text, record)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} on {record!r}") from error
        assert found.correct in (True, False, None)


def test_damaged_responses_are_labelled() -> None:
    run(1, 400)


@pytest.mark.parametrize(
    ("response", "reference", "question"),
    [
        ("so we compute rank(", "3", None),
        ("\n", "friction", "What keeps surfaces in contact?\nA. gravity B. friction C. tension D. lift"),
        ("### Answer\n\n**", "24", None),
        ("F(x) = 2 + x⁴ <think>\n10", "x^4+2", "Find the antiderivative of 4x³ with F(0)=2."),
        (r"$L=9.8=0.993\text{ m}\approx 99\text{ cm}$ Gas", "0.99 m", "What is the length? Give it in metres."),
        (r"\boxed{x = , k ; = }", "2k", None),
    ],
)
def test_what_once_was_an_error(response: str, reference: str, question: str | None) -> None:
    record = {"question": question, "reference": reference, "response": response}
    assert grade(REASON, GeneratedText(response, None, "stop"), record).correct is not True


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_many_damaged_responses(seed: int) -> None:
    run(100 + seed, 10_000)
