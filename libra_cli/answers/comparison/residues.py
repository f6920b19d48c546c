"""Reads sets of integers that remainders define, as values or in words, and compares their members.

`n \\equiv 0, 2 \\pmod 3`, `x odd`, `7k + 3`, `4 \\nmid n`, `all n except multiples of 4`, "remainder 1 on division by
6" and `p = 2 or p \\equiv 1 \\pmod 4` are such sets. Two of them are equal if they have the same members in a period.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from libra_cli.answers.text import formula, latex, words
from libra_cli.answers.values import normalize, numeric
from libra_cli.answers.values.finding import Finding
from libra_cli.lazy_pattern import lazy_pattern

MAX_CHARS, MAX_MODULUS, MAX_PERIOD = 240, 10_000, 20_000
_RESIDUE = lazy_pattern(r"(?P<residue>-?\d{1,9}) ?\(?\\?[pb]?mod ?\{?(?P<modulus>[1-9]\d{0,8})\}?\)?")
_MARKS = ("mod", "odd", "even", "ultiple", "ivisible", "mid", "remainder", "余", "k", "t", "n", "m")
_EXCEPT = (" except ", " other than ", " excluding ", " unless ")
_PARAMETERS = frozenset("kntmsr")
_JOINS = latex.COMMAS | latex.JOINS | {"\\lor", "\\vee"}
_STARTS = (
    *(":", "iff ", "if and only if ", "exactly when ", "precisely when ", "only when ", "when ", "exactly if ", "so "),
    *("hence ", "therefore ", "thus ", "are ", "is ", "for ", "i.e. ", "that ", ", ", "for which "),
    *("\u5373 ", "\u4e3a ", "\u662f "),
)
"""What the statement of a set stands behind."""
_IN_INTEGERS = lazy_pattern(
    r"(?<![A-Za-z\\])(?P<letter>[a-z])\s*\\in\s*(?:\\mathbb\s*\{?\s*Z\s*\}?|Z)(?![A-Za-z^_+])"
    r"|(?<![A-Za-z\\])(?P<named>[a-z])\s?(?:is\s|are\s|为|為|是)?\s?(?:an?y?\s)?(?:positive |non-?negative |非负|正)?"
    r"(?:integers?\b|整数|整數)"
    r"|\bintegers?\s(?P<behind>[a-z])\b"
)
_LEADS = (
    "where",
    "for",
    "with",
    "any",
    "all",
    "some",
    "every",
    "each",
    "\\mid",
    "\\colon",
    "\\forall",
    "|",
    ":",
    "and",
)
_DIVISION = frozenset(
    "remainder remainders leaves leave gives give has have divided division on upon 余 除以".split()  # noqa: SIM905
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILLERS = _words(
    """
    all any every each the those with for such that numbers number integers integer values value of is are be an a
    only just positive natural nonnegative where satisfying which satisfies when satisfy to it must by in form
    """
)
_DENIES = _words("no not never lose loses fail fails cannot impossible false unless except otherwise wrong")


class Integers(NamedTuple):
    """A set of integers: its members repeat after `period`, but for single ones."""

    period: int
    holds: Callable[[int], bool]
    letter: str
    by_remainder: bool = True
    """It is no list of single numbers."""
    declared: bool = True
    """Nobody takes it for a formula."""


def remainder(reference: str, answer: str) -> Finding | None:
    """Compare an integer with the remainder in 7^{100} \\equiv 1 \\pmod 5; None if the answer is no such congruence.

    Of a variable, x \\equiv 1 \\pmod 5, it is a set of integers.
    """
    *sides, last = normalize.normalized(answer).rstrip(".").split("\\equiv")
    found = _RESIDUE.fullmatch(last)
    if not sides or not found or not any(map(str.isdigit, "".join(sides))) or "," in answer:
        return None
    modulus, wanted = int(found["modulus"]), int(reference)
    if wanted >= modulus:
        return Finding(None, "family")
    return Finding(int(found["residue"]) % modulus == wanted)


def same(reference: str, answer: str) -> Finding | None:
    """Compare two answers as sets of integers; None if either is none."""
    wanted = parse(reference)
    given = parse(answer) if wanted else None
    if not (wanted and given and (wanted.by_remainder or given.by_remainder) and (wanted.declared or given.declared)):
        return None
    period = math.lcm(wanted.period, given.period)
    if period > MAX_PERIOD:
        return None
    members = range(1, 2 * period + 12)
    if "p" in (wanted.letter, given.letter):
        members = [number for number in members if _is_prime(number)]  # type: ignore[assignment]
    return Finding(all(wanted.holds(number) == given.holds(number) for number in members))


def stated(tail: str, reference: str) -> str | None:
    """The set of integers that the last sentence states; None if it states none, "" if it denies one."""
    wanted = parse(reference)
    if wanted is None or not (wanted.by_remainder and wanted.declared):
        return None
    sentence = words.sentences(tail)[-1].strip(" .*\u3002")
    for clause in (sentence, sentence.rpartition(";")[2]):
        for text in suffixes(clause):
            if (found := parse(text)) is None or not found.by_remainder:
                continue
            heard = clause[: len(clause) - len(text)].lower().split()
            if _DENIES.isdisjoint(word.strip(",.;:") for word in heard):
                return text
            if ";" not in clause:
                return ""
            break
    return None


def suffixes(sentence: str) -> list[str]:
    """A sentence, and what stands behind each word that may lead to the statement of a set, the longest first."""
    places, lowered = {0}, words.lowered(sentence)
    for start in _STARTS:
        at = lowered.find(start)
        while at >= 0:
            if not start[0].isalpha() or not sentence[at - 1 : at].isalpha():
                places.add(at + len(start))
            at = lowered.find(start, at + 1)
    return [sentence[place:].strip() for place in sorted(places)]


@lru_cache(1 << 10)
def parse(raw: str) -> Integers | None:
    """The set of integers that a text names; None for any other text."""
    if len(raw) > MAX_CHARS or not any(map(raw.__contains__, _MARKS)):
        return None
    text = latex.without_setting(normalize.in_ascii(raw))
    for spelled in ("\\bmod", "\\pmod", "\\mod", "(mod", "modulo"):
        text = text.replace(spelled, " mod ")
    text = " ".join(text.replace("\\mathbb {", "\\mathbb{").split()).strip(" .")
    text, letter = undeclared(text)
    found = _read(text)
    return found._replace(declared=found.declared or bool(letter)) if found and found.by_remainder else found


def undeclared(text: str) -> tuple[str, str]:
    """A text without the words that say that its letter is an integer, and that letter; "" if nothing says so."""
    found = _IN_INTEGERS.search(text)
    if found is None:
        return text, ""
    return _without_leads(text[: found.start()]), found["letter"] or found["named"] or found["behind"]


def _without_leads(text: str) -> str:
    text = text.rstrip(" ,;(")
    while text.endswith(_LEADS):
        text = text.removesuffix(next(word for word in _LEADS if text.endswith(word))).rstrip(" ,;(")
    return text


def _read(text: str) -> Integers | None:
    for mark in _EXCEPT:
        whole, cut, part = text.partition(mark)
        if cut:
            excluded = _read(part) if not set(_bare(whole).split()) - FILLERS or len(_bare(whole)) == 1 else None
            return excluded._replace(holds=lambda n, one=excluded: not one.holds(n)) if excluded else None  # type: ignore
    parts = latex.split(text, _JOINS)
    found, modulus = list[Integers](), 0
    for part in reversed(parts):
        before, mark, behind = part.rpartition("mod")
        if mark:
            modulus = _positive(behind.strip(" (){}."))
        is_short = not mark and modulus and ("equiv" in part or formula.readings(part.strip()))
        one = _congruence(before if mark else part, modulus) if mark or is_short else _in_words(part) or _family(part)
        if one is None:
            return None
        found.append(one)
    letters = {one.letter for one in found if one.letter}
    if not found or len(letters) > 1:
        return None
    return Integers(
        math.lcm(*(one.period for one in found)),
        lambda n: any(one.holds(n) for one in found),
        letters.pop() if letters else "",
        any(one.by_remainder for one in found),
        any(one.declared for one in found),
    )


def _bare(text: str) -> str:
    """A text without words that say nothing of a remainder."""
    return " ".join(word for word in text.split() if word.lower() not in FILLERS)


def _positive(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() and 0 < int(text) <= MAX_MODULUS else 0


def _congruence(text: str, modulus: int) -> Integers | None:
    """n^2 \\equiv 1, whose modulus is known."""
    sides = [_bare(side.strip(" (,")) for side in text.replace("\\equiv", "=").split("=")]
    trees = [formula.readings(normalize.normalized(side))[:1] for side in sides if side]
    if not modulus or not 1 <= len(trees) <= 2 or not all(trees):
        return None
    letters = frozenset().union(*(formula.symbols(tree[0]) for tree in trees))
    residue = numeric.rational(trees[-1][0]) if not formula.symbols(trees[-1][0]) else None
    if residue is None or residue.denominator > 1 or len(letters) > 1:
        return None
    letter = next(iter(letters), "")
    left = trees[0][0] if len(trees) == 2 else (formula.SYMBOL, letter or "n")

    def holds(number: int) -> bool:
        value = numeric.exact(formula.substituted(left, letter or "n", Fraction(number)))
        return value is not None and value.denominator == 1 and (value.numerator - int(residue)) % modulus == 0

    members = frozenset(number for number in range(modulus) if holds(number))
    return Integers(modulus, lambda number: number % modulus in members, letter)


def _in_words(text: str) -> Integers | None:
    """Odd, even, a multiple of 4, not divisible by 4, 4 \\mid n, remainder 1 on division by 6."""
    plain = text.replace("\\nmid", " nmid ").replace("\\mid", " mid ").replace("除以", " 除以 ").replace("余", " 余 ")
    heard = [word.strip("(),.;:") for word in plain.split()]
    rest = [word for word in heard if word and word.lower() not in FILLERS]
    is_denied = "not" in rest or "nmid" in rest
    rest = [word for word in rest if word not in ("not", "does", "do")]
    letters = [word for word in rest if len(word) == 1 and word.isalpha() and word.isascii()]
    figures = [_positive(word) for word in rest if word.isdecimal() and word != "0"]
    others = {word.lower() for word in rest if word not in letters and not word.isdecimal()}
    letter = letters[0] if letters else ""
    if len(letters) > 1 or (others & {"odd", "even"} and (figures or len(others) > 1)):
        return None
    residues = [int(word) for word in rest if word.isdecimal()]
    if others in ({"odd"}, {"even"}):
        modulus, residue = 2, int(others == {"odd"})
    elif others in ({"multiple"}, {"multiples"}, {"divisible"}, {"mid"}, {"nmid"}) and len(figures) == 1:
        is_turned = bool(others & {"mid", "nmid"}) and not (rest[0].isdecimal() and rest[-1] == letter)
        modulus, residue = (0, 0) if is_turned else (figures[0], 0)
    elif others & {"remainder", "余"} and others <= _DIVISION and len(residues) == 2:
        residue, modulus = residues if "remainder" in others and _ends_with_divisor(rest) else residues[::-1]
    else:
        return None
    if not modulus or residue >= modulus:
        return None
    is_said = bool(letter or figures or "integer" in text)  # "odd" alone may be a function
    return Integers(modulus, lambda number: (number % modulus == residue) is not is_denied, letter, declared=is_said)


def _ends_with_divisor(rest: Sequence[str]) -> bool:
    """Whether "remainder 1 on division by 6" names the divisor last."""
    at = next(index for index, word in enumerate(rest) if word.startswith("remainder"))
    return any(word.startswith("divi") for word in rest[at:])


def _family(text: str) -> Integers | None:
    """6k + 1, n = 6k + 1, or a single value: p = 2."""
    name, equals, value = text.rpartition("=")
    letter = _bare(name)
    if equals and not (len(letter) == 1 and letter.isalpha()):
        return None
    trees = formula.readings(normalize.normalized(_bare(value)))[:1]
    names = formula.symbols(trees[0]) if trees else frozenset()
    if not trees or len(names) > 1 or not names <= _PARAMETERS - {letter}:
        return None
    if not names:
        single = numeric.rational(trees[0])
        is_integer = single is not None and single.denominator == 1 and abs(single) <= MAX_MODULUS
        return Integers(1, lambda number: number == single, letter, by_remainder=False) if is_integer else None
    values = [numeric.exact(formula.substituted(trees[0], next(iter(names)), Fraction(place))) for place in (0, 1, 5)]
    start, second, far = values
    if start is None or second is None or far is None or far - start != 5 * (second - start):
        return None
    step = abs(second - start)
    if step.denominator > 1 or start.denominator > 1 or not 1 < step <= MAX_MODULUS:
        return None
    residue = int(start % step)
    return Integers(int(step), lambda number: number % int(step) == residue, letter, declared=False)


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % factor for factor in range(2, math.isqrt(number) + 1))
