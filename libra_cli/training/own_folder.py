"""What in the folder of a training run is libra's: only that is ever replaced or removed. Needs no torch."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from libra_cli.exits import Exit, Fatal

MANIFEST = "libra.json"
WEIGHTS = ("model.safetensors", "model-*-of-*.safetensors", "model.safetensors.index.json")
"""Names that transformers gives to weights."""
EXPORTED = (
    *WEIGHTS, "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "tokenizer.model",
    "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt", "merges.txt", "chat_template.jinja",
    "rollouts", "events.jsonl",
)  # fmt: skip
"""Names that the files of a model have, the folder of --save-rollouts, and the events of a run."""
ROLLOUTS = "rollouts"
"""Folder of --save-rollouts."""
KEPT = ("checkpoints", ".samples", ".scored", ".rollouts", ROLLOUTS, "events.jsonl")
"""Folders and files that a run may make."""
RUN_NOTES = ".libra-run"
"""Folder in which `libra run` notes, in its own folder, which steps are done."""
_SCRATCH = (MANIFEST, "run.lock", ".samples", ".scored", ".rollouts", ".model.partial", ".libra-*.tmp")
"""Names that nobody but libra gives; before there is a manifest, only a run that was killed has left them."""
_CHECKPOINT = re.compile(r"step-[0-9]+")
_PARTIAL = re.compile(r"\.step-[0-9]+(\.old)?\.partial")
_ROLLOUT = re.compile(r"rollout-([0-9]{1,18})\.jsonl")
_LONGEST_LINE = 64 << 20


def check(folder: Path, manifest: Mapping[str, Any] | None, outputs: Sequence[str]) -> None:
    """Raises Fatal(2) if `folder` is not libra's, or holds a file that a run would replace or remove and is not.

    `outputs` are other files and folders of the same run; they may lie in it, as may its standard output and error.
    """
    if not os.path.lexists(folder):  # another rank may make it at any time
        return
    if not folder.is_dir():
        raise Fatal(Exit.USAGE, f"{folder}: is no folder; use another -o")
    if manifest is None:
        if (folder / RUN_NOTES).is_dir():
            what, cure = "is a folder of libra run, which keeps its notes there", f"name one in it: -o {folder}/NAME"
            raise Fatal(Exit.USAGE, f"{folder}: {what} ({RUN_NOTES}); {cure}")
        foreign = next((name for name in sorted(os.listdir(folder)) if not _is_of_run(folder / name, outputs)), None)
        if foreign is not None and os.environ.get("RANK", "0") == "0":  # output of other ranks goes through a pipe
            what = f"is a folder that libra did not make (it holds {foreign})"
            raise Fatal(Exit.USAGE, f"{folder}: {what}; name a new one, or an empty one")
        return
    for name in unlisted(folder, manifest):
        raise _foreign(folder / name)
    for path in _saved_rollouts(folder):
        if not _is_rollout(path, manifest.get("run")):
            raise _foreign(path)
    for place in sorted((folder / "checkpoints").glob("step-*")) if "written" in manifest else ():
        _check_checkpoint(place)


def _is_of_run(path: Path, outputs: Sequence[str]) -> bool:
    if any(fnmatch(path.name, pattern) for pattern in _SCRATCH):
        return True
    others: list[str | int] = [1, 2, *outputs]
    for other in (*others, *(f"{name}{ending}" for name in outputs for ending in (".part", ".lock"))):
        try:
            if os.path.samestat(os.stat(path), os.stat(other)):
                return True
        except OSError:
            continue  # there is no such file, or the descriptor is closed
    return False


def written(folder: Path, manifest: Mapping[str, Any] | None) -> set[str]:
    """The names in `folder` that are libra's; an earlier version kept no list, and all that a model consists of is."""
    if manifest is None:
        return set()
    if "written" in manifest:
        return {name for name in manifest["written"] if isinstance(name, str)}
    return {name for name in os.listdir(folder) if any(fnmatch(name, pattern) for pattern in EXPORTED)}


def unlisted(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """The names in `folder` that the files of a model have, and that are not libra's."""
    own = written(folder, manifest)
    return [
        name
        for name in sorted(os.listdir(folder))
        if name not in own and any(fnmatch(name, pattern) for pattern in EXPORTED)
    ]


def _check_checkpoint(place: Path) -> None:
    """Raises Fatal(2) if the folder is no checkpoint, or holds a file that its list lacks."""
    if not _CHECKPOINT.fullmatch(place.name):
        return
    if not os.path.lexists(place / MANIFEST):
        raise _foreign(place)
    try:
        listed = json.loads((place / MANIFEST).read_bytes()).get("files")
    except (OSError, ValueError, RecursionError, AttributeError):
        return  # damaged: whoever continues from it says so
    if not isinstance(listed, dict):
        return  # an earlier version kept no list
    for path in sorted(place.rglob("*")):
        if not path.is_dir() and path.relative_to(place).as_posix() not in {*listed, MANIFEST}:
            raise _foreign(path)


def _saved_rollouts(folder: Path) -> list[Path]:
    """What has the name of a file of --save-rollouts."""
    return sorted(path for path in (folder / ROLLOUTS).glob("*") if _ROLLOUT.fullmatch(path.name))


def run_of(folder: Path) -> str | None:
    """The name that the run in `folder` has from its manifest; None for a run that an earlier version began."""
    run = json.loads((folder / MANIFEST).read_bytes()).get("run")
    return run if isinstance(run, str) else None


def _is_rollout(path: Path, run: str | None) -> bool:
    """Whether the run named `run` has saved that rollout in the file: its first row says so.

    An earlier version named no run, and might be killed before the first row was whole.
    """
    number = int(_ROLLOUT.sub(r"\1", path.name))
    try:
        with open(path, "rb") as file:
            line = file.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            return not line or (run is None and line.startswith(b'{"'))
        made = json.loads(line)["rollout"]
        return bool(made["number"] == number and made.get("run") == run)
    except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return False


def remove_rollouts(folder: Path, run: str | None) -> None:
    """Removes the rollouts that the run named `run` has saved, and nothing else."""
    for path in _saved_rollouts(folder):
        if _is_rollout(path, run):
            path.unlink()


def _foreign(path: Path) -> Fatal:
    return Fatal(Exit.USAGE, f"{path}: was not written by libra in this run, which would replace it; move it away")


def remove_checkpoints(folder: Path) -> None:
    """Removes the checkpoints in `folder`, and it too if nothing else is there."""
    for name in _entries(folder):
        if _CHECKPOINT.fullmatch(name) and os.path.lexists(folder / name / MANIFEST):
            discard(folder / name)
    remove_partial_checkpoints(folder)
    if folder.is_dir() and not folder.is_symlink() and not _entries(folder):
        folder.rmdir()


def remove_partial_checkpoints(folder: Path) -> None:
    """Removes what a run that was killed has left of checkpoints in `folder`."""
    for name in _entries(folder):
        if _PARTIAL.fullmatch(name):
            remove(folder / name)


def _entries(folder: Path) -> Iterable[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else []


def discard(place: Path) -> None:
    """Removes a checkpoint; if the process is killed meanwhile, what is left is not taken for one."""
    aside = place.with_name(f".{place.name}.old.partial")
    if aside.exists():
        shutil.rmtree(aside)
    os.rename(place, aside)
    shutil.rmtree(aside)


def remove(path: Path) -> None:
    """Removes a file or folder; of a link only the link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
