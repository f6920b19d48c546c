"""The models of a server, as its `/v1/models` lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from libra_cli.engines.base import RequestError
from libra_cli.engines.openai.chat_api import general_error, json_answer
from libra_cli.engines.openai.endpoints import without_query
from libra_cli.engines.openai.retry import Failure, Trouble
from libra_cli.exits import Exit, Fatal

if TYPE_CHECKING:
    from libra_cli.engines.openai.chat_client import ChatClient
    from libra_cli.engines.openai.http_answer import HttpAnswer

NAME_CHARS = 4096
"""Characters of a name that a server gives, at most."""


@dataclass(frozen=True)
class ServedModel:
    """A model of a server; what the server does not say is None."""

    name: str
    path: str | None
    """Where the server loaded it from: a directory there, or a name on a hub (vLLM's `root`)."""
    max_model_len: int | None
    """Tokens of a prompt and its response, at most."""
    parent: str | None
    """The model that it is an adapter of."""


class KeyRefused(Fatal):
    """The server wants another key for its list of models."""


async def list_models(client: ChatClient, url: str) -> list[ServedModel] | Failure:
    """The models of the server at `url`, or a Failure that may pass.

    Raises KeyRefused(2), or Fatal(2) if the server refuses for another reason, or if what answers there is no
    OpenAI-compatible server.
    """
    answer = await client.model_list(url)
    if isinstance(answer, Failure):
        return answer
    name = without_query(url)
    wrong_address = f"{name}: there is no list of models at this address; a base URL usually ends in /v1"
    if answer.status != 200:
        try:
            failed = general_error(answer)
        except Fatal as error:
            error.args = (f"{name}: {error}",)
            raise
        if isinstance(failed, Failure):
            return failed
        if answer.status in (401, 403):
            raise KeyRefused(Exit.USAGE, f"{name}: {answer.error[0]}; {key_cure(client.has_key)}")
        raise Fatal(Exit.USAGE, f"{wrong_address} ({answer.error[0]})")
    fields = json_answer(answer)
    if isinstance(fields, RequestError):
        raise Fatal(Exit.USAGE, f"{name}: {fields}")
    entries = None if isinstance(fields, Failure) else fields.get("data")
    if not isinstance(entries, list):
        raise Fatal(Exit.USAGE, wrong_address)
    return [_served(answer, entry) for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


def key_cure(has_key: bool) -> str:
    """What to do about a server that wants another key."""
    if has_key:
        return "check the key (--api-key-env, --api-key-file) and what it may be used for"
    return "it wants a key: name its variable with --api-key-env, or its file with --api-key-file"


def reached(failure: Failure) -> bool:
    """Whether something is at the address, even if it cannot answer yet."""
    return failure.trouble != Trouble.UNREACHABLE


def _served(answer: HttpAnswer, entry: Mapping[str, Any]) -> ServedModel:
    """One entry of the list; `entry["id"]` is a text."""
    path, parent = (
        answer.words(text, NAME_CHARS) if isinstance(text := entry.get(field), str) else None
        for field in ("root", "parent")
    )
    length = entry.get("max_model_len")
    length = length if type(length) is int and 0 < length < 1 << 53 else None
    return ServedModel(answer.words(entry["id"], NAME_CHARS), path, length, parent)
