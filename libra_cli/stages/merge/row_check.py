"""The rows of the parts against their manifests, their shards, and the input."""

from __future__ import annotations

import hashlib
import shlex
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing

from libra_cli.exits import Exit
from libra_cli.plural import counted
from libra_cli.stages.merge.parts import EACH_ROW, Fault, Part
from libra_cli.stream.fingerprint import InputFingerprint
from libra_cli.stream.hash_numbers import HashNumbers
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.options import shard_hash
from libra_cli.stream.reader import BadLine, read_rows, shard_key
from libra_cli.stream.rows import Row
from libra_cli.stream.signals import StopRequest

KEEP_IDS = ("rollout", "verify", "judge", "rs-filter", "dpo-pairs", "mix")
"""Stages whose rows have the id of the row of the input that they were made from."""
WROTE = {"rollout": "model", "judge": "judge"}
"""The field that says which model made a row: those of one stage have the same models."""
_EXAMPLES = 3


class RowsOfInput:
    """The rows that the parts were made from: by id, how often they are there and how often they were found."""

    def __init__(self, paths: Sequence[str], max_line_bytes: int):
        self.paths, self._max = paths, max_line_bytes
        self.fingerprint = InputFingerprint()
        self._numbers = HashNumbers()
        self._wanted, self._found = array("I"), array("I")
        self.strangers: list[str] = []
        """Places of rows whose id the input does not have."""
        for entry in self._entries():
            self.fingerprint.add(entry.raw, own=True)
            number = self._numbers.number(shard_hash(shard_key(entry)))
            if number == len(self._wanted):
                self._wanted.append(0)
                self._found.append(0)
            self._wanted[number] += 1

    def _entries(self) -> Iterator[Row | BadLine]:
        with closing(read_rows(InputFiles(list(self.paths), self._max))) as entries:
            yield from entries

    def note(self, row: Row) -> None:
        """Counts a row of a part."""
        number = self._numbers.number(shard_hash(row.id))
        if number < len(self._found):
            self._found[number] += 1
        elif len(self.strangers) < _EXAMPLES:
            self.strangers.append(row.place)

    def unequal(self, stage: str) -> tuple[int, int, list[tuple[str, str, int]]]:
        """How many rows are missing and how many too many, and examples of both: place, id and how many of how many."""
        ratios = Counter(zip(self._found, self._wanted, strict=True))
        common = max((pair for pair in ratios if pair[0]), key=ratios.__getitem__, default=(1, 1))
        each = 1 if stage == "verify" else max(1, round(common[0] / common[1]))
        missing = sum(max(0, each * wanted - found) * count for (found, wanted), count in ratios.items())
        surplus = sum(max(0, found - each * wanted) * count for (found, wanted), count in ratios.items())
        examples: dict[str, tuple[str, str, int]] = {}
        if missing or surplus:
            for entry in self._entries():
                key = shard_key(entry)
                number = self._numbers.number(shard_hash(key))
                lacking = each * self._wanted[number] - self._found[number]
                if lacking and len(examples) < _EXAMPLES:
                    examples.setdefault(key, (entry.place, key, lacking))
        return missing, surplus, [*examples.values()]


class RowCheck:
    """Reads the rows of all parts, then says what is wrong with them."""

    def __init__(self, parts: Sequence[Part], source: RowsOfInput | None):
        self._parts, self._source = {part.path: part for part in parts}, source
        self._digests = {part.path: hashlib.sha256() for part in parts}
        self._rows: Counter[str] = Counter()
        self._misplaced: dict[str, Fault] = {}
        self._models: dict[str, set[str]] = {}

    @property
    def rows(self) -> int:
        """Rows that the parts hold."""
        return sum(self._rows.values())

    def read(self, max_line_bytes: int, stop: StopRequest) -> None:
        """Reads all parts, until a stop is requested."""
        if not self._parts:
            return
        with closing(read_rows(InputFiles([*self._parts], max_line_bytes), stop=stop)) as entries:
            for entry in entries:
                if isinstance(entry, Row):
                    self._note(entry)

    def _note(self, row: Row) -> None:
        """Takes a row of a part, in order."""
        part = self._parts[row.file]
        self._digests[row.file].update(row.raw + b"\n")
        self._rows[row.file] += 1
        if part.stage in WROTE:
            self._models.setdefault(row.file, set()).add(str(row.fields.get(WROTE[part.stage])))
        if part.stage not in KEEP_IDS:
            return
        if part.count > 1 and row.file not in self._misplaced:
            shard = shard_hash(row.id) % part.count
            if shard != part.index:
                text = f"{row.place}: the row {row.id} belongs to shard {shard}/{part.count}, not to {part.index}"
                again = part.command(more=("--overwrite",))
                self._misplaced[row.file] = Fault(f"{text}; make the part again", Exit.USAGE, again)
        if self._source is not None:
            self._source.note(row)

    def faults(self) -> list[Fault]:
        """What is wrong with the rows that were taken."""
        faults = [*self._misplaced.values()]
        for path, part in self._parts.items():
            if (part.manifest or {}).get("status") != "complete" or path in self._misplaced:
                continue
            expected, found = part.number("rows"), self._rows[path]
            if self._digests[path].hexdigest() != (part.manifest or {}).get("sha256"):
                counts = counted(found, "row") + (f", {expected:,} were written" if found != expected else "")
                text = f"{path}: is not what libra {part.stage} wrote ({counts}); make it again"
                faults.append(Fault(text, Exit.INCOMPLETE, part.command(more=("--overwrite",)), (part.index,)))
        first = next(iter(self._models), "")
        for path, models in self._models.items():
            if models != self._models[first]:
                names = " and ".join(f"{one} by {', '.join(sorted(self._models[one]))}" for one in (path, first))
                faults.append(Fault(f"{path}: was made by other models than {first}: {names}", Exit.USAGE))
        return [*faults, *self._against_input(bool(faults))]

    def _against_input(self, damaged: bool) -> list[Fault]:
        source, parts = self._source, [*self._parts.values()]
        if source is None or not parts:
            return []
        faults, stage = [], parts[0].stage
        read = next((part.read for part in parts if part.read), None)
        if stage in EACH_ROW:
            missing, surplus, examples = source.unequal(stage)
            excused = sum(part.number("errors") + part.filtered for part in parts)
            if surplus or missing > excused:
                which = "; ".join(f"{place} ({key})" for place, key, _ in examples)
                more = f"{missing:,} rows for rows of --input are missing" if missing > excused else ""
                twice = f"{surplus:,} rows are there more often than in --input" if surplus else ""
                status = Exit.INCOMPLETE if more else Exit.USAGE
                text = f"{' and '.join(filter(None, (more, twice)))}, for example: {which}"
                cures = {part.command() for part in self._owners(examples)} if more and not damaged else set()
                if not all(f" {shlex.quote(path)} " in cure for cure in cures for path in source.paths):
                    text, cures = f"{text}; the command that made the parts, with this input, adds them", set()
                faults.append(Fault(text, status, "\n".join(sorted(cures))))
        if source.strangers:
            text = f"{', '.join(source.strangers)}: --input has no row with this id; give all rows of the input"
            faults.append(Fault(text, Exit.USAGE))
        if not faults and read and read["fingerprint"] != source.fingerprint.tally()["fingerprint"]:
            counts = f"it has {counted(source.fingerprint.rows, 'row')}, they read {read['rows']:,}"
            faults.append(Fault(f"--input is not what the parts were made from ({counts})", Exit.USAGE))
        return faults

    def _owners(self, examples: Sequence[tuple[str, str, int]]) -> list[Part]:
        """The parts to which the rows belong."""
        parts = [*self._parts.values()]
        return [part for part in parts for _, key, _ in examples if shard_hash(key) % part.count == part.index]
