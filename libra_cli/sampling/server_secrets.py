"""The key and the headers for a server, from private files and the environment."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from typing import TYPE_CHECKING

from libra_cli.exits import InvalidOptions
from libra_cli.masking import SECRET_PARAMETER

if TYPE_CHECKING:
    from libra_cli.engines.openai.chat_client import Header

DEFAULT_KEY = "OPENAI_API_KEY"


def headers(options: Sequence[str]) -> list[Header]:
    """The headers of --header NAME=VALUE; a value may be env:VARIABLE or file:PATH, which is a secret then.

    Raises InvalidOptions.
    """
    from libra_cli.engines.openai.chat_client import Header

    found = []
    for option in options:
        name, _, value = option.partition("=")
        kind, colon, source = value.partition(":")
        flag = f"--header {name}"
        if colon and kind == "env":
            text = os.environ.get(source)
            if text is None:
                raise InvalidOptions(f"{flag}: {source} is not set in the environment")
        elif colon and kind == "file":
            text = _secret_in(source, flag)
        elif SECRET_PARAMETER.search(name):
            raise InvalidOptions(f"{flag}: write its secret value as env:VARIABLE or file:PATH")
        else:
            text = value
        if not (text.isascii() and text.isprintable()):
            raise InvalidOptions(f"{flag}: its value holds a line break or another character that no header has")
        found.append(Header(name, text.strip(), is_secret=kind in ("env", "file") and bool(colon)))
    return found


def api_key(variable: str | None, path: str | None) -> str | None:
    """The key from a private file or the environment; None if there is none, as for a server of one's own.

    Raises InvalidOptions if the one that is named cannot be had.
    """
    if path is None:
        key = os.environ.get(variable or DEFAULT_KEY)
        if key is None and variable is not None:
            raise InvalidOptions(f"--api-key-env {variable}: is not set in the environment")
        return key or None
    return _secret_in(path, f"--api-key-file {path}")


def _secret_in(path: str, flag: str) -> str:
    """What a private file holds; raises InvalidOptions, which names `flag`, if it is not private or has nothing."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise InvalidOptions(f"{flag}: others can read it; chmod 600 {path}")
            key = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise InvalidOptions(f"{flag}: cannot be read ({reason})") from None
    if not key:
        raise InvalidOptions(f"{flag}: is empty")
    return key
