"""Leaves out what a sentence denies beside what it says: nicht 11, sondern 12; 不是11，而是12; 12, et non 11."""

from __future__ import annotations

from libra_cli.lazy_pattern import in_small_letters, lazy_pattern

_DENIED = r"(?:[^.,;:!?\s]|[.,](?=\d)| ){1,30}?"
_FIGURE = r"(?=\$?[-\u2212]?\$?(?:\d|\\))"
_UNTIL = r"(?:until|till|até|hasta|jusqu['\u2019](?:en|à|au)|bis|fino a[l']?)"
_AND = r"(?:and|but|et|mais|y|pero|e|mas|ma|und|aber)"
_NOW = (
    r"(?=(?i:today|now|nowadays|since then|hoje|agora|atualmente|hoy|ahora|actualmente|desde entonces"
    r"|aujourd['\u2019]hui|maintenant|désormais|heute|jetzt|inzwischen|seitdem|oggi|ora|adesso)\b)"
)
_ONCE = ("until", "till", "até", "hasta", "jusqu", "bis", "fino a")
_CONTRASTS = tuple(
    (needed, lazy_pattern(pattern, one_of=needed), kept)
    for needed, pattern, kept in (
        # what a sentence denies before the value that it says
        (("而是",), r"(?:[并並]?不是|[并並]非)[^，。；]{1,20}?[，,]?\s?而是", "是"),
        (("なく",), r"[^、。はがも]{1,20}(?:では|じゃ)なくて?[、,]?\s?", ""),
        (("아니",), r"[^\s,.]{1,15}(?:이|가)? ?아니(?:라|고),? ", ""),
        (("아닌",), r"[^\s,.]{1,15}(?:이|가)? ?아닌 (?=-?\d)", ""),
        (("sondern",), rf"\bnicht {_DENIED},? sondern ", ""),
        ((" pas ",), rf"\bn(?:e |['\u2019])(\w+) pas {_DENIED},? mais (?:bien )?{_FIGURE}", r"\1 "),
        (("non pas ",), rf"\bnon pas {_DENIED},? mais {_FIGURE}", ""),
        ((" sino ",), rf"\bno {_FIGURE}{_DENIED},? sino {_FIGURE}", ""),
        ((" sino ",), rf"\bno (\w+) {_DENIED},? sino ", r"\1 "),
        (("não ",), rf"\bnão (\w+) {_DENIED},? mas (?:sim )?{_FIGURE}", r"\1 "),
        (("non è ",), rf"\b[Nn]on (è) {_DENIED},? (?:ma|bensì) {_FIGURE}", r"\1 "),
        (("не ",), rf"\bне (?:(равен|равна|равно) )?{_DENIED},? а {_FIGURE}", r"\1 "),
        (("niet ",), rf"\bniet {_DENIED},? maar (?:wel )?{_FIGURE}", ""),
        (("nie ",), rf"\bnie {_DENIED},? (?:lecz|ale|tylko) {_FIGURE}", ""),
        (("inte ",), rf"\binte {_DENIED},? utan ", ""),
        (
            (" but ",),
            rf"\b(is|are|was|were|be|equals?) not {_FIGURE}{_DENIED},? but (?:rather |instead )?{_FIGURE}",
            r"\1 ",
        ),
        ((" but ",), rf"(?<=[a-z]) not {_FIGURE}{_DENIED},? but (?:rather )?{_FIGURE}", " "),
        # what it denies at its end
        (("而不是", "而非"), r"[，,]?\s?而(?:不是|非)[^，。；]{1,20}(?=[。.！!]*$)", ""),
        (
            (" et non", " y no", " e non", " und nicht", " e não", " en niet", " i nie", " och inte"),
            rf",? (?:et non(?: pas)?|y no|e non|und nicht|e não|en niet|i nie|och inte) {_FIGURE}{_DENIED}(?=[.!]*$)",
            "",
        ),
        ((" never ",), r"(?<=[a-z]),?(?: and| but)? never [a-z]{4,}(?: [a-z]{4,})?(?=[.!]*$)", ""),
        # what was so once, before what is so now
        (
            _ONCE,
            rf"(?:^|(?<=[.!?] ))[^.;!?]{{0,60}}{_UNTIL} ?[^.;!?]{{1,40}}[;.,\u2014\u2013-]+ (?:{_AND} )?{_NOW}",
            "",
        ),
        ((" а не ",), rf",? а не {_FIGURE}{_DENIED}(?=[.!]*$)", ""),
    )
)
"""Words with which a sentence denies one value beside the one that it says, and what is kept of them."""
_NEEDED = tuple({word for needed, _, _ in _CONTRASTS for word in needed})


_VALUE = r"[\s$\\(]{0,4}[-\u2212]?\d[\d.,:/ ]*(?:(?:a|à|к|zu|op|do) \d+)?[^\d]*$"
_IS_NOT = lazy_pattern(
    rf"(?:\bне (?:рав\w+|составля\w+)|\bno (?:es|son|vale|equivale|mide)(?: igual)?(?: a)?"
    rf"|\bn['\u2019](?:est|égale|équivaut) pas(?: égale?s? à)?|\bne (?:vaut|sont|fait|font|mesure) pas"
    rf"|\bnão (?:é|são|vale|mede)(?: igual a)?"
    rf"|\bnon (?:è|sono|vale|misura)(?: uguale a)?|\bnie (?:jest|wynosi|równa się)(?: równ\w+)?|\bis niet|\bär inte"
    rf"|不(?:是|等于|等於|为|為)){_VALUE}|\d ?(?:ではない|ではありません|じゃない|[이가]? ?아니|[이가]? ?아닙)[^\d]*$",
    one_of=("не ", "no ", " pas", "não ", "non ", "nie ", "is niet", "är inte", "不", "ない", "ません", "아니", "아닙"),
)
"""A sentence that only says which value something is not: Отношение не равно 3:2."""
_CONDITION = lazy_pattern(r"\W*(?i:si|se|wenn|falls|если|при|quand|cuando|quando|jeśli|om|als|如果|若|当)(?![a-zа-я])")


def denies_value(sentence: str) -> bool:
    """Whether a sentence ends with a value that it denies, and says no other one behind it."""
    denied = _IS_NOT.search(sentence)
    before = sentence[: denied.start()] if denied else ""
    return denied is not None and (not any(map(str.isdigit, before)) or _CONDITION.match(before) is not None)


def without_denied(text: str) -> str:
    """`text` without the values that it denies beside the one that it says."""
    if not any(map(in_small_letters(text).__contains__, _NEEDED)):
        return text
    for _, pattern, kept in _CONTRASTS:
        text = pattern.sub(kept, text)
    return text
