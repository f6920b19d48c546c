"""The benchmark that a model in training judges: refused rows are named and counted."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from libra_cli.exits import Exit
from libra_cli.stream.console import Console
from libra_cli.stream.signals import StopRequest
from libra_cli.training.monitoring import judge_eval as judge_eval_module
from libra_cli.training.monitoring.judge_eval import JudgeEval


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def judge_eval(folder: Path, bench: Path, options: str, stop: StopRequest) -> JudgeEval:
    """The benchmark of a run whose folder is `folder`; its model writes nothing."""
    world = SimpleNamespace(is_rank0=True, broadcast=lambda value: value)
    export: Any = SimpleNamespace(world=world, write=lambda folder, _engine: folder.mkdir(exist_ok=True))
    return JudgeEval(folder / "scored", [str(bench)], options, export, Console("sft"), stop)


def test_refused_rows_are_named_once_and_counted(tmp_path: Path, capfd: Any) -> None:
    rows = [{"id": f"r{n}", "question": f"{n}+1?", "response": f"{n + 1}", "label": 1} for n in range(3)]
    bench = write(tmp_path / "bench.jsonl", *rows, {"id": "r3", "question": "3+1?", "label": 1})
    vote = {"model": str(tmp_path / "scored"), "sample": 0, "text": "[[score=4]]"}
    recorded = write(tmp_path / "recorded.jsonl", *({"id": f"r{n}", **vote} for n in (1, 2)))
    options = f"--engine replay --replay {recorded} --task score"
    with StopRequest("sft", 1, 1) as stop:
        judge = judge_eval(tmp_path, bench, options, stop)
        figures, refused = judge.score(None)  # type: ignore[arg-type]
    assert (figures["n"], figures["refused"], figures["accuracy"]) == (2, 2, 1.0)
    assert judge._tell_refused(tmp_path / "scored" / "refused.jsonl") == (2, refused)
    told = capfd.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in told[:2]] == [f"{bench}:1", f"{bench}:4"]
    assert told[2:] == ["libra sft: 2 rows of the benchmark are refused, and no part of its accuracy"]


@pytest.mark.parametrize(
    ("rows", "n_refused", "reason"),
    [([{"id": "r0", "question": "1?", "label": 1}], 1, "no row of the benchmark is left to judge"),
     ([], 0, "the benchmark has no rows")],
)  # fmt: skip
def test_a_benchmark_without_rows_to_judge_says_so(
    tmp_path: Path, capfd: Any, rows: list[Any], n_refused: int, reason: str
) -> None:
    bench = write(tmp_path / "bench.jsonl", *rows)
    recorded = write(tmp_path / "recorded.jsonl", {"id": "r", "text": "1"})
    with StopRequest("sft", 1, 1) as stop:
        judge = judge_eval(tmp_path, bench, f"--replay {recorded} --task score", stop)
        figures, _ = judge.score(None)  # type: ignore[arg-type]
    assert figures == {"accuracy": None, "refused": n_refused, "reason": reason}
    assert capfd.readouterr().err.splitlines()[-1] == f"libra sft: the benchmark was not scored: {reason}"


@pytest.mark.parametrize("asked", [True, False])
def test_a_judge_that_the_run_stops_is_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any, asked: bool
) -> None:
    """A stage that works for ever, which the run kills where it is asked to stop, and else is killed by the system."""
    (tmp_path / "judge").write_text(f"#!/bin/sh\necho engine >&2\n{'exec sleep 60' if asked else 'kill -KILL $$'}\n")
    monkeypatch.setattr(judge_eval_module, "libra_command", lambda *_: ["/bin/sh", str(tmp_path / "judge")])
    with StopRequest("sft", 1, 1) as stop:
        stop.status = Exit.STOPPED if asked else None
        judge = judge_eval(tmp_path, write(tmp_path / "bench.jsonl"), "", stop)
        figures, _ = judge.score(None)  # type: ignore[arg-type]
    reason = "interrupted; it is scored when the run continues" if asked else "libra judge was killed (signal 9)"
    assert figures["reason"] == reason
    assert capfd.readouterr().err == f"libra sft: the benchmark was not scored: {reason}\n"
