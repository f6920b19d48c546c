"""The part of one report: its facts, and tables of sections, confusion, thresholds and measures of several samples."""

from __future__ import annotations

from collections.abc import Iterator

from libra_cli.reports.figures import bracketed, count, decimals, interval_of, number, percent, points
from libra_cli.reports.layout import (
    Column,
    Line,
    Report,
    ReportPart,
    Table,
    metric_of,
    name_of,
    notes_of,
    overall_name,
    subject_of,
)

MEASURES = {
    "pass@k": "pass@",
    "mean@n": "mean@",
    "maj@k": "maj@",
    "best_of_n": "best of ",
    "weighted_majority": "weighted majority of ",
}
"""Measures of several samples: key in a report -> name before the number of samples."""
CALIBRATION = {"brier": "Brier", "ece": "ECE", "roc_auc": "ROC AUC", "pr_auc": "PR AUC"}
ACCURACIES = {"correct": "accuracy_correct", "incorrect": "accuracy_incorrect"}
"""Label -> the key of the share that is judged right; tables call it `LABEL %`, facts `LABEL`."""
CONFUSION = {"correct": ("tp", "fn"), "incorrect": ("tn", "fp")}
"""Label -> the cells of the confusion matrix that are right and wrong."""
THRESHOLD_CHOICES = {
    "fixed": "fixed",
    "searched": "searched on these rows",
    "cross-fitted": "mean of the folds, each searched on the other problems",
    "cross_fitted": "cross-fitted",
}


def report_part(report: Report) -> ReportPart:
    """The part that shows one report."""
    tables = [sections_table(report), confusion_table(report), thresholds_table(report), samples_table(report)]
    return ReportPart(
        f"{report['benchmark']}: {subject_of(report, name_of(report))}",
        facts=tuple(facts(report)),
        tables=tuple(table for table in tables if table.lines),
        notes=notes_of(report),
        report=report,
    )


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """Yields the facts above the tables, each with its name."""
    has = "a label" if report["benchmark"] == "reasoning" else "a verdict"  # of policies, and of judges
    if n_null := report.get("n_null") or 0:
        why = ", ".join(f"{reason} {count(n)}" for reason, n in (report.get("null_reasons") or {}).items())
        where = "left out" if report.get("null") == "exclude" else "among them"
        text = f"{count(report['n'])}; {where} {count(n_null)} without {has}"
        yield "items", text + (f" ({why})" if why else "")
    else:
        yield "items", f"{count(report['n'])}, all with {has}"
    for key in ("file", "protocol"):
        if report.get(key):
            yield key, str(report[key])

    # pointwise
    if report.get("threshold") is not None:
        how = THRESHOLD_CHOICES.get(report.get("threshold_how") or "", "given")
        yield "threshold", f"{number(report['threshold'])} ({how}): a score above it means correct"
    elif report.get("threshold_how") == "given":
        has_verdicts = any((report.get("confusion") or {"tp": 1}).values())
        why = "the rows have predictions of their own" if has_verdicts else "no row has a verdict"
        yield "threshold", f"none: {why}"
    ends = report.get("intervals") or {}
    no_interval = " (no interval)" if report.get("bootstrap") else ""
    if report.get("macro_f1") is not None:
        yield "macro F1", f"{decimals(report['macro_f1'])}{bracketed(ends.get('macro_f1'), decimals) or no_interval}"
    for label, key in ACCURACIES.items():
        if report.get(key) is not None:
            several = len(report.get("sections") or ()) > 1
            how = f"of the {label} responses judged right" + (", mean of the sections" if several else "")
            text = f"{percent(report[key])}% {how}{bracketed(ends.get(key), percent) or no_interval}"
            pooled = _pooled(report, label)
            yield label, text + (f"; pooled {percent(pooled)}%" if several else "")
    if calibration := report.get("calibration"):
        known = ", ".join(f"{name} {decimals(calibration.get(key))}" for key, name in CALIBRATION.items())
        yield "calibration", known + _of_rows(report, calibration.get("n"))

    # pairwise
    if report.get("flip_rate") is not None:
        flip_interval = bracketed(report.get("flip_interval"), percent)
        yield "flip rate", f"{percent(report['flip_rate'])}% of the comparisons turn with the order{flip_interval}"
    if bias := report.get("position_bias"):
        names = {"first": "the one shown first", "second": "the one shown second", "tie": "neither"}
        shares = [f"{percent(bias[key])}% {name}" for key, name in names.items() if bias.get(key) is not None]
        yield "position bias", f"preferred: {', '.join(shares)}"
    if report.get("ties") is not None:
        yield "ties", count(report["ties"])

    if boot := report.get("bootstrap"):
        units = f"{count(boot.get('n_units'))} {boot['unit']}{'' if boot.get('n_units') == 1 else 's'}"
        yield "intervals", f"95%, bootstrap over {units} ({count(boot['resamples'])} resamples, seed {boot['seed']})"


def _of_rows(report: Report, n_scored: int | None) -> str:
    """Over how many rows the scores are measured, where some have none."""
    n_rows = report["n"] + (report.get("n_null", 0) if report.get("null") == "exclude" else 0)
    return "" if n_scored in (None, n_rows) else f" (over the {count(n_scored)} of {count(n_rows)} rows with a score)"


def _pooled(report: Report, label: str) -> float | None:
    """The share judged right of the responses of one label, all sections together, as they count; None without any."""
    right, wrong = ((report.get("confusion") or {}).get(cell, 0) for cell in CONFUSION[label])
    n = right + wrong + report.get(f"null_{label}", 0)
    return right / n if n else None


def sections_table(report: Report) -> Table:
    """A line for each section, and a last one for the whole report."""
    sections = report.get("sections") or {}
    by_label = any(figures.get("accuracy_correct") is not None for figures in sections.values())

    def line(name: str, figures: Report, value: float | None, stands_out: bool = False) -> Line:
        cells = [name, count(figures.get("n")), count(figures.get("n_null", 0)), percent(value)]
        cells.append(interval_of(figures, value, report))
        if by_label:
            cells += [percent(figures.get("accuracy_correct")), percent(figures.get("accuracy_incorrect"))]
        return Line(tuple(cells), stands_out)

    lines = [line(name, figures, figures.get("value")) for name, figures in sections.items()]
    if sections or report.get("overall") is not None:
        lines.append(line(overall_name(report), report, report.get("overall"), stands_out=True))
    columns = [Column("section", False), Column("n"), Column("null"), Column(f"{metric_of(report)} %")]
    columns.append(Column("95% interval"))
    if by_label:
        columns += [Column(f"{label} %", spare=1) for label in ACCURACIES]
    return Table("Sections", tuple(columns), tuple(lines))


def confusion_table(report: Report) -> Table:
    """Counts of verdicts by label."""
    columns = Column("label", False), Column("judged correct"), Column("judged incorrect"), Column("no verdict")
    lines = []
    if cells := report.get("confusion"):
        for label, keys in {"correct": ("tp", "fn"), "incorrect": ("fp", "tn")}.items():
            null = count(report.get(f"null_{label}"))
            lines.append(Line((label, *(count(cells.get(key)) for key in keys), null)))
    return Table("Confusion matrix (counts)", columns, tuple(lines))


def thresholds_table(report: Report) -> Table:
    """A line for each choice of a threshold: its value (of the folds: lowest to highest) and what it gives."""
    columns = (
        Column("threshold", False),
        Column("value"),
        Column(f"{overall_name(report)} %"),
        Column("optimism, points"),
    )
    lines = []
    for choice, figures in (report.get("thresholds") or {}).items():
        if not figures:
            continue
        of_folds = figures.get("thresholds")
        if of_folds:
            value = " to ".join(dict.fromkeys((number(min(of_folds)), number(max(of_folds)))))
        else:
            value = number(figures.get("threshold"))
        name = THRESHOLD_CHOICES.get(choice, choice)
        lines.append(Line((name, value, percent(figures.get("overall")), points(figures.get("optimism")))))
    return Table("Thresholds", columns, tuple(lines))


def samples_table(report: Report) -> Table:
    """Measures of several samples of each problem: pass@k, votes, best of n."""
    columns = Column("measure", False), Column("problems"), Column("value %"), Column("95% interval")
    lines = [
        Line(
            (
                f"{name}{k}",
                count(figure.get("n")),
                percent(figure["value"]),
                interval_of(figure, figure["value"], report),
            )
        )
        for key, name in MEASURES.items()
        for k, figure in (report.get(key) or {}).items()
    ]
    return Table("Several samples", columns, tuple(lines))
