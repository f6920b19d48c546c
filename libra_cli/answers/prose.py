"""Reads the answer of a text without a box, by a list of readers in one visible order.

A reader looks at the text for one kind of statement. It returns None if the text has no such statement; else the answer
that it states, or why what it states is no answer for certain. The first reader that finds something decides. A reader
has checks where its kind of statement only suggests the answer: each says of an answer why it may not be the one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from libra_cli.answers import (
    abroad,
    asked,
    cases,
    certainty,
    chemistry,
    commas,
    comparatives,
    conclusions,
    dates,
    languages,
    named,
    normalize,
    numerals,
    options,
    phrases,
    sentences,
    statements,
    structure,
    subjects,
    typed,
    words,
)
from libra_cli.answers.extraction import (
    AMBIGUOUS,
    NO_ANSWER,
    TRUNCATED,
    UNDECIDED,
    Extraction,
    extraction,
    of_asserted,
)
from libra_cli.answers.retractions import changed
from libra_cli.answers.sentences import Asserted


class Prose:
    """A text without a box and what is asked for; each part of it is looked for once, when a reader needs it."""

    def __init__(self, text: str, reference: str | None, cut: bool | None, question: str | None):
        self.text, self.reference, self.cut, self.question = text, reference or "", cut, question

    @cached_property
    def tail(self) -> str:
        """The end of the text, in which the answer stands."""
        tail = statements.tail_of(self.text)
        return languages.with_english_dates(tail) if self.reference and dates.dates(self.reference) else tail

    @cached_property
    def sentences(self) -> Sequence[str]:
        """The sentences of `tail`."""
        return words.sentences(self.tail)

    @cached_property
    def bold(self) -> str:
        """The last text in bold; empty if there is none."""
        found = statements.bold(self.tail)
        return found.given if found else ""

    @cached_property
    def asks_for_words(self) -> bool:
        """Whether the reference is words, and no number, formula or letter."""
        return bool(self.reference) and phrases.are_asked_for(self.reference)

    @cached_property
    def asks_for_verdict(self) -> bool:
        """Whether the reference is yes or no, or true or false."""
        return self.asks_for_words and phrases.is_verdict(self.reference)

    @cached_property
    def in_figures(self) -> str:
        """`tail` with a decimal point in its numbers, and with percent as a sign where that matters."""
        tail = commas.with_decimal_points(self.tail, self.question)
        if self.reference.startswith("0."):  # 5 percent is no 5
            tail = tail.replace(" per cent", " percent").replace(" percent ", "% ").replace(" percent.", "%.")
        return tail

    @cached_property
    def in_digits(self) -> str:
        """`in_figures` with the numerals in words of its last sentence as digits, where the reference has any."""
        if not any(map(str.isdigit, self.reference)):
            return self.in_figures
        glossed = abroad.glossed(self.in_figures)
        return conclusions.with_digits(glossed) if glossed is self.in_figures else glossed

    @cached_property
    def concluded(self) -> Asserted:
        """What the last sentence asserts."""
        tail, in_digits = self.in_figures, self.in_digits
        found = conclusions.drawn(tail) or conclusions.concluded(in_digits)
        if found.answer or in_digits is tail or abroad.language_of(self.sentences[-1]) not in abroad.WITHOUT_SPACES:
            return found
        return conclusions.concluded(abroad.with_small_words(in_digits))


def last_line(prose: Prose) -> Extraction | None:
    """`#### 42`, `A: 42` as the last line of a text."""
    word = None if prose.cut else statements.word_of_last_line(prose.text)
    return None if word is None else extraction((word, None))


def tag(prose: Prose) -> Extraction | None:
    """`<answer>42</answer>`, `{"answer": 42}`."""
    tagged = statements.tagged(prose.tail)
    return None if tagged is None else of_asserted(statements.tidy(tagged.given), prose.reference)


def contradiction(prose: Prose) -> Extraction | None:
    """`By method 1 the answer is 640.` above `By method 2 the answer is 604.`"""
    return UNDECIDED if statements.contradict(prose.tail) else None


def statement(prose: Prose) -> Extraction | None:
    """`The answer is 42`, `**Final answer:** 42`, unless it is cut off or taken back."""
    tail, reference = prose.tail, prose.reference
    stated = next(statements.explicit(tail), None)
    if stated is None or (prose.cut and stated.end >= len(tail.rstrip())):
        return None
    change = changed(tail[stated.start :], False, prose.cut)
    listed = named.read(stated.given, reference) if reference else None
    asserted = Asserted(listed) if listed else statements.tidy(stated.given)
    if not change and sentences.denies((asserted.answer or "").partition(" ")[0]):  # "not 7. It is 5."
        asserted = conclusions.concluded(tail[stated.start :])
    return change or of_asserted(asserted, reference)


def cut_off(prose: Prose) -> Extraction | None:
    """Nothing after this counts in a text that was cut off."""
    return Extraction(None, TRUNCATED) if prose.cut else None


def statement_abroad(prose: Prose) -> Extraction | None:
    """`Die Antwort ist 42`, `答案是42`, unless it is taken back."""
    tail = prose.tail
    stated = languages.stated_answer(tail)
    if not stated:
        return None
    change = changed(tail[tail.rfind(stated) + len(stated) :], False, prose.cut)
    return change or of_asserted(statements.tidy(stated), prose.reference)


def pieces(prose: Prose) -> Extraction | None:
    """`It is 1 if n is even and 0 if n is odd`, for a reference by cases."""
    reference = prose.reference
    if not reference or reference.isdecimal():
        return None
    found = cases.stated(prose.tail, normalize.normalized(reference))
    return Extraction(found) if found else None


def of_type(prose: Prose) -> Extraction | None:
    """`We get f(x) = 2x + 1`, `all odd integers`: what is of the type of the reference."""
    found = typed.stated(prose.tail, prose.reference) if prose.reference else None
    return Extraction(found) if found else UNDECIDED if found is not None else None


def named_values(prose: Prose) -> Extraction | None:
    """`The mean is 12 and the median 11`, for a reference that names its values."""
    if not prose.reference:
        return None
    found = named.read(prose.bold, prose.reference) or named.read(prose.tail, prose.reference)
    return Extraction(found) if found else None


def bold_figure(prose: Prose) -> Extraction | None:
    """`She earns **$18** a day`: the last number in bold."""
    return bold_words(prose) if any(map(str.isdigit, prose.bold)) else None


def compound(prose: Prose) -> Extraction | None:
    """`The product is CO2 (carbon dioxide)`, for a reference that is a formula of chemistry."""
    found = chemistry.stated(prose.tail, prose.reference) if prose.reference else None
    return Extraction(found) if found else None


def date(prose: Prose) -> Extraction | None:
    """`It ended on 11 November 1918`, for a reference that is a date or a year."""
    found = asked.dated(prose.tail, prose.reference) if prose.reference else None
    return Extraction(found) if found else None


def hedge(prose: Prose) -> Extraction | None:
    """`That is far from true`, for a reference in words."""
    return UNDECIDED if prose.asks_for_words and asked.is_hedged(prose.tail, prose.reference) else None


def term(prose: Prose) -> Extraction | None:
    """`The series diverges`, `The system has no solution`: the reference or its opposite in words."""
    if not prose.asks_for_words:
        return None
    tail, reference = prose.tail, prose.reference
    said = asked.known(tail, reference) or asked.either(tail, reference) or asked.term(tail, reference)
    return Extraction(said) if said else None


def name(prose: Prose) -> Extraction | None:
    """`It was painted by Vermeer`: a name that the question does not have."""
    if not prose.asks_for_words or prose.asks_for_verdict:
        return None
    said = asked.name(prose.bold or prose.tail, prose.reference, prose.question)
    return Extraction(said) if said else None


def verdict(prose: Prose) -> Extraction | None:
    """`Yes, because ...`, `The statement does not hold`: yes or no, true or false."""
    if not prose.asks_for_verdict:
        return None
    said = phrases.verdict(prose.sentences, prose.reference) or asked.verdict(prose.tail, prose.question)
    if said:
        return Extraction(said)
    names_verdicts = any(phrases.is_verdict(word) for word in words.split(prose.tail))
    found = _in_words(prose)
    if found.answer and phrases.is_verdict(found.answer):
        return found
    return Extraction(None, AMBIGUOUS if names_verdicts or phrases.says_something(prose.text) else NO_ANSWER)


def in_words(prose: Prose) -> Extraction | None:
    """`The triangle must be equilateral`: what follows the only "is"; a text that says anything else is not wrong."""
    if not prose.asks_for_words:
        return None
    complement = phrases.complement(prose.sentences[-1])
    if complement and not prose.bold:
        return Extraction(complement)
    found = _in_words(prose)
    is_count = phrases.is_count(prose.reference) and not asked.is_doubted(prose.tail)
    if found.answer and (is_count or not any(map(str.isdigit, found.answer))):
        return found
    return Extraction(None, AMBIGUOUS if phrases.says_something(prose.text) else NO_ANSWER)


def _in_words(prose: Prose) -> Extraction:
    """The bold text, what the last sentence asserts, or the whole of a short text."""
    concluded = conclusions.concluded(prose.tail)
    if not (concluded.answer or concluded.unclear or prose.bold):
        return conclusions.whole(prose.text, prose.reference)
    is_word = (concluded.answer or "").isalpha()
    return of_asserted(statements.tidy(prose.bold) if prose.bold and not is_word else concluded)


def time_in_words(prose: Prose) -> Extraction | None:
    """`They met at half past seven`, which nothing here reads."""
    return UNDECIDED if prose.reference and phrases.is_time_in_words(prose.tail) else None


def one_asked_for(prose: Prose) -> Extraction | None:
    """`There are 12 rabbits and 23 chickens`: of the values of several subjects the one that the question asks for."""
    if not prose.question or not structure.is_number(prose.reference) or numerals.is_abroad(prose.sentences[-1]):
        return None
    asked_for = subjects.of_several(words.sentences(prose.in_digits)[-1], prose.question)
    said = prose.concluded.answer
    if asked_for.value and said in (None, *asked_for.values) and not prose.concluded.measured:
        return of_asserted(Asserted(asked_for.value, measured=asked_for.measured), prose.reference)
    return UNDECIDED if said in asked_for.values else None


def conclusion(prose: Prose) -> Extraction | None:
    """`So she needs 3 + 4 = 7 eggs`: what the last sentence asserts."""
    found = of_asserted(prose.concluded, prose.reference)
    return found if found.answer else None


def number_abroad(prose: Prose) -> Extraction | None:
    """`Der Umfang beträgt also 12 cm`: the number that a sentence in another language concludes with."""
    found = None if prose.concluded.answer else languages.concluded_number(prose.in_figures)
    return Extraction(found) if found else None


def numeral_abroad(prose: Prose) -> Extraction | None:
    """`Es sind dreiundzwanzig`: a numeral in words of another language."""
    if not prose.reference or prose.concluded.answer or prose.concluded.unclear or prose.bold:
        return None
    found = numerals.numeral_in(prose.sentences[-1])
    return Extraction(found) if found else None


def count(prose: Prose) -> Extraction | None:
    """`There are infinitely many`, where a number or a formula is asked for."""
    said = asked.counted(prose.tail) if not words.in_row(prose.reference) else None
    return Extraction(said) if said else None


def unclear(prose: Prose) -> Extraction | None:
    """`Tom has 3 and Ann has 5`: several numbers, and none is the answer for certain."""
    return UNDECIDED if prose.concluded.unclear or prose.concluded.answer else None


def bold_words(prose: Prose) -> Extraction | None:
    """`It is **a rhombus**`: the last text in bold, without a figure."""
    return of_asserted(statements.tidy(prose.bold), prose.reference) if prose.bold else None


def option(prose: Prose) -> Extraction | None:
    """`So I choose D`, where nobody says what is asked for."""
    found = None if prose.reference else options.chosen(prose.in_figures, ())
    return Extraction(found) if found else None


def whole(prose: Prose) -> Extraction | None:
    """`42 apples`: the whole of a short text."""
    found = conclusions.whole(prose.text, prose.reference)
    return None if found.reason == NO_ANSWER else found


def foreign(prose: Prose) -> Extraction | None:
    """A sentence of another language that nothing here reads."""
    sentence = prose.sentences[-1]
    is_said = prose.reference and numerals.is_abroad(sentence) and phrases.says_something(sentence)
    return UNDECIDED if is_said else None


def unread_set(prose: Prose) -> Extraction | None:
    """A number that nothing here reads, where an interval, a point or a set is asked for."""
    return one_of_several(prose, None)


def says_more(prose: Prose, answer: str | None) -> Extraction | None:
    """Check of a number abroad: it may go on in words, as in `drei und ein halb`."""
    return UNDECIDED if prose.reference and abroad.may_say_more(prose.sentences[-1]) else None


def compared(prose: Prose, answer: str | None) -> Extraction | None:
    """Check of a number that is a difference or a ratio, `3 more than Ben`, unless one is asked for."""
    if not prose.reference or not prose.concluded.compares or answer != prose.concluded.answer:
        return None
    return None if prose.question and comparatives.are_asked_for(prose.question) else UNDECIDED


def misread(prose: Prose, answer: str | None) -> Extraction | None:
    """Check of an answer: another number of its sentence may be the one that is given."""
    if not answer or not prose.reference:
        return None
    is_asked_for = prose.question and prose.concluded.compares  # how many more: "3 more" is no other number
    is_changed = not is_asked_for and certainty.is_changed(answer, prose.in_digits, prose.reference)
    is_misread = is_changed or certainty.may_be_misread(answer, prose.tail, prose.reference)
    return Extraction(answer, AMBIGUOUS) if is_misread else None


def one_of_several(prose: Prose, answer: str | None) -> Extraction | None:
    """Check of a number where an interval, a point or a set is asked for: the rest may be said elsewhere."""
    is_part = asked.is_of_several(prose.reference) and typed.is_a_part(answer, prose.tail)
    return UNDECIDED if is_part else None


def one_piece(prose: Prose, answer: str | None) -> Extraction | None:
    """Check of a value where the reference has several by cases: it may be one of them."""
    if not answer or not prose.reference:
        return None
    return UNDECIDED if cases.is_one_piece(*map(normalize.normalized, (answer, prose.reference))) else None


Check = Callable[[Prose, "str | None"], Extraction | None]
_OF_A_SENTENCE: tuple[Check, ...] = (says_more, compared, one_of_several, one_piece, misread)
_OF_A_VALUE: tuple[Check, ...] = (one_of_several, one_piece)
READERS: tuple[tuple[Callable[[Prose], Extraction | None], tuple[Check, ...]], ...] = (
    # what the text states to be its answer
    (last_line, ()),
    (tag, ()),
    (contradiction, ()),
    (statement, ()),
    (cut_off, ()),
    (statement_abroad, ()),
    # what is of the kind of the reference
    (pieces, ()),
    (of_type, (misread,)),
    (named_values, ()),
    (bold_figure, ()),
    (compound, ()),
    (date, ()),
    # words, where words are asked for
    (hedge, ()),
    (term, ()),
    (name, ()),
    (verdict, ()),
    (in_words, ()),
    # what the end of the text asserts
    (time_in_words, ()),
    (one_asked_for, ()),
    (conclusion, _OF_A_SENTENCE),
    (number_abroad, _OF_A_SENTENCE),
    (numeral_abroad, _OF_A_SENTENCE),
    (count, ()),
    (unclear, ()),
    (bold_words, _OF_A_VALUE),
    (option, ()),
    (whole, _OF_A_VALUE),
    (foreign, ()),
    (unread_set, ()),
)
"""Readers in the order in which they are asked, each with the checks of what it reads."""


def read(text: str, reference: str | None, cut: bool | None, question: str | None = None) -> Extraction:
    """The answer of a text without a box, or why it has none."""
    prose = Prose(text, reference, cut, question)
    for reader, checks in READERS:
        found = reader(prose)
        if found is None:
            continue
        if found.answer:
            for check in checks:
                doubt = check(prose, found.answer)
                if doubt is not None:
                    return doubt
        return found
    return Extraction(None, NO_ANSWER)
