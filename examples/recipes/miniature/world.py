"""The miniature world: small arithmetic problems with one right answer, their worked traces and a shared mistake.

Everything here is pure and seeded: the same `random.Random` gives the same problems, and nothing needs torch.
Numbers are 0..999 and every line of a trace is one operation worked column by column, with the two digits that are
carried between the three columns written down:

    370+86 carry 11=456;456*4 carry 22=824

The shared mistake, a *slip*, is to forget those carries. It gives one definite wrong result for each operation, so
different models (and a judge) err in the same way on the same problem, as real ones do.
"""

from __future__ import annotations

import argparse
import json
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

KINDS = ("chain", "linear", "compare")
LEVELS = (1, 2, 3, 4, 5)
LIMIT = 1000  # results live in 0..999
HELD_OUT_ONE_IN = 20
INVERSE = {"+": "-", "-": "+", "*": "/"}

MODULAR = "Working left to right modulo 1000, what is "
UNKNOWN = "Working left to right, which whole number x gives "
PICKS = {"larger": max, "smaller": min}

Op = tuple[str, int]  # ("+", 86): the operation and its right-hand number


@dataclass(frozen=True)
class Chain:
    """A number and the operations applied to it, one after the other."""

    start: int
    ops: tuple[Op, ...]

    def __str__(self) -> str:
        return f"{self.start}" + spell(self.ops)


@dataclass(frozen=True)
class Problem:
    """One verifiable problem: `chains` are worked in turn, then `pick` (if any) chooses between their results."""

    kind: str
    level: int
    question: str
    chains: tuple[Chain, ...]
    pick: str | None = None

    @property
    def subset(self) -> str:
        return f"mini-{self.kind}"

    @property
    def reference(self) -> int:
        return solve(self)[1]

    @property
    def held_out(self) -> bool:
        """Whether no model may train on it. A checksum of the text, because `hash` of a string is salted."""
        return zlib.crc32(self.question.encode()) % HELD_OUT_ONE_IN == 0


def spell(ops: tuple[Op, ...]) -> str:
    """The operations as the question writes them: `+86*4`."""
    return "".join(f"{op}{number}" for op, number in ops)


def work(left: int, op: str, right: int, forget: bool = False) -> tuple[int, str]:
    """Work one operation column by column: the result (0..999) and its two carries; `forget` drops the carries.

    Sums and products go from the units to the hundreds, division from the hundreds to the units.
    """
    digits, carries, carry = [], [], 0
    columns = _columns(left, op, right)
    for upper, lower in columns:
        digit, carry = _column(op, upper, lower, carry)
        carry = 0 if forget else carry
        digits.append(digit)
        carries.append(carry)
    if op != "/":
        digits.reverse()
    return digits[0] * 100 + digits[1] * 10 + digits[2], f"{carries[0]}{carries[1]}"


def _columns(left: int, op: str, right: int) -> list[tuple[int, int]]:
    """The three pairs of digits in the order in which they are worked."""
    upper = [left // scale % 10 for scale in (1, 10, 100)]
    if op == "/":
        return [(digit, right) for digit in reversed(upper)]
    if op == "*":
        return [(digit, right) for digit in upper]
    return [(digit, right // scale % 10) for digit, scale in zip(upper, (1, 10, 100), strict=True)]


def _column(op: str, upper: int, lower: int, carry: int) -> tuple[int, int]:
    """One column: the digit written under it, and what is carried (borrowed, left over) into the next."""
    if op == "/":
        return divmod(10 * carry + upper, lower)
    total = {"+": upper + lower + carry, "-": upper - lower - carry, "*": upper * lower + carry}[op]
    return total % 10, abs(total // 10)


def solve(problem: Problem, rng: random.Random | None = None, slip: float = 0.0) -> tuple[str, int]:
    """The worked trace and its final value; each operation that has carries forgets them with probability `slip`."""

    def operate(value: int, op: str, number: int) -> tuple[int, str]:
        result, carries = work(value, op, number)
        if rng is not None and carries != "00" and rng.random() < slip:
            return work(value, op, number, forget=True)
        return result, carries

    return trace(problem, operate)


def trace(problem: Problem, operate: Callable[[int, str, int], tuple[int, str]] = work) -> tuple[str, int]:
    """The trace and its final value of one who works an operation by `operate`, as `work` does."""
    lines, results = [], []
    for chain in problem.chains:
        value = chain.start
        for op, number in chain.ops:
            result, carries = operate(value, op, number)
            lines.append(f"{value:03d}{op}{number} carry {carries}={result:03d}")
            value = result
        results.append(value)
    final = results[0]
    if problem.pick:
        final = PICKS[problem.pick](results)
        lines.append(f"{problem.pick} of {results[0]:03d} and {results[1]:03d}={final:03d}")
    return ";".join(lines), final


def _operation(rng: random.Random) -> Op:
    op = rng.choice("+-*")
    return op, rng.randrange(2, 10) if op == "*" else rng.randrange(10, 100)


def _chain(rng: random.Random, length: int) -> Chain:
    return Chain(rng.randrange(100, LIMIT), tuple(_operation(rng) for _ in range(length)))


def _make_chain(rng: random.Random, level: int) -> Problem:
    chain = _chain(rng, level + 1)
    return Problem("chain", level, f"{MODULAR}{chain}?", (chain,))


def _make_linear(rng: random.Random, level: int) -> Problem:
    """An equation in x whose values all stay in 0..999, so that undoing it from the right is exact and unique."""
    value = rng.randrange(2, rng.choice((30, 120, 500)))
    ops: list[Op] = []
    while len(ops) < level:
        op, number = _operation(rng)
        after = {"+": value + number, "-": value - number, "*": value * number}[op]
        if 0 <= after < LIMIT:
            value = after
            ops.append((op, number))
    undo = Chain(value, tuple((INVERSE[op], number) for op, number in reversed(ops)))
    return Problem("linear", level, f"{UNKNOWN}x{spell(tuple(ops))}={value}?", (undo,))


def _make_compare(rng: random.Random, level: int) -> Problem:
    pick = rng.choice(sorted(PICKS))
    chains = _chain(rng, (level + 1) // 2), _chain(rng, level // 2 + 1)
    return Problem("compare", level, f"{MODULAR}the {pick} of {chains[0]} and {chains[1]}?", chains, pick)


MAKERS = {"chain": _make_chain, "linear": _make_linear, "compare": _make_compare}


def problems(rng: random.Random, held_out: bool) -> Iterator[Problem]:
    """An endless stream of problems of one side of the split, kinds and levels drawn evenly."""
    while True:
        problem = MAKERS[rng.choice(KINDS)](rng, rng.choice(LEVELS))
        if problem.held_out == held_out:
            yield problem


def bench(seed: int, per_cell: int, held_out: bool = True) -> list[Problem]:
    """`per_cell` different problems of one side of the split of every kind and level, in a fixed order."""
    rng, cells, seen = random.Random(seed), {(k, n): per_cell for k in KINDS for n in LEVELS}, set()
    chosen = []
    for problem in problems(rng, held_out):
        cell = problem.kind, problem.level
        if cells[cell] and problem.question not in seen:
            cells[cell] -= 1
            seen.add(problem.question)
            chosen.append(problem)
        if not any(cells.values()):
            break
    return sorted(chosen, key=lambda p: (KINDS.index(p.kind), p.level))


def record(index: int, problem: Problem) -> dict[str, object]:
    """A problem as a row of libra's streams."""
    return {
        "index": index,
        "question": problem.question,
        "reference": str(problem.reference),
        "subset": problem.subset,
        "level": problem.level,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Write problems of the miniature world as JSONL.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--per-cell", type=int, default=20, help="problems of each of the 15 kinds and levels")
    parser.add_argument("--training", action="store_true", help="of the training split, not held out")
    args = parser.parse_args()
    chosen = bench(args.seed, args.per_cell, held_out=not args.training)
    rows = (record(index, problem) for index, problem in enumerate(chosen))
    args.output.write_text("".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
