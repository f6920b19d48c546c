"""Man pages in roff: `libra(1)` and one page for each stage."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence

import click

from libra_cli import __version__
from libra_cli.cli import completion
from libra_cli.cli.command import StageCommand, grouped_options
from libra_cli.cli.example_lines import example_lines
from libra_cli.exits import MEANINGS

FILES = {
    "FILE.part": "Rows of an unfinished --output FILE. The same command continues it; FILE.part becomes FILE when all "
    "rows are done.",
    "FILE.lock": "Names the process that writes FILE. A second writer ends with status 11.",
    "FILE.libra.json": "Manifest of FILE: the configuration, the counts and the SHA-256 of its rows.",
}
"""Files that a stage keeps next to its output."""

ROFF = {"\\": "e", "-": "-", "'": "(aq", "`": "(ga", "^": "(ha", "~": "(ti"}
"""Characters that roff interprets, and its names for them as plain characters."""

EXAMPLE_WIDTH = 70
"""Columns of an example, on a page of 80 with its margins."""
ENVIRONMENT = (
    "Each option can also be set by an environment variable. The command line overrides the environment, which "
    "overrides --config. Separate the values of a repeatable option with white space."
)


def pages(top: click.Context, stages: Sequence[click.Context], summaries: Mapping[str, str]) -> dict[str, str]:
    """File name -> man page."""
    names = ["libra", *(page_name(str(ctx.info_name)) for ctx in stages)]
    texts = {names[0]: top_page(top, summaries, names)}
    texts |= {name: stage_page(ctx, names) for name, ctx in zip(names[1:], stages, strict=True)}
    return {f"{name}.1": text for name, text in texts.items()}


def page_name(stage: str) -> str:
    """Name of a stage's page: `libra-score-correlate` for `score correlate`."""
    return "libra-" + stage.replace(" ", "-")


def top_page(ctx: click.Context, summaries: Mapping[str, str], names: Sequence[str]) -> str:
    """`man libra`; `names` are those of all pages."""
    options = [record for group in grouped_options(ctx.command, ctx).values() for record in group]
    variable = (
        "LIBRA_STAGE_OPTION",
        "sets --option of libra STAGE (LIBRA_ROLLOUT_MAX_TOKENS sets --max-tokens of libra rollout)",
    )
    return "".join(
        [
            *head("libra", "Unix-style stages for reward models that think", "libra STAGE [OPTION]... [FILE]..."),
            *section("DESCRIPTION", [inspect.cleandoc(ctx.command.help or ""), ctx.command.epilog or ""]),
            *definitions("STAGES", [(f"libra {name}", summary) for name, summary in summaries.items()]),
            *definitions("OPTIONS", options),
            *exit_statuses(),
            *definitions("ENVIRONMENT", [variable], ENVIRONMENT),
            *definitions("FILES", FILES.items()),
            *see_also(names, "libra"),
        ]
    )


def stage_page(ctx: click.Context, names: Sequence[str]) -> str:
    """`man libra-STAGE`; `names` are those of all pages."""
    command = ctx.command
    assert isinstance(command, StageCommand)
    name = page_name(str(ctx.info_name))
    summary, *paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    synopsis = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    options = [param for param in command.params if isinstance(param, click.Option)]
    variables = [(f"{ctx.auto_envvar_prefix}_{str(param.name).upper()}", max(param.opts, key=len)) for param in options]
    parts = [
        *head(name, " ".join(summary.split()).rstrip("."), synopsis),
        *section("DESCRIPTION", paragraphs or [summary]),
        ".SH EXAMPLES\n.EX\n",
        *(line(part) for part in example_lines(command.examples, EXAMPLE_WIDTH)),
        ".EE\n",
    ]
    for title, records in grouped_options(command, ctx).items():
        parts += definitions(title.upper(), records)
    parts += definitions("ROWS", command.rows())
    parts += exit_statuses()
    parts += definitions("ENVIRONMENT", variables, ENVIRONMENT, tight=True)
    parts += definitions("FILES", FILES.items() if command.info else [])
    return "".join([*parts, *see_also(names, name)])


def head(name: str, summary: str, synopsis: str) -> list[str]:
    """Title, name and synopsis. No date: a page changes only when its text does."""
    return [
        f'.\\" {completion.NOTE}\n',
        f'.TH {roff(name.upper())} 1 "" "libra {__version__}" "libra manual"\n',
        ".ad l\n",
        f".SH NAME\n{roff(name)} \\- {roff(summary)}\n",
        f".SH SYNOPSIS\n{roff(synopsis)}\n",
    ]


def exit_statuses() -> list[str]:
    """The section on exit statuses, the same on every page."""
    return definitions("EXIT STATUS", [(str(int(status)), meaning) for status, meaning in MEANINGS.items()])


def see_also(names: Iterable[str], own: str) -> list[str]:
    """References to all pages but one's own."""
    return [f".SH SEE ALSO\n{', '.join(f'{bold(name)}(1)' for name in names if name != own)}\n"]


def section(title: str, paragraphs: Iterable[str]) -> list[str]:
    """A heading and its paragraphs, one sentence a line."""
    texts = [re.sub(r"(?<=[.;:]) ", "\n", " ".join(text.split())) for text in paragraphs if text]
    return [f".SH {title}\n", ".PP\n".join("".join(line(part) for part in text.split("\n")) for text in texts)]


def definitions(title: str, records: Iterable[tuple[str, str]], before: str = "", tight: bool = False) -> list[str]:
    """A heading, the paragraph `before` and a list of terms; empty without records. `tight` leaves out blank lines."""
    items = [f".TP\n{term(name)}\n{line(' '.join(meaning.split()))}" for name, meaning in records]
    return [*section(title, [before]), *([".PD 0\n", *items, ".PD\n"] if tight else items)] if items else []


def term(text: str) -> str:
    """Bold for words to type, italics for placeholders; a term that is not an option is bold as a whole."""
    if not text.startswith("-"):
        return bold(text)
    return " ".join(bold(word) if word.startswith("-") else f"\\fI{roff(word)}\\fR" for word in text.split())


def bold(text: str) -> str:
    """Bold text that is never broken at a hyphen."""
    return f"\\fB\\%{roff(text)}\\fR"


def line(text: str) -> str:
    """One input line for roff, which would read a leading full stop as a request."""
    return ("\\&" if text.startswith(".") else "") + roff(text) + "\n"


def roff(text: str) -> str:
    """`text` with escapes for roff, and with hyphens and quotes that can be copied to a shell."""
    return text.translate({ord(char): f"\\{name}" for char, name in ROFF.items()})
