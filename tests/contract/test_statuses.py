"""Exit statuses, and the stable words that scripts count: kinds of errors, reasons of filtered rows, null verdicts.

Sources are searched by the names of classes and constants wherever they stand; no module is imported by its path.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pins
import pytest

import libra_cli
from libra_cli.exits import Exit

ROOTS = frozenset(("RowError", "RequestError", "Filtered", "Verdict", "Decision", "Extraction"))
"""Classes that carry a stable word; a class that derives from one of them carries one too."""
PLACES = {"Verdict": 1, "Decision": 2, "Extraction": 1}
"""Position of the word among the arguments; elsewhere it is the first."""
ENUMERATIONS, CONSTANTS = frozenset(("Trouble",)), frozenset(("REASONS",))
"""Classes and tuples whose values are stable words."""


@cache
def trees() -> list[ast.Module]:
    """The library's files, parsed."""
    paths = sorted(Path(libra_cli.__file__).parent.rglob("*.py"))
    return [ast.parse(path.read_text(encoding="utf-8")) for path in paths]


@cache
def nodes(kind: type[ast.AST]) -> list[Any]:
    """Every node of a kind in the library."""
    return [node for node in everything() if isinstance(node, kind)]


@cache
def everything() -> list[ast.AST]:
    return [node for tree in trees() for node in ast.walk(tree)]


def name_of(node: ast.AST) -> str | None:
    """`b` of `b` and of `a.b`."""
    return getattr(node, "id", getattr(node, "attr", None))


@cache
def family(root: str) -> frozenset[str]:
    """A class and all that derive from it, by name."""
    names = {root}
    while more := {each.name for each in nodes(ast.ClassDef) if {*map(name_of, each.bases)} & names} - names:
        names |= more
    return frozenset(names)


@cache
def constants() -> dict[str, list[ast.expr]]:
    """What names of the library's modules are assigned, `A, B = "a", "b"` too."""
    found: dict[str, list[ast.expr]] = {}
    for node in (each for tree in trees() for each in tree.body if isinstance(each, ast.Assign)):
        target = node.targets[0]
        many = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
        pairs = zip(target.elts, node.value.elts, strict=True) if many else [(target, node.value)]
        for to, value in pairs:
            found.setdefault(str(name_of(to)), []).append(value)
    return found


def words(node: ast.expr | None) -> Iterator[str]:
    """The texts that an expression can be; none where only a run can tell."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from words(node.body)
        yield from words(node.orelse)
    elif isinstance(node, ast.Tuple):
        for each in node.elts:
            yield from words(each)
    elif isinstance(node, ast.Name) and node.id.isupper():
        for each in constants().get(node.id, []):
            yield from words(each)


def said_by(root: str) -> set[str]:
    """The words with which a class and those that derive from it are made."""
    place, names = PLACES.get(root, 0), family(root)
    made = [call for call in nodes(ast.Call) if name_of(call.func) in names]
    for each in nodes(ast.ClassDef):
        if each.name in names - {root}:
            made += [call for call in ast.walk(each) if isinstance(call, ast.Call) and name_of(call.func) == "__init__"]
    return {word for call in made if len(call.args) > place for word in words(call.args[place])}


def statuses() -> dict[str, int]:
    """Names and values."""
    return {status.name: status.value for status in Exit}


def kinds() -> dict[str, list[str]]:
    """Every stable word that can be read from the sources, by what carries it."""
    found = {root: said_by(root) for root in ROOTS - {"RequestError"}}
    found["RowError"] |= said_by("RequestError")
    for each in nodes(ast.ClassDef):
        if each.name in ENUMERATIONS:
            values = [line.value for line in each.body if isinstance(line, ast.Assign)]
            found[each.name] = {word for value in values for word in words(value)}
    found |= {name: {word for value in constants()[name] for word in words(value)} for name in CONSTANTS}
    return {name: sorted(found[name]) for name in sorted(found)}


PINNED = {"statuses": statuses, "kinds": kinds}


@pytest.mark.parametrize("name", PINNED)
def test_nothing_that_scripts_count_has_changed(name: str) -> None:
    assert not (differs := pins.difference(name, PINNED[name]())), differs


def test_words_that_functions_return_are_still_written() -> None:
    """Words that reach rows through variables: levels of the rule, faults of samples, what the gate finds."""
    literals = {node.value for node in nodes(ast.Constant) if isinstance(node.value, str)}
    wanted = (pins.HERE / "words.txt").read_text(encoding="utf-8").split()
    assert [word for word in wanted if word not in literals] == []
