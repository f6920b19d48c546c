"""What a folder of prepared data was made from, so that the same command prepares it once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from libra_cli.stream.files import replace_file
from libra_cli.stream.rows import content_hash
from libra_cli.stream.sinks import write_failed

NAME = "origin.json"
"""A file that a folder of prepared data has once it is finished."""


def refused_before(folder: str, origin: Mapping[str, Any], errors: str | None) -> int | None:
    """How many rows were refused when the folder was made from `origin`; None if it has to be made (again).

    It was made from something else, or `errors`, the file that holds the refused rows, is not there.
    """
    try:
        with open(os.path.join(folder, NAME), "rb") as file:
            made_from = orjson.loads(file.read())
    except (OSError, ValueError):
        return None
    refused = made_from.pop("refused", 0) if isinstance(made_from, dict) else None
    if type(refused) is not int or made_from != origin:
        return None
    return None if refused and errors is not None and not os.path.exists(errors) else refused


def forget(folder: str) -> None:
    """Takes back what `note` said, which is wrong until new data are written. Raises Fatal(74)."""
    path = os.path.join(folder, NAME)
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass  # these are the first data
    except OSError as error:
        raise write_failed(path, error, begun=True) from None


def note(folder: str, origin: Mapping[str, Any], refused: int) -> None:
    """Says that the folder is finished, and made from `origin` (JSON) without `refused` rows. Raises Fatal(74)."""
    replace_file(os.path.join(folder, NAME), orjson.dumps({**origin, "refused": refused}))


def of_files(paths: Sequence[str]) -> dict[str, Any]:
    """Names, sizes and modification times of files. One that does not exist is reported when it is read."""
    stats = [os.stat(path) for path in paths if path != "-" and os.path.exists(path)]
    return {"files": [*paths], "seen": [[stat.st_size, stat.st_mtime_ns] for stat in stats]}


def of_tokenizer(tokenizer: Any) -> str:
    """A hash of all that a tokenizer does."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    return content_hash(backend.to_str() if backend is not None else json.dumps(sorted(tokenizer.get_vocab().items())))
