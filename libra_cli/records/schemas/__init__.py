"""The JSON Schema of each kind of record, one file per kind: what the stages write, and what they read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from libra_cli.choices import SCHEMAS

_FOLDER = Path(__file__).parent


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a kind, complete in itself; raises KeyError for an unknown kind.

    A file may name another kind in `extends`; the properties of that kind come first.
    """
    if kind not in SCHEMAS:
        raise KeyError(kind)
    own: dict[str, Any] = json.loads((_FOLDER / f"{kind}.json").read_text(encoding="utf-8"))
    base = own.pop("extends", None)
    if base is not None:
        own["properties"] = {**schema(base)["properties"], **own["properties"]}
    return own
