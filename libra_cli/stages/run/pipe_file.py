"""Reads a pipeline file: its variables and steps, each key with its line, as strictly as the command line."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from libra_cli.cli.config_file import ConfigValue, YamlError, read_config, read_setting
from libra_cli.cli.nearest import did_you_mean
from libra_cli.similar import nearest_name

TOP_KEYS = ("output", "variables", "slurm", "steps")
COMMAND_KEYS = ("command", "inputs", "output", "foreach", "slurm")
"""The keys of a step that is a command of another program."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
REFERENCE = re.compile(r"\$(?:\$(?=\{)|\{([^{}]*)\})")
"""`${NAME}`, or the `$$` of `$${`, which stands for the text `${`."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class PipeError(click.UsageError):
    """A pipeline file that cannot be run: `FILE:LINE: what is wrong`."""

    def __init__(self, place: str, reason: str):
        super().__init__(f"{place}: {reason}")


class PipeErrors:
    """Collects the errors of a pipeline file, so that they are told at once."""

    def __init__(self) -> None:
        self._errors: dict[str, click.UsageError] = {}

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Keeps a UsageError of the block, which then ends there."""
        try:
            yield
        except click.UsageError as error:
            self._errors.setdefault(error.format_message(), error)

    def check(self) -> None:
        """Raises what was collected: one error, or all of them, a line each."""
        if len(self._errors) == 1:
            raise next(iter(self._errors.values()))
        if self._errors:
            raise click.UsageError("\n".join(sorted(self._errors, key=_line_named)))


@dataclass(frozen=True)
class StepText:
    """A step as the file has it, for one choice of the values of `foreach`."""

    name: str
    group: str
    """Its name in the file; `foreach` makes several steps of it."""
    stage: str
    """Empty for a step that is a command of another program."""
    line: int
    values: Mapping[str, ConfigValue]
    """The values of `foreach`, by variable."""
    options: Mapping[str, ConfigValue]
    """The options of the stage, or the other keys of a command, references not yet replaced."""
    slurm: Mapping[str, ConfigValue]
    """What its jobs ask of Slurm, by key, references not yet replaced."""


@dataclass(frozen=True)
class PipeFile:
    """A pipeline file whose keys are known to be right; those of the stages are still to be looked at."""

    path: str
    output: str
    variables: Mapping[str, ConfigValue]
    slurm: Mapping[str, ConfigValue]
    """What the jobs of all steps ask of Slurm."""
    steps: Sequence[StepText]
    errors: PipeErrors
    """What is wrong with the file so far."""
    broken: set[str]
    """The names of steps that are wrong, to which others may refer."""

    @property
    def step_names(self) -> list[str]:
        """The names of the steps, with those of the groups that `foreach` makes."""
        return list(dict.fromkeys(name for step in self.steps for name in (step.name, step.group)))

    def place(self, line: int) -> str:
        """`FILE:LINE`."""
        return f"{self.path}:{line}" if line else self.path


def _line_named(message: str) -> int:
    found = re.search(r":(\d+): ", message)
    return int(found[1]) if found else 0


def read_pipe(path: str, settings: Sequence[tuple[str, str]], output: str | None, stages: Sequence[str]) -> PipeFile:
    """The pipeline in the file at `path`, with variables set to other values, and what is wrong with it.

    Raises PipeError for a file that is no pipeline at all.

    `output`, if given, is the folder for what the steps write, and takes the place of the file's.
    """
    try:
        keys = read_config(Path(path).read_bytes(), levels=4)
    except OSError as error:
        raise PipeError(path, f"cannot be read ({error.strerror}); check the name") from None
    except YamlError as error:
        raise PipeError(f"{path}:{error.line}" if error.line else path, error.reason) from None
    errors = PipeErrors()
    check_keys(path, keys, TOP_KEYS, "the file", errors)
    steps = _map(path, keys.get("steps"), "steps")
    if not steps:
        errors.check()
        raise PipeError(path, "has no steps; write `steps:` and below it `NAME: {stage: STAGE, ...}` for each")
    variables = _variables(path, _map(path, keys.get("variables"), "variables"), settings, errors)
    folder = output
    if folder is None and "output" in keys:
        with errors.collected():
            folder = str(replaced(path, keys["output"], variables.get, variables).text)
    folder = folder or Path(path).stem
    variables["out"] = ConfigValue(0, folder, folder)
    read: list[StepText] = []
    for name, given in steps.items():
        with errors.collected():
            read += _step_texts(path, name, given, variables, stages)
    names: dict[str, int] = {name: steps[name].line for name in steps}
    for text in read:
        if text.name != text.group and text.name in names:
            with errors.collected():
                raise PipeError(f"{path}:{text.line}", f"foreach makes a step {text.name}, a name that is taken")
        names[text.name] = text.line
    slurm: Mapping[str, ConfigValue] = {}
    with errors.collected():
        slurm = _map(path, keys.get("slurm"), "slurm")
    return PipeFile(path, folder, variables, slurm, read, errors, steps.keys() - {text.group for text in read})


def replaced(
    place: str, given: ConfigValue, known: Callable[[str], ConfigValue | None], names: Iterable[str]
) -> ConfigValue:
    """A value with each `${NAME}` replaced by what is `known`; raises PipeError for what is not, with one of `names`.

    A text that is nothing but one reference takes the value as it is: a number, or a list. Lists in lists are flattened
    by one level: `["${models}", other]`.
    """
    at = f"{place}:{given.line}"

    def one(text: Any, is_text: bool) -> Any:
        if isinstance(text, dict):
            return {key: one(each, is_text) for key, each in text.items()}
        if isinstance(text, list):
            parts = [(each, one(each, is_text)) for each in text]
            return [item for was, now in parts for item in (now if isinstance(now, list) and was != now else [now])]
        if isinstance(text, ConfigValue):
            return replaced(place, text, known, names).value
        if not isinstance(text, str):
            return text
        whole = REFERENCE.fullmatch(text)
        if whole and whole[1] is not None:
            found = found_value(at, whole[1], known, names)
            return found.text if is_text else found.value
        return REFERENCE.sub(lambda match: "$" if match[1] is None else scalar(at, match[1], known, names), text)

    return ConfigValue(given.line, one(given.text, True), one(given.value, False))


def found_value(at: str, name: str, known: Callable[[str], ConfigValue | None], names: Iterable[str]) -> ConfigValue:
    """What `${NAME}` stands for; raises PipeError if nothing does."""
    found = known(name)
    if found is None:
        hint = did_you_mean(name, names) or "; $${ stands for the text ${"
        raise PipeError(at, f"${{{name}}} is neither a variable nor a step{hint}")
    if found.text is None:
        raise PipeError(at, f"the variable {name} has no value; give it one with --set {name}=VALUE")
    return found


def scalar(at: str, name: str, known: Callable[[str], ConfigValue | None], names: Iterable[str]) -> str:
    """What `${NAME}` stands for within a text; raises PipeError if that is several values, or nothing."""
    text = found_value(at, name, known, names).text
    if isinstance(text, list) and len(text) == 1:
        text = text[0]
    if isinstance(text, (list, dict)):
        raise PipeError(at, f"${{{name}}} is several values; only `key: ${{{name}}}` takes them all")
    return str(text)


def _variables(
    path: str, given: Mapping[str, ConfigValue], settings: Sequence[tuple[str, str]], errors: PipeErrors
) -> dict[str, Any]:
    """The variables: those of the file in their order, which may refer to earlier ones, and other values for them."""
    here = str(Path(path).parent)
    if Path(here).is_absolute() and Path(here).is_relative_to(Path.cwd()):
        here = str(Path(here).relative_to(Path.cwd()))  # however the file is named, its command lines are the same
    variables = {"here": ConfigValue(0, here, here)}
    changed = {}
    for name, text in settings:
        with errors.collected():
            if name not in given:
                raise PipeError(f"--set {name}", f"{path} has no such variable{_hint(name, list(given))}")
            try:
                changed[name] = read_setting(text)
            except YamlError as error:
                raise PipeError(f"--set {name}={text}", error.reason) from None
    for name, value in given.items():
        variables[name] = value  # if it is wrong, what refers to it is not
        with errors.collected():
            if not _NAME.fullmatch(name) or name in ("here", "out"):
                raise PipeError(f"{path}:{value.line}", f"{name} cannot be the name of a variable")
            known = {other: variables[other] for other in variables if other != name}
            variables[name] = changed.get(name) or replaced(path, value, known.get, known)
    return variables


def _step_texts(
    path: str, name: str, given: ConfigValue, variables: Mapping[str, ConfigValue], stages: Sequence[str]
) -> Iterator[StepText]:
    """The steps that the key `name` stands for: one, or one for each choice of values that its `foreach` names."""
    at = f"{path}:{given.line}"
    if not _NAME.fullmatch(name):
        raise PipeError(at, f"{name} cannot be the name of a step: use letters, digits, - and _")
    if name in variables:
        raise PipeError(at, f"{name} is a variable, too; give the step another name")
    keys = _map(path, given, name)
    if "stage" not in keys and "command" not in keys:
        raise PipeError(at, f"the step {name} has neither `stage` nor `command`")
    stage = "" if "command" in keys else str(keys["stage"].text)
    if not stage:
        errors = PipeErrors()
        check_keys(path, keys, COMMAND_KEYS, f"a command, such as the step {name},", errors)
        errors.check()
    elif stage not in stages:
        raise PipeError(f"{path}:{keys['stage'].line}", f"there is no stage {stage}{_hint(stage, stages)}")
    rest = {key: value for key, value in keys.items() if key not in ("stage", "foreach", "slurm")}
    slurm = _map(path, keys.get("slurm"), "slurm")
    whole = StepText(name, name, stage, given.line, {}, rest, slurm)
    lists = {}
    for key, value in _map(path, keys.get("foreach"), "foreach").items():
        place = f"{path}:{value.line}"
        if not _NAME.fullmatch(key) or key in variables:
            raise PipeError(place, f"{key} cannot be the variable of foreach: it is taken, or no name")
        filled = replaced(path, value, variables.get, variables)
        if not isinstance(filled.text, list) or not filled.text:
            raise PipeError(place, f"foreach takes a list of values: {key}: [A, B]")
        lists[key] = [ConfigValue(value.line, text, one) for text, one in zip(filled.text, filled.value, strict=True)]
    made: set[str] = set()
    for values in itertools.product(*lists.values()):
        ending = "".join("-" + _UNSAFE.sub("_", str(value.text)).strip("_.") for value in values)
        if name + ending in made:
            raise PipeError(at, f"foreach makes two steps {name}{ending}; the values are too much alike")
        made.add(name + ending)
        yield replace(whole, name=name + ending, values=dict(zip(lists, values, strict=True)))


def _map(path: str, given: ConfigValue | None, name: str) -> Mapping[str, ConfigValue]:
    if given is None or given.value is None:
        return {}
    if not isinstance(given.value, dict):
        raise PipeError(f"{path}:{given.line}", f"{name} takes one `key: value` a line")
    return given.value


def check_keys(
    path: str, keys: Mapping[str, ConfigValue], known: Sequence[str], where: str, errors: PipeErrors
) -> None:
    """Collects a PipeError for each key that is not known; `where` says what they are keys of."""
    for key, value in keys.items():
        if key not in known:
            reason = f"{where} has no key {key}{_hint(key, known)}; its keys are {', '.join(known)}"
            with errors.collected():
                raise PipeError(f"{path}:{value.line}", reason)


def _hint(name: str, known: Sequence[str]) -> str:
    close = nearest_name(name, known, 0.5)
    return f"; did you mean {close}?" if close else ""
