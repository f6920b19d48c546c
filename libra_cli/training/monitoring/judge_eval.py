"""Accuracy of the model in training as a judge, measured on a benchmark by `libra judge` and `libra score`."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from libra_cli.plural import counted
from libra_cli.stream.console import Console
from libra_cli.stream.module_path import libra_command
from libra_cli.stream.rows import content_hash, parse
from libra_cli.stream.signals import StopRequest, kill_descendants
from libra_cli.training.distributed.deepspeed_engine import TrainEngine
from libra_cli.training.model.export import Export
from libra_cli.training.run_dir import file_stamps

_POLL_SECONDS = 0.5
_RANK_VARIABLES = (
    "RANK",
    "WORLD_SIZE",
    "LOCAL_RANK",
    "LOCAL_WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
    "LIBRA_MEETING",
)
"""Withheld from the judge, whose engine must not take itself for one of our ranks."""

_SHOWN = 10
"""Refused rows that are named."""


class BenchmarkScore(NamedTuple):
    """What a benchmark says of a model."""

    figures: dict[str, float | int | str | None]
    refused: str = ""
    """Identifies the rows that were refused, and so are in no figure; empty if there are none."""


class JudgeEval:
    """Judges `benchmark` (files of labelled rows) with the current model; `options` are more options of the judge."""

    def __init__(
        self, folder: Path, benchmark: Sequence[str], options: str, export: Export, console: Console, stop: StopRequest
    ):
        self._folder, self._benchmark, self._options = folder, benchmark, shlex.split(options)
        self._export, self._console, self._stop = export, console, stop
        given = [Path(after) for word, after in pairwise(self._options) if word == "--errors"]
        given += [Path(word[len("--errors=") :]) for word in self._options if word.startswith("--errors=")]
        self._errors = given[-1] if given else folder / "refused.jsonl"
        self._told = ""
        """The refused rows that were named last."""
        self.key = json.dumps([file_stamps(benchmark), options])
        """Identifies the benchmark."""

    def score(self, engine: TrainEngine) -> BenchmarkScore:
        """Accuracy with its 95 % interval, rows, refused rows, and unreadable verdicts; all ranks call it.

        If judging fails, or no verdict can be read, accuracy is None and `reason` says why: a benchmark never ends a
        training run.
        """
        self._export.write(self._folder, engine)
        score = self._judge_and_score() if self._export.world.is_rank0 else BenchmarkScore({})
        return self._export.world.broadcast(score)

    def _judge_and_score(self) -> BenchmarkScore:
        judged, errors = self._folder / "judged.jsonl", self._errors
        judge = ["judge", "--model", str(self._folder), "--judge-name", "trained", "--overwrite", "-o", str(judged)]
        failure = self._run([*judge, *self._options, "--errors", str(errors), *self._benchmark])[1]
        # The rows of a judge that was stopped are told of when the run continues, and judges all.
        n_refused, refused = (0, "") if self._stop.status is not None else self._tell_refused(errors)
        if failure is None and judged.is_file() and not judged.stat().st_size:
            failure = "no row of the benchmark is left to judge" if n_refused else "the benchmark has no rows"
        if failure is None:
            out, failure = self._run(["score", "--json", str(judged)])
        if failure is not None:
            if self._stop.status is not None:
                failure = "interrupted; it is scored when the run continues"
            self._console.say(f"the benchmark was not scored: {failure}")
            return BenchmarkScore({"accuracy": None, "refused": n_refused, "reason": failure}, refused)
        report = json.loads(out)
        low, high = report.get("interval") or (None, None)
        figures = {
            "accuracy": report["overall"],
            "low": low,
            "high": high,
            "n": report["n"],
            "refused": n_refused,
            "unread": report["n_null"],
        }
        if figures["accuracy"] is None:
            figures["reason"] = f"none of the {report['n_null']} verdicts could be read"
            self._console.say(f"the benchmark has no accuracy: {figures['reason']}")
        return BenchmarkScore(figures, refused)

    def _tell_refused(self, errors: Path) -> tuple[int, str]:
        """How many rows the judge has refused, and a hash of which; says of each why, unless it has said so before."""
        entries = [parse(line) for line in errors.read_bytes().splitlines()] if errors.is_file() else []
        refused = content_hash(sorted(entry["place"] for entry in entries)) if entries else ""
        if entries and refused != self._told:
            for entry in entries[:_SHOWN]:
                self._console.say(f"{entry['place']}: {entry['reason']}", event="error", kind=entry["class"])
            more = f" ({_SHOWN} of them are named here)" if len(entries) > _SHOWN else ""
            what = f"{counted(len(entries), 'row')} of the benchmark {'is' if len(entries) == 1 else 'are'} refused"
            self._console.say(f"{what}{more}, and no part of its accuracy", event="refused", n=len(entries))
        self._told = refused
        return len(entries), refused

    def _run(self, command: list[str]) -> tuple[str, str | None]:
        """Standard output of a stage, and why it failed if it did: its last message, or the signal that killed it."""
        environment = {name: value for name, value in os.environ.items() if name not in _RANK_VARIABLES}
        process = subprocess.Popen(
            libra_command(*command),
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        while True:
            try:
                out, errors = process.communicate(timeout=_POLL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                if self._stop.status is not None:  # the run is asked to stop, and has a checkpoint to write
                    kill_descendants(process.pid)
                    process.kill()
        if process.returncode < 0:
            return out, f"libra {command[0]} was killed (signal {-process.returncode})"
        message = errors.strip().split("\n")[-1] or f"libra {command[0]} ended with status {process.returncode}"
        return out, None if process.returncode in (0, 3) else message
