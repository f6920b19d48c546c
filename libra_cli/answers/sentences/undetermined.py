"""Reads that something cannot be determined, or that a text determines it, where a reference says that nobody can."""

from __future__ import annotations

from collections.abc import Sequence

from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS = 60
"""Length of the longest reference that says nothing else."""
_CANNOT = (
    r"(?:can(?:not|['\u2019]t| not)|could(?: not|n['\u2019]t)|(?:is|are) not|isn['\u2019]t|not possible to"
    r"|impossible to|no way (?:to|of)|unable to)"
)
_TELL = (
    r"(?:determin\w+|tell|sa(?:y|id)|know\w*|inferr?\w*|deduced?|conclude\w*|found|decided?|calculat\w+"
    r"|comput\w+|specified|answered|established)"
)
_FACTS = "(?:information|data|details|facts)"
_IN_ENGLISH = lazy_pattern(
    rf"(?i:\b{_CANNOT}(?: be)?(?: uniquely| fully| reliably| actually)? {_TELL}\b"
    rf"|\b(?:not enough|insufficient|too little|lacks?|need more|without more|missing) {_FACTS}\b"
    rf"|(?:n['\u2019]t|not)(?: [a-z]+){{0,3}} enough {_FACTS}\b"
    rf"|\b(?:is|are)(?:n['\u2019]t| not) (?:enough|sufficient)(?: {_FACTS})?\b"
    rf"|\b{_FACTS} (?:given )?(?:is|are) (?:insufficient|not enough|not sufficient|missing|lacking)\b"
    r"|\b(?:in|un)determin(?:ate|ed|able)\b|\bunderdetermined\b|\binconclusive\b)",
    one_of=(
        *("information", "data", "details", "facts", "determin", "inconclusive", "enough"),
        *("sufficient", "cannot", "can't", "can\u2019t", "can not", "could not", "couldn"),
        *("are not", "is not", "isn't", "isn\u2019t", "possible", "no way", "unable"),
    ),
)
_ABROAD = (
    *("no se puede determinar", "no se puede saber", "faltan datos", "ne peut pas être déterminé", "impossible de dét"),
    *("ne peut pas déterminer", "ne peut pas savoir", "lässt sich nicht bestimmen", "nicht bestimmbar"),
    *("kann nicht bestimmt werden", "non si può determinare", "non è possibile determinare"),
    *("não pode ser determinad", "não é possível determinar", "невозможно определить", "нельзя определить"),
    *("无法确定", "不能确定", "无法判断", "不能判断", "无法求出", "无法得知", "条件不足", "信息不足"),
    *(
        "決定できない",
        "決定できません",
        "求めることはできません",
        "判断できない",
        "알 수 없",
        "결정할 수 없",
        "판단할 수 없",
    ),
)
_GIVES = r"(?:\b(?:is|are|equals?)|=|≈) ?\$?-?\d"
_DETERMINES = lazy_pattern(
    r"^(?:Yes\b|(?i:it(?:['\u2019]s| is) possible to)\b|(?i:it|the \w+(?: \w+)?) can be"
    rf" (?:determined|found|calculated|inferred)\b)|{_GIVES}|[\u3040-\u9fff]\d|\d[\u3040-\u9fff]"
)
_VALUE = lazy_pattern(_GIVES)
_TURNS = words.table("then but however unless except if although though actually wait or might may maybe perhaps")


def is_said(text: str) -> bool:
    """Whether a text says that something cannot be determined."""
    lowered = text.lower()
    return _IN_ENGLISH.search(text) is not None or any(map(lowered.__contains__, _ABROAD))


def verdict(sentences: Sequence[str]) -> bool | None:
    """Whether a text says that nobody can tell; None if neither that nor the opposite is certain."""
    said = [one for one in sentences if is_said(one)]
    heard = {word.lower() for one in (sentences if not said else sentences[-2:]) for word in words.split(one)}
    if said:
        is_last = said[-1] in (sentences[0], *sentences[-2:]) and not any(map(_VALUE.search, sentences[-2:]))
        return True if is_last and _TURNS.isdisjoint(heard) else None
    return False if _DETERMINES.search(sentences[-1].strip()) and _TURNS.isdisjoint(heard) else None
