"""All opinions of a run as fixed-size records, and what several judges agree on."""

from __future__ import annotations

import hashlib
import math
import struct
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from libra_cli.stages.dpo_pairs.reading import Opinion
from libra_cli.stream.row_store import RowLocation
from libra_cli.stream.rows import RowError
from libra_cli.stream.sorted_records import SortedRecords

_RECORD = struct.Struct(">QQQBdiIIIQQ")
"""Query, text and name (keyed hashes), judge, value, tokens, characters, RowLocation; sorts as the hashes do."""
MOST_JUDGES = 256
"""Of one input."""
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
    """The opinions of a run, sorted on disk. The seed keys the hashes, and with them the order of all choices."""

    def __init__(self, seed: int, folder: str | None = None):
        self._key = hashlib.blake2b(str(seed).encode()).digest()
        self._records = SortedRecords(_RECORD.size, folder)
        self._judges: dict[str, int] = {}
        self.unused: Counter[str] = Counter()
        """Rows that no pair can be made of, by reason."""

    def add(self, opinion: Opinion, location: RowLocation) -> None:
        """Adds an opinion; raises RowError if there are more judges than a record can tell apart."""
        if opinion.judge not in self._judges and len(self._judges) == MOST_JUDGES:
            raise RowError("too_many_judges", f'more than {MOST_JUDGES} judges; "judge" names who judged the row')
        judge = self._judges.setdefault(opinion.judge, len(self._judges))
        query = self._hash(opinion.query)
        text, name = self._hash(f"{opinion.query}\0{opinion.text}"), self._hash(opinion.name)
        n_chars = min(len(opinion.text), _MOST_CHARS)
        record = _RECORD.pack(query, text, name, judge, opinion.value, opinion.n_tokens, n_chars, *location)
        self._records.add(record)

    def queries(self, consensus: str) -> Iterator[list[JudgedResponse]]:
        """The responses of each query that have a value, in the seed's order."""
        records = map(_RECORD.unpack, self._records)
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
        said = [{value for value in values if not math.isnan(value)} for values in of_judge.values()]
        if any(len(values) > 1 for values in said):
            value, reason = None, "contradictory"
        elif len(of_judge) < len(self._judges) and consensus != "majority":
            value, reason = None, "missing_judge"
        else:
            value, reason = _agreed([one for values in said for one in values], len(self._judges), consensus)
        if value is None:
            self.unused[reason] += len(own)
            return None
        self.unused["same_response"] += len(own) - 1  # what the other judges said of it
        first = own[0]
        return JudgedResponse(value, first[5], first[6], RowLocation(*first[7:]))

    def _hash(self, text: str) -> int:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "big")


def _agreed(known: list[float], n_judges: int, consensus: str) -> tuple[float | None, str]:
    """What the judges agree on, from those that have a verdict; or why they do not."""
    if not known or (consensus != "majority" and len(known) < n_judges):
        return None, "null"
    if consensus == "mean":
        return math.fsum(known) / len(known), ""
    if consensus == "all":
        return (known[0], "") if len(set(known)) == 1 else (None, "no_consensus")
    value, votes = Counter(known).most_common(1)[0]
    return (value, "") if 2 * votes > n_judges else (None, "no_consensus")
