"""Text tables for the summaries that stages write to stderr."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from libra_cli.stream.console import printable

WIDTH = 80
Line = Sequence[str]


def render_table(header: Line, lines: Iterable[Line | None], width: int = WIDTH, texts: Sequence[int] = (0,)) -> str:
    """Renders lines under a header in at most `width` columns; None draws a rule.

    The columns numbered in `texts` are left-aligned and wrap; the others hold numbers.
    """
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE, pad_edge=False, show_edge=False)
    for number, name in enumerate(header):
        if number in texts:
            drawn.add_column(Text(name), overflow="fold")
        else:
            drawn.add_column(Text(name), justify="right", no_wrap=True)
    for line in lines:
        if line is None:
            drawn.add_section()
        else:
            drawn.add_row(*(Text(printable(cell)) for cell in line))
    text = io.StringIO()
    Console(file=text, width=width, color_system=None).print(drawn)
    return "".join(line.rstrip() + "\n" for line in text.getvalue().splitlines())
