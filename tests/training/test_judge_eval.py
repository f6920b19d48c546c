"""The benchmark that a model in training judges: refused rows are named and counted."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from libra_cli.stream.console import Console
from libra_cli.stream.signals import StopRequest
from libra_cli.training.monitoring.judge_eval import JudgeEval


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_refused_rows_are_named_once_and_counted(tmp_path: Path, capfd: Any) -> None:
    rows = [{"id": f"r{n}", "question": f"{n}+1?", "response": f"{n + 1}", "label": 1} for n in range(3)]
    bench = write(tmp_path / "bench.jsonl", *rows, {"id": "r3", "question": "3+1?", "label": 1})
    vote = {"model": str(tmp_path / "scored"), "sample": 0, "text": "[[score=4]]"}
    recorded = write(tmp_path / "recorded.jsonl", *({"id": f"r{n}", **vote} for n in (1, 2)))
    world = SimpleNamespace(is_rank0=True, broadcast=lambda value: value)
    export: Any = SimpleNamespace(world=world, write=lambda folder, _engine: folder.mkdir(exist_ok=True))
    options = f"--engine replay --replay {recorded} --task score"
    with StopRequest("sft", 1, 1) as stop:
        judge = JudgeEval(tmp_path / "scored", [str(bench)], options, export, Console("sft"), stop)
        figures, refused = judge.score(None)  # type: ignore[arg-type]
    assert (figures["n"], figures["refused"], figures["accuracy"]) == (2, 2, 1.0)
    assert judge._tell_refused(tmp_path / "scored" / "refused.jsonl") == (2, refused)
    told = capfd.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in told[:2]] == [f"{bench}:1", f"{bench}:4"]
    assert told[2:] == ["libra sft: 2 rows of the benchmark are refused, and no part of its accuracy"]
