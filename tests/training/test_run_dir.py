"""When a run is finished: the same command does nothing, another one says what is in its way."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import failing_disk
import pytest
import sft_runs as runs
import thinned

from libra_cli.exits import Exit, Fatal
from libra_cli.training import own_folder
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


@pytest.mark.parametrize("is_finished", [True, False])
@pytest.mark.parametrize(
    ("args", "what"),
    [
        (["--max-steps", "9"], "max_steps was 3, now it is 9"),
        (["--max-steps", "2"], "max_steps was 3, now it is 2"),
        (["--max-steps", "3", "--epochs", "1"], "epochs was 3.0, now it is 1.0"),
        ([], "max_steps was 3, now it is not given"),
    ],
)
def test_more_or_fewer_steps_are_refused_with_what_trains_the_model_further(
    finished: Finished, args: list[str], what: str, is_finished: bool
) -> None:
    before = ["--max-steps", "3"]
    finished.finish(*before)
    if not is_finished:
        finished.run(*before).write_manifest("running")
    with pytest.raises(Fatal) as refused:
        finished.run(*args).check()
    on = f"train its model further with --model {finished.path} and another -o"
    on = on if is_finished else "go on with as many steps as it began with"
    assert f"settings: {what}; the learning rate's schedule is over all steps; {on}, or begin" in str(refused.value)
    with pytest.raises(Fatal, match="begin anew with --overwrite, or use another -o"):
        finished.run("--max-steps", "9", "--lr", "0.1").check()


@pytest.mark.parametrize(
    "args", [["--save-dtype", "bf16"], ["--eval-data", "held-out.jsonl"], ["--score", "rows.jsonl"]]
)
def test_what_is_left_is_made_again_from_the_checkpoint(
    finished: Finished, args: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.folder)
    finished.finish()
    assert finished.run(*args).check() is None
    shutil.rmtree(finished.path / "checkpoints/step-3")
    with pytest.raises(Fatal, match="and no checkpoint of its last step; --overwrite trains anew"):
        finished.run(*args).check()


def test_a_run_that_fails_before_it_trains_leaves_nothing_but_samples_that_are_ready(finished: Finished) -> None:
    run = finished.run()
    assert run.check() is None
    run.begin()
    put(finished.path, ".samples/train/tokens.bin", "notes.txt")
    run.clear_unbegun()
    assert [*content(finished.path)] == ["notes.txt"]
    (finished.path / "notes.txt").unlink()
    run.remove_made()
    assert not finished.path.exists()
    assert run.check() is None
    run.begin()
    put(finished.path, ".samples/train/origin.json")
    before = content(finished.path)
    run.clear_unbegun()
    run.remove_made()
    assert content(finished.path) == before


def test_a_run_that_fails_leaves_what_an_earlier_one_has_made(finished: Finished) -> None:
    finished.finish()
    before = content(finished.path)
    for args in ([], ["--overwrite"]):
        run = finished.run(*args)
        run.check()
        run.begin()
        run.clear_unbegun()
        run.remove_made()
        assert args or content(finished.path) == before
    assert json.loads((finished.path / "libra.json").read_bytes())["status"] == "prepared"


def test_an_empty_folder_that_was_there_stays(finished: Finished) -> None:
    finished.path.mkdir()
    run = finished.run()
    assert run.check() is None
    run.remove_made()
    assert finished.path.is_dir()


def test_a_run_of_another_trainer_is_named(finished: Finished) -> None:
    finished.finish()
    other = finished.path / "libra.json"
    other.write_text(other.read_text().replace('"sft"', '"dpo"'))
    assert "holds a run of libra dpo; begin anew with --overwrite" in refusal(finished.run(), finished.path)
    assert finished.run("--overwrite").check() is None


FOREIGN = {
    "a file": ("notes.txt",),
    "a model": ("config.json", "model.safetensors"),
    "a folder": ("data/rows.jsonl",),
    "what is named like a checkpoint": ("checkpoints/step-3/state.pt",),
}


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("of the user's")


def refusal(run: RunDir, folder: Path) -> str:
    """What a run says that changes nothing."""
    before = content(folder)
    with pytest.raises(Fatal) as caught:
        run.check()
    assert caught.value.status == Exit.USAGE
    assert content(folder) == before
    return str(caught.value)


@pytest.mark.parametrize("args", [[], ["--overwrite"], ["--resume", "never"]])
@pytest.mark.parametrize("names", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_folder_that_libra_did_not_make_is_refused(finished: Finished, names: tuple[str, ...], args: list[str]):
    put(finished.path, *names)
    assert "is a folder that libra did not make" in refusal(finished.run(*args), finished.path)


def test_an_empty_folder_is_taken_and_so_is_what_a_killed_run_left(finished: Finished) -> None:
    finished.path.mkdir()
    assert finished.run().check() is None
    put(finished.path, "run.lock", ".samples/train/lengths", ".libra-0a.tmp")
    assert finished.run().check() is None
    finished.run().begin()
    assert finished.run("--lr", "0.5").check() is None  # no step was taken with any settings


def test_outputs_of_the_same_run_may_lie_in_the_folder(finished: Finished) -> None:
    put(finished.path, "errors.jsonl", "events/1")
    inside = ["--errors", f"{finished.path}/errors.jsonl", "--tensorboard", f"{finished.path}/events"]
    assert finished.run(*inside).check() is None
    assert "it holds events" in refusal(finished.run(*inside[:2]), finished.path)


MIXED_IN = {
    "weights": "model-00001-of-00002.safetensors",
    "a tokenizer": "tokenizer.json",
    "a folder like a checkpoint": "checkpoints/step-7/notes.txt",
    "a file in a checkpoint": "checkpoints/step-3/notes.txt",
    "a file like a saved rollout": "rollouts/rollout-9.jsonl",
}


@pytest.mark.parametrize("args", [["--save-dtype", "bf16"], ["--overwrite"]])
@pytest.mark.parametrize("name", MIXED_IN.values(), ids=MIXED_IN.keys())
def test_a_file_among_those_of_a_run_is_refused_before_it_would_be_replaced(
    finished: Finished, name: str, args: list[str]
) -> None:
    finished.finish()
    marker = finished.path / "checkpoints/step-3/libra.json"
    marker.write_text('{"step": 3, "files": {}}')
    assert finished.run(*args).check() is None
    put(finished.path, name)
    assert "was not written by libra in this run" in refusal(finished.run(*args), finished.path)


def begun_by_an_earlier_version(folder: Path) -> None:
    """Takes the name of the run out of its manifest."""
    manifest = json.loads((folder / "libra.json").read_bytes())
    assert len(manifest.pop("run")) == 32
    (folder / "libra.json").write_text(json.dumps(manifest))


SAVED_ROLLOUTS = {
    "rollouts/rollout-0.jsonl": '{"id": "a", "rollout": {"number": 0}}\n{"id": "a", "rollout": {"number": 0}}\n',
    "rollouts/rollout-12.jsonl": '{"rollout": {"number": 12}}\n',
    "rollouts/rollout-13.jsonl": '{"id": "a", "rollo',
    "rollouts/rollout-14.jsonl": "",
}
"""What runs have written: whole files, and what a kill has left of one."""


@pytest.mark.parametrize("text", ['{"id": 1}\n', '{"rollout": {"number": 3}}\n', '{"rollout": 9}\n', "[1]\n", "a,b\n"])
def test_a_saved_rollout_is_known_by_what_it_says(finished: Finished, text: str) -> None:
    finished.finish()
    begun_by_an_earlier_version(finished.path)
    put(finished.path, *SAVED_ROLLOUTS)
    for name, own in SAVED_ROLLOUTS.items():
        (finished.path / name).write_text(own)
    assert finished.run("--overwrite").check() is None
    (finished.path / "rollouts/rollout-9.jsonl").write_text(text)
    assert "rollout-9.jsonl: was not written by libra" in refusal(finished.run("--overwrite"), finished.path)


@pytest.mark.parametrize("named", [True, False])
def test_a_rollout_that_another_run_has_saved_is_refused(finished: Finished, named: bool) -> None:
    """Every run numbers its rollouts from 0; one that an earlier version began has no name."""
    finished.finish()
    own = {"run": own_folder.run_of(finished.path)}
    if not named:
        begun_by_an_earlier_version(finished.path)
        own = {}
    place = finished.path / "rollouts/rollout-0.jsonl"
    put(finished.path, "rollouts/rollout-0.jsonl")
    for foreign in ({"run": "0" * 32}, {"run": 1}, *([{}] if named else [])):
        place.write_text(json.dumps({"rollout": {**foreign, "number": 0}}) + "\n")
        for args in ([], ["--overwrite"]):
            assert "rollout-0.jsonl: was not written by libra in this run" in refusal(
                finished.run(*args), finished.path
            )
    place.write_text(json.dumps({"rollout": {**own, "number": 0}}) + "\n")
    assert finished.run().check() is not None
    again = finished.run("--overwrite")
    again.check()
    again.begin()
    assert not place.exists()
    assert own_folder.run_of(finished.path) not in (None, own.get("run"))


def test_events_are_added_after_the_last_whole_line_and_never_through_a_link(finished: Finished) -> None:
    finished.finish()
    run, path = finished.run(), finished.path / "events.jsonl"
    for before, after in ((b"", b"x\n"), (b"a\nb", b"a\nx\n"), (b"torn", b"x\n"), (b"a\n", b"a\nx\n")):
        path.write_bytes(before)
        with run.open_events() as events:
            os.write(events, b"x\n")
        assert path.read_bytes() == after
    path.unlink()
    (finished.folder / "mine").write_bytes(b"mine\n")
    path.symlink_to(finished.folder / "mine")
    with pytest.raises(Fatal, match=r"events\.jsonl") as refused, run.open_events():
        pass
    assert refused.value.status is Exit.WRITE_FAILED
    assert (finished.folder / "mine").read_bytes() == b"mine\n"


def test_overwriting_takes_away_only_what_is_listed(finished: Finished) -> None:
    run = finished.run()
    assert run.check() is None
    run.begin()
    own = ["config.json", "model-00001-of-00002.safetensors"]
    run.claim(own)
    put(finished.path, *own, ".samples/train/lengths", ".scored/config.json")
    run.finish(3, "digest", 0)
    put(finished.path, "checkpoints/.step-9.partial/state", "checkpoints/step-3/libra.json")
    users = ["own.safetensors", "notes.txt", "data/rows.jsonl", "checkpoints/notes.txt", "checkpoints/mine/libra.json"]
    users += ["rollouts/notes.txt", "rollouts/rollout-1.jsonl.gz", "checkpoints/.mine.partial/state"]
    begun_by_an_earlier_version(finished.path)
    for name, text in SAVED_ROLLOUTS.items():
        put(finished.path, name)
        (finished.path / name).write_text(text)
    put(finished.path, *users)
    again = finished.run("--overwrite")
    assert again.check() is None
    again.begin()
    assert set(content(finished.path)) == {*own, *users, "libra.json"}
    put(finished.path, "merges.tsv")
    with pytest.raises(Fatal, match=r"merges\.tsv: was not written by this run; move it away and run again") as caught:
        again.claim(["config.json", "merges.tsv"])
    assert caught.value.status == Exit.WRITE_FAILED
    assert again.claim(["config.json"]) >= {"config.json", "model-00001-of-00002.safetensors"}


def test_a_run_of_an_earlier_version_kept_no_list(finished: Finished) -> None:
    finished.finish()
    manifest = json.loads((finished.path / "libra.json").read_text())
    del manifest["written"]
    (finished.path / "libra.json").write_text(json.dumps(manifest))
    put(finished.path, "config.json", "model.safetensors", "notes.txt", "checkpoints/step-2/state.pt")
    run = finished.run("--overwrite")
    assert run.check() is None
    run.begin()
    assert run.claim(["config.json"]) >= {"config.json", "model.safetensors"}
    assert (finished.path / "notes.txt").exists()


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


DAMAGED = ["[]", "null", "", "3", "{}", '{"a": 1}', '{"stage": "sft", "status": "comp', '{"status": "", "config": []}',
           '{"status": 1}', '{"status": "", "steps": "3"}', '{"status": "", "left": 1}', "[" * 100_000]  # fmt: skip


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_manifest_without_a_checkpoint_that_says_what_the_run_is(finished: Finished, text: str) -> None:
    finished.finish()
    (finished.path / "libra.json").write_text(text)
    before = content(finished.path)
    what = "is no manifest of libra" if text else "is empty"
    for args in ((), ("--overwrite",)):
        with pytest.raises(Fatal, match=rf"out/libra\.json: {what}, and no checkpoint says .* put a copy") as caught:
            finished.run(*args).check()
        assert (caught.value.status, content(finished.path)) == (Exit.USAGE, before)


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_manifest_is_made_again_from_the_last_checkpoint(finished: Finished, text: str) -> None:
    finished.finish()
    of = {"stage": "sft", "run": "abc", "begun": "2020-02-29T23:59:59"}
    marker, manifest = finished.path / "checkpoints/step-3/libra.json", finished.path / "libra.json"
    settings = json.loads(manifest.read_text())["config"]
    marker.write_text(json.dumps({"step": 3, "run": {**settings, "data": "digest"}, "of": of}))
    put(finished.path, "checkpoints/step-12/libra.json", "checkpoints/step-x/libra.json", "checkpoints/notes.txt")
    put(finished.path, "rollouts/rollout-0.jsonl")
    (finished.path / "rollouts/rollout-0.jsonl").write_text('{"rollout": {"number": 0, "run": "abc"}}\n')
    manifest.write_text(text)
    with pytest.raises(Fatal, match=r"lr was 1e-05, now it is 0\.1"):
        finished.run("--lr", "0.1").check()
    again = finished.run()
    assert again.check() is None
    again.begin()
    assert again.restored_from == marker.parent
    now = json.loads(manifest.read_text())
    assert (now["status"], now["config"], {name: now[name] for name in of}) == ("running", settings, of)
    assert marker.is_file()
    # a list of the model's files is nowhere else
    manifest.write_text(text)
    put(finished.path, "model.safetensors")
    with pytest.raises(Fatal, match=r"libra\.json: is damaged, and .* that model\.safetensors are of this run; move"):
        finished.run().check()
    assert (finished.path / "model.safetensors").is_file()


LION, ADAFACTOR = {"optimizer": {"type": "Lion"}}, {"optimizer": {"type": "Adafactor"}}


def deepspeed(finished: Finished, content: dict[str, Any] | None) -> list[str]:
    """The option for a file of DeepSpeed's; none for None."""
    if content is None:
        return []
    (finished.folder / "ds.json").write_text(json.dumps(content))
    return ["--deepspeed", str(finished.folder / "ds.json")]


@pytest.mark.parametrize(
    ("before", "now", "difference"),
    [
        (
            LION,
            ADAFACTOR,
            "deepspeed was {'optimizer': {'type': 'Lion'}}, now it is {'optimizer': {'type': 'Adafactor'}}",
        ),
        (LION, None, "deepspeed was {'optimizer': {'type': 'Lion'}}, now it is not given"),
        (None, LION, "deepspeed was not given, now it is"),
        ({}, {"data_types": {"grad_accum_dtype": "bf16"}}, "deepspeed was not given, now it is {'data_types'"),
        ({}, {"bf16": {"enabled": True, "immediate_grad_update": True}}, "now it is {'bf16': {'immediate_grad_update'"),
        ({}, {"zero_optimization": {"stage": 1, "zero_quantized_weights": True}}, "now it is {'zero_optimization'"),
        (LION, {**LION, "wall_clock_breakdown": True, "steps_per_print": 1}, ""),
        ({}, {"bf16": {"enabled": True}, "zero_optimization": {"stage": 3, "reduce_bucket_size": 100}}, ""),
        (None, {}, ""),
    ],
)
@pytest.mark.parametrize("damaged", [False, True])
def test_what_a_deepspeed_file_says_of_the_weights_binds_the_run(finished, before, now, difference, damaged) -> None:
    args = deepspeed(finished, before)
    finished.finish(*args)
    if damaged:  # the checkpoint knows as much
        marker = finished.run(*args).marker("digest")
        (finished.path / "checkpoints/step-3/libra.json").write_text(json.dumps({"step": 3, **marker}))
        (finished.path / "libra.json").write_text("")
    again = finished.run(*deepspeed(finished, now))
    if not difference:
        assert again.check() is (None if damaged else Exit.DONE)
        return
    with pytest.raises(Fatal, match=re.escape(difference)) as caught:
        again.check()
    assert caught.value.status == Exit.USAGE


@pytest.mark.parametrize(
    ("now", "refused"), [(LION, False), ({**LION, "prescale_gradients": True}, False), (None, True)]
)
def test_an_earlier_version_noted_only_the_optimizer_of_a_deepspeed_file(finished, now, refused) -> None:
    finished.finish(*deepspeed(finished, LION))
    manifest = json.loads((finished.path / "libra.json").read_text())
    manifest["config"]["deepspeed_optimizer"] = manifest["config"].pop("deepspeed")["optimizer"]
    (finished.path / "libra.json").write_text(json.dumps(manifest))
    again = finished.run(*deepspeed(finished, now))
    if refused:
        with pytest.raises(Fatal, match="deepspeed was"):
            again.check()
    else:
        assert again.check() is Exit.DONE


def test_a_folder_in_the_place_of_the_manifest_is_named(finished: Finished) -> None:
    (finished.path / "libra.json").mkdir(parents=True)
    with pytest.raises(Fatal, match=r"out/libra\.json: cannot be read \(Is a directory\)") as caught:
        finished.run().check()
    assert caught.value.status == Exit.USAGE


WORK = [
    "checkpoints/step-1/libra.json",
    "rollouts/rollout-0.jsonl",
    ".rollouts/0.npz",
    ".scored/a",
    "model.safetensors",
]


def test_a_run_that_came_to_nothing_binds_the_next_to_no_settings(finished: Finished) -> None:
    run = finished.run()
    run.check()
    run.begin()
    run.write_manifest("running")
    (finished.path / "events.jsonl").write_text('{"event":"eval","step":0,"loss":1.0}\n')
    put(finished.path, ".samples/store.json")
    for name in WORK:
        put(finished.path, name)
        with pytest.raises(Fatal, match=r"lr was 1e-05|was not written by libra in this run"):
            finished.run("--lr", "0.1").check()
        shutil.rmtree(path) if (path := finished.path / name.split("/")[0]).is_dir() else path.unlink()
    (finished.path / "events.jsonl").write_text('{"event":"step","step":1,"loss":1.0}\n')
    with pytest.raises(Fatal, match="lr was 1e-05"):
        finished.run("--lr", "0.1").check()
    (finished.path / "events.jsonl").write_text("")
    other = finished.run("--lr", "0.1")
    assert other.check() is None
    other.begin()
    assert json.loads((finished.path / "libra.json").read_text())["status"] == "prepared"


@pytest.mark.parametrize("part", thinned.parts(failing_disk.PARTS))
def test_every_error_of_the_disk_is_status_74_with_the_name(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, part: int
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
    for site, code, ended in failing_disk.outcomes(prepare, again, part):
        if site[1].startswith("out"):
            assert (ended["raised"], ended["status"] in (0, 74)) == ("", True), (site, code, ended)
            assert ended["status"] == 0 or "out/" in ended["said"], (site, code, ended)
            met += 1
    assert met >= 50 // failing_disk.PARTS


def test_the_moment_of_the_first_preparation_is_kept_until_a_run_begins_anew(finished: Finished) -> None:
    finished.finish()
    path = finished.path / "libra.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "begun": "2020-02-29T23:59:59"}))
    again = finished.run()
    again.begin()
    assert again.begun == "2020-02-29T23:59:59"
    again.write_manifest("running")
    assert json.loads(path.read_text())["begun"] == "2020-02-29T23:59:59"
    anew = finished.run("--overwrite")
    anew.begin()
    assert json.loads(path.read_text())["begun"] == anew.begun > "2026"

    del manifest["begun"]  # as an earlier version left it
    path.write_text(json.dumps(manifest))
    finished.run().begin()
    path.write_text(json.dumps({**manifest, "begun": "yesterday"}))
    with pytest.raises(Fatal, match="is no manifest of libra"):
        finished.run().check()
