"""Compares isotopes in any notation: carbon-14, C-14, {}^{14}_{6}C."""

from __future__ import annotations

import re

from libra_cli.answers.text import latex
from libra_cli.answers.values import normalize, science
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 400
_NAMED = lazy_pattern(r"(?<![A-Za-z])([A-Za-z]{1,12})[-\u2010-\u2013 ](\d{1,3})(?!\d)")
_CHARGE = r"(?:_\{?\d{1,3}\}?)?"
_RAISED = lazy_pattern(rf"{_CHARGE}\^\{{?(\d{{1,3}})\}}?{_CHARGE}\s*([A-Z][a-z]?)(?![A-Za-z])", one_of=("^",))
_SO = r"[,;:.] (?:and )?(?:so|hence|thus|therefore)\b"
_CONCLUSION = lazy_pattern(_SO, re.IGNORECASE)
_ARROW = lazy_pattern(r"\u2192|\\(?:to|rightarrow)(?![A-Za-z])|->|" + _SO, re.IGNORECASE)
_OF_PRODUCT = lazy_pattern(r"daughter|produc|becom|result|is formed", re.IGNORECASE)
_SPACES = str.maketrans(dict.fromkeys(" .,;:!'()*{}$-", " "))
_FILLERS = frozenset("it is the an a isotope of answer".split())  # noqa: SIM905

Isotope = tuple[str, int]


def same(reference: str, answer: str) -> bool | None:
    """Whether two isotopes are one; None if either is anything else."""
    wanted = _only(reference)
    given = _only(answer) if wanted else None
    return wanted == given if wanted and given else None


def stated(sentence: str, reference: str, question: str | None = None) -> str | None:
    """The only isotope of a sentence or its conclusion, or the product of a decay, where the reference is one.

    None if that is not certain.
    """
    if _only(reference) is None or len(sentence) > MAX_CHARS:
        return None
    plain = _plain(sentence)
    is_product = question is not None and _OF_PRODUCT.search(question)
    concluded = (_ARROW if is_product else _CONCLUSION).split(plain)[-1]
    found = set(_read(concluded)) or set(_read(plain))
    if len(found) != 1:
        return None
    element, mass = found.pop()
    return f"{element}-{mass}"


def _only(text: str) -> Isotope | None:
    """The isotope that is all that a text says."""
    if len(text) > 80 or not any(map(str.isdigit, text)):
        return None
    plain = _plain(text)
    read = _read(plain)
    found = set(read)
    if len(read) < len(_NAMED.findall(plain)) + len(_RAISED.findall(plain)):  # P-3, Q-1
        return None
    rest = _RAISED.sub("", _NAMED.sub("", plain))
    is_all = _FILLERS.issuperset(rest.translate(_SPACES).lower().split())
    return found.pop() if len(found) == 1 and is_all else None


def _read(plain: str) -> list[Isotope]:
    pairs = [(name, mass) for name, mass in _NAMED.findall(plain)]
    pairs += [(symbol, mass) for mass, symbol in _RAISED.findall(plain)]
    named = ((science.element(name), int(mass)) for name, mass in pairs)
    return [(element, mass) for element, mass in named if element]


def _plain(text: str) -> str:
    plain = text if text.isascii() else normalize.in_ascii(text)
    plain = latex.without_setting(plain.replace("\\ce{", "{").replace("{}", ""))
    return plain.replace("^ {", "^{").replace("} ", "}")
