"""Writes the small letters with which a text names options as capitals: option e), choice (b), la opción a."""

from __future__ import annotations

import re

from libra_cli.lazy_pattern import lazy_pattern

_NOUNS = (
    r"(?:options?|choices?|letter|buchstabe|lettre|letra|lettera|alternatives?|opci[oó]n|alternativa|opzione|opç[aã]o|antwortm\w+|antwort|möglichkeit|optie"
    r"|réponse|proposition|respuesta|risposta|resposta|вариант|ответ|odpowied[zź]|选项|選項|選択肢|보기)"
)
_NAMED = lazy_pattern(
    rf"(?i:\b{_NOUNS}|选项|選項|選択肢|보기)(?:\s|:|\s(?:is|ist|est|es|è|é|lautet|to|jest)\s|\s?[:\uff1a]\s?)\s?"
    r"(?P<open>[(\uff08])?(?P<letter>[a-j])(?P<close>[)\uff09])?(?=[\s.,;:!*\u3002\uff0c]|$)"
)
_CLOSED = lazy_pattern(
    r"(?:(?i:\b(?:answer|antwort|réponse|respuesta|risposta|resposta|ответ)(?: (?:correct\w{0,2}|richtig\w{0,2}))?"
    r"(?:\s(?:is|ist|est|es|è|é|:)|[:\uff1a])(?: (?:la|le|die|a|o|il|el))?|\b(?:go with|choose|pick|select))"
    r"|答案[是为:：]|答えは|정답은)[*\s]{0,4}(?P<open>[(\uff08])?(?P<letter>[a-j])(?P<close>[)\uff09])(?!\w)"
)
_ARTICLES = {"a", "e", "i"}


def in_capitals(text: str) -> str:
    """`text` with capitals for small letters behind a noun for an option, or in brackets behind "answer is"."""
    if len({named["letter"] for named in _NAMED.finditer(text)}) > 2:  # which are judged one by one
        return text
    text = _NAMED.sub(lambda named: _capital(named, is_plain=True), text)
    return _CLOSED.sub(lambda named: _capital(named, is_plain=False), text)


def _capital(named: re.Match[str], is_plain: bool) -> str:
    letter, end = named["letter"], named.string[named.end("letter") :]
    is_word = is_plain and letter in _ARTICLES and not named["close"] and end[:1] == " "  # option a is an article
    if is_word and not end.lstrip().startswith(("is ", "ist ", "est ", "es ", "è ", "é ")):
        return named[0]
    start = named.start("letter") - named.start()
    return named[0][:start] + letter.upper() + named[0][start + 1 :]
