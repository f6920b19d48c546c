"""Pieces of inline SVG with the colours of the page, light or dark.

Strips are as wide as their column, with text of a fixed size, so that a narrow window keeps them readable. Squares have
a fixed drawing area, which shrinks as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor, log10

from libra_cli.reports.layout import NAME_CHARS, clipped
from libra_cli.reports.page_text import text

SERIES = 6
"""Number of distinct colours."""
WIDTH, HEIGHT = 320, 300
LEFT, RIGHT, TOP, BOTTOM = 50, 306, 12, 250
"""Size of a square, and the edges of the area inside its axes."""

Shown = Callable[[float], str]


def figure(caption: str, description: str, drawn: str, size: str, key: str = "") -> str:
    """A drawing with caption and key; screen readers get `description`; `size` has the attributes of its size."""
    return (
        f'<figure><figcaption>{text(caption)}</figcaption><svg role="img" aria-label="{text(description)}" {size}>'
        f"{drawn}</svg>{key}</figure>\n"
    )


def strip(caption: str, description: str, drawn: str, height: int) -> str:
    """A figure as wide as its column, `height` pixels high."""
    return figure(caption, description, drawn, f'width="100%" height="{height}"')


def square(caption: str, description: str, drawn: str, key: str = "") -> str:
    """A figure of WIDTH x HEIGHT."""
    return figure(caption, description, drawn, f'viewBox="0 0 {WIDTH} {HEIGHT}" class="square"', key)


def word(x: float | str, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Text at a position; a clipped name is complete in its tooltip."""
    tooltip = f"<title>{text(words)}</title>" if len(words) > NAME_CHARS else ""
    with_class = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{with_class} text-anchor="{anchor}">{text(clipped(words))}{tooltip}</text>'


def line(x1: float | str, y1: float, x2: float | str, y2: float, kind: str) -> str:
    """A straight line between two positions."""
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="{kind}"/>'


def x_of(share: float) -> str:
    """A horizontal position on a strip: 0 is its left end, 1 its right end."""
    return f"{100 * min(max(share, 0.0), 1.0):.2f}%"


def whisker(low: float, high: float, y: float) -> str:
    """An interval on a strip, with its two ends."""
    ends = "".join(line(x_of(end), y - 4, x_of(end), y + 4, "whisker") for end in (low, high))
    return line(x_of(low), y, x_of(high), y, "whisker") + ends


class ChartAxes:
    """The axes of a square: converts values to positions, and draws the axes."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]):
        self._x, self._y = x, y

    def place(self, x: float, y: float) -> tuple[float, float]:
        """The position of (x, y) in pixels, to one decimal."""
        (x0, x1), (y0, y1) = self._x, self._y
        return (
            round(LEFT + (x - x0) / (x1 - x0) * (RIGHT - LEFT), 1),
            round(BOTTOM - (y - y0) / (y1 - y0) * (BOTTOM - TOP), 1),
        )

    def drawn(self, x_name: str, y_name: str, shown: Shown) -> str:
        """Draws grid, ticks and names."""
        grid = ""
        for tick in ticks(*self._x):
            x, _ = self.place(tick, self._y[0])
            grid += line(x, TOP, x, BOTTOM, "grid") + word(x, BOTTOM + 16, shown(tick), "tick", "middle")
        for tick in ticks(*self._y):
            _, y = self.place(self._x[0], tick)
            grid += line(LEFT, y, RIGHT, y, "grid") + word(LEFT - 6, y + 4, shown(tick), "tick", "end")
        middle = (TOP + BOTTOM) / 2
        y_label = (
            f'<text x="12" y="{middle}" transform="rotate(-90 12 {middle})" text-anchor="middle">{text(y_name)}</text>'
        )
        return grid + word((LEFT + RIGHT) / 2, HEIGHT - 12, x_name, "", "middle") + y_label

    def path(self, points: Sequence[tuple[float, float]], kind: str) -> str:
        """A line through points."""
        joined = " ".join(f"{x},{y}" for x, y in (self.place(*point) for point in points))
        return f'<polyline points="{joined}" class="{kind}"/>'


def ticks(low: float, high: float) -> list[float]:
    """About five round values within [low, high]."""
    rough = (high - low) / 4
    unit = 10 ** floor(log10(rough))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough * 0.999)
    first = ceil(low / step - 1e-9)
    return [round(number * step, 10) for number in range(first, floor(high / step + 1e-9) + 1)]


def spread(values: Sequence[float]) -> tuple[float, float]:
    """A range with some room around the values."""
    low, high = min(values), max(values)
    room = (high - low) * 0.12 or 0.05 * (abs(high) or 1)
    return low - room, high + room
