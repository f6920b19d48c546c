"""An output begun under the old name of an option is continued under its new one."""

from __future__ import annotations

import json

import pytest

from libra_cli.cli.renamed import RENAMED, REPLACED, current_config
from libra_cli.main import STAGES, cli
from libra_cli.stream.rows import content_hash

OLD = {
    "collect --no-reference": {"keep_duplicates": False},
    "collect --no-reference --duplicates keep": {"keep_duplicates": True},
    "collect --no-reference --keep-fields index": {"keep": "index"},
    "judge --replay recorded.jsonl --model a --judge-markers seed": {"thinking_markers": "seed"},
    "judge --replay recorded.jsonl --model a --reduce max": {"reduce": "best"},
    "mix": {"dedupe": None},
    "mix --duplicates drop": {"dedupe": "id"},
    "mix --duplicates drop --duplicates-by content": {"dedupe": "content"},
    "rollout --replay recorded.jsonl --model a --template text.txt": {"prompt_template": ["text.txt sha256:SAME"]},
}
"""A command, and what an old manifest has in place of the options that were renamed."""

NEW = {
    "dedupe": {"duplicates", "duplicates_by"}, "keep": {"keep_fields"}, "keep_duplicates": {"duplicates"},
    "prompt_template": {"template"}, "reduce": {"reduce"}, "thinking_markers": {"judge_markers"},
}  # fmt: skip
"""A name in an old manifest, and the options that have replaced it."""


@pytest.mark.parametrize("command", OLD)
def test_an_output_with_an_old_manifest_is_continued(command, shell, tmp_path):
    (tmp_path / "text.txt").write_text("{{question}}?")
    (tmp_path / "rows.jsonl").write_text(
        '{"id":"1","question":"one","response":"a"}\n{"id":"2","question":"two","response":"b"}\n'
    )
    recorded = [{"id": name, "model": "a", "response": "so", "finish_reason": "stop"} for name in "12"]
    (tmp_path / "recorded.jsonl").write_text("".join(json.dumps(row) + "\n" for row in recorded))
    libra = f"libra {command} rows.jsonl -o out.jsonl"
    assert shell(f"{libra} --limit 1").status == 0
    manifest = json.loads((tmp_path / "out.jsonl.libra.json").read_bytes())
    (tmp_path / "out.jsonl.libra.json").write_text(json.dumps(manifest | aged(manifest["config"], OLD[command])))
    ended = shell(libra)
    assert ended.status == 0, ended.err
    assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == 2


def aged(config: dict, old: dict) -> dict:
    """What an old manifest says of `config`: with `old` in place of the options that have replaced it."""
    replaced = {new for name in old for new in NEW[name]}
    kept = {name: value for name, value in config.items() if name not in replaced}
    old = {name: config["template"] if name == "prompt_template" else value for name, value in old.items()}
    return {"config": {**kept, **old}, "config_sha256": content_hash({**kept, **old}, 64)}


def test_another_value_under_an_old_name_is_another_configuration(shell, tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"id":"1","question":"one"}\n')
    assert shell("libra mix rows.jsonl -o out.jsonl").status == 0
    manifest = json.loads((tmp_path / "out.jsonl.libra.json").read_bytes())
    (tmp_path / "out.jsonl.libra.json").write_text(json.dumps(manifest | aged(manifest["config"], {"dedupe": "id"})))
    ended = shell("libra mix rows.jsonl -o out.jsonl")
    assert ended.status == 2
    assert b'(--duplicates was "drop", now "keep")' in ended.err


def test_old_names_are_gone_and_new_ones_exist():
    top = cli.make_context("libra", [], resilient_parsing=True)
    for stage in STAGES:
        names = {param.name for param in cli.get_command(top, stage).params}
        added = {*RENAMED.get(stage, {}).values()}
        added |= {name for pairs in REPLACED.get(stage, {}).values() for _, options in pairs for name in options}
        gone = {*RENAMED.get(stage, {}), *REPLACED.get(stage, {})} - added
        assert not gone & names
        assert added <= names


def test_other_configurations_stay_as_they_are():
    config = {"template": None, "seed": 0, "shard": "0/1"}
    assert current_config("rollout", config) == config
    assert current_config("verify", {"prompt_template": 1}) == {"prompt_template": 1}
