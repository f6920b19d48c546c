"""The line that an error about a value of the wrong shape gives is one that --config reads, for every option."""

from __future__ import annotations

import click
import pytest

from libra_cli.cli.config_file import ConfigValue, key_of, read_config, setting_of_key
from libra_cli.main import cli

TOP = click.Context(cli)


@pytest.mark.parametrize("name", cli.list_commands(TOP))
def test_the_line_to_write_instead_is_right(name):
    command = cli.get_command(TOP, name)
    context = click.Context(command, info_name=name)
    for param in command.params:
        if getattr(param.type, "structured", False) or isinstance(param.type, click.types.BoolParamType):
            continue
        value = {"a": 1}
        with pytest.raises(click.UsageError) as raised:
            setting_of_key(context, param, "place", key_of(param), ConfigValue(1, value, value))
        line = raised.value.message.partition("write ")[2].partition(", a file that holds")[0]
        if not line:
            assert param.nargs > 1  # A, B
            continue
        ((key, given),) = read_config(line.encode()).items()
        words = given.value if isinstance(given.value, list) else [given.value]
        assert key == key_of(param)
        assert isinstance(given.value, list) == (param.multiple or param.nargs == -1)
        assert all(word and not set("|[]") & set(str(word)) for word in words), line
