"""Reads the bound of a letter that a sentence in Chinese, Japanese or Korean states: x至少是5, xは5以上, x는 5 이하."""

from __future__ import annotations

from libra_cli.lazy_pattern import lazy_pattern

_LETTER = r"(?<![A-Za-z])\$?(?P<letter>[A-Za-z])\$?"
_NUMBER = r"\$?(?P<number>[-\u2212]?\d+(?:\.\d+)?(?:/\d+)?)\$?"
_BEFORE = lazy_pattern(
    _LETTER + r"(?:的值|的取值)?(?:必须|应该?|应当|需要?|要)?(?:"
    r"(?P<geq>至少|最少|不[小少低][于於]|[大高][于於]或?等[于於])|(?P<leq>至多|最多|不[大多高][于於]|不超[过過]|[小低][于於]或?等[于於])"
    rf"|(?P<gt>[大高多][于於]|超[过過])|(?P<lt>[小低少][于於]))(?:是|为)?{_NUMBER}\s?[。.！!]?$",
    one_of=(*"至最不大小高低多少超",),
)
_BEHIND = lazy_pattern(
    _LETTER + rf"(?:の値)?(?:는|은|가|이|의 값은|は|が) ?{_NUMBER} ?(?:"
    r"(?P<geq>以上|이상|보다 ?크거나 ?같)|(?P<leq>以下|이하|보다 ?작거나 ?같)"
    r"|(?P<gt>より大き[いくな]|を超え[る]?|보다 ?[크큰커]|초과)|(?P<lt>未[満满]|より小さ[いくな]|보다 ?작|미만))"
    r"[^\d，、,.。]{0,12}[。.！!]?$",
    one_of=("以", "より", "を超え", "未", "이상", "이하", "초과", "미만", "보다"),
)
_SIGNS = {"geq": "\\geq", "leq": "\\leq", "gt": ">", "lt": "<"}
_DENIED = ("ない", "않", "아니")
_NUMBERS = lazy_pattern(r"\d+(?:[./]\d+)?")


def stated(sentence: str) -> str | None:
    """The bound that is all that a sentence says in numbers; None for any other sentence."""
    if sentence.isascii() or len(_NUMBERS.findall(sentence)) != 1:
        return None
    found = _BEFORE.search(sentence) or _BEHIND.search(sentence)
    if found is None or any(map(found[0].__contains__, _DENIED)):
        return None
    sign = next(sign for name, sign in _SIGNS.items() if found[name])
    return f"{found['letter']} {sign} {found['number'].replace(chr(0x2212), '-')}"
