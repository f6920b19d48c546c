"""Which facts and tables show the reports of `libra score`, cell by cell; the renderers only draw them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.reports.figures import NOTHING, axis_of, count, decimals, interval, number, p_value, percent, points

Report = Mapping[str, Any]

SECTIONS_ABREAST = 8
"""Sections that make columns of a table; of a benchmark with more only the overall figure does."""
NAME_CHARS = 36
"""Of a name in a chart, at most."""
MEASURES = {
    "pass@k": "pass@", "mean@n": "mean@", "maj@k": "maj@",
    "best_of_n": "best of ", "weighted_majority": "weighted majority of ",
}  # fmt: skip
"""Of several samples: the key in a report, and its name before the number of samples."""
COEFFICIENTS = {"pearson": "Pearson", "spearman": "Spearman"}
CALIBRATION = {"brier": "Brier", "ece": "ECE", "roc_auc": "ROC AUC", "pr_auc": "PR AUC"}
HOW = {
    "fixed": "fixed",
    "searched": "searched on these rows",
    "cross-fitted": "mean of the folds, each searched on the other problems",
    "cross_fitted": "cross-fitted",
}


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    is_number: bool = True
    """It is set to the right and never broken."""
    spare: int = 0
    """Where room is short columns go, those of the highest level first; those of level 0 never do."""


@dataclass(frozen=True)
class Line:
    """One line of a table: a cell for each column, as text that nothing has been escaped in."""

    cells: tuple[str, ...]
    stands_out: bool = False
    """It is the sum of the others, or the user's own among published ones."""


@dataclass(frozen=True)
class Table:
    """A table with its caption."""

    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class ReportPart:
    """What stands under one heading: named facts, tables, then remarks."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    report: Report | None = None
    """The report that all of it is about, where it is one."""
    reports: Sequence[Report] = ()
    """Those that it sets side by side."""
    compared: Sequence[Report] = ()
    """The comparisons that it shows."""
    points: Sequence[Report] = ()
    """Of a correlation."""


def parts(reports: Mapping[str, Any]) -> list[ReportPart]:
    """All that is shown of {"reports", "comparisons", "published"?, "correlation"?}, in its order."""
    found = [_side_by_side(benchmark, several) for benchmark, several in _by_benchmark(reports) if len(several) > 1]
    if compared := reports.get("comparisons"):
        remarks = [f"{each['a']} and {each['b']}: {note}" for each in compared for note in each.get("notes") or ()]
        found.append(
            ReportPart(
                "Comparisons", tables=(_comparisons(compared),), notes=(_READ_COMPARISONS, *remarks), compared=compared
            )
        )
    found += [_report(report) for report in reports.get("reports") or ()]
    found += [_published(rows) for rows in _grouped(reports.get("published") or (), "benchmark", "table")]
    return found + ([_correlation(reports["correlation"])] if reports.get("correlation") else [])


# -- one report -------------------------------------------------------------------------------------------------------


def name_of(report: Report) -> str:
    """By which a report is known among others: its judge, or its file where it has none."""
    return str(report.get("judge") or report.get("file") or "predictions")


def names_of(reports: Sequence[Report]) -> list[str]:
    """A name for each report, with its file where two would have the same."""
    names = [name_of(report) for report in reports]
    return [
        f"{name} ({report['file']})" if names.count(name) > 1 and report.get("file") else name
        for name, report in zip(names, reports, strict=True)
    ]


def clipped(name: str) -> str:
    """A name that fits in a chart; its end is kept, where names of models differ."""
    return name if len(name) <= NAME_CHARS else "…" + name[1 - NAME_CHARS :]


def metric_of(report: Report) -> str:
    """What the sections of a report are figures of."""
    return str(report.get("metric") or "accuracy").replace("_", " ")


def _report(report: Report) -> ReportPart:
    tables = [_sections(report), _confusion(report), _thresholds(report), _measures(report)]
    title = f"{report['benchmark']}: {name_of(report)}"
    shown = tuple(table for table in tables if table.lines)
    return ReportPart(title, tuple(_facts(report)), shown, _notes(report), report)


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    yield "items", _items(report)
    yield from ((key, str(report[key])) for key in ("file", "protocol") if report.get(key))
    yield from _pointwise(report)
    yield from _pairwise(report)
    if boot := report.get("bootstrap"):
        units = f"{count(boot.get('n_units'))} {boot['unit']}{'' if boot.get('n_units') == 1 else 's'}"
        yield "intervals", f"95%, bootstrap over {units} ({count(boot['resamples'])} resamples, seed {boot['seed']})"


def _items(report: Report) -> str:
    null = report.get("n_null") or 0
    if not null:
        return f"{count(report['n'])}, all with a verdict"
    why = ", ".join(f"{reason} {count(n)}" for reason, n in (report.get("null_reasons") or {}).items())
    made = "left out" if report.get("null") == "exclude" else "among them"
    return f"{count(report['n'])}; {made} {count(null)} without a verdict" + (f" ({why})" if why else "")


def _pointwise(report: Report) -> Iterator[tuple[str, str]]:
    if report.get("threshold") is not None:
        how = HOW.get(report.get("threshold_how") or "", "given")
        yield "threshold", f"{number(report['threshold'])} ({how}): a score above it means correct"
    elif report.get("threshold_how") == "given":
        has_any = any((report.get("confusion") or {"tp": 1}).values())
        yield "threshold", f"none: {'the rows have predictions of their own' if has_any else 'no row has a verdict'}"
    ends = report.get("intervals") or {}
    if report.get("macro_f1") is not None:
        yield "macro F1", f"{decimals(report['macro_f1'])}{_interval_of(ends.get('macro_f1'), decimals)}"
    for key, name in (("accuracy_correct", "on correct"), ("accuracy_incorrect", "on incorrect")):
        if report.get(key) is not None:
            yield name, f"{percent(report[key])}% of these responses judged right{_interval_of(ends.get(key), percent)}"
    if calibration := report.get("calibration"):
        yield "calibration", ", ".join(f"{name} {decimals(calibration.get(key))}" for key, name in CALIBRATION.items())


def _pairwise(report: Report) -> Iterator[tuple[str, str]]:
    if report.get("flip_rate") is not None:
        ends = _interval_of(report.get("flip_interval"), percent)
        yield "flip rate", f"{percent(report['flip_rate'])}% of the comparisons turn with the order{ends}"
    if bias := report.get("position_bias"):
        names = {"first": "the one shown first", "second": "the one shown second", "tie": "neither"}
        said = [f"{percent(bias[key])}% {name}" for key, name in names.items() if bias.get(key) is not None]
        yield "position bias", f"preferred: {', '.join(said)}"
    if report.get("ties") is not None:
        yield "ties", count(report["ties"])


def _interval_of(ends: Sequence[float | None] | None, shown: Callable[[float | None], str]) -> str:
    return "" if ends is None or None in ends else f" [{shown(ends[0])}, {shown(ends[1])}]"


def _sections(report: Report) -> Table:
    """A line for each section, and one for all of them."""
    sections = report.get("sections") or {}
    by_label = any(figures.get("accuracy_correct") is not None for figures in sections.values())
    labels = (Column("correct %", spare=1), Column("incorrect %", spare=1)) if by_label else ()
    columns = (Column("section", False), Column("n"), Column("null"), Column(f"{metric_of(report)} %"),
               Column("95% interval"), *labels)  # fmt: skip
    lines = [_section(name, figures, figures.get("value"), by_label) for name, figures in sections.items()]
    whole = [_whole(report, by_label)] if sections or report.get("overall") is not None else []
    return Table("Sections", columns, (*lines, *whole))


def _whole(report: Report, by_label: bool) -> Line:
    """The last line of the sections: the figures of the whole report."""
    return _section("overall", report, report.get("overall"), by_label, stands_out=True)


def _section(name: str, figures: Report, value: float | None, by_label: bool, stands_out: bool = False) -> Line:
    labels = [percent(figures.get(key)) for key in ("accuracy_correct", "accuracy_incorrect")] if by_label else []
    sizes = count(figures.get("n")), count(figures.get("n_null", 0))
    return Line((name, *sizes, percent(value), interval(figures.get("interval")), *labels), stands_out)


def _confusion(report: Report) -> Table:
    cells = report.get("confusion") or {}
    columns = Column("label \\ judged", False), Column("correct"), Column("incorrect"), Column("no verdict")
    rows = {"correct": ("tp", "fn"), "incorrect": ("fp", "tn")}
    lines = [
        Line((label, *(count(cells.get(key)) for key in keys), count(report.get(f"null_{label}"))))
        for label, keys in rows.items() if cells
    ]  # fmt: skip
    return Table("Confusion matrix (counts)", columns, tuple(lines))


def _thresholds(report: Report) -> Table:
    """The threshold that was given, the best one on the rows themselves, and what that one is worth on others."""
    columns = (Column("threshold", False), Column("value"), Column(f"{metric_of(report)} %"),
               Column("optimism, points"))  # fmt: skip
    lines = [
        Line((HOW.get(how, how), _thresholds_of(found), percent(found.get("overall")), points(found.get("optimism"))))
        for how, found in (report.get("thresholds") or {}).items() if found
    ]  # fmt: skip
    return Table("Thresholds", columns, tuple(lines))


def _thresholds_of(found: Report) -> str:
    """The threshold, or the lowest and the highest of the folds'."""
    several = sorted(
        {number(value): value for value in found.get("thresholds") or ()}.items(), key=lambda each: each[1]
    )
    if several:
        return " to ".join(dict.fromkeys((several[0][0], several[-1][0])))
    return number(found.get("threshold"))


def _measures(report: Report) -> Table:
    """Of several samples of each problem: pass@k, and what becomes of them together."""
    columns = Column("measure", False), Column("problems"), Column("value %"), Column("95% interval")
    lines = [
        Line((f"{name}{k}", count(figure.get("n")), percent(figure["value"]), interval(figure.get("interval"))))
        for key, name in MEASURES.items() for k, figure in (report.get(key) or {}).items()
    ]  # fmt: skip
    return Table("Several samples", columns, tuple(lines))


# -- several reports --------------------------------------------------------------------------------------------------


def _grouped(rows: Iterable[Report], *keys: str) -> list[list[Report]]:
    """Rows with the same value of the first of `keys` that they have, in the order of their first."""
    groups: dict[Any, list[Report]] = {}
    for row in rows:
        groups.setdefault(next((row[key] for key in keys if row.get(key)), None), []).append(row)
    return list(groups.values())


def _by_benchmark(reports: Mapping[str, Any]) -> list[tuple[str, list[Report]]]:
    groups = _grouped(reports.get("reports") or (), "benchmark")
    return [(str(group[0]["benchmark"]), group) for group in groups]


def _side_by_side(benchmark: str, reports: Sequence[Report]) -> ReportPart:
    """A line for each judge of one benchmark."""
    names = _sections_of(reports)
    has_f1 = any(report.get("macro_f1") is not None for report in reports)
    f1 = (Column("macro F1"),) if has_f1 else ()
    columns = (Column("judge", False), Column("null"), *(Column(name, spare=1) for name in names), Column("overall %"),
               Column("95% interval"), *f1)  # fmt: skip
    lines = []
    for judge, report in zip(names_of(reports), reports, strict=True):
        values = [percent(report["sections"].get(name, {}).get("value")) for name in names]
        score = [decimals(report.get("macro_f1"))] if has_f1 else []
        figures = percent(report.get("overall")), interval(report.get("interval")), *score
        lines.append(Line((judge, count(report.get("n_null", 0)), *values, *figures)))
    return ReportPart(
        f"{benchmark}: {len(reports)} judges", tables=(Table("Judges", columns, tuple(lines)),), reports=reports
    )


def _sections_of(rows: Iterable[Report]) -> list[str]:
    """All sections that occur, in the order in which they do; none where there are too many for columns."""
    names = list(dict.fromkeys(name for row in rows for name in row.get("sections") or {}))
    return names if len(names) <= SECTIONS_ABREAST else []


_READ_COMPARISONS = (
    "The difference is that of a over b, in percentage points, on the items that both judged; one that is smaller "
    "than the detectable one would mostly go unseen in a set of this size (power 80%, level 5%)."
)


def _comparisons(compared: Sequence[Report]) -> Table:
    columns = (Column("a", False), Column("b", False), Column("n"), Column("a - b"), Column("95% interval"),
               Column("p bootstrap", spare=1), Column("p McNemar"), Column("detectable"))  # fmt: skip
    return Table("Differences", columns, tuple(map(_comparison, compared)))


def _comparison(found: Report) -> Line:
    mcnemar = found.get("mcnemar") or {}
    return Line((str(found["a"]), str(found["b"]), count(found.get("n")), points(found.get("difference")),
                 interval(found.get("interval")), p_value(found.get("p_bootstrap")), p_value(mcnemar.get("p")),
                 percent(found.get("detectable_difference"))))  # fmt: skip


def _published(rows: Sequence[Report]) -> ReportPart:
    """The paper's rows once, and each of the user's where it comes among them."""
    once = {(row["model"], bool(row.get("yours")), *_own(row)): row for row in rows}
    ranked = sorted(once.values(), key=lambda row: (row["overall"] is None, -(row["overall"] or 0.0)))
    names = _sections_of(row for row in ranked if not row.get("yours"))
    sections = [Column(name, spare=1) for name in names]
    columns = Column("rank"), Column("model", False), Column("kind", False, 2), *sections, Column("overall %")
    lines = []
    for rank, row in enumerate(ranked, 1):
        values = [percent(row["sections"].get(name)) for name in names]
        at = count(rank) if row["overall"] is not None else NOTHING
        model = f"{row['model']} (yours)" if row.get("yours") else row["model"]
        cells = at, model, row.get("category") or NOTHING, *values, percent(row["overall"])
        lines.append(Line(cells, bool(row.get("yours"))))
    benchmark = rows[0].get("benchmark")
    title = f"{rows[0]['table']} of the Libra paper (arXiv 2507.21645)" + (f": {benchmark}" if benchmark else "")
    return ReportPart(title, tables=(Table("Published figures", columns, tuple(lines)),), notes=_missing(ranked))


def _missing(ranked: Iterable[Report]) -> tuple[str, ...]:
    """What a user's row lacks to be comparable."""
    return tuple(f"{row['model']} (yours): {note}" for row in ranked for note in row.get("notes") or ())


def _own(row: Report) -> tuple[Any, ...]:
    """What tells the user's rows apart where they have the same name."""
    return (row["overall"], *sorted(row["sections"].items())) if row.get("yours") else ()


# -- correlation ------------------------------------------------------------------------------------------------------


def _correlation(found: Report) -> ReportPart:
    x, y = (str(found.get(axis, axis)).replace("_", " ") for axis in ("x", "y"))
    groups = (("", found), *((f", {name}", group) for name, group in (found.get("groups") or {}).items()))
    coefficients = [
        _coefficient(f"{name}{where}", key, group)
        for where, group in groups for key, name in COEFFICIENTS.items() if group.get(key)
    ]  # fmt: skip
    columns = (Column("coefficient", False), Column("n"), Column("value"), Column("95% (Fisher)"),
               Column("95% (bootstrap)", spare=1), Column("leaving one out"))  # fmt: skip
    group = (Column("group", False),) if found.get("groups") else ()
    of_x, of_y = (axis_of(point[axis] for point in found["points"]) for axis in ("x", "y"))
    about = Column("name", False), *group, Column(of_x.named(x, " ")), Column(of_y.named(y, " "))
    pairs = [
        Line((str(point["name"]), *([str(point.get("group"))] if group else []), of_x.shown(point["x"]),
              of_y.shown(point["y"])))
        for point in found["points"]
    ]  # fmt: skip
    without = [
        Line((str(left["without"]), *(decimals(left.get(key)) for key in COEFFICIENTS)))
        for left in found.get("leave_one_out") or ()
    ]  # fmt: skip
    shown = (
        Table("Correlation", columns, tuple(coefficients)),
        Table("Points", about, tuple(pairs)),
        Table("Leaving one out", (Column("without", False), *map(Column, COEFFICIENTS.values())), tuple(without)),
    )
    return ReportPart(
        f"{y} against {x}", (), tuple(table for table in shown if table.lines), _notes(found), points=found["points"]
    )


def _coefficient(name: str, key: str, found: Report) -> Line:
    figure, apart = found[key], (found.get("leave_one_out_range") or {}).get(key)
    ends = [
        _interval_of(each, decimals).strip() or NOTHING
        for each in (figure.get("interval"), figure.get("bootstrap"), apart)
    ]
    return Line((name, count(found.get("n")), decimals(figure.get("value")), *ends))


def _notes(found: Report) -> tuple[str, ...]:
    return tuple(map(str, found.get("notes") or ()))
