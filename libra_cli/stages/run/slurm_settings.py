"""What the `slurm` keys of a pipeline file ask of Slurm, for all steps and for one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from libra_cli.cli.config_file import ConfigValue
from libra_cli.stages.run.join import ORDERS
from libra_cli.stages.run.pipe_file import PipeError, PipeErrors, PipeFile, check_keys, replaced
from libra_cli.stages.run.step import Step

_WORD = r"[^\s\"'`\\;]+"
_COUNT = r"[1-9][0-9]{0,5}"


@dataclass(frozen=True)
class SlurmKey:
    """A key of `slurm`: the option of sbatch that it sets, if it is just that, and what its value looks like."""

    option: str | None
    pattern: str
    form: str


KEYS = {
    "partition": SlurmKey("--partition", _WORD, "a name"),
    "account": SlurmKey("--account", _WORD, "a name"),
    "qos": SlurmKey("--qos", _WORD, "a name"),
    "constraint": SlurmKey("--constraint", _WORD, "features without spaces"),
    "time": SlurmKey("--time", r"\d+(:\d\d){0,2}|\d+-\d+(:\d\d){0,2}", "minutes, or H:MM:SS, or D-HH"),
    "cpus": SlurmKey("--cpus-per-task", _COUNT, "a whole number from 1"),
    "mem": SlurmKey("--mem", r"\d+[KMGT]?", "megabytes, or a number with K, M, G or T"),
    "gpus": SlurmKey("--gpus-per-node", r"(?:[A-Za-z0-9_.-]+:)?\d+", "a number, or TYPE:NUMBER"),
    "nodes": SlurmKey("--nodes", _COUNT, "a whole number from 1"),
    "shards": SlurmKey(None, _COUNT, "a whole number from 1"),
    "at-once": SlurmKey(None, _COUNT, "a whole number from 1"),
    "signal": SlurmKey(None, _COUNT, "seconds, a whole number from 1"),
    "activate": SlurmKey(None, r"[^\0-\x1f]+", "the name of a file"),
    "sbatch": SlurmKey(None, r"--?[^\0-\x1f]+", "options of sbatch: [--exclusive, --nice=10]"),
}
_OWN = "array chdir comment dependency output error job-name open-mode requeue signal kill-on-invalid-dep"
OWN_OPTIONS = (*(f"--{name}" for name in _OWN.split()), *("-a", "-D", "-d", "-o", "-e", "-J"))
"""Options of sbatch that the scripts need for themselves; `--no-requeue` is the user's."""
LEAD_SECONDS = {"rows": 120, "result": 120, "made": 120, "model folder": 300}
"""By the form of a step's output, the time before its time limit at which a job is told to save."""


@dataclass(frozen=True)
class JobSettings:
    """What a step asks of Slurm."""

    options: Mapping[str, str] = field(default_factory=dict)
    """Options of sbatch, in their order."""
    more: tuple[str, ...] = ()
    """More of them, as the file has them."""
    nodes: int = 1
    shards: int = 1
    at_once: int | None = None
    """Tasks of an array that run at a time."""
    signal: int = 120
    """Seconds before the time limit at which the step is told to save."""
    activate: str = ""
    """A file to source before anything runs."""


def all_settings(pipe: PipeFile, steps: Sequence[Step]) -> dict[str, JobSettings]:
    """The settings of each step, by its name; raises the errors of all."""
    settings = {}
    for step in steps:
        with pipe.errors.collected():
            settings[step.name] = job_settings(pipe, step)
    pipe.errors.check()
    return settings


def job_settings(pipe: PipeFile, step: Step) -> JobSettings:
    """The settings of a step: its own, else those of the file as far as they are of use to it; raises PipeError."""
    text = next(text for text in pipe.steps if text.name == step.name)
    own = _values(pipe, text.slurm, {**pipe.variables, **text.values})
    shared = {key: value for key, value in _values(pipe, pipe.slurm, pipe.variables).items() if _is_of_use(key, step)}
    for key, (place, _) in own.items():
        if not _is_of_use(key, step) and key != "gpus":
            stages = "trainers" if key == "nodes" else ", ".join(ORDERS)
            what = f"libra {step.stage}" if step.stage else "a command"
            raise PipeError(place, f"{key} of slurm is for {stages}, not for {what}; leave it out")
    values = {key: value for key, (_, value) in {**shared, **own}.items() if value is not None}
    number = {key: int(values[key]) for key in ("nodes", "shards", "at-once", "signal") if key in values}
    if number.get("shards", 1) > 1:
        check_shards(pipe, step)
    options = {
        key.option: values[name] for name, key in KEYS.items() if key.option and values.get(name) not in (None, "0")
    }
    return JobSettings(
        options,
        tuple(values.get("sbatch", ())),
        number.get("nodes", 1),
        number.get("shards", 1),
        number.get("at-once"),
        number.get("signal", LEAD_SECONDS[step.form]),
        values.get("activate", ""),
    )


def _is_of_use(key: str, step: Step) -> bool:
    """Whether a step can have what a key asks for. GPUs are for stages that run a model; others ask for their own."""
    if key == "shards":
        return step.stage in ORDERS
    if key == "nodes":
        return step.form == "model folder"
    return key != "gpus" or step.form == "model folder" or step.stage in ("rollout", "judge")


def check_shards(pipe: PipeFile, step: Step) -> None:
    """Raises PipeError if the shards of a step cannot be joined."""
    cure = "leave it out, or give the step `slurm: {shards: 1}`"
    refused = [name for name in step.writes if name != "--errors"]
    if refused:
        raise PipeError(pipe.place(step.line), f"{refused[0]} of {step.name} cannot be made in shards; {cure}")
    if step.shard is not None:
        raise PipeError(pipe.place(step.line), f"--shard of {step.name} is one shard already; {cure}")


def _values(
    pipe: PipeFile, given: Mapping[str, ConfigValue], variables: Mapping[str, ConfigValue]
) -> dict[str, tuple[str, Any]]:
    """By key its place and its value, which is text, or None for null; raises PipeError for a wrong one."""
    errors = PipeErrors()
    check_keys(pipe.path, given, list(KEYS), "slurm", errors)
    errors.check()
    found = {}
    for name, value in given.items():
        place, text = pipe.place(value.line), replaced(pipe.path, value, variables.get, variables).text
        key = KEYS[name]
        texts = text if isinstance(text, list) and name == "sbatch" else [text]
        for one in texts:
            if one is not None and not (isinstance(one, str) and re.fullmatch(key.pattern, one, re.ASCII)):
                raise PipeError(place, f"{name} of slurm takes {key.form}, not {one}")
            option = re.split(r"[=\s]", one or "", maxsplit=1)[0]
            is_long = option.startswith("--") and any(own.startswith(option) for own in OWN_OPTIONS)
            if name == "sbatch" and (is_long or option[:2] in OWN_OPTIONS):  # --out=x, -J x, -Jx
                raise PipeError(place, f"sbatch: {option} is what the scripts set themselves; leave it out")
        found[name] = (place, None if text is None else tuple(texts) if name == "sbatch" else text)
    return found
