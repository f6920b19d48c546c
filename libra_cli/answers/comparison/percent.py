"""Compares a percentage with a bare number, and finds out whether a text asks for a percentage."""

from __future__ import annotations

from libra_cli.answers.text import number, words
from libra_cli.answers.text.number import Number
from libra_cli.answers.values import normalize
from libra_cli.answers.values.structure import Leaf
from libra_cli.lazy_pattern import lazy_pattern

OTHER_PERCENT = "percent_or_number"
"""The answer is a percentage, the reference is the same figure without a sign, and nothing says what it counts."""
_NAMED = lazy_pattern(
    r"(?P<before>[^\s.?!]+)\s+(?:percent(?:age)?s?\b(?! points?\b)"
    r"|(?:pro[zc]ent|pour ?cent|por ?cent|percentu|процент)\w*"
    r"|por ciento|per cento)|百分之几|百分之多少|百分比|百分率|何(?:パーセント|％|%)|몇 ?(?:퍼센트|%|％)"
)
_ASKING = lazy_pattern(
    r"\b(?:what|find|express|calculate|compute|determine|give|write|answer|as|how|wie|welche[rsn]?|in"
    r"|quel(?:le)?|combien"
    r"|qué|cuál|cuánto|qual[ei]?|quant[oa]|em|en|сколько|како[вй]|каков[аы]|в|ile|jaki|hoeveel|welk|hur"
    r"|vad)\b|[几多求何몇]"
)

_CONVERTED = lazy_pattern(
    r"(?:(?P<share>0?\.\d+|(?<!\d)\d+ ?[/\u00f7] ?\d+)|[\u00d7x*\u00b7] ?100 ?\\?%?) ?(?:=|\u2192|->|\u21d2"
    r"|\\to) ?(?P<percent>\d+(?:\.\d+)?) ?\\?%"
)
"""A share or a product with 100, and the percentage that it is: 0.625 = 62.5 %."""
_NEAR = 200
"""Characters at the end of a text in which the percentage stands."""


def same(reference: Number, answer: Number) -> bool | None:
    """Whether two numbers are equal, of which at least one is a percentage.

    A bare 25 is right for 25%, as the graders of published benchmarks have it; 25% for a bare 25 is undecided, and so
    is 1/2 for 0.5%, for a proper fraction is not how a percentage is written.
    """
    equal = number.same(reference, answer)
    if equal or reference.percent == answer.percent:
        return equal
    if reference.percent and reference.value * 100 == answer.value:
        is_proper_fraction = answer.places == 0 and 0 < abs(answer.value) < 1
        return None if is_proper_fraction else True
    if reference.percent:
        return False
    return None if answer.value * 100 == reference.value else False


def may_agree(reference: Leaf, answer: Leaf) -> bool:
    """Whether one of two answers without units is a percentage, and the other one its figure, without a sign."""
    if reference.unit or answer.unit or not reference.number or not answer.number:
        return False
    is_bare = reference.number.percent and not answer.number.percent
    is_fraction = is_bare and same(reference.number, answer.number) is None
    return is_fraction or _has_figure_of(answer.number, reference.number)


def _has_figure_of(share: Number | None, bare: Number | None) -> bool:
    """Whether a percentage has the figure of a bare number."""
    return bool(share and share.percent and bare and not bare.percent and same(bare, share) is None)


def without_sign(reference: str, answer: str) -> str | None:
    """The bare number of `answer` if it is a percentage with the figure of the bare `reference`; None otherwise."""
    wanted, given = (number.parse(normalize.normalized(normalize.plain(text))) for text in (reference, answer))
    return str(wanted.value) if wanted and _has_figure_of(given, wanted) else None


def is_converted(text: str) -> bool:
    """Whether a text ends by turning a share into a percentage: 20/32 = 0.625 = 62.5 %."""
    text = text[-_NEAR:]
    found = [*_CONVERTED.finditer(text)] if "=" in text or "\u2192" in text else []
    if not found or text[found[-1].end() :].strip(" .$*!"):
        return False
    share = found[-1]["share"]
    if share is None:
        return True
    value, figure = number.parse(share.replace("\u00f7", "/").replace(" ", "")), number.parse(found[-1]["percent"])
    return value is not None and figure is not None and value.value * 100 == figure.value


def is_asked_for(text: str) -> bool:
    """Whether a sentence of `text` asks for a percentage: "what percent of", but not "what is 20 percent of"."""
    for sentence in map(str.lower, words.sentences(text)):
        for named in _NAMED.finditer(sentence):
            before = named["before"]
            counted = before is not None and (before[-1] in "0123456789$})" or number.parse(before) is not None)
            if not counted and _ASKING.search(sentence, 0, named.end()):
                return True
    return False
