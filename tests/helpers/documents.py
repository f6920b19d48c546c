"""The documents as tests see them: pages, their fenced blocks, and what each block claims."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    str(path.relative_to(ROOT)): path
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    if path.exists()
}
"""Pages written by hand, by their path; docs/reference is generated."""

OTHER_PAGES = {
    str(path.relative_to(ROOT)): path for folder in ("examples", "benchmarks") for path in (ROOT / folder).rglob("*.md")
}
"""Pages beside what they describe: their links and the files that they name are checked, their blocks are not run."""

SHELL = ("sh", "console")
LANGUAGES = (*SHELL, "text", "json", "yaml", "python", "bibtex")
NOT_RUN, OUTPUT_OF = "not run: ", "output of: "


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language, the HTML comment in the line before it, and its text."""

    page: str
    line: int
    language: str
    comment: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The commands of a shell block, without prompts and output."""
        return [self.text] if self.language == "sh" else [command for command, _ in self.steps()]

    def steps(self) -> Iterator[tuple[str, list[str]]]:
        """(command, lines shown below it) of a console block; a command goes on in indented lines after | or \\."""
        command, shown = "", []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, shown
                command, shown = line[2:], []
            elif not shown and command.endswith(("|", "\\")) and line.startswith("    "):
                command += "\n" + line
            else:
                shown.append(line)
        yield command, shown


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = PAGES[page].read_text(encoding="utf-8")
    found = re.finditer(r"^(?:<!-- ([^\n]*) -->\n)?```([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(page, text.count("\n", 0, match.start(2)) + 1, match[2], match[1] or "", match[3]) for match in found]


def table(page: str, name: str) -> dict[str, list[str]]:
    """The rows of the table below `<!-- table of: NAME -->`: first cell without its backquotes -> the others."""
    after = PAGES[page].read_text(encoding="utf-8").partition(f"<!-- table of: {name} -->\n")[2]
    lines = re.match(r"(?:\|[^\n]*\n)*", after)[0].splitlines()[2:]  # type: ignore[index]
    rows = ([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines)
    return {first.strip("`"): rest for first, *rest in rows}


def masked(line: str) -> str:
    """A line of output without its numbers, widths and rules, which depend on the machine."""
    line = re.sub(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{8,}\b|[+-]?\d[\d,.]*", "#", line)
    return " ".join(re.sub(r"[─-]{3,}", "---", line).split())
