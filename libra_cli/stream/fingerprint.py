"""What tells two inputs apart, whatever the order of their rows: all shards of a run see the same."""

from __future__ import annotations

import hashlib
from typing import Any

_BYTES = 16


class InputFingerprint:
    """The number of lines read, how many of them belong to this shard, and the sum of their hashes modulo 2^128."""

    def __init__(self) -> None:
        self.rows = 0
        self.own = 0
        self._sum = 0

    def add(self, raw: bytes, own: bool) -> None:
        """Adds a line, without the blanks around it."""
        self.rows += 1
        self.own += own
        self._sum += int.from_bytes(hashlib.blake2b(raw, digest_size=_BYTES).digest(), "big")

    def tally(self) -> dict[str, Any]:
        """`rows`, `own` and `fingerprint`, for manifests."""
        digest = (self._sum % (1 << 8 * _BYTES)).to_bytes(_BYTES, "big").hex()
        return {"rows": self.rows, "own": self.own, "fingerprint": digest}
