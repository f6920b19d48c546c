"""Leaves out what a sentence denies beside what it says: nicht 11, sondern 12; 不是11，而是12; 12, et non 11."""

from __future__ import annotations

from libra_cli.lazy_pattern import lazy_pattern

_DENIED = r"(?:[^.,;:!?\s]|[.,](?=\d)| ){1,30}?"
_FIGURE = r"(?=\$?[-\u2212]?\$?(?:\d|\\))"
_BEFORE = tuple(
    (needed, lazy_pattern(pattern), kept)
    for needed, pattern, kept in (
        ("而是", r"(?:[并並]?不是|[并並]非)[^，。；]{1,20}?[，,]?\s?而是", "是"),
        ("なく", r"[^、。はがも]{1,20}(?:では|じゃ)なくて?[、,]?\s?", ""),
        ("아니", r"[^\s,.]{1,15}(?:이|가)? ?아니(?:라|고),? ", ""),
        ("아닌", r"[^\s,.]{1,15}(?:이|가)? ?아닌 (?=-?\d)", ""),
        ("sondern", rf"\bnicht {_DENIED},? sondern ", ""),
        (" pas ", rf"\bn(?:e |['\u2019])(\w+) pas {_DENIED},? mais (?:bien )?{_FIGURE}", r"\1 "),
        ("on pas ", rf"\bnon pas {_DENIED},? mais {_FIGURE}", ""),
        (" sino ", rf"\bno {_FIGURE}{_DENIED},? sino {_FIGURE}", ""),
        (" sino ", rf"\bno (\w+) {_DENIED},? sino ", r"\1 "),
        ("não ", rf"\bnão (\w+) {_DENIED},? mas (?:sim )?{_FIGURE}", r"\1 "),
        ("on è ", rf"\b[Nn]on (è) {_DENIED},? (?:ma|bensì) {_FIGURE}", r"\1 "),
        ("не ", rf"\bне (?:(равен|равна|равно) )?{_DENIED},? а {_FIGURE}", r"\1 "),
        ("niet ", rf"\bniet {_DENIED},? maar (?:wel )?{_FIGURE}", ""),
        ("nie ", rf"\bnie {_DENIED},? (?:lecz|ale|tylko) {_FIGURE}", ""),
        ("inte ", rf"\binte {_DENIED},? utan ", ""),
        (
            " but ",
            rf"\b(is|are|was|were|be|equals?) not {_FIGURE}{_DENIED},? but (?:rather |instead )?{_FIGURE}",
            r"\1 ",
        ),
        (" not ", rf"(?<=[a-z]) not {_FIGURE}{_DENIED},? but (?:rather )?{_FIGURE}", " "),
    )
)
"""Words before which a sentence denies one value, and says another behind them."""
_BEHIND = tuple(
    (needed, lazy_pattern(pattern), kept)
    for needed, pattern, kept in (
        ("而", r"[，,]?\s?而(?:不是|非)[^，。；]{1,20}(?=[。.！!]*$)", ""),
        (
            "n",
            rf",? (?:et non(?: pas)?|y no|e non|und nicht|e não|en niet|i nie|och inte) {_FIGURE}{_DENIED}(?=[.!]*$)",
            "",
        ),
        (" never ", r"(?<=[a-z]),?(?: and| but)? never [a-z]{4,}(?: [a-z]{4,})?(?=[.!]*$)", ""),
        ("а не ", rf",? а не {_FIGURE}{_DENIED}(?=[.!]*$)", ""),
    )
)
"""What a sentence ends with that only denies another value."""
_SIGNS = (
    "sondern",
    " pas ",
    " sino ",
    " but ",
    "niet ",
    "nie ",
    "inte ",
    " et non",
    " y no",
    " e non",
    "und nicht",
    " never ",
)


def without_denied(text: str) -> str:
    """`text` without the values that it denies beside the one that it says."""
    if text.isascii() and not any(map(text.__contains__, _SIGNS)):
        return text
    for needed, pattern, kept in (*_BEFORE, *_BEHIND):
        if needed in text:
            text = pattern.sub(kept, text)
    return text
