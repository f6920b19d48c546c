"""Bytes from a terminal to keys: UTF-8, escape sequences of ECMA-48 and xterm, pasted text."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

PASTE_BEGINS, PASTE_ENDS = "\x1b[200~", "\x1b[201~"
"""Brackets around pasted text, if the terminal was asked for them."""

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~]|[^\[O\x1b])")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")
_PARTS = re.compile(r"\x1b(?:\[|O)(\d*)[0-?]*[ -/]*([@-~])")
_BY_FINAL = {"A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end", "Z": "backtab"}
_BY_NUMBER = {"1": "home", "7": "home", "3": "delete", "4": "end", "8": "end", "5": "pageup", "6": "pagedown"}
_CONTROLS = {"\r": "enter", "\n": "enter", "\t": "tab", "\x7f": "backspace", "\b": "backspace"}


class Key(NamedTuple):
    """A key, or an event in place of one."""

    name: str
    """`text` for a character, `paste`, `up`, `enter`, `escape`, `ctrl-a`, ...; `other` for any other key."""
    text: str = ""

    @property
    def letter(self) -> str:
        """The character that was typed; empty for other keys and for pasted text."""
        return self.text if self.name == "text" else ""


class KeyDecoder:
    """Decodes bytes, in any pieces, to whole keys."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._held = ""
        self._pasted: list[str] | None = None

    @property
    def waits(self) -> bool:
        """Whether the last byte is an escape, which may be a key or begin a sequence."""
        return bool(self._held) and self._pasted is None

    def feed(self, data: bytes) -> list[Key]:
        """Returns the keys that `data` completes."""
        self._held += self._decode(data)
        return self._keys()

    def flush(self) -> list[Key]:
        """Returns the held bytes as a key if no more follow: the escape key, or `other` for half a sequence."""
        held, self._held = self._held, ""
        return [Key("escape")] if held == "\x1b" else [Key("other")]

    def _keys(self) -> list[Key]:
        keys: list[Key] = []
        while self._held:
            if self._pasted is not None:
                if not self._take_paste(keys):
                    break
            elif self._held.startswith(PASTE_BEGINS):
                self._held, self._pasted = self._held[len(PASTE_BEGINS) :], []
            elif self._held[0] != "\x1b":
                keys.append(_character_key(self._held[0]))
                self._held = self._held[1:]
            elif _UNFINISHED.match(self._held):
                break
            else:
                keys.append(self._escape())
        return keys

    def _escape(self) -> Key:
        match = _SEQUENCE.match(self._held)
        if match is None:  # an escape before another one
            self._held = self._held[1:]
            return Key("escape")
        self._held = self._held[match.end() :]
        parts = _PARTS.fullmatch(match.group())
        if parts is None:
            return Key("other")
        number, final = parts.groups()
        return Key((_BY_NUMBER.get(number) if final == "~" else _BY_FINAL.get(final)) or "other")

    def _take_paste(self, keys: list[Key]) -> bool:
        """Adds the pasted text if its end has come, else holds back what may begin the closing bracket."""
        text, ended, rest = self._held.partition(PASTE_ENDS)
        taken = len(text) if ended else max(0, len(text) - len(PASTE_ENDS) + 1)
        assert self._pasted is not None
        self._pasted.append(text[:taken])
        self._held = rest if ended else text[taken:]
        if ended:
            keys.append(Key("paste", "".join(self._pasted)))
            self._pasted = None
        return bool(ended)


def _character_key(character: str) -> Key:
    if character in _CONTROLS:
        return Key(_CONTROLS[character])
    if character < " ":
        return Key(f"ctrl-{chr(ord(character) + 96)}")
    return Key("text", character) if character.isprintable() and character != "\ufffd" else Key("other")
