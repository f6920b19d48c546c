"""When a run is finished: the same command does nothing, another one says what is in its way."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import failing_disk
import pytest
import sft_runs as runs

from libra_cli.exits import Exit, Fatal
from libra_cli.training.run_dir import RunDir


class Finished:
    """A folder in which a run has ended, as its manifest has it."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("rows.jsonl", "held-out.jsonl", "t.jinja"):
            (folder / name).write_text(name)
        (folder / "model").mkdir()
        (folder / "model/config.json").write_text("{}")
        self.path = folder / "out"

    def run(self, *args: str, rows: str = "rows.jsonl") -> RunDir:
        source = "-" if rows == "-" else str(self.folder / rows)
        model = str(self.folder / "model")
        return RunDir(runs.settings("--model", model, "-o", str(self.path), source, *args), "sft")

    def finish(self, *args: str, refused: int = 0, rows: str = "rows.jsonl") -> None:
        run = self.run(*args, rows=rows)
        assert run.check() is None
        run.begin()
        run.finish(3, "digest", refused)
        (self.path / "checkpoints/step-3").mkdir(parents=True)
        (self.path / "checkpoints/step-3/libra.json").write_text("{}")

    def touch(self, name: str) -> None:
        os.utime(self.folder / name, ns=(10**18, 10**18))


@pytest.fixture
def finished(tmp_path: Path) -> Finished:
    return Finished(tmp_path)


@pytest.mark.parametrize(("refused", "status"), [(0, Exit.DONE), (2, Exit.SOME_ERRORS)])
def test_the_same_command_ends_as_it_did(finished: Finished, refused: int, status: Exit) -> None:
    finished.finish(refused=refused)
    assert finished.run().check() is status
    assert finished.run("--overwrite").check() is None


@pytest.mark.parametrize("name", ["rows.jsonl", "t.jinja"])
def test_files_that_were_touched_are_read_before_it_is_said_that_they_are_others(finished: Finished, name: str) -> None:
    args = ["--chat-template", str(finished.folder / "t.jinja")]
    finished.finish(*args)
    assert finished.run(*args).check() is Exit.DONE
    finished.touch(name)
    run = finished.run(*args)
    assert run.check() is None
    assert run.refuse_other_samples("digest") is Exit.DONE


def test_another_model_is_another_run_and_a_copy_of_it_is_not(finished: Finished) -> None:
    finished.finish()
    finished.touch("model/config.json")
    assert finished.run().check() is Exit.DONE
    (finished.folder / "model/config.json").write_text("[]")
    with pytest.raises(Fatal, match="with another --model or --tokenizer; --overwrite trains anew") as refused:
        finished.run().check()
    assert refused.value.status == Exit.USAGE


def test_other_steps_are_another_run(finished: Finished) -> None:
    finished.finish()
    with pytest.raises(Fatal, match=r"lr was 1e-05, now it is 0\.1"):
        finished.run("--lr", "0.1").check()


@pytest.mark.parametrize(
    "args", [["--save-dtype", "bf16"], ["--eval-data", "held-out.jsonl"], ["--score", "rows.jsonl"]]
)
def test_what_is_left_is_made_again_from_the_checkpoint(
    finished: Finished, args: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.folder)
    finished.finish()
    assert finished.run(*args).check() is None
    (finished.path / "checkpoints/step-3/libra.json").unlink()
    with pytest.raises(Fatal, match="and no checkpoint of its last step; --overwrite trains anew"):
        finished.run(*args).check()


def test_other_samples_that_are_held_out_are_looked_at(finished: Finished) -> None:
    args = ["--eval-data", str(finished.folder / "held-out.jsonl")]
    finished.finish(*args)
    assert finished.run(*args).check() is Exit.DONE
    finished.touch("held-out.jsonl")
    assert finished.run(*args).check() is None


def test_files_of_one_name_are_told_apart(finished: Finished) -> None:
    (finished.folder / "more").mkdir()
    (finished.folder / "more/rows.jsonl").write_text("more rows")
    finished.finish(str(finished.folder / "more/rows.jsonl"))
    assert finished.run(str(finished.folder / "more/rows.jsonl")).check() is Exit.DONE
    finished.touch("more/rows.jsonl")
    assert finished.run(str(finished.folder / "more/rows.jsonl")).check() is None


def test_a_run_that_was_scored_need_not_be_scored_again(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished.folder)
    finished.finish("--score", "rows.jsonl", "--score", "held-out.jsonl")
    assert finished.run().check() is Exit.DONE
    assert finished.run("--score", "rows.jsonl").check() is Exit.DONE


def test_samples_from_a_pipe_have_to_be_read_first(finished: Finished) -> None:
    finished.finish(rows="-")
    run = finished.run(rows="-")
    assert run.check() is None
    shutil.rmtree(finished.path / "checkpoints")  # which it does not need
    assert finished.run(rows="-").check() is None
    assert run.refuse_other_samples("digest") is Exit.DONE
    assert finished.run("--save-dtype", "bf16", rows="-").refuse_other_samples("digest") is None
    with pytest.raises(Fatal, match="on other samples"):
        run.refuse_other_samples("other")


@pytest.mark.parametrize(
    "text", ["[]", "null", "", "3", '{"config": []}', '{"status": 1}', '{"steps": "3"}', '{"left": 1}', "[" * 100_000]
)
def test_a_manifest_of_another_kind_is_refused_by_name(finished: Finished, text: str) -> None:
    finished.finish()
    (finished.path / "libra.json").write_text(text)
    with pytest.raises(Fatal, match=r"out/libra\.json: not a manifest of libra; use another -o") as caught:
        finished.run().check()
    assert caught.value.status == Exit.USAGE


def test_every_error_of_the_disk_is_status_74_with_the_name(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.folder)

    def prepare() -> None:
        shutil.rmtree("out", ignore_errors=True)
        finished.finish()
        (finished.path / ".samples").mkdir()
        (finished.path / ".samples/store.json").touch()

    def again() -> None:
        run = finished.run("--overwrite")
        run.begin()
        run.write_manifest("running")
        run.finish(3, "digest", 0)
        run.clear_finished()

    met = 0
    for site, code, ended in failing_disk.outcomes(prepare, again):
        if site[1].startswith("out"):
            assert (ended["raised"], ended["status"] in (0, 74)) == ("", True), (site, code, ended)
            assert ended["status"] == 0 or "out/" in ended["said"], (site, code, ended)
            met += 1
    assert met > 50
