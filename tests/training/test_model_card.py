"""The card of a trained folder: loads with huggingface_hub, says what was measured, and never replaces the user's."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import sft_runs as runs
from huggingface_hub import ModelCard as HubCard

from libra_cli.training.data.overlap import SharedRows
from libra_cli.training.model_card import NAME, ModelCard, TrainedModel, is_own

EVENTS = [
    {"event": "eval", "step": 4, "loss": 0.5},
    {"event": "score", "step": 4, "model_step": 4, "accuracy": 0.6, "low": 0.5, "high": 0.7, "n": 90, "refused": 2},
    {"event": "eval", "step": 6, "loss": 0.25, "samples": 5},
    {"event": "score", "step": 6, "model_step": 6, "accuracy": 0.8125, "low": None, "high": None, "n": 90},
]


def card(
    tmp_path: Path, *more: str, stage: str = "sft", step: int = 6, events: list[dict] = EVENTS,
    chosen_by: str | None = None, has_gain: bool = True, shared: dict[str, SharedRows] | None = None,
) -> ModelCard:  # fmt: skip
    rows = runs.write_rows(tmp_path / "rows.jsonl", n=2)
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events))
    words = ["--model", "org/base", str(rows), "-o", str(tmp_path / "out"), *runs.COMMON]
    model = TrainedModel(step, 6, "feed", chosen_by, has_gain, shared or {})
    return ModelCard(runs.settings(*words, *more), stage, model, tmp_path / "events.jsonl")


def test_the_hub_reads_it(tmp_path):
    benchmark = runs.write_rows(tmp_path / "bench.jsonl", n=1)
    held_out = runs.write_rows(tmp_path / "held-out.jsonl", n=1)
    made = card(tmp_path, "--score", str(benchmark), "--eval-data", str(held_out), "--lora-rank", "4")
    (tmp_path / "out").mkdir()
    assert made.write(tmp_path / "out")
    loaded = HubCard.load(tmp_path / "out" / NAME)
    data = loaded.data
    assert (data.base_model, data.library_name, data.pipeline_tag) == ("org/base", "transformers", "text-generation")
    assert (data.tags, data.datasets) == (["libra", "sft", "lora"], None)
    [result] = data.eval_results
    assert (result.metric_type, result.metric_value, result.dataset_name) == ("accuracy", 0.8125, "bench.jsonl")
    for text in ("| `bench.jsonl`, 90 rows | accuracy as a judge, % | 81.2 |", "| `held-out.jsonl` | loss | 0.25 |",
                 "that of step 6 of 6.", "`feed`", "lr: 0.01", "libra ", "model: org/base"):  # fmt: skip
        assert text in loaded.content
    assert str(tmp_path) not in loaded.content.partition("The command:")[0]


def test_scores_are_those_of_the_saved_step_and_missing_ones_are_left_out(tmp_path):
    benchmark = runs.write_rows(tmp_path / "bench.jsonl", n=1)
    early = card(tmp_path, "--score", str(benchmark), step=4).text("m")
    assert "90 rows, 2 more refused | accuracy as a judge, % | 60.0 [50.0, 70.0]" in early
    assert "81.2" not in early
    nothing = card(tmp_path, step=5).text("m")
    assert "## Scores" not in nothing
    assert "model-index" not in nothing
    assert "text-classification" in card(tmp_path, stage="train-rm").text("m")


def test_it_says_what_the_model_has_seen_of_the_data_a_step_that_was_taken_twice_once(tmp_path):
    steps = [{"event": "step", "step": step, "epoch": step / 4, "samples": 8, "tokens": 100, "learned": 40}
             for step in (1, 2, 3, 3, 4, 5, 6)]  # fmt: skip
    text = card(tmp_path, "--max-steps", "6", "--epochs", "3", events=[*steps, *EVENTS], step=4).text("m")
    seen = "step 4 of 6. By then it had seen 1 pass over the data: 32 sequences with 400 tokens in all, of which it "
    seen += "learned 160."
    assert f"{seen} `--max-steps 6` ended the run, not the 3 epochs of the settings.\n" in text
    whole = card(tmp_path, "--max-steps", "6", "--epochs", "1.5", events=[*steps, *EVENTS]).text("m")
    assert "1.5 passes" in whole
    assert "ended the run" not in whole


def test_a_figure_that_chose_the_step_is_called_optimistic_and_so_is_one_on_rows_of_the_training(tmp_path):
    benchmark = runs.write_rows(tmp_path / "bench.jsonl", n=1)
    held_out = runs.write_rows(tmp_path / "held-out.jsonl", n=1)
    files = ["--score", str(benchmark), "--eval-data", str(held_out)]
    start = [{"event": "eval", "step": 0, "loss": 0.2}]
    shared = {"held_out": SharedRows(1, 0, 5), "benchmark": SharedRows(0, 3, 90)}
    made = card(tmp_path, *files, events=[*start, *EVENTS], chosen_by="loss", has_gain=False, shared=shared)
    text = made.text("m")
    for part in ("step 6 of 6, the best by loss on `held-out.jsonl` of the 2 that were measured",
                 "| measured on | figure | before training | value |", "| `held-out.jsonl` | loss | 0.2 | 0.25 |",
                 "accuracy as a judge, % |  | 81.2 |", "chosen by the loss in this table, which is therefore optimi",
                 "No step was better than the model before training.", "Of `held-out.jsonl`, 1 of 5 rows is among",
                 "Of `bench.jsonl`, 3 of 90 rows are about problems of training rows"):  # fmt: skip
        assert part in text
    plain = card(tmp_path, *files).text("m")
    assert not any(word in plain for word in ("optimistic", "flatters", "before training"))


def test_standard_input_has_no_name_even_where_it_is_a_file(tmp_path):
    made, before = card(tmp_path, "-"), os.dup(0)
    try:
        with open(tmp_path / "rows.jsonl") as file:
            os.dup2(file.fileno(), 0)
        text = made.text("m")
    finally:
        os.dup2(before, 0)
        os.close(before)
    assert "| standard input |  |  |" in text


def test_the_base_model_of_a_folder_is_that_of_its_own_card(tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    assert "base_model" not in card(tmp_path, "--model", str(base)).text("m")
    (base / NAME).write_text("---\nbase_model: org/first\n---\n# base\n")
    text = card(tmp_path, "--model", str(base)).text("m")
    assert "base_model: org/first\n" in text
    assert "\nbase, trained on conversations" in text


@pytest.mark.parametrize("edit", ["replaced", "edited", "extended", "link", "folder", "binary"])
def test_a_card_of_the_user_is_kept(tmp_path, edit):
    made, path = card(tmp_path), tmp_path / NAME
    if edit in ("edited", "extended"):
        assert made.write(tmp_path)
        text = path.read_text()
        path.write_text(text.replace("# ", "# My ") if edit == "edited" else text + "more\n")
    elif edit == "link":
        (tmp_path / "mine.md").write_text("mine")
        path.symlink_to("mine.md")
    elif edit == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"mine" if edit == "replaced" else b"\xff\xfe")
    before = None if path.is_dir() else path.read_bytes()
    assert not is_own(path)
    assert not made.write(tmp_path)
    assert before is None or path.read_bytes() == before


def test_its_own_is_replaced(tmp_path):
    assert card(tmp_path).write(tmp_path)
    assert card(tmp_path, "--lora-rank", "2").write(tmp_path)
    assert "lora_rank: 2" in (tmp_path / NAME).read_text()
    assert is_own(tmp_path / NAME)
