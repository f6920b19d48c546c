"""Numbers of things in words."""

from __future__ import annotations


def counted(n: int, noun: str) -> str:
    """`n` things: `1 row`, `1,234 rows`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def duration(seconds: float) -> str:
    """A time to two or three digits, in the unit that needs no more: `45 s`, `2.5 min`, `65 min`, `1.8 h`."""
    if seconds < 100:
        return f"{seconds:.3g} s"
    if seconds < 5400:
        return f"{seconds / 60:.2g} min"
    return f"{seconds / 3600:.1f} h" if seconds < 36000 else f"{seconds / 3600:,.0f} h"
