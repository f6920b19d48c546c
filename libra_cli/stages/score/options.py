"""Options that `libra score` and `libra score correlate` share, and the forms of their values. Imports click only."""

from __future__ import annotations

from typing import Any

import click

from libra_cli.choices import THRESHOLD_SEARCHES
from libra_cli.cli.numbers import NumberType

FEWEST_RESAMPLES, MOST_RESAMPLES = 100, 1_000_000


class Threshold(click.ParamType):
    """A number, or how to find one."""

    name = "threshold"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        """A finite number, or one of THRESHOLD_SEARCHES."""
        if value in THRESHOLD_SEARCHES:
            return str(value)
        try:
            number: float = NumberType(float).convert(value, param, ctx)
        except click.BadParameter as error:
            self.fail(f"{error.message}, nor one of {', '.join(THRESHOLD_SEARCHES)}", param, ctx)
        return number


class Resamples(NumberType):
    """How many resamples: none, or so many that the ends of a 95% interval are not the extremes of a few."""

    def __init__(self) -> None:
        super().__init__(int, 0, MOST_RESAMPLES)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """0, or a number from FEWEST_RESAMPLES."""
        number: int = super().convert(value, param, ctx)
        if 0 < number < FEWEST_RESAMPLES:
            self.fail(
                f"{number} are too few for 95% intervals: give {FEWEST_RESAMPLES} or more, or 0 for none", param, ctx
            )
        return number


class At(click.ParamType):
    """Several k."""

    name = "at"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Numbers from 1, separated by commas; in order, each once."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = {NumberType(int, 1).convert(part.strip(), param, ctx) for part in str(value).split(",")}
        except click.BadParameter:
            self.fail(f"{value!r}: write numbers from 1 with commas between them (1,4,8)", param, ctx)
        return tuple(sorted(numbers))
