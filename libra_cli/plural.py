"""Numbers of things in words."""

from __future__ import annotations


def counted(n: int, noun: str) -> str:
    """`n` things: `1 row`, `1,234 rows`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
