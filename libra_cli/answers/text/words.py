"""Parses answers in words: numbers that are spelled out, and phrases with their synonyms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from libra_cli.lazy_pattern import lazy_pattern

_SMALL = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_VALUES = {word: value for value, word in enumerate(_SMALL.split())}
_VALUES |= {word: 10 * tens for tens, word in enumerate(_TENS.split(), 2)}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = """
    half:2 halves:2 third:3 thirds:3 quarter:4 quarters:4 fourth:4 fourths:4 fifth:5 fifths:5 sixth:6 sixths:6
    seventh:7 sevenths:7 eighth:8 eighths:8 ninth:9 ninths:9 tenth:10 tenths:10 twelfth:12 twelfths:12
    hundredth:100 hundredths:100 thousandth:1000 thousandths:1000
"""
_DENOMINATORS = {word: int(value) for word, _, value in (part.partition(":") for part in _PARTS.split())}
_TAKING_BACK = """
    not no never cannot can't won't isn't doesn't fail fails failed wrong incorrect invalid impossible extraneous
    rejected discarded excluded contradiction than least most too except unless without only if when but or instead
    approximately about nearly almost roughly over under up above below between maybe perhaps probably possibly happen
    happens even odd exceeds doubled halved tripled pi bn mn k gross pct permille fold
    millionth millionths
"""
_TAKES_BACK = frozenset(_TAKING_BACK.split())
_WORD = lazy_pattern(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_SENTENCE_ENDS = lazy_pattern(
    r"(?:(?<=[.!?])|(?<=[.!?]\$\$))\s+(?!\\[\])]|\$\$?[.,;]?(?:\s|$))(?=[^\W\d_a-z\u00df-\u00ff]|[$*\\\u220e\u25a1\u00bf\u00a1])|(?<=[\u3002\uff01\uff1f\u0964])|\n+"
)
_TWO_WORDS = lazy_pattern(r"(?<!\\)\b[A-Za-z]{2,}\s+[A-Za-z]{2,}")
LETTER = "[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017e]"
"""Of the Latin alphabet, with what stands above or below it."""
_LETTERS = lazy_pattern(r"[A-Za-z][A-Za-z' ,-]*")
_PHRASE = lazy_pattern(rf"{LETTER}(?:{LETTER}|[' ,-])*")
_ARTICLE = lazy_pattern(r"^(?:there (?:is|are) )?(?:the|a|an|it is|its|they are|there (?:is|are)) ")

_NONE_AT_ALL = lazy_pattern(
    r"(?:there (?:is|are) )?no(?: (?:such|real|integer|integral|valid|possible|other|positive))*"
    r"(?: (?:solutions?|values?|roots?|answers?|numbers?|integers?|pairs?|triples?|points?|x|n|k|exists?))*"
    r"|none|(?:the )?(?:empty|null) set",
    one_of=("no", "null set", "empty set"),
)
_SYNONYMS = """
    yes: true, correct, right, oui, ja, si, sim, wahr, richtig, vrai, vero, verdadero, cierto, verdadeiro
    no: false, incorrect, wrong, nein, non, falsch, faux, falso
    undefined: does not exist, dne, doesn't exist, not defined, is undefined, is not defined
    impossible: not possible, cannot be done
    none of the above: none of these, none of them, no one of the above
    all reals: all real numbers, all real x, any real number, every real number, all real values, all real values of x
    nothing: aucune solution, pas de solution, il n'y a pas de solution, sans solution, nessuna soluzione
    nothing: non ci sono soluzioni, senza soluzione, sem solução, não há solução, não tem solução, no hay solución
    nothing: no hay soluciones, no tiene solución, geen oplossing, geen oplossingen, brak rozwiązań, keine lösungen
    infinitely many: infinite, infinitely many solutions, infinite solutions, infinite number
    infinitely many: infinite number of solutions, infinite number of values
    finitely many: finite, finitely many solutions
    converges: convergent, converge, is convergent, it converges
    diverges: divergent, diverge, is divergent, it diverges, does not converge, not convergent
    converges absolutely: absolutely convergent
    converges conditionally: conditionally convergent
    monday: mon
    tuesday: tue, tues
    wednesday: wed
    thursday: thu, thur, thurs
    friday: fri
    saturday: sat
    sunday: sun
"""
DISTINCT = frozenset(("nothing", "infinitely many", "finitely many", "all reals", "undefined")) | {
    *("yes", "no", "one solution", "two solutions", "one", "two")
}
"""Phrases that all differ in meaning."""
_PHRASES = {
    word.strip(): meaning.strip()
    for meaning, _, words in (line.partition(":") for line in _SYNONYMS.strip().splitlines())
    for word in words.split(",")
}


def table(text: str) -> frozenset[str]:
    """The words of a text with spaces between them."""
    return frozenset(text.split())


def stand_in(sought: Sequence[str], heard: Sequence[str]) -> bool:
    """Whether words stand among others one behind the other."""
    return any([*heard[at : at + len(sought)]] == [*sought] for at in range(len(heard) - len(sought) + 1))


def lowered(text: str) -> str:
    """`text` in lower case, every character at its place: the few whose lower case is longer stay as they are."""
    small = text.lower()
    return (
        small if len(small) == len(text) else "".join(low if len(low := char.lower()) == 1 else char for char in text)
    )


def split(text: str) -> list[str]:
    """The words of a text in any script, without numbers and punctuation: let's, well-known."""
    return _WORD.findall(text)


def places(text: str) -> list[re.Match[str]]:
    """The words of a text like `split`, with their places."""
    return [*_WORD.finditer(text)]


def sentences(text: str) -> list[str]:
    """The sentences of a text in any script; a line break ends one too. There is at least one, which may be empty."""
    return [*_sentences(text)]


@lru_cache(16)
def _sentences(text: str) -> tuple[str, ...]:
    """Those of a text, which several readers ask for one after another."""
    return tuple(part for part in _SENTENCE_ENDS.split(text.strip()) if part.strip()) or ("",)


def in_row(text: str) -> bool:
    """Whether two words of two letters or more stand side by side; a command of LaTeX is no word."""
    return _TWO_WORDS.search(text) is not None


def takes_back(text: str) -> bool:
    """Whether words next to a value deny that it is the answer, or all of it: 5 (extraneous), 5 twelfths."""
    return any(
        word in _TAKES_BACK or word in _DENOMINATORS or word.rstrip("s").endswith(("ieth", "enth"))
        for word in re.findall(r"[a-z']+", text.lower())
    )


def phrase(text: str) -> str | None:
    """Normalize a phrase to the form that its synonyms share; None if the text is no phrase."""
    if not _PHRASE.fullmatch(text):
        return None
    words = _ARTICLE.sub("", " ".join(text.casefold().split())).strip(" ,")
    if words != "no" and words not in _PHRASES and _NONE_AT_ALL.fullmatch(words):
        return "nothing"
    return _PHRASES.get(words, words)


@lru_cache(1 << 10)
def number(text: str) -> Fraction | None:
    """Parse a number in words: "two hundred and five", "minus one", "three quarters", "a dozen"; else None."""
    if not _LETTERS.fullmatch(text) or len(text) > 80:
        return None
    words = text.lower().replace(",", " ").replace("-", " ").split()
    if words and words[0] in ("minus", "negative"):
        value = number(" ".join(words[1:]))
        return None if value is None else -value
    if words and "dozen" in words:
        return _dozens(words)
    if words and words[-1] in _DENOMINATORS:
        denominator, numerator_words = _DENOMINATORS[words[-1]], words[:-1]
        integer: int | None = 0
        if "and" in numerator_words:  # three and a half
            cut = len(numerator_words) - 1 - numerator_words[::-1].index("and")
            integer, numerator_words = _integer(numerator_words[:cut]), numerator_words[cut + 1 :]
        is_one = numerator_words in (["a"], ["an"]) or (not numerator_words and denominator == 2)
        numerator = 1 if is_one else _integer(numerator_words)
        return None if integer is None or numerator is None else integer + Fraction(numerator, denominator)
    integer = _integer(words)
    return None if integer is None else Fraction(integer)


def _dozens(words: list[str]) -> Fraction | None:
    """Parse two dozen, half a dozen, a dozen and a half, two and a half dozen."""
    at = words.index("dozen")
    more = {(): Fraction(0), ("and", "a", "half"): Fraction(1, 2)}.get(tuple(words[at + 1 :]))
    head = words[:at]
    several = (
        Fraction(1) if head in ([], ["a"]) else Fraction(1, 2) if head == ["half", "a"] else number(" ".join(head))
    )
    return None if several is None or more is None else 12 * (several + more)


def with_mixed(text: str) -> str:
    """A text that is a number in digits with a fraction in words as one number: 3 and a half as 7/2."""
    whole, _, rest = text.partition(" and ")
    parts = rest.split(" ", 2)
    fraction = number(" ".join(parts[:2])) if whole.isdecimal() and len(parts) > 1 else None
    if fraction is None or not 0 < fraction < 1:
        return text
    return " ".join([str(int(whole) + fraction), *parts[2:]])


def _integer(words: list[str]) -> int | None:
    """Parse an integer in words such as one million two hundred thousand and five."""
    total = group = 0
    last_kind = ""
    for word in words:
        if word == "and" and last_kind:
            continue
        if word in _VALUES:
            if last_kind == "small" or (last_kind == "tens" and _VALUES[word] > 9):
                return None
            group += _VALUES[word]
            last_kind = "small" if _VALUES[word] < 20 else "tens"
        elif word == "hundred":
            group, last_kind = (group or 1) * 100, "hundred"
        elif word in _SCALES and last_kind == "scale":  # a thousand million
            total *= _SCALES[word]
        elif word in _SCALES:
            total, group, last_kind = total + (group or 1) * _SCALES[word], 0, "scale"
        elif word == "a" and not last_kind:
            continue
        else:
            return None
    return total + group if last_kind else None
