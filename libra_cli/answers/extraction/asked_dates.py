"""Reads the date or the year that the last line of a response states, where the reference is one."""

from __future__ import annotations

from libra_cli.answers.languages import answer_forms, names
from libra_cli.answers.sentences import phrases
from libra_cli.answers.text import latex
from libra_cli.answers.values import dates
from libra_cli.lazy_pattern import lazy_pattern

_BEGINNING = 3
"""Letters that the forms of a verb share: end, ended."""
_YEAR = 4
"""Digits of a year."""
_YEAR_SIGNS = ("\u5e74", "\ub144")
_BRACKETS = lazy_pattern(r"[(\uff08][^()\uff08\uff09]*[)\uff09]", one_of=("(", "\uff08"))


def stated(tail: str, reference: str, question: str | None = None) -> str | None:
    """The only date of the last line, or its year, if the reference is one; else None. Empty if it has several.

    Dates that the question gives are not counted. Of several, the first one is taken if it is the reference.
    """
    reference = latex.without_setting(reference) if "\\text" in reference else reference
    reference = reference[:_YEAR] if reference[_YEAR:] in _YEAR_SIGNS else answer_forms.in_english(reference)
    is_year = reference.isdecimal() and len(reference) == _YEAR
    is_range = any(map(str.isdigit, reference)) and len(dates.dates(reference)) > 1
    if not (is_year or is_range or dates.is_date(reference)):
        return None
    line = phrases.main_clause(answer_forms.with_english_dates(tail.strip().rpartition("\n")[2]))
    found = _new_dates(line, reference, question)
    if reference.isdecimal():
        years = {date.year for date in dates.dates(found[0])} if len(found) == 1 else set()
        return str(years.pop()) if len(years) == 1 and None not in years else None
    if len(found) > 1:
        return _first(line, reference, question)
    return _in_full(found[0], line, reference, question) if found else None


def _new_dates(line: str, reference: str, question: str | None) -> list[str]:
    """The dates of a line; if it has several, without those in brackets, of the question, and without a day."""
    found = dates.stated(line)
    if len(found) > 1:  # (June 28, 1914) is a remark
        found = dates.stated(_BRACKETS.sub("", line))
    if len(found) > 1 and question:
        found = dates.without(found, answer_forms.with_english_dates(question)) or found
    if len(found) > 1 and any(date.day for date in dates.dates(reference)):
        found = [text for text in found if any(date.day for date in dates.dates(text))] or found
    return found


def _first(line: str, reference: str, question: str | None) -> str:
    """The first date of a line, or of its part about the question, if it is the reference; else empty."""
    parts = [part for part in line.split(";") if dates.stated(part)]
    if question and len(parts) > 1:  # it began on May 8; it ended on June 9
        asks = {word[:_BEGINNING] for word in names.tokens(question)}
        shared = [len(asks & {word[:_BEGINNING] for word in names.tokens(part)}) for part in parts]
        if shared.count(max(shared)) > 1:
            return ""
        parts = [parts[shared.index(max(shared))]]
    first = dates.stated(parts[0])
    return first[0] if len(first) == 1 and dates.same(reference, first[0]) else ""


def _in_full(date: str, line: str, reference: str, question: str | None) -> str:
    """A date with the year that its clause or the question gives it, if the reference has one."""
    if all(one.year is None for one in dates.dates(reference)):
        return date
    clause = next((part for part in line.replace(";", " and ").split(" and ") if date in part), "")
    said = dates.with_year_of(date, clause)
    return dates.with_year_of(said, question) if question else said
