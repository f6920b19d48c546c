"""The manifest of a training run, `DIR/libra.json`: read, or made out from the last checkpoint if it is damaged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from libra_cli.exits import Exit, Fatal
from libra_cli.masking import without_secrets
from libra_cli.training import own_folder
from libra_cli.training.own_folder import MANIFEST

_KINDS = {
    "stage": str, "status": str, "config": dict, "steps": int, "samples": str, "refused": int, "left": dict,
    "written": list, "run": str, "begun": str,
}  # fmt: skip
"""Types of the values of a manifest. Earlier versions did not write `written`, what of DIR is libra's, `run`: a name
that no other run has, and `begun`: the local time at which the run was first prepared, in ISO 8601."""


def read(folder: Path) -> dict[str, Any] | None:
    """The manifest in `folder`; None if there is none, or it is damaged."""
    try:
        manifest: Any = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return manifest if _is_manifest(manifest) else None


def restored(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The last checkpoint in `folder` and what it says of its run, for a manifest that is damaged; None without one.

    A checkpoint knows the settings of its run and the samples, which are checked once more when a run continues from
    it. Files of a model are listed by the manifest only. Raises Fatal(2) where no checkpoint says what the run was.
    """
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Fatal(Exit.USAGE, f"{path}: cannot be read ({error.strerror}); mend that, or use another -o") from None
    found = (place for place in (folder / "checkpoints").glob("step-*") if place.name[5:].isdecimal())
    for place in sorted(found, key=lambda place: int(place.name[5:]), reverse=True):
        if (known := _run_of(place)) is not None:
            return place, known
    what = "is no manifest of libra" if content else "is empty"
    cure = "put a copy of it back, or move the folder away, or use another -o"
    raise Fatal(Exit.USAGE, f"{path}: {what}, and no checkpoint says what the run was; {cure}")


def _is_manifest(content: Any) -> bool:
    if not isinstance(content, dict) or "status" not in content:
        return False
    with suppress(ValueError, TypeError):
        datetime.fromisoformat(content.get("begun", "2000-01-01"))
        return all(type(content.get(key, kind())) is kind for key, kind in _KINDS.items())
    return False


def has_work(folder: Path) -> bool:
    """Whether a run that did not end has left something in `folder` that another one would lose."""
    made = (*own_folder.WEIGHTS, "checkpoints/step-*", ".rollouts/*", f"{own_folder.ROLLOUTS}/*", ".scored/*")
    if any(next(folder.glob(pattern), None) for pattern in made):
        return True
    try:
        with open(folder / "events.jsonl", "rb") as events:
            return any(line.startswith(b'{"event":"step"') for line in events)
    except FileNotFoundError:
        return False


def _run_of(place: Path) -> dict[str, Any] | None:
    """A manifest of the run that saved the checkpoint at `place`; None if the marker there does not say enough."""
    try:
        marker = json.loads((place / MANIFEST).read_bytes())
        config = {name: value for name, value in marker["run"].items() if name != "data"}
        of = {name: value for name, value in marker.get("of", {}).items() if value is not None}
    except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None
    known = {**of, "status": "running", "config": config, "written": [*own_folder.KEPT]}
    return known if _is_manifest(known) else None


def config_of(manifest: Mapping[str, Any], deepspeed: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the run of a manifest, for one that has `deepspeed` in its DeepSpeed file.

    Earlier versions noted nothing of that file but its optimizer; the rest is taken to be the same.
    """
    config = dict(manifest.get("config", {}))
    optimizer = config.pop("deepspeed_optimizer", None)
    others = {name: value for name, value in deepspeed.items() if name != "optimizer"}
    return {"deepspeed": {**others, **({"optimizer": optimizer} if optimizer else {})}, **config}


def refuse_difference(
    where: str,
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    cure: str = "begin anew with --overwrite, or use another -o",
    changed: Sequence[str] = (),
) -> None:
    """Raises Fatal(2) if a run would continue with other settings than it began with; secrets may differ.

    `changed` are files of the tokenizer or chat template that are no longer those that made the tokens.
    """
    before, now = without_secrets(before), without_secrets(now)
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            was, is_now = ("not given" if each.get(name) in (None, {}) else each[name] for each in (before, now))
            what = f"{name} was {was}, now it is {is_now}"
            if name == "data":
                why = f", since {' and '.join(changed)} of the model changed" if changed else ""
                what = f"the tokens of its samples are others now{why}"
            raise Fatal(Exit.USAGE, f"{where} holds a run with other settings: {what}; {cure}")
