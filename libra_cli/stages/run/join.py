"""Joins the shards of a step to the file that one run without shards would have written, byte for byte."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from libra_cli.exits import Exit, Fatal
from libra_cli.stream.files import replace_file, write_whole
from libra_cli.stream.fingerprint import InputFingerprint
from libra_cli.stream.line_source import InputFiles
from libra_cli.stream.lock import Lock
from libra_cli.stream.reader import read_rows
from libra_cli.stream.resume import Manifest, content_digest
from libra_cli.stream.rows import Row, content_hash, parse, record_id
from libra_cli.stream.usage import added_usage

Key = tuple[Any, ...]


@dataclass(frozen=True)
class RowOrder:
    """In which order a stage writes its rows: those of a model after those of another, each in the order of the input.

    A row of the input makes at most one row for each model and value of the fields in `several`, in their order.
    """

    model: str | None
    """The field with the model; None for a stage without several models."""
    named: tuple[str, ...]
    """Fields of the input that, with the id, identify a row."""
    several: tuple[str, ...] = ()


ORDERS = {
    "rollout": RowOrder("model", (), ("sample",)),
    "judge": RowOrder("judge", ("model", "sample"), ("probe",)),
    "verify": RowOrder(None, ("model", "sample")),
}
"""The stages whose shards can be joined."""
OF_ONE_SHARD = ("command", "input", "usage", "error_kinds")
"""What a manifest says of its shard alone."""
REMAKE = "libra run --submit makes the shards of the old input again"


def join(output: str, shards: Sequence[str], stage: str, inputs: Sequence[str]) -> bool:
    """Writes `output`, with its manifest, from the complete `shards` of `stage`; whether rows were refused.

    Raises Fatal(7) if a shard is not complete, and Fatal(2) if they were made differently, or from different inputs.
    """
    manifests = [complete_manifest(path, number, len(shards)) for number, path in enumerate(shards)]
    for path, manifest in zip(shards, manifests, strict=True):
        for name in ("stage", "read", "libra"):
            if manifest.get(name) != manifests[0].get(name):
                raise Fatal(Exit.USAGE, f"{path}: was made otherwise than {shards[0]} ({name}); make them anew")
        if {**manifest["config"], "shard": ""} != {**manifests[0]["config"], "shard": ""}:
            raise Fatal(Exit.USAGE, f"{path}: was made with other options than {shards[0]}; make them anew")
        if input_of(manifest) != input_of(manifests[0]):
            raise Fatal(Exit.USAGE, f"{path}: was made from another input than {shards[0]}; {REMAKE}")
    lock = Lock(output)
    try:
        rows = ShardRows(shards, stage)
        refused = any(manifest.get("errors") for manifest in manifests)
        expected = None if refused else input_of(manifests[0])  # of a line that was too long, only a part was read
        write_whole(output, rows.in_order(inputs, expected))
        data = json.dumps(joined_manifest(output, manifests), indent=2).encode()
        replace_file(f"{output}.libra.json", data + b"\n", begun=True)
    finally:
        lock.release()
    return refused


def concatenate(output: str, parts: Sequence[str]) -> None:
    """Writes the files `parts`, one after another, as `output`; those that are not there have no lines."""
    write_whole(output, (Path(path).read_bytes() for path in parts if os.path.exists(path)))


def remove(shards: Sequence[str]) -> None:
    """Removes shards, with what belongs to them."""
    for path in shards:
        for ending in (".libra.json", ".votes", ""):
            with suppress(FileNotFoundError):
                os.unlink(path + ending)


def complete_manifest(path: str, number: int, count: int) -> dict[str, Any]:
    """The manifest of shard `number` of `count`; raises Fatal(7 or 2) if it is not complete, or is another."""
    manifest = Manifest.read(f"{path}.libra.json")
    if manifest is None or manifest.get("status") != "complete" or not os.path.exists(path):
        raise Fatal(Exit.INCOMPLETE, f"{path}: this shard is not complete; run its job again")
    if manifest["config"].get("shard") != f"{number}/{count}":
        raise Fatal(Exit.USAGE, f"{path}: is not shard {number} of {count}; move it away, and run its job again")
    found = content_digest([path])
    if found is None or found["sha256"] != manifest.get("sha256"):
        raise Fatal(Exit.USAGE, f"{path}: has changed since libra wrote it; move it away, and run its job again")
    return manifest


def input_of(manifest: Mapping[str, Any]) -> str | None:
    """The fingerprint of the whole input of which a run did its shard; None if it did not read all of it (--limit)."""
    read = manifest.get("input")
    return read.get("fingerprint") if isinstance(read, dict) else None


def joined_manifest(output: str, manifests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The manifest of the joined rows: that of a run without shards, but for the command, of which there is none."""
    of_all = {name: value for name, value in manifests[0].items() if name not in OF_ONE_SHARD}
    config = {**manifests[0]["config"], "shard": "0/1"}
    filtered: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for manifest in manifests:
        filtered.update(manifest.get("filtered", {}))
        kinds.update(manifest.get("error_kinds", {}))
    del filtered["other_shard"]
    counts = {name: sum(manifest.get(name, 0) for manifest in manifests) for name in ("out", "errors", "done")}
    digest = content_digest([output])
    assert digest is not None
    usage = added_usage(manifest.get("usage") or {} for manifest in manifests)
    return {
        **of_all,
        "config": config,
        "config_sha256": content_hash(config, 64),
        "rows": sum(manifest.get("rows", 0) for manifest in manifests),
        "sha256": digest["sha256"],
        "in": sum(counts.values()) + sum(filtered.values()),
        **counts,
        "filtered": dict(filtered),
        **({"error_kinds": dict(kinds)} if kinds else {}),
        **({"usage": usage} if usage else {}),
    }


class ShardRows:
    """The rows of complete shards, found by what a row of the input knows of them; a place is (shard, byte)."""

    def __init__(self, shards: Sequence[str], stage: str):
        self._shards, self._order = shards, ORDERS[stage]
        self._models: dict[Any, None] = {}
        self._places: dict[Key, list[tuple[int, int]]] = {}
        for number, path in enumerate(shards):
            offset = 0
            with open(path, "rb") as file:
                for line in file:
                    fields = parse(line.rstrip(b"\n"))
                    model = fields.get(self._order.model) if self._order.model else None
                    self._models.setdefault(model)
                    self._places.setdefault((model, *self._name(fields)), []).append((number, offset))
                    offset += len(line)

    def _name(self, fields: Mapping[str, Any]) -> Key:
        return (record_id(fields), *(str(fields.get(name)) for name in self._order.named))

    def in_order(self, inputs: Sequence[str], fingerprint: str | None = None) -> Iterator[bytes]:
        """The lines of all shards as a run without shards writes them.

        Raises Fatal(2) if some are not of `inputs`, or if those have another `fingerprint` (None: any).
        """
        with ExitStack() as stack:
            files = [stack.enter_context(open(path, "rb")) for path in self._shards]
            for model in self._models or (None,):
                found = InputFingerprint()
                with closing(read_rows(InputFiles(inputs, sys.maxsize))) as rows:
                    for row in rows:
                        found.add(row.raw, own=True)
                        if isinstance(row, Row):
                            yield from self._take(files, (model, *self._name(row.fields)))
                if fingerprint not in (None, found.tally()["fingerprint"]):
                    raise Fatal(Exit.USAGE, f"{', '.join(inputs)}: is not what the shards were made from; {REMAKE}")
        if self._places:
            shard, offset = next(iter(self._places.values()))[0]
            reason = f"holds rows of which the input has none (the first at byte {offset})"
            raise Fatal(Exit.USAGE, f"{self._shards[shard]}: {reason}; move it away, and run its job again")

    def _take(self, files: Sequence[BinaryIO], key: Key) -> list[bytes]:
        """The lines that one row of the input has led to; they are not given again."""
        lines: dict[Key, bytes] = {}
        left = []
        for shard, offset in self._places.pop(key, ()):
            files[shard].seek(offset)
            line = files[shard].readline()
            fields = parse(line[:-1]) if self._order.several else {}
            own = tuple(fields.get(name) for name in self._order.several)
            if own in lines:
                left.append((shard, offset))  # of an equal row that comes later
            else:
                lines[own] = line
        if left:
            self._places[key] = left
        numbered = sorted(lines, key=lambda own: [one for one in own if type(one) is int])  # else as they were written
        return [lines[own] for own in numbered]
