"""What an earlier run of the same command has done: read from the output itself, checked against its manifest.

The output is the only record of progress. A row is done when its key stands there: (id, model, sample) and a hash of
the fields that the stage used, which pass through every stage unchanged. The manifest beside it (`FILE.libra.json`)
holds the configuration, so that a run with another one is refused instead of mixed in.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from libra_cli.exits import Exit, Fatal
from libra_cli.stream import rows
from libra_cli.stream.sinks import cut_torn_line, replace_file

Key = tuple[bytes, bytes]


def key_of(fields: Mapping[str, Any], used: Sequence[str], names: Sequence[str]) -> Key:
    """(identity, used): 12-byte hashes of which row it is (`names` beside its id) and of what the stage read of it."""
    identity = "\0".join([rows.record_id(fields), *(str(fields.get(name, "")) for name in names)])
    return _digest(identity.encode("utf-8", "surrogatepass")), _digest(_bytes([fields.get(name) for name in used]))


def _bytes(values: list[Any]) -> bytes:
    try:
        return orjson.dumps(values)
    except TypeError:  # integers beyond 64 bits
        return json.dumps(values).encode()


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=12).digest()


def named_by_content(path: str) -> str:
    """`NAME sha256:...` of a file, for a configuration; raises Fatal(2) where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return f"{os.path.basename(path)} sha256:{hashlib.sha256(file.read()).hexdigest()[:16]}"
    except OSError as error:
        raise Fatal(Exit.USAGE, f"{path}: cannot be read ({error.strerror}); check the name") from None


class FinishedRows:
    """The keys of the rows that stand in the output, with how often each does: equal rows are separate rows."""

    def __init__(self, used: Sequence[str], names: Sequence[str]):
        self._used, self._names = used, names
        self._keys: dict[bytes, bytes | list[bytes]] = {}
        self._doubtful: dict[bytes, str] = {}
        self.rows = 0
        self.sha256 = hashlib.sha256()

    def scan(self, path: str) -> None:
        """Reads the rows of `path`; raises Fatal(2) where a line in it is not a row."""
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    if not line.endswith(b"\n"):
                        raise rows.RowError("truncated_line", "it is cut off")
                    fields = rows.parse(line[:-1])
                except rows.RowError as error:
                    cure = "move the file away or use --overwrite"
                    raise Fatal(Exit.USAGE, f"{path}:{number}: not a row of this run ({error}); {cure}") from None
                self._add(*key_of(fields, self._used, self._names))
                self.sha256.update(line)
                self.rows += 1

    def _add(self, identity: bytes, used: bytes) -> None:
        before = self._keys.get(identity)
        if before is None:
            self._keys[identity] = used
        elif isinstance(before, list):
            before.append(used)
        else:
            self._keys[identity] = [before, used]

    def take(self, fields: Mapping[str, Any], place: str) -> bool:
        """True, once per row in the output, where this row is done; raises Fatal(2) where its content was another.

        Rows that do not say which they are (without `sample`, say) may share an identity and differ in content. Of
        those only the end of the input can tell whether one has changed: see `leftover`.
        """
        if not self._keys:
            return False
        identity, used = key_of(fields, self._used, self._names)
        there = self._keys.get(identity)
        if there is None:
            return False
        if used == there or (isinstance(there, list) and used in there):
            self._remove(identity, used)
            return True
        message = f"{place}: {self._changed(fields)}"
        if all(fields.get(name) is not None for name in self._names):
            raise Fatal(Exit.USAGE, message)
        self._doubtful[identity] = message
        return False

    def leftover(self) -> int:
        """Rows of the output that the input did not have; raises Fatal(2) where it had others in their place."""
        for identity, message in self._doubtful.items():
            if identity in self._keys:
                raise Fatal(Exit.USAGE, message)
        return sum(len(there) if isinstance(there, list) else 1 for there in self._keys.values())

    def _remove(self, identity: bytes, used: bytes) -> None:
        there = self._keys[identity]
        if isinstance(there, list) and len(there) > 1:
            there.remove(used)
        else:
            del self._keys[identity]

    def _changed(self, fields: Mapping[str, Any]) -> str:
        name = fields.get("id", fields.get("index", rows.record_id(fields)))
        read = ", ".join(used for used in self._used if used in fields)
        return (
            f"row {name} has changed since the output was begun, or another row has its id (it differs in: {read}); "
            "use another -o, or --overwrite"
        )


class Manifest:
    """`FILE.libra.json`: which stage and configuration makes FILE, whether it is complete, and its counts."""

    def __init__(self, path: str, stage: str, config: Mapping[str, Any], version: str):
        self.path = path
        plain = json.loads(json.dumps(dict(config), default=str))  # as it will be read again: tuples become lists
        self._content: dict[str, Any] = {"stage": stage, "libra": version, "config": plain}
        self._content["config_sha256"] = rows.content_hash(plain, 64)

    @staticmethod
    def read(path: str) -> dict[str, Any] | None:
        """The manifest at `path`; None where there is none or it is not one."""
        try:
            with open(path, "rb") as file:
                content = json.loads(file.read())
        except (OSError, ValueError):
            return None
        return content if isinstance(content, dict) and {"stage", "config", "config_sha256"} <= content.keys() else None

    def write(self, status: str, **counts: Any) -> None:
        """Replaces the file; raises Fatal(74) where it cannot be written."""
        content = {**self._content, "status": status, **counts}
        replace_file(self.path, json.dumps(content, indent=2).encode() + b"\n")

    def same_stage(self, found: Mapping[str, Any]) -> bool:
        """Whether `found` describes a file that the same stage wrote under the same option."""
        return bool(found["stage"] == self._content["stage"])

    def same_run(self, found: Mapping[str, Any]) -> bool:
        """Whether `found` describes a run of the same stage with the same configuration."""
        return all(found[name] == self._content[name] for name in ("stage", "config_sha256"))

    def difference(self, found: Mapping[str, Any]) -> str:
        """In words, what `found` was made with that this run is not."""
        if found["stage"] != self._content["stage"]:
            return f"it was made by libra {found['stage']}"
        now, then = self._content["config"], found["config"]
        changed = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
        values = ((_called(name), _short(then.get(name)), _short(now.get(name))) for name in changed)
        return "; ".join(f"{name} was {before}, now {after}" for name, before, after in values)


def _called(name: str) -> str:
    """What a user calls a setting: all are options, but the FILE:AMOUNT of libra mix."""
    return "the mixture" if name == "mixture" else f"--{name.replace('_', '-')}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def prepare(path: str, manifest: Manifest, done: FinishedRows | None, overwrite: bool, option: str = "-o") -> None:
    """Makes `path` ready to be begun or continued: clears it (--overwrite), refuses it, or reads into `done`.

    `done` None says that the stage cannot continue half an output and makes it anew. Raises Fatal(2) where the file was
    made with another configuration, or not by libra; `option` is what named it.
    """
    part = path + ".part"
    if path.endswith((".gz", ".zst")):
        raise Fatal(Exit.USAGE, f"{path}: -o writes plain JSONL, which can be continued; compress it afterwards")
    there = [name for name in (path, part) if os.path.exists(name)]
    if overwrite:
        _remove(there)
    elif there:
        _check_same(there[0], manifest, option)
        if done is None:
            _remove([part] if part in there else [])
        else:
            _continue(path, part, done)
    manifest.write("running")


def _check_same(path: str, manifest: Manifest, option: str) -> None:
    if os.path.getsize(path) == 0:
        return  # no row was made with any configuration: an earlier run ended before it began
    found = Manifest.read(manifest.path)
    cure = f"use another {option}, or --overwrite"
    if found is None:
        raise Fatal(Exit.USAGE, f"{path}: exists and was not made by libra with {option}; {cure}")
    elif not manifest.same_run(found):
        difference = manifest.difference(found)
        raise Fatal(Exit.USAGE, f"{path}: was begun with another configuration ({difference}); {cure}")


def _continue(path: str, part: str, done: FinishedRows) -> None:
    if os.path.exists(path):
        if os.path.exists(part):  # a run that ended between two names cannot leave both: FILE was put back by hand
            raise Fatal(Exit.USAGE, f"{path} and {part} are both there; move one of them away")
        done.scan(path)
    else:
        cut_torn_line(part)
        done.scan(part)


def _remove(names: Sequence[str]) -> None:
    for name in names:
        os.unlink(name)
