"""Runs of `libra sft` that cannot be done as they are told: one line says why, and nothing is trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sft_runs as runs

from libra_cli.training.data.chat_format import BUILT_IN

OF_A_LARGER_MODEL = ("model.safetensors.index.json", "model-00001-of-00002.safetensors")
BAD = '{"messages": [{"role": "user", "content": "x"}]}\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs below, done one after another in one process."""
    return runs.made_once(tmp_path_factory, "sft-refused", make)


def make(folder: Path) -> None:
    model, rows = runs.write_model(folder / "model"), runs.write_rows(folder / "rows.jsonl", n=8)
    held_out = runs.write_rows(folder / "held-out.jsonl", n=2, seed=9)
    other = runs.write_rows(folder / "other.jsonl", n=2, seed=8)
    long = {"messages": [{"role": "user", "content": "x" * 600}, {"role": "assistant", "content": "y"}]}
    (folder / "long.jsonl").write_text(json.dumps(long) + "\n")
    for name, source in (("rows-bad", rows), ("held-out-bad", held_out)):
        (folder / f"{name}.jsonl").write_text(BAD + source.read_text())
    small = runs.write_model(folder / "small")
    edit(small / "config.json", vocab_size=200)
    base = ["--model", str(model), "--batch-size", "4", "--epochs", "1"]
    errors = ["--errors", str(folder / "errors.jsonl")]
    errors_before = ["--errors", str(folder / "errors-before.jsonl")]
    finished = [*base, str(rows), "--eval-data", str(held_out), "-o", str(folder / "finished")]
    elsewhere = [*finished[:-3], str(other), *finished[-2:]]
    (folder / "inside/data").mkdir(parents=True)
    runs.write_rows(folder / "inside/data/rows.jsonl", n=4)
    for name in (*OF_A_LARGER_MODEL, "own.safetensors"):
        (folder / "inside" / name).write_text("{}")
    (folder / "inside/libra.json").write_text('{"status": "complete"}')  # of a run before libra kept a list
    dated = folder / "dated.jinja"  # writes the microsecond, and so another text at each reading of the clock
    dated.write_text("{{ strftime_now('%f') }}" + BUILT_IN["chatml"])
    piped = [*base, "--chat-template", str(dated), "-o", str(folder / "piped")]
    runs.drive(folder, 1, {
        "finished": finished,
        "again": finished,
        "other-dtype": [*finished, "--save-dtype", "bf16"],
        "best": [*finished, "--save-dtype", "bf16", "--final", "best"],
        "best-elsewhere": [*elsewhere, "--save-dtype", "bf16", "--final", "best"],
        "other-held-out": [*elsewhere, "--save-dtype", "bf16", "--eval-every", "2"],
        "inside": ["--model", str(model), *base[2:], "--overwrite", str(folder / "inside/data/rows.jsonl")],
        "piped": [*piped, "-"],
        "piped-again": [*piped, "-"],
        "piped-other": [*piped, "-"],
        "long": [*base, str(rows), "--eval-data", str(folder / "long.jsonl")],
        "vocabulary": ["--model", str(small), "--from-scratch", *base[2:], str(rows)],
        "tied-head": [*base, str(rows), "--lora-rank", "2", "--lora-target", "lm_head"],
        "no-step": [*base, str(rows), "--epochs", "0.01"],
        "no-step-bad-rows": [*base, str(folder / "rows-bad.jsonl"), "--epochs", "0.01", *errors_before],
        "bad-rows": [*base, str(folder / "rows-bad.jsonl"), "--eval-data", str(folder / "held-out-bad.jsonl"), *errors],
    }, may_fail=True, piped={"piped": rows, "piped-again": rows, "piped-other": held_out})  # fmt: skip


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def ended(folder: Path, name: str) -> tuple[int, str]:
    status, said = json.loads((folder / f"{name}.ended").read_text())
    return status, said


@pytest.mark.parametrize(
    ("name", "why"),
    {
        "best-elsewhere": "another metric or other files chose the best step; use those",
        "piped-other": "holds a run that is finished, on other samples; --overwrite trains anew",
        "long": "a sample has 6",
        "vocabulary": "and the model knows 200; use the model's own tokenizer",
        "tied-head": "this model's head is its embedding, which no adapter can change alone",
        "no-step": "--epochs 0.01 of 8 samples is no step; raise it",
    }.items(),
)
def test_a_run_that_cannot_be_is_refused(made: Path, name: str, why: str) -> None:
    status, said = ended(made, name)
    assert status == 2
    assert why in said
    assert not list((made / name).glob("*.safetensors"))


def test_a_finished_run_makes_what_is_left_of_it_anew_without_a_step(made: Path) -> None:
    events = {name: [json.loads(line)["event"] for line in (made / f"{name}.log").read_text().splitlines()]
              for name in ("finished", "again", "other-dtype", "best", "best-elsewhere", "other-held-out")
              if ended(made, name) == (0, "")}  # fmt: skip
    assert events == {"finished": ["step", "step", "checkpoint", "eval"], "again": [], "other-dtype": [], "best": [],
                      "other-held-out": ["eval"]}  # fmt: skip
    left = json.loads((made / "finished/libra.json").read_text())["left"]
    assert (left["final"], left["save_dtype"], left["eval_data"][0][0]) == ("last", "bf16", "other.jsonl")
    assert json.loads((made / "finished/config.json").read_text())["dtype"] == "bfloat16"


def test_a_run_whose_samples_came_through_a_pipe_is_known_again(made: Path) -> None:
    assert [ended(made, name)[0] for name in ("piped", "piped-again")] == [0, 0]
    assert (made / "piped.log").read_text()
    assert not (made / "piped-again.log").read_text()
    assert {path.name for path in (made / "piped").iterdir() if path.is_dir()} == {"checkpoints"}


def test_weights_of_a_model_in_more_files_do_not_stay_beside_those_of_one(made: Path) -> None:
    assert not [name for name in OF_A_LARGER_MODEL if (made / "inside" / name).exists()]
    assert runs.weights(made / "inside")
    assert (made / "inside/own.safetensors").exists()


def test_rows_that_lie_in_the_folder_of_the_run_stay(made: Path) -> None:
    assert ended(made, "inside") == (0, "")
    assert (made / "inside/data/rows.jsonl").exists()


def test_refused_rows_of_all_files_are_in_one_file(made: Path) -> None:
    assert ended(made, "bad-rows") == (3, "")
    refused = [json.loads(line) for line in (made / "errors.jsonl").read_text().splitlines()]
    assert [Path(each["place"]).name.partition(":")[0] for each in refused] == ["rows-bad.jsonl", "held-out-bad.jsonl"]
    assert (made / "bad-rows/model.safetensors").exists()


def test_the_rows_that_a_run_refuses_are_in_the_file_though_it_never_trains(made: Path) -> None:
    assert ended(made, "no-step-bad-rows")[0] == 2
    assert [path.name for path in made.glob("errors-before.jsonl*")] == ["errors-before.jsonl"]
    assert len((made / "errors-before.jsonl").read_text().splitlines()) == 1
