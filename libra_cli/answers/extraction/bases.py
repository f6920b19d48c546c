"""Reads numbers with their bases in sentences: `so 45 is 0b101101`, `39 = 124 in base five`."""

from __future__ import annotations

from itertools import pairwise

from libra_cli.answers.sentences import phrases
from libra_cli.answers.text import latex, words
from libra_cli.answers.values import normalize, notation
from libra_cli.lazy_pattern import lazy_pattern

TEN = 10
MAX_CHARS = 600
"""Length of the longest sentence that is searched."""
_NAMES = {"binary": 2, "ternary": 3, "octal": 8, "decimal": 10, "hexadecimal": 16, "hex": 16}
_EQUALS = ("is", "=", "equals", "becomes")
BELOW = frozenset(normalize.LOWERED[:10])
_DIGITS = str.maketrans(normalize.LOWERED[:10], "0123456789")
_OPERATORS = frozenset("+-*/\u2212\u00b7\u00d7")
"""What joins a number to a calculation: 10_2 + 10_2."""
_HEXADECIMAL = lazy_pattern(r"[0-9A-Fa-f]{1,16}")
_ENDS_IN_HEXADECIMAL = lazy_pattern(
    r"(?:\u2192|\u21d2|->|=>|=|:|\b(?:so|is|gives|get|get:)) ?[$*`]*(?P<prefix>0[xX])?(?P<digits>[0-9A-Fa-f]{1,16})"
    r"(?:_\{?16\}?|\u2081\u2086)?[$*`]*[.!]*$"
)
_CHECKED = lazy_pattern(
    r"(?<![\w.])(?:0[xX])?(?P<digits>(?=\d{0,15}[A-Fa-f])[0-9A-Fa-f]{1,16}) ?= (?:[^=]*= ?)?(?P<value>\d{1,20})\.?$"
)
"""A number of base 16 and its value: FF = 15 * 16 + 15 = 255."""
_STRIPPED = " .,;:!?`*$\"'"


def stated(tail: str, reference: str) -> str | None:
    """The number in the base of the reference that the last sentence says, or else its only other one with a base."""
    wanted = notation.based(_plain(reference)) if len(reference) < MAX_CHARS else None
    sentence = phrases.main_clause(words.sentences(tail)[-1])
    if wanted is None or wanted.base == TEN or len(sentence) > MAX_CHARS:
        return None
    said = _read(sentence.rpartition("=")[2], wanted.base) or _read(sentence, wanted.base)
    found = [number for number in said if number.base == wanted.base] or [one for one in said if one.base != TEN]
    values = {(number.digits.upper(), number.base) for number in found}
    if len(values) != 1:
        return None
    digits, base = values.pop()
    return f"{digits}_{{{base}}}"


def in_hexadecimal(sentence: str, reference: str, question: str) -> str | None:
    """The digits of base 16, some of them letters, with which a sentence ends, where the question asks for them."""
    if reference.isdecimal() or not _HEXADECIMAL.fullmatch(reference) or _asked_for(question) != {16}:
        return None
    checked = _CHECKED.search(sentence.strip())
    if checked and int(checked["digits"], 16) == int(checked["value"]):
        return checked["digits"].upper()
    found = _ENDS_IN_HEXADECIMAL.search(sentence.strip())
    is_told = found is not None and (found["prefix"] or not found["digits"].isdecimal())
    return found["digits"].upper() if found and is_told else None


def as_hexadecimal(reference: str, answer: str, question: str) -> tuple[str, str]:
    """Both as 0xFE, if the question asks for hexadecimal and both are digits of that base, some of them letters."""
    asked = question.lower()
    if "hexadecimal" not in asked and " hex" not in asked and "base 16" not in asked:
        return reference, answer
    if reference.isdecimal() or not all(map(_HEXADECIMAL.fullmatch, (reference, answer))):
        return reference, answer
    return f"0x{reference.upper()}", f"0x{answer.upper()}"


def with_base(reference: str, answer: str, question: str) -> str:
    """A bare answer in the base that the question asks for, if the reference names it: 1011 as 1011_{2}."""
    if not (answer.isalnum() and answer.isascii()) or notation.based(answer):
        return answer
    wanted = notation.based(_plain(reference))
    if wanted is None or wanted.base == TEN or wanted.base not in _asked_for(question):
        return answer
    return f"{answer}_{{{wanted.base}}}"


def like(reference: str, answer: str, question: str) -> str:
    """A bare reference in the base that the question asks for, if the answer names it: 101101 beside 0b101101."""
    if not (reference.isalnum() and reference.isascii()) or notation.based(reference):
        return reference
    given = notation.based(_plain(answer))
    if given is None or given.base == TEN or _asked_for(question) != {given.base}:
        return reference
    wanted = f"{reference}_{{{given.base}}}"
    return wanted if notation.based(wanted) else reference


def as_asked(answer: str, question: str) -> str:
    """The digits of an answer in another base, where the question asks for a decimal number: 101 for 101_2."""
    given = notation.based(_plain(answer))
    return given.digits if given and given.base != TEN and _asked_for(question) == {TEN} else answer


def _asked_for(question: str) -> set[int]:
    """The bases that a question names, in words or digits."""
    heard = [word.strip(_STRIPPED).lower() for word in question.replace("-", " ").split()]
    found = {_NAMES[word] for word in heard if word in _NAMES}
    for word, behind in pairwise(heard):
        if word == "base" and (base := _base(behind)):
            found.add(base)
    return found


def _base(word: str) -> int | None:
    return int(word) if word.isdecimal() and len(word) < 3 else notation.BASES.get(word)


def _read(text: str, wanted: int) -> list[notation.Based]:
    """The numbers with a base in a text, of which a conversion to another base than the wanted one is none."""
    heard = [word.strip(_STRIPPED) for word in _plain(text).replace("=", " = ").split()]
    found: list[notation.Based] = []
    for at, word in enumerate(heard):
        number = (
            notation.based(word)
            or _behind_name(word, heard[max(at - 4, 0) : at])
            or _in_words(word, [one.strip("()").lower() for one in heard[at + 1 : at + 6]], wanted)
        )
        number = number or _beyond_base(word)
        if number and at and heard[at - 1].isdecimal() and set(number.digits + heard[at - 1]) <= {"0", "1"}:
            number = notation.based(f"{heard[at - 1]}{number.digits}_2")  # 10 1101
        if number and _OPERATORS.isdisjoint((*heard[at - 1 : at], *heard[at + 1 : at + 2])):
            found.append(number)
    return found


def _beyond_base(word: str) -> notation.Based | None:
    """71_7, which has a digit that its base has not, and so is no other number of that base."""
    digits, _, base = word.replace("{", "").replace("}", "").partition("_")
    size = _base(base) if digits.isdecimal() else None
    return notation.Based(digits, -1, size) if size and size <= int(max(digits)) else None


def _behind_name(word: str, before: list[str]) -> notation.Based | None:
    """The number of `which in octal is 55`."""
    name = before[-2].lower() if len(before) > 2 and before[-3].lower() == "in" else ""
    is_converted = any(map(str.isdigit, "".join(before[:-3])))
    if name not in _NAMES or before[-1] not in _EQUALS or is_converted or not word.isalnum():
        return None
    return notation.based(f"{word}_{{{_NAMES[name]}}}")


def _in_words(word: str, behind: list[str], wanted: int) -> notation.Based | None:
    """The number of `1011 in binary` or, where it is converted, `11 in binary is 1011`."""
    if not (word.isalnum() and any(map(str.isdigit, word)) and behind):
        return None
    behind = behind[1:] if behind[0] == "in" else behind
    name, rest = (behind[0], behind[1:]) if behind else ("", [])
    base = _NAMES.get(name)
    if name == "base" and rest:
        base, rest = _base(rest[0]), rest[1:]
    if rest[:1] and rest[0] in _EQUALS and any(map(str.isdigit, "".join(rest[1:2]))):
        word = rest[1] if base == wanted else ""  # 77 in octal is 111111
    return notation.based(f"{word}_{{{base}}}") if base and word.isalnum() else notation.based(word) if base else None


def _plain(text: str) -> str:
    """A text without the commands that only set it, and with indices in digits: 1011_{2} for 1011₂."""
    written: list[str] = []
    is_below = False
    for char in latex.without_setting(text):
        if (char in BELOW) != is_below:
            is_below = not is_below
            written.append("_{" if is_below else "}")
        written.append(char.translate(_DIGITS))
    plain = "".join(written) + ("}" if is_below else "")
    return plain.replace("{ ", "{").replace(" }", "}").replace(" _{", "_{").strip("$ ")
