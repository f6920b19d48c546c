"""Registries of named pure functions whose options come from a configuration file, checked against the signature.

The keyword-only parameters of a registered function are its options: their names, types, ranges and defaults.
"""

from __future__ import annotations

import inspect
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

from libra_cli.exits import InvalidOptions

F = TypeVar("F", bound=Callable[..., Any])
RequiredFacts = Sequence[str] | Callable[[Mapping[str, Any]], Sequence[str]]


@dataclass(frozen=True)
class Interval:
    """The numbers that an option accepts, from `low` to `high`."""

    low: float
    high: float = math.inf
    above: bool = False
    """`low` itself is out."""

    def __contains__(self, value: float) -> bool:
        return (self.low < value if self.above else self.low <= value) and value <= self.high

    def __str__(self) -> str:
        if self.high < math.inf:
            return f"{'above' if self.above else 'from'} {self.low:g} {'up ' if self.above else ''}to {self.high:g}"
        return f"above {self.low:g}" if self.above else f"{self.low:g} or more"


class Choice:
    """The words that an option accepts."""

    def __init__(self, *names: str):
        self._names = names

    def __contains__(self, value: Any) -> bool:
        return value in self._names

    def __str__(self) -> str:
        return f"of {', '.join(self._names)}"


Share = Annotated[float, Interval(0, 1)]
Positive = Annotated[float, Interval(0, above=True)]
NonNegative = Annotated[float, Interval(0)]
Count = Annotated[int, Interval(1)]


@dataclass(frozen=True)
class Bound(Generic[F]):
    """A registered function with the options that it was configured with."""

    name: str
    function: F
    options: Mapping[str, Any] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
    """The facts that it reads, without their axes: `correct` for `correct_P_G`."""

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments, **self.options)


class Described(NamedTuple):
    """A registered function as a manual shows it."""

    name: str
    summary: str
    """Its docstring in one line, without the paragraph on errors."""
    options: dict[str, str]
    """What each option takes, and its default: `a number from 0 to 1 (0.2)`."""
    facts: tuple[str, ...]
    """What it reads with the default options."""


@dataclass(frozen=True)
class _Entry:
    function: Callable[..., Any]
    facts: RequiredFacts
    check: Callable[..., str | None] | None


class Registry(Generic[F]):
    """The functions of one kind, by name."""

    def __init__(self, kind: str):
        self.kind = kind
        self._entries: dict[str, _Entry] = {}

    def add(
        self, name: str, facts: RequiredFacts = (), check: Callable[..., str | None] | None = None
    ) -> Callable[[F], F]:
        """Registers the decorated function. `check(**options)` returns what is wrong with the options together."""

        def register(function: F) -> F:
            self._entries[name] = _Entry(function, facts, check)
            return function

        return register

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order of registration."""
        return tuple(self._entries)

    def described(self) -> list[Described]:
        """All functions, in the order of registration."""
        found = []
        for name, entry in self._entries.items():
            defaults, kinds = _defaults(entry.function), typing.get_type_hints(entry.function, include_extras=True)
            options = {}
            for option in _options(entry.function):
                default = _written(defaults[option]) if option in defaults else "required"
                options[option] = f"{_describe(kinds[option])} ({default})"
            facts = entry.facts(defaults) if callable(entry.facts) else entry.facts
            paragraphs = inspect.cleandoc(entry.function.__doc__ or "").split("\n\n")
            summary = " ".join(" ".join(part for part in paragraphs if not part.startswith("Raises ")).split())
            found.append(Described(name, summary, options, tuple(facts)))
        return found

    def bind(self, config: Any, place: str, key: str = "name", reserved: Iterable[str] = ()) -> Bound[F]:
        """The function that `config[key]` names, with the other keys of `config` as its options.

        A string stands for a mapping that holds the name only. `place` is where `config` stands in the file;
        `reserved` keys belong to the caller. Raises InvalidOptions.
        """
        config = {key: config} if isinstance(config, str) else mapping(config, place)
        name = config.get(key)
        if not isinstance(name, str) or name not in self._entries:
            raise InvalidOptions(f"{place}.{key}: {unknown(self.kind, name, self._entries)}")
        entry = self._entries[name]
        given = {option: value for option, value in config.items() if option != key and option not in reserved}
        options = bind_options(entry.function, given, place, name, also=(key, *reserved))
        everything = {**_defaults(entry.function), **options}
        if entry.check is not None and (wrong := entry.check(**everything)):
            raise InvalidOptions(f"{place}: {wrong}")
        facts = entry.facts(everything) if callable(entry.facts) else entry.facts
        return Bound(name, typing.cast(F, entry.function), options, tuple(facts))


def mapping(value: Any, place: str) -> Mapping[str, Any]:
    """`value`, if it is a mapping with strings as its keys; otherwise raises InvalidOptions."""
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise InvalidOptions(f"{place}: expected keys and values, got {value!r}")
    return value


def unknown(kind: str, name: Any, known: Iterable[str]) -> str:
    """What to say about a name that is none of `known`: the nearest one, or all of them."""
    return f"no {kind} is named {name!r}: {_nearest(name, known) or 'use one of ' + ', '.join(known)}"


def _nearest(name: Any, known: Iterable[str]) -> str:
    """Which of `known` the name may be meant to be, the nearest first; nothing if none is near."""
    near = get_close_matches(str(name).lower(), tuple(known), n=2, cutoff=0.65)
    return "did you mean " + " or ".join(f'"{one}"' for one in near) + "?" if near else ""


def bind_options(
    function: Callable[..., Any], given: Mapping[str, Any], place: str, name: str, also: Iterable[str] = ()
) -> dict[str, Any]:
    """The options `given` for `function`, as the types that its keyword-only parameters ask for.

    `also`: keys that may stand beside them, and so may be meant.

    Raises InvalidOptions for an option that the function does not have, one that is missing, or a wrong value.
    """
    parameters = _options(function)
    kinds = typing.get_type_hints(function, include_extras=True)
    takes_any = any(one.kind is one.VAR_KEYWORD for one in inspect.signature(function).parameters.values())
    for option in given:
        if option not in parameters and not takes_any:
            has = f"its options are {', '.join(parameters)}" if parameters else "it has no options"
            raise InvalidOptions(
                f"{place}.{option}: {name} has no such option: {_nearest(option, (*parameters, *also)) or has}"
            )
    for option, parameter in parameters.items():
        if parameter.default is parameter.empty and option not in given:
            raise InvalidOptions(f"{place}: {name} needs {option!r}")
    return {option: convert(value, kinds.get(option, Any), f"{place}.{option}") for option, value in given.items()}


def convert(value: Any, kind: Any, place: str) -> Any:
    """`value` as `kind`: bool, int, float, str, a Literal, one of these in an Interval or Choice, or a union of them.

    Numbers may be strings, since YAML reads `1e-4` as one. Raises InvalidOptions.
    """
    if kind is Any:
        return value
    expected = _describe(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        for member in arguments:
            try:
                return convert(value, member, place)
            except InvalidOptions:
                continue
    elif origin is Literal:
        if value in arguments and not isinstance(value, bool):
            return value
    elif origin is Annotated:
        try:
            number = convert(value, arguments[0], place)
        except InvalidOptions:
            number = math.nan
        if number in arguments[1]:
            return number
    elif kind is type(None):
        if value is None:
            return None
    elif kind in (int, float) and not isinstance(value, bool):
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if math.isfinite(number) and (kind is float or number == int(number)):
            return kind(number)
    elif kind in (bool, str) and isinstance(value, kind):
        return value
    raise InvalidOptions(f"{place}: expected {expected}, got {value!r}")


def _options(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(function).parameters
    return {name: each for name, each in parameters.items() if each.kind is inspect.Parameter.KEYWORD_ONLY}


def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    return {name: each.default for name, each in _options(function).items() if each.default is not each.empty}


def _written(value: Any) -> str:
    """A default as YAML has it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _describe(kind: Any) -> str:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_describe(member) for member in arguments)
    if origin is Literal:
        return "one of " + ", ".join(map(str, arguments))
    if origin is Annotated:
        return f"{_describe(arguments[0])} {arguments[1]}"
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a word", type(None): "null",
             Any: "a number, or numbers by name"}  # fmt: skip
    return names.get(kind, str(kind))
