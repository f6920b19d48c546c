"""The report of all seeds: a table of accuracies and differences with intervals, the curves, and what each arm cost.

`python report.py OUT SEED...` reads the runs of `make` and writes OUT/report.json and OUT/report.md.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

ARMS = {"reinforced": "grpo", "continued": "more sft", "zero": "rl-zero"}
"""Folder of an arm, and the name of its judge."""
PAIRS = (("grpo", "early"), ("more sft", "early"), ("grpo", "more sft"), ("rl-zero", "start"), ("grpo", "rl-zero"))
T_95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
"""97.5 % quantile of Student's t for that many seeds."""


def events(log: Path, kind: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    return [row for row in rows if row["event"] == kind]


def over_seeds(values: list[float]) -> dict[str, Any]:
    """Mean of a figure over seeds, and the interval of Student's t, in points."""
    mean = statistics.fmean(values)
    if len(values) not in T_95:
        return {"seeds": values, "mean": mean, "interval_of_seeds": None}
    half = T_95[len(values)] * statistics.stdev(values) / math.sqrt(len(values))
    return {"seeds": values, "mean": mean, "interval_of_seeds": [mean - half, mean + half]}


def accuracies(scores: Path) -> dict[str, float]:
    """Accuracy of each judge in %, from the JSON of `libra score`."""
    reports = json.loads(scores.read_text())["reports"]
    return {report["judge"]: 100 * report["overall"] for report in reports}


def cost(folder: Path) -> dict[str, Any]:
    """What the training of an arm took; its CPU-seconds are those of all attempts in its log, where that has them."""
    log = folder / "events.jsonl"
    said = [line for path in folder.parent.glob(f"logs/{folder.name}.log") for line in path.read_text().splitlines()]
    used = [json.loads(line)["cpu_seconds"] for line in said if line.startswith('{"event":"ended"')]
    seconds = sum(used) if used and None not in used else None
    return {
        "steps": len(events(log, "step")),
        "cpu_seconds": None if seconds is None else round(seconds, 1),
        "trained_tokens": sum(row["tokens"] for row in events(log, "step")),
        "sampled_tokens": sum(row["tokens"] for row in events(log, "rollout")),
    }


def difference(scores: dict[str, Any], a: str, b: str, seeds: list[dict[str, float]]) -> dict[str, Any]:
    """a - b in points: over the seeds, and pooled with the interval of a bootstrap over problems."""
    for pair in scores["comparisons"]:
        if {pair["a"], pair["b"]} == {a, b}:
            sign = 1 if pair["a"] == a else -1
            ends = sorted(100 * sign * end for end in pair["interval"])
            return {"a": a, "b": b, **over_seeds([each[a] - each[b] for each in seeds]), "interval_of_problems": ends}
    raise SystemExit(f"libra score did not compare {a} with {b}")


def curve(folder: Path) -> list[list[float]]:
    """Share of the steps of an arm, and accuracy in % on the held-out rows."""
    points = [(row["step"], 100 * row["accuracy"]) for row in events(folder / "events.jsonl", "score")]
    return [[step / points[-1][0], accuracy] for step, accuracy in points]


def ends(interval: list[float] | None) -> str:
    return "" if interval is None else f"[{interval[0]:+.1f}, {interval[1]:+.1f}]"


def accuracy_tables(report: dict[str, Any]) -> list[str]:
    names = [f"seed {seed}" for seed in report["seeds"]]
    lines = [f"| judge | {' | '.join(names)} | mean |", "|---" * (len(names) + 2) + "|"]
    for judge, values in report["accuracy"].items():
        lines.append(f"| {judge} | {' | '.join(f'{v:.1f}' for v in values['seeds'])} | {values['mean']:.1f} |")
    lines += ["", f"| a - b | {' | '.join(names)} | mean | over problems | over seeds |"]
    lines.append("|---" * (len(names) + 4) + "|")
    for each in report["differences"]:
        values = " | ".join(f"{value:+.1f}" for value in each["seeds"])
        both = f"{ends(each['interval_of_problems'])} | {ends(each['interval_of_seeds'])}"
        lines.append(f"| {each['a']} - {each['b']} | {values} | {each['mean']:+.1f} | {both} |")
    return lines


def early_table(report: dict[str, Any]) -> list[str]:
    """When each early judge was stopped, and by what accuracy."""
    lines = ["| early judge of seed | steps | accuracy on the held-out pairs |", "|---|---|---|"]
    stops = zip(report["seeds"], report["early_steps"], report["early_held_out"], strict=True)
    return [*lines, *(f"| {seed} | {steps} | {accuracy:.1f} |" for seed, steps, accuracy in stops)]


def arm_table(report: dict[str, Any]) -> list[str]:
    lines = ["| arm | seed | steps | CPU-seconds | trained tokens | sampled tokens | accuracy on the held-out rows |"]
    lines.append("|---" * 7 + "|")
    for arm, runs in report["arms"].items():
        for seed, run in zip(report["seeds"], runs, strict=True):
            curve_ = " ".join(f"{accuracy:.1f}" for _, accuracy in run["curve"])
            seconds = "-" if run["cpu_seconds"] is None else f"{run['cpu_seconds']:.0f}"
            counts = f"{run['steps']} | {seconds} | {run['trained_tokens']:,} | {run['sampled_tokens']:,}"
            lines.append(f"| {arm} | {seed} | {counts} | {curve_} |")
    return lines


def main() -> None:
    out, names = Path(sys.argv[1]), sys.argv[2:]
    scores, seeds = json.loads((out / "scores.json").read_text()), [accuracies(out / f"scores-{n}.json") for n in names]
    early = [out / f"early-{name}" for name in names]
    report: dict[str, Any] = {
        "seeds": [int(name) for name in names],
        "early_steps": [len(events(folder / "events.jsonl", "step")) for folder in early],
        "early_held_out": [curve(folder)[-1][1] for folder in early],
        "accuracy": {judge: over_seeds([each[judge] for each in seeds]) for judge in seeds[0]},
        "differences": [difference(scores, a, b, seeds) for a, b in PAIRS],
        "arms": {
            judge: [{**cost(folder), "curve": curve(folder)} for folder in (out / f"{arm}-{name}" for name in names)]
            for arm, judge in ARMS.items()
        },
    }
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    text = "\n".join([*accuracy_tables(report), "", *early_table(report), "", *arm_table(report)]) + "\n"
    (out / "report.md").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
