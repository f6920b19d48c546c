"""The tables of the summaries that stages write on stderr."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from libra_cli.stream.console import printable

WIDTH = 80
Line = Sequence[str]


def render_table(header: Line, lines: Iterable[Line | None], width: int = WIDTH, texts: Sequence[int] = (0,)) -> str:
    """Lines under a header as text of at most `width` columns; None is a rule between lines.

    The columns `texts` are text, whose long entries go on in the next line; the others are numbers.
    """
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE, pad_edge=False, show_edge=False)
    for at, name in enumerate(header):
        if at in texts:
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
