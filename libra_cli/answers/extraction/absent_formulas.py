"""Says of a short text that no formula in it is the reference, whichever of them is its answer.

This decides where no rule is certain which formula a text gives. It is for references that are formulas or intervals.
Every formula of the text is compared; what is said in words of mathematics, or with symbols that the reference does not
have, may have any value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from libra_cli.answers.comparison import equal, relation
from libra_cli.answers.languages import abroad, numerals
from libra_cli.answers.sentences import options
from libra_cli.answers.text import formula, undelimited, words
from libra_cli.answers.values import conversions, normalize, structure
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 800
"""Length of the longest text that is searched."""
_MOST_FORMULAS = 30
_LANGUAGES = ("", "zh", "ja")
_DELIMITED = lazy_pattern(r"\$\$(.+?)\$\$|\$([^$]+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_WORDED = lazy_pattern(r"\\(?:text|mbox|textbf)\s*\{([^{}]*)\}")
_UNIT_POWER = lazy_pattern(r"(?<![A-Za-z])[A-Za-z\u00b5]{1,3}[\u00b2\u00b3]")
_CHAIN = lazy_pattern(
    r"=|\u2248|\u2192|\u21d2|\\(?:approx|to|rightarrow|Rightarrow|implies|iff|Longrightarrow|equiv|Leftrightarrow)"
    r"(?![A-Za-z])"
)
_LIST = lazy_pattern(r"[,;](?![^(\[{]*[)\]}])")
_SIGNED = lazy_pattern(r"[\d+*/^=<>_\\()\[\]\u00b7\u00d7\u03c0\u221a\u221e\u2264\u2265\u00b2\u00b3\u2212-]")
_CONSTANTS = ("i", "e", "\\pi", "\u03c0")
_AROUND = " ,;.:!'-|&"
"""What stands around a formula and is no part of it."""
_OPEN = ("\\pm", "\\mp", "\u00b1", "...", "\u2026", "dots", "\\int", "\\sum", "\\prod", "\\lim")
"""What may have more than one value, or one that is not compared here."""
_IN_WORDS = words.table(
    "plus minus times over root roots square squared cube cubed power half third quarter twice double triple"
    " pi infinity infinite unbounded negative positive opposite reciprocal inverse conjugate factorial log sine cosine"
    " tangent divided multiplied less greater more than between least most except all every"
    " any real reals integers empty none nothing both same itself undefined diverges zero"
)
"""Words that may make a value, or a set of numbers, beside a formula or without one."""
_COMPOUND = lazy_pattern(r"(?=.*[A-Z])[A-Za-z0-9_{}()+-]*")
"""A formula of chemistry may look so."""
_LETTERS = lazy_pattern(r"[A-Za-z\u00b5]+")
_OF_TWO = lazy_pattern(r"\b(?:sum|product|difference|quotient|ratio) (?:of|between)\b")
_IN_SIGNS = frozenset(  # the same in Chinese and Japanese
    "根号平方倍分之大小于過超至多少正负負全任意除以数集无無空乗半和差积積商"
)


def is_absent(text: str, reference: str, question: str = "") -> bool:
    """Whether no formula of a complete text equals the `reference`, which is a formula; False in doubt."""
    text = text.rstrip()
    if len(text) > MAX_CHARS or not _is_formula(reference) or options.of_question(question):
        return False
    language = abroad.language_of(text)
    if language not in _LANGUAGES or any(sign in text for sign in _OPEN if sign not in reference):
        return False
    parts = [*_parts(text)]
    rest = " ".join(part for part, is_formula in parts if not is_formula)
    heard = numerals.heard(rest)
    if not _IN_WORDS.isdisjoint(heard) or any(map(words.number, heard)) or _OF_TWO.search(rest):
        return False
    if not _IN_SIGNS.isdisjoint(rest) or (not language and any(char >= "\u0250" and char.isalpha() for char in rest)):
        return False
    parsed = _value(reference)
    if isinstance(parsed, structure.Leaf) and parsed.unit:
        own, named = set(_LETTERS.findall(parsed.unit)), set(_LETTERS.findall(text))
        if own.isdisjoint(named) or any(len(word) < 4 and conversions.is_common(word) for word in named - own):
            return False
    formulas = [part for part, is_formula in parts if is_formula and part.strip(_AROUND + "{}")]
    return 0 < len(formulas) <= _MOST_FORMULAS and _differ(formulas, reference)


def _is_formula(reference: str) -> bool:
    """Whether a reference is a formula or an interval, and more than a number."""
    parsed = _value(reference)
    if isinstance(parsed, structure.Parts):
        return parsed.kind == "sequence" and relation.is_readable(parsed.text)
    if not isinstance(parsed, structure.Leaf) or parsed.number is not None or parsed.words:
        return False
    if _COMPOUND.fullmatch(parsed.text) or not formula.readings(parsed.text):
        return False
    return _SIGNED.search(parsed.text.replace("_", "")) is not None


def _value(reference: str) -> structure.Answer:
    """What a reference is, or of an equation what its name stands for."""
    parsed = structure.parse(reference)
    return parsed.value if isinstance(parsed, structure.Equation) else parsed


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """The formulas of a text and what stands between them; True with each formula."""
    text = undelimited.with_dollars(_UNIT_POWER.sub(" ", text))
    start = 0
    for found in _DELIMITED.finditer(text):
        yield from _runs(text[start : found.start()])
        inner, at = next(group for group in found.groups() if group).replace("\\boxed", ""), 0
        for worded in _WORDED.finditer(inner):
            yield inner[at : worded.start()], True
            yield worded[1], False
            at = worded.end()
        yield inner[at:], True
        start = found.end()
    yield from _runs(text[start:])


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """The same of a part without dollar signs; letters beside a formula belong to it: Na2O."""
    start = 0
    for run in undelimited.RUN.finditer(text):
        if not _SIGNED.search(run[0].strip(_AROUND)):
            continue
        begin, end = run.start(), run.start() + len(run[0].rstrip())
        while begin > start and text[begin - 1].isalpha() and text[begin - 1] < "\u3000":
            begin -= 1
        while text[end : end + 1].isalpha() and text[end] < "\u3000":
            end += 1
        yield text[start:begin], False
        yield text[begin:end].strip(_AROUND), True
        start = end
    yield text[start:], False


def _differ(formulas: list[str], reference: str) -> bool:
    """Whether every value of `formulas` is another than that of `reference`, and one of them is of its kind."""
    parsed = _value(reference)
    known = _symbols(parsed.text) or frozenset()
    is_interval = isinstance(parsed, structure.Parts)
    has_own_kind = False
    for text in formulas:
        text = text.strip(_AROUND)
        surplus = text.count("{") - text.count("}")
        text = text.removeprefix("{") if surplus > 0 else text.removesuffix("}") if surplus < 0 else text
        sides = [side.strip() for side in _CHAIN.split(text)]
        for index, side in enumerate(sides):
            symbols = frozenset[str]() if is_interval else _symbols(side)
            is_name = structure.NAME.fullmatch(side) is not None
            is_named_only = len(side) == 1 or (is_name and index + 1 < len(sides))
            if symbols is None or not (symbols <= known or is_named_only):
                return False
            has_own_kind = has_own_kind or (bool(symbols) if known else side in _CONSTANTS or _is_formula(side))
        pieces = (text, *sides, *(one for side in sides for one in _LIST.split(side)))
        for piece in filter(str.strip, dict.fromkeys(pieces)):
            for wanted in (reference, parsed.text):
                decision = equal.decide_quickly(wanted, piece)
                if decision is None or decision.equal is not False:
                    return False
    return has_own_kind


def _symbols(side: str) -> frozenset[str] | None:
    """The names in one side of a formula; None if it cannot be read."""
    plain = normalize.normalized(side)
    readings = formula.readings(plain)
    if readings:
        return frozenset().union(*map(formula.symbols, readings))
    return frozenset() if structure.parse(side) and relation.is_readable(side) else None
