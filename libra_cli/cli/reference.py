"""Reference pages in Markdown: docs/reference/STAGE.md for each stage, and an index with the exit statuses."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterable, Mapping, Sequence

import click

from libra_cli.cli import completion
from libra_cli.cli.command import StageCommand, grouped_options
from libra_cli.exits import MEANINGS

NOTE = f"<!-- {completion.NOTE} -->\n"
INDEX = "README.md"


def pages(stages: Sequence[click.Context], summaries: Mapping[str, str]) -> dict[str, str]:
    """File name -> page."""
    texts = {page_name(str(ctx.info_name)): stage_page(ctx) for ctx in stages}
    return {INDEX: index(summaries), **texts}


def page_name(stage: str) -> str:
    """File name of a stage's page: `score-correlate.md` for `score correlate`."""
    return stage.replace(" ", "-") + ".md"


def index(summaries: Mapping[str, str]) -> str:
    """Links to all pages, and the exit statuses."""
    links = [(f"[`libra {name}`]({page_name(name)})", escaped(summary)) for name, summary in summaries.items()]
    statuses = [(str(int(status)), escaped(meaning)) for status, meaning in MEANINGS.items()]
    return "\n".join(
        [
            f"{NOTE}# Reference\n",
            "The help of every command, also as `libra STAGE --help` and `man libra-STAGE`.\n",
            *table("command", "summary", links),
            "[Rewards](rewards.md): the terms, estimators and other parts of a reward plan.\n",
            "## Exit statuses\n",
            *table("status", "meaning", statuses),
        ]
    )


def stage_page(ctx: click.Context) -> str:
    """Help of one stage."""
    command = ctx.command
    assert isinstance(command, StageCommand)
    usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    paragraphs = [escaped(" ".join(text.split())) + "\n" for text in inspect.cleandoc(command.help or "").split("\n\n")]
    parts = [f"{NOTE}# {ctx.command_path}\n", *paragraphs, f"```text\n{usage}\n```\n"]
    parts += ["## Examples\n", "\n".join(["```sh", *command.examples, "```\n"])]
    for title, records in grouped_options(command, ctx).items():
        options = [(code(name), escaped(" ".join(meaning.split()))) for name, meaning in records]
        parts += [f"## {title}\n", *table("option", "meaning", options)]
    if rows := command.rows():
        parts += ["## Rows\n", *table("", "fields", [(verb, escaped(fields)) for verb, fields in rows])]
    for title, lines in _appendix(str(ctx.info_name)).items():
        parts += [f"## {title}\n", *wide_table(lines)]
    if command.info:
        parts += [f"Exit statuses: see [Reference]({INDEX}#exit-statuses).\n"]
    return "\n".join(parts)


def _appendix(stage: str) -> Mapping[str, Sequence[Sequence[str]]]:
    """The tables that a stage adds to its page: TABLES in `appendix.py` of its folder, if there is one."""
    module = f"libra_cli.stages.{stage.replace('-', '_')}.appendix"
    try:
        tables: Mapping[str, Sequence[Sequence[str]]] = importlib.import_module(module).TABLES
    except ModuleNotFoundError:
        return {}
    return tables


def wide_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table whose first row is its head, followed by a blank line."""
    head, *rest = ("| " + " | ".join(escaped(cell) for cell in row) + " |" for row in rows)
    return [head, "|" + "---|" * len(rows[0]), *rest, ""]


def table(left: str, right: str, rows: Iterable[tuple[str, str]]) -> list[str]:
    """A Markdown table with two columns, followed by a blank line."""
    return [f"| {left} | {right} |", "|---|---|", *(f"| {term} | {meaning} |" for term, meaning in rows), ""]


def code(*texts: str) -> str:
    """Code spans for a cell of a table, where a bar must be escaped even inside code."""
    return ", ".join(f"`{text}`".replace("|", "\\|") for text in texts)


def escaped(text: str) -> str:
    """`text` with Markdown's special characters escaped, except inside code spans."""
    parts = text.split("`")
    plain = [re.sub(r"([\\*<|])", r"\\\1", part) for part in parts[::2]]
    return "".join(
        outside + (f"`{inside}`".replace("|", "\\|") if inside is not None else "")
        for outside, inside in zip(plain, [*parts[1::2], None], strict=True)
    )
