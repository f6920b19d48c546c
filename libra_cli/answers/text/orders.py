"""Reads an answer whose order is asked for: a chain of inequalities, a numbered list, terms with commas or arrows."""

from __future__ import annotations

import re
from typing import NamedTuple

from libra_cli.answers.text import number
from libra_cli.lazy_pattern import lazy_pattern

_ASKS = (
    *("arrange", "rank", "sort ", "put the", "order the", "order from", "in which order", "in what order", "in order"),
    *("chronological", "correct order", "order do", "first, second", "first and second", "first, who second"),
    *("排列", "排序", "顺序", "順序", "並べ"),
    *("ordne ", "ordnen sie", "sortier", "reihenfolge", "rangez ", "classez ", "triez ", "dans l'ordre", "par ordre"),
    *("ordena ", "ordene ", "en orden", "ordina i", "ordina le", "in ordine", "em ordem", "упорядоч", "в порядке"),
    *("rangschik", "uporządkuj", "kolejności"),
)
_RISING = (
    *("increasing", "ascending", "least to greatest", "smallest to largest", "lowest to highest", "small to large"),
    *("from smallest", "from least", "from lowest", "from the smallest", "from the least", "from the lowest"),
    *("smallest first", "从小到大", "由小到大", "小到大", "升序", "小さい順", "오름차순"),
    *("aufsteigend", "croissant", "ascendente", "creciente", "crescente", "oplopend", "возраст", "rosnąc", "stigande"),
)
_FALLING = (
    *("decreasing", "descending", "greatest to least", "largest to smallest", "highest to lowest", "large to small"),
    *("from largest", "from greatest", "from highest", "from the largest", "from the greatest", "from the highest"),
    *("largest first", "从大到小", "由大到小", "大到小", "降序", "大きい順", "내림차순"),
    *("absteigend", "décroissant", "descendente", "decreciente", "decrescente", "aflopend", "убыван", "malejąc"),
    "fallande",
)
_ENDS = lazy_pattern(
    r"\b(\w+(?:est|most)|first|last|youngest) to (?:the )?(\w+(?:est|most)|last|first)\b|(?:est|most) (?:one )?first\b",
    one_of=("est", "most", "last", "first"),
)
"""The two ends of an order: from lightest to heaviest, nearest first."""
_MORE = frozenset("fastest heaviest hottest tallest longest oldest strongest richest brightest densest hardest".split())  # noqa: SIM905
_LESS = frozenset("slowest lightest coldest shortest youngest weakest poorest dimmest softest".split())  # noqa: SIM905
_IN_TURN = lazy_pattern(r"\b(?:then|followed by|next|finally)\b", one_of=("then", "next", "finally", "followed by"))
_NOT_IN_TURN = lazy_pattern(r"\b(?:after|before|than|not|or|behind)\b|\d")
_LETTERS = lazy_pattern(r"[A-J]{3,8}")
_PLACES = ("first", "second", "third", "fourth", "fifth", "sixth")
_PLACE = lazy_pattern(r"\b(?:first|second|third|fourth)\b", one_of=("first", "second", "third", "fourth"))
_NOT_AT_PLACE = lazy_pattern(r"\b(?:not|or|if|either|than|before|after|nor|neither|unless)\b|n['\u2019]t\b|;")
_SUPERLATIVE = lazy_pattern(r"\b\w+(?:est|most)\b")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_REMARK = lazy_pattern(r"(?<=[A-Za-z]) \((?:[^()]*\d[^()]*)\)")
_IN_ORDER = lazy_pattern(r",? in (?:this|that|the following) (?:order|sequence)(?=[.!]?\s*$)")
_TEXT = lazy_pattern(r"\\text\s*\{([^{}]*,[^{}]*)\}")
"""Several terms in the letters of text."""
_WORLD_WAR = lazy_pattern(r"\bWW ?-?(I{1,2}|[12])\b")
_SEPARATORS = ("<", ">", "→", "->", "\\to", "\\rightarrow", ",", "，", "、")
_SIGNS = ("<", ">", "\\lt", "\\gt")
_NUMBERED = lazy_pattern(r"(\d{1,2})[.)]\s+(.+)")
_INLINE = lazy_pattern(r"(?:^|\s)\(?\d[.)]\s+")
_FEWEST, _MOST = 3, 12
"""Terms of the shortest chain and of the longest list that are compared."""
_CHAIN = lazy_pattern(r"(?<![^\s<>])[^\s<>]{1,80}\s*(?:<|\\lt|>|\\gt)[^=.,;]+")
"""A chain of inequalities behind what leads to it: Hence a < b < c."""
_OPEN_CHAIN = lazy_pattern(
    r"\b(?i:if|false|not|never|cannot|suppose|assume|wrong|incorrect|when|unless|or)\b|n['\u2019]t\b"
)
_FRACTION = lazy_pattern(r"\\[dt]?frac ?(?:\{(\d+)\}|(\d)(?=[\d{ ])) ?(?:\{(\d+)\}|(\d))")
_SETTING = lazy_pattern(r"\\(?:text|mathrm|ce)\s*\{([^{}]*)\}|_\{(\w)\}|_(?=\d)")


class Terms(NamedTuple):
    """Terms in the order in which they are written, and the sign between them: `<`, `>` or none."""

    names: list[str]
    sign: str

    def rising(self, direction: str) -> list[str] | None:
        """The terms from the least to the greatest, of a list in the direction that is asked for; None if unknown."""
        sign = self.sign or direction
        return None if not sign else self.names if sign == "<" else self.names[::-1]


def stated(text: str, reference: str, question: str, around: str = "") -> str | None:
    """The order of the terms of `reference` that a text states, written as the reference is; None unless certain.

    Of terms in several words, an order that is another one is empty. `around` may say from which end the text begins.
    """
    if question and _LETTERS.fullmatch(reference) and len(set(reference)) == len(reference):
        return _of_letters(text, reference, question)
    if not ("," in reference or "<" in reference or ">" in reference or "，" in reference):
        return None
    chain = _chained(text, reference)
    if chain is not None or not question:
        return chain
    asked = question.lower()
    direction = _direction(asked)
    is_asked = any(map(asked.replace("in order to", "").__contains__, _ASKS)) or _ENDS.search(asked) is not None
    wanted = _terms(reference)
    text = _TEXT.sub(r"\1", text) if "\\text" in text else text
    text = _WORLD_WAR.sub(lambda war: f"World War {'II' if war[1] in ('II', '2') else 'I'}", _REMARK.sub("", text))
    text = _IN_ORDER.sub("", text)
    if not (direction or is_asked) or wanted is None or len(set(wanted.names)) < len(wanted.names):
        return None
    turned = is_reversed(asked, f"{around} {text}".lower())
    own = {_key(name): name for name in wanted.names}
    for candidate in [*_candidates(text), _in_turn(text, wanted.names, asked), _by_place(text, wanted.names, asked)]:
        given = _terms(candidate)
        if given is None or sorted(map(_key, given.names)) != sorted(own):
            continue
        given = Terms([own[_key(name)] for name in given.names], given.sign)
        if turned:
            given = Terms(given.names[::-1], given.sign)
        if not (wanted.sign or given.sign) and given.names == wanted.names:
            return reference
        if not (wanted.sign or given.sign) and any(" " in name for name in wanted.names if name[:1].isalpha()):
            return ""
        if not (wanted.sign or given.sign):
            return f"({', '.join(given.names)})" if is_asked or direction else None
        rising = given.rising(direction)
        if rising is None:
            return None
        if wanted.sign:
            return " < ".join(rising)
        listed = rising if direction == "<" else rising[::-1]
        if any(" " in name for name in wanted.names if name[:1].isalpha()):
            return (reference if listed == wanted.names else "") if direction else None
        return f"({', '.join(listed)})" if direction else None
    return None


def _of_letters(text: str, reference: str, question: str) -> str | None:
    """The order of letters that a text lists, in one word as the reference has them: ABDC."""
    asked, said = question.lower(), text.lower()
    if not any(map(asked.replace("in order to", "").__contains__, _ASKS)):
        return None
    direction = _direction(asked)
    is_turned = "revers" in said or _ENDS.search(said) or (_direction(said) or direction) != direction
    for candidate in [] if is_turned else _candidates(text):
        given = _terms(candidate.replace("\\text{", "").replace("}", ""))
        if given and sorted(given.names) == sorted(reference):
            return "".join(given.names) if not given.sign or given.sign == direction else None
    return None


def may_be_stated(text: str, answer: str, reference: str, question: str) -> bool:
    """Whether an order is asked for, and the end of a text has all its terms, of which the answer lacks some."""
    wanted, asked = _terms(reference), question.lower()
    is_asked = _direction(asked) or any(map(asked.replace("in order to", "").__contains__, _ASKS))
    if wanted is None or not is_asked:
        return False
    last = text.strip().rpartition("\n")[2].lower()
    names = [name.lower() for name in wanted.names]
    return all(name in last for name in names) and not all(name in answer.lower() for name in names)


def _chained(text: str, reference: str) -> str | None:
    """`reference` if a text states its chain of inequalities, from whichever end; "" if it states another one."""
    wanted = _terms(reference) if "<" in reference or ">" in reference or "\\" in reference else None
    if wanted is None or not wanted.sign or len(set(wanted.names)) < _FEWEST or not _have_letters(wanted.names):
        return None
    last = text.strip().rpartition("\n")[2]
    if not any(map(last.__contains__, _SIGNS)) or _OPEN_CHAIN.search(last):
        return None
    chain = _CHAIN.search(last)
    for candidate in [*([chain[0]] if chain else []), *_candidates(text)]:
        given = _terms(candidate)
        if given and given.sign and sorted(given.names) == sorted(wanted.names):
            return reference if given.rising("") == wanted.rising("") else ""
    return None


def _have_letters(names: list[str]) -> bool:
    """Whether no term of a chain is a number, which would make it an interval."""
    return all(any(map(str.isalpha, name)) for name in names)


def is_reversed(asked: str, text: str) -> bool:
    """Whether a text goes from the end to the start of the order that a question asks for."""
    wanted, given = _ENDS.search(asked), _ENDS.search(text)
    if wanted is None and given and (given[1], given[2]) == ("last", "first") and not _direction(asked):
        return True  # of those who finish a race the first is named first
    if wanted is None or given is None or not wanted[1]:
        return False
    return (wanted[1], wanted[2]) == (given[2], given[1])


def _in_turn(text: str, wanted: list[str], asked: str) -> str:
    """The terms as the last sentence has them one after another: Venus is nearest, then Earth, then Mars."""
    sentence = text.strip().rpartition("\n")[2].rpartition(". ")[2].rpartition(", so ")[2]
    if not _IN_TURN.search(sentence) or _NOT_IN_TURN.search(sentence):
        return ""
    lowered = sentence.lower()
    if any(one[0] not in asked for one in _SUPERLATIVE.finditer(lowered)):
        return ""
    found = [[*re.finditer(rf"(?<!\w){re.escape(name.lower())}(?!\w)", lowered)] for name in wanted]
    if any(len(one) != 1 for one in found):
        return ""
    places = [one[0].start() for one in found]
    return ", ".join(name for _, name in sorted(zip(places, wanted, strict=True)))


def _by_place(text: str, wanted: list[str], asked: str) -> str:
    """The terms by the places that the last sentence gives to them: Eve came second, Dan first and Carl third."""
    sentence = text.strip().rpartition("\n")[2].rpartition(". ")[2].lower()
    if _direction(asked) or _ENDS.search(asked) or "longest" in asked or "last" in asked:
        return ""  # first may be the last of them
    if len(wanted) > len(_PLACES) or not _PLACE.search(sentence) or _NOT_AT_PLACE.search(sentence):
        return ""
    names = "|".join(re.escape(name.lower()) for name in wanted)
    verbs = "came|was|is|finished|placed|arrived|comes|in|the"
    found = re.findall(rf"(?<!\w)({names})(?:,? (?:{verbs})){{0,3}} ({'|'.join(_PLACES)})(?!\w)", sentence)
    own = {name.lower(): name for name in wanted}
    order = [own[name] for _, name in sorted((_PLACES.index(place), name) for name, place in found)]
    places = sorted(_PLACES.index(place) for _, place in found)
    return ", ".join(order) if places == [*range(len(wanted))] and sorted(order) == sorted(wanted) else ""


def _direction(asked: str) -> str:
    found = {sign for sign, phrases in (("<", _RISING), (">", _FALLING)) if any(map(asked.__contains__, phrases))}
    ends = None if found else _ENDS.search(asked)
    if ends and ends[1]:
        return ">" if ends[1] in _MORE else "<" if ends[1] in _LESS else ""
    return found.pop() if len(found) == 1 else ""


def _candidates(text: str) -> list[str]:
    """What may list terms at the end of a text: a numbered list, the last line, what follows its colon, a formula."""
    lines = [line.strip() for line in text.strip().split("\n") if line.strip()]
    numbered: list[str] = []
    for line in reversed(lines):
        item = _NUMBERED.fullmatch(line.replace("**", ""))
        if item is None:
            break
        numbered.insert(0, item[2])
    last = lines[-1] if lines else ""
    within = _INLINE.split(last)
    is_led = not within[0].strip() or within[0].rstrip().endswith(":")
    if len(numbered) < 2 < len(within) and is_led:
        numbered = [one.strip(" ,;") for one in within[1:]]
    behind = [last.rpartition(mark)[2] for mark in (":", "：", "is ", "hence", "so ", "So ", "因此", "所以", "为")]
    return [", ".join(numbered), last, *(one for one in behind if one != last)]


def _terms(text: str) -> Terms | None:
    text = text.replace("\\lt", "<").replace("\\gt", ">").strip(" .。")
    for mark in ("**", "$", "\\(", "\\)", "\\,", "\\ "):
        text = text.replace(mark, " ")
    present = [mark for mark in _SEPARATORS if mark in text]
    if not present or any(mark in text for mark in ("=", "≤", "≥", "\\le", "\\ge", "[", " or ")):
        return None
    sign = present[0] if present[0] in "<>" else ""
    if len(present) > 1:
        return None
    names = [_name(part) for part in text.replace(", and ", ", ").replace(", then ", ", ").split(present[0])]
    return Terms(names, sign) if 2 <= len(names) <= _MOST and all(names) else None


def _name(term: str) -> str:
    """A term without brackets around it; of words in lower case."""
    term = term.strip(" .").translate(_LOWERED)
    term = _SETTING.sub(lambda piece: piece[1] or piece[2] or "", term) if "\\" in term or "_" in term else term
    if term[:1] == "(" and term[-1:] == ")" and term.count("(") == 1:
        term = term[1:-1].strip()
    term = term.removeprefix("the ").removeprefix("The ").replace(" %", "%").replace("\\%", "%")
    is_word = term[1:] == term[1:].lower()  # unlike NaCl
    return term.lower() if is_word and len(term) > 2 and term.replace(" ", "").isalpha() else term


def _key(name: str) -> str:
    """A term by which it is found again in another notation: 1/3 for \\frac13, 2/5 for 40%."""
    value = number.parse(_FRACTION.sub(lambda one: f"{one[1] or one[2]}/{one[3] or one[4]}", name))
    return name if value is None else str(value.value)
