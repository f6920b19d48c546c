"""Patterns of what takes an answer back, doubts it, or puts another in its place."""

from __future__ import annotations

import re

from libra_cli.lazy_pattern import lazy_pattern

DENIED_AT_ONCE = lazy_pattern(
    r"[\s$.*\\)\]]*(?:(?:is|was|would be)|(?:but|no|wait),?\s+(?:that|this|it)(?:'s| is| was))"
    r"\s+(?:actually\s+)?(?:(?:wrong|incorrect|a mistake)\b"
    r"|not(?:\s+(?:right|correct|the (?:right |correct |final )?answer))?(?=\s*(?:[.!?,;]|$)))",
    re.IGNORECASE,
)
_MISTAKES = r"(?:a|an|some) (?:\w+ )?(?:mistakes?|errors?|slip)"
DENIED = lazy_pattern(
    r"\b(?:(?:that|this|it|which|(?:the|my) (?:\w+ )?(?:answer|result|value|box|count))(?:[\u2019']s| is| was)"
    r"(?: actually| clearly)? (?:wrong|incorrect|mistaken|a mistake|an error|not (?:right|correct|the answer))"
    r"(?! for\b| if\b| unless\b)"
    rf"|(?:I|we|have|must have) made {_MISTAKES}|my mistake|mis(?:counted|calculated|read|computed)"
    r"|I was (?:wrong|mistaken)|reject (?:it|this|that)|take (?:it|this|that) back|scratch that|fails the check|oops)\b"
    rf"|(?:^|[.!?\n]\s?)made {_MISTAKES}"
    r"|(?:\u6211|\u521a\u624d)?(?:\u7b97\u9519|\u641e\u9519|\u5f04\u9519)\u4e86"
    r"|\b(?:me equivoqué|je me suis trompée?|mi sono sbagliat[oa]|me enganei|ich habe mich (?:verrechnet|geirrt))"
    r"|\bя ошиб",
    re.IGNORECASE,
)
"""Words that take back what stands before them."""
DOUBTED = lazy_pattern(
    r"(?:^|[.!?\n(])[\s*_$\\)\]]{0,8}(?:(?:but|oh|ah),? )?"
    r"(?:wait|hold on|hmm+|actually|on second thought|correction|edit|sorry|no|let me re\w+)\b",
    re.IGNORECASE,
)
"""A sentence that may change what stands before it: an explicit statement behind it counts."""
RESTATED = lazy_pattern(
    r"(?:(?:^(?:[\s.,:;\u2014-]|wait\b|no\b|sorry\b)*|[.!?\n]\s*(?:so )?|, (?:so|hence|thus) )"
    r"(?:it(?:['\u2019]s| is)|I meant|make (?:that|it)|(?:(?:it|this|that) )?should (?:be|have been))"
    r"|\bthe (?:correct|right|actual|true|real) (?:\w+ ){1,2}is):? "
    r"(?P<given>[^.!?\n]{0,40}?(?-i:(?<![A-Za-z])[\dA-J](?![a-z]))(?:[^.!?\n]|\.\d){0,40})"
    r"|^[\s.,:;\u2014-]*(?P<subject>\(?[A-J]\)?|\$?[-\d.,/]+\$?) is (?:correct|right|the (?:right |correct )?answer)\b",
    re.IGNORECASE,
)
"""What a doubt puts in the place of the answer: "no, it's 6", "actually, B is correct"."""
STRUCK = lazy_pattern(r"~~[^~\n]{1,200}~~")
_FIGURE, _OPTION = r"\*{0,2}\$?-?\d[\d.,/]*(?<![.,])%?(?:\*\*)?", r"\(?(?-i:[A-H])\)?"
_PAUSE = r"(?:[ ,.;:!?(\u2014\u2013\u2026]|-(?= )){1,5}"
_TURN = (
    r"(?:no(?=[,.;:\u2014\u2013-]| wait| sorry| actually)|wait|sorry|actually|or rather|I meant?|oops|correction"
    r"|make that)"
)
_TURNED = rf"{_PAUSE}(?:{_TURN}{_PAUSE}){{1,3}}(?:it(?:['\u2019]s| is) )?"
_SLIP = lazy_pattern(
    rf"(?<![\w.,*/=^-])(?:{_FIGURE}{_TURNED}(?P<figure>{_FIGURE})(?=[.!) ]|$)(?! ?[-+*/=^<>\u00d7\u00b7])"
    rf"|{_OPTION}{_TURNED}(?P<option>{_OPTION})[.!)]*$)",
    re.IGNORECASE | re.MULTILINE,
)
"""A number or an option whose place another takes at once: 7, no, 8."""
_TURNS = (
    *("wait", "Wait", "orry", "ctually", "or rather", "I mean", "ops", "ake that", "orrection"),
    *("no,", "no.", "no;", "no:", "no\u2014", "no\u2013", "No,", "No.", "No:"),
)
_END = 200


def without_slip(text: str) -> str:
    """`text` with the number or the option on its last line that takes the place of the one before it: 7, no, 8."""
    start = max(text.rfind("\n", 0, -1) + 1, len(text) - _END)
    end = text[start:]
    if not any(map(end.__contains__, _TURNS)):
        return text
    return text[:start] + _SLIP.sub(lambda slip: slip["figure"] or slip["option"], end)


CHANGES = (
    *("wrong", "incorrect", "mistake", "error", "slip", "not ", "mis", "reject", "back", "scratch", "fails"),
    *("oops", "wait", "edit", "hold on", "hmm", "actually", "thought", "correction", "sorry", "let me"),
    *("equivoqu", "tromp", "sbagliat", "enganei", "ich habe mich", "ошиб"),
    *("no ", "no,", "no.", "no!", "no:", "\u7b97\u9519", "\u641e\u9519", "\u5f04\u9519"),
)
"""Substrings, in lower case, of every text that takes something back (a faster test)."""


def is_about_the_answer(denial: re.Match[str]) -> bool:
    """Whether the sentence before a denial names no other number that it may be about: "9 is tempting, but wrong"."""
    start = max(denial.string.rfind(end, 0, denial.start()) for end in (". ", "! ", "? ", "\n", "\u3002", "$."))
    return not any(map(str.isdigit, denial.string[max(start, 0) : denial.start()]))
