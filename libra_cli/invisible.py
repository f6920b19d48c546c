"""Characters of texts that nobody sees: soft hyphens, joiners, marks of direction and the byte order mark."""

from __future__ import annotations

from libra_cli.lazy_pattern import lazy_pattern

_INVISIBLE = lazy_pattern(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)


def visible(text: str) -> str:
    """`text` without the characters that nobody sees, which two texts may differ in and still say the same."""
    return text if text.isascii() else _INVISIBLE.sub("", text)
