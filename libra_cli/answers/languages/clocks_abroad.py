"""Writes times of day of European languages with a colon: 8.40 Uhr, 18 h 45, las 4:25 de la tarde."""

from __future__ import annotations

import re

from libra_cli.lazy_pattern import lazy_pattern

_TIME_OF_REFERENCE = lazy_pattern(
    r"\d{1,2} ?[:h] ?[0-5]\d(?: ?(?:Uhr|h|horas|heures|noon|midnight|[ap]\.?m\.?))?|\d{1,2}(?:\.\d\d)? ?Uhr|\d{1,2} ?h"
)
_CLOCK = lazy_pattern(
    r"(?<![\d.,:])(?P<hour>\d{1,2})(?: ?h ?|(?:\.(?=\d\d Uhr)|:| Uhr (?=\d)))(?P<minute>[0-5]\d)(?![\d:]| ?m)"
    r"(?P<behind> (?:Uhr|horas|heures)(?: (?:und|y|et))?| ?h(?![a-z]))?"
    r"(?P<half> (?:de la (?:ma\u00f1ana|tarde|noche)|da (?:manh\u00e3|tarde|noite)|du (?:matin|soir)"
    r"|de l'apr\u00e8s-midi|di (?:mattina|sera)|del (?:mattino|pomeriggio)|morgens|vormittags|nachmittags|abends))?"
)
_FULL_HOUR = lazy_pattern(
    r"(?<![\d.,:])(?<!alb )(?<!iertel )(?<!vor )(?<!nach )(?<!kurz )(?<!gegen )"
    r"(\d{1,2}) ?Uhr(?: mittags)?(?! ?\d|[a-z])"
    r"(?! (?:nachmittags|nachts|abends|morgens|früh))"
)
_MORNING = ("ma\u00f1ana", "manh\u00e3", "matin", "mattin", "morgens", "vormittags")
_NOON = 12


def in_figures(text: str, reference: str) -> str:
    """`text` with its times of day in figures, if the reference is one; the half of the day is counted to 24 hours."""
    if not _TIME_OF_REFERENCE.fullmatch(reference):
        return text
    return _CLOCK.sub(_time, _FULL_HOUR.sub(r"\1:00", text) if ":" in reference else text)


def _time(clock: re.Match[str]) -> str:
    hour, half = int(clock["hour"]), clock["half"] or ""
    is_later = half and not any(map(half.__contains__, _MORNING)) and hour < _NOON
    return f"{hour + _NOON if is_later else hour}:{clock['minute']}"
