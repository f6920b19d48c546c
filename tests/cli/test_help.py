"""The help: fast, and the same phrases for the same thing in every stage."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner
from manual_pages import CONTEXTS

from libra_cli.cli.example_lines import example_lines
from libra_cli.cli.nearest import nearest
from libra_cli.main import STAGES, cli

IMPORTED = """
import sys
from libra_cli.main import cli
try:
    cli.main(sys.argv[1:], standalone_mode=False)
finally:
    print(*sys.modules, file=sys.stderr)
"""
SLOW = re.compile(r"(numpy|torch|yaml|rich|httpx|sympy|libra_cli\.(answers|engines|sampling|tasks|training|records))\b")


@pytest.mark.parametrize("name", STAGES)
def test_help_imports_nothing_slow(name):
    words = [sys.executable, "-c", IMPORTED, *name.split(), "--help"]
    ended = subprocess.run(words, capture_output=True, text=True, check=True)
    assert ended.stdout.startswith(f"Usage: libra {name} ") or "Usage:" in ended.stdout
    assert [module for module in ended.stderr.split() if SLOW.match(module)] == []


@pytest.mark.parametrize("name", STAGES)
def test_help_fits_two_screens_and_says_how_to_get_the_rest(name):
    short, whole = (help_of(name, flag) for flag in ("--help", "--help-all"))
    assert len(short.splitlines()) <= 96
    missing = [param for param in options(name) if f"{max(param.opts, key=len)}" not in short]
    assert all(param.shared and not param.first for param in missing)
    assert all(max(param.opts, key=len) in whole for param in options(name))
    if short != whole:
        assert f"libra {name} --help-all, or man libra-{name.replace(' ', '-')}" in short.splitlines()[-1]
        assert len(whole.splitlines()) > 90


def help_of(name: str, flag: str) -> str:
    return (
        CliRunner()
        .invoke(cli, [*name.split(), flag], prog_name="libra", env={"COLUMNS": "80"}, terminal_width=80)
        .output
    )


@pytest.mark.parametrize("name", ["", *STAGES])
def test_no_line_of_the_help_is_wider_than_80_columns(name):
    for flag in ("--help", "--help-all") if name else ("--help",):
        assert [line for line in help_of(name, flag).splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("width", [60, 78])
def test_examples_in_several_lines_are_the_same_commands(width):
    for name in STAGES:
        examples = CONTEXTS[name].command.examples
        lines = example_lines(examples, width)
        assert words_of("\n".join(lines)) == [word for example in examples for word in words_of(example)]
        assert [line for line in lines if len(line) > width] == []


def words_of(commands: str) -> list[str]:
    return shlex.split(commands.replace("\\\n", ""), comments=True)


def test_an_example_goes_on_behind_a_pipe_or_a_backslash():
    examples = ["a --x 1 | b --flag 'c  d' in > out", "e  # a remark that has no room", "f; g"]
    assert example_lines(examples, 17) == [
        "a --x 1 |",
        "    b \\",
        "        --flag 'c  d' \\",
        "        in > out",
        "# a remark that",
        "# has no room",
        "e",
        "f; g",
    ]
    assert example_lines(["e  # one", "ff      # two", "g " * 20], 30)[:2] == ["e   # one", "ff  # two"]


def test_many_choices_stand_in_columns():
    lines = help_of("collect", "--help").splitlines()
    assert any(line.split() == ["math500-level5", "aime2024", "aime2025"] for line in lines)
    assert "Names:" not in help_of("collect", "--help-all")


@pytest.mark.parametrize(
    ("word", "names", "found"),
    [
        ("--modl", ["--max-model-len", "--model", "--model-name"], ["--model"]),
        ("--temp", ["--template", "--temperature"], ["--template", "--temperature"]),
        ("VLLM", ["vllm", "openai"], ["vllm"]),
        ("xyzzy", ["vllm", "openai"], []),
    ],
)
def test_the_nearest_name_comes_first(word, names, found):
    assert nearest(word, names) == found


def options(name: str) -> list[click.Option]:
    return [param for param in CONTEXTS[name].command.params if isinstance(param, click.Option)]


@pytest.mark.parametrize("name", STAGES)
def test_an_option_that_may_be_given_several_times_says_so(name):
    said = {param.name for param in options(name) if "Repeatable" in str(param.help)}
    assert said == {param.name for param in options(name) if param.multiple}


@pytest.mark.parametrize("name", STAGES)
def test_a_help_text_is_a_sentence_that_names_the_default(name):
    for param in options(name):
        text = str(param.help)
        assert text[0].isupper() or text.split(":")[0] in {"openai", "vllm", "transformers"} | choice_names(param), text
        assert text.endswith("."), text
        if "Default:" in text:
            assert param.default is None or not param.show_default, f"{param.name}: the default is said twice"


def choice_names(param: click.Option) -> set[str]:
    return set(map(str, param.type.choices)) if isinstance(param.type, click.Choice) else set()


@pytest.mark.parametrize("name", STAGES)
def test_a_value_in_square_brackets_can_be_left_out(name):
    """`--even label`, not `--even [label]`: what must be typed stands without them."""
    for param in options(name):
        shown = param.get_help_record(CONTEXTS[name])
        metavar = shown[0].split(" ", 1)[-1] if shown and not param.is_flag else ""
        assert not re.fullmatch(r"\[.*\]", metavar), f"{param.name}: {metavar}"


@pytest.mark.parametrize("name", [name for name in STAGES if getattr(CONTEXTS[name].command, "info", None)])
def test_a_stage_says_what_it_reads_and_an_order_is_offered_where_there_is_one(name):
    command = CONTEXTS[name].command
    read = dict(command.rows())["reads"]
    assert set(command.info.reads) <= set(re.findall(r"[a-z_]+", read))
    ordering = {"window", "unordered"} & {param.name for param in options(name)}
    assert len(ordering) == (2 if command.info.resumable else 0)


@pytest.mark.parametrize(("given", "taken"), [("bf16", "bfloat16"), ("fp16", "float16"), ("fp32", "float32"),
                                              ("bfloat16", "bfloat16"), ("auto", "auto")])  # fmt: skip
def test_a_dtype_has_two_names(given, taken):
    context = CONTEXTS["judge"].command.make_context("judge", ["--dtype", given], resilient_parsing=False)
    assert context.params["dtype"] == taken
