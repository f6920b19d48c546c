"""Bytes from a terminal to keys: UTF-8, the escape sequences of ECMA-48 and xterm, and text that is pasted."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

PASTE_BEGINS, PASTE_ENDS = "\x1b[200~", "\x1b[201~"
"""Around pasted text, once a terminal was asked to bracket it."""

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~]|[^\[O\x1b])")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")
_PARTS = re.compile(r"\x1b(?:\[|O)(\d*)[0-?]*[ -/]*([@-~])")
_BY_FINAL = {"A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end", "Z": "backtab"}
_BY_NUMBER = {"1": "home", "7": "home", "3": "delete", "4": "end", "8": "end", "5": "pageup", "6": "pagedown"}
_CONTROLS = {"\r": "enter", "\n": "enter", "\t": "tab", "\x7f": "backspace", "\b": "backspace"}


class Key(NamedTuple):
    """One key, or what happened instead of one."""

    name: str
    """`text` for a character, `paste`, `up`, `enter`, `escape`, `ctrl-a`, ...; `other` for what has no name."""
    text: str = ""

    @property
    def letter(self) -> str:
        """The character that was typed; empty for any other key, and for what was pasted."""
        return self.text if self.name == "text" else ""


class Decoder:
    """Takes bytes as they come, in any pieces, and gives whole keys."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._held = ""
        self._pasted: list[str] | None = None

    @property
    def waits(self) -> bool:
        """An escape has come that may be a key by itself, or the beginning of a sequence."""
        return bool(self._held) and self._pasted is None

    def feed(self, data: bytes) -> list[Key]:
        """The keys that `data` completes."""
        self._held += self._decode(data)
        return self._keys()

    def flush(self) -> list[Key]:
        """What is left when nothing has followed for a while: the escape key, or a sequence that stays unfinished."""
        held, self._held = self._held, ""
        return [Key("escape")] if held == "\x1b" else [Key("other")]

    def _keys(self) -> list[Key]:
        found: list[Key] = []
        while self._held:
            if self._pasted is not None:
                if not self._take_paste(found):
                    break
            elif self._held.startswith(PASTE_BEGINS):
                self._held, self._pasted = self._held[len(PASTE_BEGINS) :], []
            elif self._held[0] != "\x1b":
                found.append(_plain(self._held[0]))
                self._held = self._held[1:]
            elif _UNFINISHED.match(self._held):
                break
            else:
                found.append(self._escape())
        return found

    def _escape(self) -> Key:
        match = _SEQUENCE.match(self._held)
        if match is None:  # an escape before another one
            self._held = self._held[1:]
            return Key("escape")
        self._held = self._held[match.end() :]
        return _named(match.group())

    def _take_paste(self, found: list[Key]) -> bool:
        """Gives what was pasted once its end has come; else holds back what may be the beginning of that."""
        text, ended, rest = self._held.partition(PASTE_ENDS)
        taken = len(text) if ended else max(0, len(text) - len(PASTE_ENDS) + 1)
        assert self._pasted is not None
        self._pasted.append(text[:taken])
        self._held = rest if ended else text[taken:]
        if ended:
            found.append(Key("paste", "".join(self._pasted)))
            self._pasted = None
        return bool(ended)


def _plain(character: str) -> Key:
    if character in _CONTROLS:
        return Key(_CONTROLS[character])
    if character < " ":
        return Key(f"ctrl-{chr(ord(character) + 96)}")
    return Key("text", character) if character.isprintable() and character != "\ufffd" else Key("other")


def _named(sequence: str) -> Key:
    parts = _PARTS.fullmatch(sequence)
    if parts is None:
        return Key("other")
    number, final = parts.groups()
    name = _BY_NUMBER.get(number) if final == "~" else _BY_FINAL.get(final)
    return Key(name or "other")
