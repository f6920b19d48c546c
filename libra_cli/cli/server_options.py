"""Options for OpenAI-compatible servers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from libra_cli.choices import FINISH_REASONS
from libra_cli.cli.numbers import NumberType, seconds
from libra_cli.cli.stage_options import option
from libra_cli.exits import InvalidOptions
from libra_cli.masking import masked

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
_OPENAI = "openai: "
"""Before the help of options that only this engine has."""


def _checked_headers(_ctx: click.Context, _param: click.Parameter, options: tuple[str, ...]) -> tuple[str, ...]:
    for text in options:
        name, equals, _ = text.partition("=")
        if not equals or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise click.UsageError(f"--header {masked(text)}: write NAME=VALUE")
    return options


def _checked_ends(_ctx: click.Context, _param: click.Parameter, options: tuple[str, ...]) -> tuple[str, ...]:
    for text in options:
        word, _, meaning = text.rpartition("=")
        if not word or meaning not in FINISH_REASONS:
            raise click.UsageError(f"--finish-reason {text}: write WORD=MEANING, one of {', '.join(FINISH_REASONS)}")
    return options


def checked_prices(_ctx: click.Context, _param: click.Parameter, options: tuple[str, ...]) -> tuple[str, ...]:
    """The values of --price, once they are known to be prices."""
    if options:
        from libra_cli.sampling.prices import read_prices

        try:
            read_prices(options)
        except InvalidOptions as error:
            raise click.UsageError(str(error)) from None
    return options


def price_option() -> Decorator:
    """What tokens cost."""
    return _engine(
        "--price",
        multiple=True,
        shapes_rows=False,
        callback=checked_prices,
        metavar="IN/OUT|MODEL=IN/OUT|FILE",
        help="openai: what a million tokens of prompts and of completions cost; the summary then says what the run "
        "cost, as it does where the server states it. IN/OUT/CACHED if cached prompts have a price of their own. FILE "
        "is YAML: MODEL: {input: 0.5, output: 1.5, cached: 0.1}, with `default` for other models, and `currency`. "
        "Repeatable.",
    )


def finish_reason_option() -> Decorator:
    """What servers' own finish reasons mean."""
    return _engine(
        "--finish-reason",
        multiple=True,
        omitted_unset=True,
        callback=_checked_ends,
        metavar="WORD=MEANING",
        help="openai: read the server's finish_reason WORD as stop (a whole answer), length (cut short) or "
        "tool_calls. libra knows the usual words; an answer that ends with another one, or with none (WORD: unknown), "
        "counts as not finished. Repeatable.",
    )


def server_options() -> list[Decorator]:
    """Where the servers are, how to ask them, and for how long."""
    named: dict[str, Any] = {"multiple": True, "shapes_rows": False}
    limit: dict[str, Any] = {"type": seconds(), "shapes_rows": False, "metavar": "SECONDS"}
    return [
        _engine(
            "--base-url",
            first=True,
            **named,
            metavar="URL",
            help="openai: address of the server, up to and including /v1. Repeatable; requests are spread over the "
            "servers. Without a named model, the only one of the servers is asked. Default with --engine openai: "
            "OPENAI_BASE_URL.",
        ),
        *_key_options(_OPENAI),
        _engine(
            "--request-timeout",
            help="openai: time limit of one try of a request. Default: 600 + 0.1 x --max-tokens.",
            **limit,
        ),
        _engine(
            "--retry-budget",
            help="openai: time for which a failed request is retried. If no server answers during it, the run ends "
            "(status 6). Default: 1500; but 60 while no server could be reached since the start.",
            **limit,
        ),
        _engine(
            "--max-response-bytes",
            type=NumberType(int, 1),
            default=16 << 20,
            shapes_rows=False,
            metavar="N",
            help="openai: refuse a response of more than N bytes, as it comes or unpacked.",
        ),
        _proxy_option(_OPENAI),
    ]


def access_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds what a stage needs to ask a server for facts, and nothing of a model."""
    limit = _engine(
        "--request-timeout",
        type=seconds(),
        default=30.0,
        shapes_rows=False,
        metavar="SECONDS",
        help="Time limit of the request to a server.",
    )
    for decorate in reversed([*_key_options(""), limit, _proxy_option("")]):
        function = decorate(function)
    return function


def _key_options(engine: str) -> list[Decorator]:
    """Keys and headers; `engine` stands before their help."""
    return [
        _engine(
            "--api-key-env",
            shapes_rows=False,
            metavar="NAME",
            help=_said(engine, "environment variable with the API key. Default: OPENAI_API_KEY."),
        ),
        _engine(
            "--api-key-file",
            shapes_rows=False,
            metavar="FILE",
            help=_said(engine, "file with the API key; nobody else may have permission to read it."),
        ),
        _engine(
            "--header",
            multiple=True,
            shapes_rows=False,
            callback=_checked_headers,
            metavar="NAME=VALUE",
            help=_said(
                engine,
                "header to send with every request. A secret VALUE is written env:VARIABLE or file:PATH. Repeatable.",
            ),
        ),
    ]


def _proxy_option(engine: str) -> Decorator:
    return _engine(
        "--proxy",
        shapes_rows=False,
        metavar="URL",
        help=_said(engine, "proxy for all requests. Proxy settings in the environment are ignored."),
    )


def _said(engine: str, text: str) -> str:
    """Help behind the name of its engine, or a sentence of its own."""
    return engine + text if engine else text[0].upper() + text[1:]


def batch_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a stage whose requests can be a batch; EngineOptions.take collects them, too."""
    requests = _engine(
        "--batch-out",
        shapes_rows=False,
        writes="requests",
        keys=("custom_id", "method", "url", "body"),
        metavar="FILE",
        help="Write the requests to FILE, in the format of OpenAI's Batch API, instead of sending them; with -o, those "
        "whose rows it lacks. A file may have 50,000 requests and 200 MB; --shard makes several.",
    )
    results = _engine(
        "--batch-in",
        multiple=True,
        shapes_rows=False,
        metavar="FILE",
        help="Take the answers from FILE, the results of a batch of --batch-out: its output or its error file, in any "
        "order. All other options are those of --batch-out. Repeatable.",
    )
    return requests(results(function))


def _engine(*names: str, **kwargs: Any) -> Decorator:
    return option(*names, group="Engine", shared=True, **kwargs)
