"""The parts of a sharded run, as their manifests describe them: what is missing or does not belong, and the cure."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from libra_cli.exits import Exit
from libra_cli.plural import counted
from libra_cli.stream.decompression import COMPRESSED
from libra_cli.stream.resume import Manifest

EACH_ROW = ("rollout", "verify", "judge")
"""Stages that write as many rows for each row of the input."""
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Fault:
    """Why the parts are not one whole. `cure` is a command that mends it."""

    text: str
    status: Exit
    cure: str = ""
    shards: tuple[int, ...] = ()
    """The shards that are missing or unfinished."""


@dataclass
class Part:
    """A file of rows and what its manifest says of it; `count` is 0 if that does not say which shard it is."""

    path: str
    manifest: dict[str, Any] | None = None
    index: int = 0
    count: int = 0
    unfinished: bool = False
    """It is there under the name that it has until its run is done."""
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """The stage that wrote it."""
        return str((self.manifest or {}).get("stage", ""))

    @property
    def read(self) -> dict[str, Any]:
        """`rows`, `own` and `fingerprint` of the input; empty if the run did not read all of it, or had no shard."""
        read = (self.manifest or {}).get("input")
        return read if isinstance(read, dict) and {"rows", "own", "fingerprint"} <= read.keys() else {}

    def number(self, name: str) -> int:
        """A count of the manifest; 0 if there is none."""
        value = (self.manifest or {}).get(name)
        return value if type(value) is int else 0

    @property
    def filtered(self) -> int:
        """Rows that the stage left out on purpose, besides those of other shards."""
        reasons = (self.manifest or {}).get("filtered")
        counts = reasons if isinstance(reasons, dict) else {}
        return sum(count for name, count in counts.items() if name != "other_shard" and type(count) is int)

    @property
    def jobs(self) -> int:
        """Rows that the run had to make."""
        return self.number("rows") + self.number("errors") + self.filtered

    def command(self, index: int | None = None, path: str | None = None, more: Sequence[str] = ()) -> str:
        """The command that made this part, or the part `index` in the file `path`; empty if the manifest has none."""
        words = (self.manifest or {}).get("command")
        if not isinstance(words, list) or len(words) < 2 or words[0] != "libra":
            return ""
        words = [str(word) for word in words if word != "--overwrite"]
        index = self.index if index is None else index
        if self.count > 1:
            words = _with_option(words, ("--shard",), f"{index}/{self.count}")
        words = _with_option(words, ("--output", "-o"), path or self.path)
        return shlex.join([*words, *more])


def _with_option(words: Sequence[str], names: Sequence[str], value: str) -> list[str]:
    """A command with another value of an option, or with the option."""
    made, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in names:
            skip = True
        elif not word.startswith(tuple(f"{name}=" for name in names)):
            made.append(word)
    return [*made, names[-1], value]


def read_part(path: str) -> Part:
    """Reads the manifest of a part; raises Fatal(74) if it cannot be read."""
    is_part = path.endswith(".part")
    plain = path.removesuffix(".part")
    is_unfinished = is_part or (not os.path.exists(path) and os.path.exists(path + ".part"))
    for ending in ("", *COMPRESSED):
        if not plain.endswith(ending):
            continue
        manifest = Manifest.read(plain.removesuffix(ending) + ".libra.json")
        if manifest is not None:
            config = {name: value for name, value in manifest["config"].items() if name != "shard"}
            index, _, count = str(manifest["config"].get("shard", "")).partition("/")
            if index.isdigit() and count.isdigit():
                return Part(plain, manifest, int(index), int(count), is_unfinished, config)
    return Part(plain, unfinished=is_unfinished)


class ManifestCheck:
    """What the manifests of parts say against their being one whole; `has_input`: their input is given, too."""

    def __init__(self, parts: Sequence[Part], has_input: bool):
        self._parts, self._has_input = parts, has_input
        self._known = [part for part in parts if part.count]

    def faults(self) -> list[Fault]:
        """All faults, each with its cure."""
        known = self._known
        faults = [fault for part in self._parts if (fault := self._unfinished(part))]
        if not known:
            return faults
        first = known[0]
        faults += [Fault(text, Exit.USAGE) for part in known[1:] if (text := self._stranger(part))]
        alike = [part for part in known if part.stage == first.stage and part.count == first.count]
        if first.count > 1:
            faults += [*self._shards(alike), *self._inputs(alike), *self._amounts(alike)]
        elif not self._has_input:
            text = f"{first.path}: was written without --shard; give the rows that the parts were made from"
            faults.append(Fault(f"{text}: --input FILE", Exit.USAGE))
        for part in alike:
            if refused := part.number("errors"):
                text = f"{part.path}: {refused:,} rows were refused (see its --errors FILE); mend them, then continue"
                faults.append(Fault(text, Exit.SOME_ERRORS, part.command()))
        return faults

    def _unfinished(self, part: Part) -> Fault | None:
        """That a file is not there, has no manifest, or was not finished."""
        shards = (part.index,) if part.count else ()
        is_complete = (part.manifest or {}).get("status") == "complete"
        if part.unfinished or (part.count and not is_complete):
            return Fault(f"{part.path}: its run has not finished", Exit.INCOMPLETE, part.command(), shards)
        if not os.path.exists(part.path):
            cures = (self._command_for(part.path, one) for one in (part, *self._known))
            return Fault(f"{part.path}: there is no such file", Exit.INCOMPLETE, next(filter(None, cures), ""), shards)
        if not part.count:
            name = f"{part.path}.libra.json"
            lack = f"{name} is damaged" if os.path.exists(name) else f"there is no {name}"
            text = f"{part.path}: {lack}, so nothing proves what it holds"
            return Fault(f"{text}; write parts with -o, or use --no-check", Exit.USAGE)
        return None

    def _command_for(self, path: str, part: Part) -> str:
        """The command for a missing file of which there is a manifest, or whose name says which shard it would be."""
        if path == part.path:
            return part.command()
        shards = range(part.count if part.count > 1 else 0)
        return next((part.command(index, path) for index in shards if name_of(index, self._known) == path), "")

    def _stranger(self, part: Part) -> str:
        """How a part was made otherwise than the first one; empty if it was not."""
        first = self._known[0]
        if part.stage != first.stage:
            return f"{part.path}: was made by libra {part.stage}, {first.path} by libra {first.stage}"
        own = Manifest("", part.stage, part.config, "").difference({"stage": first.stage, "config": first.config})
        if own:
            return f"{part.path}: was made with other options than {first.path} ({own}); make one of them again"
        if part.count != first.count:
            shards = f"shard {part.index}/{part.count}, {first.path} is shard {first.index}/{first.count}"
            return f"{part.path}: is {shards}; parts of one whole have the same N"
        return ""

    def _shards(self, parts: Sequence[Part]) -> Iterator[Fault]:
        """Shards that are there twice, or not at all."""
        by_index: dict[int, Part] = {}
        first = parts[0]
        for part in parts:
            other = by_index.setdefault(part.index, part)
            if other is not part:
                text = f"{part.path}: is shard {part.index}/{part.count}, and so is {other.path}; name one of them"
                yield Fault(text, Exit.USAGE)
        for index in range(first.count):
            if index in by_index:
                continue
            path = name_of(index, parts)
            state = "has not finished" if os.path.exists(path + ".part") else "is missing"
            also = f" ({path} is there; name it, too)" if os.path.exists(path) else ""
            cure = "" if also else first.command(index, path)
            yield Fault(f"shard {index}/{first.count} {state}{also}", Exit.INCOMPLETE, cure, (index,))

    def _inputs(self, parts: Sequence[Part]) -> Iterator[Fault]:
        """Parts that were made from another input than the first, or from part of it."""
        first = next((part for part in parts if part.read), parts[0])
        for part in parts:
            if not part.read and (part.manifest or {}).get("status") == "complete" and not self._has_input:
                text = f"{part.path}: its run did not read all of the input (--limit, or an older libra)"
                yield Fault(text, Exit.INCOMPLETE, part.command(more=("--overwrite",)))
            elif part.read and part.read["fingerprint"] != first.read["fingerprint"]:
                counts = f"{counted(part.read['rows'], 'row')}; {first.path} read {first.read['rows']:,}"
                text = f"{part.path}: was made from another input than {first.path} (it read {counts})"
                yield Fault(f"{text}; run both on the same input", Exit.USAGE)

    def _amounts(self, parts: Sequence[Part]) -> Iterator[Fault]:
        """Parts that have more or fewer rows than the first for each row of the input."""
        whole = [one for one in parts if one.stage in EACH_ROW and one.jobs == one.number("rows")]
        whole = [one for one in whole if one.read.get("own")]
        for part in whole[1:]:
            each, others = (one.jobs / one.read["own"] for one in (part, whole[0]))
            if each != others:
                text = f"{part.path}: has {each:.4g} rows for each row of the input, {whole[0].path} has {others:.4g}"
                yield Fault(f"{text}; give both commands the same options", Exit.USAGE)


def name_of(index: int, parts: Sequence[Part]) -> str:
    """The name that the part `index` has if it is named as the others are, by their shards or by one number more."""
    for part in parts:
        folder, name = os.path.split(part.path)
        for found in reversed([*_NUMBER.finditer(name)]):
            begin, end = name[: found.start()], name[found.end() :]
            width = len(found[0]) if found[0].startswith("0") else 0
            for more in (0, 1):
                names = [f"{begin}{str(one.index + more).zfill(width)}{end}" for one in parts]
                if all(os.path.join(folder, made) == one.path for made, one in zip(names, parts, strict=True)):
                    return os.path.join(folder, f"{begin}{str(index + more).zfill(width)}{end}")
    stem, ending = os.path.splitext(parts[0].path)
    return f"{stem}-shard-{index}{ending}"
