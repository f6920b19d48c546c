"""Says of a line whether its row has more values than a row may have, before it is parsed."""

from __future__ import annotations

MAX_VALUES = 2_000_000
"""Objects, arrays and values that a row may have: about 400 MB of memory at most."""
TOO_MANY = f"the row has more than {MAX_VALUES:,} values; write the inner part as a string, or as several rows"
LONG = 1 << 20
"""Bytes of a row from which its values are counted; a shorter one cannot have too many that matter."""


def has_too_many_values(raw: bytes) -> bool:
    """Whether a line has more than MAX_VALUES; those in strings do not count, which are left out only if need be."""
    return _count_values(raw) > MAX_VALUES and _count_outside_strings(raw) > MAX_VALUES


def _count_values(raw: bytes) -> int:
    """Counts what opens an object or array and what separates values, those inside strings too."""
    return raw.count(b"{") + raw.count(b"[") + raw.count(b",")


def _count_outside_strings(raw: bytes) -> int:
    """The same outside strings, in linear time and little memory: piece by piece between quotation marks."""
    plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    total = inside = 0
    for begin in range(0, len(plain), LONG):
        pieces = plain[begin : begin + LONG].split(b'"')
        total += _count_values(b"".join(pieces[inside::2]))
        inside ^= (len(pieces) - 1) & 1
    return total
