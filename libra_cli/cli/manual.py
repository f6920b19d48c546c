"""Man pages, completions and the README's help, made from the commands by `python -m libra_cli.cli.manual [--check]`.

Run it in a checkout after an option has changed; `--check` writes nothing and fails where a file is stale.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import click

from libra_cli import __version__
from libra_cli.cli import completion
from libra_cli.cli.command import StageCommand, grouped_options
from libra_cli.exits import MEANINGS
from libra_cli.main import STAGES, cli

ROOT = Path(__file__).resolve().parents[2]
README = Path("README.md")
WIDTH = 100
"""Columns of the help in the README."""

HELP = """<details><summary><code>{name} --help</code></summary>

```text
{help}
```

</details>
"""
END = "<!-- end -->"

FILES = {
    "FILE.part": "The rows of an unfinished --output FILE, renamed when all is done; the same command continues it.",
    "FILE.lock": "Who is writing FILE; a second writer ends with status 11.",
    "FILE.libra.json": "Manifest of FILE: the configuration, the counts and the SHA-256 of its rows.",
}
"""What stands beside an output file."""

ROFF = {"\\": "e", "-": "-", "'": "(aq", "`": "(ga", "^": "(ha", "~": "(ti"}
"""Characters with a meaning to roff, and the names under which it prints them as they are."""

ENVIRONMENT = (
    "Every option can be given by an environment variable; the command line wins over it, it wins over --config. "
    "Several values of a repeatable option are separated by white space."
)


def documents() -> dict[Path, str]:
    """Every generated file by its path from the repository's root; the README's own text is kept."""
    top = cli.make_context("libra", [], resilient_parsing=True, terminal_width=WIDTH)
    stages = list(contexts(top))
    pages = {Path("man/libra.1"): top_page(top)}
    pages |= {Path(f"man/libra-{_page(ctx.info_name)}.1"): stage_page(ctx) for ctx in stages}
    scripts = {Path("completions") / name: text for name, text in completion.scripts(top, stages).items()}
    readme = with_generated((ROOT / README).read_text(encoding="utf-8"), readme_blocks([top, *stages]))
    return pages | scripts | {README: readme}


def contexts(top: click.Context) -> Iterator[click.Context]:
    """A context of each stage, as if it had been called without options."""
    for name in STAGES:
        command = cli.get_command(top, name)
        assert command is not None
        yield command.make_context(name, [], parent=top, resilient_parsing=True)


# -- README -----------------------------------------------------------------------------------------------------------


def with_generated(readme: str, blocks: Mapping[str, str]) -> str:
    """`readme` with each block between its markers, `<!-- generated: NAME -->` and `<!-- end -->`."""
    for name, block in blocks.items():
        before, marker, rest = readme.partition(f"<!-- generated: {name} -->\n")
        if marker:
            readme = before + marker + block + END + rest.partition(END)[2]
    return readme


def readme_blocks(all_contexts: Iterable[click.Context]) -> dict[str, str]:
    """The help of each command, by its name, and the table of exit statuses."""
    rows = "".join(f"| {int(status)} | {meaning} |\n" for status, meaning in MEANINGS.items())
    helps = {ctx.command_path: ctx.get_help().rstrip() for ctx in all_contexts}
    blocks = {f"{name} --help": HELP.format(name=name, help=text) for name, text in helps.items()}
    return {**blocks, "exit statuses": f"| status | meaning |\n|---|---|\n{rows}"}


# -- man pages --------------------------------------------------------------------------------------------------------


def top_page(ctx: click.Context) -> str:
    """`man libra`."""
    records = [record for group in grouped_options(ctx.command, ctx).values() for record in group]
    return "".join([
        *head("libra", "Unix-style stages for reward models that think", "libra STAGE [OPTION]... [FILE]..."),
        *section("DESCRIPTION", [inspect.cleandoc(ctx.command.help or ""), ctx.command.epilog or ""]),
        *definitions("STAGES", [(f"libra {name}", summary) for name, summary in STAGES.items()]),
        *definitions("OPTIONS", records),
        *closing(ctx),
    ])  # fmt: skip


def stage_page(ctx: click.Context) -> str:
    """`man libra-STAGE`."""
    command = ctx.command
    assert isinstance(command, StageCommand)
    summary, *paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    synopsis = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    parts = [
        *head(f"libra-{_page(ctx.info_name)}", " ".join(summary.split()).rstrip("."), synopsis),
        *section("DESCRIPTION", paragraphs or [summary]),
        *examples(command.examples),
    ]
    for title, records in grouped_options(command, ctx).items():
        parts += definitions(title.upper(), records)
    return "".join([*parts, *definitions("ROWS", command.rows()), *closing(ctx)])


def _page(stage: str | None) -> str:
    """What the page of a stage is called, after `libra-`: that of two words as one."""
    return str(stage).replace(" ", "-")


def head(name: str, summary: str, synopsis: str) -> list[str]:
    """Title, name and synopsis; no date, so that a page changes only with what it says."""
    return [
        f'.\\" {completion.NOTE}\n',
        f'.TH {roff(name.upper())} 1 "" "libra {__version__}" "libra manual"\n',
        ".ad l\n",
        f".SH NAME\n{roff(name)} \\- {roff(summary)}\n",
        f".SH SYNOPSIS\n{roff(synopsis)}\n",
    ]


def closing(ctx: click.Context) -> list[str]:
    """What every page ends with: statuses, environment, files, and where to read on."""
    flags = [param for param in ctx.command.params if isinstance(param, click.Option)]
    variables = [(f"{ctx.auto_envvar_prefix}_{str(param.name).upper()}", max(param.opts, key=len)) for param in flags]
    top = ctx.parent is None
    anything = [
        ("LIBRA_STAGE_OPTION", "sets --option of libra STAGE (LIBRA_ROLLOUT_MAX_TOKENS: --max-tokens of rollout)")
    ]
    others = ["libra", *(f"libra-{_page(name)}" for name in STAGES)]
    mine = ctx.command_path.replace(" ", "-")
    related = ", ".join(f"{bold(name)}(1)" for name in others if name != mine)
    return [
        *definitions("EXIT STATUS", [(str(int(status)), meaning) for status, meaning in MEANINGS.items()]),
        *definitions("ENVIRONMENT", anything if top else variables, ENVIRONMENT, tight=not top),
        *definitions("FILES", list(FILES.items()) if top or getattr(ctx.command, "info", None) else []),
        f".SH SEE ALSO\n{related}\n",
    ]


def section(title: str, paragraphs: Iterable[str]) -> list[str]:
    """A heading and its paragraphs, one sentence a line."""
    texts = [re.sub(r"(?<=[.;:]) ", "\n", " ".join(text.split())) for text in paragraphs if text]
    return [f".SH {title}\n", ".PP\n".join("".join(line(part) for part in text.split("\n")) for text in texts)]


def definitions(title: str, records: Iterable[tuple[str, str]], before: str = "", tight: bool = False) -> list[str]:
    """A heading and a list of terms with what they mean, `tight` without space between; nothing where there is none."""
    items = [f".TP\n{term(name)}\n{line(' '.join(meaning.split()))}" for name, meaning in records]
    return [*section(title, [before]), *([".PD 0\n", *items, ".PD\n"] if tight else items)] if items else []


def examples(commands: Iterable[str]) -> list[str]:
    """Command lines, as they are typed."""
    lines = [line(command) for command in commands]
    return [".SH EXAMPLES\n.EX\n", *lines, ".EE\n"] if lines else []


def term(text: str) -> str:
    """Words that are typed in bold, words that stand for something in italics; a name without either in bold."""
    if not text.startswith("-"):
        return bold(text)
    return " ".join(bold(word) if word.startswith("-") else f"\\fI{roff(word)}\\fR" for word in text.split())


def bold(text: str) -> str:
    """What is typed, which is never broken at a hyphen."""
    return f"\\fB\\%{roff(text)}\\fR"


def line(text: str) -> str:
    """One line of input to roff, which must not take a leading full stop for a request."""
    return ("\\&" if text.startswith(".") else "") + roff(text) + "\n"


def roff(text: str) -> str:
    """`text` with what roff would take for its own, and with hyphens and quotes that can be copied to a shell."""
    return text.translate({ord(char): f"\\{name}" for char, name in ROFF.items()})


# -- files ------------------------------------------------------------------------------------------------------------


def stale(texts: dict[Path, str]) -> list[Path]:
    """The files that are not what they should be."""
    return [path for path, text in texts.items() if not _holds(ROOT / path, text)]


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_bytes() == text.encode()


def main(arguments: list[str]) -> int:
    """Writes what is stale, or with --check only says so; 1 where something was stale under --check."""
    if arguments not in ([], ["--check"]) or not (ROOT / "pyproject.toml").exists():
        print("usage, in a checkout: python -m libra_cli.cli.manual [--check]", file=sys.stderr)
        return 2
    texts = documents()
    changed = stale(texts)
    for path in changed:
        if not arguments:
            (ROOT / path).parent.mkdir(exist_ok=True)
            (ROOT / path).write_text(texts[path], encoding="utf-8")
        print(f"{path}: {'is stale; run make docs' if arguments else 'written'}")
    return int(bool(arguments and changed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
