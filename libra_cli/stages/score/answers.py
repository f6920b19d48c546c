"""Grouping the answers to a problem that are equal but written differently."""

from __future__ import annotations

from collections.abc import Sequence

from libra_cli.answers.comparison.equal import decide_quickly
from libra_cli.answers.time_limit import limited


def grouped_answers(answers: Sequence[str], of_samples: Sequence[int]) -> list[int]:
    """Returns the group of each sample, numbered from 0; -1 for a sample without an answer.

    `of_samples` has the index in `answers` of each sample's answer, or -1. An answer joins the first group whose first
    member it equals. Answers whose equality only computer algebra could decide, or not in time,
    count as different.
    """
    firsts: list[str] = []
    group_of = []
    for answer in answers:
        decisions = enumerate(limited(None, decide_quickly, first, answer) for first in firsts)
        equal = (number for number, decision in decisions if decision is not None and decision.equal is True)
        group = next(equal, len(firsts))
        if group == len(firsts):
            firsts.append(answer)
        group_of.append(group)
    return [-1 if index < 0 else group_of[index] for index in of_samples]
