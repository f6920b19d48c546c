"""The model of a server that is named without one: the only model that it has."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from libra_cli.engines.openai.endpoints import without_query
from libra_cli.engines.openai.retry import Failure
from libra_cli.exits import Exit, Fatal, InvalidOptions
from libra_cli.plural import duration
from libra_cli.sampling.choose import installed, server_addresses
from libra_cli.sampling.options import EngineOptions
from libra_cli.sampling.server_secrets import api_key, headers

if TYPE_CHECKING:
    from libra_cli.engines.openai.chat_client import ChatClient
    from libra_cli.engines.openai.model_list import ServedModel
    from libra_cli.stream.run import Run

LISTING_SECONDS = 30.0
"""For one list of models, unless --request-timeout says otherwise."""
AGAIN_SECONDS = 1.0
_NAMED = 10


def with_server_model(run: Run, options: EngineOptions) -> EngineOptions:
    """`options` with the only model that their servers have, if they name servers and no model; else as they are.

    Waits for servers that are starting, as their requests do. Raises InvalidOptions if the servers have no model, or
    several, and Fatal if they do not say.
    """
    by_server = options.engine == "openai" or (options.engine == "auto" and bool(options.base_url))
    recorded = options.replay or options.batch_out or options.batch_in or options.implicit
    if options.model or not by_server or recorded or not (urls := server_addresses(options)):
        return options
    given: dict[str, Any] = {
        "api_key": api_key(options.api_key_env, options.api_key_file),
        "timeout": options.request_timeout or LISTING_SECONDS,
        "proxy": options.proxy,
        "concurrency": 1,
        "note": lambda _line: None,  # the engine says it, too
        "max_response_bytes": options.max_response_bytes,
        "headers": headers(options.header),
    }
    with installed("openai"):
        from libra_cli.engines.openai.chat_client import ChatClient

        client = ChatClient(urls, **given)
    found: dict[str, list[ServedModel]] = {}
    with run.stop.at_once():
        found = asyncio.run(_lists(run, client, options.retry_budget))
    if run.stop.status is not None:
        raise Fatal(run.stop.status, f"stopped before {without_query(client.urls[0])} had said which models it has")
    model = _only_model([*found], [[model.name for model in models] for models in found.values()], options.flag)
    run.console.note(f"{without_query(client.urls[0])} has one model: {model}", event="model", model=model)
    return replace(options, model=(model,))


async def _lists(run: Run, client: ChatClient, budget: float | None) -> dict[str, list[ServedModel]]:
    """The models of each server whose account has credit; raises Fatal(6) for one that does not answer."""
    from libra_cli.engines.openai.credit import NoCredit

    found: dict[str, list[ServedModel]] = {}
    without: NoCredit | None = None
    try:
        for url in client.urls:
            try:
                found[url] = await _list(run, client, url, budget)
            except NoCredit as error:
                without = error
    finally:
        await client.close()
    if without is not None and not found:
        raise without
    return found


async def _list(run: Run, client: ChatClient, url: str, given: float | None) -> list[ServedModel]:
    from libra_cli.engines.openai.model_list import list_models, reached
    from libra_cli.engines.openai.servers import FIRST_BUDGET, RETRY_BUDGET

    begin, budget, said = time.monotonic(), FIRST_BUDGET if given is None else given, False
    while isinstance(listed := await list_models(client, url), Failure):
        if given is None and reached(listed):
            budget = RETRY_BUDGET
        if time.monotonic() - begin + AGAIN_SECONDS > budget:
            cure = f"{listed.cure}, and the same command continues"
            since = f"nothing was answered for {duration(budget)} (--retry-budget)"
            raise Fatal(Exit.BACKEND, f"{without_query(url)}: {listed.reason}; {since}; {cure}")
        if not said:
            again = f"asking again which models it has, for up to {duration(budget)} (--retry-budget)"
            run.console.note(f"{without_query(url)}: {listed.reason}; {again}")
            said = True
        await asyncio.sleep(AGAIN_SECONDS if listed.wait is None else min(listed.wait, budget))
    return listed


def _only_model(urls: list[str], names: list[list[str]], flag: str) -> str:
    """The model that all servers have; raises InvalidOptions, which lists theirs, if it is not the only one."""
    common = [name for name in dict.fromkeys(names[0]) if all(name in others for others in names)]
    if len(common) == 1:
        return common[0]
    if common:
        shown = ", ".join(common[:_NAMED])
        more = f" and {len(common) - _NAMED} more (libra models lists them)" if len(common) > _NAMED else ""
        raise InvalidOptions(f"{without_query(urls[0])} has several models; name one with --{flag}: {shown}{more}")
    if not any(names):
        raise InvalidOptions(f"{without_query(urls[0])} has no model loaded; start it with one")
    each = [
        f"{without_query(url)} has {', '.join(own[:_NAMED]) or 'none'}" for url, own in zip(urls, names, strict=True)
    ]
    raise InvalidOptions(f"the servers have no model in common: {'; '.join(each)}")
