"""What an earlier run of the same command has done: read from the output itself, checked against its manifest.

The output is the only record of progress. A row is done if the output has its key: (id, model, sample) and a hash of
the fields that pass through the stage unchanged. The manifest next to it (`FILE.libra.json`) holds the configuration
and what identifies the recordings that were replayed, so that a run with others is refused instead of mixed in.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import orjson

from libra_cli.exits import Exit, Fatal
from libra_cli.masking import masked, without_secrets
from libra_cli.stream import rows
from libra_cli.stream.decompression import COMPRESSED
from libra_cli.stream.files import replace_file
from libra_cli.stream.sinks import cut_torn_line, is_plain_file

Carried = Callable[[Mapping[str, Any]], Mapping[str, Any]]

_DIGEST_BYTES, _PLACE_BYTES, _PIECE = 12, 6, 1 << 20
_MOST_COMPARED = 16
"""Rows of the output that share an identity, among which the one most like a changed row is looked for."""


def _identity(fields: Mapping[str, Any], names: Sequence[str], own: Collection[str]) -> bytes:
    """12-byte hash of what identifies a row: its id and `names`; the stage writes the fields `own`, which are no id."""
    known = fields if fields.get("id") is not None else {name: fields[name] for name in fields if name not in own}
    identity = "\0".join([rows.record_id(known), *(str(fields.get(name, "")) for name in names)])
    return _digest(identity.encode("utf-8", "surrogatepass"))


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()


def named_by_content(path: str) -> str:
    """`NAME sha256:...` of a file, for a configuration; raises Fatal(2) if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return f"{os.path.basename(path)} sha256:{hashlib.sha256(file.read()).hexdigest()[:16]}"
    except OSError as error:
        raise Fatal(Exit.USAGE, f"{path}: cannot be read ({error.strerror}); check the name") from None


def content_digest(paths: Sequence[str], size: int | None = None) -> dict[str, Any] | None:
    """Bytes and SHA-256 of the first `size` bytes (None: all) of files, one after another; None without plain files.

    Raises Fatal(2) if one cannot be read.
    """
    digest, count = hashlib.sha256(), 0
    for path in paths:
        if not is_plain_file(path):
            return None  # a pipe is read once
        try:
            with open(path, "rb") as file:
                while data := file.read(_PIECE if size is None else min(_PIECE, size - count)):
                    digest.update(data)
                    count += len(data)
        except OSError as error:
            raise Fatal(Exit.USAGE, f"{path}: cannot be read ({error.strerror}); check the name") from None
    return {"bytes": count, "sha256": digest.hexdigest()} if paths else None


class FinishedRows:
    """The keys of the rows that the output holds, each as often as it occurs: equal rows are separate rows.

    `names` are the fields that, with the id, identify a row. `own` are those that the stage writes or leaves out: all
    others pass through unchanged, so that a row of the input in which one differs is not the row that was done.
    `carried` gives what passes through of the fields in `own`, from a row of the input or of the output alike.
    """

    def __init__(self, own: Sequence[str], names: Sequence[str], carried: Carried | None = None):
        self._own, self._names, self._carried = {*own, *names}, names, carried
        self._keys: dict[bytes, bytes | list[bytes]] = {}
        """By identity, the hash of what passed through and the place in the output: one of them, or several."""
        self._doubtful: dict[bytes, str] = {}
        self._path = ""
        self.rows = 0
        self.sha256 = hashlib.sha256()

    def scan(self, path: str) -> None:
        """Reads the rows of `path`; raises Fatal(2) if a line of it is not a row."""
        self._path, offset = path, 0
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                self.sha256.update(line)
                begin, offset = offset, offset + len(line)
                if not line.strip():
                    continue  # an editor may leave a blank line
                try:
                    if not line.endswith(b"\n"):
                        raise rows.RowError("truncated_line", "it is cut off")
                    fields = rows.parse(line[:-1])
                except rows.RowError as error:
                    hint = "move the file away or use --overwrite"
                    raise Fatal(Exit.USAGE, f"{path}:{number}: not a row of this run ({error}); {hint}") from None
                self._add(
                    _identity(fields, self._names, self._own),
                    self._content(fields) + begin.to_bytes(_PLACE_BYTES, "big"),
                )
                self.rows += 1

    def _content(self, fields: Mapping[str, Any]) -> bytes:
        """12-byte hash of what passes through the stage, whatever the order of its keys."""
        passed = self._passed(fields)
        try:
            data = orjson.dumps(passed, option=orjson.OPT_SORT_KEYS)
        except TypeError:  # integers beyond 64 bits
            data = json.dumps(passed, sort_keys=True).encode()
        return _digest(data)

    def _passed(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        # Rows of one identity have one id; whether it is written down too depends on the version that wrote them.
        passed = {name: value for name, value in fields.items() if name != "id" and name not in self._own}
        return passed if self._carried is None else {**passed, **self._carried(fields)}

    def _add(self, identity: bytes, key: bytes) -> None:
        before = self._keys.get(identity)
        if before is None:
            self._keys[identity] = key
        elif isinstance(before, list):
            before.append(key)
        else:
            self._keys[identity] = [before, key]

    def take(self, fields: Mapping[str, Any], place: str) -> bool:
        """Whether this row is done; each row of the output is matched once. Raises Fatal(2) if its content has changed.

        That may be in the middle of a run: rows that it has written by then stay, and the same command continues them
        once the input is as it was.

        Rows that lack a name (`sample`, say) may share an identity and differ in content. Whether one of those has
        changed is known only at the end of the input: see `leftover`.
        """
        if not self._keys:
            return False
        identity = _identity(fields, self._names, self._own)
        known = self._keys.get(identity)
        if known is None:
            return False
        content = self._content(fields)
        several = known if isinstance(known, list) else [known]
        same = next((key for key in several if key.startswith(content)), None)
        if same is None:
            self._note_change(fields, identity, several, place)
            return False
        if len(several) == 1:
            del self._keys[identity]
        else:
            several.remove(same)
        return True

    @property
    def has_more(self) -> bool:
        """Whether the output holds rows that no row of the input has matched yet."""
        return bool(self._keys)

    def _note_change(self, fields: Mapping[str, Any], identity: bytes, known: Sequence[bytes], place: str) -> None:
        if identity in self._doubtful:
            return
        now = self._passed(fields)
        differing = [_differing(now, self._passed(self._read(key))) for key in known[:_MOST_COMPARED]]
        fewest = sorted(differing, key=len)[0]
        name = fields.get("id", fields.get("index", rows.record_id(fields)))
        message = (
            f"{place}: row {name} has changed since the output was begun, or another row has its id "
            f"(it differs in: {', '.join(fewest)}); use another -o, or --overwrite"
        )
        if all(fields.get(name) is not None for name in self._names):
            raise Fatal(Exit.USAGE, message)
        self._doubtful[identity] = message

    def _read(self, key: bytes) -> dict[str, Any]:
        """The row of the output at the place in `key`; the run may have given the file its other name."""
        complete = self._path.removesuffix(".part")
        with open(complete if os.path.exists(complete) else f"{complete}.part", "rb") as file:
            file.seek(int.from_bytes(key[_DIGEST_BYTES:], "big"))
            return rows.parse(file.readline().rstrip(b"\n"))

    def leftover(self) -> int:
        """Counts rows of the output that the input lacks; raises Fatal(2) if the input has changed ones instead."""
        for identity, message in self._doubtful.items():
            if identity in self._keys:
                raise Fatal(Exit.USAGE, message)
        return sum(len(known) if isinstance(known, list) else 1 for known in self._keys.values())


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The names of the fields that only one of the two has, or that differ (1 and 1.0 do)."""
    texts = [{name: json.dumps(value, sort_keys=True) for name, value in fields.items()} for fields in (one, other)]
    return [name for name in {**one, **other} if texts[0].get(name) != texts[1].get(name)]


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as it is read back, tuples as lists, and without secrets, which shape no rows."""
    plain: dict[str, Any] = without_secrets(json.loads(json.dumps(dict(config), default=str)))
    return plain


def command_line() -> list[str]:
    """The words of the running command of libra, without secrets."""
    return ["libra", *("=".join(without_secrets(masked(word).split("=", 1))) for word in sys.argv[1:])]


class Manifest:
    """`FILE.libra.json`: the stage and configuration that make FILE, whether it is complete, and its counts."""

    def __init__(
        self,
        path: str,
        stage: str,
        config: Mapping[str, Any],
        version: str,
        current_config: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
        watched: Mapping[str, Sequence[str]] | None = None,
    ):
        """`watched`: files, by the option that names them, whose content may grow but not change between runs."""
        self.path, self._current_config, self._watched = path, current_config, watched or {}
        plain = _plain(config)
        self._content: dict[str, Any] = {"stage": stage, "libra": version, "command": command_line(), "config": plain}
        self._content["config_sha256"] = rows.content_hash(plain, 64)

    @staticmethod
    def read(path: str) -> dict[str, Any] | None:
        """The manifest at `path`; None if there is none. Raises Fatal(74) if it cannot be read."""
        try:
            with open(path, "rb") as file:
                content = json.loads(file.read())
        except (FileNotFoundError, ValueError, RecursionError):
            return None
        except OSError as error:
            reason = f"cannot be read ({error.strerror}); check the device and run again"
            raise Fatal(Exit.WRITE_FAILED, f"{path}: {reason}") from None
        if not isinstance(content, dict) or not {"stage", "config", "config_sha256"} <= content.keys():
            return None
        return content if isinstance(content["config"], dict) else None

    def write(self, status: str, waiting: Mapping[str, Any] | None = None, **counts: Any) -> None:
        """Replaces the file; raises Fatal(74) if it cannot be written. `waiting` is as for open_special."""
        if status == "running" or "read" not in self._content:
            read = {name: content_digest(paths) for name, paths in self._watched.items()}
            self._content |= {"read": read} if read else {}
        content = {**self._content, "status": status, **counts}
        data = json.dumps(content, indent=2).encode() + b"\n"
        replace_file(self.path, data, begun=status != "running", **(waiting or {}))

    def same_stage(self, earlier: Mapping[str, Any]) -> bool:
        """Whether `earlier` describes a file that the same stage wrote under the same option."""
        return bool(earlier["stage"] == self._content["stage"])

    def same_run(self, earlier: Mapping[str, Any]) -> bool:
        """Whether `earlier` describes a run of the same stage with the same configuration."""
        config_sha256 = rows.content_hash(_plain(self._current_config(earlier["config"])), 64)
        return self.same_stage(earlier) and config_sha256 == self._content["config_sha256"]

    def changed_file(self, earlier: Mapping[str, Any]) -> str | None:
        """The option whose files no longer begin with what the run of the manifest `earlier` read; None if all do."""
        read = earlier.get("read")
        for name, paths in self._watched.items():
            before = read.get(name) if isinstance(read, dict) else None
            size = before.get("bytes") if isinstance(before, dict) else None
            if type(size) is int and content_digest(paths, size) != before:
                return f"--{name.replace('_', '-')} {' '.join(paths)}"
        return None

    def difference(self, earlier: Mapping[str, Any]) -> str:
        """Describes how the run of the manifest `earlier` differs from this one."""
        if earlier["stage"] != self._content["stage"]:
            return f"it was made by libra {earlier['stage']}"
        now, then = self._content["config"], _plain(self._current_config(earlier["config"]))
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
    another configuration, or not by libra, or would be begun anew and is no longer what libra wrote; `option` named it.
    """
    part = path + ".part"
    if path.endswith(COMPRESSED):
        raise Fatal(Exit.USAGE, f"{path}: -o writes plain JSONL, which can be continued; compress it afterwards")
    existing = [name for name in (path, part) if os.path.exists(name)]
    if existing and not overwrite:
        _check_same_run(existing[0], manifest, option, done is not None, binds=done is not None or existing != [part])
        if done is None:
            refuse_edited(path, Manifest.read(manifest.path))
            return
        if existing == [path, part]:  # a run that ends between two names never leaves both: FILE was put back by hand
            raise Fatal(Exit.USAGE, f"{path} and {part} are both there; move one of them away")
        if existing == [part]:
            cut_torn_line(part)
        done.scan(existing[0])


def refuse_edited(path: str, earlier: Mapping[str, Any] | None) -> None:
    """Raises Fatal(2) if the complete file at `path` is not what its manifest `earlier` says it is."""
    sha256 = (earlier or {}).get("sha256")
    is_complete = os.path.exists(path) and os.path.getsize(path) and (earlier or {}).get("status") == "complete"
    if not is_complete or not isinstance(sha256, str):
        return  # of an unfinished run, the manifest does not know the file
    found = content_digest([path])
    if found is not None and found["sha256"] != sha256:
        raise Fatal(Exit.USAGE, f"{path}: has changed since libra wrote it; move it away, or use --overwrite")


def _check_same_run(path: str, manifest: Manifest, option: str, can_continue: bool, binds: bool) -> None:
    """Raises Fatal(2) if the rows at `path` are not of this run; `binds`: they stay, so that it must be the same."""
    if os.path.getsize(path) == 0:
        return  # no row was made with any configuration: an earlier run ended before it began
    earlier = Manifest.read(manifest.path)
    hint = f"use another {option}, or --overwrite"
    if earlier is None and os.path.exists(manifest.path):
        raise _unknown_rows(path, manifest.path, option, can_continue)
    if earlier is None:
        raise Fatal(Exit.USAGE, f"{path}: exists and was not made by libra with {option}; {hint}")
    if not binds and manifest.same_stage(earlier):
        return
    if not manifest.same_run(earlier):
        difference = manifest.difference(earlier)
        raise Fatal(Exit.USAGE, f"{path}: was begun with another configuration ({difference}); {hint}")
    if changed := manifest.changed_file(earlier):
        raise Fatal(Exit.USAGE, f"{changed}: has changed since {path} was begun; {hint}")


def _unknown_rows(path: str, manifest: str, option: str, can_continue: bool) -> Fatal:
    """The Fatal for the rows at `path` whose manifest is there and says nothing; the cure keeps what cost work."""
    damage = "is no manifest of libra" if os.path.getsize(manifest) else "is empty"
    what = f"{damage}, so that nothing says what made {path}"
    cure = f"the command that did, with {option} NEW --limit 0, writes NEW.libra.json to put there"
    cure = f"{cure}; or use another {option}" if can_continue else f"use another {option}, or --overwrite"
    return Fatal(Exit.USAGE, f"{manifest}: {what}; {cure}")
