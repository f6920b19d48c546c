"""Text of rows in lines of a given width, by the columns that a terminal gives each character."""

from __future__ import annotations

from rich.cells import get_character_cell_size

from libra_cli.stream.console import safe_text

JOINER, EMOJI_STYLE = "\u200d", "\ufe0f"
"""What joins two emoji into one, and what makes the character before it an emoji, two columns wide."""


def wrapped(text: str, width: int) -> list[str]:
    """Wraps text to printable lines of at most `width` columns, at spaces if possible; none for a blank text."""
    safe = safe_text(text).rstrip()
    pieces: list[str] = []
    for line in safe.split("\n") if safe else ():
        begin, is_narrow = 0, line.isascii()
        while (end := min(len(line), begin + width) if is_narrow else fitting(line, begin, width)) < len(line):
            space = line.rfind(" ", begin + width // 2, end + 1)
            cut = space + 1 if space > begin else end
            pieces.append(line[begin:cut].rstrip())
            begin = cut
        pieces.append(line[begin:])
    return pieces


def fitting(line: str, begin: int, width: int) -> int:
    """The end of the part of a line from `begin` that fits in `width` columns; at least one character.

    What is drawn as one (a letter with its marks, joined emoji) is not cut, unless it alone is too wide.
    """
    cells = 0
    for end in range(begin, len(line)):
        if line[end] == EMOJI_STYLE and end > begin:
            cells += max(0, 2 - get_character_cell_size(line[end - 1]))
        else:
            cells += get_character_cell_size(line[end])
        if cells > width:
            whole = end
            while (whole > begin and JOINER in (line[whole], line[whole - 1])) or line[whole] == EMOJI_STYLE:
                whole -= 1
            return whole if whole > begin else max(end, begin + 1)
    return len(line)
