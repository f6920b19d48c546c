"""The options of every command: names, order, types, defaults, and keys of configuration files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import pins
import pytest
import yaml
from click.testing import CliRunner

from libra_cli.main import cli

TOP = cli.make_context("libra", [], resilient_parsing=True)
NAMES = cli.list_commands(TOP)


def found() -> dict[str, list[dict[str, Any]]]:
    """The parameters of every command, `libra` itself first, in their order."""
    return {"libra": list(parameters(TOP)), **{name: list(parameters(context(name))) for name in NAMES}}


def context(name: str) -> click.Context:
    """A context of a command, as if it had been called without options."""
    command = cli.get_command(TOP, name)
    assert command is not None
    return command.make_context(name, [], parent=TOP, resilient_parsing=True)


def parameters(ctx: click.Context) -> Iterator[dict[str, Any]]:
    """What a user can rely on of each parameter; what says nothing is left out."""
    for param in ctx.command.get_params(ctx):
        flag = bool(getattr(param, "is_flag", False))
        about = {
            "names": [*param.opts, *param.secondary_opts], "kind": param.param_type_name,
            "type": type_of(param), "default": param.to_info_dict()["default"], "is_flag": flag,
            "multiple": bool(getattr(param, "multiple", False)),
            "nargs": param.nargs, "required": param.required, "variable": variable(ctx, param),
        }  # fmt: skip
        usual = {"kind": "option", "default": None, "is_flag": False, "multiple": False, "nargs": 1, "required": False,
                 "variable": None}  # fmt: skip
        yield {name: value for name, value in about.items() if name not in usual or value != usual[name]}


def type_of(param: click.Parameter) -> Any:
    """The type's name; of a choice its choices, of a range its bounds, of several values each one's type."""
    kind = param.type
    if isinstance(kind, click.Choice):
        return {"choice": list(kind.choices)}
    return [number(each) for each in kind.types] if isinstance(kind, click.Tuple) else number(kind)


def number(kind: Any) -> str:
    """`integer range [1, None]` for a number with bounds, whatever its class; otherwise the type's name."""
    name = "integer" if kind.name == "integer" else "float" if kind.name == "number" else kind.name
    low, high = getattr(kind, "low", None), getattr(kind, "high", None)
    if low is None and high is None:
        return name
    return f"{name} range {'(' if kind.low_open else '['}{low}, {high}{')' if kind.high_open else ']'}"


def variable(ctx: click.Context, param: click.Parameter) -> str | None:
    """The environment variable that sets an option."""
    name = str(param.name)
    of_click = name.startswith("_")  # --help
    if not isinstance(param, click.Option) or ctx.auto_envvar_prefix is None or of_click:
        return None
    return f"{ctx.auto_envvar_prefix}_{name.upper()}"


def configured() -> dict[str, dict[str, Any]]:
    """What --print-config prints of every command that has it: the keys of a configuration file and their values."""
    names = {name: {opt for each in context(name).command.params for opt in each.opts} for name in NAMES}
    return {name: printed(name) for name in NAMES if "--print-config" in names[name]}


def printed(name: str) -> dict[str, Any]:
    """The values of one command without options."""
    ended = CliRunner().invoke(cli, [name, "--print-config"], env={"LIBRA_DEBUG": None})
    assert ended.exit_code == 0, ended.output
    return yaml.safe_load(ended.stdout)


PINNED = {"options": found, "config": configured}


@pytest.mark.parametrize("name", PINNED)
def test_nothing_that_a_command_takes_has_changed(name: str) -> None:
    assert not (differs := pins.difference(name, PINNED[name]())), differs
