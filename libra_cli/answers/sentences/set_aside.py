"""Leaves out what a text only holds against its answer: n = 3, which fails, a limit of 250 m."""

from __future__ import annotations

import re

from libra_cli.lazy_pattern import lazy_pattern

_VALUE = r"(?:the (?:case|value|choice) )?\$?[a-zA-Z](?:_\w)? ?= ?[-\u2212]?\d[\d.,/]*(?<=\d)\$?"
_FAILS = (
    r"(?:already |just |only |still |itself |also |alone )?"
    r"(?:does not|doesn['\u2019]t|do not|did not|will not|won['\u2019]t|would not|cannot|can['\u2019]t|fails?|failed"
    r"|(?:is|was) (?:already |just |still |itself )?(?:not|too|insufficient|impossible|excluded|ruled out|invalid))\b"
)
_TRIED = lazy_pattern(
    r"(?:[;.,:\u2014\u2013]| \()\s?(?:(?:and|but|while|whereas|since|because|as|for|note that|indeed),? )*"
    rf"(?P<value>{_VALUE}) {_FAILS}[^.;]*[.!)]*\s*$"
)
"""n = 4 is the smallest; n = 3 does not work."""
_TRIED_FIRST = lazy_pattern(
    rf"(?:^|(?<=[.!\n] )|(?<=\n)){_VALUE} {_FAILS}[^,;.]{{0,60}}[,;] "
    r"(?:(?:but|whereas|while|so|and|yet|however),? )?(?=[^.]*\d)"
)
"""n = 6 fails, whereas n = 7 works."""
_BARE_TRIED = lazy_pattern(rf"(?: \(|,? (?:since|because|as|for) )(?P<value>\d+) {_FAILS}[^.;,]*[.!)]*\s*$")
"""So it is 7 (6 does not satisfy the condition)."""
_TRIED_ABROAD = lazy_pattern(
    r"[;,.，；。、] ?(?:(?:aber|mais|pero|ma|mas|но|denn|car|pues|porque|perché|così|а|当|而|但)\s?)?"
    rf"(?P<value>{_VALUE})(?: ?(?:时|時|のとき|일 때))?[^.;,，；。]{{0,40}}?"
    r"(?:\bnicht\b|\bpas\b|\bno (?:funciona|cumple|sirve|satisface|vale)|\bnon (?:funziona|soddisfa|va)"
    r"|\bnão (?:funciona|satisfaz)|не (?:подходит|удовлетворяет|работает)|zu klein|zu groß|trop (?:petit|grand)"
    r"|不满足|不滿足|不成立|不行|不符合|太小|太大|満たさない|成り立たない|不適|만족하지 않|성립하지 않)"
    r"[^.;,，；。]{0,30}[.!。]?\s*$"
)
_DENIED = lazy_pattern(
    r"(?:(?:so|hence|thus|therefore),? )?(?:[^,;.]{1,60} (?:(?:does not|doesn['\u2019]t) (?:work|hold)|fails)\b"
    r"[^,;\d]{0,40}|(?:it|that|this) is false that [^,;]{1,60})[.!]?$",
    re.IGNORECASE,
    one_of=("not work", "t work", "not hold", "t hold", "fails", "is false that"),
)
_LIMIT = lazy_pattern(
    r",? (?:(?:which|that|and|so|thus|it|this|is|are) )*(?:(?:leaving|keeping|putting) (?:him|her|it|them|us) )?"
    r"(?:well |far |just |slightly |much |comfortably |clearly |way )?"
    r"(?:over|above|below|under|beyond|short of|within|(?:more|less|fewer|greater|higher|lower|longer|shorter) than"
    r"|exceed(?:ing|s)) (?:the|its|his|her|their|our) (?:[a-z-]+ ){0,2}?[$\u20ac\u00a3]?\d[\d.,]*(?<=\d)[^.,;]{0,30}?"
    r"\b(?:available|allowed|limit|budget|permitted|required|needed|capacity|maximum|minimum|threshold|mark|target"
    r"|allowance|cap|quota|provided|given)[.!]*\s*$"
    r"|,? (?:(?:which|that|and|so|thus|it|this|is|are) )*(?:well |far |just )?"
    r"(?:over|above|below|under|within|beyond) (?:the|a|its|his|her|their) (?:[a-z]+ )?"
    r"(?:limit|budget|maximum|minimum|threshold|target|capacity|cap) of [$\u20ac\u00a3]?\d[\d.,]*(?<=\d)"
    r"[^.,;\d]{0,20}[.!]*\s*$"
)
_WORKS_TOO = lazy_pattern(
    rf"[;.,] ?(?:(?:and|while|whereas) )?(?P<value>{_VALUE}) (?:also )?"
    r"(?:works|would work|is (?:also )?(?:valid|possible|fine|one))(?: as well| too)?,? but (?:it )?is "
    r"(?:larger|bigger|greater|smaller|less|not the (?:smallest|least|largest|greatest|first))\b[^.;]*[.!)]*\s*$"
)
"""n = 3 is the smallest; n = 4 works as well but is larger."""
_ASKS_FOR_FAILURE = ("not ", "n't", "n\u2019t", "fail", "counterexample", "exceed", "how much more", "how many more")
_SIGNS = (" not", "n't", "n\u2019t", "fail", " too ", "nvalid", "impossible", "excluded", "ruled out", "insufficient")
_SIGNS_ABROAD = (" nicht", " pas", " no ", " non ", " zu klein", " trop ")
_LIMITS = (
    *("limit", "budget", "llow", "vailable", "ermitted", "equired", "eeded", "apacity", "imum", "thresh", "mark"),
    *("target", " cap", "quota", "provided", "given"),
)


_FALSE_THAT = lazy_pattern(
    r"\b(?i:it is|it['\u2019]s|is it) (?:clearly |simply )?(?:false|untrue|wrong|incorrect|not true|not the case"
    r"|not correct) that\b",
    one_of=("false that", "untrue that", "wrong that", "incorrect that", "true that", "case that", "correct that"),
)


def is_denied(sentence: str, question: str | None) -> bool:
    """Whether a sentence is no more than a relation that it denies: n = 3 does not work."""
    if not any(map(sentence.__contains__, "=<>")):
        return False
    asks = any(map((question or "").lower().__contains__, _ASKS_FOR_FAILURE))
    return not asks and _DENIED.match(sentence.strip()) is not None


def is_called_false(sentence: str) -> bool:
    """Whether a sentence says that what it states is not so: it is false that x is at least 3."""
    return _FALSE_THAT.search(sentence) is not None


def without(text: str, question: str | None) -> str:
    """`text` without the value that it ends with and that fails, or the limit to which it compares its answer."""
    last = text[-300:]
    has_value = any(map(last.__contains__, _SIGNS))
    is_abroad = "=" in last and (not last.isascii() or any(map(last.__contains__, _SIGNS_ABROAD)))
    has_limit = any(map(last.__contains__, _LIMITS))
    has_other = " but is " in last or " but it is " in last
    if not (has_value or has_limit or is_abroad or has_other) or any(
        map((question or "").lower().__contains__, _ASKS_FOR_FAILURE)
    ):
        return text
    if has_value and "=" in last and (first := _TRIED_FIRST.search(text, max(len(text) - 300, 0))):
        text = text[: first.start()] + text[first.end() :]
    patterns = (
        (_WORKS_TOO, has_other),
        (_TRIED, has_value),
        (_BARE_TRIED, has_value),
        (_TRIED_ABROAD, is_abroad),
        (_LIMIT, has_limit),
    )
    for pattern, is_there in patterns:
        found = pattern.search(text, max(len(text) - 300, 0)) if is_there else None
        if found is None:
            continue
        head = text[: found.start()].rstrip()
        if pattern is not _LIMIT:
            head = _without_value(head, found["value"].split("=")[-1].strip(" $"))
        if any(map(str.isdigit, head.rpartition("\n")[2])):
            text = f"{head}."
    return text


def _without_value(head: str, value: str) -> str:
    """What stands before a value that fails, without that value where it lists it: x = 2 or x = -3."""
    if value not in head:
        return head
    name = r"\$?(?:[a-zA-Z](?:_\w)? ?= ?)?"
    one = re.escape(value)
    for listed in (rf",? (?:or|and) {name}{one}\$?(?![\d.,]*\d)", rf"{name}(?<![\d.-]){one}\$?,? (?:or|and) "):
        shorter = re.sub(listed, "", head)
        if shorter != head and value not in shorter:
            return shorter
    return ""
