"""The generated documents are fresh, complete and readable, and every example in them is a command that exists."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import click
import pytest
from manual_pages import CONTEXTS, calls

from libra_cli.cli import manual
from libra_cli.cli.command import StageCommand
from libra_cli.exits import Exit
from libra_cli.main import STAGES

ROOT = Path(__file__).resolve().parents[2]


def test_everything_generated_is_fresh():
    assert manual.stale(manual.documents()) == [], "run make docs"


def test_nothing_else_stands_among_the_generated_files():
    there = {path.relative_to(ROOT) for folder in manual.FOLDERS for path in (ROOT / folder).iterdir()}
    assert there == set(manual.documents())


RENAMED = {("settings", "set"), ("first", "from"), ("ids", "id"), ("input_files", "input")}
"""Options whose own name is a word of Python."""


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_documented(name):
    command = CONTEXTS[name].command
    assert isinstance(command, StageCommand)
    assert command.examples, "the help has no example"
    assert (command.short_help or "") == STAGES[name], "the summary in main.STAGES differs from the docstring's"
    options = [param for param in command.params if isinstance(param, click.Option)]
    assert [param.name for param in options if not param.help] == []
    names = {param.name: max(param.opts, key=len)[2:].replace("-", "_") for param in options}
    assert {name: flag for name, flag in names.items() if flag != name and (name, flag) not in RENAMED} == {}


@pytest.mark.parametrize("name", STAGES)
def test_a_short_flag_is_one_of_the_agreed(name):
    names = [flag for param in CONTEXTS[name].command.params for flag in param.opts]
    flags = {flag for flag in names if flag.startswith("-") and len(flag) == 2}
    assert flags <= {"-o", "-j", "-n", "-q", "-v", "-h"} | ({"-k"} if name == "judge" else set())


EXAMPLES = [(name, example) for name in STAGES for example in CONTEXTS[name].command.examples]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_an_example_is_well_formed(name, example, shell):
    assert shell(["bash", "-n", "-c", example]).status == 0
    called = list(calls(example))
    assert name in {stage for stage, _ in called}
    for stage, arguments in called:
        command = CONTEXTS[stage].command
        accepted = {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)}
        flags = [word.partition("=")[0] for word in arguments if re.match(r"--?[a-z]", word)]
        assert set(flags) <= accepted


@pytest.mark.parametrize("page", sorted((ROOT / "man").glob("*.1")), ids=lambda page: page.name)
def test_a_man_page_renders_without_warnings(page, shell):
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    ended = shell(["groff", "-man", "-ww", "-Kutf8", "-Tutf8", "-P-cbou", str(page)])
    assert ended.err == b""
    text = ended.out.decode()
    for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "SEE ALSO"):
        assert f"\n{heading}\n" in text
    assert "\\" not in text.replace("\\boxed", "").replace(" \\\n", "\n"), "an escape was not understood"
    assert [line for line in text.splitlines() if len(line) > 80] == []


def test_a_page_says_what_the_help_says():
    page = (ROOT / "man/libra-verify.1").read_text()
    assert r"\fB\%\-j,\fR \fB\%\-\-workers\fR \fIN\fR" in page
    assert "LIBRA_VERIFY_HARD_TIMEOUT" in page
    assert "FILE.part" in page
    assert all(f".TP\n\\fB\\%{int(status)}\\fR\n" in page for status in Exit)


def test_a_reference_page_says_what_the_help_says():
    page = (ROOT / "docs/reference/verify.md").read_text()
    assert "| `-o, --output FILE` | " in page
    assert "| `--shard I/N\\|auto[[+OFFSET]/N]` | " in page, "a bar ends a cell of a table, even inside code"
    assert "| `--rule first\\|only\\|never\\|also` | " in page
    index = (ROOT / "docs/reference/README.md").read_text()
    assert all(f"| {int(status)} | " in index for status in Exit)
    assert all(f"[`libra {name}`]({name.replace(' ', '-')}.md)" in index for name in STAGES)


def test_the_environment_of_the_demo_has_the_pages_and_completions():
    """`man libra-rollout` and a tab work once it is activated."""
    share = Path(sys.prefix) / "share"
    if not (Path(sys.prefix) / ".ready").exists():
        pytest.skip("not the environment that make sets up")
    assert {path.name for path in (ROOT / "man").iterdir()} <= {path.name for path in (share / "man/man1").iterdir()}
    places = ("bash-completion/completions/libra.bash", "zsh/site-functions/_libra")
    for place in (*places, "fish/vendor_completions.d/libra.fish"):
        assert (share / place).read_bytes() == (ROOT / "completions" / Path(place).name).read_bytes()


def test_check_names_what_is_stale(shell, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(
        ROOT / "libra_cli", copy / "libra_cli", ignore=shutil.ignore_patterns("__pycache__", "*.safetensors")
    )
    shutil.copy(ROOT / "pyproject.toml", copy)
    here = {"PYTHONPATH": os.fspath(copy)}
    written = shell("python -m libra_cli.cli.manual", cwd=copy, env=here)
    assert (written.status, b"man/libra.1: written\n" in written.out) == (0, True)
    assert shell("python -m libra_cli.cli.manual --check", cwd=copy, env=here).status == 0
    (copy / "man/libra-verify.1").write_text("old")
    stale = shell("python -m libra_cli.cli.manual --check", cwd=copy, env=here)
    assert (stale.status, stale.out) == (1, b"man/libra-verify.1: is stale; run make docs\n")
    assert (copy / "man/libra-verify.1").read_text() == "old"
