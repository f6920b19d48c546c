"""The line for the shell of a step that is no command of libra: what stands in it, and what it reads."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterable

from libra_cli.cli.config_file import ConfigValue
from libra_cli.stages.run.pipe_file import REFERENCE, PipeError, found_value, scalar
from libra_cli.stages.run.shell_quoting import Kind, Standing, standings

BASH = ("bash", "-euo", "pipefail", "-c")
"""Runs a line, which fails with any command in it, and with any part of a pipe."""

_CURES: dict[Kind, str] = {
    "quotes": "within quotation marks; leave these out: values are quoted where they must be",
    "arithmetic": "in arithmetic; give a number",
    "backquotes": "within backquotes; write $(...) in place of these",
    "comment": "in a comment; leave it out",
    "backslash": "behind a backslash; leave that out: values are quoted where they must be",
    "unknown": "behind a case within a substitution; give it to a variable of the shell on a line before, and use that",
}


def filled_line(
    place: str, given: ConfigValue, known: Callable[[str], ConfigValue | None], names: Iterable[str]
) -> str:
    """A line with a word for each `${NAME}`, or words for a list, quoted where they must be; raises PipeError.

    Within quotation marks of the line, where words cannot be quoted, only one is taken that needs no quotes. The text
    of a here-document holds the values themselves.
    """
    at, line = f"{place}:{given.line}", given.text
    if not isinstance(line, str) or not line.strip():
        raise PipeError(at, "command takes a line for the shell: command: python prepare.py ${inputs}")
    line = line.strip()
    parts, end, standing_of = list[str](), 0, standings(line)
    for match in REFERENCE.finditer(line):
        parts.append(line[end : match.start()])
        end = match.end()
        if match[1] is None:
            parts.append("$")
            continue
        found = found_value(at, match[1], known, names)
        values = list(map(str, found.text)) if isinstance(found.text, list) else [scalar(at, match[1], known, names)]
        parts.append(_put_in(at, match[1], values, standing_of[match.start()]))
    filled = "".join([*parts, line[end:]])
    try:
        words, plain = [*BASH[:1], "-n", *BASH[1:], filled], {**os.environ, "LC_ALL": "C"}
        checked = subprocess.run(words, capture_output=True, text=True, check=False, env=plain)
    except FileNotFoundError:
        raise PipeError(at, "command needs bash, which is not there; install it") from None
    if checked.returncode or "here-document" in checked.stderr:  # bash only warns of one without an end
        said = next(iter(checked.stderr.splitlines()), "").removeprefix("bash: ").removeprefix("-c: ")
        raise PipeError(at, f"command is no line for bash: {said}")
    return filled


def _put_in(at: str, name: str, values: list[str], standing: Standing) -> str:
    """What stands in a line for the reference to these values; raises PipeError."""
    words, plain = " ".join(map(shlex.quote, values)), " ".join(values)
    if standing.kind in ("text", "verbatim"):
        if "\n" in plain or plain.strip() == standing.delimiter:
            reason = f"would end or break the here-document of {standing.delimiter}"
            raise PipeError(at, f"${{{name}}} is {words}, which {reason}; write it with printf")
        return re.sub(r"[\\$`]", r"\\\g<0>", plain) if standing.kind == "text" else plain
    is_plain = words == "".join(values)
    if is_plain or standing.kind == "word" or (standing.kind == "comment" and "\n" not in plain):
        return words
    raise PipeError(at, f"${{{name}}} is {words}, which cannot stand {_CURES[standing.kind]}")


def words_of(line: str) -> list[str]:
    """The words of a shell line, without its operators, as far as that can be told without a shell."""
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split, words.commenters = True, ""
    try:
        return [word for word in words if word]
    except ValueError:  # a here-document may hold any text
        return line.split()


def redirected(line: str, output: str | None) -> str:
    """The line as a shell script has it, with what it prints in `output`; in a subshell unless it is one pipe."""
    into = "" if output is None else f" > {shlex.quote(output)}"
    operators = {word for word in words_of(line) if word.startswith("#") or not word.strip("();<>|&")}
    is_pipe = "\n" not in line and all(word in ("|", "<") or not word.strip("()") for word in operators)
    return f"{line}{into}" if is_pipe else f"(\n{line}\n){into}"
