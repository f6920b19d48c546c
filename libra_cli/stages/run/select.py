"""Chooses the steps that --only, --from and --until name, and looks for what they read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import click

from libra_cli.cli.nearest import did_you_mean, nearest, suggestion
from libra_cli.engines.damage import no_model
from libra_cli.similar import nearest_name
from libra_cli.stages.run.pipe_file import PipeFile
from libra_cli.stages.run.progress import unmade
from libra_cli.stages.run.step import Step
from libra_cli.stages.run.steps import files_made, maker_of

_NEAR = 0.75
"""Likeness from which the model of a step is taken for a mistyped step or output: `jugde` for `judge` has 0.8."""


def chosen(
    pipe: PipeFile, steps: Sequence[Step], only: Sequence[str], first: Sequence[str], until: Sequence[str]
) -> list[Step]:
    """The steps that every option given allows, in their order; raises UsageError for a name that no step has."""
    known = pipe.step_names
    for option, names in (("--only", only), ("--from", first), ("--until", until)):
        for name in names:
            if name not in known:
                close = nearest_name(name, known, 0.5)
                hint = f"did you mean {close}?" if close else f"its steps are {', '.join(known)}"
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


def missing_inputs(pipe: PipeFile, steps: Sequence[Step], to_run: Sequence[Step]) -> Iterator[str]:
    """What is wrong with each input of the steps `to_run` that is not there and that none of `steps` makes."""
    for step, name in unmade(to_run, steps):
        place = f"{pipe.place(step.line)}: the step {step.name} reads {name}"
        hint = did_you_mean(name, pipe.step_names) or "; check the name"
        yield f"{place}, which is neither a step nor a file{hint}"


def missing_models(steps: Sequence[Step], to_run: Sequence[Step]) -> Iterator[str]:
    """What is wrong with each model of the steps `to_run` that cannot be loaded and that none of `steps` trains.

    What a hub may have is left to the step.
    """
    makers = files_made(steps)
    made = [*(step.name for step in steps), *map(os.path.relpath, makers)]
    for step in to_run:
        for place, name in step.models:
            if maker_of(name, makers) is not None:
                continue
            beside = [one for one in made if "/" not in name or os.path.dirname(one) == os.path.dirname(name)]
            if why := no_model(name):
                yield f"{place} {name}: {why}"
            elif not os.path.isdir(name) and (near := nearest(name, beside, _NEAR)):
                yield f"{place} {name}: no step makes it{suggestion(near)}"


def _is_named(step: Step, names: Sequence[str]) -> bool:
    return step.name in names or step.group in names
