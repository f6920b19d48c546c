"""How a reference stands in a line for bash: as a word, within quotation marks, in a here-document.

A command substitution has quotation marks of its own, whatever it stands in. Source: bash(1), QUOTING, Command
Substitution, Here Documents.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from libra_cli.stages.run.pipe_file import REFERENCE

Kind = Literal["word", "quotes", "arithmetic", "backquotes", "text", "verbatim", "comment", "backslash", "unknown"]


class Standing(NamedTuple):
    """How a reference stands; a here-document (`text`, or `verbatim` without expansions) ends with `delimiter`."""

    kind: Kind
    delimiter: str = ""


class _Open(NamedTuple):
    """What is open at a place of the line: `(` a command, `{` a parameter, `((` arithmetic, `<<` a here-document."""

    mark: str
    end: int = 0
    delimiter: str = ""


class _Document(NamedTuple):
    """A here-document whose text begins on the next line."""

    delimiter: str
    is_verbatim: bool
    has_tabs: bool


_DOCUMENT = re.compile(r"<<(-?)[ \t]*((?:'[^'\n]*'|\"[^\"\n]*\"|\\.|[^\s;&|<>()'\"\\$])+)")
_CASE = re.compile(r"case\s")
_STANDINGS: dict[str, Kind] = {"(": "word", "((": "arithmetic", "[": "arithmetic", "#": "comment"}


def standings(line: str) -> dict[int, Standing]:
    """How each reference of a line stands, by the index at which it begins."""
    return _Scan(line).found


class _Scan:
    """Reads a line once, from left to right."""

    def __init__(self, line: str):
        self._line, self._at = line, 0
        self._open = [_Open("(")]
        self._documents: list[_Document] = []
        self._is_known = True
        self.found: dict[int, Standing] = {}
        while self._at < len(line):
            self._step()

    def _step(self) -> None:
        """Reads what stands at one place."""
        line, at, top = self._line, self._at, self._open[-1]
        if top.mark == "<<" and at >= top.end:
            self._close()
            self._skip_delimiter(top)
        elif reference := REFERENCE.match(line, at):
            self._read_reference(reference)
        elif line[at] == "\\" and top.mark not in ("'", "#"):
            escaped = REFERENCE.match(line, at + 1)
            if escaped and escaped[1] is not None:
                self.found[at + 1] = Standing("backslash")
            self._at = escaped.end() if escaped else at + 2
        elif top.mark in ("'", "$'"):
            self._closes("'")
        elif top.mark == "#":
            if line[at] == "\n" or (line[at] == "`" and any(each.mark == "`" for each in self._open)):
                self._close()
            else:
                self._at += 1
        elif not self._opens_substitution():
            self._read_as(top)

    def _read_reference(self, reference: re.Match[str]) -> None:
        self._at = reference.end()
        if reference[1] is not None:
            self.found[reference.start()] = self._standing()
        elif self._open[-1].mark not in ("'", "$'", "#"):
            self._push("{", 1)  # a parameter of the shell

    def _opens_substitution(self) -> bool:
        """Whether a substitution begins or ends here, which it does in commands, double quotes and here-documents."""
        line, at = self._line, self._at
        if line.startswith("$((", at):
            self._push("((", 3)
        elif line.startswith("$(", at):
            self._push("(", 2)
        elif line[at] != "`":
            return False
        elif any(each.mark == "`" for each in self._open):
            while self._open[-1].mark != "`":
                self._close()
            self._closes("`")
        else:
            self._push("`", 1)
        return True

    def _read_as(self, top: _Open) -> None:
        """Reads a character by what is open."""
        if top.mark in ("(", "`"):
            self._read_command()
        elif top.mark == '"':
            self._closes('"')
        elif top.mark == "{":
            char, around = self._line[self._at], self._around_parameter()
            if char == '"' or (char == "'" and around.mark in ("(", "`")):
                self._push(char, 1)
            else:
                self._closes("}")
        elif top.mark in ("((", "["):
            if self._line[self._at] == "(":
                self._push("[", 1)
            else:
                self._closes("))" if top.mark == "((" else ")")
        else:
            self._at += 1

    def _read_command(self) -> None:
        line, at = self._line, self._at
        is_word_begin = at == 0 or line[at - 1] in " \t\n;&|()`"
        if line.startswith("$'", at):
            self._push("$'", 2)
        elif line[at] in "'\"":
            self._push(line[at], 1)
        elif line[at] == "#" and is_word_begin:
            self._push("#", 1)
        elif line.startswith("<<<", at):
            self._at += 3
        elif document := self._document():
            self._documents.append(document)
        elif line[at] == "\n" and self._documents:
            self._begin_document(at + 1)
        elif line[at] == "(":
            self._push("(", 1)
        elif line[at] == ")" and len(self._open) > 1 and self._open[-1].mark == "(":
            self._closes(")")
        else:
            if is_word_begin and _CASE.match(line, at) and any(each.mark != "(" for each in self._open):
                self._is_known = False  # its patterns end with a `)` that closes nothing
            self._at += 1

    def _document(self) -> _Document | None:
        """Reads the beginning of a here-document if one begins here and ends below: `1 << 2` does not."""
        found = _DOCUMENT.match(self._line, self._at)
        if found is None:
            return None
        delimiter = re.sub(r"\\(.)|['\"]", r"\1", found[2])
        if not re.search(rf"\n\t*{re.escape(delimiter)}(?:\n|\Z)", self._line[found.end() :]):
            return None
        self._at = found.end()
        return _Document(delimiter, delimiter != found[2], bool(found[1]))

    def _begin_document(self, begin: int) -> None:
        """Opens the first here-document that waits, or reads a verbatim one at once."""
        document, line = self._documents.pop(0), self._line
        end, is_joined = begin, False
        while end < len(line):
            text = line[end:].partition("\n")[0]
            if not is_joined and (text.lstrip("\t") if document.has_tabs else text) == document.delimiter:
                break
            is_joined = not document.is_verbatim and (len(text) - len(text.rstrip("\\"))) % 2 == 1
            end += len(text) + 1
        end = min(end, len(line))
        opened = _Open("<<", end, document.delimiter)
        self._at = begin
        if not document.is_verbatim:
            self._open.append(opened)
            return
        for reference in REFERENCE.finditer(line, begin, end):
            self.found[reference.start()] = Standing("verbatim", document.delimiter)
        self._skip_delimiter(opened)

    def _skip_delimiter(self, document: _Open) -> None:
        end = self._line.find("\n", document.end)
        self._at = len(self._line) if end < 0 else end
        if self._documents and end >= 0:
            self._begin_document(end + 1)

    def _push(self, mark: str, width: int) -> None:
        self._open.append(_Open(mark))
        self._at += width

    def _close(self) -> None:
        self._open.pop()

    def _closes(self, end: str) -> None:
        """Closes what is open if it ends here; goes on behind that, or by one character."""
        ends = self._line.startswith(end, self._at)
        if ends:
            self._close()
        self._at += len(end) if ends else 1

    def _standing(self) -> Standing:
        if not self._is_known:
            return Standing("unknown")
        if any(each.mark == "`" for each in self._open):
            return Standing("backquotes")
        top = self._around_parameter()
        if top.mark == "<<" and self._open[-1] is top:
            return Standing("text", top.delimiter)
        return Standing(_STANDINGS.get(top.mark, "quotes"))

    def _around_parameter(self) -> _Open:
        """The innermost that is open and no parameter of the shell."""
        return next(each for each in reversed(self._open) if each.mark != "{")
