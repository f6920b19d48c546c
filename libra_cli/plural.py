"""Numbers of things in words."""

from __future__ import annotations


def counted(n: int, noun: str) -> str:
    """`n` things: `1 row`, `1,234 rows`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def duration(seconds: float) -> str:
    """A time as people say it: `45 s`, `119 s`, `2 min`, `65 min`, `1.8 h`; from ten minutes on to two digits."""
    if seconds < 100 or (seconds < 600 and seconds % 60):
        return f"{seconds:.3g} s"
    if seconds < 5400:
        return f"{seconds / 60:.2g} min"
    return f"{seconds / 3600:.1f} h" if seconds < 36000 else f"{seconds / 3600:,.0f} h"
