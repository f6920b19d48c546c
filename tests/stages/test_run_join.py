"""The order in which `libra run` joins shards; tests/cases/run/slurm joins real ones."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from random import Random

import pytest

from libra_cli.exits import Exit, Fatal
from libra_cli.records.stage_names import adapter_of, asking_adapter
from libra_cli.stages.run.join import ShardRows, join
from libra_cli.stream.fingerprint import InputFingerprint
from libra_cli.stream.options import Shard
from libra_cli.stream.rows import Row

PROBLEMS = [{"id": f"p{number}", "question": "1+1?"} for number in range(9)]
RESPONSES = [
    {**problem, "model": model, "sample": sample}
    for model in ("one", "two") for problem in PROBLEMS for sample in range(2)
]  # fmt: skip


def lines(rows: list[dict]) -> list[bytes]:
    return [json.dumps(row).encode() + b"\n" for row in rows]


def in_shards(folder: Path, rows: list[dict], count: int = 3) -> list[str]:
    """Writes each row to its shard."""
    shards = [Shard(f"{index}/{count}") for index in range(count)]
    paths = [folder / f"{index}.jsonl" for index in range(count)]
    for shard, path in zip(shards, paths, strict=True):
        path.write_bytes(b"".join(lines([row for row in rows if shard.has(row["id"])])))
    return [str(path) for path in paths]


def joined(folder: Path, stage: str, inputs: list[dict], shards: list[str]) -> bytes:
    (folder / "in.jsonl").write_bytes(b"no row\n" + b"".join(lines(inputs)))
    return b"".join(ShardRows(shards, stage).in_order([str(folder / "in.jsonl")]))


def test_samples_of_several_models_are_in_the_order_of_one_run(tmp_path):
    """Also where a shard was stopped, and so has rows in another order."""
    whole = b"".join(lines(RESPONSES))
    assert joined(tmp_path, "rollout", PROBLEMS, in_shards(tmp_path, RESPONSES)) == whole
    mixed = [row for row in RESPONSES if row["model"] == "one"]
    Random(1).shuffle(mixed)
    shards = in_shards(tmp_path, [*mixed, *RESPONSES[len(mixed) :]])
    assert joined(tmp_path, "rollout", PROBLEMS, shards) == whole


@pytest.mark.parametrize("stage", ["judge", "verify"])
def test_judged_rows_follow_the_input_and_equal_rows_stay_apart(tmp_path, stage):
    inputs = [*RESPONSES, *RESPONSES[3:9]]
    made = [{**row, "label": number} for number, row in enumerate(inputs) if number % 35]  # two were refused
    if stage == "judge":
        made = [{**row, "judge": judge, "probe": probe} for judge in "AB" for row in made for probe in ("x", "y")]
    assert joined(tmp_path, stage, inputs, in_shards(tmp_path, made)) == b"".join(lines(made))


def test_rows_that_are_not_of_the_input_are_named(tmp_path):
    shards = in_shards(tmp_path, RESPONSES)
    with pytest.raises(
        Fatal, match=r"\.jsonl: holds rows of which the input has none \(the first at byte 0\)"
    ) as caught:
        joined(tmp_path, "rollout", [], shards)
    assert caught.value.status == Exit.USAGE


def manifest(path: str, **changes) -> None:
    """Writes the manifest of a shard."""
    config = {"samples": 2, "shard": f"{Path(path).stem}/3", **changes.pop("config", {})}
    content = {"stage": "rollout", "config": config, "config_sha256": "", "status": "complete", **changes}
    content.setdefault("sha256", hashlib.sha256(Path(path).read_bytes()).hexdigest())
    Path(f"{path}.libra.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"status": "stopped"}, Exit.INCOMPLETE, "1.jsonl: this shard is not complete"),
        ({"config": {"shard": "1/4"}}, Exit.USAGE, "1.jsonl: is not shard 1 of 3"),
        ({"sha256": "0"}, Exit.USAGE, "1.jsonl: has changed since libra wrote it"),
        ({"config": {"samples": 3}}, Exit.USAGE, "1.jsonl: was made with other options than .*0.jsonl"),
        ({"input": {"fingerprint": "0"}}, Exit.USAGE, r"1.jsonl: was made from another input than .*0.jsonl"),
        ({"libra": "0.0"}, Exit.USAGE, r"1.jsonl: was made otherwise than .*0.jsonl \(libra\)"),
    ],
)
def test_shards_that_do_not_fit_are_refused(tmp_path, changes, status, message):
    shards = in_shards(tmp_path, RESPONSES)
    for path in shards:
        manifest(path, **(changes if path.endswith("1.jsonl") else {}))
    with pytest.raises(Fatal, match=message) as caught:
        join(str(tmp_path / "out.jsonl"), shards, "rollout", [])
    assert caught.value.status == status
    assert not (tmp_path / "out.jsonl").exists()


def test_the_manifest_of_joined_shards_is_that_of_no_single_shard(tmp_path):
    """It counts the tokens of all; what only some models or shards have is not made up for the others."""
    shards = in_shards(tmp_path, RESPONSES)
    asked = {"one": {"requests": 10, "cost": 0.5}, "two": {"requests": 1, "cost": 2.0}}
    usages = [asked, None, {"one": {"requests": 20, "cost": 0.25}, "two": {"requests": 4}}]
    for path, usage in zip(shards, usages, strict=True):
        own = {"command": ["libra", "rollout", path], "input": {"rows": 9, "own": 3}}
        manifest(path, **own, **({"usage": usage} if usage else {}))
    (tmp_path / "in.jsonl").write_bytes(b"".join(lines(PROBLEMS)))
    join(str(tmp_path / "out.jsonl"), shards, "rollout", [str(tmp_path / "in.jsonl")])
    made = json.loads((tmp_path / "out.jsonl.libra.json").read_bytes())
    assert made["usage"] == {"one": {"requests": 30, "cost": 0.75}, "two": {"requests": 5}}
    assert made.keys().isdisjoint(("command", "input"))


@pytest.mark.parametrize("stage", ["rollout", "judge"])
def test_rows_are_known_in_the_form_that_the_stage_reads(tmp_path, stage):
    """Names that everybody uses, and no id: the row has the same id with libra's names and without."""
    given = [
        {"problem": f"{number}+1?", "answer": "1", "output": "1", "model": "m", "sample": 0} for number in range(9)
    ]

    def note(*_, **__):
        pass

    adapt = asking_adapter(note, None) if stage == "rollout" else adapter_of(stage, note)
    assert adapt is not None
    forms = [adapt(Row(row, line[:-1], "", 0)) for row, line in zip(given, lines(given), strict=True)]
    made = [{"id": form.id, **form.fields, "model": "m", "judge": "J", "sample": 0} for form in forms]
    shards = in_shards(tmp_path, made)
    assert joined(tmp_path, stage, given, shards) == b"".join(lines(made))


def test_rows_that_came_after_all_shards_were_made_are_not_left_out(tmp_path):
    shards = in_shards(tmp_path, RESPONSES)
    old, path = InputFingerprint(), tmp_path / "in.jsonl"
    for line in lines(PROBLEMS):
        old.add(line[:-1], own=True)
    for shard in shards:
        manifest(shard, input=old.tally())
    path.write_bytes(b"".join(lines([*PROBLEMS, {"id": "new"}])))
    with pytest.raises(Fatal, match=r"in.jsonl: is not what the shards were made from; libra run --submit makes"):
        join(str(tmp_path / "out.jsonl"), shards, "rollout", [str(path)])
    assert not (tmp_path / "out.jsonl").exists()
    path.write_bytes(b"\n".join(lines(PROBLEMS)))  # blank lines are none
    join(str(tmp_path / "out.jsonl"), shards, "rollout", [str(path)])
    assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == len(RESPONSES)
