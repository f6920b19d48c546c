"""Every option that takes a number: a value is taken with a meaning, or refused with status 2."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import click
import forked
import pytest
import thinned

from libra_cli.cli.numbers import LARGEST, NumberType
from libra_cli.main import STAGES, cli

NASTY = ("nan", "inf", "-inf", "1e400", "-1", "0", "1e-400", "", "0x10", "１２", str(10**30), "9" * 5000, "1e300", "٣")
"""What no option takes without thinking."""
NEVER = ("nan", "inf", "-inf", "1e400", "0x10", "１２", "9" * 5000, "٣")
"""What no option takes at all."""
NUMBERS_IN_TEXT = {
    ("score", "threshold"), ("score", "at"), ("balance", "per_cell"), ("rs-filter", "pass_rate"),
    *((stage, "shard") for stage in STAGES),
}  # fmt: skip
"""Options whose text holds numbers, besides those that are one."""
LABELLED = [
    {
        "id": f"p{n % 4}", "question": f"What is {n % 4} + 1?", "reference": str(n % 4 + 1), "subset": "s",
        "model": "m", "sample": n // 4, "response": f"so \\boxed{{{n % 4 + n // 4}}}",
        "response_with_cot": f"<think>hm {n}</think>so \\boxed{{{n % 4 + n // 4}}}", "n_tokens": 9, "label": n // 4,
        "score": n / 2, "accuracy": n / 8, "pass@1": n / 9,
    }
    for n in range(8)
]  # fmt: skip
MODEL = ["--engine", "replay", "--replay", "replay.jsonl"]
WORDS: dict[str, list[str]] = {
    "collect": ["rows.jsonl", "--decontaminate", "other.jsonl"],
    "rollout": [*MODEL, "problems.jsonl"],
    "verify": ["rows.jsonl", "-j", "1"],
    "review": ["rows.jsonl", "--html", "page.html", "--only", "all"],
    "balance": ["rows.jsonl"],
    "trace": ["p0", "rows.jsonl"],
    "merge": ["rows.jsonl", "--no-check"],
    "judge": ["--engine", "replay", "--replay", "judged.jsonl", "rows.jsonl"],
    "score": ["rows.jsonl", "--as", "pointwise"],
    "score correlate": ["rows.jsonl"],
    "rs-filter": ["rows.jsonl", "--task", "reason", "--per-prompt", "2"],
    "mix": ["rows.jsonl"],
    "dpo-pairs": ["rows.jsonl", "--by", "label"],
    "sft": ["--model", "libra-mini/weak", "-o", "model", "--print-config", "messages.jsonl"],
    "train-rm": ["--model", "libra-mini/weak", "-o", "model", "--print-config", "messages.jsonl"],
    "dpo": ["--model", "libra-mini/weak", "-o", "model", "--print-config", "messages.jsonl"],
    "grpo": ["--model", "libra-mini/weak", "-o", "model", "--print-config", "messages.jsonl"],
    "report": ["rows.jsonl"],
    "schema": [],
    "models": [],
    "doctor": [],
    "run": ["--dry-run", "-o", "steps", "pipe.yaml"],
    "show": ["rows.jsonl"],
}


def numeric() -> dict[str, list[click.Option]]:
    """The options of each stage that take a number; one that several stages share is asked at the first of them."""
    context = cli.make_context("libra", [], resilient_parsing=True)
    seen: set[tuple[str | None, str | None]] = set()
    found: dict[str, list[click.Option]] = {}
    for stage in STAGES:
        command = cli.get_command(context, stage)
        assert command is not None
        for param in command.params:
            kinds = (param.type, *getattr(param.type, "types", ()))
            is_number = (stage, param.name) in NUMBERS_IN_TEXT or any(isinstance(kind, NumberType) for kind in kinds)
            if isinstance(param, click.Option) and is_number and (param.name, param.help) not in seen:
                seen.add((param.name, param.help))
                found.setdefault(stage, []).append(param)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("numbers")
    judgments = [{"outcome": 3, "vote": 0, "text": "[[score=3]]"}]
    turns = [{"role": "user", "content": "1 + 1?"}, {"role": "assistant", "content": "2"}]
    files = {
        "rows": LABELLED,
        "other": [{"question": "Something else altogether?"}],
        "problems": [{"id": row["id"], "question": row["question"]} for row in LABELLED[:4]],
        "replay": LABELLED,
        "judged": [{**row, "judge": "j", "judge_task": "score", "judgments": judgments} for row in LABELLED],
        "messages": [{"messages": turns}],
    }
    for name, rows in files.items():
        (made / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (made / "pipe.yaml").write_text("steps: {mixed: {stage: mix, inputs: rows.jsonl}}\n")
    return made


def test_every_stage_is_asked():
    assert WORDS.keys() == STAGES.keys()


def test_no_option_has_a_number_of_another_type():
    for stage in STAGES:
        command = cli.get_command(cli.make_context("libra", [], resilient_parsing=True), stage)
        for param in command.params if command else ():
            kinds = (param.type, *getattr(param.type, "types", ()))
            assert not any(isinstance(kind, (click.types.IntParamType, click.types.FloatParamType)) for kind in kinds)


PARTS = 6


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", thinned.parts(PARTS))
@pytest.mark.parametrize("stage", numeric())
def test_a_number_is_taken_with_a_meaning_or_refused(stage, part, folder):
    words = [*stage.split(), *WORDS[stage]]
    plain = forked.libra(words, folder)
    assert plain.status in (0, 3), plain.err
    for option, value in thinned.part_of(product(numeric()[stage], NASTY), part, PARTS):
        name = max(option.opts, key=len)
        ended = forked.libra([*words, f"{name}={value}", *[value] * (option.nargs - 1)], folder)
        assert ended.status in (0, 2, 3, 7), (name, value, ended)
        assert b"Traceback" not in ended.err, (name, value, ended)
        if value in NEVER:
            assert ended.status == 2, (name, value, ended)
        if ended.status == 2:
            assert ended.err.count(b"\n") == 1, (name, value, ended)
            assert len(ended.err) < 500 + len(value), (name, value, ended)


@pytest.mark.parametrize(
    ("kind", "value", "number"),
    [
        (NumberType(int), "7", 7),
        (NumberType(int), "-7", -7),
        (NumberType(int), " 1_000 ", 1000),
        (NumberType(int), str(LARGEST), LARGEST),
        (NumberType(float), "7", 7.0),
        (NumberType(float), "1e-300", 1e-300),
        (NumberType(float), "0.0e5", 0.0),
        (NumberType(float), "-0", 0.0),
        (NumberType(float, 0, 1), "1", 1.0),
        (NumberType(float, 0, 1), 1, 1.0),
    ],
)
def test_a_number_is_read(kind, value, number):
    found = kind.convert(value, None, None)
    assert (found, type(found)) == (number, kind.kind)


@pytest.mark.parametrize(
    ("kind", "value", "complaint"),
    [
        (NumberType(int), True, "True is not a whole number"),
        (NumberType(int), 1.0, "1.0 is not a whole number"),
        (NumberType(int), "1.0", "'1.0' is not a whole number"),
        (NumberType(int), str(LARGEST + 1), "9223372036854775808 is not in the range"),
        (NumberType(float), "nan", "'nan' is not a finite number"),
        (NumberType(float), 10**400, "'1000"),
        (NumberType(float), "1e-400", "'1e-400' is too close to zero"),
        (NumberType(float), "0.0000001e-400", "'0.0000001e-400' is too close to zero"),
        (NumberType(float, 0, low_open=True), "0", "0 is not in the range x>0"),
        (NumberType(float, 0, 1, low_open=True), "0", "0 is not in the range 0<x<=1"),
        (NumberType(float, high=1, high_open=True), "1", "1 is not in the range x<1"),
        (NumberType(float), ["1"], "['1'] is not a number"),
        (NumberType(float), "１", "'１' is not a number"),
    ],
)
def test_what_is_no_number_is_refused(kind, value, complaint):
    with pytest.raises(click.BadParameter) as refused:
        kind.convert(value, None, None)
    assert refused.value.message.startswith(complaint)
    assert len(refused.value.message) < 200
