"""Reads the events that a training run has written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.reader import BadLine, read_rows
from libra_cli.training.run_dir import EVENTS

Event = dict[str, Any]


def read_events(path: str) -> Iterator[Event]:
    """The events of a run: of its folder, its standard output in a file, or `-`.

    A line that was cut off at the end is that of a run at work, or killed. Raises Fatal(2) naming the line.
    """
    file = path
    if path != "-" and Path(path).is_dir():
        file = str(Path(path, EVENTS))
        if not Path(file).is_file():
            cure = "name the -o of libra sft, dpo or grpo, or the file with its standard output"
            raise Fatal(Exit.USAGE, f"{path}: is not the folder of a training run ({EVENTS} is missing); {cure}")
    with closing(read_rows(InputFiles([file]))) as entries:
        for entry in entries:
            if isinstance(entry, BadLine):
                if entry.error.kind == "truncated_line":
                    return
                raise Fatal(Exit.USAGE, f"{entry.place}: {entry.error}")
            event = entry.fields
            if not isinstance(event.get("event"), str) or type(event.get("step")) is not int:
                cure = "name a file that libra sft, dpo or grpo wrote to standard output"
                raise Fatal(Exit.USAGE, f'{entry.place}: no "event" with its "step"; {cure}')
            yield event
