"""The rows of files that are about one record, found without parsing those that cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from libra_cli.records.responses import question_of
from libra_cli.records.short_ids import written_out
from libra_cli.stages.trace.responses import text_hash
from libra_cli.stream.decompression import COMPRESSED
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.resume import Manifest
from libra_cli.stream.rows import Fields, RowError, parse, record_id, response_name

_OTHER_ID = re.compile(rb'\s*\{\s*"id"\s*:\s*(?:"[^"\\]*"|-?[0-9]+)\s*[,}]')
"""How a row begins whose id is written without escapes: without the text of an id it is not about that."""
_PLAIN = re.compile(r"[A-Za-z0-9_.:-]+")
ORDER = ("collect", "rollout", "verify", "review", "balance", "mix", "judge", "rs-filter", "dpo-pairs")
"""Stages in the order in which a record passes them."""


@dataclass
class TracedRow:
    """A row about the record."""

    line: int
    fields: Fields
    name: str
    """What it is about: the name that was given, with the id written out."""
    refused: Fields | None = None
    """The line of an --errors file that holds the row."""


@dataclass
class TracedFile:
    """A file, the stage that wrote it, and what it has about the record."""

    path: str
    stage: str = ""
    is_guess: bool = False
    """Whether only the form of the rows tells the stage, and no manifest."""
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
    """The record that is looked for, by its id or the beginning of it."""

    def __init__(self, name: str):
        self.name = name
        first = name.partition("/")[0]
        self._needle = first.encode() if _PLAIN.fullmatch(first) else None
        self.questions: dict[str, str] = {}
        """Questions of rows with the id, and what those are about: a row without an id is known by them."""
        self.ids_by_index: set[str] = set()
        """Ids of rows whose index is the name."""

    def cannot_be(self, line: bytes) -> bool:
        """Whether a line is about another record, as its bytes say."""
        return self._needle is not None and self._needle not in line and _OTHER_ID.match(line) is not None

    def named(self, fields: Fields) -> str | None:
        """The name, its id written out, of what a row is about or made of; None if that is another record."""
        own = record_id(fields)
        if "index" in fields and str(fields["index"]) == self.name:
            self.ids_by_index.add(own)
        names = [own, response_name(fields), f"{own}/{fields.get('model')}"]
        if fields.get("sample") is None and fields.get("model") is not None:
            names.append(f"{names[-1]}/{text_hash(fields)}")
        source = fields.get("source")
        if isinstance(source, str):
            names += source.split(" > ")
        for name in dict.fromkeys((self.name, written_out(self.name, own))):
            if any(one == name or one.startswith(f"{name}/") for one in names):
                if (question := question_of(fields)) is not None:
                    self.questions[question] = name
                return name
        return self.questions.get(question_of(fields) or "") if "id" not in fields else None


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
                if not file.stage:
                    file.stage = stage_of(found[0].refused or found[0].fields if found else fields)
                    file.is_guess = True
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
        if (name := target.named(refused)) is not None:
            yield TracedRow(number, refused, name, fields)
    elif (name := target.named(fields)) is not None:
        yield TracedRow(number, fields, name)


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
