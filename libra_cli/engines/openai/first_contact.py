"""What a server is asked before a window of requests goes there, so that not all are refused for one cause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from libra_cli.engines.openai.chat_client import ChatClient
from libra_cli.engines.openai.credit import NoCredit
from libra_cli.engines.openai.endpoints import without_query
from libra_cli.engines.openai.model_list import KeyRefused, ServedModel, list_models
from libra_cli.engines.openai.retry import Failure
from libra_cli.exits import Fatal
from libra_cli.similar import nearest_name

LIST_SECONDS = 3.0
"""For the list of models: what it says saves refusals, and is not worth a longer wait."""
ALONE_SECONDS = 5.0
"""For the one request that goes ahead: a refusal takes a round trip, an answer may take minutes."""

_NAMED = 10
"""Models of a server that are named."""


class FirstContact:
    """Asks one server for its models, once; then lets one request go ahead if the answer speaks against the others.

    A list without the model is no proof, for a server may know it under another name, and neither is a refused key. A
    server that gives no list is asked as if there were none: neither an error nor a wait comes of that. `note` is told
    where a server takes a model that it does not list: some give every name to the one that they have.
    """

    def __init__(self, client: ChatClient, url: str, model: str, note: Callable[[str], None]):
        self._client, self._url, self._model, self._note = client, url, model, note
        self._lock = asyncio.Lock()
        self._asked = False
        self.max_model_len: int | None = None
        """Tokens of a prompt and its response, at most; None if the server has not said so."""
        self._listed: list[str] = []
        self._ahead: asyncio.Event | None = None
        """Set once the request that goes ahead is answered; None where none does."""
        self._no_credit: NoCredit | None = None
        """Why no request is to follow it: another server may take them."""

    @asynccontextmanager
    async def before(self) -> AsyncIterator[None]:
        """The time of one request: begins when it may be sent, ends when it is answered. Raises NoCredit."""
        leads = False
        async with self._lock:
            if not self._asked:
                self._asked = True
                leads = not await self._is_promising()
                self._ahead = asyncio.Event() if leads else None
        if self._ahead is None:
            yield
        elif leads:
            try:
                yield
            except NoCredit as error:
                self._no_credit = error
                self._ahead.set()
                raise
            except asyncio.CancelledError:
                self._ahead.set()
                raise
            self._ahead.set()  # not after another error: it ends the run
            self._note_unlisted()
        else:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ahead.wait(), ALONE_SECONDS)
            if self._no_credit is not None:
                raise self._no_credit
            yield

    def ask_again(self) -> None:
        """The server was gone: what it says next may be something else."""
        self._asked = False

    def _note_unlisted(self) -> None:
        if not self._listed:
            return
        near = nearest_name(self._model, self._listed)
        more = f" and {len(self._listed) - _NAMED} more" if len(self._listed) > _NAMED else ""
        has = f"it has {', '.join(self._listed[:_NAMED])}{more}"
        cure = f"did you mean {near}?" if near else "is it the model that you mean?"
        self._note(f"{without_query(self._url)} does not list {self._model}, and takes it all the same: {has}; {cure}")

    async def _is_promising(self) -> bool:
        """Whether the server's list names the model, or there is none."""
        try:
            listed = await asyncio.wait_for(list_models(self._client, self._url), LIST_SECONDS)
        except KeyRefused:  # some servers take a key for requests only
            return False
        except (Fatal, asyncio.TimeoutError):
            return True
        if isinstance(listed, Failure):
            return True
        by_name = {model.name: model for model in listed}
        self._listed = list(by_name)
        served = by_name.get(self._model)
        self.max_model_len = None if served is None else _longest(served, by_name)
        return served is not None


def _longest(model: ServedModel, by_name: dict[str, ServedModel]) -> int | None:
    """The room of a model; an adapter has that of the model beneath it."""
    base = by_name.get(model.parent or "")
    return base.max_model_len if model.max_model_len is None and base is not None else model.max_model_len
