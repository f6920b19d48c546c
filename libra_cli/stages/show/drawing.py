"""Draws the view of a row in lines of a given width: nothing in them is wider, or controls the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len

from libra_cli.stages.show.row_view import Passage, RowView
from libra_cli.stream.console import safe_text
from libra_cli.stream.wrapping import fitting, wrapped

ENDS = 3
"""Lines of folded thinking that are shown of its beginning, and of its end."""
BOLD, DIM, RED, OFF = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[0m"


@dataclass(frozen=True)
class Drawing:
    """How rows are drawn: in `width` columns, in bold, dim and red if `styled`, thinking whole or folded."""

    width: int
    styled: bool = False
    whole: bool = False

    def lines(self, view: RowView) -> Iterator[str]:
        """The lines of a row, without line ends; the last one is blank."""
        place = _tail(view.place, self.width - 4)
        yield self._in(BOLD, f"── {place} ".ljust(self.width - cell_len(place) + len(place), "─"))
        yield from self._facts(view)
        for passage in view.passages:
            yield from self._passage(passage)
        yield ""

    def _facts(self, view: RowView) -> Iterator[str]:
        """`name value` side by side as far as they fit, an over-long one on lines of its own."""
        line = ""
        for name, value in view.facts:
            text = f"{name} {safe_text(value.replace(chr(10), ' '))}".strip()
            joined = f"{line}  {text}" if line else text
            if cell_len(joined) <= self.width:
                line = joined
                continue
            if line:
                yield self._in(DIM, line)
            *full, line = wrapped(text, self.width) or [""]
            for one in full:
                yield self._in(DIM, one)
        if line:
            yield self._in(DIM, line)

    def _passage(self, passage: Passage) -> Iterator[str]:
        margin = "  " * passage.depth
        if not passage.depth:
            yield ""
        style = RED + BOLD if passage.is_wrong else DIM if passage.folds else "" if passage.depth else BOLD
        body = wrapped(passage.text, self.width - len(margin) - 2)
        folded = len(body) - 2 * ENDS
        is_folded = passage.folds and not self.whole and folded > 1
        for line in wrapped(passage.title, self.width - len(margin)):
            yield margin + self._in(style, line)
        for at, line in enumerate(body):
            if is_folded and at == ENDS:
                note = f"… {folded:,} of {len(body):,} lines folded, {len(passage.text):,} characters (--thinking)"
                for part in wrapped(note, self.width - len(margin) - 2):
                    yield f"{margin}  {self._in(DIM, part)}"
            if not is_folded or at < ENDS or at >= len(body) - ENDS:
                yield f"{margin}  {self._in(DIM, line) if passage.folds and line else line}".rstrip()
        if not body and passage.text == "" and not passage.title.startswith("Judge") and not passage.depth:
            yield f"{margin}  {self._in(DIM, '(empty)')}"

    def _in(self, style: str, text: str) -> str:
        return f"{style}{text}{OFF}" if self.styled and style else text


def _tail(text: str, width: int) -> str:
    """One line of at most `width` columns: the end of a path, where names differ."""
    line = safe_text(text.replace("\n", " "))
    while cell_len(line) > width:
        line = "…" + line[max(2, len(line) - fitting(line[::-1], 0, width - 1)) :]
    return line
