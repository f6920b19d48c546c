"""Splits units, currencies and counted nouns off the end of an answer; `conversions` compares them.

A unit is written as its factors with a space between them: `kg m^2 s^-2`. The case of letters stays as it is.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from libra_cli.answers.text import latex, number, words
from libra_cli.answers.text.number import MULTIPLIERS
from libra_cli.answers.values import conversions
from libra_cli.lazy_pattern import lazy_pattern

_CURRENCIES = {
    "$": "dollar",
    "£": "pound sterling",
    "€": "euro",
    "₹": "rupee",
    "usd": "dollar",
    "rs": "rupee",
}
_PREFIXED = "m g s A V W J N L l F H T C Pa Hz Ω eV bar mol cal Wh Ah bit byte B b pc"
_OF_LARGE_PREFIXES = "W J Pa Hz Ω eV Wh bit byte B"
_OF_SMALL_PREFIXES = "s m g C F J N W L Hz Pa mol"
_BARE = (
    "mcg K cd lm lx Bq Gy Sv dpt ly min h hr hrs mins sec secs rad deg ha ft in yd mi lb lbs oz mph kph rpm atm psi "
    "°C °F ¢ hPa hL mmHg torr Torr AU ppm ppb dB sr"
)
_NO_SYMBOLS = frozenset(("kT", "Gm", "GM", "Gg", "PV", "pV", "pA", "pH", "cT", "dT", "pT", "nT", "kF", "MF"))
_SYMBOLS = (
    frozenset(
        [prefix + unit for prefix in ("", *"pnµμmcdkMG") for unit in _PREFIXED.split()]
        + [prefix + unit for prefix in "TPE" for unit in _OF_LARGE_PREFIXES.split()]
        + [f"f{unit}" for unit in _OF_SMALL_PREFIXES.split()]
        + _BARE.split()
    )
    - _NO_SYMBOLS
)
"""Symbols that may be a unit without \\text{} around them."""
_LETTERS = frozenset("NJWCFVAHTLSΩKMÅD")
"""Capitals that may be a unit in \\text{}."""
_WORDLESS = frozenset(("units", "unit", "square units", "cubic units", "sq units", "square unit", "cubic unit"))
_MULTIPLIER = rf"(?i:{'|'.join(MULTIPLIERS)})\b"
# A word that changes the number before it is no unit: 3 million, 3 fifths and 3 squared are not 3.
_NO_UNIT = (
    r"(?i:[ap]\.? ?m|noon|midnight|o'clock|percent|is|are|where|otherwise|else|elsewhere|if|i|st|nd|rd|th"
    r"|sin|cos|tan|cot|sec|csc|log|exp|arcsin|arccos|arctan|sinh|cosh|tanh|sqrt|max|min|gcd|lcm|mod|and|or|plus|minus"
    r"|times|over|divided|choose|base|remainder|squared|cubed|factorial|hal(?:f|ves)|thirds?|quarters?|fourths?|fifths?"
    r"|sixths?|sevenths?|eighths?|ninths?|tenths?|hundredths?|thousandths?|millionths?"
    rf"|{'|'.join(MULTIPLIERS)})\b"
)
_CODES = "USD|EUR|GBP|INR|JPY|CNY|RMB|BRL|PLN|CHF|SEK|KRW|RUB"
_CURRENCY = lazy_pattern(
    r"(?P<sign>-?)(?:(?:US|CA|AU|NZ|[AC])?\\*\$+"
    rf"|(?P<currency>[£€¥₹₽₩₺]|R\\?\$|(?:{_CODES}|Rs|złot\w{{1,3}}|zł|kr)\.?(?= ?[-\d.\\]))) ?(?P<value>.*)",
    re.DOTALL,
)
_MONEY_BEHIND = lazy_pattern(rf"(?P<value>-?\d[\d.,]*) ?(?P<currency>[€£₹¥₽₩₺]|R\\?\$|zł|złot\w{{1,3}}|kr\.?|{_CODES})")
_MULTIPLES = {"k": "thousand", "m": "million", "mn": "million", "bn": "billion", "b": "billion"}
_SHORT_MULTIPLE = lazy_pattern(r"(?P<factor>\d[\d.,]*) ?(?P<times>[kK]|[mM]n?|[bB]n?)")
_POWER = r"(?:\^\{?(?P<power>-?\d)\}?)?"
_NAMED = lazy_pattern(
    rf"(?P<value>.*[\d}})](?: ?{_MULTIPLIER})?)"
    r"(?: ?(?P<short>mm|cm|km|kg|mg|ml|mph|kph|kmh|ft|in|yd|lbs?|oz|hrs?|mins?|secs?|km/h|m/s)"
    rf"|[ ]?(?P<words>(?!{_NO_UNIT})(?:sq\.? )?[a-z]{{3,}}(?:[ /]+[a-z]+)*))" + _POWER + r"$",
    re.IGNORECASE,
)
_SEVERAL = lazy_pattern(r"\d ?[a-z]+[ ,]+(?:and )?\d|\d\s*\\text", re.IGNORECASE)  # 2 hours 30 minutes, 6 ft 2 in
_EACH = lazy_pattern(r"(\d+(?:\.\d+)?) ?([A-Za-z]+)(?:[ ,]+(?:and )?|$)")
_PIECE = lazy_pattern(
    r"(?P<open>\\(?:text(?:rm|bf|it|normal|sf|up)?|math(?:rm|bf|sf|it)|mbox|operatorname|hbox)\s*\{)"
    r"|(?P<close>\})|(?P<over>/)|(?P<bracket>[()])"
    r"|\^\s*(?:\{\s*(?P<braced>[-−]?\d)\s*\}|(?P<bare>-?\d))|(?P<raised>⁻?[¹²³⁴])|(?<=[mtnd])(?P<typed>[23])(?![\d.])"
    r"|(?P<name>(?:\^\s*(?:\\circ|\{\s*\\circ\s*\})|\\circ"
    r"|\\mu(?![A-Za-z]) ?|\\Omega(?![A-Za-z])|[°¢µμΩ\u2126Å\u212bA-Za-z])"
    r"(?:\s*(?:\\Omega(?![A-Za-z]))|[µμΩ\u2126Å\u212bA-Za-z]*))"
    r"|(?P<between>(?:\\[ ,;:!]|\\cdot(?![A-Za-z])|[~\s.·⋅*-])+)"
)
_SET = r"(?:\\(?:text|mathrm)\s*\{[^{}]*\}|(?:kg|km|cm|mm|mol|kJ|kcal|[mgsJNWVACLK]|rad|min|hr?|Pa|Hz))(?:\^\{?\d\}?)?"
_FRACTION = lazy_pattern(rf"\\[dt]?frac\s*\{{({_SET})\}}\s*\{{({_SET})\}}\s*$")
_LETTER = lazy_pattern(
    r"(?P<value>(?=[-\d.,\u221a\\])[-\d.,]*(?:(?:\u221a|\\sqrt ?)(?:\d+|\{\d+\}))?(?:\u03c0|\\pi)?)"
    r" (?P<letter>[mgshLNJWVACDK])(?P<power>\^\{?[23]\}?|[\u00b2\u00b3])?"
)
_ENDS_VALUE = lazy_pattern(
    r"(?:(?<=[\d)}π])|(?<=\\pi)(?![A-Za-z]))(?=[\\~\s°¢µμΩ\u2126Å\u212bA-Za-z^])"
    r"|(?<=[\w)}])\s*(?=(?:\\[ ,;:!]|~)*\s*\\(?:text|math|mbox|operatorname))"
)
_RAISED = str.maketrans("⁻¹²³⁴−", "-1234-")
_POWER_OF_TEN = lazy_pattern(r"(?<!\d)10\^\{-?\d{1,3}\}$")
_RAISED_TEN = lazy_pattern(r"(?<!\d)10([\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207b]{1,4})(?= )")
_ALL_RAISED = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b", "0123456789-")
_MAX_STARTS = 24
MAX_WORDS = 4
"""Maximum number of words in a unit."""
_VARIABLE = lazy_pattern(r"(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])")
_VOWELS = frozenset("aeiouy")
_TRIGONOMETRIC = frozenset(("\\sin", "\\cos", "\\tan", "\\cot", "\\sec", "\\csc"))
_SQUARED = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_DEGREE = ("degree", "degrees", "deg")
_DEGREE_MARKS = ("^\\circ", "\\circ", *_DEGREE)
_SCALES = {"c": "celsius", "celsius": "celsius", "f": "fahrenheit", "fahrenheit": "fahrenheit", "centigrade": "celsius"}
_RAISING = {"squared": 2, "cubed": 3}
_PREFIXES = ("", "nano", "micro", "milli", "centi", "deci", "kilo", "mega", "giga")
_MEASURES = """
    meter metre gram second liter litre newton joule watt volt ampere amp ohm hertz pascal kelvin coulomb farad henry
    tesla weber mole mol bar byte bit calorie electronvolt siemens becquerel gray sievert lumen lux watt-hour
    newton-meter newton-metre radian
"""
_OTHER_MEASURES = """
    minute hour day week month year decade century inch foot yard mile ounce pound ton tonne gallon quart pint degree
    celsius fahrenheit revolution acre hectare atmosphere knot dollar cent penny euro rupee yen yuan buck angstrom
    arcminute arcsecond nautical light-year kph bps
"""
_PLURALS = "inches feet centuries henries pence hertz siemens lux mph Å ° °C °F Ω"
_NAMES_OF_UNITS = frozenset(
    [
        *(f"{prefix}{name}{plural}" for prefix in _PREFIXES for name in _MEASURES.split() for plural in ("", "s")),
        *(f"{name}{plural}" for name in _OTHER_MEASURES.split() for plural in ("", "s")),
        *_PLURALS.split(),
    ]
)
"""Words and signs that are a unit wherever they follow a number."""
_MAX_PIECES = 16
_RATE_ABROAD = lazy_pattern(r" (?:pro|par|por|je|al|na|в|za) [^\W\d_]{2}")
"""A word for "per" in another language: Kilometer pro Stunde."""
_IN_EACH = lazy_pattern(
    r"\b((?!in )[A-Za-z\u00b5\u03bc\u00b2\u00b3]{1,14}) (?:an?|each|every) "
    r"(?=(?:second|minute|hour|day|week|month|year)\b)"
)
_WORDS_TOO = frozenset(("in", "A", "b"))
"""Symbols that are no unit before a word or a number."""
_NO_PIECE = (". ", "- ", "* ")
_TAKEN = frozenset(("pm", "am"))
_PRINTED = lazy_pattern(r"(?<=\d)[eE]([-+]?\d{1,3})(?= ?[^\W\d_])")
"""The power of ten of a number before a unit, as programs print it: 3.6e6 J."""
_SIUNITX = lazy_pattern(r"\\(?:SI|qty)\s*\{([^{}]*)\}\s*\{([^{}]*)\}|\\(?:unit|si)\s*\{([^{}]*)\}")
"""A quantity or a unit as siunitx sets it."""


class Factor(NamedTuple):
    """One factor of a unit."""

    name: str
    power: int
    typeset: bool
    """It stands in \\text{} or the like."""


def _plainly(quantity: re.Match[str]) -> str:
    """\\qty{5}{\\meter\\per\\second} as 5\\text{ meter per second}."""
    value, unit = (quantity[1] or "", quantity[2] or quantity[3] or "")
    return rf"{value}\text{{ {' '.join(unit.replace(chr(92), ' ').split())}}}"


def in_text(raw: str) -> tuple[str, str | None]:
    """Split a unit with \\text{} or symbols off the end of `raw`; only in \\text{} may it be any word or letter."""
    if not raw or (raw[-1].isdecimal() and raw.isascii() and "^" not in raw):
        return raw, None
    if not raw.isascii() and "10" in raw:
        raw = _RAISED_TEN.sub(lambda power: f"10^{{{power[1].translate(_ALL_RAISED)}}}", raw)
    if ("e" in raw or "E" in raw) and _PRINTED.search(raw):
        raw = _PRINTED.sub(r"\\times 10^{\1}", raw)
    if "\\SI" in raw or "\\qty" in raw or "\\unit" in raw or "\\si{" in raw:
        raw = _SIUNITX.sub(_plainly, raw)
    if "frac" in raw:
        raw = _FRACTION.sub(r"\1/\2", raw)
    for index, place in enumerate(_ENDS_VALUE.finditer(raw)):
        if index == _MAX_STARTS:
            break
        value, rest = raw[: place.start()], raw[place.start() :]
        found = _factors(rest)
        if found and _is_unit(found, value, rest):
            return value.rstrip(), written(found)
    return raw, None


def _factors(text: str) -> list[Factor] | None:
    """Factors of which all of `text` consists; None if it is no unit."""
    found: list[Factor] = []
    depth, position, sign, squared, joined = 0, 0, 1, 1, False
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            return None
        position, kind = piece.end(), piece.lastgroup
        if kind in ("open", "close"):
            depth += 1 if kind == "open" else -1
            if depth < 0:
                return None
        elif kind == "bracket":
            if sign == 1:
                return None
        elif kind in ("over", "between"):
            sign, joined = (-1 if kind == "over" else sign), False
        elif kind in ("braced", "bare", "raised", "typed"):
            if not found or found[-1].power not in (1, -1):
                return None
            power = int(piece[kind].translate(_RAISED))
            found[-1] = found[-1]._replace(power=found[-1].power * power)
            joined = False
        else:
            name = _symbol(piece["name"])
            if name == "per":
                sign, joined = -1, False
            elif name in _RAISING and found:
                found[-1] = found[-1]._replace(power=found[-1].power * _RAISING[name])
            elif name in _SQUARED:
                squared = _SQUARED[name]
            elif joined and not piece["name"].startswith("^"):
                found[-1] = found[-1]._replace(name=found[-1].name + name, typeset=found[-1].typeset or depth > 0)
            else:
                found.append(Factor(name, sign * squared, depth > 0))
                squared, joined = 1, True
    return found if depth == 0 and squared == 1 and text.count("(") == text.count(")") else None


def end_of(text: str, start: int) -> int:
    """Index after the unit that stands at `start` behind a value, in words or symbols; `start` if none does."""
    position = end = start
    is_word = False  # a name that is complete with the next space, and no unit
    for _ in range(_MAX_PIECES):
        piece = _PIECE.match(text, position)
        if piece is None or (piece.lastgroup == "between" and (is_word or any(map(piece[0].__contains__, _NO_PIECE)))):
            break
        position = piece.end()
        if piece.lastgroup in ("between", "over", "open") or text[start:position].count("{") != text[
            start:position
        ].count("}"):
            continue
        found = _factors(text[start:position])
        is_word = found is not None and found != [] and not all(map(_is_known, found))
        if found and not is_word and not _goes_on(found[-1].name, text, position):
            end = position
    return start if end > start and _RATE_ABROAD.match(text, end) else end


def _is_known(factor: Factor) -> bool:
    """Whether a name is a unit even if it is not typeset."""
    name = factor.name
    return name not in _TAKEN and (name in _NAMES_OF_UNITS or name in _SYMBOLS or name.lower() in _NAMES_OF_UNITS)


def _goes_on(name: str, text: str, position: int) -> bool:
    """Whether what may be a unit is another word: 5 in total, 5 A students."""
    return (text[position : position + 1].isalpha() and name != "°") or (
        name in _WORDS_TOO and re.match(r" ?\w", text[position:]) is not None
    )


def _symbol(name: str) -> str:
    """A name with its signs in Unicode."""
    if name.isalpha() and name.isascii():
        return name
    for command, sign in (
        ("\\mu", "µ"),
        ("\\Omega", "Ω"),
        ("\\circ", "°"),
        ("μ", "µ"),
        ("\u2126", "Ω"),
        ("\u212b", "Å"),
    ):
        name = name.replace(command, sign)
    return "".join(character for character in name if character not in "^{} ")


def _is_unit(found: list[Factor], value: str, rest: str) -> bool:
    """Whether factors behind `value` are a unit: all of them symbols, or typeset as text."""
    if _SEVERAL.search(value) or not value.strip() or value.count("{") != value.count("}"):
        return False
    names = " ".join(factor.name for factor in found)
    if any(factor.typeset for factor in found):
        return names != "°" and _may_be_unit(names, value)
    is_of_pi = value.endswith(("π", "\\pi")) and any(len(factor.name) > 1 for factor in found)
    if ":" in value or not (value[-1:].isdigit() or is_of_pi or _POWER_OF_TEN.search(value)):
        return False
    apart = not (rest[0].isalpha() and rest[0].isascii())
    known = all(factor.name in _SYMBOLS for factor in found)
    letters = all(len(factor.name) == 1 and factor.name.isascii() for factor in found)
    several = (
        not letters
        or _POWER_OF_TEN.search(value) is not None
        or (len(found) > 1 and (names[0] in "NJWAC" or any(factor.power < 0 for factor in found)))
    )
    return known and apart and several and names != "°" and not re.match(_NO_UNIT, names)


def written(found: list[Factor]) -> str:
    """A unit in one notation; empty for words such as "units" that are none."""
    unit = " ".join(factor.name if factor.power == 1 else f"{factor.name}^{factor.power}" for factor in found)
    scale = unit.lower().split()
    if len(scale) == 2 and scale[0] in _DEGREE and scale[1] in _SCALES:
        return _SCALES[scale[1]]
    return "" if re.sub(r"\^\d", "", unit).lower() in _WORDLESS else unit


def before_letter(text: str) -> str | None:
    """The number before a letter that may be a unit or a variable, as in `5 m`; None for other texts."""
    found = _LETTER.fullmatch(text)
    return found["value"] if found else None


def set_apart(text: str, question: str) -> str:
    """`5 m` as a quantity, 5\\text{ m}, if the question has no variable of that name; any other text as it is."""
    found = None if number.is_bare(text) else _LETTER.fullmatch(text.strip(" $."))
    if found is None or re.search(rf"(?<![A-Za-z\d])(?<!\d ){found['letter']}(?![A-Za-z])", question):
        return text
    return f"{found['value']}\\text{{ {found['letter']}}}{found['power'] or ''}"


def with_per(text: str) -> str:
    """`text` with "per" between a unit and a time: 60 kilometres an hour, 5 litres every minute."""
    if not (" a" in text or " e" in text):
        return text
    return _IN_EACH.sub(
        lambda rate: f"{rate[1]} per " if rate[1] in _SYMBOLS or conversions.is_common(rate[1].lower()) else rate[0],
        text,
    )


def split(text: str) -> tuple[str, str | None]:
    """Split the unit off the normalized `text`; the unit is None if there is none."""
    behind = _MONEY_BEHIND.fullmatch(text) if text[-1:] and not text[-1].isdigit() else None
    if behind and number.parse(behind["value"]) is not None:  # 180 €
        text = f"{behind['currency']} {behind['value']}"
    money = _CURRENCY.match(text)
    if money:
        name = (money["currency"] or "$").replace("\\", "").rstrip(".").lower()
        short = _SHORT_MULTIPLE.fullmatch(money["value"])
        value = f"{short['factor']} {_MULTIPLES[short['times'].lower()]}" if short else money["value"]
        return money["sign"] + value, _CURRENCIES.get(name, name)
    warm = _temperature(text)
    if warm:
        return warm
    if text.endswith("\\circ") and "cis" not in text and not latex.has(text, _TRIGONOMETRIC):
        return text.removesuffix("\\circ").removesuffix("^"), "degree"
    several = compound(text)
    if several:
        return several
    match = _NAMED.fullmatch(text)
    if match is None or _SEVERAL.search(text) or match["value"].count("{") != match["value"].count("}"):
        return text, None
    value, name = match["value"], match["short"] or match["words"]
    if not match["short"] and not conversions.is_common(name.lower()):  # 3pqr and x+6 mgh are products, 3 eggs are not
        apart = text[match.end("value")] == " "
        is_word = not _VOWELS.isdisjoint(name.lower()) and _may_be_unit(name.lower(), value)
        if not (apart and is_word) or _VARIABLE.search(value):
            return text, None
    factors = _factors(f"{name}^{match['power']}" if match["power"] else name)
    return (value.strip(), written(factors)) if factors else (text, None)


def _temperature(text: str) -> tuple[str, str] | None:
    """The value and the scale of 25^\\circ C or 77 degrees Fahrenheit; None for anything else."""
    lowered = text.lower()
    scale = next(filter(lowered.endswith, _SCALES), "")
    before = lowered.removesuffix(scale).rstrip() if scale else ""
    mark = next(filter(before.endswith, _DEGREE_MARKS), "")
    value = before.removesuffix(mark).rstrip() if mark else ""
    return (value, _SCALES[scale]) if value[-1:].isdigit() else None


def is_counted(word: str) -> bool:
    """Whether a word right behind a number is likely to be what it counts."""
    is_plural = word.islower() and word.endswith("s") and not word.endswith("ss") and len(word) > MAX_WORDS
    return is_plural and not re.match(_NO_UNIT, word) and not words.takes_back(word)


def _may_be_unit(name: str, value: str) -> bool:
    """Whether `name` after `value` may be a unit or a counted noun; after a time of day it is a.m. or p.m."""
    if (words.takes_back(name) and name not in _SYMBOLS) or ":" in value or len(name.split()) > MAX_WORDS:
        return False
    if re.match(_NO_UNIT, name):
        return name in ("min", "sec")
    return len(name) > 1 or name.islower() or name in _LETTERS


def compound(text: str) -> tuple[str, str] | None:
    """Convert `2 hours 30 minutes` or `6 ft 2 in` to the smallest unit in it; None for anything else."""
    parts = _EACH.findall(text)
    if len(parts) < 2 or _EACH.sub("", text):
        return None
    last = parts[-1][1]
    ratios = [scale(name, last) for _, name in parts]
    if None in ratios or sorted(ratios, reverse=True) != ratios or len(set(ratios)) < len(ratios):  # type: ignore[type-var]
        return None
    total = sum(Fraction(value) * (ratio or 0) for (value, _), ratio in zip(parts, ratios, strict=True))
    return str(total), last


def scale(a: str, b: str) -> Fraction | None:
    """Size of unit `a` in units of `b`; None if there is no single ratio."""
    found = conversions.between(a.lower(), b.lower()) if a != b else (conversions.IDENTITY,)
    ratios = [one.factor for one in found or () if one.pi == 0 == one.plus]
    return ratios[0] if ratios else None
