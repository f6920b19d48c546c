"""Terms of the user's own: functions of a module, or of a file that is named."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from libra_cli.exits import Fatal, InvalidOptions
from libra_cli.training.registry import Bound, bind_options, mapping
from libra_cli.training.rewards.facts import FACTS, Facts, has_fact, is_ragged, key_of
from libra_cli.training.rewards.terms import Term

_NAME_OF = {key_of(name): name for name in FACTS}
"""The name of each fact without its axes."""


@dataclass(frozen=True)
class UserFunction:
    """A function of the user's own; what it raises is reported with its file and line."""

    function: Callable[..., Any]
    file: str | None
    """The file of its module."""
    ragged: bool = False
    """It returns a list for each response, in lists [P][G]."""

    def __call__(self, facts: Facts, **options: Any) -> Any:
        """What it returns, as an array of float64, or as lists [P][G] of such arrays; raises InvalidOptions."""
        try:
            returned = self.function(facts, **options)
        except Fatal:
            raise
        except Exception as error:
            raise _failed(error, self.file, _cure(error)) from error
        where = f"{self.file}: " if self.file else ""
        name = getattr(self.function, "__name__", "the function")
        try:
            if self.ragged:
                return [[np.asarray(one, dtype=np.float64) for one in group] for group in returned]
            rewards = np.asarray(returned, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidOptions(f"{where}{name} returned what is no array of numbers ({error})") from None
        if np.isinf(rewards).any():
            raise InvalidOptions(f"{where}{name} returned an infinite number; NaN stands for a reward that is unknown")
        return rewards


def own_facts(config: Any, measured: Collection[str]) -> dict[str, Bound[Term]]:
    """Functions that measure facts of the user's own, by their names: `{NAME: FILE.py:function}`.

    Options of a function stand beside `from: FILE.py:function`. `measured`: facts that libra measures. Raises
    InvalidOptions.
    """
    found = {}
    for name, given in mapping(config, "facts").items():
        place = f"facts.{name}"
        given = {"from": given} if isinstance(given, str) else mapping(given, place)
        if name in measured:
            raise InvalidOptions(f"{place}: libra measures this itself: give the fact of yours another name")
        if "from" not in given:
            raise InvalidOptions(f"{place}: expected FILE.py:function, or {{from: FILE.py:function, OPTION: ...}}")
        options = {key: value for key, value in given.items() if key != "from"}
        found[str(name)] = user_function(given["from"], options, f"{place}.from", is_ragged(str(name)))
    return found


def with_own_facts(facts: Facts, own: Mapping[str, Bound[Term]], shape: tuple[int, int]) -> Facts:
    """`facts` of a batch of `shape` [P, G], and what the functions of `own` measure that is not there yet.

    Raises InvalidOptions if one returns another shape.
    """
    more: dict[str, Any] = {}
    for name, function in own.items():
        if has_fact(facts, name):
            continue
        values = function(facts)
        if is_ragged(name):
            found: tuple[int, ...] = (len(values), *{len(group) for group in values})
            fits = found == shape
        else:
            axes = key_of(name)[len(name) + 1 :].split("_")
            found, fits = values.shape, values.shape[:1] == shape[:1] and values.ndim == len(axes)
            fits = fits and (axes[-1] != "G" or values.shape[-1] == shape[1])
        if not fits:
            what = f"facts.{name}: {function.name} returned the shape {found}"
            raise InvalidOptions(f"{what}: {key_of(name)} of {shape[0]} prompts with {shape[1]} responses is expected")
        more[key_of(name)] = values
    return {**facts, **more}


def user_function(name: Any, options: Mapping[str, Any], place: str, ragged: bool = False) -> Bound[Term]:
    """The function `module:function` or `FILE.py:function`, called as `function(facts, **options)`.

    Its attribute `facts`, if it has one, names the facts that it needs, with their axes or without. Nothing is looked
    for in the current folder: a module is found as Python finds any other, a file where its path says. Raises
    InvalidOptions.
    """
    origin, _, attribute = str(name).rpartition(":")
    if not origin or not attribute:
        raise InvalidOptions(f"{place}: expected module:function or FILE.py:function, got {name!r}")
    module = _file(origin, place) if origin.endswith(".py") else _module(origin, place)
    function: Callable[..., Any] | None = getattr(module, attribute, None)
    if not callable(function):
        raise InvalidOptions(f"{place}: {origin} has no function {attribute!r}")
    bound = bind_options(function, options, place.rpartition(".")[0], str(name))
    facts = getattr(function, "facts", ())
    names = (facts,) if isinstance(facts, str) else tuple(facts)
    return Bound(
        str(name),
        UserFunction(function, origin if origin.endswith(".py") else getattr(module, "__file__", None), ragged),
        bound,
        tuple(_NAME_OF.get(fact, fact) for fact in names),
    )


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
    except Exception as error:
        raise _failed(error, path, "mend it there") from error
    return module


def _failed(error: Exception, file: str | None, cure: str) -> InvalidOptions:
    """The error of a user's own code, with the last line of `file` that led to it; of any file if none is there."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if file and Path(frame.filename).resolve() == Path(file).resolve()]
    where = f"{file}:{own[-1].lineno}" if own else f"{frames[-1].filename}:{frames[-1].lineno}"
    return InvalidOptions(f"{where}: {type(error).__name__}: {' '.join(str(error).split())}; {cure}")


def _cure(error: Exception) -> str:
    key = error.args[0] if isinstance(error, KeyError) and error.args else None
    if key in _NAME_OF:
        return f'say that the function reads this fact: function.facts = ("{_NAME_OF[key]}",)'
    if key in FACTS:
        return f'the key of this fact is "{key_of(key)}"'
    return "mend it there"
