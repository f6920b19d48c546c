"""Secrets in what a run prints or writes about itself: passwords in addresses, and values that are named like secrets.

An option is not told apart by its name alone, since addresses stand in lists, in recipes and in whole command lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from libra_cli.lazy_pattern import lazy_pattern

MASK = "***"
SECRET_PARAMETER = lazy_pattern(r"key|token|secret|sig|auth|pass|pwd|code|cred", re.IGNORECASE)
"""Names of query parameters whose values are secrets; another value (`api-version=2024-10-21`) is honest text."""

_NAMES = (
    r"(?:[a-z]+[_-])?(?:(?:api|access|secret|private|auth|subscription)[_-]?key|(?:hf|hub|auth|access|api|bearer|session)"
    r"[_-]?token|password|passwd|passphrase|pwd|secret|credentials?|authorization)"
)
_SETTING = lazy_pattern(rf"(?:{_NAMES}|token)\Z", re.IGNORECASE)
"""Names of settings whose values are secrets: `hf_token`, but not `eos_token`, which shapes rows."""
_ASSIGNMENT = lazy_pattern(rf"(?<![A-Za-z_-])({_NAMES}=)[^\s,;&\"'}}\]]+", re.IGNORECASE)
_KEY = lazy_pattern(
    r"(?<![A-Za-z0-9])(?:sk-|hf_|ghp_|github_pat_|glpat-|xox[abp]-|AKIA|AIza)[A-Za-z0-9_-]{16,256}"
    r"|(?<=Bearer )[^\s\"',;*]+"
)
"""Keys of well-known services, which are told by how they begin."""
_QUERY = lazy_pattern(r"([?&]([^=&?\s]{1,64})=)[^&#\s\"'<>]+")
_AUTHORITY = lazy_pattern(r"[^/?#\s]*")
_REST = lazy_pattern(r"\S*")


def masked(text: str) -> str:
    """`text` with `***` for the passwords and keys in it."""
    pieces, end = [], 0
    while (at := text.find("://", end)) >= 0:
        begin = at + len("://")
        pieces.append(text[end:begin])
        authority = _match(_AUTHORITY, text, begin)
        port = authority.rpartition(":")[2]
        if "@" not in authority and ":" in authority and port and not (port[0].isdigit() or "]" in authority):
            authority = _match(_REST, text, begin)  # a password with a slash in it
        credentials, sign, _ = authority.rpartition("@")
        end = begin + len(credentials)
        pieces.append(_without_password(credentials) if sign else "")
    masked_text = "".join([*pieces, text[end:]])
    if "=" in masked_text:
        masked_text = _QUERY.sub(_masked_parameter, masked_text)
        masked_text = _ASSIGNMENT.sub(rf"\g<1>{MASK}", masked_text)
    return _KEY.sub(MASK, masked_text)


def without_secrets(value: Any, name: str = "") -> Any:
    """A value as JSON has it, of the setting `name`, with `***` for each secret in it."""
    if isinstance(value, Mapping):
        return {key: without_secrets(one, str(key)) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        if len(value) == 2 and isinstance(value[0], str) and _SETTING.match(value[0]):  # of NAME=VALUE
            return [value[0], without_secrets(value[1], value[0])]
        return [without_secrets(one, name) for one in value]
    if not isinstance(value, str) or not value:
        return value
    if _SETTING.match(name):
        return MASK
    if name.lower().endswith(("proxy", "url")) and "://" not in value and "@" in value:  # user:password@host:port
        credentials, _, host = value.rpartition("@")
        return f"{_without_password(credentials)}@{host}"
    return masked(value)


def _without_password(credentials: str) -> str:
    user, colon, _ = credentials.partition(":")
    return f"{user}:{MASK}" if colon else MASK


def _match(pattern: re.Pattern[str], text: str, begin: int) -> str:
    found = pattern.match(text, begin)
    return found.group() if found else ""


def _masked_parameter(match: re.Match[str]) -> str:
    return match[1] + MASK if SECRET_PARAMETER.search(match[2]) else match[0]
