"""No regular expression of the library takes long on any text: each is pumped with what it looks for itself."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from processor_time import TooLong, processor_time

from libra_cli.answers.sentences import statements
from libra_cli.answers.values import normalize
from libra_cli.lazy_pattern import LazyPattern

try:
    from re import _parser as syntax  # type: ignore[attr-defined]
except ImportError:  # Python 3.10
    import sre_parse as syntax

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 10_000
TAILS = tuple(f"sentences.{name}" for name in ("statements", "plain", "assertions", "options", "option_choices"))
WHOLE = ("extraction.extract", "text.boxes", "text.turns")
BOUNDS = {**{f"libra_cli.answers.{name}": statements.TAIL_CHARS for name in TAILS},
          **{f"libra_cli.answers.{name}": LONGEST for name in WHOLE},
          "libra_cli.answers": normalize.MAX_CHARS}  # fmt: skip
"""Characters of the longest text that the patterns of a module are given; LONGEST where nothing bounds it."""
SECONDS = 2.0
"""Of processor time for one text: thousands of times what a linear search takes."""
MANY = 12
"""Pieces of a pattern that are combined in pairs."""

SEARCHES = ("search", "finditer", "findall", "sub", "subn", "split")


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / "libra_cli").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if ("re.compile" in text or "lazy_pattern(" in text) and path.stem != "__main__":
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path


def patterns(value: Any) -> Iterator[re.Pattern[str]]:
    """The patterns of text in a module's variable, however deep they lie in it."""
    if isinstance(value, (re.Pattern, LazyPattern)) and isinstance(value.pattern, str):
        yield re.compile(value.pattern, value.flags)  # without what guards it
    elif isinstance(value, (tuple, list, set, frozenset)):
        for item in value:
            yield from patterns(item)
    elif isinstance(value, dict):
        yield from patterns(list(value.values()))


def uses(path: Path) -> dict[str, set[str]]:
    """Variable -> methods that are called of it; a pattern in a table may be searched for, too."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.setdefault(node.value.id, set()).add(node.attr)
    return found


def pieces(pattern: re.Pattern[str]) -> list[str]:
    """The runs of letters and the single characters that a pattern looks for."""
    found: dict[str, None] = {}

    def walk(tree: Any) -> None:
        run = ""
        for operation, argument in tree:
            name = str(operation)
            if name == "LITERAL":
                run += chr(argument)
                continue
            found.setdefault(run)
            run = ""
            if name == "IN":
                for kind, value in argument:
                    if str(kind) in ("LITERAL", "RANGE"):
                        found.setdefault(chr(value if str(kind) == "LITERAL" else value[0]))
                    else:
                        found.setdefault({"CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " "}.get(str(value), "a"))
            elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
                walk(argument[2])
            elif name == "SUBPATTERN":
                walk(argument[3])
            elif name == "BRANCH":
                for branch in argument[1]:
                    walk(branch)
            elif name in ("ASSERT", "ASSERT_NOT"):
                walk(argument[1])
            elif name in ("ANY", "NOT_LITERAL"):
                found.setdefault("x")
        found.setdefault(run)

    walk(syntax.parse(pattern.pattern, pattern.flags & ~re.DEBUG))
    return [piece for piece in found if piece]


def pumped(pattern: re.Pattern[str], length: int) -> Iterator[str]:
    """Texts of `length` characters: each piece, each pair of them, and all together, again and again."""
    alphabet = pieces(pattern)
    words = [*alphabet, *map("".join, product(alphabet[:MANY], repeat=2)), "".join(alphabet)]
    for word in dict.fromkeys(words):
        text = (word * (length // len(word) + 1))[: length - 1]
        yield text
        yield text + "\x01"  # what comes last fits nothing


def bound_of(module: str) -> int:
    return next((bound for name, bound in BOUNDS.items() if module.startswith(name)), LONGEST)


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: str(value).rpartition("/")[2])
def test_no_text_makes_a_pattern_take_long(module, path):
    slow, methods = [], uses(path)
    for name, value in vars(importlib.import_module(module)).items():
        is_table = not isinstance(value, (re.Pattern, LazyPattern))
        used = methods.get("pattern" if is_table else name, set())  # tables are walked by it
        for pattern in patterns(value):
            calls = [pattern.fullmatch, pattern.match]
            calls += [pattern.search] if used & {*SEARCHES} else []
            for text, call in product(pumped(pattern, bound_of(module)), calls):
                try:
                    with processor_time(SECONDS):
                        call(text)
                except TooLong:
                    slow.append((name, call.__name__, text[:40]))
                    break
    assert slow == []


@pytest.mark.parametrize("nested", [r"(?:a+)+$", r"(?:\s*a?\s*)*b", r"(?:a|ab|b)*c"])
def test_the_pump_finds_what_is_slow(nested):
    pattern = re.compile(nested)
    with pytest.raises(TooLong), processor_time(SECONDS):
        list(map(pattern.match, pumped(pattern, 1000)))
