"""Conversations made from the miniature world, to train policies from nothing: answers, and three ways to judge them.

python corpus.py COUNT [--seed 1] > corpus.jsonl
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from world import Problem, problems, solve, work

from libra_cli.tasks import JUDGING

ANSWER = "The answer is \\boxed{%d}."


@dataclass(frozen=True)
class Mix:
    """What the corpus is made of: shares of conversations, and how often an operation forgets its carries."""

    judge: float = 0.10
    compare: float = 0.05
    verify: float = 0.10
    slip: float = 0.15
    judge_slip: float = 0.05
    """The same where answers are judged."""


Turns = tuple[str, str]  # what the user says and what the assistant says


def answering(problem: Problem, rng: random.Random, mix: Mix) -> Turns:
    """The trace written out; its answer follows the trace, slips included."""
    trace, value = solve(problem, rng, mix.slip)
    return problem.question, f"<think>{trace}</think>{ANSWER % value}"


def judging(problem: Problem, rng: random.Random, mix: Mix) -> Turns:
    """A claimed answer, recomputed and compared; the verdict follows the recomputation, even where it slipped."""
    trace, value = solve(problem, rng, mix.judge_slip)
    claimed = claim(problem, rng)
    verdict = "[[score=4]]" if claimed == value else "[[score=0]]"
    asked = _asked("score", problem, response=ANSWER % claimed)
    return asked, f"<think>{trace};{compared(value, claimed)}</think>{verdict}"


def comparing(problem: Problem, rng: random.Random, mix: Mix) -> Turns:
    """Two claimed answers; the one that the recomputation confirms is much better, else they are even."""
    trace, value = solve(problem, rng, mix.judge_slip)
    a, b = claim(problem, rng), claim(problem, rng)
    verdict = {(True, False): "[[A>>B]]", (False, True): "[[B>>A]]"}.get((a == value, b == value), "[[A=B]]")
    asked = _asked("rank", problem, response_a=ANSWER % a, response_b=ANSWER % b)
    return asked, f"<think>{trace};{compared(value, a)};{compared(value, b)}</think>{verdict}"


def verifying(problem: Problem, rng: random.Random, _mix: Mix) -> Turns:
    """A claimed answer beside the reference; nothing is recomputed."""
    claimed = claim(problem, rng)
    verdict = "[[Correct]]" if claimed == problem.reference else "[[Wrong]]"
    asked = _asked("verify", problem, reference=str(problem.reference), response=ANSWER % claimed)
    return asked, f"<think>{compared(problem.reference, claimed)}</think>{verdict}"


def compared(value: int, claimed: int) -> str:
    """What is left between two numbers, worked as any other operation: `824-75 carry 11=749`; 000 where they are equal.

    It is a skill that answering needs anyhow, and no slip makes 000 of different numbers.
    """
    left, carries = work(value, "-", claimed)
    return f"{value:03d}-{claimed} carry {carries}={left:03d}"


def claim(problem: Problem, rng: random.Random) -> int:
    """The right answer half of the time; otherwise what slips lead to, or the right answer but for one digit."""
    right = problem.reference
    if rng.random() < 0.5:
        return right
    slipped = solve(problem, rng, 0.5)[1]
    if slipped != right and rng.random() < 0.5:
        return slipped
    scale = rng.choice((1, 10, 100))
    digit = right // scale % 10
    return right + ((digit + rng.randrange(1, 10)) % 10 - digit) * scale


def _asked(task: str, problem: Problem, **shown: str) -> str:
    """What libra asks of a judge; the chat template makes a short prompt of it."""
    return str(JUDGING[task].prompt({"question": problem.question, **shown})[0]["content"])


def conversations(rng: random.Random, mix: Mix) -> Iterator[Turns]:
    """An endless stream over problems of the training split."""
    shares = {judging: mix.judge, comparing: mix.compare, verifying: mix.verify}
    makers, weights = (*shares, answering), (*shares.values(), 1 - sum(shares.values()))
    for problem in problems(rng, held_out=False):
        (make,) = rng.choices(makers, weights)
        yield make(problem, rng, mix)


def row(turns: Turns) -> dict[str, object]:
    """A conversation as `libra sft` reads it."""
    asked, said = turns
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for turns in islice(conversations(random.Random(args.seed), Mix()), args.count):
        print(json.dumps(row(turns)))


if __name__ == "__main__":
    main()
