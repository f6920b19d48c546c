"""Names of what rows are made of, kept apart where several things have one name."""

from __future__ import annotations

from typing import Any

from libra_cli.stream.hash_numbers import HashNumbers
from libra_cli.stream.rows import content_hash

_DIGITS = 8


class DistinctNames:
    """Gives different things different names; takes 20 to 32 bytes of memory for each.

    The first thing of a name keeps it, also when it comes again; any other one has a hash of itself behind the name.
    """

    def __init__(self) -> None:
        self._names, self._things = HashNumbers(), HashNumbers()
        self._are_first = bytearray()
        """Of each thing, by its number, whether it is the first of its name."""

    def of(self, name: str, thing: Any) -> str:
        """`name`, or `name/HASH` (8 hex digits); `thing` is JSON."""
        digest = content_hash(thing, 16)
        number = self._things.number(int(content_hash([name, digest], 16), 16))
        if number == len(self._are_first):
            n_names = len(self._names)
            self._are_first.append(self._names.number(int(content_hash(name, 16), 16)) == n_names)
        return name if self._are_first[number] else f"{name}/{digest[:_DIGITS]}"
