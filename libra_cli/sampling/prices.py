"""What tokens cost, as the user says (`--price`); libra knows no prices of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libra_cli.exits import InvalidOptions
from libra_cli.similar import nearest_name

PER = 1_000_000
_NAMES = ("input", "output", "cached")
_FORM = "write IN/OUT or IN/OUT/CACHED (per million tokens), MODEL=IN/OUT, or the name of a YAML file"
_EVERY = "default"
_NAMED = 10


@dataclass(frozen=True)
class Price:
    """Price of a million tokens of the prompt, of the completion, and of the prompt where the server had it cached."""

    input: float
    output: float
    cached: float

    def cost(self, usage: Mapping[str, int]) -> float:
        """The cost of the tokens that a server reports."""
        cached = min(usage["cached_tokens"], usage["prompt_tokens"])
        paid = (usage["prompt_tokens"] - cached) * self.input + cached * self.cached
        return (paid + usage["completion_tokens"] * self.output) / PER


@dataclass(frozen=True)
class Prices:
    """The prices of models by name, and of all others."""

    by_model: Mapping[str, Price]
    currency: str | None = None

    def of(self, *names: str) -> Price | None:
        """The price of a model that goes by these names; None if it is not known."""
        return next((self.by_model[name] for name in (*names, _EVERY) if name in self.by_model), None)

    def lacks(self, *names: str) -> str | None:
        """That there is no price for a model that goes by these names, in words; None if there is one, or none at all.

        The nearest name that has a price is named, or all of them.
        """
        if not self.by_model or self.of(*names):
            return None
        near = nearest_name(names[0], self.by_model)
        has = f"did you mean {near}?" if near else f"it has {', '.join(list(self.by_model)[:_NAMED])}"
        return f"--price has no price for {names[0]}, whose cost is not counted; {has}"


def read_prices(texts: Sequence[str]) -> Prices:
    """The prices that the values of --price give, a later one before an earlier; raises InvalidOptions."""
    by_model: dict[str, Price] = {}
    currency = None
    for text in texts:
        model, equals, numbers = text.rpartition("=")
        try:
            by_model[model if equals else _EVERY] = _price(numbers.split("/"))
        except ValueError:
            if equals:
                raise InvalidOptions(f"--price {text}: {_FORM}") from None
            in_file, named = prices_of_file(text)
            by_model |= in_file
            currency = named or currency
    return Prices(by_model, currency)


def _price(numbers: Sequence[Any]) -> Price:
    """The price of two or three numbers; raises ValueError."""
    values = [float(number) for number in numbers]
    if not 2 <= len(values) <= 3 or not all(math.isfinite(value) and value >= 0 for value in values):
        raise ValueError
    return Price(values[0], values[1], values[2] if len(values) == 3 else values[0])


def prices_of_file(path: str) -> tuple[dict[str, Price], str | None]:
    """The prices of a YAML file by model, and its currency; raises InvalidOptions."""
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            content = yaml.safe_load(file)
    except (FileNotFoundError, NotADirectoryError):
        raise InvalidOptions(f"--price {path}: is neither a price nor a file; {_FORM}") from None
    except OSError as error:
        raise InvalidOptions(f"--price {path}: cannot be read ({error.strerror}); {_FORM}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidOptions(f"--price {path}: is no YAML ({str(error).splitlines()[0]})") from None
    if not isinstance(content, dict):
        raise InvalidOptions(f"--price {path}: holds no names of models with their prices")
    currency = content.pop("currency", None)
    prices = {}
    for model, given in content.items():
        try:
            numbers = given.split("/") if isinstance(given, str) else [given[name] for name in _NAMES if name in given]
            if not isinstance(given, str) and set(given) - {*_NAMES}:
                raise ValueError
            prices[str(model)] = _price(numbers)
        except (ValueError, TypeError, KeyError):
            cure = f"write {model}: {{input: 0.5, output: 1.5}}, with cached if that has a price of its own"
            raise InvalidOptions(f"--price {path}: {model} has no price; {cure}") from None
    return prices, None if currency is None else str(currency)
