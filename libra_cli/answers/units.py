"""Parses units, currencies and counted nouns at the end of an answer, and compares them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from libra_cli.answers import words
from libra_cli.answers.number import MULTIPLIERS

_KINDS = {
    "degree": ("degrees", "deg", "circ"),
    "radian": ("radians", "rad"),
    "celsius": ("centigrade",),
    "fahrenheit": (),
    "kelvin": ("kelvins",),
    "dollar": ("dollars", "usd", "$"),
    "cent": ("cents",),
    "pound sterling": ("pounds sterling", "gbp", "£"),
    "euro": ("euros", "eur", "€"),
    "rupee": ("rupees", "rs", "inr", "₹"),
    "yen": ("jpy", "¥"),
    "yuan": ("rmb", "cny"),
    "percentage point": ("percentage points",),
    "mm": ("millimeter", "millimeters", "millimetre", "millimetres"),
    "cm": ("centimeter", "centimeters", "centimetre", "centimetres"),
    "m": ("meter", "meters", "metre", "metres"),
    "km": ("kilometer", "kilometers", "kilometre", "kilometres"),
    "inch": ("inches", "in"),
    "foot": ("feet", "ft"),
    "yard": ("yards", "yd"),
    "mile": ("miles", "mi"),
    "second": ("seconds", "sec", "s"),
    "minute": ("minutes", "min", "mins"),
    "hour": ("hours", "hr", "hrs", "h"),
    "day": ("days",),
    "week": ("weeks",),
    "month": ("months",),
    "year": ("years",),
    "mg": ("milligram", "milligrams"),
    "g": ("gram", "grams"),
    "kg": ("kilogram", "kilograms"),
    "ounce": ("ounces", "oz"),
    "pound": ("pounds", "lb", "lbs"),
    "ml": ("milliliter", "milliliters"),
    "liter": ("liters", "litre", "litres", "l"),
    "mile*hour^-1": ("mph",),
    "km*hour^-1": ("kph", "kmph", "kmh"),
    "newton": ("newtons",),
    "joule": ("joules",),
    "watt": ("watts",),
}
_SCALES = (
    {"mm": 1, "cm": 10, "m": 1000, "km": 10**6},
    {"inch": 1, "foot": 12, "yard": 36, "mile": 63360},
    {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400},
    {"month": 1, "year": 12},
    {"mg": 1, "g": 1000, "kg": 10**6},
    {"ounce": 1, "pound": 16},
    {"ml": 1, "liter": 1000},
    {"cent": 1, "dollar": 100},
)
"""Units of one quantity, each with its size in the smallest one; exact ratios only."""
_KIND = {name: kind for kind, names in _KINDS.items() for name in (kind, *names)}
_LETTERS = {"N": "newton", "J": "joule", "W": "watt"}
_TEMPERATURES = frozenset(("celsius", "fahrenheit", "kelvin"))
_WORDLESS = frozenset(("units", "unit", "square", "sq", "cubic"))
_MULTIPLIER = rf"(?i:{'|'.join(MULTIPLIERS)})\b"
# A word that changes the number before it is no unit: 3 million, 3 fifths and 3 squared are not 3.
_NO_UNIT = (
    r"(?i:[ap]\.? ?m|noon|midnight|o'clock|percent|is|are|where|i|st|nd|rd|th"
    r"|sin|cos|tan|cot|sec|csc|log|exp|arcsin|arccos|arctan|sinh|cosh|tanh|sqrt|max|min|gcd|lcm|mod|and|or|plus|minus"
    r"|times|over|divided|choose|base|remainder|squared|cubed|factorial|hal(?:f|ves)|thirds?|quarters?|fourths?|fifths?"
    r"|sixths?|sevenths?|eighths?|ninths?|tenths?|hundredths?|thousandths?|millionths?"
    rf"|{'|'.join(MULTIPLIERS)})\b"
)

_CURRENCY = re.compile(
    r"(?P<sign>-?)(?:(?:US|CA|AU|NZ|[AC])?\\*\$+"
    r"|(?P<currency>[£€¥₹]|(?:USD|EUR|GBP|INR|JPY|CNY|RMB|Rs)\.?(?= ?[-\d.\\]))) ?(?P<value>.*)",
    re.DOTALL,
)
_POWER = r"(?:\^\{?(?P<power>-?\d)\}?)?"
_DEGREES = re.compile(r"\^\\circ$|\\circ$")
_TEMPERATURE = re.compile(
    r"(?P<value>.*\d)(?:\^?\\circ| ?deg(?:rees?)?) ?(?P<scale>C|F|celsius|fahrenheit|centigrade)", re.IGNORECASE
)
_DEGREES_OF = re.compile(r"\\circ\s*\}?\s*$|deg(?:rees?)?\s*$")
_PRODUCT = re.compile(
    r"(?P<value>.*[\d})]) (?P<words>[A-Za-z]+(?:\^\{?-?\d\}?)?(?:(?:/| per | |\\cdot ?)[A-Za-z]+(?:\^\{?-?\d\}?)?)+)",
    re.DOTALL,
)
_FACTOR = re.compile(rf"(?P<name>[A-Za-z]+){_POWER}|(?P<over>/)|\s+|\\cdot\s*|\.")
_NAMED = re.compile(
    rf"(?P<value>.*[\d}})](?: ?{_MULTIPLIER})?)"
    r"(?: ?(?P<short>mm|cm|km|kg|mg|ml|mph|ft|in|yd|lbs?|oz|hrs?|mins?|secs?|km/h|m/s)"
    rf"|[ ]?(?P<words>(?!{_NO_UNIT})(?:sq\.? )?[a-z]{{3,}}(?:[ /]+[a-z]+)*))" + _POWER + r"$",
    re.IGNORECASE,
)
_TEXT = re.compile(
    r"(?P<value>.*\d.*[^\s\\]|\$?\d)(?:\\[ ,;])?\s*"
    r"\\(?:text\w*|mathrm|mbox)\s*\{\s*(?P<words>[A-Za-z](?:[A-Za-z ./]|\^\{?-?\d\}?)*?)\s*\.?\}"
    rf"{_POWER}\s*\.?\$?\s*",
    re.DOTALL,
)
_SEVERAL = re.compile(r"\d ?[a-z]+[ ,]+(?:and )?\d|\d\s*\\text", re.IGNORECASE)  # 2 hours 30 minutes, 6 ft 2 in
_EACH = re.compile(r"(\d+(?:\.\d+)?) ?([A-Za-z]+)(?:[ ,]+(?:and )?|$)")
_BETWEEN_FACTORS = re.compile(r"(?:\\[ ,;]|\\cdot|[\s/])+$")
_ENDS_VALUE = re.compile(r"[\dA-Za-z})]\s*\\?,?\s*$")
MAX_WORDS = 4
"""Maximum number of words in a unit."""
_VARIABLE = re.compile(r"(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])")
_VOWEL = re.compile(r"[aeiouy]")
_TRIGONOMETRIC = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)(?![A-Za-z])|cis")


def in_text(raw: str) -> tuple[str, str | None]:
    """Split a unit in \\text{} off the end of `raw`; only there may it be any single letter."""
    match = _TEXT.fullmatch(raw)
    if match is None or not _may_be_unit(match["words"], match["value"]):
        return raw, None
    if match["words"] in ("C", "F") and _DEGREES_OF.search(match["value"]):
        return raw, None  # a temperature, which `split` parses
    unit = _unit_of(match["words"], match["power"])
    between = _BETWEEN_FACTORS.search(match["value"])
    value, factor = in_text(match["value"][: between.start()] if between else match["value"])
    if factor and _is_known(factor) and _is_known(unit):
        powers = _powers(factor)
        for kind, power in _powers(unit).items():
            powers[kind] = powers.get(kind, 0) + (-power if between and "/" in between[0] else power)
        product = _written(powers)
        if product:
            return value, product
    if not _ENDS_VALUE.search(match["value"]) or _SEVERAL.search(match["value"]):
        return raw, None
    return match["value"], unit


def split(text: str) -> tuple[str, str | None]:
    """Split the unit off the normalized `text`; the unit is None if there is none."""
    money = _CURRENCY.match(text)
    if money:
        return money["sign"] + money["value"], _KIND[(money["currency"] or "$").rstrip(".").lower()]
    warm = _TEMPERATURE.fullmatch(text)
    if warm:
        return warm["value"], {"c": "celsius", "f": "fahrenheit"}[warm["scale"][0].lower()]
    degrees = _DEGREES.search(text)
    if degrees and not _TRIGONOMETRIC.search(text):
        return text[: degrees.start()], "degree"
    several = compound(text)
    if several:
        return several
    product = _PRODUCT.fullmatch(text)
    if product and (unit := _product(product["words"])):
        return product["value"], unit
    match = _NAMED.fullmatch(text)
    if match is None or text.lower().endswith("percent") or _SEVERAL.search(text):
        return text, None
    value, name = match["value"], match["short"] or match["words"]
    if name.lower() not in _KIND:  # 3pqr and x+6 mgh are products, 3 eggs are not
        apart = text[match.end("value")] == " "
        if not (apart and _may_be_unit(name.lower(), value) and _VOWEL.search(name.lower())) or _VARIABLE.search(value):
            return text, None
    return value.strip(), _unit_of(name, match["power"])


def _may_be_unit(name: str, value: str) -> bool:
    """Whether `name` after `value` may be a unit or a counted noun; after a time of day it is a.m. or p.m."""
    if re.match(_NO_UNIT, name) or words.takes_back(name) or ":" in value or len(name.split()) > MAX_WORDS:
        return False
    return len(name) > 1 or name.islower() or name in (*_LETTERS, "C", "F")


def _unit_of(name: str, power: str | None) -> str:
    """Canonical unit for `name` raised to `power`."""
    product = _product(f"{name}^{power}" if power else name)
    if product:
        return product
    name = name.strip().lower()
    head, _, rest = name.partition(" ")
    if head in ("square", "sq", "cubic") and rest:
        return _unit_of(rest, "3" if head == "cubic" else "2")
    kind = "" if name in _WORDLESS else _KIND.get(name, name)
    return f"{kind}^{power}" if power else kind


def _product(text: str) -> str | None:
    """Write `km/h`, `m s^{-2}` and `grams per cubic cm` as factors in a fixed order; None if a factor is unknown.

    Factors after a slash or "per" have negative powers.
    """
    powers: dict[str, int] = {}
    sign, prefix, position = 1, 1, 0
    while position < len(text):
        factor = _FACTOR.match(text, position)
        if factor is None:
            return None
        position, name = factor.end(), factor["name"]
        if factor["over"] or name == "per":
            sign = -1
        elif name in ("square", "sq", "cubic"):
            prefix = 3 if name == "cubic" else 2
        elif name:
            kind = _LETTERS.get(name) or _KIND.get(name if len(name) == 1 else name.lower())
            if kind is None:
                return None
            for part, power in _powers(kind).items():
                powers[part] = powers.get(part, 0) + sign * power * int(factor["power"] or prefix)
            prefix = 1
    return _written(powers)


def _powers(unit: str) -> dict[str, int]:
    """Factors of a unit and their powers."""
    parts = (part.partition("^") for part in unit.split("*"))
    return {kind: int(power or 1) for kind, _, power in parts}


def _written(powers: Mapping[str, int]) -> str | None:
    return "*".join(f"{kind}^{n}" if n != 1 else kind for kind, n in sorted(powers.items()) if n) or None


def _is_known(unit: str) -> bool:
    return all(part.partition("^")[0] in _KINDS for part in unit.split("*"))


def scale(a: str | None, b: str | None) -> Fraction | None:
    """Size of unit `a` in units of `b`; None if they measure different quantities or have no fixed ratio."""
    size_a, size_b = _in_smallest(a or ""), _in_smallest(b or "")
    return size_a[0] / size_b[0] if size_a and size_b and size_a[1] == size_b[1] and size_a[1] else None


def _in_smallest(unit: str) -> tuple[Fraction, str | None] | None:
    """Size of `unit` in the smallest units of its quantities, and these units; None if one has no fixed ratio."""
    total, smallest = Fraction(1), dict[str, int]()
    if not unit or not _is_known(unit):
        return None
    for kind, power in _powers(unit).items():
        units = next((units for units in _SCALES if kind in units), {kind: 1})
        total *= Fraction(units[kind]) ** power
        first = min(units, key=units.__getitem__)
        smallest[first] = smallest.get(first, 0) + power
    return total, _written(smallest)


def compound(text: str) -> tuple[str, str] | None:
    """Convert `2 hours 30 minutes` or `6 ft 2 in` to the smallest unit in it; None for anything else."""
    parts = _EACH.findall(text)
    if len(parts) < 2 or _EACH.sub("", text):
        return None
    kinds = [_KIND.get(word.lower(), "") for _, word in parts]
    ratios = [scale(kind, kinds[-1]) for kind in kinds]
    if None in ratios or sorted(ratios, reverse=True) != ratios or len(set(ratios)) < len(ratios):  # type: ignore[type-var]
        return None
    total = sum(Fraction(value) * (ratio or 0) for (value, _), ratio in zip(parts, ratios, strict=True))
    return str(total), kinds[-1]


def disagree(a: str | None, b: str | None) -> bool | None:
    """Whether two units differ: 5 km is not 5 m (see `scale`), but "18 eggs" may be "18".

    None if one of them is unknown and they may agree: 17 apples are not 17 oranges, but they may be 17 fruits.
    """
    if not a or not b or a == b or ("degree" in (a, b) and not _TEMPERATURES.isdisjoint((a, b))):
        return False
    if _is_known(a) and _is_known(b):
        return True
    return False if a.startswith(b) or b.startswith(a) else None
