"""Reads an interval that a text ends with in words, for a reference that is one: between -1 and 5, at least 3."""

from __future__ import annotations

from libra_cli.answers.text import latex, words
from libra_cli.answers.values import bounds_said, normalize
from libra_cli.lazy_pattern import lazy_pattern

_VALUE = r"\$?(?P<{}>[-\u2212]?(?:\d+(?:\.\d+)?(?:/\d+)?|\\frac\{{\d+\}}\{{\d+\}}))\$?"
_ENDS = lazy_pattern(rf"\b(?:between|from) {_VALUE.format('low')} (?:and|to) {_VALUE.format('high')}\D{{0,40}}$")
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
_SUBJECT = (
    r"(?:(?<![A-Za-z'\u2019\\])\$?(?P<letter>[A-Za-z])\$?"
    r"|\b[Tt]he (?:parameter|variable|unknown)(?: \$?(?P<name>[A-Za-z])\$?)?)"
)
_SAID = {
    sign: lazy_pattern(rf"{_SUBJECT} {bounds_said.IS}(?:{spelled}) {bounds_said.NUMBER}[.!]?$")
    for sign, spelled in bounds_said.WORDS.items()
}
"""The bound that a sentence ends with: a must be at least 1.5."""
_LEAD = lazy_pattern(
    r"(?i:(?:so|hence|thus|therefore|then|and|finally|consequently|it follows that|(?:this|that) means(?: that)?"
    r"|we (?:need|see|get|find|conclude|require)(?: that)?|(?:the )?(?:final )?answer(?: is)?)[,:]? )*"
)
_CONDITION = lazy_pattern(
    r"(?P<clause>[^.]{6,120}?),? (?:(?:exactly|precisely|only) )?(?:when|whenever|if|if and only if|as long as"
    r"|provided(?: that)?) "
)
"""What holds where a letter has a bound: the equation has no real roots when m is less than -4."""
_ADVERBS = lazy_pattern(r" (?:therefore|thus|hence|then|also|always)(?= )")
_TWO_SIDED = lazy_pattern(
    r"\b(?i:exceeds?|above|below|under|over|beats?|than|cheaper|greater|larger|smaller|less|more|better|costs?|lacks?|fails?)\b"
)
"""What has two sides in a clause, which a question may name the other way round: plan A exceeds plan B when."""
_DENIALS = words.table("no not never cannot without neither lack lacks lacking fail fails")
_OF_ALL = lazy_pattern(r"\b(?:[Aa]ll|[Aa]ny|[Ee]very|[Ee]ach)\b(?! of)")
_STEM = 4
_OPEN, _CLOSED = ("strictly", "open", "exclusive", "not included", "not including"), ("inclu", "closed")
_IS_CHAIN = lazy_pattern(r"(?P<low>[^<>]+?)(?P<left><|\\leq)(?P<letter>[A-Za-z])(?P<right><|\\leq)(?P<high>[^<>]+)")
_IS_BOUND = lazy_pattern(r"(?P<letter>[A-Za-z])(?:<|>|\\leq|\\geq)[^<>]+")


def of_letter(sentence: str) -> str | None:
    """The bound that a sentence gives to a letter in words with a denial or "or more": x cannot be less than 5."""
    sentence = _ADVERBS.sub("", sentence)
    found = _OF_LETTER.search(sentence) if " or " in sentence or "no" in sentence or "n't" in sentence else None
    if found is None or sum(map(str.isdigit, _FIGURES.sub("1", sentence))) != 1:
        return None
    number = (found["more_or_less"] or found["denied"]).strip("$").replace("\u2212", "-")
    is_least = found["or_more"] if found["more_or_less"] else found["less"]
    sign = "\\geq" if is_least else "\\leq"
    return f"{found['letter']} {sign} {number}"


def of_subject(sentence: str, reference: str, question: str) -> str | None:
    """The bound that a sentence ends with, of a letter or "the parameter": a must be at least 1.5.

    What stands before it leads to it, or is what the question asks for; "" if that is denied in only one of them.
    """
    sentence = _ADVERBS.sub("", sentence)
    if sum(map(str.isdigit, _FIGURES.sub("1", sentence))) != 1:
        return None
    for sign, pattern in _SAID.items():
        said = pattern.search(sentence)
        if said is None:
            continue
        letter = said["letter"] or said["name"] or bounds_said.letter_of(reference)
        before = sentence[: said.start()]
        condition = _CONDITION.fullmatch(before) if question else None
        if condition is not None:
            clause = _LEAD.sub("", condition["clause"], count=1)
            if _denies(clause) != _denies(question) or _TWO_SIDED.search(clause):
                return ""
        if _LEAD.fullmatch(before) or (condition is not None and _stems(clause) and _stems(clause) <= _stems(question)):
            return bounds_said.written(letter, sign, said["number"])
    return None


def _denies(clause: str) -> bool:
    return not _DENIALS.isdisjoint(word.lower() for word in words.split(clause))


def _stems(text: str) -> set[str]:
    return {word[:_STEM].lower() for word in words.split(text) if len(word) >= _STEM}


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
    found, rest = bounds_said.bounds_of(sentence)
    if len(found) != len(sides) or any(map(str.isdigit, rest)) or bounds_said.TURNED.search(rest):
        return None
    letter = bound["letter"] if bound else "x"
    return " or ".join(bounds_said.written(letter, sign, number) for sign, number in found)
