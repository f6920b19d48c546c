"""Reads the marks in a number where a language writes a comma before decimal places: 1.234,56 and 12.500 Euro.

A comma or point before three digits may begin a group or decimal places. The other numbers of the text, its language
and money, which has no thousandths, tell which; where nothing does, the number stays as it is, and is undecided.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from libra_cli.answers.languages import abroad
from libra_cli.answers.languages.answer_forms import COMMA_WORDS, ENGLISH, STATEMENTS, TAIL_CHARS
from libra_cli.answers.languages.glosses import DECIMAL_COMMAS
from libra_cli.lazy_pattern import lazy_pattern

_NOUNS_OF_COMMAS = frozenset(
    noun for language in ("es", "fr", "de", "pt", "it", "nl", "ru", "pl") for noun in STATEMENTS[language][0].split()
) | frozenset(
    "răspunsul răspuns rezultatul rezultat odpověď výsledek odpoveď výsledok svaret vastaus tulos válasz eredmény "  # noqa: SIM905
    "cevap cevabı sonuç jawaban jawabannya hasilnya відповідь απάντηση отговор отговорът odgovor rezultatet".split()
)
"""Words for the answer and the result in languages that write a comma before decimal places."""
_WORD = lazy_pattern(r"[^\W\d_]+")
_SPACES = " \u00a0\u2009\u202f"
_APOSTROPHES = "'\u2019"
_MARKED = lazy_pattern(rf"\d(?<![\d.,]\d)\d*(?:[.,{_APOSTROPHES}{_SPACES}]\d+)+")
"""Digits with marks or spaces between them."""
_COMMA_NUMBER = lazy_pattern(
    r"(?<!\d)((?:(?:R?\\?\$|[€£]) ?)?-?(?:0,\d+|\d+,(?:\d{1,2}|\d{4,})))(?!\d|,\d)"
    r"(?P<rest>\s*(?:\\%|%|€|\\?[A-Za-z\u0400-\u04ff]\S{0,20})?)"
)
_NO_DECIMAL_BEHIND = frozenset("([{,.$")
"""What stands before the first number of a list or a pair."""
_SPACED_GROUPS = lazy_pattern(
    r"(?P<whole>\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+),(?P<places>\d{1,2})(?P<rest>\s*(?:\\?%|€|\\?[^\W\d_]\S{0,20})?)"
)
"""A number whose groups stand apart, and its decimals: 1 250,50."""
_SIGNS_OF_MONEY = ("\u20ac", "$", "\u00a3", "\u20b4", "\u20bd")
_MONEY = frozenset(
    "euro euros eur dollar dollars dólares dollari pesos peso reais real kr kronor kronen kroner chf franken francs "  # noqa: SIM905
    "zł złotych złote zloty рублей рубля руб рубль евро долларов soles lire pfund livres libras fr".split()
)
_WHOLE = lazy_pattern(r"\d(?<![\d.,]\d)\d*(?![\d]|[.,]\d)")
_COMMA_BETWEEN = lazy_pattern(r"\d,\d")
_MAY_BE_CALCULATED = lazy_pattern(r",\d{1,2} ?[:\u00b7\u00d7\u00f7*+=]")
"""What every text holds that the next pattern matches (a faster test)."""
_CALCULATED = lazy_pattern(
    r"(?<![\d.,(\[{$])\d+,\d{1,2} ?[:\u00b7\u00d7\u00f7*+] ?\d"
    r"|\d ?[:\u00b7\u00d7\u00f7*+] ?\d+,\d{1,2} ?="
)
_DECIMAL = lazy_pattern(r"-?\d+\.\d+(?!\d)")
_GROUP = 3
_LONGEST = 24
"""Characters of the longest answer whose marks are read."""


def with_decimal_point(answer: str, text: str, question: str | None = None) -> str:
    """`answer` with its comma marked as a decimal one (`2{,}5`), if the language of `text` writes such commas."""
    number = _COMMA_NUMBER.fullmatch(answer)
    if number is None or not _is_abroad(text, question):
        return answer
    return number[1].replace(",", "{,}") + number["rest"]


def with_decimal_points(text: str, question: str | None = None) -> str:
    """`text` with points in its decimal numbers and without groups, if its language writes commas before decimals.

    Pairs in brackets stay, and so does a number that can be read in two ways.
    """
    if _MARKED.search(text) is None or not _is_abroad(text, question):
        return text
    mark = _decimal_mark(text)
    return _MARKED.sub(lambda number: _in_one_notation(number, mark), text)


def in_one_notation(answer: str, text: str, question: str | None = None) -> str | None:
    """`answer` without groups and with a point before decimals, as its text writes them; None if both may be meant.

    An answer that is no number with such a mark stays as it is.
    """
    number = _MARKED.search(answer) if len(answer) < _LONGEST else None
    if number is None or _is_listed(number) or not _may_be_group(number[0]) or not _is_abroad(text, question):
        return answer
    tail = text[-TAIL_CHARS:]
    found = [one for one in _MARKED.finditer(tail) if one[0] == number[0]]
    if not found:  # it is in plain digits already
        return answer
    read = _read(found[-1], _decimal_mark(tail))
    return None if read is None else answer[: number.start()] + read + answer[number.end() :]


def with_open_comma(answer: str, text: str, question: str | None = None) -> str | None:
    """`2,375` for an answer whose only comma may be a decimal one or begin a group; None for any other answer."""
    plain = answer.replace("{,}", ",").strip(" $") if "," in answer and len(answer) < _LONGEST else ""
    number = _MARKED.search(plain)
    is_one = number is not None and number[0].count(",") == 1 and "." not in plain and not _is_listed(number)
    if number is None or not is_one or not _may_be_group(number[0]) or not _is_abroad(text, question):
        return None
    tail = text[-TAIL_CHARS:].replace("{,}", ",")
    found = [one for one in _MARKED.finditer(tail) if one[0] == number[0]] or [number]
    return plain if not number[0].endswith("0") and _read(found[-1], _decimal_mark(tail)) is None else None


def may_be_thousandths(answer: str, plain: str, reference: str | None) -> bool:
    """Whether the reference has the digits of a number whose mark was read as one of thousands: 1,749, for 1.749."""
    if not reference or plain == answer or reference == plain or "." not in reference:
        return False
    return reference.replace(".", "").rstrip("0") == plain.replace(".", "").rstrip("0")


def in_reference(reference: str, answer: str, texts: Iterable[object], response: str = "") -> str:
    """`reference` with its comma marked as a decimal one, if a unit, a marked answer or a text's language says so.

    `texts` are the question and the response. A reference beside a list stays as it is. One that may have a group
    loses its mark if the answer is what it then says. It is no list either if the `response` gives numbers, and none of
    them is one of its members.
    """
    known = [text for text in texts if isinstance(text, str)]
    if spaced := _SPACED_GROUPS.fullmatch(reference):
        return "".join(spaced["whole"].split()) + "." + spaced["places"] + spaced["rest"]
    grouped = _MARKED.search(reference) if len(reference) < _LONGEST else None
    is_in_groups = grouped is not None and _may_be_group(grouped[0])
    is_european = grouped is not None and "," in grouped[0].partition(".")[2]  # 1.250,00
    is_read = is_european or (is_in_groups and any(map(_is_in_such_a_language, known)))
    if grouped and is_read and not _is_listed(grouped):
        plain = grouped[0].replace(".", "").replace(",", ".") if "," in grouped[0] else grouped[0].replace(".", "")
        if "," in grouped[0] and "." in grouped[0].partition(",")[0]:
            return reference.replace(grouped[0], plain)
        figures = "".join(filter(str.isdigit, grouped[0]))
        is_said = any(figures == part.rstrip(".,;") for part in answer.replace("$", " ").split())
        # 2.125 may be a decimal in international notation, which 2125 is not
        is_grouped = grouped[0].count(".") > 1 or any(grouped[0] in text for text in known)
        return reference.replace(grouped[0], figures) if is_said and is_grouped else reference
    number = _COMMA_NUMBER.fullmatch(reference)
    unmarked = answer.replace("{,}", "")
    if number is None or ("," in unmarked and not _COMMA_NUMBER.fullmatch(answer)):
        return reference
    has_unit = bool(number["rest"].strip()) or not (reference[0].isdigit() or reference[0] == "-")
    is_decimal = unmarked != answer or has_unit or any(map(_is_in_such_a_language, known))
    is_decimal = is_decimal or _has_no_member(response, reference)
    return number[1].replace(",", "{,}") + number["rest"] if is_decimal else reference


def with_decimal_reference(reference: str, text: str, question: str | None = None) -> str:
    """`12,50 \u20ac` with a decimal point, before a text is read; a list stays as it is.

    The text says the members of a list 2,3 apart; it says no 12 and 50 for the number.
    """
    if "," not in reference or len(reference) > _LONGEST:
        return reference
    number = _MARKED.search(reference)
    members = number[0].split(",") if number else []
    told = set(_WHOLE.findall(text[-TAIL_CHARS:]))
    if len(members) != 2 or all(member in told for member in members):
        return reference
    return in_reference(reference, "", (question, text), text).replace("{,}", ".")


def _has_no_member(text: str, reference: str) -> bool:
    """Whether a text gives numbers in digits, and none of those that a comma sets apart: 7/2, for 3,5."""
    tail = text[-TAIL_CHARS:]
    told = {number[0].lstrip("0") for number in _WHOLE.finditer(tail)} if any(map(str.isdigit, tail)) else None
    if _COMMA_BETWEEN.search(tail):
        return False
    members = {member.strip(" -").lstrip("0") for member in reference.split(",")}
    return told is not None and members.isdisjoint(told) and not any(map(str.isalpha, reference))


def like_reference(answer: str) -> str:
    """0.375 with its point marked as a decimal comma, 0{,}375, which says how its reference is to be read."""
    is_one = answer.count(".") == 1 and "," not in answer and _DECIMAL.match(answer) is not None
    return answer.replace(".", "{,}") if is_one else answer


def _in_one_notation(number: re.Match[str], mark: str) -> str:
    read = None if _is_listed(number) else _read(number, mark)
    return number[0] if read is None else read


def _is_listed(number: re.Match[str]) -> bool:
    """Whether a number stands first in a bracket: (2,3) is a pair; $2,3$ may be one."""
    return number.string[number.start() - 1 : number.start()] in _NO_DECIMAL_BEHIND and "," in number[0]


def _read(number: re.Match[str], mark: str) -> str | None:
    """A number in plain digits, by the mark before decimal places; None if it may have groups or places."""
    joined = _without_gaps(number[0])
    if " " in joined:  # several numbers
        parts = [_of_marks(part, mark, is_money=False) for part in joined.split(" ")]
        return " ".join(part or said for part, said in zip(parts, joined.split(" "), strict=True))
    return _of_marks(joined, mark, _is_money(number))


def _without_gaps(said: str) -> str:
    """Digits whose groups of three stand apart as one number: 1 234,5 and 1'250; other gaps as plain spaces."""
    for gap in _SPACES[1:] + _APOSTROPHES:
        said = said.replace(gap, " ")
    parts = said.split(" ")
    groups = [part.replace(",", ".").partition(".")[0] for part in parts[1:]]
    is_one = len(parts[0]) <= _GROUP and parts[0].isdigit() and all(len(group) == _GROUP for group in groups)
    return "".join(parts) if is_one and all(map(str.isdigit, parts[:-1])) else said


def _of_marks(said: str, mark: str, is_money: bool) -> str | None:
    """Digits with points and commas in plain digits, where `mark` is the one before decimal places."""
    points, commas = said.count("."), said.count(",")
    if points and commas:
        last = max(said.rfind("."), said.rfind(","))
        whole, places = said[:last], said[last + 1 :]
        other = "," if said[last] == "." else "."
        is_number = said[last] not in whole and _are_groups(whole.split(other))
        return f"{whole.replace(other, '')}.{places}" if is_number else said
    sign = "." if points else ","
    parts = said.split(sign)
    if len(parts) > 2:
        return "".join(parts) if _are_groups(parts) and (sign == "." or mark == ".") else said
    if not points + commas or not _may_be_group(said):
        return said.replace(",", ".")
    if is_money or (mark and sign != mark) or (not mark and sign == "."):
        return "".join(parts)
    return said.replace(",", ".") if sign == mark else None


def _are_groups(parts: list[str]) -> bool:
    return 0 < len(parts[0]) <= _GROUP and all(len(part) == _GROUP for part in parts[1:])


def _may_be_group(said: str) -> bool:
    """Whether the last digits of a number may be a group of three."""
    parts = said.replace(",", ".").split(".")
    return len(parts) > 1 and _are_groups(parts) and parts[0].lstrip("0") != ""


def _decimal_mark(text: str) -> str:
    """The mark that a text writes before decimal places, by its numbers that can be read in one way; else empty."""
    found = set(_marks_told(text[-TAIL_CHARS:]))
    return found.pop() if len(found) == 1 else "?" if found else ""


def _marks_told(text: str) -> Iterator[str]:
    for number in _MARKED.finditer(text):
        if _is_listed(number):
            continue
        for said in _without_gaps(number[0]).split(" "):
            marks = [char for char in said if char in ".,"]
            if len(set(marks)) > 1:
                yield marks[-1]
            elif len(marks) > 1 and _are_groups(said.replace(",", ".").split(".")):
                yield "," if marks[0] == "." else "."
            elif len(marks) == 1 and not _may_be_group(said):
                yield marks[0]


def _is_money(number: re.Match[str]) -> bool:
    """Whether a currency stands before a number or behind it."""
    before = number.string[max(number.start() - 4, 0) : number.start()].rstrip()
    behind = number.string[number.end() : number.end() + 16].lstrip(" \u00a0\\")
    word = _WORD.match(behind)
    return (
        before.endswith(_SIGNS_OF_MONEY)
        or behind.startswith(_SIGNS_OF_MONEY)
        or (word is not None and word[0].lower() in _MONEY)
    )


def _is_abroad(text: str, question: str | None) -> bool:
    """Whether the language of a text, or else of its question, writes decimal commas."""
    language = abroad.language_of(text) or abroad.language_of(question or "")
    return language in DECIMAL_COMMAS or _writes_decimal_commas(text)


def _writes_decimal_commas(text: str) -> bool:
    words = {word.lower() for word in _WORD.findall(text[-TAIL_CHARS:])}
    if not words.isdisjoint(_NOUNS_OF_COMMAS) or _is_calculated(text):
        return True
    most = max(len(words & known) for known in COMMA_WORDS.values())
    return most >= 2 and most > len(words & ENGLISH)


@lru_cache(1 << 6)
def _is_in_such_a_language(text: str) -> bool:
    return abroad.language_of(text) in DECIMAL_COMMAS or _is_calculated(text)


def _is_calculated(text: str) -> bool:
    """Whether a text calculates with a number that has a comma, as with no list: 7,2 : 3 = 2,4."""
    tail = text[-TAIL_CHARS:] if "=" in text and "," in text else ""
    return bool(tail and _MAY_BE_CALCULATED.search(tail)) and _CALCULATED.search(tail) is not None
