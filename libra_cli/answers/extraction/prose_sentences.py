"""Readers of what the end of a text without a box asserts, and the checks of that."""

from __future__ import annotations

from libra_cli.answers.comparison import changes, equal
from libra_cli.answers.extraction import asked, asked_clause, bounds_in_words, certainty, conclusions, typed
from libra_cli.answers.extraction.prose_text import Prose
from libra_cli.answers.languages import (
    abroad,
    amounts,
    answer_forms,
    bounds_in_signs,
    contrasts,
    numerals,
    right_angles,
    root_words,
)
from libra_cli.answers.sentences import (
    asked_units,
    asking,
    assertions,
    claimed,
    comparatives,
    counted,
    equations,
    nothing,
    option_choices,
    options,
    phrases,
    plain,
    remarks,
    set_aside,
)
from libra_cli.answers.sentences.extracted import (
    AMBIGUOUS,
    NO_ANSWER,
    OTHER_ANSWER,
    UNDECIDED,
    Extraction,
    of_asserted,
)
from libra_cli.answers.sentences.spans import value
from libra_cli.answers.text import cases, choose_words, words
from libra_cli.answers.values import bounds_said, normalize, structure
from libra_cli.answers.values.structure import Parts
from libra_cli.lazy_pattern import lazy_pattern

_REST = words.table("other others rest remaining remain remains left leaves leaving")
_GIVES = lazy_pattern(
    r"\b(?:gives? away|gave|sells?|sold|eats?|ate|uses?|used|spends?|spent|loses?|lost|takes?|took|removes?"
    r"|removed) (?:away )?[$]?\d"
)
_LEFT = lazy_pattern(r"\b(?:left|leav\w+|remain\w*|still|has|have|keeps?|so|now|are|is)\b|[-=\u2212]")
_DIGITS = lazy_pattern(r"\d+(?:\.\d+)?")
_UNSOLVED = lazy_pattern(
    r"\$?(?:\d+ ?[a-z]|\d+ ?[a-z] ?[-+\u2212] ?\d+|[a-z] ?[-+\u2212] ?\d+) ?= ?[-\u2212]?\d+\$?", one_of=("=",)
)
"""An equation with one unknown that is not solved: 2n + 6 = 30."""
_EACH_TIME = lazy_pattern(
    r"\b(?i:each|every|per|in one|in each|in every|in a) (?P<time>second|minute|hour|day|week|month|year)\b"
)
_TIMES = lazy_pattern(r"\s*(?:[\u00b7\u00d7*\u22c5]|\\cdot|\\times)\s*")
_FACTORS = lazy_pattern(r"\d+(?:\^\{?\d+\}?)?(?:\s*(?:[\u00b7\u00d7*\u22c5]|\\cdot|\\times)\s*\d+(?:\^\{?\d+\}?)?)+")
"""A factorization into numbers: 2^2 \u00b7 3."""
_WHERE = lazy_pattern(r"\b(?i:where|when|for (?:what|which)|at (?:what|which)|wh(?:at|ich) (?:values? of )?[a-z])\b")
"""A question for the place at which a value is attained."""
_HELD_AT = lazy_pattern(
    r"(?P<equation>=[^=]{1,40}? )?\b"
    r"(?:(?:happens?|occurs?|holds|is (?:true|reached|attained|satisfied|solved)|exactly|only|precisely) )+"
    r"(?:at|when|for|if|by|if and only if|iff) (?P<solution>\$?[A-Za-z]\$? ?= ?[^.!?;]{1,60})[.!]?$"
)
"""Where an equation of the question holds, or a value is attained: sin x = 1 happens at x = \u03c0/2."""
_PROSE = 4
"""Words of the shortest sentence that may be beside the question."""


def time_in_words(prose: Prose) -> Extraction | None:
    """`They met at half past seven`, which nothing here reads."""
    return UNDECIDED if prose.reference and phrases.is_time_in_words(prose.tail) else None


def bound_of_letter(prose: Prose) -> Extraction | None:
    """`x至少是5`, `x cannot be less than 5`, for a reference that is a bound of a letter."""
    if prose.cut or not any(
        map(prose.reference.__contains__, ("<", ">", "\\le", "\\ge", "\u2264", "\u2265", "\\infty", "\u221e"))
    ):
        return None
    sentence = prose.sentences[-1]
    found = bounds_in_signs.stated(sentence) or bounds_in_words.of_letter(sentence)
    if not found:
        found = bounds_in_words.of_subject(sentence, prose.reference, prose.question or "")
    if found is None:
        found = bounds_said.of_sentence(sentence, prose.reference, prose.question or "")
    return Extraction(found) if found else UNDECIDED if found is not None else None


def right_angle(prose: Prose) -> Extraction | None:
    """`The lines meet at right angles`, where an angle is asked for."""
    if prose.cut or not (
        structure.is_number(prose.reference) or "\\" in prose.reference or "\u03c0" in prose.reference
    ):
        return None
    found = right_angles.stated(prose.sentences[-1], prose.reference, prose.question)
    return Extraction(found) if found else UNDECIDED if found is not None else None


def denied_relation(prose: Prose) -> Extraction | None:
    """`n = 3 does not work`, where nothing else is said; twice n choose 2, which is not read."""
    is_denied = not prose.cut and (
        set_aside.is_denied(prose.sentences[-1], prose.question)
        or (not prose.asks_for_words and set_aside.is_called_false(prose.sentences[-1]))
        or (not prose.asks_for_words and contrasts.denies_value(prose.sentences[-1]))
    )
    return UNDECIDED if is_denied or choose_words.is_changed(prose.sentences[-1]) else None


def one_asked_for(prose: Prose) -> Extraction | None:
    """`There are 12 rabbits and 23 chickens`: of the values of several subjects the one that the question asks for."""
    if not structure.is_number(prose.reference):
        return None
    if not prose.question:
        return UNDECIDED if claimed.is_enumeration(prose.sentences[-1]) else None
    return claimed.answer(prose.in_digits, prose.question, with_unit=prose.reference[-1:].isalpha())


def counted_as_asked(prose: Prose) -> Extraction | None:
    """`We need 12 boxes, with 6 eggs left over`, where the question asks how many boxes."""
    if not (prose.question and "ow many" in prose.question and prose.reference.isdecimal()):
        return None
    sentence, is_compound = prose.sentences[-1], prose.concluded.unclear and prose.concluded.measured
    if is_compound:  # 1 hour and 30 minutes
        return None
    return counted.answer(sentence, prose.question) if sum(map(str.isdigit, sentence)) > 1 else None


def in_unit_asked_for(prose: Prose) -> Extraction | None:
    """`It takes 1 hour and 30 minutes`, where the question asks how many minutes: the reference, if it is the same."""
    said = prose.concluded
    unit = asked_units.unit_counted(prose.question) if prose.question and said.measured else ""
    if said.measured and prose.question:
        unit = unit or asked_units.unit_of_parts(said.measured, prose.question)
    if not unit or not said.measured or not prose.reference.replace(".", "", 1).isdecimal():
        return None
    if said.answer and f" {unit}" in said.measured:
        return None
    same = equal.decide_quickly(f"{prose.reference}\\text{{ {unit}}}", said.measured)
    if same is not None and same.equal:
        return Extraction(prose.reference)
    is_other = same is not None and same.equal is False and not _says(prose, prose.reference, said.measured)
    return Extraction(None, OTHER_ANSWER) if is_other else UNDECIDED


def _says(prose: Prose, number: str, measured: str) -> bool:
    """Whether the last sentence has a number in digits, or asserts it in words, beside the quantity that it asserts."""
    sentence = prose.sentences[-1]
    if measured.partition("\\")[0].strip() == number:  # 15 km/h, where m/s are asked for
        return sentence.count(number) > 1
    language = abroad.language_of(sentence) or abroad.language_of(prose.question or "")
    heard = sentence.split() if language and language not in abroad.WITHOUT_SPACES else []
    if any(amounts.amount_at(heard, at, language).text == number for at in range(len(heard))):  # doscientos diez
        return True
    said = equal.decide_quickly(number, prose.concluded.answer) if prose.concluded.answer else None
    return number in sentence.replace(",", ".") or (said is not None and said.equal is not False)


def conclusion(prose: Prose) -> Extraction | None:
    """`So she needs 3 + 4 = 7 eggs`: what the last sentence asserts."""
    found = of_asserted(prose.concluded, prose.reference)
    solution = _place(prose, found.answer) if prose.question and "=" in prose.sentences[-1] else None
    if solution:
        return Extraction(solution)
    if found.answer and _UNSOLVED.fullmatch(found.answer) and _is_unsolved(prose):
        return Extraction(None, OTHER_ANSWER)
    if found.answer and ", " in found.answer and found.answer.count("=") > max(1, prose.reference.count("=")):
        found = found._replace(answer=equations.solved(found.answer))
    if found.answer and prose.is_several and "prime" in (prose.question or "") and _FACTORS.fullmatch(found.answer):
        bases = dict.fromkeys(factor.partition("^")[0].strip(" {}") for factor in _TIMES.split(found.answer))
        return Extraction(f"\\{{{', '.join(bases)}\\}}")
    if found.answer and prose.question and len(found.answer) > 1 and found.answer in prose.question:
        return _of_name(found, prose.sentences[-1])
    return found if found.answer else None


def _place(prose: Prose, answer: str | None) -> str | None:
    """Where the last sentence says that an equation holds or a value is attained, if the question asks for that."""
    question, held = prose.question or "", _HELD_AT.search(prose.sentences[-1])
    if held is None or assertions.denies(prose.sentences[-1]):
        return None
    is_of_question = "olve " in question or (answer is not None and answer in question)
    is_where = _WHERE.search(words.sentences(question)[-1]) or (held["equation"] is not None and is_of_question)
    return held["solution"].replace("$", "") if is_where else None


def _is_unsolved(prose: Prose) -> bool:
    """Whether a text ends in an equation with an unknown, and nowhere has the number that is asked for."""
    value = prose.reference.rpartition("=")[2].strip(" $")
    if not prose.question or not value.lstrip("-").isdecimal() or "equation" in prose.question.lower():
        return False
    told = {*_DIGITS.findall(prose.text), *(str(words.number(word)) for word in words.split(prose.text.lower()))}
    return value.lstrip("-") not in told


def _of_name(found: Extraction, sentence: str) -> Extraction | None:
    """The set or value that a sentence says to be what the question names: {3, 4}, and that is A \u2229 B."""
    if any(map(str.isdigit, found.answer or "")) or not any(map(sentence.__contains__, (" is ", " are "))):
        return found
    values = [value(span.text) for span in plain.Reader(sentence).spans if any(map(str.isdigit, span.text))]
    return found._replace(answer=values[0]) if len(values) == 1 else found


def number_abroad(prose: Prose) -> Extraction | None:
    """`Der Umfang beträgt also 12 cm`: the number that a sentence in another language concludes with."""
    found = None if prose.concluded.answer else answer_forms.concluded_number(prose.in_figures)
    return Extraction(found) if found else None


def numeral_abroad(prose: Prose) -> Extraction | None:
    """`Es sind dreiundzwanzig`: a numeral in words of another language."""
    if not prose.reference or prose.concluded.answer or prose.concluded.unclear or prose.bold:
        return None
    found = amounts.number_in(prose.sentences[-1])
    return Extraction(found) if found else None


def zero(prose: Prose) -> Extraction | None:
    """`She has no apples left`, where a number is asked for."""
    sentence = prose.sentences[-1]
    if not structure.is_number(prose.reference) or not (nothing.is_said(sentence) or nothing.is_concluded(sentence)):
        return None
    if prose.concluded.answer in asked.COUNTS:  # no solution
        return None
    is_count = nothing.asks_how_many(prose.question) if prose.question else prose.reference.strip(" $") == "0"
    return Extraction("0") if is_count else UNDECIDED


def count(prose: Prose) -> Extraction | None:
    """`There are infinitely many`, where a number or a formula is asked for."""
    said = asked.counted(prose.tail) if not words.in_row(prose.reference) else None
    return Extraction(said) if said else None


def unclear(prose: Prose) -> Extraction | None:
    """`Tom has 3 and Ann has 5`: several numbers, and none is the answer for certain."""
    return UNDECIDED if prose.concluded.unclear or prose.concluded.answer else None


def option(prose: Prose) -> Extraction | None:
    """`So I choose D`, where nobody says what is asked for."""
    found = None if prose.reference else option_choices.chosen(prose.in_figures, ())
    return Extraction(found) if found else None


def listed_option(prose: Prose) -> Extraction | None:
    """`Hence choice B`, where the reference is the text of an option that the question lists."""
    if not prose.question or "B" not in prose.question or prose.cut:
        return None
    listed = options.of_question(prose.question)
    if prose.reference.strip() not in listed.values():
        return None
    found = option_choices.chosen(prose.sentences[-1], ())
    letter = found.strip("() .") if found else ""
    ends = prose.sentences[-1].rstrip(" .!*)").endswith(letter)  # unlike: choice B is a trap
    return Extraction(found) if found and letter in listed and ends else None


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
    return (
        UNDECIDED
        if prose.reference and abroad.may_say_more(words.sentences(prose.in_figures)[-1], prose.question, answer or "")
        else None
    )


def compared(prose: Prose, answer: str | None) -> Extraction | None:
    """Check of a number that is a difference or a ratio, `3 more than Ben`, unless one is asked for."""
    if not prose.reference or not prose.concluded.compares or answer != prose.concluded.answer:
        return None
    if changes.read(prose.reference):
        return None
    if not prose.question or comparatives.is_ratio_for_difference(prose.tail, prose.question):
        return UNDECIDED
    return None if asking.of(prose.question).compares else UNDECIDED


def misread(prose: Prose, answer: str | None) -> Extraction | None:
    """Check of an answer: another number of its sentence may be the one that is given."""
    if not answer or not prose.reference:
        return None
    rate = _EACH_TIME.search(prose.sentences[-1]) if "/" in prose.reference and answer.endswith("}") else None
    if rate and " per " not in answer and "/" not in answer and "\\text{" in answer:  # Each minute three litres leave
        return Extraction(f"{answer[:-1]} per {rate['time']}}}")
    if prose.question and "attained" in prose.sentences[-1] and _WHERE.search(prose.question):
        held = _HELD_AT.search(prose.sentences[-1])
        return None if held and held["solution"].replace("$", "") == answer else UNDECIDED
    is_asked_for = prose.question and (  # how many more: "3 more" is no other number
        prose.concluded.compares
        or any(map(prose.question.__contains__, (" more ", " fewer ", " less ", "ow many times", "ow often")))
    )
    is_changed = not is_asked_for and certainty.is_changed(answer, prose.in_digits, prose.reference)
    is_word = len(answer) > 1 and answer.isalpha() and words.number(answer) is None
    may_be_number = any(map(str.isdigit, prose.sentences[-1])) or comparatives.may_say_a_number(prose.sentences[-1])
    if is_word and structure.is_number(prose.reference) and may_be_number:
        return Extraction(answer, AMBIGUOUS)  # 25% is absent
    tail = asked_clause.without_others(prose.tail, answer, prose.question or "")
    is_misread = is_changed or certainty.may_be_misread(answer, tail, prose.reference)
    return Extraction(answer, AMBIGUOUS) if is_misread else None


def within_a_root(prose: Prose, answer: str | None) -> Extraction | None:
    """Check of a number that stands under a root in words which nothing here reads: a third of the root of 5."""
    sentence = prose.sentences[-1]
    is_inside = answer and root_words.is_said(sentence) and root_words.is_inside(answer, prose.in_digits)
    return Extraction(answer, AMBIGUOUS) if is_inside else None


def beside_the_question(prose: Prose, answer: str | None) -> Extraction | None:
    """Check of a sentence that has nothing of the question behind one that concludes with another value."""
    *earlier, last = prose.sentences[-4:]
    if not prose.question or not answer or "=" in last or len(last.split()) < _PROSE:
        return None
    is_rest = not _REST.isdisjoint(word.lower() for word in words.split(last))
    if is_rest or remarks.concludes(last, prose.question) or remarks.is_about(last, prose.question):
        return None
    others = [one for one in earlier if any(map(str.isdigit, one)) and remarks.begins_conclusion(one)]
    return UNDECIDED if others and answer not in others[-1] else None


def given_away(prose: Prose, answer: str | None) -> Extraction | None:
    """Check of `Anna gives away 15 of the 24 apples`, where the question asks how many are left."""
    question = comparatives.last_question(prose.question) if prose.question else ""
    if " left" not in question and " remain" not in question:
        return None
    sentence = prose.sentences[-1]
    return UNDECIDED if _GIVES.search(sentence) and _LEFT.search(sentence) is None else None


def holds_reference(prose: Prose, answer: str | None) -> Extraction | None:
    """Check of several numbers where one is asked for, which is among them."""
    if (
        not answer
        or "," not in answer
        or answer.startswith("(")
        or " or " in prose.sentences[-1]
        or not structure.is_number(prose.reference)
    ):
        return None
    parts = [part.strip() for part in answer.strip("()").split(",")]
    return UNDECIDED if len(parts) > 1 and prose.reference in parts else None


def one_of_several(prose: Prose, answer: str | None) -> Extraction | None:
    """Check of a number where an interval, a point or a set is asked for: the rest may be said elsewhere."""
    if answer and typed.is_of_another_size(answer, prose.reference):
        return UNDECIDED
    if not (asked.is_of_several(prose.reference) and typed.is_a_part(answer, prose.tail)):
        return None
    point = typed.point_before(prose.sentences, prose.reference)
    return Extraction(point) if point else UNDECIDED


def a_listing(prose: Prose, answer: str | None) -> Extraction | None:
    """Check of three members or more where a number is asked for: they may explain it (`The subgroup is {0, 2, 4}`)."""
    if not answer or ("," not in answer and ";" not in answer) or not structure.is_number(prose.reference):
        return None
    listed = structure.parse(answer)
    n_listed = len(listed.parts) if isinstance(listed, Parts) and not listed.alternatives else 0
    is_said = "=" in answer or "{" in answer or "i.e." in prose.tail
    are_results = n_listed > 1 and not is_said and prose.tail.count("=") >= n_listed  # 14² = 196, 15² = 225
    return UNDECIDED if n_listed > 2 or are_results else None


def one_piece(prose: Prose, answer: str | None) -> Extraction | None:
    """Check of a value where the reference has several by cases: it may be one of them."""
    if not answer or not prose.reference:
        return None
    return UNDECIDED if cases.is_one_piece(*map(normalize.normalized, (answer, prose.reference))) else None
