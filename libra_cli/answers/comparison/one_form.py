"""Writes two answers in one form before they are compared: one notation, the same names, a calculation as its value."""

from __future__ import annotations

import re

from libra_cli.answers.comparison import vectors
from libra_cli.answers.languages import elements, ratios, units_abroad
from libra_cli.answers.text import choose_words, function_forms, latex
from libra_cli.answers.values import bounds_said, coordinates, elided, normalize, quantities, science, structure
from libra_cli.answers.values.structure import Leaf
from libra_cli.lazy_pattern import lazy_pattern

_FLAT_INDEX = lazy_pattern(r"(?<![A-Za-z0-9\\])([A-Za-z])(\d)(?![\d.])")
_NO_INDEX = r"(?<![A-Za-z\\_])(?<!_\{)(?<!\\(?:hat|vec|bar)[ {])(?<!\\mathbf[ {])(?<!\\boldsymbol[ {])(?<!\\bm[ {])"
"""Before a letter that is neither an index nor a vector."""
_OTHER_I = lazy_pattern(_NO_INDEX + r"[jI](?![A-Za-z_\u0302])")
_IMAGINARY = lazy_pattern(_NO_INDEX + r"i(?![A-Za-z\u0302])")
_REAL, _SUM = r"\s*[-\u2212]?\s*\d[\d.]*\s*", r"\s*[-+\u2212]\s*(?:\d[\d.]*\s*{0}|{0}\s*\d[\d.]*|{0})\s*"
_SUM_WITH_J = lazy_pattern(rf"\$?(?:{_REAL})?(?:{_SUM.format('j')}|(?:\d[\d.]*)?j|j\d[\d.]*)\$?")
_SUM_WITH_I = lazy_pattern(rf"\$?{_REAL}{_SUM.format('i')}\$?")
"""A complex number with a real part, which no vector has."""
_PURE_I = lazy_pattern(r"\$?[-\u2212]?\s*(?:\d[\d.]*)?\s*i\s*\$?")
_FLAT_POWER = lazy_pattern(r"(?<=[\u00d7x*\u00b7 ])10 ?[-\u2212\u2013](\d{1,2})(?!\d)")
_CHARGE = lazy_pattern(r"^(\d{1,2})([+-])$")
_WORD = lazy_pattern(r"(?<![A-Za-z\\])[A-Za-z]{4,}")
_STRAND = lazy_pattern(r"5['\u2032\u2019]?-?(?P<bases>[ACGTU-]{3,60}?)-?3['\u2032\u2019]?")
"""A strand between its ends: 5'-AUGCCA-3'."""
_PENCE = lazy_pattern(r"^(\d+) ?p\.?$")
_SIGNED_INFINITY = {
    f"{word} infinity": f"{sign}\\infty"
    for sign, said in (("", ("positive", "plus")), ("-", ("negative", "minus")))
    for word in said
}
_CONSTANTS = frozenset(("+C", "+c", "+K", "+k"))
_MAY_BE_VECTOR = lazy_pattern(
    r"\\(?:mathbf|boldsymbol|bm|hat|vec|[ij]math)|(?<![A-Za-z\\])[jk](?![A-Za-z])|e_\{?[1-3]|\u0302",
    one_of=("j", "k", "e_", "\\bm", "\\hat", "\\vec", "\\imath", "\\mathbf", "\\boldsymbol", "\u0302"),
)
_BEYOND_EQUALITY = latex.BOUNDS | {"\\neq", "\\approx", "\\equiv", "\\to", "\\in"}
_STARRED = lazy_pattern(r"(?<=[A-Za-z])\^(?:\*|\{\*\}|\\ast|\{\\ast\})")
_DEGREES = lazy_pattern(r"(?<=\d) ?(?:\\text\{ ?degrees?\}|degrees?(?![A-Za-z]))")
_LOSS = lazy_pattern(r"^((?:[^()]*(?:[=:]|\bis))?\s*)\((\\?[$\u20ac\u00a3]\d[\d,.]*)\)$")
_BEFORE_LOSS = frozenset("is was be of equals to loss deficit profit income balance change net".split())  # noqa: SIM905
_CALL = lazy_pattern(r"[fghFGP](?:\^\{-1\})?'*\(-?\d+\)")


def in_one_form(reference: str, answer: str) -> tuple[str, str]:
    """Both with one notation of derivatives, and a calculation that only one of them has as its value."""
    if "d" in answer and ("'" in reference or "\\dot" in reference):
        answer = latex.with_marks(answer, reference)
    if "d" in reference and ("'" in answer or "\\dot" in answer):
        reference = latex.with_marks(reference, answer)
    if "h" in answer or "h" in reference:
        answer, reference = quantities.with_minutes(answer, reference), quantities.with_minutes(reference, answer)
    if "^" in answer and "*" in answer and "*" not in reference:  # P^*, the price of an equilibrium
        answer = _STARRED.sub("", answer)
    if "_" in reference and "_" not in answer:  # m1 for m_1
        answer = _FLAT_INDEX.sub(lambda name: f"{name[1]}_{name[2]}" if name[1] + "_" in reference else name[0], answer)
    if (
        "i" in reference
        and ("j" in answer or "I" in answer)
        and _OTHER_I.search(answer)
        and _IMAGINARY.search(reference)
    ):
        answer = answer if _IMAGINARY.search(answer) else _OTHER_I.sub("i", answer)  # 3 - 4j, 3 - 4*I
    elif "j" in reference and "i" in answer and _SUM_WITH_J.fullmatch(reference) and _SUM_WITH_I.fullmatch(answer):
        reference = reference.replace("j", "i")  # 3 + 4j, as engineers write it
    if answer.count("=") > 1 and "\\" in answer:
        answer = _in_symbols_of(answer, reference)
    if answer[:1].isalnum() and any(map(answer.__contains__, ("to", "in", "out of"))):
        answer = ratios.from_words(answer, reference)
    if " to " in reference and ":" in answer:
        reference = ratios.from_words(reference, answer)
    if "10^" in reference and (power := _FLAT_POWER.search(answer)):  # 3.2 × 10−5
        answer = f"{answer[: power.start()]}10^{{-{power[1]}}}{answer[power.end() :]}"
    may_be = [_MAY_BE_VECTOR.search(text) is not None for text in (reference, answer)]
    is_vector = any(may_be) and reference != answer and vectors.are_vectors(reference, answer)
    if is_vector or (all(may_be) and reference != answer):
        both = [vectors.as_tuple(text, "(0, 0, 0)", is_vector) for text in (reference, answer)]
        if both[0] != reference and both[1] != answer:
            reference, answer = both
    elif may_be[1] and not may_be[0]:
        answer = vectors.as_tuple(answer, reference)
    elif may_be[0] and not may_be[1]:
        reference = vectors.as_tuple(reference, answer)
    if reference[:1] in ("+", "-") and answer[-1:] in ("+", "-"):  # a charge of 2+
        answer = _CHARGE.sub(r"\2\1", answer)
    if answer[-1:] == ")" and reference[:1] == "-":  # ($12,340), as accountants write a loss
        answer = _LOSS.sub(r"\1-\2", answer)
    reference, answer = _in_signs(reference, answer)
    if "degree" in reference or "degree" in answer:
        reference, answer = _with_degree_signs(reference, answer), _with_degree_signs(answer, reference)
    if "(" in answer or "(" in reference:
        answer, reference = function_forms.like(answer, reference), function_forms.like(reference, answer)
    if "function" in answer:
        answer = function_forms.named(answer, reference) or answer
    if "=" in answer and "=" not in reference:
        answer = _repeated(answer, reference) if answer.count("=") > 1 else answer
        answer = _claimed(answer, reference)
    elif "=" in reference and "=" not in answer:
        reference = _claimed(reference, answer)
    return reference, answer


def _with_degree_signs(text: str, other: str) -> str:
    """`text` with the sign of degrees for the word, if `other` is an angle in radians: 45 degrees for \\pi/4."""
    return _DEGREES.sub(r"^\\circ", text) if "\\pi" in other or "π" in other else text


def _in_signs(reference: str, answer: str) -> tuple[str, str]:
    """Both with points, bounds, quantities and elements in words as formulas or in English."""
    if any(map(answer.__contains__, coordinates.NAMES)):
        answer = coordinates.with_origin(answer, reference)
    elif any(map(reference.__contains__, coordinates.NAMES)):
        reference = coordinates.with_origin(reference, answer)
    if " " in answer:  # a is at most -2
        answer = bounds_said.in_signs(answer, reference)
    if answer[-1:].isalpha() or "\\text" in answer or not answer.isascii():
        answer = units_abroad.measured(answer)
    if reference[:1].isdigit() and (reference[-1:].isalpha() or "\\text" in reference or not reference.isascii()):
        reference = units_abroad.measured(reference)
    if reference.isalpha() and science.element(reference):  # l'or, das Gold
        answer = elements.in_english(answer) or answer
    elif reference.isalpha() and science.element(latex.without_setting(answer).strip()):
        reference = elements.in_english(reference) or reference
    return _in_symbols(reference, answer)


def _in_symbols(reference: str, answer: str) -> tuple[str, str]:
    """Both with dots, strands, pence, infinities and binomials in the symbols of the other one."""
    if any("dots" in text or "..." in text or "\u2026" in text for text in (reference, answer)):
        reference, answer = elided.in_closed_form(reference), elided.in_closed_form(answer)
    if "5" in answer and "3" in answer and reference.isalpha():
        strand = _STRAND.fullmatch(latex.without_setting(answer).replace(" ", "").strip("."))
        answer = strand["bases"].replace("-", "") if strand else answer
    if "\u00a3" in reference and answer.rstrip(" .")[-1:] == "p":
        answer = _PENCE.sub(r"\1 pence", answer)
    if "nfinity" in answer and "\\infty" in reference:
        answer = _SIGNED_INFINITY.get(latex.without_setting(answer).strip(" .").lower(), answer)
    answer = choose_words.formula(answer) if "choose" in answer else answer
    return choose_words.formula(reference) if "choose" in reference else reference, answer


def with_imaginary(reference: str, answer: str, question: str) -> str:
    """`reference` with i for j, where the question says that j is the imaginary unit, or asks for an impedance."""
    is_electric = any(map(question.__contains__, ("maginary", "mpedance", "hasor", "omplex", "eactance", "dmittance")))
    is_pure = _SUM_WITH_J.fullmatch(reference) and _PURE_I.fullmatch(answer)
    return reference.replace("j", "i") if is_electric and is_pure else reference


def without_remark(answer: str, response: str) -> str:
    """`($12)` as $12 where it is a remark on a word of the response, and no loss: `each ($12)`."""
    before = response[: response.rfind(answer)].rstrip(" *$\\") if answer in response else ""
    is_remark = before[-1:].isalpha() and before.split()[-1].lower() not in _BEFORE_LOSS
    return answer[1:-1] if is_remark and _LOSS.fullmatch(answer) else answer


def _claimed(raw: str, other: str) -> str:
    """The last side of a calculation, whose first side is no formula in variables: 3 + 4 = 7, [A, B] = C.

    `other` is what it is compared with: of E(t) = -t the last side, if t occurs in it.
    """
    sides = latex.split(raw, latex.EQUALS) if "cases" not in raw and "aligned" not in raw else []
    text = normalize.normalized(raw)
    if len(sides) < 2 or len(latex.split(text, structure.COMMAS)) > 1 or latex.signs(text, _BEYOND_EQUALITY):
        return raw
    first = normalize.normalized(sides[0])
    argument = structure.ARGUMENT.fullmatch(first)
    if _CALL.fullmatch(first):  # f^{-1}(5) = 16/3
        return sides[-1].strip(" $.")
    if argument and re.search(rf"(?<![A-Za-z\\])[A-Za-z]?{argument[2]}[A-Za-z]?(?![A-Za-z])", other):
        return sides[-1].strip(" $.")
    if structure.NAME.fullmatch(first) or structure.names_of(first) or ":" in first or "\\" in first[-1:]:
        return raw
    from libra_cli.answers.text import formula

    if formula.readings(first) and not (first.startswith("\\frac{d") and "}{d" in first):
        return raw
    return sides[-1].strip(" $.")


def _in_symbols_of(raw: str, other: str) -> str:
    """A chain of equations up to its last side in the letters of `other`: v = \\sqrt{2GM/R} of ... = \\sqrt{2gR}."""
    *sides, last = latex.split(raw.strip(" $."), latex.EQUALS)
    known, *letters = ({*filter(str.isalpha, latex.without_commands(side))} for side in (other, *sides, last))
    if len(sides) < 2 or letters[-1] <= known or "," in raw:
        return raw
    found = [side for side, inside in zip(sides[1:], letters[1:-1], strict=True) if inside and inside <= known]
    return f"{sides[0]}={found[-1]}" if found else raw


def _repeated(raw: str, other: str) -> str:
    """x = y = z = 2 as (2, 2, 2), if `other` is a point with as many coordinates; else `raw`."""
    inside = latex.enclosed(other.strip(" $"), ("(",), (")",))
    *names, value = normalize.normalized(raw).split("=")
    are_names = len(names) > 1 and len(set(names)) == len(names) and all(len(name) == 1 for name in names)
    if not inside or not are_names or not all(map(str.isalpha, names)) or "," in value:
        return raw
    is_point = len(latex.split(inside[1], structure.COMMAS)) == len(names)
    return f"({', '.join([value] * len(names))})" if is_point else raw


def spelled_like(leaf: Leaf, other: Leaf) -> Leaf:
    """`leaf` with its words taken apart, if all their letters are symbols of `other`: BLvR beside \\frac{BLv}{R}."""
    words_in = _WORD.findall(leaf.text)
    symbols = set(latex.without_commands(other.text))
    if not words_in or not any(mark in other.text for mark in "\\/^") or not symbols.issuperset("".join(words_in)):
        return leaf
    return Leaf(_WORD.sub(lambda word: " ".join(word[0]), leaf.text), leaf.number, leaf.unit)


def with_constant_of(reference: Leaf, answer: Leaf) -> Leaf:
    """`answer` with the constant of integration named as in the reference: + K for + C."""
    text = answer.text
    if text[1:2] == "+" and f"+{text[0]}" in _CONSTANTS:  # K + x^2
        text = f"{text[2:]}+{text[0]}"
    wanted, given = reference.text[-1:], text[-1:]
    if wanted == given or not {reference.text[-2:], text[-2:]} <= _CONSTANTS:
        return answer
    letters = [latex.without_commands(other[:-1]) for other in (reference.text, text)]
    return answer if wanted in letters[0] or given in letters[1] else Leaf(text[:-1] + wanted)


def in_radians(leaf: Leaf, other: Leaf) -> str:
    """Text of `leaf`, with degrees converted to radians if `other` contains pi and has no unit."""
    return f"({leaf.text})^\\circ" if leaf.unit == "degree" and not other.unit and "\\pi" in other.text else leaf.text
