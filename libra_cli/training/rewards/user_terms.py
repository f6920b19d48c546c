"""Terms of the user's own: functions of a module, or of a file that is named."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

from libra_cli.exits import InvalidOptions
from libra_cli.training.registry import Bound, bind_options
from libra_cli.training.rewards.terms import Term


def user_term(name: Any, options: Mapping[str, Any], place: str) -> Bound[Term]:
    """The function `module:function` or `FILE.py:function`, called as `function(facts, **options)`.

    Its attribute `facts`, if it has one, names the facts that it needs. Nothing is looked for in the current folder: a
    module is found as Python finds any other, a file where its path says. Raises InvalidOptions.
    """
    origin, _, attribute = str(name).rpartition(":")
    if not origin or not attribute:
        raise InvalidOptions(f"{place}: expected module:function or FILE.py:function, got {name!r}")
    module = _file(origin, place) if origin.endswith(".py") else _module(origin, place)
    function: Callable[..., Any] | None = getattr(module, attribute, None)
    if not callable(function):
        raise InvalidOptions(f"{place}: {origin} has no function {attribute!r}")
    bound = bind_options(function, options, place.rpartition(".")[0], str(name))
    return Bound(str(name), function, bound, tuple(getattr(function, "facts", ())))


def _module(name: str, place: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0] and error.name != name:
            raise
        cure = "name its file (FILE.py:function), or set PYTHONPATH to its folder"
        raise InvalidOptions(f"{place}: no module is named {name!r}: {cure}") from None


def _file(path: str, place: str) -> ModuleType:
    spec = util.spec_from_file_location(f"libra_reward_{Path(path).stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (OSError, SyntaxError) as error:
        raise InvalidOptions(f"{place}: {path}: {error}: name a file of Python that can be read") from None
    return module
