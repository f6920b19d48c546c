"""Every option that names a file to write, and everything that may stand there: written, or refused and left alone."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import thinned
from fault_rows import good_rows, jsonl
from fork_server import ForkServer

from libra_cli.cli.stage_options import StageOption
from libra_cli.main import STAGES, cli
from libra_cli.stream.files import FORMS

READ = {
    "api_key_file", "batch_in", "calibrate", "chat_template", "config", "confusion", "deepspeed", "eval_data",
    "expect_manifest", "input_files", "labels", "price", "replay", "rewards", "score", "template",
}  # fmt: skip
"""Options that name a file to read."""


def options() -> list[tuple[str, StageOption]]:
    """Every option of every command that names a file or folder."""
    found = []
    for stage in STAGES:
        command = cli.get_command(click.Context(cli), stage)
        assert command is not None
        for param in command.params:
            if isinstance(param, StageOption) and str(param.metavar).startswith(("FILE", "DIR")):
                found.append((stage, param))
    return found


WRITTEN = [(stage, param) for stage, param in options() if param.writes]


def test_an_option_that_names_a_file_reads_or_writes_it():
    undeclared = {
        f"{stage} {param.opts[0]}" for stage, param in options() if not param.writes and param.name not in READ
    }
    assert not undeclared, "say writes=FORM, or add it to READ"
    assert {param.writes for _, param in WRITTEN} == set(FORMS)


# -- the table: (kind of file) x (output option) x (stage) ------------------------------------------------------------

ROWS = [
    {**row, "prediction": 1, "accuracy": 0.1 * i, "pass@1": 0.1 * i, "event": "step", "step": i}
    for i, row in enumerate(good_rows(4))
]
VOTES = [{"id": f"{row['id']}/m/0", "model": "m", "sample": 0, "response": "[[score=3]]"} for row in ROWS]
REPLAY = ["--engine", "replay", "--replay", "recorded", "--model", "m"]
COMMANDS = {
    "rollout": REPLAY,
    "judge": REPLAY,
    "review": ["--only", "all"],
    "rs-filter": ["--task", "general"],
    "merge": ["--no-check"],
    "dpo-pairs": ["--by", "label", "--unpaired"],
    "score": ["--resamples", "0"],
    "score correlate": ["--resamples", "0"],
    "sft": ["--model", "./nowhere"],
    "dpo": ["--model", "./nowhere"],
    "train-rm": ["--model", "./nowhere"],
    "grpo": ["--model", "./nowhere"],
}
"""The options that a stage needs for a run on ROWS."""
INSTEAD = {"batch_out": ["--model", "m"]}
"""Those beside an output that goes with others."""
TRAINERS = {"sft", "dpo", "train-rm", "grpo"}
CHECKED = {
    ("sft", "./nowhere: there is no such directory"),
    ("dpo", "./nowhere: there is no such directory"),
    ("train-rm", "./nowhere: there is no such directory"),
    ("grpo", "./nowhere: there is no such directory"),
    ("review", "this terminal cannot show a screen"),
}
"""Stages that cannot do their work here, and what a run of theirs says once its files are found to be right."""

FREE = {"new", "blank", "nothing below"}
DEVICES = {"null", "full", "pipe"}
NEVER = {"input", "hard link to the input", "link", "dangling link", "loop", "closed", "no name", "long name", "socket",
         "zero byte"}  # fmt: skip
FOREIGN = {"user's", "user's with two names"}
FOLDERS = {"folder", "full folder"}
COMPANIONS = {"part is a pipe", "lock is a pipe", "lock is a dangling link", "manifest is the user's",
              "part is a folder"}  # fmt: skip
KINDS = sorted(FREE | DEVICES | NEVER | FOREIGN | FOLDERS | COMPANIONS)


def place(folder: Path, kind: str, ending: str) -> str:
    """Puts something of the kind into a folder that also holds the input; gives its name."""
    (folder / f"in{ending}").write_bytes(jsonl(ROWS))
    (folder / "recorded").write_bytes(jsonl([*ROWS, *VOTES]))
    (folder / "user").write_bytes(b"of the user's\n")
    name = f"x{ending}"
    path = folder / name
    if kind == "blank":
        path.write_bytes(b"")
    elif kind == "nothing below":
        name = f"missing/x{ending}"
    elif kind in ("null", "full"):
        name = f"/dev/{kind}"
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "input":
        name = f"in{ending}"
    elif kind == "hard link to the input":
        path.hardlink_to(folder / f"in{ending}")
    elif "link" in kind or kind == "loop":
        target, at = {"link": ("user", path), "dangling link": ("nowhere", path), "loop": (name, path)}.get(
            kind, ("nowhere", folder / f"{name}.lock")
        )
        at.symlink_to(target)
    elif kind == "closed":
        name = f"/proc/self/new{ending}"
    elif kind == "no name":
        name = ""
    elif kind == "zero byte":
        name = f"a\0b{ending}"
    elif kind == "long name":
        name = f"{'x' * 256}{ending}"
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as one:
            before = os.getcwd()
            os.chdir(folder)  # the name of a socket is short
            one.bind(name)
            os.chdir(before)
    elif kind == "user's":
        path.write_bytes(b"of the user's\n")
    elif kind == "user's with two names":
        path.hardlink_to(folder / "user")
    elif kind in FOLDERS:
        path.mkdir()
        if kind == "full folder":
            (path / "config.json").write_bytes(b"of the user's\n")
    elif kind.startswith("part is"):
        at = folder / f"{name}.part"
        at.mkdir() if kind.endswith("folder") else os.mkfifo(at)
    elif kind == "lock is a pipe":
        os.mkfifo(folder / f"{name}.lock")
    elif kind == "manifest is the user's":
        (folder / f"{name}.libra.json").write_bytes(b"{}\n")
    else:
        assert kind == "new", kind
    return name


def state(folder: Path) -> dict[str, tuple]:
    """All that a refused run must not change."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else None
        found[str(path.relative_to(folder))] = (status.st_ino, status.st_mode, status.st_nlink, content)
    return found


def expected(form: str, kind: str, ending: str) -> set[str]:
    """What may become of a cell: written, refused, or `failed` (status 74) for a device that takes nothing."""
    is_folder, companions = FORMS[form].is_folder, FORMS[form].companions or {}
    if kind in NEVER or (kind in DEVICES and (is_folder or (ending and kind != "pipe"))):
        return {"refused"}
    if is_folder:
        must_exist, is_model = FORMS[form].must_exist, form == "model folder"
        taken = {"folder"} | (set() if is_model else {"full folder"})
        return {"written" if kind in taken | (set() if must_exist else FREE - {"blank"} | COMPANIONS) else "refused"}
    if kind in FOLDERS or kind == "nothing below":
        return {"refused"}
    if kind in FOREIGN:
        if form == "labels" and kind == "user's":
            return {"written"}  # whether its lines are labels is looked at once there is a terminal (test_review)
        return {"written"} if form in ("result", "plot") else {"refused"}
    if kind in COMPANIONS:
        ending = {"part": ".part", "lock": ".lock", "manifest": ".libra.json"}[kind.split()[0]]
        return {"refused"} if ending in companions else {"written"}
    if form in ("side rows", "requests") and kind in DEVICES:
        return {"refused"}
    if kind == "full":  # of no lines none is lost, and labels wait for a terminal
        return {"failed", "written"} if form in ("lines", "labels") else {"failed"}
    return {"written"}


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    one = ForkServer()
    yield one
    one.close()


def became(server: ForkServer, folder: Path, stage: str, param: StageOption, kind: str) -> str:
    """Runs the stage with the option on a file of the kind; says what became of it."""
    ending = ".html" if "html" in str(param.metavar) else ".png" if "png" in str(param.metavar) else ""
    folder.mkdir()
    name, option = place(folder, kind, ending), max(param.opts, key=len)
    reader = os.open(folder / name, os.O_RDONLY | os.O_NONBLOCK) if kind == "pipe" else None
    words = [*stage.split(), *INSTEAD.get(param.name, COMMANDS.get(stage, [])), f"in{ending}", option, name]
    if stage in TRAINERS and param.name != "output":
        words += ["-o", "model"]
    before = state(folder)
    status, said = server.run(words, folder)
    if reader is not None:
        os.close(reader)
    after = state(folder)
    assert status is not None, f"hangs: {' '.join(words)}"
    assert "internal error" not in said, said
    if status == 2:
        assert after == before, said
        return "written" if any(stage == of and text in said for of, text in CHECKED) else "refused"
    own = {name, *(f"{name}{each}" for each in FORMS[str(param.writes)].companions or ())}
    others = {each: what for each, what in after.items() if each not in own}
    kept = {each: what for each, what in before.items() if each not in own}
    if kind == "user's with two names":  # the other name keeps the content, and is the only one now
        others["user"] = (*others["user"][:2], 2, *others["user"][3:])
    assert others == kept, said
    if status == 74:
        return "failed"
    assert status in (0, 3), (status, said)
    if kind in DEVICES:
        assert name not in after or stat.S_ISFIFO((folder / name).lstat().st_mode)
    elif not FORMS[str(param.writes)].is_folder:
        assert stat.S_ISREG((folder / name).lstat().st_mode)
        assert not {each for each in after if each.endswith((".part", ".lock", ".tmp"))} - set(before)
    return "written"


@pytest.mark.parametrize(("stage", "param"), WRITTEN, ids=lambda value: getattr(value, "name", value))
def test_each_kind_of_file_is_written_or_refused_and_left_alone(server, tmp_path, stage, param):
    found, wanted = {}, {}
    ending = ".x" if any(each in str(param.metavar) for each in ("html", "png")) else ""
    for number, kind in enumerate(KINDS):
        found[kind] = became(server, tmp_path / str(number), stage, param, kind)
        wanted[kind] = expected(str(param.writes), kind, ending)
    assert {kind: what for kind, what in found.items() if what not in wanted[kind]} == {}


@pytest.mark.parametrize(("stage", "param"), WRITTEN, ids=lambda value: getattr(value, "name", value))
def test_what_a_run_has_written_is_taken_by_the_next(server, tmp_path, stage, param):
    """The other side: what libra wrote is recognised, and a user's file is replaced where --overwrite says so."""
    ending = ".html" if "html" in str(param.metavar) else ".png" if "png" in str(param.metavar) else ""
    name = place(tmp_path, "new" if param.writes != "scratch folder" else "folder", ending)
    words = [
        *stage.split(),
        *INSTEAD.get(param.name, COMMANDS.get(stage, [])),
        f"in{ending}",
        max(param.opts, key=len),
        name,
    ]
    if stage in TRAINERS and param.name != "output":
        words += ["-o", "model"]
    statuses = [server.run(words, tmp_path)[0] for _ in range(2)]
    assert statuses[0] == statuses[1]
    if stage not in {of for of, _ in CHECKED}:
        assert statuses[0] in (0, 3)
    if param.writes == "rows":
        (tmp_path / name).write_bytes(b"of the user's\n")
        (tmp_path / f"{name}.libra.json").unlink()
        assert server.run(words, tmp_path)[0] == 2
        assert server.run([*words, "--overwrite"], tmp_path)[0] == statuses[0]
        assert b"of the user's" not in (tmp_path / name).read_bytes()


def read_options() -> list[tuple[str, click.Parameter]]:
    """Every option of every command that says that it reads a file, or whose metavar or help says so."""
    found = []
    for stage in STAGES:
        command = cli.get_command(click.Context(cli), stage)
        assert command is not None
        for param in command.params:
            is_own = isinstance(param, StageOption) and not param.writes and stage in {of for of, _ in WRITTEN}
            if is_own and (param.reads or "FILE" in str(param.metavar) or "file, or the name of" in str(param.help)):
                found.append((stage, param))
    return found


@pytest.mark.parametrize(("stage", "param"), read_options(), ids=lambda value: getattr(value, "name", value))
def test_a_file_that_an_option_reads_is_never_written(server, tmp_path, stage, param):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    (tmp_path / "recorded").write_bytes(jsonl(VOTES))
    read = tmp_path / "read"
    read.write_bytes(b"{}\n")
    read.chmod(0o600)
    value = "score=read" if str(param.metavar).endswith("=FILE") else "read"
    outputs = [each for of, each in WRITTEN if of == stage and not FORMS[str(each.writes)].is_folder]
    written = [each for each in outputs if not {"html", "png"} & set(str(each.metavar).split("."))]
    for output in written[:2]:
        words = [*stage.split(), "in", max(param.opts, key=len), value, max(output.opts, key=len), "./read"]
        words += ["-o", "model"] if stage in TRAINERS else []
        words += ["--overwrite"] if output.writes == "rows" else []
        before = state(tmp_path)
        status, said = server.run(words, tmp_path)
        assert (status, "./read: the same run uses this file already" in said) == (2, True), said
        assert state(tmp_path) == before


# -- whole runs -------------------------------------------------------------------------------------------------------


def named(folder: Path) -> None:
    """A folder with the input and a file of a user's, each under several names."""
    (folder / "in").write_bytes(jsonl(ROWS))
    (folder / "user").write_bytes(b"of the user's\n")
    (folder / "folder").mkdir()
    (folder / "link").symlink_to("user")
    (folder / "hard").hardlink_to(folder / "in")
    (folder / "twice").hardlink_to(folder / "user")


@pytest.mark.parametrize("kind", ["user", "link", "twice", "folder", "in", "hard"])
def test_overwriting_refuses_what_another_name_leads_to(shell, tmp_path, kind):
    named(tmp_path)
    before = state(tmp_path)
    ended = shell(["libra", "verify", "in", "-o", kind, "--overwrite"])
    assert ended.status == 2, ended.err
    assert state(tmp_path) == before


def test_the_part_of_an_output_is_never_deleted_as_input(shell, tmp_path):
    (tmp_path / "x.part").write_bytes(jsonl(ROWS))
    before = state(tmp_path)
    ended = shell(["libra", "verify", "x.part", "-o", "x", "--overwrite"])
    assert (ended.status, state(tmp_path)) == (2, before)


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_two_names_of_one_file_are_not_the_outputs_of_two_runs(shell, tmp_path, more):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    assert shell(["libra", "verify", "--limit", "2", "in", "-o", "one"]).status == 0
    for each in ("", ".libra.json"):
        (tmp_path / f"two{each}").hardlink_to(tmp_path / f"one{each}")
    before = state(tmp_path)
    for name in ("one", "two"):
        ended = shell(["libra", "verify", "in", "-o", name, *more])
        assert ended.status == 2, ended.err
        assert b"has another name (a hard link), which a run would change, too" in ended.err
        assert state(tmp_path) == before


def test_a_blank_line_at_the_end_of_a_part_is_no_reason_to_refuse(shell, tmp_path):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    assert shell(["libra", "verify", "--limit", "2", "in", "-o", "out"]).status == 0
    (tmp_path / "out").rename(tmp_path / "out.part")
    with open(tmp_path / "out.part", "ab") as file:
        file.write(b"\n \n")
    assert shell(["libra", "verify", "in", "-o", "out"]).status == 0
    rows = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines() if line.strip()]
    assert [row["id"] for row in rows] == [row["id"] for row in ROWS]


def test_a_refused_run_leaves_the_reports_of_the_last_one(shell, tmp_path):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    words = ["libra", "verify", "in", "-o", "out", "--report", "report", "--manifest", "manifest", "--errors", "errors"]
    assert shell(words).status == 0
    before = state(tmp_path)
    assert shell([*words, "--response-field", "other"]).status == 2
    assert state(tmp_path) == before
    assert shell(words).status == 0


def test_a_run_that_is_refused_after_some_errors_leaves_those_of_the_last_one(shell, tmp_path):
    (tmp_path / "in").write_bytes(b"not a row\n" + jsonl(ROWS))
    words = ["libra", "verify", "in", "-o", "out", "--errors", "errors"]
    assert shell(words).status == 3
    before = state(tmp_path)
    (tmp_path / "in").write_bytes(b"another\nand another\n" + jsonl([{**row, "subset": "t"} for row in ROWS]))
    before["in"] = state(tmp_path)["in"]
    assert shell(words).status == 2
    assert state(tmp_path) == before
    words[-1] = "new"
    assert shell(words).status == 2
    assert [json.loads(line)["row"] for line in (tmp_path / "new").read_text().splitlines()] == [
        "another",
        "and another",
    ]
    assert {**state(tmp_path), "new": None} == {**before, "new": None}


DRY = {
    "judge": [*REPLAY, "-o", "out", "--report", "report", "--manifest", "manifest", "--errors", "errors"],
    "rollout": [*REPLAY, "-o", "out", "--manifest", "manifest", "--errors", "errors"],
}


def test_every_dry_run_is_tried():
    commands = {stage: cli.get_command(click.Context(cli), stage) for stage in STAGES}
    dry = {stage for stage, command in commands.items() if any(param.name == "dry_run" for param in command.params)}
    others = {*TRAINERS, "run"}  # those of trainers never open an output, that of run prints commands (tests/cases/run)
    assert dry - others == set(DRY)


@pytest.mark.parametrize("stage", DRY)
@pytest.mark.parametrize("earlier", [True, False])
def test_a_dry_run_changes_nothing(server, shell, tmp_path, stage, earlier):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    (tmp_path / "recorded").write_bytes(jsonl([*ROWS, *VOTES]))
    words = [stage, "in", *DRY[stage]]
    if earlier:
        assert server.run(words, tmp_path)[0] == 0
    before = state(tmp_path)
    ended = shell(["libra", *words, "--dry-run"])
    assert ended.status == 0, ended.err
    assert json.loads(ended.out.splitlines()[0])["id"] == ROWS[0]["id"]
    assert state(tmp_path) == before


def test_errors_show_while_a_run_works_and_outlive_a_kill(shell, tmp_path):
    """They grow in FILE.part: FILE holds those of the last run that ended, and the next run meets all of them again."""
    os.mkfifo(tmp_path / "pipe")
    first = "{ echo one; echo two; exec sleep 60; } > pipe & writer=$!"
    until = "until grep -q two errors.part 2> /dev/null; do sleep 0.1; done"
    killed = f"{first}; libra verify -q pipe --errors errors & run=$!; {until}"
    assert shell(f"{killed}; kill -9 $run; wait $run; kill $writer; true", timeout=60).status == 0
    assert [json.loads(line)["row"] for line in (tmp_path / "errors.part").read_text().splitlines()] == ["one", "two"]
    (tmp_path / "in").write_bytes(b"one\ntwo\nthree\n" + jsonl(ROWS[:1]))
    assert shell(["libra", "verify", "in", "--errors", "errors"]).status == 3
    assert [json.loads(line)["row"] for line in (tmp_path / "errors").read_text().splitlines()] == [
        "one",
        "two",
        "three",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["errors", "in", "pipe"]


def test_two_runs_never_share_an_error_file(shell, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "in").write_bytes(b"one\n")
    both = "libra verify -q pipe --errors errors & until [ -e errors.lock ]; do sleep 0.1; done"
    ended = shell(f"{both}; libra verify in --errors errors; echo $?; echo two > pipe; wait; true", timeout=60)
    assert ended.out == b"11\n"
    assert [json.loads(line)["row"] for line in (tmp_path / "errors").read_text().splitlines()] == ["two"]


@pytest.mark.parametrize(
    "command",
    [
        "verify in -o",
        thinned.slow("verify in --errors"),
        thinned.slow("verify in --report"),
        thinned.slow("verify in --manifest"),
        "collect in --report",
        thinned.slow("score in --resamples 0 -o"),
        "score in --resamples 0 --plot",
    ],
)
def test_an_output_that_nothing_reads_does_not_make_a_run_deaf(shell, tmp_path, command):
    (tmp_path / "in").write_bytes(jsonl(ROWS))
    name = "pipe.png" if command.endswith("plot") else "pipe"
    os.mkfifo(tmp_path / name)
    if not command.startswith("score"):  # which has no limit of its own
        ended = shell(f"libra {command} {name} --stall-timeout 0.5", timeout=60)
        assert ended.status == 6, ended.err
        assert b"nothing has opened this pipe for reading" in ended.err
    grace = "" if command.startswith("score") else "--grace 60"
    ended = shell(f"timeout -k 20 -s TERM 5 libra {command} {name} {grace}; echo $?", timeout=60)
    assert ended.out.splitlines()[-1] == b"124"  # 137 if it had to be killed
    assert (tmp_path / name).is_fifo()
