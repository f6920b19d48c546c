"""Reads all files, and tells the lives of a problem and its responses."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from libra_cli.exits import Exit, Fatal
from libra_cli.plural import counted
from libra_cli.records.short_ids import how_to_name, only_one
from libra_cli.stages.trace.files import Target, TracedFile, read_file
from libra_cli.stages.trace.responses import PROBLEM
from libra_cli.stages.trace.steps import Life, lives_of
from libra_cli.stream.console import printable, safe_text, write_message
from libra_cli.stream.rows import dumps, record_id
from libra_cli.stream.text_width import text_width
from libra_cli.stream.wrapping import wrapped

_NAMES = ("question", "reference", "subset", "index")


def trace(name: str, paths: Sequence[str], as_json: bool) -> Exit:
    """Writes the steps of the record `name`; raises Fatal(2) if no file has it."""
    target = Target(name)
    files = [read_file(path, target) for path in paths]
    if target.questions:  # rows without an id, in a file that was read before the question was known
        late = [at for at, file in enumerate(files) if not file.rows and file.stage == "balance"]
        for at in late:
            files[at] = read_file(files[at].path, target)
    files.sort(key=lambda file: (file.rank, file.is_guess, -file.n_read))  # stages that pass rows on leave some out
    name = _full_name(target, files)
    for file in files:
        file.rows = [row for row in file.rows if row.name == name]
    found = [row for file in files for row in file.rows]
    for file in files:
        if file.unreadable:
            write_message(f"libra trace: {printable(file.path)}: {file.unreadable:,} lines are no rows\n")
    if not found:
        n_rows = sum(file.n_read for file in files)
        by_index = ", ".join(sorted(target.ids_by_index)[:5])
        cure = f"{how_to_name(name)} (libra show prints it)"
        hint = f"it is the index of {by_index}; name that" if by_index else cure
        raise Fatal(Exit.USAGE, f"no row is about {name} among {counted(n_rows, 'row')}; {hint}")
    record = next((record_id(row.fields) for row in found if "id" in row.fields), record_id(found[0].fields))
    lives = lives_of(record, files)
    lines = as_objects(record, lives) if as_json else as_lines(record, lives, files)
    out = sys.stdout.buffer
    for line in lines:
        out.write(line + b"\n")
    out.flush()
    return Exit.DONE


def _full_name(target: Target, files: Sequence[TracedFile]) -> str:
    """What is traced, with its id written out; raises Fatal(2) if the ids of several records begin like it."""
    names = {row.name: None for file in files for row in file.rows}
    if target.name in names or not names:
        return target.name
    return only_one(target.name, names)


def as_objects(record: str, lives: Sequence[Life]) -> Iterator[bytes]:
    """A JSON object for each step."""
    for life in lives:
        sample = life.key[1] if life.is_sampled else None
        named = {"name": life.name, "id": record, "model": life.key[0] or None, "sample": sample}
        for step in life.steps:
            place = {"stage": step.written_by, "file": step.file, "line": step.line or None, "found": step.found}
            yield dumps({**named, **place, "text": step.text, **step.facts})


def as_lines(record: str, lives: Sequence[Life], files: Sequence[TracedFile]) -> Iterator[bytes]:
    """The problem, then each response with its steps, for people."""
    width = text_width(1)
    rows = [row.fields for file in files for row in file.rows]
    responses = [life for life in lives if life.key != PROBLEM]
    counted = "1 response" if len(responses) == 1 else f"{len(responses)} responses"
    yield from _wrapped(f"{record}: {counted}", "", width)
    for name in _NAMES:
        value = next((fields[name] for fields in rows if fields.get(name) is not None), None)
        if value is not None:
            text = " ".join(str(value).split())
            yield from _wrapped(f"{name:9}  {text}", "  ", width, 3)
    for life in lives:
        if life.key != PROBLEM:
            yield b""
            yield from _wrapped(life.name, "", width)
        for step in life.steps:
            place = f"{step.file}:{step.line}" if step.found else step.file
            yield from _wrapped(f"{step.written_by:9}  {place}  {step.text}".rstrip(), "  ", width, 4)


def _wrapped(text: str, margin: str, width: int, most: int = 2) -> Iterator[bytes]:
    """At most `most` lines of a text; those after the first are indented more."""
    lines = wrapped(safe_text(text), max(20, width - len(margin) - 2))
    for at, line in enumerate(lines[:most]):
        end = " …" if at == most - 1 and len(lines) > most else ""
        yield f"{margin}{'  ' if at else ''}{line}{end}".rstrip().encode("utf-8", "backslashreplace")
