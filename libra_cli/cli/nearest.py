"""Suggestions for a mistyped name, the nearest first."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import click

from libra_cli.similar import ALIKE

SYNONYMS = {"--limit": "--head", "--head": "--limit"}
"""Options that do much the same in different stages."""
MAX_SUGGESTIONS = 3
MAX_GAP = 0.12
"""A name that is farther than this behind the nearest one is left out."""
SAME_VARIABLE = 0.85
"""Ratio from which a variable that no stage knows is taken for a mistyped one of this stage."""


def nearest(word: str, names: Iterable[str], least: float = ALIKE) -> list[str]:
    """Up to three of `names` that resemble `word`, the nearest first; upper and lower case are alike.

    A name that `word` begins counts as near, too: `--temp` for `--temperature`.
    """
    import difflib  # few runs need it

    begun = word.lower()
    ranked = []
    for name in names:
        ratio = difflib.SequenceMatcher(None, begun, name.lower()).ratio()
        if len(begun.strip("-")) >= 2 and name.lower().startswith(begun):
            ratio = max(ratio, 0.9)
        if ratio >= least:
            ranked.append((-ratio, len(name), name))
    ranked.sort()
    return [name for less, _, name in ranked[:MAX_SUGGESTIONS] if less <= ranked[0][0] + MAX_GAP]


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """`; did you mean A, B or C?`, or nothing if no name is near."""
    return suggestion(nearest(word, names))


def suggestion(close: Sequence[str]) -> str:
    """As `did_you_mean`, for the names that are near."""
    *others, last = close or [""]
    return f"; did you mean {', '.join(others)} or {last}?" if others else f"; did you mean {last}?" if last else ""


def no_such_option(error: click.NoSuchOption, params: Sequence[click.Parameter]) -> click.UsageError:
    """The error for an option that there is not, with those that are meant."""
    names = [
        name for param in params if isinstance(param, click.Option) for name in (*param.opts, *param.secondary_opts)
    ]
    long = [name for name in names if name.startswith("--")]
    synonym = [name for name in long if name == SYNONYMS.get(error.option_name)]
    hint = suggestion(synonym) or _other_stages(error) or did_you_mean(error.option_name, long)
    return click.UsageError(f"there is no option {error.option_name}{hint}", error.ctx)


def _other_stages(error: click.NoSuchOption) -> str:
    """`; libra collect has it`: up to three stages with the option itself, or nothing."""
    group = error.ctx.parent.command if error.ctx is not None and error.ctx.parent is not None else None
    if not isinstance(group, click.Group) or error.ctx is None or not error.option_name.startswith("--"):
        return ""  # a single letter means something else in every stage
    commands = [(name, group.get_command(error.ctx, name)) for name in group.list_commands(error.ctx)]
    have = [
        f"libra {name}"
        for name, command in commands
        if command is not None and any(error.option_name in param.opts for param in command.params)
    ]
    *others, last = have or [""]
    if not last or len(have) > MAX_SUGGESTIONS:
        return ""
    return f"; {', '.join(others)} and {last} have it" if others else f"; {last} has it"


def unknown_variables(ctx: click.Context, stages: Iterable[str]) -> list[str]:
    """A warning for each variable of the environment that looks like an option of this command and is none.

    `stages`: all commands; the variables of the others are left alone.
    """
    prefix = f"{ctx.auto_envvar_prefix}_"
    own = {f"{prefix}{str(param.name).upper()}" for param in ctx.command.params if isinstance(param, click.Option)}
    prefixes = [variable_prefix(name) for name in stages]
    warnings = []
    for name in sorted(os.environ):
        of_stage = max((one for one in prefixes if name.startswith(one)), key=len, default="")
        if name in own or not name.startswith("LIBRA_") or of_stage not in ("", prefix):
            continue
        ends = [one.removeprefix(prefix) for one in own]  # what all begin with would make all alike
        if of_stage:
            close = [prefix + end for end in nearest(name.removeprefix(prefix), ends)]
        else:  # a mistyped stage, or none: LIBRA_SEED
            close = nearest(name, own, SAME_VARIABLE)
            close = close or [prefix + end for end in nearest(name.removeprefix("LIBRA_"), ends, SAME_VARIABLE)]
            if not close:  # LIBRA_MODEL_BASE_URL
                close = [prefix + end for end in sorted(ends, key=len) if name.endswith(f"_{end}")][-1:]
        hint = suggestion(close)
        if hint or of_stage:
            warnings.append(f"the environment variable {name} sets no option{hint}")
    return warnings


def variable_prefix(stage: str) -> str:
    """What the names of variables that set options of `stage` begin with: `LIBRA_RS_FILTER_`."""
    return f"LIBRA_{stage.upper().replace('-', '_').replace(' ', '_')}_"
