"""Reads an interval that a text ends with in words, for a reference that is one: between -1 and 5, at least 3."""

from __future__ import annotations

from libra_cli.answers.text import latex
from libra_cli.answers.values import normalize
from libra_cli.lazy_pattern import lazy_pattern

_VALUE = r"\$?(?P<{}>[-\u2212]?(?:\d+(?:\.\d+)?(?:/\d+)?|\\frac\{{\d+\}}\{{\d+\}}))\$?"
_ENDS = lazy_pattern(rf"\b(?:between|from) {_VALUE.format('low')} (?:and|to) {_VALUE.format('high')}\D{{0,40}}$")
_BOUND = lazy_pattern(
    r"\b(?:(?P<more>greater|larger|bigger|more|higher)|(?:less|smaller|lower|fewer)) than (?P<equal>or equal to )?"
    + _VALUE.format("than")
    + r"|\bat (?:(?P<least>least)|most) "
    + _VALUE.format("at")
)
_FIGURES = lazy_pattern(r"\d+(?:[./]\d+)?")
_FIGURE = r"\$?[-\u2212]?\d+(?:\.\d+)?(?:/\d+)?\$?"
_OF_LETTER = lazy_pattern(
    r"(?<![A-Za-z])\$?(?P<letter>[A-Za-z])\$? (?:"
    rf"(?:is|must be|has to be|needs to be|should be|can be) (?P<more_or_less>{_FIGURE}) or "
    r"(?:(?P<or_more>more|greater|larger|higher|above)|less|fewer|smaller|lower|below)"
    r"|(?:(?:is|must be|has to be) (?:no|not) |(?:cannot|can['\u2019]t|can not|must not|may not|can never) be "
    r"|(?:cannot|can['\u2019]t|must not|does not|may not) (?=exceed))"
    r"(?:(?P<less>less than|smaller than|lower than|below)|(?:more|greater|larger|higher) than|above|exceed)"
    rf" (?P<denied>{_FIGURE}))[.!]?$"
)
_OF_ALL = lazy_pattern(r"\b(?:[Aa]ll|[Aa]ny|[Ee]very|[Ee]ach)\b(?! of)")
_OPEN, _CLOSED = ("strictly", "open", "exclusive", "not included", "not including"), ("inclu", "closed")
_IS_CHAIN = lazy_pattern(r"(?P<low>[^<>]+?)(?P<left><|\\leq)(?P<letter>[A-Za-z])(?P<right><|\\leq)(?P<high>[^<>]+)")
_IS_BOUND = lazy_pattern(r"(?P<letter>[A-Za-z])(?:<|>|\\leq|\\geq)[^<>]+")


def of_letter(sentence: str) -> str | None:
    """The bound that a sentence gives to a letter in words with a denial or "or more": x cannot be less than 5."""
    found = _OF_LETTER.search(sentence) if " or " in sentence or "no" in sentence or "n't" in sentence else None
    if found is None or sum(map(str.isdigit, _FIGURES.sub("1", sentence))) != 1:
        return None
    number = (found["more_or_less"] or found["denied"]).strip("$").replace("\u2212", "-")
    is_least = found["or_more"] if found["more_or_less"] else found["less"]
    sign = "\\geq" if is_least else "\\leq"
    return f"{found['letter']} {sign} {number}"


def stated(sentence: str, reference: str) -> str | None:
    """The interval that a sentence gives in words; None if it gives none, "" if its ends may belong to it."""
    if not any(map(sentence.__contains__, (" than ", "between ", "from ", "at least ", "at most "))):
        return None
    wanted = normalize.normalized(reference)
    if any(map(sentence.__contains__, "=<>\u2264\u2265")) or "\\le" in sentence or "\\ge" in sentence:
        return None
    return _between(sentence, wanted) or _of_all(sentence, wanted)


def _between(sentence: str, wanted: str) -> str | None:
    said = _ENDS.search(sentence.rstrip(". "))
    if said is None:
        return None
    chain = _IS_CHAIN.fullmatch(wanted)
    interval = latex.enclosed(wanted, ("(", "["), (")", "]")) if chain is None else None
    if chain is None and (interval is None or len(latex.split(interval[1], latex.COMMAS)) != 2):
        return None
    low, high = (said[name].replace("\u2212", "-") for name in ("low", "high"))
    is_open = any(map(sentence.__contains__, _OPEN))
    is_closed = not is_open and any(map(sentence.__contains__, _CLOSED))
    ends = [chain["low"], chain["high"]] if chain else latex.split(interval[1] if interval else "", latex.COMMAS)
    if not (is_open or is_closed):
        if ends == [low, high]:
            return ""
        is_open = True
    letter = chain["letter"] if chain else "x"
    return f"{low} < {letter} < {high}" if is_open else f"{low} \\leq {letter} \\leq {high}"


def _of_all(sentence: str, wanted: str) -> str | None:
    sides = latex.split(wanted, latex.OR | latex.UNION)
    bound = _IS_BOUND.fullmatch(sides[0])
    is_endless = all("\\infty" in side or _IS_BOUND.fullmatch(side) for side in sides)
    if not is_endless or len(sides) > 2 or not _OF_ALL.search(sentence):
        return None
    found = [*_BOUND.finditer(sentence)]
    if len(found) != len(sides) or sum(map(str.isdigit, _BOUND.sub("", sentence))) or " not " in sentence:
        return None
    letter, said = bound["letter"] if bound else "x", list[str]()
    for one in found:
        sign = (">" if one["more"] or one["least"] else "<") if one["than"] else "\\geq " if one["least"] else "\\leq "
        sign = {">": "\\geq ", "<": "\\leq "}[sign] if one["equal"] else sign
        said.append(f"{letter}{sign}{(one['than'] or one['at']).replace(chr(0x2212), '-')}")
    return " or ".join(said)
