"""Adjusts the answer that was read to what the question and the reference ask for.

A text may answer `the red ball` where the question asks for its colour, `a decrease of 25%` where it asks for a change,
or `n > 2` where the reference is the same bound of integers.
"""

from __future__ import annotations

import re

from libra_cli.answers.comparison import changes, integer_bounds
from libra_cli.answers.extraction import substitutes
from libra_cli.answers.extraction.asked_for import AskedFor
from libra_cli.answers.languages import abroad, commas, elements, names, terms
from libra_cli.answers.sentences import asked_units, options
from libra_cli.answers.sentences.extracted import AMBIGUOUS, NO_ANSWER, OTHER_ANSWER, UNDECIDED, Extraction
from libra_cli.answers.text import latex, number, orders, turns, words
from libra_cli.answers.values import normalize, science, structure
from libra_cli.lazy_pattern import lazy_pattern

_FEW_CHARS, _NEAR_END = 5, 200
_LETTERS_OF_OPTION = 2
_BOUNDS = ("<", ">", "\\le", "\\ge", "\u2264", "\u2265")
_ARITHMETIC = lazy_pattern(
    r"(?:[\d\s+*/^(){}.!\u00d7\u00b7\u00f7\u2212-]|\\(?:[dt]?frac|times|cdot|div|sqrt)(?![A-Za-z]))+"
)
"""A calculation in digits, whose result stands behind an equals sign."""
_FORMULA_OF_CIRCLE = lazy_pattern(r"(?:\u03c0|\\pi)\s*[a-z]|[a-z\u00b2\u00b3]\s*(?:\u03c0|\\pi)(?![a-z])")
_LETTER = lazy_pattern(r"(?<!\\)\b(?!pi\b)[a-zA-Z]")
_ASKED_TERM = lazy_pattern(
    r"\b(?i:find|compute|determine|calculate|evaluate|what is|value of)(?: the value of)?:? ?\$?"
    r"(?P<term>-?\d*[A-Za-z](?: ?(?:[-+*/\u2212]|\\cdot) ?\d*[A-Za-z])+)(?![A-Za-z(])"
)
"""A sum or product of letters that is asked for: Find a + b + c."""
_SPELLED_PERCENT = lazy_pattern(
    r"\b(?:(?:about|roughly|approximately|nearly|or|is|that|i\.e\.),? )+((?:[a-z]+[ -])?[a-z]+) per ?cent[.!]?$"
)
"""A percentage in words at the end of a text: roughly nine percent."""
_PERCENT = lazy_pattern(r"(\d+(?:\.\d+)?)(?: ?\\?%| percent\b| per cent\b)")
_LETTER_OF_BOUND = lazy_pattern(r"\$?([A-Za-z]) ?(?:[<>\u2264\u2265]|\\[lg]eq?(?![A-Za-z]))[^A-Za-z<>]*")
_GREEK = lazy_pattern(r"[\u0391-\u03a9][\u03ac-\u03ce]{3}")


def adjusted(found: Extraction, text: str, reference: str | None, cut: bool | None, question: str | None) -> Extraction:
    """What was found in a text, as the question and the reference ask for it."""
    are_integers = reference and found.answer and reference.isdecimal() and found.answer.isdecimal()
    if are_integers and not question:
        return found  # as most
    asked_for = AskedFor(text, (reference or "").strip(), bool(cut), question or "")
    for adjust in _OF_INTEGERS if are_integers else _ADJUSTMENTS:
        found = adjust(found, asked_for)
    return found


def ordered(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`A, then C, then B`: an order of the things that the question names."""
    text, reference, _, question = asked_for
    if not reference or found.reason not in (None, AMBIGUOUS, NO_ANSWER):
        return found
    order = orders.stated(found.answer or "", reference, question, text.rpartition("\n")[2])
    text = science.with_symbols(text, reference) if order is None else text
    order = orders.stated(text, reference, question) if order is None else order
    if order is None and found.answer and orders.may_be_stated(text, found.answer, reference, question):
        return UNDECIDED
    return Extraction(order) if order else Extraction(None, OTHER_ANSWER) if order == "" else found


def unread(found: Extraction, asked_for: AskedFor) -> Extraction:
    """A text that states something of the kind of the reference has an answer, which nothing here reads."""
    if found.reason != NO_ANSWER or not asked_for.reference or asked_for.cut:
        return found
    from libra_cli.answers.extraction import certainty

    return UNDECIDED if certainty.is_statement(asked_for.text, asked_for.reference) else found


def counted(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`no solution` as 0, where the question asks how many there are."""
    if not asked_for.reference.isdecimal() or not found.answer or not found.answer[0].isalpha():
        return found
    from libra_cli.answers.extraction import asked
    from libra_cli.answers.sentences import nothing

    if found.answer not in asked.COUNTS:
        return found
    return Extraction(asked.COUNTS[found.answer]) if nothing.asks_how_many(asked_for.question) else UNDECIDED


def lettered(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`C` as the text of the option C that the response itself lists, for a reference that is no letter."""
    text, reference, _, question = asked_for
    letter = (found.answer or "").strip(" .()*")
    if len(letter) != 1 or not letter.isupper() or not reference or options.is_letter(reference):
        return found
    listed = {} if letter in question else options.of_question(text)
    return found._replace(answer=listed[letter]) if letter in listed else found


def worded(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`the red ball` as red, where the question asks for the colour of the ball."""
    _, reference, _, question = asked_for
    if not (found.answer and question and reference) or reference.isdecimal() or " " not in found.answer:
        return found
    if " " not in reference and any(map(str.isupper, reference[1:])):  # HCl
        return found
    from libra_cli.answers.extraction import asked

    return found._replace(answer=asked.without_given(found.answer, reference, question))


def in_greek(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`Αθήνα` as Athens: Greek letters stand for themselves in a name, and not for those of formulas."""
    if not found.answer or not asked_for.reference or found.answer.isascii() or not _GREEK.search(found.answer):
        return found
    is_same = names.same(asked_for.reference, found.answer)
    return found if is_same is None else Extraction(asked_for.reference) if is_same else Extraction(None, OTHER_ANSWER)


def of_planet(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`Merkur` as Mercury, and not `Quecksilber`, where the question asks for a planet."""
    if asked_for.reference != "Mercury" or "lanet" not in asked_for.question or not found.answer:
        return found
    is_other = elements.names_other_mercury(found.answer)
    return found if is_other is None else Extraction(None, OTHER_ANSWER) if is_other else Extraction("Mercury")


def in_other_language(found: Extraction, asked_for: AskedFor) -> Extraction:
    """A word of the question is not wrong for certain, where the reference is a word of another language.

    `parzysta` for even, of "Czy funkcja jest parzysta, czy nieparzysta?".
    """
    reference, question = asked_for.reference, asked_for.question
    answer = latex.without_setting(found.answer or "").strip(" .").lower() if question else ""
    if not (answer.isalpha() and reference.isalpha() and len(answer) > _LETTERS_OF_OPTION and reference.islower()):
        return found
    asked = {word.lower() for word in words.split(question)}
    is_of_question = answer in asked and reference not in asked and answer != reference
    is_known = terms.same(reference, answer) is not None if is_of_question else True
    return found if is_known or not abroad.language_of(question) else found._replace(reason=AMBIGUOUS)


def signed(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`a decrease of 25%` as -25%, for a negative reference or a question for a change."""
    text, reference, _, question = asked_for
    is_change = found.answer and changes.read(reference)
    if not found.answer or not (is_change or reference[:1] == "-" or "change" in question):
        return found
    from libra_cli.answers.extraction import asked

    if is_change:
        change = changes.stated(asked.last_sentence(text), found.answer)
        return UNDECIDED if change == "" else found._replace(answer=change or found.answer)
    return found._replace(answer=asked.with_sign(found.answer, reference, text, question))


def unlisted(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`y = 15x + 40` is not wrong for certain, where an option is asked for and the question does not list any."""
    _, reference, _, question = asked_for
    if reference.isdecimal():
        return found
    wanted = options.parse(reference) if found.answer and question and len(reference) < _FEW_CHARS else None
    if not wanted or len(wanted.letters) > 1 or wanted.text or found.reason or options.parse(found.answer or ""):
        return found
    listed = options.of_question(question)
    is_open = options.is_rounded(found.answer or "", listed) if listed else len(found.answer or "") > 1
    has_figures = any(map(str.isdigit, "".join(listed.values())))
    is_open = is_open or bool(listed and not has_figures and structure.is_number(found.answer or ""))
    return found._replace(reason=AMBIGUOUS) if is_open else found


def in_unit(found: Extraction, asked_for: AskedFor) -> Extraction:
    """80 of `80 feet` with its unit, where the question asks for inches."""
    text, _, _, question = asked_for
    answer, asks_for_unit = found.answer or " ", " in " in question or "(" in question
    if not asks_for_unit or not (answer[-1].isdigit() or answer[-1] in normalize.RAISED):
        return found
    return found._replace(answer=asked_units.in_its_unit(answer, text[-_NEAR_END:], question))


def in_percent(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`0.4, that is, 40 percent` as 40%, and `0.4 percent` with its sign, where the reference is a percentage."""
    text, reference, _, _ = asked_for
    if not found.answer or "%" not in reference or "%" in found.answer:
        return found
    spelled = _SPELLED_PERCENT.search(text[-_NEAR_END:])
    value = words.number(spelled[1].lower()) if spelled else None
    if value is not None:
        return Extraction(f"{value}%")
    share = number.parse(found.answer)
    if share is None:
        return found
    percents = {*_PERCENT.findall(text[-_NEAR_END:])}
    same = [one for one in percents if (given := number.parse(one)) is not None and given.value == share.value * 100]
    said = [found.answer] if found.answer in percents else same  # 0.4 percent is no 0.4
    return found._replace(answer=f"{said[0]}%") if said else found


def as_share(found: Extraction, asked_for: AskedFor) -> Extraction:
    """25 of `25 percent of them` with its sign, where the question asks how many things there are."""
    text, reference, _, question = asked_for
    if "ow many" not in question or not reference.isdecimal() or not (found.answer or "").isdecimal():
        return found
    if "cent" not in text and "%" not in text:
        return found
    from libra_cli.answers.comparison import percent

    is_share = re.search(rf"(?<![\d.,]){found.answer}(?: ?\\?%| per ?cent\b)", text[-_NEAR_END:])
    is_bare = re.search(rf"(?<![\d.,/]){found.answer}(?![\d/]|[.,]\d| ?\\?%| per ?cent\b)", text[-_NEAR_END:])
    if not is_share or is_bare or percent.is_asked_for(question):
        return found
    return found._replace(answer=f"{found.answer}\\%")


def bounded(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`n > 2` as the bound of the reference that says the same of integers."""
    text, reference, _, question = asked_for
    if not (found.answer and reference) or found.answer.isalnum() or not any(map(found.answer.__contains__, _BOUNDS)):
        return found
    letters = [_LETTER_OF_BOUND.fullmatch(bound) for bound in (reference, found.answer)]
    names = [letter[1] for letter in letters if letter]
    if len(names) == 2 and names[0] != names[1] and _names(question, names[1]) and not _names(question, names[0]):
        return UNDECIDED  # t > 3, for the question for t whose reference is x > 3
    same = integer_bounds.as_reference(found.answer, reference, f"{text[-_NEAR_END:]} {question}")
    return Extraction(same) if same else found


def _names(question: str, letter: str) -> bool:
    """Whether a question names a letter."""
    return re.search(rf"(?<![A-Za-z\\]){letter}(?![A-Za-z])", question) is not None


def in_asked_order(found: Extraction, asked_for: AskedFor) -> Extraction:
    """2:3 of `girls to boys is 2:3` as 3:2, where the question asks for the ratio of boys to girls."""
    answer, (text, _, _, question) = found.answer or "", asked_for
    if not question or not any(map(answer.__contains__, (":", "/", "frac"))):
        return found
    from libra_cli.answers.extraction import named_ratios

    turned = named_ratios.as_asked(answer, text, question)
    return found._replace(answer=turned) if turned else UNDECIDED if turned == "" else found


def of_term(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`15a` of `3a + 5a = 15a`, where the question asks what 3a + 5a is."""
    answer, question = found.answer or "", asked_for.question
    if "\\approx" in answer and answer.partition("\\approx")[0].strip(" $") == asked_for.reference:
        return Extraction(asked_for.reference)  # e \approx 2.718
    if "=" not in answer or "=" in asked_for.reference:
        return found
    left, _, right = answer.rpartition(", ")[2].partition("=")
    if _is_part_of_asked(left.strip(" $"), question):
        return UNDECIDED  # a = 13, where a + b + c is asked for
    is_asked = question and "=" not in question and turns.plain_term(left) == turns.asked_term(question)
    is_worked_out = _FORMULA_OF_CIRCLE.search(left) is not None and not _LETTER.search(right)  # πr² = π·9
    is_asked = is_asked or is_worked_out
    if not is_asked:
        from libra_cli.answers.extraction import chains

        is_asked = chains.is_inside(answer, asked_for.text, asked_for.reference)  # 12:18 = 2:3
    is_asked = is_asked or (structure.is_number(right) and _ARITHMETIC.fullmatch(answer.partition("=")[0]) is not None)
    return found._replace(answer=right.rpartition("=")[2].strip()) if is_asked and right.strip() else found


def _is_part_of_asked(name: str, question: str) -> bool:
    """Whether a letter is only a part of the sum or the product that a question asks for."""
    asked = (
        _ASKED_TERM.search(words.sentences(question)[-1]) if len(name) == 1 and name.isalpha() and question else None
    )
    return asked is not None and name in asked["term"]


def greater_side(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`9.9 > 9.11` as 9.9, where the question asks which one is greater."""
    _, reference, _, question = asked_for
    if not (found.answer and question and reference) or number.is_bare(found.answer):
        return found
    from libra_cli.answers.sentences import greater

    if not any(map(found.answer.__contains__, greater.SIGNS)):
        return found
    side = greater.side(found.answer, reference, question)
    return Extraction(side) if side else found


def pointed(found: Extraction, asked_for: AskedFor) -> Extraction:
    """`12.500,75` with a decimal point; undecided if nobody knows what its marks are."""
    if not found.answer or not ("," in found.answer or "." in found.answer):
        return found
    text, reference, _, question = asked_for
    open_answer = commas.with_open_comma(found.answer, text, question or None)
    if open_answer and structure.is_number(reference):
        return _by_reference(open_answer, reference)
    plain = commas.in_one_notation(found.answer, text, question or None)
    if plain is None or commas.may_be_thousandths(found.answer, plain, reference or None):
        return UNDECIDED
    return found._replace(answer=commas.with_decimal_point(plain, text, question or None))


def reformed(found: Extraction, asked_for: AskedFor) -> Extraction:
    """6/8 is no answer where the question asks for lowest terms, nor (x + 1)(x + 2) where it asks for the expansion."""
    text, reference, _, question = asked_for
    if not (found.answer and question and reference) or reference.isdecimal() or found.reason:
        return found
    from libra_cli.answers.extraction import requested_form  # which loads the parser of formulas

    is_another = requested_form.is_another(found.answer, reference, question)
    if is_another and any(map(str.isdigit, text.rpartition(found.answer)[2])):  # 23 · 11 · 8, that is, 2^3 · 11 · 23
        return UNDECIDED
    return Extraction(None, OTHER_ANSWER) if is_another else found


def _by_reference(answer: str, reference: str) -> Extraction:
    """`2,375` with a decimal point, unless the reference is 2375: then nobody knows which of the two it is."""
    from libra_cli.answers.comparison import equal

    grouped = equal.decide_quickly(reference, answer.replace(",", ""))
    return UNDECIDED if grouped is None or grouped.equal is not False else Extraction(answer.replace(",", "."))


_ADJUSTMENTS = (
    *(*substitutes.ALL, ordered, unread, counted, lettered, worded, in_greek, in_other_language, of_planet, signed),
    *(unlisted, in_asked_order, of_term, in_unit, in_percent, as_share, greater_side, bounded, pointed, reformed),
)
"""What is done to the answer that was read, in order: each returns it as it is where it does not apply."""
_OF_INTEGERS = (*substitutes.OF_INTEGERS, signed, in_unit, as_share)
"""Those that may change an integer where the reference is one."""
