"""Writes man pages, completions and docs/reference from the commands: `python -m libra_cli.cli.manual [--check]`.

Run it in a checkout after an option or its help has changed. With `--check` it writes nothing and fails if a file is
stale.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from libra_cli.cli import completion, man_pages, reference, reward_reference
from libra_cli.main import STAGES, cli

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("man", "completions", "docs/reference")
"""Folders that hold generated files and nothing else."""


def documents() -> dict[Path, str]:
    """Text of every generated file, by its path from the root of the repository."""
    top = cli.make_context("libra", [], resilient_parsing=True)
    stages = list(contexts(top))
    texts = {
        "man": man_pages.pages(top, stages, STAGES),
        "completions": completion.scripts(top, stages),
        "docs/reference": {**reference.pages(stages, STAGES), reward_reference.PAGE: reward_reference.page()},
    }
    return {Path(folder) / name: text for folder in FOLDERS for name, text in texts[folder].items()}


def contexts(top: click.Context) -> Iterator[click.Context]:
    """A context for each stage, as if it were called without options."""
    for name in STAGES:
        command = cli.get_command(top, name)
        assert command is not None
        yield command.make_context(name, [], parent=top, resilient_parsing=True)


def stale(texts: dict[Path, str]) -> list[Path]:
    """Paths in `texts` whose file is missing or has another text."""
    return [
        path
        for path, text in texts.items()
        if not (ROOT / path).exists() or (ROOT / path).read_bytes() != text.encode()
    ]


def main(arguments: list[str]) -> int:
    """Writes the stale files, or only lists them with --check; returns the exit status."""
    if arguments not in ([], ["--check"]) or not (ROOT / "pyproject.toml").exists():
        print("usage, in a checkout: python -m libra_cli.cli.manual [--check]", file=sys.stderr)
        return 2
    check = bool(arguments)
    texts = documents()
    changed = stale(texts)
    for path in changed:
        if not check:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(texts[path], encoding="utf-8")
        print(f"{path}: {'is stale; run make docs' if check else 'written'}")
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
