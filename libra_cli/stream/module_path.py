"""Where Python finds modules, in this process and in those that it starts: never in the folder that it is run in.

A folder of data may hold somebody else's `torch.py`, and Python looks there first where it is started with -c or -m.
This module imports nothing that is not loaded already: what comes later is to be found by the path as it is then.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

_SAFE_PATH = "PYTHONSAFEPATH"
_safe_path_before = os.environ.get(_SAFE_PATH)
_PACKAGE_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def leave_out_current_folder() -> None:
    """Has this process, and every Python below it, import nothing from the current folder.

    A folder that PYTHONPATH names stays, even if it is the current one; that of the package stays as the last.
    """
    os.environ[_SAFE_PATH] = "1"  # since Python 3.11, also for what libraries start
    if "PYTHONPATH" in os.environ:  # an empty entry stands for the current folder, and is hardly ever meant
        os.environ["PYTHONPATH"] = os.pathsep.join(_named())
    sys.path[:] = _without_current_folder(sys.path)


def others_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment of ours for what is no part of libra: a script finds the modules beside it."""
    others = {name: value for name, value in environment.items() if name != _SAFE_PATH}
    return others if _safe_path_before is None else {**others, _SAFE_PATH: _safe_path_before}


def _named() -> list[str]:
    return [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]


def _without_current_folder(entries: list[str]) -> list[str]:
    """The absolute entries, without the current folder unless PYTHONPATH names it, and with libra's own."""
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:  # it was removed
        here = ""
    is_named = here in map(os.path.realpath, _named())
    kept = [entry for entry in entries if os.path.isabs(entry) and (is_named or os.path.realpath(entry) != here)]
    return kept if _PACKAGE_ROOT in kept else [*kept, _PACKAGE_ROOT]


def python_command(code: str, *words: str) -> list[str]:
    """Command line of a fresh Python that runs `code` and finds the modules that this process finds."""
    return [sys.executable, "-c", f"{_boot()}; {code}", *words]


def libra_command(*words: str) -> list[str]:
    """Command line of this very libra: `libra WORDS`."""
    return python_command(_RUN, *words)


def own_command() -> list[str]:
    """Command line that starts this process's program once more."""
    words = sys.orig_argv[1:]
    for at in range(len(words) - 1):
        if words[at : at + 2] == ["-m", "libra_cli"]:  # which would look for libra_cli in the current folder first
            return [sys.executable, *words[:at], "-c", f"{_boot()}; {_RUN}", *words[at + 2 :]]
    return [sys.executable, *words]


_RUN = "from libra_cli.main import run; run()"


def _boot() -> str:
    """Code that comes before any import: until then the current folder is the first that Python looks in."""
    return f"import sys; sys.path[:] = {_without_current_folder(sys.path)!r}"
