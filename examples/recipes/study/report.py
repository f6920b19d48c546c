"""The figures, answers and page of the study, from the files of its steps in the folder OUT.

python report.py points OUT SEED...         # one judge, policy and seed a line, for `libra score correlate`
python report.py report OUT FORM SEED...    # the answers, and OUT/report.json and OUT/report.html
"""

from __future__ import annotations

import json
import math
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from libra_cli.reports import page
from libra_cli.reports.layout import Column, Line, ReportPart, Table

JUDGES = ("base", "direct", "implicit", "scalar", "judge-only", "sft", "sft-long", "sft-rl", "rl-zero")
POLICIES = ("weak", "other")
BEST = "sft-rl"
MARGIN = 5.0
"""Points by which accuracy on another family may be lower and still count as the same."""
Json = dict[str, Any]
Interval = Sequence[float] | None
Figure = tuple[float, Interval, list[float]]
"""A difference in points, its 95 % interval over problems, and the difference of each seed."""


@dataclass(frozen=True)
class Results:
    """What the steps of a seed have written, or without one those that take all seeds together."""

    out: Path
    seed: str = ""

    def read(self, name: str) -> str:
        """The file NAME.ENDING, or NAME-SEED.ENDING."""
        path = self.out / name
        return path.with_stem(f"{path.stem}-{self.seed}" if self.seed else path.stem).read_text()

    def scores(self, part: str) -> Json:
        """What `libra score` says of a part of the benchmark; empty where it has no row."""
        return json.loads(self.read(f"scores-{part}.json"))

    def by_judge(self, part: str) -> dict[str, Json]:
        return {report["judge"]: report for report in self.scores(part).get("reports", ())}

    def pass_at_1(self, policy: str) -> dict[str, float]:
        """Share of right responses to the held-out problems, of each tuned model; an undecided one counts as wrong."""
        labels: dict[str, list[bool]] = {}
        for line in self.read(f"evaluated-{policy}.jsonl").splitlines():
            row = json.loads(line)
            labels.setdefault(row["model"], []).append(row["label"] == 1)
        return {model: statistics.fmean(values) for model, values in labels.items()}

    def pairs(self, policy: str, judge: str) -> int:
        """How many pairs a judge made."""
        return len(self.read(f"pairs-{policy}-{judge}.jsonl").splitlines())


def points(seeds: Sequence[Results]) -> Iterator[Json]:
    for results in seeds:
        accuracy = results.by_judge("bench")
        for policy in POLICIES:
            reached = results.pass_at_1(policy)
            for judge in JUDGES:
                group = f"{policy}, seed {results.seed}"
                yield {"judge": judge, "group": group, "accuracy": accuracy[judge]["overall"], "pass@1": reached[judge]}


def answer(figure: Figure | None) -> str:
    """yes, no or unclear: above 0, below 0, or neither, by the interval and by every seed."""
    if figure is None or figure[1] is None:
        return "unclear"
    _, (low, high), seeds = figure
    if low > 0 and min(seeds) > 0:
        return "yes"
    return "no" if high < 0 and max(seeds) < 0 else "unclear"


def both(one: str, other: str) -> str:
    return "no" if "no" in (one, other) else "yes" if one == other == "yes" else "unclear"


def difference(a: str, b: str, whole: Results, seeds: Sequence[Results]) -> Figure | None:
    """Accuracy of judge a less that of b on the hard split."""
    for pair in whole.scores("hard").get("comparisons", ()):
        if {pair["a"], pair["b"]} == {a, b} and pair["interval"]:
            sign = 100 if pair["a"] == a else -100
            each = [results.by_judge("hard") for results in seeds]
            of_seeds = [100 * (reports[a]["overall"] - reports[b]["overall"]) for reports in each]
            return sign * pair["difference"], sorted(sign * end for end in pair["interval"]), of_seeds
    return None


def apart(values: Sequence[float], intervals: Sequence[Sequence[float]], seeds: list[float]) -> Figure:
    """Difference of two figures of different rows, their half intervals added in quadrature."""
    value = values[0] - values[1]
    half = math.hypot(*((high - low) / 2 for low, high in intervals))
    return 100 * value, (100 * (value - half), 100 * (value + half)), seeds


def harder(whole: Results, seeds: Sequence[Results]) -> Figure | None:
    """Accuracy on right responses less that on wrong ones."""
    names = ("accuracy_correct", "accuracy_incorrect")
    reports = [results.by_judge("hard").get(BEST, {}) for results in (whole, *seeds)]
    if any(report.get(name) is None for report in reports for name in names):
        return None
    of_seeds = [100 * (report[names[0]] - report[names[1]]) for report in reports[1:]]
    return apart([reports[0][name] for name in names], [reports[0]["intervals"][name] for name in names], of_seeds)


def across(whole: Results, seeds: Sequence[Results]) -> Figure | None:
    """Accuracy on the other family less that on the family that the judge learned from."""
    reports = [
        (results.by_judge("other").get(BEST), results.by_judge("bench").get(BEST)) for results in (whole, *seeds)
    ]
    if not all(one and other for one, other in reports):
        return None
    of_seeds = [100 * (one["overall"] - other["overall"]) for one, other in reports[1:] if one and other]
    both_ = [report for report in reports[0] if report]
    return apart([report["overall"] for report in both_], [report["interval"] for report in both_], of_seeds)


def shown(figure: Figure | None, names: str) -> str:
    if figure is None:
        return f"{names}: not measured"
    value, interval, seeds = figure
    ends = f" [{interval[0]:+.1f}, {interval[1]:+.1f}]" if interval else ""
    return f"{names}: {value:+.1f}{ends} points; by seed {' '.join(f'{each:+.1f}' for each in seeds)}"


def findings(whole: Results, seeds: Sequence[Results]) -> list[tuple[str, str, str]]:
    """Each finding of the paper: its words, the answer, and the figures."""

    def plain(words: str, a: str, b: str) -> tuple[str, str, str]:
        figure = difference(a, b, whole, seeds)
        return words, answer(figure), shown(figure, f"{a} - {b}")

    improves, lower = difference("rl-zero", "base", whole, seeds), difference(BEST, "rl-zero", whole, seeds)
    wrong, other = harder(whole, seeds), across(whole, seeds)
    pearson = json.loads(whole.read("correlation.json"))["pearson"]
    ends = pearson["interval"]
    related = "unclear" if not ends else "yes" if ends[0] > 0 else "no" if ends[1] < 0 else "unclear"
    same = "unclear"
    if other and other[1]:
        same = "yes" if other[1][0] > -MARGIN else "no" if other[1][1] < 0 else "unclear"
    value = "undefined" if pearson["value"] is None else f"{pearson['value']:.2f}"
    interval = f" [{ends[0]:.2f}, {ends[1]:.2f}]" if ends else ""
    rl = plain("SFT + RL beats SFT", BEST, "sft-long")
    return [
        plain("thinking beats not thinking", "sft", "direct"),
        (*rl[:2], f"{rl[2]}; {shown(difference(BEST, 'sft', whole, seeds), f'{BEST} - sft')}"),
        (
            "RL-zero improves but ends lower",
            both(answer(improves), answer(lower)),
            f"{shown(improves, 'rl-zero - base')}; {shown(lower, f'{BEST} - rl-zero')}",
        ),
        plain("reasoning data helps the judge", "sft", "judge-only"),
        ("incorrect responses are harder", answer(wrong), shown(wrong, f"{BEST}, right - wrong responses")),
        ("the better judge gives the better policy", related, f"Pearson within policies: {value}{interval}"),
        ("a judge of one family judges another as well", same, shown(other, f"{BEST}, other family - its own")),
    ]


def percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def table(title: str, names: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> Table:
    """A table whose first `words` columns are text."""
    columns = tuple(Column(name, at >= words) for at, name in enumerate(names))
    return Table(title, columns, tuple(Line(tuple(row)) for row in rows))


def accuracies(whole: Results) -> Table:
    """Table 2: accuracy of each judge on the benchmark, its two splits, and the other family."""
    parts = {name: whole.by_judge(name) for name in ("bench", "hard", "other")}
    rows = []
    for judge in JUDGES:
        reports = [parts[name].get(judge, {}) for name in parts]
        ends = reports[1].get("interval")
        hard = f"[{percent(ends[0])}, {percent(ends[1])}]" if ends else ""
        rows.append([judge, *(percent(report.get("overall")) for report in reports), hard])
    names = ("judge", "all", "hard split", "other family", "95% of the hard split")
    return table("Table 2 in miniature: accuracy, %", names, rows)


def confusions(whole: Results) -> Table:
    """Table 3: how each judge is wrong, over both splits."""
    rows = []
    for judge, report in whole.by_judge("bench").items():
        cells = [str(report["confusion"][name]) for name in ("tp", "tn", "fp", "fn")]
        shares = [percent(report[name]) for name in ("accuracy_correct", "accuracy_incorrect")]
        rows.append([judge, *cells, f"{report['macro_f1']:.3f}", *shares])
    return table(
        "Table 3 in miniature", ("judge", "TP", "TN", "FP", "FN", "macro F1", "of right, %", "of wrong, %"), rows
    )


def downstream(seeds: Sequence[Results]) -> Table:
    """Pass@1 of both policies after DPO with each judge, the mean over seeds, and how many pairs they learned from."""
    rows = []
    for policy in POLICIES:
        reached = [results.pass_at_1(policy) for results in seeds]
        start = statistics.fmean(each["start"] for each in reached)
        rows.append([policy, "(start)", "", percent(start), ""])
        for judge in (*JUDGES, "rule"):
            mean = statistics.fmean(each[judge] for each in reached)
            pairs = statistics.fmean(results.pairs(policy, judge) for results in seeds)
            rows.append([policy, judge, f"{pairs:.0f}", percent(mean), f"{100 * (mean - start):+.1f}"])
    return table("Policies tuned on pairs", ("policy", "labelled by", "pairs", "pass@1, %", "change"), rows, words=2)


def cpu_seconds(log: Path) -> float:
    """CPU-seconds of a step: user and system, of all its attempts."""
    ended = [json.loads(line) for line in log.read_text().splitlines() if line.startswith('{"event":"ended"')]
    return sum(event["cpu_seconds"] for event in ended)


def costs(whole: Results, seeds: Sequence[Results]) -> Table:
    names, steps = [results.seed for results in seeds], dict[str, list[float]]()
    for log in sorted((whole.out / "logs").glob("*.log")):
        name, _, seed = log.stem.rpartition("-")
        if seed in names or not seed.isdigit():
            steps.setdefault(name if seed in names else log.stem, []).append(cpu_seconds(log))
    rows = [[name, f"{statistics.fmean(values):.0f}"] for name, values in steps.items()]
    rows = [row for row in rows if row[1] != "0"]
    rows.append(["all steps, all seeds", f"{sum(map(sum, steps.values())):.0f}"])
    return table("CPU-seconds of one thread, mean over seeds", ("step", "seconds"), rows)


def write_report(out: Path, form: str, seeds: Sequence[Results]) -> None:
    whole = Results(out)
    answers = findings(whole, seeds)
    best = max(report["overall"] for report in whole.by_judge("hard").values())
    notes = (
        f"{form} form, seeds {', '.join(results.seed for results in seeds)}; the best judge has {percent(best)} % of"
        " the hard split (75 to 90 are wanted, so that there is something left to win).",
        "yes, no, unclear: by 95 % intervals over problems, and by every seed; the README of the recipe has the rule.",
    )
    first = [
        ReportPart(
            "Does it hold here?", tables=(table("Findings", ("finding", "answer", "figures"), answers, 3),), notes=notes
        ),
        ReportPart("Judges", tables=(accuracies(whole), confusions(whole))),
        ReportPart("Policies", tables=(downstream(seeds),)),
    ]
    correlation = json.loads(whole.read("correlation.json"))
    figures = {"comparisons": whole.scores("hard")["comparisons"], "correlation": correlation}
    cost = ReportPart("Compute", tables=(costs(whole, seeds),))
    (out / "report.html").write_text(page.render(figures, "The paper in miniature", [*first, cost]))
    (out / "report.json").write_text(
        json.dumps({"form": form, "findings": answers, "tables": [[line.cells for line in each.lines]
                    for part in [*first, cost] for each in part.tables], **figures}, indent=1) + "\n"
    )  # fmt: skip
    print("\n".join([*(f"{words}: {said} ({figure})" for words, said, figure in answers), *notes]))


def main() -> None:
    what, out, *words = sys.argv[1:]
    if what == "points":
        for point in points([Results(Path(out), seed) for seed in words]):
            print(json.dumps(point))
    else:
        write_report(Path(out), words[0], [Results(Path(out), seed) for seed in words[1:]])


if __name__ == "__main__":
    main()
