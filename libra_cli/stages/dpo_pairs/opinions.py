"""All opinions of a run as fixed-size records, and what several judges agree on."""

from __future__ import annotations

import hashlib
import math
import struct
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np

from libra_cli.stages.dpo_pairs.reading import Opinion
from libra_cli.stream.row_store import RowLocation

_RECORD = struct.Struct(">QQQHdiIIIQQ")
"""Query, text and name (keyed hashes), judge, value, tokens, characters, RowLocation; sorts as the hashes do."""
_JUDGES = 1 << 16
_MOST_CHARS = (1 << 32) - 1


class JudgedResponse(NamedTuple):
    """A response with what its judges agree on."""

    value: float
    """1 or 0, or a score."""
    n_tokens: int
    """-1 if unknown."""
    n_chars: int
    location: RowLocation


class OpinionIndex:
    """The opinions of a run, 66 bytes each. The seed keys the hashes, and with them the order of all choices."""

    def __init__(self, seed: int):
        self._key = hashlib.blake2b(str(seed).encode()).digest()
        self._records = bytearray()
        self._judges: dict[str, int] = {}
        self.unused: Counter[str] = Counter()
        """Rows that no pair can be made of, by reason."""

    def add(self, opinion: Opinion, location: RowLocation) -> None:
        """Adds an opinion; raises ValueError if there are more judges than a record can tell apart."""
        judge = self._judges.setdefault(opinion.judge, len(self._judges))
        if judge >= _JUDGES:
            raise ValueError(f"more than {_JUDGES:,} judges")
        query = self._hash(opinion.query)
        text, name = self._hash(f"{opinion.query}\0{opinion.text}"), self._hash(opinion.name)
        n_chars = min(len(opinion.text), _MOST_CHARS)
        self._records += _RECORD.pack(query, text, name, judge, opinion.value, opinion.n_tokens, n_chars, *location)

    def queries(self, consensus: str) -> Iterator[list[JudgedResponse]]:
        """The responses of each query that have a value, in the seed's order."""
        size, view = _RECORD.size, memoryview(self._records)
        table = np.frombuffer(view, np.dtype((np.void, size)))
        order = np.argsort(table, kind="stable")  # numbers of 8 bytes, not a list of objects
        records = (_RECORD.unpack(view[at * size : (at + 1) * size]) for at in map(int, order))
        for _, of_query in groupby(records, key=lambda record: record[0]):
            responses = []
            for _, of_text in groupby(of_query, key=lambda record: record[1]):
                response = self._merged(list(of_text), consensus)
                if response is not None:
                    responses.append(response)
            yield responses

    def _merged(self, records: list[tuple], consensus: str) -> JudgedResponse | None:  # type: ignore[type-arg]
        """One response of all rows with the same text; None, and counted, if its judges do not agree on a value."""
        of_judge: dict[int, set[float]] = {}
        for record in records:
            of_judge.setdefault(record[3], set()).add(record[4])
        own = [record for record in records if record[2] == records[0][2]]  # of the response that stands for all
        self.unused["duplicate"] += len(records) - len(own)
        values = [_one(of_judge.get(judge, set())) for judge in range(len(self._judges))]
        value, reason = _agreed(values, consensus)
        if any(len({v for v in of if not math.isnan(v)}) > 1 for of in of_judge.values()):
            value, reason = None, "contradictory"
        if value is None:
            self.unused[reason] += len(own)
            return None
        self.unused["same_response"] += len(own) - 1  # what the other judges said of it
        first = own[0]
        return JudgedResponse(value, first[5], first[6], RowLocation(*first[7:]))

    def _hash(self, text: str) -> int:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "big")


def _one(values: set[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return known[0] if known else math.nan


def _agreed(values: list[float], consensus: str) -> tuple[float | None, str]:
    """What the judges agree on, or why they do not."""
    known = [value for value in values if not math.isnan(value)]
    if not known or (consensus != "majority" and len(known) < len(values)):
        return None, "null"
    if consensus == "mean":
        return math.fsum(known) / len(known), ""
    if consensus == "all":
        return (known[0], "") if len(set(known)) == 1 else (None, "no_consensus")
    value, votes = Counter(known).most_common(1)[0]
    return (value, "") if 2 * votes > len(values) else (None, "no_consensus")
