"""A row with any value of the wrong type is refused with its line, or has a meaning; no stage breaks on it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, product
from pathlib import Path
from typing import Any

import forked
import pytest
import thinned
from crafted_rows import READ, SCORED, VERIFIED, crafted, judged

from libra_cli.exits import Exit, Fatal
from libra_cli.records.row_types import check_types
from libra_cli.reports import page
from libra_cli.reports.outputs import as_json
from libra_cli.stages.score.reading import ScoreConfig
from libra_cli.stages.score.run import score
from libra_cli.stream.rows import RowError


def others(kind: str) -> list[dict[str, Any]]:
    """Two rows of a kind about other problems, which nobody has touched."""
    rows = []
    for number in (10, 11):
        name = f"tied:{number}" if kind == "rewardbench2" else f"q{number}"
        row = {**SCORED[kind], "id": name, "index": number}
        row |= {field: f"{number} + 1?" for field in ("question", "prompt", "problem", "bon_uid") if field in row}
        rows.append(row)
    return rows


OF_ALL_ROWS = ("cannot be compared", "has only", "several judge tasks")
"""What is wrong with no single row."""


@contextmanager
def descriptors_closed() -> Iterator[None]:
    """Closes what is opened meanwhile: a run that is refused leaves its input to the end of its process."""
    before = _descriptors()
    try:
        yield
    finally:
        for number in _descriptors() - before:
            os.close(number)


def _descriptors() -> set[int]:
    listed = os.listdir("/proc/self/fd")  # among them that of the listing itself, which is closed by now
    return {int(name) for name in listed if os.path.lexists(f"/proc/self/fd/{name}")}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", SCORED)
def test_score_takes_a_crafted_row_or_names_its_line(kind, every, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before, after = others(kind)
    config = ScoreConfig(kind=kind, examples=True, resamples=0)
    counted = refused = 0
    for name, row in [("as it is", SCORED[kind]), *islice(crafted(SCORED[kind]), None, None, every)]:
        Path("x.jsonl").write_text("".join(json.dumps(each) + "\n" for each in (before, row, after)))
        try:
            with descriptors_closed():
                scored = score(("x.jsonl",), config, lambda _: None)
        except Fatal as fatal:
            error = fatal
            refused += 1
        else:
            json.loads(as_json(scored))
            page.render(scored)
            assert sum(report["n"] for report in scored["reports"]) >= (2 if kind != "rewardmath" else 0), name
            counted += 1
            continue
        assert error.status == Exit.USAGE, name
        is_named = str(error).startswith(("x.jsonl:2: ", "x.jsonl:3: "))
        assert is_named or any(of_all in str(error) for of_all in OF_ALL_ROWS), (name, str(error))
        assert "unhashable" not in str(error), name
    assert min(counted, refused) > 50 // every


WORDS = {
    "verify": ["verify", "-j", "1", "KIND"],
    "labels": ["verify", "--labels", "KIND", "good.jsonl"],
    "review": ["review", "--only", "all", "--html", "page.html", "KIND"],
    "balance": ["balance", "KIND"],
    "judge": ["judge", "--engine", "replay", "--replay", "recording.jsonl", "KIND"],
    "rs-filter": ["rs-filter", "--thinking", "any", "KIND"],
    "mix": ["mix", "KIND", "good.jsonl", "--duplicates-by", "content"],
    "collect": ["collect", "KIND"],
}
"""A run of each stage; KIND is the file with crafted rows of one kind."""
PARTS = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("crafted")
    good = [{**VERIFIED, "id": f"g{n}", "question": f"What is {n} + {n}?", "label": n % 2} for n in range(4)]
    recorded = [{**row, **judged("score", {"outcome": 3})} for row in good]
    for name, rows in {"good": good, "recording": recorded}.items():
        (made / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for part, (kind, row) in product(range(PARTS), READ.items()):
        rows = [*good[:2], *(bad for _, bad in thinned.part_of(crafted(row), part, PARTS)), *good[2:]]
        (made / f"{kind}.{part}.rows").write_text("".join(json.dumps(each) + "\n" for each in rows))
    return made


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", thinned.parts(PARTS))
@pytest.mark.parametrize("stage", WORDS)
def test_a_stage_takes_or_refuses_each_crafted_row(stage, part, folder):
    for kind in READ:
        ended = forked.libra([word.replace("KIND", f"{kind}.{part}.rows") for word in WORDS[stage]], folder)
        assert ended.status in ((0, 3) if stage != "labels" else (2,)), (kind, ended.err[-500:])
        if stage == "labels":
            assert re.search(rb"^libra verify: \S*\.rows:\d+: ", ended.err, re.MULTILINE), (kind, ended.err[-500:])
            continue
        n_rows = len((folder / f"{kind}.{part}.rows").read_text().splitlines()) + 4 * (stage == "mix")
        if stage != "review":
            assert f"{n_rows} in = ".encode() in ended.err.replace(b",", b""), (kind, ended.err[-500:])
        if stage in ("verify", "judge", "mix"):
            ids = [json.loads(line).get("id") for line in ended.out.splitlines()]
            assert all(name in ids for name in ("g0", "g1", "g2", "g3")), kind


RECORDINGS = [
    ({"judgments": [[], {"outcome": 3, "vote": 0, "text": "x"}]}, '"judgments" is not a list of objects'),
    ({"judgments": "3"}, '"judgments" is not a list of objects'),
    ({"judgments": [{"outcome": 3, "vote": [], "text": "x"}]}, 'a judgment has a "vote" that is not text'),
    ({"judgments": [{"outcome": 3, "vote": 0, "text": ["x"]}]}, 'a judgment has a "text" that is not text'),
    (
        {"judgments": [{"outcome": 3, "vote": 0, "n_tokens": 10**400}]},
        'a judgment has a "n_tokens" that is not a number',
    ),
    ({"judge": ["j"]}, '"judge" is not text or a number'),
    ({"sample": {}}, '"sample" is not text or a number'),
]


@pytest.mark.parametrize(("changed", "complaint"), RECORDINGS)
def test_a_crafted_line_of_a_recording_is_the_error_of_its_row(changed, complaint, folder):
    recorded = [json.loads(line) for line in (folder / "recording.jsonl").read_text().splitlines()]
    recorded[1] |= changed
    (folder / "bad.jsonl").write_text("".join(json.dumps(row) + "\n" for row in recorded))
    judge = ["judge", "--engine", "replay", "good.jsonl", "--replay"]
    ended, whole = forked.libra([*judge, "bad.jsonl"], folder), forked.libra([*judge, "recording.jsonl"], folder)
    assert ended.status == 3
    assert [row for row in whole.out.splitlines() if row not in ended.out.splitlines()] == [whole.out.splitlines()[1]]
    assert "good.jsonl:2: the recording has no sample 0 of j for this row" in ended.err.decode()
    assert f"(bad.jsonl:2: {complaint}" in ended.err.decode()


def test_correlate_refuses_what_no_double_holds(folder):
    rows = [{"judge": f"j{n}", "accuracy": 0.5, "pass@1": n} for n in (1, 2, 10**400)]
    (folder / "points.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ended = forked.libra(["score", "correlate", "points.jsonl"], folder)
    assert (ended.status, ended.out) == (2, b"")
    assert b'points.jsonl:3: no number "pass@1"' in ended.err


@pytest.mark.parametrize("kind", READ)
def test_the_door_lets_honest_rows_through(kind):
    check_types(READ[kind])


@pytest.mark.parametrize(
    "fields",
    [
        {"score": 10**300, "scores": [1, None, [2.5], -(10**300)], "score_chosen": [[1.0]], "score_rejected": None},
        {"score": ["A", "B"], "judgments": [{"judgment": {"x": [1]}, "decision": "A>B"}, {"scores": [[1], [2]]}]},
        {"judge_task": "best", "judgments": [{"outcome": 2, "order": [1, 0]}, {"outcome": None, "reason": "hedged"}]},
        {"judge_task": "score", "judgments": None, "gates": None, "verification": None, "subset": 5, "sample": None},
        {"verification": {"by": None, "votes": None}, "prediction": "A=B", "label": True},
    ],
)
def test_the_door_lets_published_forms_through(fields):
    check_types(fields)


@pytest.mark.parametrize("name", ["model", "judge", "score", "scores", "gates", "judgments", "verification", "label"])
def test_the_door_names_the_field(name):
    with pytest.raises(RowError, match=f'^"{name}" is not .*; mend the row, or leave it out$'):
        check_types({name: {"a": 1} if name != "verification" else []})


COLUMNS = ("0", "1", "-5", "abc", "", "١٢", "9" * 30, "80")


@pytest.mark.parametrize(
    ("columns", "term"), thinned.every(6, [(columns, term) for columns in COLUMNS for term in ("dumb", "xterm")])
)
def test_a_table_has_its_figures_whatever_the_environment_says(columns, term, folder):
    env = {"COLUMNS": columns, "TERM": term}
    (folder / "scored.jsonl").write_text("".join(json.dumps(row) + "\n" for row in others("pointwise")))
    for words in (["score", "scored.jsonl"], ["score", "--help"], ["mix", "good.jsonl"], ["doctor"]):
        ended = forked.libra(words, folder, env=env)
        assert ended.status == 0, ended.err
        assert b"\x1b" not in ended.out
        assert len(ended.out) > 300
    shown = forked.libra(["score", "scored.jsonl"], folder, env=env).out.decode()
    assert "accuracy" in shown
    assert "0.0% of the " in shown
    assert max(map(len, shown.splitlines())) <= 1000
