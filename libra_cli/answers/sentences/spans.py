"""Writes the formulas and numbers of a sentence as answers: alone, in a list, with their units."""

from __future__ import annotations

from collections.abc import Sequence

from libra_cli.answers.sentences.plain import Span
from libra_cli.answers.sentences.units_behind import CURRENCIES
from libra_cli.lazy_pattern import lazy_pattern

_MODULO = lazy_pattern(r"(?<!\d)(\d+) ?mod ?(\d+)")
_TIMES = lazy_pattern(r"(?<=\d)(?: x ?|x |(?<!(?<![\d.])0)x)(?=\d)")
"""2x3 and 0 x 3, but not 0x10."""


def listed(spans: Sequence[Span], either: bool = False) -> str:
    """The formulas of a list; those of which only one holds, joined by \"or\"."""
    return (" or " if either else ", ").join(value(span.text) for span in spans)


def with_units(spans: Sequence[Span], either: bool = False) -> str | None:
    """Formulas or numbers with their units; None if they have none. `either` joins two by "or"."""
    names = [span.unit or span.counted for span in spans]
    if not names[-1]:
        return None
    if len(set(names)) == len(spans) > 1 and all(span.is_number for span in spans):
        return (" or " if either else " ").join(f"{span.text} {span.unit}" for span in spans)
    if len(spans) == 1 and names[0] in CURRENCIES:
        return f"{names[0]}{value(spans[0].text)}"
    written = [name if "\\" in name or "$" in name else f"\\text{{ {name}}}" for name in names]
    values = (_without_rounding(value(span.text)) for span in spans)
    return ", ".join(f"{one} {unit}" for one, unit in zip(values, written, strict=True))


def _without_rounding(text: str) -> str:
    """25\\pi of 25\\pi \\approx 78.5, and 20.4 of h \\approx 20.4."""
    exact, _, rounded = text.partition("\\approx")
    return exact.strip() if any(map(str.isdigit, exact)) or "\\" in exact or not rounded else rounded.strip()


def value(text: str) -> str:
    """The content of a formula: without dollar signs, approximations, and what a calculation of numbers begins with."""
    for opening, closing in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")):
        if text.startswith(opening) and text.endswith(closing) and len(text) > len(opening) + len(closing):
            return text[len(opening) : -len(closing)].strip()
    if " " in text and text.replace(" ", "").isdigit():  # 30 000
        return text.replace(" ", "")
    text = _TIMES.sub(r"\\times ", text) if "x" in text else text
    text = _MODULO.sub(r"\1 \\pmod{\2}", text) if "mod" in text else text
    exact, about, rough = text.partition("\u2248")
    if about:
        text = exact.strip() if any(map(str.isdigit, exact)) else f"{exact.strip()} = {rough.strip()}"
    *calculation, result = text.split("=")
    is_of_numbers = not any(char.isalpha() for part in calculation for char in part.replace("\\times", ""))
    if calculation and is_of_numbers and not result.strip().isalpha():  # 2 + 3 = 5, but not 5 = x
        text = result.strip()
    return text
