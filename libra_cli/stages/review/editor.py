"""A line of text that is being edited."""

from __future__ import annotations

from libra_cli.stages.review.keys import Key
from libra_cli.stream.console import printable


class LineEditor:
    """Text and cursor, with the keys of a shell's command line."""

    def __init__(self, text: str = ""):
        self.text, self.cursor = text, len(text)

    def press(self, key: Key) -> bool:
        """Handles a key; returns False if it does nothing here."""
        moved = {
            "left": self.cursor - 1,
            "right": self.cursor + 1,
            "home": 0,
            "ctrl-a": 0,
            "end": len(self.text),
            "ctrl-e": len(self.text),
        }.get(key.name)
        if moved is not None:
            self.cursor = min(max(moved, 0), len(self.text))
            return True
        if key.name in ("text", "paste"):
            text = " ".join(key.text.split()) if key.name == "paste" else key.text
            self._replace(self.cursor, self.cursor, printable(text))
            return True
        word = self.text[: self.cursor].rstrip().rfind(" ") + 1
        span = {
            "backspace": (self.cursor - 1, self.cursor),
            "delete": (self.cursor, self.cursor + 1),
            "ctrl-u": (0, self.cursor),
            "ctrl-k": (self.cursor, len(self.text)),
            "ctrl-w": (word, self.cursor),
        }.get(key.name)
        if span is None:
            return False
        self._replace(max(span[0], 0), span[1], "")
        return True

    def _replace(self, begin: int, end: int, text: str) -> None:
        self.text = self.text[:begin] + text + self.text[end:]
        self.cursor = begin + len(text)
