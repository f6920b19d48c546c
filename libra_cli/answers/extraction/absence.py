"""Says of a text that it cannot give the reference, whichever of its values is its answer: it has no such value.

This decides where no rule is certain which value a text gives. It is for references that are numbers, with or without
units. A value may be there in another unit, as a percentage, rounded, in words of many languages, or as a fraction; a
text with a calculation that it does not carry out, with symbols, options or other systems of numbers may have any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, pairwise

from libra_cli.answers.languages import abroad, amounts, answer_forms, numerals, signs
from libra_cli.answers.sentences import options, ordinals
from libra_cli.answers.text import number, words
from libra_cli.answers.values import conversions, dates, normalize, structure
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 3000
"""Length of the longest text that is searched."""
_GOES_ON = (":", ",", "\uff1a", "\uff0c", "\u3001", "=", "...", "\u2026")
_FEW = 2
"""Numbers up to this one may be said without a numeral: none, both, the only one."""
_MANY = 40
"""Values of a text up to which all sums are tried."""
_MOST_PRODUCTS = 40_000
"""Values times factors that are tried, in a tenth of a second."""
_LONGEST_NUMERAL = 6
_NEARLY = Fraction(2, 100)
_TOKEN = lazy_pattern(r"\d+(?:[.,'\u2019\u00a0\u202f ]\d+)*(?:\{,\}\d{3})*|(?<![\d.])\.\d+", re.ASCII)
_FRACTION = lazy_pattern(r"\\[dt]?frac\s*\{?(\d+)\}?\s*\{?(\d+)\}?|(?<![\d/.])(\d+) ?[/\u2044] ?(\d+)(?![\d/])")
_MIXED = lazy_pattern(r"(\d+)[ -]?\Z")
_POWER_OF_TEN = lazy_pattern(
    r"(?:[*x\u00d7\u00b7]|\\times|\\cdot)\s*10\s*\^?\s*\{?\s*([-+\u2212]?\d+)\}?|(?<=\d)[eE]([-+]?\d+)"
)
_EQUALS = lazy_pattern(
    r"=|\\approx(?![A-Za-z])|\\equiv(?![A-Za-z])|\u2248|\u2192|\\(?:to|Rightarrow|implies)(?![A-Za-z])"
)
_SEGMENTS = lazy_pattern(r"\n+|(?<=[.!?])\s+(?=[^\W\d_])|[;\u3002\uff1b]|, (?=[a-z]{2,})")
_OPEN = lazy_pattern(
    r"[\^\u221a\u03c0\u03c3!\u00d7\u00f7\u00b7+]|(?<=[\d)}]) ?[/*]|[/*] ?(?=[\d({\\])|\}\d|[\d)] ?\((?=[-\d])"
    r"|\\(?:[dt]?frac|sqrt|pi|sigma|times|cdot|div|binom|log|ln|sin|cos|tan|pm)(?![A-Za-z])"
    r"|\d ?[-\u2212\u2013:] ?\d|\b(?:pi|sqrt|log|ln|sin|cos|tan|deviation)\b"
)
"""What may make another value of the numbers beside it."""
_OPEN_EQUATION = lazy_pattern(r"(?<![A-Za-z\\])[a-zA-Z] ?[-+*/^]|[-+*/^] ?[a-zA-Z](?![A-Za-z])|\d[a-z](?![A-Za-z])")
"""A side of an equation whose solution another number is: m + 1."""
_CLOCK = lazy_pattern(r"(?<![\d:])(\d{1,2}):(\d\d)(?![\d:])")
_DATE = lazy_pattern(r"(?<!\d)\d{4}([-/.])\d{1,2}\1\d{1,2}(?!\d)|(?<!\d)\d{1,2}([-/.])\d{1,2}\2\d{4}(?!\d)")
_OPTION = lazy_pattern(r"(?<![A-Za-z'\\{$_])[B-H](?![A-Za-z'(=_^}$])|\(A\)|(?<=is )A(?=[.)*]|$)|[IVXLC]{2,}")
_PLAIN = lazy_pattern(r"(?:[^\W_]|[\s.,:()%'\u00b0$\u20ac\u00a3\u00a5\u20b9-])+")
_VARIABLE = lazy_pattern(r"(?<![^\W\d_])[A-Za-z](?![^\W\d_])")
_TERM = lazy_pattern(
    r"\$?(?=.*(?:[3-9]|\d\d))(?:\d|\\(?:[dt]?frac|pi|sqrt|text|left|right)|[{}()\u221a\u03c0./ ^]"
    r"|(?<=[ \d])[a-z]{1,3}\b)+\$?"
)
"""A number times roots and pi, maybe in a unit."""
_ORDINAL = lazy_pattern(r"\d(?:st|nd|rd|th)\b")
_OTHER_SYSTEMS = words.table(
    "base binary octal hexadecimal hex roman radians rad radian celsius fahrenheit kelvin celsius degrees degree"
)
_PORTIONS = {
    Fraction(1, 2): words.table(
        "half halves halb halbe halben moitié demi demie mitad medio media mezzo mezza metà meio meia"
    ),
    Fraction(1, 3): words.table("third thirds drittel tiers tercio terzo terço"),
    Fraction(1, 4): words.table("quarter quarters viertel quart cuarto quarto"),
    Fraction(3, 4): words.table("quarters dreiviertel"),
    Fraction(2): words.table("double twice doubled pair pairs couple doppelt doppelte doble double doppio dobro вдвое"),
    Fraction(3): words.table("triple thrice tripled dreifache triplo"),
    Fraction(12): words.table("dozen dozens dutzend douzaine docena dozzina"),
    Fraction(20): words.table("score"),
}
"""Words that stand for a part or a multiple of the number beside them."""
_UNKNOWN = lazy_pattern(
    r"\b(?:half|halves|thirds?|quarters?|twice|double) (?:of|the|as|that|what)\b|\b(?:square|cube) (?:of|root)\b"
    r"|\b(?:squared|cubed|root|same|equally|each|dozens|several|handful|couple of|a few|powers?(?! (?:rule|series|law))"
    r"|times|multiplied"
    r"|divided|factorial|(?:sum|product|difference|ratio) (?:of|between)|\d+ over|noon|midnight|midday|mittags?"
    r"|mitternacht|midi|minuit|mediodía|medianoche)\b"
)
"""Words that make a number which nothing here can tell."""
_JOINS = words.table("more plus additional extra another fewer less minus but except remaining rest and und et y e")
"""Words that may add two numbers, or take one from the other."""
_SCALES = words.table("thousand million millions billion billions k m thousands hundred hundreds lakh crore mil mille")
_TIMES = words.table(
    "second seconds s sec minute minutes min mins hour hours h hr hrs day days week weeks month months year years"
)
_NO_UNITS = words.table("are a as at an in am")
"""Words that are the names of units as well."""
_AROUND = lazy_pattern(r"\b(?:distance|within|away|around|centred|centered|radius|length|wide)\b")
"""Words by which a text tells the ends of an interval by its middle."""
_TENS = tuple(Fraction(10) ** power for power in range(-12, 13))
_OF_TIME = tuple(map(Fraction, (60, 3600, 24, 1440, 86400, 7, 168, 10080, 365, 12, 52, 30)))
_OF_SPEED = tuple(Fraction(*ratio) for ratio in ((36, 10), (10, 36), (1609, 1000), (1000, 1609)))
_OF_OLD_UNITS = tuple(
    Fraction(factor).limit_denominator(10**6)
    for factor in (
        1.609344,
        0.3048,
        2.54,
        0.45359,
        3.7854,
        28.35,
        0.9144,
        4.184,
        1.602,
        1.01325,
        7.6,
        3.6,
        1.333,
        6.895,
    )
)
"""Miles, feet, inches, pounds, gallons, ounces, yards, calories, electronvolts, atmospheres, mmHg, kWh, psi."""
_DAYS = frozenset(map(Fraction, range(1, 32)))
_HAN_AMOUNTS = frozenset("半倍双雙对對全都所每同等几幾多少皆各割")
"""Signs with which a text without a numeral may say a number."""
_HAN_NUMERALS = frozenset("一二三四五六七八九十百千万億亿两兩半")
_RATIO = lazy_pattern(r"(\d+) (?:in|out of|of|to|per|von|sur|de|su) (?:every )?(\d+)(?!\d|[.,]\d)")
_SCALED = lazy_pattern(r"\d ?[kKMmB]\b")
_ALWAYS = (Fraction(1), Fraction(100), Fraction(1, 100))


def is_absent(text: str, reference: str, question: str = "") -> bool:
    """Whether no value of a complete text can be the `reference`, however that is written; False in doubt."""
    text = text.rstrip()
    if len(text) > MAX_CHARS or text.endswith(_GOES_ON) or any(map(_is_in_another_system, (text, question))):
        return False
    lists_options = options.of_question(question) or options.numbered(question)
    if lists_options or _OPTION.search(words.sentences(text)[-1]):
        return False
    if reference[:1] in ("(", "[") and _AROUND.search(text):
        return False
    wanted = _wanted(reference)
    is_term = not wanted and _TERM.fullmatch(reference) is not None
    said = _said(text, abroad.language_of(text) or abroad.language_of(question)) if wanted or is_term else None
    if said is None or is_term:
        return said is not None and not said
    if 0 < len(said) < len(wanted):  # the divisors of 6
        return False
    if dates.is_date(normalize.normalized(reference)) and not any(value in _DAYS for value in said):
        return False
    heard = numerals.heard(text)
    if ":" in reference and any(not names.isdisjoint(heard) for names in _PORTIONS.values()):  # half past two
        return False
    has_unit = any(map(str.isalpha, reference)) or _names_unit(text) or _names_unit(question)
    factors = _factors(f"{text} {reference} {question}") if has_unit else [*_ALWAYS]
    if has_unit and "".join(filter(str.isalpha, reference)) not in "".join(filter(str.isalpha, text)):
        factors += [tens * factor for old in _OF_OLD_UNITS for factor in (old, 1 / old) for tens in _TENS]
    if len(said) * len(factors) > _MOST_PRODUCTS:
        return False
    return any(not any(_is_said(value, said, factors) for value in readings) for readings in wanted)


def _is_in_another_system(text: str) -> bool:
    """Whether a text may count in other digits, bases, or scales of temperature."""
    if any(char.isnumeric() and not char.isdecimal() and char < "\u3400" for char in text):  # one half, a superscript
        return True
    return "\u00b0" in text or "\\circ" in text or not _OTHER_SYSTEMS.isdisjoint(words.split(text.lower()))


def _wanted(reference: str) -> list[set[Fraction]]:
    """The numbers without which nothing is the reference, each in all its readings.

    Empty if the reference is no number, date or time.
    """
    plain = normalize.normalized(reference)
    if dates.is_date(plain):
        days = {date.day for date in dates.dates(plain)}
        return [{Fraction(day)} for day in days if day and day > _FEW] if len(days) == 1 else []
    if _ORDINAL.search(reference):
        return []
    if clock := _CLOCK.search(reference):
        hours, minutes = int(clock[1]), int(clock[2])
        told = Fraction(minutes or hours)
        return [{told, 60 - told, Fraction(hours * 60 + minutes), hours + Fraction(minutes, 60)}]
    parsed = structure.parse(reference)
    parsed = parsed.value if isinstance(parsed, structure.Equation) else parsed
    leaves = parsed.parts if isinstance(parsed, structure.Parts) and parsed.kind != "union" else (parsed,)
    found = [{leaf.number.value} for leaf in leaves if isinstance(leaf, structure.Leaf) and leaf.number is not None]
    are_numbers = len(found) == len(leaves)
    if not are_numbers or "," in reference:
        has_words = any(map(str.isalpha, reference)) and _PLAIN.fullmatch(reference) and not _VARIABLE.search(reference)
        is_read = are_numbers or has_words
        found = [set(_readings(token[0])) for token in _TOKEN.finditer(reference)] if is_read else []
    return [values for values in found if all(value.denominator > 1 or abs(value) > _FEW for value in values)]


def _is_said(value: Fraction, said: set[Fraction], factors: Iterable[Fraction]) -> bool:
    hundredths = abs(value) * 100
    if hundredths.denominator == 1 and {hundredths // 100, hundredths % 100} <= said:  # 3 dollars 65
        return True
    for factor in factors:
        for one in said:
            scaled = one * factor
            if scaled == abs(value):
                return True
            are_integers = value.denominator == scaled.denominator == 1
            if not are_integers and abs(scaled - abs(value)) <= abs(value) * _NEARLY:
                return True
    return False


def _factors(text: str) -> list[Fraction]:
    """By what a value may be multiplied in another unit."""
    heard = set(words.split(text.lower()))
    is_abroad = not text.isascii() or bool(abroad.language_of(text))
    found = [*_TENS]
    if is_abroad or not _TIMES.isdisjoint(heard):
        found += [*_OF_TIME, *(1 / factor for factor in _OF_TIME)]
    if "/" in text or "per" in heard:
        found += _OF_SPEED
    return found


def _names_unit(text: str) -> bool:
    """Whether a text measures, or counts in thousands."""
    heard = words.split(text)
    if "\\text" in text or "\\mathrm" in text or _SCALED.search(text) or not _SCALES.isdisjoint(map(str.lower, heard)):
        return True
    behind = (after for before, after in pairwise(heard) if before[-1:].isdigit())
    return any(after not in _NO_UNITS and conversions.is_common(after) for after in behind)


def _said(text: str, language: str) -> set[Fraction] | None:
    """All values that a text in a language, empty for English, may mean by its numbers; None if there may be others."""
    if language in ("zh", "ja", "ko"):
        text = "\n".join(signs.with_digits(line, language) for line in text.split("\n"))
        has_digits = any(map(str.isdigit, text))
        is_open = not has_digits and (language == "ko" or not _HAN_AMOUNTS.isdisjoint(text))
        if is_open or not _HAN_NUMERALS.isdisjoint(text):
            return None
    else:
        told = numerals.heard(text)
        is_known = language or not answer_forms.ENGLISH.isdisjoint(told) or any(map(words.number, told))
        last = "\u0530" if is_known else "\u0250"  # numerals in words of other scripts are not known
        if any(char >= last and char.isalpha() for char in text) or not (is_known or any(map(str.isdigit, text))):
            return None
    text = text.replace("**", "").replace("\u2019", "'")
    heard = [word.strip("*_$") for word in numerals.heard(text.replace("-", " "))]
    if _UNKNOWN.search(" ".join(heard)):
        return None
    found = set(_in_words(heard, language))
    found |= {Fraction(int(ratio[1]), int(ratio[2])) for ratio in _RATIO.finditer(text) if int(ratio[2])}
    for clock in _CLOCK.finditer(text):  # 4:30 as minutes, to the next hour, in the morning and in the evening
        hours, minutes = int(clock[1]), int(clock[2])
        found |= {
            Fraction(hours * 60 + minutes),
            Fraction(60 - minutes),
            Fraction(hours % 12),
            Fraction(hours % 12 + 12),
        }
    text = _DATE.sub(lambda date: re.sub(r"[-/.]", " ", date[0]), _CLOCK.sub(r"\1 \2", text))
    for segment in _SEGMENTS.split(text):
        parts = _EQUALS.split(segment)
        if any(map(_OPEN_EQUATION.search, parts[:-1])):
            return None
        for part in parts[:-1]:
            found.update(chain.from_iterable(_readings(token[0]) for token in _TOKEN.finditer(part)))
        values = _values_of(parts[-1])
        if values is None:
            return None
        found |= values
        n_listed = len(_TOKEN.findall(segment))  # things whose number is asked for
        found |= {Fraction(n_listed)} if n_listed > _FEW else set()
    return _with_portions({abs(value) for value in found}, heard)


def _with_portions(values: set[Fraction], heard: Iterable[str]) -> set[Fraction]:
    """`values` with what words like half, twice and plus may make of them."""
    heard = frozenset(heard)
    for factor, names in _PORTIONS.items():
        if not names.isdisjoint(heard):
            values |= {factor, 1 + factor, *(value * factor for value in values), *(value + factor for value in values)}
    if not _TIMES.isdisjoint(heard):  # ten minutes short of two hours
        values |= {60 - value for value in values if value < 60}
    if not _JOINS.isdisjoint(heard) and len(values) <= _MANY:
        values |= {abs(one + sign * other) for one in values for other in values for sign in (1, -1)}
    return values


def _in_words(heard: list[str], language: str) -> Iterator[Fraction]:
    """The values of all rows of words that are a number."""
    for at in range(len(heard)):
        if heard[at] in ordinals.VALUES:
            tens = words.number(heard[at - 1]) if at else None
            yield from (Fraction(ordinals.VALUES[heard[at]]), ordinals.VALUES[heard[at]] + (tens or Fraction(0)))
        for length in range(1, _LONGEST_NUMERAL):
            row = " ".join(heard[at : at + length])
            value = words.number(row)
            if value is None and language and language not in ("zh", "ja", "ko"):
                value = amounts.spelled(row, language) if row else None
            if value is not None:
                yield value


def _values_of(part: str) -> set[Fraction] | None:
    """The values of what stands behind the last equals sign; None for a calculation that is not carried out."""
    found: set[Fraction] = set()
    for power in _POWER_OF_TEN.finditer(part):
        exponent = int((power[1] or power[2]).replace("\u2212", "-"))
        before = [*_TOKEN.finditer(part[: power.start()])]
        if not before or abs(exponent) > 300:
            return None
        found.update(value * Fraction(10) ** exponent for value in _readings(before[-1][0]))
    part = _POWER_OF_TEN.sub(" ", part)
    for fraction in _FRACTION.finditer(part):
        top, bottom = (int(group) for group in fraction.groups() if group)
        whole = _MIXED.search(part[: fraction.start()])
        if not bottom:
            return None
        found |= {Fraction(top, bottom), Fraction(top, bottom) + (int(whole[1]) if whole else 0)}
    rest = _FRACTION.sub(" ", part)
    if _OPEN.search(rest):
        return None
    found.update(chain.from_iterable(_readings(token[0]) for token in _TOKEN.finditer(part)))
    return found


def _readings(token: str) -> Iterator[Fraction]:
    """What digits with marks between them may mean: 4,500 as 4500, 4.5, and as 4 and 500."""
    plain = token.replace("{,}", ",")
    pieces = re.findall(r"\d+", plain)
    if "." not in plain or plain.count(".") > 1:
        yield from map(Fraction, pieces)
    yield Fraction("".join(pieces))
    for mark, group in ((".", ","), (",", ".")):
        parsed = number.parse(re.sub(rf"[{group}'\u2019\u00a0\u202f ]", "", plain).replace(mark, "."))
        if parsed is not None:
            yield parsed.value
