"""Examples of a command in lines of a given width: still shell that can be pasted."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

_WORD = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")
_OPERATORS = ("|", "&&", "||")
_JOINS = (">", ">>", "<")
"""Operators that belong to the word behind them."""
_INDENT = "    "


def example_lines(examples: Sequence[str], width: int) -> list[str]:
    """The lines of `examples`, none wider than `width` unless a single word is.

    A long command goes on behind a pipe, or else behind a backslash. Remarks stand behind their commands if there is
    room for all of them, else above.
    """
    if all(len(example) <= width for example in examples):
        return list(examples)
    parted = [_parted(example) for example in examples]
    column = 2 + max((len(command) for command, remark in parted if remark), default=0)
    beside = all(column + len(remark) <= width for _, remark in parted)
    lines: list[str] = []
    for command, remark in parted:
        if remark and not beside:
            lines += textwrap.wrap(remark, width, subsequent_indent="# ", break_on_hyphens=False)
            remark = ""
        lines += [f"{command:{column}}{remark}"] if remark else _command_lines(command, width)
    return lines


def _parted(example: str) -> tuple[str, str]:
    """A command, and the remark behind it."""
    start = next((word.start() for word in _WORD.finditer(example) if word.group().startswith("#")), len(example))
    return example[:start].rstrip(), example[start:]


def _command_lines(command: str, width: int) -> list[str]:
    """The lines of a command; those after the first are indented."""
    if len(command) <= width:
        return [command]
    lines = [""]
    for part in _parts(command):
        joined = f"{lines[-1]} {part}" if lines[-1].strip() else lines[-1] + part
        if len(joined) <= width:
            lines[-1] = joined
            continue
        first, *more = _broken(part, width - len(_INDENT))
        new = [first, *(_INDENT + line for line in more)]
        lines = [*lines, *(_INDENT + line for line in new)] if lines[-1] else new
    return lines


def _parts(command: str) -> Iterator[str]:
    """The commands of a pipe or list, each with the operator behind it."""
    words: list[str] = []
    for word in _WORD.findall(command):
        words.append(word)
        if word in _OPERATORS or word.endswith(";"):
            yield " ".join(words)
            words = []
    if words:
        yield " ".join(words)


def _broken(part: str, width: int) -> list[str]:
    """One command in lines that end in a backslash; an option stays with its value."""
    words = _WORD.findall(part)
    units: list[str] = []
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        is_value = before.startswith("-") and not word.startswith(("-", *_JOINS))
        if units and (is_value or before in _JOINS or word in _OPERATORS):
            units[-1] += f" {word}"
        else:
            units.append(word)
    lines = [units[0]]
    for at, unit in enumerate(units[1:], 2):
        room = width if at == len(units) else width - 2
        if len(lines[-1]) + 1 + len(unit) <= room:
            lines[-1] += f" {unit}"
        else:
            lines[-1] += " \\"
            lines.append(unit)
    return lines
