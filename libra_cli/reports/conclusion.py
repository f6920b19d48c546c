"""What a report comes to, in a sentence each, for the top of the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from libra_cli.reports.figures import bracketed, count, interval, percent, points
from libra_cli.reports.layout import Report, metric_of, names_of, overall_name, subject_of

MOST = 6
"""Sentences of a kind."""


def conclusions(reports: Mapping[str, Any]) -> Iterator[str]:
    """Yields a sentence on each comparison, then one on each report; none if there are many."""
    compared, several = reports.get("comparisons") or (), reports.get("reports") or ()
    if len(compared) <= MOST:
        yield from map(_of_comparison, compared)
    if len(several) <= MOST:
        for name, report in zip(names_of(several), several, strict=True):
            if report.get("overall") is not None:
                ends = bracketed(report.get("interval"), percent)
                n = report.get("n")
                on = f" on {report['benchmark']}" + (f", {count(n)} items" if n else "")
                figure = f"{overall_name(report)} {metric_of(report)} {percent(report['overall'])}%"
                yield f"{subject_of(report, name)}: {figure}{ends}{on}."


def _of_comparison(one: Report) -> str:
    """Who is better, or that this set cannot tell."""
    a, b, difference, ends = one["a"], one["b"], one.get("difference"), one.get("interval")
    if difference is None:
        return f"{a} and {b} cannot be compared."
    on = f"on the {count(one.get('n'))} items that both have"
    if ends is None and not difference:
        return f"{a} and {b} are equal {on}."
    if ends is None:
        return f"{a} and {b} differ by {points(difference)} points {on}."
    if ends[0] <= 0 <= ends[1]:
        seen = percent(one.get("detectable_difference"))
        shown = f"{points(difference)} points {interval(ends)} {on}"
        unseen = f"one below {seen} points would mostly go unseen"
        return f"No difference between {a} and {b} that this set can show: {shown}; {unseen}."
    better, worse = (a, b) if difference > 0 else (b, a)
    return f"{better} is better than {worse}: {points(difference)} points ({a} - {b}) {interval(ends)} {on}."
