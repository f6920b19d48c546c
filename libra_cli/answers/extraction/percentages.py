"""Readers of a last sentence that says what percent something is: `fifteen percent of 80`, `0.15, or 15 percent`."""

from __future__ import annotations

from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.sentences import assertions
from libra_cli.answers.sentences.extracted import Extraction
from libra_cli.answers.text import number, words
from libra_cli.lazy_pattern import lazy_pattern

_ASKS = lazy_pattern(r"(?i:what percent(?:age)? of) [$\u20ac]?\d", one_of=("what percent",))
_OF = lazy_pattern(r"(?<![\w.,-])([A-Za-z-]{3,20}|\d[\d.]{0,12}) ?(?:\\?%|percent|per cent) of\b")
_SIGN = (
    r"(?:\\?%|(?i:percent|per ?cent|prozent|pour ?cent|por ?cento|por ciento|per cento|procent)(?![A-Za-z])|процент\w*)"
)
_SHARE = lazy_pattern(rf"\d ?{_SIGN}")
_RESTATED = lazy_pattern(
    r"(?:[\s,;(](?i:(?P<or>or|oder|ou)|i\.e\.|that is|namely|in percent|as a percent(?:age)?"
    r"|expressed as a percent(?:age)?|so"
    r"|also|das sind|d\. ?h\.|in Prozent|soit|en pourcentage|o sea|es decir|ou seja|cio\u00e8|ossia|то есть)"
    rf"[,:]? |[=\u2248\u2192\u21d2]|\\(?:approx|to|Rightarrow)(?![a-z])|in percent: ) ?[$*]*(?:an? )?"
    rf"(?P<figure>-?\d[\d.,]*(?<=\d)) ?{_SIGN}[$*)]*(?: (?:increase|decrease|rise|drop|fall|growth|reduction|gain|loss"
    r"|profit|discount|change|chance|probability))?[.!]?\s*$"
)
"""A percentage that ends a sentence, behind the same value in another form: 0.15, or 15 percent."""
_NUMBER = lazy_pattern(r"\d+(?:[./]\d+)?")


def percent_of(prose: Prose) -> Extraction | None:
    """`Fifteen percent of 80 is 12`, where the question asks what percent: the only share of the last sentence."""
    if not prose.question or not _ASKS.search(prose.question):
        return None
    sentence = prose.sentences[-1]
    found = _OF.findall(sentence) if sentence.count("%") + sentence.lower().count("percent") == 1 else []
    if len(found) != 1 or f"{found[0]}%" in prose.question:
        return None
    spelled = words.number(found[0].lower()) if found[0][0].isalpha() else None
    value = found[0] if number.parse(found[0]) is not None else None if spelled is None else number.written(spelled)
    return Extraction(f"{value}%") if value else None


def restated(prose: Prose) -> Extraction | None:
    """`That is 6 of 40, i.e. 0.15, or 15 percent`, for a reference in percent: the percentage at the end."""
    if prose.cut or not prose.reference.rstrip("$ ").endswith("%"):
        return None
    sentence = words.sentences(prose.in_figures)[-1]
    found = _RESTATED.search(sentence)
    if found is None or len(_SHARE.findall(sentence)) != 1 or assertions.denies(sentence):
        return None
    if found["or"] and not _is_same(sentence[: found.start()], found["figure"]):
        return None
    return Extraction(f"{found['figure']}%")


def _is_same(before: str, figure: str) -> bool:
    """Whether the number that ends a text is a percentage in another form: 0.15, or 15 percent."""
    shares = _NUMBER.findall(before)
    share, percent = number.parse(shares[-1]) if shares else None, number.parse(figure)
    return share is not None and percent is not None and share.value * 100 == percent.value
