"""The secrets of a server, removed from whatever the server says, in every spelling that decodes to them.

A secret is the key of its header, a value in the query of its address that is named like one (`?api-key=`), or the
password of the proxy.

A server that echoes a key may quote it in JSON (`\\/`, `\\u002d`), in an address (`%2D`), in HTML (`&#45;`, `&#x2D;`),
in code (`\\x2d`, `\\055`), in several of them one around the other, in hexadecimal, or in base64, as a part of a longer
text such as `name:key`.
"""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from html.entities import html5
from urllib.parse import parse_qsl, unquote, urlsplit

from libra_cli.masking import MASK, SECRET_PARAMETER

SHORTEST_SECRET = 8
"""Shorter keys (`EMPTY`, `none`) stand for no key. They occur in honest text, which must stay as it is."""
_MOST_LAYERS, _LONGEST = 16, 1 << 20
"""A text that has escapes under more layers of escapes, or has escapes and more characters, is masked as a whole."""

_HEX = "[0-9A-Fa-f]"
_CHARACTER = re.compile(
    rf"\\(?:u00(?P<u4>{_HEX}{{2}})|u\{{0*(?P<u>{_HEX}{{2}})\}}|U000000(?P<u8>{_HEX}{{2}})|x(?P<x>{_HEX}{{2}})"
    rf"|(?P<octal>[01][0-7]{{2}}))"
    rf"|%(?:25)*(?:u00)?(?P<percent>{_HEX}{{2}})"
    rf"|&(?:amp\\?;)*(?:\\?\#(?:0*(?P<decimal>[0-9]{{2,3}})|[xX]0*(?P<hex>{_HEX}{{2}}))(?:\\?;)?"
    rf"|(?P<name>[A-Za-z]{{2,24}})\\?;)"
)
"""An escape of one ASCII character. Each run that it repeats has one place to begin, so a search takes linear time."""
_BACKSLASH = re.compile(r"\\(?P<itself>.?)", re.DOTALL)
_BASES = {"octal": 8, "decimal": 10}


def secrets_in(addresses: Iterable[str]) -> Iterator[str]:
    """The secrets in the addresses of servers and proxies; none in what is no address."""
    for address in addresses:
        try:
            parts = urlsplit(address)
        except ValueError:
            continue  # whoever opens it says so
        yield from filter(None, [unquote(parts.password or "")])
        yield from (value for name, value in parse_qsl(parts.query) if SECRET_PARAMETER.search(name))


class Redactor:
    """Replaces several secrets in text, each as KeyRedactor does."""

    def __init__(self, keys: Iterable[str | None]):
        self._keys = [KeyRedactor(key) for key in dict.fromkeys(keys) if key]
        self._secrets = [key for key in self._keys if key.is_secret]

    def __call__(self, text: str) -> str:
        """Words of the server without them."""
        for key in self._keys:
            text = key(text)
        return text

    def of_model(self, text: str) -> str:
        """What a model wrote without them; a key that is too short to be a secret stays."""
        for key in self._secrets:
            text = key(text)
        return text


class KeyRedactor:
    """Replaces a key in text by `***`. A text without escapes costs a few searches for a substring."""

    def __init__(self, key: str | None):
        self._key = key or ""
        self.is_secret = len(self._key) >= SHORTEST_SECRET
        spellings = [self._key, *(_encoded(self._key) if self.is_secret else [])]
        spellings += [text for text, _places in _layers(self._key)]  # of a key with a backslash, or `%41`, in it
        self._spellings = list(dict.fromkeys(filter(None, spellings)))

    def __call__(self, text: str) -> str:
        """`text` without the key. One that is too short to be a secret is replaced only where it stands alone."""
        if not self._key or not (found := self._find(text)):
            return text
        pieces, end = [], 0
        for start, stop in sorted(found):
            if start >= end:
                pieces += [text[end:start], MASK]
            end = max(end, stop)
        return "".join([*pieces, text[end:]])

    def _find(self, text: str) -> list[tuple[int, int]]:
        """Where the key begins and ends in `text`."""
        found = list(self._find_plain(text))
        if not any(first in text for first in "\\%&"):
            return found
        if not (_CHARACTER.search(text) or self._is_in(text.replace("\\", ""))):
            return found
        whole = [(0, len(text))]
        if len(text) > _LONGEST:
            return whole
        decoded = text
        for _layer in range(_MOST_LAYERS):  # without the places, which take time and are seldom needed
            if (escape := _outermost(decoded)) is None or self._is_in(decoded := escape.sub(_character, decoded)):
                break
        else:
            return whole
        if escape is not None:
            for layer, places in _layers(text):
                found += [(places[start], places[stop]) for start, stop in self._find_plain(layer)]
        return found

    def _is_in(self, text: str) -> bool:
        return any(spelling in text for spelling in self._spellings)

    def _find_plain(self, text: str) -> Iterator[tuple[int, int]]:
        for spelling in self._spellings:
            start = text.find(spelling)
            while start >= 0:
                stop = start + len(spelling)
                if self.is_secret or not (text[start - 1 : start].isalnum() or text[stop : stop + 1].isalnum()):
                    yield start, stop
                start = text.find(spelling, stop)


def _encoded(key: str) -> list[str]:
    """The key in hexadecimal, and what is the same in the base64 of every text that holds it."""
    data = key.encode()
    found = [data.hex(), data.hex().upper()]
    for before in range(3):  # bytes that share the first group of three with the key
        first, last = -(-before * 8 // 6), (before + len(data)) * 8 // 6  # characters whose six bits are all the key's
        found += [encode(bytes(before) + data).decode()[first:last] for encode in (b64encode, urlsafe_b64encode)]
    return found


def _outermost(text: str) -> re.Pattern[str] | None:
    """The escapes to decode next: backslashes before other characters only if there are no others."""
    return next((escape for escape in (_CHARACTER, _BACKSLASH) if escape.search(text)), None)


def _layers(text: str) -> Iterator[tuple[str, Sequence[int]]]:
    """`text` with one layer of escapes decoded, with two, and so on to _MOST_LAYERS.

    With each goes, for every character and for the end, where it stands in `text` itself.
    """
    places: Sequence[int] = range(len(text) + 1)
    for _layer in range(_MOST_LAYERS):
        if (escape := _outermost(text)) is None:
            return
        pieces: list[str] = []
        kept: list[int] = []
        end = 0
        for match in escape.finditer(text):
            decoded = _character(match)
            pieces += [text[end : match.start()], decoded]
            kept += [*places[end : match.start()], *[places[match.start()]] * len(decoded)]
            end = match.end()
        text, places = "".join([*pieces, text[end:]]), [*kept, *places[end:]]
        yield text, places


def _character(match: re.Match[str]) -> str:
    """The character that an escape stands for; an unknown entity stands for its name."""
    kind = str(match.lastgroup)
    if kind == "itself":
        return match[kind]
    if kind == "name":
        return html5.get(f"{match[kind]};", match[kind])
    return chr(int(match[kind], _BASES.get(kind, 16)))
