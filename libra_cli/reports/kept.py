"""The tables of a report, kept beside its text, so that whoever shows the text later lays them out for the reader.

`libra run` names a file in the environment of a step that reports, and shows the report at its end, a later run too.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from libra_cli.reports.layout import Column, Line, ReportPart, Table
from libra_cli.stream.files import replace_file

VARIABLE = "_LIBRA_TABLES"
"""Names the file."""


def keep(parts: Sequence[ReportPart], text: str) -> None:
    """Writes what `parts` show, and the hash of their `text`, to the file that VARIABLE names, if there is one."""
    if not (path := os.environ.get(VARIABLE)):
        return
    shown = [
        {
            "title": part.title,
            "facts": part.facts,
            "findings": part.findings,
            "tables": [
                {
                    "title": table.title,
                    "columns": [[column.name, column.is_number, column.spare] for column in table.columns],
                    "lines": [[line.cells, line.stands_out] for line in table.lines],
                }
                for table in part.tables
            ],
            "notes": part.notes,
        }
        for part in parts
    ]
    replace_file(path, json.dumps({"sha256": _hash(text), "parts": shown}).encode())


def kept(path: str, text: str) -> list[ReportPart] | None:
    """The parts in the file at `path`; None if there are none, or those of another text."""
    try:
        with open(path, "rb") as file:
            known = json.loads(file.read())
        return [_part(shown) for shown in known["parts"]] if known["sha256"] == _hash(text) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _part(shown: Mapping[str, Any]) -> ReportPart:
    tables = [
        Table(
            table["title"],
            tuple(Column(*column) for column in table["columns"]),
            tuple(Line(tuple(cells), stands_out) for cells, stands_out in table["lines"]),
        )
        for table in shown["tables"]
    ]
    facts, findings = tuple(map(tuple, shown["facts"])), tuple(shown["findings"])
    return ReportPart(shown["title"], facts, findings, tuple(tables), tuple(shown["notes"]))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
