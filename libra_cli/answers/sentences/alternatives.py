"""Reads which of the things an answer names between which a question lets choose: "the gold bar or the silver bar?"

They exclude each other, so that one of them is another answer than the other, whatever words they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from libra_cli.answers.languages import names
from libra_cli.answers.text import words
from libra_cli.lazy_pattern import lazy_pattern

MOST, MOST_WORDS = 8, 4
_BEFORE = (": ", " - ", " \u2014 ", "? ")
_OPENERS = words.table("a an the it is are be that of in to by on at")
_ASKING = ("who ", "which ", "what ", "where ", "when ", "how ")
_EMPTY = words.table(
    """
    so therefore hence thus then the a an it its this that these those he she they we i is are was were be becomes being
    must will would does do did has have answer choose chose pick option one clearly definitely certainly indeed in fact
    to of by at on as because and for from with used use uses using here case
    always everywhere throughout whole entire domain line strictly globally all real
    function sequence series graph curve
    """
)
"""Words of a sentence beside what it chooses."""
_TURNS = words.table(
    """
    more less fewer taller shorter older younger larger smaller bigger greater higher lower faster slower heavier
    lighter longer richer poorer earlier later sooner closer farther further nearer better worse hotter colder cooler
    warmer stronger weaker wider narrower deeper shallower cheaper dearer brighter dimmer thicker thinner less least
    last late second lose loses loser lost losing trails behind after afterwards beaten fails opposite unlike reverse
    reversed other only would never hardly than limit past gave ended part below above extra both instead either
    """
)
"""Words that turn what a sentence says of an alternative, where the question does not have them."""


_PAIR, _SHORTEST = 2, 4
_ENDS = lazy_pattern(r"[,;.!()]")
_DENIED = words.table("not no never isn't doesn't don't neither nor if would but although though unless or")
_MORE = words.table("more greater larger higher bigger")
_LESS = words.table("less lower smaller fewer")
_QUANTITIES = {"dense": "density", "massive": "mass", "fast": "speed", "weight": "mass", "hot": "temperature"}
_ADJECTIVES = {
    word: (quantity, is_more)
    for entry in """
        mass heavier lighter; density denser; speed faster slower; length longer shorter; height taller;
        age older younger; temperature hotter colder; temperature warmer cooler; price dearer cheaper;
        width wider narrower; depth deeper shallower; hardness harder softer; brightness brighter dimmer;
        strength stronger weaker
    """.replace("\n", " ").split(";")
    for quantity, *pair in [entry.split()]
    for word, is_more in zip(pair, (True, False), strict=False)
}
"""The quantity that an adjective compares, and whether it says more of it."""


@lru_cache(1 << 10)
def of_question(question: str) -> tuple[str, ...]:
    """The things between which the last sentence of a question lets choose; empty if there are none."""
    last = words.sentences(question)[-1].strip()
    if not last.endswith("?") or last.count(" or ") != 1:
        return ()
    before, _, behind = last[:-1].partition(" or ")
    if "," in behind:
        return ()
    right = behind.split()
    *listed, left = (part.strip() for part in before.split(","))
    if left in ("", "either"):  # A, B, or C
        *listed, left = listed or [""]
    is_asked = listed and listed[0].lower().startswith(_ASKING)
    if is_asked and " of " not in listed[0] and not any(mark in listed[0] for mark in _BEFORE[:-1]):
        listed = ["", *listed[1:]]  # Who finishes first, Ann or Ben?
    first = _tail(listed[0], right) if listed else ""
    found = [first, *listed[1:], left] if listed and first else []
    if not found or any(len(one.split()) > MOST_WORDS for one in found):
        found = [_tail(left, right)]  # Which is heavier, the gold bar or the silver bar?
    found = [one for one in (*found, behind.strip()) if one]
    told = {tuple(names.tokens(one)) for one in found}
    is_choice = 1 < len(found) <= MOST and len(told) == len(found) and len(right) <= MOST_WORDS
    return tuple(found) if is_choice and all(told) else ()


def _tail(text: str, right: Sequence[str]) -> str:
    """The words before "or" that stand for one thing: as many as behind it, from its article on."""
    for mark in _BEFORE:
        text = text.rpartition(mark)[2]
    heard = text.split()
    if right and right[0] in ("a", "an", "the"):
        articles = ("the",) if right[0] == "the" else ("a", "an")
        at = max((at for at, word in enumerate(heard) if word.lower() in articles), default=-1)
        return " ".join(heard[at:]) if at >= 0 else ""
    kept = heard[-len(right) :]
    return "" if kept[:1] and kept[0].lower() in _OPENERS else " ".join(kept)


def said(sentence: str, reference: str, question: str) -> str | None:
    """The only alternative of the question that a sentence names, if the reference is one; None if unsure."""
    offered = of_question(question)
    if not offered or _which(reference, offered) is None:
        return None
    named = _which(sentence, offered)
    return None if named is None or not _chooses(sentence, question) else offered[named]


def compared(sentence: str, reference: str, question: str) -> str | None:
    """Which of two alternatives a comparison calls the one that is asked for: ice is less dense than water."""
    offered = of_question(question)
    before, than, behind = sentence.partition(" than ")
    heard = {word.lower() for word in words.split(sentence)}
    if len(offered) != _PAIR or not than or not _DENIED.isdisjoint(heard) or _which(reference, offered) is None:
        return None
    asked, told = dict(_compares(words.sentences(question)[-1])), dict(_compares(before))
    shared = [quantity for quantity in asked if quantity in told]
    first, second = _which(before, offered), _which(_ENDS.split(behind)[0], offered)
    if first is None or second is None or first == second or len(shared) != 1:
        return None
    return offered[first if asked[shared[0]] == told[shared[0]] else second]


def _compares(text: str) -> Iterator[tuple[str, bool]]:
    """The quantities that a text compares, and whether it says more of each: heavier, less dense, a greater mass."""
    heard = [word.lower() for word in words.split(text)]
    for at, word in enumerate(heard):
        behind = heard[at + 1] if at + 1 < len(heard) else ""
        if word in _MORE or word in _LESS:
            yield _QUANTITIES.get(behind, behind), word in _MORE
        elif word in _ADJECTIVES:
            yield _ADJECTIVES[word]
        elif len(word) > _SHORTEST and word.endswith("er") and behind in ("than", "at", "in", "", "of"):
            yield word, True


def is_unsure(sentence: str, reference: str, question: str) -> bool:
    """Whether a sentence names one alternative of the question, as the reference does, but does not choose it."""
    offered = of_question(question)
    if not offered or _which(reference, offered) is None or _which(sentence, offered) is None:
        return False
    return not _chooses(sentence, question)


def is_turned(sentence: str, question: str) -> bool:
    """Whether a sentence has words that the question does not have and that may say the opposite: less, last."""
    return not _TURNS.isdisjoint(set(names.tokens(sentence)) - set(names.tokens(question)))


def _chooses(sentence: str, question: str) -> bool:
    """Whether a sentence that names one alternative says nothing else that the question does not have."""
    given = set(names.tokens(question))
    new = [word for word in names.tokens(sentence) if word not in given and word not in _EMPTY]
    return not new


def in_letters(reference: str, answer: str, question: str) -> tuple[str, str]:
    """Two alternatives of the question as its options A, B, C; both answers as they are where one is none."""
    offered = of_question(question) if not reference.isdecimal() else ()
    wanted, given = (_which(one, offered) if offered else None for one in (reference, answer))
    if wanted is None or given is None or not _is_whole(answer, offered):
        return reference, answer
    return "ABCDEFGH"[wanted], "ABCDEFGH"[given]


def _which(text: str, offered: Sequence[str]) -> int | None:
    """Place of the only alternative whose own words a text has all; None if there is none or several."""
    heard = set(names.tokens(text))
    listed = [set(names.tokens(one)) for one in offered]
    shared = set.intersection(*listed)
    found = [at for at, one in enumerate(listed) if (one - shared) and (one - shared) <= heard]
    touched = [at for at, one in enumerate(listed) if not heard.isdisjoint(one - shared)]
    return found[0] if len(found) == 1 and touched == found else None


def _is_whole(answer: str, offered: Sequence[str]) -> bool:
    """Whether an answer is hardly more than one of the alternatives."""
    known = {word for one in offered for word in names.tokens(one)}
    return len([word for word in names.tokens(answer) if word not in known]) <= 1
