"""Converts one unit into another, with the definitions of pint and exact ratios.

pint takes half a second to load, so that it is asked only about two units that are written differently.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from libra_cli.answers import time_limit
from libra_cli.answers.languages import units_abroad

if TYPE_CHECKING:
    import pint

_UNIT_NAMES = """
    meter gram second ampere kelvin mole candela hertz newton pascal joule watt coulomb volt farad ohm siemens weber
    tesla henry lumen lux becquerel gray sievert liter molar electron_volt bar standard_atmosphere torr meter_Hg
    millimeter_Hg minute hour day week watt_hour ampere_hour calorie british_thermal_unit horsepower erg dyne poise
    gauss angstrom inch foot yard mile nautical_mile light_year parsec acre hectare are gallon quart fluid_ounce
    tablespoon teaspoon ounce pound metric_ton carat unified_atomic_mass_unit dalton pound_force_per_square_inch
    mile_per_hour kilometer_per_hour kilometer_per_second knot bit byte katal astronomical_unit ppm steradian
"""
_UNITS = frozenset(_UNIT_NAMES.split())
"""What pint may read; its other units have names that mean something else in an answer."""
_COMMON_NAMES = """
    meter metre gram second minute hour day week month year inch inches foot feet yard mile ounce pound liter litre
    gallon quart millimeter millimetre centimeter centimetre kilometer kilometre milligram kilogram milliliter
    millilitre degree radian newton joule watt volt ampere ohm hertz pascal kelvin coulomb dollar cent euro rupee
    yen yuan
"""
_COMMON = frozenset(_COMMON_NAMES.split())
_ANGLES = {
    "rad": (Fraction(1), 0), "radian": (Fraction(1), 0), "mrad": (Fraction(1, 1000), 0),
    "degree": (Fraction(1, 180), 1), "deg": (Fraction(1, 180), 1), "°": (Fraction(1, 180), 1),
    "arcminute": (Fraction(1, 10800), 1), "arcmin": (Fraction(1, 10800), 1),
    "arcsecond": (Fraction(1, 648000), 1), "arcsec": (Fraction(1, 648000), 1),
    "revolution": (Fraction(2), 1), "rev": (Fraction(2), 1), "turn": (Fraction(2), 1),
}  # fmt: skip
"""Size in radians: a ratio, and a power of pi."""
_TURNS = ("rev", "revolution", "turn", "cycle")
_CALENDAR = {"month": 1, "mo": 1, "year": 12, "yr": 12, "decade": 120, "century": 1200, "centuries": 1200}
"""Size in months, which have no fixed number of days."""
_MONEY = {
    "dollar": {"dollar": 100}, "usd": {"dollar": 100}, "$": {"dollar": 100}, "buck": {"dollar": 100},
    "euro": {"euro": 100}, "eur": {"euro": 100}, "€": {"euro": 100},
    "cent": {"dollar": 1, "euro": 1}, "¢": {"dollar": 1, "euro": 1},
    "pound sterling": {"sterling": 100}, "gbp": {"sterling": 100}, "£": {"sterling": 100}, "pound": {"sterling": 100},
    "pence": {"sterling": 1}, "centime": {"euro": 1}, "céntimo": {"euro": 1}, "centesimo": {"euro": 1},
    "rupee": {"rupee": 1}, "rs": {"rupee": 1}, "inr": {"rupee": 1}, "₹": {"rupee": 1},
    "yen": {"yen": 1}, "jpy": {"yen": 1}, "¥": {"yen": 1, "yuan": 1},
    "yuan": {"yuan": 1}, "rmb": {"yuan": 1}, "cny": {"yuan": 1}, "元": {"yuan": 1},
    "won": {"won": 1}, "krw": {"won": 1}, "₩": {"won": 1},
    "ruble": {"ruble": 100}, "rub": {"ruble": 100}, "₽": {"ruble": 100}, "kopeck": {"ruble": 1},
    "real": {"real": 100}, "reais": {"real": 100}, "brl": {"real": 100}, "r$": {"real": 100}, "centavo": {"real": 1},
    "złoty": {"złoty": 100}, "złote": {"złoty": 100}, "złotych": {"złoty": 100}, "zł": {"złoty": 100},
    "pln": {"złoty": 100}, "zloty": {"złoty": 100}, "grosz": {"złoty": 1}, "groszy": {"złoty": 1},
    "kr": {"krone": 1}, "kronor": {"krone": 1}, "kroner": {"krone": 1}, "krone": {"krone": 1}, "sek": {"krone": 1},
    "franc": {"franc": 1}, "chf": {"franc": 1}, "franken": {"franc": 1}, "₺": {"lira": 1}, "lira": {"lira": 1},
}  # fmt: skip
"""What a name may stand for: the currency, and how many of its smallest parts."""
_TEMPERATURES = {
    "celsius": (Fraction(1), Fraction("273.15")),
    "fahrenheit": (Fraction(5, 9), Fraction("459.67") * 5 / 9),
}
"""Size in kelvins, and the kelvins at zero."""
_SCALES = {"°C": "celsius", "°F": "fahrenheit", "C": "celsius", "F": "fahrenheit", "centigrade": "celsius"}
_PEOPLE = {"people": "person", "children": "child", "men": "man", "women": "woman", "mice": "mouse", "feet": "foot"}
_SYMBOLS_OF = {
    "Nm": "N m",
    "mmHg": "torr",  # which differ by a seventh of a millionth
    "ccm": "cm^3",
    "cc": "cm^3",
    "kmh": "kph",
    "kmph": "kph",
    "sec": "s",
    "mps": "m s^-1",
    "fps": "foot s^-1",
    **dict.fromkeys(("D", "dpt", "dioptre", "dioptres", "diopter", "diopters"), "m^-1"),
    **dict.fromkeys(("ly", "lightyear", "lightyears", "light-year", "light-years"), "light_year"),
    "AU": "astronomical_unit",
    "Å": "angstrom",
    "AA": "angstrom",
    "kilohm": "kohm",
    "kilohms": "kohm",
    "megohm": "Mohm",
    "megohms": "Mohm",
}
_TWO_WORDS = {"light year": "light_year", "light years": "light_year"}
_OWN_MEANING = {"b": "bit", "Mb": "megabit", "kb": "kilobit", "Gb": "gigabit", "rpm": "rev min^-1", "mcg": "microgram"}
_OF_THOUSANDS = frozenset("KM")
_UNCERTAIN = frozenset(("Cal", "Calorie", "Calories", "ton", "tons", "pt", "c", "G", "u"))
_ROUNDED = Fraction(1, 50)
"""Relative difference up to which a converted value may be a rounded one."""
_DEFINITION = Fraction(1, 10**6)
"""Relative difference that comes from the definitions of units: 760 mmHg are 101325.0 Pa."""
_PI = Fraction(math.pi)
_SHORT, MAX_READINGS = 4, 16
"""Letters of the longest symbol of two units in a row (kWs); number of readings of a unit that are tried."""
_ABROAD_NAMES = {
    "meter": "metro metros metri mètre mètres",
    "liter": "litro litros litri",
    "gram": "gramo gramos grama gramas grammo grammi gramme grammes gramm",
    "joule": "julio julios",
    "watt": "vatio vatios",
    "volt": "voltio voltios volts",
    "ampere": "amperio amperios ampère ampères",
    "ohm": "ohmio ohmios",
    "newton": "newtons",
    "second": "segundo segundos secondo secondi seconde secondes sekunde sekunden",
    "minute": "minuto minutos minuti minuten",
    "hour": "hora horas ora ore heure heures stunde stunden",
}
_PREFIXES_ABROAD = {
    "": "",
    "kilo": "kilo",
    "centi": "centi",
    "centí": "centi",
    "mili": "milli",
    "milli": "milli",
    "kiló": "kilo",
}
_ABROAD = {
    prefix + name: international + unit
    for unit, names in _ABROAD_NAMES.items()
    for name in names.split()
    for prefix, international in _PREFIXES_ABROAD.items()
}
"""Names of units in Romance languages and German."""


class Measure(NamedTuple):
    """What one unit is: a factor and a power of pi times base units, and the kelvins at zero."""

    factor: Fraction
    pi: int
    dimensions: tuple[tuple[str, int], ...]
    zero: Fraction = Fraction(0)


class Conversion(NamedTuple):
    """A value in the other unit is `factor` times pi to `pi` times the value, plus `plus`."""

    factor: Fraction = Fraction(1)
    pi: int = 0
    plus: Fraction = Fraction(0)


IDENTITY = Conversion()
LOOSE = Conversion(Fraction(0))
"""There is no fixed ratio, as between years and days."""


def is_common(name: str) -> bool:
    """Whether a word is a unit that may stand right behind a formula or a number."""
    head = name.split()[0].split("/")[0]
    return head in _COMMON or head.removesuffix("s") in _COMMON


@lru_cache(1)
def _registry() -> pint.UnitRegistry:
    def load() -> pint.UnitRegistry:
        import pint

        return pint.UnitRegistry(non_int_type=Fraction)

    return time_limit.unlimited(load)


@lru_cache(1 << 10)
def between(a: str | None, b: str | None) -> tuple[Conversion, ...] | None:
    """Ways in which a value in `a` may be converted into `b`; none if they are of different quantities.

    None if a unit is unknown, or what it measures: 17 apples are not 17 oranges, but they may be 17 fruits.
    """
    if not a and b == "K":  # a reference in kelvins
        return (IDENTITY,)
    if not a or not b:
        return None if (a or b) in _OF_THOUSANDS and a != b else (IDENTITY,)
    if a == b:
        return (IDENTITY,)
    scales = {_SCALES.get(unit, unit) for unit in (a, b)}
    if scales & {"degree", "degrees", "deg", "°"} and scales & _TEMPERATURES.keys():
        return (IDENTITY,)
    measures, others = _readings(a), _readings(b)
    if measures and others:
        found = {_conversion(one, other) for one in measures for other in others if one.dimensions == other.dimensions}
        if found:
            return tuple(sorted(found))
        loose = {_loosely(one) for one in measures} & {_loosely(other) for other in others}
        return (LOOSE,) if loose else ()
    if not measures and not others and _noun(a) == _noun(b):
        return (IDENTITY,)
    if "^-1" in a + b and _without_counted(a) == _without_counted(b):  # dollars per share are dollars
        return (IDENTITY,)
    short, long = sorted((a.split(), b.split()), key=len)
    is_longer = (long[: len(short)] == short or long[-len(short) :] == short) and "^" not in a + b
    return (IDENTITY,) if is_longer and not (measures and others) else None


def is_measure(unit: str) -> bool:
    """Whether a unit is known, and of no money and no percentage."""
    found = _readings(unit)
    return bool(found) and not any(name in _MONEY.values() for one in found for name, _ in one.dimensions)


def _without_counted(unit: str) -> str:
    """A unit in the singular without the thing that it is counted by: dollar of dollars per share."""
    *rest, last = unit.split()
    noun = last.removesuffix("^-1")
    return _noun(" ".join(rest)) if rest and noun != last and not _readings(noun) else _noun(unit)


def _conversion(one: Measure, other: Measure) -> Conversion:
    return Conversion(one.factor / other.factor, one.pi - other.pi, (one.zero - other.zero) / other.factor)


def _loosely(measure: Measure) -> tuple[tuple[str, int], ...]:
    """Dimensions in which years are seconds, and an angle is a number."""
    powers: dict[str, int] = {}
    for name, power in measure.dimensions:
        name = "second" if name == "month" else name
        powers[name] = powers.get(name, 0) + power
    return _written({name: power for name, power in powers.items() if name != "radian"})


def _written(powers: dict[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def _noun(unit: str) -> str:
    """`unit` in the singular."""
    head, _, last = unit.rpartition(" ")
    if len(last) < _SHORT:
        return unit
    last = _PEOPLE.get(last.lower(), last.lower())
    for ending, singular in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("s", "")):
        if last.endswith(ending) and not last.endswith("ss"):
            last = last.removesuffix(ending) + singular
            break
    return f"{head.lower()} {last}".strip()


@lru_cache(1 << 10)
def _readings(unit: str) -> tuple[Measure, ...]:
    """What a unit may be, as a product of its factors; none if a factor is unknown."""
    if unit in _TEMPERATURES or unit in _SCALES:
        factor, zero = _TEMPERATURES[_SCALES.get(unit, unit)]
        warm = Measure(factor, 0, (("kelvin", 1),), zero)
        return (warm, *_of_name(unit)) if len(unit) == 1 else (warm,)
    if unit in _MONEY:
        return (*_of_name(unit),)
    if spelled := units_abroad.units().get(tuple(unit.lower().split())) if " " in unit else None:
        over, _, under = spelled.partition("/")
        return _readings(f"{over} {under}^-1" if under else spelled)
    factors = []
    for part in _TWO_WORDS.get(unit, unit).split():
        name, _, power = part.partition("^")
        exponent = int(power or 1)
        found = [_power(measure, exponent) for measure in _of_name(_ABROAD.get(name.lower(), name))]
        if name == "ms" and exponent < 0:  # ms^{-1} without a space
            found = [_times(metre, _power(second, exponent)) for metre in _of_name("m") for second in _of_name("s")]
        factors.append(found)
    products = itertools.islice(itertools.product(*factors), MAX_READINGS)
    return tuple(dict.fromkeys(_product(*measures) for measures in products))


def _product(*measures: Measure) -> Measure:
    total = Measure(Fraction(1), 0, ())
    for measure in measures:
        total = _times(total, measure)
    return total


def _times(one: Measure, other: Measure) -> Measure:
    powers = dict(one.dimensions)
    for name, power in other.dimensions:
        powers[name] = powers.get(name, 0) + power
    return Measure(one.factor * other.factor, one.pi + other.pi, _written(powers))


def _power(measure: Measure, exponent: int) -> Measure:
    dimensions = tuple((name, power * exponent) for name, power in measure.dimensions)
    return Measure(measure.factor**exponent, measure.pi * exponent, dimensions)


@lru_cache(1 << 10)
def _of_name(name: str) -> tuple[Measure, ...]:
    """What one name may be: a second is a time or an angle, a pound is a weight or money."""
    if name in _UNCERTAIN:
        return ()
    word = name.lower() if len(name) > 2 else name
    singular = word.removesuffix("s") if len(word) > 2 else word
    written = _OWN_MEANING.get(name) or _SYMBOLS_OF.get(name)
    if written and written != name:
        return _readings(written)
    found = []
    if singular in _ANGLES:
        factor, pi = _ANGLES[singular]
        found.append(Measure(factor, pi, (("radian", 1),)))
    if singular in _TURNS:
        found.append(Measure(Fraction(1), 0, ()))
    for size in (_CALENDAR.get(word), _CALENDAR.get(singular)):
        if size and not found:
            found.append(Measure(Fraction(size), 0, (("month", 1),)))
    money = _MONEY.get(name.lower()) or _MONEY.get(singular)
    for currency, parts in (money or {}).items():
        found.append(Measure(Fraction(parts), 0, ((currency, 1),)))
    if singular in ("minute", "second") and word != "s":
        factor, pi = _ANGLES[f"arc{singular}"]
        found.append(Measure(factor, pi, (("radian", 1),)))
    if found and singular not in ("minute", "second", "pound"):
        return tuple(found)
    base = _by_pint(name)
    return (*([base] if base else ()), *found) or _in_a_row(name)


def _in_a_row(name: str) -> tuple[Measure, ...]:
    """kWs and Pas: two symbols without a space, if there is one way to read them so."""
    if len(name) > _SHORT or name.islower():
        return ()
    pairs = [(_by_pint(name[:cut]), _by_pint(name[cut:])) for cut in range(1, len(name))]
    found = {_times(one, other) for one, other in pairs if one and other}
    return tuple(found) if len(found) == 1 else ()


def _by_pint(name: str) -> Measure | None:
    """What pint knows of one name, in exact multiples of the SI; a word in any case, a symbol as it is written."""
    tried = [name]
    if len(name) > _SHORT:
        tried = [name.lower()]
    elif name.lower() != name and name.capitalize() == name:
        tried.append(name.lower())  # Km, Kg
    registry = _registry()
    for one in tried:
        for prefix, unit, _ in registry.parse_unit_name(one):
            is_symbol = len(one) <= _SHORT
            if unit not in _UNITS or (not is_symbol and len(unit) < 3):
                continue
            size = registry.Quantity(Fraction(1), prefix + unit).to_root_units()
            exponents = {str(base): Fraction(str(power)) for base, power in size.unit_items()}
            if any(exponent.denominator > 1 for exponent in exponents.values()):  # a gauss of the cgs system
                continue
            powers = {base: int(exponent) for base, exponent in exponents.items() if base != "count"}
            return Measure(Fraction(size.magnitude), 0, _written(powers))
    return None


def applied(conversion: Conversion, text: str) -> str:
    """The formula for the value `text` after a conversion."""
    product = f"({text})"
    if conversion.factor != 1:
        product = f"({conversion.factor})\\cdot{product}"
    if conversion.pi:
        product = f"\\pi^{{{conversion.pi}}}\\cdot{product}"
    return f"{product}+({conversion.plus})" if conversion.plus else product


def same(reference: Fraction, value: Fraction, conversion: Conversion) -> bool | None:
    """Whether `value` is `reference` after the conversion; None if it may be so after rounding.

    Powers of ten and whole multiples of few digits need no rounding.
    """
    if conversion == LOOSE:
        return None
    if conversion.pi:
        off = abs(reference - value * conversion.factor * _PI**conversion.pi)
        return None if off <= abs(reference) * _ROUNDED else False
    converted = value * conversion.factor + conversion.plus
    if abs(converted - reference) <= abs(reference) * _DEFINITION:
        return True
    multiple = max(conversion.factor.numerator, conversion.factor.denominator)
    is_short = len(str(multiple).rstrip("0")) <= _SHORT  # a light year has 9,460,730,472,580,800 m
    is_whole = is_short and 1 in (conversion.factor.numerator, conversion.factor.denominator) and not conversion.plus
    return False if is_whole or abs(converted - reference) > abs(reference) * _ROUNDED else None
