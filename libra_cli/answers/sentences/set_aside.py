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
_LIMIT = lazy_pattern(
    r",? (?:(?:which|that|and|so|thus|it|this|is|are) )*"
    r"(?:well |far |just |slightly |much |comfortably |clearly |way )?"
    r"(?:over|above|below|under|beyond|short of|within|(?:more|less|fewer|greater|higher|lower|longer|shorter) than"
    r"|exceed(?:ing|s)) (?:the|its|his|her|their|our) (?:[a-z-]+ ){0,2}?[$\u20ac\u00a3]?\d[\d.,]*(?<=\d)[^.,;]{0,30}?"
    r"\b(?:available|allowed|limit|budget|permitted|required|needed|capacity|maximum|minimum|threshold|mark|target"
    r"|allowance|cap|quota|provided|given)[.!]*\s*$"
)
_ASKS_FOR_FAILURE = ("not ", "n't", "n\u2019t", "fail", "counterexample", "exceed", "how much more", "how many more")
_SIGNS = (" not", "n't", "n\u2019t", "fail", " too ", "nvalid", "impossible", "excluded", "ruled out", "insufficient")
_LIMITS = (
    *("limit", "budget", "llow", "vailable", "ermitted", "equired", "eeded", "apacity", "imum", "thresh", "mark"),
    *("target", " cap", "quota", "provided", "given"),
)


def without(text: str, question: str | None) -> str:
    """`text` without the value that it ends with and that fails, or the limit to which it compares its answer."""
    last = text[-300:]
    has_value = "=" in last and any(map(last.__contains__, _SIGNS))
    has_limit = " the " in last and any(map(last.__contains__, _LIMITS))
    if not (has_value or has_limit) or any(map((question or "").lower().__contains__, _ASKS_FOR_FAILURE)):
        return text
    for pattern, is_there in ((_TRIED, has_value), (_LIMIT, has_limit)):
        found = pattern.search(text, max(len(text) - 300, 0)) if is_there else None
        if found is None:
            continue
        head = text[: found.start()].rstrip()
        if pattern is _TRIED:
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
