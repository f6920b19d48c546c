"""The rows of files that are about one record, found without parsing those that cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from libra_cli.records.responses import question_of
from libra_cli.stream.decompression import COMPRESSED
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.resume import Manifest
from libra_cli.stream.rows import Fields, RowError, parse, record_id, response_name

_OTHER_ID = re.compile(rb'\s*\{\s*"id"\s*:\s*(?:"[^"\\]*"|-?[0-9]+)\s*[,}]')
"""The begin of a row whose id is written without escapes: what does not contain the text of an id is not about it."""
_PLAIN = re.compile(r"[A-Za-z0-9_.:-]+")
ORDER = ("collect", "rollout", "verify", "review", "balance", "mix", "judge", "rs-filter", "dpo-pairs")
"""Stages in the order in which a record passes them."""


@dataclass
class TracedRow:
    """A row about the record."""

    line: int
    fields: Fields
    refused: Fields | None = None
    """The line of an --errors file that holds the row."""


@dataclass
class TracedFile:
    """A file, the stage that wrote it, and what it has about the record."""

    path: str
    stage: str = ""
    filtered: dict[str, int] = field(default_factory=dict)
    """Rows that its stage left out, by reason."""
    rows: list[TracedRow] = field(default_factory=list)
    n_read: int = 0
    unreadable: int = 0

    @property
    def rank(self) -> int:
        """Its place among the stages."""
        return ORDER.index(self.stage) if self.stage in ORDER else -1


class Target:
    """The record that is looked for."""

    def __init__(self, name: str):
        self.name = name
        first = name.partition("/")[0]
        self._needle = first.encode() if _PLAIN.fullmatch(first) else None
        self.questions: set[str] = set()
        """Questions of rows with the id: a row without an id is known by them."""
        self.ids_by_index: set[str] = set()
        """Ids of rows whose index is the name."""

    def cannot_be(self, line: bytes) -> bool:
        """Whether a line is about another record, as its bytes say."""
        return self._needle is not None and self._needle not in line and _OTHER_ID.match(line) is not None

    def is_about(self, fields: Fields) -> bool:
        """Whether a row is about the record, or made of it."""
        own = record_id(fields)
        if "index" in fields and str(fields["index"]) == self.name:
            self.ids_by_index.add(own)
        names = [own, response_name(fields), f"{own}/{fields.get('model')}"]
        source = fields.get("source")
        if isinstance(source, str):
            names += source.split(" > ")
        found = any(one == self.name or one.startswith(f"{self.name}/") for one in names)
        question = question_of(fields)
        if found and question is not None:
            self.questions.add(question)
        return found or ("id" not in fields and question in self.questions)


def read_file(path: str, target: Target) -> TracedFile:
    """Reads a file and keeps the rows about `target`. Raises Fatal(2) if it cannot be read."""
    file = TracedFile(path)
    for ending in ("", *COMPRESSED):
        manifest = Manifest.read(path.removesuffix(ending) + ".libra.json") if path.endswith(ending) else None
        if manifest is not None and manifest["stage"] in ORDER:
            filtered = manifest.get("filtered")
            file.stage, file.filtered = manifest["stage"], dict(filtered) if isinstance(filtered, dict) else {}
            break
    source = InputFiles([path])
    try:
        while (batch := source.read()) is not None:
            for number, line in enumerate(batch.lines, batch.first):
                file.n_read += 1
                if (file.stage and target.cannot_be(line)) or not line.strip():
                    continue
                try:
                    fields = parse(line.strip(b" \t\r"))
                except RowError:
                    file.unreadable += 1
                    continue
                found = [*about(number, fields, target)]
                file.stage = file.stage or stage_of(found[0].refused or found[0].fields if found else fields)
                file.rows += found
    finally:
        source.close()
    return file


def about(number: int, fields: Fields, target: Target) -> Iterator[TracedRow]:
    """The row on line `number` if it is about `target`, or the row that a line of an --errors file holds."""
    if {"class", "reason", "row_sha256"} <= fields.keys():
        try:
            refused = parse(str(fields.get("row", "")).encode())
        except RowError:
            return
        if target.is_about(refused):
            yield TracedRow(number, refused, fields)
    elif target.is_about(fields):
        yield TracedRow(number, fields)


def stage_of(fields: Fields) -> str:
    """The stage that writes rows of this form; empty for none."""
    if {"class", "reason", "row_sha256"} <= fields.keys():
        return str(fields.get("stage", ""))
    if "messages" in fields and "source" in fields:
        return "rs-filter"
    if "source" in fields and ("chosen" in fields or "completion" in fields):
        return "dpo-pairs"
    if "judge" in fields or "judgments" in fields:
        return "judge"
    if "label" in fields and ("verification" in fields or "response" in fields):
        return "verify" if "verification" in fields and "response_with_cot" in fields else "balance"
    if "response" in fields or "response_with_cot" in fields:
        return "rollout"
    return "collect" if question_of(fields) is not None else ""
