"""Every option that names a file to write, and everything that may stand there: written, or refused and left alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import click
import pytest

from libra_cli.cli.command import StageOption
from libra_cli.exits import Exit, Fatal
from libra_cli.main import STAGES, cli
from libra_cli.stream.files import FORMS, OutputFile, check_files

READ = {
    "api_key_file", "chat_template", "config", "deepspeed", "eval_data", "expect_manifest", "labels", "replay",
    "score", "template",
}  # fmt: skip
"""Options that name a file to read."""
ROW = b'{"question": "q", "reference": "2", "response": "\\\\boxed{2}", "model": "m", "label": 1}\n'


def options() -> list[tuple[str, StageOption]]:
    """Every option of every command that names a file."""
    found = []
    for stage in STAGES:
        command = cli.get_command(click.Context(cli), stage)
        assert command is not None
        for param in command.params:
            if isinstance(param, StageOption) and str(param.metavar).startswith("FILE"):
                found.append((stage, param))
    return found


WRITTEN = [(stage, param) for stage, param in options() if param.writes]


def test_an_option_that_names_a_file_reads_or_writes_it():
    undeclared = {
        f"{stage} {param.opts[0]}" for stage, param in options() if not param.writes and param.name not in READ
    }
    assert not undeclared, "say writes=FORM, or add it to READ"
    assert {param.writes for _, param in WRITTEN} == set(FORMS)


def named(folder: Path, kind: str) -> str:
    """A name at which something of the kind stands, in a folder that also holds the input and a file of a user's."""
    (folder / "in").write_bytes(ROW)
    (folder / "user").write_bytes(b"of the user's\n")
    (folder / "out.part").write_bytes(ROW)
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    (folder / "link").symlink_to("user")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    (folder / "hard").hardlink_to(folder / "in")
    (folder / "twice").hardlink_to(folder / "user")
    special = {"null": "/dev/null", "full": "/dev/full", "closed": "/proc/self/new", "empty": "", "zero": "a\0b"}
    return special.get(kind, str(folder / kind))


def state(folder: Path) -> dict[str, tuple]:
    """All that a refused run must not change."""
    return {
        path.name: (path.lstat().st_ino, path.lstat().st_mode, stat.S_ISREG(path.lstat().st_mode) and path.read_bytes())
        for path in folder.iterdir()
    }


REFUSED = ["in", "hard", "link", "dangling", "loop", "folder", "closed", "empty", "zero", "missing/new", "x" * 256]
TAKEN = ["new", "null", "full", "pipe"]


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize(("stage", "param"), WRITTEN, ids=lambda value: getattr(value, "name", value))
def test_a_file_that_must_not_be_written_is_refused(tmp_path, stage, param, kind):
    name = named(tmp_path, kind)
    before = state(tmp_path)
    with pytest.raises(Fatal) as caught:
        check_files([OutputFile("--option", name, param.writes, param.keys)], [str(tmp_path / "in")])
    assert caught.value.status == Exit.USAGE
    assert state(tmp_path) == before


@pytest.mark.parametrize("kind", TAKEN)
@pytest.mark.parametrize(("stage", "param"), WRITTEN, ids=lambda value: getattr(value, "name", value))
def test_a_free_name_and_a_device_are_taken(tmp_path, stage, param, kind):
    name = named(tmp_path, kind)
    before = state(tmp_path)
    check_files([OutputFile("--option", name, param.writes, param.keys)], [str(tmp_path / "in")])
    assert state(tmp_path) == before


KEEPING = [
    ("-o", ()),
    ("--review", ()),
    ("--report", ()),
    ("--manifest", ()),
    ("--errors", ()),
    ("-o", ("--overwrite",)),
]
"""With --overwrite `-o user` is refused for its second name, `twice`."""


@pytest.mark.parametrize(("option", "more"), KEEPING)
@pytest.mark.parametrize("kind", ["user", "link", "twice", "folder", "in", "hard"])
def test_a_real_run_refuses_what_is_not_its_own(shell, tmp_path, option, more, kind):
    named(tmp_path, kind)
    before = state(tmp_path)
    ended = shell(["libra", "verify", "in", option, kind, *more])
    assert ended.status == 2, ended.err
    assert state(tmp_path) == before


def test_the_part_of_an_output_is_never_deleted_as_input(shell, tmp_path):
    (tmp_path / "x.part").write_bytes(ROW)
    before = state(tmp_path)
    ended = shell(["libra", "verify", "x.part", "-o", "x", "--overwrite"])
    assert (ended.status, state(tmp_path)) == (2, before)


def test_a_refused_run_leaves_the_reports_of_the_last_one(shell, tmp_path):
    (tmp_path / "in").write_bytes(ROW)
    words = ["libra", "verify", "in", "-o", "out", "--report", "report", "--manifest", "manifest", "--errors", "errors"]
    assert shell(words).status == 0
    before = state(tmp_path)
    assert shell([*words, "--response-field", "other"]).status == 2
    assert state(tmp_path) == before
    assert shell(words).status == 0


@pytest.mark.parametrize("option", ["-o", "--errors"])
def test_an_output_that_nothing_reads_does_not_make_a_run_deaf(shell, tmp_path, option):
    (tmp_path / "in").write_bytes(ROW)
    os.mkfifo(tmp_path / "pipe")
    ended = shell(["libra", "verify", "in", option, "pipe", "--stall-timeout", "0.5"], timeout=30)
    assert ended.status == 6
    assert b"nothing has opened this pipe for reading" in ended.err
    ended = shell(f"timeout -s TERM 2 libra verify in {option} pipe --grace 60; echo $?", timeout=30)
    assert ended.out.splitlines()[-1] == b"124"
    assert (tmp_path / "pipe").is_fifo()
