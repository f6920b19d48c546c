"""Which of a problem's answers are the same one, written differently."""

from __future__ import annotations

from collections.abc import Sequence

from libra_cli.answers.equal import decide_quickly


def grouped_answers(answers: Sequence[str], of_samples: Sequence[int]) -> list[int]:
    """A group from 0 for each sample whose answer is one of `answers` (its place, or -1 for none, which stays).

    An answer joins the first group whose first member it equals; what is not certain without computer algebra is
    another answer.
    """
    firsts: list[str] = []
    group_of = []
    for answer in answers:
        found = next((at for at, first in enumerate(firsts) if _same(first, answer)), None)
        if found is None:
            found = len(firsts)
            firsts.append(answer)
        group_of.append(found)
    return [-1 if place < 0 else group_of[place] for place in of_samples]


def _same(first: str, answer: str) -> bool:
    decision = decide_quickly(first, answer)
    return decision is not None and decision.equal is True
