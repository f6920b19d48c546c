"""Leaves out what a text that was cut off goes on to say behind its answer: a check, another way, an offer of help."""

from __future__ import annotations

from libra_cli.answers.sentences import remarks
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

_EXTRAS = (
    *("let me also", "let me double", "let me check", "let me verify", "let me explain", "let's check", "let's verify"),
    *(
        "let's double",
        "to see why",
        "to check",
        "to verify",
        "to double-check",
        "check:",
        "verification",
        "we can also",
    ),
    *("we can check", "we can verify", "explanation", "as a check", "in other units", "let me confirm"),
    *("checking", "double-check", "sanity check", "quick check", "why this works", "why it works", "how it works"),
    *("zur kontrolle", "probe:", "v\u00e9rif", "comprob", "verifi"),
)
"""Openers of what a text may still say behind its answer."""
_OFFERS = (
    *("if you would like", "if you'd like", "if you want", "would you like", "let me know", "feel free"),
    "i can also",
)
_WAYS = ("alternatively", "another way", "alternative ")
_CHECKS_IN_SIGNS = lazy_pattern(
    r"[^\x00-\x7f\uff0c\u3002\uff1a\u3001]{0,8}?"
    r"(?:\u9a8c\u8bc1|\u9a8c\u7b97|\u68c0\u9a8c|\u68c0\u67e5|\u691c\u7b97|\u78ba\u8a8d|\uac80\uc0b0|\ud655\uc778)"
)
_BEHIND = lazy_pattern(r"(?<=[.!?*)])[ \t]+(?=[A-Z(*])|\n+(?=\S)|(?<=[\u3002\uff01])[ \t]*(?=\S)")
"""Where a sentence begins."""
_CONCLUDES_ABROAD = (
    *("所以", "因此", "答案", "答え", "したがって", "よって", "따라서", "답은"),
    *("Antwort", " also ", "Also ", "réponse", "Donc", "respuesta", "Por tanto", "Por lo tanto", "resposta"),
)
_AGAIN = words.table("wait hmm actually wrong mistake mistaken error incorrect oops sorry but however not")
_LONGEST = 600
"""Characters at the end of a text in which its last remark begins, unless that is a paragraph."""
_SOLVED = lazy_pattern(r"(?<![\d^*+/-] )(?<![A-Za-z\d^])\$?[A-Za-z] ?= ?-?[\d.,/]*\d\$?\.?\**$")
"""The end of a sentence that gives a letter its value: x = 4."""


def before(text: str) -> str | None:
    """A text that was cut off behind what it concludes with, without what it goes on to say; None for any other.

    It goes on with a check, an explanation, another way or an offer of more help, and takes nothing back.
    """
    end = text.rstrip()
    starts = {match.end() for match in _BEHIND.finditer(end, max(len(end) - _LONGEST, 0))} | {end.rfind("\n\n") + 2}
    for start in sorted(starts):
        extra, before = end[start:].lower().lstrip("*#_ "), end[:start].rstrip()
        is_offer = extra.startswith(_OFFERS)
        is_way = extra.startswith(_WAYS) and "\n" in end[len(before) : start]
        if is_offer or is_way or extra.startswith(_EXTRAS) or _CHECKS_IN_SIGNS.match(extra):
            last = words.sentences(before)[-1] if before else ""
            is_value = any(map(str.isdigit, last)) and not last.endswith((":", "?"))
            is_concluded = is_value and (is_offer or _is_conclusion(last))
            return before if is_concluded and _AGAIN.isdisjoint(words.split(extra)) else None
    return None


def _is_conclusion(last: str) -> bool:
    """Whether a last sentence with a value says that it concludes."""
    if "**" in last:
        return True
    abroad = next((word for word in _CONCLUDES_ABROAD if word in last), "")
    value = last.rpartition(abroad or " is ")[2]
    has_value = "=" not in value or _SOLVED.search(last.rstrip("。です입니다 ")) is not None
    is_led = abroad or " therefore " in last or "answer" in last.lower()
    return has_value and bool(remarks.begins_conclusion(last) or is_led)
