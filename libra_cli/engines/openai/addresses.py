"""The address of a server as people give it: up to and including /v1, or refused with what was probably meant."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

from libra_cli.engines.openai.endpoints import without_query
from libra_cli.exits import InvalidOptions

_ENDPOINT = re.compile(
    "/chat/completions$|(?<=/v1)/(chat|classify|completions|embeddings|messages|models|pooling|responses|score)$"
)
"""What requests append to the address; a gateway may have other paths after /v1, and a service may end in /models."""
_FOREIGN = re.compile(r"""[\s"'<>\\^`{|}#]""")
"""Characters that no address holds as they are."""
_SCHEME = re.compile("(?i)^(h?t{1,2}ps?:/{0,3}|https?//|//)+")
"""http:// as people mistype it."""
_HOST = re.compile(r"(?i)^(localhost\b|(?!v\d+(/|$))[^/:]+(\.|:\d|/)|\[)")
"""The beginning of what is a host rather than some other word."""
_SEVERAL = re.compile("(?i)[,;]\\s*https?://")
_AROUND = " \t\r\n\"'<>`.,;"
"""What a copied address may have around it."""


def server_address(url: str, flag: str) -> str:
    """`url` without its last slash; raises InvalidOptions, with what was probably meant, if it cannot be a base URL.

    `flag` names the option. A query stays (`?api-version=`), and is never shown: it may hold a key.
    """
    parts = _usable_parts(url)
    if "@" in (url if parts is None else parts.netloc):
        cure = "leave name and password out of it, and give a key with --api-key-env or --api-key-file"
        raise InvalidOptions(f"{flag}: {cure}")
    name = without_query(url)
    place = f"{flag} {name or repr(url)}"
    if _SEVERAL.search(name):
        raise InvalidOptions(f"{place}: holds several addresses; give each one by itself")
    endpoint = None if parts is None else _ENDPOINT.search(parts.path.rstrip("/"))
    if parts is not None and endpoint is None:
        return urlunsplit(parts._replace(path=parts.path.rstrip("/")))
    wrong = "is no address of a server" if endpoint is None else f"leave out {endpoint[0]}"
    meant = _meant(name)
    raise InvalidOptions(f"{place}: {wrong}; {f'did you mean {meant}?' if meant else 'write http://HOST:PORT/v1'}")


def _usable_parts(url: str) -> SplitResult | None:
    """The parts of an address that a request can go to; None if it is none."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    name = without_query(url)
    clean = url == url.strip() and not _FOREIGN.search(name) and name[-1:] not in _AROUND
    return parts if usable and clean and not parts.netloc.endswith(":") else None


def _meant(url: str) -> str | None:
    """The address that `url`, without its query, was probably meant to be; None if that is hard to say."""
    text = url.partition("#")[0].strip(_AROUND)
    scheme = _SCHEME.match(text)
    host_and_path = text[scheme.end() :] if scheme else text
    parts = _usable_parts(f"http://{host_and_path}")
    if parts is None or not _HOST.match(host_and_path):
        return None
    public = scheme is None and parts.port is None and (parts.hostname or "").rpartition(".")[2].isalpha()
    secure = "https" in scheme[0].lower() if scheme else public and "." in parts.netloc
    path = _ENDPOINT.sub("", parts.path.rstrip("/"))
    return urlunsplit(parts._replace(scheme="https" if secure else "http", path=path or "/v1"))
