"""Writes roots in words in signs: the cube root of 16, die Wurzel aus 5, la racine carrée de 7."""

from __future__ import annotations

import re

from libra_cli.answers.text import words
from libra_cli.lazy_pattern import in_small_letters, lazy_pattern

_DEGREES = {
    2: "square quadrat carrée cuadrada quadrada quadrata vierkants квадратный квадратному kwadratowy",
    3: "cube cubic kubik dritte third cubique cúbica cubica derdemachts кубический кубическому sześcienny",
    4: "fourth vierte quatrième cuarta quarta vierdemachts",
    5: "fifth fünfte cinquième quinta",
    6: "sixth sechste sixième sexta",
}
_DEGREE_OF = {name: degree for degree, names in _DEGREES.items() for name in names.split()}
_NAMES = "|".join(sorted(_DEGREE_OF, key=len, reverse=True))
_NUMBER = r"\$?\d[\d.,/]*(?<=\d)\$?|[a-z]+(?:-[a-z]+)?"
_IS = (
    r"(?:\b(?:is|are|be|equals?(?: to)?|gives?|get|measures?|to|ist|sind|beträgt|ergibt|est|sont|vaut|de|es|son|mide"
    r"|vale|é|são|mede|è|sono|misura|равен|равна|равно|равны|wynosi|jest|równa)|[=:])"
    r" (?:exactly |just |simply |therefore |thus |then |also |genau |exactement |exactamente |di |ровно )?"
)
_ROOT = lazy_pattern(
    rf"(?P<is>{_IS})"
    rf"(?:(?P<half>half )|(?P<twice>twice )|(?P<factor>{_NUMBER}) (?:times|mal|fois|veces|vezes|volte|keer) )?"
    r"(?:the |its |die |la |a |de )?(?:(?P<negative>negative )|positive |principal )?"
    rf"(?:(?P<degree>{_NAMES}) ?root of|root(?= \d)|(?:(?P<de>{_NAMES}) ?)?wurzel (?:aus|von)"
    rf"|(?:racine|raíz|raiz|radice)(?: (?P<romance>{_NAMES}))? (?:de|di)|(?:(?P<nl>{_NAMES}) ?)?wortel (?:uit|van)"
    rf"|(?:(?P<ru>{_NAMES}) )?кор(?:ень|ню) из|pierwiastek (?:(?P<pl>{_NAMES}) )?z) "
    rf"(?P<inside>{_NUMBER})(?: (?:divided by|over|geteilt durch|divisé par) (?P<over>{_NUMBER}))?"
    r"(?=[.,;!)]? |[.,;!)]*\s*$)(?![,;]? (?:is|plus|minus|times|and|of|over|divided|ist|est|es|è|é)\b)",
    re.IGNORECASE,
)
_SAID = (
    "root of",
    " root ",
    "quare of",
    "ube of",
    "urzel ",
    "racine ",
    "raíz ",
    "raiz ",
    "radice ",
    "wortel ",
    "корень из",
    "корню из",
    "pierwiastek",
)
_INSIDE = (
    r"(?:root of|urzel (?:aus|von)|(?:racine|raíz|raiz|radice)(?: \w+)? d[ei]|wortel (?:uit|van)|кор(?:ень|ню) из) "
)


def is_said(text: str) -> bool:
    """Whether a text has the word for a root."""
    return any(map(text.__contains__, _SAID))


def is_inside(answer: str, text: str) -> bool:
    """Whether a number stands behind the word for a root, and no verb between them."""
    if re.search(
        rf"\b(?:square|cube) of (?:the|its|his|her) [a-z ]{{1,20}} (?:is|equals) \$?{re.escape(answer)}", text
    ):
        return True
    inside = rf"{_INSIDE}\$?(?:\d[\d.]*\$? (?:plus|minus) \$?)?{re.escape(answer)}(?![\d.,]*\d)"
    return re.search(inside, text) is not None


def in_signs(text: str) -> str:
    """`text` with the roots in words that its last sentence states in signs."""
    start = len(text) - len(words.sentences(text)[-1])
    return text[:start] + _ROOT.sub(_written, text[start:])


def _written(root: re.Match[str]) -> str:
    degree = next((root[name] for name in ("degree", "de", "romance", "nl", "ru", "pl") if root[name]), "square")
    index = _DEGREE_OF[in_small_letters(degree)]
    inside, factor, over = (_figure(root[name]) for name in ("inside", "factor", "over"))
    if not inside or (root["factor"] and not factor) or (root["over"] and not over):
        return root[0]
    value = f"\\sqrt{{{inside}}}" if index == 2 else f"\\sqrt[{index}]{{{inside}}}"
    over = "2" if root["half"] else over
    value = f"\\frac{{{value}}}{{{over}}}" if over else f"{'2' if root['twice'] else factor}{value}"
    return f"{root['is']}${'-' if root['negative'] else ''}{value}$"


def _figure(said: str | None) -> str:
    """A number in digits, or a letter; empty for other words."""
    bare = (said or "").strip("$")
    if not bare or bare[0].isdigit() or len(bare) == 1:
        return bare
    value = words.number(bare)
    return "" if value is None else str(value)
