"""What nobody sees in a text: soft hyphens, joiners, marks of direction, and forms of letters and line breaks."""

from __future__ import annotations

import unicodedata

from libra_cli.lazy_pattern import lazy_pattern

_INVISIBLE = lazy_pattern(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)


_APOSTROPHE = lazy_pattern(r"(?<=[^\W\d_])\u2019(?=[^\W\d_])")


def visible(text: str) -> str:
    """`text` without the characters that nobody sees, and with one form of those that are written in several.

    Each letter and its marks are one character, an apostrophe within a word is straight, a minus sign is a hyphen, and
    a line break is one character: two texts may differ in these and still say the same.
    """
    if "\r\n" in text:
        text = text.replace("\r\n", "\n")
    if text.isascii():
        return text
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).replace("\u2212", "-")
    return _APOSTROPHE.sub("'", text)
