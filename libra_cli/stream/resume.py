"""What an earlier run of the same command has done: read from the output itself, checked against its manifest.

The output is the only record of progress. A row is done if the output has its key: (id, model, sample) and a hash of
the fields that the stage used, which pass through every stage unchanged. The manifest next to it (`FILE.libra.json`)
holds the configuration, so that a run with another one is refused instead of mixed in.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from libra_cli.exits import Exit, Fatal
from libra_cli.stream import rows
from libra_cli.stream.files import replace_file
from libra_cli.stream.sinks import cut_torn_line

Key = tuple[bytes, bytes]


def key_of(fields: Mapping[str, Any], used: Sequence[str], names: Sequence[str]) -> Key:
    """(identity, used): 12-byte hashes of what identifies a row (its id and `names`) and of the `used` fields."""
    identity = "\0".join([rows.record_id(fields), *(str(fields.get(name, "")) for name in names)])
    values = [fields.get(name) for name in used]
    try:
        data = orjson.dumps(values)
    except TypeError:  # integers beyond 64 bits
        data = json.dumps(values).encode()
    return _digest(identity.encode("utf-8", "surrogatepass")), _digest(data)


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=12).digest()


def named_by_content(path: str) -> str:
    """`NAME sha256:...` of a file, for a configuration; raises Fatal(2) if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return f"{os.path.basename(path)} sha256:{hashlib.sha256(file.read()).hexdigest()[:16]}"
    except OSError as error:
        raise Fatal(Exit.USAGE, f"{path}: cannot be read ({error.strerror}); check the name") from None


class FinishedRows:
    """The keys of the rows that the output holds, each as often as it occurs: equal rows are separate rows."""

    def __init__(self, used: Sequence[str], names: Sequence[str]):
        self._used, self._names = used, names
        self._keys: dict[bytes, bytes | list[bytes]] = {}
        self._doubtful: dict[bytes, str] = {}
        self.rows = 0
        self.sha256 = hashlib.sha256()

    def scan(self, path: str) -> None:
        """Reads the rows of `path`; raises Fatal(2) if a line of it is not a row."""
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                self.sha256.update(line)
                if not line.strip():
                    continue  # an editor may leave a blank line
                try:
                    if not line.endswith(b"\n"):
                        raise rows.RowError("truncated_line", "it is cut off")
                    fields = rows.parse(line[:-1])
                except rows.RowError as error:
                    hint = "move the file away or use --overwrite"
                    raise Fatal(Exit.USAGE, f"{path}:{number}: not a row of this run ({error}); {hint}") from None
                self._add(*key_of(fields, self._used, self._names))
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
        """Whether this row is done; each row of the output is matched once. Raises Fatal(2) if its content has changed.

        Rows that lack a name (`sample`, say) may share an identity and differ in content. Whether one of those has
        changed is known only at the end of the input: see `leftover`.
        """
        if not self._keys:
            return False
        identity, used = key_of(fields, self._used, self._names)
        known = self._keys.get(identity)
        if known is None:
            return False
        if used == known:
            del self._keys[identity]
            return True
        if isinstance(known, list) and used in known:
            known.remove(used)
            if not known:
                del self._keys[identity]
            return True
        name = fields.get("id", fields.get("index", rows.record_id(fields)))
        differing = ", ".join(used_name for used_name in self._used if used_name in fields)
        message = (
            f"{place}: row {name} has changed since the output was begun, or another row has its id "
            f"(it differs in: {differing}); use another -o, or --overwrite"
        )
        if all(fields.get(name) is not None for name in self._names):
            raise Fatal(Exit.USAGE, message)
        self._doubtful[identity] = message
        return False

    def leftover(self) -> int:
        """Counts rows of the output that the input lacks; raises Fatal(2) if the input has changed ones instead."""
        for identity, message in self._doubtful.items():
            if identity in self._keys:
                raise Fatal(Exit.USAGE, message)
        return sum(len(known) if isinstance(known, list) else 1 for known in self._keys.values())


class Manifest:
    """`FILE.libra.json`: the stage and configuration that make FILE, whether it is complete, and its counts."""

    def __init__(
        self,
        path: str,
        stage: str,
        config: Mapping[str, Any],
        version: str,
        current_config: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
    ):
        self.path, self._current_config = path, current_config
        plain = json.loads(json.dumps(dict(config), default=str))  # as it will be read back: tuples become lists
        self._content: dict[str, Any] = {"stage": stage, "libra": version, "config": plain}
        self._content["config_sha256"] = rows.content_hash(plain, 64)

    @staticmethod
    def read(path: str) -> dict[str, Any] | None:
        """The manifest at `path`; None if there is none."""
        try:
            with open(path, "rb") as file:
                content = json.loads(file.read())
        except (OSError, ValueError):
            return None
        if not isinstance(content, dict) or not {"stage", "config", "config_sha256"} <= content.keys():
            return None
        return content if isinstance(content["config"], dict) else None

    def write(self, status: str, waiting: Mapping[str, Any] | None = None, **counts: Any) -> None:
        """Replaces the file; raises Fatal(74) if it cannot be written. `waiting` is as for open_special."""
        content = {**self._content, "status": status, **counts}
        data = json.dumps(content, indent=2).encode() + b"\n"
        replace_file(self.path, data, begun=status != "running", **(waiting or {}))

    def same_stage(self, earlier: Mapping[str, Any]) -> bool:
        """Whether `earlier` describes a file that the same stage wrote under the same option."""
        return bool(earlier["stage"] == self._content["stage"])

    def same_run(self, earlier: Mapping[str, Any]) -> bool:
        """Whether `earlier` describes a run of the same stage with the same configuration."""
        config_sha256 = rows.content_hash(self._current_config(earlier["config"]), 64)
        return self.same_stage(earlier) and config_sha256 == self._content["config_sha256"]

    def difference(self, earlier: Mapping[str, Any]) -> str:
        """Describes how the run of the manifest `earlier` differs from this one."""
        if earlier["stage"] != self._content["stage"]:
            return f"it was made by libra {earlier['stage']}"
        now, then = self._content["config"], self._current_config(earlier["config"])
        changed = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
        parts = []
        for name in changed:  # all settings are options, but the FILE:AMOUNT of libra mix
            setting = "the mixture" if name == "mixture" else f"--{name.replace('_', '-')}"
            parts.append(f"{setting} was {_short(then.get(name))}, now {_short(now.get(name))}")
        return "; ".join(parts)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def prepare(path: str, manifest: Manifest, done: FinishedRows | None, overwrite: bool, option: str = "-o") -> None:
    """Decides whether `path` is begun or continued: refuses it, or reads it into `done`, unless `overwrite`.

    `done` None: the stage cannot continue half an output and begins it anew. Raises Fatal(2) if the file was made with
    another configuration, or not by libra; `option` named it.
    """
    part = path + ".part"
    if path.endswith((".gz", ".zst")):
        raise Fatal(Exit.USAGE, f"{path}: -o writes plain JSONL, which can be continued; compress it afterwards")
    existing = [name for name in (path, part) if os.path.exists(name)]
    if existing and not overwrite:
        _check_same_run(existing[0], manifest, option)
        if done is None:
            return
        if existing == [path, part]:  # a run that ends between two names never leaves both: FILE was put back by hand
            raise Fatal(Exit.USAGE, f"{path} and {part} are both there; move one of them away")
        if existing == [part]:
            cut_torn_line(part)
        done.scan(existing[0])


def _check_same_run(path: str, manifest: Manifest, option: str) -> None:
    if os.path.getsize(path) == 0:
        return  # no row was made with any configuration: an earlier run ended before it began
    earlier = Manifest.read(manifest.path)
    hint = f"use another {option}, or --overwrite"
    if earlier is None:
        raise Fatal(Exit.USAGE, f"{path}: exists and was not made by libra with {option}; {hint}")
    if not manifest.same_run(earlier):
        difference = manifest.difference(earlier)
        raise Fatal(Exit.USAGE, f"{path}: was begun with another configuration ({difference}); {hint}")
