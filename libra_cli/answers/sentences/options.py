"""Options of multiple-choice questions: in references, in answers, in sentences that choose one, and in questions.

An option is a letter from A to J with or without its text: `B`, `(B)`, `B. 7 m`, `\\text{(B)}`, `Option B`; several are
`A, B and D` or `ABD`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from libra_cli.answers.languages import names
from libra_cli.answers.text import latex
from libra_cli.lazy_pattern import lazy_pattern

FEWEST = 2
"""Options that a question must list."""
_EITHER = lazy_pattern(
    r"(?P<either>[Ee]ither )?\(?[A-J]\)?(?:, ?\(?[A-J]\)?)*,? or \(?[A-J]\)?(?P<one>,? but not both|,? not both)?"
)
_SHORT = 200
_ENDS = "?.:!)_\n\u3002\uff1f\uff1a\uff09"
"""What may end a question before its first option."""
LETTERS = r"[A-J](?:(?:\)?\s*[,;&\u3001/]\s*(?:and\s+)?\(?|\)?\s+and\s+\(?|(?=[A-J]))[A-J])*"
_LETTERS = frozenset("ABCDEFGHIJ")
NOUNS = (
    r"(?:options?|choices?|letter|buchstabe|lettre|letra|lettera|alternatives?|opci[oó]n|alternativa|opzione|opç[aã]o"
    r"|antwortm\w+|antwort|möglichkeit|optie|réponse|proposition|respuesta|risposta|resposta|вариант|ответ|odpowied[zź]"
    r"|选项|選項|選択肢|보기)"
)
"""Words for an option, in several languages."""
_OPTION = lazy_pattern(
    rf"(?i:(?:the )?(?:correct |right |best |final )*(?:{NOUNS}|answers?)(?: is| are)?[ :]*)?"
    rf"(?P<open>[(\uff08\[]?)(?P<letters>{LETTERS})(?P<close>[)\uff09\]]?)"
    r"(?:(?P<mark>[.):\uff1a\uff0e\u3001]|(?<=[)\uff09\]])| - )(?P<text>.*))?",
    re.DOTALL,
)
_SMALL = lazy_pattern(r"(?:(?i:option|choice) )?\(?([a-dfghj])(?:[).:].{0,100})?", re.DOTALL)
_SMALL_LETTERS = frozenset("abcdefghij")
_LONGEST_SMALL = 16
"""Characters of a small letter with what is around it: \\text{(b)}."""
_NEARNESS = 20
"""A number that differs from an option by less than one part in so many may be it, rounded."""
_BETWEEN = lazy_pattern(r",? and |[,;] ")
_LISTED = lazy_pattern(r"(?<![A-Za-z0-9])[(\uff08]?([A-J])(?:[)\uff09]\.?|[.:\uff1a\uff0e\u3001](?!\d|\w\.))\s*(?=\S)")
_NUMBERED = lazy_pattern(r"(?:(?<=[\s?:.])|^)[(\uff08]?([1-9])[)\uff09.\uff0e\u3001:](?!\d)\s*(?=\S)")
_OF_NUMBER = lazy_pattern(
    r"(?:(?i:option|choice) )?[(\uff08]?(?P<figure>[1-9])(?:[)\uff09][.:]?|[.:\u3001])(?:\s*(?P<text>\S.*))?"
)
_ROMANS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
_ROMAN = lazy_pattern(rf"\(({'|'.join(reversed(_ROMANS))})\)")
_NAMED = lazy_pattern(r"(?i:\b(?:option|choice)) \(?([1-9])(?!\d)", one_of=("option ", "choice "))
_COUNTS = lazy_pattern(r"(?i:how many|the number of)|\u51e0|\u5e7e|\u591a\u5c11|\u3044\u304f\u3064|\uba87")
"""Words of a question whose answer is a number, whatever it numbers."""
_HOW_MANY = lazy_pattern(
    r"[ .,]*(?:\((?i:choose|select|pick|mark|check)[^()]*\)"
    r"|(?i:more than one|several|choose all|select all|pick all)\b[^.]*)\.?\s*\Z"
)
"""What ends a question of which several options may be right: (choose all)."""
SMALL_LIST = lazy_pattern(r"\([a-j]\)(?:,? (?:and )?\([a-j]\))+")
"""Several small letters in brackets: (a), (d)."""
_SMALL_LISTED = lazy_pattern(r"^[ \t]*\(?[a-f][).](?= )", re.MULTILINE)
_SMALL_INLINE = lazy_pattern(r"(?:^|(?<=\s))\(?[a-j][).](?=\s)", re.MULTILINE)
_MOST_AROUND = 3
"""Characters around a letter: (b)."""


class Option(NamedTuple):
    """One option or several, and the text of one."""

    letters: frozenset[str]
    text: str = ""


@lru_cache(1 << 12)
def parse(text: str) -> Option | None:
    """Parse a reference or an answer as an option; None if it is none."""
    if not text or len(text) > _SHORT:
        return None
    if _LETTERS.isdisjoint(text):
        if text[0] != "(" or not SMALL_LIST.fullmatch(text):
            return None
        text = text.upper().replace("AND", "and")
    plain = latex.without_setting(text) if "\\" in text or "*" in text or "$" in text else text.strip()
    match = _OPTION.fullmatch(plain)
    if match is None or not is_list(match["letters"]):
        return None
    content = (match["text"] or "").strip(" .,;:")
    letters = frozenset(re.findall("[A-J]", match["letters"]))
    if content and (len(letters) > 1 or (match["mark"] == " - " and len(content) == 1)):  # A - B is a difference
        return None
    return Option(letters, content) if match["open"] == "" or match["close"] else None


def is_either(answer: str) -> bool:
    """Whether an answer is one of several options or statements, and does not say which: A or B."""
    return " or " in answer and _EITHER.fullmatch(latex.without_setting(answer).strip(" .")) is not None


def is_list(letters: str) -> bool:
    """Whether letters without marks between them are in order: ABD, but neither BAD nor I, III."""
    runs = "".join(char if char.isalpha() else " " for char in letters.replace("and", " ")).split()
    return all(list(run) == sorted(set(run)) for run in runs)  # III is no list


def are_unsorted(text: str) -> bool:
    """Whether single capital letters with commas stand in another order than that of the alphabet: an order."""
    letters = [letter.strip() for letter in text.strip(" ()$").split(",")]
    return all(len(letter) == 1 and letter.isupper() for letter in letters) and letters != sorted(letters)


def parse_small(text: str) -> Option | None:
    """Parse small letters, as people write who need not tell them from variables: c, (a) and (c); but no e or i."""
    plain = latex.without_setting(text)
    letters = [part.strip("().") for part in plain.replace(",", " ").replace("&", " ").split() if part != "and"]
    several = len(letters) > 1 and all(len(letter) == 1 and letter in "abcdfghj" for letter in letters)
    if several:
        return Option(frozenset(letter.upper() for letter in letters))
    match = _SMALL.fullmatch(plain)
    return Option(frozenset(match[1].upper())) if match else None


@lru_cache(1 << 12)
def is_letter(reference: str) -> bool:
    """Whether a reference names an option, so that a letter is asked for."""
    return parse(reference.strip()) is not None


@lru_cache(1 << 10)
def of_question(question: str) -> dict[str, str]:
    """Texts of the options that a question lists, by letter; empty if it lists none."""
    plain = _HOW_MANY.sub("", "\n".join(map(latex.without_setting, question.split("\n"))))
    marks: list[re.Match[str]] = []
    wanted = ord("A")
    for mark in _LISTED.finditer(plain):
        before = plain[: mark.start()].strip(" ")[-1:]
        begins = marks or ")" in mark[0] or "\uff09" in mark[0] or before in _ENDS
        if mark[1] == chr(wanted) and begins:
            marks.append(mark)
            wanted += 1
    if len(marks) < FEWEST:
        small = _SMALL_LISTED.sub(lambda mark: mark[0].upper(), plain) if _SMALL_LISTED.search(plain) else plain
        return of_question(small) if small != plain and "\n" in plain else {}
    ends = [*(mark.start() for mark in marks[1:]), len(plain)]
    texts = {
        mark[1]: plain[mark.end() : end].split("\n")[0].strip(" ,;.\\") for mark, end in zip(marks, ends, strict=True)
    }
    return texts if all(texts.values()) and len(set(texts.values())) == len(texts) else {}


@lru_cache(1 << 10)
def numbered(question: str) -> dict[str, str]:
    """Texts of the options that a question numbers, by figure; empty if it numbers fewer than three, or counts them."""
    plain = "\n".join(map(latex.without_setting, question.split("\n")))
    marks: list[re.Match[str]] = []
    for mark in _NUMBERED.finditer(plain):
        if mark[1] == str(len(marks) + 1) and (marks or plain[: mark.start()].strip(" ")[-1:] in _ENDS):
            marks.append(mark)
    if len(marks) <= FEWEST or _COUNTS.search(plain, 0, marks[0].start()):
        return {}
    ends = [*(mark.start() for mark in marks[1:]), len(plain)]
    texts = {
        mark[1]: plain[mark.end() : end].split("\n")[0].strip(" ,;.\\") for mark, end in zip(marks, ends, strict=True)
    }
    return texts if all(texts.values()) and len(set(texts.values())) == len(texts) else {}


def as_listed(reference: str, answer: str, question: str) -> tuple[str, str]:
    """The two answers in one form, if the question numbers its options and one of them is a number or a numeral."""
    if "(ii)" in question:
        texts = _in_brackets(reference), _in_brackets(answer), question
        wanted, given, listing = (_ROMAN.sub(lambda one: f"({_ROMANS.index(one[1]) + 1})", text) for text in texts)
        found = as_number(as_figure(wanted, listing), given, listing)
        return found if found != (wanted, given) else texts[:2]
    if not any(map(str.isdigit, f"{reference[:2]}{answer}")):
        return reference, answer
    return as_number(as_figure(reference, question), answer, question)


def _in_brackets(answer: str) -> str:
    """A numeral in brackets: ii as (ii); any other answer as it is."""
    plain = latex.without_setting(answer).strip(" ().") if len(answer) < _LONGEST_SMALL else ""
    return f"({plain})" if plain in _ROMANS else answer


def as_figure(reference: str, question: str) -> str:
    """`(2)` and `2) Jupiter` as 2, if the question numbers its options so; any other reference as it is."""
    found = _OF_NUMBER.fullmatch(reference.strip()) if "2" in question else None
    text = numbered(question).get(found["figure"]) if found else None
    if found is None or text is None or (found["text"] and found["text"].strip(" .") != text.strip(" .")):
        return reference
    return found["figure"]


def with_brackets(answer: str, response: str, reference: str, question: str) -> str:
    """The answer 2 as (2), where a response says that it chooses option 2 and the reference is no such number."""
    listed = numbered(question) if _NAMED.search(response) else {}
    is_named = answer in listed and reference not in listed and answer in _NAMED.findall(response)[-1:]
    return f"({answer})" if is_named else answer


def in_letters(question: str) -> str:
    """A question that numbers its options, with letters before them instead."""
    listed = numbered(question)
    before = question[: next(mark.start() for mark in _NUMBERED.finditer(question) if mark[1] == "1")]
    return "\n".join([before.rstrip(), *(f"{chr(ord('@') + int(one))}. {text}" for one, text in listed.items())])


def as_number(reference: str, answer: str, question: str) -> tuple[str, str]:
    """The two answers in one form, if one is the number of an option and the other its text: Jupiter as 2, (3) as 3/8.

    The number of an option that is the text of one as well stays as it is.
    """
    listed = numbered(question)
    content = listed.get(reference)
    if content is None:
        given = latex.without_setting(answer).strip() if listed else ""
        is_bare = given.isdecimal() and not any(map(str.isdigit, reference))  # 2, where a planet is asked for
        figure = _OF_NUMBER.fullmatch(f"{given}." if is_bare or given[:2].isalpha() else given)
        is_text = figure is not None and any(_are_one(text, reference) for text in listed.values())
        is_marked = given[:1] == "(" and given[-1:] == ")" and all(f"({one})" in question for one in listed)
        is_number = figure is not None and (
            is_marked or not any(_are_one(text, figure["figure"]) for text in listed.values())
        )
        return reference, listed.get(figure["figure"], answer) if figure and is_text and is_number else answer
    if answer in listed:
        return reference, answer
    meant = [one for one, text in listed.items() if _are_one(text, answer)]
    return (reference, meant[0]) if len(meant) == 1 else (reference, answer)


def _are_one(content: str, answer: str) -> bool:
    """Whether an answer is the text of an option, or its number written otherwise."""
    content, given = content.strip(" ."), latex.without_setting(answer).strip(" .")
    if content in (answer, given) or (names.tokens(content) and names.same(content, given)):
        return True
    from libra_cli.answers.values import structure

    both = [structure.parse(one) for one in (content, given)]
    values = [one.number.value for one in both if isinstance(one, structure.Leaf) and one.number]
    return len(values) == len(both) and values[0] == values[1]


def in_capitals(reference: str, question: str) -> tuple[str, str]:
    """A reference that is the letter of an option, and the question that lists it by small letters, with capitals."""
    letter = reference.strip(" ().")
    if letter.lower() not in _SMALL_LETTERS or len(reference.strip()) > _MOST_AROUND:
        return reference, question
    if letter.isupper() and (")" not in question or of_question(question)):
        return reference, question
    capital = _SMALL_INLINE.sub(lambda mark: mark[0].upper(), question)
    return (letter.upper(), capital) if letter.upper() in of_question(capital) else (reference, question)


def as_letter(reference: str, question: str, *, are_figures: bool = False) -> str:
    """The letter of the option that a reference in words is, where the question lists it; else the reference.

    A reference with figures is one of the options only if `are_figures`.
    """
    if not ("A" in question and "B" in question) or is_letter(reference):
        return reference
    if any(map(str.isdigit, reference)):
        same = [letter for letter, content in of_question(question).items() if content == reference.strip(" .")]
        return same[0] if are_figures and len(same) == 1 else reference
    wanted = names.tokens(reference) if "\\" not in reference else []
    found = [letter for letter, content in of_question(question).items() if wanted and names.tokens(content) == wanted]
    return found[0] if len(found) == 1 else reference


def is_none_of(option: str, listed: Mapping[str, str]) -> bool:
    """Whether letters name no option of the question: I of the statements I, II and III."""
    named = parse(option)
    return named is not None and named.letters.isdisjoint(listed)


def with_texts(reference: str, answer: str, question: str) -> tuple[str, str]:
    """The two answers; if just one of them is the letter of an option that the question lists, its text instead."""
    if reference.isdecimal() and answer.isdecimal():  # most are numbers, and need no question
        return reference, answer
    wanted, given = parse(reference), parse(answer)
    small = latex.without_setting(answer).strip(" ().") if not given and len(answer) < _LONGEST_SMALL else ""
    if small in _SMALL_LETTERS and of_question(question):
        if wanted:
            return reference, small.upper()
        given = parse(small.upper())
    listed = of_question(question) if wanted or given else {}
    if wanted and given and listed and not given.text and is_none_of(answer, listed):  # F, the symbol of fluorine
        given, answer = None, answer.strip(" ().")
    if (wanted is None) == (given is None):
        return reference, answer
    if wanted and len(wanted.letters) > 1:  # 2, 11 and 23, of A. 2 B. 9 C. 11
        told = [part.strip(" .$") for part in _BETWEEN.split(answer) if part.strip(" .$")]
        letters = [letter for letter, content in listed.items() for part in told if part.lower() == content.lower()]
        return (reference, ", ".join(sorted(letters))) if len(letters) == len(told) > 1 else (reference, answer)
    option = wanted or given
    text = listed.get(next(iter(option.letters))) if option and len(option.letters) == 1 else None
    if text is None or (option and option.text and wanted):
        return reference, answer
    other = answer if wanted else reference
    meant = [
        letter
        for letter, content in listed.items()
        if names.same(*(latex.without_setting(one).strip(" .") for one in (content, other)))
    ]
    if len(meant) == 1 and option and meant[0] not in option.letters:  # the text of another option
        return (reference, meant[0]) if wanted else (meant[0], answer)
    return (text, answer) if wanted else (reference, text)


def is_rounded(answer: str, listed: Mapping[str, str]) -> bool:
    """Whether a number is near that of an option and none of them: 2.48 where 2.5 eV is listed."""
    from libra_cli.answers.values import structure

    found = [structure.parse(one) for one in (answer, *listed.values())]
    leaves = [one.value if isinstance(one, structure.Equation) else one for one in found]
    values = [one.number.value for one in leaves if isinstance(one, structure.Leaf) and one.number]
    if len(values) < len(found):
        return False
    given, *others = values
    return given not in others and any(abs(given - other) * _NEARNESS < abs(other) for other in others)
