"""Reads the limit that a sentence says to be infinite, for a reference that is: The series diverges to infinity."""

from __future__ import annotations

from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.sentences.extracted import Extraction
from libra_cli.lazy_pattern import lazy_pattern

_REFERENCE = lazy_pattern(r"\$?[+-]?(?:\\infty|\u221e|infinity)\$?", one_of=("\\infty", "\u221e", "infinity"))
_SAID = lazy_pattern(
    r"(?:(?:[Ss]o|[Tt]hus|[Hh]ence|[Tt]herefore|[Tt]hen|[Aa]nd|[Aa]lso|[Dd]onc|[Ee]ntonces|[Qq]uindi|[Пп]оэтому),? )?"
    r"(?:(?:[Tt]he|[Tt]his|[Oo]ur|[Ii]ts) )?(?:(?:limit|series|sum|integral|sequence|product|value|answer|result"
    r"|expression|function|quotient)(?: of [^,;.]{1,30}?)?|[Ii]t|(?:[Dd]er )?Grenzwert|[Dd]ie (?:Reihe|Summe|Folge)"
    r"|[Ll]a (?:limite|série|suite|serie|somme|suma)|[Ee]l límite|[Ii]l limite|[Oo] limite|[Пп]редел|[Рр]яд|[Сс]умма)"
    r"(?: (?:therefore|thus|also|then|clearly|so|must|will|ist|doit))?,? "
    r"(?:is|be|equals?|(?:diverges|tends|goes|grows|increases|decreases) to(?:wards?)?|approaches|becomes|ist|est|es|è"
    r"|é|(?:divergiert|geht|strebt) gegen|(?:diverge|tend) vers|(?:diverge|tiende|tende) a|равен|равна"
    r"|(?:расходится|стремится) к)"
    r"\s+(?P<sign>(?:positive|plus|negative|minus|más|menos|più|meno|mais|moins|плюс|минус) |[-+\u2212])?"
    r"(?:infinity|unendlich|l['\u2019]infini|infini|infinito|бесконечность|бесконечности)[.!]?"
)
_NEGATIVE = ("negative", "minus", "-", "\u2212", "menos", "meno", "moins", "минус")


def limit(prose: Prose) -> Extraction | None:
    """`The limit is negative infinity`, for a reference that is infinite."""
    if prose.cut or not _REFERENCE.fullmatch(prose.reference):
        return None
    said = _SAID.fullmatch(prose.sentences[-1].rpartition("; ")[2].strip())
    if said is None:
        return None
    return Extraction("-\\infty" if (said["sign"] or "").strip() in _NEGATIVE else "\\infty")
