"""Writes the small letters with which a text names options as capitals: option e), choice (b), la opción a."""

from __future__ import annotations

import re

from libra_cli.answers.sentences import options
from libra_cli.lazy_pattern import lazy_pattern

_NAMED = lazy_pattern(
    rf"(?i:\b{options.NOUNS}|选项|選項|選択肢|보기)(?:\s|:|\s(?:is|ist|est|es|è|é|lautet|to|jest)\s|\s?[:\uff1a]\s?)\s?"
    r"(?P<open>[(\uff08])?(?P<letter>[a-j])(?P<close>[)\uff09])?(?=[\s.,;:!*\u3002\uff0c]|$)"
)
_CLOSED = lazy_pattern(
    r"(?:(?i:\b(?:answer|antwort|réponse|respuesta|risposta|resposta|ответ)(?: (?:correct\w{0,2}|richtig\w{0,2}))?"
    r"(?:\s(?:is|ist|est|es|è|é|:)|[:\uff1a])(?: (?:la|le|die|a|o|il|el))?|\b(?:go with|choose|pick|select))"
    r"|答案[是为:：]|答えは|정답은)[*\s]{0,4}(?P<open>[(\uff08])?(?P<letter>[a-j])(?P<close>[)\uff09])(?!\w)"
)
_LISTED = lazy_pattern(
    rf"(?i:\b{options.NOUNS}\b)[:\s]{{1,2}}(?:(?i:is|are|sind|sont|son)\s)?"
    r"(?:\([a-j]\)(?:,? (?:and |und |et |y )?|,))+\([a-j]\)[.!]?\s*$"
)
"""Several small letters in brackets: Correct choices: (b), (d)."""
_IN_BRACKETS = lazy_pattern(r"\(([a-j])\)")
_ARTICLES = {"a", "e", "i"}


def is_list(reference: str) -> bool:
    """Whether a reference names several options by small letters in brackets: (a), (d)."""
    return reference[:1] == "(" and options.SMALL_LIST.fullmatch(reference.strip()) is not None


def all_in_capitals(text: str) -> str:
    """`text` with capitals for all small letters in brackets."""
    return _IN_BRACKETS.sub(lambda one: one[0].upper(), text)


def in_capitals(text: str) -> str:
    """`text` with capitals for small letters behind a noun for an option, or in brackets behind "answer is"."""
    if len({named["letter"] for named in _NAMED.finditer(text)}) > 2:  # which are judged one by one
        return text
    if listed := _LISTED.search(text):
        return text[: listed.start()] + _IN_BRACKETS.sub(lambda one: one[0].upper(), listed[0])
    text = _NAMED.sub(lambda named: _capital(named, is_plain=True), text)
    return _CLOSED.sub(lambda named: _capital(named, is_plain=False), text)


def _capital(named: re.Match[str], is_plain: bool) -> str:
    letter, end = named["letter"], named.string[named.end("letter") :]
    is_word = is_plain and letter in _ARTICLES and not named["close"] and end[:1] == " "  # option a is an article
    if is_word and not end.lstrip().startswith(("is ", "ist ", "est ", "es ", "è ", "é ")):
        return named[0]
    start = named.start("letter") - named.start()
    return named[0][:start] + letter.upper() + named[0][start + 1 :]
