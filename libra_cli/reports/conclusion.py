"""What a report comes to, in a sentence each, for the top of the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from libra_cli.reports.figures import bracketed, count, interval, p_value, percent, points
from libra_cli.reports.layout import Report, metric_of, names_of, overall_name, subject_of

MOST = 6
"""Sentences of a kind."""


def conclusions(reports: Mapping[str, Any]) -> Iterator[str]:
    """Yields a sentence on each comparison, then one on each report; none if there are many."""
    yield from findings(reports.get("comparisons") or ())
    several = reports.get("reports") or ()
    if len(several) <= MOST:
        for name, report in zip(names_of(several), several, strict=True):
            if report.get("overall") is not None:
                ends = bracketed(report.get("interval"), percent)
                n = report.get("n")
                on = f" on {report['benchmark']}" + (f", {count(n)} items" if n else "")
                figure = f"{overall_name(report)} {metric_of(report)} {percent(report['overall'])}%"
                yield f"{subject_of(report, name)}: {figure}{ends}{on}."


def findings(compared: Sequence[Report]) -> Iterator[str]:
    """Yields a sentence on each comparison; none if there are many."""
    if len(compared) <= MOST:
        n_tested = sum(one.get("p_adjusted") is not None for one in compared)
        yield from (_of_comparison(one, n_tested) for one in compared)


def _of_comparison(one: Report, n_tested: int) -> str:
    """Who is better, or that this set cannot tell."""
    a, b, difference, ends, p = one["a"], one["b"], one.get("difference"), one.get("interval"), one.get("p_adjusted")
    if difference is None:
        return f"{a} and {b} cannot be compared."
    on = f"on the {count(one.get('n'))} items that both have"
    if not difference:
        return f"{a} and {b} are equal {on}."
    if ends is None or p is None:
        return f"{a} and {b} differ by {points(difference)} points {on}; without an interval, that may be chance."
    seen = percent(one["detectable_difference"])
    tested = f"p {p_value(p)}" + (f" for {n_tested} comparisons" if n_tested > 1 else "")
    if one["better"] is None:
        shown = f"{points(difference)} points {interval(ends)} {on}, {tested}"
        return (
            f"No difference between {a} and {b} that this set can show: {shown}; "
            f"one below {seen} points would mostly go unseen."
        )
    better, worse = (a, b) if one["better"] == "a" else (b, a)
    shown = f"{points(difference)} points ({a} - {b}) {interval(ends)} {on}, {tested}"
    if abs(difference) >= one["detectable_difference"]:
        return f"{better} is better than {worse}: {shown}."
    return (
        f"{better} is probably better than {worse}: {shown}; "
        f"the set shows differences of {seen} points and more reliably, so this one may be overstated."
    )
