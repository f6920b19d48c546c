"""Pieces of inline SVG whose colours are the page's, so that they follow its scheme, light or dark.

Strips are as wide as their column, with text of a fixed size: they can be read in a narrow window. Squares have a fixed
drawing area of their own, which shrinks as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor, log10

from libra_cli.reports.layout import NAME_CHARS, clipped
from libra_cli.reports.page_text import text

SERIES = 6
"""Colours that are told apart."""
WIDTH, HEIGHT = 320, 300
LEFT, RIGHT, TOP, BOTTOM = 50, 306, 12, 250
"""Of a square, and of the area inside its axes."""

Shown = Callable[[float], str]


def figure(caption: str, said: str, drawn: str, size: str, key: str = "") -> str:
    """A drawing with its caption and key; `said` is read out instead of it; `size` are the attributes of its size."""
    return (
        f'<figure><figcaption>{text(caption)}</figcaption><svg role="img" aria-label="{text(said)}" {size}>'
        f"{drawn}</svg>{key}</figure>\n"
    )


def strip(caption: str, said: str, drawn: str, height: int) -> str:
    """A figure as wide as there is room, `height` pixels high."""
    return figure(caption, said, drawn, f'width="100%" height="{height}"')


def square(caption: str, said: str, drawn: str, key: str = "") -> str:
    """A figure of WIDTH x HEIGHT."""
    return figure(caption, said, drawn, f'viewBox="0 0 {WIDTH} {HEIGHT}" class="square"', key)


def word(x: float | str, y: float, said: str, kind: str = "", anchor: str = "start") -> str:
    """Text at a place; a name that is clipped is whole in its tooltip."""
    whole = f"<title>{text(said)}</title>" if len(said) > NAME_CHARS else ""
    marked = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{marked} text-anchor="{anchor}">{text(clipped(said))}{whole}</text>'


def line(x1: float | str, y1: float, x2: float | str, y2: float, kind: str) -> str:
    """A straight line between two places."""
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="{kind}"/>'


def at(share: float) -> str:
    """A place on a strip: 0 is its left end, 1 its right end."""
    return f"{100 * min(max(share, 0.0), 1.0):.2f}%"


def whisker(low: float, high: float, y: float) -> str:
    """An interval on a strip, with its two ends."""
    ends = "".join(line(at(end), y - 4, at(end), y + 4, "whisker") for end in (low, high))
    return line(at(low), y, at(high), y, "whisker") + ends


class ChartAxes:
    """The axes of a square: places of values, and the drawing of both axes."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]):
        self._x, self._y = x, y

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where (x, y) is drawn, in pixels to one decimal."""
        (x0, x1), (y0, y1) = self._x, self._y
        return (
            round(LEFT + (x - x0) / (x1 - x0) * (RIGHT - LEFT), 1),
            round(BOTTOM - (y - y0) / (y1 - y0) * (BOTTOM - TOP), 1),
        )

    def drawn(self, x_name: str, y_name: str, shown: Shown) -> str:
        """Grid, ticks and names."""
        found = ""
        for tick in ticks(*self._x):
            x, _ = self.place(tick, self._y[0])
            found += line(x, TOP, x, BOTTOM, "grid") + word(x, BOTTOM + 16, shown(tick), "tick", "middle")
        for tick in ticks(*self._y):
            _, y = self.place(self._x[0], tick)
            found += line(LEFT, y, RIGHT, y, "grid") + word(LEFT - 6, y + 4, shown(tick), "tick", "end")
        middle = (TOP + BOTTOM) / 2
        turned = (
            f'<text x="12" y="{middle}" transform="rotate(-90 12 {middle})" text-anchor="middle">{text(y_name)}</text>'
        )
        return found + word((LEFT + RIGHT) / 2, HEIGHT - 12, x_name, "", "middle") + turned

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
