"""Ids of which only the beginning is given: enough where one record has it, as in git."""

from __future__ import annotations

from collections.abc import Collection

from libra_cli.exits import Exit, Fatal

SHORTEST = 4
"""Characters of an id, from which its begin is enough."""
_SHOWN = 5


def written_out(name: str, own: str) -> str:
    """`name`, an id or ID/MODEL/SAMPLE, with the id `own` in place of its beginning; else as it is."""
    begin, slash, rest = name.partition("/")
    return f"{own}{slash}{rest}" if len(begin) >= SHORTEST and own.startswith(begin) else name


def how_to_name(name: str) -> str:
    """What to do about `name`, an id or its beginning, that no record has."""
    few = len(name.partition("/")[0]) < SHORTEST
    return f"check the id, whose beginning is enough from {SHORTEST} characters on" if few else "check the id"


def only_one(name: str, meant: Collection[str]) -> str:
    """The only one of the names that `name` may mean; raises Fatal(2) for several."""
    if len(meant) > 1:
        shown = ", ".join([*meant][:_SHOWN]) + (", ..." if len(meant) > _SHOWN else "")
        raise Fatal(Exit.USAGE, f"{len(meant)} ids begin like {name}: {shown}; write more of the one you mean")
    return next(iter(meant))
