"""Chooses the steps that --only, --from and --until name."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import click

from libra_cli.stages.run.pipe_file import PipeFile
from libra_cli.stages.run.steps import Step


def chosen(
    pipe: PipeFile, steps: Sequence[Step], only: Sequence[str], first: Sequence[str], until: Sequence[str]
) -> list[Step]:
    """The steps that every option given allows, in their order; raises UsageError for a name that no step has."""
    known = list(dict.fromkeys(name for step in steps for name in (step.name, step.group)))
    for option, names in (("--only", only), ("--from", first), ("--until", until)):
        for name in names:
            if name not in known:
                close = difflib.get_close_matches(name, known, 1, 0.5)
                hint = f"did you mean {close[0]}?" if close else f"its steps are {', '.join(known)}"
                raise click.UsageError(f"{option} {name}: {pipe.path} has no such step; {hint}")
    needed, later = set[str](), set[str]()
    for step in reversed(steps):
        if _is_named(step, until) or step.name in needed:
            needed |= {step.name, *step.needs}
    for step in steps:
        if _is_named(step, first) or later.intersection(step.needs):
            later.add(step.name)
    return [
        step
        for step in steps
        if (not only or _is_named(step, only)) and (not first or step.name in later)
        if not until or step.name in needed
    ]


def _is_named(step: Step, names: Sequence[str]) -> bool:
    return step.name in names or step.group in names
