"""What `libra run` remembers of each step: its command, what it read, and what it wrote."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from libra_cli.plural import counted
from libra_cli.sampling.judgments import ANSWERED_ON_ANOTHER_TRY
from libra_cli.stages.run.step import Step
from libra_cli.stream.files import replace_file
from libra_cli.stream.resume import Manifest

_PIECE = 1 << 20


@dataclass
class Mark:
    """`DIR/.libra-run/STEP.json`: a step that was begun, or is done."""

    command: str
    """SHA-256 of the command line."""
    reads: dict[str, Any] = field(default_factory=dict)
    """Path -> fingerprint."""
    wrote: Any = None
    """Fingerprint of the output; None until the step is done."""
    status: int | None = None
    """The exit status that it ended with; None until it is done."""
    config: str | None = None
    """SHA-256 of the configuration with which its rows were made; None until it is done, and where there are none."""
    variables: dict[str, str] = field(default_factory=dict)
    """Variable of the environment that sets an option of the step -> SHA-256 of its value."""

    def write(self, path: str) -> None:
        """Replaces the file; raises Fatal(74) if it cannot be written."""
        replace_file(path, json.dumps(asdict(self), indent=1).encode() + b"\n")


def read_mark(path: str) -> Mark | None:
    """The mark in the file at `path`; None where there is none that can be read."""
    try:
        with open(path, "rb") as file:
            return Mark(**json.loads(file.read()))
    except (OSError, ValueError, TypeError):
        return None


def begun_mark(step: Step, before: Mark | None) -> Mark:
    """What `step` would do now; files as old and as large as `before` are not read again."""
    read = before.reads if before is not None else {}
    reads = {path: fingerprint(path, read.get(path)) for path in dict.fromkeys(step.reads)}
    set_ = {name: value for name in step.variables if (value := os.environ.get(name))}  # an empty one sets nothing
    return Mark(_hash(step.arguments), reads, variables={name: _hash(value) for name, value in set_.items()})


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def changes(step: Step, mark: Mark, now: Mark) -> str:
    """Why what was done for `mark` does not do for the step as it is now; empty if it does."""
    if mark.command != now.command:
        return "its command line has changed"
    for name in sorted({*mark.variables, *now.variables}):
        if mark.variables.get(name) != now.variables.get(name):
            return f"the environment variable {name} has changed"
    if mark.reads.keys() != now.reads.keys():
        return "it reads other files"
    changed = [path for path, before in mark.reads.items() if not same_content(path, before, now.reads[path])]
    return f"{changed[0]} has changed" if changed else ""


def manifest_of(step: Step) -> Mapping[str, Any]:
    """What the manifest of a step's rows says; nothing of a step that writes no rows, or that has written none yet."""
    return (Manifest.read(f"{step.output}.libra.json") or {}) if step.form == "rows" else {}


def is_empty(step: Step) -> bool:
    """Whether a step has written its output, without a row in it."""
    manifest = manifest_of(step)
    return manifest.get("status") == "complete" and not manifest.get("rows")


def left_to_do(step: Step) -> str:
    """Why a step that has ended with refused rows is not done; empty if running it again would refuse them again."""
    manifest = manifest_of(step)
    kinds = manifest.get("error_kinds") or {}
    again = {kind: count for kind, count in kinds.items() if kind in ANSWERED_ON_ANOTHER_TRY}
    if again:
        named = ", ".join(f"{kind} {count}" for kind, count in sorted(again.items()))
        return f"{counted(sum(again.values()), 'row')} may be answered now ({named})"
    return "it refused every row" if manifest.get("errors") and is_empty(step) else ""


def is_edited(step: Step, mark: Mark) -> bool:
    """Whether the output is neither what the step wrote nor what its command, run by hand, has made of that since."""
    if mark.wrote is None:
        return False
    now, manifest = fingerprint(step.output), manifest_of(step)
    if same_content(step.output, mark.wrote, now):
        return False
    is_ours = manifest.get("status") == "complete" and manifest.get("config_sha256") == mark.config
    return not (is_ours and isinstance(now, dict) and now.get("sha256") == manifest.get("sha256"))


def is_as_written(step: Step, mark: Mark) -> bool:
    """Whether the rows of a step that was done are what it wrote, though their manifest is damaged."""
    is_damaged = os.path.isfile(f"{step.output}.libra.json") and not manifest_of(step)
    return step.form == "rows" and is_damaged and same_content(step.output, mark.wrote, fingerprint(step.output))


def is_whole(step: Step) -> bool:
    """Whether the output is there, and its stage says that it is complete."""
    if not os.path.exists(step.output):
        return False
    manifest = f"{step.output}.libra.json" if step.form == "rows" else os.path.join(step.output, "libra.json")
    if step.form in ("result", "made") or not os.path.exists(manifest):
        return step.form in ("result", "made")
    if step.form == "rows":
        return manifest_of(step).get("status") == "complete"
    try:
        with open(manifest, "rb") as file:
            return bool(json.loads(file.read()).get("status") == "complete")
    except (OSError, ValueError, AttributeError):
        return False


def fingerprint(path: str, before: Any = None) -> Any:
    """Size, time and SHA-256 of a file; of a folder the size and time of each file in it; None if there is nothing.

    The hash is that of `before`, an earlier fingerprint, if size and time are the same, or that of the manifest if the
    file is no younger: a large file is read only if it must be.
    """
    try:
        if os.path.isdir(path):
            with os.scandir(path) as entries:
                files = sorted((entry.name, entry.stat()) for entry in entries if entry.is_file())
            return {name: [at.st_size, at.st_mtime_ns] for name, at in files if not name.endswith((".lock", ".log"))}
        at = os.stat(path)
        if not stat.S_ISREG(at.st_mode):
            return "a pipe or device"  # which is read once
        if isinstance(before, dict) and [before.get("bytes"), before.get("mtime_ns")] == [at.st_size, at.st_mtime_ns]:
            return before
        known, manifest = None, f"{path}.libra.json"
        if os.path.exists(manifest) and os.stat(manifest).st_mtime_ns >= at.st_mtime_ns:
            known = (Manifest.read(manifest) or {}).get("sha256")
        if not isinstance(known, str):
            digest = hashlib.sha256()
            with open(path, "rb") as file:
                while data := file.read(_PIECE):
                    digest.update(data)
            known = digest.hexdigest()
        return {"bytes": at.st_size, "mtime_ns": at.st_mtime_ns, "sha256": known}
    except OSError:
        return None


def same_content(path: str, before: Any, now: Any) -> bool:
    """Whether two fingerprints of `path` are of the same content; files that were only touched are the same."""
    if os.path.isdir(path) or not isinstance(before, dict) or not isinstance(now, dict):
        return bool(before == now)
    return bool(before.get("sha256") == now.get("sha256") and before.get("bytes") == now.get("bytes"))
